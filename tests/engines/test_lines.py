"""Figures by product are those of the lines, whatever stands under the numbers of their orders."""

import datetime as dt

import pyarrow as pa

from revoir.book import Book
from revoir.metrics.registry import measure

FIRST = dt.date(2024, 1, 1)


def book_on(engine) -> Book:
    days = pa.array([FIRST + dt.timedelta(n) for n in (0, 1, 9, 12, 20)], pa.date32())
    orders = {
        "order_id": ["1", "2", "1", "1", "3"],
        "customer_id": ["a", "b", "a", "a", "b"],
        "ordered_on": days,
        "amount": [50.0, 60.0, -20.0, -5.0, 8.0],
        "margin": [20.0, 24.0, -8.0, -2.0, 3.0],
        "kind": ["purchase", "purchase", "return", "return", "cancelled"],
        "channel": ["web", "shop", "web", "web", "shop"],
    }
    lines = {
        "order_id": ["1", "1", "2", "3", "1"],
        "customer_id": ["a", "a", "b", "b", "a"],
        "ordered_on": pa.array([FIRST, FIRST, FIRST, FIRST, FIRST + dt.timedelta(9)], pa.date32()),
        "amount": [10.0, 40.0, 60.0, 8.0, -20.0],
        "kind": ["purchase", "purchase", "purchase", "purchase", "return"],
        "category": ["tea", "cups", "tea", "tea", "cups"],
    }
    return Book(engine.load({"orders": pa.table(orders), "order_lines": pa.table(lines)}))


def by(book: Book, metric: str, *names: str) -> dict[tuple[str, ...], float]:
    records = measure(book, metric, by=names).records()
    return {tuple(row[name] for name in names): row["value"] for row in records}


def test_a_return_under_the_number_of_its_order_doubles_no_line(engine):
    """Each line of the order counted once more for each return: cups came to 120."""
    book = book_on(engine)
    assert by(book, "revenue", "category") == {("tea",): 70, ("cups",): 20}
    assert by(book, "revenue", "category", "channel") == {
        ("tea", "web"): 10, ("tea", "shop"): 60, ("cups", "web"): 20,
    }  # fmt: skip


def test_an_order_that_was_cancelled_since_counts_for_no_product(engine):
    """Lines of an earlier import say nothing of it, and tea came to 78."""
    assert by(book_on(engine), "orders", "category") == {("tea",): 2, ("cups",): 1}
