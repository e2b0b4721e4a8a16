"""Sources, for programs."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Schema

from revoir_web.accounts.models import User
from revoir_web.common.answers import Id, TimeOfDay, changed_by
from revoir_web.common.api import Page, Paging, Refused, Router, paged
from revoir_web.common.calls import JobOut, job_told
from revoir_web.common.rights import Right
from revoir_web.common.words import language
from revoir_web.ingest import fetching, outside, planning
from revoir_web.ingest.forms import SourceForm
from revoir_web.ingest.models import Source

router = Router()
_RIGHTS = [Right.MANAGE_SOURCES]


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
    at: TimeOfDay | None = Field(description="In the company's time zone.")
    weekday: int | None = Field(description="0 is Monday.")
    day: int | None
    lands_by_itself: bool = Field(description="Whether what it gives is brought in unasked.")
    last_run_at: dt.datetime | None
    last_found: int | None = Field(description="How many files it had the last time.")
    error: str | None = Field(description="Why it could not be asked the last time.")


class SourceFull(SourceOut):
    """A source with what is being done."""

    has_password: bool
    fingerprint: str | None = Field(
        description="Of the key that an SFTP server is believed by; null: none was kept yet."
    )
    job: uuid.UUID | None = Field(description="What asks it now; follow it at `/api/jobs/{id}`.")
    imports: list[uuid.UUID] = Field(description="The last ten imports that it gave.")


class SourcePatch(Schema):
    """What to change; what is left out, or null, stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=100)
    location: str | None = Field(
        None, min_length=1, max_length=1000,
        description="A folder below the one that sources may read, or an address without a"
        " password: sftp://host:22/folder, https://host/file, postgresql://host:5432/database.",
    )  # fmt: skip
    user_name: str | None = Field(None, max_length=200, description="Not of a folder.")
    password: str | None = Field(
        None, max_length=500,
        description="Kept encrypted, and never told. Not of a folder; to be given anew with a"
        " location on another server.",
    )  # fmt: skip
    pattern: str | None = Field(
        None, max_length=200,
        description="Names of files with * for any letters, and commas between several. Of a"
        " folder or an SFTP server.",
    )  # fmt: skip
    query: str | None = Field(
        None, max_length=20_000,
        description="The name of a table, or a SELECT; empty: every table. Of a database.",
    )  # fmt: skip
    every: Literal["never", "hour", "day", "week", "month"] | None = Field(
        None, description="“never” lets it rest: it is asked by a call or a person alone."
    )
    at: TimeOfDay | None = Field(None, description="In the company's time zone.")
    weekday: int | None = Field(None, ge=0, le=6, description="0 is Monday.")
    day: int | None = Field(
        None, ge=1, le=31, description="Of the month; the last one where the month is shorter."
    )
    lands_by_itself: bool | None = Field(
        None, description="Whether what it gives is brought in unasked."
    )


class SourceIn(SourcePatch):
    """A place to fetch data from; without more, it is asked every day and lands by itself."""

    kind: Literal["folder", "sftp", "database", "url"]
    name: str = Field(min_length=1, max_length=100)
    location: str = Field(
        min_length=1, max_length=1000,
        description="A folder below the one that sources may read, or an address without a"
        " password: sftp://host:22/folder, https://host/file, postgresql://host:5432/database.",
    )  # fmt: skip


class HostKeyIn(Schema):
    """A key to believe an SFTP server by."""

    key: str = Field(
        max_length=5000, description="As `GET` tells it: its kind and base64, with a space between."
    )


class HostKeyOut(HostKeyIn):
    """The key that an SFTP server shows."""

    fingerprint: str = Field(description="What to compare with the one of the server.")
    kept: bool = Field(description="Whether it is the key that the server is believed by.")


@router.serve(
    "GET", "/sources", rights=_RIGHTS, gives=Page[SourceOut],
    summary="List sources",
)  # fmt: skip
def list_sources(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Where data is fetched from by itself."""
    found, following = paged(Source.objects.all(), limit=paging.limit, cursor=paging.cursor)
    return {"items": [_source(held) for held in found], "next": following}


@router.serve(
    "GET", "/sources/{id}", rights=_RIGHTS, gives=SourceFull,
    summary="Get a source",
)  # fmt: skip
def get_source(request: HttpRequest, id: Id) -> dict[str, Any]:
    """A source: what it is, when it was asked, what it gave."""
    return _full(get_object_or_404(Source, pk=id))


@router.serve(
    "POST", "/sources", rights=_RIGHTS, gives=SourceFull, status=201, summary="Set up a source"
)
def make_source(request: HttpRequest, body: SourceIn) -> dict[str, Any]:
    """A place that is asked for data; addresses inside a network are refused.

    An SFTP server is asked once its key is kept: `PUT /api/sources/{id}/host-key`.
    """
    told = body.dict(exclude_none=True)
    kind = told.pop("kind")
    fields = changed_by(SourceForm, Source(kind=kind), told)
    by = request.user if isinstance(request.user, User) else None
    held = planning.save_source(
        source=Source(kind=kind, created_by=by), fields=fields, by=request.user
    )
    return _full(held)


@router.serve("PATCH", "/sources/{id}", rights=_RIGHTS, gives=SourceFull, summary="Change a source")
def change_source(request: HttpRequest, id: Id, body: SourcePatch) -> dict[str, Any]:
    """Another place, other times; a key of an SFTP server is for the place it was kept for."""
    held = get_object_or_404(Source, pk=id)
    fields = changed_by(SourceForm, held, body.dict(exclude_none=True))
    return _full(planning.save_source(source=held, fields=fields, by=request.user))


@router.serve(
    "DELETE", "/sources/{id}", rights=_RIGHTS, gives=None, status=204, summary="Remove a source"
)
def remove_source(request: HttpRequest, id: Id) -> None:
    """It is asked no more; what it brought stays."""
    planning.remove_source(source=get_object_or_404(Source, pk=id), by=request.user)


@router.serve(
    "GET", "/sources/{id}/host-key", rights=_RIGHTS, gives=HostKeyOut,
    summary="Look at the key of an SFTP server",
)  # fmt: skip
def get_host_key(request: HttpRequest, id: Id) -> dict[str, Any]:
    """The server is asked for it now; compare it before you keep it."""
    held = get_object_or_404(Source, pk=id, kind=Source.Kind.SFTP)
    try:
        shown = fetching.key_of(held.location)
    except outside.Unreachable as error:
        raise Refused(409, "unreachable", error.why.text(language())) from None
    return _host_key(held, shown)


@router.serve(
    "PUT", "/sources/{id}/host-key", rights=_RIGHTS, gives=HostKeyOut,
    summary="Keep the key of an SFTP server",
)  # fmt: skip
def keep_host_key(request: HttpRequest, id: Id, body: HostKeyIn) -> dict[str, Any]:
    """The server is believed by this key, and by no other."""
    held = get_object_or_404(Source, pk=id, kind=Source.Kind.SFTP)
    planning.keep_host_key(source=held, key=body.key.strip(), by=request.user)
    return _host_key(held, held.host_key)


@router.serve(
    "POST", "/sources/{id}/run", rights=_RIGHTS, gives=JobOut, status=202,
    summary="Ask a source now",
)  # fmt: skip
def run_source(request: HttpRequest, id: Id) -> dict[str, Any]:
    """The job that asks it: follow it at `/api/jobs/{id}`."""
    return job_told(planning.run_source(source=get_object_or_404(Source, pk=id), by=request.user))


def _host_key(held: Source, key: str) -> dict[str, Any]:
    kept = key == held.host_key
    return {"key": key, "fingerprint": fetching.fingerprint(key), "kept": kept}


def _full(held: Source) -> dict[str, Any]:
    job = planning.under_way(held)
    return {
        **_source(held),
        "has_password": bool(held.secret),
        "fingerprint": fetching.fingerprint(held.host_key) if held.host_key else None,
        "job": job.pk if job else None,
        "imports": list(held.imports.values_list("pk", flat=True)[:10]),
    }


def _source(held: Source) -> dict[str, Any]:
    fields = (
        "id", "name", "kind", "location", "user_name", "pattern", "query", "every", "weekday",
        "day", "lands_by_itself", "last_run_at", "last_found",
    )  # fmt: skip
    return {
        **{name: getattr(held, name) for name in fields},
        "at": held.at.strftime("%H:%M:%S") if held.at else None,
        "error": held.failure.text(language()) if held.failure else None,
    }
