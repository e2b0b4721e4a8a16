"""Consents and erasure, for programs."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Schema

from revoir_web.common import audit
from revoir_web.common.answers import changed_by
from revoir_web.common.api import Page, Paging, Router, paged
from revoir_web.common.rights import Right, may
from revoir_web.consents import actions, links, portability, queries
from revoir_web.consents.forms import NewPurposeForm, NoticeForm, PurposeForm, RuleForm
from revoir_web.consents.models import Consent, Erasure, Notice, Purpose, RetentionRule
from revoir_web.customers.models import Customer

router = Router()
Way = Literal["email", "sms", "phone", "post"]


class PurposeOut(Schema):
    """Something that data is used for."""

    code: str
    name_fr: str
    name_en: str
    text_fr: str
    text_en: str
    channels: list[str]
    basis: str
    active: bool


_Told = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]


class PurposePatch(Schema):
    """What to change; what is left out stays as it is."""

    name_fr: str = Field("", min_length=1, max_length=100, pattern=r"^[^\x00]*$")
    name_en: str = Field("", min_length=1, max_length=100, pattern=r"^[^\x00]*$")
    text_fr: _Told = Field("", description="What it means to the customer.")
    text_en: _Told = ""
    channels: list[Way] = Field(default_factory=list, min_length=1, max_length=4)
    basis: Literal["consent", "interest"] = Field(
        "consent", description="Only with consent; or unless the customer objects."
    )
    active: bool = True


class PurposeIn(PurposePatch):
    """A purpose that is not there yet."""

    code: str = Field(
        max_length=40, pattern="^[-a-zA-Z0-9_]+$", description="A short word. It never changes."
    )
    name_fr: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")
    name_en: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")
    channels: list[Way] = Field(min_length=1, max_length=4)


class ConsentIn(Schema):
    """What a customer said."""

    customer: str = Field(max_length=32)
    purpose: str = Field(max_length=40)
    channel: Way
    given: bool
    proof: str = Field(max_length=500, description="How it is known.")
    at: dt.datetime | None = Field(None, description="When it was said; now where left out.")


class ConsentOut(Schema):
    """A line of what a customer said; lines are never changed."""

    id: int
    customer: str
    purpose: str
    channel: str
    given: bool
    source: str
    proof: str | None
    at: dt.datetime


class Asked(Paging):
    """Whose consents."""

    customer: str = Field("", max_length=32)


class Question(Schema):
    """What for, and how."""

    purpose: str = Field(max_length=40)
    channel: Way


class Answer(Schema):
    """Whether a customer may be reached."""

    allowed: bool


class Link(Schema):
    """Where a customer chooses for themselves."""

    url: str


@router.serve(
    "GET",
    "/consents/purposes",
    rights=[Right.SEE_CUSTOMERS],
    gives=list[PurposeOut],
    summary="List purposes",
)
def list_purposes(request: HttpRequest) -> Any:
    """What data is used for."""
    return Purpose.objects.all()


@router.serve(
    "POST",
    "/consents/purposes",
    rights=[Right.MANAGE_COMPANY],
    gives=PurposeOut,
    status=201,
    summary="Add a purpose",
)
def make_purpose(request: HttpRequest, body: PurposeIn) -> Purpose:
    """A purpose more: customers find it on their page at once."""
    fields = changed_by(NewPurposeForm, Purpose(), body.dict())
    return actions.save_purpose(purpose=Purpose(), fields=fields, actor=request.user)


@router.serve(
    "PATCH",
    "/consents/purposes/{code}",
    rights=[Right.MANAGE_COMPANY],
    gives=PurposeOut,
    summary="Change a purpose",
)
def change_purpose(request: HttpRequest, code: str, body: PurposePatch) -> Purpose:
    """Change a purpose, or let it rest; what customers said of it stays."""
    held = get_object_or_404(Purpose, code=code)
    fields = changed_by(PurposeForm, held, body.dict(exclude_unset=True))
    return actions.save_purpose(purpose=held, fields=fields, actor=request.user)


@router.serve(
    "GET",
    "/consents",
    rights=[Right.SEE_CUSTOMERS],
    gives=Page[ConsentOut],
    summary="List consents",
)
def list_consents(
    request: HttpRequest,
    asked: Query[Asked],
) -> dict[str, Any]:
    """What customers said, in the order in which it was written down."""
    rows = Consent.objects.order_by().select_related("purpose")
    if asked.customer:
        # Of one who was merged, what the customer said that they are now.
        now = Customer.objects.filter(pk=asked.customer)
        rows = rows.filter(customer__in=now.values(is_now=Coalesce("merged_into", "pk")))
    found, following = paged(rows, limit=asked.limit, cursor=asked.cursor)
    personal = may(request.user, Right.SEE_PERSONAL)
    return {"items": [_told(row, personal) for row in found], "next": following}


@router.serve(
    "POST",
    "/consents",
    rights=[Right.EDIT_CUSTOMERS],
    gives=ConsentOut,
    status=201,
    summary="Record a consent",
)
def record_consent(request: HttpRequest, body: ConsentIn) -> dict[str, Any]:
    """Write down what a customer said."""
    at = body.at
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=dt.UTC)
    line = actions.record(
        customer=get_object_or_404(Customer, pk=body.customer),
        purpose=get_object_or_404(Purpose, code=body.purpose),
        channel=body.channel,
        given=body.given,
        source="api",
        proof=body.proof,
        at=at,
        actor=request.user,
    )
    return _told(line, True)


@router.serve(
    "GET",
    "/customers/{id}/may-contact",
    rights=[Right.SEE_CUSTOMERS],
    gives=Answer,
    summary="May a customer be reached?",
)
def may_contact_customer(request: HttpRequest, id: str, asked: Query[Question]) -> dict[str, bool]:
    """Whether a customer may be reached for a purpose in a channel."""
    customer = get_object_or_404(Customer, pk=id)
    held = get_object_or_404(Purpose, code=asked.purpose)
    return {"allowed": queries.may_contact(customer, held, asked.channel)}


@router.serve(
    "GET",
    "/customers/{id}/preferences",
    rights=[Right.SEE_CUSTOMERS, Right.SEE_PERSONAL],
    gives=Link,
    summary="Get the link to a customer's preferences",
)
def get_preferences_link(request: HttpRequest, id: str) -> dict[str, str]:
    """The address by which a customer reaches their own choices: send it to nobody else."""
    customer = get_object_or_404(Customer, pk=id, erased_at=None)
    return {"url": links.preferences_url(customer)}


@router.serve(
    "GET",
    "/customers/{id}/data",
    rights=[Right.EXPORT_DATA, Right.SEE_PERSONAL],
    gives=None,
    summary="Get a customer's data as a file",
)
def get_customer_data(request: HttpRequest, id: str) -> HttpResponse:
    """Everything that is held of a customer: a zip file with JSON and a page to read."""
    customer = get_object_or_404(Customer, pk=id, erased_at=None, merged_into=None)
    held = portability.archive(customer)
    audit.record("customer.data", object=customer, details={"api": True, "bytes": len(held)})
    return HttpResponse(held, content_type="application/zip")


@router.serve(
    "DELETE",
    "/customers/{id}",
    rights=[Right.ERASE_CUSTOMERS],
    gives=None,
    status=204,
    summary="Erase a customer",
)
def erase_customer(request: HttpRequest, id: str) -> None:
    """Forget a person for good; what they bought stays in the sums."""
    customer = get_object_or_404(Customer, pk=id, erased_at=None)
    actions.erase_persons(customers=[customer], reason=Erasure.Reason.REQUEST, actor=request.user)


# -- How long persons are kept -----------------------------------------------------------------
class ErasureOut(Schema):
    """That someone was erased, when and why; not who."""

    id: int
    customer: str = Field(description="The number by which statistics still know them.")
    at: dt.datetime
    reason: str = Field(description="request, retention.")
    by: int | None = Field(description="The person who did it (null: the program, or a key).")
    rows: dict[str, int] = Field(description="Where something was found → how many rows.")


class AnnouncedOut(Schema):
    """A customer whose erasure is announced."""

    customer: str
    erase_on: dt.date


class RuleOut(Schema):
    """How long persons are kept."""

    enabled: bool = Field(description="Whether persons are erased whose time is over.")
    prospect_months: int = Field(description="Of those who never bought, after the last contact.")
    customer_months: int | None = Field(description="Of those who bought; null: they are kept.")
    notice_days: int = Field(description="Between the announcement and the erasure.")
    alert_months: int | None = Field(
        description="Of alerts, after they closed; null: as long as their customer."
    )


class RulePatch(Schema):
    """What to change; what is left out stays as it is, null empties what may be empty."""

    enabled: bool = True
    prospect_months: int | None = Field(None, ge=1, le=240)
    customer_months: int | None = Field(None, ge=1, le=240)
    notice_days: int | None = Field(None, ge=1, le=365)
    alert_months: int | None = Field(None, ge=1, le=240)


class NoticeOut(Schema):
    """What customers read of what their data is used for, on their page of preferences."""

    text_fr: str
    text_en: str


class NoticePatch(Schema):
    """What to change; what is left out stays as it is, null empties it."""

    text_fr: str | None = Field(None, max_length=5000)
    text_en: str | None = Field(None, max_length=5000)


_ERASE = [Right.ERASE_CUSTOMERS, Right.SEE_PERSONAL]


@router.serve(
    "GET", "/erasures", rights=_ERASE, gives=Page[ErasureOut], summary="List the record of erasures"
)
def list_erasures(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """What was erased, the last first."""
    found, following = paged(
        Erasure.objects.all(), limit=paging.limit, cursor=paging.cursor, down=True
    )
    items = [
        {
            "id": row.pk,
            "customer": row.customer_id,
            "at": row.at,
            "reason": row.reason,
            "by": row.by_id,
            "rows": row.rows,
        }
        for row in found
    ]
    return {"items": items, "next": following}


@router.serve(
    "GET",
    "/erasures/announced",
    rights=_ERASE,
    gives=Page[AnnouncedOut],
    summary="List customers who are to be erased",
)
def list_announced(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Whoever had no contact for longer than the rule allows, and when they will be erased."""
    found, following = paged(
        Customer.objects.filter(erase_on__isnull=False), limit=paging.limit, cursor=paging.cursor
    )
    return {
        "items": [{"customer": row.pk, "erase_on": row.erase_on} for row in found],
        "next": following,
    }


@router.serve(
    "GET",
    "/retention-rule",
    rights=[Right.MANAGE_COMPANY],
    gives=RuleOut,
    summary="Get how long persons are kept",
)
def get_rule(request: HttpRequest) -> RetentionRule:
    """How long persons and alerts are kept."""
    return RetentionRule.current()


@router.serve(
    "PATCH",
    "/retention-rule",
    rights=[Right.MANAGE_COMPANY],
    gives=RuleOut,
    summary="Change how long persons are kept",
)
def change_rule(request: HttpRequest, body: RulePatch) -> RetentionRule:
    """What was announced under the old rule is announced anew under this one."""
    fields = changed_by(RuleForm, RetentionRule.current(), body.dict(exclude_unset=True))
    return actions.change_rule(fields=fields, actor=request.user)


@router.serve(
    "GET",
    "/consents/notice",
    rights=[Right.MANAGE_COMPANY],
    gives=NoticeOut,
    summary="Get what customers read of what data is used for",
)
def get_notice(request: HttpRequest) -> Notice:
    """The notice; how long data is kept is added to it by itself."""
    return Notice.current()


@router.serve(
    "PATCH",
    "/consents/notice",
    rights=[Right.MANAGE_COMPANY],
    gives=NoticeOut,
    summary="Change what customers read of what data is used for",
)
def change_notice(request: HttpRequest, body: NoticePatch) -> Notice:
    """From now on every page of preferences shows this text."""
    fields = changed_by(NoticeForm, Notice.current(), body.dict(exclude_unset=True))
    return actions.change_notice(fields=fields, actor=request.user)


def _told(row: Consent, personal: bool) -> dict[str, Any]:
    return {
        "id": row.pk,
        "customer": row.customer_id,
        "purpose": row.purpose.code,
        "channel": row.channel,
        "given": row.given,
        "source": row.source,
        "proof": row.proof if personal else None,
        "at": row.at,
    }
