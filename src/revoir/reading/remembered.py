"""What was remembered of an earlier file's columns, where this file's cells say otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.reading import values
from revoir.reading.mapping import ColumnMapping
from revoir.reading.raw import RawTable

if TYPE_CHECKING:
    import duckdb

_DECIMALS = {"comma": ",", "point": "."}
_FIGURES = ("plain", *_DECIMALS)


def as_they_are(
    connection: duckdb.DuckDBPyConnection, raw: RawTable, columns: tuple[ColumnMapping, ...]
) -> tuple[ColumnMapping, ...]:
    """Forget that an attribute held numbers where it holds other things now.

    A size of 38 is one of M next month: read as a number, such cells would be empty.

    Args:
        connection: The connection that holds the cells.
        raw: The table.
        columns: What its columns mean.

    Returns:
        The columns; how those are written is found out anew.
    """
    types = dict(zip(raw.columns, raw.types, strict=True))
    presumed = [
        mapping
        for mapping in columns
        if mapping.presumed and mapping.target is None and mapping.format in _FIGURES
        and values.is_text(types[mapping.column])
    ]  # fmt: skip
    if not presumed:
        return columns
    tests = ", ".join(f"coalesce(bool_or({_lost(mapping, types)}), false)" for mapping in presumed)
    row = connection.execute(f"SELECT {tests} FROM {raw.relation}").fetchall()[0]
    other = {mapping.column for mapping, lost in zip(presumed, row, strict=True) if lost}
    return tuple(
        replace(mapping, format=None) if mapping.column in other else mapping for mapping in columns
    )


def _lost(mapping: ColumnMapping, types: dict[str, str]) -> str:
    """SQL of whether a cell says something that its convention does not read as it stands."""
    column = identifier(mapping.column)
    said = f"rv_text({column}) IS NOT NULL AND {column} NOT IN ('NA', 'NULL')"
    if mapping.format == "plain":
        read = f"regexp_full_match(trim({column}), '[+-]?(0|[1-9]\\d{{0,17}})')"
        return f"{said} AND NOT {read}"
    number = values.number(column, types[mapping.column], _DECIMALS[str(mapping.format)])
    code = f"regexp_matches(trim({column}), '^0\\d')"
    return f"{said} AND ({number} IS NULL OR {code})"
