"""Lifecycle: the buyers of each period by where they come from, and those who did not return."""

from __future__ import annotations

from revoir.book import Book
from revoir.language import Message, msg
from revoir.metrics import scope
from revoir.metrics.calendar import period_of
from revoir.metrics.evaluate import empty_result, lacking, sort_key
from revoir.metrics.registry import Metric, Question, Unit, declare
from revoir.metrics.result import Figure, Result
from revoir.periods import Grain, periods_between, shift

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
    first, _ = book.span
    end = question.end or scope.covered_end(book)
    periods = periods_between(question.start or first, end, grain, month)
    bought = scope.purchases(book, question)
    here = period_of(bought.day, grain, month)
    before = period_of(bought.previous_day, grain, month)
    after = period_of(bought.next_day, grain, month)
    rows = bought.mutate(
        period_start=here,
        opens=bought.previous_day.isnull() | (before < here),
        closes=bought.next_day.isnull() | (after > here),
        is_new=bought.previous_day.isnull(),
        before=before,
        after=after,
    )
    counted = rows.group_by(["period_start", "before", "after", *question.by]).aggregate(
        opening=rows.opens.sum(), newcomers=rows.is_new.sum(), closing=rows.closes.sum()
    )
    counts: dict[str, dict[object, float]] = {stage: {} for stage in STAGES}
    groups = set()
    for row in book.rows(counted):
        group = tuple(row[name] for name in question.by)
        groups.add(group)
        start = row["period_start"]
        if row["newcomers"]:
            _add(counts["new"], (start, group), row["newcomers"])
        opening = row["opening"] - row["newcomers"]
        if opening:
            stage = "returning" if shift(row["before"], grain, 1) == start else "resurrected"
            _add(counts[stage], (start, group), opening)
        following = shift(start, grain, 1)
        if row["closing"] and row["after"] != following:
            _add(counts["dormant"], (following, group), row["closing"])
    ordered = sorted(groups, key=sort_key) or ([()] if not question.by else [])
    return {
        stage: Result(
            _METRICS[stage],
            tuple(
                Figure(
                    period,
                    period.complete(book.as_of),
                    float(counts[stage].get((period.start, group), 0)),
                    float(counts[stage].get((period.start, group), 0)),
                    by=dict(zip(question.by, group, strict=True)),
                )
                for period in periods
                for group in ordered
            ),
            question.by,
        )
        for stage in STAGES
    }


def _add(counts: dict[object, float], key: object, count: float) -> None:
    counts[key] = counts.get(key, 0.0) + float(count)


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
