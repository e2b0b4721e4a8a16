"""Subscriptions: recurring revenue, and what is kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.experiments.intervals import wilson
from revoir.language import Message, msg, nmsg
from revoir.metrics import scope
from revoir.metrics.boundaries import START, UNTIL, follow
from revoir.metrics.calendar import date
from revoir.metrics.contracts import as_stays, going_over
from revoir.metrics.evaluate import Key, empty_result, groups_of, lacking
from revoir.metrics.observed import not_observed
from revoir.metrics.registry import Metric, Question, Unit, declare
from revoir.metrics.result import Figure, Result
from revoir.periods import Period, add_months

NEEDS = ("subscriptions.started_at", "subscriptions.monthly_amount")


@dataclass(frozen=True)
class Movement:
    """Monthly recurring revenue (MRR) of a period, by what became of it; every part is ≥ 0.

    A free subscription, such as a trial, brings in nothing: who begins to pay is new revenue, not
    more of the old.

    Attributes:
        start: At the start.
        new: Of customers who never paid before.
        reactivation: Of customers who paid nothing at the start and once had.
        expansion: More from customers who paid at both ends.
        contraction: Less from customers who paid at both ends.
        churned: Of customers who pay nothing at the end.
        stayed: Customers with a subscription at both ends, free ones too.
        present: Customers with a subscription at the start, free ones too.
    """

    start: float = 0.0
    new: float = 0.0
    reactivation: float = 0.0
    expansion: float = 0.0
    contraction: float = 0.0
    churned: float = 0.0
    stayed: float = 0.0
    present: float = 0.0

    @property
    def end(self) -> float:
        """MRR at the end."""
        gained = self.new + self.reactivation + self.expansion
        return self.start + gained - self.contraction - self.churned

    @property
    def parts(self) -> dict[str, float]:
        """The movement by name."""
        amounts = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name not in ("stayed", "present")
        }
        return {**amounts, "end": self.end}


def movements(book: Book, question: Question, periods: Sequence[Period]) -> dict[Key, Movement]:
    """Follow the MRR of every customer through the periods.

    Args:
        book: The company's tables.
        question: What is asked.
        periods: Its periods, each beginning where the one before it ends.

    Returns:
        The movements by start of period and group.
    """
    held = _held(book, question)
    # What a customer pays is null without a subscription, and 0 for one that is free or has no
    # price in the data: its customer is there all the same.
    found = follow(
        book, question, periods, lambda start: held,
        lambda held, holds: held.stay__monthly.sum(where=holds), _movement, first=_first_paid,
    )  # fmt: skip
    return {key: Movement(**amounts) for key, amounts in found.items()}


def _first_paid(held: ir.Table) -> ir.DateScalar:
    """The day from which a customer has paid for a subscription (null: they never did)."""
    return held[START].min(where=held.stay__monthly > 0)


def _held(book: Book, question: Question) -> ir.Table:
    """Subscriptions with their ends as stays, and `stay__monthly`."""
    held = as_stays(book, scope.facts(book, "subscriptions", question))
    return held.mutate(stay__monthly=held.monthly_amount.cast("float64").fill_null(0.0))


def _unpriced(book: Book, question: Question, periods: Sequence[Period]) -> Message | None:
    """How many of the subscriptions that run in the periods have no price."""
    held = _held(book, question)
    runs = (held[START] < date(periods[-1].end)) & (held[UNTIL] >= date(periods[0].start))
    missing = held.filter(runs & held.monthly_amount.isnull())
    n = int(book.rows(missing.count().name("n").as_table())[0]["n"])
    if not n:
        return None
    return nmsg(
        "{n} subscription has no price: its customer counts, its amount does not.",
        "{n} subscriptions have no price: their customers count, their amounts do not.",
        n,
    )


def _movement(
    before: ir.NumericValue, after: ir.NumericValue, is_new: ir.BooleanValue
) -> dict[str, ir.NumericScalar]:
    was, now = before.fill_null(0.0), after.fill_null(0.0)
    paid, pays = was > 0, now > 0
    return {
        "start": was.sum(),
        "new": now.sum(where=~paid & pays & is_new),
        "reactivation": now.sum(where=~paid & pays & ~is_new),
        "expansion": (now - was).sum(where=paid & (now > was)),
        "contraction": (was - now).sum(where=pays & (now < was)),
        "churned": was.sum(where=paid & ~pays),
        "stayed": (before.notnull() & after.notnull()).sum(),
        "present": before.notnull().sum(),
    }


def subscribers(book: Book, question: Question, name: str) -> ir.Table:
    """What a figure of one period adds up: subscriptions, or customers by what became of them.

    Args:
        book: The company's tables.
        question: What is asked, of one period.
        name: A metric of this family.

    Returns:
        For `mrr` the subscriptions that run at the end of the period. For the others `customer_id`,
        the columns of `by`, `became`, and what they pay a month at both ends: of those who make an
        amount, or who were there at the start for a rate.
    """
    period = _periods(book, question)[0]
    held = _held(book, question)
    was_there, is_there = (
        (held[START] < date(day)) & (held[UNTIL] >= date(day))
        for day in (period.start, min(period.end, scope.covered_end(book)))
    )
    if name == "mrr":
        return held.filter(is_there).drop(START, UNTIL, "stay__monthly")
    keys = list(dict.fromkeys(["customer_id", *question.by]))
    people = held.group_by(keys).aggregate(
        stay__first=_first_paid(held),
        at_start=held.stay__monthly.sum(where=was_there),
        at_end=held.stay__monthly.sum(where=is_there),
    )
    was, now = people.at_start.fill_null(0.0), people.at_end.fill_null(0.0)
    # Subscribers are lost with their subscription; revenue, with the last payment.
    if name == "logo_churn_rate":
        lost = people.at_start.notnull() & people.at_end.isnull()
    else:
        lost = (was > 0) & (now <= 0)
    begins = (was <= 0) & (now > 0)
    became = ibis.cases(
        (lost, "churned"),
        (begins & (people.stay__first >= date(period.start)), "new"),
        (begins, "reactivation"),
        (now > was, "expansion"),
        (now < was, "contraction"),
        else_="kept",
    )
    told = people.mutate(became=became)
    if name in _AMOUNTS:
        chosen = told.became == _AMOUNTS[name]
    else:
        chosen = told.at_start.notnull() if name == "logo_churn_rate" else told.at_start > 0
    return told.filter(chosen).select(*keys, "became", "at_start", "at_end")


def _periods(book: Book, question: Question) -> list[Period]:
    """Without dates, the last twelve months: at the very start of the data there is no MRR."""
    if question.start is not None or question.grain is not None:
        return question.periods(book)
    end = question.end or scope.covered_end(book)
    return [Period(add_months(end, -12), end)]


def _answer(book: Book, question: Question, metric: Metric) -> Result:
    missing = lacking(book, metric)
    if missing is not None:
        return empty_result(metric, question, [None], missing)
    mixed = scope.money_reason(book, question, "subscriptions")
    if mixed is not None and metric.name != "logo_churn_rate":
        return empty_result(metric, question, [None], mixed)
    periods = _periods(book, question)
    # Nine metrics are read off the same movements.
    found = book.once(f"movements {question}", lambda: movements(book, question, periods))
    groups = groups_of(found, question)
    figures = []
    for period in periods:
        for group in groups:
            movement = found.get((period.start, group), Movement())
            by = dict(zip(question.by, group, strict=True))
            # What runs at the end of a period is known; what ended within it may not be.
            known = period.end if metric.name == "mrr" else period.start
            if uncovered := scope.uncovered_reason(book, period) or not_observed(book, known):
                figures.append(Figure(period, False, None, by=by, reason=uncovered))
                continue
            figures.append(_figure(metric, period, period.complete(book.as_of), movement, by))
    notes = [going_over(book, question)]
    if metric.name != "logo_churn_rate":
        notes.append(book.once(f"unpriced {question}", lambda: _unpriced(book, question, periods)))
    return Result(metric, tuple(figures), question.by, tuple(note for note in notes if note))


def _figure(
    metric: Metric, period: Period, complete: bool, movement: Movement, by: dict[str, Any]
) -> Figure:
    parts = movement.parts
    if metric.name in _AMOUNTS:
        value = parts[_AMOUNTS[metric.name]]
        return Figure(period, complete, value, value, None, by=by, parts=parts)
    if metric.name == "logo_churn_rate":
        return _logo_churn(period, complete, movement, by)
    kept = movement.start - movement.contraction - movement.churned
    if metric.name == "net_revenue_retention":
        kept += movement.expansion
    if not movement.start:
        reason = msg("There was no recurring revenue at the start of the period.")
        return Figure(period, complete, None, kept, 0.0, by=by, parts=parts, reason=reason)
    return Figure(period, complete, kept / movement.start, kept, movement.start, by=by, parts=parts)


def _logo_churn(period: Period, complete: bool, movement: Movement, by: dict[str, Any]) -> Figure:
    lost, present = movement.present - movement.stayed, movement.present
    if not present:
        reason = msg("Nobody subscribed at the start of the period.")
        return Figure(period, complete, None, lost, 0.0, by=by, reason=reason)
    low, high = wilson(lost, present)
    return Figure(period, complete, lost / present, lost, present, low, high, by=by)


_AMOUNTS = {
    "mrr": "end",
    "mrr_new": "new",
    "mrr_reactivation": "reactivation",
    "mrr_expansion": "expansion",
    "mrr_contraction": "contraction",
    "mrr_churned": "churned",
}


def _declare(
    name: str, label: Message, formula: Message, unit: Unit, better: str, **more: Any
) -> None:
    metric = Metric(
        name=name,
        label=label,
        formula=formula,
        unit=unit,
        better=better,
        needs=NEEDS,
        compute=lambda book, question: _answer(book, question, metric),
        family="subscriptions",
        **more,
    )
    declare(metric)


_declare(
    "mrr",
    msg("Monthly recurring revenue"),
    msg("Monthly price of the subscriptions that run at the end of the period."),
    Unit.MONEY,
    "higher",
    aliases=("monthly_recurring_revenue", "revenu_mensuel_recurrent"),
)
_declare(
    "mrr_new",
    msg("MRR of new customers"),
    msg("MRR at the end of customers who never paid for a subscription before the period."),
    Unit.MONEY,
    "higher",
)
_declare(
    "mrr_reactivation",
    msg("MRR won back"),
    msg("MRR at the end of customers who paid nothing at the start and once had."),
    Unit.MONEY,
    "higher",
)
_declare(
    "mrr_expansion",
    msg("MRR expansion"),
    msg("MRR added by customers who pay at both ends."),
    Unit.MONEY,
    "higher",
)
_declare(
    "mrr_contraction",
    msg("MRR contraction"),
    msg("MRR taken away by customers who pay at both ends."),
    Unit.MONEY,
    "lower",
)
_declare(
    "mrr_churned",
    msg("MRR lost"),
    msg("MRR at the start of customers who pay nothing at the end."),
    Unit.MONEY,
    "lower",
    aliases=("mrr_churn",),
)
_declare(
    "gross_revenue_retention",
    msg("Gross revenue retention"),
    msg("(MRR at the start − contraction − lost) ÷ MRR at the start."),
    Unit.SHARE,
    "higher",
    aliases=("grr",),
    benchmarks=("gross_revenue_retention",),
)
_declare(
    "net_revenue_retention",
    msg("Net revenue retention"),
    msg("(MRR at the start + expansion − contraction − lost) ÷ MRR at the start."),
    Unit.SHARE,
    "higher",
    aliases=("nrr", "ndr"),
    exceeds=True,
    benchmarks=("net_revenue_retention",),
)
_declare(
    "logo_churn_rate",
    msg("Subscribers lost"),
    msg("Customers with a subscription at the start and none at the end ÷ those at the start."),
    Unit.SHARE,
    "lower",
    aliases=("logo_churn", "subscriber_churn"),
    benchmarks=("churn_rate",),
)
