"""`revoir demo`: the files of a shop that does not exist, to try everything on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from revoir.cli import options
from revoir.cli.common import T, say, speak
from revoir.language import Message, msg, nmsg


def demo(
    folder: Annotated[
        Path, typer.Argument(metavar=T("FOLDER"), help=T("Where to write the files."))
    ] = Path("demo"),
    seed: Annotated[int, typer.Option(help=T("Chooses another shop of the same kind."))] = 1,
    customers: Annotated[int, typer.Option(min=1, help=T("How many customers it has."))] = 4_500,
    lang: options.Lang = None,
) -> None:
    """Write the files of an invented French shop and list them."""
    code = speak(lang)
    from revoir.datasets.shop import shop

    made = shop(seed, customers=customers)
    for file in made.write(folder, code):
        print(file)
    spoiled = sum(rows for rows, _ in made.truth.blemishes.values())
    for sentence in _told(made.title, customers, folder, spoiled):
        say(sentence.text(code))


def _told(title: str, customers: int, folder: Path, spoiled: int) -> tuple[Message, ...]:
    return (
        nmsg(
            "The files of {title}, an invented shop with {n} customer, are in “{folder}”.",
            "The files of {title}, an invented shop with {n} customers, are in “{folder}”.",
            customers,
            title=title,
            folder=str(folder),
        ),
        nmsg(
            "{n} row is spoiled on purpose, as in real exports: it will be put aside and shown.",
            "{n} rows are spoiled on purpose, as in real exports: they will be put aside and"
            " shown.",
            spoiled,
        ),
        msg("Next: `revoir report {folder}`", folder=str(folder)),
    )
