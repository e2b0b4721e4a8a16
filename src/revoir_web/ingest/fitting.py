"""Attributes whose values are of another type than the lake has them: a size of 38, and one of M.

The lake keeps the types of its columns. A shop's export does not: what was a number last month is
a word today, and a date is text in another format. Such a column is none that sales wait for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from revoir.store.retype import TEXT, as_text, retype
from revoir.tables import TABLES
from revoir_web.ingest import sql

if TYPE_CHECKING:
    import duckdb

    from revoir.store import Lake

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
_CLOCKS = ("DATE", "TIMESTAMP")


def fit(connection: duckdb.DuckDBPyConnection, table: str, known: str, store: Lake) -> bool:
    """Bring the attributes of `keyed_<table>` and those of the lake to one type each.

    A type that all values have stays; else the lake's column becomes one that holds both: numbers
    with decimals, moments, text.

    Args:
        connection: Holds the table.
        table: The canonical table.
        known: SQL of the lake's.
        store: The lake.

    Returns:
        Whether the lake's table was written anew.
    """
    relation = sql.name(f"keyed_{table}")
    mine = sql.columns_of(connection, relation)
    held = sql.columns_of(connection, f"{known} AS l")
    differ = [
        column
        for column, kind in mine.items()
        if held.get(column, kind) != kind and TABLES[table].column(column) is None
    ]
    cells, wider = {}, {}
    for column in differ:
        given, kind = mine[column], held[column]
        if not _fits(connection, relation, column, given, kind):
            kind = wider[column] = _both(given, kind)
        cells[column] = _as(f"t.{sql.name(column)}", given, kind)
    if wider:
        retype(store.place, table, wider)
    if cells:
        replaced = ", ".join(f"{cell} AS {sql.name(column)}" for column, cell in cells.items())
        connection.execute(
            f"CREATE OR REPLACE TABLE {relation} AS SELECT t.* REPLACE ({replaced})"
            f" FROM {relation} AS t"
        )
    return bool(wider)


def _fits(
    connection: duckdb.DuckDBPyConnection, relation: str, column: str, given: str, kind: str
) -> bool:
    """Whether every value is the same in another type."""
    if kind == TEXT:
        return True
    if given != TEXT and _family(given) != _family(kind):
        return False
    cell = sql.name(column)
    back = f"TRY_CAST(TRY_CAST({cell} AS {kind}) AS {given})"
    [(lost,)] = connection.execute(
        f"SELECT count(*) FROM {relation} WHERE {cell} IS NOT NULL AND {back} IS DISTINCT FROM"
        f" {cell}"
    ).fetchall()
    return not lost


def _both(given: str, kind: str) -> str:
    """A type that has the values of two."""
    match _family(given), _family(kind):
        case ("number", "number") if kind != "DOUBLE":
            return "DOUBLE"
        case ("clock", "clock"):
            return "TIMESTAMP"
    return TEXT


def _family(kind: str) -> str:
    if kind.startswith(_NUMBERS):
        return "number"
    return "clock" if kind.startswith(_CLOCKS) else kind


def _as(cell: str, given: str, kind: str) -> str:
    return as_text(cell, given) if kind == TEXT else f"TRY_CAST({cell} AS {kind})"
