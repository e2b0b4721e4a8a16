"""Ratios of sums: most metrics are one, and those on the same facts are answered in one query."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir

from revoir.experiments.intervals import (
    Interval,
    mean_interval,
    nps_interval,
    poisson_interval,
    ratio_interval,
    wilson,
)
from revoir.language import Message, msg
from revoir.metrics import scope
from revoir.metrics.registry import Metric, Question, Unit, declare
from revoir.metrics.result import Figure, Result
from revoir.periods import Period

if TYPE_CHECKING:
    from revoir.book import Book

Sum = Callable[[ir.Table], ir.NumericScalar]
"""An aggregate of facts."""


@dataclass(frozen=True)
class Facts:
    """A kind of rows that ratios are taken of.

    Attributes:
        name: Its name.
        rows: Gives the rows of a question, with the columns of its `by`.
        clock: Their column of time.
        prepare: Adds columns once the period of each row is known.
        needs: The canonical tables (or ``table.column``) that the rows come from.
    """

    name: str
    rows: Callable[[Book, Question], ir.Table]
    clock: str
    prepare: Callable[[ir.Table, Sequence[str]], ir.Table] | None = None
    needs: tuple[str, ...] = ()

    def held(self, book: Book) -> Book:
        """The book that the rows are in: answers and contacts may go on where orders do not."""
        return book if any(need.startswith("orders") for need in self.needs) else book.entire


@dataclass(frozen=True)
class Spread:
    """The sums that the interval of a mean or ratio is computed from.

    Attributes:
        squares: Of what the numerator sums.
        others: Squares of what the denominator sums (None: it counts rows).
        products: Of what the two sum.
        drawn: How many customers, contacts, … were drawn (None: the denominator).
        floor: The least that the figure can be.
        ceiling: The most that it can be (None: there is no such thing).
        counts: Whether the values count something.
    """

    squares: Sum
    others: Sum | None = None
    products: Sum | None = None
    drawn: Sum | None = None
    floor: float = 0.0
    ceiling: float | None = None
    counts: bool = False


@dataclass(frozen=True)
class Ratio:
    """A metric that divides one sum by another.

    Attributes:
        facts: What is summed.
        numerator: The sum above.
        denominator: The sum below (None: the metric is the sum itself).
        interval: "wilson" (a share), "poisson" (a count), "nps", the spread of a mean or ratio, or
            None.
        parts: Further sums shown beside the figure.
        minimum: The smallest denominator that carries a figure.
        note: What the reader must know.
        adds_up: Whether nothing at all makes 0 (a sum, a count) rather than no figure (a median).
        against: Says why a book cannot carry the figure, where it holds the rows all the same.
        remark: Says what the reader must know of a book.
        doubt: Says why a figure is not known after all, from its value and its parts.
    """

    facts: Facts
    numerator: Sum
    denominator: Sum | None = None
    interval: str | Spread | None = None
    parts: Mapping[str, Sum] = field(default_factory=dict)
    minimum: float = 1
    note: Message | None = None
    adds_up: bool = True
    against: Callable[[Book], Message | None] | None = None
    remark: Callable[[Book], Message | None] | None = None
    doubt: Callable[[float, Mapping[str, float]], Message | None] | None = None

    def __call__(self, book: Book, question: Question, metric: Metric) -> Result:
        """Answer a question."""
        return compute_ratios(book, {metric: self}, question)[metric.name]


def share_of(facts: Facts, part: Sum) -> Ratio:
    """The share of rows that are of a kind."""
    return Ratio(facts, part, lambda t: t.count(), interval="wilson")


def mean_of(
    facts: Facts,
    column: str,
    *,
    where: Callable[[ir.Table], ir.BooleanValue] | None = None,
    floor: float = 0.0,
    ceiling: float | None = None,
    counts: bool = False,
) -> Ratio:
    """The mean of a column over rows that were drawn one by one.

    Args:
        facts: The rows.
        column: What is averaged.
        where: Which of the rows count (None: all).
        floor: The least that a value can be.
        ceiling: The most that it can be (None: there is no such thing).
        counts: Whether the values count something.

    Returns:
        The ratio.
    """

    def held(t: ir.Table) -> ir.BooleanValue:
        return ibis.literal(True) if where is None else where(t)

    # Amounts add up exactly as they are; their squares would not fit a decimal.
    squares = _squared(column)
    return Ratio(
        facts,
        lambda t: t[column].sum(where=held(t)),
        lambda t: held(t).sum() if where else t.count(),
        interval=Spread(
            lambda t: squares(t).sum(where=held(t)), floor=floor, ceiling=ceiling, counts=counts
        ),
    )


def ratio_of(facts: Facts, above: str, below: str) -> Ratio:
    """The sum of a column ÷ that of another, over customers who have some of the latter."""
    return Ratio(
        facts,
        lambda t: t[above].sum(),
        lambda t: t[below].sum(),
        interval=Spread(
            squares=lambda t: _squared(above)(t).sum(),
            others=lambda t: _squared(below)(t).sum(),
            products=lambda t: (t[above].cast("float64") * t[below]).sum(),
            drawn=lambda t: (t[below] > 0).sum(),
        ),
    )


def _squared(column: str) -> Callable[[ir.Table], ir.NumericValue]:
    return lambda t: t[column].cast("float64") * t[column].cast("float64")


def declare_ratio(
    name: str,
    ratio: Ratio,
    label: Message,
    formula: Message,
    unit: Unit,
    better: str,
    *,
    family: str,
    needs: tuple[str, ...] = (),
    **more: Any,
) -> Metric:
    """Declare a metric that is a ratio of sums.

    Args:
        name: As in `Metric`, like what follows.
        ratio: What is divided by what.
        label: What people call it.
        formula: The formula in words.
        unit: What it is counted in.
        better: "higher", "lower" or "neither".
        family: The group it is listed with.
        needs: What it cannot do without, beside what its facts come from.
        more: Further fields of `Metric`.

    Returns:
        The metric.
    """

    def compute(book: Book, question: Question) -> Result:
        missing = lacking(book, metric)
        if missing is not None:
            return empty_result(metric, question, [None], missing)
        return ratio(book, question, metric)

    metric = Metric(
        name, label, formula, unit, better, (*ratio.facts.needs, *needs), compute, family,
        ratio=ratio, **more,
    )  # fmt: skip
    return declare(metric)


def compute_ratios(
    book: Book, ratios: Mapping[Metric, Ratio], question: Question
) -> dict[str, Result]:
    """Answer one question for several ratios, with one query for those on the same facts.

    Args:
        book: The company's tables.
        ratios: The ratios by their metric.
        question: What is asked.

    Returns:
        The results by metric name.
    """
    # A metric made of others asks again for what a report has asked already.
    known: dict[tuple[str, Question], Result] = book.once("ratios", dict)
    fresh = {
        metric: ratio for metric, ratio in ratios.items() if (metric.name, question) not in known
    }
    for name, result in _computed(book, fresh, question).items():
        known[name, question] = result
    return {metric.name: known[metric.name, question] for metric in ratios}


def _computed(given: Book, ratios: Mapping[Metric, Ratio], question: Question) -> dict[str, Result]:
    results: dict[str, Result] = {}
    by_facts: dict[str, list[Metric]] = {}
    for metric, ratio in ratios.items():
        by_facts.setdefault(ratio.facts.name, []).append(metric)
    for group in by_facts.values():
        chosen = {metric: ratios[metric] for metric in group}
        facts = chosen[group[0]].facts
        book = facts.held(given)
        rows = facts.rows(book, question)
        if facts.clock in rows.columns:
            periods: Sequence[Period | None] = question.periods(book)
        elif question.start or question.end or question.grain:
            reason = msg("The rows of this metric have no date: ask without a period.")
            results.update({m.name: empty_result(m, question, [None], reason) for m in chosen})
            continue
        else:
            periods = [None]
        sums = _sums(book, rows, chosen, question, periods)
        for metric, ratio in chosen.items():
            figures = _figures(book, metric, ratio, question, periods, sums)
            of_orders = any(need.partition(".")[0] == "orders" for need in ratio.facts.needs)
            missing = scope.amounts_note(book) if _of_amounts(metric) and of_orders else None
            notes = () if missing is None else (missing,)
            results[metric.name] = Result(metric, figures, question.by, notes)
    return results


NEEDS: dict[str, Message] = {
    "orders": msg("orders"),
    "orders.customer_id": msg("orders with their customer"),
    "subscriptions.started_at": msg("subscriptions with their first day"),
    "subscriptions.monthly_amount": msg("price of subscriptions"),
    "responses": msg("survey answers"),
    "responses.comment": msg("comments"),
    "interactions": msg("contacts with customer service"),
    "events": msg("visits"),
}
"""What metrics need, in words."""


def lacking(book: Book, metric: Metric) -> Message | None:
    """What a book lacks for a metric, or None."""
    absent: list[Message] = []
    for need in metric.needs:
        table, _, column = need.partition(".")
        if not book.has(table, *([column] if column else [])):
            absent.append(NEEDS.get(need) or msg("column {name}", name=need))
    if not absent:
        return None
    return msg("The data hold no {missing}.", missing=absent)


def empty_result(
    metric: Metric, question: Question, periods: Sequence[Period | None], reason: Message
) -> Result:
    """A result without values, for a reason that holds for all periods."""
    figures = tuple(Figure(period, False, None, reason=reason) for period in periods)
    return Result(metric, figures, question.by)


Key = tuple[dt.date, tuple[Any, ...]]
"""A start of a period, and the values of the columns of `by`."""


def groups_of(keys: Iterable[Key], question: Question) -> list[tuple[Any, ...]]:
    """The groups that there are, in their order; without `by`, the one of everybody."""
    groups = sorted({group for _, group in keys}, key=sort_key)
    return groups or ([] if question.by else [()])


UNDATED = dt.date(1, 1, 1)
"""Stands for the start of the period of rows without dates."""


_ALL_EQUAL = msg("Not enough data for an interval: all values are equal.")

_SPREAD = ("squares", "others", "products", "drawn")


def _sums(
    book: Book,
    rows: ir.Table,
    ratios: Mapping[Metric, Ratio],
    question: Question,
    periods: Sequence[Period | None],
) -> dict[Key, dict[str, Any]]:
    facts = next(iter(ratios.values())).facts
    dated = [period for period in periods if period is not None]
    if dated:
        table = scope.in_periods(rows, facts.clock, question, dated, book)
    else:
        table = rows.mutate(**{scope.PERIOD: ibis.literal(0)})
    if facts.prepare is not None:
        table = facts.prepare(table, question.by)
    sums: dict[str, ir.NumericScalar] = {}
    for metric, ratio in ratios.items():
        sums[f"{metric.name}__numerator"] = ratio.numerator(table)
        if ratio.denominator is not None:
            sums[f"{metric.name}__denominator"] = ratio.denominator(table)
        if isinstance(ratio.interval, Spread):
            for field_ in _SPREAD:
                total = getattr(ratio.interval, field_)
                if total is not None:
                    sums[f"{metric.name}__{field_}"] = total(table)
        for name, part in ratio.parts.items():
            sums[f"{metric.name}__part_{name}"] = part(table)
    found = book.rows(table.group_by([scope.PERIOD, *question.by]).aggregate(**sums))
    return {
        (
            scope.period_at(row[scope.PERIOD], question, dated, book) if dated else UNDATED,
            tuple(row[name] for name in question.by),
        ): row
        for row in found
    }


def _of_amounts(metric: Metric) -> bool:
    return metric.unit is Unit.MONEY or metric.family == "value"


def _figures(
    book: Book,
    metric: Metric,
    ratio: Ratio,
    question: Question,
    periods: Sequence[Period | None],
    sums: dict[Key, dict[str, Any]],
) -> tuple[Figure, ...]:
    groups = groups_of(sums, question)
    reason = scope.money_reason(book, question) if _of_amounts(metric) else None
    if ratio.against is not None:
        reason = reason or ratio.against(book)
    note = ratio.note
    if ratio.remark is not None and reason is None:
        note = note or ratio.remark(book)
    figures = []
    for period in periods:
        uncovered = scope.uncovered_reason(book, period)
        for group in groups:
            row = sums.get((period.start if period else UNDATED, group), {})
            figure = (
                _figure(metric, ratio, row)
                if reason is None and uncovered is None
                else Figure(None, False, None, reason=uncovered or reason)
            )
            figures.append(
                replace(
                    figure,
                    period=period,
                    complete=period is None or period.complete(book.as_of),
                    by=dict(zip(question.by, group, strict=True)),
                    note=figure.note or note,
                )
            )
    return tuple(figures)


def _figure(metric: Metric, ratio: Ratio, row: Mapping[str, Any]) -> Figure:
    """One figure from its sums; absent sums mean that no row fell into the period."""
    numerator = number(row.get(f"{metric.name}__numerator")) or 0.0
    parts = {name: number(row.get(f"{metric.name}__part_{name}")) or 0.0 for name in ratio.parts}
    if (
        ratio.denominator is None
        and not ratio.adds_up
        and row.get(f"{metric.name}__numerator") is None
    ):
        return Figure(None, True, None, reason=msg("Nothing of the kind happened in the period."))
    if ratio.denominator is None:
        if ratio.doubt is not None and (reason := ratio.doubt(numerator, parts)) is not None:
            return Figure(None, True, None, parts=parts, reason=reason)
        low, high = (None, None)
        if ratio.interval == "poisson":
            low, high = poisson_interval(int(numerator))
        return Figure(None, True, numerator, numerator, None, low, high, parts=parts)
    denominator = number(row.get(f"{metric.name}__denominator")) or 0.0
    if denominator < ratio.minimum:
        return Figure(
            None,
            True,
            None,
            numerator,
            denominator,
            parts=parts,
            reason=msg(
                "Not enough data: {n} where at least {minimum} is needed.",
                n=denominator,
                minimum=ratio.minimum,
            ),
        )
    scale = 100.0 if metric.unit is Unit.POINTS else 1.0
    value = scale * numerator / denominator
    if ratio.doubt is not None and (reason := ratio.doubt(value, parts)) is not None:
        return Figure(None, True, None, numerator, denominator, parts=parts, reason=reason)
    low, high = _interval(metric, ratio, numerator, denominator, row, parts)
    # Rounding leaves a hair between the ends where all values are equal.
    width = None if low is None or high is None else high - low
    note = None
    if isinstance(ratio.interval, Spread) and width is not None and width <= 1e-6 * abs(value):
        low, high, note = None, None, _ALL_EQUAL
    return Figure(None, True, value, numerator, denominator, low, high, parts=parts, note=note)


def _interval(
    metric: Metric,
    ratio: Ratio,
    numerator: float,
    denominator: float,
    row: Mapping[str, Any],
    parts: Mapping[str, float],
) -> tuple[float | None, float | None]:
    match ratio.interval:
        case "wilson":
            return wilson(numerator, denominator)
        case "nps":
            return nps_interval(parts["promoters"], parts["passives"], parts["detractors"])
        case Spread() as spread:
            sums = {name: number(row.get(f"{metric.name}__{name}")) for name in _SPREAD}
            return _spread_interval(spread, numerator, denominator, sums)
    return None, None


def _spread_interval(
    spread: Spread, numerator: float, denominator: float, sums: Mapping[str, float | None]
) -> Interval | tuple[None, None]:
    drawn = int(denominator if spread.drawn is None else sums["drawn"] or 0)
    if drawn < 2:
        return None, None
    squares = sums["squares"] or 0.0
    if spread.products is None:
        low, high = mean_interval(
            numerator, squares, drawn, floor=spread.floor, counts=spread.counts
        )
    else:
        low, high = ratio_interval(
            numerator,
            denominator,
            numerator_squares=squares,
            denominator_squares=sums["others"] or 0.0,
            products=sums["products"] or 0.0,
            n=drawn,
            floor=spread.floor,
        )
    return low, high if spread.ceiling is None else min(high, spread.ceiling)


def number(value: Any) -> float | None:
    """A figure of an engine (Decimal, integer, float) as a float; NaN and null as None."""
    if value is None:
        return None
    figure = float(value)
    return None if math.isnan(figure) else figure


def sort_key(group: tuple[Any, ...]) -> tuple[tuple[bool, str, Any], ...]:
    """Order groups by their values: numbers and dates as such, texts by letters, nulls last."""
    return tuple(
        (value is None, type(value).__name__, "" if value is None else value) for value in group
    )
