"""What the figures say, in words: never a sentence that they do not carry.

A change is called better or worse only where the 95 % interval of the difference leaves zero out.
Counts are taken as Poisson for that, revenue as what customers drawn by chance bring
(`headline.judged_revenue`); both are called a strength or a weakness from five per cent on. Where
nothing says how far chance reaches (the share of a sum, a median), a change is not called either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from revoir.experiments.intervals import difference_interval
from revoir.language import Message, Percent, msg, nmsg
from revoir.metrics.benchmarks import Benchmark
from revoir.metrics.registry import Unit
from revoir.periods import Grain, Period
from revoir.reports.figures import Kpi
from revoir.reports.model import (
    Breakdown,
    CohortSection,
    Insight,
    Leavers,
    RfmSection,
    SegmentRow,
)
from revoir.reports.wording import COLUMN_NAMES, during, in_points
from revoir.segments.names import UNKNOWN

WORTH_SAYING = 0.05
"""A sum or count that moved less than this is steady."""

MANY = 0.2
"""A smaller share of those who left says little of who leaves, however much it stands out."""


def insights_of(
    kpis: Mapping[str, Kpi],
    left: Leavers | None,
    rfm: RfmSection | None,
    cohorts: CohortSection | None,
    breakdowns: Iterable[Breakdown] = (),
    window_days: int | None = None,
) -> tuple[Insight, ...]:
    """Every sentence that the figures carry, the heavy ones first.

    Args:
        kpis: The headline figures by address.
        left: Who left.
        rfm: The segments.
        cohorts: The cohort grid.
        breakdowns: The retention rate by group.
        window_days: How long a purchase keeps a customer active.
    """
    found: list[Insight] = []
    told: set[str] = set()
    for key, kpi in kpis.items():
        address = f"headline.{key}"
        # Who leaves is who does not stay: one goal missed, or one rate that rose, is told once.
        goal = () if key == "churn_rate" and "retention.goal" in told else _of_goal(address, kpi)
        change = (
            () if key == "customers_lost" and "churn_rate" in told else _of_change(address, kpi)
        )
        for name, said in ((f"{key}.goal", goal), (key, (*change, *_of_benchmark(address, kpi)))):
            sentences = list(said)
            found += sentences
            told |= {name} if sentences else set()
    if left is not None:
        found += of_leavers(left)
    if rfm is not None:
        found += _of_segments(rfm, window_days)
    if cohorts is not None:
        found += _of_cohorts(cohorts)
    for breakdown in breakdowns:
        found += of_breakdown(breakdown)
    return tuple(sorted(found, key=lambda insight: -insight.weight))


def _of_goal(address: str, kpi: Kpi) -> Iterable[Insight]:
    if kpi.goal is None or not kpi.goal.sure or kpi.point is None:
        return
    when = during(kpi.point.period) if kpi.point.period else msg("over all of the data")
    goal = kpi.goal_shown()
    if kpi.goal.met:
        text = msg(
            "{label}: {value} {when}, on the right side of the goal of {goal}.",
            label=kpi.label,
            value=kpi.shown(),
            when=when,
            goal=goal,
        )
        yield Insight("strength", text, (address,), 5)
    else:
        text = msg(
            "{label}: {value} {when}, while the goal is {goal}.",
            label=kpi.label,
            value=kpi.shown(),
            when=when,
            goal=goal,
        )
        yield Insight("weakness", text, (address,), 6)


def _of_benchmark(address: str, kpi: Kpi) -> Iterable[Insight]:
    point = kpi.point
    if not kpi.benchmarks or point is None or point.low is None or point.high is None:
        return
    benchmark = kpi.benchmarks[0]
    side = _side(point.low, point.high, benchmark)
    if side is None or kpi.better == "neither":
        return
    # Another published figure on the other side: what was published does not settle it.
    if any(_side(point.low, point.high, other) != side for other in kpi.benchmarks):
        return
    good = (side > 0) == (kpi.better == "higher")
    template = (
        msg("{label}: {value}, above the {figure} published for {sector} ({source}).")
        if side > 0
        else msg("{label}: {value}, below the {figure} published for {sector} ({source}).")
    )
    text = Message(
        template.msgid,
        {
            "label": kpi.label,
            "value": kpi.shown(),
            "figure": benchmark.shown(),
            "sector": benchmark.scope(),
            "source": benchmark.source(),
        },
    )
    yield Insight("strength" if good else "weakness", text, (address,), 4)


def _side(low: float, high: float, benchmark: Benchmark) -> int | None:
    """On which side of a published figure the whole interval lies (None: it does not)."""
    if benchmark.high is not None and low > benchmark.high:
        return 1
    if benchmark.low is not None and high < benchmark.low:
        return -1
    return None


def _of_change(address: str, kpi: Kpi) -> Iterable[Insight]:
    # Sums and counts follow the seasons: only the year before says whether they grew.
    rate = kpi.unit in (Unit.SHARE, Unit.POINTS)
    change = kpi.year_before or (kpi.previous if rate or _covers_a_year(kpi) else None)
    if change is None or kpi.better == "neither" or kpi.point is None or kpi.point.period is None:
        return
    if not change.difference or not kpi.can_be_judged(change) or kpi.may_be_chance(change):
        return
    if kpi.adds_up and (change.share is None or abs(change.share) < WORTH_SAYING):
        return
    good = (change.difference > 0) == (kpi.better == "higher")
    up = change.difference > 0
    template = (
        msg("{label}: {value} {when}, {points} more than {before} ({base}).")
        if up
        else msg("{label}: {value} {when}, {points} less than {before} ({base}).")
    )
    size: Message | Percent
    if rate:
        scale = 100 if kpi.unit is Unit.SHARE else 1
        size = in_points(change.value, change.base, of=scale)
    else:
        share = change.share if change.share is not None else 0.0
        size = Percent(abs(share), 0 if abs(share) >= 0.1 else 1)
    text = Message(
        template.msgid,
        {
            "label": kpi.label,
            "value": kpi.shown(),
            "when": during(kpi.point.period),
            "points": size,
            "before": during(change.against),
            "base": kpi.shown(change.base),
        },
    )
    weight = 3 if kpi.adds_up else 4
    yield Insight("strength" if good else "weakness", text, (address,), weight)


def _covers_a_year(kpi: Kpi) -> bool:
    point = kpi.point
    return point is not None and point.period is not None and point.period.days >= 365


def of_leavers(left: Leavers) -> Iterable[Insight]:
    """What sets those who left apart, where it is more than chance."""
    if not left.once_leave_more or left.once.rate is None or left.again.rate is None:
        return
    if left.once.lost < MANY * left.lost:
        return
    template = (
        msg(
            "{once} of those who had bought only once left {when}, against {again} of those who"
            " had come back."
        )
        if left.purchases_alone
        else msg(
            "{once} of those who had bought only once stopped buying {when}, against {again} of"
            " those who had come back."
        )
    )
    text = Message(
        template.msgid,
        {
            "once": Percent(left.once.rate, 0),
            "again": Percent(left.again.rate, 0),
            "when": during(left.period),
        },
    )
    yield Insight("weakness", text, ("leavers.once", "leavers.again"), 7)


def of_breakdown(breakdown: Breakdown) -> Iterable[Insight]:
    """The group that stays least, where it stands out against all the others together.

    Those of whom the column says nothing are no group: that a customer card is missing is no
    reason why somebody leaves.
    """
    rows = [
        row
        for row in breakdown.rows
        if row.value is not None and row.customers and row.group != UNKNOWN
    ]
    if len(rows) < 2:
        return
    least = min(rows, key=lambda row: row.value or 0.0)
    n, kept = least.customers or 0.0, (least.value or 0.0) * (least.customers or 0.0)
    others = sum(row.customers or 0.0 for row in rows) - n
    others_kept = sum((row.value or 0.0) * (row.customers or 0.0) for row in rows) - kept
    # As many groups, as many chances to stand out by luck (Bonferroni).
    confidence = 1 - 0.05 / len(rows)
    low, _ = difference_interval(others_kept, others, kept, n, confidence)
    if low <= 0:
        return
    text = msg(
        "{rate} of the customers of “{group}” ({column}) stayed, against {others} in the other"
        " groups.",
        column=COLUMN_NAMES.get(breakdown.column, breakdown.column),
        group=least.group,
        rate=Percent(kept / n, 0),
        others=Percent(others_kept / others, 0),
    )
    yield Insight("weakness", text, (f"breakdowns.{breakdown.column}",), 6)


def _of_segments(rfm: RfmSection, window_days: int | None) -> Iterable[Insight]:
    by_key = {row.key: row for row in rfm.segments}
    best = by_key.get("champions")
    if best and best.customers and best.revenue_share and best.revenue_share >= 2 * best.share:
        text = nmsg(
            "Your best customer brought {revenue} of what customers ever bought.",
            "Your {n} champions, {share} of your customers, brought {revenue} of what customers"
            " ever bought.",
            best.customers,
            share=Percent(best.share, 0),
            revenue=Percent(best.revenue_share, 0),
        )
        yield Insight("strength", text, ("rfm.champions",), 3)
    # Scores compare customers with each other: only the activity rule says who has left.
    sleeping = [
        by_key[key]
        for key in ("at_risk", "cannot_lose_them")
        if key in by_key and gone_silent(by_key[key], window_days)
    ]
    people = sum(row.customers for row in sleeping)
    share = sum(row.revenue_share or 0 for row in sleeping)
    if people and share >= WORTH_SAYING:
        text = nmsg(
            "{segments}: {n} customer has gone silent, and {revenue} of what customers ever bought"
            " came from there.",
            "{segments}: {n} customers have gone silent, and {revenue} of what customers ever"
            " bought came from them.",
            people,
            segments=[msg("“{name}”", name=row.label) for row in sleeping],
            revenue=Percent(share, 0),
        )
        yield Insight("weakness", text, tuple(f"rfm.{row.key}" for row in sleeping), 5)


def gone_silent(row: SegmentRow, window_days: int | None) -> bool:
    """Whether at least half of a segment are no longer active by the activity rule."""
    if window_days is None or not row.customers or row.days_since_last is None:
        return False
    return row.days_since_last >= window_days


def _of_cohorts(cohorts: CohortSection) -> Iterable[Insight]:
    """Compare the customers won lately with those won before, one period after they came.

    Seasons are compared with the same ones where two years are known.
    """
    seen = [
        row
        for row in cohorts.rows
        if len(row.cells) > 1 and row.complete[1] and row.customers[1] is not None
    ]
    if len(seen) < 4:
        return
    year = {Grain.MONTH: 12, Grain.QUARTER: 4}.get(cohorts.grain, 52)
    half = year if len(seen) >= 2 * year else min(6, len(seen) // 2)
    late, early = seen[-half:], seen[-2 * half : -half]
    late_n, early_n = (sum(row.size for row in rows) for rows in (late, early))
    late_back, early_back = (sum(row.customers[1] or 0 for row in rows) for rows in (late, early))
    if not late_n or not early_n:
        return
    low, high = difference_interval(late_back, late_n, early_back, early_n)
    if low <= 0 <= high:
        return
    better = low > 0
    template = (
        msg(
            "New customers come back more: {late} of those won {when} bought again in the period"
            " after, against {early} of those won {before}."
        )
        if better
        else msg(
            "New customers come back less: {late} of those won {when} bought again in the period"
            " after, against {early} of those won {before}."
        )
    )
    text = Message(
        template.msgid,
        {
            "late": Percent(late_back / late_n),
            "early": Percent(early_back / early_n),
            "when": during(Period(late[0].period.start, late[-1].period.end)),
            "before": during(Period(early[0].period.start, early[-1].period.end)),
        },
    )
    yield Insight("strength" if better else "weakness", text, ("cohorts",), 5)
