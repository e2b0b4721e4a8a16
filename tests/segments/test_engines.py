"""Segments and rules give the same on every engine."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.segments.rfm import movement, rfm
from revoir.segments.rules import condition, customers_matching, dimension

OF_CUSTOMERS = [
    'city = "Tours"', 'city != "Tours"', "city is unknown", 'not (city in ("Tours", "x"))',
    "age between 30 and 41", "consent", "not consent", "consent = no", "postcode = 01000",
    'name contains "ete"', "name = 'Cat O''Neil'", "name starts with 'CAT O'",
    "name finit par 'rand'", "name contains '%'", "name contains '\\'", "city not in ('Orléans')",
    "joined_at = 2023-05-01", "joined_at < 2024-01", "orders = 0", "orders.last_20_days >= 1",
    "revenue.last_90_days > 15.5", "revenue > 99.999999", "returns = 1", "purchase_days = 1",
    "average_order >= 33.5", "days_since_last < 10", "first_order >= 2024-01-01",
    "cohort = 2024-02", "first_channel = 'shop'", "last_channel = 'shop' or city is unknown",
    "orders.last_9999_years >= 3", "nps <= 6", "nps is unknown", "csat < 4",
    "nps <= 6 and nps_on >= 2024-01-01",
]  # fmt: skip
OF_ORDERS = [
    "amount > 20.0001", "channel != 'web'", "channel is unknown", "date >= 2024-03-01",
    "city = 'Tours' and age = 30 and channel = 'web'", "city is unknown", "not city = 'Tours'",
    "city = 'Tours' or amount < 0", "orders >= 2 and channel = 'shop'",
    "category = 'tea' and quantity = 5", "not category = 'tea'",
    "not (category = 'tea' or not (city = 'Tours' and channel contains 'WE'))",
]  # fmt: skip


def _arrow(tables):
    return {name: pa.Table.from_pylist(rows) for name, rows in tables.items()}


def _plain(rows, key):
    """Rows in one order; numbers of all kinds as they compare."""
    return sorted(
        (
            {k: float(v) if isinstance(v, Decimal | float) else v for k, v in row.items()}
            for row in rows
        ),
        key=lambda row: str(row[key]),
    )


@pytest.mark.parametrize("bins", [5, 3])
def test_scores_and_segments(engine, make_book, shop_rows, bins):
    here = make_book(orders=shop_rows)
    there = Book(engine.load(_arrow({"orders": shop_rows})))
    one, other = rfm(here, bins=bins), rfm(there, bins=bins)
    assert one.cutoffs == other.cutoffs
    assert _plain(here.rows(one.customers), "customer_id") == _plain(
        there.rows(other.customers), "customer_id"
    )
    assert [vars(row) for row in one.summary()] == [vars(row) for row in other.summary()]


def test_movement(engine, make_book, shop_rows):
    here = make_book(orders=shop_rows)
    there = Book(engine.load(_arrow({"orders": shop_rows})))
    day = dt.date(2023, 9, 1)
    one, other = movement(here, day), movement(there, day)
    assert one.counts() == other.counts()
    assert here.rows(one.moved) == there.rows(other.moved)


def test_rules(engine, make_book, shop_tables):
    here, there = make_book(**shop_tables), Book(engine.load(_arrow(shop_tables)))
    for rule in OF_CUSTOMERS:
        answers = [
            {row["customer_id"] for row in book.rows(customers_matching(book, rule))}
            for book in (here, there)
        ]
        assert answers[0] == answers[1], rule


def test_conditions(engine, make_book, shop_tables):
    here, there = make_book(**shop_tables), Book(engine.load(_arrow(shop_tables)))
    for rule in OF_ORDERS:
        answers = []
        for book in (here, there):
            table = book.table("orders")
            met = table.filter(condition(rule, table, book)).select("order_id")
            answers.append({row["order_id"] for row in book.rows(met)})
        assert answers[0] == answers[1], rule


def test_dimensions(engine, make_book, shop_tables):
    here, there = make_book(**shop_tables), Book(engine.load(_arrow(shop_tables)))
    for name in ("first_channel", "last_channel", "cohort", "city", "orders.last_30_days", "nps"):
        one, other = (
            _plain(book.rows(dimension(book, name).customers(book)), "customer_id")
            for book in (here, there)
        )
        assert one == other, name
