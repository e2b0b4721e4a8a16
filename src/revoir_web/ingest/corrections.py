"""Rows that were set aside, corrected and imported: each is added once, however often it comes.

They come again when somebody corrects a file in two steps, and when the export that they are from
is imported again, be it with the old mistake or without it. What a corrected row says tells it, and
`c` before its key tells it from rows that were accepted at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from revoir.tables import TABLES
from revoir_web.ingest import sql

if TYPE_CHECKING:
    import duckdb

ACCEPTED, CORRECTED = "r", "c"
"""What the keys of rows without a number begin with."""
_EQUAL_MAX = 50
"""Rows that are equal in all they say; of more, nobody corrects one."""


def key_of(nth: str, body: str, prefix: str) -> str:
    """SQL of the key of a row without a number, made of what it says."""
    return f"'{prefix}' || substr(md5({body} || chr(31) || {nth}), 1, 27)"


def equal_before(body: str, key: str, known: str | None) -> str:
    """SQL of how many rows of the lake that were accepted at once are equal to a corrected one.

    Args:
        body: SQL of what the row says.
        key: The key of its table.
        known: SQL of the table in the lake (None: it has none).
    """
    if known is None:
        return "0"
    name = key_of("e.n", body, ACCEPTED)
    return (
        f"(SELECT count(*) FROM range(1, {_EQUAL_MAX}) AS e(n) JOIN"
        f" (SELECT {sql.name(key)} AS held FROM {known} AS k WHERE {sql.name(key)} LIKE"
        f" '{ACCEPTED}%') AS h ON h.held = {name})"
    )


def of_line(cells: Sequence[str]) -> str:
    """SQL of the place of a corrected line in its order, made of what it says."""
    told = ", ".join(f"coalesce(CAST({cell} AS VARCHAR), '')" for cell in cells) or "''"
    body = f"concat_ws(chr(31), {told})"
    nth = f"row_number() OVER (PARTITION BY o.order_id, {body} ORDER BY t._row)"
    return f"'{CORRECTED}' || substr(md5({body}), 1, 10) || '-' || {nth}"


def is_line(line: str, order: str) -> bool:
    """Whether a line was corrected, by its key and its order's.

    Examples:
        >>> is_line("A7:cd41d8cd98f-1", "A7")
        True
        >>> is_line("A7:2", "A7")
        False
    """
    return (
        re.fullmatch(rf"{CORRECTED}[0-9a-f]{{10}}-\d+", line.removeprefix(f"{order}:")) is not None
    )


def know_again(connection: duckdb.DuckDBPyConnection, table: str, known: str) -> None:
    """Give rows of an export the keys that they have since they were corrected.

    Args:
        connection: Holds `keyed_<table>`.
        table: The canonical table.
        known: SQL of it in the lake.
    """
    mine, key = sql.name(f"keyed_{table}"), sql.name(TABLES[table].key)
    loose = f"regexp_full_match(m.{key}, '{ACCEPTED}[0-9a-f]{{27}}')"
    if not connection.execute(f"SELECT 1 FROM {mine} AS m WHERE {loose} LIMIT 1").fetchall():
        return
    corrected = f"'{CORRECTED}' || substr(m.{key}, 2)"
    connection.execute(
        f"UPDATE {mine} AS m SET {key} = {corrected}"
        f" WHERE {loose} AND {corrected} IN (SELECT {key} FROM {known} AS l)"
        f" AND m.{key} NOT IN (SELECT {key} FROM {known} AS l)"
    )


def settle(connection: duckdb.DuckDBPyConnection, known: Mapping[str, str]) -> None:
    """Leave in orders of corrected lines what is to be added to those of the lake.

    Lines that the lake has already are taken off, and an order's total that stands on each of its
    lines is there already.

    Args:
        connection: Holds `keyed_orders` and `keyed_order_lines`.
        known: SQL of the tables of the lake.
    """
    orders = sql.columns_of(connection, "keyed_orders")
    lines = sql.columns_of(connection, "keyed_order_lines")
    held = sql.columns_of(connection, f"{known['order_lines']} AS l")
    sums = [name for name in ("amount", "margin") if name in lines and name in held]
    there = "".join(f", sum(l.{name}) AS {name}" for name in sums)
    total = "false"
    if "amount" in orders and "amount" in lines:
        total = "o.amount = theirs.amount AND o.amount IS DISTINCT FROM m.total"
    own = ", sum(m.amount) AS total" if "amount" in lines else ""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE held_of_orders AS"
        f" SELECT m.order_id, count(l.line_id) = count(*) AS whole{own}{there}"
        f" FROM keyed_order_lines AS m LEFT JOIN {known['order_lines']} AS l USING (line_id)"
        " GROUP BY m.order_id"
    )
    cells = [
        f"{name} = CASE WHEN {total} THEN 0 ELSE o.{name} - coalesce(m.{name}, 0) END"
        for name in sums
        if name in orders
    ]
    cells += [
        f"{name} = CASE WHEN {total} OR m.whole THEN NULL ELSE o.{name} END"
        for name in ("discount", "refunded")
        if name in orders
    ]
    if cells:
        connection.execute(
            f"UPDATE keyed_orders AS o SET {', '.join(cells)} FROM held_of_orders AS m,"
            f" {known['orders']} AS theirs"
            " WHERE m.order_id = o.order_id AND theirs.order_id = o.order_id"
        )
