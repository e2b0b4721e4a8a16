"""Sums over spans of days before and after each row of the same customer, on any engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from revoir.metrics.calendar import date, ordinal
from revoir.periods import Grain

NUMBER = "day__number"
"""The column that numbers days, which spans are counted on."""


def numbered(rows: ir.Table, day: str) -> ir.Table:
    """Number the days of rows, so that spans can be taken around them."""
    return rows.mutate(**{NUMBER: ordinal(rows[day], Grain.DAY)})


def span(low: int | None, high: int | None) -> Any:
    """The rows of the same customer that lie from `low` to `high` days after each row.

    Args:
        low: The nearest or, below zero, the furthest day before (None: however far before).
        high: The last day (None: however far after).

    Returns:
        A window over rows of `numbered`; rows of one day lie in it together.
    """
    ends: dict[str, Any]
    if high is not None and high < 0:
        ends = {"preceding": (None if low is None else -low, -high)}
    elif low is not None and low > 0:
        ends = {"following": (low, high)}
    else:
        ends = {"preceding": None if low is None else -low, "following": high}
    return ibis.range_window(group_by="customer_id", order_by=NUMBER, **ends)


def two_spans(
    value: ir.NumericColumn, days: int, after: int
) -> tuple[ir.NumericValue, ir.NumericValue]:
    """The sums of a value over a span of days and over the one before it.

    Args:
        value: A column of rows of `numbered`.
        days: How long each span is.
        after: The first ends so many days after each row.

    Returns:
        The sum over the later span and over the earlier one; 0 where there is no row.
    """
    recent = value.sum().over(span(after - days + 1, after))
    before = value.sum().over(span(after - 2 * days + 1, after - days))
    return recent.fill_null(0), before.fill_null(0)


def fallen(recent: ir.NumericValue, before: ir.NumericValue, share: float) -> ir.BooleanValue:
    """Whether a sum has fallen by a share or more; a hair is left for what floats cannot write."""
    level = before.cast("float64")
    return (level > 0) & (recent.cast("float64") <= level * (1 - share + 1e-9))


def later(day: ir.DateValue, days: ir.IntegerValue | int) -> ir.DateValue:
    """The day that lies so many days after each day."""
    step = ibis.interval(days=days) if isinstance(days, int) else days.as_interval("D")
    return (day.cast("timestamp") + step).cast("date")


def learned(
    day: ir.DateValue, steps: Sequence[tuple[dt.date, float | ir.NumericValue]]
) -> ir.NumericValue:
    """What was known on each day of a figure that is learned anew from time to time.

    Args:
        day: Days.
        steps: Since when each value holds, oldest first; one or more.

    Returns:
        The value in force on each day; before the first, that one.
    """
    (_, first), *others = steps
    if not others:
        return first if isinstance(first, ir.Value) else ibis.literal(first)
    branches = [(day >= date(since), value) for since, value in reversed(others)]
    return ibis.cases(*branches, else_=first)


def once_known(day: ir.DateValue, steps: Sequence[tuple[dt.date, Any]]) -> ir.DateValue:
    """Days, put off until the first value was learned."""
    return ibis.greatest(day, date(steps[0][0]))
