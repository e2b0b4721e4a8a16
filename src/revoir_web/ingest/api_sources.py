"""Sources, for programs."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Schema

from revoir_web.common.api import Page, Paging, Router, paged
from revoir_web.common.calls import JobOut, job_told
from revoir_web.common.rights import Right
from revoir_web.common.words import language
from revoir_web.ingest import planning
from revoir_web.ingest.models import Source

router = Router()
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]


class SourceOut(Schema):
    """A place that data is fetched from; its password is never told."""

    id: int
    name: str
    kind: str = Field(description="folder, sftp, database, url.")
    location: str
    user_name: str
    pattern: str
    query: str
    every: str = Field(description="never, hour, day, week, month.")
    at: dt.time | None = Field(description="In the company's time zone.")
    weekday: int | None = Field(description="0 is Monday.")
    day: int | None
    lands_by_itself: bool = Field(description="Whether what it gives is brought in unasked.")
    last_run_at: dt.datetime | None
    last_found: int | None = Field(description="How many files it had the last time.")
    error: str | None = Field(description="Why it could not be asked the last time.")


class SourceFull(SourceOut):
    """A source with what is being done."""

    job: uuid.UUID | None = Field(description="What asks it now; follow it at `/api/jobs/{id}`.")
    imports: list[uuid.UUID] = Field(description="The last ten imports that it gave.")


@router.serve(
    "GET", "/sources", rights=[Right.MANAGE_SOURCES], gives=Page[SourceOut],
    summary="List sources",
)  # fmt: skip
def list_sources(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Where data is fetched from by itself."""
    found, following = paged(Source.objects.all(), limit=paging.limit, cursor=paging.cursor)
    return {"items": [_source(held) for held in found], "next": following}


@router.serve(
    "GET", "/sources/{id}", rights=[Right.MANAGE_SOURCES], gives=SourceFull,
    summary="Get a source",
)  # fmt: skip
def get_source(request: HttpRequest, id: Id) -> dict[str, Any]:
    """A source: what it is, when it was asked, what it gave."""
    held = get_object_or_404(Source, pk=id)
    job = planning.under_way(held)
    return {
        **_source(held),
        "job": job.pk if job else None,
        "imports": list(held.imports.values_list("pk", flat=True)[:10]),
    }


@router.serve(
    "POST", "/sources/{id}/run", rights=[Right.MANAGE_SOURCES], gives=JobOut, status=202,
    summary="Ask a source now",
)  # fmt: skip
def run_source(request: HttpRequest, id: Id) -> dict[str, Any]:
    """The job that asks it: follow it at `/api/jobs/{id}`."""
    return job_told(planning.run_source(source=get_object_or_404(Source, pk=id), by=request.user))


def _source(held: Source) -> dict[str, Any]:
    fields = (
        "id", "name", "kind", "location", "user_name", "pattern", "query", "every", "at",
        "weekday", "day", "lands_by_itself", "last_run_at", "last_found",
    )  # fmt: skip
    return {
        **{name: getattr(held, name) for name in fields},
        "error": held.failure.text(language()) if held.failure else None,
    }
