"""Figures as JSON: those of the pages, with their state; segments and goals written by programs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from revoir.reports.plain import to_json
from revoir_web.accounts.models import ApiKey
from revoir_web.common import jobs
from revoir_web.common.models import AuditEntry
from revoir_web.common.rights import Right
from revoir_web.customers import actions as customers
from revoir_web.insights import actions, engine, figures, files, queries, runs, tasks
from revoir_web.insights.models import Goal, SavedSegment
from revoir_web.testing.calls import Api

pytestmark = pytest.mark.django_db
AsRole = Callable[[str], Client]


def asked(client: Client, address: str, status: int = 200) -> Any:
    response = client.get(address)
    assert response.status_code == status, response.content
    return response.json()


def test_without_data_it_says_so(as_role: AsRole) -> None:
    client = as_role("analyst")
    assert asked(client, "/api/dashboard")["state"] == "no_data"
    assert asked(client, "/api/metrics")["state"] == "no_data"
    assert asked(client, "/api/metrics/revenue")["state"] == "no_data"
    assert asked(client, "/api/cohorts")["state"] == "no_data"


def test_the_dashboard_is_that_of_the_page(filled: Path, as_role: AsRole) -> None:
    found = asked(as_role("analyst"), "/api/dashboard")
    assert found["state"] == "fresh"
    stored = runs.look("dashboard").data["headline"]
    assert [row["value"] for row in found["headline"]] == [row["value"] for row in stored]
    assert len(found["answers"]) == 2


def test_rfm_is_that_of_the_page(filled: Path, as_role: AsRole) -> None:
    """Segments and who moved stood on the page alone."""
    client = as_role("analyst")
    found = asked(client, "/api/rfm")
    stored = runs.look("rfm")
    assert found["state"] == "fresh"
    assert sum(row["customers"] for row in found["segments"]) > 100
    assert found["segments"][0]["label"] == stored.result["segments"][0]["label"]
    assert found["segments"][0]["advice"]
    assert found["cutoffs"]
    assert [[row["before"], row["after"], row["customers"]] for row in found["moves"]] == [
        list(move) for move in stored.data["moves"]
    ]
    assert asked(client, "/api/rfm?before=2025-03-01")["state"] == "computing"
    jobs.run_waiting()
    other = asked(client, "/api/rfm?before=2025-03-01")
    assert (other["state"], other["before"]) == ("fresh", "2025-03-01")
    asked(client, "/api/rfm?before=x", 422)


def test_what_if_has_the_numbers_of_the_page(filled: Path, as_role: AsRole) -> None:
    client = as_role("analyst")
    address = "/api/what-if?points=2&margin=0.4&acquisition_cost=25&keeping_cost=5"
    found = asked(client, address)
    assert found["scenario"]["times"] == 5
    assert found["scenario"]["customers"] == pytest.approx(found["at_start"] * 0.02)
    given = {"points": 2.0, "margin": 0.4, "acquisition_cost": 25.0, "keeping_cost": 5.0}
    shown = queries.what_if(runs.look("what-if").data, given)
    assert found["scenario"] == pytest.approx(shown)
    assert shown["clv"] > 0
    # Without numbers of one's own, the company's, of which some are not said.
    plain = asked(client, "/api/what-if")
    assert plain["scenario"]["points"] == 3
    assert plain["scenario"]["cost"] is None
    for wrong in ("points=0", "points=-4", "points=nan", "margin=2", "keeping_cost=inf"):
        asked(client, f"/api/what-if?{wrong}", 422)


def test_views_and_digests_are_listed(users: Any, as_role: AsRole) -> None:
    analyst = users["analyst"]
    actions.save_view(user=analyst, name="Par an", path="/metrics/revenue/", query="grain=year")
    actions.save_view(user=users["owner"], name="À lui", path="/rfm/", query="")
    actions.save_view(user=users["owner"], name="À tous", path="/rfm/", query="", shared=True)
    customers.save_view(owner=users["owner"], name="Lyon", query="city=Lyon", shared=True)
    client = as_role("analyst")
    found = asked(client, "/api/views")
    assert [(row["name"], row["path"], row["own"]) for row in found] == [
        ("Par an", "/metrics/revenue/", True),
        ("À tous", "/rfm/", False),
        ("Lyon", "/customers/", False),
    ]
    _key, text = ApiKey.make("test", [Right.SEE_DASHBOARD.value])
    headers = {"Authorization": f"Bearer {text}"}
    assert [row["name"] for row in Client().get("/api/views", headers=headers).json()] == ["À tous"]
    made = [
        actions.make_digest(name=name, metrics=["revenue"], every="week", weekday=2,
                            at=dt.time(8), recipients=[analyst])
        for name in ("b", "a")
    ]  # fmt: skip
    first = asked(client, "/api/digests?limit=1")
    second = asked(client, f"/api/digests?limit=1&cursor={first['next']}")
    assert [row["name"] for row in first["items"] + second["items"]] == ["b", "a"]
    assert second["items"][0]["recipients"] == [analyst.pk]
    assert second["items"][0]["weekday"] == 2
    actions.remove_digest(digest=made[0])
    assert [row["name"] for row in asked(client, "/api/digests")["items"]] == ["a"]


def test_a_metric_is_computed_when_it_is_first_asked(filled: Path, as_role: AsRole) -> None:
    client = as_role("analyst")
    names = {line["name"] for line in asked(client, "/api/metrics")["metrics"]}
    assert {"retention_rate", "churn_rate", "nps"} <= names
    address = "/api/metrics/revenue?grain=year&by=gender&from=2024-01-01"
    assert asked(client, address)["state"] == "computing"
    jobs.run_waiting()
    found = asked(client, address)
    assert found["state"] == "fresh"
    assert {row["gender"] for row in found["figures"]} >= {"F", "M"} or found["figures"]
    assert asked(client, "/api/metrics/happiness", 404)["error"]["code"] == "not_found"
    assert asked(client, "/api/metrics/revenue?grain=moon", 422)["error"]["code"] == "invalid"
    asked(client, "/api/metrics/revenue?by=eye_colour")
    jobs.run_waiting()
    failed = asked(client, "/api/metrics/revenue?by=eye_colour")
    assert failed["state"] == "failed"
    assert "eye_colour" in failed["message"]


def test_the_rows_behind_a_figure_are_those_of_the_page(filled: Path, as_role: AsRole) -> None:
    """A figure could be asked for by a program, and not what it is made of."""
    client = as_role("advisor")
    address = "/api/metrics/orders/rows?from=2025-06-01&to=2025-07-01&group=channel=boutique"
    assert asked(client, address)["state"] == "computing"
    jobs.run_waiting()
    found = asked(client, address)
    assert (found["state"], found["made_of"]) == ("fresh", [])
    rows = [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]
    assert {row["channel"] for row in rows} == {"boutique"}
    assert all("2025-06-01" <= row["ordered_on"] < "2025-07-01" for row in rows)
    question = "by=channel&from=2025-06-01&to=2025-07-01&grain=month"
    asked(client, f"/api/metrics/orders?{question}")
    jobs.run_waiting()
    figures = asked(client, f"/api/metrics/orders?{question}")["figures"]
    assert found["total"] == next(row["value"] for row in figures if row["channel"] == "boutique")
    assert (found["next"] == 2) == (found["total"] > 50)
    page = client.get("/metrics/orders/rows/?from=2025-06-01&to=2025-07-01&by.channel=boutique")
    assert page.context["asked"].fresh, "the page and programs ask one question"
    assert asked(client, "/api/metrics/happiness/rows", 404)
    assert asked(client, "/api/metrics/orders/rows?page=0", 422)


def test_rows_say_which_figures_have_them(filled: Path, as_role: AsRole) -> None:
    client = as_role("advisor")
    asked(client, "/api/metrics/clv_simple/rows")
    jobs.run_waiting()
    found = asked(client, "/api/metrics/clv_simple/rows")
    assert len(found["made_of"]) > 1
    assert found["rows"] == []


def test_cohorts_have_their_cells(filled: Path, as_role: AsRole) -> None:
    found = asked(as_role("analyst"), "/api/cohorts")
    assert found["state"] == "fresh"
    cell = found["cells"][0]
    assert cell["age"] == 0
    assert cell["value"] == 1


def test_segments_and_goals_are_written_by_those_who_may(
    filled: Path, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The other figures have tests of their own, and take their time.
    every = tasks.standing
    monkeypatch.setattr(
        tasks, "standing", lambda facts: [one for one in every(facts) if one[1] == "catalogue"]
    )
    monkeypatch.setattr(runs, "foresee_soon", lambda: None)
    client = as_role("manager")
    send: dict[str, Any] = {"content_type": "application/json"}
    rule = {"name": "Fidèles", "rule": "orders >= 3"}
    made = client.post("/api/segments", rule, **send)
    assert made.status_code == 201
    address = f"/api/segments/{made.json()['id']}"
    assert client.post("/api/segments", rule, **send).status_code == 409
    bad = client.post("/api/segments", {"name": "x", "rule": "orders >="}, **send)
    assert bad.status_code == 409
    assert ">>" in bad.json()["error"]["message"]
    assert asked(client, address)["state"] == "computing"
    jobs.run_waiting()
    count = asked(client, address)["customers"]
    assert count > 0
    assert asked(client, f"/api/members?segment={made.json()['id']}")["state"] == "computing"
    jobs.run_waiting()
    whose = asked(client, f"/api/members?segment={made.json()['id']}")
    assert whose["count"] == count
    assert len(whose["customers"]) == min(count, 50)
    assert all(row["days"] >= 2 for row in whose["customers"])
    assert whose == asked(client, "/api/members?rule=orders >= 3")
    assert asked(client, "/api/members?rule=orders >=", 409)
    assert asked(client, "/api/members?segment=99", 404)
    assert client.put(address, {**rule, "name": "Très fidèles"}, **send).status_code == 200
    assert as_role("advisor").delete(address).status_code == 403
    assert client.delete(address).status_code == 204
    assert SavedSegment.objects.get().removed_at is not None
    assert asked(client, address, 404)
    goal = {"metric": "retention_rate", "value": 0.75}
    assert as_role("analyst").put("/api/goals", goal, **send).status_code == 403
    made = client.put("/api/goals", goal, **send)
    assert made.status_code == 200
    assert asked(client, "/api/goals")["items"][0]["value"] == 0.75
    jobs.run_waiting()
    lines = {line["name"]: line for line in asked(client, "/api/metrics")["metrics"]}
    assert lines["retention_rate"]["goal"] == 0.75, "what the figure is held against"
    assert client.put("/api/goals", {**goal, "value": 75}, **send).status_code == 422, "as the page"
    assert client.put("/api/goals", {**goal, "metric": "joy"}, **send).status_code == 404
    assert client.delete(f"/api/goals/{made.json()['id']}").status_code == 204
    assert not Goal.objects.exists()


def test_the_report_is_made_for_programs(filled: Path, as_role: AsRole) -> None:
    """Programs could ask for every figure, and not for the report of the command line."""
    call = Api(Right.SEE_DASHBOARD, Right.EXPORT_DATA)
    made = call("post", "/reports", {"grain": "quarter"})
    assert (made.status_code, made.json()["state"]) == (202, "waiting")
    address = f"/reports/{made.json()['id']}"
    early = call("get", f"{address}/file")
    assert (early.status_code, early.json()["error"]["code"]) == (409, "not_made")
    jobs.run_waiting()
    assert call("get", address).json()["state"] == "done"
    response = call("get", f"{address}/file")
    assert response.headers["Content-Type"] == "application/json"
    found = json.loads(response.getvalue())
    with engine.using() as book:
        told = json.loads(to_json(figures.report_of(book, "quarter", figures.groupings(book)[:2])))
    assert found == told
    assert [one.action for one in AuditEntry.objects.filter(object_id=made.json()["id"])] == [
        "report.download"
    ]
    # Another's report is not to be had, and whoever exports nothing has none made.
    assert as_role("owner").get(f"/api{address}").status_code == 404
    assert Api(Right.SEE_DASHBOARD)("post", "/reports", {}).status_code == 403
    assert call("post", "/reports", {"form": "doc"}).status_code == 422
    files.path_of(made.json()["id"].replace("-", ""), "json").unlink()
    assert call("get", f"{address}/file").status_code == 404
