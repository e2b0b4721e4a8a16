"""How long the periods are that a goal is for, and that the page of a metric shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from revoir.language import LANGUAGES

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.metrics.registry import Metric
    from revoir.periods import Period
    from revoir.reports.figures import Kpi
    from revoir.reports.frame import Frame

TWELVE_MONTHS = "twelve_months"
"""Asked for as a grain: years that end with the last whole month, as the headline figures do."""
GOAL = ("goal", "goal_growth", "goal_length")
"""What is told of a goal: the value, or growth on the year before, and the length of period."""


def address(kpi: Kpi, frame: Frame | None) -> str:
    """What the page of a metric is asked for, so that it shows this very figure.

    Args:
        kpi: The figure.
        frame: The periods of the metric's page, before anyone filters.
    """
    from revoir.metrics.registry import metric_named
    from revoir.reports.aims import of_years
    from revoir.reports.wording import length_of

    period = kpi.point.period if kpi.point else None
    if frame is None or period is None:
        return ""
    if period == (frame.years[-1] if of_years(metric_named(kpi.metric)) else frame.current):
        return ""
    length = length_of(period)
    if period == frame.years[-1] and length == "year":
        return f"grain={TWELVE_MONTHS}"
    if length in ("week", "month", "quarter"):
        return f"grain={length}"
    return f"from={period.start}&to={period.end}"


def goal_of(
    book: Book, metric: Metric, period: Period | None, frame: Frame | None
) -> dict[str, Any]:
    """The goal in force of a metric: `GOAL`, and in words how long the headline figure is `over`.

    Args:
        book: The company's tables.
        metric: The metric.
        period: What the figure covers that stands beside it.
        frame: The periods of the metric's page.
    """
    from revoir.goals import Aim
    from revoir.reports.aims import aims_for, headline_period, over
    from revoir.reports.wording import length_of

    usual = headline_period(metric, frame)
    aim = next(iter(aims_for(book, metric, period)), None)
    told = over(Aim(0), usual)
    return {
        "goal": aim.value if aim and not aim.growth else None,
        "goal_growth": aim.value if aim and aim.growth else None,
        "goal_length": aim and (aim.length or (length_of(usual) if usual else None)),
        "over": {code: told.text(code) for code in LANGUAGES} if told else {},
    }
