"""Discounts beside price and quantity: shares or amounts, of a line or of the whole order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.language import Money, msg
from revoir.reading import values
from revoir.reading.part import Part, summary

if TYPE_CHECKING:
    import duckdb

_KEY = "orders.discount"
_TOLD_BY = 3


@dataclass(frozen=True)
class Discount:
    """What discounts leave of price × quantity.

    Attributes:
        line: SQL of what is left of a line.
        order: SQL of what is taken off a whole order, over its lines; None where nothing is.
    """

    line: str
    order: str | None = None


def are_shares(connection: duckdb.DuckDBPyConnection, part: Part) -> bool:
    """Whether discounts are shares (0.2) rather than amounts: those have no sum."""
    if part.fields[_KEY].per:
        return True
    if part.shares is not None:
        return part.shares
    column = f"abs({identifier(_KEY)})"
    row = connection.execute(
        f"SELECT max({column}) <= 1 AND bool_or({column} > 0 AND {column} < 1) FROM {part.accepted}"
    ).fetchall()[0]
    part.shares = bool(row and row[0])
    return part.shares


def without_discount(connection: duckdb.DuckDBPyConnection, part: Part) -> Discount:
    """What is left of price × quantity, which no column says; what was taken off is said.

    Args:
        connection: The connection that holds the file.
        part: The converted file of sales, without any amount.
    """
    product = part.product
    if not part.has(_KEY):
        return Discount(product)
    header = part.fields[_KEY].mapping.header
    off = f"coalesce(abs({identifier(_KEY)}), 0)"
    made = Discount(f"CAST({product} - sign({product}) * {off} AS {values.DECIMAL})")
    shares = are_shares(connection, part)
    if shares:
        made = Discount(f"CAST({product} * (1 - {off}) AS {values.DECIMAL})")
    elif part.grain == "line" and _repeated(connection, part, off):
        made = Discount(product, f"max({off})")
    found = summary(
        connection,
        f"SELECT count(*) FILTER (abs({product}) < {off}) AS larger,"
        f" sum({product} - {made.line}) AS taken FROM {part.accepted}",
    )
    if made.order:
        found["taken"] = summary(
            connection,
            f"SELECT sum(once) AS taken FROM (SELECT {made.order} AS once FROM {part.accepted}"
            f" GROUP BY {part.order})",
        )["taken"]
    elif found["larger"] and not shares:
        part.notes.append(
            msg(
                "Column {header}: some discounts are larger than price times quantity, so none was"
                " taken off. If they are percentages, write a % behind them.",
                header=header,
            )
        )
        return Discount(product)
    if found["taken"]:
        part.notes.append(
            msg(
                "Column {header}: discounts of {amount} in all were taken off price times"
                " quantity, for no column says what was paid. If prices are without them already,"
                " leave the column out (ignore).",
                header=header,
                amount=Money(found["taken"]),
            )
        )
    return made


def _repeated(connection: duckdb.DuckDBPyConnection, part: Part, off: str) -> bool:
    """Whether the discount of an order stands on each of its lines."""
    found = summary(
        connection,
        "SELECT count(*) AS orders, count(*) FILTER (same) AS same, count(DISTINCT off) AS several"
        f" FROM (SELECT max({off}) AS off, min({off}) = max({off}) AS same FROM {part.accepted}"
        f" GROUP BY {part.order} HAVING count(*) > 1 AND max({off}) > 0)",
    )
    return bool(
        found["orders"] >= _TOLD_BY and found["same"] == found["orders"] and found["several"] > 1
    )
