"""Jobs, the audit trail and the company, for programs."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Schema

from revoir_web.common import audit, jobs
from revoir_web.common.api import Page, Paging, Router, paged
from revoir_web.common.models import Job
from revoir_web.common.rights import Right
from revoir_web.common.words import language

router = Router()


# -- Jobs --------------------------------------------------------------------------------------
class JobOut(Schema):
    """Work in the background: waiting → running → done, or failed, cancelled."""

    id: uuid.UUID
    kind: str
    label: str = Field(description="What people call this kind of job.")
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    done: int = Field(description="How many of `total` are done.")
    total: int = Field(description="0: not known.")
    message: str | None = Field(description="What it is doing, or what it said last.")
    error: str | None = Field(description="Why it failed.")
    attempts: int
    cancel_requested: bool
    created_at: dt.datetime
    not_before: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None


class JobFilters(Paging):
    """What to narrow the list by."""

    state: Literal["", "waiting", "running", "done", "failed", "cancelled"] = ""
    kind: str = Field("", max_length=64, pattern=r"^[^\x00]*$")


@router.serve("GET", "/jobs", rights=[Right.SEE_JOBS], gives=Page[JobOut], summary="List jobs")
def list_jobs(request: HttpRequest, asked: Query[JobFilters]) -> dict[str, Any]:
    """Jobs, the last first."""
    rows = Job.objects.defer("arguments", "result")
    for name, wanted in (("state", asked.state), ("kind", asked.kind)):
        if wanted:
            rows = rows.filter(**{name: wanted})
    found, following = paged(
        rows, limit=asked.limit, cursor=asked.cursor, by="created_at", down=True
    )
    return {"items": [job_told(held) for held in found], "next": following}


@router.serve("GET", "/jobs/{uuid:id}", rights=[Right.SEE_JOBS], gives=JobOut, summary="Get a job")
def get_job(request: HttpRequest, id: uuid.UUID) -> dict[str, Any]:
    """How far a job is; ask again while it waits or runs."""
    return job_told(get_object_or_404(Job, pk=id))


@router.serve(
    "POST", "/jobs/{uuid:id}/cancel", rights=[Right.SEE_JOBS], gives=JobOut, summary="Stop a job"
)
def cancel_job(request: HttpRequest, id: uuid.UUID) -> dict[str, Any]:
    """One that waits stops at once, one that runs at its next sign of progress."""
    held = get_object_or_404(Job, pk=id)
    jobs.cancel(held)
    audit.record("job.cancel", object=held, details={"kind": held.kind})
    return job_told(held)


def job_told(held: Job) -> dict[str, Any]:
    """A job as calls tell it (`JobOut`)."""
    lang = language()
    fields = (
        "id", "kind", "state", "attempts", "cancel_requested", "created_at", "not_before",
        "started_at", "finished_at",
    )  # fmt: skip
    return {
        **{name: getattr(held, name) for name in fields},
        "label": jobs.label(held.kind).text(lang),
        "done": held.progress_done,
        "total": held.progress_total,
        "message": held.message.text(lang) if held.message else None,
        "error": held.failure.text(lang) if held.failure else None,
    }
