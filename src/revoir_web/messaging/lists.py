from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from revoir.language import msg
from revoir_web.common import exports
from revoir_web.common.rights import Right
from revoir_web.common.tables import Column, Filter, Table
from revoir_web.common.words import language
from revoir_web.messaging.models import Outbox

KINDS = {"message": msg("Message"), "digest": msg("Digest")}


def messages(request: HttpRequest) -> Table:
    """Messages, newest first."""
    return Table(
        request,
        Outbox.objects.defer("text", "html", "images"),
        [
            Column("subject", _("Subject")),
            Column("to", _("Recipient"), sort="to", personal=True),
            Column("kind", _("Kind"), sort="kind", value=_kind),
            Column("state", _("State"), sort="state", value=lambda row: row.get_state_display()),
            Column("attempts", _("Attempts"), kind="number", sort="attempts", shown=False),
            Column("queued_at", _("Created"), kind="moment", sort="queued_at"),
            Column("sent_at", _("Sent"), kind="moment", sort="sent_at"),
        ],
        caption=_("Messages"),
        default_sort="-queued_at",
        filters=[
            Filter(
                "state",
                _("State"),
                lambda rows, value: rows.filter(state=value),
                choices=Outbox.State.choices,
            ),
            Filter(
                "kind",
                _("Kind"),
                lambda rows, value: rows.filter(kind=value),
                choices=[(kind, label.text(language())) for kind, label in KINDS.items()],
            ),
        ],
        search=lambda rows, words: rows.filter(to__icontains=words),
        search_tells=True,
        url=lambda row: reverse("messaging:message", args=[row.pk]),
        export="messages",
        empty={
            "title": _("Nothing was sent yet"),
            "text": _("Digests and other messages will stand here, with what became of them."),
        },
    )


@exports.register("messages", Right.MANAGE_COMPANY)
def messages_file(request: HttpRequest) -> tuple[list[str], Any]:
    """The list as a file."""
    return exports.of_table(messages(request))


def _kind(row: Outbox) -> str:
    known = KINDS.get(row.kind)
    return known.text(language()) if known else row.kind
