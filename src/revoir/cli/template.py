"""`revoir template`: the workbook to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from revoir.cli import options
from revoir.cli.common import T, language, say, speak
from revoir.files import whole
from revoir.language import msg

Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help=T("Where to write it (default: revoir.xlsx)."), show_default=False
    ),
]  # fmt: skip
Force = Annotated[bool, typer.Option("--force", help=T("Replace a file that is there already."))]


def template(output: Output = None, force: Force = False, lang: options.Lang = None) -> None:
    """Write an Excel file to fill in: customers, orders, subscriptions, answers."""
    from revoir.errors import UsageError, Where
    from revoir.reading.template import write_template

    speak(lang)
    path = output or Path("revoir.xlsx")
    if path.suffix.lower() != ".xlsx":
        raise UsageError(
            msg("The template is an Excel workbook."),
            where=Where(file=path.name),
            remedy=msg("Give it a name that ends in .xlsx."),
        )
    if path.exists() and not force:
        raise UsageError(
            msg("There is a file of that name already."),
            where=Where(file=path.name),
            remedy=msg("Give another name, or add --force."),
        )
    try:
        with whole(path) as draft:
            write_template(draft, language())
    except OSError as error:
        raise UsageError(
            msg("The file cannot be written: {why}.", why=error.strerror or str(error)),
            where=Where(file=path.name),
        ) from error
    say(msg("{file} is ready to be filled in.", file=path.name).text(language()))
