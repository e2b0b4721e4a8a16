"""Cohorts against sets of customers, and lifecycle with them."""

import datetime as dt
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revoir.book import read
from revoir.errors import UsageError
from revoir.metrics.cohorts import cohorts
from revoir.metrics.lifecycle import lifecycle
from revoir.metrics.registry import Question
from revoir.periods import Grain, shift, start_of

DAY_0 = dt.date(2023, 1, 1)

orders_strategy = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", "e"]),
        st.integers(0, 250).map(lambda n: DAY_0 + dt.timedelta(days=n)),
        st.sampled_from([5.0, 12.5, 80.0]),
    ),
    min_size=1,
    max_size=40,
)


def present(orders, grain, start, presence, measure):
    """cohort → age → customers or amount, from sets."""
    bought = defaultdict(lambda: defaultdict(float))
    for customer, day, amount in orders:
        bought[customer][start_of(day, grain)] += amount
    last = start_of(max(day for _, day, _ in orders), grain)
    grid = {}
    for cohort in sorted({p for periods in bought.values() for p in periods}):
        members = [
            c
            for c in bought
            if (min(bought[c]) == cohort if start == "first" else cohort in bought[c])
        ]
        if not members:
            continue
        seen, ages = cohort, []
        while seen <= last:
            if presence == "on":
                there = [c for c in members if seen in bought[c]]
            else:
                there = [c for c in members if max(bought[c]) >= seen]
            amount = sum(bought[c][seen] for c in there) if measure == "revenue" else len(there)
            ages.append(amount)
            seen = shift(seen, grain, 1)
        grid[cohort] = ages
    return grid


@given(
    orders=orders_strategy,
    grain=st.sampled_from([Grain.WEEK, Grain.MONTH, Grain.QUARTER]),
    start=st.sampled_from(["first", "recurring"]),
    presence_measure=st.sampled_from(
        [("on", "customers"), ("on", "revenue"), ("on_or_after", "customers")]
    ),
    share_of=st.sampled_from(["first", "previous"]),
    mean=st.sampled_from(["weighted", "simple"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_grid_is_what_sets_give(book_of, orders, grain, start, presence_measure, share_of, mean):
    presence, measure = presence_measure
    book = book_of(orders)
    grid = cohorts(
        book,
        grain=grain,
        start=start,
        presence=presence,
        share_of=share_of,
        mean=mean,
        measure=measure,
    )
    expected = present(orders, grain, start, presence, measure)
    got = {c.period.start: [cell.count for cell in c.cells] for c in grid.cohorts}
    assert got.keys() == expected.keys()
    for cohort, ages in expected.items():
        assert got[cohort] == pytest.approx(ages)
    for cohort in grid.cohorts:
        ages = expected[cohort.period.start]
        for cell in cohort.cells:
            reference = ages[0 if share_of == "first" or cell.age == 0 else cell.age - 1]
            assert cell.value == (pytest.approx(ages[cell.age] / reference) if reference else None)
            assert cell.complete == (cell.period.end <= book.as_of + dt.timedelta(days=1))


def test_the_mean_leaves_incomplete_cells_out(book_of):
    orders = [(c, dt.date(2023, 1, 5), 1.0) for c in "abcd"]
    orders += [("a", dt.date(2023, 2, 5), 1.0), ("e", dt.date(2023, 2, 6), 1.0)]
    orders += [("e", dt.date(2023, 3, 10), 1.0)]
    weighted = cohorts(book_of(orders))
    assert weighted.mean == (1.0, 0.25, None)
    full = cohorts(book_of(orders, as_of=dt.date(2023, 3, 31)))
    assert full.mean == (1.0, pytest.approx(2 / 5), 0.0)
    simple = cohorts(book_of(orders, as_of=dt.date(2023, 3, 31)), mean="simple")
    assert simple.mean[1] == pytest.approx((1 / 4 + 1) / 2)


def test_options_that_do_not_exist_are_named(book_of):
    with pytest.raises(UsageError, match="on, on_or_after"):
        cohorts(book_of([("a", DAY_0, 1.0)]), presence="sometimes")
    with pytest.raises(UsageError, match="on or after"):
        cohorts(book_of([("a", DAY_0, 1.0)]), presence="on_or_after", measure="revenue")


def test_a_share_of_an_empty_period_is_null_with_its_reason(book_of):
    orders = [("a", DAY_0, 1.0), ("a", dt.date(2023, 3, 5), 1.0)]
    rows = cohorts(book_of(orders), share_of="previous").records()
    assert [row["value"] for row in rows] == [1.0, 0.0, None]
    assert ["reason" in row for row in rows] == [False, False, True]


def test_amounts_in_several_currencies_are_not_added_up(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "customer_id,order_date,amount,currency\na,2023-01-05,10,EUR\na,2023-02-05,10,USD\n"
        "b,2023-01-05,30,EUR\n"
    )
    with pytest.raises(UsageError, match="several currencies"):
        cohorts(read(path), measure="revenue")
    assert cohorts(read(path, as_of=dt.date(2023, 2, 28))).mean == (1.0, 0.5)
    euros = cohorts(read(path), measure="revenue", where='currency = "EUR"')
    assert euros.cohorts[0].cells[0].count == 40


@given(orders=orders_strategy, grain=st.sampled_from([Grain.WEEK, Grain.MONTH, Grain.QUARTER]))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_lifecycle_is_what_sets_give(book_of, orders, grain):
    bought = defaultdict(set)
    for customer, day, _ in orders:
        bought[start_of(day, grain)].add(customer)
    stages = lifecycle(book_of(orders), Question(grain=grain))
    for index, figure in enumerate(stages["new"].figures):
        here = figure.period.start
        now, before = bought[here], bought[shift(here, grain, -1)]
        ever = set().union(*[bought[p] for p in list(bought) if p < here])
        got = {stage: result.figures[index].value for stage, result in stages.items()}
        assert got == {
            "new": len(now - ever),
            "returning": len(now & before),
            "resurrected": len((now & ever) - before),
            "dormant": len(before - now),
        }


def _with_margins(margins, **settings):
    """Two customers buy for 10 in January, one of them for 20 in February."""
    import pyarrow as pa

    from revoir.book import Book, Settings
    from revoir.engines import memory

    days = [dt.date(2024, 1, 5), dt.date(2024, 1, 6), dt.date(2024, 2, 5)]
    columns = {"customer_id": ["a", "b", "a"], "ordered_on": pa.array(days, pa.date32())}
    columns["amount"] = [10.0, 10.0, 20.0]
    if margins is not None:
        columns["margin"] = pa.array(margins, pa.float64())
    orders = memory().create_table("orders", pa.table(columns))
    return Book({"orders": orders}, settings=Settings(**settings))


def test_the_margin_of_the_company_makes_a_grid():
    """It was refused where orders carry none, whatever the company had said of its margin."""
    grid = cohorts(_with_margins(None, margin=0.25), measure="margin")
    assert [cell.count for cell in grid.cohorts[0].cells] == [5.0, 5.0]
    assert [note.text("en") for note in grid.notes] == ["The margin is the one you gave."]
    # It goes before what orders carry, as in the lifetime value.
    given = cohorts(_with_margins([1.0, 1.0, 1.0], margin=0.25), measure="margin")
    assert given.cohorts == grid.cohorts


def test_a_margin_that_is_missing_is_no_zero_without_a_word():
    grid = cohorts(_with_margins([4.0, None, 2.0]), measure="margin")
    assert [cell.count for cell in grid.cohorts[0].cells] == [4.0, 2.0]
    assert [note.text("en") for note in grid.notes] == [
        "1 purchase carries no margin: it is in no sum."
    ]
    assert cohorts(_with_margins([4.0, None, 2.0])).notes == ()


@pytest.mark.parametrize(("margins", "why"), [(None, "carry no margin"), ([None] * 3, "is empty")])
def test_a_grid_without_any_margin_says_why(margins, why):
    """An empty column gave a grid of empty cells."""
    with pytest.raises(UsageError, match=why) as told:
        cohorts(_with_margins(margins), measure="margin")
    assert "--margin" in told.value.remedy.text("en")


def test_the_command_takes_a_margin(tmp_path, command):
    path = tmp_path / "ventes.csv"
    path.write_text("client;date;montant\nA;2024-01-05;10\nB;2024-01-06;10\nA;2024-02-05;20\n")
    asked = ("cohorts", path, "--measure", "margin", "--margin", "0.25", "--lang", "en")
    told = command(*asked, "--format", "csv")
    assert [row.split(",")[8:11] for row in told.stdout.split()[1:]] == [["1.0", "5", "5"]] * 2
    assert "The margin is the one you gave." in told.stderr
    assert "100%" in command(*asked).stdout.replace("\u00a0", "")
