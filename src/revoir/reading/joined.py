"""Lines of orders, with what another sheet or file says of their orders.

Shops export orders and their lines apart: the lines have the number of their order, and often
neither its day nor its customer. What an order came to is what the list of orders says; where that
says nothing, it is what its lines come to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier, literal
from revoir.language import msg
from revoir.reading import numbering, values
from revoir.reading.detect import Detection
from revoir.reading.discounts import KEY as DISCOUNT
from revoir.reading.discounts import OF_THE_ORDER, are_shares
from revoir.reading.mapping import ColumnMapping
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
_SURE_DAYS = 31
"""Days that an order and its lines may lie apart where both name the same customer."""
_NUMBER = identifier("orders.order_id")
_DAY = f"CAST({identifier('orders.ordered_at')} AS DATE)"


@dataclass(frozen=True)
class Joined:
    """Lines with what is said of their orders.

    Attributes:
        raw: The lines, with columns of the orders behind their own; where they say no day
            themselves, those of no order are set aside.
        added: What the columns mean that are the orders'.
        shares: Whether the discounts among them are shares.
        orders: The lists of the orders.
        whole: Whether some orders come to what their lines do: no list has their totals.
    """

    raw: RawTable
    added: tuple[ColumnMapping, ...]
    shares: bool
    orders: tuple[Part, ...]
    whole: bool

    def meant(self, detection: Detection) -> Detection:
        """What the columns mean, with the reasons why those of the orders do."""
        why = msg("it stands in {places}", places=_places(self.orders))
        share = "share" if self.shares else None
        added = (
            replace(
                mapping, reason=why, converted=True,
                format=share if mapping.name in ("discount", OF_THE_ORDER) else None,
            )
            for mapping in self.added
        )  # fmt: skip
        return replace(detection, columns=(*detection.columns, *added), lines=True)


def is_list(part: Part, *, renumbered: bool = False) -> bool:
    """Whether a file lists numbered orders, each once; whose numbers start again, or do not."""
    told = part.has("orders.order_id", "orders.ordered_at")
    return part.grain == "order" and told and part.renumbered == renumbered


def are_dated_lines(part: Part) -> bool:
    """Whether a file has lines of numbered orders, and says itself when these were."""
    products = part.has("order_lines.product") or part.has("order_lines.product_id")
    lines = products or (part.grain == "line" and part.has("order_lines.unit_price"))
    numbered = part.has("orders.order_id", "orders.ordered_at")
    return part.detection.table == "orders" and numbered and lines


def beside(
    connection: duckdb.DuckDBPyConnection,
    raw: RawTable,
    columns: Sequence[ColumnMapping],
    lists: Sequence[Part],
    dated: Part | None = None,
    earlier: Sequence[int] = (),
) -> Joined | None:
    """Put what another table says of their orders beside lines.

    Args:
        connection: The connection that holds all tables. `numbers_of_lines` are the numbers of the
            orders of the lines then, and `numbers_of_orders` what is said of these.
        raw: The lines.
        columns: What their columns mean (see `are_lines`).
        lists: The lists of orders.
        dated: The lines as they were converted, where they say a day themselves.
        earlier: The places of the files of lines that were joined before.

    Returns:
        The lines (None: none of the lists has their orders).
    """
    if not lists:
        return None
    number = next(column for column in columns if column.target == "orders.order_id")
    # Numbers are made plain once: where they are compared as they are made, each is with all.
    told, source = f"{_key(raw, number)} AS key, NULL::DATE AS day", raw.relation
    who = "NULL::VARCHAR AS kind, NULL::VARCHAR AS who"
    if dated is not None:
        told, source = f"CAST({_NUMBER} AS VARCHAR) AS key, {_DAY} AS day", dated.accepted
        who = _who(dated)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE numbers_of_lines AS SELECT * FROM"
        f" (SELECT _line, {told}, {who} FROM {source}) WHERE key IS NOT NULL"
    )
    shares = _shares(connection, lists, dated)
    ranked = sorted(lists, key=lambda part: -shares[part.number])
    # A list of other orders may have some of the numbers on some of the days by chance.
    least = 0 if dated is None else _SHARE
    orders = _agreeing(connection, [part for part in ranked if shares[part.number] > least])
    if sum(shares[part.number] for part in orders) < _SHARE:
        return None
    _hold(connection, orders, ())
    whole = _any_unpriced(connection)
    wanted = _wanted(orders, {column.target for column in columns}, whole=whole)
    _hold(connection, orders, tuple(wanted))
    headers = _apart([mapping.header or mapping.column for mapping in wanted.values()], raw.headers)
    added = tuple(
        replace(mapping, column=f"c{len(raw.columns) + place}", header=header)
        for place, (header, mapping) in enumerate(zip(headers, wanted.values(), strict=True))
    )
    together = identifier(f"with orders {raw.relation.strip(chr(34))}")
    parts = any(map(_shared(connection), orders))
    cells = [
        f"{_cell(key, earlier, parts=parts)} AS {identifier(mapping.column)}"
        for key, mapping in zip(wanted, added, strict=True)
    ]
    connection.execute(
        f"CREATE OR REPLACE TABLE {together} AS SELECT {', '.join(['r.*', *cells])}"
        f" FROM {raw.relation} AS r {'JOIN' if dated is None else 'LEFT JOIN'}"
        " (SELECT n._line, o.* EXCLUDE (_line) FROM numbers_of_lines AS n"
        f" JOIN numbers_of_orders AS o ON {_met()}) AS o ON o._line = r._line ORDER BY r._line"
    )
    types = {name: kind for name, kind, *_ in
             connection.execute(f"DESCRIBE {together}").fetchall()}  # fmt: skip
    note = msg(
        "Its lines have the day and the customer of their orders from {places}.",
        places=_places(orders),
    )
    if dated is not None:
        note = msg(
            "Its lines are of orders that stand in {places}: each counts once, as it stands there.",
            places=_places(orders),
        )
    aside = _of_no_order(connection, raw, together, number) if dated is None else []
    joined = replace(
        raw,
        relation=together,
        columns=[*raw.columns, *(mapping.column for mapping in added)],
        headers=[*raw.headers, *headers],
        types=[*raw.types, *(types[mapping.column] for mapping in added)],
        rejects=[*raw.rejects, *aside],
        notes=[*raw.notes, note],
    )
    return Joined(joined, added, parts, tuple(orders), whole)


def tell_kinds(connection: duckdb.DuckDBPyConnection, part: Part, lists: Sequence[str]) -> None:
    """Keep which orders of some lines their lists have a total of, and what kind they are there.

    Args:
        connection: Holds the numbers that `keep_met` kept.
        part: The lines.
        lists: The orders of the lists, as relations of the canonical table.
    """
    if not lists:
        return
    held = " UNION ALL ".join(
        f"SELECT CAST(order_id AS VARCHAR) AS key, kind FROM {name}" for name in lists
    )
    part.told = identifier(f"told_{part.number}")
    connection.execute(
        f"CREATE OR REPLACE TABLE {part.told} AS SELECT key, min(kind) FILTER (kind <> 'return')"
        f" AS told FROM ({held}) WHERE key IN (SELECT key FROM {_met_by(part.number)}) GROUP BY key"
    )


def keep_met(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    """Keep the numbers of the orders that the lines of a file were just joined with.

    Args:
        connection: Holds `numbers_of_lines` and `numbers_of_orders` (see `beside`).
        number: The place of the file among those read.
    """
    connection.execute(
        f"CREATE OR REPLACE TABLE {_met_by(number)} AS SELECT DISTINCT key"
        f" FROM numbers_of_lines AS n JOIN numbers_of_orders AS o USING (key) WHERE {_met()}"
    )


def without_lines(connection: duckdb.DuckDBPyConnection, part: Part, lines: Sequence[int]) -> str:
    """SQL of the lines (`_line`) of a list that say no total and have no line among some files.

    Args:
        connection: Holds the numbers that `keep_met` kept.
        part: The list.
        lines: The places of the files of lines.
    """
    met = " UNION ALL ".join(
        ["SELECT NULL WHERE false", *(f"SELECT key FROM {_met_by(number)}" for number in lines)]
    )
    return (
        f"SELECT _line FROM {part.accepted} WHERE NOT {_priced(part)}"
        f" AND coalesce(CAST({_NUMBER} AS VARCHAR) NOT IN ({met}), true)"
    )


def _met_by(number: int) -> str:
    return identifier(f"met_{number}")


def _cell(key: str, earlier: Sequence[int], *, parts: bool) -> str:
    """SQL of what is said of an order `o` on a line `r` of it."""
    cell = f"o.{identifier(key)}"
    if key not in _IN_ALL:
        return cell
    # Where a list has the total, it is without them already.
    test = "NOT o.priced"
    if key != DISCOUNT or not parts:  # A share is that of each line.
        test += " AND row_number() OVER (PARTITION BY o.key ORDER BY r._line) = 1"
        test += "".join(f" AND o.key NOT IN (SELECT key FROM {_met_by(n)})" for n in earlier)
    return f"CASE WHEN {test} THEN {cell} END"


def _priced(part: Part) -> str:
    """SQL of whether a row of a list of orders says what was paid."""
    paid = part.amount
    if paid is None and part.has("order_lines.unit_price"):
        paid = identifier("order_lines.unit_price")
    return f"({paid} IS NOT NULL)" if paid else "false"


def _shared(connection: duckdb.DuckDBPyConnection) -> Callable[[Part], bool]:
    return lambda part: part.has(DISCOUNT) and are_shares(connection, part)


def _agreeing(connection: duckdb.DuckDBPyConnection, lists: Sequence[Part]) -> list[Part]:
    """The lists whose discounts are shares, or are amounts, as those of the first one."""
    column = identifier(DISCOUNT)
    telling = [
        part for part in lists
        if part.has(DISCOUNT) and connection.execute(
            f"SELECT coalesce(bool_or({column} <> 0), false) FROM {part.accepted}"
        ).fetchall()[0][0]
    ]  # fmt: skip
    are = _shared(connection)
    return [part for part in lists if part not in telling or are(part) == are(telling[0])]


def _wanted(
    lists: Sequence[Part], there: set[str | None], *, whole: bool
) -> dict[str, ColumnMapping]:
    """What is taken from the lists, by key: from the first that has it."""
    # Where no list has the total, it makes no order of its own: all that it says is theirs.
    keys = [key for part in lists for key in part.fields] if whole else _OF_THE_ORDER
    if "orders.customer_id" in there:
        keys = [key for key in keys if not key.startswith("customers.")]
    own = ("orders.order_id", "orders.amount")
    found = {
        key: next(part.fields[key].mapping for part in lists if part.has(key))
        for key in keys
        if key not in there
        and key not in own
        and not key.startswith("order_lines.")
        and any(part.has(key) for part in lists)
    }
    if whole and DISCOUNT in there and any(part.has(DISCOUNT) for part in lists):
        # Lines have discounts of their own, and the order one more.
        mapping = next(part.fields[DISCOUNT].mapping for part in lists if part.has(DISCOUNT))
        found[DISCOUNT] = replace(mapping, target=None, name=OF_THE_ORDER)
    return found


def _hold(
    connection: duckdb.DuckDBPyConnection,
    lists: Sequence[Part],
    wanted: Sequence[str],
    *,
    once: bool = True,
) -> None:
    """Make `numbers_of_orders`: the number of each order (`key`), whose it is and what it says."""
    selects = []
    for place, part in enumerate(lists):
        cells = "".join(
            f", {identifier(key) if part.has(key) else 'NULL'} AS {identifier(key)}"
            for key in wanted
        )
        selects.append(
            f"SELECT CAST({_NUMBER} AS VARCHAR) AS key, {place} AS place, _line, {_DAY} AS day,"
            f" {_who(part)}, {_priced(part)} AS priced{cells} FROM {part.accepted}"
        )
    first = " QUALIFY row_number() OVER (PARTITION BY key ORDER BY place, _line) = 1"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE numbers_of_orders AS SELECT * FROM"
        f" ({' UNION ALL '.join(selects)}) WHERE key IS NOT NULL{first if once else ''}"
    )


def _who(part: Part) -> str:
    """SQL of the customer of a row, and of what the customer is known by."""
    if part.customer is None:
        return "NULL::VARCHAR AS kind, NULL::VARCHAR AS who"
    return f"{literal(str(part.identity))} AS kind, CAST({part.customer} AS VARCHAR) AS who"


def _met() -> str:
    """SQL of whether a line `n` is of the order `o` of its number, not of another year's."""
    sure = f"CASE WHEN n.who = o.who THEN {_SURE_DAYS} ELSE {numbering.DAYS_MAX} END"
    return f"(n.key = o.key AND coalesce(abs(n.day - o.day) <= {sure}, true))"


def _shares(
    connection: duckdb.DuckDBPyConnection, lists: Sequence[Part], dated: Part | None
) -> dict[int, float]:
    """Share of the orders of the lines that each list has, by its number.

    Lines that say a day may be of more orders than are listed, or of fewer.
    """
    _hold(connection, lists, (), once=False)
    [(lines,)] = connection.execute("SELECT count(DISTINCT key) FROM numbers_of_lines").fetchall()
    rows = connection.execute(
        "SELECT o.place, any_value(c.n), count(DISTINCT n.key) FROM numbers_of_lines AS n"
        f" JOIN numbers_of_orders AS o ON {_met()}"
        " AND coalesce(n.who = o.who OR n.kind <> o.kind, true) JOIN (SELECT place, count(*) AS n"
        " FROM numbers_of_orders GROUP BY place) AS c ON c.place = o.place GROUP BY o.place"
    ).fetchall()
    found = {part.number: 0.0 for part in lists}
    for place, orders, met in rows:
        least = lines if dated is None else min(lines, orders)
        found[lists[place].number] = met / least
    return found


def _any_unpriced(connection: duckdb.DuckDBPyConnection) -> bool:
    [(found,)] = connection.execute(
        "SELECT count(*) FROM numbers_of_orders WHERE NOT priced"
        " AND key IN (SELECT key FROM numbers_of_lines)"
    ).fetchall()
    return bool(found)


def _places(lists: Sequence[Part]) -> list[str]:
    return [
        f"{part.raw.file} · {part.raw.sheet}" if part.raw.sheet else part.raw.file
        for part in sorted(lists, key=lambda part: part.number)
    ]


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


def _key(raw: RawTable, number: ColumnMapping) -> str:
    """SQL of the number of an order as text, whatever its type is in each table."""
    kind = raw.types[raw.columns.index(number.column)]
    column = identifier(number.column)
    if values.is_text(kind):
        column = f"rv_clean({column})"
    return f"CAST({values.code(column, kind)} AS VARCHAR)"


def _apart(headers: Sequence[str], others: Sequence[str]) -> list[str]:
    """Headers that no other column has."""
    found: list[str] = []
    for header in headers:
        name = header
        while name in (*others, *found):
            name += " (2)"
        found.append(name)
    return found
