"""The periods a report speaks of: a grain the data can carry, and years that end with it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from revoir.book import Book
from revoir.metrics.activity import activity
from revoir.metrics.registry import Question
from revoir.metrics.retention import retention_periods
from revoir.periods import Grain, Period, add_months, periods_between, shift, start_of
from revoir.reports.wording import ONE_DAY

_SHOWN = {Grain.WEEK: 60, Grain.MONTH: 25, Grain.QUARTER: 13, Grain.YEAR: 8}
"""How many periods are asked for: twelve to draw, and a year before the last to compare with."""

_MANY = 9
"""A grain is used once there are this many complete periods of it."""


@dataclass(frozen=True)
class Frame:
    """The periods of a report.

    Attributes:
        grain: Length of the headline periods.
        periods: Those asked for, oldest first; the last may be incomplete.
        current: The last complete one.
        usual: The last complete one of the length that the data propose, whichever was asked for.
        years: Twelve-month periods that end with the last complete month, oldest first; where
            the data cover none, the one period that they do cover.
        stay: The longest recent period that a retention rate can be given for, up to a year.
        stay_before: The one of the same length before it (None: the data begin too late).
        counted_from: The first day by which the activity window lies within the data.
        end: The day after the last that the periods reach: that of the report, or the end of the
            data's last month where the report is made as of a later one.
    """

    grain: Grain
    periods: tuple[Period, ...]
    current: Period
    usual: Period
    years: tuple[Period, ...]
    stay: Period
    stay_before: Period | None
    counted_from: dt.date
    end: dt.date

    @property
    def year_month(self) -> int:
        """The month (1–12) that the years begin with."""
        return self.years[-1].start.month

    @property
    def covers_a_year(self) -> bool:
        """Whether the data cover twelve months that end with a month."""
        return self.years[-1].end == add_months(self.years[-1].start, 12)

    def year_before(self, period: Period) -> Period:
        """The same period a year earlier; fifty-two weeks for weeks."""
        if self.grain is Grain.WEEK:
            return Period(shift(period.start, Grain.WEEK, -52), shift(period.end, Grain.WEEK, -52))
        if self.grain is Grain.DAY:
            # 28 February and the 29th of a leap year lie a year after one and the same day.
            start = add_months(period.start, -12)
            return Period(start, start + ONE_DAY)
        return Period(add_months(period.start, -12), add_months(period.end, -12))


def frame_of(book: Book, grain: Grain | None = None) -> Frame | None:
    """Choose the periods of a report.

    Args:
        book: The company's tables.
        grain: Length of the headline periods (None: chosen from the data).

    Returns:
        The periods; None where the data cover no complete one.
    """
    first, last = book.span
    # Months after the data's last one say nothing of the customers: nobody wrote them down.
    end = min(book.as_of + ONE_DAY, add_months(start_of(last, Grain.MONTH), 1))
    window_days = activity(book).window_days
    counted_from = first + dt.timedelta(days=window_days or 0)
    usual = _grain(book, first, end, window_days)
    chosen = grain or usual
    month = book.settings.fiscal_year_start_month
    whole = periods_between(first, end, chosen, month)
    complete = [period for period in whole if period.complete(book.as_of)]
    if not complete:
        return None
    others = periods_between(first, end, usual, month)
    periods = whole[-_SHOWN[chosen] :] if chosen in _SHOWN else whole[-60:]
    stay = retention_periods(book, Question(end=_last_month_end(end)))[0]
    months = round(stay.days / 30.44)
    before = Period(add_months(stay.start, -months), stay.start)
    return Frame(
        grain=chosen,
        periods=tuple(periods),
        current=complete[-1],
        usual=next((held for held in reversed(others) if held.complete(book.as_of)), others[-1]),
        years=_years(first, end),
        stay=stay,
        stay_before=before if before.start >= counted_from else None,
        counted_from=counted_from,
        end=end,
    )


def _grain(book: Book, first: dt.date, end: dt.date, window_days: int | None) -> Grain:
    """The longest of week, month and quarter that has enough periods and fits the window.

    A period longer than the window would lose every customer before it ends.
    """
    month = book.settings.fiscal_year_start_month
    for grain in (Grain.QUARTER, Grain.MONTH):
        complete = [
            period
            for period in periods_between(first, end, grain, month)
            if period.complete(book.as_of)
        ]
        fits = window_days is None or window_days >= grain.days_max
        if fits and len(complete) >= (_MANY if grain is Grain.QUARTER else 3):
            return grain
    return Grain.MONTH if end - first >= dt.timedelta(days=92) else Grain.WEEK


def _last_month_end(end: dt.date) -> dt.date:
    return start_of(end, Grain.MONTH)


def _years(first: dt.date, end: dt.date) -> tuple[Period, ...]:
    """Up to three years back from the last complete month, or all the days where there is none."""
    last = _last_month_end(end)
    years = [Period(add_months(last, -12 * (n + 1)), add_months(last, -12 * n)) for n in range(3)]
    kept = [year for year in years if year.known_from(first)]
    return tuple(reversed(kept)) or (Period(first, end),)
