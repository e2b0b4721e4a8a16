"""The report as a file, for programs: asked for, made by the worker, fetched."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Field, Schema

from revoir_web.common.api import Refused
from revoir_web.common.calls import job_told
from revoir_web.common.models import Job
from revoir_web.common.rights import Right
from revoir_web.common.words import language
from revoir_web.insights import actions, exports
from revoir_web.insights.api_told import router

_RIGHTS = [Right.SEE_DASHBOARD, Right.EXPORT_DATA]


class ReportIn(Schema):
    """What report to make; it is written in the language of the call."""

    form: Literal["json", "html", "pdf", "xlsx"] = "json"
    grain: Literal["", "month", "quarter"] = Field(
        "", description="Length of its periods; empty: chosen from the data."
    )


class ReportOut(Schema):
    """How far a report is: waiting → running → done, or failed, cancelled."""

    id: uuid.UUID
    form: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    message: str | None = Field(description="What is being done.")
    error: str | None = Field(description="Why it could not be made.")


@router.serve(
    "POST", "/reports", rights=_RIGHTS, gives=ReportOut, status=202, summary="Have a report made"
)
def make_report(request: HttpRequest, body: ReportIn) -> dict[str, Any]:
    """The report of the command line and the dashboard; ask after it until it is done."""
    return _told(actions.make_report(**body.dict(), language=language(), by=request.user))


@router.serve(
    "GET", "/reports/{uuid:id}", rights=_RIGHTS, gives=ReportOut, summary="Get how far a report is"
)
def get_report(request: HttpRequest, id: uuid.UUID) -> dict[str, Any]:
    """Ask again while it waits or runs."""
    return _told(_job(request, id))


@router.serve(
    "GET", "/reports/{uuid:id}/file", rights=_RIGHTS, gives=None, summary="Get a report as a file"
)
def get_report_file(request: HttpRequest, id: uuid.UUID) -> HttpResponseBase:
    """What was made, in the form that was asked for; it is kept for seven days."""
    job = _job(request, id)
    if job.state != Job.State.DONE:
        raise Refused(
            409, "not_made", _("This report is not made."), _("Ask how far it is, and then again.")
        )
    return exports.report_file(job)


def _job(request: HttpRequest, id: uuid.UUID) -> Job:
    """A report that the caller asked for; keys, which nobody is behind, share theirs."""
    return get_object_or_404(Job, pk=id, kind="insights.report", created_by=request.user.pk)


def _told(job: Job) -> dict[str, Any]:
    return {**job_told(job), "form": job.arguments["form"]}
