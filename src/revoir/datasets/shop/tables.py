"""The drawn shop as canonical tables (see `revoir.tables`), in Arrow."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import numpy.typing as npt

from revoir.datasets.shop.catalogue import (
    CHANNELS,
    DOMAINS,
    MEN,
    ORIGINS,
    PHONES,
    PLANS,
    PRODUCTS,
    STREETS,
    SURNAMES,
    TOWNS,
    WOMEN,
)
from revoir.datasets.shop.life import Calendar, Ints, People
from revoir.datasets.shop.trade import STORES, Orders
from revoir.datasets.shop.voices import Interactions, Responses, Subscriptions, Visits
from revoir.sentiment import sentiment


def customer_ids(index: Ints) -> list[str | None]:
    """What customers are called; None for nobody (-1)."""
    return [f"C{one + 1:05d}" if one >= 0 else None for one in index.tolist()]


def customers(calendar: Calendar, people: People, rng: np.random.Generator) -> Any:
    """One row a customer, with names, addresses and consent that nobody has."""
    import pyarrow as pa

    size = people.count
    woman = rng.random(size) < 0.68
    first = np.where(
        woman,
        np.array(WOMEN)[rng.integers(0, len(WOMEN), size)],
        np.array(MEN)[rng.integers(0, len(MEN), size)],
    )
    last = np.array(SURNAMES)[rng.integers(0, len(SURNAMES), size)]
    domain = np.array(DOMAINS)[rng.integers(0, len(DOMAINS), size)]
    emails = [
        f"{_address_part(one)}.{_address_part(two)}{number}@{where}"
        for number, (one, two, where) in enumerate(zip(first, last, domain, strict=True), start=1)
    ]
    # Sales at the till come without an e-mail more often than those of the site.
    shop = np.array([one.name == "boutique" for one in CHANNELS])[people.channel]
    has_email = rng.random(size) < np.where(shop, 0.72, 0.99)
    prefix = np.array(PHONES)[np.where(rng.random(size) < 0.75, 5, rng.integers(0, 5, size))]
    phones = [
        f"{one} {a:02d} {b:02d}"
        for one, a, b in zip(prefix, *rng.integers(0, 100, (2, size)), strict=True)
    ]
    has_phone = rng.random(size) < 0.8
    age_days = np.clip(rng.normal(49, 15, size), 18, 92) * 365.25
    born = np.datetime64(calendar.end, "D") - age_days.astype(np.int64)
    has_birth = rng.random(size) < 0.6
    town = [TOWNS[one] for one in people.town]
    numbers = rng.integers(1, 120, size)
    streets = np.array(STREETS)[rng.integers(0, len(STREETS), size)]
    consent = rng.random(size) < 0.64
    origin = np.array(ORIGINS)[
        np.where(
            shop,
            rng.choice(5, size, p=[0.3, 0.45, 0.08, 0.07, 0.1]),
            rng.choice(5, size, p=[0.25, 0.05, 0.28, 0.37, 0.05]),
        )
    ]
    return pa.table(
        {
            "customer_id": customer_ids(np.arange(size)),
            "gender": np.where(woman, "F", "M"),
            "first_name": first,
            "last_name": last,
            "email": pa.array(emails, mask=~has_email),
            "phone": pa.array(phones, mask=~has_phone),
            "birth_date": pa.array(born, mask=~has_birth),
            "street": [
                f"{number} {street}" for number, street in zip(numbers, streets, strict=True)
            ],
            "postcode": [one.postcode for one in town],
            "city": [one.name for one in town],
            "region": [one.region for one in town],
            "country": ["FR"] * size,
            "joined_at": pa.array(calendar.dates[people.joined].astype("datetime64[us]")),
            "consent": consent,
            "origin": origin,
        }
    )


def _address_part(name: str) -> str:
    plain = unicodedata.normalize("NFKD", str(name)).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain.lower() if letter.isalpha() or letter == "-")


def orders(calendar: Calendar, made: Orders) -> Any:
    """One row an order, a return or a cancelled order."""
    import pyarrow as pa

    return pa.table(
        {
            "order_id": order_ids(made),
            "customer_id": pa.array(customer_ids(made.customer), pa.string()),
            "ordered_at": utc_of(calendar, made.second),
            "ordered_on": calendar.dates[made.second // 86_400],
            "amount": money(made.total(made.amount)),
            "currency": ["EUR"] * made.count,
            "margin": money(made.total(made.margin)),
            "discount": money(made.total(made.discount)),
            "status": _named(
                {"purchase": "Payée", "return": "Retour", "cancelled": "Annulée"}, made.kind
            ),
            "kind": made.kind,
            "channel": _channels(made.channel),
            "store": _stores(made.store),
            "promo_code": pa.array(["BIENVENUE10"] * made.count, mask=~made.welcome),
        }
    )


def order_lines(calendar: Calendar, made: Orders) -> Any:
    """One row a line."""
    import pyarrow as pa

    of = made.line_order
    product = [PRODUCTS[one] for one in made.product]
    ids = np.array(order_ids(made), dtype=object)
    customers = np.array(customer_ids(made.customer), dtype=object)
    return pa.table(
        {
            "line_id": [f"L{number:07d}" for number in range(1, len(of) + 1)],
            "order_id": ids[of],
            "customer_id": pa.array(customers[of], pa.string()),
            "ordered_on": calendar.dates[made.second[of] // 86_400],
            "kind": made.kind[of],
            "product_id": [one.product_id for one in product],
            "product": [one.name for one in product],
            "category": [one.category for one in product],
            "quantity": money(made.quantity * 100),
            "unit_price": money(made.price),
            "discount": money(made.discount),
            "amount": money(made.amount),
            "margin": money(made.margin),
        }
    )


def subscriptions(made: Subscriptions) -> Any:
    """One row a subscription at one price."""
    import pyarrow as pa

    size = len(made.contract)
    return pa.table(
        {
            "subscription_id": [f"A{number:05d}" for number in range(1, size + 1)],
            "customer_id": customer_ids(made.customer),
            "plan": [PLANS[one][0] for one in made.plan],
            "started_at": made.started,
            "ended_at": made.ended,
            "monthly_amount": money(made.amount),
            "currency": ["EUR"] * size,
            "reason": pa.array(made.reason, pa.string()),
        }
    )


def responses(calendar: Calendar, made: Responses) -> Any:
    """One row an answer: three questions a questionnaire, the comment beside the first."""
    import pyarrow as pa

    size = len(made.customer)
    customers = customer_ids(made.customer)
    comment = pa.array(made.comment, pa.string())
    sounds = _sounds(made.comment)
    tables = [
        pa.table(
            {
                "response_id": [f"R{number:05d}-{name}" for number in range(1, size + 1)],
                "customer_id": customers,
                "responded_on": calendar.dates[made.day],
                "question": [name] * size,
                "score": money(score * 100),
                "comment": comment if name == "nps" else pa.nulls(size, pa.string()),
                "text_sentiment": sounds if name == "nps" else pa.nulls(size, pa.decimal128(18, 4)),
            }
        )
        for name, score in (("nps", made.nps), ("csat", made.csat), ("ces", made.ces))
    ]
    return pa.concat_tables(tables)


def interactions(calendar: Calendar, made: Interactions) -> Any:
    """One row a contact with customer service."""
    import pyarrow as pa

    size = len(made.customer)
    start = np.datetime64(calendar.start, "us")

    def times(second: Ints) -> Any:
        return pa.array(start + second.astype("timedelta64[s]"), mask=second < 0)

    return pa.table(
        {
            "interaction_id": [f"D{number:05d}" for number in range(1, size + 1)],
            "customer_id": customer_ids(made.customer),
            "opened_at": times(made.opened),
            "first_response_at": times(made.answered),
            "resolved_at": times(made.resolved),
            "channel": pa.array(made.channel, pa.string()),
            "kind": pa.array(made.kind, pa.string()),
            "is_complaint": made.kind == "Réclamation",
            "status": np.where(made.resolved >= 0, "Résolu", "Ouvert"),
            "satisfaction": pa.array(
                money(made.satisfaction * 100).to_pylist(),
                pa.decimal128(18, 4),
                mask=made.satisfaction == 0,
            ),
            "text": pa.array(made.subject, pa.string()),
            "text_sentiment": _sounds(made.subject),
        }
    )


def _sounds(texts: Any) -> Any:
    """How each text sounds, as reading files would have it."""
    import pyarrow as pa

    known = {text: sentiment(text) for text in set(texts)}
    return pa.array([known[text] for text in texts], pa.float64()).cast(pa.decimal128(18, 4))


def events(calendar: Calendar, made: Visits) -> Any:
    """One row a step of a visit."""
    import pyarrow as pa

    size = len(made.customer)
    return pa.table(
        {
            "event_id": [f"E{number:06d}" for number in range(1, size + 1)],
            "customer_id": customer_ids(made.customer),
            "occurred_at": utc_of(calendar, made.second),
            "event": pa.array(made.event, pa.string()),
            "session_id": [f"S{number + 1:06d}" for number in made.session.tolist()],
            "channel": pa.array(made.device, pa.string()),
        }
    )


def order_ids(made: Orders) -> list[str]:
    """What orders are called: returns have a number of their own."""
    return [
        f"{'AV' if kind == 'return' else 'CMD'}-{number:06d}"
        for number, kind in enumerate(made.kind.tolist(), start=1)
    ]


def money(cents: Ints) -> Any:
    """Cents as DECIMAL(18, 4)."""
    import pyarrow as pa

    # The two 64-bit halves of 128-bit integers, low one first, counting ten-thousandths.
    halves = np.empty((len(cents), 2), dtype=np.int64)
    halves[:, 0] = cents * 100
    halves[:, 1] = np.where(cents < 0, -1, 0)
    return pa.Array.from_buffers(pa.decimal128(18, 4), len(cents), [None, pa.py_buffer(halves)])


def utc_of(calendar: Calendar, second: Ints) -> npt.NDArray[np.datetime64]:
    """Moments of the local day (Europe/Paris), none of them at night, in UTC."""
    local = np.datetime64(calendar.start, "us") + second.astype("timedelta64[s]")
    return np.asarray(local - _offset(local.astype("datetime64[D]")))


def local_of(moments: npt.NDArray[np.datetime64]) -> npt.NDArray[np.datetime64]:
    """UTC moments on the clock of Europe/Paris."""
    # The clock changes at 1.00 UTC: an hour earlier, the day alone decides.
    return np.asarray(moments + _offset((moments - np.timedelta64(1, "h")).astype("datetime64[D]")))


def _offset(day: npt.NDArray[np.datetime64]) -> npt.NDArray[np.timedelta64]:
    """Two hours from the last Sunday of March to the day before the last Sunday of October."""
    year = day.astype("datetime64[Y]").astype("datetime64[M]")

    def last_sunday(month: int) -> npt.NDArray[np.datetime64]:
        last = (year + month).astype("datetime64[D]") - 1
        return np.asarray(last - (last.astype(np.int64) + 4) % 7)

    summer = (day >= last_sunday(3)) & (day < last_sunday(10))
    return np.where(summer, np.timedelta64(2, "h"), np.timedelta64(1, "h"))


def _named(names: dict[str, str], kinds: npt.NDArray[np.str_]) -> list[str]:
    return [names[kind] for kind in kinds.tolist()]


def _channels(channel: Ints) -> npt.NDArray[np.str_]:
    return np.array([one.name for one in CHANNELS])[channel]


def _stores(store: Ints) -> Any:
    import pyarrow as pa

    return pa.array(np.array(STORES)[store], mask=store < 0)
