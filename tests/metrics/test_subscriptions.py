"""Subscriptions against worked figures and customer-by-customer counting."""

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revoir.book import Activity, Book
from revoir.metrics.registry import Question, measure, measure_many, metrics
from revoir.periods import Grain

Q1 = {"start": dt.date(2024, 1, 1), "end": dt.date(2024, 4, 1)}


def table(rows):
    return pa.table(
        {
            "customer_id": pa.array([row[0] for row in rows], pa.string()),
            "started_at": pa.array([row[1] for row in rows], pa.date32()),
            "ended_at": pa.array([row[2] for row in rows], pa.date32()),
            "monthly_amount": pa.array([row[3] for row in rows], pa.float64()),
            "plan": pa.array([row[4] if len(row) > 4 else "A" for row in rows], pa.string()),
        }
    )


def test_worked_example_of_retention(book_of):
    """S 1,000, E 900, N 200 → 70 %; churn 30 %."""
    before, left = dt.date(2023, 6, 1), dt.date(2024, 2, 10)
    rows = [(f"c{n}", before, left if n < 300 else None, 10.0) for n in range(1000)]
    rows += [(f"n{n}", dt.date(2024, 3, 1), None, 10.0) for n in range(200)]
    book = book_of([], subscriptions=table(rows), as_of=dt.date(2024, 3, 31))
    figure = measure(book, "retention_rate", **Q1).figures[0]
    assert (figure.value, figure.parts["start"], figure.parts["end"]) == (0.7, 1000, 900)
    assert figure.parts["new"] == 200
    assert measure(book, "churn_rate", **Q1).figures[0].value == 0.3
    assert measure(book, "logo_churn_rate", **Q1).figures[0].value == 0.3


def test_worked_example_of_churn(book_of):
    """1,250 of 5,000 → 25 %."""
    rows = [
        (n, dt.date(2023, 1, 1), dt.date(2024, 1, 15) if n < 1250 else None, 1.0)
        for n in range(5000)
    ]
    book = book_of(
        [], subscriptions=table([(str(r[0]), *r[1:]) for r in rows]), as_of=dt.date(2024, 3, 31)
    )
    assert measure(book, "churn_rate", **Q1).figures[0].value == 0.25


def test_movements_of_recurring_revenue(book_of):
    old, mid = dt.date(2023, 5, 1), dt.date(2024, 2, 1)
    rows = [
        ("stays", old, None, 100.0),
        ("grows", old, mid, 50.0),
        ("grows", mid, None, 80.0),
        ("shrinks", old, mid, 60.0),
        ("shrinks", mid, None, 40.0),
        ("leaves", old, mid, 90.0),
        ("returns", old, dt.date(2023, 8, 1), 10.0),
        ("returns", mid, None, 20.0),
        ("joins", mid, None, 70.0),
    ]
    book = book_of([], subscriptions=table(rows), as_of=dt.date(2024, 3, 31))
    figure = measure(book, "mrr", **Q1).figures[0]
    assert figure.parts == {
        "start": 300.0,
        "new": 70.0,
        "reactivation": 20.0,
        "expansion": 30.0,
        "contraction": 20.0,
        "churned": 90.0,
        "end": 310.0,
    }
    assert measure(book, "grr", **Q1).figures[0].value == pytest.approx(190 / 300)
    assert measure(book, "nrr", **Q1).figures[0].value == pytest.approx(220 / 300)
    assert measure(book, "logo_churn_rate", **Q1).figures[0].value == pytest.approx(1 / 4)


def test_a_change_of_plan_the_day_after_is_no_departure(book_of):
    """From the last day of a year to the first of the next, a subscriber left and came back."""
    rows = [
        ("changes", dt.date(2023, 5, 1), dt.date(2024, 3, 31), 50.0),
        ("changes", dt.date(2024, 4, 1), None, 80.0),
        ("leaves", dt.date(2023, 5, 1), dt.date(2024, 3, 31), 50.0),
        ("leaves", dt.date(2024, 4, 2), None, 80.0),
    ]
    book = book_of([], subscriptions=table(rows), as_of=dt.date(2024, 6, 30))
    assert measure(book, "churn_rate", **Q1).figures[0].parts["lost"] == 1
    assert measure(book, "mrr", **Q1).figures[0].parts["churned"] == 50.0


def test_by_plan(book_of):
    rows = [
        (f"a{n}", dt.date(2023, 1, 1), dt.date(2024, 2, 1) if n < 4 else None, 1.0, "A")
        for n in range(10)
    ]
    rows += [(f"b{n}", dt.date(2023, 1, 1), None, 1.0, "B") for n in range(10)]
    book = book_of([], subscriptions=table(rows), as_of=dt.date(2024, 3, 31))
    values = {f.by["plan"]: f.value for f in measure(book, "churn_rate", by=["plan"], **Q1).figures}
    assert values == {"A": 0.4, "B": 0.0}


days = st.integers(0, 400).map(lambda n: dt.date(2023, 1, 1) + dt.timedelta(days=n))


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), days, st.none() | days, st.integers(1, 9)),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_recurring_revenue_adds_up(book_of, rows):
    rows = [(c, s, e if e is None or e >= s else None, float(m)) for c, s, e, m in rows]
    book = book_of([], subscriptions=table(rows), as_of=dt.date(2024, 2, 29))
    starts = {(c, s) for c, s, _, _ in rows if s <= book.as_of}

    def lasts(customer, end):
        after = end + dt.timedelta(days=1)
        return after if (customer, after) in starts else end

    ends = []
    for figure in measure(book, "mrr", grain=Grain.MONTH, start=dt.date(2023, 1, 1)).figures:
        if figure.period.end <= book.span[0]:
            assert figure.value is None
            continue
        end = min(figure.period.end, dt.date(2024, 3, 1))
        by_hand = sum(m for c, s, e, m in rows if s < end and (e is None or lasts(c, e) >= end))
        assert figure.value == pytest.approx(by_hand)
        if ends:
            assert figure.parts["start"] == pytest.approx(ends[-1])
        ends.append(figure.value)


def test_metrics_of_one_question_ask_for_its_subscriptions_once(book_of, monkeypatch):
    """Each of nine metrics followed every customer anew, and counted those without a price."""
    rows = [("a", dt.date(2023, 1, 1), None, 9.0), ("b", dt.date(2023, 1, 1), None, None)]
    book = book_of([], subscriptions=table(rows), as_of=dt.date(2024, 3, 31))
    asked, rows_of = [], Book.rows
    monkeypatch.setattr(Book, "rows", lambda self, table: asked.append(0) or rows_of(self, table))
    names = [metric.name for metric in metrics() if metric.family == "subscriptions"]
    first = measure(book, names[0], **Q1)
    once = len(asked)
    found = measure_many(book, names, Question(**Q1))
    assert len(names) == 9
    assert len(asked) == once
    assert found[names[0]] == first
    measure(book, "mrr", grain=Grain.MONTH, **Q1)
    assert len(asked) > once


def test_a_column_of_orders_leaves_subscriptions_out_and_says_so(book_of):
    rows = [("s1", dt.date(2023, 1, 1), None, 1.0), ("s2", dt.date(2023, 1, 1), None, 1.0)]
    orders = [
        ("a", dt.date(2023, 12, 1), 5.0),
        ("b", dt.date(2023, 12, 1), 5.0),
        ("a", dt.date(2024, 2, 1), 5.0),
    ]
    book = book_of(orders, subscriptions=table(rows), as_of=dt.date(2024, 3, 31))
    book = book.with_settings(activity=Activity(window_days=92, subscription=True))
    assert measure(book, "retention_rate", **Q1).figures[0].denominator == 4
    result = measure(book, "retention_rate", by=["order_id"], **Q1)
    assert {f.by["order_id"]: f.parts["start"] for f in result.figures} == {
        "0": 1,
        "1": 1,
        "2": 0,
    }
    assert "Only purchases" in result.notes[-1].text("en")
