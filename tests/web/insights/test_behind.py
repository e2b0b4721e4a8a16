"""The rows behind figures: as many, and as much, as the figure says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from revoir.book import Book
from revoir.metrics.evaluate import lacking
from revoir.metrics.registry import measure, metrics
from revoir.periods import Grain
from revoir_web.common import jobs
from revoir_web.insights import questions

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("grain", [Grain.MONTH, Grain.QUARTER])
@pytest.mark.parametrize("stage", ["new", "returning", "resurrected", "dormant"])
def test_rows_behind_the_lifecycle_are_its_buyers(
    read_book: Book, stage: str, grain: Grain
) -> None:
    """They were refused: “made of other figures”."""
    name = f"lifecycle_{stage}"
    start, end = dt.date(2025, 1, 1), dt.date(2025, 10, 1)
    figures_of = measure(read_book, name, start=start, end=end, grain=grain).figures
    assert any(figure.value for figure in figures_of)
    for figure in figures_of:
        assert figure.period is not None
        asked = {
            "name": name,
            "from": figure.period.start.isoformat(),
            "to": figure.period.end.isoformat(),
        }
        assert questions.answer("rows", read_book, asked)["data"]["total"] == figure.value


def test_rows_behind_subscriptions_add_up_to_their_figures(read_book: Book) -> None:
    start, end = dt.date(2025, 1, 1), dt.date(2025, 7, 1)
    asked = {"from": start.isoformat(), "to": end.isoformat()}

    def found(name: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for page in range(1, 100):
            answer = questions.answer("rows", read_book, {"name": name, **asked, "page": page})
            data = answer["data"]
            rows += [dict(zip(data["names"], row, strict=True)) for row in data["rows"]]
            if len(rows) >= data["total"]:
                return rows
        raise AssertionError(name)

    def value(name: str) -> float:
        return measure(read_book, name, start=start, end=end).figures[0].value or 0.0

    def added(rows: list[dict[str, Any]]) -> float:
        return sum(abs((row["at_end"] or 0) - (row["at_start"] or 0)) for row in rows)

    assert sum(row["monthly_amount"] for row in found("mrr")) == pytest.approx(value("mrr"))
    for part in ("new", "reactivation", "expansion", "contraction", "churned"):
        assert added(found(f"mrr_{part}")) == pytest.approx(value(f"mrr_{part}"))
    there = found("net_revenue_retention")
    at_start, at_end = (sum(row[name] or 0 for row in there) for name in ("at_start", "at_end"))
    assert at_end / at_start == pytest.approx(value("net_revenue_retention"))
    lost = [row for row in found("logo_churn_rate") if row["became"] == "churned"]
    assert len(lost) / len(there) == pytest.approx(value("logo_churn_rate"))
    assert value("mrr_new") > 0
    assert value("mrr_churned") > 0


def test_every_figure_has_rows_or_leads_to_those_of_its_parts(
    filled: Path, read_book: Book, as_role: Callable[[str], Client]
) -> None:
    """Sixteen of the tables led to “look at the rows behind those”, without a way there."""
    without = {known.name: known.made_of for known in metrics() if known.made_of}
    assert set(without) == {"clv_historic", "clv_simple", "complaint_rate"}
    for known in metrics():
        if known.name not in without and not lacking(read_book, known):
            assert "total" in questions.answer("rows", read_book, {"name": known.name})["data"]
    address = "/metrics/complaint_rate/rows/?from=2025-01-01&to=2025-07-01"
    client = as_role("manager")
    client.get(address)
    jobs.run_waiting()
    page = client.get(address).content.decode()
    for name in without["complaint_rate"]:
        assert f"/metrics/{name}/rows/?from=2025-01-01&amp;to=2025-07-01" in page
