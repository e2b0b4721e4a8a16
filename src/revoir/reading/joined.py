"""Lines of orders without dates, with what another sheet or file says of their orders.

Shops export orders and their lines apart: the lines have the number of their order, and neither
its day nor its customer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.language import Message, msg, nmsg
from revoir.reading import values
from revoir.reading.detect import Detection
from revoir.reading.discounts import are_shares
from revoir.reading.mapping import ATTRIBUTE, ColumnMapping, FileMapping, Said
from revoir.reading.part import Part
from revoir.reading.raw import RawTable, Reject

if TYPE_CHECKING:
    import duckdb

_OF_THE_ORDER = (
    "orders.ordered_at", "orders.customer_id", "orders.status", "customers.email",
    "customers.phone", "customers.name", "customers.first_name", "customers.last_name",
)  # fmt: skip
"""What is taken from the order: when, whose, and whether it happened."""
_IN_ALL = ("orders.discount", "orders.refunded", "orders.margin")
"""Amounts of the whole order: on each of its lines they would count as often as it has lines."""
_SHARE = 0.5
"""Of fewer of the orders of the lines, a list of orders is that of others."""
TOTALLESS = msg(
    "Its rows look like orders, and nothing says what was paid. Import the lines of these orders"
    " with it, at once: with their prices."
)
DATELESS = msg(
    "Its rows look like lines of orders, and nothing tells when these were. Import the list of the"
    " orders with them, at once: with the day and the total of each."
)


def without_lines(connection: duckdb.DuckDBPyConnection, part: Part) -> Message | None:
    """Say how many orders of a list without totals have no line: nothing says what they came to.

    Args:
        connection: Holds `numbers_of_lines` (see `beside`).
        part: The list.
    """
    number = part.fields["orders.order_id"].mapping
    [(count,)] = connection.execute(
        f"SELECT count(*) FROM {part.raw.relation} AS o JOIN {part.accepted} AS t"
        f" ON t._line = o._line WHERE {_key('o', part.raw, number)} NOT IN"
        " (SELECT key FROM numbers_of_lines WHERE key IS NOT NULL)"
    ).fetchall()
    if not count:
        return None
    return nmsg(
        "{n} order has no line: it is not counted, for nothing says what it came to.",
        "{n} orders have no line: they are not counted, for nothing says what they came to.",
        count,
    )


@dataclass(frozen=True)
class Joined:
    """Lines with what is said of their orders.

    Attributes:
        raw: The lines, with columns of the orders behind their own; those of no order are set
            aside.
        taken: By header, what the columns mean that are the orders'.
        places: Where the orders stand.
        orders: The lists of them.
    """

    raw: RawTable
    taken: dict[str, ColumnMapping]
    places: list[str]
    orders: tuple[Part, ...]

    @property
    def whole(self) -> bool:
        """Whether the orders come to what their lines do: their list has no totals."""
        return self.orders[0].amount is None

    @property
    def added(self) -> tuple[str, ...]:
        """The columns that are the orders'."""
        return tuple(mapping.column for mapping in self.taken.values())

    def said(self, entry: FileMapping | None) -> FileMapping:
        """What is said of the lines, and what is known of the columns of the orders."""
        known = {
            header: Said(mapping.target or ATTRIBUTE, mapping.format)
            for header, mapping in self.taken.items()
        }
        if entry is None:
            return FileMapping(known)
        return replace(entry, columns={**entry.columns, **known}, remembered=False)

    def meant(self, detection: Detection) -> Detection:
        """What the columns mean, with the reasons why those of the orders do."""
        why = msg("it stands in {places}", places=self.places)
        columns = tuple(
            replace(column, confidence=self.taken[column.header].confidence, reason=why)
            if column.column in self.added
            else column
            for column in detection.columns
        )
        return replace(detection, columns=columns)


def beside(
    connection: duckdb.DuckDBPyConnection,
    raw: RawTable,
    columns: Sequence[ColumnMapping],
    parts: Sequence[Part],
) -> Joined | None:
    """Put what another table says of their orders beside lines.

    Args:
        connection: The connection that holds all tables.
        raw: The lines.
        columns: What their columns mean (see `are_lines`).
        parts: The tables that were read.

    Returns:
        The lines (None: none of the tables has their orders).
    """
    number = next(column for column in columns if column.target == "orders.order_id")
    orders = [
        part
        for part in parts
        if part.grain == "order" and not part.renumbered
        and part.has("orders.order_id", "orders.ordered_at")
    ]  # fmt: skip
    # Numbers are made plain once: where they are compared as they are made, each is with all.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE numbers_of_lines AS"
        f" SELECT _line, {_key('r', raw, number)} AS key FROM {raw.relation} AS r"
    )
    shares = {part.number: _share(connection, _orders([part], [])) for part in orders}
    chosen = max(orders, key=lambda part: shares[part.number], default=None)
    if chosen is None:
        return None
    there = {column.target for column in columns}
    # Where their list has no totals it makes no orders of its own: all that it says is theirs.
    said = _OF_THE_ORDER if chosen.amount is not None else tuple(chosen.fields)
    wanted = [key for key in said if key not in there and chosen.has(key)]
    if "orders.customer_id" in there:
        wanted = [key for key in wanted if not key.startswith("customers.")]
    # A list a month, perhaps, and all lines in one.
    lists = [part for part in orders if _written(part, wanted) == _written(chosen, wanted)]
    if _share(connection, _orders(lists, wanted)) < _SHARE:
        return None
    given = [chosen.fields[key].mapping for key in wanted]
    headers = _apart([mapping.header or mapping.column for mapping in given], raw.headers)
    taken = {
        header: replace(mapping, column=f"c{len(raw.columns) + place}", header=header)
        for place, (header, mapping) in enumerate(zip(headers, given, strict=True))
    }
    in_all = {key for key in _IN_ALL if chosen.has(key)}
    if "orders.discount" in in_all and are_shares(connection, chosen):
        in_all.remove("orders.discount")  # A share is that of each line.
    first = "row_number() OVER (PARTITION BY o.key ORDER BY r._line) = 1"
    cells = "".join(
        f", CASE WHEN {first} THEN o.{identifier(key)} END AS {identifier(mapping.column)}"
        if key in in_all
        else f", o.{identifier(key)} AS {identifier(mapping.column)}"
        for key, mapping in zip(wanted, taken.values(), strict=True)
    )
    together = identifier(f"with orders {raw.relation.strip(chr(34))}")
    connection.execute(
        f"CREATE OR REPLACE TABLE {together} AS SELECT r.*{cells} FROM {raw.relation} AS r"
        " JOIN numbers_of_lines AS n ON n._line = r._line"
        " JOIN numbers_of_orders AS o ON o.key = n.key ORDER BY r._line"
    )
    types = dict(zip(chosen.raw.columns, chosen.raw.types, strict=True))
    places = [_called(part.raw) for part in lists]
    note = msg(
        "Its lines have the day and the customer of their orders from {places}.", places=places
    )
    joined = replace(
        raw,
        relation=together,
        columns=[*raw.columns, *(mapping.column for mapping in taken.values())],
        headers=[*raw.headers, *headers],
        types=[*raw.types, *(types[mapping.column] for mapping in given)],
        rejects=[*raw.rejects, *_of_no_order(connection, raw, together, number)],
        notes=[*raw.notes, note],
    )
    return Joined(joined, taken, places, tuple(lists))


def _orders(parts: Sequence[Part], wanted: Sequence[str]) -> str:
    """SQL of the orders of some lists: their number (`key`) and cells, each order once."""
    selects = []
    for place, part in enumerate(parts):
        number = part.fields["orders.order_id"].mapping
        cells = "".join(
            f", o.{identifier(part.fields[key].mapping.column)} AS {identifier(key)}"
            for key in wanted
        )
        selects.append(
            f"SELECT {_key('o', part.raw, number)} AS key, {place} AS place, o._line{cells}"
            f" FROM {part.raw.relation} AS o JOIN {part.accepted} AS t ON t._line = o._line"
        )
    first = "row_number() OVER (PARTITION BY key ORDER BY place, _line) = 1"
    return f"SELECT * FROM ({' UNION ALL '.join(selects)}) WHERE key IS NOT NULL QUALIFY {first}"


def _written(part: Part, wanted: Sequence[str]) -> list[tuple[str, str | None] | None]:
    """How the cells of some columns are written: type and convention."""
    return [
        (field.sql_type, field.mapping.format) if (field := part.fields.get(key)) else None
        for key in wanted
    ]


def _called(raw: RawTable) -> str:
    return f"{raw.file} · {raw.sheet}" if raw.sheet else raw.file


def _of_no_order(
    connection: duckdb.DuckDBPyConnection, raw: RawTable, together: str, number: ColumnMapping
) -> list[Reject]:
    column = identifier(number.column)
    cells = ", ".join(f"CAST({identifier(name)} AS VARCHAR)" for name in raw.columns)
    rows = connection.execute(
        f"SELECT _line, CAST({column} AS VARCHAR), {cells} FROM {raw.relation}"
        f" WHERE _line NOT IN (SELECT _line FROM {together}) ORDER BY _line"
    ).fetchall()
    return [
        Reject(
            line,
            tuple(cell or "" for cell in held),
            msg("No order with this number was accepted."),
            msg("Add or correct its order in the list of orders, or correct the number."),
            number.header,
            value,
        )
        for line, value, *held in rows
    ]


def _share(connection: duckdb.DuckDBPyConnection, told: str) -> float:
    """Share of the orders of the lines that lists have, which are `numbers_of_orders` then."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE numbers_of_orders AS {told}")
    [(share,)] = connection.execute(
        "SELECT avg(CASE WHEN key IN (SELECT key FROM numbers_of_orders) THEN 1 ELSE 0 END)"
        " FROM (SELECT DISTINCT key FROM numbers_of_lines) WHERE key IS NOT NULL"
    ).fetchall()
    return float(share or 0)


def _key(alias: str, raw: RawTable, number: ColumnMapping) -> str:
    """SQL of the number of an order as text, whatever its type is in each table."""
    kind = raw.types[raw.columns.index(number.column)]
    return f"CAST({values.code(f'{alias}.{identifier(number.column)}', kind)} AS VARCHAR)"


def _apart(headers: Sequence[str], others: Sequence[str]) -> list[str]:
    """Headers that no other column has."""
    found: list[str] = []
    for header in headers:
        name = header
        while name in (*others, *found):
            name += " (2)"
        found.append(name)
    return found
