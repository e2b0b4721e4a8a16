"""The sector of the company, and the published figures that then stand beside its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from revoir.sectors import SECTORS
from revoir_web.common.models import Company
from revoir_web.insights import engine, questions, runs

pytestmark = pytest.mark.django_db
TOLD = {"name": "Halles", "language": "fr", "currency": "EUR", "timezone": "Europe/Paris",
        "fiscal_year_start_month": "1"}  # fmt: skip


def test_a_sector_brings_its_published_figures(
    filled: Path, as_role: Callable[[str], Client]
) -> None:
    """No page and no call set the sector: benchmarks were never shown."""
    client = as_role("owner")
    choices = client.get("/company/").context["form"].fields["sector"].choices
    assert {key for key, _name in choices} == {"", *SECTORS}
    assert dict(choices)["retail"] == "Commerce de détail"
    assert not any(shown["benchmarks"] for shown in _nps(runs.look("dashboard").result))
    assert runs.look("dashboard").fresh
    assert client.post("/company/", {**TOLD, "sector": "retail"}).status_code == 302
    assert Company.current().sector == "retail"
    assert not runs.look("dashboard").fresh
    with engine.using() as book:
        shown = _nps(questions.answer("dashboard", book, {})["en"])
    assert shown
    assert all(kpi["benchmarks"][0]["text"].startswith("Published for") for kpi in shown)
    assert client.post("/company/", {**TOLD, "sector": "astrology"}).context["form"].errors


def _nps(dashboard: dict[str, Any] | None) -> list[dict[str, Any]]:
    assert dashboard is not None
    shown = [*dashboard["kpis"], *(kpi for held in dashboard["chapters"] for kpi in held["kpis"])]
    return [kpi for kpi in shown if kpi["metric"] == "nps"]
