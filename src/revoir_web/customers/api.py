"""Customers and their merges, for programs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Field, Query, Schema

from revoir_web.common import audit
from revoir_web.common.api import (
    Page,
    Paging,
    Refused,
    paged,
    read_cursor,
    write_cursor,
)
from revoir_web.common.rights import Right, may
from revoir_web.customers import (
    actions,
    api_views,  # noqa: F401 (its calls are on the router too)
    queries,
)
from revoir_web.customers.api_page import (
    customer_of,
    router,  # the calls of a customer's page are on it
)
from revoir_web.customers.models import Customer, CustomerFigures, Identifier, MergeProposal
from revoir_web.customers.models import Merge as MergeRow
from revoir_web.customers.narrowing import Condition, Narrowed
from revoir_web.customers.text import town_key

DEEPEST = 100_000


class Figures(Schema):
    """What is computed of a customer."""

    orders: int
    revenue: float | None = Field(
        description="In the company's currency; null: no amount of what was bought is known in it."
    )
    first_on: dt.date | None
    last_on: dt.date | None
    gap_days: float | None
    segment: str
    status: str
    rfm: str
    leaves: float | None = Field(description="Probability of leaving.")
    stake: float | None = Field(
        description="Probability of leaving × what they bring in a year, in the company's currency."
    )
    clv: float | None = Field(
        description="Expected of a year to come: margin where its share is known, else sales."
    )
    next_on: dt.date | None = Field(description="The day of the next purchase, if it comes.")
    health: float | None = Field(description="From 0 (worst) to 100.")


class CustomerOut(Schema):
    """A customer; personal values are null for keys without the scope see_personal."""

    id: str
    name: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    address: str | None
    birth_date: dt.date | None
    postcode: str
    city: str
    region: str
    country: str
    gender: str
    company_name: str
    language: str
    created_on: dt.date | None
    attributes: dict[str, Any] | None
    erased: bool
    figures: Figures | None


class IdentifierOut(Schema):
    """Something by which a customer is recognised."""

    kind: str
    value: str | None


class CustomerFull(CustomerOut):
    """A customer with what they are recognised by."""

    identifiers: list[IdentifierOut]


class CustomerIn(Schema):
    """A customer as another system knows them; what is left out stays as it is."""

    external_id: str | None = Field(None, max_length=255)
    email: str | None = Field(None, max_length=254)
    phone: str | None = Field(None, max_length=32)
    name: str | None = Field(None, max_length=200)
    first_name: str | None = Field(None, max_length=100)
    last_name: str | None = Field(None, max_length=100)
    street: str | None = Field(None, max_length=300)
    postcode: str | None = Field(None, max_length=16)
    city: str | None = Field(None, max_length=100)
    region: str | None = Field(None, max_length=100)
    country: str | None = Field(None, max_length=100)
    birth_date: dt.date | None = None
    gender: str | None = Field(None, max_length=32)
    company: str | None = Field(None, max_length=200)
    language: str | None = Field(None, max_length=8)
    attributes: dict[str, str | float | bool] = Field(default_factory=dict, max_length=50)


class CustomerPatch(Schema):
    """Fields to change; those that are left out stay as they are."""

    name: str | None = Field(None, max_length=200)
    first_name: str | None = Field(None, max_length=100)
    last_name: str | None = Field(None, max_length=100)
    email: str | None = Field(None, max_length=254)
    phone: str | None = Field(None, max_length=32)
    address: str | None = Field(None, max_length=300)
    postcode: str | None = Field(None, max_length=16)
    city: str | None = Field(None, max_length=100)
    region: str | None = Field(None, max_length=100)
    country: str | None = Field(None, max_length=100)
    birth_date: dt.date | None = None
    gender: str | None = Field(None, max_length=32)
    company_name: str | None = Field(None, max_length=200)
    language: str | None = Field(None, max_length=8)


_Q = (
    "Beginnings of words, number, address; without the scope see_personal the id alone. Of what is"
    f" found, no more than {queries.FOUND_MAX:,} customers are looked at: be more precise then."
)


class Filters(Paging):
    """What to narrow the list by."""

    q: str = Field("", max_length=200, description=_Q)
    segment: str = Field("", max_length=40)
    status: str = Field("", max_length=8)
    city: str = Field("", max_length=100)
    orders_min: int | None = Field(None, ge=0, le=2**31 - 1)
    revenue_min: float | None = Field(None, ge=-1e12, le=1e12)
    last_from: dt.date | None = None
    last_to: dt.date | None = None
    leaves_min: float | None = Field(None, ge=0, le=1)
    stake_min: float | None = Field(None, ge=-1e12, le=1e12)
    clv_min: float | None = Field(None, ge=-1e12, le=1e12)
    next_to: dt.date | None = None
    health_max: float | None = Field(None, ge=0, le=100)
    sort: str = Field(
        "id",
        pattern="^-?(id|revenue|orders|first_on|last_on|leaves|stake|clv|next_on|health)$",
        description="- for descending",
    )


@router.serve(
    "GET",
    "/customers",
    rights=[Right.SEE_CUSTOMERS],
    gives=Page[CustomerOut],
    summary="List customers",
)
def list_customers(request: HttpRequest, asked: Query[Filters]) -> dict[str, Any]:
    """Customers who were neither merged into others nor erased, by filters."""
    personal = may(request.user, Right.SEE_PERSONAL)
    rows = Narrowed(among=_found(asked.q, personal) if asked.q.strip() else None)
    for condition in _conditions(asked):
        rows = rows.where(condition)
    field, down = asked.sort.lstrip("-"), asked.sort.startswith("-")
    if field == "id":
        if asked.cursor:
            key = str(read_cursor(asked.cursor))
            rows = rows.where(Condition("pk", "before" if down else "after", key))
        found = rows.by("pk", down=down)[: asked.limit + 1]
        more = len(found) > asked.limit
        following = write_cursor(found[asked.limit - 1].pk) if more else None
    else:
        begin = read_cursor(asked.cursor) if asked.cursor else 0
        if not isinstance(begin, int) or not 0 <= begin <= DEEPEST:
            raise Refused(400, "bad_cursor", _("This cursor was not given by this call."))
        found = rows.by(field, down=down)[begin : begin + asked.limit + 1]
        more = len(found) > asked.limit and begin + asked.limit <= DEEPEST
        following = write_cursor(begin + asked.limit) if more else None
    found = found[: asked.limit]
    if personal:
        audit.record("customers.list", details={"api": True, "rows": len(found)})
    return {
        "items": [_told(row.customer, row, personal) for row in found],
        "next": following,
    }


def _found(words: str, personal: bool) -> list[str]:
    """Whom a search finds; an answer that masks who they are must not tell it by being one."""
    ids = queries.search(words) if personal else queries.by_number(words)
    if ids is None:
        raise Refused(
            403,
            "search_tells",
            _("This search would tell who customers are, which you may not see."),
            _("Search for an id that Revoir gave, or use a key with the scope see_personal."),
        )
    return ids


def _conditions(asked: Filters) -> Iterator[Condition]:
    for field, word in (("segment", asked.segment), ("status", asked.status)):
        if word:
            yield Condition(field, "is", word)
    if town := town_key(asked.city):
        yield Condition("city_key", "town", town)
    least: dict[str, Any] = {
        "orders": asked.orders_min,
        "revenue": asked.revenue_min,
        "last_on": asked.last_from,
        "leaves": asked.leaves_min,
        "stake": asked.stake_min,
        "clv": asked.clv_min,
    }
    most = {"last_on": asked.last_to, "next_on": asked.next_to, "health": asked.health_max}
    for field, bound in least.items():
        if bound is not None:
            yield Condition(field, "from", bound)
    for field, bound in most.items():
        if bound is not None:
            yield Condition(field, "to", bound)


@router.serve(
    "GET",
    "/customers/{id}",
    rights=[Right.SEE_CUSTOMERS],
    gives=CustomerFull,
    summary="Get a customer",
)
def get_customer(request: HttpRequest, id: str) -> dict[str, Any]:
    """One customer; of one who was merged, the customer that they are now."""
    customer = customer_of(id)
    personal = may(request.user, Right.SEE_PERSONAL)
    if personal:
        audit.record("customer.see", object=customer, details={"api": True})
    return _full(customer, personal)


@router.serve(
    "POST",
    "/customers",
    rights=[Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL],
    gives=CustomerFull,
    summary="Find or make a customer",
)
def identify_customer(request: HttpRequest, body: CustomerIn) -> dict[str, Any]:
    """The customer of an external id, e-mail address or telephone number, brought up to date."""
    told = body.dict(exclude_none=True, exclude={"attributes"})
    names = {"external_id": "external", "email": "email", "phone": "phone"}
    identifiers = {kind: told.pop(name) for name, kind in names.items() if name in told}
    profile = {**body.attributes, **told}
    customer = actions.identify(identifiers=identifiers, profile=profile, source="api")
    if customer is None:
        raise Refused(
            409,
            "nobody",
            _("This names no customer, or one who was erased."),
            _("Give an external id, an e-mail address or a telephone number."),
        )
    audit.record("customer.identify", object=customer, details={"fields": sorted(told)})
    return _full(customer, True)


@router.serve(
    "PATCH",
    "/customers/{id}",
    rights=[Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL],
    gives=CustomerFull,
    summary="Correct a customer",
)
def correct_customer(request: HttpRequest, id: str, body: CustomerPatch) -> dict[str, Any]:
    """Change fields of a profile; null empties one."""
    customer = customer_of(id)
    fields: dict[str, Any] = body.dict(exclude_unset=True)
    for name, value in fields.items():
        if value is None and name != "birth_date":
            fields[name] = ""
    actions.update_profile(customer=customer, fields=fields, actor=request.user)
    return _full(customer_of(id), True)


# -- Merges ------------------------------------------------------------------------------------
class Pair(Schema):
    """Two customers that may be one."""

    id: int
    left: str
    right: str
    reason: str
    score: float


class MergeIn(Schema):
    """Two customers to make one."""

    winner: str = Field(max_length=32, description="The id that stays.")
    loser: str = Field(max_length=32)


class MergeOut(Schema):
    """A merge."""

    id: int
    winner: str
    loser: str
    at: dt.datetime
    reversed: bool


@router.serve(
    "GET",
    "/merges/proposals",
    rights=[Right.SEE_CUSTOMERS],
    gives=Page[Pair],
    summary="List pairs to decide",
)
def list_proposals(
    request: HttpRequest,
    paging: Query[Paging],
) -> dict[str, Any]:
    """Pairs of customers that may be one person and that nobody decided yet."""
    found, following = paged(queries.open_proposals(), limit=paging.limit, cursor=paging.cursor)
    items = [
        {
            "id": row.pk,
            "left": row.left_id,
            "right": row.right_id,
            "reason": row.reason,
            "score": row.score,
        }
        for row in found
    ]
    return {"items": items, "next": following}


@router.serve(
    "POST",
    "/merges/proposals/{id}/apart",
    rights=[Right.EDIT_CUSTOMERS],
    gives=None,
    status=204,
    summary="Keep a pair apart",
)
def keep_apart(request: HttpRequest, id: int) -> None:
    """Say that the customers of a pair are two persons."""
    actions.dismiss(proposal=get_object_or_404(MergeProposal, pk=id), actor=request.user)


@router.serve(
    "GET", "/merges", rights=[Right.SEE_CUSTOMERS], gives=Page[MergeOut], summary="List merges"
)
def list_merges(
    request: HttpRequest,
    paging: Query[Paging],
) -> dict[str, Any]:
    """What was merged, the first one first."""
    found, following = paged(MergeRow.objects.order_by(), limit=paging.limit, cursor=paging.cursor)
    return {"items": [_merge(row) for row in found], "next": following}


@router.serve(
    "POST",
    "/merges",
    rights=[Right.EDIT_CUSTOMERS],
    gives=MergeOut,
    status=201,
    summary="Merge two customers",
)
def merge_customers(request: HttpRequest, body: MergeIn) -> dict[str, Any]:
    """Make two customers one; their orders stand under the winner from then on."""
    held = Customer.objects.in_bulk([body.winner, body.loser])
    if body.winner not in held or body.loser not in held:
        raise Http404
    made = actions.merge(winner=held[body.winner], loser=held[body.loser], actor=request.user)
    return _merge(made)


@router.serve(
    "DELETE",
    "/merges/{id}",
    rights=[Right.EDIT_CUSTOMERS],
    gives=None,
    status=204,
    summary="Undo a merge",
)
def unmerge_customers(request: HttpRequest, id: int) -> None:
    """Make two customers of one again."""
    actions.undo_merge(merge=get_object_or_404(MergeRow, pk=id), actor=request.user)


def _merge(row: MergeRow) -> dict[str, Any]:
    return {
        "id": row.pk,
        "winner": row.winner_id,
        "loser": row.loser_id,
        "at": row.at,
        "reversed": row.reversed_at is not None,
    }


# -- Told --------------------------------------------------------------------------------------
_OPEN = (
    "id", "postcode", "city", "region", "country", "gender", "company_name", "language",
    "created_on",
)  # fmt: skip
_PERSONAL = (
    "name", "first_name", "last_name", "email", "phone", "address", "birth_date", "attributes",
)  # fmt: skip


def _told(customer: Customer, figures: CustomerFigures | None, personal: bool) -> dict[str, Any]:
    return {
        **{name: getattr(customer, name) for name in _OPEN},
        **{name: getattr(customer, name) if personal else None for name in _PERSONAL},
        "erased": customer.erased_at is not None,
        "figures": figures,
    }


def _full(customer: Customer, personal: bool) -> dict[str, Any]:
    figures = CustomerFigures.objects.filter(pk=customer.pk).first()
    identifiers = Identifier.objects.filter(customer=customer).order_by("kind", "pk")
    return {
        **_told(customer, figures, personal),
        "identifiers": [
            {"kind": row.kind, "value": row.value if personal else None} for row in identifiers
        ],
    }
