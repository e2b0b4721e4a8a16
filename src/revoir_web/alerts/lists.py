"""The list of alerts, as a page and as a file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from revoir_web.alerts import queries
from revoir_web.alerts.models import Alert
from revoir_web.common import exports
from revoir_web.common.models import Company
from revoir_web.common.rights import Right, may
from revoir_web.common.tables import Column, Filter, Table
from revoir_web.customers.queries import by_number, search

MINE, NOBODY = "me", "none"


@dataclass
class AlertTable(Table):
    """The inbox: what is at stake first, and where as much is, what was bought for."""

    @cached_property
    def filtered(self) -> Any:
        """The rows that the address asks for, in order."""
        column, down = self.sort
        if column is not None and column.name == "stake" and down:
            bought = F("bought_for").desc(nulls_last=True)
            return self.narrow.order_by("-stake", bought, "pk")
        return super().filtered


def state_of(request: HttpRequest) -> str:
    """Which alerts an address asks for: one of `queries.STATES`."""
    asked = request.GET.get("state", "")
    return asked if asked in queries.STATES else queries.STATES[0]


def alerts(request: HttpRequest) -> AlertTable:
    """Alerts, most at stake first."""
    company = getattr(request, "company", None) or Company.current()
    labels, rights = queries.labels(), queries.rights()
    named = may(request.user, Right.SEE_PERSONAL)
    handles = may(request.user, Right.EDIT_CUSTOMERS)
    state = state_of(request)
    return AlertTable(
        request,
        # Fetched for the page alone: joined, they would be read for every page before it.
        queries.in_state(Alert.objects.all(), state)
        .annotate(ended_on=Coalesce("closed_on", TruncDate("outcome_at", tzinfo=company.zone)))
        .prefetch_related("customer__identifiers", "owner"),
        [
            Column(
                "customer",
                _("Customer"),
                value=lambda row: row.customer.label if named else row.customer.short,
            ),
            Column(
                "signal",
                _("Signal"),
                sort="signal",
                value=lambda row: labels.get(row.signal, row.signal),
            ),
            Column("raised_on", _("Raised on"), kind="day", sort="raised_on"),
            # “Last order 38 days ago” is what held on the day that stands before it, not today.
            Column("why", _("Why, on that day"), value=queries.why_text),
            Column("right", _("Such alerts right"), value=lambda row: rights.get(row.signal)),
            Column(
                "bought_for",
                _("Bought for"),
                kind="money",
                currency=company.currency,
                sort="bought_for",
                shown=False,
            ),
            Column(
                "stake",
                _("At stake"),
                kind="money",
                currency=company.currency,
                sort="stake",
                value=lambda row: row.stake or None,
            ),
            Column("owner", _("Who sees to it"), value=lambda row: row.owner and str(row.owner)),
            Column("state", _("State"), value=queries.state_text),
            Column(
                "closed_on",
                _("Closed on"),
                kind="day",
                sort="ended_on",
                value=lambda row: row.ended_on,  # by itself, or by whoever saw to it
                shown=state == "closed",
            ),
            Column("noticed_at", _("Noticed"), kind="moment", sort="noticed_at", shown=False),
            Column("note", _("Note"), personal=True, shown=False),
        ],
        caption=_("Alerts"),
        default_sort="-stake",
        filters=_filters(request, labels),
        search=lambda rows, words: rows.filter(customer__in=search(words)),
        search_tells=True,
        by_number=_numbered,
        url=lambda row: reverse("alerts:alert", args=[row.pk]),
        export="alerts",
        actions=_actions(state) if handles else [],
        controls="alerts/_controls.html" if handles and state != "closed" else "",
        empty=_empty(state),
    )


def _numbered(rows: QuerySet[Alert], words: str) -> QuerySet[Alert] | None:
    ids = by_number(words)
    return None if ids is None else rows.filter(customer__in=ids)


def _filters(request: HttpRequest, labels: dict[str, str]) -> list[Filter]:
    people = [(str(user.pk), str(user)) for user in queries.colleagues()]

    def of(rows: QuerySet[Alert], value: str) -> QuerySet[Alert]:
        if value == NOBODY:
            return rows.filter(owner=None)
        key = str(request.user.pk) if value == MINE else value
        return rows.filter(owner=int(key)) if key in dict(people) else rows.none()

    return [
        Filter(
            "signal",
            _("Signal"),
            lambda rows, value: rows.filter(signal=value),
            choices=sorted(labels.items(), key=lambda pair: pair[1]),
        ),
        Filter(
            "owner",
            _("Who sees to it"),
            of,
            choices=[(MINE, _("Me")), (NOBODY, _("Nobody")), *people],
        ),
    ]


def _actions(state: str) -> list[tuple[str, Any]]:
    reopen = ("reopen", _("Reopen"))
    if state == "closed":
        return [reopen]
    offered = [
        ("take", _("I see to it")),
        ("snooze-7", _("Put off for 7 days")),
        ("snooze-30", _("Put off for 30 days")),
    ]
    return [*offered, reopen] if state != "open" else offered


def _empty(state: str) -> dict[str, Any]:
    match state:
        case "snoozed":
            return {
                "title": _("Nothing is put off"),
                "text": _("Alerts that you put off stand here until their day."),
            }
        case "closed":
            return {
                "title": _("Nothing is closed yet"),
                "text": _(
                    "Alerts stand here once you have closed them, or the customer is back or gone."
                ),
            }
    return {
        "title": _("No alert to see to"),
        "text": _(
            "When something about a customer foretells a departure, they stand here, with the"
            " reason. Signals says what is looked for."
        ),
        "url": reverse("alerts:signals"),
        "action": _("See the signals"),
    }


@exports.register("alerts", Right.SEE_CUSTOMERS)
def alerts_file(request: HttpRequest) -> tuple[list[str], Any]:
    """The list as a file, with the filters, order and columns of the page."""
    return exports.of_table(alerts(request))
