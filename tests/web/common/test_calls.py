"""Calls of the API about jobs, the audit trail and the company."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from revoir.language import msg
from revoir_web.common import jobs, words
from revoir_web.common.api import write_cursor
from revoir_web.common.models import AuditEntry, Company, Job
from revoir_web.common.rights import Right
from revoir_web.ingest import planning
from revoir_web.ingest.models import Source
from revoir_web.testing.calls import Api

pytestmark = pytest.mark.django_db


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
    assert call("post", f"/jobs/{made[1].pk}/cancel", {}).status_code == 403
    assert not AuditEntry.objects.filter(action="job.cancel").exists()
    call = Api(Right.SEE_JOBS, Right.MANAGE_COMPANY)
    stopped = call("post", f"/jobs/{made[1].pk}/cancel", {}).json()
    assert (stopped["state"], stopped["cancel_requested"]) == ("cancelled", True)
    assert stopped["finished_at"]
    asked = call("post", f"/jobs/{made[0].pk}/cancel", {}).json()
    assert (asked["state"], asked["cancel_requested"]) == ("running", True)
    assert AuditEntry.objects.filter(action="job.cancel").count() == 2
    assert Api(Right.IMPORT_DATA)("get", f"/jobs/{made[0].pk}").status_code == 403


def test_a_job_that_failed_is_tried_again_by_whoever_may_start_it(company: Any) -> None:
    job = jobs.enqueue("insights.refresh")
    job.state, job.error = Job.State.FAILED, words.to_json(msg("The disk is full."))
    job.save()
    assert Api(Right.SEE_JOBS)("post", f"/jobs/{job.pk}/retry", {}).status_code == 403
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    told = Api(Right.SEE_JOBS, Right.MANAGE_COMPANY)("post", f"/jobs/{job.pk}/retry", {}).json()
    assert (told["state"], told["error"]) == ("waiting", None)
    assert AuditEntry.objects.filter(action="job.retry").count() == 1


@pytest.mark.parametrize(
    "value",
    ["x", 5, "2026-01-01", "2026-02-30T00:00:00+00:00", "0001-01-01T00:00:00+14:00"],
)
def test_a_cursor_of_ones_own_making_is_no_error_of_ours(company: Any, value: Any) -> None:
    jobs.enqueue("insights.refresh")
    answer = Api(*Right)("get", f"/jobs?cursor={write_cursor(value)}")
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["code"] == "bad_cursor"


def test_the_trail_is_gone_through_page_by_page(company: Any) -> None:
    """The audit trail could be read on its page alone."""
    call = Api(Right.SEE_AUDIT)
    AuditEntry.objects.bulk_create(
        AuditEntry(action=f"a.{n}", actor_name="Ana Diaz", object_kind="customer", object_id=str(n),
                   details={"n": n}, at=dt.datetime(2026, 1, 1 + n, 12, tzinfo=dt.UTC))
        for n in range(5)
    )  # fmt: skip
    AuditEntry.objects.create(action="b", actor_name="Revoir", address="203.0.113.7")
    found = call.everything("/audit?limit=2")
    assert [row["action"] for row in found] == ["b", "a.4", "a.3", "a.2", "a.1", "a.0"]
    assert found[0]["address"] == "203.0.113.7"
    assert found[1]["details"] == {"n": 4}
    for query, actions in (
        ("action=a.&actor=diaz&since=2026-01-02&until=2026-01-03", ["a.2", "a.1"]),
        ("object_kind=customer&object_id=3", ["a.3"]),
        ("action=%25", []),
    ):
        rows = call("get", f"/audit?{query}").json()["items"]
        assert [row["action"] for row in rows] == actions, query
    assert call("get", "/audit?since=x").status_code == 422
    assert Api(Right.SEE_JOBS)("get", "/audit").status_code == 403


def test_the_company_is_seen_and_changed(company: Any) -> None:
    call = Api(Right.MANAGE_COMPANY)
    told = call("get", "/company").json()
    assert (told["name"], told["currency"], told["margin"]) == ("Comptoir des Halles", "EUR", None)
    changes = {"margin": 0.35, "activity_window_days": 90, "timezone": "Europe/Zurich",
               "sector": "retail"}  # fmt: skip
    assert call("patch", "/company", changes).json() == {**told, **changes}
    assert call("patch", "/company", {"margin": None}).json()["margin"] is None
    changed = call("get", "/company").json()
    assert (changed["timezone"], changed["name"]) == ("Europe/Zurich", told["name"])
    details = AuditEntry.objects.filter(action="company.change").earliest("pk").details
    assert set(details) == set(changes)
    for wrong in (
        {"margin": 2}, {"name": ""}, {"name": None}, {"currency": "XXXX"}, {"currency": "???"},
        {"timezone": "Mars/Olympus"}, {"language": "xx"}, {"margin": 0.123456},
        {"fiscal_year_start_month": None}, {"sector": "astrology"},
    ):  # fmt: skip
        answer = call("patch", "/company", wrong)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid"), wrong
    assert call("get", "/company").json() == changed
    assert call("patch", "/company", {}).json() == changed
    assert call("patch", "/company", {"sector": None}).json()["sector"] == ""


def test_the_margin_is_typed_in_percent(as_role: Callable[[str], Client], company: Any) -> None:
    """It was typed as 0.35 here, and as 35 on the page of what keeping more would bring."""
    client = as_role("owner")
    page = client.get("/company/").content.decode()
    assert "en\xa0% du chiffre d’affaires" in page
    told = {"name": "Halles", "language": "fr", "currency": "EUR", "timezone": "Europe/Paris",
            "fiscal_year_start_month": "1"}  # fmt: skip
    assert client.post("/company/", {**told, "margin": "35,5"}).status_code == 302
    assert client.get("/api/company").json()["margin"] == 0.355
    assert 'value="35,5"' in client.get("/company/").content.decode()
    assert client.post("/company/", {**told, "margin": "135"}).context["form"].errors["margin"]
    assert Company.current().margin == Decimal("0.355")
    # What a program changes beside it leaves it as it is.
    call = Api(Right.MANAGE_COMPANY)
    assert call("patch", "/company", {"name": "Les Halles"}).json()["margin"] == 0.355


def test_who_is_overtaken_is_told_so(
    as_role: Callable[[str], Client],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Two clicks at one moment ended in a page that said the program was broken."""
    held = Source.objects.create(name="Boutique", kind="folder", location="/srv/files")

    def refuse(**arguments: object) -> None:
        raise IntegrityError("Key (name)=(ana@example.com) already exists.")

    monkeypatch.setattr(planning, "remove_source", refuse)
    page = as_role("owner").post(reverse("ingest:remove-source", args=[held.pk]))
    assert page.status_code == 409
    assert "est déjà là" in page.content.decode()
    call = Api(Right.MANAGE_SOURCES)("delete", f"/sources/{held.pk}")
    assert call.status_code == 409
    assert call.json()["error"]["code"] == "not_possible"
    told = capsys.readouterr()
    assert "ana@" not in told.out + told.err + page.content.decode() + call.content.decode()
