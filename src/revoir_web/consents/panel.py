"""What the page of a customer says of consents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Mapping, Sequence
from itertools import groupby
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from revoir.language import msg
from revoir_web.common.rights import Right, may
from revoir_web.common.words import language
from revoir_web.consents import queries
from revoir_web.consents.models import Consent
from revoir_web.customers.facts import Panel, provide, show
from revoir_web.customers.models import Customer


def context(request: HttpRequest, customer: Customer) -> Mapping[str, Any]:
    """What was agreed to, and what may be done with a person's data."""
    if customer.erased_at is not None:
        return {"rows": [], "actions": []}
    personal = may(request.user, Right.SEE_PERSONAL)
    offers = [
        ("consents:customer", _("Consents"), Right.EDIT_CUSTOMERS, False),
        ("consents:data", _("Their data in a file"), Right.EXPORT_DATA, True),
        ("consents:erase", _("Erase this person"), Right.ERASE_CUSTOMERS, False),
    ]
    return {
        "rows": [
            {"name": purpose.name(language()), "said": list(said)}
            for purpose, said in groupby(queries.standing(customer), key=lambda one: one.purpose)
        ],
        "actions": [
            {"url": reverse(name, args=[customer.pk]), "label": label, "download": download}
            for name, label, right, download in offers
            if personal and may(request.user, right)
        ],
    }


@provide
def consent_facts(
    customer_ids: Sequence[str],
    *,
    limit: int,
    before: dt.datetime | None,
    kinds: Container[str] | None,
) -> Sequence[Mapping[str, Any]]:
    """Consents as facts of the timeline."""
    if kinds is not None and "consent" not in kinds:
        return []
    rows = Consent.objects.filter(customer_id__in=customer_ids).select_related("purpose")
    if before is not None:
        rows = rows.filter(at__lt=before)
    found = []
    for row in rows[:limit]:
        name = f"{row.purpose.name(language())} – {row.get_channel_display()}"
        agreed, refused = (
            msg("Agreed: {purpose}", purpose=name),
            msg("Refused: {purpose}", purpose=name),
        )
        found.append(
            {
                "at": row.at,
                "kind": "consent",
                "title": agreed if row.given else refused,
                "amount": None,
                "currency": None,
                "details": {"bad": not row.given},
            }
        )
    return found


show(Panel("consents", "consents/_panel.html", context))
