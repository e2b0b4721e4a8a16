"""What is free brings in nothing: beginning to pay is new revenue, and no growth of the old."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

import revoir
from revoir import measure
from revoir.book import Book
from revoir.metrics.registry import Question
from revoir.metrics.subscriptions import subscribers

HEAD = "subscription_id,customer_id,plan,start_date,end_date,monthly_price\n"
PAYING = "".join(f"p{i},P{i},pro,2024-01-10,,10\n" for i in range(10))
LAST = "z,Z,pro,2024-05-02,,10\n"
MARCH = {"start": dt.date(2024, 3, 1), "end": dt.date(2024, 4, 1)}
Read = Callable[[str], Book]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def book(rows: str) -> Book:
        path = tmp_path / "subscriptions.csv"
        path.write_text(HEAD + rows + LAST, encoding="utf-8")
        return revoir.read(path)

    return book


def value(book: Book, metric: str) -> float | None:
    [figure] = measure(book, metric, **MARCH).figures
    return figure.value


def test_trials_that_turn_into_payments_are_new(read: Read) -> None:
    """Ten trials at 0 that ended in payments made a net revenue retention of 200 %."""
    book = read(
        PAYING
        + "".join(
            f"t{i},T{i},trial,2024-02-20,2024-03-05,0\nu{i},T{i},pro,2024-03-06,,10\n"
            for i in range(10)
        )
        + "x,X,trial,2024-02-20,2024-03-05,0\n"
    )
    told = {name: value(book, name) for name in ("mrr_new", "mrr_expansion", "mrr_reactivation")}
    assert told == {"mrr_new": 100, "mrr_expansion": 0, "mrr_reactivation": 0}
    assert value(book, "net_revenue_retention") == value(book, "gross_revenue_retention") == 1
    assert value(book, "logo_churn_rate") == pytest.approx(1 / 21), "the trial that was left"
    rows = {
        name: len(book.rows(subscribers(book, Question(**MARCH), name)))
        for name in ("mrr_new", "mrr_expansion", "net_revenue_retention", "logo_churn_rate")
    }
    assert rows == {
        "mrr_new": 10, "mrr_expansion": 0, "net_revenue_retention": 10, "logo_churn_rate": 21,
    }  # fmt: skip


def test_a_price_that_was_not_known_is_no_growth(read: Read) -> None:
    book = read("a,A,pro,2024-01-10,,10\nb,B,pro,2024-01-10,2024-03-05,\nc,B,pro,2024-03-06,,10\n")
    assert value(book, "net_revenue_retention") == 1


def test_who_goes_over_to_a_free_plan_pays_no_more(read: Read) -> None:
    book = read(PAYING + "a,A,pro,2024-01-10,2024-03-05,10\nb,A,free,2024-03-06,,0\n")
    assert value(book, "mrr_churned") == 10
    assert value(book, "mrr_contraction") == 0
    assert value(book, "net_revenue_retention") == pytest.approx(100 / 110)
    assert value(book, "logo_churn_rate") == 0, "they are still there"
    [row] = book.rows(subscribers(book, Question(**MARCH), "mrr_churned"))
    assert row["customer_id"] == "A"


def test_who_paid_before_a_free_time_is_won_back(read: Read) -> None:
    rows = "a,A,pro,2023-01-10,2023-12-31,10\nb,A,free,2024-01-01,2024-03-05,0\n"
    book = read(PAYING + rows + "c,A,pro,2024-03-06,,10\n")
    assert (value(book, "mrr_reactivation"), value(book, "mrr_new")) == (10, 0)
