"""Retention against the definition, counted customer by customer."""

import datetime as dt
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revoir.metrics.activity import Gaps, propose
from revoir.metrics.registry import measure
from revoir.periods import Grain, Period, periods_between

DAY_0 = dt.date(2023, 1, 1)


def active(days: list[dt.date], t: dt.date, window: int) -> bool:
    return any(t - dt.timedelta(days=window) <= day < t for day in days)


def by_hand(orders, period: Period, window: int, as_of: dt.date):
    """Sets of customers, literally."""
    days = defaultdict(list)
    for customer, day, _ in orders:
        days[customer].append(day)
    end = min(period.end, as_of + dt.timedelta(days=1))
    there = {c for c in days if active(days[c], period.start, window)}
    still = {c for c in days if active(days[c], end, window)}
    new = {c for c in still - there if min(days[c]) >= period.start}
    return {
        "start": len(there),
        "kept": len(there & still),
        "lost": len(there - still),
        "new": len(new),
        "returned": len(still - there - new),
        "end": len(still),
    }


orders_strategy = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d"]),
        st.integers(0, 500).map(lambda n: DAY_0 + dt.timedelta(days=n)),
        st.just(10.0),
    ),
    min_size=1,
    max_size=40,
)


@given(
    orders=orders_strategy,
    window=st.sampled_from([1, 5, 31, 45, 92, 366]),
    grain=st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_period_is_what_counting_customers_gives(book_of, orders, window, grain):
    if grain is Grain.DAY:
        orders = [(c, DAY_0 + (day - DAY_0) // 5, amount) for c, day, amount in orders]
    book = book_of(orders, window_days=window)
    result = measure(book, "retention_rate", grain=grain)
    for figure in result.figures:
        expected = by_hand(orders, figure.period, window, book.as_of)
        assert figure.parts == expected, figure.period
        parts = figure.parts
        if figure.value is not None:
            gained = parts["new"] + parts["returned"]
            assert figure.value == pytest.approx((parts["end"] - gained) / parts["start"])
            assert 0 <= figure.low <= figure.value <= figure.high <= 1


@given(orders=orders_strategy, first=st.integers(0, 400), length=st.integers(1, 200))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_single_period(book_of, orders, first, length):
    start = DAY_0 + dt.timedelta(days=first)
    period = Period(start, start + dt.timedelta(days=length))
    book = book_of(orders, window_days=60)
    figure = measure(book, "churn_rate", start=period.start, end=period.end).figures[0]
    if period.start > book.as_of or period.end <= book.span[0]:
        assert figure.value is None
        return
    assert figure.parts == by_hand(orders, period, 60, book.as_of)


def test_a_longer_history_than_one_query_asks_about(book_of):
    orders = [("a", DAY_0 + dt.timedelta(days=70 * n), 5.0) for n in range(90)]
    orders += [("b", DAY_0, 5.0), ("b", DAY_0 + dt.timedelta(days=4000), 5.0)]
    book = book_of(orders, window_days=7)
    figures = measure(book, "retention_rate", grain=Grain.MONTH).figures
    assert len(figures) > 150
    for figure in figures:
        assert figure.parts == by_hand(orders, figure.period, 7, book.as_of)


def test_the_worked_example_of_the_definition(book_of):
    """S 1,000, E 900, N 200 → 70 %."""
    before, during, end = dt.date(2023, 12, 15), dt.date(2024, 2, 15), dt.date(2024, 4, 1)
    orders = [(f"c{n}", before, 10.0) for n in range(1000)]
    orders += [(f"c{n}", during, 10.0) for n in range(700)]
    orders += [(f"n{n}", during, 10.0) for n in range(200)]
    book = book_of(orders, window_days=92, as_of=dt.date(2024, 3, 31))
    figure = measure(book, "retention_rate", start=dt.date(2024, 1, 1), end=end).figures[0]
    assert (figure.value, figure.numerator, figure.denominator) == (0.7, 700, 1000)
    assert figure.parts["end"] == 900
    assert figure.parts["new"] == 200
    assert figure.complete
    churn = measure(book, "churn", start=dt.date(2024, 1, 1), end=end).figures[0]
    assert churn.value == pytest.approx(0.3)


def test_nobody_at_the_start_is_not_enough_data(book_of):
    book = book_of([("a", DAY_0, 1.0), ("a", DAY_0 + dt.timedelta(days=40), 1.0)], window_days=31)
    figure = measure(book, "retention_rate", grain=Grain.MONTH).figures[0]
    assert figure.value is None
    assert "Nobody was active" in figure.reason.text("en")


def test_periods_of_a_fiscal_year(book_of):
    orders = [(f"c{n}", DAY_0 + dt.timedelta(days=17 * n), 1.0) for n in range(40)]
    orders += [("c0", day, 1.0) for _, day, _ in orders]
    book = book_of(orders, window_days=366).with_settings(fiscal_year_start_month=9)
    result = measure(book, "retention_rate", grain=Grain.YEAR)
    expected = periods_between(DAY_0, book.as_of, Grain.YEAR, 9)
    assert [figure.period for figure in result.figures] == expected
    for figure in result.figures:
        assert figure.parts == by_hand(orders, figure.period, 366, book.as_of)


def test_the_proposed_window_leaves_time_to_see_who_stays(book_of):
    """Two quarters of orders carry the retention of the second one."""
    october, february = dt.date(2023, 10, 20), dt.date(2024, 2, 15)
    orders = [(f"c{n}", october, 10.0) for n in range(10)]
    orders += [(f"c{n}", february, 10.0) for n in range(7)]
    orders += [(f"n{n}", february, 10.0) for n in range(2)]
    orders += [("c0", dt.date(2023, 10, 1), 1.0), ("c0", dt.date(2024, 3, 31), 1.0)]
    book = book_of(orders)
    figure = measure(
        book, "retention_rate", start=dt.date(2024, 1, 1), end=dt.date(2024, 4, 1)
    ).figures[0]
    assert figure.value == 0.7
    assert figure.parts["end"] == 9


def test_the_rule_is_read_from_the_rhythm(book_of):
    """Nine of ten returns within 40 days: the next window that has a name is 45."""
    orders = []
    for n in range(60):
        gap = 40 if n % 10 else 300
        orders += [(f"c{n}", DAY_0, 1.0), (f"c{n}", DAY_0 + dt.timedelta(days=gap), 1.0)]
    result = measure(book_of(orders), "retention_rate")
    assert "45 days" in result.notes[0].text("en")
    assert "within 40 days" in result.notes[1].text("en")


def came_back(gap: int, times: int, last: int) -> list:
    """Customers who came back once after so many days, in data that end on a day."""
    orders = [(f"c{n}", DAY_0 + dt.timedelta(days=d), 1.0) for n in range(times) for d in (0, gap)]
    return [*orders, ("z", DAY_0 + dt.timedelta(days=last), 1.0)]


@pytest.mark.parametrize(
    ("gap", "times", "last", "window", "says"),
    [
        (45, 50, 800, 45, "within 45 days"),  # as long as a window that has a name
        (46, 50, 800, 60, "within 46 days"),
        (45, 49, 800, 366, "only 49 times"),  # one too few to read a rhythm
        (60, 50, 89, 60, "within 60 days: a customer"),  # two thirds of 90 days, exactly
        (60, 50, 88, 45, "cover only 89 days"),
        (10, 1, 89, 60, "came back only once"),
        (10, 1, 88, 45, "came back only once"),
        (10, 0, 88, 31, "No customer has come back yet"),  # not “only 0 times”
    ],
)
def test_the_window_at_each_of_its_edges(book_of, gap, times, last, window, says):
    rule = propose(book_of(came_back(gap, times, last)))
    assert rule.window_days == window
    assert says in rule.reason.text("en")


def test_nine_of_ten_gaps_are_nine_of_ten():
    known = Gaps({1: 9, 5: 1})
    assert [known.quantile(share) for share in (0.1, 0.9, 0.91, 1.0)] == [1, 1, 5, 5]
