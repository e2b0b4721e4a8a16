"""What comes next: whom to save, what customers will bring in, who buys when, and what."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from revoir_web.common.forms import NAME_MAX
from revoir_web.common.rights import Right, may, requires
from revoir_web.common.words import language
from revoir_web.customers import seen
from revoir_web.insights import computations, queries, runs
from revoir_web.insights.models import DataState


@requires(Right.SEE_DASHBOARD)
def departures(request: HttpRequest) -> HttpResponse:
    """The customers to save, the most pressing first, with the record of such lists."""
    return _shown(request, "departures")


@requires(Right.SEE_DASHBOARD)
def worth(request: HttpRequest) -> HttpResponse:
    """What customers will bring in, those worth most first."""
    return _shown(request, "worth")


@requires(Right.SEE_DASHBOARD)
def upcoming(request: HttpRequest) -> HttpResponse:
    """Who is overdue against their own rhythm, and who is about to buy."""
    return _shown(request, "next")


@requires(Right.SEE_DASHBOARD)
def products(request: HttpRequest) -> HttpResponse:
    """How products are recommended, what goes together, or with one, and what is due."""
    name = request.GET.get("product", "").strip()[:NAME_MAX]
    one = runs.ask("product", {"product": name}, by=request.user.pk) if name else None
    return _shown(request, "products", one=one, product=name)


@requires(Right.SEE_DASHBOARD)
def stays(request: HttpRequest) -> HttpResponse:
    """How long customers stay, and what was known on their first day that shortens it."""
    whose = _whose(request, "departures")
    by = request.GET.get("by", "").strip()[:NAME_MAX]
    question = {"by": by, **(runs.SUBSCRIBERS if whose["subscribers"] else {})}
    asked = runs.ask("stays", question, by=request.user.pk)
    context = {
        "asked": asked,
        **whose,
        "shown": asked.result,
        "by": by,
        "columns": queries.stay_columns(asked, by),
        **queries.freshness(asked, DataState.current()),
    }
    return render(request, "insights/stays.html", context)


@requires(Right.SEE_DASHBOARD)
def health(request: HttpRequest) -> HttpResponse:
    """What the health score is made of, and how it did in the past."""
    return _shown(request, "health")


@requires(Right.SEE_DASHBOARD)
def runs_kept(request: HttpRequest) -> HttpResponse:
    """The computations of the past, with how good each was."""
    asked = runs.ask("departures", {}, by=request.user.pk)
    context = {
        "asked": asked,
        "runs": computations.prediction_runs(),
        **queries.freshness(asked, DataState.current()),
    }
    return render(request, "insights/predictions.html", context)


@requires(Right.SEE_DASHBOARD)
def card(request: HttpRequest, number: str) -> HttpResponse:
    """The model card of a computation: the data, the test, how good it was, what changed since."""
    of = _of(request)
    held = computations.model_card(None if number == "last" else number, of)
    if held is None:
        raise Http404
    context = {
        "run": held.run,
        "shown": held.card[language()],
        "apart": held.run.cards.count() > 1,
        "subscribers": bool(of),
    }
    return render(request, "insights/card.html", context)


def _of(request: HttpRequest) -> str:
    """Of whom something is asked, as `computations.CARDS` has it."""
    of = request.GET.get("of", "")
    return of if of in computations.CARDS else ""


def _whose(request: HttpRequest, kind: str) -> dict[str, bool]:
    """Whether subscribers are told of apart from buyers, and whether they are asked for."""
    apart = runs.told_apart(kind)
    return {"apart": apart, "subscribers": apart and bool(_of(request))}


def _shown(request: HttpRequest, kind: str, **beside: Any) -> HttpResponse:
    whose = _whose(request, kind)
    of = runs.SUBSCRIBERS if whose["subscribers"] else {}
    asked = runs.ask(kind, of, by=request.user.pk)
    if kind == "departures":
        beside["card_url"] = computations.last_card_url(of.get("of", ""))
        if not of:  # what is at stake with contracts is no column of the list of customers
            beside["departures_list"] = queries.departures_list(asked)
    context = {
        "asked": asked,
        **whose,
        "shown": asked.result,
        "customers": queries.listed_customers(asked, named=may(request.user, Right.SEE_PERSONAL)),
        "customers_url": queries.customers_url(),
        **queries.freshness(asked, DataState.current()),
        **beside,
    }
    if context["customers"]:
        seen.note(request)
    return render(request, f"insights/{kind}.html", context)
