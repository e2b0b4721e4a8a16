"""People of the company, for programs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from ninja import Field, Query, Schema

from revoir_web.accounts.models import User
from revoir_web.accounts.rights import Right
from revoir_web.common.api import Page, Paging, Router, paged

router = Router()


class PersonOut(Schema):
    """Someone who works with Revoir."""

    id: int = Field(description="As owner of alerts and recipient of digests.")
    name: str
    email: str
    role: str = Field(description="owner, manager, advisor, analyst.")
    language: str
    active: bool
    last_login: dt.datetime | None


@router.serve(
    "GET", "/people", rights=[Right.MANAGE_PEOPLE], gives=Page[PersonOut], summary="List people"
)
def list_people(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Who works with Revoir, and what they may do."""
    found, following = paged(User.objects.all(), limit=paging.limit, cursor=paging.cursor)
    fields = ("id", "name", "email", "role", "language", "last_login")
    items = [
        {**{name: getattr(row, name) for name in fields}, "active": row.is_active} for row in found
    ]
    return {"items": items, "next": following}
