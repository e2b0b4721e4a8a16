"""How reports name periods, units and figures."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from revoir.language import Calendar, Message, Number, msg, nmsg
from revoir.periods import Grain, Period, add_months, start_of

ONE_DAY = dt.timedelta(days=1)


def grain_of(period: Period) -> Grain | None:
    """The grain that a period is one of, whatever month the year begins with.

    Examples:
        >>> grain_of(Period(dt.date(2024, 4, 1), dt.date(2024, 7, 1)))
        <Grain.QUARTER: 'quarter'>
    """
    start, end = period.start, period.end
    if end == start + ONE_DAY:
        return Grain.DAY
    if end == start + 7 * ONE_DAY and start.weekday() == 0:
        return Grain.WEEK
    for months, grain in ((1, Grain.MONTH), (3, Grain.QUARTER), (12, Grain.YEAR)):
        if start.day == 1 and end == add_months(start, months):
            return grain
    return None


def named(period: Period) -> Message:
    """The name of a period: “March 2024”, “1st quarter 2024”, “1 Jan 2024 to 15 Mar 2024”."""
    last = period.end - ONE_DAY
    match grain_of(period):
        case Grain.DAY:
            return msg("{name}", name=period.start)
        case Grain.MONTH:
            return msg("{name}", name=Calendar(period.start, "MMMM y"))
        case Grain.QUARTER if start_of(period.start, Grain.QUARTER) == period.start:
            return msg("{name}", name=Calendar(period.start, "QQQQ y"))
        case Grain.YEAR if period.start.month == 1:
            return msg("{name}", name=Calendar(period.start, "y"))
    months = months_of(period)
    if months is not None:
        return msg("{n} months to {last}", n=months, last=last)
    return msg("{start} to {end}", start=period.start, end=last)


def short(period: Period | None) -> Message:
    """The name of a period on an axis or in a narrow column: “Mar 2024”, “Q1 2024”."""
    if period is None:
        return msg("all of the data")
    match grain_of(period):
        case Grain.DAY | Grain.WEEK:
            return msg("{name}", name=period.start)
        case Grain.MONTH:
            return msg("{name}", name=Calendar(period.start, "MMM y"))
        case Grain.QUARTER if start_of(period.start, Grain.QUARTER) == period.start:
            return msg("{name}", name=Calendar(period.start, "QQQ y"))
        case Grain.QUARTER:
            return msg("{name}", name=Calendar(period.start, "MMM y"))
        case Grain.YEAR if period.start.month == 1:
            return msg("{name}", name=Calendar(period.start, "y"))
    return named(period)


def during(period: Period) -> Message:
    """When, inside a sentence: “in March 2024”, “over the 12 months to 29 Feb 2024”."""
    last = period.end - ONE_DAY
    match grain_of(period):
        case Grain.DAY:
            return msg("on {day}", day=period.start)
        case Grain.WEEK:
            return msg("in the week of {day}", day=period.start)
        case Grain.MONTH:
            return msg("in {month}", month=Calendar(period.start, "MMMM y"))
        case Grain.QUARTER if start_of(period.start, Grain.QUARTER) == period.start:
            return msg("in the {quarter}", quarter=Calendar(period.start, "QQQQ y"))
        case Grain.YEAR if period.start.month == 1:
            return msg("in {year}", year=Calendar(period.start, "y"))
    months = months_of(period)
    if months is not None:
        return msg("over the {n} months to {last}", n=months, last=last)
    return msg("from {start} to {end}", start=period.start, end=last)


def against(period: Period) -> Message:
    """What a figure is compared with: “against the 1st quarter 2024”, “against March 2024”."""
    last = period.end - ONE_DAY
    match grain_of(period):
        case Grain.DAY:
            return msg("against {day}", day=period.start)
        case Grain.WEEK:
            return msg("against the week of {day}", day=period.start)
        case Grain.MONTH:
            return msg("against {month}", month=Calendar(period.start, "MMMM y"))
        case Grain.QUARTER if start_of(period.start, Grain.QUARTER) == period.start:
            return msg("against the {quarter}", quarter=Calendar(period.start, "QQQQ y"))
        case Grain.YEAR if period.start.month == 1:
            return msg("against {year}", year=Calendar(period.start, "y"))
    months = months_of(period)
    if months is not None:
        return msg("against the {n} months to {last}", n=months, last=last)
    return msg("against {start} to {end}", start=period.start, end=last)


def between(first: Period, last: Period) -> Message:
    """A stretch of periods that opens a sentence: “Between May 2023 and March 2024”."""
    match grain_of(first):
        case Grain.WEEK:
            return msg(
                "Between the week of {first} and the week of {last}",
                first=first.start,
                last=last.start,
            )
        case Grain.MONTH:
            return _stretch(msg("Between {first} and {last}"), first, last, "MMMM y")
        case Grain.QUARTER if start_of(first.start, Grain.QUARTER) == first.start:
            return _stretch(msg("Between the {first} and the {last}"), first, last, "QQQQ y")
        case Grain.YEAR if first.start.month == 1:
            return _stretch(msg("Between {first} and {last}"), first, last, "y")
    return msg("Between {first} and {last}", first=first.start, last=last.end - ONE_DAY)


def _stretch(template: Message, first: Period, last: Period, pattern: str) -> Message:
    ends = {"first": Calendar(first.start, pattern), "last": Calendar(last.start, pattern)}
    return Message(template.msgid, ends)


def apart(value: float, base: float, digits: int = 1, *, of: int = 1) -> float:
    """How far two figures are from each other as they are shown, so that readers can add it up.

    Args:
        value: A figure.
        base: What it is compared with.
        digits: With how many decimals both are shown.
        of: What one of them is shown as, such as 100 for a fraction in percent.

    Examples:
        >>> apart(0.36982, 0.39443, of=100)
        -2.4
    """
    shown = (Decimal(str(held)) * of for held in (value, base))
    # As Babel rounds them. A zero has no sign.
    now, before = (held.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN) for held in shown)
    return float(now - before) + 0.0


def in_points(value: float, base: float, *, of: int = 100, signed: bool = False) -> Message:
    """A difference in points, with or without its sign.

    Args:
        value: A fraction.
        base: The fraction that it is compared with.
        of: What one of them is shown as: 100, or 1 for figures that are points already.
        signed: Whether a plus or minus sign is written.
    """
    size = apart(value, base, of=of)
    size = size if signed else abs(size)
    # French takes the singular below two.
    return nmsg(
        "{points} points",
        "{points} points",
        int(abs(size)),
        points=Number(size, 1, signed=signed),
    )


def months_of(period: Period) -> int | None:
    """How many whole calendar months a period has, or None."""
    if period.start.day != 1 or period.end.day != 1:
        return None
    years, months = period.end.year - period.start.year, period.end.month - period.start.month
    return 12 * years + months


def length_of(period: Period) -> str | None:
    """The length of a period as benchmarks name it: year, quarter, month, or None."""
    if 365 <= period.days <= 366:
        return "year"
    grain = grain_of(period)
    return grain.value if grain else None


COLUMN_NAMES: dict[str, Message] = {
    "age": msg("age"),
    "age_band": msg("age band"),
    "category": msg("category"),
    "channel": msg("channel"),
    "city": msg("town"),
    "cohort": msg("month of the first purchase"),
    "company": msg("company"),
    "country": msg("country"),
    "currency": msg("currency"),
    "first_amount": msg("amount of the first purchase"),
    "first_channel": msg("channel of the first purchase"),
    "first_store": msg("store of the first purchase"),
    "gender": msg("gender"),
    "plan": msg("plan"),
    "postcode": msg("postcode"),
    "product": msg("product"),
    "region": msg("region"),
    "segment": msg("segment"),
}
"""What people call the columns that figures are broken down by; others keep their own name."""

GRAINS: dict[Grain, Message] = {
    Grain.DAY: msg("day"),
    Grain.WEEK: msg("week"),
    Grain.MONTH: msg("month"),
    Grain.QUARTER: msg("quarter"),
    Grain.YEAR: msg("year"),
}
"""What people call the grains."""


def age(grain: Grain, count: int) -> Message:
    """An age on a cohort grid's axis: “M+3”, “Q+2”."""
    letters: dict[Grain, Any] = {
        Grain.DAY: msg("D+{n}", n=count),
        Grain.WEEK: msg("W+{n}", n=count),
        Grain.MONTH: msg("M+{n}", n=count),
        Grain.QUARTER: msg("Q+{n}", n=count),
        Grain.YEAR: msg("Y+{n}", n=count),
    }
    message: Message = letters[grain]
    return message
