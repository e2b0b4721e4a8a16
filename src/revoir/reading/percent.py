"""Discounts in percent: which column writes them, and how its cells become shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.reading import values
from revoir.reading.headers import tokens_of
from revoir.reading.mapping import ColumnMapping
from revoir.reading.raw import RawTable
from revoir.tables import plain_name

if TYPE_CHECKING:
    import duckdb

_WORDS = frozenset(["pct", "percent", "percentage", "pourcent", "pourcentage", "taux", "rate"])
_SMALL = "'[-+]?[0-9.]+[eE][-+]?[0-9]+'"


def divisor(
    connection: duckdb.DuckDBPyConnection, raw: RawTable, mapping: ColumnMapping
) -> int | None:
    """By what the cells of a discount are divided to be shares.

    Args:
        connection: The connection that holds the raw cells.
        raw: The raw table.
        mapping: A column of it.

    Returns:
        100 for percentages, 1 for shares (0.1) under a header of percentages, None for amounts
        and for whatever is no discount.
    """
    if mapping.target != "orders.discount":
        return None
    header = mapping.header
    headed = "%" in header or bool(tokens_of(plain_name(header)) & _WORDS)
    kind = raw.types[raw.columns.index(mapping.column)]
    if not headed and not values.is_text(kind):
        return None
    cell = f"CAST({identifier(mapping.column)} AS VARCHAR)"
    figure = f"replace(regexp_replace({cell}, '[^0-9.,]', '', 'g'), ',', '.')"
    # What rounding leaves of a share is written with an exponent: 1.1e-16 is not 1.1.
    figure = f"CASE WHEN regexp_full_match({cell}, {_SMALL}) THEN {cell} ELSE {figure} END"
    figure = f"abs(try_cast({figure} AS DOUBLE))"
    # All cells are looked at: the first discount may stand far down.
    signed, bare, fractions, high = connection.execute(
        "SELECT count(*) FILTER (signed), count(*) FILTER (NOT signed AND figure > 0),"
        " count(*) FILTER (figure > 0 AND figure < 1), max(figure)"
        f" FROM (SELECT contains({cell}, '%') AS signed, {figure} AS figure"
        f" FROM {raw.relation})"
    ).fetchall()[0]
    if headed:
        return 1 if fractions and high <= 1 and not signed else 100
    return 100 if signed and not bare else None


def share(number: str, by: int) -> str:
    """SQL of a discount as a share; null where more than everything would be taken off.

    Args:
        number: SQL of the number in the cell.
        by: What it is divided by.
    """
    limit = f"CASE WHEN abs({number}) <= {by} THEN {number} END"
    return f"CAST({limit} / {by} AS {values.DECIMAL})"
