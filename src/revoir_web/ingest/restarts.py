"""Order numbers that start again each day or year, from one import to the next.

Within the files of one import the reading tells such orders apart, and puts the day or the year
behind their numbers. Files that come day by day look sound each, and only beside the lake does it
show that number 12 of today is not number 12 of yesterday.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from revoir_web.ingest import returned, sql

if TYPE_CHECKING:
    import duckdb

_OFTEN = 0.5
"""Share of the numbers that the lake has, with another sale of another day, from which numbers are
taken to start again. Dates that were corrected leave the amounts as they are."""
_FEW = 3
"""Of fewer numbers than these, another sum on another day for the same customer is a correction."""
_TOLD = r"^(.+) (\d{4}(-\d\d-\d\d(-\d+)?)?)$"
"""An order's number with the year or the day that the reading has put behind it."""


def tell_apart(connection: duckdb.DuckDBPyConnection, known: str) -> int:
    """Give orders of an import numbers of their own that have the number of another day's order.

    An order that the lake holds under its number with the day or the year behind it, or without
    the one that the reading has put there, is the same order: it gets the number that it has.

    Args:
        connection: Holds `keyed_orders`, whose `order_id` begins with the file's own number
            (`_old`) where the file numbers it.
        known: SQL of the orders in the lake.

    Returns:
        How many orders were given a number with their day.
    """
    held = sql.columns_of(connection, "keyed_orders")
    if "ordered_on" not in held:
        return 0
    amount = "amount" if "amount" in held else "NULL"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE met AS WITH mine AS ("
        "SELECT order_id, substr(order_id, length(_old) + 1) AS rest,"
        rf" regexp_replace(_old, {sql.text(_TOLD)}, '\1') AS base,"
        f" ordered_on AS day, customer_id AS who, {amount} AS amount"
        " FROM keyed_orders WHERE _old IS NOT NULL AND starts_with(order_id, _old)),"
        " names AS (SELECT order_id, day, who, amount, base, rest, unnest(list_distinct([order_id,"
        " base || rest, base || ' ' || day || rest, base || ' ' || year(day) || rest])) AS name"
        " FROM mine)"
        " SELECT n.order_id, n.base || ' ' || n.day || n.rest AS daily, l.order_id AS theirs,"
        " l.order_id = n.order_id AS own, l.ordered_on = n.day AS today,"
        " coalesce(l.customer_id <> n.who, false) AS stranger,"
        " coalesce(l.customer_id = n.who, false) AS regular,"
        " coalesce(l.amount <> n.amount, false) AS other_sum"
        f" FROM names AS n JOIN {known} AS l ON l.order_id = n.name"
        " WHERE l.ordered_on IS NOT NULL"
    )
    [(own, others, same)] = connection.execute(
        "SELECT count(*), count(*) FILTER (NOT today AND (stranger OR other_sum)),"
        " count(*) FILTER (NOT today AND other_sum AND regular) FROM met"
        # What is given back another day says nothing of numbers that start again.
        f" WHERE own AND NOT contains(order_id, {sql.text(returned.MARK)})"
    ).fetchall()
    if own < _FEW:
        others -= same
    restart = "true" if own and others >= _OFTEN * own else "false"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE renamed AS SELECT * FROM (SELECT order_id,"
        # The lake has the order under another of its names, or another one under its own.
        " bool_or(own AND today) AS there, min(theirs) FILTER (today AND NOT stranger) AS held,"
        f" {restart} AND bool_or(own) AS taken, coalesce(held, any_value(daily)) AS name"
        " FROM met GROUP BY order_id)"
        " WHERE NOT there AND (held IS NOT NULL OR taken)"
        " AND name NOT IN (SELECT order_id FROM keyed_orders)"
        " QUALIFY row_number() OVER (PARTITION BY name ORDER BY order_id) = 1"
    )
    connection.execute(
        "UPDATE keyed_orders SET order_id = r.name FROM renamed AS r"
        " WHERE keyed_orders.order_id = r.order_id"
    )
    return int(
        connection.execute("SELECT count(*) FROM renamed WHERE held IS NULL").fetchall()[0][0]
    )
