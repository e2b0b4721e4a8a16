"""Orders without a number that come again and say something else beside: the same, told anew.

Their key is made of all that a row says. What a column tells of orders in one export it may tell of
customers in the next one, once all of them come twice; columns come and go; a status changes. Such
rows are those of the lake that have the same customer, moment and amount, and nothing else that
differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from revoir_web.ingest import corrections, sql

if TYPE_CHECKING:
    import duckdb

_SHARE = 0.5
"""Share of the rows of days that the lake has that must be there: of another till's few are."""
_FEW = 3
"""Of fewer rows that are there, only the headers tell that it is the same export."""
_PREFIXES = corrections.ACCEPTED + corrections.CORRECTED
_CORE = ("customer_id", "ordered_at", "amount")
_CHANGES = ("order_id", "kind", "status", "refunded")


def know_again(connection: duckdb.DuckDBPyConnection, known: str, *, same_layout: bool) -> None:
    """Give orders the keys that they have in the lake, where they say something else beside.

    Args:
        connection: Holds `keyed_orders`.
        known: SQL of the orders in the lake.
        same_layout: Whether a file with these headers was imported before.
    """
    mine = sql.columns_of(connection, "keyed_orders")
    theirs = sql.columns_of(connection, f"{known} AS l")
    core = {*_CORE, "ordered_on"}
    if not core <= set(mine) or not core <= set(theirs):
        return
    loose = f"regexp_full_match(order_id, '[{_PREFIXES}][0-9a-f]{{27}}')"
    beside = sorted(set(mine) & set(theirs) - {*core, *_CHANGES})
    told = ", ".join([*_CORE, "ordered_on", "order_id", *map(sql.name, beside)])
    order = sql.names([*beside, "order_id"])
    nth = f"row_number() OVER (PARTITION BY {', '.join(_CORE)} ORDER BY {order})"
    alike = "".join(
        f" AND coalesce(TRY_CAST(m.{cell} AS {theirs[column]}) = l.{cell}, true)"
        for column in beside
        for cell in [sql.name(column)]
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE unnumbered AS SELECT {told}, {nth} AS _nth FROM keyed_orders"
        f" WHERE {loose} AND customer_id IS NOT NULL"
        f" AND order_id NOT IN (SELECT order_id FROM {known} AS l)"
    )
    if not connection.execute("SELECT 1 FROM unnumbered LIMIT 1").fetchall():
        return
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE told_before AS SELECT m.order_id, l.order_id AS name"
        f" FROM unnumbered AS m JOIN (SELECT {told}, {nth} AS _nth FROM {known} AS l"
        f" WHERE {loose} AND customer_id IN (SELECT customer_id FROM unnumbered)"
        " AND order_id NOT IN (SELECT order_id FROM keyed_orders)) AS l"
        " ON l.customer_id = m.customer_id AND l.ordered_at = m.ordered_at"
        f" AND l.amount = m.amount AND l._nth = m._nth{alike}"
    )
    [(due, found)] = connection.execute(
        "SELECT (SELECT count(*) FROM unnumbered WHERE ordered_on IN (SELECT ordered_on"
        f" FROM {known} AS l WHERE {loose})), (SELECT count(*) FROM told_before)"
    ).fetchall()
    if found < _SHARE * due or not (same_layout or found >= _FEW):
        return
    connection.execute(
        "UPDATE keyed_orders SET order_id = t.name FROM told_before AS t"
        " WHERE keyed_orders.order_id = t.order_id"
    )
