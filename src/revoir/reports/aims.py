"""Which goal a figure is held against: one for periods of its own length."""

from __future__ import annotations

from revoir.book import Book
from revoir.goals import OVER, Aim
from revoir.language import Message, nmsg
from revoir.metrics.registry import Metric
from revoir.periods import Period
from revoir.reports.frame import Frame
from revoir.reports.wording import length_of, months_of

YEAR_METRICS = ("repurchase_rate", "purchase_frequency", "revenue_per_customer", "clv_simple")
"""Measured over twelve months: a shorter period says little of how often people come back."""


def of_years(metric: Metric) -> bool:
    """Whether a metric says little of a shorter time than a year."""
    return metric.name in YEAR_METRICS or metric.family == "satisfaction"


def headline_period(metric: Metric, frame: Frame | None) -> Period | None:
    """A period as long as the headline figure's, whichever periods somebody looks at.

    Args:
        metric: The metric.
        frame: The periods of the report (None: there is no whole one).
    """
    if frame is None:
        return None
    if metric.name == "retention_rate":
        return frame.stay
    return frame.years[-1] if of_years(metric) else frame.usual


def aims_for(book: Book, metric: Metric, period: Period | None) -> tuple[Aim, ...]:
    """The goals that were set for a period, else the metric's own."""
    found = book.settings.goals_of(metric.name, period)
    if found or (metric.goal is None and metric.goal_growth is None):
        return found
    growth = metric.goal_growth
    return (Aim(metric.goal or 0.0) if growth is None else Aim(growth, growth=True),)


def fits(aim: Aim, period: Period | None, headline: Period | None) -> bool:
    """Whether a goal is for periods as long as this one; a state has no length.

    Args:
        aim: The goal.
        period: What a figure covers.
        headline: A period as long as the headline figure's.
    """
    if period is None or (aim.length is None and headline is None):
        return True
    if aim.length is not None or headline is None:
        return length_of(period) == aim.length
    return _measure(period) == _measure(headline)


def over(aim: Aim, headline: Period | None) -> Message | None:
    """How long a period a goal is for, in words (None: nothing has a length)."""
    if aim.length is not None:
        return OVER[aim.length]
    if headline is None:
        return None
    length, n = _measure(headline)
    if length == "months":
        return nmsg("over {n} month", "over {n} months", n)
    return OVER[length] if length in OVER else nmsg("over {n} day", "over {n} days", n)


def _measure(period: Period) -> tuple[str, int]:
    """A length that two periods share, though months differ in days."""
    if length := length_of(period):
        return length, 1
    months = months_of(period)
    return ("months", months) if months else ("days", period.days)
