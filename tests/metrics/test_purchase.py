"""Purchases and value against plain Python, and against published and worked figures."""

import datetime as dt
from collections import defaultdict
from itertools import pairwise
from statistics import mean, median

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from revoir.experiments.intervals import ratio_interval
from revoir.metrics.registry import Question, measure, measure_many, metric_named, metrics
from revoir.periods import Grain, Period

DAY_0 = dt.date(2023, 1, 1)

orders_strategy = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", "e"]),
        st.integers(0, 90).map(lambda n: DAY_0 + dt.timedelta(days=n)),
        st.sampled_from([5.0, 12.5, 80.0]),
    ),
    min_size=1,
    max_size=40,
)

NAMES = (
    "customers",
    "orders",
    "revenue",
    "average_order_value",
    "repurchase_rate",
    "purchase_frequency",
    "revenue_per_customer",
    "repeat_revenue_share",
    "days_between_purchases",
    "median_days_between_purchases",
    "first_order_value",
    "repeat_order_value",
    "loyal_wallet",
    "new_wallet",
)


def by_hand(orders, period: Period) -> dict[str, float | None]:
    first = {}
    for customer, day, _ in orders:
        first[customer] = min(day, first.get(customer, day))
    here = [o for o in orders if period.start <= o[1] < period.end]
    people = defaultdict(list)
    for customer, day, amount in sorted(here):
        people[customer].append((day, amount))
    gaps = []
    for customer in people:
        days = sorted({day for c, day, _ in orders if c == customer})
        gaps += [
            (after - before).days
            for before, after in pairwise(days)
            if period.start <= after < period.end
        ]
    again = {c for c, rows in people.items() if len({day for day, _ in rows}) > 1}
    spent = {c: sum(amount for _, amount in rows) for c, rows in people.items()}
    total = sum(amount for *_, amount in here)
    repeat = [amount for c, day, amount in here if day > first[c]]
    newcomers = [amount for c, day, amount in here if day == first[c]]

    def over(values):
        values = list(values)
        return mean(values) if values else None

    return {
        "customers": len(people),
        "orders": len(here),
        "revenue": total,
        "average_order_value": over(amount for *_, amount in here),
        "repurchase_rate": len(again) / len(people) if people else None,
        "purchase_frequency": len(here) / len(people) if people else None,
        "revenue_per_customer": over(spent.values()),
        "repeat_revenue_share": sum(repeat) / total if total else None,
        "days_between_purchases": over(gaps),
        "median_days_between_purchases": median(gaps) if gaps else None,
        "first_order_value": over(newcomers),
        "repeat_order_value": over(repeat),
        "loyal_wallet": over(spent[c] for c, rows in people.items() if rows[-1][0] > first[c]),
        "new_wallet": over(spent[c] for c, rows in people.items() if rows[-1][0] == first[c]),
    }


@given(orders=orders_strategy, grain=st.sampled_from([None, Grain.WEEK, Grain.MONTH]))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_figures_are_what_plain_python_gives(book_of, orders, grain):
    results = measure_many(book_of(orders), NAMES, Question(grain=grain))
    for name in NAMES:
        for figure in results[name].figures:
            expected = by_hand(orders, figure.period)[name]
            if expected is None:
                assert figure.value is None, name
                assert figure.reason is not None
            else:
                assert figure.value == pytest.approx(expected), (name, figure.period)
                if figure.low is not None:
                    assert figure.low <= figure.value <= figure.high


def test_a_customer_of_ten_years_is_not_new(book_of):
    """Whoever bought on one day of the period counted as new, however long they had been there."""
    orders = [("old", dt.date(2014, 1, 5), 10.0), ("old", dt.date(2024, 1, 5), 90.0)]
    orders += [("new", dt.date(2024, 1, 9), 20.0), ("new", dt.date(2024, 1, 9), 10.0)]
    asked = Question(dt.date(2024, 1, 1), dt.date(2024, 2, 1))
    [figure] = measure_many(book_of(orders), ["new_wallet"], asked)["new_wallet"].figures
    assert metric_named("wallet_new").name == metric_named("single_wallet").name == "new_wallet"
    assert (figure.value, figure.denominator) == (30.0, 1)


def test_worked_example_of_repurchase(book_of):
    """2,000 of 5,000 customers bought again → 40 %."""
    orders = [(f"c{n}", DAY_0, 10.0) for n in range(5000)]
    orders += [(f"c{n}", DAY_0 + dt.timedelta(days=30), 10.0) for n in range(2000)]
    figure = measure(book_of(orders), "repurchase_rate").figures[0]
    assert (figure.value, figure.numerator, figure.denominator) == (0.4, 2000, 5000)
    assert figure.low < 0.4 < figure.high


def test_two_orders_on_one_day_are_no_repurchase(book_of):
    book = book_of([("a", DAY_0, 10.0), ("a", DAY_0, 4.0)])
    assert measure(book, "repurchase_rate").figures[0].value == 0


def test_returns_lower_revenue_but_not_orders(book_of):
    book = book_of([("a", DAY_0, 50.0), ("a", DAY_0 + dt.timedelta(days=3), -20.0)])
    found = measure_many(
        book,
        ["revenue", "gross_sales", "orders", "returned_share", "average_order_value"],
        Question(),
    )
    values = {name: result.figures[0].value for name, result in found.items()}
    assert values == {
        "revenue": 30.0,
        "gross_sales": 50.0,
        "orders": 1.0,
        "returned_share": 0.4,
        "average_order_value": 50.0,
    }


def test_a_basket_is_as_sure_as_its_customers_and_anonymous_orders_stand_alone(book_of):
    orders = [("a", DAY_0, 10.0), ("a", DAY_0, 30.0), ("b", DAY_0, 5.0), (None, DAY_0, 8.0)]
    orders += [(None, DAY_0, 22.0), ("c", DAY_0, -4.0)]
    (figure,) = measure(book_of(orders), "average_order_value").figures
    assert (figure.value, figure.numerator, figure.denominator) == (15.0, 75.0, 5.0)
    sums = {"numerator_squares": 1600 + 25 + 64 + 484, "denominator_squares": 4 + 1 + 1 + 1}
    expected = ratio_interval(75, 5, **sums, products=80 + 5 + 8 + 22, n=4, floor=0)
    assert (figure.low, figure.high) == pytest.approx(expected)


@given(
    orders=st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c", None]),
            st.integers(0, 40).map(lambda n: DAY_0 + dt.timedelta(days=n)),
            st.sampled_from([5.0, 12.5, 80.0]),
        ),
        min_size=1,
        max_size=30,
    ),
    grain=st.sampled_from([None, Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER]),
    start=st.sampled_from([None, DAY_0 + dt.timedelta(days=9)]),
)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_baskets_are_drawn_by_customer_in_any_period(book_of, orders, grain, start):
    assume(start is None or max(day for _customer, day, _amount in orders) >= start)
    for figure in measure(book_of(orders), "average_order_value", grain=grain, start=start).figures:
        drawn = defaultdict(list)
        for place, (customer, day, amount) in enumerate(orders):
            if figure.period.start <= day < figure.period.end:
                drawn[customer or place].append(amount)
        if not drawn:
            assert figure.value is None
            continue
        spent, bought = [sum(of) for of in drawn.values()], [len(of) for of in drawn.values()]
        assert (figure.numerator, figure.denominator) == (sum(spent), sum(bought))
        if len(drawn) > 1:
            expected = ratio_interval(
                sum(spent),
                sum(bought),
                numerator_squares=sum(x * x for x in spent),
                denominator_squares=sum(n * n for n in bought),
                products=sum(x * n for x, n in zip(spent, bought, strict=True)),
                n=len(drawn),
                floor=0,
            )
            if expected[0] == pytest.approx(expected[1]):
                expected = (None, None)  # equal values say nothing of how far others may lie
            assert (figure.low, figure.high) == pytest.approx(expected)


def test_one_order_each_leaves_room_for_more(book_of):
    orders = [(f"c{n}", DAY_0, 10.0) for n in range(20)]
    (figure,) = measure(book_of(orders), "purchase_frequency").figures
    assert (figure.value, figure.low) == (1, 1)
    assert 1.1 < figure.high < 1.3


def test_effort_stays_on_its_scale(book_of):
    scores = pa.table(
        {
            "customer_id": ["a", "b", "c"],
            "responded_on": pa.array([DAY_0] * 3, pa.date32()),
            "question": ["ces"] * 3,
            "score": [7.0, 7.0, 4.0],
        }
    )
    (figure,) = measure(book_of([], responses=scores), "ces").figures
    assert 1 <= figure.low < 6 < figure.high == 7


def test_amounts_in_two_currencies_are_not_added_up(book_of, backend):
    from revoir.book import Book

    table = pa.table(
        {
            "customer_id": ["a", "b", "c"],
            "ordered_on": pa.array([DAY_0] * 3, pa.date32()),
            "amount": [10.0, 20.0, 30.0],
            "currency": ["EUR", "USD", "EUR"],
        }
    )
    book = Book({"orders": backend.create_table("orders_two_currencies", table, overwrite=True)})
    figure = measure(book, "revenue").figures[0]
    assert figure.value is None
    assert "EUR, USD" in figure.reason.text("en")
    assert measure(book, "orders").figures[0].value == 3
    by = {f.by["currency"]: f.value for f in measure(book, "revenue", by=["currency"]).figures}
    assert by == {"EUR": 40.0, "USD": 20.0}
    chosen = measure(book, "revenue", where='currency = "USD"').figures[0]
    assert chosen.value == 20.0


def test_every_metric_answers_or_says_why_on_any_book(book_of):
    book = book_of([("a", DAY_0, 10.0)])
    for metric in metrics():
        for figure in measure(book, metric.name).figures:
            assert (figure.value is None) == (figure.reason is not None), metric.name


def test_names_in_both_languages_find_their_metric():
    assert metric_named("Taux de rétention").name == "retention_rate"
    assert metric_named("AOV").name == "average_order_value"
    assert metric_named("repeat-purchase rate").name == "repurchase_rate"


def test_no_name_is_shared_by_two_metrics():
    seen = {}
    for metric in metrics():
        for name in (metric.name, *metric.aliases):
            assert seen.setdefault(name, metric.name) == metric.name, name


@given(orders=orders_strategy)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_summary_is_what_plain_python_gives(book_of, orders):
    from revoir.metrics.summary import customer_summary

    book = book_of(orders)
    by_day = defaultdict(lambda: defaultdict(float))
    for customer, day, amount in orders:
        by_day[customer][day] += amount
    for row in book.rows(customer_summary(book)):
        days = by_day[row["customer_id"]]
        first, last = min(days), max(days)
        repeats = [amount for day, amount in days.items() if day > first]
        assert row["frequency"] == len(repeats)
        assert row["recency"] == (last - first).days
        assert row["T"] == (book.as_of - first).days
        expected = pytest.approx(mean(repeats)) if repeats else None
        assert row["monetary_value"] == expected


def test_a_group_that_changes_says_its_day(book_of):
    """What customers are today is nothing that they were when they bought, but in retention."""
    held = book_of(
        [(f"c{n}", dt.date(2024, month, 1 + n), 10.0 * n) for n in range(9) for month in (1, 3, 5)],
        window_days=60,
    )
    told = "group they are in on"

    def says(name: str, **asked: object) -> bool:
        notes = measure(held, name, **asked).notes
        return any(told in note.text("en") for note in notes)

    assert says("revenue", by=["segment"])
    assert says("revenue", where='segment = "champions"')
    assert not says("revenue")
    assert not says("retention_rate", by=["segment"])
    many = measure_many(held, ["revenue", "orders"], Question(by=("segment",)))
    assert all(any(told in note.text("en") for note in one.notes) for one in many.values())
