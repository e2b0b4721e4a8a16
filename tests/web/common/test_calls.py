"""Calls of the API about jobs, the audit trail and the company."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from revoir.language import msg
from revoir_web.accounts.models import ApiKey
from revoir_web.common import jobs, words
from revoir_web.common.api import write_cursor
from revoir_web.common.models import AuditEntry, Job
from revoir_web.common.rights import Right

pytestmark = pytest.mark.django_db


class Api:
    """A program with a key."""

    def __init__(self, *rights: Right) -> None:
        _key, text = ApiKey.make("test", [right.value for right in rights])
        self.headers = {"Authorization": f"Bearer {text}", "Accept-Language": "en"}

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        more: dict[str, Any] = {}
        if body is not None:
            more = {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(Client(), method)(f"/api{path}", headers=self.headers, **more)

    def everything(self, path: str) -> list[Any]:
        """The rows of all pages of a list."""
        found: list[Any] = []
        cursor = ""
        while True:
            page = self("get", f"{path}{cursor}").json()
            found += page["items"]
            if not page["next"]:
                return found
            cursor = f"{'&' if '?' in path else '?'}cursor={page['next']}"


def test_jobs_are_listed_followed_and_stopped(company: Any) -> None:
    """A program that asked for something could not see how far it was."""
    made = [jobs.enqueue("insights.refresh", key=f"k{number}") for number in range(5)]
    call = Api(Right.SEE_JOBS)
    assert [row["id"] for row in call.everything("/jobs?limit=2")] == [
        str(job.pk) for job in reversed(made)
    ]
    Job.objects.filter(pk=made[0].pk).update(
        state=Job.State.RUNNING, progress_done=3, progress_total=4,
        progress_message=words.to_json(msg("Reading {file}", file="a.csv")),
    )  # fmt: skip
    told = call("get", f"/jobs/{made[0].pk}").json()
    assert (told["state"], told["done"], told["total"]) == ("running", 3, 4)
    assert told["message"]
    assert told["label"] != told["kind"]
    assert "arguments" not in told
    [held] = call("get", "/jobs?state=running").json()["items"]
    assert held == told
    assert call("get", "/jobs?kind=ingest.fetch").json()["items"] == []
    assert call("get", "/jobs?state=lost").status_code == 422
    stopped = call("post", f"/jobs/{made[1].pk}/cancel", {}).json()
    assert (stopped["state"], stopped["cancel_requested"]) == ("cancelled", True)
    assert stopped["finished_at"]
    asked = call("post", f"/jobs/{made[0].pk}/cancel", {}).json()
    assert (asked["state"], asked["cancel_requested"]) == ("running", True)
    assert AuditEntry.objects.filter(action="job.cancel").count() == 2
    assert Api(Right.IMPORT_DATA)("get", f"/jobs/{made[0].pk}").status_code == 403


@pytest.mark.parametrize(
    "value",
    ["x", 5, "2026-01-01", "2026-02-30T00:00:00+00:00", "0001-01-01T00:00:00+14:00"],
)
def test_a_cursor_of_ones_own_making_is_no_error_of_ours(company: Any, value: Any) -> None:
    jobs.enqueue("insights.refresh")
    answer = Api(*Right)("get", f"/jobs?cursor={write_cursor(value)}")
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["code"] == "bad_cursor"
