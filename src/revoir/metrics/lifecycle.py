"""Lifecycle: the buyers of each period by where they come from, and those who did not return."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, msg
from revoir.metrics import scope
from revoir.metrics.calendar import STEPS, date, ordinal_of
from revoir.metrics.evaluate import empty_result, lacking, sort_key
from revoir.metrics.registry import Metric, Question, Unit, declare
from revoir.metrics.result import Figure, Result
from revoir.periods import Grain, Period, shift, start_at

STAGES: dict[str, tuple[Message, Message]] = {
    "new": (msg("New"), msg("Buyers of the period who never bought before.")),
    "returning": (msg("Returning"), msg("Buyers of the period who bought in the one before, too.")),
    "resurrected": (
        msg("Resurrected"),
        msg("Buyers of the period who had bought, but not in the one before."),
    ),
    "dormant": (
        msg("Dormant"),
        msg("Buyers of the period before who did not buy in this one."),
    ),
}
"""The stages, with their names and definitions."""


def lifecycle(book: Book, question: Question) -> dict[str, Result]:
    """Count the buyers of each period by stage.

    Args:
        book: The company's tables.
        question: What is asked; without a grain, by month.

    Returns:
        One result a stage, named as in `STAGES`.
    """
    grain = question.grain or Grain.MONTH
    month = book.settings.fiscal_year_start_month
    periods = replace(question, grain=grain).periods(book)
    bought = scope.purchases(book, question)
    here = ordinal_of(bought, "day", grain, month)
    rows = bought.select(*question.by, here=here, **_stages(bought, grain, month))
    counted = rows.group_by(["here", *question.by]).aggregate(
        **{stage: rows[stage].sum() for stage in STAGES}
    )
    counts: dict[str, dict[object, float]] = {stage: {} for stage in STAGES}
    groups = set()
    for row in book.rows(counted):
        group = tuple(row[name] for name in question.by)
        groups.add(group)
        start = start_at(row["here"], grain, month)
        for stage in STAGES:
            seen = shift(start, grain, 1) if stage == "dormant" else start
            counts[stage][seen, group] = float(row[stage] or 0)
    ordered = sorted(groups, key=sort_key) or ([()] if not question.by else [])
    return {
        stage: Result(
            _METRICS[stage],
            tuple(
                _figure(
                    book,
                    period,
                    float(counts[stage].get((period.start, group), 0)),
                    dict(zip(question.by, group, strict=True)),
                )
                for period in periods
                for group in ordered
            ),
            question.by,
        )
        for stage in STAGES
    }


def _stages(bought: ir.Table, grain: Grain, month: int) -> dict[str, ir.BooleanValue]:
    """What each purchase day says of its customer; one day of a period says a stage at most."""
    here, before, after = (
        ordinal_of(bought, name, grain, month) for name in ("day", "previous_day", "next_day")
    )
    step = STEPS[grain]
    return {
        "new": bought.previous_day.isnull(),
        "returning": before == here - step,
        "resurrected": before < here - step,
        # Dormant one period later.
        "dormant": bought.next_day.isnull() | (after > here + step),
    }


def buyers(book: Book, question: Question, stage: str) -> ir.Table:
    """The buyers that a figure of the lifecycle counts, one by one.

    Args:
        book: The company's tables.
        question: What is asked; days that are no week, month, quarter or year are cut into months.
        stage: One of `STAGES`.

    Returns:
        The purchase day that tells the stage, of each buyer: the first of the period, and of who
        is dormant the last one of the period before.
    """
    grain = question.grain or _grain_of(question)
    bought = scope.purchases(book, question)
    periods = replace(question, grain=grain).periods(book)
    first, end = periods[0].start, periods[-1].end
    if stage == "dormant":
        first, end = shift(first, grain, -1), shift(end, grain, -1)
    month = book.settings.fiscal_year_start_month
    tells = _stages(bought, grain, month)[stage]
    inside = (bought.day >= date(first)) & (bought.day < date(end))
    keys = dict.fromkeys(["customer_id", "day", "previous_day", "next_day", *question.by])
    return bought.filter(tells & inside).select(*keys)


def _grain_of(question: Question) -> Grain:
    """The length of the one period that a question is about."""
    if question.start is None:
        return Grain.MONTH
    fits = (grain for grain in Grain if shift(question.start, grain, 1) == question.end)
    return next(fits, Grain.MONTH)


def _figure(book: Book, period: Period, count: float, by: dict[str, Any]) -> Figure:
    if uncovered := scope.uncovered_reason(book, period):
        return Figure(period, False, None, by=by, reason=uncovered)
    return Figure(period, period.complete(book.as_of), count, count, by=by)


def _declare(stage: str) -> Metric:
    label, formula = STAGES[stage]

    def compute(book: Book, question: Question) -> Result:
        missing = lacking(book, metric)
        if missing is not None:
            return empty_result(metric, question, [None], missing)
        return lifecycle(book, question)[stage]

    metric = Metric(
        name=f"lifecycle_{stage}",
        label=label,
        formula=formula,
        unit=Unit.COUNT,
        better="lower" if stage == "dormant" else "higher",
        needs=("orders.customer_id",),
        compute=compute,
        family="lifecycle",
        aliases=(stage,),
    )
    return declare(metric)


_METRICS = {stage: _declare(stage) for stage in STAGES}
