"""Who goes over to another plan has not left."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

import revoir
from revoir import measure
from revoir.book import Book
from revoir.reports.build import build

HEAD = "subscription_id,customer_id,plan,start_date,end_date,monthly_price\n"


@pytest.fixture
def upgraded(tmp_path: Path) -> Book:
    """120 subscribers of whom 30 went over to a dearer plan, and none left."""
    rows = [
        f"b{i},C{i},basic,2023-01-10,2024-01-31,10\np{i},C{i},pro,2024-02-01,,20\n"
        for i in range(30)
    ]
    rows += [f"k{i},K{i},{'basic' if i < 30 else 'pro'},2023-01-10,,10\n" for i in range(90)]
    path = tmp_path / "subscriptions.csv"
    path.write_text(HEAD + "".join(rows) + "z,Z,basic,2024-06-15,,10\n", encoding="utf-8")
    return revoir.read(path)


def test_the_report_takes_an_upgrade_for_no_departure(upgraded: Book) -> None:
    """Its first lines said that all were kept, and that half of the cheap plan had left."""
    made = build(upgraded)
    [plans] = made.breakdowns
    assert {row.group: (row.value, row.customers) for row in plans.rows} == {
        "basic": (1.0, 60),
        "pro": (1.0, 60),
    }
    assert not any("stayed, against" in one.text.text("en") for one in made.insights)
    assert any("has stayed" in note.text("en") for note in plans.notes)


@pytest.mark.parametrize("metric", ["retention_rate", "logo_churn_rate", "mrr_new"])
def test_figures_by_plan_say_what_going_over_is(upgraded: Book, metric: str) -> None:
    start, end = dt.date(2024, 1, 1), dt.date(2024, 3, 1)

    def said(**asked: Any) -> bool:
        notes = measure(upgraded, metric, start=start, end=end, **asked).notes
        return any("goes over to another is lost" in note.text("en") for note in notes)

    assert said(by=["plan"])
    assert said(where='plan = "basic"')
    assert not said()
