"""Goals: their limits, growth, and the length of period that they are for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from revoir.book import Book
from revoir.goals import Aim
from revoir.metrics.registry import metric_named
from revoir.periods import Grain
from revoir.reports.build import build
from revoir.reports.view import headline
from revoir_web.common.models import Company
from revoir_web.insights import actions, engine, figures, questions, runs
from revoir_web.insights.models import Goal

pytestmark = pytest.mark.django_db
AsRole = Callable[[str], Client]
GRAINS = (Grain.MONTH, Grain.QUARTER)


@pytest.mark.parametrize(
    ("metric", "typed", "held"),
    [
        ("net_revenue_retention", "120", 1.2),
        ("complaint_rate", "101", 1.01),
        ("nps", "-20", -20),
        ("retention_rate", "101", None),
        ("net_revenue_retention", "-1", None),
        ("nps", "101", None),
    ],
)
def test_a_goal_is_one_that_its_metric_can_reach(
    filled: Path, as_role: AsRole, metric: str, typed: str, held: float | None
) -> None:
    """A net revenue retention of 120 % was refused: subscribers that stay may pay more."""
    client = as_role("manager")
    answer = client.post("/goals/", {"metric": metric, "value": typed, "note": ""})
    assert [goal.value for goal in Goal.objects.all()] == ([] if held is None else [held])
    assert (answer.status_code == 302) is (held is not None)
    Goal.objects.all().delete()
    asked = held if held is not None else float(typed) / (1 if metric == "nps" else 100)
    said: Any = {"content_type": "application/json"}
    put = client.put("/api/goals", {"metric": metric, "value": asked}, **said)
    assert put.status_code == (422 if held is None else 200)
    assert Goal.objects.count() == (held is not None)


def test_goals_by_period_go_before_those_for_ever(company: Company) -> None:
    actions.set_goal(metric="nps", value=50)
    actions.set_goal(metric="nps", value=60, start=dt.date(2025, 1, 1), end=dt.date(2026, 1, 1))
    assert engine.goals_in_force(Goal.objects.all(), dt.date(2025, 6, 1)) == {"nps": [Aim(60)]}
    assert engine.goals_in_force(Goal.objects.all(), dt.date(2026, 1, 1)) == {"nps": [Aim(50)]}


def test_a_period_is_judged_by_the_goal_of_its_last_day(lake: Path) -> None:
    """The dashboard took the goal of today, the page of the metric that of a period's first day."""
    with engine.using() as book:
        year = figures._default(book, metric_named("repurchase_rate"))[0].point.period
    middle, last = year.start + dt.timedelta(days=60), year.end - dt.timedelta(days=1)
    actions.set_goal(metric="repurchase_rate", value=0.11, start=middle, end=year.end)
    actions.set_goal(metric="repurchase_rate", value=0.97, end=middle)
    actions.set_goal(metric="repurchase_rate", value=0.98, start=year.end)
    assert engine.goals_in_force(Goal.objects.all(), last) == {"repurchase_rate": [Aim(0.11)]}
    with engine.using() as book:
        kpi = figures._default(book, metric_named("repurchase_rate"))[0]
        page = questions.answer("metric", book, {"name": "repurchase_rate"})
    assert kpi.goal is not None
    assert kpi.goal.value == 0.11
    rows = [str(row) for row in page["en"]["table"]["rows"]]
    assert sum("11" in row and "97" not in row and "98" not in row for row in rows) == 1


def test_growth_is_typed_in_percent(filled: Path, as_role: AsRole) -> None:
    """Growth was that of the program alone: 10 % for the lifetime value, and nothing else."""
    client = as_role("manager")
    told = {"metric": "clv_simple", "value": "12,5", "growth": "on", "note": ""}
    assert client.post("/goals/", told).status_code == 302
    goal = Goal.objects.get()
    assert (goal.value, goal.growth) == (0.125, True)
    assert "+12,5\N{NO-BREAK SPACE}% en un an" in client.get("/goals/").content.decode()
    assert client.post("/goals/", {**told, "value": "-101"}).context["form"].errors["value"]
    said: Any = {"content_type": "application/json"}
    put = client.put("/api/goals", {"metric": "revenue", "value": -0.05, "growth": True}, **said)
    assert (put.json()["growth"], put.json()["length"]) == (True, "")
    with engine.using() as book:
        goal_of_revenue = dict(build(book).headline)["revenue"].goal
    assert goal_of_revenue is not None
    assert goal_of_revenue.growth == -0.05


def test_a_goal_is_held_against_periods_of_its_length_alone(read_book: Book) -> None:
    """80 % was “not met” by the year and the quarter, and “met” by week."""
    reports = {grain: dict(build(read_book, grain=grain).headline) for grain in GRAINS}
    for shown in reports.values():
        assert shown["retention"].goal is not None, "it is over twelve months in every report"
    lost = {grain: shown["churn_rate"] for grain, shown in reports.items()}
    (other,) = (grain for grain, kpi in lost.items() if kpi.goal is None)
    told = headline("churn_rate", lost[other]).goal
    assert told is not None
    assert told[0].text("en").startswith("Goal 5% over a ")
    aims = {"churn_rate": [Aim(0.1, length="quarter"), Aim(0.03, length="month")]}
    book = read_book.with_settings(goals=aims)
    for grain, value in zip(GRAINS, (0.03, 0.1), strict=True):
        goal = dict(build(book, grain=grain).headline)["churn_rate"].goal
        assert goal is not None
        assert goal.value == value


def test_a_goal_of_a_length_stands_beside_the_one_of_the_headline(
    filled: Path, as_role: AsRole
) -> None:
    client = as_role("manager")
    for length, value in (("", "5"), ("month", "2"), ("month", "3")):
        told = {"metric": "churn_rate", "value": value, "length": length, "note": ""}
        assert client.post("/goals/", told).status_code == 302
    held = {(goal.length, goal.value) for goal in Goal.objects.all()}
    assert held == {("", 0.05), ("month", 0.03)}
    found = engine.goals_in_force(reversed(Goal.objects.order_by("length")), dt.date(2025, 1, 1))
    assert found["churn_rate"] == [Aim(0.05), Aim(0.03, length="month")]
    client.post("/goals/", {"metric": "nps", "value": "5", "length": "decade", "note": ""})
    assert Goal.objects.count() == 2
    with engine.using() as book:
        rows = {
            grain: questions.answer("metric", book, {"name": "churn_rate", "grain": grain})["en"]
            for grain in ("month", "week")
        }
    assert "Goal" in rows["month"]["table"]["columns"]
    assert "Goal" not in rows["week"]["table"]["columns"]
    assert "another length" in rows["week"]["kpi"]["goal"]["text"]


def test_a_headline_figure_leads_to_the_same_figure(filled: Path, as_role: AsRole) -> None:
    """37 % in twelve months led to a page that said 64 %, of a quarter."""
    result = runs.look("dashboard").result
    assert result is not None
    shown = {kpi["metric"]: kpi for kpi in result["kpis"]}
    query = shown["retention_rate"]["query"]
    assert query
    page = as_role("manager").get("/").content.decode()
    assert f"/metrics/retention_rate/?{query}" in page
    with engine.using() as book:
        for name, kpi in shown.items():
            asked = dict(pair.split("=") for pair in kpi["query"].split("&") if pair)
            found = questions.answer("metric", book, {"name": name, **asked})["fr"]["kpi"]
            assert (found["value"], found["period"]) == (kpi["value"], kpi["period"]), name
