"""Cohorts, RFM, segments by rule, what-if."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from revoir.errors import RevoirError
from revoir_web.common.rights import Right, may, requires
from revoir_web.common.tables import fits_a_sheet
from revoir_web.common.words import language
from revoir_web.customers import seen
from revoir_web.insights import actions, lists, queries, runs
from revoir_web.insights.forms import CohortForm, SegmentForm, WhatIfForm
from revoir_web.insights.models import DataState, SavedSegment
from revoir_web.insights.views import user_of


@requires(Right.SEE_DASHBOARD)
def cohorts(request: HttpRequest) -> HttpResponse:
    """Do new customers come back? Every option is in the address."""
    form = CohortForm(request.GET or None)
    asked = runs.ask("cohorts", queries.cohort_question(request.GET), by=request.user.pk)
    life = runs.look("lifecycle")
    context = {
        "form": form,
        "asked": asked,
        "shown": asked.result,
        "life": life.result,
        "segments": SavedSegment.objects.filter(removed_at=None),
        "given": request.GET,
        "export_query": request.GET.urlencode(),
        "views": queries.views_of(request.user, request.path),
        **queries.freshness(asked, DataState.current()),
    }
    return render(request, "insights/cohorts.html", context)


@requires(Right.SEE_DASHBOARD)
def rfm(request: HttpRequest) -> HttpResponse:
    """Who are my customers, and who moved?"""
    before = request.GET.get("before", "")[:10]
    asked = runs.ask("rfm", {"before": before}, by=request.user.pk)
    context = {
        "asked": asked,
        "shown": asked.result,
        "before": before or asked.data.get("before", ""),
        "customers_url": queries.customers_url()
        if may(request.user, Right.SEE_CUSTOMERS)
        else None,
        **queries.freshness(asked, DataState.current()),
    }
    return render(request, "insights/rfm.html", context)


# -- Segments ----------------------------------------------------------------------------------
@requires(Right.SEE_DASHBOARD)
def segments(request: HttpRequest) -> HttpResponse:
    """The segments that were kept, each with how many customers it has."""
    state = DataState.current()
    table = lists.segments(request)
    lines = [
        (line["row"], runs.ask("segment", {"rule": line["row"].rule}, by=request.user.pk))
        for line in table.lines
    ]
    removed = queries.number_of(request.GET.get("removed"))
    context = {
        "table": table,
        "lines": lines,
        "removed": SavedSegment.objects.filter(pk=removed, removed_at__isnull=False).first(),
        "waiting": any(asked.waiting for _one, asked in lines),
        "state": state,
        "has_data": bool(state.lake_version),
    }
    return render(request, "insights/segments.html", context)


@requires(Right.EDIT_SEGMENTS)
def segment_new(request: HttpRequest) -> HttpResponse:
    """Write a segment."""
    return _editor(request, None)


@requires(Right.EDIT_SEGMENTS)
def segment_edit(request: HttpRequest, id: int) -> HttpResponse:
    """Change a segment."""
    return _editor(request, get_object_or_404(SavedSegment, pk=id, removed_at=None))


def _editor(request: HttpRequest, segment: SavedSegment | None) -> HttpResponse:
    given = request.POST if request.method == "POST" else None
    initial = None if segment else {"rule": request.GET.get("rule", "")}
    form = SegmentForm(given, instance=segment, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            by = user_of(request)
            if segment is None:
                kept = actions.save_segment(**form.given, by=by)
            else:
                kept = actions.change_segment(segment=segment, fields=form.given, by=by)
        except RevoirError as error:
            form.add_error(None, error.text(language()))
        else:
            messages.success(request, _("The segment is kept."))
            return redirect("insights:segment", id=kept.pk)
    rule = form["rule"].value() or ""
    context = {
        "form": form,
        "segment": segment,
        "columns": queries.column_choices(DataState.current()),
        **_counted(rule, request.user.pk),
    }
    return render(request, "insights/segment_edit.html", context)


@requires(Right.SEE_DASHBOARD)
def segment_count(request: HttpRequest) -> HttpResponse:
    """How many customers meet a rule that is being written; a fragment that asks again."""
    context = _counted(request.GET.get("rule", ""), request.user.pk)
    return render(request, "insights/_count.html", context)


def _counted(rule: str, user: int | None) -> dict[str, Any]:
    rule = rule.strip()
    fault = queries.fault_of(rule)
    asked = runs.ask("segment", {"rule": rule}, by=user) if rule and fault is None else None
    return {"rule": rule, "fault": fault, "asked": asked, "shown": asked.result if asked else None}


@requires(Right.SEE_DASHBOARD)
def segment(request: HttpRequest, id: int) -> HttpResponse:
    """A segment: how many, how they differ from everybody, who they are."""
    held = get_object_or_404(SavedSegment, pk=id, removed_at=None)
    asked = runs.ask("segment", {"rule": held.rule}, by=request.user.pk)
    compared = runs.ask("comparison", {"rule": held.rule}, by=request.user.pk)
    context = {
        "held": held,
        "asked": asked,
        "shown": asked.result,
        "compared": compared,
        "comparison": queries.comparison(compared, held),
        "waiting": asked.waiting or compared.waiting,
        **queries.freshness(asked, DataState.current()),
    }
    return render(request, "insights/segment.html", context)


@requires(Right.SEE_DASHBOARD, Right.SEE_CUSTOMERS)
def segment_customers(request: HttpRequest, id: int) -> HttpResponse:
    """The customers of a segment, those who bought for most first."""
    held = get_object_or_404(SavedSegment, pk=id, removed_at=None)
    return _customers(request, held.rule, held)


@requires(Right.SEE_DASHBOARD, Right.SEE_CUSTOMERS)
def rule_customers(request: HttpRequest) -> HttpResponse:
    """The customers who meet a rule that nobody has kept as a segment."""
    rule = queries.rule_of(request.GET)
    if rule is None:
        raise Http404
    return _customers(request, rule, None)


def _customers(request: HttpRequest, rule: str, held: SavedSegment | None) -> HttpResponse:
    page = queries.page_of(request.GET)
    asked = runs.ask("members", {"rule": rule, "page": page}, by=request.user.pk)
    wanted = bool(request.GET.get("file")) and may(request.user, Right.EXPORT_DATA)
    context = {
        "held": held,
        "rule": rule,
        # What the addresses of other pages and of the file begin with.
        "query": "" if held else urlencode({"rule": rule}) + "&",
        "whose": urlencode({"segment": held.pk} if held else {"rule": rule}),
        "asked": asked,
        "file": queries.made_file("members-file", {"rule": rule}, by=request.user.pk)
        if wanted
        else None,
        "for_excel": fits_a_sheet(asked.data.get("count", 0)),
        "page": queries.members_page(asked, page, named=may(request.user, Right.SEE_PERSONAL)),
        **queries.freshness(asked, DataState.current()),
    }
    if asked.result:
        seen.note(request)
    return render(request, "insights/segment_customers.html", context)


@requires(Right.EDIT_SEGMENTS)
@require_POST
def segment_remove(request: HttpRequest, id: int) -> HttpResponse:
    """Put a segment away; the next page can bring it back."""
    held = get_object_or_404(SavedSegment, pk=id, removed_at=None)
    actions.remove_segment(segment=held, by=user_of(request))
    return redirect(f"{reverse('insights:segments')}?removed={held.pk}")


@requires(Right.EDIT_SEGMENTS)
@require_POST
def segment_restore(request: HttpRequest, id: int) -> HttpResponse:
    """Bring back a segment that was put away."""
    held = get_object_or_404(SavedSegment, pk=id, removed_at__isnull=False)
    actions.restore_segment(segment=held, by=user_of(request))
    messages.success(request, _("The segment is back."))
    return redirect("insights:segment", id=held.pk)


# -- What if -----------------------------------------------------------------------------------
@requires(Right.SEE_DASHBOARD)
def what_if(request: HttpRequest) -> HttpResponse:
    """What would keeping more customers bring, with the company's own numbers or others?"""
    asked = runs.look("what-if")
    form = WhatIfForm(request.GET or None, data_of=asked.data)
    scenarios = []
    if asked.result is not None:
        given = form.numbers()
        scenarios = [
            queries.what_if(asked.data, {**given, "points": points})
            for points in dict.fromkeys([1.0, given["points"], 5.0])
            if asked.data["retention"] + points / 100 <= 1
        ]
    context = {
        "asked": asked,
        "shown": asked.result,
        "form": form,
        "scenarios": sorted(scenarios, key=lambda one: one["points"]),
        "currency": asked.data.get("currency"),
        **queries.freshness(asked, DataState.current()),
    }
    return render(request, "insights/what_if.html", context)
