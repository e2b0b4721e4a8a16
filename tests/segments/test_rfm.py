"""RFM against a plain computation in Python."""

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from statistics import median

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revoir.errors import UsageError
from revoir.segments.names import SEGMENTS, segment_named, segment_ranges
from revoir.segments.rfm import Cutoffs, movement, rfm


def by_hand(rows, as_of, bins=5):
    """Measures and scores, from the definitions."""
    bought = defaultdict(list)
    for row in rows:
        if row["customer_id"] and row["kind"] == "purchase" and row["ordered_on"] <= as_of:
            bought[row["customer_id"]].append(row)
    measures = {
        customer: {
            "days_since_last": (as_of - max(row["ordered_on"] for row in theirs)).days,
            "frequency": len({row["ordered_on"] for row in theirs}),
            "monetary": sum(row["amount"] for row in theirs),
        }
        for customer, theirs in bought.items()
    }
    cuts = {}
    for name in ("days_since_last", "frequency", "monetary"):
        values = sorted(row[name] for row in measures.values())
        n = len(values)
        cuts[name] = tuple(values[-(-k * n // bins) - 1] for k in range(1, bins))
    for row in measures.values():
        above = {name: sum(row[name] > cut for cut in cuts[name]) for name in cuts}
        row["r"] = bins - above["days_since_last"]
        row["f"] = 1 + above["frequency"]
        row["m"] = 1 + above["monetary"]
    return measures, cuts


@pytest.mark.parametrize("bins", [2, 3, 5, 10])
def test_scores_are_those_of_the_definitions(make_book, shop_rows, bins):
    book = make_book(orders=shop_rows)
    scores = rfm(book, bins=bins)
    expected, cuts = by_hand(shop_rows, book.as_of, bins)
    found = {row.pop("customer_id"): row for row in book.rows(scores.customers)}
    assert {name: getattr(scores.cutoffs, name) for name in cuts} == cuts
    segments = {customer: row.pop("segment") for customer, row in found.items()}
    assert found == expected
    assert set(segments.values()) <= set(SEGMENTS)
    assert scores.count == len(expected)


def test_an_earlier_day_sees_nothing_of_what_came_later(make_book, shop_rows):
    day = dt.date(2023, 9, 1)
    book = make_book(orders=shop_rows)
    expected, _ = by_hand(shop_rows, day)
    early = {row["customer_id"]: row for row in book.rows(rfm(book, as_of=day).customers)}
    other = {row["customer_id"]: row for row in book.rows(rfm(book.at(day)).customers)}
    assert early == other
    assert {c: row["frequency"] for c, row in early.items()} == {
        c: row["frequency"] for c, row in expected.items()
    }


def test_two_orders_on_one_day_are_one_visit(make_book, orders):
    rows = [orders(f"c{i}", "2024-01-01", 10 + i) for i in range(12)]
    rows.append(orders("c3", "2024-01-01", 5))
    rows.append(orders("c4", "2024-01-02", 1))
    book = make_book(orders=rows)
    found = {row["customer_id"]: row for row in book.rows(rfm(book).customers)}
    assert (found["c3"]["frequency"], found["c3"]["monetary"]) == (1, 18)
    assert (found["c4"]["frequency"], found["c4"]["monetary"]) == (2, 15)
    assert (found["c4"]["days_since_last"], found["c3"]["days_since_last"]) == (0, 1)


def test_equal_values_have_equal_scores(make_book, orders):
    # 70 bought once: a block of ties over three cut-offs scores 1, the next value scores 4.
    rows = [orders(f"a{i}", "2024-01-01", 50) for i in range(70)]
    for i in range(20):
        rows += [orders(f"b{i}", day, 25) for day in ("2024-01-01", "2024-01-02")]
    for i in range(10):
        rows += [orders(f"c{i}", f"2024-01-{day:02}", 10) for day in range(1, 6)]
    book = make_book(orders=rows)
    scores = rfm(book)
    assert scores.cutoffs.frequency == (1, 1, 1, 2)
    assert scores.cutoffs.monetary == (50, 50, 50, 50)
    found = {(row["frequency"], row["f"], row["m"]) for row in book.rows(scores.customers)}
    assert found == {(1, 1, 1), (2, 4, 1), (5, 5, 1)}


def test_every_cell_of_the_grid_is_in_one_segment():
    for bins in range(2, 11):
        ranges = segment_ranges(bins)
        for r in range(1, bins + 1):
            for both in range(2, 2 * bins + 1):
                held = [
                    x.segment
                    for x in ranges
                    if x.r_low <= r <= x.r_high and x.both_low <= both <= x.both_high
                ]
                assert len(held) == 1, (bins, r, both, held)
    cells = [
        (r, fm)
        for segment in SEGMENTS.values()
        for r in range(segment.r[0], segment.r[1] + 1)
        for fm in range(segment.fm[0], segment.fm[1] + 1)
    ]
    assert sorted(cells) == [(r, fm) for r in range(1, 6) for fm in range(1, 6)]


@pytest.mark.parametrize(
    ("r", "f", "m", "segment"),
    [
        (5, 5, 5, "champions"), (5, 4, 4, "champions"), (4, 5, 5, "loyal"), (3, 4, 5, "loyal"),
        (5, 1, 1, "new_customers"), (4, 1, 1, "promising"), (5, 1, 2, "potential_loyalist"),
        (4, 3, 3, "potential_loyalist"), (3, 3, 3, "need_attention"), (3, 1, 2, "about_to_sleep"),
        (2, 3, 3, "at_risk"), (1, 4, 4, "at_risk"), (1, 5, 5, "cannot_lose_them"),
        (2, 5, 4, "cannot_lose_them"), (2, 2, 2, "hibernating"), (1, 1, 1, "lost"),
    ],
)  # fmt: skip
def test_the_cells_carry_their_usual_names(r, f, m, segment):
    held = [
        x.segment
        for x in segment_ranges(5)
        if x.r_low <= r <= x.r_high and x.both_low <= f + m <= x.both_high
    ]
    assert held == [segment]


def test_the_summary_adds_up(make_book, shop_rows):
    book = make_book(orders=shop_rows)
    scores = rfm(book)
    rows = scores.summary()
    customers = book.rows(scores.customers)
    assert [row.segment for row in rows] == list(SEGMENTS)
    assert sum(row.customers for row in rows) == scores.count
    assert sum(row.share for row in rows) == pytest.approx(1)
    assert sum(row.revenue_share for row in rows) == pytest.approx(1)
    for row in rows:
        theirs = [one for one in customers if one["segment"] == row.segment]
        assert len(theirs) == row.customers
        assert sum((one["monetary"] for one in theirs), Decimal(0)) == row.revenue
        if theirs:
            for name in ("days_since_last", "frequency", "monetary"):
                expected = float(median(one[name] for one in theirs))
                assert getattr(row, name) == pytest.approx(expected)
        listed = book.rows(scores.members(row.segment))
        assert [one["monetary"] for one in listed] == sorted(
            (one["monetary"] for one in theirs), reverse=True
        )


def test_fixed_cutoffs_are_kept_and_set_the_number_of_scores(make_book, shop_rows):
    book = make_book(orders=shop_rows)
    fixed = {
        "days_since_last": [30, 90],
        "frequency": [1, 3],
        "monetary": [Decimal("25.5"), 99.99],
    }
    scores = rfm(book, cutoffs=fixed)
    assert scores.bins == 3
    assert scores.cutoffs == Cutoffs((30, 90), (1, 3), (Decimal("25.5"), Decimal("99.99")))
    for row in book.rows(scores.customers):
        assert row["r"] == 3 - (row["days_since_last"] > 30) - (row["days_since_last"] > 90)
        assert row["m"] == 1 + (row["monetary"] > Decimal("25.5")) + (
            row["monetary"] > Decimal("99.99")
        )
    part = rfm(book, cutoffs={"frequency": [1, 2, 3, 4]})
    assert part.cutoffs.monetary == rfm(book).cutoffs.monetary


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"bins": 1}, "2 to 10"),
        ({"bins": 11}, "2 to 10"),
        ({"cutoffs": {"recency": [1]}}, "recency"),
        ({"cutoffs": {"frequency": [1, 2], "monetary": [3]}}, "same number"),
        ({"cutoffs": {"frequency": [2, 2]}}, "ascend"),
        ({"cutoffs": {"frequency": []}}, "2 to 10"),
    ],
)
def test_impossible_cutoffs_are_refused(make_book, shop_rows, question, says):
    with pytest.raises(UsageError, match=says):
        rfm(make_book(orders=shop_rows), **question)


def test_too_few_customers_are_said_not_scored(make_book, orders):
    book = make_book(orders=[orders(f"c{i}", "2024-01-01", 10) for i in range(9)])
    scores = rfm(book)
    assert "9 customers" in scores.reason.text("en")
    assert scores.summary() == []
    assert {row["segment"] for row in book.rows(scores.customers)} == {None}
    assert rfm(book, bins=4).reason is None
    none = rfm(
        book,
        as_of=dt.date(2020, 1, 1),
        cutoffs={"frequency": [1], "monetary": [5], "days_since_last": [9]},
    )
    assert none.count == 0
    assert none.reason is not None


def test_movement_tells_moved_stayed_and_new_apart(make_book, shop_rows):
    book = make_book(orders=shop_rows)
    day = dt.date(2023, 9, 1)
    moves = movement(book, day)
    before = {
        row["customer_id"]: row["segment"] for row in book.rows(rfm(book, as_of=day).customers)
    }
    after = {row["customer_id"]: row["segment"] for row in book.rows(rfm(book).customers)}
    expected = defaultdict(int)
    for customer, segment in after.items():
        expected[before.get(customer), segment] += 1
    assert {(m.before, m.after): m.customers for m in moves.counts()} == dict(expected)
    assert any(m.before is None for m in moves.counts())
    moved = {row["customer_id"] for row in book.rows(moves.moved)}
    assert moved == {c for c, segment in before.items() if after[c] != segment}
    with pytest.raises(UsageError, match="earlier"):
        movement(book, book.as_of)


def test_movement_with_too_few_before_says_so(make_book, shop_rows):
    moves = movement(make_book(orders=shop_rows), dt.date(2023, 1, 3))
    assert moves.counts() == []
    assert "2023" in moves.reason.text("en")


def test_segments_answer_to_their_labels():
    assert segment_named("AT RISK").key == "at_risk"
    assert segment_named("cannot_lose_them").key == "cannot_lose_them"
    with pytest.raises(UsageError, match="champions"):
        segment_named("champion")
    with pytest.raises(UsageError, match="hibernating"):
        segment_named("zzzz")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.integers(0, 15), st.integers(0, 60), st.sampled_from([5, 10, 10.01])),
        min_size=10, max_size=60,
    ),
    st.integers(2, 6),
)  # fmt: skip
def test_any_orders_score_as_defined(make_book, orders, drawn, bins):
    rows = [orders(f"c{c}", dt.date(2024, 1, 1) + dt.timedelta(days=d), a) for c, d, a in drawn]
    book = make_book(orders=rows)
    scores = rfm(book, bins=bins)
    expected, _cuts = by_hand(rows, book.as_of, bins)
    if len(expected) < 2 * bins:
        assert scores.reason is not None
        return
    found = {row.pop("customer_id"): row for row in book.rows(scores.customers.drop("segment"))}
    assert found == expected
