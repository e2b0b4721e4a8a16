"""Whom to save, and who will buy when."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from revoir_web.common.rights import Right, may, requires
from revoir_web.insights import queries, runs
from revoir_web.insights.models import DataState


@requires(Right.SEE_DASHBOARD)
def departures(request: HttpRequest) -> HttpResponse:
    """The customers to save, the most pressing first, with the record of such lists."""
    return _listed(request, "departures", "insights/departures.html")


@requires(Right.SEE_DASHBOARD)
def upcoming(request: HttpRequest) -> HttpResponse:
    """Who is overdue against their own rhythm, and who is about to buy."""
    return _listed(request, "next", "insights/next.html")


def _listed(request: HttpRequest, kind: str, template: str) -> HttpResponse:
    asked = runs.ask(kind, {}, by=request.user.pk)
    context = {
        "asked": asked,
        "shown": asked.result,
        "customers": queries.listed_customers(asked, named=may(request.user, Right.SEE_PERSONAL)),
        **queries.freshness(asked, DataState.current()),
    }
    return render(request, template, context)
