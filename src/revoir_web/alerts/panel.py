"""What other pages say of alerts: that of a customer, and the digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from revoir.language import written
from revoir_web.accounts.models import User
from revoir_web.alerts import queries
from revoir_web.alerts.models import Alert
from revoir_web.common.rights import Right, may
from revoir_web.common.words import language
from revoir_web.customers.facts import Panel, show
from revoir_web.customers.models import Customer
from revoir_web.insights.digests import says


def context(request: HttpRequest, customer: Customer) -> Mapping[str, Any]:
    """The open alerts of a customer, and the last closed ones."""
    if customer.erased_at is not None or not may(request.user, Right.SEE_CUSTOMERS):
        return {"open": [], "closed": []}
    labels = queries.labels()
    return {
        name: [_line(alert, labels) for alert in rows]
        for name, rows in queries.of_customer(customer).items()
    }


def _line(alert: Alert, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "alert": alert,
        "label": labels.get(alert.signal, alert.signal),
        "why": queries.why_text(alert),
        "state": queries.state_text(alert),
    }


@says
def in_digest(user: User) -> Mapping[str, Any] | None:
    """How many alerts there are to see to, and how many of them are the reader's."""
    rows = queries.in_state(Alert.objects.order_by(), "open")
    count = rows.count()
    if not count or not may(user, Right.SEE_CUSTOMERS):
        return None
    mine = rows.filter(owner=user).count()
    told = ngettext("%(n)s alert is to be seen to.", "%(n)s alerts are to be seen to.", count)
    yours = ngettext("%(n)s of them is yours.", "%(n)s of them are yours.", mine)
    sentences = [told % {"n": written(count, language())}]
    if mine:
        sentences.append(yours % {"n": written(mine, language())})
    return {"question": _("Who gives signs of leaving?"), "sentences": sentences}


show(Panel("alerts", "alerts/_panel.html", context))
