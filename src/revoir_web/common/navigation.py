"""The ways through the application, each shown to whoever may go it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from revoir_web.common.rights import Right, may


@dataclass(frozen=True)
class Way:
    """An entry of the menu.

    Attributes:
        name: The name of the address.
        label: What it says (lazy).
        right: What one needs (None: to be signed in).
        prefix: Paths that count as being there.
        also: More of them.
    """

    name: str
    label: Any
    right: Right | None
    prefix: str
    also: tuple[str, ...] = ()


MAIN = (
    Way("insights:dashboard", _("Dashboard"), Right.SEE_DASHBOARD, "/"),
    Way("insights:metrics", _("Metrics"), Right.SEE_DASHBOARD, "/metrics/"),
    Way("insights:cohorts", _("Cohorts"), Right.SEE_DASHBOARD, "/cohorts/"),
    Way("insights:rfm", _("RFM"), Right.SEE_DASHBOARD, "/rfm/"),
    Way("insights:departures", _("To save"), Right.SEE_DASHBOARD, "/departures/"),
    Way("alerts:list", _("Alerts"), Right.SEE_CUSTOMERS, "/alerts/", ("/signals/",)),
    Way(
        "insights:worth",
        _("Predictions"),
        Right.SEE_DASHBOARD,
        "/worth/",
        ("/next/", "/products/", "/health/", "/predictions/"),
    ),
    Way("insights:segments", _("Segments"), Right.SEE_DASHBOARD, "/segments/"),
    Way("customers:list", _("Customers"), Right.SEE_CUSTOMERS, "/customers/"),
    Way("ingest:imports", _("Imports"), Right.IMPORT_DATA, "/imports/"),
    Way("insights:goals", _("Goals"), Right.SEE_DASHBOARD, "/goals/"),
    Way("insights:what-if", _("What-if"), Right.SEE_DASHBOARD, "/what-if/"),
    Way("insights:digests", _("Digest"), Right.EDIT_DIGESTS, "/digests/"),
)
SETTINGS = (
    Way("common:company", _("Company"), Right.MANAGE_COMPANY, "/company/"),
    Way("accounts:people", _("People"), Right.MANAGE_PEOPLE, "/people/"),
    Way("ingest:sources", _("Sources"), Right.MANAGE_SOURCES, "/sources/"),
    Way("consents:purposes", _("Consent"), Right.MANAGE_COMPANY, "/consents/"),
    Way("messaging:messages", _("Messages"), Right.MANAGE_COMPANY, "/messages/"),
    Way("accounts:keys", _("API keys"), Right.MANAGE_KEYS, "/keys/"),
    Way("ingest:webhooks", _("Webhooks"), Right.MANAGE_WEBHOOKS, "/webhooks/"),
    Way("common:audit", _("Audit trail"), Right.SEE_AUDIT, "/audit/"),
    Way("common:jobs", _("Jobs"), Right.SEE_JOBS, "/jobs/"),
)


def ways(request: HttpRequest, listed: tuple[Way, ...]) -> list[dict[str, Any]]:
    """The entries that a user may see, with the one that they are at."""
    found = []
    for way in listed:
        if way.right is not None and not may(request.user, way.right):
            continue
        try:
            url = reverse(way.name)
        except NoReverseMatch:
            continue  # an app that is not installed here
        here = (
            request.path == "/"
            if way.prefix == "/"
            else request.path.startswith((way.prefix, *way.also))
        )
        found.append({"url": url, "label": way.label, "here": here})
    return found


def context(request: HttpRequest) -> dict[str, Any]:
    """What every page needs for its frame."""
    user = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated
    settings = ways(request, SETTINGS) if signed_in else []
    return {
        "company": getattr(request, "company", None),
        "navigation": ways(request, MAIN) if signed_in else [],
        "settings_navigation": settings,
        "settings_here": any(way["here"] for way in settings),
        "theme": getattr(user, "theme", "") if signed_in else "",
    }
