"""Figures as JSON: those of the pages, with their state; segments and goals written by programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from revoir_web.common import jobs
from revoir_web.insights import runs
from revoir_web.insights.models import Goal, SavedSegment

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


def test_cohorts_have_their_cells(filled: Path, as_role: AsRole) -> None:
    found = asked(as_role("analyst"), "/api/cohorts")
    assert found["state"] == "fresh"
    cell = found["cells"][0]
    assert cell["age"] == 0
    assert cell["value"] == 1


def test_segments_and_goals_are_written_by_those_who_may(filled: Path, as_role: AsRole) -> None:
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
    assert asked(client, address)["customers"] > 0
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
    assert client.put("/api/goals", {**goal, "metric": "joy"}, **send).status_code == 404
    assert client.delete(f"/api/goals/{made.json()['id']}").status_code == 204
    assert not Goal.objects.exists()
