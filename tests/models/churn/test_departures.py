"""Who counts as lost: the same customers as in the rates of churn, day by day."""

import datetime as dt
from decimal import Decimal

import pytest

from revoir.book import Activity
from revoir.errors import UsageError
from revoir.metrics.contracts import said_to_have_left
from revoir.metrics.registry import measure
from revoir.models.departures import (
    Definition,
    Kind,
    cutoffs,
    definition_of,
    present,
    worth,
)

from .conftest import book_of

PURCHASES_ALONE = Activity(window_days=120)


def counts(book, definition, days):
    """How many were there on each day, and how many of them left."""
    rows = book.columns(present(book, definition, days)).to_pylist()
    assert len({(row["customer_id"], row["cutoff"]) for row in rows}) == len(rows)
    return {
        cutoff: (
            sum(row["cutoff"] == cutoff for row in rows),
            sum(row["cutoff"] == cutoff and row["left"] for row in rows),
        )
        for cutoff in days
    }


def test_lost_buyers_are_those_of_the_churn_rate(small_shop):
    book = book_of(small_shop.tables, activity=PURCHASES_ALONE)
    days = [dt.date(2025, 3, 1), dt.date(2025, 8, 17), dt.date(2026, 2, 20)]
    found = counts(book, Definition(Kind.PURCHASES, 120), days)
    for cutoff in days:
        start = cutoff + dt.timedelta(days=1)
        rate = measure(book, "churn_rate", start=start, end=start + dt.timedelta(days=120))
        (figure,) = rate.figures
        assert found[cutoff] == (figure.denominator, figure.numerator)
        assert found[cutoff][1] > 5


def test_lost_subscribers_are_those_of_the_rate_of_subscribers_lost(large_shop):
    book = book_of(large_shop.tables)
    days = [dt.date(2024, 12, 31), dt.date(2025, 9, 14)]
    found = counts(book, Definition(Kind.SUBSCRIPTIONS, 92), days)
    for cutoff in days:
        start = cutoff + dt.timedelta(days=1)
        rate = measure(book, "logo_churn_rate", start=start, end=start + dt.timedelta(days=92))
        (figure,) = rate.figures
        assert found[cutoff] == (figure.denominator, figure.numerator)
        assert found[cutoff][1] > 5


def test_lost_subscribers_worked_by_hand():
    def run(customer, start, end):
        ends = dt.date.fromisoformat(end) if end else None
        return {"customer_id": customer, "started_at": dt.date.fromisoformat(start),
                "ended_at": ends, "monthly_amount": Decimal(10)}  # fmt: skip

    rows = [
        run("ended that day", "2024-01-01", "2024-03-01"),
        run("ends the day after", "2024-01-01", "2024-03-02"),
        run("ends on the last day", "2024-01-01", "2024-03-31"),
        run("ends after it", "2024-01-01", "2024-04-01"),
        run("changes", "2024-01-01", "2024-03-10"),
        run("changes", "2024-03-20", None),
        run("changes the day after", "2024-01-01", "2024-03-31"),
        run("changes the day after", "2024-04-01", None),
        run("begins that day", "2024-03-01", None),
        run("begins later", "2024-03-02", None),
    ]
    book = book_of({"subscriptions": rows})
    found = present(book, Definition(Kind.SUBSCRIPTIONS, 30), [dt.date(2024, 3, 1)])
    assert {row["customer_id"]: row["left"] for row in book.rows(found)} == {
        "ends the day after": True,
        "ends on the last day": True,
        "ends after it": False,
        "changes": False,
        "changes the day after": False,
        "begins that day": False,
    }


def test_lost_visitors_worked_by_hand():
    def visit(customer, *when):
        return {"customer_id": customer, "occurred_at": dt.datetime(*when), "event": "page"}

    book = book_of(
        {
            "events": [
                visit("ann", 2024, 3, 1, 22),
                visit("ann", 2024, 3, 31, 1),
                visit("bob", 2024, 2, 20),
                visit("bob", 2024, 4, 1),
                visit("eve", 2024, 1, 1),
                visit("eve", 2024, 3, 2),
            ]
        }
    )
    rows = book.rows(present(book, Definition(Kind.VISITS, 30), [dt.date(2024, 3, 1)]))
    found = {row["customer_id"]: row["left"] for row in rows}
    # Ann comes back on the 30th day after, Bob on the 31st; Eve was last there 60 days before.
    assert found == {"ann": False, "bob": True}


def test_a_file_says_it_itself():
    said = (("ann", True), ("bob", False), ("eve", None), ("bob", True))
    rows = [{"customer_id": name, "churned": left, "tenure_months": 3} for name, left in said]
    book = book_of({"subscriptions": rows})
    definition = definition_of(book)
    assert definition.kind is Kind.FILE
    found = {row["customer_id"]: row["left"] for row in book.rows(said_to_have_left(book))}
    # One of Bob's two contracts still runs.
    assert found == {"ann": True, "bob": False}


@pytest.mark.parametrize(("days", "count"), [(2 * 120 - 1, 0), (2 * 120, 1), (3 * 120, 3)])
def test_the_past_must_be_twice_as_long_as_the_window(days, count):
    """One day less than twice the window, and nobody is there for a whole window before a day."""
    start = dt.date(2024, 1, 1)
    rows = [
        {"customer_id": "ann", "ordered_on": start + dt.timedelta(days=place),
         "amount": Decimal(5), "kind": "purchase"}
        for place in (0, days - 1)
    ]  # fmt: skip
    book = book_of({"orders": rows}, activity=PURCHASES_ALONE)
    found = cutoffs(book, definition_of(book))
    assert len(found) == count
    if found:
        assert found[0] == book.as_of - dt.timedelta(days=120)
        assert found[-1] >= start + dt.timedelta(days=119)


def test_worth_is_what_was_paid_in_the_year_before():
    def order(on, amount, kind="purchase"):
        return {"customer_id": "ann", "ordered_on": dt.date.fromisoformat(on),
                "amount": Decimal(amount), "kind": kind}  # fmt: skip

    rows = [order("2023-01-01", 1000), order("2023-01-02", 40), order("2023-12-31", 7),
            order("2024-01-01", 50), order("2024-01-01", -10, "return"),
            order("2024-01-01", 99, "cancelled"), order("2024-01-02", 900)]  # fmt: skip
    book = book_of({"orders": rows}, activity=PURCHASES_ALONE)
    (row,) = book.rows(worth(book, definition_of(book), [dt.date(2024, 1, 1)]))
    assert row["worth"] == pytest.approx(40 + 7 + 50 - 10)


def test_what_subscribers_pay_in_several_currencies_is_not_added_up():
    """The currencies of orders were looked at, and those of subscriptions were not."""
    rows = [{"customer_id": name, "started_at": dt.date(2023, 1, 1),
             "ended_at": dt.date(2024, 6, 1), "monthly_amount": Decimal(20), "currency": code}
            for name, code in (("ann", "EUR"), ("bob", "JPY"))]  # fmt: skip
    for held, known in ((rows, False), (rows[:1], True)):
        book = book_of({"subscriptions": held})
        found = worth(book, definition_of(book), [dt.date(2024, 1, 1)])
        assert (found is not None) is known


def test_what_a_subscriber_pays_is_not_known_where_a_price_is_missing():
    """The price of one subscription was taken for that of two."""
    paid = (("ann", Decimal(20)), ("ann", None), ("bob", Decimal(20)))
    rows = [{"customer_id": name, "started_at": dt.date(2023, 1, 1),
             "ended_at": dt.date(2024, 6, 1), "monthly_amount": price}
            for name, price in paid]  # fmt: skip
    book = book_of({"subscriptions": rows})
    found = book.rows(worth(book, definition_of(book), [dt.date(2024, 1, 1)]))
    assert {row["customer_id"]: row["worth"] for row in found} == {"ann": None, "bob": 240}


def test_what_is_not_in_the_data_is_refused():
    book = book_of({"orders": [{"customer_id": "ann", "ordered_on": dt.date(2024, 1, 1),
                                "amount": Decimal(5), "kind": "purchase"}]})  # fmt: skip
    for kind, words in (("visits", "do not hold"), ("wishes", "cannot be read")):
        with pytest.raises(UsageError, match=words):
            definition_of(book, kind)
    with pytest.raises(UsageError, match="horizon goes with subscriptions"):
        definition_of(book, horizon_days=30)
    with pytest.raises(UsageError, match="Nothing in the data says who leaves"):
        definition_of(book_of({"customers": [{"customer_id": "ann"}]}))
