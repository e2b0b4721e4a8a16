"""Who is to be erased, and who was."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from revoir_web.common.tables import Column, Table
from revoir_web.consents.models import Erasure
from revoir_web.customers.models import Customer


def announced(request: HttpRequest) -> Table:
    """Persons whose erasure is announced, the next ones first."""
    return Table(
        request,
        Customer.objects.filter(erase_on__isnull=False),
        [
            Column("label", _("Customer"), personal=True),
            Column("city", _("Town")),
            Column("erase_on", _("To be erased on"), kind="day", sort="erase_on"),
        ],
        caption=_("Persons to be erased"),
        name="to",
        default_sort="erase_on",
        url=lambda row: reverse("customers:customer", args=[row.pk]),
        empty={
            "title": _("Nobody is to be erased"),
            "text": _("Whoever had no contact for longer than the rule allows is announced here."),
        },
    )


def erasures(request: HttpRequest) -> Table:
    """What was erased, newest first."""
    return Table(
        request,
        Erasure.objects.select_related("by"),
        [
            Column("at", _("When"), kind="moment", sort="at"),
            Column("reason", _("Why"), value=lambda row: row.get_reason_display()),
            Column("customer_id", _("Which")),
            Column("by", _("Who"), value=lambda row: row.by.name if row.by else "Revoir"),
        ],
        caption=_("Persons erased"),
        name="done",
        default_sort="-at",
        empty={"title": _("Nobody was erased yet")},
    )
