"""One headline figure: its value, its change, its goal, and how its unit is written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from revoir.goals import Aim
from revoir.language import Message, Money, Number, Percent, asked_share, in_days, msg, nmsg
from revoir.metrics.benchmarks import Benchmark
from revoir.metrics.registry import Unit
from revoir.periods import Period


@dataclass(frozen=True)
class Point:
    """One figure with its period (None: the data have no dates)."""

    period: Period | None
    complete: bool
    value: float | None
    low: float | None = None
    high: float | None = None
    numerator: float | None = None
    denominator: float | None = None


@dataclass(frozen=True)
class Change:
    """How far a figure lies from an earlier one.

    Attributes:
        against: The earlier period.
        base: Its figure.
        difference: The figure less the base, in the unit.
        share: The difference as a share of the base, for amounts and counts (None: not given).
        clear: Whether the 95 % interval of the difference leaves zero out (None: no interval
            can be given, as for a plain count or the share of a sum).
    """

    against: Period
    base: float
    difference: float
    share: float | None
    clear: bool | None

    @property
    def value(self) -> float:
        """The figure itself."""
        return self.base + self.difference


@dataclass(frozen=True)
class Goal:
    """A goal, and whether the figure meets it.

    Attributes:
        value: The goal, in the unit of the metric.
        met: Whether the figure is on the right side of it.
        sure: Whether the whole interval lies on that side too.
        growth: How much more than a year before it is, where that is what is wanted.
    """

    value: float
    met: bool
    sure: bool
    growth: float | None = None


@dataclass(frozen=True)
class Kpi:
    """A headline figure.

    Attributes:
        metric: Name of the metric in the registry.
        label: What people call it.
        unit: What it is counted in.
        currency: ISO 4217 currency of amounts.
        better: "higher", "lower" or "neither".
        point: The figure with its period (None: there is none at all).
        n: How many it rests on.
        previous: Against the period before.
        year_before: Against the same period a year before.
        goal: The goal.
        goal_apart: What is said of a goal that is for periods of another length.
        benchmarks: Published figures with the same definition, period and sector.
        series: The last twelve periods, oldest first.
        parts: What the figure is made of.
        reason: Why there is no value.
        note: What the reader must know.
    """

    metric: str
    label: Message
    unit: Unit
    currency: str | None
    better: str
    point: Point | None
    n: float | None = None
    previous: Change | None = None
    year_before: Change | None = None
    goal: Goal | None = None
    goal_apart: Message | None = None
    benchmarks: tuple[Benchmark, ...] = ()
    series: tuple[Point, ...] = ()
    parts: Mapping[str, float] = field(default_factory=dict)
    reason: Message | None = None
    note: Message | None = None

    @property
    def value(self) -> float | None:
        """The figure, or None."""
        return self.point.value if self.point else None

    @property
    def within_error(self) -> bool:
        """Whether the interval reaches beyond the goal, so that chance may decide."""
        known = self.point is not None and self.point.low is not None
        return known and self.goal is not None and not self.goal.sure

    def shown(self, value: float | None = None) -> Any:
        """The figure (or another one in its unit) ready to be written in a message."""
        return quantity(self.value if value is None else value, self.unit, self.currency)

    @property
    def adds_up(self) -> bool:
        """Whether it is a sum or a count, which follows the seasons, and not a rate or a mean."""
        return self.unit is Unit.COUNT or (self.unit is Unit.MONEY and self.n is None)

    def can_be_judged(self, change: Change) -> bool:
        """Whether anything says how far chance alone could have moved it."""
        return change.clear is not None or self.unit is Unit.COUNT

    def may_be_chance(self, change: Change) -> bool:
        """Whether a change is no more than chance explains.

        Two counts of people or purchases differ beyond chance where their difference exceeds 1.96
        times the root of their sum (both taken as Poisson).
        """
        if change.clear is not None or self.unit is not Unit.COUNT:
            return change.clear is False
        return change.difference**2 <= 1.96**2 * (change.value + change.base)

    def goal_shown(self) -> Any:
        """The goal without decimals that say nothing: “80 %”, and not “80,0 %”."""
        if self.goal is None:
            return None
        value, growth = self.goal.value, self.goal.growth
        if growth is not None:
            less = growth < 0
            told = {"value": self.shown(value), "growth": asked_share(abs(growth))}
            return (
                msg("{value} (−{growth} in a year)", **told)
                if less
                else msg("{value} (+{growth} in a year)", **told)
            )
        return aim_shown(Aim(value), self.unit, self.currency)


def aim_shown(aim: Aim, unit: Unit, currency: str | None) -> Any:
    """A goal without decimals that say nothing: “80 %”, and not “80,0 %”.

    Args:
        aim: The goal.
        unit: What its metric is counted in.
        currency: ISO 4217 currency of amounts.
    """
    if aim.growth:
        share = asked_share(abs(aim.value))
        return (
            msg("−{share} in a year", share=share)
            if aim.value < 0
            else msg("+{share} in a year", share=share)
        )
    scale = {Unit.SHARE: 100.0, Unit.POINTS: 1.0}.get(unit)
    if scale is None or not math.isclose(aim.value * scale % 1, 0, abs_tol=1e-9):
        return quantity(aim.value, unit, currency)
    return Percent(aim.value, 0) if unit is Unit.SHARE else Number(aim.value, 0)


def quantity(value: float | None, unit: Unit, currency: str | None = None) -> Any:
    """Wrap a value so that a message writes it in its unit.

    Args:
        value: The figure.
        unit: What it is counted in.
        currency: ISO 4217 currency of amounts.

    Returns:
        What `revoir.language.written` writes well; None stays None.

    Examples:
        >>> from revoir.language import written
        >>> written(quantity(0.7131, Unit.SHARE), "en"), written(quantity(1234.5, Unit.COUNT), "en")
        ('71.3%', '1,234')
    """
    if value is None:
        return None
    match unit:
        case Unit.SHARE:
            return Percent(value)
        case Unit.MONEY:
            # Cents say nothing beyond a thousand.
            return Money(value, currency, 0 if abs(value) >= 1000 else 2)
        case Unit.COUNT:
            return Number(value, 0)
        case Unit.POINTS | Unit.SCORE:
            return Number(value, 1)
        case Unit.HOURS:
            return msg("{n} h", n=Number(value, 1))
        case Unit.DAYS if value == 1:
            return in_days(1)
        case Unit.DAYS:
            shown = Number(value, 0 if value >= 10 else 1)
            return nmsg("{days} days", "{days} days", int(value), days=shown)
        case Unit.RATIO:
            return Number(value, 2)
