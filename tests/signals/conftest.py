"""Small books to raise signals on."""

import datetime as dt
import itertools
import random
from collections.abc import Callable

import pyarrow as pa
import pytest

from revoir.book import Activity, Book, Settings
from revoir.engines.connect import memory

_numbers = itertools.count()

SCHEMAS = {
    "orders": pa.schema(
        {
            "customer_id": pa.string(),
            "ordered_on": pa.date32(),
            "amount": pa.decimal128(18, 4),
            "kind": pa.string(),
        }
    ),
    "events": pa.schema(
        {"customer_id": pa.string(), "occurred_at": pa.timestamp("us"), "event": pa.string()}
    ),
    "interactions": pa.schema(
        {
            "customer_id": pa.string(),
            "opened_at": pa.timestamp("us"),
            "first_response_at": pa.timestamp("us"),
            "resolved_at": pa.timestamp("us"),
            "is_complaint": pa.bool_(),
            "satisfaction": pa.decimal128(18, 4),
            "text_sentiment": pa.decimal128(18, 4),
        }
    ),
    "responses": pa.schema(
        {
            "customer_id": pa.string(),
            "responded_on": pa.date32(),
            "question": pa.string(),
            "score": pa.decimal128(18, 4),
            "text_sentiment": pa.decimal128(18, 4),
        }
    ),
    "subscriptions": pa.schema(
        {
            "customer_id": pa.string(),
            "started_at": pa.date32(),
            "ended_at": pa.date32(),
            "monthly_amount": pa.decimal128(18, 4),
        }
    ),
}


def arrow(name, rows):
    """Rows (tuples, in the order of the columns) as a canonical table."""
    schema = SCHEMAS[name]
    # What is seldom told stands last, and may be left out.
    rows = [(*row, *[None] * (len(schema) - len(row))) for row in rows]
    columns = list(zip(*rows, strict=True)) or [[] for _ in schema]
    held = {
        field.name: pa.array(
            [_exact(value) if pa.types.is_decimal(field.type) else value for value in column],
            field.type,
        )
        for field, column in zip(schema, columns, strict=True)
    }
    return pa.table(held, schema=schema)


def _exact(value):
    from decimal import Decimal

    return None if value is None else Decimal(str(value)).quantize(Decimal("0.0001"))


@pytest.fixture(scope="session")
def backend():
    """One DuckDB for all the small books."""
    return memory(threads=1)


@pytest.fixture
def book_of(backend) -> Callable[..., Book]:
    """Makes a book from rows by table; `window_days` and more go into its activity rule."""

    def make(*, as_of: dt.date, rule: Activity | None = None, **tables) -> Book:
        held = {
            name: backend.create_table(f"{name}_{next(_numbers)}", arrow(name, rows))
            for name, rows in tables.items()
        }
        return Book(held, settings=Settings(activity=rule, currency="EUR"), as_of=as_of)

    return make


@pytest.fixture
def rows_of() -> Callable[..., list[dict]]:
    """The alerts of a table, by customer and day."""

    def rows(book, table):
        found = book.rows(table)
        return sorted(found, key=lambda row: (row["customer_id"], row["raised_on"]))

    return rows


SOUNDS = (None, None, None, -0.9, -0.4, 0.2, 0.8)
FIRST = dt.date(2023, 1, 1)
LAST_DAY = 500


def company(seed: int) -> dict[str, list[tuple]]:
    """Rows for every table of a small company, some of it after any day in between."""
    draw, said = random.Random(seed), random.Random(seed)

    def on(number):
        return FIRST + dt.timedelta(days=number)

    def at(number, hour=10):
        return dt.datetime.combine(on(number), dt.time(hour))

    tables: dict[str, list[tuple]] = {name: [] for name in SCHEMAS}
    for number in range(70):
        customer = f"c{number:02}"
        day, pace = draw.randrange(200), draw.choice([5, 12, 30, 60])
        while day < LAST_DAY and draw.random() > 0.06:
            amount = draw.choice([10, 25.5, 40, 80]) * (1 if draw.random() > 0.1 else 0.3)
            tables["orders"].append((customer, on(day), amount, "purchase"))
            if draw.random() < 0.08:
                tables["orders"].append((customer, on(day + 3), -5, "return"))
            if draw.random() < 0.2:
                wait = draw.choice([None, 0, 1, 4, 20])
                answered = None if wait is None else at(day + 2 + wait, 15)
                tables["interactions"].append(
                    (customer, at(day + 2), answered, answered, draw.random() < 0.6,
                     None if answered is None else draw.choice([None, 1, 2, 5]),
                     said.choice(SOUNDS))
                )  # fmt: skip
            if draw.random() < 0.3:
                question, top = draw.choice([("nps", 10), ("csat", 5), ("ces", 7), ("own", 3)])
                tables["responses"].append(
                    (customer, on(day + 5), question, draw.randint(1, top), said.choice(SOUNDS))
                )
            for _ in range(draw.randrange(4)):
                event = draw.choice(["visit", "visit", "cart", "Payment failed", "désabonnement"])
                tables["events"].append((customer, at(day + draw.randrange(20)), event))
            day += max(1, round(draw.expovariate(1 / pace)))
        if number % 4 == 0:
            start = draw.randrange(200)
            for price in (30, draw.choice([20, 30, 45])):
                length = draw.randrange(30, 200)
                tables["subscriptions"].append((customer, on(start), on(start + length), price))
                start += length
            tables["subscriptions"].append((customer, on(start), None, 30))
    return tables


def known_on(tables: dict[str, list[tuple]], day: dt.date) -> dict[str, list[tuple]]:
    """What of the tables was known at the end of a day: nothing that happened later."""

    def past(moment):
        return moment is not None and (moment.date() if hasattr(moment, "hour") else moment) <= day

    def before(value):
        return value if past(value) else None

    return {
        "orders": [row for row in tables["orders"] if past(row[1])],
        "events": [row for row in tables["events"] if past(row[1])],
        "responses": [row for row in tables["responses"] if past(row[1])],
        "interactions": [
            (
                c,
                opened,
                before(first),
                before(settled),
                complaint,
                score if past(settled) else None,
                sentiment,
            )
            for c, opened, first, settled, complaint, score, sentiment in tables["interactions"]
            if past(opened)
        ],
        "subscriptions": [
            (c, start, before(end), price)
            for c, start, end, price in tables["subscriptions"]
            if past(start)
        ],
    }


@pytest.fixture
def company_of():
    """Makes a company's rows, and those known on a day."""
    return company, known_on


@pytest.fixture
def tables_of():
    """Turns rows by table into Arrow tables."""
    return lambda rows: {name: arrow(name, held) for name, held in rows.items()}
