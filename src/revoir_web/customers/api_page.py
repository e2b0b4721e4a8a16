"""What the page of a customer shows beside the customer, for programs: figures, facts, notes."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import unquote_plus

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Schema

from revoir.language import written
from revoir_web.common import audit
from revoir_web.common.answers import bad_cursor, moment_of
from revoir_web.common.api import Page, Paging, Router, paged, read_cursor, write_cursor
from revoir_web.common.models import Company
from revoir_web.common.rights import Right, may
from revoir_web.common.words import language
from revoir_web.customers import actions, queries
from revoir_web.customers.models import Customer, Note
from revoir_web.customers.naming import is_named, names_of

router = Router()
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Beside(Schema):
    """A figure of a customer beside the mean of their segment."""

    name: Literal["orders", "revenue", "basket", "gap_days"]
    value: float
    mean: float | None
    tone: Literal["better", "worse", ""] = Field(description="Empty: about the same.")


class Owned(Schema):
    """A product that a customer owns: what they bought, less what came back."""

    product: str
    since: dt.datetime = Field(description="Midnight (UTC) of the day it was bought last.")
    quantity: float
    due: dt.date | None = Field(description="The day on which an upgrade is due.")
    late: bool


class MayBe(Schema):
    """Somebody who may be the same person; decide it with `/api/merges/proposals`."""

    proposal: int
    customer: str
    reason: str
    score: float


class ProfileOut(Schema):
    """What the page of a customer shows beside identity, facts and notes."""

    metrics: list[Beside]
    products: list[Owned]
    merged: list[str] = Field(description="Those who were merged into this customer.")
    may_be: list[MayBe]


class FactOut(Schema):
    """Something that happened with a customer."""

    at: dt.datetime | None = Field(description="Null: the data do not say when.")
    day_only: bool = Field(description="Whether the time is not known: `at` is the day's midnight.")
    kind: str = Field(description="order, product, subscription, response, interaction, event.")
    id: str | None
    title: str
    amount: float | None
    currency: str | None
    text: str | None = Field(
        description="What the customer said; null for keys without the scope see_personal."
    )
    details: dict[str, str | float | bool] = Field(
        description="What else is known, by column; for keys without the scope see_personal without"
        " what names the customer."
    )


class NoteIn(Schema):
    """Something to write about a customer."""

    text: str = Field(min_length=1, max_length=5000, pattern=r"^[^\x00]*\S[^\x00]*$")


class NoteOut(Schema):
    """What someone of the company, or a program, wrote about a customer."""

    id: int
    customer: str  # by which erasure finds an answer that is kept to be given again
    text: str
    author: str | None = Field(description="Null: a program, or an account that is gone.")
    created_at: dt.datetime
    updated_at: dt.datetime


def customer_of(id: str) -> Customer:
    """The customer of an id; of one who was merged, the customer that they are now."""
    customer = get_object_or_404(Customer, pk=id)
    return customer.merged_into if customer.merged_into is not None else customer


@router.serve(
    "GET",
    "/customers/{id}/profile",
    rights=[Right.SEE_CUSTOMERS],
    gives=ProfileOut,
    summary="Get a customer's figures beside their segment, and their products",
)
def get_profile(request: HttpRequest, id: str) -> dict[str, Any]:
    """What the page of a customer shows, beside `/api/customers/{id}`."""
    customer = customer_of(id)
    shown = queries.profile(customer)
    return {
        "metrics": shown.metrics,
        "products": [
            {**row, "since": dt.datetime.combine(row["since"], dt.time(), dt.UTC)}
            for row in shown.products
        ],
        "merged": [row.loser_id for row in shown.merges],
        "may_be": [
            {
                "proposal": row.pk,
                "customer": row.right_id if row.left_id == customer.pk else row.left_id,
                "reason": row.reason,
                "score": row.score,
            }
            for row in shown.proposals
        ],
    }


@router.serve(
    "GET",
    "/customers/{id}/facts",
    rights=[Right.SEE_CUSTOMERS],
    gives=Page[FactOut],
    summary="List what happened with a customer",
)
def list_facts(request: HttpRequest, id: str, paging: Query[Paging]) -> dict[str, Any]:
    """Orders, products, subscriptions, answers, contacts and events, the last first."""
    customer = customer_of(id)
    personal = may(request.user, Right.SEE_PERSONAL)
    if personal:
        audit.record("customer.see", object=customer, details={"api": True})
    since = _place(read_cursor(paging.cursor)) if paging.cursor else None
    found, following = queries.timeline(customer, limit=paging.limit, since=since)
    currency = Company.current().currency
    # What came before the customer had a name may name them.
    known = {} if personal else names_of(queries.lake_ids(customer))
    names = [name for each in known.values() for name in each]
    return {
        "items": [_fact(fact, personal, names, currency) for fact in found],
        "next": write_cursor(f"{following[0].isoformat()} {following[1]}") if following else None,
    }


def _place(told: Any) -> tuple[dt.datetime, int]:
    """From which moment on, and how many of that moment were given before."""
    at, _space, given = str(told).partition(" ")
    if not (given.isascii() and given.isdigit() and int(given[:9]) <= queries.FACTS_MAX):
        raise bad_cursor()
    moment = moment_of(at)
    if moment.year >= dt.MAXYEAR:
        raise bad_cursor()
    return moment, int(given[:9])


def _fact(
    fact: Mapping[str, Any], personal: bool, names: Sequence[str], currency: str
) -> dict[str, Any]:
    details = dict(fact.get("details") or {})
    text, title, amount = details.pop("text", None), fact.get("title") or "", fact.get("amount")
    return {
        "at": fact["at"],
        # What is known by the day alone comes as its midnight.
        "day_only": fact["at"] is not None and fact["at"].timetz() == dt.time(tzinfo=dt.UTC),
        "kind": fact["kind"],
        "id": None if fact.get("id") is None else str(fact["id"]),
        "title": title if isinstance(title, str) else written(title, language()),
        "amount": None if amount is None else float(amount),
        "currency": None if amount is None else fact.get("currency") or currency or None,
        "text": str(text) if personal and text else None,
        "details": {
            name: plain
            for name, value in details.items()
            if (plain := _plain(value)) is not None
            and not (names and isinstance(plain, str) and is_named(unquote_plus(plain), names))
        },
    }


def _plain(value: Any) -> Any:
    """A value as JSON has it; None for what JSON has not."""
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float, Decimal)):
        return float(value) if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else None


# -- Notes -------------------------------------------------------------------------------------
@router.serve(
    "GET",
    "/customers/{id}/notes",
    rights=[Right.SEE_CUSTOMERS, Right.SEE_PERSONAL],
    gives=Page[NoteOut],
    summary="List notes about a customer",
)
def list_notes(request: HttpRequest, id: str, paging: Query[Paging]) -> dict[str, Any]:
    """What was written about a customer, the last first."""
    customer = customer_of(id)
    audit.record("customer.see", object=customer, details={"api": True})
    found, following = paged(
        customer.notes.select_related("author"),
        limit=paging.limit, cursor=paging.cursor, down=True,
    )  # fmt: skip
    return {"items": [_note(note) for note in found], "next": following}


@router.serve(
    "POST",
    "/customers/{id}/notes",
    rights=[Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL],
    gives=NoteOut,
    status=201,
    summary="Write a note about a customer",
)
def add_note(request: HttpRequest, id: str, body: NoteIn) -> dict[str, Any]:
    """A note more on the customer's page."""
    return _note(actions.add_note(customer=customer_of(id), text=body.text, actor=request.user))


@router.serve(
    "PATCH",
    "/customers/{id}/notes/{note}",
    rights=[Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL],
    gives=NoteOut,
    summary="Change a note",
)
def change_note(request: HttpRequest, id: str, note: Id, body: NoteIn) -> dict[str, Any]:
    """Other words in place of a note's: of one's own, or of any with the right to manage people."""
    return _note(
        actions.change_note(note=_own(request, id, note), text=body.text, actor=request.user)
    )


@router.serve(
    "DELETE",
    "/customers/{id}/notes/{note}",
    rights=[Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL],
    gives=None,
    status=204,
    summary="Take a note away",
)
def delete_note(request: HttpRequest, id: str, note: Id) -> None:
    """One's own, or any with the right to manage people."""
    actions.delete_note(note=_own(request, id, note), actor=request.user)


def _own(request: HttpRequest, id: str, note: int) -> Note:
    held = get_object_or_404(Note, pk=note, customer=customer_of(id))
    if not queries.may_change(request.user, held):
        raise PermissionDenied
    return held


def _note(row: Note) -> dict[str, Any]:
    return {
        "id": row.pk,
        "customer": row.customer_id,
        "text": row.text,
        "author": row.author.name if row.author is not None else None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
