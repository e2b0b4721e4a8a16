"""The registry: a metric is declared once, and every interface comes from the declaration."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from revoir.errors import UsageError
from revoir.language import Message, msg
from revoir.periods import Grain, Period
from revoir.tables import plain_name

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.goals import Aim
    from revoir.metrics.evaluate import Ratio
    from revoir.metrics.result import Result

FIRST_DAY, LAST_DAY = dt.date(1900, 1, 1), dt.date(2999, 12, 31)
"""Days outside are slips of the hand, such as the year 26; computing would not end on them."""
PERIODS_MAX = 40_000
"""A century of days."""


class Unit(StrEnum):
    """What a metric's value is counted in."""

    SHARE = "share"  # 0.7 is 70 %
    POINTS = "points"  # −100 to 100
    SCORE = "score"  # on the scale of its question
    COUNT = "count"
    MONEY = "money"
    DAYS = "days"
    HOURS = "hours"
    RATIO = "ratio"  # orders a customer, …


@dataclass(frozen=True)
class Question:
    """What is asked of a metric.

    Attributes:
        start: First day (None: where the data begin).
        end: Day after the last (None: the day after the data end).
        grain: Length of the periods (None: one period from `start` to `end`).
        by: Columns that the figure is broken down by.
        where: A rule (see `revoir.segments.rules`) that rows must meet.
    """

    start: dt.date | None = None
    end: dt.date | None = None
    grain: Grain | None = None
    by: tuple[str, ...] = ()
    where: str | None = None

    def check_days(self) -> None:
        """Refuse days that nobody means.

        Raises:
            UsageError: A day lies outside of what calendars of companies hold.
        """
        for day in (self.start, self.end):
            if day is not None and not FIRST_DAY <= day <= LAST_DAY:
                raise UsageError(
                    msg("{day} is too far away.", day=day.isoformat()),
                    remedy=msg(
                        "Choose a day from {first} to {last}.",
                        first=FIRST_DAY,
                        last=LAST_DAY,
                    ),
                )

    def days(self, book: Book) -> Period:
        """All the days asked for: where an end is left open, as far as the data go.

        Raises:
            UsageError: There are none, or nobody means them.
        """
        self.check_days()
        first, _ = book.span
        if self.end is None and self.start is not None and self.start > book.as_of:
            raise UsageError(
                msg(
                    "There is nothing from {start} on: the data end on {last}.",
                    start=self.start,
                    last=book.as_of,
                ),
                remedy=msg("Ask from an earlier day."),
            )
        if self.start is None and self.end is not None and self.end <= first:
            raise UsageError(
                msg("There is nothing before {first}, when the data begin.", first=first),
                remedy=msg("Ask up to a later day."),
            )
        return Period(self.start or first, self.end or book.as_of + dt.timedelta(days=1))

    def periods(self, book: Book) -> list[Period]:
        """The periods asked for, oldest first.

        Raises:
            UsageError: There are none, or too many.
        """
        from revoir.periods import periods_between

        asked = self.days(book)
        if self.grain is None:
            return [asked]
        month = book.settings.fiscal_year_start_month
        found = periods_between(asked.start, asked.end, self.grain, month)
        if len(found) > PERIODS_MAX:
            raise UsageError(
                msg("These are {n} periods, and {most} are the most.", n=len(found),
                    most=PERIODS_MAX),
                remedy=msg("Choose longer periods, or a shorter time."),
            )  # fmt: skip
        return found


@dataclass(frozen=True, eq=False)  # declared once: a metric equals itself alone
class Metric:
    """The declaration of a metric.

    Attributes:
        name: Its name in every interface.
        label: What people call it.
        formula: The formula in words.
        unit: What its value is counted in.
        better: "higher", "lower" or "neither".
        needs: Canonical tables (or ``table.column``) it cannot do without.
        compute: Answers a question on a book.
        family: The group it is listed with.
        aliases: Other names it answers to.
        source: Where the definition is published.
        goal: Default goal, in the unit (None: none).
        goal_growth: Default goal as growth in a year, as a share of the figure of the year before
            (None: none); a goal that is set takes its place.
        benchmarks: Names of the metric in the shipped benchmarks.
        ratio: The sums it divides, where it is a ratio; several are then answered in one query.
        made_of: The metrics whose figures it is made of, where no rows of its own lie behind it.
        exceeds: Whether a share may exceed 100 %.
    """

    name: str
    label: Message
    formula: Message
    unit: Unit
    better: str
    needs: tuple[str, ...]
    compute: Callable[[Book, Question], Result] = field(repr=False, compare=False)
    family: str
    aliases: tuple[str, ...] = ()
    source: str | None = None
    goal: float | None = None
    goal_growth: float | None = None
    benchmarks: tuple[str, ...] = ()
    ratio: Ratio | None = field(default=None, repr=False, compare=False)
    made_of: tuple[str, ...] = ()
    exceeds: bool = False

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """The least and the most that the value can be (None: there is no such limit)."""
        match self.unit:
            case Unit.SHARE:
                return 0.0, None if self.exceeds else 1.0
            case Unit.POINTS:
                return -100.0, 100.0
        return None, None

    def reaches(self, aim: Aim) -> bool:
        """Whether the value can come to a goal."""
        low, high = (-1.0, None) if aim.growth else self.limits
        known = (-math.inf if low is None else low, math.inf if high is None else high)
        return math.isfinite(aim.value) and known[0] <= aim.value <= known[1]


FAMILIES = (
    "retention",
    "purchase",
    "value",
    "lifecycle",
    "subscriptions",
    "satisfaction",
    "service",
    "engagement",
)
"""The families in the order of the catalogue."""

_METRICS: dict[str, Metric] = {}


def declare(metric: Metric) -> Metric:
    """Add a metric to the registry."""
    if metric.name in _METRICS:
        raise ValueError(f"metric {metric.name!r} is declared twice")
    _METRICS[metric.name] = metric
    return metric


def metrics() -> Sequence[Metric]:
    """Every metric, by family, in the order of declaration."""
    _load()
    return tuple(sorted(_METRICS.values(), key=lambda metric: FAMILIES.index(metric.family)))


def metric_named(name: str) -> Metric:
    """The metric that answers to a name: its own, an alias, or its label in either language.

    Raises:
        UsageError: None does; the message names the nearest.
    """
    import difflib

    _load()
    wanted = plain_name(name)
    names: dict[str, Metric] = {}
    for metric in _METRICS.values():
        labels = (plain_name(metric.label.text("en")), plain_name(metric.label.text("fr")))
        for known in (metric.name, *metric.aliases, *labels):
            names.setdefault(known, metric)
    if wanted in names:
        return names[wanted]
    near = difflib.get_close_matches(wanted, names, n=3)
    raise UsageError(
        msg("There is no metric “{name}”.", name=name),
        remedy=msg("Did you mean {near}?", near=sorted({names[n].name for n in near}))
        if near
        else msg("`revoir metrics` lists them."),
    )


def measure(
    book: Book,
    name: str,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
    grain: Grain | None = None,
    by: Sequence[str] = (),
    where: str | None = None,
) -> Result:
    """Compute a metric.

    Args:
        book: The company's tables.
        name: The metric's name, alias or label.
        start: First day (default: where the data begin).
        end: Day after the last (default: the day after the data end).
        grain: Length of the periods (default: one period from `start` to `end`).
        by: Columns to break the figure down by.
        where: A rule that rows must meet.

    Returns:
        The figures.

    Raises:
        UsageError: The metric, a column or the rule is not known.
    """
    metric = metric_named(name)
    question = Question(start, end, grain, tuple(by), where)
    question.check_days()
    return _told(book, question, metric.compute(book, question))


def measure_many(book: Book, names: Sequence[str], question: Question) -> dict[str, Result]:
    """Compute several metrics over the same periods, with few queries.

    Args:
        book: The company's tables.
        names: Names of the metrics.
        question: What is asked of each.

    Returns:
        The results by metric name.
    """
    from revoir.metrics.evaluate import compute_ratios, lacking

    chosen = [metric_named(name) for name in names]
    ratios = {
        metric: metric.ratio
        for metric in chosen
        if metric.ratio is not None and lacking(book, metric) is None
    }
    results = compute_ratios(book, ratios, question)
    for metric in chosen:
        if metric.name not in results:
            results[metric.name] = metric.compute(book, question)
    return {name: _told(book, question, result) for name, result in results.items()}


def _told(book: Book, question: Question, result: Result) -> Result:
    """The result, which says of what day the groups of customers are.

    Retention takes customers as they were before each period; whatever else they did is counted
    where they are now, so that who bought much stands in the good groups.
    """
    from revoir.metrics.scope import changes_in_time

    if result.metric.family == "retention" or not changes_in_time(book, question):
        return result
    note = msg(
        "Each customer counts in the group they are in on {day}, also for what they did before.",
        day=book.as_of,
    )
    return replace(result, notes=(*result.notes, note))


def _load() -> None:
    """Import the families; each declares its metrics when imported."""
    from revoir.metrics import families  # noqa: F401 (declares them)
