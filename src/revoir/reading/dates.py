"""Dates whose day and month stand in the other order than in the rest of their column."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, NamedTuple

from revoir.engines.sql import identifier
from revoir.language import Message, msg, nmsg
from revoir.reading.raw import RawTable

if TYPE_CHECKING:
    import duckdb

BLOCKS_MAX = 200
"""Places from which on the two orders are simply mixed, and no place tells of its neighbours."""
_TOLD_MAX = 5
_PARTS = re.compile(r"\s*(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})(?:[T ,].*)?", re.DOTALL)


class Block(NamedTuple):
    """A stretch of a column in which every date that tells has the other order.

    Attributes:
        first: The line of the first such date.
        last: The line of the last one.
        proven: How many there are.
        example: The first as the file writes it.
        between: Dates between them that could be read either way.
        around: Those before and after, as far as the next date that tells.
        around_first: The line of the first of all that could be read either way.
        around_last: The line of the last one.
    """

    first: int
    last: int
    proven: int
    example: str
    between: int
    around: int
    around_first: int | None
    around_last: int | None


def _numbers(cell: str) -> tuple[str, str]:
    parts = f"regexp_extract({cell}, '^\\s*(\\d{{1,2}})[-/. ](\\d{{1,2}})[-/. ]\\d{{2,4}}', "
    return f"try_cast({parts}1) AS INTEGER)", f"try_cast({parts}2) AS INTEGER)"


def counts(column: str) -> list[str]:
    """SQL that counts the dates which have the day first, the month first, and all.

    Args:
        column: The quoted column.
    """
    first, second = _numbers(column)
    return [
        f"count(*) FILTER ({first} > 12 AND {second} <= 12)",
        f"count(*) FILTER ({second} > 12 AND {first} <= 12)",
        f"count(*) FILTER ({second} <= 31 AND {first} <= 31)",
    ]


def could_be_either(cell: str) -> str:
    """SQL of whether a cell is one day with the day first, and another with the month first."""
    first, second = _numbers(cell)
    return f"coalesce({first} <= 12 AND {second} <= 12 AND {first} <> {second}, false)"


def blocks(
    connection: duckdb.DuckDBPyConnection, raw: RawTable, column: str, *, day_first: bool
) -> list[Block]:
    """Find where in a column dates have the other order.

    Args:
        connection: The connection that holds the cells.
        raw: The table.
        column: The column.
        day_first: The order that the column is read in.

    Returns:
        The places in the order of the file, one more than `BLOCKS_MAX` at most.
    """
    cell = identifier(column)
    first, second = _numbers(cell)
    this, other = (second, first) if day_first else (first, second)
    rows = connection.execute(
        f"WITH cells AS (SELECT _line, {cell} AS cell, {this} > 12 AND {other} BETWEEN 1 AND 12"
        f" AS other, {other} > 12 AND {this} BETWEEN 1 AND 12 AS same, {could_be_either(cell)}"
        f" AS either FROM {raw.relation}),"
        " told AS (SELECT *, other IS DISTINCT FROM lag(other) OVER (ORDER BY _line) AS turns"
        " FROM cells WHERE other OR same),"
        " runs AS (SELECT *, count(*) FILTER (turns) OVER (ORDER BY _line) AS run FROM told),"
        " stretches AS (SELECT run, any_value(other) AS other, min(_line) AS first,"
        " max(_line) AS last, count(*) AS n, arg_min(cell, _line) AS example FROM runs"
        " GROUP BY run),"
        " near AS (SELECT *, coalesce(lag(last) OVER (ORDER BY run), 0) AS after,"
        " coalesce(lead(first) OVER (ORDER BY run), 9223372036854775807) AS before"
        f" FROM stretches QUALIFY other ORDER BY first LIMIT {BLOCKS_MAX + 1})"
        " SELECT first, last, n, example,"
        " count(c._line) FILTER (c._line BETWEEN first AND last),"
        " count(c._line) FILTER (c._line NOT BETWEEN first AND last),"
        " min(c._line) FILTER (c._line NOT BETWEEN first AND last),"
        " max(c._line) FILTER (c._line NOT BETWEEN first AND last)"
        " FROM near LEFT JOIN (SELECT _line FROM cells WHERE either) AS c"
        " ON c._line > near.after AND c._line < near.before"
        " GROUP BY first, last, n, example ORDER BY first"
    ).fetchall()
    return [Block(*row) for row in rows]


def told(header: str, held: list[Block], *, day_first: bool) -> list[Message]:
    """What is said of the places where dates have the other order.

    Args:
        header: What the file calls the column.
        held: The places.
        day_first: The order that the column is read in.
    """
    order, this = _orders(day_first=day_first)
    if len(held) > BLOCKS_MAX:
        return [
            msg(
                "Column {header}: the two orders change more than {n} times; those that could be"
                " either were read with the {order} first, and may be wrong.",
                header=header, n=BLOCKS_MAX, order=order,
            )
        ]  # fmt: skip
    notes = []
    for block in held[:_TOLD_MAX]:
        notes.append(
            nmsg(
                "Column {header}, line {first}: a date has the {this} first (“{example}”); it was"
                " not read.",
                "Column {header}, lines {first} to {last}: {n} dates have the {this} first"
                " (“{example}”), and {between} between them could be either: none was read.",
                block.proven,
                header=header, first=str(block.first), last=str(block.last), this=this,
                example=block.example.strip(), between=block.between,
            )
        )  # fmt: skip
        if block.around:
            notes.append(
                nmsg(
                    "Column {header}, line {first}: beside it, a date could be either; it was read"
                    " with the {order} first. Check it.",
                    "Column {header}, lines {first} to {last}: beside them, {n} dates could be"
                    " either; they were read with the {order} first. Check them.",
                    block.around,
                    header=header, first=str(block.around_first), last=str(block.around_last),
                    order=order,
                )
            )  # fmt: skip
    if len(held) > _TOLD_MAX:
        notes.append(
            nmsg(
                "Column {header}: there is {n} more such place.",
                "Column {header}: there are {n} more such places.",
                len(held) - _TOLD_MAX, header=header,
            )
        )  # fmt: skip
    return notes


def _orders(*, day_first: bool) -> tuple[Message, Message]:
    day, month = msg("day"), msg("month")
    return (day, month) if day_first else (month, day)


def fault(text: str, *, day_first: bool, unsure: bool) -> tuple[Message, Message] | None:
    """Why a date that has the other order was not accepted, and how to mend it.

    Args:
        text: The cell.
        day_first: The order that the column is read in.
        unsure: Whether the dates around it have the other order.

    Returns:
        Reason and remedy; None where the order is not what is wrong.

    Examples:
        >>> reason, remedy = fault("10/17/2021", day_first=True, unsure=False)
        >>> print(remedy.text("en"))
        Write it as 2021-10-17.
    """
    found = _PARTS.fullmatch(text)
    if found is None:
        return None
    first, second, year = (int(part) for part in found.groups())
    year += 0 if year > 99 else 1900 if year >= 50 else 2000
    days = {
        True: _day(year, second, first),
        False: _day(year, first, second),
    }
    mine, theirs = days[day_first], days[not day_first]
    order, this = _orders(day_first=day_first)
    if theirs is None or (mine is not None and not unsure):
        return None
    if mine is None:
        return (
            msg(
                "Here the {this} stands first, and the column is read with the {order} first.",
                this=this, order=order,
            ),
            msg("Write it as {day}.", day=theirs.isoformat()),
        )  # fmt: skip
    return (
        msg(
            "This may be {one} or {other}: the lines around it have the {this} first, the rest of"
            " the column the {order}.",
            one=theirs.isoformat(), other=mine.isoformat(), this=this, order=order,
        ),
        msg(
            "Write it as {one} or as {other}, or import the rows in quarantine as a file of their"
            " own.",
            one=theirs.isoformat(), other=mine.isoformat(),
        ),
    )  # fmt: skip


def _day(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
