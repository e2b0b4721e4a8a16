"""A small shop whose figures can be counted by hand, and a larger one to draw."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pytest

from revoir.book import Activity, Book, Settings
from revoir.engines.connect import memory
from revoir.reports.build import build
from revoir.reports.model import Report

Order = tuple[str, dt.date, float]


def _orders(rows: Sequence[Order]) -> pa.Table:
    return pa.table(
        {
            "customer_id": pa.array([row[0] for row in rows], pa.string()),
            "ordered_on": pa.array([row[1] for row in rows], pa.date32()),
            "amount": pa.array([row[2] for row in rows], pa.float64()).cast(pa.decimal128(18, 4)),
            "kind": ["purchase"] * len(rows),
            "channel": ["web" if len(row[0]) % 2 else "shop" for row in rows],
        }
    )


@pytest.fixture(scope="session")
def make_book() -> Iterator[Callable[..., Book]]:
    """Make a book of (customer, day, amount) orders and of other tables."""
    backend = memory(threads=1)
    names = iter(range(1000))

    def make(
        rows: Sequence[Order] = (),
        *,
        window_days: int | None = None,
        tables: dict[str, pa.Table] | None = None,
        title: str | None = None,
        **settings: object,
    ) -> Book:
        given = dict(tables or {})
        if rows:
            given["orders"] = _orders(rows)
        held = {
            name: backend.create_table(f"{name}_{next(names)}", table)
            for name, table in given.items()
        }
        rule = Activity(window_days=window_days) if window_days else None
        return Book(held, settings=Settings(activity=rule, **settings), title=title)

    yield make
    backend.disconnect()


def shop_rows(customers: int = 400, seed: int = 7) -> list[Order]:
    """Three years of a shop: customers come with a rhythm of some weeks, and most leave one day."""
    chance = random.Random(seed)
    first, last = dt.date(2021, 1, 1), dt.date(2023, 12, 31)
    rows: list[Order] = []
    for number in range(customers):
        name = f"c{number}"
        day = first + dt.timedelta(days=chance.randrange((last - first).days))
        while day <= last:
            rows.append((name, day, round(10 + chance.random() * 90, 2)))
            if chance.random() < 0.25:
                break
            day += dt.timedelta(days=1 + int(chance.expovariate(1 / 35)))
    rows.append(("last", last, 10.0))
    return rows


@pytest.fixture(scope="session")
def shop(make_book: Callable[..., Book]) -> Book:
    """The larger shop."""
    return make_book(
        shop_rows(),
        currency="EUR",
        margin=0.4,
        acquisition_cost=15.0,
        title='<b>Chez "Élise" & fils</b>',
    )


@pytest.fixture(scope="session")
def report(shop: Book) -> Report:
    """Its report."""
    return build(shop, language="fr", by=["channel"])
