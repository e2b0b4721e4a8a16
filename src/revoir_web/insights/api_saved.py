"""Saved views and digests, for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from ninja import Field, Query, Schema

from revoir_web.accounts.models import User
from revoir_web.common.answers import Id, TimeOfDay
from revoir_web.common.api import Page, Paging, Refused, paged
from revoir_web.common.rights import Right, may
from revoir_web.customers import queries as customers
from revoir_web.insights import actions, queries
from revoir_web.insights.api_told import router
from revoir_web.insights.forms import METRICS_MAX, DigestForm
from revoir_web.insights.models import Digest

Name = Annotated[str, Field(min_length=1, max_length=100)]
Metrics = Annotated[
    list[Name],
    Field(min_length=1, max_length=METRICS_MAX, description="As `/api/metrics` names them."),
]
People = Annotated[
    list[Id],
    Field(
        min_length=1, max_length=1000,
        description="People who may see the figures, as `/api/people` numbers them.",
    ),
]  # fmt: skip
Weekday = Annotated[int, Field(ge=0, le=6, description="Of those sent every week; 0 is Monday.")]
Day = Annotated[
    int,
    Field(ge=1, le=31, description="Of the month; the last one where the month is shorter."),
]
_DIGESTS = [Right.EDIT_DIGESTS]


class ViewOut(Schema):
    """A page with its filters, under a name."""

    name: str
    path: str = Field(description="Of the page.")
    query: str = Field(description="Its filters, as a query string.")
    shared: bool = Field(description="Whether everybody sees it.")
    own: bool = Field(description="Whether it is that of whoever calls.")


@router.serve(
    "GET",
    "/views",
    rights=[Right.SEE_DASHBOARD],
    gives=list[ViewOut],
    summary="List saved views",
)
def list_views(request: HttpRequest) -> list[dict[str, Any]]:
    """Those for everybody, and one's own; of lists of customers, with the scope see_customers."""
    found: list[tuple[str, Any, int | None]] = [
        (view.path, view, view.user_id) for view in queries.views_of(request.user)
    ]
    if may(request.user, Right.SEE_CUSTOMERS):
        path = reverse("customers:list")
        found += [(path, view, view.owner_id) for view in customers.views_of(request.user)]
    return [
        {
            "name": view.name,
            "path": path,
            "query": view.query,
            "shared": view.shared,
            "own": owner == request.user.pk,
        }
        for path, view, owner in found
    ]


class DigestOut(Schema):
    """Chosen figures, sent to people every week or month."""

    id: int
    name: str
    metrics: list[str]
    every: str = Field(description="week, month.")
    weekday: int = Field(description="Of those sent every week; 0 is Monday.")
    day: int = Field(description="Of the month, of those sent every month.")
    at: TimeOfDay = Field(description="In the company's time zone.")
    enabled: bool
    recipients: list[int] = Field(description="As `/api/people` numbers them.")


class DigestIn(Schema):
    """A digest to set up."""

    name: Name
    metrics: Metrics
    every: Literal["week", "month"]
    recipients: People
    weekday: Weekday = 0
    day: Day = 1
    at: TimeOfDay = Field("08:00", description="In the company's time zone.")
    enabled: bool = Field(True, description="Whether it is sent.")


class DigestPatch(Schema):
    """What to change; what is left out, or null, stays as it is."""

    name: Name | None = None
    metrics: Metrics | None = None
    every: Literal["week", "month"] | None = None
    recipients: People | None = None
    weekday: Weekday | None = None
    day: Day | None = None
    at: TimeOfDay | None = Field(None, description="In the company's time zone.")
    enabled: bool | None = Field(None, description="False lets it rest, true sends it again.")


class SendIn(Schema):
    """To whom a digest is sent now."""

    to: Id | None = Field(
        None, description="One of its recipients (null: whoever is signed in and calls)."
    )


class SentOut(Schema):
    """To whom a digest is on its way."""

    to: int


@router.serve(
    "GET",
    "/digests",
    rights=_DIGESTS,
    gives=Page[DigestOut],
    summary="List digests",
)
def list_digests(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """What is sent to whom, and when."""
    found, following = paged(
        Digest.objects.filter(removed_at=None).prefetch_related("recipients"),
        limit=paging.limit,
        cursor=paging.cursor,
    )
    return {"items": [_digest(row) for row in found], "next": following}


@router.serve("POST", "/digests", rights=_DIGESTS, gives=DigestOut, status=201,
              summary="Set up a digest")  # fmt: skip
def make_digest(request: HttpRequest, body: DigestIn) -> dict[str, Any]:
    """It is sent at its times from now on; there must be data, for it to have figures."""
    fields = _checked(Digest(), body.dict())
    return _digest(actions.make_digest(**fields, by=_user(request)))


@router.serve("GET", "/digests/{id}", rights=_DIGESTS, gives=DigestOut, summary="Get a digest")
def get_digest(request: HttpRequest, id: Id) -> dict[str, Any]:
    """What is sent to whom, and when."""
    return _digest(_held(id))


@router.serve("PATCH", "/digests/{id}", rights=_DIGESTS, gives=DigestOut, summary="Change a digest")
def change_digest(request: HttpRequest, id: Id, body: DigestPatch) -> dict[str, Any]:
    """Other figures, times or people; at rest, or sent again."""
    held = _held(id)
    fields = _checked(held, body.dict(exclude_none=True))
    return _digest(actions.change_digest(digest=held, fields=fields, by=_user(request)))


@router.serve(
    "DELETE", "/digests/{id}", rights=_DIGESTS, gives=None, status=204, summary="Remove a digest"
)
def remove_digest(request: HttpRequest, id: Id) -> None:
    """It is sent no more."""
    actions.remove_digest(digest=_held(id), by=_user(request))


@router.serve("POST", "/digests/{id}/send", rights=_DIGESTS, gives=SentOut, status=202,
              summary="Send a digest now")  # fmt: skip
def send_digest(request: HttpRequest, id: Id, body: SendIn) -> dict[str, Any]:
    """To oneself, as on the page; a program names one of its recipients."""
    held = _held(id)
    reader = _user(request)
    if body.to is not None and (reader is None or body.to != reader.pk):
        reader = held.recipients.filter(pk=body.to, is_active=True).first()
    if reader is None or not reader.can(Right.SEE_DASHBOARD):
        raise Refused(
            422, "not_a_recipient", _("This digest has no such recipient who may read it."),
            _("Name one of its recipients, or add them first."),
        )  # fmt: skip
    actions.send_digest_now(digest=held, user=reader, by=request.user)
    return {"to": reader.pk}


def _held(id: int) -> Digest:
    return get_object_or_404(Digest, pk=id, removed_at=None)


def _user(request: HttpRequest) -> User | None:
    """The person who calls (None: a key; the trail names it)."""
    return request.user if isinstance(request.user, User) else None


def _checked(row: Digest, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a call says of a digest, as the form of the page takes it.

    What it does not say is not looked at: a digest can be let rest although one of its recipients
    has left, and one of its metrics is not known any more.
    """
    form = DigestForm(dict(given), instance=row)
    for name in form.fields.keys() - given.keys():
        del form.fields[name]
    if not form.is_valid():
        name, faults = next(iter(form.errors.items()))
        raise Refused(422, "invalid", f"{name}: {faults[0]}")
    found = dict(form.cleaned_data)
    if "metrics" in found:
        found["metrics"] = list(dict.fromkeys(found["metrics"]))
    return found


def _digest(row: Digest) -> dict[str, Any]:
    fields = ("id", "name", "metrics", "every", "weekday", "day", "enabled")
    return {
        **{name: getattr(row, name) for name in fields},
        "at": row.at.strftime("%H:%M:%S"),
        "recipients": sorted(user.pk for user in row.recipients.all()),
    }
