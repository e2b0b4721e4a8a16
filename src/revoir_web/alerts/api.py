"""Alerts and signals, for programs."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Schema

from revoir.errors import UsageError
from revoir.language import msg
from revoir_web.accounts.models import User
from revoir_web.alerts import actions, queries
from revoir_web.alerts.models import Alert, SignalState
from revoir_web.common.api import Page, Paging, Router, paged
from revoir_web.common.rights import Right, may

router = Router()

Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
Outcome = Literal["", "reached", "kept", "not_reached", "nothing", "lost"]


class AlertOut(Schema):
    """A signal that was raised for a customer."""

    id: int
    customer: str
    signal: str
    raised_on: dt.date
    reason: str = Field(description="Why, as of the day that it was raised.")
    bought_for: float | None
    at_stake: float | None = Field(
        description="What was bought for × how often the signal was right."
    )
    open: bool = Field(description="Whether neither the data nor a person have closed it.")
    closed_on: dt.date | None
    closed_by: str = Field(description="What closed it in the data; empty: nothing did.")
    owner: int | None
    snoozed_until: dt.date | None
    outcome: str
    note: str | None = Field(description="Null for keys without the scope see_personal.")
    noticed_at: dt.datetime


class AlertPatch(Schema):
    """What to change; what is left out stays as it is."""

    owner: Id | None = Field(None, description="A person who may change customers; null: nobody.")
    snoozed_until: dt.date | None = Field(None, description="Null: no longer put off.")
    outcome: Outcome | None = Field(None, description="Closes the alert; empty opens it again.")
    note: Annotated[str, Field(max_length=5000, pattern=r"^[^\x00]*$")] | None = None


class Filters(Paging):
    """What to narrow the list by."""

    state: Literal["open", "snoozed", "closed", "all"] = "open"
    signal: str = Field("", max_length=40)
    customer: str = Field("", max_length=32)
    owner: Id | None = None
    raised_from: dt.date | None = None


class Rate(Schema):
    """A figure of a record, with its 95 % interval."""

    value: float | None
    numerator: float | None
    denominator: float | None
    low: float | None
    high: float | None


class LeadDays(Schema):
    """Days from an alert to the day that the customer counted as gone."""

    median: int
    low: int
    high: int


class RecordOut(Schema):
    """How often the alerts of a signal were right."""

    horizon_days: int
    alerts: int
    right: int
    pending: int
    precision: Rate
    recall: Rate
    everybody: Rate
    as_silent: Rate
    alike: Rate
    false_per_week: Rate
    verdict: str | None
    lead_days: LeadDays | None


class ParameterOut(Schema):
    """A number that a signal depends on."""

    name: str
    meaning: str
    value: float
    default: float
    low: float = Field(description="The least that makes sense.")
    high: float
    whole: bool = Field(description="Whether it is a whole number.")


class SignalOut(Schema):
    """An early signal that a customer may leave."""

    name: str
    label: str
    meaning: str
    enabled: bool = Field(description="Whether it raises alerts.")
    chosen: bool | None = Field(description="What was chosen; null: as its record says.")
    muted: str | None = Field(
        description="Why it raises none unless that is chosen: its record; null: it does."
    )
    open: int = Field(description="How many alerts are to do.")
    showing: int = Field(description="How many customers show it now, with an alert or without.")
    reason: str | None = Field(description="Why it cannot be raised; null: it can.")
    sentence: str = Field(description="The record in words.")
    record: RecordOut | None
    parameters: list[ParameterOut]


class SignalPatch(Schema):
    """What to change; what is left out stays as it is."""

    enabled: bool | None = Field(
        None, description="Whether it raises alerts; null: as its record says."
    )
    parameters: dict[str, float | None] | None = Field(
        None, description="Values by name; null: as it comes.", max_length=50
    )


@router.serve(
    "GET",
    "/alerts",
    rights=[Right.SEE_CUSTOMERS],
    gives=Page[AlertOut],
    summary="List alerts",
)
def list_alerts(request: HttpRequest, asked: Query[Filters]) -> dict[str, Any]:
    """In the order in which they were noticed; see the signals for those that raise none."""
    rows: QuerySet[Alert] = queries.in_state(Alert.objects.order_by(), asked.state)
    for field, value in (("signal", asked.signal), ("customer", asked.customer)):
        if value:
            rows = rows.filter(**{field: value})
    if asked.owner is not None:
        rows = rows.filter(owner=asked.owner)
    if asked.raised_from is not None:
        rows = rows.filter(raised_on__gte=asked.raised_from)
    found, following = paged(rows, limit=asked.limit, cursor=asked.cursor)
    personal = may(request.user, Right.SEE_PERSONAL)
    return {"items": [_told(row, personal) for row in found], "next": following}


@router.serve(
    "GET",
    "/alerts/{id}",
    rights=[Right.SEE_CUSTOMERS],
    gives=AlertOut,
    summary="Get an alert",
)
def get_alert(request: HttpRequest, id: Id) -> dict[str, Any]:
    """One alert."""
    return _told(get_object_or_404(Alert, pk=id), may(request.user, Right.SEE_PERSONAL))


@router.serve(
    "PATCH",
    "/alerts/{id}",
    rights=[Right.EDIT_CUSTOMERS],
    gives=AlertOut,
    summary="Handle an alert",
)
def handle_alert(request: HttpRequest, id: Id, body: AlertPatch) -> dict[str, Any]:
    """Say who sees to an alert, put it off, close it with an outcome, or open it again."""
    get_object_or_404(Alert, pk=id)
    fields: dict[str, Any] = body.dict(exclude_unset=True)
    if fields.get("owner") is not None:
        fields["owner"] = User.objects.filter(pk=fields["owner"]).first()
        if fields["owner"] is None:
            raise UsageError(msg("There is no person with this number."))
    for name in ("outcome", "note"):
        if name in fields:
            fields[name] = fields[name] or ""
    actions.handle(alerts=[id], fields=fields, actor=request.user)
    return _told(get_object_or_404(Alert, pk=id), may(request.user, Right.SEE_PERSONAL))


@router.serve(
    "GET",
    "/signals",
    rights=[Right.SEE_CUSTOMERS],
    gives=list[SignalOut],
    summary="List signals with their record",
)
def list_signals(request: HttpRequest) -> list[dict[str, Any]]:
    """Every signal, and how often it was right."""
    return [_signal(one) for one in queries.signals()]


@router.serve(
    "GET",
    "/signals/{name}",
    rights=[Right.SEE_CUSTOMERS],
    gives=SignalOut,
    summary="Get a signal with its record",
)
def get_signal(request: HttpRequest, name: str) -> dict[str, Any]:
    """One signal, and how often it was right."""
    found = queries.signal(name)
    if found is None:
        raise Http404
    return _signal(found)


@router.serve(
    "PATCH",
    "/signals/{name}",
    rights=[Right.SEE_CUSTOMERS, Right.EDIT_GOALS],
    gives=SignalOut,
    summary="Switch a signal on or off, set its parameters",
)
def set_signal(request: HttpRequest, name: str, body: SignalPatch) -> dict[str, Any]:
    """Change a signal; alerts are then looked for anew."""
    state = get_object_or_404(SignalState, pk=name)
    known = {parameter["name"] for parameter in state.parameters}
    values = body.parameters or {}
    for parameter in values:
        if parameter not in known:
            raise UsageError(
                msg(
                    "The signal “{signal}” has no parameter “{name}”.", signal=name, name=parameter
                ),
                remedy=msg("It can be one of: {names}.", names=sorted(known))
                if known
                else msg("It has none."),
            )
    fields = body.dict(exclude_unset=True, include={"enabled"})
    actions.set_signal(state=state, fields=fields, values=values, actor=request.user)
    found = queries.signal(name)
    assert found is not None
    return _signal(found)


def _told(row: Alert, personal: bool) -> dict[str, Any]:
    return {
        "id": row.pk,
        "customer": row.customer_id,
        "signal": row.signal,
        "raised_on": row.raised_on,
        "reason": queries.why_text(row),
        "bought_for": row.bought_for,
        "at_stake": row.stake or None,
        "open": row.is_open,
        "closed_on": row.closed_on,
        "closed_by": row.closed_by,
        "owner": row.owner_id,
        "snoozed_until": row.snoozed_until,
        "outcome": row.outcome,
        "note": row.note if personal else None,
        "noticed_at": row.noticed_at,
    }


def _signal(one: queries.Told) -> dict[str, Any]:
    fields = (
        "name", "label", "meaning", "enabled", "chosen", "muted", "open", "showing", "reason",
        "sentence", "parameters",
    )  # fmt: skip
    return {**{field: getattr(one, field) for field in fields}, "record": one.record or None}
