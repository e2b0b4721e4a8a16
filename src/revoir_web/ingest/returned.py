"""What is given back under the number of an order: which of the lake's returns it is, or a new one.

A return has no number of its own, and files come month by month: in April's export the first
return of an order is its second one. It is the lake's where day and amount are the same; the others
of an order whose sale the file has too are all that there are, and take the place of the lake's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from revoir_web.ingest import sql

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MARK = "~return"
"""What stands behind the number of an order; `~2`, `~3`, … behind it where there are more."""
_LINE = ("product_id", "product", "quantity", "amount")
"""What tells a line from the others of its order."""
BASE = f"regexp_extract(order_id, '^(.*{MARK})(~[0-9]+)?$', 1)"
"""SQL of the first return of the order whose return a row is; empty where it is none."""
SALE = f"left({BASE}, -{len(MARK)})"
"""SQL of the number of the order whose return a row is."""
Return = tuple[str, Any, Any]
"""The key, the day (None: not told) and the amount."""


def tell_apart(connection: duckdb.DuckDBPyConnection, known: str, *, correction: bool) -> None:
    """Give returns of an import the keys that they have in the lake, or keys of their own.

    Args:
        connection: Holds `keyed_orders`.
        known: SQL of the orders in the lake.
        correction: Whether the rows were set aside before: none of them is in the lake.
    """
    import pyarrow as pa

    if not {"ordered_on", "amount"} <= set(sql.columns_of(connection, "keyed_orders")):
        return
    connection.execute(f"CREATE OR REPLACE TEMP TABLE mine_back AS {_returns('keyed_orders')}")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE theirs_back AS {_returns(f'{known} AS l')}"
        " AND base IN (SELECT base FROM mine_back)"
    )
    # Most come again as they are, and have their keys.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE bases_met AS SELECT DISTINCT base FROM mine_back AS m"
        " WHERE base IN (SELECT base FROM theirs_back) AND NOT EXISTS (FROM theirs_back AS t"
        " WHERE t.order_id = m.order_id AND t.ordered_on IS NOT DISTINCT FROM m.ordered_on"
        " AND t.amount IS NOT DISTINCT FROM m.amount)"
    )
    mine, theirs = _by_base(connection, "mine_back"), _by_base(connection, "theirs_back")
    if not mine:
        return
    sold = {
        row[0]
        for row in connection.execute(
            f"SELECT order_id || '{MARK}' FROM keyed_orders WHERE kind IS DISTINCT FROM 'return'"
            f" AND order_id || '{MARK}' IN (SELECT base FROM bases_met)"
        ).fetchall()
    }
    named = [
        (key, name)
        for base in mine
        for key, name in _named(
            base, mine[base], theirs[base], whole=base in sold, correction=correction
        ).items()
        if key != name
    ]
    if not named:
        return
    connection.register(
        "returns_named",
        pa.table(
            [pa.array(names, pa.string()) for names in zip(*named, strict=True)], ["key", "name"]
        ),
    )
    connection.execute(
        "UPDATE keyed_orders SET order_id = r.name FROM returns_named AS r"
        " WHERE keyed_orders.order_id = r.key"
    )
    connection.unregister("returns_named")


def absorb(connection: duckdb.DuckDBPyConnection, known: Mapping[str, str]) -> None:
    """Cancel the lake's returns of orders that a file of lines has with what was given back.

    Such a file has what came back among the lines of its order, and takes it off there; a file of
    later months, without the sale, had it alone. Every file that has it so says that they are none,
    so that they stay cancelled while one of these is left.

    Args:
        connection: Holds `keyed_orders` and `keyed_order_lines`, to which the returns are added.
        known: SQL of the tables of the lake.
    """
    if "amount" not in sql.columns_of(connection, "keyed_order_lines"):
        return
    connection.execute(
        "CREATE TEMP TABLE absorbed AS SELECT unnest(keys) AS order_id FROM ("
        f"SELECT {BASE} AS base, list(order_id) AS keys, sum(amount) AS back"
        f" FROM {known['orders']} AS l"
        f" WHERE kind IN ('return', 'cancelled') AND {BASE} <> '' GROUP BY 1) AS theirs"
        f" JOIN (SELECT order_id || '{MARK}' AS base, sum(amount) AS back FROM keyed_order_lines"
        " WHERE amount < 0 AND kind IS DISTINCT FROM 'return' GROUP BY 1) AS mine USING (base)"
        f" WHERE mine.back <= theirs.back AND base NOT IN (SELECT {BASE} FROM keyed_orders)"
    )
    for table in ("orders", "order_lines"):
        held = sql.columns_of(connection, f"keyed_{table}")
        there = sql.columns_of(connection, f"{known[table]} AS l") if table in known else ()
        cells = ", ".join(
            "'cancelled' AS kind" if column == "kind" else sql.name(column)
            for column in there
            if column in held
        )
        if cells:
            connection.execute(
                f"INSERT INTO keyed_{table} BY NAME SELECT {cells} FROM {known[table]} AS l"
                " WHERE order_id IN (SELECT order_id FROM absorbed)"
            )


def cancel_lines(connection: duckdb.DuckDBPyConnection, known: str) -> None:
    """Cancel returned lines that the lake has among the lines of their order.

    Such a file has them alone, since the sale was earlier; one of all months was there before. When
    that one goes, they count again (see `standing.bring_returns_back`).

    Args:
        connection: Holds `keyed_orders` and `keyed_order_lines`.
        known: SQL of the order lines in the lake.
    """
    held = sql.columns_of(connection, "keyed_order_lines")
    there = sql.columns_of(connection, f"{known} AS l")
    told = [name for name in _LINE if name in held and name in there]
    if "amount" not in told:
        return
    cells = sql.names(told)
    alike = " AND ".join(f"l.{name} IS NOT DISTINCT FROM m.{name}" for name in told)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE back_there AS SELECT m.line_id, m.order_id, m.amount FROM"
        f" (SELECT *, row_number() OVER (PARTITION BY sale, {cells} ORDER BY line_id) AS nth"
        f" FROM (SELECT line_id, m.order_id, o._old AS sale, {sql.names(told, 'm.')}"
        " FROM keyed_order_lines AS m JOIN keyed_orders AS o USING (order_id)"
        " WHERE o.kind = 'return' AND o._old IS NOT NULL)) AS m JOIN"
        f" ({_taken_off(known, cells)}) AS l ON l.sale = m.sale AND l.nth = m.nth AND {alike}"
    )
    connection.execute(
        "UPDATE keyed_order_lines SET kind = 'cancelled'"
        " WHERE line_id IN (SELECT line_id FROM back_there)"
    )
    connection.execute(
        "UPDATE keyed_orders AS o SET kind = if(l.all_of_it, 'cancelled', o.kind),"
        " amount = if(l.all_of_it, o.amount, o.amount - l.amount) FROM (SELECT order_id,"
        " bool_and(kind = 'cancelled') AS all_of_it,"
        " sum(amount) FILTER (kind = 'cancelled') AS amount FROM keyed_order_lines"
        " WHERE order_id IN (SELECT order_id FROM back_there) GROUP BY 1) AS l"
        " WHERE l.order_id = o.order_id"
    )


def cancel_rows(connection: duckdb.DuckDBPyConnection, known: Mapping[str, str]) -> None:
    """Cancel returns of a file of orders that the lake has among the lines of their order.

    Args:
        connection: Holds `keyed_orders`.
        known: SQL of the tables of the lake.
    """
    if "amount" not in sql.columns_of(connection, "keyed_orders"):
        return
    lines = f"FROM {known['order_lines']} AS l WHERE amount < 0 AND kind = 'purchase'"
    connection.execute(
        "UPDATE keyed_orders SET kind = 'cancelled' WHERE order_id IN (SELECT m.order_id FROM"
        f" (SELECT order_id, amount, {SALE} AS sale, row_number() OVER (PARTITION BY sale, amount"
        " ORDER BY order_id) AS nth FROM keyed_orders WHERE kind = 'return') AS m"
        " JOIN (SELECT order_id AS sale, amount, row_number() OVER (PARTITION BY order_id, amount)"
        f" AS nth {lines} UNION ALL SELECT order_id, sum(amount), 1 {lines} GROUP BY order_id)"
        " AS l USING (sale, amount, nth) WHERE sale NOT IN (SELECT order_id FROM keyed_orders)"
        f" AND m.order_id NOT IN (SELECT order_id FROM {known['orders']} AS o"
        " WHERE kind = 'return'))"
    )


def no_longer_taken_off(
    connection: duckdb.DuckDBPyConnection, known: Mapping[str, str]
) -> dict[str, pa.Table]:
    """Returns that are cancelled, and of which their order has nothing among its lines any more.

    Args:
        connection: Understands the lake's tables.
        known: SQL of the tables of the lake.

    Returns:
        By table, the rows that count again; none of tables where there are none.
    """
    if not {"orders", "order_lines"} <= set(known):
        return {}
    orders, lines = (f"{known[name]} AS l" for name in ("orders", "order_lines"))
    held = sql.columns_of(connection, lines)
    if any("amount" not in columns for columns in (held, sql.columns_of(connection, orders))):
        return {}
    cells = sql.names(name for name in _LINE if name in held)
    back = f"kind = 'cancelled' AND amount < 0 AND {BASE} <> ''"
    connection.execute(
        f"CREATE TEMP TABLE back AS SELECT line_id, order_id, {SALE} AS sale, {cells}, row_number()"
        f" OVER (PARTITION BY sale, {cells} ORDER BY line_id) AS nth FROM {lines} WHERE {back}"
        f" UNION ALL BY NAME SELECT order_id, {SALE} AS sale, amount, row_number() OVER"
        f" (PARTITION BY sale, amount ORDER BY order_id) AS nth FROM {orders} WHERE {back}"
        f" AND order_id NOT IN (SELECT order_id FROM {lines})"
    )
    if not connection.execute("SELECT 1 FROM back LIMIT 1").fetchall():
        return {}
    connection.execute(f"CREATE TEMP TABLE off AS {_taken_off(known['order_lines'], cells)}")
    alike = " AND ".join(
        f"(o.{name} IS NOT DISTINCT FROM b.{name} OR b.line_id IS NULL)"
        for name in _LINE
        if name in held
    )
    connection.execute(
        "CREATE TEMP TABLE counts AS SELECT * FROM back AS b WHERE sale IN ("
        "SELECT sale FROM (SELECT sale, sum(amount) AS amount FROM back GROUP BY 1) AS mine"
        " LEFT JOIN (SELECT sale, sum(amount) AS amount FROM off GROUP BY 1) AS theirs USING (sale)"
        " WHERE coalesce(theirs.amount, 0) > mine.amount)"
        f" AND sale NOT IN (SELECT order_id FROM {orders} WHERE kind = 'cancelled')"
        f" AND NOT EXISTS (FROM off AS o WHERE o.sale = b.sale AND o.amount = b.amount"
        f" AND o.nth = b.nth AND {alike})"
    )
    found = {
        "orders": "SELECT order_id, 'return' AS kind, CAST(sum(c.amount) + if(any_value(l.kind) ="
        " 'return', any_value(l.amount), 0) AS DECIMAL(18, 4)) AS amount FROM counts AS c"
        f" JOIN {orders} USING (order_id) GROUP BY 1",
        "order_lines": "SELECT line_id, 'return' AS kind FROM counts WHERE line_id IS NOT NULL",
    }
    made = {name: connection.sql(query).to_arrow_table() for name, query in found.items()}
    return {name: rows for name, rows in made.items() if rows.num_rows}


def _taken_off(lines: str, cells: str) -> str:
    """SQL of what orders have taken off among their lines; equal ones of an order are numbered.

    Args:
        lines: SQL of the order lines in the lake.
        cells: What tells them apart.
    """
    return (
        f"SELECT order_id AS sale, {cells}, row_number() OVER (PARTITION BY order_id, {cells}"
        f" ORDER BY line_id) AS nth FROM {lines} AS l WHERE amount < 0 AND kind = 'purchase'"
    )


def _returns(relation: str) -> str:
    """SQL of the returns under the number of an order, and of which one's they are."""
    return (
        f"SELECT {BASE} AS base, order_id, ordered_on, amount FROM {relation}"
        " WHERE kind = 'return' AND base <> ''"
    )


def _by_base(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, list[Return]]:
    """The returns of each order that is met, the first one first."""
    rows = connection.execute(
        f"SELECT base, order_id, ordered_on, amount FROM {relation} SEMI JOIN bases_met USING"
        " (base) ORDER BY 1, length(order_id), order_id"
    ).fetchall()
    found: dict[str, list[Return]] = {}
    for base, *held in rows:
        found.setdefault(base, []).append((held[0], held[1], held[2]))
    return found


def _named(
    base: str, mine: list[Return], theirs: list[Return], *, whole: bool, correction: bool
) -> dict[str, str]:
    """What each return of an order is called in the lake."""
    free = list(theirs)
    named: dict[str, str] = {}

    def take(alike: Any) -> None:
        for own in mine:
            found = next((one for one in free if alike(own, one)), None)
            if own[0] not in named and found is not None:
                named[own[0]] = found[0]
                free.remove(found)

    take(lambda own, one: own[1:] == one[1:])
    if not correction:
        # A sum that was corrected; where the file has the sale too, perhaps the day was.
        take(lambda own, one: own[1] == one[1])
        take(lambda own, one: whole)
    used = {key for key, _day, _amount in theirs}
    nth = 1
    for key, _day, _amount in mine:
        while key not in named:
            name = base if nth == 1 else f"{base}~{nth}"
            nth += 1
            if name not in used:
                named[key] = name
    return named
