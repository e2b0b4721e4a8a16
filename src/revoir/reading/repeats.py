"""Rows that come again: what a row of a file is, which repeat another one, which contradict it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.language import Message, msg, nmsg
from revoir.reading import numbering, quarantine
from revoir.reading.part import BIG, CONFLICT, LINE_COLUMNS, REPEATED, Part, summary

if TYPE_CHECKING:
    import duckdb


_TIME = identifier("orders.ordered_at")
_DAY = f"CAST({_TIME} AS DATE)"
_FEW, _SHARE = 3, 0.5
"""So many orders, and such a share of those of the same days, must be in an earlier file."""
_THIN = 16
"""Of how many rows one is compared with the others in a large file."""


def tell_apart(connection: duckdb.DuckDBPyConnection, part: Part) -> None:
    """Find the grain of a sales file, and mark repeated rows and conflicting numbers."""
    table = part.detection.table or ""
    part.grain = table
    if table == "orders":
        part.grain = _sales_grain(connection, part)
    _mark_within(connection, part, table)
    if part.grain == "line":
        _number_orders(connection, part)


def _mark_within(connection: duckdb.DuckDBPyConnection, part: Part, table: str) -> None:
    """Mark the rows that repeat or contradict another one of the same file."""
    key = _row_key(part)
    if key is None:
        _tell_equal_rows(connection, part)
        return
    if part.grain == "order" and part.unique_orders:
        return
    repeated = connection.execute(
        f"SELECT count(*) - count(DISTINCT {key}) FROM {part.accepted} WHERE ({key}) IS NOT NULL"
    ).fetchall()[0]
    if not repeated or not repeated[0]:
        return
    mark(connection, part, _marks_sql(part, key, table))


def _sales_grain(connection: duckdb.DuckDBPyConnection, part: Part) -> str:
    """Whether a row is an order or a line of one."""
    if not part.rows:
        return "order"
    if not part.has("orders.order_id"):
        return "line" if _share_orders(connection, part) else "order"
    if part.detection.lines:
        if part.detection.restarts:
            numbering.tell_reused(connection, part)
        return "line"
    held, orders = numbering.tell_reused(connection, part)
    part.unique_orders = held == orders
    names = [name for name in LINE_COLUMNS if f"order_lines.{name}" in part.fields]
    # How many articles an order has does not make a line of it.
    lines = bool(names) and not (part.unique_orders and names == ["quantity"])
    if not held:
        return "order"
    if lines:
        return "order" if held >= 50 and orders / held > 0.98 else "line"
    return "line" if held >= 20 and orders / held < 0.67 else "order"


def _share_orders(connection: duckdb.DuckDBPyConnection, part: Part) -> bool:
    """Whether products without an order number are lines: one customer has several at a time."""
    products = part.has("order_lines.product") or part.has("order_lines.product_id")
    if not products or part.customer is None:
        return False
    row = connection.execute(
        f"SELECT count(*) - count(DISTINCT ({part.customer}, {_TIME})) FROM {part.accepted}"
        f" WHERE ({part.customer}) IS NOT NULL"
    ).fetchall()[0]
    return bool(row[0])


def _number_orders(connection: duckdb.DuckDBPyConnection, part: Part) -> None:
    """Say which order each line is of: by its number, else by its customer and time."""
    if part.has("orders.order_id"):
        part.order = identifier("orders.order_id")
        return
    part.order = identifier("_order")
    numbered = identifier(f"numbered_{part.number}")
    # The first line of an order tells it from all others, and names nobody.
    first = (
        f"CASE WHEN ({part.customer}) IS NULL THEN _line ELSE min(_line) FILTER (_bad IS NULL)"
        f" OVER (PARTITION BY {part.customer}, {_TIME}) END"
    )
    connection.execute(
        f"CREATE OR REPLACE TABLE {numbered} AS SELECT *,"
        f" '{part.number + 1}.' || ({first}) AS {part.order} FROM {part.relation}"
    )
    part.relation, part.is_table = numbered, True
    found = summary(
        connection,
        "SELECT count(*) AS lines, count(DISTINCT _order) AS orders"
        f" FROM {part.accepted} WHERE ({part.customer}) IS NOT NULL",
    )
    part.notes.append(
        nmsg(
            "There is no order number: the lines of one customer at the same time were taken as"
            " one order; {lines} lines make {n} order.",
            "There is no order number: the lines of one customer at the same time were taken as"
            " one order; {lines} lines make {n} orders.",
            found["orders"],
            lines=found["lines"],
        )
    )


def _row_key(part: Part) -> str | None:
    """SQL of what identifies a row of the file, where something does."""
    fields = part.fields

    def first(*keys: str) -> str | None:
        return next((identifier(key) for key in keys if key in fields), None)

    match part.grain:
        case "order":
            return first("orders.order_id")
        case "line":
            order, line = first("orders.order_id"), first("order_lines.line_id")
            return f"({order}, {line})" if order and line else line
        case "customers":
            return part.customer
        case "subscriptions":
            return first("subscriptions.subscription_id") or part.customer
        case "responses":
            number, asked = first("responses.response_id"), first("responses.question")
            if number and asked:  # a row an answer: the questions of one form share its number
                return f"CASE WHEN {number} IS NOT NULL THEN ({number}, {asked}) END"
            return number
        case "interactions":
            return first("interactions.interaction_id")
        case "events":
            return first("events.event_id")
        case "products":
            return part.product_key
    return None


def _content(part: Part, alias: str = "") -> str:
    columns = ", ".join(f"{alias}{identifier(column)}" for column in part.raw.columns)
    return f"hash({columns})"


def _marks_sql(part: Part, key: str, table: str) -> str:
    """Rows whose key comes again: which repeat another one, which contradict it."""
    amount = part.amount or "1"
    again = (
        f"SELECT _line, {key} AS key, {amount} AS amount FROM {part.accepted}"
        f" WHERE ({key}) IS NOT NULL QUALIFY count(*) OVER (PARTITION BY {key}) > 1"
    )
    told = (
        f"SELECT a.*, row_number() OVER (PARTITION BY a.key, {_content(part, 'r.')}"
        f" ORDER BY a._line) AS nth FROM ({again}) AS a"
        f" JOIN {part.raw.relation} AS r ON r._line = a._line"
    )
    if table in ("customers", "products"):
        # Two rows of one customer are brought together: the later says what the first left out.
        return (
            f"SELECT _line, {REPEATED} AS mark FROM ({told})"
            " QUALIFY row_number() OVER (PARTITION BY key ORDER BY _line) > 1"
        )
    others = "amount >= 0" if part.grain == "order" else "true"
    if table in ("subscriptions",):
        return f"SELECT _line, CASE WHEN nth > 1 THEN {REPEATED} END AS mark FROM ({told})"
    return (
        f"SELECT _line, CASE WHEN nth > 1 THEN {REPEATED}"
        f" WHEN {others} AND row_number() OVER (PARTITION BY key, nth, {others} ORDER BY _line) > 1"
        f" THEN {CONFLICT} END AS mark FROM ({told})"
    )


def _tell_equal_rows(connection: duckdb.DuckDBPyConnection, part: Part) -> None:
    """Say how many rows are equal where nothing tells whether that is a repetition."""
    if not part.rows:
        return
    content = _content(part)
    # To hold a hash of every row of a large file would nearly double what reading it takes.
    thin = _THIN if part.rows > BIG else 1
    where = f" WHERE content % {thin} = 0" if thin > 1 else ""
    equal = connection.execute(
        "SELECT count(*) - count(DISTINCT content)"
        f" FROM (SELECT {content} AS content FROM {part.raw.relation}){where}"
    ).fetchall()[0][0]
    if thin > 1:
        part.notes.append(_told_of_some(equal * thin))
    elif equal:
        part.notes.append(
            nmsg(
                "{n} row is equal to another one; nothing in the file numbers the rows, so it was"
                " kept.",
                "{n} rows are equal to another one; nothing in the file numbers the rows, so they"
                " were kept.",
                equal,
            )
        )


def _told_of_some(equal: int) -> Message:
    """What is said of a file so large that only some of its rows were compared."""
    if not equal:
        return msg(
            "Nothing in the file numbers the rows; as it is large, one row in {n} was compared"
            " with the others, and none is equal to another one.",
            n=_THIN,
        )
    return nmsg(
        "About {n} row is equal to another one, by one row in {thin} of this large file; nothing"
        " numbers the rows, so it was kept.",
        "About {n} rows are equal to another one, by one row in {thin} of this large file; nothing"
        " numbers the rows, so they were kept.",
        equal, thin=_THIN,
    )  # fmt: skip


class Overlaps:
    """Finds the rows of a file that an earlier one has already: exports overlap.

    What earlier files hold stands in one table for each set of columns that they share with a
    later one, so that a file is compared with all of them at once, however many there are.

    Args:
        connection: The connection that holds the files.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._parts: list[Part] = []
        self._tables: dict[tuple[str, str, tuple[str, ...]], _Held] = {}
        self._days: dict[int, tuple[dt.date, dt.date] | None] = {}

    def tell(self, part: Part) -> None:
        """Mark the rows of the next file that an earlier one has.

        A row repeats an earlier one when its number and all else that both files say agree; a row
        with the number of an earlier order and another amount contradicts it, unless numbers have
        started again: then it is another customer's, on another day. Orders without a number
        repeat those of an earlier file where most are there, of the days that it has.
        """
        key, before = _key(part), part.bad
        if key is not None:
            for held in self._earlier(part, key):
                _mark_repeats(self._connection, part, held, key)
        elif _is_unnumbered(part):
            for other in filter(_is_unnumbered, self._parts):
                if self._have_days_in_common(part, other):
                    _mark_unnumbered(self._connection, part, other)
        if part.bad != before:
            part.unique_orders = False
            quarantine.count(self._connection, part)
        self._parts.append(part)

    def _have_days_in_common(self, part: Part, other: Part) -> bool:
        """Whether two files may: a file that is alone is never asked for its days."""
        for one in (part, other):
            if one.number not in self._days:
                first, last = self._connection.execute(
                    f"SELECT min({_DAY}), max({_DAY}) FROM {one.accepted}"
                ).fetchall()[0]
                self._days[one.number] = None if first is None else (first, last)
        mine, theirs = self._days[part.number], self._days[other.number]
        return bool(mine and theirs and theirs[0] <= mine[1] and mine[0] <= theirs[1])

    def _earlier(self, part: Part, key: str) -> Iterable[_Held]:
        """The tables of what earlier files hold that can be compared with this one."""
        found: dict[tuple[str, ...], _Held] = {}
        for other in self._parts:
            if other.grain != part.grain or not other.has(key):
                continue
            both = _own_fields(part) & _own_fields(other) - {key}
            shared = tuple(sorted(k for k in both if not k.startswith("attribute.")))
            known = (part.grain, key, shared)
            if known not in self._tables:
                name = identifier(f"seen_{len(self._tables)}")
                self._tables[known] = _Held(name, shared)
                self._connection.execute(
                    f"CREATE OR REPLACE TEMP TABLE {name} (key VARCHAR, content UBIGINT,"
                    " who VARCHAR, day DATE)"
                )
            held = found[shared] = self._tables[known]
            if id(other) not in held.parts:
                held.parts.add(id(other))
                self._connection.execute(
                    f"INSERT INTO {held.name} SELECT {_told(other, key, shared)}"
                    f" FROM {other.accepted}"
                )
        return found.values()


@dataclass
class _Held:
    name: str
    shared: tuple[str, ...]
    parts: set[int] = field(default_factory=set)


def _own_fields(part: Part) -> set[str]:
    """The fields that a file has itself: its order's discount stands on one of all its lines."""
    return {key for key, held in part.fields.items() if not held.mapping.converted}


def _key(part: Part) -> str | None:
    """What numbers the rows of a file, if something does."""
    key = {
        "order": "orders.order_id", "line": "order_lines.line_id",
        "subscriptions": "subscriptions.subscription_id", "responses": "responses.response_id",
        "interactions": "interactions.interaction_id", "events": "events.event_id",
    }.get(part.grain)  # fmt: skip
    if part.grain == "line" and not part.has("order_lines.line_id"):
        key = "orders.order_id"
    return key if key is not None and part.has(key) else None


def _is_unnumbered(part: Part) -> bool:
    """Whether a file has an order a row, without its number, and tells whose it is."""
    whose = part.customer is not None and part.amount is not None
    return part.grain == "order" and whose and _key(part) is None


def _mark_unnumbered(connection: duckdb.DuckDBPyConnection, part: Part, other: Part) -> None:
    """Mark the orders that an earlier file has with the same customer, moment, amount and more.

    Of two tills few are the same. Equal rows of one file are several orders: the first is the
    first of the other file, the second its second.
    """
    both = set(part.fields) & set(other.fields)
    shared = sorted(key for key in both if not key.startswith(("attribute.", "customers.")))
    mine, theirs = (
        f"SELECT _line, day, content, row_number() OVER (PARTITION BY content ORDER BY _line)"
        f" AS nth FROM (SELECT _line, {_DAY} AS day, hash(CAST({one.customer} AS VARCHAR),"
        f" {', '.join(f'CAST({identifier(key)} AS VARCHAR)' for key in shared)}) AS content"
        f" FROM {one.accepted} WHERE {one.customer} IS NOT NULL)"
        for one in (part, other)
    )
    met = identifier("met")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {met} AS SELECT m._line, t.nth IS NOT NULL AS same"
        f" FROM ({mine}) AS m LEFT JOIN ({theirs}) AS t USING (content, nth)"
        f" WHERE m.day IN (SELECT {_DAY} FROM {other.accepted})"
    )
    [(found, due)] = connection.execute(
        f"SELECT count(*) FILTER (same), count(*) FROM {met}"
    ).fetchall()
    if found >= max(_FEW, _SHARE * due):
        mark(connection, part, f"SELECT _line, {REPEATED} AS mark FROM {met} WHERE same")


def _told(part: Part, key: str, shared: Sequence[str]) -> str:
    """SQL of what rows of two files are compared by: number, content, customer and day."""
    number, who, day = identifier(key), "NULL", "NULL"
    if key == "orders.order_id":
        number, who, day = numbering.written(part), part.customer or "NULL", _DAY
    content = ", ".join(f"CAST({identifier(k)} AS VARCHAR)" for k in shared) or "0"
    return (
        f"CAST({number} AS VARCHAR) AS key, hash({content}) AS content,"
        f" CAST({who} AS VARCHAR) AS who, CAST({day} AS DATE) AS day"
    )


def _mark_repeats(connection: duckdb.DuckDBPyConnection, part: Part, held: _Held, key: str) -> None:
    met = identifier("met")
    back = numbering.given_back(part) if key == "orders.order_id" else "false"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {met} AS SELECT m._line, any_value(m.back) AS back,"
        " bool_or(m.content = t.content) AS same,"
        " bool_and(coalesce(m.who <> t.who AND m.day <> t.day, false)) AS stranger,"
        f" bool_and(coalesce(abs(m.day - t.day) > {numbering.DAYS_MAX}, false)) AS apart,"
        " bool_or(coalesce(year(m.day) = year(t.day), false)) AS one_year"
        f" FROM (SELECT _line, {_told(part, key, held.shared)}, {back} AS back"
        f" FROM {part.accepted}) AS m JOIN {held.name} AS t ON m.key = t.key GROUP BY m._line"
    )
    if key == "orders.order_id":
        numbering.tell_reused_since(connection, part, met)
    # Lines of one ticket share its number: there another content is another line.
    conflict = "NULL" if part.grain == "line" or key.startswith("subs") else str(CONFLICT)
    if part.grain == "order" and part.has("orders.amount"):
        conflict = f"CASE WHEN back THEN NULL ELSE {CONFLICT} END"
    mark(
        connection, part,
        f"SELECT _line, CASE WHEN same THEN {REPEATED} ELSE {conflict} END AS mark FROM {met}",
    )  # fmt: skip


def mark(connection: duckdb.DuckDBPyConnection, part: Part, sql: str) -> None:
    """Mark rows as repeats or conflicts.

    Args:
        connection: The connection that holds the file.
        part: The file.
        sql: Answers ``_line`` and ``mark``; where that is null, the row is left as it is.
    """
    marks = identifier("marks")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {marks} AS {sql}")
    _own(connection, part)
    connection.execute(
        f"UPDATE {part.relation} AS t SET _bad = m.mark FROM {marks} AS m"
        f" WHERE t._line = m._line AND m.mark IS NOT NULL"
    )
    connection.execute(f"DROP TABLE {marks}")
    part.bad = connection.execute(f"SELECT count(_bad) FROM {part.relation}").fetchall()[0][0]


def _own(connection: duckdb.DuckDBPyConnection, part: Part) -> None:
    """Turn a view of a file into a table, whose rows can be marked."""
    if part.is_table:
        return
    kept = identifier(part.relation.strip('"') + "_kept")
    connection.execute(f"CREATE OR REPLACE TABLE {kept} AS SELECT * FROM {part.relation}")
    part.relation, part.is_table = kept, True
