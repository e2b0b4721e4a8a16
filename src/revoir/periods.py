"""Calendar arithmetic: half-open periods of any grain, and which of them are complete.

Nothing here reads the clock: ``as_of`` is the last day that the data cover, and is given.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from revoir.errors import UsageError
from revoir.language import msg


class Grain(StrEnum):
    """The lengths of calendar periods; weeks begin on Monday (ISO 8601)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def days_max(self) -> int:
        """The longest such period, in days."""
        return {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[self.value]


_FRENCH_GRAINS = {
    "jour": Grain.DAY,
    "semaine": Grain.WEEK,
    "mois": Grain.MONTH,
    "trimestre": Grain.QUARTER,
    "annee": Grain.YEAR,
    "année": Grain.YEAR,
    "an": Grain.YEAR,
}


def grain_named(text: str) -> Grain:
    """The grain of that name, in English or French.

    Raises:
        UsageError: No grain has that name.

    Examples:
        >>> grain_named("mois"), grain_named("quarter")
        (<Grain.MONTH: 'month'>, <Grain.QUARTER: 'quarter'>)
    """
    name = text.strip().lower()
    if name in _FRENCH_GRAINS:
        return _FRENCH_GRAINS[name]
    try:
        return Grain(name)
    except ValueError:
        raise UsageError(
            msg("There is no period “{name}”.", name=text),
            remedy=msg("Use {names}.", names=[grain.value for grain in Grain]),
        ) from None


@dataclass(frozen=True, order=True)
class Period:
    """The days from `start` up to, and without, `end`."""

    start: dt.date
    end: dt.date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise UsageError(
                msg("The period from {start} to {end} is empty.", start=self.start, end=self.end),
                remedy=msg("The end is not part of a period: give a later day."),
            )

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days

    def complete(self, as_of: dt.date) -> bool:
        """Whether the data, which reach to the end of `as_of`, cover it to its last day."""
        return self.end <= as_of + dt.timedelta(days=1)

    def known_from(self, first: dt.date) -> bool:
        """Whether data that begin on a day cover it from its own first day.

        A shop may be closed for the first days of a period: a tenth of it, a week at most.

        Examples:
            >>> january = Period(dt.date(2023, 1, 1), dt.date(2023, 2, 1))
            >>> january.known_from(dt.date(2023, 1, 3)), january.known_from(dt.date(2023, 1, 25))
            (True, False)
        """
        return (first - self.start).days <= min(7, self.days // 10)


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day of the month, some months away, or the last one of a shorter month.

    Examples:
        >>> add_months(dt.date(2024, 1, 31), 1), add_months(dt.date(2024, 3, 15), -12)
        (datetime.date(2024, 2, 29), datetime.date(2023, 3, 15))
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    length = (dt.date(year + month // 12, month % 12 + 1, 1) - dt.date(year, month, 1)).days
    return dt.date(year, month, min(day.day, length))


def start_of(day: dt.date, grain: Grain, fiscal_year_start_month: int = 1) -> dt.date:
    """The first day of the period that holds a day.

    Args:
        day: Any day.
        grain: The length of the periods.
        fiscal_year_start_month: The month (1–12) that years and quarters begin with.

    Returns:
        The first day.

    Examples:
        >>> start_of(dt.date(2024, 5, 17), Grain.QUARTER)
        datetime.date(2024, 4, 1)
        >>> start_of(dt.date(2024, 5, 17), Grain.YEAR, fiscal_year_start_month=9)
        datetime.date(2023, 9, 1)
    """
    match grain:
        case Grain.DAY:
            return day
        case Grain.WEEK:
            return day - dt.timedelta(days=day.weekday())
        case Grain.MONTH:
            return day.replace(day=1)
    months = 3 if grain is Grain.QUARTER else 12
    index = day.year * 12 + day.month - 1 - (fiscal_year_start_month - 1)
    index = index // months * months + (fiscal_year_start_month - 1)
    return dt.date(index // 12, index % 12 + 1, 1)


def shift(start: dt.date, grain: Grain, count: int) -> dt.date:
    """The start of the period that lies `count` periods after the one that starts at `start`."""
    match grain:
        case Grain.DAY:
            return start + dt.timedelta(days=count)
        case Grain.WEEK:
            return start + dt.timedelta(weeks=count)
        case Grain.MONTH:
            return add_months(start, count)
        case Grain.QUARTER:
            return add_months(start, 3 * count)
        case Grain.YEAR:
            return add_months(start, 12 * count)


def start_at(ordinal: int, grain: Grain, fiscal_year_start_month: int = 1) -> dt.date:
    """The first day of the period of that number (see `revoir.metrics.calendar.ordinal`).

    Args:
        ordinal: Days since 1970-01-01 for days and weeks; months since the year 0 for longer
            periods, the fiscal year's first month counting as January.
        grain: The length of the periods.
        fiscal_year_start_month: The month (1–12) that years and quarters begin with.

    Returns:
        The day.

    Examples:
        >>> start_at(24291, Grain.MONTH), start_at(4, Grain.WEEK)
        (datetime.date(2024, 4, 1), datetime.date(1970, 1, 5))
    """
    if grain in (Grain.DAY, Grain.WEEK):
        return dt.date(1970, 1, 1) + dt.timedelta(days=ordinal)
    months = ordinal + (0 if grain is Grain.MONTH else fiscal_year_start_month - 1)
    return dt.date(months // 12, months % 12 + 1, 1)


def periods_between(
    start: dt.date, end: dt.date, grain: Grain, fiscal_year_start_month: int = 1
) -> list[Period]:
    """The whole periods of a grain that touch the days from `start` up to, and without, `end`."""
    return list(_periods(start, end, grain, fiscal_year_start_month))


def _periods(start: dt.date, end: dt.date, grain: Grain, first_month: int) -> Iterator[Period]:
    if end <= start:
        return
    left = start_of(start, grain, first_month)
    while left < end:
        right = shift(left, grain, 1)
        yield Period(left, right)
        left = right
