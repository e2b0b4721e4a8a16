import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from revoir.book import Activity, Book
from revoir.datasets.btyd import BgNbd, bg_nbd_orders
from revoir.datasets.shop import shop
from revoir.engines import memory
from revoir.models.churn import churn


def book_of(tables, **settings):
    """The book of Arrow tables, or lists of rows, on an in-memory DuckDB."""
    backend = memory(threads=1)
    made = {
        name: backend.create_table(
            name, rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
        )
        for name, rows in tables.items()
    }
    book = Book(made)
    return book.with_settings(**settings) if settings else book


def btyd_book(customers, seed, *, window_days=182, world=None):
    made = bg_nbd_orders(customers, world or BgNbd(), seed=seed)
    orders = pa.table(
        {
            "customer_id": np.char.add("c", made.customer_id.astype(str)),
            "ordered_at": made.ordered_at,
            "ordered_on": made.ordered_at.astype("datetime64[D]"),
            "amount": pa.array(made.amount).cast(pa.decimal128(18, 4)),
            "kind": ["purchase"] * len(made.amount),
        }
    )
    return book_of({"orders": orders}, activity=Activity(window_days=window_days))


@pytest.fixture(scope="session")
def small_shop():
    """A French shop with all seven tables: 300 customers, two and a half years."""
    return shop(seed=11, customers=300, start=dt.date(2024, 1, 1))


@pytest.fixture(scope="session")
def large_shop():
    """The French shop of the demonstration, with its truth."""
    return shop(seed=2)


@pytest.fixture(scope="session")
def in_large_shop(large_shop):
    """What is found in it."""
    return churn(book_of(large_shop.tables))


@pytest.fixture(scope="session")
def world():
    """A book of the BG/NBD world: 10,000 customers, three years."""
    return btyd_book(10_000, seed=4)


@pytest.fixture(scope="session")
def in_world(world):
    """What is found in it."""
    return churn(world)
