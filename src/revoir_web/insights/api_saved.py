"""Saved views and digests, for programs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from ninja import Field, Query, Schema

from revoir_web.common.api import Page, Paging, paged
from revoir_web.common.rights import Right, may
from revoir_web.customers import queries as customers
from revoir_web.insights import queries
from revoir_web.insights.api_told import router
from revoir_web.insights.models import Digest


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
    at: dt.time = Field(description="In the company's time zone.")
    enabled: bool
    recipients: list[int] = Field(description="As `/api/people` numbers them.")


@router.serve(
    "GET",
    "/digests",
    rights=[Right.EDIT_DIGESTS],
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
    fields = ("id", "name", "metrics", "every", "weekday", "day", "at", "enabled")
    items = [
        {
            **{name: getattr(row, name) for name in fields},
            "recipients": sorted(user.pk for user in row.recipients.all()),
        }
        for row in found
    ]
    return {"items": items, "next": following}
