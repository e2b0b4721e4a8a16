"""Days that nobody means: a date field holds the year 26 while somebody types 2026."""

from __future__ import annotations

import datetime as dt

import ibis
import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.errors import UsageError
from revoir.metrics.cohorts import cohorts
from revoir.metrics.registry import Question, measure
from revoir.periods import Grain


@pytest.fixture(scope="module")
def book() -> Book:
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(400)]
    orders = pa.table({"customer_id": [f"c{n % 30}" for n in range(400)], "ordered_on": days,
                       "amount": [20.0] * 400})  # fmt: skip
    return Book({"orders": ibis.duckdb.connect().create_table("orders", orders)})


@pytest.mark.parametrize("day", [dt.date(1, 1, 1), dt.date(26, 1, 1), dt.date.max])
@pytest.mark.parametrize("end", ["start", "end"])
def test_they_are_refused_in_words(book: Book, day: dt.date, end: str) -> None:
    """“Something that was not foreseen went wrong (OverflowError)”."""
    for name in ("retention_rate", "revenue", "clv_simple"):
        with pytest.raises(UsageError, match="too far away"):
            measure(book, name, **{end: day})
    with pytest.raises(UsageError, match="too far away"):
        cohorts(book, **{"since" if end == "start" else "until": day})


def test_cohorts_are_followed_from_where_there_are_any(book: Book) -> None:
    """Each empty period was followed through all later ones: a worker computed for hours."""
    grid = cohorts(book, grain=Grain.WEEK, since=dt.date(1900, 1, 1), until=dt.date(2999, 1, 1))
    assert grid == cohorts(book, grain=Grain.WEEK)
    assert grid.cohorts


def test_more_periods_than_anybody_reads_are_refused(book: Book) -> None:
    with pytest.raises(UsageError, match="are the most"):
        Question(dt.date(1900, 1, 1), grain=Grain.DAY).periods(book)
    assert len(Question(dt.date(1990, 1, 1), grain=Grain.DAY).periods(book)) > 12_000
