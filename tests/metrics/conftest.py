"""Small books to measure."""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence

import ibis
import pyarrow as pa
import pytest

from revoir.book import Activity, Book, Settings

Order = tuple[str, dt.date, float]


@pytest.fixture(scope="session")
def backend():
    """One DuckDB for all the small books."""
    return ibis.duckdb.connect()


@pytest.fixture
def book_of(backend) -> Callable[..., Book]:
    """Make a book from (customer, day, amount) orders."""

    def make(
        orders: Sequence[Order],
        *,
        window_days: int | None = None,
        as_of: dt.date | None = None,
        **tables: pa.Table,
    ) -> Book:
        held = {
            name: backend.create_table(f"{name}_{uuid.uuid4().hex}", table)
            for name, table in tables.items()
        }
        if orders:
            held["orders"] = backend.create_table(
                f"orders_{uuid.uuid4().hex}",
                pa.table(
                    {
                        "order_id": pa.array([str(n) for n in range(len(orders))], pa.string()),
                        "customer_id": pa.array([order[0] for order in orders], pa.string()),
                        "ordered_on": pa.array([order[1] for order in orders], pa.date32()),
                        "amount": pa.array([order[2] for order in orders], pa.float64()),
                    }
                ),
            )
        rule = Activity(window_days=window_days) if window_days else None
        return Book(held, settings=Settings(activity=rule), as_of=as_of)

    return make
