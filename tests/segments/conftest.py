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
        "kind": "purchase" if amount > 0 else "return" if amount < 0 else "free",
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


@pytest.fixture
def shop_tables(orders):
    """Five customers, one without orders and one unknown to the customers table; a dirty line."""
    customers = [
        {"customer_id": "ann", "name": "Ann Dubois", "city": "Tours", "age": 30, "consent": True,
         "postcode": "01000", "email": "a@x.fr", "joined_at": dt.datetime(2023, 5, 1, 23, 30)},
        {"customer_id": "bob", "name": "Bob Durand", "city": "Orléans", "age": 50, "consent": False,
         "postcode": "45000", "email": None, "joined_at": dt.datetime(2023, 6, 1)},
        {"customer_id": "cat", "name": "Cat O'Neil", "city": None, "age": None, "consent": None,
         "postcode": "37000", "email": "c@x.fr", "joined_at": None},
        {"customer_id": "dan", "name": "Dan ÉTÉ", "city": "tours", "age": 41, "consent": True,
         "postcode": None, "email": "d@x.fr", "joined_at": dt.datetime(2024, 1, 1)},
    ]  # fmt: skip
    sold = [
        orders("ann", "2023-01-10", 20, order_id="1", channel="shop"),
        orders("ann", "2024-02-10", 30, order_id="2", channel="web"),
        orders("ann", "2024-03-01", 50.5, order_id="3", channel="web"),
        orders("bob", "2024-02-20", 10, order_id="4", channel="web"),
        orders("bob", "2024-02-20", 15, order_id="5", channel="shop"),
        orders("bob", "2024-02-25", -10, order_id="6", channel="web"),
        orders("cat", "2023-06-15", 200, order_id="7", channel=None),
        orders("eve", "2024-03-10", 5, order_id="8", channel="shop"),
        orders(None, "2024-03-10", 7, order_id="9", channel="web"),
    ]
    lines = [
        {"line_id": line, "order_id": order_id, "category": category, "quantity": Decimal(quantity),
         "amount": Decimal(amount), "customer_id": who, "ordered_on": dt.date(2024, 2, 10)}
        for line, order_id, category, quantity, amount, who in (
            ("a", "1", "tea", 1, 20, "ann"), ("b", "2", "tea", 5, 20, "ann"),
            ("c", "2", "cup", 1, 10, "ann"), ("d", "9", "cup", 5, 7, None),
        )
    ]  # fmt: skip
    answers = [
        {"customer_id": who, "question": question, "responded_on": dt.date.fromisoformat(day),
         "score": None if score is None else Decimal(score)}
        for who, question, day, score in (
            ("ann", "nps", "2024-01-05", 3), ("ann", "nps", "2024-03-01", 9),
            ("bob", "nps", "2024-02-01", 10), ("bob", "nps", "2024-02-20", 6),
            ("bob", "nps", "2024-02-20", 8), ("cat", "nps", "2023-06-20", 0),
            ("cat", "nps", "2024-01-01", None), ("dan", "csat", "2024-02-02", 2),
            (None, "nps", "2024-03-01", 1),
        )
    ]  # fmt: skip
    return {"customers": customers, "orders": sold, "order_lines": lines, "responses": answers}
