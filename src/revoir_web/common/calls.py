"""Jobs, the audit trail and the company, for programs."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Schema

from revoir.sectors import SECTORS
from revoir_web.common import actions, jobs
from revoir_web.common.answers import changed_by
from revoir_web.common.api import Page, Paging, Router, paged
from revoir_web.common.forms import NOT_RECOMMENDED_MAX, CompanyForm
from revoir_web.common.models import AuditEntry, Company, Job
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
    actions.stop_job(job=held, actor=request.user)
    return job_told(held)


@router.serve(
    "POST",
    "/jobs/{uuid:id}/retry",
    rights=[Right.SEE_JOBS],
    gives=JobOut,
    summary="Try a job again",
)
def retry_job(request: HttpRequest, id: uuid.UUID) -> dict[str, Any]:
    """One that failed or was stopped waits again; it needs the right to its kind of job too."""
    held = get_object_or_404(Job, pk=id)
    actions.retry_job(job=held, actor=request.user)
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


# -- Audit trail -------------------------------------------------------------------------------
class EntryOut(Schema):
    """Who saw, changed or exported what."""

    id: int
    at: dt.datetime
    actor: int | None = Field(description="The person (null: the program, or a key).")
    actor_name: str = Field(description="As it was then; of a key, its name and beginning.")
    action: str
    object_kind: str
    object_id: str
    address: str | None = Field(description="Where the request came from.")
    details: dict[str, Any] = Field(description="Names of fields, counts; never of customers.")


Word = Annotated[str, Field(max_length=254, pattern=r"^[^\x00]*$")]


class EntryFilters(Paging):
    """What to narrow the trail by."""

    action: Word = Field("", description="Beginning of the action, such as `customer.`.")
    actor: Word = Field("", description="Part of the name.")
    object_kind: Word = ""
    object_id: Word = ""
    since: dt.date | None = None
    until: dt.date | None = Field(None, description="This day is still in it.")


@router.serve(
    "GET", "/audit", rights=[Right.SEE_AUDIT], gives=Page[EntryOut], summary="List the audit trail"
)
def list_entries(request: HttpRequest, asked: Query[EntryFilters]) -> dict[str, Any]:
    """Who saw, changed or exported what; the last first."""
    wanted = {
        "action__startswith": asked.action,
        "actor_name__icontains": asked.actor,
        "object_kind": asked.object_kind,
        "object_id": asked.object_id,
        "at__date__gte": asked.since,
        "at__date__lte": asked.until,
    }
    rows = AuditEntry.objects.filter(**{name: value for name, value in wanted.items() if value})
    found, following = paged(rows, limit=asked.limit, cursor=asked.cursor, down=True)
    fields = ("at", "actor_name", "action", "object_kind", "object_id", "address", "details")
    items = [
        {"id": row.pk, "actor": row.actor_id, **{name: getattr(row, name) for name in fields}}
        for row in found
    ]
    return {"items": items, "next": following}


# -- Company -----------------------------------------------------------------------------------
class CompanyOut(Schema):
    """What the company says of itself."""

    name: str
    language: str
    currency: str
    timezone: str
    fiscal_year_start_month: int
    sector: str = Field(description="Whose published figures stand beside yours; empty: none.")
    activity_window_days: int | None = Field(
        description="Days that a purchase keeps a customer active; null: taken from the data."
    )
    margin: float | None = Field(description="As a share of revenue: 0.35 is 35 %.")
    acquisition_cost: float | None = Field(description="What winning a customer costs.")
    not_recommended: list[str] = Field(
        description="Categories, and codes of products, that nobody is to be recommended."
    )


class CompanyPatch(Schema):
    """What to change; what is left out stays as it is, null empties what may be empty."""

    name: str | None = Field(None, max_length=200)
    language: str | None = Field(None, max_length=2)
    currency: str | None = Field(None, max_length=3, description="ISO 4217.")
    timezone: str | None = Field(None, max_length=64, description="Such as Europe/Paris.")
    fiscal_year_start_month: int | None = Field(None, ge=1, le=12)
    sector: str | None = Field(
        None, max_length=64, description=f"One of {', '.join(SECTORS)}; empty or null: none."
    )
    activity_window_days: int | None = Field(None, ge=1, le=100_000)
    margin: float | None = Field(None, ge=0, le=1)
    acquisition_cost: float | None = Field(None, ge=0, le=1e9)
    not_recommended: list[str] | None = Field(None, max_length=NOT_RECOMMENDED_MAX)


@router.serve(
    "GET", "/company", rights=[Right.MANAGE_COMPANY], gives=CompanyOut, summary="Get the company"
)
def get_company(request: HttpRequest) -> Company:
    """What the company says of itself; figures depend on it."""
    return Company.current()


@router.serve(
    "PATCH",
    "/company",
    rights=[Right.MANAGE_COMPANY],
    gives=CompanyOut,
    summary="Change the company",
)
def change_company(request: HttpRequest, body: CompanyPatch) -> Company:
    """Change what the company says of itself; the figures are computed again."""
    fields = changed_by(CompanyForm, Company.current(), body.dict(exclude_unset=True))
    return actions.change_company(fields=fields, actor=request.user)
