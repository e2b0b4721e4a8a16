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

KEY = "orders.discount"
OF_THE_ORDER = "order_discount"
"""What the discount of a whole order is called where its lines have discounts of their own."""
_OF_THE_ORDER = f"attribute.{OF_THE_ORDER}"
_TOLD_BY = 3


@dataclass(frozen=True)
class Discount:
    """What discounts leave of price × quantity.

    Attributes:
        line: SQL of what is left of a line.
        order: SQL of what is taken off a whole order, over its lines; None where nothing is.
        both: Whether lines have discounts of their own beside that.
    """

    line: str
    order: str | None = None
    both: bool = False

    def shared_out(self, amount: str, order: str) -> str:
        """SQL of what is left of each line, where a whole order's discount is taken off all.

        Args:
            amount: SQL of what the line came to before.
            order: SQL of which order it is of.
        """
        # Without it, the revenue of all categories would be more than the revenue.
        over = f"OVER (PARTITION BY {order})"
        off = f"CAST({self.order} {over} AS DOUBLE) / nullif(abs(sum({amount}) {over}), 0)"
        return f"CAST({amount} * (1 - coalesce(least({off}, 1), 0)) AS {values.DECIMAL})"


def are_shares(connection: duckdb.DuckDBPyConnection, part: Part) -> bool:
    """Whether discounts are shares (0.2) rather than amounts: those have no sum."""
    if part.fields[KEY].per:
        return True
    if part.shares is not None:
        return part.shares
    column = f"abs({identifier(KEY)})"
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
    if not part.has(KEY):
        return Discount(product)
    header = part.fields[KEY].mapping.header
    off = f"coalesce(abs({identifier(KEY)}), 0)"
    made = Discount(f"CAST({product} - sign({product}) * {off} AS {values.DECIMAL})")
    shares = are_shares(connection, part)
    if shares:
        made = Discount(f"CAST({product} * (1 - {off}) AS {values.DECIMAL})")
    elif part.grain == "line" and (
        part.fields[KEY].mapping.converted or _repeated(connection, part, off)
    ):
        made = Discount(product, f"max({off})")
    larger = summary(
        connection,
        f"SELECT count(*) AS n FROM {part.accepted} WHERE abs({product}) < {off}",
    )["n"]
    if larger and not shares and not made.order:
        part.notes.append(
            msg(
                "Column {header}: some discounts are larger than price times quantity, so none was"
                " taken off. If they are percentages, write a % behind them.",
                header=header,
            )
        )
        return Discount(product)
    _tell_taken(connection, part, header, product, made)
    return _with_that_of_the_order(connection, part, made)


def before_discount(connection: duckdb.DuckDBPyConnection, part: Part) -> bool:
    """Whether what lines came to is their price times quantity, without the order's discount.

    Args:
        connection: The connection that holds the file.
        part: The converted file of sales.
    """
    field = part.fields.get(KEY)
    amount = part.amount
    if field is None or not field.mapping.converted or amount is None:
        return False
    if not part.has("order_lines.unit_price"):
        return False
    found = summary(
        connection,
        f"SELECT count(*) AS n, count(*) FILTER (abs({amount} - {part.product}) < 0.01)"
        f" AS same FROM {part.accepted} WHERE {amount} IS NOT NULL",
    )
    return bool(found["n"] and found["same"] >= 0.99 * found["n"])


def _with_that_of_the_order(
    connection: duckdb.DuckDBPyConnection, part: Part, made: Discount
) -> Discount:
    """Take off what is off the whole order, too, unless it is the sum of what is off its lines."""
    field = part.fields.get(_OF_THE_ORDER)
    if field is None or not field.mapping.converted or made.order:
        return made
    off = f"coalesce(abs({identifier(_OF_THE_ORDER)}), 0)"
    if field.mapping.format == "share":
        both = Discount(f"CAST({made.line} * (1 - {off}) AS {values.DECIMAL})")
    else:
        both = Discount(made.line, f"max({off})", both=True)
        found = summary(
            connection,
            "SELECT count(*) AS orders, count(*) FILTER (abs(whole - lines) < 0.01) AS sums FROM"
            f" (SELECT max({off}) AS whole, abs(sum({part.product} - {made.line})) AS lines"
            f" FROM {part.accepted} GROUP BY {part.order}) WHERE whole > 0",
        )
        if not found["orders"] or found["sums"] >= 0.9 * found["orders"]:
            return made
    _tell_taken(connection, part, field.mapping.header, made.line, both)
    return both


def _tell_taken(
    connection: duckdb.DuckDBPyConnection, part: Part, header: str, before: str, made: Discount
) -> None:
    """Say what discounts came to, seeing what lines came to before."""
    told = f"SELECT sum({before} - {made.line}) AS taken FROM {part.accepted}"
    if made.order:
        told = (
            f"SELECT sum(once) AS taken FROM (SELECT {made.order} AS once FROM {part.accepted}"
            f" GROUP BY {part.order})"
        )
    if taken := summary(connection, told)["taken"]:
        part.notes.append(
            msg(
                "Column {header}: discounts of {amount} in all were taken off price times"
                " quantity, for no column says what was paid. If prices are without them already,"
                " leave the column out (ignore).",
                header=header,
                amount=Money(taken),
            )
        )


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
