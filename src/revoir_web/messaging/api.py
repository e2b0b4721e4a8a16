"""E-mails that were sent, for programs."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Schema

from revoir_web.common.answers import Id
from revoir_web.common.api import Page, Paging, Router, paged
from revoir_web.common.rights import Right, may
from revoir_web.common.words import language
from revoir_web.messaging import actions
from revoir_web.messaging.models import Outbox

router = Router()
_RIGHTS = [Right.MANAGE_COMPANY]


class MessageOut(Schema):
    """An e-mail to one address: waiting → sent, or failed."""

    id: int
    kind: str = Field(description="digest, message.")
    to: str | None = Field(description="Null for keys without the scope see_personal.")
    subject: str
    state: Literal["waiting", "sent", "failed"]
    attempts: int
    queued_at: dt.datetime
    sent_at: dt.datetime | None
    error: str | None = Field(description="What went wrong last.")


class MessageFilters(Paging):
    """What to narrow the list by."""

    state: Literal["", "waiting", "sent", "failed"] = ""
    kind: str = Field("", max_length=32, pattern=r"^[^\x00]*$")


@router.serve(
    "GET",
    "/messages",
    rights=_RIGHTS,
    gives=Page[MessageOut],
    summary="List e-mails that were sent",
)
def list_messages(request: HttpRequest, asked: Query[MessageFilters]) -> dict[str, Any]:
    """What was sent and what became of it, the last first; what they say is on their pages."""
    rows = Outbox.objects.defer("text", "html", "images")
    for name, wanted in (("state", asked.state), ("kind", asked.kind)):
        if wanted:
            rows = rows.filter(**{name: wanted})
    found, following = paged(rows, limit=asked.limit, cursor=asked.cursor, down=True)
    return {"items": [_told(request, held) for held in found], "next": following}


@router.serve("GET", "/messages/{id}", rights=_RIGHTS, gives=MessageOut, summary="Get an e-mail")
def get_message(request: HttpRequest, id: Id) -> dict[str, Any]:
    """What became of it."""
    return _told(request, get_object_or_404(Outbox, pk=id))


@router.serve(
    "POST", "/messages/{id}/again", rights=_RIGHTS, gives=MessageOut, summary="Send an e-mail again"
)
def send_message_again(request: HttpRequest, id: Id) -> dict[str, Any]:
    """Try one that failed once more; others stay as they are."""
    held = get_object_or_404(Outbox, pk=id)
    actions.send_again(message=held)
    return _told(request, held)


def _told(request: HttpRequest, held: Outbox) -> dict[str, Any]:
    fields = ("id", "kind", "subject", "state", "attempts", "queued_at", "sent_at")
    return {
        **{name: getattr(held, name) for name in fields},
        "to": held.to if may(request.user, Right.SEE_PERSONAL) else None,
        "error": held.failure.text(language()) if held.failure else None,
    }
