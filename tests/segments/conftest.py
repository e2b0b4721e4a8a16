import datetime as dt
import random
from decimal import Decimal

import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.engines.connect import memory


@pytest.fixture
def make_book():
    """Makes a book of tables given as lists of rows, on an in-memory DuckDB."""

    def make(**tables):
        backend = memory(threads=1)
        made = {}
        for name, rows in tables.items():
            arrow = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
            made[name] = backend.create_table(name, arrow)
        return Book(made)

    return make


def order(customer, day, amount, **more):
    day = dt.date.fromisoformat(day) if isinstance(day, str) else day
    return {
        "customer_id": customer,
        "ordered_at": dt.datetime.combine(day, dt.time(10)),
        "ordered_on": day,
        "amount": Decimal(str(amount)).quantize(Decimal("0.0001")),
        **more,
    }


@pytest.fixture
def orders():
    """The maker of one row of orders: customer, ISO day, amount, and further columns."""
    return order


@pytest.fixture
def shop_rows():
    """Orders of 200 customers with ties, returns, free orders and anonymous sales."""
    draw = random.Random(20240312)
    rows = []
    for number in range(200):
        customer = f"c{number:03}"
        day = dt.date(2023, 1, 1) + dt.timedelta(days=draw.randrange(400))
        for _ in range(min(1 + int(draw.expovariate(0.6)), 12)):
            rows.append(order(customer, day, draw.choice([10, 10, 25.5, 40, 99.99, 120.25])))
            day += dt.timedelta(days=draw.choice([0, 3, 20, 45, 90]))
        if number % 9 == 0:
            rows.append(order(customer, day, -10))
        if number % 17 == 0:
            rows.append(order(customer, day, 0))
    rows += [order(None, dt.date(2024, 1, 5), 33), order("only_returns", "2023-05-05", -5)]
    draw.shuffle(rows)
    return rows
