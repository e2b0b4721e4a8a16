"""Messages of a site in any sequence, beside a plain account of what they tell.

The account follows the specification: persons are the messages that share an identifier, a message
counts once, an order is what its newest event says, less what was given back.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from revoir_web.customers import queries
from revoir_web.customers.models import Customer
from revoir_web.ingest import inbox
from revoir_web.ingest.models import InboxEvent, Landing, SetAside

from .conftest import lake, send

pytestmark = pytest.mark.django_db(transaction=True)

IDS = ("userId", "anonymousId", "previousId")
PRICES = {"the": Decimal("9.90"), "cafe": Decimal("12.5"), "riz": Decimal(3), "sel": Decimal("0.1")}


class Killed(Exception):
    """The worker is no more."""


class Site:
    """A site that sends what its visitors do; all by one seed.

    Each person has devices, and perhaps a number and an address by which they sign in.
    """

    def __init__(self, seed: int, key: str) -> None:
        self.random = random.Random(seed)
        self.key = key
        self.sent: list[dict[str, Any]] = []
        self.begun = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
        self.people = [
            {
                "userId": f"u{n}" if self.random.random() < 0.8 else None,
                "devices": [f"v{n}-{d}" for d in range(self.random.randint(1, 3))],
                "email": f"p{n}@example.com" if self.random.random() < 0.6 else None,
            }
            for n in range(6)
        ]
        self.orders = [f"O{n}" for n in range(7)]

    def message(self) -> dict[str, Any]:
        """Something that somebody does."""
        some = self.random
        who = some.choice(self.people)
        number, device = who["userId"], some.choice(who["devices"])
        at = self.begun + dt.timedelta(minutes=some.randint(0, 400_000))
        message: dict[str, Any] = {
            "messageId": f"m{len(self.sent)}", "timestamp": at.isoformat().replace("+00:00", "Z"),
        }  # fmt: skip
        call = some.choice(("identify", "track", "track", "track", "page", "group", "alias"))
        if call == "alias" and number is None:
            call = "page"
        if call == "alias":
            return message | {"type": "alias", "userId": number, "previousId": device}
        known = number is not None and some.random() < 0.5
        both = some.random() < 0.4
        if known:
            message["userId"] = number
        if both or not known:
            message["anonymousId"] = device
        match call:
            case "identify":
                # Somebody with a number gives no address without it: that would be a claim.
                if who["email"] and known == bool(number) and some.random() < 0.6:
                    message["traits"] = {"email": some.choice((str.upper, str))(who["email"])}
            case "group":
                message["groupId"] = "g1"
            case "page":
                message["name"] = "Accueil"
            case _:
                message |= self.happening()
        return message | {"type": call}

    def happening(self) -> dict[str, Any]:
        some = self.random
        if some.random() < 0.3:
            return {"event": "Visite"}
        said: dict[str, Any] = {"order_id": some.choice(self.orders)}
        event = some.choice(
            ("Order Completed", "Order Completed", "Order Updated", "Order Refunded")
            + (("Order Cancelled",) if some.random() < 0.2 else ())
        )
        if event in ("Order Completed", "Order Updated"):
            said["products"] = [
                {"name": name, "price": self.written(PRICES[name]), "quantity": some.randint(1, 3)}
                for name in some.sample(sorted(PRICES), some.randint(1, 3))
            ]
            told = some.choice(("total", "revenue", "products", "nothing"))
            if told == "total":
                said["total"] = self.written(Decimal(some.randint(500, 9000)) / 100)
            elif told == "revenue":
                said |= {"revenue": self.written(Decimal(some.randint(500, 9000)) / 100),
                         "tax": "2.00", "shipping": None}  # fmt: skip
            elif told == "products":
                said |= {"discount": 1}
            else:
                # It tells that the order is on its way, and nothing of what it is made of.
                said = {"order_id": said["order_id"], "status": "shipped"}
        elif event == "Order Refunded":
            said["total"] = self.written(Decimal(some.randint(1, 300)) / 100)
        return {"event": event, "properties": said}

    def written(self, amount: Decimal) -> Any:
        return self.random.choice((float(amount), str(amount), f" {amount} "))

    def run(self, steps: int) -> None:
        """Send messages one by one and in batches, some twice, while workers come and die."""
        some = self.random
        for _ in range(steps):
            batch = []
            for _ in range(some.randint(1, 6)):
                if self.sent and some.random() < 0.2:
                    batch.append({**some.choice(self.sent), "event": "Autre", "type": "track"})
                else:
                    batch.append(self.message())
                    self.sent.append(batch[-1])
            if len(batch) == 1:
                call = batch[0]["type"]
                assert send(self.key, call, batch[0]).status_code == 200
            else:
                assert send(self.key, "batch", {"batch": batch}).status_code == 200
            if some.random() < 0.4:
                self.drain(some.choice((None, some.randint(0, 4))))
        self.drain(None)

    def drain(self, steps: int | None) -> None:
        """Bring what waits into the lake; a worker dies after some steps."""
        left = 10**9 if steps is None else steps

        def fence() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed

        job: Any = SimpleNamespace(fence=fence, progress=lambda *told: None)
        try:
            inbox.drain(job)
        except Killed:
            return
        assert not InboxEvent.objects.exists()
        assert not Landing.objects.exists()

    # -- The account -------------------------------------------------------------------------
    def persons(self) -> dict[str, str]:
        """Identifier → the least of all that name the same person."""
        same: dict[str, set[str]] = {}
        for message in self.sent:
            named = {str(message[name]) for name in IDS if message.get(name)}
            email = (message.get("traits") or {}).get("email")
            named |= {email.lower()} if email else set()
            joined = named.union(*(same[name] for name in named if name in same))
            same |= dict.fromkeys(joined, joined)
        return {name: min(names) for name, names in same.items()}

    def told(self) -> dict[str, Counter[Any]]:
        """What the lake should say: events, orders and their lines."""
        persons = self.persons()

        def who(message: dict[str, Any]) -> str:
            return persons[message.get("userId") or message["anonymousId"]]

        def at(message: dict[str, Any]) -> dt.datetime:
            return dt.datetime.fromisoformat(message["timestamp"]).replace(tzinfo=None)

        events: Counter[Any] = Counter()
        of_order: dict[str, list[dict[str, Any]]] = {}
        for message in self.sent:
            if message["type"] not in ("track", "page"):
                continue
            events[who(message), message.get("event", "page"), at(message)] += 1
            number = message.get("properties", {}).get("order_id")
            if number:
                of_order.setdefault(number, []).append(message)
        orders: Counter[Any] = Counter()
        lines: Counter[Any] = Counter()
        for number, messages in of_order.items():
            placed = [m for m in messages if m["event"] in ("Order Completed", "Order Updated")]
            if not placed:
                continue
            newest = max(placed, key=at)
            # Of each part, the newest that tells it: who passes on a parcel says nothing of money.
            telling = [m for m in placed if "products" in m["properties"]]
            said = max(telling, key=at)["properties"] if telling else {"products": []}
            gross = _paid(said)
            back = sum(
                (_money(m["properties"]["total"]) for m in messages
                 if m["event"] == "Order Refunded"), Decimal(0),
            )  # fmt: skip
            off = any(m["event"] == "Order Cancelled" for m in messages)
            off = off or (gross is not None and back == gross > 0)
            kind = (
                "cancelled"
                if off
                else "return"
                if gross is not None and gross < back
                else "purchase"
            )
            amount = gross if off or gross is None else gross - back
            orders[number, who(newest), min(map(at, placed)), amount, kind] += 1
            for product in said["products"] if not off else ():
                price, quantity = _money(product["price"]), product["quantity"]
                lines[number, product["name"], kind, price * quantity] += 1
        return {"events": events, "orders": orders, "lines": lines}

    def found(self) -> dict[str, Counter[Any]]:
        """What the lake says, its customers by the least of their identifiers."""
        aliases = queries.aliases()
        names = {
            customer.pk: min(held.value for held in customer.identifiers.all())
            for customer in Customer.objects.filter(merged_into=None)
        }

        def who(id: str) -> str:
            return names[aliases.get(id, id)]

        events = lake("SELECT customer_id, event, occurred_at FROM events")
        orders = lake("SELECT order_id, customer_id, ordered_at, amount, kind FROM orders")
        lines = lake(
            "SELECT order_id, product, kind, amount FROM order_lines WHERE kind <> 'cancelled'"
        )
        return {
            "events": Counter((who(id), *rest) for id, *rest in events),
            "orders": Counter((number, who(id), *rest) for number, id, *rest in orders),
            "lines": Counter(lines),
        }


def _money(value: Any) -> Decimal:
    return Decimal(str(value).strip())


def _paid(said: dict[str, Any]) -> Decimal | None:
    """What an order comes to (None: nobody said)."""
    if not said["products"]:
        return None
    if "total" in said:
        return _money(said["total"])
    if "revenue" in said:
        return _money(said["revenue"]) + _money(said["tax"])
    return sum((_money(p["price"]) * p["quantity"] for p in said["products"]), Decimal(-1))


@pytest.mark.parametrize("seed", [3, 7, 10, 30])
def test_whatever_is_sent_the_lake_says_what_was_told(key: str, seed: int) -> None:
    """Visitors of whom a visit alone told who they are stayed customers of their own."""
    site = Site(seed, key)
    site.run(25)
    assert not SetAside.objects.exists()
    there = Customer.objects.filter(merged_into=None)
    assert there.count() == len(set(site.persons().values()))
    told, found = site.told(), site.found()
    for table, rows in told.items():
        assert found[table] == rows
