"""Saved views of the list of customers, for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, Query, Schema

from revoir_web.common.answers import Id, changed_by
from revoir_web.common.api import Page, Paging, Refused, paged
from revoir_web.common.rights import Right
from revoir_web.customers import actions, lists, queries
from revoir_web.customers.api_page import router
from revoir_web.customers.forms import ViewForm
from revoir_web.customers.models import SavedView
from revoir_web.customers.narrowing import Narrowed

Text = Annotated[str, Field(max_length=200)]
_RIGHTS = [Right.SEE_CUSTOMERS]


class CustomerViewOut(Schema):
    """The list of customers with its columns, filters and order, under a name."""

    id: int
    name: str
    columns: list[str] = Field(description="Empty: those that are shown unasked.")
    filters: dict[str, str] = Field(description="By name, as one types them on the page.")
    sort: str = Field(description="A column, “-” before it for the other way; empty: as usual.")
    search: str
    query: str = Field(description="The same as the query string of the page.")
    shared: bool = Field(description="Whether everybody sees it.")
    own: bool = Field(description="Whether it is that of whoever calls; programs share theirs.")


class CustomerViewPatch(Schema):
    """What to change; what is left out, or null, stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=100)
    columns: list[Text] | None = Field(
        None, max_length=50,
        description="name, segment, status, orders, revenue, last_on, first_on, gap_days, rfm,"
        " leaves, stake, clv, next_on, health, city, postcode, country, email, phone,"
        " company_name, created_on.",
    )  # fmt: skip
    filters: dict[Text, Text] | None = Field(
        None, max_length=50,
        description="All of them anew: segment, status, city; orders, revenue, leaves (percent),"
        " stake, clv: at least; health: at most; since and until: days of the last purchase; next:"
        " the last day of the next one.",
    )  # fmt: skip
    sort: Text | None = Field(
        None, description="name, orders, revenue, last_on, first_on, leaves, stake, clv, next_on,"
        " health; “-” before it for the other way; empty: as usual.",
    )  # fmt: skip
    search: Text | None = Field(None, description="What is searched for; empty: nothing.")
    shared: bool | None = Field(
        None, description="Whether everybody sees it; the views of a program are for everybody."
    )


class CustomerViewIn(CustomerViewPatch):
    """A view to keep."""

    name: str = Field(min_length=1, max_length=100)


@router.serve(
    "GET", "/views/customers", rights=_RIGHTS, gives=Page[CustomerViewOut],
    summary="List saved views of customers",
)  # fmt: skip
def list_customer_views(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Those for everybody, and one's own."""
    found, following = paged(
        queries.views_of(request.user), limit=paging.limit, cursor=paging.cursor
    )
    return {"items": _told(request, found), "next": following}


@router.serve(
    "POST", "/views/customers", rights=_RIGHTS, gives=CustomerViewOut, status=201,
    summary="Save a view of customers",
)  # fmt: skip
def make_customer_view(request: HttpRequest, body: CustomerViewIn) -> dict[str, Any]:
    """It takes the place of one's own view of the same name, as on the page."""
    shared = body.shared if body.shared is not None else request.user.pk is None
    checked = changed_by(ViewForm, SavedView(), {"name": body.name, "shared": shared})
    view = actions.save_view(owner=request.user, query=_query(request, "", body), **checked)
    return _told(request, [view])[0]


@router.serve(
    "PATCH", "/views/customers/{id}", rights=_RIGHTS, gives=CustomerViewOut,
    summary="Change a saved view of customers",
)  # fmt: skip
def change_customer_view(request: HttpRequest, id: Id, body: CustomerViewPatch) -> dict[str, Any]:
    """One of one's own; programs change those of programs."""
    view = _own(request, id)
    told = body.dict(include={"name", "shared"}, exclude_none=True)
    fields = {"name": view.name, "shared": view.shared, **told}
    checked = changed_by(ViewForm, _own(request, id), fields)
    actions.change_view(view=view, query=_query(request, view.query, body), **checked)
    return _told(request, [view])[0]


@router.serve(
    "DELETE", "/views/customers/{id}", rights=_RIGHTS, gives=None, status=204,
    summary="Forget a saved view of customers",
)  # fmt: skip
def forget_customer_view(request: HttpRequest, id: Id) -> None:
    """One of one's own; the customers stay. Programs forget those of programs."""
    actions.delete_view(view=_own(request, id))


def _own(request: HttpRequest, id: int) -> SavedView:
    view = queries.own_view(request.user, id)
    if view is None:
        raise Http404
    return view


def _query(request: HttpRequest, before: str, body: CustomerViewPatch) -> str:
    """The query string of a list, with what a call changes in it."""
    table = lists.customers(request)
    parts = dict(parse_qsl(before))
    if body.columns is not None:
        _must_be(body.columns, [column.name for column in table.columns], "columns")
        parts["columns"] = ",".join(body.columns)
    if body.sort is not None:
        _must_be(
            [body.sort.removeprefix("-")] if body.sort else [],
            [column.name for column in table.columns if column.sort],
            "sort",
        )
        parts["sort"] = body.sort
    if body.search is not None:
        parts["q"] = body.search.strip()
    if body.filters is not None:
        _must_narrow(table, body.filters)
        parts = {
            name: value
            for name, value in parts.items()
            if name not in {held.name for held in table.filters}
        } | body.filters
    query = urlencode({name: value for name, value in parts.items() if value})
    if len(query) > 2000:
        raise Refused(
            422, "too_long", _("This view is longer than 2,000 characters as an address.")
        )
    return query


def _must_be(given: Sequence[str], known: Sequence[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise Refused(
                422, "invalid", f"{where}: " + _("Nothing is called %(kind)s.") % {"kind": name},
                _("Use: %(kinds)s.") % {"kinds": ", ".join(known)},
            )  # fmt: skip


def _must_narrow(table: lists.CustomerTable, given: Mapping[str, str]) -> None:
    """Refuse a filter that is none, and a value that the page would pass over."""
    by_name = {held.name: held for held in table.filters}
    _must_be(list(given), list(by_name), "filters")
    for name, value in given.items():
        held, rows = by_name[name], Narrowed()
        if not value:
            continue
        if held.choices:
            _must_be([value], [str(choice) for choice, _label in held.choices], f"filters.{name}")
        elif held.apply(rows, value.strip()) is rows:
            raise Refused(
                422, "invalid", f"filters.{name}: " + _("This is no number, or no day."),
                _("Write numbers like 12.5, and days like 2026-01-31."),
            )  # fmt: skip


def _told(request: HttpRequest, views: Sequence[SavedView]) -> list[dict[str, Any]]:
    names = {held.name for held in lists.customers(request).filters}
    found = []
    for view in views:
        parts = dict(parse_qsl(view.query))
        found.append(
            {
                "id": view.pk,
                "name": view.name,
                "columns": [name for name in parts.get("columns", "").split(",") if name],
                "filters": {name: value for name, value in parts.items() if name in names},
                "sort": parts.get("sort", ""),
                "search": parts.get("q", ""),
                "query": view.query,
                "shared": view.shared,
                "own": view.owner_id == request.user.pk,
            }
        )
    return found
