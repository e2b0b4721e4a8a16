"""Goals: their limits, growth, and the length of period that they are for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from revoir_web.insights.models import Goal

pytestmark = pytest.mark.django_db
AsRole = Callable[[str], Client]


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
