"""The sections below the first screen: cohorts, lifecycle, segments, gaps, breakdowns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from revoir.book import Book
from revoir.language import Message, Money, Percent, in_turn, msg, nmsg
from revoir.metrics.activity import Gaps, activity, gaps, rule_in_words
from revoir.metrics.cohorts import CohortGrid, cohorts
from revoir.metrics.contracts import as_held_on
from revoir.metrics.lifecycle import STAGES, lifecycle
from revoir.metrics.registry import Question, measure, metric_named
from revoir.periods import Grain
from revoir.reports.frame import Frame
from revoir.reports.model import (
    Asked,
    Breakdown,
    BreakdownRow,
    CohortRow,
    CohortSection,
    GapsSection,
    LifecycleRow,
    LifecycleSection,
    RfmSection,
    SegmentRow,
)
from revoir.reports.remarks import of_the_ranking
from revoir.reports.wording import COLUMN_NAMES, during, named
from revoir.segments.names import SEGMENTS, value_named
from revoir.segments.rfm import Rfm
from revoir.segments.rules import dimension
from revoir.tables import QUESTIONS

PEOPLE_MIN = 30
"""Fewer people are counted in a title, and not given as so many of a hundred."""

BANDS_MAX = 36
GROUPS_MAX = 12
SCORES_MAX = 10
"""From the lowest to the highest score of a scale that people answer on."""
QUESTIONS_MAX = 12


def cohort_section(book: Book, frame: Frame) -> CohortSection | None:
    """The cohort grid by month, or by quarter where months would be too many."""
    first, last = book.span
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    grain = Grain.QUARTER if months > 36 else Grain.MONTH if months > 2 else Grain.WEEK
    grid = cohorts(book, grain=grain)
    if not grid.cohorts:
        return None
    rows = tuple(
        CohortRow(
            cohort.period,
            cohort.size,
            tuple(cell.value for cell in cohort.cells),
            tuple(cell.count for cell in cohort.cells),
            tuple(cell.complete for cell in cohort.cells),
        )
        for cohort in grid.cohorts
    )
    return CohortSection(grain, rows, grid.mean, _cohort_title(grid))


def _cohort_title(grid: CohortGrid) -> Message:
    titles = {
        Grain.MONTH: msg("Of 100 new customers, {first} buy again in the month that follows"),
        Grain.QUARTER: msg("Of 100 new customers, {first} buy again in the quarter that follows"),
        Grain.WEEK: msg("Of 100 new customers, {first} buy again in the week that follows"),
    }
    later = {
        Grain.MONTH: msg(
            "Of 100 new customers, {first} buy in the month that follows, {later} six months later"
        ),
        Grain.QUARTER: msg(
            "Of 100 new customers, {first} buy in the quarter that follows, {later} a year later"
        ),
    }
    few = {
        Grain.MONTH: msg("New customers who bought again in the month after: {back} of {people}"),
        Grain.QUARTER: msg(
            "New customers who bought again in the quarter after: {back} of {people}"
        ),
        Grain.WEEK: msg("New customers who bought again in the week after: {back} of {people}"),
    }
    far = {Grain.MONTH: 6, Grain.QUARTER: 4}.get(grid.grain)
    share = grid.mean[1] if len(grid.mean) > 1 else None
    if share is None:
        return msg("The data are too recent to see customers come back")
    people, back = _followed(grid, 1)
    if people < PEOPLE_MIN:
        return Message(few[grid.grain].msgid, {"people": people, "back": back})
    first = round(share * 100)
    if far is not None and len(grid.mean) > far and _followed(grid, far)[0] >= PEOPLE_MIN:
        share_later = grid.mean[far]
        if share_later is not None:
            template = later[grid.grain]
            return Message(template.msgid, {"first": first, "later": round(share_later * 100)})
    return Message(titles[grid.grain].msgid, {"first": first})


def _followed(grid: CohortGrid, age: int) -> tuple[int, int]:
    """How many customers have lived through an age, and how many of them bought in it."""
    cells = [
        (cohort.size, cohort.cells[age].count or 0)
        for cohort in grid.cohorts
        if len(cohort.cells) > age and cohort.cells[age].complete
    ]
    return sum(size for size, _ in cells), int(sum(count for _, count in cells))


def lifecycle_section(book: Book, frame: Frame) -> LifecycleSection:
    """New, returning, resurrected and dormant customers by period."""
    question = Question(frame.periods[0].start, frame.periods[-1].end, frame.grain)
    results = lifecycle(book, question)
    rows = tuple(
        LifecycleRow(
            figure.period,
            figure.complete,
            *(int(results[stage].figures[index].value or 0) for stage in STAGES),
        )
        for index, figure in enumerate(results["new"].figures)
        if figure.period is not None
    )
    return LifecycleSection(frame.grain, rows, _lifecycle_title(rows))


def _lifecycle_title(rows: tuple[LifecycleRow, ...]) -> Message:
    complete = [row for row in rows if row.complete]
    if not complete:
        return msg("No period is complete yet")
    last = complete[-1]
    buyers = last.new + last.returning + last.resurrected
    if not buyers:
        return msg("Nobody bought {when}", when=during(last.period))
    if not last.new:
        return msg("None of the buyers {when} was a new customer", when=during(last.period))
    return msg(
        "{share} of the buyers {when} were new customers",
        share=Percent(last.new / buyers, 0),
        when=during(last.period),
    )


def rfm_section(
    found: Rfm, currency: str | None = None, rhythm: GapsSection | None = None
) -> RfmSection | None:
    """The segments with their figures and advice, and the map of scores.

    Args:
        found: The scores.
        currency: ISO 4217 currency of the amounts (None: not known).
        rhythm: How long customers wait between purchases (None: not known).
    """
    if found.cutoffs is None:
        return None
    rows = tuple(
        SegmentRow(
            key=row.segment,
            label=SEGMENTS[row.segment].label,
            advice=SEGMENTS[row.segment].advice,
            customers=row.customers,
            share=row.share,
            revenue=None if row.revenue is None else float(row.revenue),
            revenue_share=row.revenue_share,
            days_since_last=row.days_since_last,
            frequency=row.frequency,
            monetary=row.monetary,
        )
        for row in found.summary()
    )
    table = found.customers
    counted = table.group_by(["r", "f"]).aggregate(n=table.count())
    cells = {(int(row["r"]), int(row["f"])): int(row["n"]) for row in found.book.rows(counted)}
    said = [note for note in (found.note, of_the_ranking(rows, rhythm)) if note is not None]
    return RfmSection(
        rows,
        _cutoffs(found, currency),
        cells,
        found.bins,
        _rfm_title(rows),
        in_turn(said) if said else None,
    )


def _cutoffs(found: Rfm, currency: str | None) -> tuple[Message, ...]:
    if found.cutoffs is None:
        return ()
    best, last = found.bins, len(found.cutoffs.days_since_last)
    limits = (
        msg(
            "Recency, in days since the last purchase: {scores}.",
            scores=_scores(
                [int(days) for days in found.cutoffs.days_since_last], best, best - last
            ),
        ),
        msg(
            "Frequency, in purchase days: {scores}.",
            scores=_scores([int(days) for days in found.cutoffs.frequency], 1, best),
        ),
    )
    if not found.cutoffs.monetary:
        return limits
    amounts = [Money(round(float(value), 2), currency) for value in found.cutoffs.monetary]
    scores = _scores(amounts, 1, best)
    return (*limits, msg("Amount bought in all, before returns: {scores}.", scores=scores))


def _scores(limits: Sequence[Any], first: int, beyond: int) -> list[Message]:
    """Which score reaches how far, from the first to the one past every limit.

    Where two limits are equal, nobody has the score between them.
    """
    step = 1 if beyond > first else -1
    said = [
        msg("score {score} up to {limit}", score=first + step * place, limit=limit)
        for place, limit in enumerate(limits)
        if place == 0 or limit != limits[place - 1]
    ]
    return [*said, msg("score {score} beyond", score=beyond)]


def _rfm_title(rows: tuple[SegmentRow, ...]) -> Message:
    best = max(rows, key=lambda row: row.revenue or 0, default=None)
    if best is None or best.revenue_share is None:
        return msg("Customers by how lately, how often and how much they bought")
    return msg(
        "“{segment}”: {share} of the customers, {revenue} of what customers ever bought",
        segment=best.label,
        share=Percent(best.share, 0),
        revenue=Percent(best.revenue_share, 0),
    )


def gaps_section(book: Book) -> GapsSection | None:
    """How long customers wait between purchases, in bands of equal width."""
    known = gaps(book)
    if not known.counts:
        return None
    rule = activity(book)
    median = known.quantile(0.5)
    longest = max(known.quantile(0.98), rule.window_days or 0) + 1
    width = next(
        (days for days in (1, 2, 3, 5, 7, 10, 14, 30, 60, 90) if longest / days <= BANDS_MAX), 180
    )
    bands = math.ceil(longest / width)
    counts = [0] * bands
    longer = 0
    for days, count in known.counts.items():
        band = days // width
        if band < bands:
            counts[band] += count
        else:
            longer += count
    return GapsSection(
        counts=tuple((n * width, (n + 1) * width, count) for n, count in enumerate(counts)),
        total=known.total,
        median=median,
        third_quartile=known.quantile(0.75),
        longer=longer,
        window_days=rule.window_days,
        rule=rule_in_words(rule),
        reason=rule.reason,
        title=_gaps_title(known, median),
    )


def _gaps_title(known: Gaps, median: int) -> Message:
    return nmsg(
        "Half of those who come back do so within {n} day",
        "Half of those who come back do so within {n} days",
        median,
    )


def asked(book: Book) -> tuple[Asked, ...]:
    """What was answered to each question that has whole scores, the most answered first.

    Args:
        book: The company's tables.
    """
    held = book.table("responses")
    held = held.filter(held.score.notnull() & held.question.notnull())
    score = held.score.cast("float64")
    counted = held.group_by(question=held.question, score=score).aggregate(n=held.count())
    found: dict[str, dict[float, int]] = {}
    for row in book.rows(counted):
        found.setdefault(str(row["question"]), {})[float(row["score"])] = int(row["n"])
    rows = []
    for question, counts in found.items():
        whole = all(one.is_integer() for one in counts)
        if not whole or max(counts) - min(counts) > SCORES_MAX:
            continue  # a sum or a percentage has no scale to count along
        label = metric_named(question).label if question in QUESTIONS else question
        scores = range(int(min(counts)), int(max(counts)) + 1)
        rows.append(Asked(question, label, tuple((one, counts.get(one, 0)) for one in scores)))
    return tuple(sorted(rows, key=lambda one: (-one.answers, one.question))[:QUESTIONS_MAX])


def plans(book: Book) -> tuple[str, ...]:
    """The column that subscriptions without orders are broken down by unless one is asked for."""
    if book.has("orders") or not book.has("subscriptions", "plan"):
        return ()
    held = book.table("subscriptions")
    different = book.rows(held.aggregate(n=held.plan.nunique()))[0]["n"]
    return ("plan",) if 2 <= different <= GROUPS_MAX else ()


_AT_START = msg(
    "A customer counts in the group of the subscription that they had at the start of the period:"
    " who goes over to another has stayed."
)


def breakdown_section(book: Book, column: str, frame: Frame | None) -> Breakdown:
    """The retention rate by the values of a column, the largest groups first.

    Args:
        book: The company's tables.
        column: The column.
        frame: The periods of the report (None: the data have no dates).
    """
    rule = activity(book) if frame else None
    # A subscription or a visit has no channel: purchases alone say who stays with one.
    alone = (
        rule is not None
        and (rule.subscription or rule.event_window_days is not None)
        and dimension(book, column).table in ("orders", "order_lines")
    )
    if rule is not None and alone:
        rule = replace(rule, subscription=False, event_window_days=None)
        book = book.with_settings(activity=rule)
    period = frame.stay if frame else None
    start, end = (period.start, period.end) if period else (None, None)
    notes: tuple[Message, ...] = ()
    if period is not None and dimension(book, column).table == "subscriptions":
        book = as_held_on(book, column, period.start)
        notes = (_AT_START,)
    result = measure(book, "retention_rate", start=start, end=end, by=[column])
    figures = sorted(result.figures, key=lambda figure: -(figure.denominator or 0))
    shown = figures[:GROUPS_MAX]
    rows = tuple(
        BreakdownRow(
            group=called if isinstance(called, Message) else str(called),
            customers=figure.denominator,
            value=figure.value,
            low=figure.low,
            high=figure.high,
            reason=figure.reason,
        )
        for figure in shown
        for called in [value_named(figure.by.get(column))]
    )
    return Breakdown(
        column=column,
        metric=result.metric.name,
        label=result.metric.label,
        unit=result.metric.unit,
        period=period,
        rows=rows,
        others=len(figures) - len(shown),
        title=Message(
            (
                msg("{metric} by {column}, purchases alone, {period}")
                if alone
                else msg("{metric} by {column}, {period}")
            ).msgid,
            {
                "metric": result.metric.label,
                "column": COLUMN_NAMES.get(column, column),
                "period": named(period) if period else msg("all of the data"),
            },
        ),
        notes=(*notes, *result.notes),
    )
