"""From a converted file of sales to orders and their lines: group, net, say what was done."""

from __future__ import annotations

from revoir.engines.sql import identifier
from revoir.language import Message, Money, msg, nmsg
from revoir.reading import statuses
from revoir.reading.discounts import Discount, are_shares, before_discount, without_discount
from revoir.reading.fields import Field
from revoir.reading.part import summary
from revoir.reading.pieces import Piece, Pieces
from revoir.reading.values import DECIMAL
from revoir.tables import TABLES, plain_name

_ORDER_TOTALS = (
    "order_total", "total_order", "order_amount", "order_value", "order_total_amount",
    "total_commande", "total_de_la_commande", "montant_commande", "montant_de_la_commande",
    "montant_total_commande", "total_facture", "montant_facture", "invoice_total",
    "total_ticket", "montant_ticket", "ca_ticket", "grand_total",
    "total_paid", "total_paid_tax_incl", "total_paid_tax_excl", "total_paye", "net_a_payer",
)  # fmt: skip
"""Headers that say of an amount that it is the whole order's."""
_TOLD_APART = ("order_lines.product", "order_lines.product_id", "order_lines.unit_price")
_TOLD_BY = 3
"""Orders whose lines differ and yet carry one amount: fewer could be chance."""
_NEARLY_ALL = 0.95


class Sales(Pieces):
    """Brings the rows of a file of sales into orders, order lines and customers."""

    _discount: Discount | None = None

    def pieces(self) -> list[Piece]:
        """The orders, with lines and customers where the file says something of them."""
        return self._from_lines() if self.part.grain == "line" else self._from_orders()

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
        return self.part.amount or self._left().line

    def _left(self) -> Discount:
        """What discounts leave of price × quantity, where no column says what was paid."""
        if self._discount is None:
            self._discount = without_discount(self.connection, self.part)
        return self._discount

    def _from_orders(self) -> list[Piece]:
        """Each row is an order, a return or a refund."""
        part = self.part
        local = identifier("orders.ordered_at")
        gross = self._gross()
        refunded = self.column("orders.refunded")
        back, amount = statuses.refunded(part), gross
        if refunded:
            full = f"coalesce(abs({refunded}) = {gross} AND {gross} <> 0, false)"
            back = f"({full} OR {back})" if back else full
            amount = (
                f"CASE WHEN {back} THEN {gross} ELSE"
                f" CAST({gross} - coalesce(abs({refunded}), 0) AS {DECIMAL}) END"
            )
        columns: dict[str, str] = {}
        if part.has("orders.order_id"):
            columns["order_id"] = identifier("orders.order_id")
        if part.customer:
            columns["customer_id"] = self.customer
        else:
            columns["customer_id"] = "CAST(NULL AS VARCHAR)"
        columns["ordered_at"] = self.utc("orders.ordered_at")
        columns["ordered_on"] = f"CAST({local} AS DATE)"
        columns["amount"] = amount
        # A row of a file of orders is an order by the file's own word, a gift included; an order
        # that is made of lines without a price is a sample, or a correction of the stock.
        columns["kind"] = self._kind(amount, gross, statuses.cancelled(self.part), back, "purchase")
        for name in ("currency", "margin", "refunded", "discount", "status", "channel", "store"):
            column = self.column(f"orders.{name}")
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
        theirs, rest = self.shared_out("orders", columns)
        for field in rest:
            columns[field.name] = identifier(field.key)
        orders = self.make("orders", columns, part.accepted, view=True)
        pieces = [orders]
        if by_product:
            pieces.append(self._lines_of_rows())
        if part.customer and (part.fields.of("customers") or theirs):
            pieces.append(self.people(theirs, local))
        self._tell_kinds(orders)
        return pieces

    def _lines_of_rows(self) -> Piece:
        """The products of orders that have one line each."""
        part = self.part
        gross = self._gross()
        local = identifier("orders.ordered_at")
        columns = {
            "order_id": identifier("orders.order_id"),
            "customer_id": self.customer,
            "ordered_on": f"CAST({local} AS DATE)",
            "kind": self._kind(gross, gross, statuses.cancelled(self.part), None, "purchase"),
            "amount": gross,
        }
        for field in part.fields.of("order_lines"):
            if field.name != "amount":
                columns[field.name] = identifier(field.key)
        return self.make("order_lines", columns, part.accepted, view=True)

    def _from_lines(self) -> list[Piece]:
        """Rows are lines; those of one number are an order."""
        part = self.part
        order = str(part.order)
        local = identifier("orders.ordered_at")
        total_said = part.totals = self._order_total()
        line_amount = self._line_amount(total_said)
        cancelled = statuses.cancelled(self.part)
        counted = f"FILTER (NOT {cancelled})" if cancelled else ""
        if total_said:
            gross = 'max("orders.amount")'
        else:
            gross = f"coalesce(sum({line_amount}) {counted}, sum({line_amount}))"
            if self._discount and self._discount.order:
                # More than an order came to is off no order: it came to nothing.
                off = f"least({self._discount.order}, abs({gross}))"
                gross = f"({gross}) - sign({gross}) * {off}"
        inner = {
            "order_id": order,
            "customer_id": f"min({self.customer})",
            "local": f"min({local})",
            "gross": f"CAST({gross} AS {DECIMAL})",
            "cancelled": f"bool_and({cancelled})" if cancelled else "false",
            "back": f"bool_and({back})" if (back := statuses.refunded(self.part)) else "false",
        }
        columns = {
            "order_id": "order_id", "customer_id": "customer_id",
            "ordered_at": self.utc("orders.ordered_at", "local"),
            "ordered_on": "CAST(local AS DATE)",
        }  # fmt: skip
        refunded = self.column("orders.refunded")
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
            column = self.column(f"orders.{name}")
            if column:
                inner[name] = f"any_value({column})"
                columns[name] = identifier(name)
        self._add_sums(inner, columns, total_said)
        theirs, rest = self.shared_out("orders", columns, but=TABLES["order_lines"])
        of_order = self.constant(rest, order)
        for field in of_order:
            if field.name not in inner:
                inner[field.name] = f"any_value({identifier(field.key)})"
                columns[field.name] = identifier(field.name)
        grouped = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in inner.items())
        day = None if total_said else self._day_of_return(order, line_amount, local)
        rows = part.accepted if day is None else f"(SELECT *, {day} AS _day FROM {part.accepted})"
        by = order if day is None else f"{order}, _day"
        orders = self.make("orders", columns, f"(SELECT {grouped} FROM {rows} GROUP BY {by})")
        lines = self._lines(orders, rows, line_amount, theirs, of_order, by_day=by != order)
        if part.told is not None:
            # What those came to is told by the list that has them.
            self.connection.execute(
                f"DELETE FROM {orders.relation}"
                f" WHERE CAST(order_id AS VARCHAR) IN (SELECT key FROM {part.told})"
            )
        pieces = [orders, lines]
        if part.customer and (part.fields.of("customers") or theirs):
            pieces.append(self.people(theirs, local))
        self._tell_kinds(orders)
        return pieces

    def _add_sums(self, inner: dict[str, str], columns: dict[str, str], total_said: bool) -> None:
        """What lines carry and orders have in sum: margin and discount."""
        for name in ("margin", "discount"):
            column = self.column(f"orders.{name}") or self.column(f"order_lines.{name}")
            if column is None or (name == "discount" and are_shares(self.connection, self.part)):
                continue
            once = total_said or (
                name == "discount"
                and self._discount is not None
                and self._discount.order
                and not self._discount.both
            )
            total = f"max({column})" if once else f"sum({column})"
            inner[name] = f"CAST({total} AS {DECIMAL})"
            columns[name] = name

    def _order_total(self) -> bool:
        """Whether the amount on each line is that of the whole order; a choice is said."""
        part = self.part
        if not part.has("orders.amount"):
            return False
        if part.detection.told_once or part.detection.total_once:
            return True
        lines = part.has("order_lines.amount")
        held = part.fields["orders.amount"].mapping.header
        named = plain_name(held) in _ORDER_TOTALS
        found = summary(
            self.connection,
            "SELECT count(*) AS orders, count(*) FILTER (low = high) AS same FROM"
            f' (SELECT min("orders.amount") AS low, max("orders.amount") AS high'
            f" FROM {part.accepted} GROUP BY {part.order} HAVING count(*) > 1)",
        )
        if not found["orders"]:
            return lines or named
        said, doubtful = False, lines or named
        if found["same"] >= (_NEARLY_ALL if doubtful else 1) * found["orders"]:
            found |= summary(self.connection, self._totals_sql())
            # What lines of unlike price have in common is not theirs. Three orders whose lines
            # differ in all but this are no chance; where every line comes to just this amount, it
            # is the line's.
            told = found["differ"] > 0 and not found["alone"]
            said = (
                named
                or found["unlike"] > 0
                or found["adds_up"] > 0.3 * found["orders"]
                or (told and (lines or (found["differ"] >= _TOLD_BY and found["amounts"] > 1)))
            )
            doubtful = doubtful or told
        if said:
            part.notes.append(self._told_total(held))
        elif doubtful:
            part.notes.append(
                msg(
                    "Column {header}: its amounts were taken as those of the lines and added up to"
                    " orders. If each is the whole order's, call the column order_total.",
                    header=held,
                )
            )
        return said

    def _totals_sql(self) -> str:
        """What orders of several lines say, where one amount stands on each line."""
        part = self.part
        amount = identifier("orders.amount")
        line = self.column("order_lines.amount")
        told = ["order_lines.amount"] if line else [key for key in _TOLD_APART if part.has(key)]
        different = f"count(DISTINCT ({', '.join(map(identifier, told))}))" if told else "1"
        adds_up = alone = unlike = "false"
        if line:
            whole = f"abs(sum({line}) - any_value({amount}))"
            adds_up = f"{whole} < abs(max({line}) - any_value({amount}))"
        elif part.has("order_lines.unit_price"):
            product = part.product
            adds_up = f"abs(sum({product}) - any_value({amount})) < 0.05"
            alone = f"bool_and(abs({product} - {amount}) < 0.05)"
            unlike = f"min({product}) <> max({product})"
        return (
            "SELECT count(*) FILTER (adds_up) AS adds_up,"
            " count(*) FILTER (different > 1) AS differ, count(DISTINCT amount) AS amounts,"
            " coalesce(bool_and(alone), false) AS alone,"
            " count(*) FILTER (unlike) AS unlike FROM (SELECT"
            f" any_value({amount}) AS amount, {adds_up} AS adds_up, {alone} AS alone,"
            f" {unlike} AS unlike, {different} AS different FROM {part.accepted}"
            f" GROUP BY {part.order} HAVING count(*) > 1 AND min({amount}) = max({amount}))"
        )

    def _told_total(self, header: str) -> Message:
        part = self.part
        if part.has("order_lines.amount") or part.has("order_lines.unit_price"):
            return msg(
                "Column {header}: the same amount stands on all lines of an order, so it was taken"
                " as the order's and counted once.",
                header=header,
            )
        return msg(
            "Column {header}: the same amount stands on all lines of an order, so it was taken as"
            " the order's and counted once; the lines have no amount of their own.",
            header=header,
        )

    def _line_amount(self, total_said: bool) -> str:
        part = self.part
        if not total_said and before_discount(self.connection, part):
            return self._left().line
        if part.has("orders.amount") and not total_said:
            return identifier("orders.amount")
        if part.has("order_lines.amount"):
            return identifier("order_lines.amount")
        if part.has("order_lines.unit_price"):
            return part.product if total_said else self._left().line
        return f"CAST(NULL AS {DECIMAL})"

    def _day_of_return(self, order: str, amount: str, local: str) -> str | None:
        """SQL of the day of lines that are all given back: each day's are a return.

        None where no number has such lines of several days.
        """
        day, back = f"CAST({local} AS DATE)", f"max({amount})"
        found = summary(
            self.connection,
            f"SELECT count(*) AS n FROM (SELECT 1 FROM {self.part.accepted} GROUP BY {order}"
            f" HAVING {back} < 0 AND min({day}) <> max({day}))",
        )
        if not found["n"]:
            return None
        return f"CASE WHEN {back} OVER (PARTITION BY {order}) < 0 THEN {day} END"

    def _lines(
        self,
        orders: Piece,
        rows: str,
        amount: str,
        theirs: list[Field],
        of_order: list[Field],
        *,
        by_day: bool,
    ) -> Piece:
        part = self.part
        columns = {
            "order_id": f"l.{part.order}",
            "customer_id": "o.customer_id",
            "ordered_on": "o.ordered_on",
            "kind": "o.kind",
            "amount": amount,
        }
        for field in part.fields.of("order_lines"):
            if field.name != "amount":
                columns[field.name] = identifier(field.key)
        discount = self.column("orders.discount")
        if discount and are_shares(self.connection, part):
            columns["discount"] = discount
        if self._discount and self._discount.order and amount == self._discount.line:
            columns["amount"] = self._discount.shared_out(amount, f"l.{part.order}")
        elsewhere = {field.name for field in (*theirs, *of_order)}
        for field in self.free("order_lines", columns):
            if field.name not in elsewhere:
                columns[field.name] = identifier(field.key)
        source = f"{rows} AS l JOIN {orders.relation} AS o ON o.order_id = l.{part.order}"
        if by_day:
            source += " AND coalesce(l._day, o.ordered_on) = o.ordered_on"
        if part.told is not None:
            columns["kind"] = "coalesce(t.told, o.kind)"
            source += f" LEFT JOIN {part.told} AS t ON t.key = CAST(o.order_id AS VARCHAR)"
        return self.make("order_lines", columns, source)

    def _tell_kinds(self, orders: Piece) -> None:
        """Say what was counted as returned, cancelled or free, with its amount."""
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
                    "{n} order has no customer, {amount} in all: it counts in revenue and"
                    " orders only.",
                    "{n} orders have no customer, {amount} in all: they count in revenue and"
                    " orders only.",
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
        if self.part.unique_orders:
            # No two rows share a number: none is the refund of another one.
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


def _larger(count: int) -> Message:
    return nmsg(
        "{n} refund is larger than its order: kept as the file says; check the amount.",
        "{n} refunds are larger than their orders: kept as the file says; check the amounts.",
        count,
    )
