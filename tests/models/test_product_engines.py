"""Rhythms, products and what is due are the same on every engine."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.models.assortment import assortment
from revoir.models.baskets import associations
from revoir.models.next_purchase import next_purchases
from revoir.models.recommend import recommend
from revoir.models.upgrades import due_upgrades

START = dt.date(2024, 1, 1)


def tables():
    draw = np.random.default_rng(12)
    rows = []
    for customer in range(90):
        day = int(draw.integers(0, 60))
        while day < 330:
            for product in np.unique((customer % 3) * 4 + draw.integers(0, 5, 2)).tolist():
                rows.append((f"{customer:03}-{day}", customer, day, product))
            day += 1 + int(draw.lognormal(3, 0.6))
    n = len(rows)
    days = [START + dt.timedelta(days=row[2]) for row in rows]
    due = [START + dt.timedelta(days=340) if row[3] == 2 else None for row in rows]
    customers = [None if row[1] % 30 == 7 else f"c{row[1]:03}" for row in rows]
    lines = pa.table(
        {
            "order_id": [row[0] for row in rows],
            "customer_id": pa.array(customers, pa.string()),
            "ordered_on": pa.array(days, pa.date32()),
            "kind": ["return" if k % 40 == 9 else "purchase" for k in range(n)],
            "product_id": [f"P{row[3]:02}" for row in rows],
            "product": ["Postage" if row[3] == 0 else f"Tin {row[3]}" for row in rows],
            "quantity": [1.0] * n,
            "amount": [8.0 + row[3] for row in rows],
            "upgrade_on": pa.array(due, pa.date32()),
        }
    )
    orders = {
        row[0]: (customer, day) for row, customer, day in zip(rows, customers, days, strict=True)
    }
    return {
        "orders": pa.table(
            {
                "order_id": list(orders),
                "customer_id": pa.array([one for one, _ in orders.values()], pa.string()),
                "ordered_on": pa.array([one for _, one in orders.values()], pa.date32()),
                "amount": [20.0] * len(orders),
                "kind": ["purchase"] * len(orders),
            }
        ),
        "order_lines": lines,
        "products": pa.table(
            {
                "product_id": [f"P{n:02}" for n in range(20)],
                "category": [f"Shelf {n // 4}" for n in range(20)],
                "stock": [0.0 if n == 3 else 5.0 for n in range(20)],
            }
        ),
    }


@pytest.fixture(scope="module")
def reference():
    """The same shop on DuckDB."""
    import ibis

    backend = ibis.duckdb.connect()
    return Book({name: backend.create_table(name, table) for name, table in tables().items()})


def test_every_engine_says_the_same(engine, reference):
    book = Book(engine.load(tables()))
    mine, theirs = assortment(book), assortment(reference)
    assert mine.customers == theirs.customers
    assert [vars(one) for one in mine.products] == [
        pytest.approx(vars(one)) if one.price == one.price else vars(one) for one in theirs.products
    ]
    for one in mine.products:
        number = int(one.product_id[1:])
        assert one.category == f"Shelf {number // 4}"
        assert one.stock == (0 if number == 3 else 5)
    for name in ("customer", "product", "day"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
    assert recommend(book).products.to_pylist() == recommend(reference).products.to_pylist()
    assert due_upgrades(book).products.to_pylist() == due_upgrades(reference).products.to_pylist()
    assert due_upgrades(reference).products.num_rows
    pairs, others = associations(book), associations(reference)
    assert [one.together for one in pairs.strongest(5)] == [
        one.together for one in others.strongest(5)
    ]
    expected = next_purchases(reference).customers.to_pylist()
    for row, wanted in zip(next_purchases(book).customers.to_pylist(), expected, strict=True):
        assert row == {
            name: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            for name, value in wanted.items()
        }
