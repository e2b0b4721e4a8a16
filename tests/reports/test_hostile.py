"""Reports of data that lack something: currencies that mix, short spans, few rows."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.reports.build import build
from revoir.reports.html import to_html
from revoir.reports.plain import to_plain
from revoir.reports.xlsx import write_xlsx


@pytest.fixture(scope="module")
def mixed(make_book: Callable[..., Book]) -> Book:
    """A shop that sells in euros and in dollars."""
    chance = random.Random(3)
    days = [dt.date(2021, 1, 1) + dt.timedelta(days=n) for n in range(1000)]
    rows = [
        (f"c{number}", day, 10.0 + number)
        for number in range(120)
        for day in chance.sample(days, 1 + number % 12)
    ]
    rows.append(("c0", days[-1], 10.0))
    count = len(rows)
    table = pa.table(
        {
            "customer_id": [row[0] for row in rows],
            "ordered_on": pa.array([row[1] for row in rows], pa.date32()),
            "amount": pa.array([row[2] for row in rows], pa.float64()).cast(pa.decimal128(18, 4)),
            "kind": ["purchase"] * count,
            "currency": [("EUR", "USD")[number % 2] for number in range(count)],
        }
    )
    return make_book(tables={"orders": table})


def test_amounts_in_several_currencies_are_never_added_up(mixed: Book, tmp_path):
    report = build(mixed, language="en")
    assert report.rfm is not None
    assert report.rfm.note is not None
    assert {row.revenue for row in report.rfm.segments} == {None}
    assert {row.revenue_share for row in report.rfm.segments} == {None}
    assert sum(row.customers for row in report.rfm.segments) == 120
    assert {action.stake for action in report.actions} == {None}
    assert report.leavers is not None
    assert report.leavers.late_amount is None
    assert dict(report.headline)["repeat_revenue_share"].value is None
    assert report.rfm.note.text("en") in to_html(report)
    assert to_plain(report)["rfm"]["segments"][0]["revenue"] is None
    write_xlsx(report, tmp_path / "report.xlsx", book=mixed)
