"""What a customer is called, and where their rows stand in a file, changes no result."""

import dataclasses
import datetime as dt
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.datasets.shop import shop
from revoir.engines import memory
from revoir.models import worth
from revoir.models.churn import churn
from revoir.models.clv import clv
from revoir.models.gaps import History
from revoir.models.next_purchase import next_purchases
from revoir.models.purchase_days import history_of, purchase_days
from revoir.models.recommend import recommend
from revoir.models.rhythm import Rhythm
from revoir.signals import rhythm
from revoir.signals.alerts import all_alerts
from revoir.signals.health import health_scores


def book_of(tables):
    backend = memory(threads=1)
    return Book({name: backend.create_table(name, table) for name, table in tables.items()})


def twice(customers):
    """A shop as it is, and with other names on shuffled rows; and who became whom."""
    made = shop(seed=5, customers=customers, start=dt.date(2024, 1, 1)).tables
    draw = np.random.default_rng(8)
    names = made["customers"]["customer_id"].to_pylist()
    other = [f"client-{number:x}" for number in draw.permutation(10 * len(names))[: len(names)]]
    became = dict(zip(names, other, strict=True))
    renamed = {}
    for name, table in made.items():
        held = table
        if "customer_id" in table.column_names:
            whose = [became.get(one) for one in table["customer_id"].to_pylist()]
            place = table.column_names.index("customer_id")
            column = pa.array(whose, table.schema.field("customer_id").type)
            held = held.set_column(place, "customer_id", column)
        renamed[name] = held.take(draw.permutation(len(held)))
    return book_of(made), book_of(renamed), became


@pytest.fixture(scope="module")
def books():
    """A shop whose signals are learned from a part of its customers."""
    assert rhythm.SAMPLE < 2_200
    return twice(2_200)


@pytest.fixture(scope="module")
def small_books():
    return twice(600)


def assert_alike(one, other, rel=1e-5):
    """Results that are equal, but for the last digits of sums that were made in another order."""
    if isinstance(one, float):
        assert other == pytest.approx(one, rel=rel, abs=1e-9, nan_ok=True)
    elif dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            assert_alike(getattr(one, field.name), getattr(other, field.name), rel)
    elif isinstance(one, Mapping):
        assert one.keys() == other.keys()
        for key, value in one.items():
            assert_alike(value, other[key], rel)
    elif isinstance(one, list | tuple):
        for value, same in zip(one, other, strict=True):
            assert_alike(value, same, rel)
    else:
        assert one == other


def by_name(table, became=None):
    """The rows of a table by customer."""
    rows = {}
    for row in table.to_pylist():
        name = row.pop("customer_id")
        rows.setdefault(became[name] if became else name, []).append(row)
    return rows


def assert_same(first, second, became, rel=1e-5):
    """Rows that are alike, customer by customer."""
    assert_alike(by_name(first, became), by_name(second), rel)


def test_records_and_alerts_of_signals(books):
    first, second, became = books
    for one, other in zip(all_alerts(first), all_alerts(second), strict=True):
        assert_alike(one.record, other.record)
        columns = ["customer_id", "raised_on", "act", "next_act", "gone_on"]
        rows = [book.columns(found.table.select(columns))
                for book, found in ((first, one), (second, other))]  # fmt: skip
        order = [(name, "ascending") for name in columns]
        assert_same(rows[0].sort_by(order), rows[1].sort_by(order), became)


def test_health(books):
    first, second, became = books
    one, other = health_scores(first), health_scores(second)
    assert_alike(one.check(), other.check())
    # The parameters of the rhythm are sought until they change no figure that is shown.
    assert_same(first.columns(one.customers), second.columns(other.customers), became, rel=1e-3)


def test_next_purchases(books):
    first, second, became = books
    one, other = next_purchases(first), next_purchases(second)
    assert_alike(one.record, other.record)
    assert_same(one.customers, other.customers, became)


def test_worth(books, monkeypatch):
    """The total too, where its bounds are found from a part of the customers."""
    first, second, became = books
    one, other = clv(first), clv(second)
    assert one.choice.model.name == other.choice.model.name
    assert_same(one.customers, other.customers, became)
    monkeypatch.setattr(worth, "DRAWN_CUSTOMERS_MAX", 500)
    one, other = clv(first, tested=False).worth.total, clv(second, tested=False).worth.total
    assert (other.low, other.high) == pytest.approx((one.low, one.high))


def test_rhythm_of_a_part_of_the_customers(books):
    first, second, _ = books
    found = []
    for book in (first, second):
        history = history_of(book.columns(purchase_days(book, book.as_of)), book.as_of)
        found.append(Rhythm(sample=500).fit(history).parameters_)
    assert found[0] == pytest.approx(found[1])


def test_rhythm_of_rows_in_another_order():
    """Engines bring rows in any order: the last bit of a sum moved a parameter by 1.5 %."""
    draw = np.random.default_rng(1)
    gaps = draw.lognormal(3, 0.7, (400, 5)).round().clip(1)
    logs = np.log(gaps)
    silence = draw.integers(1, 200, 400).astype(float)
    sums = gaps.sum(axis=1), logs.sum(axis=1), (logs**2).sum(axis=1)
    history = History(np.full(400, 5.0), *sums, silence)
    first, *others = (
        Rhythm("lognormal").fit(history.take(draw.permutation(400))).parameters_ for _ in range(8)
    )
    assert all(one == first for one in others)


def test_recommendations(small_books):
    first, second, became = small_books
    one, other = recommend(first), recommend(second)
    assert one.record.method == other.record.method
    assert_same(one.products, other.products, became)


def test_churn(books):
    """Folds, and the order that learners see rows in, come from what is known of customers."""
    first, second, became = books
    one, other = churn(first), churn(second)
    assert one.definition == other.definition
    assert [(row.day, row.customers, row.left) for row in one.card.days] == [
        (row.day, row.customers, row.left) for row in other.card.days
    ]
    assert one.card.rule == other.card.rule
    assert "rule" not in (one.card.used, other.card.used)
    old, new = by_name(one.customers, became), by_name(other.customers)
    assert old.keys() == new.keys()
    said = np.array([(old[name][0]["probability"], new[name][0]["probability"]) for name in old])
    assert said[:, 0] == pytest.approx(said[:, 1], abs=1e-6)
    assert one.card.used == other.card.used
    for name, judged in one.card.judged.items():
        again = other.card.judged[name]
        assert (again.customers, again.left) == (judged.customers, judged.left)
        assert again.auc.value == pytest.approx(judged.auc.value)
        assert again.expected == pytest.approx(judged.expected)
    assert [row[0]["worth"] for row in old.values()] == [new[name][0]["worth"] for name in old]
