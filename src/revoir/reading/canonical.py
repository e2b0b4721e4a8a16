"""From the converted rows of one file to the canonical tables: split, group, net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier, literal
from revoir.language import Message, Money, nmsg
from revoir.reading.build import Part, summary
from revoir.reading.fields import Field
from revoir.reading.values import DECIMAL
from revoir.tables import TABLES, Type

if TYPE_CHECKING:
    import duckdb

_CANCELLED = (
    "annul", "cancel", "void", "failed", "échec", "echec", "erreur", "refused", "refus",
    "declined", "expired", "expiré", "draft", "brouillon", "trash", "abandon", "storno",
    "requires_payment_method", "requires payment method", "incomplete", "uncaptured",
    "pending payment", "pending-payment", "wc-pending",
)  # fmt: skip
_REFUNDED = ("refunded", "remboursé", "remboursée", "rembourse", "wc-refunded", "remboursement")
_PLACES = ("customers.city", "customers.postcode", "customers.region", "customers.country")
_CONSTANT_SHARE = 0.995
_ASK_ABOUT_MAX = 100_000
"""Rows looked at to see whether a column is constant for each customer or order."""


@dataclass(frozen=True)
class Piece:
    """What one file gives to one canonical table.

    Attributes:
        table: The canonical table.
        relation: Quoted name of a table or view with canonical columns.
        columns: Its columns.
    """

    table: str
    relation: str
    columns: tuple[str, ...]


def split(connection: duckdb.DuckDBPyConnection, part: Part, zone: str, number: int) -> list[Piece]:
    """Bring a converted file into the canonical tables it holds.

    Args:
        connection: The connection that holds it.
        part: The converted file.
        zone: IANA zone of the company.
        number: The place of the file among those read.

    Returns:
        The pieces, one a canonical table.
    """
    return _Splitter(connection, part, zone, number).pieces()


class _Splitter:
    def __init__(
        self, connection: duckdb.DuckDBPyConnection, part: Part, zone: str, number: int
    ) -> None:
        self.connection = connection
        self.part = part
        self.zone = zone
        self.number = number
        self.customer = part.customer or "CAST(NULL AS VARCHAR)"

    def pieces(self) -> list[Piece]:
        part = self.part
        match part.detection.table:
            case "orders" if part.grain == "line":
                return self._from_lines()
            case "orders":
                return self._from_orders()
            case "responses":
                return self._with_customers(self._responses())
            case "customers":
                return [self._people(part.fields.attributes)]
            case str() as table:
                return self._with_customers(self._plain(table))
        return []

    # Helpers ------------------------------------------------------------------------------

    def _make(self, table: str, columns: dict[str, str], rest: str, *, view: bool = False) -> Piece:
        """Make the table or view of a piece from columns and what follows FROM."""
        name = identifier(f"{table}_{self.number}")
        chosen = ", ".join(f"{sql} AS {identifier(column)}" for column, sql in columns.items())
        what = "VIEW" if view else "TABLE"
        self.connection.execute(f"CREATE OR REPLACE {what} {name} AS SELECT {chosen} FROM {rest}")
        return Piece(table, name, tuple(columns))

    def _column(self, key: str) -> str | None:
        return identifier(key) if key in self.part.fields else None

    def _free(self, table: str, taken: dict[str, str]) -> list[Field]:
        """Attributes whose names no column of a table has."""
        names = {column.name for column in TABLES[table].columns} | set(taken)
        return [held for held in self.part.fields.attributes if held.name not in names]

    def _places(self) -> list[Field]:
        """What a sale says of where its customer is: theirs if it never changes, else its own."""
        fields = self.part.fields
        return [fields[key] for key in _PLACES if key in fields]

    def _utc(self, local: str) -> str:
        return f"timezone('UTC', timezone({literal(self.zone)}, {local}))"

    def _constant(self, attributes: list[Field], key: str) -> list[Field]:
        """Those attributes that have one value for each value of a key, tested on the rows."""
        if not attributes:
            return []
        thin = max(1, self.part.rows // _ASK_ABOUT_MAX)
        where = f"({key}) IS NOT NULL" + (f" AND hash({key}) % {thin} = 0" if thin > 1 else "")
        tests = ", ".join(
            f"count(DISTINCT {identifier(held.key)}) <= 1 AS t{place}"
            for place, held in enumerate(attributes)
        )
        counts = ", ".join(f"count(*) FILTER (t{place})" for place in range(len(attributes)))
        row = self.connection.execute(
            f"SELECT count(*), {counts} FROM (SELECT {key} AS k, {tests}"
            f" FROM {self.part.accepted} WHERE {where} GROUP BY k HAVING count(*) > 1)"
        ).fetchall()[0]
        if not row or not row[0]:
            return []
        return [
            held
            for held, fit in zip(attributes, row[1:], strict=True)
            if fit / row[0] >= _CONSTANT_SHARE
        ]

    def _with_customers(self, piece: Piece) -> list[Piece]:
        """A piece, and the customers that its file describes on the same rows."""
        if self.part.customer is None or not self.part.fields.of("customers"):
            return [piece]
        return [piece, self._people([])]

    # Customers ----------------------------------------------------------------------------

    def _people(self, steady: list[Field], clock: str = "_line") -> Piece:
        """One row a customer, with the latest that the file says; some columns never change."""
        part = self.part
        columns = {"customer_id": "_customer"}
        held = [field for field in part.fields.of("customers") if field.name != "customer_id"]
        held += [field for field in steady if TABLES["customers"].column(field.name) is None]
        alone = part.detection.table == "customers" and not part.report.rows_duplicate
        for field in held:
            column = identifier(field.key)
            if alone:
                columns[field.name] = column
            elif field.name == "consent":
                # Who has once said no is not written to, whatever another row says.
                columns[field.name] = f"bool_and({column})"
            elif field in steady:
                columns[field.name] = f"max({column})"
            else:
                columns[field.name] = f"arg_max({column}, {clock})"
        rows = part.accepted
        if part.report.rows_duplicate and part.detection.table == "customers":
            # Repeated rows count as duplicates, but what they alone say is not lost.
            rows = f"(SELECT * FROM {part.relation} WHERE _bad IS NULL OR _bad = 0)"
        rest = f"(SELECT *, {self.customer} AS _customer FROM {rows}) WHERE _customer IS NOT NULL"
        return self._make("customers", columns, rest if alone else f"{rest} GROUP BY _customer")

    # Sales --------------------------------------------------------------------------------

    def _status(self) -> str | None:
        status = self._column("orders.status")
        if status is None:
            return None
        words = " OR ".join(f"contains(lower({status}), {literal(word)})" for word in _CANCELLED)
        return f"coalesce({words}, false)"

    def _refunded_status(self) -> str | None:
        status = self._column("orders.status")
        if status is None:
            return None
        words = ", ".join(literal(word) for word in _REFUNDED)
        return f"coalesce(lower({status}) IN ({words}), false)"

    def _kind(
        self, amount: str, gross: str, cancelled: str | None, back: str | None, nothing: str
    ) -> str:
        """SQL of the kind of an order; `nothing` is that of one that came to nothing."""
        cases = []
        if cancelled:
            cases.append(f"WHEN {cancelled} THEN 'cancelled'")
        if back:
            cases.append(f"WHEN {back} AND {gross} > 0 THEN 'cancelled'")
        return (
            f"CASE {' '.join(cases)} WHEN {amount} > 0 THEN 'purchase'"
            f" WHEN {amount} < 0 THEN 'return' ELSE '{nothing}' END"
        )

    def _gross(self) -> str:
        """SQL of what a row came to, before refunds."""
        for key in ("orders.amount", "order_lines.amount"):
            column = self._column(key)
            if column:
                return column
        return self._product()

    def _product(self) -> str:
        price = identifier("order_lines.unit_price")
        quantity = self._column("order_lines.quantity")
        return f"CAST({price} * {quantity} AS {DECIMAL})" if quantity else price

    def _from_orders(self) -> list[Piece]:
        """Each row is an order, a return or a refund."""
        part = self.part
        local = identifier("orders.ordered_at")
        gross = self._gross()
        refunded = self._column("orders.refunded")
        back, amount = None, gross
        if refunded:
            full = f"coalesce(abs({refunded}) = {gross} AND {gross} <> 0, false)"
            back = f"({full} OR {self._refunded_status()})" if self._refunded_status() else full
            amount = (
                f"CASE WHEN {back} THEN {gross} ELSE"
                f" CAST({gross} - coalesce(abs({refunded}), 0) AS {DECIMAL}) END"
            )
        elif self._refunded_status():
            back = self._refunded_status()
        columns: dict[str, str] = {}
        if part.has("orders.order_id"):
            columns["order_id"] = identifier("orders.order_id")
        if part.customer:
            columns["customer_id"] = self.customer
        else:
            columns["customer_id"] = "CAST(NULL AS VARCHAR)"
        columns["ordered_at"] = self._utc(local)
        columns["ordered_on"] = f"CAST({local} AS DATE)"
        columns["amount"] = amount
        # A row of a file of orders is an order by the file's own word, a gift included; an order
        # that is made of lines without a price is a sample, or a correction of the stock.
        columns["kind"] = self._kind(amount, gross, self._status(), back, "purchase")
        for name in ("currency", "margin", "refunded", "discount", "status", "channel", "store"):
            column = self._column(f"orders.{name}")
            if column:
                columns[name] = column
        if "margin" not in columns and part.has("order_lines.margin"):
            columns["margin"] = identifier("order_lines.margin")
        by_product = part.has("orders.order_id") and (
            part.has("order_lines.product") or part.has("order_lines.product_id")
        )
        if not by_product:
            for field in part.fields.of("order_lines"):
                if field.name not in columns and field.name != "line_id":
                    columns[field.name] = identifier(field.key)
        free = [*self._free("orders", columns), *self._places()]
        theirs = self._constant(free, self.customer) if part.customer else []
        known = bool(theirs) and self._everybody_known()
        for field in free:
            if field not in theirs or not known:
                columns[field.name] = identifier(field.key)
        orders = self._make("orders", columns, part.accepted, view=True)
        pieces = [orders]
        if by_product:
            pieces.append(self._lines_of_rows(orders))
        if part.customer and (part.fields.of("customers") or theirs):
            pieces.append(self._people(theirs, local))
        self._tell_kinds(orders)
        return pieces

    def _everybody_known(self) -> bool:
        row = self.connection.execute(
            f"SELECT count(*) - count({self.customer}) FROM {self.part.accepted}"
        ).fetchall()[0]
        return bool(row) and row is not None and row[0] == 0

    def _lines_of_rows(self, orders: Piece) -> Piece:
        """The products of orders that have one line each."""
        part = self.part
        gross = self._gross()
        local = identifier("orders.ordered_at")
        columns = {
            "order_id": identifier("orders.order_id"),
            "customer_id": self.customer,
            "ordered_on": f"CAST({local} AS DATE)",
            "kind": self._kind(gross, gross, self._status(), None, "purchase"),
            "amount": gross,
        }
        for field in part.fields.of("order_lines"):
            if field.name != "amount":
                columns[field.name] = identifier(field.key)
        return self._make("order_lines", columns, part.accepted, view=True)

    def _from_lines(self) -> list[Piece]:
        """Rows are lines; those of one number are an order."""
        part = self.part
        order = identifier("orders.order_id")
        local = identifier("orders.ordered_at")
        total_said = self._order_total()
        line_amount = self._line_amount(total_said)
        cancelled = self._status()
        counted = f"FILTER (NOT {cancelled})" if cancelled else ""
        if total_said:
            gross = 'any_value("orders.amount")'
        else:
            gross = f"coalesce(sum({line_amount}) {counted}, sum({line_amount}))"
        inner = {
            "order_id": order,
            "customer_id": f"min({self.customer})",
            "local": f"min({local})",
            "gross": f"CAST({gross} AS {DECIMAL})",
            "cancelled": f"bool_and({cancelled})" if cancelled else "false",
            "back": f"bool_and({self._refunded_status()})" if cancelled else "false",
        }
        columns = {
            "order_id": "order_id", "customer_id": "customer_id", "ordered_at": self._utc("local"),
            "ordered_on": "CAST(local AS DATE)",
        }  # fmt: skip
        refunded = self._column("orders.refunded")
        amount, back = "gross", "back"
        if refunded:
            inner["refunded"] = f"max(abs({refunded}))"
            full = "(back OR coalesce(refunded = gross AND gross <> 0, false))"
            amount = (
                f"CASE WHEN {full} THEN gross"
                f" ELSE CAST(gross - coalesce(refunded, 0) AS {DECIMAL}) END"
            )
            back = full
            columns["refunded"] = "refunded"
        columns["amount"] = amount
        columns["kind"] = self._kind(amount, "gross", "cancelled", back, "free")
        for name in ("currency", "status", "channel", "store"):
            column = self._column(f"orders.{name}")
            if column:
                inner[name] = f"any_value({column})"
                columns[name] = identifier(name)
        self._add_sums(inner, columns, total_said)
        free = [*self._free("orders", columns), *self._places()]
        free = [field for field in free if TABLES["order_lines"].column(field.name) is None]
        theirs = self._constant(free, self.customer) if part.customer else []
        known = self._everybody_known()
        rest = [field for field in free if field not in theirs or not known]
        of_order = self._constant(rest, order)
        for field in of_order:
            if field.name not in inner:
                inner[field.name] = f"any_value({identifier(field.key)})"
                columns[field.name] = identifier(field.name)
        grouped = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in inner.items())
        orders = self._make(
            "orders", columns, f"(SELECT {grouped} FROM {part.accepted} GROUP BY {order})"
        )
        pieces = [orders, self._lines(orders, line_amount, theirs, of_order)]
        if part.customer and (part.fields.of("customers") or theirs):
            pieces.append(self._people(theirs, local))
        self._tell_kinds(orders)
        return pieces

    def _add_sums(self, inner: dict[str, str], columns: dict[str, str], total_said: bool) -> None:
        """What lines carry and orders have in sum: margin and discount."""
        for name in ("margin", "discount"):
            column = self._column(f"orders.{name}") or self._column(f"order_lines.{name}")
            if column is None or (name == "discount" and self._is_rate(column)):
                continue
            total = f"max({column})" if total_said else f"sum({column})"
            inner[name] = f"CAST({total} AS {DECIMAL})"
            columns[name] = name

    def _is_rate(self, column: str) -> bool:
        """Whether discounts are shares (0.2) rather than amounts: those have no sum."""
        row = self.connection.execute(
            f"SELECT max(abs({column})) FROM {self.part.accepted}"
        ).fetchall()[0]
        return bool(row and row[0] is not None and 0 < row[0] < 1)

    def _order_total(self) -> bool:
        """Whether the amount on each line is that of the whole order."""
        part = self.part
        if not part.has("orders.amount"):
            return False
        if part.detection.order_level_once or part.has("order_lines.amount"):
            return True
        if not part.has("order_lines.unit_price"):
            return False
        found = summary(
            self.connection,
            "SELECT count(*) AS orders, count(*) FILTER (same) AS same,"
            " count(*) FILTER (adds_up) AS adds_up FROM (SELECT"
            ' count(DISTINCT "orders.amount") = 1 AS same,'
            f' abs(sum({self._product()}) - any_value("orders.amount")) < 0.05 AS adds_up'
            f' FROM {part.accepted} GROUP BY "orders.order_id" HAVING count(*) > 1)',
        )
        return bool(
            found["orders"] and found["same"] == found["orders"]
            and found["adds_up"] > 0.3 * found["orders"]
        )  # fmt: skip

    def _line_amount(self, total_said: bool) -> str:
        part = self.part
        if part.has("order_lines.amount"):
            return identifier("order_lines.amount")
        if part.has("orders.amount") and not total_said:
            return identifier("orders.amount")
        if part.has("order_lines.unit_price"):
            return self._product()
        return identifier("orders.amount")

    def _lines(
        self, orders: Piece, amount: str, theirs: list[Field], of_order: list[Field]
    ) -> Piece:
        part = self.part
        columns = {
            "order_id": 'l."orders.order_id"',
            "customer_id": "o.customer_id",
            "ordered_on": "o.ordered_on",
            "kind": "o.kind",
            "amount": amount,
        }
        for field in part.fields.of("order_lines"):
            if field.name != "amount":
                columns[field.name] = identifier(field.key)
        discount = self._column("orders.discount")
        if discount and self._is_rate(discount):
            columns["discount"] = discount
        elsewhere = {field.name for field in (*theirs, *of_order)}
        for field in self._free("order_lines", columns):
            if field.name not in elsewhere:
                columns[field.name] = identifier(field.key)
        return self._make(
            "order_lines", columns,
            f"{part.accepted} AS l JOIN {orders.relation} AS o"
            f' ON o.order_id = l."orders.order_id"',
        )  # fmt: skip

    def _tell_kinds(self, orders: Piece) -> None:
        """Say what was counted as returned, cancelled or free, with its amount."""
        if self.part.rows > 5_000_000:
            return
        found = summary(
            self.connection,
            "SELECT count(*) FILTER (kind = 'return') AS returns,"
            " sum(amount) FILTER (kind = 'return') AS returned,"
            " count(*) FILTER (kind = 'cancelled') AS cancelled,"
            " sum(amount) FILTER (kind = 'cancelled') AS lost,"
            " count(*) FILTER (kind = 'free') AS free,"
            " count(*) FILTER (customer_id IS NULL) AS anonymous,"
            " sum(amount) FILTER (customer_id IS NULL) AS unknown"
            f" FROM {orders.relation}",
        )
        notes = self.part.notes
        if found["returns"]:
            notes.append(
                nmsg(
                    "{n} return, {amount} in all, is taken off the revenue.",
                    "{n} returns, {amount} in all, are taken off the revenue.",
                    found["returns"], amount=Money(found["returned"]),
                )
            )  # fmt: skip
        if found["cancelled"]:
            notes.append(
                nmsg(
                    "{n} order was cancelled or wholly refunded, {amount} in all: not counted.",
                    "{n} orders were cancelled or wholly refunded, {amount} in all: not counted.",
                    found["cancelled"], amount=Money(found["lost"]),
                )
            )  # fmt: skip
        if found["free"]:
            notes.append(
                nmsg(
                    "{n} order came to nothing: counted as free.",
                    "{n} orders came to nothing: counted as free.",
                    found["free"],
                )
            )
        if found["anonymous"]:
            notes.append(
                nmsg(
                    "{n} order has no customer, {amount} in all: it counts in the revenue only.",
                    "{n} orders have no customer, {amount} in all: they count in the revenue only.",
                    found["anonymous"], amount=Money(found["unknown"]),
                )
            )  # fmt: skip
        self._tell_refunds(orders)

    def _tell_refunds(self, orders: Piece) -> None:
        """Say which refunds are larger than their order, or come before it."""
        notes = self.part.notes
        if "refunded" in orders.columns:
            larger = summary(
                self.connection,
                f"SELECT count(*) AS n FROM {orders.relation}"
                " WHERE refunded IS NOT NULL AND kind = 'return' AND abs(refunded) > 0",
            )["n"]
            if larger:
                notes.append(_larger(larger))
        if self.part.grain != "order" or not self.part.has("orders.order_id"):
            return
        found = summary(
            self.connection,
            "SELECT count(*) FILTER (back > paid) AS larger, count(*) FILTER (early) AS early"
            " FROM (SELECT -sum(amount) FILTER (amount < 0) AS back,"
            " sum(amount) FILTER (amount > 0) AS paid,"
            " min(ordered_on) FILTER (amount < 0) < min(ordered_on) FILTER (amount > 0) AS early"
            f" FROM {orders.relation} WHERE order_id IS NOT NULL AND order_id IN (SELECT order_id"
            f" FROM {orders.relation} WHERE amount < 0) GROUP BY order_id)",
        )
        if found["larger"]:
            notes.append(_larger(found["larger"]))
        if found["early"]:
            notes.append(
                nmsg(
                    "{n} refund is dated before its order: kept as the file says; check the date.",
                    "{n} refunds are dated before their orders: kept as the file says; check the"
                    " dates.",
                    found["early"],
                )
            )

    # Everything else ----------------------------------------------------------------------

    def _plain(self, table: str) -> Piece:
        """A table whose rows are those of the file."""
        part = self.part
        columns: dict[str, str] = {}
        for column in TABLES[table].columns:
            if column.name == "customer_id":
                if part.customer:
                    columns["customer_id"] = self.customer
                continue
            held = self._column(f"{table}.{column.name}")
            if held is None:
                continue
            columns[column.name] = self._utc(held) if column.type is Type.TIMESTAMP else held
        for field in self._free(table, columns):
            columns[field.name] = identifier(field.key)
        if table == "subscriptions" and "churned" not in columns and "ended_at" in columns:
            columns["churned"] = f"{columns['ended_at']} IS NOT NULL"
        return self._make(table, columns, part.accepted)

    def _responses(self) -> Piece:
        """One row an answer of each question; the comment goes with the first."""
        part = self.part
        questions = [
            (field.key, field.key.partition("question:")[2])
            for field in part.fields.of("responses")
            if field.key.startswith("responses.question:")
        ]
        score = self._column("responses.score")
        if score:
            questions.append(("responses.score", self._scale()))
        order = {"nps": 0, "csat": 1, "ces": 2, "enps": 3}
        questions.sort(key=lambda entry: order.get(entry[1], 9))
        selects = []
        for place, (key, name) in enumerate(questions):
            columns: dict[str, str] = {}
            number = self._column("responses.response_id")
            if number:
                several = f"{number} || {literal(':' + name)}"
                columns["response_id"] = several if len(questions) > 1 else number
            columns["customer_id"] = self.customer
            day = self._column("responses.responded_on")
            if day:
                columns["responded_on"] = day
            columns["question"] = literal(name)
            columns["score"] = identifier(key)
            comment = self._column("responses.comment")
            if comment:
                columns["comment"] = comment if place == 0 else "CAST(NULL AS VARCHAR)"
            for field in self._free("responses", columns):
                columns[field.name] = identifier(field.key)
            chosen = ", ".join(f"{sql} AS {identifier(n)}" for n, sql in columns.items())
            answered = f"{identifier(key)} IS NOT NULL"
            if comment and place == 0:
                answered += f" OR {comment} IS NOT NULL"
            selects.append(f"SELECT {chosen} FROM {part.accepted} WHERE {answered}")
        return self._make("responses", {name: identifier(name) for name in columns},
                          f"({' UNION ALL '.join(selects)})")  # fmt: skip

    def _scale(self) -> str:
        """Which question a bare score answers, by its scale."""
        field = self.part.fields["responses.score"]
        row = self.connection.execute(
            f"SELECT min({identifier(field.key)}), max({identifier(field.key)})"
            f" FROM {self.part.accepted}"
        ).fetchall()[0]
        low, high = row if row and row[0] is not None else (0, 10)
        if high > 7 or low < 1:
            return "nps"
        return "csat" if high <= 5 else "ces"


def _larger(count: int) -> Message:
    return nmsg(
        "{n} refund is larger than its order: kept as the file says; check the amount.",
        "{n} refunds are larger than their orders: kept as the file says; check the amounts.",
        count,
    )
