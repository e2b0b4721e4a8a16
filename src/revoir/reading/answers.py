"""Answers written with their scale, with words or in stars: “4/5”, “10 - Very likely”, “★★★★☆”."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier, literal
from revoir.reading.profile import Profile
from revoir.reading.raw import RawTable
from revoir.reading.values import DECIMAL, text_of

if TYPE_CHECKING:
    import duckdb

_FIGURE = r"(\d{1,3}(?:[.,]\d{1,2})?)"
_STARS = r"(?:stars?|étoiles?|etoiles?|star rating|★|⭐)"
_OUT_OF = r" ?(?:/|sur|out of) ?(\d{1,3})"
_PATTERNS = (
    rf"^{_FIGURE} ?{_STARS}? ?(?:/|sur|out of) ?\d{{1,3}} ?{_STARS}?$",
    rf"^{_FIGURE} ?{_STARS}$",
    # What surveys write at the ends of a scale: “10 - Very likely”, “Not at all likely - 0”.
    r"^(\d{1,2}) ?[-–—:=.(] ?[^\d]+$",
    r"^[^\d]+[-–—:=(] ?(\d{1,2})\)?$",
)
_DRAWN = "^[★⭐\ufe0f ]+[☆✩\ufe0f ]*$"
_DRAWN_STAR = "[^★⭐]"
_ENOUGH = 0.9


def answer_sql(cell: str) -> str:
    """SQL of the figure of an answer that is no plain number; null where there is none.

    Args:
        cell: SQL of a cell of text.
    """
    said = f"lower({cell})"
    found = [
        f"try_cast(replace(regexp_extract({said}, {literal(pattern)}, 1), ',', '.') AS {DECIMAL})"
        for pattern in _PATTERNS
    ]
    drawn = f"length(regexp_replace({cell}, '{_DRAWN_STAR}', '', 'g'))"
    found.append(f"CASE WHEN regexp_matches({cell}, {literal(_DRAWN)}) THEN {drawn} END")
    return f"coalesce({', '.join(found)})"


def answer_of(cell: str) -> tuple[float, float] | None:
    """The figure of an answer that is no plain number, and the highest that it could have been.

    Args:
        cell: What the file writes.

    Returns:
        None where it says none.

    Examples:
        >>> [answer_of(cell) for cell in ("4,5/5", "10 - Très probable", "★★★☆☆", "4 stars")]
        [(4.5, 5.0), (10.0, 10.0), (3.0, 3.0), (4.0, 4.0)]
        >>> answer_of("12 rue des Lilas"), answer_of("5")
        (None, None)
    """
    said = cell.strip().lower()
    for pattern in _PATTERNS:
        if found := re.search(pattern, said):
            figure = float(found[1].replace(",", "."))
            highest = re.search(_OUT_OF, said)
            return figure, float(highest[1]) if highest else figure
    if re.search(_DRAWN, said):
        figure = float(len(re.sub(_DRAWN_STAR, "", said)))
        return figure, figure
    return None


def as_answers(profile: Profile) -> Profile:
    """What a column looks like once its answers are read; the same where they are plain numbers.

    Args:
        profile: What the cells look like as they stand.
    """
    if profile.numbers >= _ENOUGH or not profile.cells:
        return profile
    held = {cell: answer_of(cell) for cell in set(profile.cells)}
    told = [found for cell in profile.cells if (found := held[cell])]
    share = profile.numbers + len(told) / len(profile.cells)
    if not told or share < _ENOUGH:
        return profile
    whole = sum(figure == int(figure) for figure, _ in told) / len(profile.cells)
    figures, highest = zip(*told, strict=True)
    plain = profile.numbers > 0
    return replace(
        profile, numbers=share, integers=profile.integers + whole,
        low=min(*figures, profile.low) if plain else min(figures),
        high=max(*highest, profile.high) if plain else max(highest),
    )  # fmt: skip


def scales(connection: duckdb.DuckDBPyConnection, raw: RawTable, column: str) -> list[int]:
    """Out of how many the answers of a column are, where they say so: 5 of “4/5”.

    Args:
        connection: The connection that holds the cells.
        raw: The table.
        column: A column of it.
    """
    kind = raw.types[raw.columns.index(column)]
    cell = f"lower({text_of(identifier(column), kind)})"
    pattern = literal(r"^[\d.,]+" + _OUT_OF)
    out_of = f"try_cast(regexp_extract({cell}, {pattern}, 1) AS INTEGER)"
    rows = connection.execute(
        f"SELECT DISTINCT {out_of} AS n FROM {raw.relation} WHERE {out_of} > 0 ORDER BY n"
    ).fetchall()
    return [row[0] for row in rows]
