from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from revoir_web.common.tables import Column, Table
from revoir_web.insights.models import Digest, SavedSegment


def digests(request: HttpRequest) -> Table:
    """The digests."""
    return Table(
        request,
        Digest.objects.filter(removed_at=None).prefetch_related("recipients"),
        [
            Column("name", _("Name"), sort="name"),
            Column("every", _("How often"), value=lambda row: row.get_every_display()),
            Column("metrics", _("Figures"), kind="number", value=lambda row: len(row.metrics)),
            Column(
                "recipients",
                _("Recipients"),
                value=lambda row: ", ".join(str(user) for user in row.recipients.all()),
            ),
            Column("enabled", _("In use"), value=lambda row: _("Yes") if row.enabled else _("No")),
        ],
        caption=_("Digests"),
        default_sort="name",
        url=lambda row: reverse("insights:digest", args=[row.pk]),
        empty={
            "title": _("No digest yet"),
            "text": _("A digest sends the figures you choose to the people you choose."),
            "url": reverse("insights:digest-new"),
            "action": _("Set up a digest"),
        },
    )


def segments(request: HttpRequest) -> Table:
    """The segments, a page at a time; its page says how many customers each has."""
    return Table(
        request,
        SavedSegment.objects.filter(removed_at=None),
        [Column("name", _("Segment")), Column("rule", _("Rule"))],
        caption=_("Segments"),
    )
