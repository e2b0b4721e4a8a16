"""`revoir demo`: the files of a shop that does not exist, to try everything on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from revoir.language import Message, msg, nmsg


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to write the files.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Chooses another shop of the same kind.")] = 1,
    customers: Annotated[int, typer.Option(min=1, help="How many customers it has.")] = 4_500,
    lang: Annotated[str, typer.Option(help="Language of the files: fr or en.")] = "fr",
) -> None:
    """Write the files of an invented French shop, to try the other commands on."""
    from revoir.datasets.shop import shop
    from revoir.errors import UsageError
    from revoir.language import LANGUAGES

    if lang not in LANGUAGES:
        raise UsageError(
            msg("There is no language “{name}”.", name=lang),
            remedy=msg("Use {names}.", names=list(LANGUAGES)),
        )
    made = shop(seed, customers=customers)
    files = made.write(folder, lang)
    spoiled = sum(rows for rows, _ in made.truth.blemishes.values())
    for sentence in (*_told(made.title, customers, folder), _blemishes(spoiled)):
        typer.echo(sentence.text(lang))
    for file in files:
        typer.echo(f"  {file}")


def _told(title: str, customers: int, folder: Path) -> tuple[Message, ...]:
    return (
        nmsg(
            "The files of {title}, an invented shop with {n} customer, are in “{folder}”.",
            "The files of {title}, an invented shop with {n} customers, are in “{folder}”.",
            customers,
            title=title,
            folder=str(folder),
        ),
        msg("Next: `revoir report {folder}`", folder=str(folder)),
    )


def _blemishes(count: int) -> Message:
    return nmsg(
        "{n} row is spoiled on purpose, as in real exports: it will be put aside and shown.",
        "{n} rows are spoiled on purpose, as in real exports: they will be put aside and shown.",
        count,
    )
