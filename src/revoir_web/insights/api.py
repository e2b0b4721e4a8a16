"""Figures as JSON: stored answers at once; what was never asked before is computed first."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import Http404, HttpRequest
from ninja import Field, Query, Schema

from revoir_web.common.api import Page, Refused, paged
from revoir_web.common.rights import Right
from revoir_web.insights import (
    actions,
    api_cards,  # noqa: F401 (their calls are on the router too)
    api_groups,  # noqa: F401
    api_predictions,  # noqa: F401
    api_report,  # noqa: F401
    api_saved,  # noqa: F401
    queries,
    runs,
)
from revoir_web.insights import goals as held_goals
from revoir_web.insights.api_told import Told, router, told
from revoir_web.insights.models import DataState, Goal, SavedSegment

Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9_]+$")]
Text = Annotated[str, Field(max_length=5000, pattern=r"^[^\x00]*$")]
Grain = Literal["day", "week", "month", "quarter", "twelve_months", "year"]


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
    rule: str | None = None


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
    goal_growth: float | None = Field(None, description="Growth on the year before as the goal.")
    goal_length: str | None = Field(None, description="Of which periods the goal is.")
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
    notes: list[str] = Field(default_factory=list)


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
    growth: bool = Field(False, description="Whether `value` is growth on the year before.")
    length: Literal["", "day", "week", "month", "quarter", "year"] = Field(
        "", description="Of which periods; empty: those as long as the headline figure's."
    )
    start: dt.date | None = None
    end: dt.date | None = None
    note: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""


class GoalOut(Schema):
    """A goal, in the unit of its metric: 0.8 is 80 %."""

    id: int
    metric: str
    value: float
    growth: bool
    length: str
    start: dt.date | None
    end: dt.date | None
    note: str


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
    queries.check_known(name)
    asked = runs.ask(
        "metric",
        {**_asked(name, asked_for), "grain": asked_for.grain or "", "by": asked_for.by},
    )
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


class RowsQuery(Schema):
    """Behind which figure rows are asked for."""

    start: dt.date | None = Field(None, alias="from")
    end: dt.date | None = Field(None, alias="to")
    where: Text = ""
    segment: Id | None = None
    group: list[Annotated[str, Field(max_length=500, pattern=r"^[^\x00=]+=[^\x00]*$")]] = Field(
        default_factory=list, max_length=queries.BY_MAX,
        description="Column and value of a group, such as `country=FR`; `country=`: of none.",
    )  # fmt: skip
    page: int = Field(1, ge=1, le=100_000, description="Of 50 rows.")


class RowsAnswer(Told):
    """The rows that a figure was computed from; what customers wrote is not among them."""

    made_of: list[str] = Field(
        default_factory=list, description="Metrics that have the rows, where this one has none."
    )
    columns: list[str] = Field(default_factory=list)
    rows: list[list[Any]] = Field(default_factory=list)
    total: int | None = None
    next: int | None = Field(None, description="The page after this one.")


@router.serve(
    "GET",
    "/metrics/{name}/rows",
    rights=[Right.SEE_DASHBOARD, Right.SEE_CUSTOMERS],
    gives=RowsAnswer,
    summary="The rows behind a figure",
)
def metric_rows(request: HttpRequest, name: Name, asked_for: Query[RowsQuery]) -> dict[str, Any]:
    """A page of rows; it is computed first, and `state` says so."""
    queries.check_known(name)
    groups = dict(text.partition("=")[::2] for text in asked_for.group)
    question = {
        **_asked(name, asked_for),
        "group": {column: value or None for column, value in groups.items()},
    }
    at = {"page": asked_for.page} if asked_for.page > 1 else {}
    asked = runs.ask("rows", {**question, **at})
    shown = {name: asked.data.get(name, []) for name in ("made_of", "rows")}
    until = asked.data.get("first", 0) + len(shown["rows"])
    more = until < asked.data.get("total", 0)
    return {
        **told(asked),
        **shown,
        "columns": asked.data.get("names", []),
        "total": asked.data.get("total"),
        "next": asked_for.page + 1 if more else None,
    }


def _asked(name: str, asked_for: MetricQuery | RowsQuery) -> dict[str, Any]:
    """What both a figure and the rows behind it are asked by."""
    return {
        "name": name,
        "from": asked_for.start.isoformat() if asked_for.start else "",
        "to": asked_for.end.isoformat() if asked_for.end else "",
        "where": _both(asked_for.where.strip(), _rule_of(asked_for.segment)),
    }


def _both(*rules: str) -> str:
    """The rule that holds where all of those do that say something."""
    told = [rule for rule in rules if rule]
    return told[0] if len(told) == 1 else " and ".join(f"({rule})" for rule in told)


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
    question |= {
        "from": asked_for.since.isoformat() if asked_for.since else "",
        "to": asked_for.until.isoformat() if asked_for.until else "",
        "where": _both(asked_for.where.strip(), _rule_of(asked_for.segment)),
    }
    asked = runs.ask("cohorts", question)
    names = ("cohort", "size", "age", "complete", "value", "numerator", "denominator")
    return {
        **told(asked),
        "grain": asked.data.get("grain"),
        "cells": [dict(zip(names, cell, strict=True)) for cell in asked.data.get("cells", [])],
        "mean": asked.data.get("mean", []),
        "notes": (asked.result or {}).get("notes", []),
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
    held = actions.change_segment(segment=_held(id), fields=told_of.dict(), by=_user(request))
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


class MembersQuery(Schema):
    """Whose customers: those of a segment that was kept, or of a rule."""

    segment: Id | None = None
    rule: Text = Field("", description="As in `where` of a metric, where no segment is named.")
    page: int = Field(1, ge=1, le=100_000, description="Of 50 customers.")


class Member(Schema):
    """A customer of a segment."""

    id: str
    last: dt.date | None = Field(description="Last day with a purchase.")
    days: int | None = Field(description="Days with a purchase.")
    amount: float | None = Field(description="Bought for; null: never, or in several currencies.")


class Members(Told):
    """The customers of a segment or a rule, those who bought for most first."""

    count: int | None = None
    currency: str | None = None
    customers: list[Member] = Field(default_factory=list)
    next: int | None = Field(None, description="The page after this one.")


@router.serve(
    "GET",
    "/members",
    rights=[Right.SEE_DASHBOARD, Right.SEE_CUSTOMERS],
    gives=Members,
    summary="The customers of a segment, or of a rule",
)
def members(request: HttpRequest, asked_for: Query[MembersQuery]) -> dict[str, Any]:
    """A page of customers; it is computed first, and `state` says so."""
    from revoir.segments.syntax import parse

    rule = _rule_of(asked_for.segment) or asked_for.rule.strip()
    parse(rule)
    asked = runs.ask("members", {"rule": rule, "page": asked_for.page})
    page = queries.members_page(asked, asked_for.page, named=False) or {}
    return {
        **told(asked),
        **{name: page.get(name) for name in ("count", "currency", "next")},
        "customers": asked.data.get("rows", []),
    }


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
    queries.check_known(told_of.metric)
    if fault := held_goals.fault_of(told_of.metric, told_of.value, growth=told_of.growth):
        raise Refused(422, "invalid", fault)
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
    fields = ("metric", "value", "growth", "length", "start", "end", "note")
    return {"id": row.pk, **{name: getattr(row, name) for name in fields}}
