"""Amounts that are missing, and several contracts a customer, are the same on every engine."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.metrics.contracts import said_to_have_left
from revoir.metrics.registry import measure
from revoir.metrics.summary import amounts_known, customer_summary
from revoir.models.departures import Definition, Kind, with_worth
from revoir.models.origins import origins
from revoir.signals.registry import signal_named, values_of

START = dt.date(2024, 1, 1)
BOUGHT = [
    ("a", 0, 10), ("a", 5, 30), ("a", 9, 8), ("a", 9, None), ("a", 20, 50),
    ("b", 0, 10), ("b", 10, 20), ("b", 11, 20), ("b", 12, 20), ("b", 13, 5), ("b", 14, 5),
    ("b", 15, 5), ("c", 3, None),
]  # fmt: skip


def test_means_leave_out_what_is_missing(engine):
    names, days, amounts = zip(*BOUGHT, strict=True)
    table = pa.table(
        {
            "order_id": [f"O{place}" for place in range(len(names))],
            "customer_id": list(names),
            "ordered_at": [dt.datetime.combine(START, dt.time()) + dt.timedelta(n) for n in days],
            "ordered_on": [START + dt.timedelta(n) for n in days],
            "amount": pa.array(
                [None if one is None else Decimal(one) for one in amounts], pa.decimal128(18, 4)
            ),
            "kind": ["purchase"] * len(names),
        }
    )
    book = Book(engine.load({"orders": table}), as_of=START + dt.timedelta(40))
    found = {row["customer_id"]: row["monetary_value"] for row in book.rows(customer_summary(book))}
    assert found == {"a": 40.0, "b": 12.5, "c": None}
    known = amounts_known(book)
    assert known is not None
    counted = {row["whose"]: (row["priced"], row["amounts"]) for row in book.rows(known)}
    assert counted == {"a": (2, 3), "b": (6, 7), "c": (0, 0)}
    (origin,) = origins(book, [START + dt.timedelta(12)], 28)
    assert sorted(origin.priced.tolist()) == [0, 1, 3]
    assert measure(book, "average_order_value").figures[0].value == pytest.approx(183 / 11)
    signal = signal_named("basket_shrinking")
    rows = book.rows(signal.raised(book, values_of(signal)))
    assert {row["customer_id"] for row in rows} == {"b"}
    falling = signal_named("purchases_down")
    assert book.rows(falling.raised(book, values_of(falling))) is not None


def test_who_has_left_by_a_file_of_several_contracts(engine):
    table = pa.table(
        {
            "subscription_id": ["1", "2", "3", "4"],
            "customer_id": ["a", "a", "b", "b"],
            "plan": ["old", "new", "old", "new"],
            "churned": [True, False, True, True],
            "monthly_amount": pa.array([Decimal(30), Decimal(40)] * 2, pa.decimal128(18, 4)),
        }
    )
    book = Book(engine.load({"subscriptions": table}))
    said = with_worth(book, Definition(Kind.FILE, None), said_to_have_left(book), ())
    rows = {row["customer_id"]: (row["left"], row["worth"]) for row in book.rows(said)}
    assert rows == {"a": (False, 480), "b": (True, 840)}
    figures = measure(book, "churn_rate", by=["plan"]).figures
    assert {one.by["plan"]: (one.numerator, one.denominator) for one in figures} == {
        "new": (1, 2),
        "old": (1, 2),
    }
