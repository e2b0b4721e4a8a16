"""What is true of a drawn shop, for tests to see whether figures find it."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from revoir.datasets.shop.catalogue import CHANNELS, PLANS
from revoir.datasets.shop.life import Calendar, People, Purchases, World
from revoir.datasets.shop.tables import customer_ids
from revoir.datasets.shop.voices import Responses, nps_shares


@dataclass(frozen=True)
class Month:
    """A month of the shop.

    Attributes:
        start: Its first day.
        present: Customers who had joined before it and had not left.
        joined: Customers who joined in it.
        left: Customers who left in it (of those present, or joined in it).
    """

    start: dt.date
    present: int
    joined: int
    left: int


@dataclass(frozen=True)
class Truth:
    """The parameters of a shop, and what follows from them.

    Attributes:
        seed: Its seed.
        world: Its parameters.
        start: Its first day.
        end: The day after its last.
        incident_on: The day that the carrier of `world.incident_channel` was changed.
        price_rise_on: The day that prices rose.
        customers: Arrow table, one row a customer: `customer_id`, `channel` (their own),
            `purchases_per_day` (rate while they stay), `dropout` (probability of leaving after a
            purchase that went well), `purchases` (how many), `left_on` (null while they stay).
        months: Month by month who was really there.
        leaving: Mean probability of leaving after a purchase, by channel and "before" or "after"
            the incident.
        left: Share of those purchases after which the customer did leave.
        nps_expected: Expected NPS of those who answered.
        nps_expected_by: The same by channel and "before" or "after".
        blemishes: For each file of `Shop.write`, how many rows are to be quarantined and how
            many are exact duplicates.
    """

    seed: int
    world: World
    start: dt.date
    end: dt.date
    incident_on: dt.date
    price_rise_on: dt.date
    customers: Any
    months: tuple[Month, ...]
    leaving: dict[tuple[str, str], float]
    left: dict[tuple[str, str], float]
    nps_expected: float
    nps_expected_by: dict[tuple[str, str], float]
    blemishes: dict[str, tuple[int, int]]

    def subscribers_left(self, plan: str, months: int) -> float:
        """Expected share of a plan's subscribers who are left after some renewals.

        The survivor function of the shifted beta-geometric, Fader & Hardie (2007), eq. (6):
        ``S(t) = B(α, β + t) / B(α, β)``.

        Args:
            plan: Name of the plan.
            months: How many months after the start.

        Returns:
            The share.

        Raises:
            KeyError: There is no such plan.
        """
        alpha, beta = {name: (a, b) for name, _, a, b, _ in PLANS}[plan]
        step = np.arange(months)
        return float(np.prod((beta + step) / (alpha + beta + step)))


BLEMISHES = {
    "customers": (0, 2),
    "orders": (7, 3),
    "subscriptions": (1, 0),
    "responses": (3, 0),
    "interactions": (2, 0),
    "events": (0, 0),
}
"""Rows of each file that are to be quarantined, and exact duplicates."""


def truth_of(
    seed: int,
    world: World,
    calendar: Calendar,
    *,
    people: People,
    purchases: Purchases,
    responses: Responses,
) -> Truth:
    """Gather what is true of a drawn shop."""
    answered = responses.purchase
    promoters, detractors = nps_shares(purchases.channel[answered], purchases.late[answered])
    expected = 100 * (promoters - detractors)
    after = purchases.day >= calendar.day(calendar.incident_on)
    leaving, left, nps = {}, {}, {}
    for index, channel in enumerate(CHANNELS):
        for name, side in (("before", ~after), ("after", after)):
            chosen = side & (purchases.channel == index)
            of_answers = chosen[answered]
            if chosen.any():
                leaving[channel.name, name] = float(purchases.leaving[chosen].mean())
                left[channel.name, name] = float(purchases.left[chosen].mean())
            if of_answers.any():
                nps[channel.name, name] = float(expected[of_answers].mean())
    return Truth(
        seed=seed,
        world=world,
        start=calendar.start,
        end=calendar.end,
        incident_on=calendar.incident_on,
        price_rise_on=calendar.price_rise_on,
        customers=_customers(calendar, people, purchases),
        months=_months(calendar, people),
        leaving=leaving,
        left=left,
        nps_expected=float(expected.mean()) if len(expected) else math.nan,
        nps_expected_by=nps,
        blemishes=dict(BLEMISHES),
    )


def _customers(calendar: Calendar, people: People, purchases: Purchases) -> Any:
    import pyarrow as pa

    return pa.table(
        {
            "customer_id": customer_ids(np.arange(people.count)),
            "channel": np.array([one.name for one in CHANNELS])[people.channel],
            "purchases_per_day": people.rate,
            "dropout": people.dropout,
            "purchases": np.bincount(purchases.customer, minlength=people.count),
            "left_on": pa.array(calendar.dates[people.left], mask=people.left < 0),
        }
    )


def _months(calendar: Calendar, people: People) -> tuple[Month, ...]:
    first = calendar.dates[0].astype("datetime64[M]")
    last = calendar.dates[-1].astype("datetime64[M]")
    starts = np.arange(first, last + 1)
    found = []
    for start in starts:
        begin = int((start.astype("datetime64[D]") - calendar.dates[0]).astype(int))
        end = int(((start + 1).astype("datetime64[D]") - calendar.dates[0]).astype(int))
        joined = (people.joined >= begin) & (people.joined < end)
        left = (people.left >= begin) & (people.left < end)
        present = (people.joined < begin) & ((people.left < 0) | (people.left >= begin))
        found.append(Month(start.astype("datetime64[D]").item(), *_counts(present, joined, left)))
    return tuple(found)


def _counts(*which: Any) -> tuple[int, int, int]:
    present, joined, left = (int(one.sum()) for one in which)
    return present, joined, left
