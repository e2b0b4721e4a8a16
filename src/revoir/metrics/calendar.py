"""Calendar periods as Ibis expressions: the same arithmetic as `revoir.periods`, on the engine."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir

from revoir.periods import Grain
from revoir.purchases import MONTH_OF

_UNITS = {Grain.DAY: "D", Grain.WEEK: "W", Grain.MONTH: "M", Grain.QUARTER: "Q", Grain.YEAR: "Y"}


def period_of(day: ir.DateValue, grain: Grain, fiscal_year_start_month: int = 1) -> ir.DateValue:
    """The first day of the period that holds each day.

    Args:
        day: Days.
        grain: Length of the periods.
        fiscal_year_start_month: Month (1–12) that years and quarters begin with.

    Returns:
        Days of the same length, as `revoir.periods.start_of` gives them.
    """
    if grain is Grain.DAY:
        return day
    # DuckDB truncates a day to a moment while Ibis takes it for a day: hence moments in between.
    moment = day.cast("timestamp")
    months = fiscal_year_start_month - 1
    if months and grain in (Grain.QUARTER, Grain.YEAR):
        shift = ibis.interval(months=months)
        return ((moment - shift).truncate(_UNITS[grain]) + shift).cast("date")
    return moment.truncate(_UNITS[grain]).cast("date")


STEPS = {Grain.DAY: 1, Grain.WEEK: 7, Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}
"""By how much the ordinals of neighbouring periods differ."""


def ordinal(day: ir.DateValue, grain: Grain, fiscal_year_start_month: int = 1) -> ir.IntegerValue:
    """The number of the period that holds each day, for grouping: numbers group faster than days.

    Args:
        day: Days.
        grain: Length of the periods.
        fiscal_year_start_month: Month (1–12) that years and quarters begin with.

    Returns:
        Numbers, which `revoir.periods.start_at` turns into days and `STEPS` apart.
    """
    if grain in (Grain.DAY, Grain.WEEK):
        days = day.delta(ibis.date("1970-01-01"), unit="day")
        # 1970-01-01 was a Thursday; the remainder is taken of a positive number.
        return days if grain is Grain.DAY else days - (days + 3 + 7 * 200_000) % 7
    return _of_month(day.year() * 12 + day.month() - 1, grain, fiscal_year_start_month)


def ordinal_of(
    purchases: ir.Table, name: str, grain: Grain, fiscal_year_start_month: int = 1
) -> ir.IntegerValue:
    """The `ordinal` of a column of `Book.purchases`, which may hold its months already.

    Args:
        purchases: The purchases.
        name: A column of days.
        grain: Length of the periods.
        fiscal_year_start_month: Month (1–12) that years and quarters begin with.

    Returns:
        Numbers, as `ordinal` gives them.
    """
    month = MONTH_OF.format(name)
    if month not in purchases.columns or grain in (Grain.DAY, Grain.WEEK):
        return ordinal(purchases[name], grain, fiscal_year_start_month)
    return _of_month(purchases[month], grain, fiscal_year_start_month)


def _of_month(
    months: ir.IntegerValue, grain: Grain, fiscal_year_start_month: int
) -> ir.IntegerValue:
    if grain is Grain.MONTH:
        return months
    months = months - (fiscal_year_start_month - 1)
    return months - months % STEPS[grain]


def days_later(day: ir.DateValue, days: int) -> ir.DateValue:
    """The day that lies `days` after each day."""
    return (day.cast("timestamp") + ibis.interval(days=days)).cast("date")


def date(day: dt.date) -> ir.DateScalar:
    """A literal day."""
    return ibis.date(day.isoformat())
