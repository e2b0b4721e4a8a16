"""Order numbers that start again each day or year: which, and what tells their orders apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.language import nmsg
from revoir.reading.part import LINE_COLUMNS, Part, summary

if TYPE_CHECKING:
    import duckdb

NUMBER = identifier("_number")
"""What the file writes, where `orders.order_id` had to become another number."""
DAYS_MAX = 2
"""Days that the lines of one order may lie apart: an evening that goes past midnight."""
_ORDER = identifier("orders.order_id")
_TIME = identifier("orders.ordered_at")
_DAY = f"CAST({_TIME} AS DATE)"
_YEAR = f"year({_TIME})"
_OFTEN = 0.5
"""Share of the numbers that come again from which the whole file is one that restarts."""


def _count(connection: duckdb.DuckDBPyConnection, part: Part) -> tuple[int, int]:
    """How many rows have an order number, and how many different ones there are."""
    row = connection.execute(
        f"SELECT count({_ORDER}), count(DISTINCT {_ORDER}) FROM {part.accepted}"
    ).fetchall()[0]
    return row[0], row[1]


def lines_share_numbers(part: Part, held: int, orders: int) -> bool:
    """Whether rows with one number are lines of an order rather than repeats of it."""
    if any(f"order_lines.{name}" in part.fields for name in LINE_COLUMNS):
        return True
    return held >= 20 and orders / held < 0.67


def written(part: Part) -> str:
    """SQL of the order numbers as the file writes them."""
    return NUMBER if part.renumbered else _ORDER


def given_back(part: Part) -> str:
    """SQL of whether a row gives something back: it may do so long after its order."""
    held = [
        f"coalesce({identifier(key)} < 0, false)"
        for key in (
            "orders.amount",
            "order_lines.amount",
            "order_lines.quantity",
            "order_lines.unit_price",
        )
        if part.has(key)
    ]
    return f"({' OR '.join(held)})" if held else "false"


@dataclass(frozen=True)
class _Rule:
    """When rows with one number are several orders.

    Attributes:
        test: SQL of that, over the rows of one number.
        wide: The same, looser, for a file whose numbers are known to start again.
    """

    test: str
    wide: str


def _rule(part: Part, lines: bool) -> _Rule:
    paid = f"FILTER (NOT {given_back(part)})"
    apart = f"max({_DAY}) {paid} - min({_DAY}) {paid} > {DAYS_MAX}"
    who = part.customer
    several = f"min({who}) <> max({who})" if who else "false"
    if lines:
        return _Rule(
            f"({several} OR {apart})", f"({several} OR max({_DAY}) {paid} <> min({_DAY}) {paid})"
        )
    other_day = f"max({_DAY}) {paid} <> min({_DAY}) {paid}"
    strangers = f"({several} AND {other_day})"
    return _Rule(strangers, f"({strangers} OR {apart})")


def tell_reused(connection: duckdb.DuckDBPyConnection, part: Part) -> tuple[int, int]:
    """Number orders apart that share a number, and say so.

    A till that counts from 1 each day, and a shop that does each year, give one number to orders
    of several customers on several days. Such a number is followed by its year, or where that is
    not enough by its day; neither names anybody.

    Args:
        connection: The connection that holds the file.
        part: The file; `orders.order_id` is made to tell its orders apart.

    Returns:
        How many rows have an order number, and how many orders there are.
    """
    held, orders = _count(connection, part)
    if held == orders:
        return held, orders
    lines = lines_share_numbers(part, held, orders)
    if _are_of_one_day(connection, part, orders, lines=lines):
        return held, orders
    rule = _rule(part, lines)
    found = summary(
        connection,
        "SELECT count(*) AS again, count(*) FILTER (reused) AS reused FROM"
        f" (SELECT coalesce({rule.test}, false) AS reused FROM {part.accepted}"
        f" WHERE {_ORDER} IS NOT NULL GROUP BY {_ORDER} HAVING count(*) > 1)",
    )
    if not found["reused"]:
        return held, orders
    test = rule.wide if found["reused"] >= _OFTEN * found["again"] else rule.test
    yearly = not connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM {part.accepted} WHERE {_ORDER} IS NOT NULL"
        f" GROUP BY {_ORDER}, {_YEAR} HAVING {test} LIMIT 1)"
    ).fetchall()[0][0]
    chosen = (
        f"SELECT {_ORDER} AS number FROM {part.accepted} WHERE {_ORDER} IS NOT NULL"
        f" GROUP BY {_ORDER} HAVING {test}"
    )
    _renumber(connection, part, f"{_ORDER} IN ({chosen})", yearly=yearly)
    _say_reused(connection, part, yearly=yearly)
    return _count(connection, part)


def _are_of_one_day(
    connection: duckdb.DuckDBPyConnection, part: Part, orders: int, *, lines: bool
) -> bool:
    """Whether each number stands on one day alone, and lines of one customer: none is used again.

    To count these takes half of what it takes to compare the rows of each number.
    """
    told = [_ORDER, _DAY, *([part.customer] if lines and part.customer else [])]
    row = connection.execute(
        f"SELECT count(DISTINCT hash({', '.join(told)})) FROM {part.accepted}"
        f" WHERE {_ORDER} IS NOT NULL"
    ).fetchall()[0]
    return bool(row[0] == orders)


def tell_reused_since(connection: duckdb.DuckDBPyConnection, part: Part, met: str) -> None:
    """Number orders apart that have the number of another one in an earlier file, and say so.

    Args:
        connection: The connection that holds the file.
        part: The file.
        met: A table of the rows whose number an earlier file has (`_line`), with whether they
            are equal (`same`), another customer's on another day (`stranger`), days away
            (`apart`) or of one year; the rows that are other orders are taken out of it.
    """
    found = summary(
        connection,
        "SELECT count(*) AS again, count(*) FILTER (stranger) AS strangers"
        f" FROM {met} WHERE NOT same",
    )
    restarts = part.grain == "line" or found["strangers"] >= _OFTEN * found["again"]
    test = "NOT same AND (stranger" + (" OR (apart AND NOT back))" if restarts else ")")
    row = connection.execute(
        f"SELECT count(*), count(*) FILTER (one_year) FROM {met} WHERE {test}"
    ).fetchall()[0]
    if not row or not row[0]:
        return
    once = f" AND {_ORDER} = {NUMBER}" if part.renumbered else ""
    chosen = f"_line IN (SELECT _line FROM {met} WHERE {test}){once}"
    _renumber(connection, part, chosen, yearly=not row[1])
    connection.execute(f"DELETE FROM {met} WHERE {test}")
    _say_reused(connection, part, yearly=not row[1])


def _say_reused(connection: duckdb.DuckDBPyConnection, part: Part, *, yearly: bool) -> None:
    """Say which numbers were told apart, with an example."""
    found = summary(
        connection,
        f"SELECT count(DISTINCT {NUMBER}) AS n, min(CAST({_ORDER} AS VARCHAR)) AS example"
        f" FROM {part.accepted} WHERE {NUMBER} <> {_ORDER}",
    )
    header = part.fields["orders.order_id"].mapping.header
    if yearly:
        part.notes.append(
            nmsg(
                "Column {header}: {n} number comes again for another order; its orders were told"
                " apart by their year, as in “{example}”.",
                "Column {header}: {n} numbers come again for other orders; their orders were told"
                " apart by their year, as in “{example}”.",
                found["n"], header=header, example=found["example"],
            )
        )  # fmt: skip
        return
    part.notes.append(
        nmsg(
            "Column {header}: {n} number comes again for another order; its orders were told apart"
            " by customer and day, as in “{example}”.",
            "Column {header}: {n} numbers come again for other orders; their orders were told"
            " apart by customer and day, as in “{example}”.",
            found["n"], header=header, example=found["example"],
        )
    )  # fmt: skip


def _renumber(
    connection: duckdb.DuckDBPyConnection, part: Part, chosen: str, *, yearly: bool
) -> None:
    """Put what tells orders apart behind the numbers of the chosen rows."""
    number = written(part)
    if yearly:
        told = f"{number} || ' ' || {_YEAR}"
        source = f"SELECT *, NULL AS _who FROM {part.relation}"
    else:
        # Who is given a place among those of that number and day, not a name.
        place = f"dense_rank() OVER (PARTITION BY {number}, {_DAY} ORDER BY _who)"
        told = f"{number} || ' ' || {_DAY} || CASE WHEN {place} > 1 THEN '-' || {place} ELSE '' END"
        who = part.customer or "NULL"
        source = (
            f"SELECT *, coalesce({who}, min({who}) OVER (PARTITION BY {number}, {_DAY})) AS _who"
            f" FROM {part.relation}"
        )
    name = identifier(f"renumbered_{part.number}")
    kept = "" if part.renumbered else f", {_ORDER} AS {NUMBER}"
    connection.execute(
        f"CREATE OR REPLACE TABLE {name} AS SELECT * EXCLUDE (_who) REPLACE ("
        f"CASE WHEN {chosen} THEN {told} ELSE {_ORDER} END AS {_ORDER}){kept}"
        f" FROM ({source}) ORDER BY _line"
    )
    part.relation, part.is_table, part.renumbered = name, True, True
