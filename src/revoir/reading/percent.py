"""Discounts in percent: which column writes them, and how its cells become shares."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.language import Message, msg
from revoir.reading import values
from revoir.reading.headers import tokens_of
from revoir.reading.mapping import ColumnMapping
from revoir.reading.raw import RawTable
from revoir.tables import plain_name

if TYPE_CHECKING:
    import duckdb

    from revoir.reading.fields import Fields

_KEY = "orders.discount"
_AGREE = 0.9
"""So large a share of the rows must come to what a reading of their discount says."""
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
        100 for percentages, 1 for shares (0.1) under a header of percentages, None for amounts,
        for cells that were converted, and for whatever is no discount.
    """
    if mapping.target != _KEY or mapping.converted:
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


def settle_ones(
    connection: duckdb.DuckDBPyConnection, raw: RawTable, fields: Fields, notes: list[Message]
) -> None:
    """Say what a column of percentages means of which every cell is 0 or 1.

    1 is 1 %, the whole price (a share), or a yes. What was paid tells; where it does not, nothing
    is guessed: the column is left out, and it is said.

    Args:
        connection: The connection that holds the raw cells.
        raw: The raw table.
        fields: How its columns are converted; changed in place.
        notes: Told what was decided.
    """
    held = fields.get(_KEY)
    if held is None or held.per != 100:
        return
    number = values.number(held.column, held.sql_type, ".")
    signed, others, ones = connection.execute(
        f"SELECT bool_or(contains(CAST({held.column} AS VARCHAR), '%')),"
        f" count(*) FILTER (abs({number}) NOT IN (0, 1)), count(*) FILTER (abs({number}) = 1)"
        f" FROM {raw.relation}"
    ).fetchall()[0]
    if signed or others or not ones:
        return
    hundredths, wholes, told = _came_to(connection, raw, fields, f"abs({number}) = 1")
    if told and hundredths >= _AGREE * told:
        return
    if told and wholes >= _AGREE * told:
        fields[_KEY] = replace(held, typed=share(number, 1), per=1)
        return
    del fields[_KEY]
    header = held.mapping.header
    notes.append(
        msg(
            "Column {header}: every discount is 0 or 1, and what was paid is neither 1% less nor"
            " nothing: it was taken as a yes or a no, and left out.",
            header=header,
        )
        if told
        else msg(
            "Column {header}: every discount is 0 or 1, which may be 1%, the whole price or a yes."
            " As nothing says which, none was taken off; write 1% or 100% in the cells.",
            header=header,
        )
    )


def _came_to(
    connection: duckdb.DuckDBPyConnection, raw: RawTable, fields: Fields, ones: str
) -> tuple[int, int, int]:
    """Of how many rows with a 1 what was paid is 1 % less, nothing, and known at all."""
    price, paid = (
        next((fields[key].typed for key in keys if key in fields), None)
        for keys in (
            ("order_lines.unit_price",),
            ("order_lines.amount", "orders.amount"),
        )
    )
    if price is None or paid is None:
        return 0, 0, 0
    gross = price
    if "order_lines.quantity" in fields:
        gross = values.product(price, fields["order_lines.quantity"].typed)
    hundredths, wholes, told = connection.execute(
        "SELECT count(*) FILTER (abs(abs(paid) - 0.99 * gross) <= greatest(0.01, 0.001 * gross)),"
        " count(*) FILTER (abs(paid) < 0.01), count(*)"
        f" FROM (SELECT abs({gross}) AS gross, {paid} AS paid FROM {raw.relation} WHERE {ones})"
        " WHERE gross > 2 AND paid IS NOT NULL"
    ).fetchall()[0]
    return hundredths, wholes, told
