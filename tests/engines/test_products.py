"""What a list of products says of order lines is the same on every engine."""

import datetime as dt

import pyarrow as pa

from revoir.book import Book
from revoir.metrics.registry import measure

FIRST = dt.date(2024, 1, 1)
SOLD = ["TH-1", "th-1 ", "TA-2", "x9", "X9", "None such", None]
LISTED = {
    "product_id": ["TH-1", "ta-2", "x9", "X9", "TH-1"],
    "product": ["Thé", "Tasse", "Sel", "Sucre", "Thé"],
    "category": ["Thés", "Vaisselle", "Épices", "Épices douces", "Thés"],
    "organic": [True, False, None, True, True],
}


def lines_of(engine, **more) -> Book:
    days = pa.array([FIRST + dt.timedelta(n) for n in range(len(SOLD))], pa.date32())
    orders = {
        "order_id": [str(n) for n in range(len(SOLD))],
        "customer_id": [f"c{n % 3}" for n in range(len(SOLD))],
        "ordered_on": days,
        "amount": [float(n + 1) for n in range(len(SOLD))],
        "kind": ["purchase"] * len(SOLD),
    }
    lines = orders | {"product_id": pa.array(SOLD, pa.string())} | more
    tables = {"orders": orders, "order_lines": lines, "products": LISTED}
    return Book(engine.load({name: pa.table(held) for name, held in tables.items()}))


def test_codes_that_differ_in_case_or_blanks_alone(engine):
    """Two codes of the list that do so are two products, and no other code is either's."""
    book = lines_of(engine)
    rows = {row["order_id"]: row for row in book.rows(book.table("order_lines"))}
    assert [rows[str(n)]["product"] for n in range(len(SOLD))] == [
        "Thé", "Thé", "Tasse", "Sel", "Sucre", None, None,
    ]  # fmt: skip
    assert [rows[str(n)]["organic"] for n in range(4)] == [True, True, False, None]
    revenue = {row["category"]: row["value"] for row in measure(book, "revenue", by=["category"])
               .records()}  # fmt: skip
    assert revenue == {"Thés": 3, "Vaisselle": 3, "Épices": 4, "Épices douces": 5, None: 13}


def test_categories_that_are_numbers_on_lines(engine):
    """PostgreSQL puts no text beside a number, as DuckDB does."""
    book = lines_of(engine, category=pa.array([7, None, 7, None, 7, 7, 7], pa.int64()))
    rows = {row["order_id"]: row["category"] for row in book.rows(book.table("order_lines"))}
    assert (rows["0"], rows["1"], rows["3"]) == ("7", "Thés", "Épices")
