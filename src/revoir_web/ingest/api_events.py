"""Events that could not be brought in, for programs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from ninja import Field, Query, Schema

from revoir_web.common import audit
from revoir_web.common.api import Page, Paging, paged
from revoir_web.common.rights import Right, may
from revoir_web.common.words import language
from revoir_web.ingest import inbox
from revoir_web.ingest.api_sources import router
from revoir_web.ingest.models import SetAside

_RIGHTS = [Right.MANAGE_SOURCES, Right.MANAGE_KEYS]


class SetAsideOut(Schema):
    """A message that was acknowledged and of which no rows could be made."""

    id: int
    type: str
    received_at: dt.datetime
    set_aside_at: dt.datetime
    reason: str | None
    message: str | None = Field(
        description="The JSON as it was sent; null for keys without the scope see_personal."
    )


class AgainOut(Schema):
    """How many messages wait for the lake again."""

    messages: int


@router.serve(
    "GET", "/events/set-aside", rights=_RIGHTS, gives=Page[SetAsideOut],
    summary="List events that could not be brought in",
)  # fmt: skip
def list_set_aside(request: HttpRequest, asked: Query[Paging]) -> dict[str, Any]:
    """What was set aside and why, the first first."""
    rows, following = paged(SetAside.objects.all(), limit=asked.limit, cursor=asked.cursor)
    personal = may(request.user, Right.SEE_PERSONAL)
    if personal and rows:
        audit.record("events.set_aside", details={"messages": len(rows)})
    items = [
        {
            "id": row.pk,
            "type": row.kind,
            "received_at": row.received_at,
            "set_aside_at": row.at,
            "reason": row.why.text(language()) if row.why else None,
            "message": row.body if personal else None,
        }
        for row in rows
    ]
    return {"items": items, "next": following}


@router.serve(
    "POST", "/events/set-aside/again", rights=_RIGHTS, gives=AgainOut,
    summary="Try events that were set aside again",
)  # fmt: skip
def take_again(request: HttpRequest) -> dict[str, int]:
    """All of them wait for the lake once more; what fails again is set aside again."""
    return {"messages": inbox.take_again()}
