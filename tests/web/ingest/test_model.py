"""Exports and events in any sequence, beside a plain account of what they tell of each order.

The account is a fold over what was told and not undone: the newest sale, every return once, and
what events said was given back until a file said so, or named another amount.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from revoir_web.ingest import actions, understanding
from revoir_web.ingest.models import Import

from .conftest import bring_in, drained, lake, send, work

pytestmark = pytest.mark.django_db(transaction=True)

PRODUCTS = ("cafe", "lait", "pain", "riz", "sel", "the")
HEADS = {
    "orders": "order_id,client,date,montant",
    "lines": "order_id,client,date,produit,quantite,montant",
    "notes": "order_id,client,date,montant,type",
}


@dataclass
class Sale:
    """An order as the company knows it: its lines, and what came back of which, when."""

    number: str
    client: str
    day: dt.date
    lines: dict[str, int]
    back: list[tuple[dt.date, str, int]] = field(default_factory=list)

    @property
    def gross(self) -> int:
        return sum(self.lines.values())

    def rows(self, layout: str, inside: Callable[[dt.date], bool]) -> list[str]:
        """The rows of an export that has the sales and the returns of some days."""
        start = f"{self.number},{self.client},"
        found = []
        if inside(self.day):
            told = {
                "orders": [f"{self.gross}.00"],
                "lines": [f"{name},1,{amount}.00" for name, amount in self.lines.items()],
                "notes": [f"{self.gross}.00,facture"],
            }[layout]
            found += [f"{start}{self.day},{cells}" for cells in told]
        for day, name, amount in self.back:
            cells = {"orders": f"-{amount}.00", "lines": f"{name},-1,-{amount}.00",
                     "notes": f"{amount}.00,avoir"}[layout]  # fmt: skip
            found += [f"{start}{day},{cells}"] if inside(day) else []
        return found


@dataclass
class Account:
    """What was told of an order."""

    sale: int | None = None
    back: dict[tuple[dt.date, str], int] = field(default_factory=dict)
    refunds: list[int] = field(default_factory=list)
    met: set[tuple[dt.date, str]] = field(default_factory=set)
    cancelled: bool = False

    @property
    def counts(self) -> tuple[int, int]:
        """How many purchases it is, and what they and the returns come to."""
        left = (self.sale or 0) - sum(self.refunds)
        whole = self.cancelled or (bool(self.refunds) and not left)
        sold = self.sale is not None and not whole
        return int(sold), (left if sold else 0) - sum(self.back.values())

    def refund(self, amount: int) -> None:
        """An event tells that so much was given back: perhaps what a file told."""
        for which, back in self.back.items():
            if back == amount and which not in self.met:
                self.met.add(which)
                return
        self.refunds.append(amount)


Told = Callable[[dict[str, Account]], None]


class Company:
    """A company that sells, takes back, corrects, exports, and sends events; all by one seed."""

    def __init__(self, seed: int, *layouts: str, key: str | None = None) -> None:
        self.random = random.Random(seed)
        self.layouts, self.key = layouts, key
        self.sales: list[Sale] = []
        self.told: list[tuple[Import | None, Told]] = []
        self.month = self.sent = 0

    def day(self, first: int = 1) -> dt.date:
        return dt.date(2025, self.month, self.random.randint(first, 28))

    def trade(self, *, back: int = 3, corrected: int = 2) -> None:
        """A month more: sales, returns of any month, and amounts that were wrong."""
        some = self.random
        self.month += 1
        for _ in range(some.randint(6, 10)):
            names = some.sample(PRODUCTS, some.choice((1, 1, 2, 3)))
            lines = {name: some.randint(20, 90) for name in names}
            number, client = f"N{len(self.sales) + 1}", f"C{some.randint(1, 12)}"
            self.sales.append(Sale(number, client, self.day(), lines))
        for sale in some.sample(self.sales, corrected):
            if not sale.back:
                sale.lines[next(iter(sale.lines))] += some.randint(1, 9)
        for sale in some.sample(self.sales, back):
            left = [name for name in sale.lines if name not in {name for _, name, _ in sale.back}]
            day = self.day()
            if left and day > sale.day:
                name = some.choice(left)
                sale.back.append((day, name, some.randint(1, sale.lines[name] - 1)))

    def export(self, *, faulty: bool = False) -> None:
        """The sales and returns since some month come in; one row perhaps once it is corrected."""
        first, layout = self.random.randint(1, self.month), self.random.choice(self.layouts)
        since = dt.date(2025, first, 1)
        rows = [row for sale in self.sales for row in sale.rows(layout, lambda day: day >= since)]
        self.random.shuffle(rows)
        known = self.account()
        fresh = [row for row in rows if row.split(",")[0] not in known]
        bad = self.random.choice(fresh) if faulty and fresh else None
        held = bring_in("\n".join([HEADS[layout], *rows]).replace(*_faulty(bad)), "export.csv")
        assert held.state == Import.State.LANDED
        if bad is not None:
            text = understanding.quarantine_of(held, 0).read_text(encoding="utf-8-sig")
            for _ in range(2):
                bring_in(text.replace("2025-13-", "2025-"), "corrected.csv")
        sales = {sale.number: sale.gross for sale in self.sales if sale.day >= since}
        back = [
            (sale.number, (day, name), amount)
            for sale in self.sales
            for day, name, amount in sale.back
            if day >= since
        ]

        def told(known: dict[str, Account]) -> None:
            for number, gross in sales.items():
                order = known.setdefault(number, Account())
                if order.sale not in (None, gross):
                    order.refunds, order.cancelled = [], False
                order.sale = gross
            for number, which, amount in back:
                order = known.setdefault(number, Account())
                order.refunds, order.back[which] = [], amount

        self.told.append((None if bad else held, told))
        self.check()

    def undo(self) -> None:
        """One of the imports is taken out."""
        held, told = self.random.choice([one for one in self.told if one[0] is not None])
        assert held is not None
        actions.undo(held=held)
        work()
        self.told.remove((held, told))
        self.check()

    def event(self, name: str, sale: Sale, day: dt.date | None = None, **properties: Any) -> None:
        """The site tells of an order, perhaps twice."""
        assert self.key is not None
        self.sent += 1
        body = {
            "userId": sale.client, "event": name, "messageId": f"m{self.sent}",
            "timestamp": f"{day or sale.day}T12:00:00Z",
            "properties": {"order_id": sale.number, **properties},
        }  # fmt: skip
        for _ in range(self.random.choice((1, 1, 2))):
            assert send(self.key, "track", body).status_code == 200
        drained()

        def told(known: dict[str, Account]) -> None:
            order = known.setdefault(sale.number, Account())
            if name == "Order Completed":
                order.sale = properties["total"]
            elif name == "Order Refunded":
                order.refund(properties["total"])
            else:
                order.cancelled = True

        self.told.append((None, told))
        self.check()

    def account(self) -> dict[str, Account]:
        known: dict[str, Account] = {}
        for _held, told in self.told:
            told(known)
        return known

    def check(self) -> None:
        """The lake has just what was told."""
        account = self.account().items()
        known = {number: order.counts for number, order in account if order.sale or order.back}
        if not known:
            return
        rows = lake(
            "SELECT split_part(order_id, '~', 1), count(*) FILTER (kind = 'purchase'),"
            " CAST(coalesce(sum(amount) FILTER (kind <> 'cancelled'), 0) AS INTEGER)"
            " FROM orders GROUP BY 1"
        )
        found = {number: (sold, amount) for number, sold, amount in rows}
        assert {n: held for n, held in found.items() if n in known or held != (0, 0)} == known
        if self.layouts == ("lines",) and not self.key:
            [(of_lines,)] = lake("SELECT sum(amount) FROM order_lines WHERE kind <> 'cancelled'")
            assert of_lines == sum(amount for _sold, amount in known.values())


def _faulty(row: str | None) -> tuple[str, str]:
    """A row, and what it is with a month that there is not."""
    return (row or "\0", (row or "\0").replace("2025-", "2025-13-"))


@pytest.mark.parametrize(("seed", "layouts"), [(3, ("lines",)), (1, ("orders", "lines", "notes"))])
def test_exports_that_overlap(company: object, seed: int, layouts: tuple[str, ...]) -> None:
    shop = Company(seed, *layouts)
    for _ in range(5):
        shop.trade()
        shop.export()


def test_exports_with_rows_that_are_corrected(company: object) -> None:
    shop = Company(3, "lines")
    for _ in range(2):
        shop.trade(corrected=0)
        shop.export(faulty=True)


@pytest.mark.parametrize(
    ("seed", "layouts", "months"),
    [(4, ("orders",), 2), (5, ("lines",), 3), (1, ("orders", "lines"), 2)],
)
def test_exports_that_are_undone(
    company: object, seed: int, layouts: tuple[str, ...], months: int
) -> None:
    shop = Company(seed, *layouts)
    for _ in range(months):
        shop.trade(corrected=0 if "lines" in layouts else 2)
        shop.export()
        shop.export()
        shop.undo()


def test_exports_and_events(company: object, key: str) -> None:
    shop = Company(12, "orders", "lines", key=key)
    for _ in range(3):
        shop.trade(back=0)
        for _ in range(2):
            sale = shop.random.choice(shop.sales)
            what = shop.random.choice(("Order Completed", "Order Refunded", "Order Cancelled"))
            total = 3 if what == "Order Refunded" else sale.gross
            shop.event(what, sale, total=total)
        shop.export()


def test_events_of_refunds_that_are_in_later_files(company: object, key: str) -> None:
    shop = Company(3, "orders", "lines", key=key)
    for _ in range(3):
        shop.trade(back=0, corrected=0)
        shop.export()
        for sale in shop.random.sample([sale for sale in shop.sales if not sale.back], 2):
            name = next(iter(sale.lines))
            day = dt.date(2025, shop.month, 28) + dt.timedelta(days=shop.random.randint(1, 20))
            sale.back.append((day, name, 7))
            shop.event("Order Refunded", sale, total=7)


def test_events_of_refunds_that_files_told_before(company: object, key: str) -> None:
    shop = Company(1, "orders", "lines", key=key)
    for _ in range(3):
        shop.trade(back=0, corrected=0)
        late = shop.random.sample([sale for sale in shop.sales if not sale.back], 2)
        for sale in late:
            sale.back.append((dt.date(2025, shop.month, 28), next(iter(sale.lines)), 7))
        shop.export()
        for sale in late:
            shop.event("Order Refunded", sale, sale.back[-1][0], total=7)
