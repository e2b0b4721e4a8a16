"""How long customers stay: worked by hand, against lifelines on rows, and true hazards."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from revoir.book import Activity, Book
from revoir.errors import UsageError
from revoir.models.departures import Definition, Kind
from revoir.models.stays import stays
from revoir.models.survival import survival

from .conftest import book_of, btyd_book


def bought(customer, *days):
    return [
        {"customer_id": customer, "ordered_on": dt.date.fromisoformat(day), "amount": Decimal(9),
         "kind": "purchase"}
        for day in days
    ]  # fmt: skip


def test_stays_of_buyers_worked_by_hand():
    rows = [
        *bought("ann", "2024-01-01", "2024-01-21", "2024-03-31", "2024-04-01"),  # gaps 20, 70, 1
        *bought("bob", "2024-03-12"),  # 30 days later is the last day: lost
        *bought("eve", "2024-03-13"),  # 30 days later nobody knows yet
        *bought("joe", "2024-02-01", "2024-03-02", "2024-04-01"),  # gaps of 30 and 30
        *bought("max", "2024-04-11"),
    ]
    book = book_of({"orders": rows})
    found = {row["customer_id"]: (row["duration"], row["left"])
             for row in book.rows(stays(book, Definition(Kind.PURCHASES, 30)))}  # fmt: skip
    assert found == {
        "ann": (50, True),
        "bob": (30, True),
        "eve": (29, False),
        "joe": (70, False),
        "max": (0, False),
    }


def run(customer, start, end, **more):
    return {
        "customer_id": customer,
        "started_at": dt.date.fromisoformat(start),
        "ended_at": dt.date.fromisoformat(end) if end else None,
        "monthly_amount": Decimal(10),
        "plan": "small",
        **more,
    }


SUBSCRIPTIONS = [
    run("ann", "2024-01-01", "2024-02-01"),
    run("ann", "2024-02-01", None, plan="large"),  # a change of plan
    run("bob", "2024-01-01", "2024-02-01"),
    run("bob", "2024-02-03", None),  # a day without
    run("eve", "2024-01-01", "2024-03-01"),
    run("eve", "2024-01-10", "2024-02-01"),  # a second one that ends before the first
    run("joe", "2024-01-31", None),
    run("kim", "2024-01-01", "2024-01-31"),  # the last day, where others give the day after it
    run("kim", "2024-01-15", "2024-01-20"),
    run("kim", "2024-02-01", None, plan="large"),
]


def test_stays_of_subscribers_worked_by_hand(engine):
    """Who changed plan from 31 January to 1 February had left, and kim with them."""
    there = engine.load({"subscriptions": pa.Table.from_pylist(SUBSCRIPTIONS)})
    for book in (book_of({"subscriptions": SUBSCRIPTIONS}), Book(there)):
        assert book.as_of == dt.date(2024, 3, 1)
        found = {row["customer_id"]: (row["duration"], row["left"])
                 for row in book.rows(stays(book, Definition(Kind.SUBSCRIPTIONS, 92)))}  # fmt: skip
        assert found == {
            "ann": (60, False),
            "bob": (31, True),
            "eve": (60, True),
            "joe": (30, False),
            "kim": (60, False),
        }


def test_a_curve_is_that_of_lifelines_on_single_customers():
    from lifelines import KaplanMeierFitter

    book = btyd_book(1_500, seed=6)
    found = survival(book)
    (curve,) = found.curves
    rows = book.columns(stays(book, Definition(Kind.PURCHASES, 182)))
    fitter = KaplanMeierFitter().fit(rows["duration"].to_numpy(), rows["left"].to_numpy())
    assert (curve.customers, curve.left) == (rows.num_rows, int(np.sum(rows["left"].to_numpy())))
    for mark in (182, 250, 365, 730):
        assert curve.at(mark).value == pytest.approx(float(fitter.predict(mark)))
    assert curve.median == fitter.median_survival_time_
    assert curve.at(100).value == 1
    assert curve.at(5_000) is None
    assert found.marks[0] == 182


def day(number):
    return str(dt.date(2022, 1, 1) + dt.timedelta(days=int(number)))


def test_intervals_of_curves_hold_their_coverage():
    """Exponential stays watched for unequal times: the truth is known."""
    held, count = 0, 0
    for seed in range(15):
        rng = np.random.default_rng(seed)
        begins = rng.integers(0, 600, 120)
        lasts = rng.exponential(300, 120).astype(int)
        ends = begins + lasts
        rows = [
            run(
                f"c{number}", day(begins[number]), day(ends[number]) if ends[number] < 700 else None
            )
            for number in range(120)
        ]
        rows.append(run("last", "2023-12-01", None))
        (curve,) = survival(book_of({"subscriptions": rows})).curves
        for mark in (91, 182, 365):
            share = curve.at(mark)
            # A stay of n whole days stands for any between n and n + 1.
            held += share.low <= np.exp(-(mark + 1) / 300) <= share.high
            count += 1
    assert held / count >= 0.87


def test_hazards_are_found_and_their_intervals_hold_the_truth():
    rng = np.random.default_rng(11)
    count = 3_000
    plan = rng.choice(["basic", "plus", "pro"], count, p=[0.5, 0.3, 0.2])
    rate = np.vectorize({"basic": 1.0, "plus": 0.5, "pro": 2.0}.get)(plan) / 30
    tenure = np.minimum(np.ceil(rng.exponential(1 / rate)), 48).astype(int)
    watched = rng.integers(6, 48, count)
    table = pa.table(
        {
            "customer_id": [f"c{number}" for number in range(count)],
            "tenure_months": np.minimum(tenure, watched),
            "churned": tenure <= watched,
            "plan": plan,
            "shirt": rng.choice(["red", "blue"], count),
            "paid_in_all": np.minimum(tenure, watched) * 10.0 + rng.normal(0, 3, count),
        }
    )
    found = survival(book_of({"subscriptions": table}), by="plan")
    terms = {(one.column, one.level): one for one in found.hazards.terms}
    for level, truth in (("plus", 0.5), ("pro", 2.0)):
        one = terms["plan", level]
        assert one.reference == "basic"
        assert one.ratio.low <= truth <= one.ratio.high
    shirt = next(one for one in found.hazards.terms if one.column == "shirt")
    assert shirt.ratio.low < 1 < shirt.ratio.high
    assert [name for name, _ in found.hazards.left_out] == ["paid_in_all"]
    assert found.log_rank_p < 0.001
    after_a_year = {curve.group: curve.at(12).value for curve in found.curves}
    assert after_a_year["pro"] < after_a_year["basic"] < after_a_year["plus"]
    assert [curve.group for curve in found.curves] == ["basic", "plus", "pro"]
    records = found.records()
    assert {row["group"] for row in records} == {"basic", "plus", "pro"}
    assert all(row["low"] <= row["survival"] <= row["high"] for row in records if row["survival"])


def test_groups_by_chance_are_said_to_be():
    book = btyd_book(800, seed=2)
    names = sorted({row["customer_id"] for row in book.rows(book.table("orders"))})
    people = pa.table({"customer_id": names, "country": ["FR", "BE"] * (len(names) // 2)})
    both = book_of({"orders": book.table("orders").to_pyarrow(), "customers": people},
                   activity=Activity(window_days=182))  # fmt: skip
    found = survival(both, by="country")
    assert "by chance alone" in found.notes[-1].text("en")
    assert sum(curve.customers for curve in found.curves) == len(names)


def test_what_changes_while_customers_stay_parts_nobody():
    book = btyd_book(300, seed=2)
    with pytest.raises(UsageError, match="changes while customers stay"):
        survival(book, by="segment")
    with pytest.raises(UsageError, match="first_amount"):
        survival(book, by="amount")


def test_too_few_customers_have_no_curve():
    found = survival(btyd_book(15, seed=2))
    assert found.curves == ()
    assert "15 customers; 20 are needed" in found.reason.text("en")
    kept = [run(f"c{number}", "2024-01-01", None) for number in range(30)]
    kept[0] |= {"ended_at": dt.date(2024, 5, 1)}
    found = survival(book_of({"subscriptions": kept}))
    assert "1 customer has left" in found.reason.text("en")
