"""The headline figures: each with its change, its goal, its benchmark and its last periods."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from revoir.book import Book
from revoir.errors import InputError
from revoir.experiments.intervals import difference_interval
from revoir.goals import Aim
from revoir.language import Message, msg
from revoir.metrics.benchmarks import Benchmark, fitting
from revoir.metrics.registry import Metric, Question, Unit, measure_many
from revoir.metrics.result import Figure, Result
from revoir.periods import Grain, Period, add_months, shift
from revoir.reports.aims import aims_for, fits, headline_period, over
from revoir.reports.figures import Change, Goal, Kpi, Point, aim_shown
from revoir.reports.frame import Frame
from revoir.reports.wording import ONE_DAY, length_of, named

PERIOD_METRICS = (
    "retention_rate",
    "churn_rate",
    "customers_active",
    "customers_new",
    "customers_returned",
    "customers_lost",
    "revenue",
    "orders",
    "average_order_value",
    "customers",
    "repeat_revenue_share",
    "returned_share",
)
"""Measured by the report's grain."""

POINTS_SHOWN = 12

Z_95 = 1.96
"""How many standard errors a 95 % interval reaches to each side."""

_SCALES = {"nps": msg("From −100 to 100; above 50 is excellent.")}
"""What a score lies between, and what people call a good one."""

Figures = Mapping[str, Mapping[Period, Figure]]
"""Figures by metric and period."""


def by_period(results: Mapping[str, Result]) -> dict[str, dict[Period, Figure]]:
    """Figures by metric name and period, of results that are not broken down."""
    return {
        name: {figure.period: figure for figure in result.figures if figure.period is not None}
        for name, result in results.items()
    }


def measured(book: Book, frame: Frame, names: Sequence[str]) -> dict[str, Result]:
    """Answer metrics for all periods of the frame at once."""
    question = Question(frame.periods[0].start, frame.periods[-1].end, frame.grain)
    return measure_many(book, names, question)


def measured_by_year(yearly: Book, frame: Frame, names: Sequence[str]) -> dict[str, Result]:
    """Answer metrics for the frame's years at once, on a book whose years are the frame's."""
    # Data of less than a year are one period, of no grain.
    grain = Grain.YEAR if frame.covers_a_year else None
    question = Question(frame.years[0].start, frame.years[-1].end, grain)
    return measure_many(yearly, names, question)


def rolled(book: Book, frame: Frame, found: Mapping[str, Result]) -> dict[str, Result]:
    """Figures of twelve months by every third month: a line of years alone has three points.

    Args:
        book: The company's tables.
        frame: The periods of the report.
        found: What `measured_by_year` answered.

    Returns:
        The same, with the figures of twelve months that end three, six and nine months before.
    """
    if not frame.covers_a_year or not found:
        return dict(found)
    figures = {name: list(result.figures) for name, result in found.items()}
    for back in (3, 6, 9):
        start, end = (add_months(day, -back) for day in (frame.years[0].start, frame.years[-1].end))
        years = book.with_settings(fiscal_year_start_month=start.month)
        asked = Question(start, end, Grain.YEAR)
        for name, result in measure_many(years, list(found), asked).items():
            figures[name] += result.figures
    return {
        name: replace(result, figures=tuple(sorted(figures[name], key=_begins)))
        for name, result in found.items()
    }


def _begins(figure: Figure) -> dt.date:
    return figure.period.start if figure.period else dt.date.min


class Maker:
    """Makes headline figures of one book.

    Args:
        book: The company's tables.
        frame: The periods of the report.
        own: The company's own figures to compare with.
    """

    def __init__(self, book: Book, frame: Frame | None, own: Iterable[Benchmark] = ()) -> None:
        self.book = book
        self.frame = frame
        self.own = tuple(own)
        self.currency = book.currency
        if not book.currencies:
            self.currency = book.settings.currency

    def kpi(
        self,
        result: Result,
        period: Period | None,
        previous: Period | None = None,
        year_before: Period | None = None,
        *,
        series: bool = True,
    ) -> Kpi:
        """Make a headline figure of a result.

        Args:
            result: The answer of a metric, not broken down.
            period: The period whose figure is the headline (None: the result's only figure).
            previous: The period to compare with.
            year_before: The same period of the year before.
            series: Whether the last periods are shown.
        """
        metric = result.metric
        figures = {figure.period: figure for figure in result.figures}
        figure = figures.get(period) if period else next(iter(result.figures), None)
        if figure is None:
            return self.empty(metric, msg("The data do not cover the period."))
        point = _point(metric, figure) if figure.period else _timeless(metric, figure, self.book)
        currency = self.currency if metric.unit is Unit.MONEY else None
        reason = self._reason(metric, figure)
        return Kpi(
            metric=metric.name,
            label=metric.label,
            unit=metric.unit,
            currency=currency,
            better=metric.better,
            point=point,
            n=figure.denominator,
            previous=change(metric, figure, self.counted(metric, figures.get(previous))),
            year_before=change(metric, figure, self.counted(metric, figures.get(year_before))),
            goal=self._goal(metric, figure, figures),
            goal_apart=self._apart(metric, figure, currency),
            benchmarks=self._benchmarks(metric, figure),
            series=self._series(metric, result) if series else (),
            parts=figure.parts,
            reason=reason,
            note=None if figure.value is None else figure.note or _SCALES.get(metric.name),
        )

    def _reason(self, metric: Metric, figure: Figure) -> Message | None:
        """Why a figure has no value; nobody is active before the data begin, or seems to be."""
        if figure.value is None and figure.denominator == 0 and not _of_leavers(metric):
            return msg("Nothing of the kind happened in the period.")
        if figure.reason is None or figure.period is None or not _of_leavers(metric):
            return figure.reason
        first, _ = self.book.span
        if figure.period.start > first:
            return figure.reason
        return msg("The data begin on {first}: who was active before is not known.", first=first)

    def empty(self, metric: Metric, reason: Message) -> Kpi:
        """A headline figure without a value, and why."""
        return Kpi(metric.name, metric.label, metric.unit, None, metric.better, None, reason=reason)

    def counted(self, metric: Metric, figure: Figure | None) -> Figure | None:
        """The figure, where the data reach back as far as it needs.

        Args:
            metric: The metric.
            figure: One of its figures.

        Returns:
            None where the data begin within the period, or within the activity window before it
            of a figure about who left: such a figure is not compared with others.
        """
        if figure is None or figure.period is None or self.frame is None:
            return figure
        if _of_leavers(metric) and figure.period.start < self.frame.counted_from:
            return None
        first, _ = self.book.span
        return figure if figure.period.known_from(first) else None

    def _series(self, metric: Metric, result: Result) -> tuple[Point, ...]:
        points = [
            _point(metric, figure)
            for figure in result.figures
            if figure.period is not None and self.counted(metric, figure) is not None
        ]
        complete = [point for point in points if point.complete]
        return tuple(complete[-POINTS_SHOWN:] + points[len(complete) :])

    def goal(self, metric: Metric, figure: Figure) -> Aim | None:
        """The goal that a figure is held against: one for periods as long as its own."""
        headline = headline_period(metric, self.frame)
        known = [
            aim
            for aim in aims_for(self.book, metric, figure.period)
            if fits(aim, figure.period, headline)
        ]
        # What was said of this very length goes before what was said of the headline figure.
        return next((aim for aim in known if aim.length is not None), next(iter(known), None))

    def wanted(
        self, metric: Metric, figure: Figure, figures: Mapping[Period | None, Figure]
    ) -> float | None:
        """What a figure is to reach, in its unit; of growth, that on the figure a year before.

        Args:
            metric: The metric.
            figure: Its figure.
            figures: Its figures by period.
        """
        aim = self.goal(metric, figure)
        if aim is None or not aim.growth:
            return aim.value if aim else None
        if figure.period is None:
            return None
        weekly = length_of(figure.period) == "week"
        start = figure.period.start
        day = shift(start, Grain.WEEK, -52) if weekly else add_months(start, -12)
        year = next((held for held in figures if held and held.start == day), None)
        base = self.counted(metric, figures.get(year)) if year else None
        if base is None or base.value is None or base.value <= 0:
            return None
        return base.value * (1 + aim.value)

    def _apart(self, metric: Metric, figure: Figure, currency: str | None) -> Message | None:
        """A goal for periods of another length than the figure's: what it is, and for which."""
        aims = aims_for(self.book, metric, figure.period)
        if not aims or figure.value is None or self.goal(metric, figure) is not None:
            return None
        value = aim_shown(aims[0], metric.unit, currency)
        length = over(aims[0], headline_period(metric, self.frame))
        return msg(
            "Goal {value} {length}: for another length of period", value=value, length=length
        )

    def _goal(
        self, metric: Metric, figure: Figure, figures: Mapping[Period | None, Figure]
    ) -> Goal | None:
        aim, value = self.goal(metric, figure), self.wanted(metric, figure, figures)
        if aim is None or value is None or figure.value is None:
            return None
        growth = aim.value if aim.growth else None
        if metric.better == "lower":
            far = figure.high
            met = figure.value <= value
            sure = far is not None and (far <= value if met else (figure.low or 0) > value)
        else:
            far = figure.low
            met = figure.value >= value
            sure = far is not None and (
                far >= value if met else figure.high is not None and figure.high < value
            )
        return Goal(value, met, sure, growth)

    def _benchmarks(self, metric: Metric, figure: Figure) -> tuple[Benchmark, ...]:
        if figure.value is None:
            return ()
        length = length_of(figure.period) if figure.period else None
        found = fitting(
            metric.name,
            sector=self.book.settings.sector,
            length=length,
            currency=self.currency,
            own=self.own,
        )
        return tuple(found[:3])


def _of_leavers(metric: Metric) -> bool:
    """Whether a metric needs to know who was active at the start of a period."""
    return metric.family == "retention" or metric.name == "clv_simple"


def _point(metric: Metric, figure: Figure) -> Point:
    low = figure.low
    if metric.unit not in (Unit.SHARE, Unit.POINTS) and low is not None and low < 0:
        # The normal interval of a mean of few amounts reaches below what there can be.
        low = min(0.0, figure.value or 0.0)
    return Point(
        figure.period,
        figure.complete,
        figure.value,
        low,
        figure.high,
        figure.numerator,
        figure.denominator,
    )


def _timeless(metric: Metric, figure: Figure, book: Book) -> Point:
    """A figure without a period covers all that the book holds."""
    try:
        first, last = book.span
        period: Period | None = Period(first, last + ONE_DAY)
    except InputError:  # no row has a date
        period = None
    return replace(_point(metric, figure), period=period)


def change(metric: Metric, figure: Figure, base: Figure | None) -> Change | None:
    """How far a figure lies from an earlier one, and whether that is more than chance.

    Args:
        metric: The metric of both.
        figure: The figure.
        base: The earlier one.

    Returns:
        The change; None where either has no value.
    """
    if base is None or base.period is None or base.value is None or figure.value is None:
        return None
    difference = figure.value - base.value
    relative = metric.unit in (Unit.MONEY, Unit.COUNT, Unit.RATIO, Unit.DAYS, Unit.HOURS)
    share = difference / abs(base.value) if relative and base.value else None
    return Change(
        base.period, base.value, difference, share, clear_difference(metric, figure, base)
    )


def beside(churn: Kpi, retention: Kpi | None) -> Kpi:
    """A churn rate that says so where the retention rate beside it is over another period.

    Args:
        churn: The churn rate.
        retention: The retention rate (None: there is none).
    """
    if retention is None or retention.value is None or churn.value is None:
        return churn
    over, other = (kpi.point.period if kpi.point else None for kpi in (churn, retention))
    if over is None or other is None or over == other:
        return churn
    told = msg(
        "Over another period than the retention rate ({period}): the two do not add up to 100%.",
        period=named(other),
    )
    return replace(churn, note=churn.note or told)


def judged_revenue(revenue: Kpi, found: Mapping[str, Result]) -> Kpi:
    """Say of the changes of revenue whether chance alone could explain them.

    Revenue is the average basket times the orders, and it is customers that are drawn: its
    relative variance is taken as that of the basket and that of the orders, added up.

    Args:
        revenue: Its headline figure.
        found: The figures by period that it stands beside.

    Returns:
        The figure with its changes judged; they stay as they are where no interval is at hand.
    """
    figures = by_period(found)

    def judged(made: Change | None) -> Change | None:
        if made is None or revenue.point is None or revenue.point.period is None:
            return made
        now, before = (
            relative_error(figures, period) for period in (revenue.point.period, made.against)
        )
        if now is None or before is None:
            return made
        value = made.value
        return replace(
            made, clear=abs(made.difference) > Z_95 * math.hypot(now * value, before * made.base)
        )

    return replace(
        revenue, previous=judged(revenue.previous), year_before=judged(revenue.year_before)
    )


def relative_error(figures: Figures, period: Period) -> float | None:
    """The standard error of a period's revenue as a share of it (None: not known).

    The orders of a buyer are taken as geometric with mean m, so that a drawn buyer brings a
    relative variance of 2 - 1/m. On Online Retail, Superstore, CDNOW and Complete Journey that is
    within a tenth of the error that the sums of each customer give (7.1 against 7.3 %, 10.4
    against 10.6 %, 4.2 against 4.7 %, 3.8 against 3.8 %), and asks for no further query.
    """
    basket = figures.get("average_order_value", {}).get(period)
    buyers = figures.get("customers", figures.get("orders", {})).get(period)
    if basket is None or not basket.value or basket.low is None or basket.high is None:
        return None
    if buyers is None or not buyers.value or not basket.denominator:
        return None
    of_basket = (basket.high - basket.low) / 2 / Z_95 / basket.value
    # Anonymous orders are nobody's: at least one order a buyer.
    mean_orders = max(basket.denominator / buyers.value, 1.0)
    return math.hypot(of_basket, math.sqrt((2 - 1 / mean_orders) / buyers.value))


def clear_difference(metric: Metric, figure: Figure, base: Figure) -> bool | None:
    """Whether the 95 % interval of the difference of two figures leaves zero out.

    Returns:
        None where no interval can be given: counts and sums are what they are.
    """
    if metric.unit is Unit.SHARE:
        # More complaints than orders are no share of them: such a rate has no interval.
        if figure.low is None or base.low is None:
            return None
        if figure.numerator is None or base.numerator is None:
            return None
        if not figure.denominator or not base.denominator:
            return None
        low, high = difference_interval(
            figure.numerator, figure.denominator, base.numerator, base.denominator
        )
        return low > 0 or high < 0
    ends = (figure.low, figure.high, base.low, base.high)
    if None in ends or figure.value is None or base.value is None:
        # A mean of a single purchase has no interval, and says nothing of a change.
        estimated = metric.ratio is not None and metric.ratio.interval is not None
        return False if estimated else None
    # Two independent means: the half-widths of their intervals add up as squares.
    low_1, high_1, low_2, high_2 = (float(end) for end in ends if end is not None)
    half = math.hypot((high_1 - low_1) / 2, (high_2 - low_2) / 2)
    return abs(figure.value - base.value) > half
