"""Orders as events tell of them (Segment's e-commerce specification, version 2).

Events of one order come in any sequence, and more than once: what each of them says is kept, and
the order is made anew from all that is known.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from revoir_web.ingest.returned import Return

PLACED = ("order completed", "order updated")
REFUNDED = "order refunded"
CANCELLED = "order cancelled"
ORDER_EVENTS = frozenset((*PLACED, REFUNDED, CANCELLED))
_PARTS = ("customer_id", "gross", "currency", "discount", "channel", "products")
"""What an event may tell of what was ordered."""
_STANDS = ("amount", "kind", "ordered_on")
"""What shows that a file has told an order since events did."""
_SAME_REFUND = dt.timedelta(days=31)
"""How far the day of a return in a file may be from the event that tells the same refund."""
_LARGEST = Decimal(10) ** 13
_CENTS = Decimal("0.0001")
_WRITTEN = re.compile(
    r"([+-]?)(?:[€$£]|[A-Z]{3})?\s?"
    r"(\d{1,3}([\s'’.,])\d{3}(?:\3\d{3})*|\d+)(?:([.,])(\d+))?"
    r"\s?(?:[€$£]|[A-Z]{3})?",
    re.IGNORECASE,
)
"""An amount as people write it: sign, whole part and what parts its groups, decimals."""


def is_order(event: str) -> bool:
    """Whether an event tells of an order that a company counts."""
    return event.strip().lower() in ORDER_EVENTS


def order_of(properties: dict[str, Any]) -> str | None:
    """The number of the order that an event tells of (None: it says none)."""
    number = properties.get("order_id")
    if number is None or isinstance(number, bool | dict | list) or str(number).strip() == "":
        return None
    return str(number).strip()[:200]


@dataclass
class Order:
    """All that is known of one order.

    Attributes:
        told: What events said: ``placed`` (the newest), ``refunds`` by messageId and the
            ``currencies`` that they named or, without an amount, the ``articles``;
            ``cancelled``. Parts of ``placed`` that an older event
            told than its newest have their ``times``. Refunds that a file tells, too, are
            ``in_file``: the keys of its returns by messageId.
            Where a file brought the order, or changed it since, ``placed`` is as the file has it:
            ``filed``, with the day and what was ``back`` by then.
        home: The currency of amounts that name none.
        returns: What files tell was given back of it: keys, days (None: not told) and amounts.
    """

    told: dict[str, Any] = field(default_factory=dict)
    home: str = ""
    returns: Sequence[Return] = ()

    def stand(
        self,
        number: str,
        zone: zoneinfo.ZoneInfo,
        row: Mapping[str, Any] | None,
        returns: Sequence[Return] = (),
    ) -> None:
        """Go by the order as the lake has it, where a file has told it since.

        Args:
            number: The number of the order.
            zone: The company's zone.
            row: The order in the lake (None: it is not there).
            returns: What files tell was given back of it: keys, days and amounts.
        """
        self.returns = returns
        if row is None:
            if self.told.get("placed", {}).get("filed"):
                del self.told["placed"]  # its import was undone
            return
        made, _lines = self.rows(number, zone)
        if made is not None and all(made[name] == row.get(name) for name in _STANDS):
            return
        if row.get("kind") not in ("purchase", "return", "cancelled"):
            return
        if row.get("amount") is None or row.get("ordered_on") is None:
            return
        back = row.get("refunded") or Decimal(0)
        cancelled = row["kind"] == "cancelled"
        moment = row.get("ordered_at") or dt.datetime.combine(row["ordered_on"], dt.time())
        at = moment.replace(tzinfo=dt.UTC).isoformat()
        for message, given in list(self.told.get("refunds", {}).items()):
            self._in_file(message, None if given is None else Decimal(given))
        self.told = {
            **{name: held for name, held in self.told.items() if name == "in_file"},
            "placed": {
                "filed": True,
                "at": at,
                "ordered_at": at,
                "ordered_on": row["ordered_on"].isoformat(),
                "customer_id": row.get("customer_id"),
                "gross": _text(row["amount"] if cancelled else row["amount"] + back),
                "back": _text(back),
                "currency": row.get("currency"),
                "discount": _text(row.get("discount")),
                "channel": row.get("channel"),
                "products": [],
            },
            **({"cancelled": at} if cancelled else {}),
        }

    def beside(
        self, number: str, zone: zoneinfo.ZoneInfo, row: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The order as a file has it, after what events say was given back of it since.

        Args:
            number: The number of the order.
            zone: The company's zone.
            row: The order in the file, which says nothing of what was given back.
        """
        gross = self.told.get("placed", {}).get("gross")
        if gross is not None and Decimal(gross) != row["amount"]:
            return row
        told = self
        if gross is None:
            told = Order(home=self.home)
            told.stand(number, zone, row)
            told.told |= {name: held for name, held in self.told.items() if name != "placed"}
        return told.rows(number, zone)[0] or row

    def left(
        self,
        number: str,
        zone: zoneinfo.ZoneInfo,
        row: Mapping[str, Any],
        going: Sequence[Return],
    ) -> Mapping[str, Any]:
        """The order once returns of files are gone that told the same refunds as events.

        Args:
            number: The number of the order.
            zone: The company's zone.
            row: The order in the lake.
            going: The returns: keys, days and amounts.
        """
        if row.get("refunded"):
            self.stand(number, zone, row, going)
        amounts = {key: amount for key, _day, amount in going}
        told = self.told.get("in_file", {})
        for message in [message for message, key in told.items() if key in amounts]:
            self.told.setdefault("refunds", {})[message] = _text(-amounts[told.pop(message)])
        if row.get("refunded"):
            return self.rows(number, zone)[0] or row
        return self.beside(number, zone, row)

    @property
    def given_back(self) -> bool:
        """Whether events told that anything of the order was given back, or that it is none."""
        placed = self.told.get("placed", {})
        refunds = self.told.get("refunds") or self.told.get("in_file")
        return bool(refunds or "cancelled" in self.told or Decimal(placed.get("back") or 0))

    @property
    def currency(self) -> str:
        """The currency of the order."""
        return str(self.told.get("placed", {}).get("currency") or self.home)

    def foreign(self) -> dict[str, str]:
        """The currencies of refunds that are not the order's, by messageId: none is taken off."""
        if "placed" not in self.told:
            return {}
        told = self.told.get("currencies", {}).items()
        return {message: currency for message, currency in told if currency != self.currency}

    def _in_file(self, message: str, amount: Decimal | None, day: dt.date | None = None) -> bool:
        """Whether a refund is one that a file tells, which no other refund is."""
        told: dict[str, str] = self.told.get("in_file", {})
        free = [one for one in self.returns if one[0] not in told.values()]
        for key, other, back in free if amount and message not in told else ():
            near = day is None or other is None or abs(other - day) <= _SAME_REFUND
            if near and amount == -back:
                self.told["in_file"] = told = {**told, message: key}
                self.unhear(message)
                break
        return message in told

    def unhear(self, refund: str) -> None:
        """Forget a refund, by its messageId."""
        for name in ("refunds", "currencies", "articles"):
            self.told.get(name, {}).pop(refund, None)

    @property
    def filed(self) -> bool:
        """Whether the order is as a file has it: then the file's lines are its lines."""
        return bool(self.told.get("placed", {}).get("filed"))

    @property
    def lined(self) -> bool:
        """Whether events told what lines the order has: those that a file told are none then."""
        return "products" in self.told.get("placed", {}) and not self.filed

    def hear(
        self,
        event: str,
        properties: dict[str, Any],
        *,
        message: str,
        at: dt.datetime,
        customer: str,
    ) -> None:
        """Take in what an event says.

        Args:
            event: Its name.
            properties: What it says.
            message: Its messageId.
            at: When it happened (UTC).
            customer: Who did it, as the lake knows them ("": somebody who was erased).
        """
        match event.strip().lower():
            case "order completed" | "order updated":
                self._place(_placed(properties, customer), at)
            case "order refunded":
                amount, currency = _refund(properties), _currency(properties)
                own = currency in (None, self.currency)
                if own and self._in_file(message, amount, at.date()):
                    return
                self.told.setdefault("refunds", {})[message] = _text(amount)
                if amount is not None and currency is not None:
                    self.told.setdefault("currencies", {})[message] = currency
                if amount is None and (articles := _products(properties)):
                    self.told.setdefault("articles", {})[message] = articles
            case "order cancelled":
                self.told["cancelled"] = at.isoformat()

    def _place(self, said: dict[str, Any], at: dt.datetime) -> None:
        """Take in what an order is made of: of each part, the newest event that tells it counts."""
        held = self.told.get("placed", {})
        now, before = at.isoformat(), held.get("at", "")
        if held.get("filed"):
            if not said.keys() & {"gross", "products"}:
                return
            if before > now:
                held["ordered_at"] = min(held["ordered_at"], now)
                return
            # What the file told of money given back is no less true for it.
            kept = {name: held[name] for name in ("customer_id", "back") if name in held}
            self.told["placed"] = {"at": now, "ordered_at": _earlier(held, at), **kept, **said}
            return
        known, newest = held.get("times", {}), max(before, now)
        times = {name: known.get(name, before) for name in _PARTS if held.get(name) is not None}
        fresh = {name: part for name, part in said.items() if times.get(name, "") <= now}
        times |= dict.fromkeys(fresh, now)
        self.told["placed"] = {
            **held,
            **fresh,
            "at": newest,
            "ordered_at": min(held.get("ordered_at", now), now),
            "times": {name: time for name, time in times.items() if time != newest},
        }

    def _worth(self, refund: str) -> Decimal | None:
        """What a refund gives back that names articles without prices, by those of the order."""
        prices: dict[str, Decimal] = {}
        for line in self.told.get("placed", {}).get("products") or ():
            for name in ("product", "product_id"):
                if line[name] is not None and line["price"] is not None:
                    prices.setdefault(f"{name} {line[name]}", Decimal(line["price"]))
        articles = self.told.get("articles", {}).get(refund, ())
        amounts = []
        for line in articles:
            named = [prices.get(f"{name} {line[name]}") for name in ("product_id", "product")]
            price = next(
                (one for one in (_decimal(line["price"]), *named) if one is not None), None
            )
            if price is None:
                return None
            amounts.append(abs(price * Decimal(line["quantity"])))
        return sum(amounts, Decimal(0)) if amounts else None

    def rows(
        self, number: str, zone: zoneinfo.ZoneInfo
    ) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """The order and its lines as rows of the canonical tables.

        Args:
            number: The number of the order.
            zone: The company's zone.

        Returns:
            The order (None while it is not known what was ordered), and its lines.
        """
        placed = self.told.get("placed")
        if placed is None:
            return None, []
        moment = dt.datetime.fromisoformat(placed["ordered_at"])
        gross = _decimal(placed.get("gross"))
        foreign = self.foreign()
        refunds = {id: a for id, a in self.told.get("refunds", {}).items() if id not in foreign}
        told = [Decimal(amount) for amount in refunds.values() if amount is not None]
        before = sum(told, Decimal(placed.get("back") or 0))
        worths = [self._worth(id) for id, amount in refunds.items() if amount is None]
        articles = sum((worth for worth in worths if worth is not None), Decimal(0))
        if worths and gross is not None:
            # Prices are those before discounts: no more is given back than was paid.
            articles = min(articles, max(gross - before, Decimal(0)))
        given = None if None in worths else _usable(before + articles)
        # A refund that names no amount, or none that a shop could have, gives everything back.
        back = gross if given is None else given
        if "cancelled" in self.told or back is None or (gross and back == gross > 0):
            kind, amount = "cancelled", gross
        elif gross is None:
            kind, amount = "purchase", None
        else:
            amount = gross - back
            kind = "purchase" if amount >= 0 else "return"
        order = {
            "order_id": number,
            "customer_id": placed.get("customer_id") or None,
            "ordered_at": moment.astimezone(dt.UTC).replace(tzinfo=None),
            "ordered_on": dt.date.fromisoformat(placed["ordered_on"])
            if "ordered_on" in placed
            else moment.astimezone(zone).date(),
            "amount": amount,
            "kind": kind,
            "currency": placed.get("currency"),
            "discount": _decimal(placed.get("discount")),
            "refunded": back if back else None,
            "channel": placed.get("channel"),
        }
        lines = [
            {
                "line_id": f"{number}:{place}",
                "order_id": number,
                "customer_id": order["customer_id"],
                "ordered_on": order["ordered_on"],
                "kind": kind,
                "product_id": line["product_id"],
                "product": line["product"],
                "category": line["category"],
                "quantity": Decimal(line["quantity"]),
                "unit_price": _decimal(line["price"]),
                "amount": _amount(line),
            }
            for place, line in enumerate(placed.get("products") or (), 1)
        ]
        return order, lines


def _earlier(held: dict[str, Any], at: dt.datetime) -> str:
    """When an order of a file was placed, since an event tells of it."""
    first = str(held["ordered_at"])
    if at - dt.datetime.fromisoformat(first) < dt.timedelta(days=1):
        return at.isoformat()  # the file told its day alone
    return min(first, at.isoformat())


def _products(properties: dict[str, Any]) -> list[dict[str, Any]]:
    """The products that an event names."""
    given = properties.get("products")
    products = []
    for product in given if isinstance(given, list) else ():
        if not isinstance(product, dict):
            continue
        quantity = _number(product.get("quantity"))
        products.append(
            {
                "product_id": _word(product, "product_id", "sku", "id"),
                "product": _word(product, "name"),
                "category": _word(product, "category"),
                "quantity": _text(Decimal(1) if quantity is None else quantity),
                "price": _text(_number(product.get("price"))),
            }
        )
    return products


def _placed(properties: dict[str, Any], customer: str) -> dict[str, Any]:
    """The parts of an order that an event tells."""
    products = _products(properties)
    parts = {
        # Whoever was forgotten since stays who they were in the figures.
        "customer_id": customer or None,
        "gross": _text(_gross(properties, products)),
        "currency": _currency(properties),
        "discount": _text(_number(properties.get("discount"))),
        "channel": _word(properties, "affiliation"),
        "products": products if isinstance(properties.get("products"), list) else None,
    }
    return {name: part for name, part in parts.items() if part is not None}


def _currency(properties: dict[str, Any]) -> str | None:
    currency = properties.get("currency")
    return currency.upper() if isinstance(currency, str) and len(currency) == 3 else None


def _gross(properties: dict[str, Any], products: list[dict[str, Any]]) -> Decimal | None:
    """What was paid, taxes and delivery included, from what the event says of it, if anything."""
    total = _number(properties.get("total"))
    if total is not None:
        return total
    parts = [_number(properties.get(name)) or Decimal(0) for name in ("tax", "shipping")]
    for name in ("revenue", "subtotal", "value"):
        base = _number(properties.get(name))
        if base is not None:
            return _usable(base + sum(parts))
    amounts = [amount for line in products if (amount := _amount(line)) is not None]
    discount = _number(properties.get("discount")) or Decimal(0)
    return _usable(sum(amounts) + sum(parts) - discount) if amounts else None


def _amount(line: dict[str, Any]) -> Decimal | None:
    """What a line comes to; None where it has no price, or comes to what no shop could have."""
    return (
        None
        if line["price"] is None
        else _usable(Decimal(line["price"]) * Decimal(line["quantity"]))
    )


def _refund(properties: dict[str, Any]) -> Decimal | None:
    """What an event gives back, as far as it says so itself."""
    for name in ("total", "revenue", "value"):
        amount = _number(properties.get(name))
        if amount is not None:
            return abs(amount)
    given = properties.get("products")
    products = _products(properties)
    amounts = [amount for line in products if (amount := _amount(line)) is not None]
    if not amounts or not isinstance(given, list) or len(amounts) < len(given):
        return None
    return _usable(abs(sum(amounts, Decimal(0))))


def _number(value: Any) -> Decimal | None:
    """An amount; None where it is none, or none that a shop could have."""
    if value is None or isinstance(value, bool | dict | list) or value == "":
        return None
    text = str(value).strip()
    try:
        number = Decimal(text)
    except InvalidOperation:
        return _read(text)
    return _usable(number)


def _read(text: str) -> Decimal | None:
    """An amount as people write it; None where it is none, or may be one of two.

    Examples:
        >>> _read("1 234,5 €"), _read("$1,234.50"), _read("1,234")
        (Decimal('1234.5000'), Decimal('1234.5000'), None)
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    sign, whole, group, point, decimals = found.groups()
    if group and (group == point or (point is None and group in ".," and whole.count(group) == 1)):
        return None
    digits = "".join(letter for letter in whole if letter.isdigit())
    return _usable(Decimal(f"{sign}{digits}.{decimals or 0}"))


def _usable(number: Decimal) -> Decimal | None:
    """An amount as the lake holds it; None where it is none that a shop could have."""
    if not number.is_finite() or abs(number) >= _LARGEST:
        return None
    return number.quantize(_CENTS)


def _text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _word(held: dict[str, Any], *names: str) -> str | None:
    for name in names:
        value = held.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value):
            return str(value)[:300]
    return None
