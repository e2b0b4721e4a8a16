"""What events tell was given back, and files that tell of the same orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revoir.store.shape import BATCH
from revoir_web.common.models import Company
from revoir_web.ingest import commerce, returned, sql, standing
from revoir_web.ingest.models import EventOrder

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from revoir.store import Lake

SALES = "orders.sales.parquet"
"""The file of sales of other imports, of which so much less is refunded as this one tells."""
Rows = dict[str, dict[str, Any]]
"""Orders by their numbers."""


def keep(
    connection: duckdb.DuckDBPyConnection,
    known: str | None,
    *,
    lines: bool,
    added: bool,
    folder: Path,
) -> None:
    """Leave refunds and cancellations that events told on the orders of an import.

    An export that knows nothing of them has the order with the amount that it had before. Where a
    file has another amount, or tells what was given back, it knows better.

    Args:
        connection: Holds `keyed_orders`, and `keyed_order_lines`.
        known: SQL of the orders in the lake (None: it has none).
        lines: Whether the import has lines.
        added: Whether its lines are added to orders that the lake has.
        folder: Where `SALES` is written, where there are any.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    held = sql.columns_of(connection, "keyed_orders")
    if not {"amount", "ordered_on"} <= set(held) or not EventOrder.objects.exists():
        return
    told = EventOrder.objects.values_list("order_id", "told").iterator()
    pairs = [(number, commerce.Order(held).given_back) for number, held in told]
    connection.register("told", pa.table(list(zip(*pairs, strict=True)), ["number", "back"]))
    there = {} if known is None else _there(connection, known)
    connection.register("there", pa.table({"number": pa.array(there, pa.string())}))
    made = [row for row in _sales(connection, there) if not (added and row[0] in there)]
    if known is not None and not added:
        told_back, sales = _returns(connection, known, there)
        made += told_back
        if sales:
            pq.write_table(_amended(sales), folder / SALES)
    connection.unregister("told")
    connection.unregister("there")
    if made:
        _write(connection, known, made, lines=lines)


def _by_number(rows: pa.Table) -> Rows:
    return {row["order_id"]: row for row in rows.to_pylist()}


def _there(connection: duckdb.DuckDBPyConnection, known: str) -> Rows:
    """What the lake has of orders of which money was given back, or returns are in the import."""
    back = "order_id IN (SELECT number FROM told WHERE back)"
    if "refunded" in sql.columns_of(connection, f"{known} AS l"):
        back = f"({back} OR (refunded <> 0 AND order_id IN (SELECT number FROM told)))"
    query = (
        f"SELECT * FROM {known} AS l WHERE {back} AND order_id IN"
        f" (SELECT order_id FROM keyed_orders UNION ALL SELECT {returned.SALE} FROM keyed_orders"
        " WHERE kind = 'return')"
    )
    return _by_number(connection.sql(query).to_arrow_table())


def _sales(connection: duckdb.DuckDBPyConnection, there: Rows) -> list[tuple[Any, ...]]:
    """Number, amount, kind and what was refunded, of orders of which events told so."""
    held = sql.columns_of(connection, "keyed_orders")
    silent = "coalesce(refunded, 0) = 0" if "refunded" in held else "true"
    currency = "currency" if "currency" in held else "NULL"
    query = (
        f"SELECT order_id, amount, ordered_on, kind, {currency} AS currency,"
        f" order_id || '{returned.MARK}' IN (SELECT order_id FROM keyed_orders) AS back"
        f" FROM keyed_orders WHERE kind = 'purchase' AND amount IS NOT NULL AND {silent}"
        " AND order_id IN (SELECT number FROM told WHERE back UNION ALL FROM there)"
    )
    mine = _by_number(connection.sql(query).to_arrow_table())
    zone = Company.current().zone
    made = []
    for number, order in standing.known_of(mine).items():
        row: Mapping[str, Any] = mine[number]
        if number in there:
            # Another file may have told it since.
            order.stand(number, zone, there[number])
        if order.given_back and not row["back"]:
            row = order.beside(number, zone, row)
        made.append((number, row["amount"], row["kind"], row.get("refunded")))
    return made


def _returns(
    connection: duckdb.DuckDBPyConnection, known: str, there: Rows
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Take no money off twice that events told of, and now a file without the sale.

    So much less is refunded on the sale; of one that is cancelled nothing is given back.

    Returns:
        Number, amount, kind and what was refunded: of returns here, and of sales of other files.
    """
    rows = connection.execute(
        "SELECT m.sale, m.order_id, m.amount, coalesce(m.amount - l.amount, m.amount) FROM"
        f" (SELECT *, {returned.SALE} AS sale FROM keyed_orders WHERE kind = 'return') AS m"
        f" LEFT JOIN (SELECT order_id AS there, amount FROM {known} AS k WHERE kind = 'return')"
        " AS l ON l.there = m.order_id WHERE m.amount IS NOT NULL"
        " AND sale IN (FROM there) AND sale NOT IN (SELECT order_id FROM keyed_orders)"
    ).fetchall()
    made: list[tuple[Any, ...]] = []
    more: dict[str, Decimal] = defaultdict(Decimal)
    for sale, number, amount, change in rows:
        if there.get(sale, {}).get("kind") == "cancelled":
            made.append((number, amount, "cancelled", None))
        elif sale in there:
            more[sale] -= change
    sales = []
    for sale, given in more.items():
        row = there[sale]
        back = row.get("refunded") or Decimal(0)
        less = min(back, given)
        if less > 0 and row.get("amount") is not None:
            amount = row["amount"] + less
            kind = "purchase" if amount >= 0 else row["kind"]
            sales.append((sale, amount, kind, back - less or None))
    return made, sales


def put_back(store: Lake, batches: Sequence[str]) -> None:
    """Take off again what events told was given back, before files go that told it, too.

    Args:
        store: The lake.
        batches: All batches of an import that is about to be undone.
    """
    going = store.rows_of("orders", BATCH, batches)
    if going is None or "kind" not in going.column_names:
        return
    heirs = {key for batch in batches for key in store.repeated("orders", batch=batch)}
    returns: dict[str, list[returned.Return]] = defaultdict(list)
    for row in going.to_pylist():
        key = row["order_id"]
        if row["kind"] == "return" and key not in heirs:
            number = key.rpartition(returned.MARK)[0]
            returns[number].append((key, row.get("ordered_on"), row.get("amount")))
    known = {n: order for n, order in standing.known_of(returns).items() if order.given_back}
    there = store.rows_of("orders", "order_id", list(known)) if known else None
    zone = Company.current().zone
    sales = []
    for row in [] if there is None else there.to_pylist():
        if row[BATCH] in batches or row["kind"] != "purchase":
            continue
        number = row["order_id"]
        told = known[number].left(number, zone, row, returns[number])
        sales.append((number, told["amount"], told["kind"], told.get("refunded")))
    if sales:
        store.upsert("orders", _amended(sales), batch=f"{batches[0]}-told", amend=True)


def _amended(rows: list[tuple[Any, ...]]) -> pa.Table:
    import pyarrow as pa

    money = pa.decimal128(18, 4)
    kinds = {"order_id": pa.string(), "amount": money, "kind": pa.string(), "refunded": money}
    cells = map(pa.array, zip(*rows, strict=True), kinds.values())
    return pa.table(list(cells), list(kinds))


def _write(
    connection: duckdb.DuckDBPyConnection,
    known: str | None,
    made: list[tuple[Any, ...]],
    *,
    lines: bool,
) -> None:
    if "refunded" not in sql.columns_of(connection, "keyed_orders"):
        connection.execute("ALTER TABLE keyed_orders ADD COLUMN refunded DECIMAL(18, 4)")
        if known and "refunded" in sql.columns_of(connection, f"{known} AS l"):
            connection.execute(
                "UPDATE keyed_orders AS o SET refunded = l.refunded"
                f" FROM {known} AS l WHERE l.order_id = o.order_id"
            )
    connection.register("beside", _amended(made))
    connection.execute(
        "UPDATE keyed_orders AS o SET amount = b.amount, kind = b.kind, refunded = b.refunded"
        " FROM beside AS b WHERE o.order_id = b.order_id"
    )
    if lines:
        connection.execute(
            "UPDATE keyed_order_lines AS l SET kind = b.kind FROM beside AS b"
            " WHERE l.order_id = b.order_id AND b.kind = 'cancelled'"
        )
    connection.unregister("beside")
