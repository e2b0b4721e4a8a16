"""Calendar periods as Ibis expressions: the same arithmetic as `revoir.periods`, on the engine."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir

from revoir.periods import Grain

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


def days_later(day: ir.DateValue, days: int) -> ir.DateValue:
    """The day that lies `days` after each day."""
    return (day.cast("timestamp") + ibis.interval(days=days)).cast("date")


def date(day: dt.date) -> ir.DateScalar:
    """A literal day."""
    return ibis.date(day.isoformat())
