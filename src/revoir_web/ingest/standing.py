"""Orders that events and files both tell of: what the lake has of them, and what comes of both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from revoir.store.shape import BATCH
from revoir_web.common.bulk import in_parts
from revoir_web.common.models import Company
from revoir_web.ingest import commerce, corrections, returned
from revoir_web.ingest.lake import queried
from revoir_web.ingest.models import EventOrder

if TYPE_CHECKING:
    import pyarrow as pa

    from revoir.store import Lake

_PART = 500
_RETURNS_MAX = 30
"""Returns of an order that are looked up: of more, nobody tells by events, too."""


@dataclass
class Standing:
    """What the lake has of some orders.

    Attributes:
        orders: The orders by their numbers.
        returns: What files tell was given back of them, by their numbers.
        lines: Their lines, with all that the lake knows of them (None: it has no such table).
    """

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    returns: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    lines: pa.Table | None = None

    def given_back(self, number: str) -> list[returned.Return]:
        """What files tell was given back of it, beside the order or among its lines.

        Such a line has the order's day, whenever it came back. What takes something off that was
        not sold in the order is a discount.
        """
        lines = self._lines_of.get(number, ())
        sold = {_product(row) for row in lines if (row.get("amount") or 0) > 0}
        rows = self.returns.get(number, ())
        return [(row["order_id"], row.get("ordered_on"), row.get("amount")) for row in rows] + [
            (row["line_id"], None, row["amount"])
            for row in lines
            if (row.get("amount") or 0) < 0 and _product(row) in sold
        ]

    def cancelled_with(self, order: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The returns of an order that is cancelled: nothing was sold that could come back."""
        if order["kind"] != "cancelled":
            return []
        rows = self.returns.get(order["order_id"], ())
        return [{name: row.get(name) for name in order} | {"kind": "cancelled"} for row in rows]

    @cached_property
    def _lines_of(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in [] if self.lines is None else self.lines.to_pylist():
            found[row["order_id"]].append(row)
        return found

    def others(
        self, orders: Iterable[Mapping[str, Any]], unlined: Collection[str], lines: Iterable[str]
    ) -> pa.Table | None:
        """The lines that go along with orders, beside those that events tell.

        Those of an order of whose lines no event told are cancelled with it. Others are there no
        more: they stay, and come to nothing.

        Args:
            orders: The orders that are written.
            unlined: The numbers of those of whose lines no event told.
            lines: The keys of the lines that are written.

        Returns:
            Rows of the lake (None: there are none).
        """
        if self.lines is None:
            return None
        kinds, written = {order["order_id"]: order["kind"] for order in orders}, set(lines)
        held: list[dict[str, Any]] = []
        for row in chain.from_iterable(self._lines_of.get(number, ()) for number in kinds):
            number = row["order_id"]
            if row["line_id"] in written or row.get("kind") == "cancelled":
                continue
            if number not in unlined:
                nothing = {name: 0 for name in ("amount", "quantity", "margin") if name in row}
            elif kinds[number] == "cancelled":
                nothing = {}
            else:
                continue
            held.append(row | nothing | {"kind": "cancelled"})
        return self.lines.from_pylist(held, schema=self.lines.schema) if held else None


def _product(line: Mapping[str, Any]) -> tuple[Any, Any]:
    return line.get("product_id"), line.get("product")


def look_up(numbers: Iterable[str]) -> Standing:
    """What the lake has of some orders; ask for its `LOCK` first."""
    import pyarrow as pa

    wanted = list(numbers)
    if not wanted:
        return Standing()
    # One pass by keys: what they begin with would be cut out of every row of the lake.
    first = f"id || '{returned.MARK}'"
    keys = (
        f"FROM wanted UNION ALL SELECT {first} FROM wanted UNION ALL"
        f" SELECT {first} || '~' || n FROM wanted, range(2, {_RETURNS_MAX + 1}) AS r(n)"
    )
    with queried() as (connection, tables):
        connection.register("wanted", pa.table({"id": wanted}))
        held = {
            name: connection.sql(
                f"SELECT * FROM {tables[name]} AS l WHERE order_id IN ({keys})"
            ).to_arrow_table()
            for name in ("orders", "order_lines")
            if name in tables
        }
    there = Standing(lines=held.get("order_lines"))
    for row in held["orders"].to_pylist() if "orders" in held else ():
        number, mark, _nth = row["order_id"].rpartition(returned.MARK)
        if mark and row.get("kind") == "return":
            there.returns.setdefault(number, []).append(row)
        else:
            there.orders[row["order_id"]] = row
    return there


def take_lines_off(store: Lake, batch: str, batches: Sequence[str]) -> None:
    """Take lines that are about to go off the orders that stay; ask for `LOCK` first.

    An order to which corrected lines were added is in their name since: when the import goes that
    they were set aside from, its lines go, and what is left of the order is the corrected ones.

    Args:
        store: The lake.
        batch: The batch of new rows that is about to be undone.
        batches: All batches of its import.
    """
    import pyarrow as pa

    going = store.rows_of("order_lines", BATCH, [batch])
    if going is None or not {"amount", "kind"} <= set(going.column_names):
        return
    heirs = store.repeated("order_lines", batch=batch)
    off: dict[str, Decimal] = defaultdict(Decimal)
    told = going.select(["line_id", "order_id", "amount", "kind"]).to_pylist()
    for line in told:
        if line["kind"] == "purchase" and line["amount"] and line["line_id"] not in heirs:
            off[line["order_id"]] += line["amount"]
    there = store.rows_of("orders", "order_id", list(off)) if off else None
    stay = {
        row["order_id"]: row
        for row in ([] if there is None else there.to_pylist())
        if row[BATCH] not in batches and row.get("amount") is not None
    }
    held = store.rows_of("order_lines", "order_id", list(stay)) if stay else None
    # Whoever told the order as a whole told its amount, too, and is believed.
    added = {
        line["order_id"]
        for line in (
            [] if held is None else held.select(["line_id", "order_id", BATCH]).to_pylist()
        )
        if corrections.is_line(line["line_id"], line["order_id"])
        and _import_of(line[BATCH]) == _import_of(stay[line["order_id"]][BATCH])
    }
    rows = [
        {"order_id": number, "amount": stay[number]["amount"] - off[number]}
        for number in sorted(added)
    ]
    if rows:
        schema = pa.schema([("order_id", pa.string()), ("amount", pa.decimal128(18, 4))])
        less = pa.Table.from_pylist(rows, schema=schema)
        store.upsert("orders", less, batch=f"{batch}-off", amend=True)


def _import_of(batch: str) -> str:
    """What the batches of an import's parts have in common (see `landing.batch_of`)."""
    return batch.rpartition("-")[0]


def bring_returns_back(store: Lake, batch: str) -> None:
    """Let returns count again that were among the lines of orders before an import was undone.

    A return is cancelled where its order has it among its lines, or is cancelled itself; ask for
    `LOCK` first.

    Args:
        store: The lake, without the rows of the import.
        batch: The batch of its new rows.
    """
    with queried() as (connection, tables):
        found = returned.no_longer_taken_off(connection, tables)
    for name, rows in found.items():
        store.upsert(name, rows, batch=f"{batch}-back", amend=True)


def known_of(numbers: Iterable[str]) -> dict[str, commerce.Order]:
    """What events have told of orders, by their numbers; of some, nothing."""
    told: dict[str, Any] = {}
    wanted = sorted(numbers)
    for part in in_parts(wanted, _PART):
        told |= EventOrder.objects.filter(order_id__in=part).values_list("order_id", "told")
    home = Company.current().currency
    return {number: commerce.Order(told.get(number, {}), home) for number in wanted}
