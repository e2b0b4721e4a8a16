"""The dashboard, the catalogue, a metric, the rows behind a figure."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from revoir_web.common.rights import Right, may, requires
from revoir_web.common.tables import fits_a_sheet
from revoir_web.customers import seen
from revoir_web.insights import queries, runs
from revoir_web.insights.models import DataState, SavedSegment

GRAINS = ("week", "month", "quarter", "year")


@requires(Right.SEE_DASHBOARD)
def dashboard(request: HttpRequest) -> HttpResponse:
    """Am I keeping my customers, who leaves and why, what do I do on Monday?"""
    grain = request.GET.get("grain", "")
    if grain not in ("", "month", "quarter"):
        grain = ""
    state = DataState.current()
    if grain and grain == state.facts.get("grain"):
        grain = ""
    asked = runs.look("dashboard", {"grain": grain})
    if asked.run is None and grain:
        asked = runs.ask("dashboard", {"grain": grain}, by=request.user.pk)
    context = {
        "asked": asked,
        "shown": asked.result,
        "grain": grain or state.facts.get("grain", ""),
        **queries.freshness(asked, state),
    }
    return render(request, "insights/dashboard.html", context)


@requires(Right.MANAGE_COMPANY)
@require_POST
def refresh(request: HttpRequest) -> HttpResponse:
    """Compute the figures again."""
    runs.refresh_soon(by=request.user.pk)
    messages.success(request, _("The figures are being computed."))
    return redirect("insights:dashboard")


@requires(Right.SEE_DASHBOARD)
def catalogue(request: HttpRequest) -> HttpResponse:
    """Every metric, by family, with its present figure."""
    asked = runs.look("catalogue")
    context = {
        "asked": asked,
        "families": queries.catalogue(asked, request.GET.get("q", "")),
        "words": request.GET.get("q", ""),
        **queries.freshness(asked, DataState.current()),
    }
    return render(request, "insights/metrics.html", context)


@requires(Right.SEE_DASHBOARD)
def metric(request: HttpRequest, name: str) -> HttpResponse:
    """One metric: definition, figure, line, breakdown, table; the filters are in the address."""
    queries.check_known(name)
    definition = queries.definition(name)
    question = queries.metric_question(name, request.GET)
    asked = runs.ask("metric", question, by=request.user.pk)
    state = DataState.current()
    context: dict[str, Any] = {
        "name": name,
        "asked": asked,
        "shown": asked.result,
        "table": queries.metric_table(name, asked, request.GET),
        "label": queries.label(name, definition),
        "definition": definition,
        "given": request.GET,
        "chosen_by": request.GET.getlist("by"),
        "grains": queries.grain_choices(),
        "columns": queries.column_choices(state),
        "segments": SavedSegment.objects.filter(removed_at=None),
        "export_query": request.GET.urlencode(),
        "views": queries.views_of(request.user, request.path),
        **queries.freshness(asked, state),
    }
    return render(request, "insights/metric.html", context)


@requires(Right.SEE_DASHBOARD, Right.SEE_CUSTOMERS)
def rows(request: HttpRequest, name: str) -> HttpResponse:
    """The rows that a figure was computed from."""
    queries.check_known(name)
    definition = queries.definition(name)
    question, page = queries.rows_question(name, request.GET), queries.page_of(request.GET)
    at = {"page": page} if page > 1 else {}
    asked = runs.ask("rows", {**question, **at}, by=request.user.pk)
    wanted = bool(request.GET.get("file")) and may(request.user, Right.EXPORT_DATA)
    whole = request.GET.copy()
    whole.pop("page", None)
    whole["file"] = "1"
    query = whole.copy()
    query.pop("file")
    state = DataState.current()
    query["name"] = name
    context = {
        "name": name,
        "asked": asked,
        "shown": asked.result,
        "made_of": queries.made_of(asked, request.GET),
        "headings": queries.headings(asked),
        "lines": queries.lines(asked, named=may(request.user, Right.SEE_PERSONAL)),
        "page": queries.pages_of(asked, page, request.GET),
        "file": queries.made_file("rows-file", question, by=request.user.pk) if wanted else None,
        "file_query": whole.urlencode(),
        "export_query": query.urlencode(),
        "for_excel": fits_a_sheet(asked.data.get("total", 0)),
        "label": queries.label(name, definition),
        "definition": definition,
        "given": request.GET,
        **queries.rows_told(request.GET, state),
        **queries.freshness(asked, state),
    }
    if asked.result:
        seen.note(request)
    return render(request, "insights/rows.html", context)
