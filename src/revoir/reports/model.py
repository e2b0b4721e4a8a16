"""The report as plain values and messages: what was computed, before anybody draws or words it.

Every renderer (page, PDF, workbook, JSON) reads this tree and computes nothing. A section that
the data cannot carry is None, and `Report.missing` says why under the section's name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from revoir.experiments.intervals import difference_interval
from revoir.language import Message
from revoir.metrics.registry import Unit
from revoir.periods import Grain, Period
from revoir.reports.figures import Kpi


@dataclass(frozen=True)
class Insight:
    """A sentence that the figures carry.

    Attributes:
        kind: "strength", "weakness", "fact" or "unknown".
        text: The sentence.
        figures: What it rests on: addresses in the JSON report, such as
            ``headline.retention_rate``.
        weight: How much it matters, to put the important first; euros at stake where known.
    """

    kind: str
    text: Message
    figures: tuple[str, ...]
    weight: float = 0.0


@dataclass(frozen=True)
class Action:
    """Something to do on Monday morning.

    Attributes:
        title: What to do, as an order to oneself.
        why: The figures that call for it.
        customers: How many people it reaches.
        stake: What these customers spent in the last twelve months (None: not known).
        segment: Key of the RFM segment whose list holds them (None: none does).
        figures: What it rests on.
        rule: The rule that these customers meet, where no RFM segment holds them (None: none
            does).
    """

    title: Message
    why: Message
    customers: int | None
    stake: float | None
    segment: str | None
    figures: tuple[str, ...]
    rule: str | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to one question of the first screen.

    Attributes:
        question: The question.
        verdict: "better", "worse", "steady" or "unknown".
        sentences: The answer, a sentence each.
        figures: What it rests on.
    """

    question: Message
    verdict: str
    sentences: tuple[Message, ...]
    figures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Customers active at the start of a period, and those of them who left.

    Attributes:
        present: Active at the start.
        lost: No longer active at the end.
        amount: What the lost ones had bought before, in all (None: in several currencies).
    """

    present: int = 0
    lost: int = 0
    amount: float | None = 0.0

    @property
    def rate(self) -> float | None:
        """The share that left."""
        return self.lost / self.present if self.present else None


@dataclass(frozen=True)
class Leavers:
    """Who left in a period.

    Attributes:
        period: The days looked at; no longer than the activity window.
        once: Customers who had bought on one day.
        again: Customers who had bought on several.
        due: Customers who have bought on one day only, are still active, and have waited for
            longer than half of those who come back.
        due_after_days: That wait, in days.
        late: Customers who have bought on three days or more, are still active, and have waited
            for longer than three quarters of those who come back.
        late_after_days: That wait, in days.
        late_amount: What these have bought in all (None: in several currencies).
        window_days: How long a purchase keeps a customer active.
        purchases_alone: Whether a purchase is all that keeps a customer active; where a
            subscription or a visit does too, those counted as lost have stopped buying.
    """

    period: Period
    once: Group
    again: Group
    due: int
    due_after_days: int
    late: int
    late_after_days: int
    late_amount: float | None
    window_days: int
    purchases_alone: bool = True

    @property
    def lost(self) -> int:
        """All who left."""
        return self.once.lost + self.again.lost

    @property
    def present(self) -> int:
        """All who were active at the start."""
        return self.once.present + self.again.present

    @property
    def compares(self) -> bool:
        """Whether there is anybody in both groups."""
        return bool(self.once.present and self.again.present)

    @property
    def once_leave_more(self) -> bool:
        """Whether those who bought once leave more than the others, by the 95 % interval."""
        if not self.compares:
            return False
        parts = (self.once.lost, self.once.present, self.again.lost, self.again.present)
        return difference_interval(*parts)[0] > 0


@dataclass(frozen=True)
class CohortRow:
    """One cohort: customers won in a period."""

    period: Period
    size: int
    cells: tuple[float | None, ...]
    customers: tuple[float | None, ...]
    complete: tuple[bool, ...]


@dataclass(frozen=True)
class CohortSection:
    """Who came back how many periods after the first purchase.

    Attributes:
        grain: Length of cohorts and ages.
        rows: The cohorts, oldest first; cell 0 is the period of the first purchase.
        average: The weighted mean by age, of complete cells.
        title: What is seen.
    """

    grain: Grain
    rows: tuple[CohortRow, ...]
    average: tuple[float | None, ...]
    title: Message


@dataclass(frozen=True)
class LifecycleRow:
    """One period of the lifecycle, in customers."""

    period: Period
    complete: bool
    new: int
    returning: int
    resurrected: int
    dormant: int


@dataclass(frozen=True)
class LifecycleSection:
    """New, returning, resurrected and dormant customers, period by period."""

    grain: Grain
    rows: tuple[LifecycleRow, ...]
    title: Message


@dataclass(frozen=True)
class SegmentRow:
    """One RFM segment.

    Attributes:
        key: Its name in every interface.
        label: What people call it.
        advice: What to do.
        customers: How many are in it.
        share: Their share of all customers.
        revenue: What they spent in all (None: in several currencies).
        revenue_share: Its share of all revenue.
        days_since_last: Mean days since the last purchase.
        frequency: Mean number of purchases.
        monetary: Mean amount spent in all.
    """

    key: str
    label: Message
    advice: Message
    customers: int
    share: float
    revenue: float | None
    revenue_share: float | None
    days_since_last: float | None
    frequency: float | None
    monetary: float | None


@dataclass(frozen=True)
class RfmSection:
    """Customers by recency, frequency and amount.

    Attributes:
        segments: The segments, those worth most first.
        cutoffs: The limits between scores in words.
        cells: Customers by (recency score, frequency score).
        bins: How many scores there are.
        title: What is seen.
        note: What the reader must know of the amounts.
    """

    segments: tuple[SegmentRow, ...]
    cutoffs: tuple[Message, ...]
    cells: Mapping[tuple[int, int], int]
    bins: int
    title: Message
    note: Message | None = None


@dataclass(frozen=True)
class GapsSection:
    """How long customers wait between purchases, and the rule drawn from it.

    Attributes:
        counts: Gaps by band of days: (first day, day after the last, how many).
        total: How many gaps.
        median: Half of the gaps are this short, in days.
        third_quartile: Three quarters are.
        longer: Gaps longer than the last band.
        window_days: The activity window.
        rule: The activity rule in words.
        reason: How it was found.
        title: What is seen.
    """

    counts: tuple[tuple[int, int, int], ...]
    total: int
    median: int
    third_quartile: int
    longer: int
    window_days: int | None
    rule: Message
    reason: Message | None
    title: Message


@dataclass(frozen=True)
class Scenario:
    """What keeping more customers would have brought.

    Attributes:
        points: Percentage points added to the retention rate.
        retention: The rate it would give.
        customers: Customers kept that were lost.
        revenue: What they would have spent in twelve months.
        revenue_share: That revenue as a share of what known customers spent in the year.
        profit: Its margin (None: the margin is not known).
        clv: What a customer would bring before leaving (None: nobody would leave).
    """

    points: float
    retention: float
    customers: float
    revenue: float
    revenue_share: float | None
    profit: float | None
    clv: float | None


@dataclass(frozen=True)
class Claim:
    """What the field repeats, where it comes from, and what is said against it."""

    claim: Message
    source: str
    url: str
    criticism: Message
    critic: str
    critic_url: str


@dataclass(frozen=True)
class WhatIf:
    """Retention some points higher, with the company's own numbers.

    Attributes:
        period: The period of the retention rate.
        at_start: Customers active at its start.
        retention: The retention rate over it.
        revenue: What known customers spent in twelve months.
        spend: What a customer who bought spent in them, on average.
        margin: Margin as a share of revenue (None: not known).
        acquisition_cost: What a new customer costs (None: not known).
        clv: What a customer brings before leaving, at the present rate; revenue where the margin is
            not known.
        scenarios: What more retention would bring.
        formula: The model, in words.
        notes: Its limits.
        claims: The published claims beside it.
    """

    period: Period
    at_start: float
    retention: float
    revenue: float
    spend: float
    margin: float | None
    acquisition_cost: float | None
    clv: float | None
    scenarios: tuple[Scenario, ...]
    formula: Message
    notes: tuple[Message, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class BreakdownRow:
    """One group of a breakdown."""

    group: Message | str
    customers: float | None
    value: float | None
    low: float | None
    high: float | None
    reason: Message | None = None


@dataclass(frozen=True)
class Breakdown:
    """A metric by a column of the data.

    Attributes:
        column: The column.
        metric: Name of the metric.
        label: What people call it.
        unit: What it is counted in.
        period: The period (None: all that the book holds).
        rows: The groups, the largest first.
        others: How many groups are left out.
        title: What is seen.
        notes: What the reader must know.
        of: What the `customers` of rows are, where they are none (None: they are).
        currency: ISO 4217 currency of amounts.
    """

    column: str
    metric: str
    label: Message
    unit: Unit
    period: Period | None
    rows: tuple[BreakdownRow, ...]
    others: int
    title: Message
    notes: tuple[Message, ...] = ()
    of: Message | None = None
    currency: str | None = None


@dataclass(frozen=True)
class Reasons:
    """Why customers left, in their words.

    Attributes:
        rows: The reasons given most and how often, the most frequent first.
        total: All departures with a reason, those of the rarer reasons included.
    """

    rows: tuple[tuple[str, int], ...]
    total: int

    @property
    def others(self) -> int:
        """Departures with a reason that is not among the rows."""
        return self.total - sum(count for _, count in self.rows)


@dataclass(frozen=True)
class Asked:
    """What customers answered to one question.

    Attributes:
        question: As the data call it.
        label: As people call it.
        counts: How many gave each score, the lowest first.
    """

    question: str
    label: Message | str
    counts: tuple[tuple[int, int], ...]

    @property
    def answers(self) -> int:
        """How many answered."""
        return sum(count for _, count in self.counts)

    @property
    def mean(self) -> float:
        """The mean score."""
        return sum(score * count for score, count in self.counts) / self.answers


@dataclass(frozen=True)
class Chapter:
    """Further figures of one family: subscriptions, satisfaction, customer service."""

    key: str
    title: Message
    kpis: tuple[Kpi, ...]
    reasons: Reasons | None = None
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True)
class FileRead:
    """What was read of one file."""

    name: str
    table: str
    rows_in: int
    rows_accepted: int
    rows_quarantined: int
    rows_duplicate: int
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Quality:
    """What was read, set aside and decided.

    Attributes:
        files: The files.
        counts: Facts about the tables, in words.
        decisions: What was decided on the way.
    """

    files: tuple[FileRead, ...]
    counts: tuple[Message, ...]
    decisions: tuple[Message, ...]

    @property
    def notes(self) -> tuple[Message, ...]:
        """Everything that was decided, for the files together and for each."""
        return (*self.decisions, *(note for file in self.files for note in file.notes))


@dataclass(frozen=True)
class Definition:
    """How a figure of the report is computed."""

    metric: str
    label: Message
    formula: Message
    source: str | None


@dataclass(frozen=True)
class Report:
    """A retention report.

    Attributes:
        title: What the company is called (None: not known).
        as_of: The last day that the data cover (None: the data have no dates).
        language: The language that it is written in unless another is asked for.
        currency: ISO 4217 currency of amounts (None: not known).
        sector: Key of the sector it is compared with.
        grain: Length of the headline periods.
        period: The period of the headline figures.
        span: First and last day of the data.
        rule: The activity rule in words.
        answers: The first two questions of the first screen; `actions` answer the third.
        headline: The headline figures by their address.
        trend: The retention rate by period, to be drawn.
        insights: Strengths, weaknesses and facts, the important first.
        actions: Three things to do, the important first.
        leavers: Who left over the last activity window.
        missing: Why a section is absent, by its name.
        has_orders: Whether the data hold orders, be they too few.
        warnings: What the reader must know before reading any figure.
        nearly_over: The day up to which the data must reach for the last period to count, where
            they lack but a few days (None: it counts, or much is lacking).
    """

    title: str | None
    as_of: dt.date | None
    language: str
    currency: str | None
    sector: str | None
    grain: Grain | None
    period: Period | None
    span: tuple[dt.date, dt.date] | None
    rule: Message | None
    answers: tuple[Answer, ...]
    headline: tuple[tuple[str, Kpi], ...]
    trend: Kpi | None
    insights: tuple[Insight, ...]
    actions: tuple[Action, ...]
    leavers: Leavers | None
    cohorts: CohortSection | None
    lifecycle: LifecycleSection | None
    rfm: RfmSection | None
    gaps: GapsSection | None
    what_if: WhatIf | None
    breakdowns: tuple[Breakdown, ...]
    chapters: tuple[Chapter, ...]
    quality: Quality
    definitions: tuple[Definition, ...]
    missing: Mapping[str, Message] = field(default_factory=dict)
    has_orders: bool = True
    warnings: tuple[Message, ...] = ()
    nearly_over: dt.date | None = None
