"""A French shop that does not exist, over several years, with the truth behind its files.

`shop` draws *Comptoir Séraphine*, teas and fine groceries: customers who join with the seasons,
buy at their own rate and leave; orders, returns and cancellations in four channels; a monthly box;
answers to surveys, contacts with service and visits to the site. In its last ten months the site's
carrier was changed for a worse one: parcels come late, customers complain, answer badly and leave.
A report that is any good finds it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from revoir.datasets.shop import catalogue, life, tables, trade, voices
from revoir.datasets.shop.truth import Truth, truth_of

TITLE = catalogue.TITLE

__all__ = ["TITLE", "Shop", "Truth", "shop"]


@dataclass(frozen=True)
class Shop:
    """The shop.

    Attributes:
        title: Its name.
        tables: Its canonical tables (see `revoir.tables`) as Arrow tables, by name.
        truth: The parameters that it was drawn from, and what follows from them.
    """

    title: str
    tables: dict[str, Any]
    truth: Truth

    def write(self, folder: str | Path, language: str = "fr") -> list[Path]:
        """Write the shop's files as a till, a web shop and a help desk would export them.

        Args:
            folder: Where to; it is made where it does not exist.
            language: "fr" (semicolons, decimal commas, 31/12/2025) or "en".

        Returns:
            The files written: customers, order lines, subscriptions, answers, contacts, visits.
            The same seed writes the same bytes. A few rows are spoiled (`Truth.blemishes`).
        """
        from revoir.datasets.shop.files import write

        return write(self.tables, Path(folder), language)


def shop(
    seed: int = 1,
    *,
    customers: int = 4_500,
    start: dt.date = dt.date(2022, 1, 1),
    end: dt.date = dt.date(2026, 7, 1),
    world: life.World | None = None,
) -> Shop:
    """Draw a shop.

    Args:
        seed: Chooses one of the shops that the parameters allow.
        customers: How many customers buy at least once.
        start: The first day.
        end: The day after the last.
        world: The parameters (default: those of `World`).

    Returns:
        The shop with its truth.

    Raises:
        ValueError: There is no customer, or less than a year.

    Examples:
        >>> small = shop(seed=7, customers=200)
        >>> small.tables["customers"].num_rows
        200
    """
    calendar = life.Calendar(start, end)
    if customers < 1 or calendar.days < 365:
        raise ValueError("a shop has a customer or more, and a year or more")
    world = world or life.World()
    # A stream of chance for each topic: a change in one leaves the others as they were.
    names = (
        "people",
        "orders",
        "customers",
        "responses",
        "interactions",
        "visits",
        "subscriptions",
    )
    streams = np.random.SeedSequence(seed).spawn(len(names))
    rng = {name: np.random.default_rng(stream) for name, stream in zip(names, streams, strict=True)}

    people, purchases = life.people_and_purchases(world, calendar, customers, rng["people"])
    orders = trade.orders_of(world, calendar, people, purchases, rng["orders"])
    responses = voices.responses_of(calendar, purchases, rng["responses"])
    interactions = voices.interactions_of(calendar, purchases, rng["interactions"])
    visits = voices.visits_of(calendar, people, purchases, rng["visits"])
    subscriptions = voices.subscriptions_of(
        world, calendar, people, purchases, rng["subscriptions"]
    )
    made = {
        "customers": tables.customers(calendar, people, rng["customers"]),
        "orders": tables.orders(calendar, orders),
        "order_lines": tables.order_lines(calendar, orders),
        "subscriptions": tables.subscriptions(subscriptions),
        "responses": tables.responses(calendar, responses),
        "interactions": tables.interactions(calendar, interactions),
        "events": tables.events(calendar, visits),
    }
    truth = truth_of(seed, world, calendar, people=people, purchases=purchases, responses=responses)
    return Shop(TITLE, made, truth)
