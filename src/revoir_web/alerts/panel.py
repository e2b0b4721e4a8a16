"""What other pages say of alerts: that of a customer, and the digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db.models import Max
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from revoir.language import Message, written
from revoir_web.accounts.models import User
from revoir_web.alerts import queries
from revoir_web.alerts.models import Alert, SignalState
from revoir_web.common.models import Company
from revoir_web.common.rights import Right, may
from revoir_web.common.tables import part
from revoir_web.common.words import from_json, language
from revoir_web.customers.facts import Panel, show
from revoir_web.customers.models import Customer
from revoir_web.insights import advice
from revoir_web.insights.digests import says

LAST = 5
"""Closed alerts of a customer that stand on a page."""


def context(request: HttpRequest, customer: Customer) -> Mapping[str, Any]:
    """The open alerts of a customer, and the closed ones by pages."""
    if customer.erased_at is not None or not may(request.user, Right.SEE_CUSTOMERS):
        return {"open": [], "closed": []}
    labels, held = queries.labels(), queries.of_customer(customer)
    closed = part(request, held["closed"], _("Closed alerts"), name="closed", per_page=LAST)
    return {
        "open": [_line(alert, labels) for alert in held["open"]],
        "closed": [_line(alert, labels) for alert in closed.shown],
        "pages": closed,
    }


def _line(alert: Alert, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "alert": alert,
        "label": labels.get(alert.signal, alert.signal),
        "why": queries.why_text(alert),
        "state": queries.state_text(alert),
    }


@advice.watched_by
def watched(customer: Customer, company: Company) -> advice.Watched:
    """What the advice on a customer is to know of their alerts."""
    day = company.today
    held = list(Alert.objects.filter(customer=customer, is_open=True))
    states = SignalState.objects.in_bulk({alert.signal for alert in held})
    put_off = [alert.snoozed_until for alert in held if alert.is_snoozed(day)]
    handled = (
        Alert.objects.filter(customer=customer, outcome_at__isnull=False)
        .exclude(outcome="")
        .aggregate(at=Max("outcome_at"))["at"]
    )
    return advice.Watched(
        tuple(
            _told(alert, states.get(alert.signal)) for alert in held if not alert.is_snoozed(day)
        ),
        min((until for until in put_off if until is not None), default=None),
        handled.astimezone(company.zone).date() if handled else None,
    )


def _told(alert: Alert, state: SignalState | None) -> advice.OpenAlert:
    """An open alert with how often such ones were right."""
    label = from_json(state.label) if state is not None else None
    record = (state.record if state is not None else None) or {}
    precision = record.get("precision") or {}
    told = advice.OpenAlert(
        alert.signal,
        label or Message(alert.signal),
        alert.why or Message(""),
        alert.raised_on,
    )
    if precision.get("value") is None:
        return told
    return replace(
        told,
        alerts=int(precision["denominator"]),
        right=precision["value"],
        low=precision["low"],
        high=precision["high"],
        as_silent=(record.get("as_silent") or {}).get("value"),
    )


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
