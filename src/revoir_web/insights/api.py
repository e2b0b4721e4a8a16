"""Figures as JSON: stored answers at once; what was never asked before is computed first."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated, Any, Literal

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, Query, Schema

from revoir_web.common import words
from revoir_web.common.api import Page, Refused, Router, paged
from revoir_web.common.rights import Right
from revoir_web.common.words import language
from revoir_web.insights import actions, foresight, queries, runs
from revoir_web.insights.models import DataState, Goal, PredictionRun, SavedSegment

router = Router()

Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9_]+$")]
Text = Annotated[str, Field(max_length=5000, pattern=r"^[^\x00]*$")]
Grain = Literal["day", "week", "month", "quarter", "year"]
State = Literal["fresh", "stale", "computing", "failed", "no_data"]


class Told(Schema):
    """How far an answer is."""

    state: State
    """`fresh`; `stale`: of earlier data, a new one is coming; `computing`: ask again in a second;
    `failed`: see `message`; `no_data`: nothing was imported yet."""
    message: str | None = None
    computed_at: dt.datetime | None = None


class HeadlineFigure(Schema):
    """One figure of the dashboard."""

    name: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: float | None
    unit: str
    start: dt.date | None
    end: dt.date | None
    goal: float | None
    goal_met: bool | None


class Sentence(Schema):
    """A question of the first screen and its answer."""

    question: str
    verdict: str
    sentences: list[str]


class Todo(Schema):
    """Something to do on Monday morning."""

    title: str
    why: str
    segment: str | None


class DashboardAnswer(Told):
    """The first screen."""

    as_of: dt.date | None = None
    grain: str | None = None
    headline: list[HeadlineFigure] = Field(default_factory=list)
    answers: list[Sentence] = Field(default_factory=list)
    actions: list[Todo] = Field(default_factory=list)
    strengths: list[str] = Field(default_factory=list)
    weaknesses: list[str] = Field(default_factory=list)


class MetricLine(Schema):
    """A metric of the catalogue with its present figure."""

    name: str
    label: str
    formula: str
    family: str
    unit: str
    better: str
    goal: float | None
    source: str | None
    needs: list[str]
    aliases: list[str]
    value: float | None
    start: dt.date | None
    end: dt.date | None


class Catalogue(Told):
    """Every metric."""

    metrics: list[MetricLine] = Field(default_factory=list)


class MetricAnswer(Told):
    """One metric as asked: a row a period and group, as `revoir metric --format json` has them."""

    name: str
    label: str | None = None
    formula: str | None = None
    unit: str | None = None
    figures: list[dict[str, Any]] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)


class CohortCell(Schema):
    """A cohort at an age."""

    cohort: dt.date
    size: int
    age: int
    complete: bool
    value: float | None
    numerator: float
    denominator: float


class CohortAnswer(Told):
    """A cohort grid."""

    grain: str | None = None
    cells: list[CohortCell] = Field(default_factory=list)
    mean: list[float | None] = Field(default_factory=list)


class AtRisk(Schema):
    """A customer to save."""

    customer: str
    probability: float
    worth: float | None = Field(description="What they brought in the last year.")
    stake: float | None = Field(description="Probability × worth.")
    reasons: list[str]


class Departures(Told):
    """The customers to save, and how good such lists were."""

    as_of: dt.date | None = None
    definition: list[str] = Field(default_factory=list)
    reason: str | None = Field(None, description="Why there is no list.")
    record: list[str] = Field(default_factory=list)
    customers: list[AtRisk] = Field(default_factory=list)


class Upcoming(Schema):
    """When a customer is expected to buy."""

    customer: str
    overdue: bool
    next: dt.date | None
    low: dt.date | None
    high: dt.date | None
    returns: float | None = Field(description="Probability of a purchase within the horizon.")


class NextPurchases(Told):
    """Who is overdue against their own rhythm, and who is due within two weeks."""

    as_of: dt.date | None = None
    reason: str | None = Field(None, description="Why nothing is foretold.")
    record: list[str] = Field(default_factory=list)
    customers: list[Upcoming] = Field(default_factory=list)


class Valued(Schema):
    """What a customer will bring in."""

    customer: str
    clv: float | None = Field(description="Expected amount of a year (null: no amounts).")
    low: float | None
    high: float | None
    expected_purchases: float | None
    alive: float | None = Field(description="Probability of still being a customer.")


class Total(Schema):
    """A sum between its bounds."""

    value: float
    low: float
    high: float


class Worth(Told):
    """What customers will bring in within a year, those worth most first."""

    as_of: dt.date | None = None
    reason: str | None = Field(None, description="Why nothing is foretold.")
    currency: str | None = None
    confidence: float | None = None
    total: Total | None = None
    record: list[str] = Field(default_factory=list)
    customers: list[Valued] = Field(default_factory=list)


class Together(Schema):
    """Two products that are bought together more often than by chance."""

    product: str
    other: str
    baskets: int
    lift: float
    lift_low: float
    lift_high: float


class DueUpgrade(Schema):
    """A product of a customer that is due for an upgrade."""

    customer: str
    product: str
    due_on: dt.date
    offer: str | None


class ProductsAnswer(Told):
    """What goes together, what is due, and how good recommendations were."""

    as_of: dt.date | None = None
    reason: str | None = Field(None, description="Why nothing is recommended.")
    method: str | None = None
    record: list[str] = Field(default_factory=list)
    pairs: list[Together] = Field(default_factory=list)
    upgrades: list[DueUpgrade] = Field(default_factory=list)


class Recommended(Schema):
    """A product that a customer is likely to buy."""

    product: str
    name: str | None
    why: str


class Foretold(Schema):
    """What is foretold of one customer; null where nothing is known."""

    customer: str
    as_of: dt.date
    computed_at: dt.datetime
    leaves: float | None = Field(description="Probability of leaving.")
    reasons: list[str]
    clv: float | None
    clv_low: float | None
    clv_high: float | None
    purchases: float | None = Field(description="Purchases expected within a year.")
    alive: float | None = Field(description="Probability of still being a customer.")
    next_on: dt.date | None
    low_on: dt.date | None
    high_on: dt.date | None
    returns: float | None = Field(description="Probability of a purchase within the horizon.")
    overdue: bool | None
    health: float | None = Field(description="From 0 (worst) to 100.")
    products: list[Recommended]


class SegmentIn(Schema):
    """A segment to keep."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
    rule: Annotated[str, Field(min_length=1, max_length=5000, pattern=r"^[^\x00]+$")]
    description: Annotated[str, Field(max_length=300, pattern=r"^[^\x00]*$")] = ""


class SegmentOut(Schema):
    """A segment."""

    id: int
    name: str
    rule: str
    description: str


class SegmentAnswer(SegmentOut, Told):
    """A segment and how many customers it has."""

    customers: int | None = None
    share: float | None = None


class GoalIn(Schema):
    """A goal to set; the same metric and period has one."""

    metric: Name
    value: Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
    start: dt.date | None = None
    end: dt.date | None = None
    note: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""


class GoalOut(Schema):
    """A goal, in the unit of its metric: 0.8 is 80 %."""

    id: int
    metric: str
    value: float
    start: dt.date | None
    end: dt.date | None
    note: str


def told(asked: runs.Asked) -> dict[str, Any]:
    """How far an answer is, for `Told`."""
    message = asked.error or asked.failure
    at = asked.run.computed_at if asked.run is not None else None
    if message is not None:
        return {"state": "failed", "message": message.text(language()), "computed_at": at}
    if asked.result is not None:
        return {"state": "fresh" if asked.fresh else "stale", "computed_at": at}
    return {"state": "computing" if DataState.current().lake_version else "no_data"}


@router.serve(
    "GET",
    "/dashboard",
    rights=[Right.SEE_DASHBOARD],
    gives=DashboardAnswer,
    summary="The headline figures, what they mean and what to do",
)
def dashboard(request: HttpRequest, grain: Literal["", "month", "quarter"] = "") -> dict[str, Any]:
    """The stored dashboard."""
    if grain == DataState.current().facts.get("grain"):
        grain = ""
    asked = runs.look("dashboard", {"grain": grain})
    shown, data = asked.result or {}, asked.data
    return {
        **told(asked),
        "as_of": data.get("as_of"),
        "grain": data.get("grain"),
        "headline": data.get("headline", []),
        **{name: shown.get(name, []) for name in ("answers", "actions", "strengths", "weaknesses")},
    }


@router.serve(
    "GET",
    "/metrics",
    rights=[Right.SEE_DASHBOARD],
    gives=Catalogue,
    summary="Every metric: its definition and its present figure",
)
def metrics(request: HttpRequest) -> dict[str, Any]:
    """The stored catalogue."""
    asked = runs.look("catalogue")
    known = asked.data.get("metrics", {})
    lines = [
        {**known[held["name"]], **{name: held[name] for name in ("name", "label", "formula")}}
        for family in asked.result or []
        for held in family["metrics"]
    ]
    return {**told(asked), "metrics": lines}


class MetricQuery(Schema):
    """What is asked of a metric."""

    grain: Grain | None = None
    start: dt.date | None = Field(None, alias="from")
    end: dt.date | None = Field(None, alias="to")
    by: list[Name] = Field(default_factory=list, max_length=queries.BY_MAX)
    where: Text = ""
    segment: Id | None = None


@router.serve(
    "GET",
    "/metrics/{name}",
    rights=[Right.SEE_DASHBOARD],
    gives=MetricAnswer,
    summary="One metric, by period and group",
)
def metric(request: HttpRequest, name: Name, asked_for: Query[MetricQuery]) -> dict[str, Any]:
    """A metric; a question that was not asked before is computed, and `state` says so."""
    if runs.look("catalogue").result and queries.definition(name) is None:
        raise Http404
    rule = _rule_of(asked_for.segment)
    rules = [text for text in (asked_for.where.strip(), rule) if text]
    question = {
        "name": name,
        "grain": asked_for.grain or "",
        "from": asked_for.start.isoformat() if asked_for.start else "",
        "to": asked_for.end.isoformat() if asked_for.end else "",
        "by": asked_for.by,
        "where": rules[0] if len(rules) == 1 else " and ".join(f"({text})" for text in rules),
    }
    asked = runs.ask("metric", question)
    shown = asked.result or {}
    return {
        **told(asked),
        "name": name,
        "label": shown.get("label"),
        "formula": shown.get("formula"),
        "unit": asked.data.get("unit"),
        "figures": shown.get("records", []),
        "notes": shown.get("notes", []),
    }


class CohortQuery(Schema):
    """The options of a cohort grid."""

    grain: Literal["week", "month", "quarter", "year"] = "month"
    start: Literal["first", "recurring"] = "first"
    presence: Literal["on", "on_or_after"] = "on"
    share_of: Literal["first", "previous"] = "first"
    mean: Literal["weighted", "simple"] = "weighted"
    measure: Literal["customers", "revenue", "margin"] = "customers"
    since: dt.date | None = None
    until: dt.date | None = None
    where: Text = ""
    segment: Id | None = None


@router.serve(
    "GET",
    "/cohorts",
    rights=[Right.SEE_DASHBOARD],
    gives=CohortAnswer,
    summary="Customers by the period they began in, through the periods after",
)
def cohorts(request: HttpRequest, asked_for: Query[CohortQuery]) -> dict[str, Any]:
    """A cohort grid under any of its options."""
    question: dict[str, Any] = {
        name: value
        for name, known in queries.COHORT_OPTIONS.items()
        if (value := getattr(asked_for, name)) != known[0]
    }
    rules = [text for text in (asked_for.where.strip(), _rule_of(asked_for.segment)) if text]
    question |= {
        "from": asked_for.since.isoformat() if asked_for.since else "",
        "to": asked_for.until.isoformat() if asked_for.until else "",
        "where": rules[0] if len(rules) == 1 else " and ".join(f"({text})" for text in rules),
    }
    asked = runs.ask("cohorts", question)
    names = ("cohort", "size", "age", "complete", "value", "numerator", "denominator")
    return {
        **told(asked),
        "grain": asked.data.get("grain"),
        "cells": [dict(zip(names, cell, strict=True)) for cell in asked.data.get("cells", [])],
        "mean": asked.data.get("mean", []),
    }


# -- Predictions -------------------------------------------------------------------------------
@router.serve(
    "GET",
    "/departures",
    rights=[Right.SEE_DASHBOARD],
    gives=Departures,
    summary="The customers to save, the most pressing first, with the record of such lists",
)
def departures(request: HttpRequest) -> dict[str, Any]:
    """The stored list; where the data changed since, a new one is computed."""
    asked = runs.ask("departures", {})
    shown = asked.result or {}
    rows = zip(asked.data.get("customers", []), shown.get("customers", []), strict=True)
    return {
        **told(asked),
        "as_of": asked.data.get("as_of"),
        **{name: shown[name] for name in ("definition", "reason", "record") if name in shown},
        "customers": [
            {**row, "customer": row["id"], "reasons": words["reasons"]} for row, words in rows
        ],
    }


@router.serve(
    "GET",
    "/next-purchases",
    rights=[Right.SEE_DASHBOARD],
    gives=NextPurchases,
    summary="Who is overdue against their own rhythm, and who will buy within two weeks",
)
def next_purchases(request: HttpRequest) -> dict[str, Any]:
    """The stored list; where the data changed since, a new one is computed."""
    asked = runs.ask("next", {})
    shown = asked.result or {}
    return {
        **told(asked),
        "as_of": asked.data.get("as_of"),
        **{name: shown[name] for name in ("reason", "record") if name in shown},
        "customers": [{**row, "customer": row["id"]} for row in asked.data.get("customers", [])],
    }


@router.serve(
    "GET",
    "/clv",
    rights=[Right.SEE_DASHBOARD],
    gives=Worth,
    summary="What customers will bring in within a year, those worth most first",
)
def clv(request: HttpRequest) -> dict[str, Any]:
    """The stored list; where the data changed since, a new one is computed."""
    asked = runs.ask("worth", {})
    shown = asked.result or {}
    names = ("as_of", "currency", "confidence", "total")
    return {
        **told(asked),
        **{name: asked.data.get(name) for name in names},
        "reason": shown.get("reason"),
        "record": shown.get("notes", []),
        "customers": [{**row, "customer": row["id"]} for row in asked.data.get("customers", [])],
    }


@router.serve(
    "GET",
    "/products",
    rights=[Right.SEE_DASHBOARD],
    gives=ProductsAnswer,
    summary="What goes together, what is due for an upgrade, how good recommendations were",
)
def products(request: HttpRequest) -> dict[str, Any]:
    """The stored answer; where the data changed since, a new one is computed."""
    asked = runs.ask("products", {})
    shown = asked.result or {}
    return {
        **told(asked),
        "as_of": asked.data.get("as_of"),
        "method": asked.data.get("method"),
        "reason": shown.get("reason"),
        "record": shown.get("record", []),
        "pairs": asked.data.get("pairs", []),
        "upgrades": [{**row, "customer": row["id"]} for row in asked.data.get("customers", [])],
    }


@router.serve(
    "GET",
    "/customers/{id}/predictions",
    rights=[Right.SEE_CUSTOMERS],
    gives=Foretold,
    summary="What is foretold of a customer: leaving, worth, next purchase, health, products",
)
def customer_predictions(request: HttpRequest, id: str) -> dict[str, Any]:
    """What the last computation says; 404 where it says nothing of the customer."""
    run = PredictionRun.objects.first()
    known = run is not None and foresight.of_customer(run, id)
    if run is None or not known:
        raise Refused(404, "not_found", _("Nothing is foretold of this customer."))
    reasons = [words.from_json(one) for one in json.loads(known["why"] or "[]")]
    return {
        **known,
        "customer": id,
        "as_of": run.as_of,
        "computed_at": run.computed_at,
        "reasons": [one.text(language()) for one in reasons if one is not None],
        "products": [
            {
                "product": row["product_id"],
                "name": row["product"],
                "why": foresight.why(row).text(language()),
            }
            for row in known["products"]
        ],
    }


# -- Segments ----------------------------------------------------------------------------------
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=400)]


@router.serve(
    "GET",
    "/segments",
    rights=[Right.SEE_DASHBOARD],
    gives=Page[SegmentOut],
    summary="The segments that were kept",
)
def segments(request: HttpRequest, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """The segments, a page at a time."""
    rows, following = paged(
        SavedSegment.objects.filter(removed_at=None), limit=limit, cursor=cursor
    )
    return {"items": [_segment(row) for row in rows], "next": following}


@router.serve(
    "POST",
    "/segments",
    rights=[Right.EDIT_SEGMENTS],
    gives=SegmentOut,
    status=201,
    summary="Keep a segment",
)
def segment_make(request: HttpRequest, told_of: SegmentIn) -> dict[str, Any]:
    """A new segment."""
    held = actions.save_segment(**told_of.dict(), by=_user(request))
    return _segment(held)


@router.serve(
    "GET",
    "/segments/{id}",
    rights=[Right.SEE_DASHBOARD],
    gives=SegmentAnswer,
    summary="A segment, and how many customers it has",
)
def segment(request: HttpRequest, id: Id) -> dict[str, Any]:
    """A segment and its count."""
    held = _held(id)
    asked = runs.ask("segment", {"rule": held.rule})
    return {
        **_segment(held),
        **told(asked),
        "customers": asked.data.get("count"),
        "share": asked.data.get("share"),
    }


@router.serve(
    "PUT",
    "/segments/{id}",
    rights=[Right.EDIT_SEGMENTS],
    gives=SegmentOut,
    summary="Change a segment",
)
def segment_change(request: HttpRequest, id: Id, told_of: SegmentIn) -> dict[str, Any]:
    """A segment under another name or rule."""
    held = actions.save_segment(**told_of.dict(), segment=_held(id), by=_user(request))
    return _segment(held)


@router.serve(
    "DELETE",
    "/segments/{id}",
    rights=[Right.EDIT_SEGMENTS],
    gives=None,
    status=204,
    summary="Put a segment away",
)
def segment_remove(request: HttpRequest, id: Id) -> None:
    """A segment goes; people can bring it back on its page."""
    actions.remove_segment(segment=_held(id), by=_user(request))


def _segment(row: SavedSegment) -> dict[str, Any]:
    return {"id": row.pk, "name": row.name, "rule": row.rule, "description": row.description}


def _held(id: int) -> SavedSegment:
    held = SavedSegment.objects.filter(pk=id, removed_at=None).first()
    if held is None:
        raise Http404
    return held


def _rule_of(segment: int | None) -> str:
    return _held(segment).rule if segment is not None else ""


def _user(request: HttpRequest) -> Any:
    """The person who calls (None: a key; the trail names it)."""
    return request.user if request.user.pk else None


# -- Goals -------------------------------------------------------------------------------------
@router.serve(
    "GET",
    "/goals",
    rights=[Right.SEE_DASHBOARD],
    gives=Page[GoalOut],
    summary="The goals that were set",
)
def goals(request: HttpRequest, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """The goals, a page at a time."""
    rows, following = paged(Goal.objects.all(), limit=limit, cursor=cursor)
    return {"items": [_goal(row) for row in rows], "next": following}


@router.serve(
    "PUT",
    "/goals",
    rights=[Right.EDIT_GOALS],
    gives=GoalOut,
    summary="Set the goal of a metric, always or in a period",
)
def goal_set(request: HttpRequest, told_of: GoalIn) -> dict[str, Any]:
    """A goal; the figures are compared with it soon after."""
    if runs.look("catalogue").result and queries.definition(told_of.metric) is None:
        raise Http404
    return _goal(actions.set_goal(**told_of.dict(), by=_user(request)))


@router.serve(
    "DELETE",
    "/goals/{id}",
    rights=[Right.EDIT_GOALS],
    gives=None,
    status=204,
    summary="Take a goal away",
)
def goal_remove(request: HttpRequest, id: Id) -> None:
    """The default goal of the metric holds again."""
    goal = Goal.objects.filter(pk=id).first()
    if goal is None:
        raise Http404
    actions.remove_goal(goal=goal, by=_user(request))


def _goal(row: Goal) -> dict[str, Any]:
    fields = ("metric", "value", "start", "end", "note")
    return {"id": row.pk, **{name: getattr(row, name) for name in fields}}
