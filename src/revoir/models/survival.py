"""Time to churn: which share of customers is still there after so many days, and what shortens it.

Kaplan and Meier's estimate counts those who have not left yet for as long as they were watched,
rather than leaving them out or taking them for loyal. Cox's regression says by how much what was
known on the first day multiplies the rate of leaving.

Source:
    Kaplan & Meier (1958), JASA 53, 457–481; intervals: Kalbfleisch & Prentice (1980), The
    Statistical Analysis of Failure Time Data, section 1.3 (log-log of Greenwood's variance);
    log-rank test: Mantel (1966), Cancer Chemotherapy Reports 50, 163–170; Cox (1972), Journal of
    the Royal Statistical Society B 34, 187–220.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np

from revoir.book import Book
from revoir.language import Message, Number, msg, nmsg
from revoir.metrics.observed import missing_before, observed_from
from revoir.models.departures import Definition, Kind, definition_of
from revoir.models.hazards import Hazard, Hazards, hazards
from revoir.models.stays import DAYS, MONTHS, groups, stays
from revoir.models.validation import Estimate, Floats, Ints

GROUPS_MAX = 8
"""So many groups are told apart, the largest ones; the others are one."""
CUSTOMERS_MIN = 20
LEAVERS_MIN = 10
MARKS = {
    DAYS: (30, 91, 182, 365, 730, 1095, 1461, 1826),
    MONTHS: (1, 3, 6, 12, 24, 36, 48, 60, 72),
}
"""When the share that is still there is said in tables."""


@dataclass(frozen=True)
class Curve:
    """How many are still there after each time.

    Attributes:
        group: The group (None: all customers).
        customers: How many there are.
        left: How many of them left while they were watched.
        times: When somebody left, ascending.
        survival: The share still there after each of those times.
        low: Lower ends of the 95 % interval.
        high: Upper ends.
        watched: How long the customer who was watched longest was: later, nothing is known.
    """

    group: str | None
    customers: int
    left: int
    times: Ints
    survival: Floats
    low: Floats
    high: Floats
    watched: int

    def at(self, time: float) -> Estimate | None:
        """The share still there after a time; None where nobody was watched so long."""
        if time > self.watched:
            return None
        place = int(np.searchsorted(self.times, time, side="right")) - 1
        if place < 0:
            return Estimate(1.0, 1.0, 1.0)
        return Estimate(*(float(part[place]) for part in (self.survival, self.low, self.high)))

    @property
    def median(self) -> int | None:
        """The time after which no more than half are still there (None: more than half are)."""
        below = np.flatnonzero(self.survival <= 0.5)
        return int(self.times[below[0]]) if len(below) else None


@dataclass(frozen=True)
class Survival:
    """Time to churn.

    Attributes:
        definition: What leaving means.
        unit: "days" or "months".
        by: The column that customers are parted by (None: they are not).
        curves: One curve a group, the largest first; one of all customers where there is no group.
        log_rank_p: The probability that groups which leave alike differ so much (None: one group).
        hazards: What multiplies the rate of leaving (None: too few customers).
        reason: Why there is no curve (None: there is).
        observed_from: The day from which on customers are counted (None: from their first).
    """

    definition: Definition
    unit: str
    by: str | None
    curves: tuple[Curve, ...]
    log_rank_p: float | None
    hazards: Hazards | None
    reason: Message | None = None
    observed_from: dt.date | None = None

    @property
    def notes(self) -> tuple[Message, ...]:
        """What the reader must know to read the curves rightly."""
        found = [self._meaning]
        if self.observed_from is not None:
            found.append(missing_before(self.observed_from))
            found.append(msg("Each contract is counted from that day on."))
        if self.log_rank_p is not None:
            found.append(
                msg(
                    "The groups differ beyond chance (log-rank test, p {p}).", p=_p(self.log_rank_p)
                )
                if self.log_rank_p < 0.05
                else msg(
                    "The groups may differ by chance alone (log-rank test, p {p}).",
                    p=_p(self.log_rank_p),
                )
            )
        return tuple(found)

    @property
    def _meaning(self) -> Message:
        days = self.definition.window_days or 0
        match self.definition.kind:
            case Kind.PURCHASES:
                return nmsg(
                    "A customer is lost {n} day after a purchase that no other follows within that"
                    " time; before, nobody can be.",
                    "A customer is lost {n} days after a purchase that no other follows within"
                    " that time; before, nobody can be.",
                    days,
                )
            case Kind.VISITS:
                return nmsg(
                    "A customer is lost {n} day after a visit that no other follows within that"
                    " time; before, nobody can be.",
                    "A customer is lost {n} days after a visit that no other follows within that"
                    " time; before, nobody can be.",
                    days,
                )
            case Kind.SUBSCRIPTIONS:
                return msg("A customer is lost on the first day that no subscription runs.")
        return self.definition.text

    @property
    def marks(self) -> tuple[int, ...]:
        """When the share that is still there is said: as long as somebody was watched."""
        longest = max((curve.watched for curve in self.curves), default=0)
        by_act = self.definition.kind in (Kind.PURCHASES, Kind.VISITS)
        first = (self.definition.window_days or 0) if by_act else 0
        return tuple(mark for mark in MARKS[self.unit] if first <= mark <= longest)

    def records(self) -> list[dict[str, Any]]:
        """The curves as plain values, ready for JSON or CSV.

        Returns:
            One mapping a group and mark with `group`, `customers`, `left`, `median`, `unit`,
            `time`, `survival`, `low` and `high` (null where nobody was watched so long).
        """
        found = []
        for curve in self.curves:
            for mark in self.marks:
                share = curve.at(mark)
                found.append(
                    {
                        "group": curve.group,
                        "customers": curve.customers,
                        "left": curve.left,
                        "median": curve.median,
                        "unit": self.unit,
                        "time": mark,
                        "survival": share.value if share else None,
                        "low": share.low if share else None,
                        "high": share.high if share else None,
                    }
                )
        return found


def _p(value: float) -> Any:
    return msg("below 0.001") if value < 0.001 else Number(value, 3)


def survival(
    book: Book,
    *,
    by: str | None = None,
    kind: str | None = None,
    seed: int = 0,
) -> Survival:
    """Follow customers from their first day to the day they left.

    Args:
        book: The company's tables.
        by: A column that was known on the first day: of customers, of the first order
            (`first_channel`), of the subscription or the file.
        kind: What leaving is read from (see `revoir.models.churn.churn`).
        seed: Chooses the sample of very many customers that Cox's regression is fitted to.

    Returns:
        The curves, and hazard ratios of what was known on the first day.

    Raises:
        UsageError: The data do not hold what leaving is read from, or the column.
    """
    definition = definition_of(book, kind)
    table = stays(book, definition)
    if by is not None:
        lookup = groups(book, definition, by).rename(other_id="customer_id")
        table = table.left_join(lookup, table.customer_id == lookup.other_id).drop("other_id")
    unit = MONTHS if definition.kind is Kind.FILE else DAYS
    since = observed_from(book) if "entry" in table.columns else None
    counted = _counted(book, table, by is not None)
    reason = _too_few(counted)
    if reason is not None:
        return Survival(definition, unit, by, (), None, None, reason, since)
    named = _groups(counted)
    made = [_curve(counted, named, group) for group in dict.fromkeys(named)]
    curves = tuple(sorted(made, key=lambda one: (one.group == OTHERS, -one.customers)))
    found = hazards(book, definition, table, by, seed)
    test = _log_rank(counted, named)
    return Survival(definition, unit, by, curves, test, found, observed_from=since)


@dataclass(frozen=True)
class _Counts:
    """Equal stays counted together."""

    duration: Ints
    left: Ints
    n: Ints
    value: list[str | None]
    entry: Ints | None


def _counted(book: Book, table: Any, parted: bool) -> _Counts:
    late = "entry" in table.columns
    keys = ["duration", "left", *(["value"] if parted else []), *(["entry"] if late else [])]
    rows = book.columns(table.group_by(keys).aggregate(n=lambda t: t.count()))
    rows = rows.sort_by([(key, "ascending") for key in keys])
    return _Counts(
        rows["duration"].to_numpy().astype(np.int64),
        rows["left"].to_numpy().astype(np.int64),
        rows["n"].to_numpy().astype(np.int64),
        rows["value"].to_pylist() if parted else [None] * rows.num_rows,
        rows["entry"].to_numpy().astype(np.int64) if late else None,
    )


def _too_few(counted: _Counts) -> Message | None:
    customers, left = int(counted.n.sum()), int((counted.n * counted.left).sum())
    if customers < CUSTOMERS_MIN:
        return nmsg(
            "Not enough data: {n} customer; {least} are needed.",
            "Not enough data: {n} customers; {least} are needed.",
            customers,
            least=CUSTOMERS_MIN,
        )
    if left < LEAVERS_MIN:
        return nmsg(
            "Not enough data: {n} customer has left; {least} are needed.",
            "Not enough data: {n} customers have left; {least} are needed.",
            left,
            least=LEAVERS_MIN,
        )
    return None


OTHERS = "…"
UNKNOWN = "—"


def _groups(counted: _Counts) -> list[str | None]:
    """The group of each count, those of the largest group first."""
    sizes: dict[str | None, int] = {}
    for value, n in zip(counted.value, counted.n.tolist(), strict=True):
        sizes[value] = sizes.get(value, 0) + n
    if len(sizes) == 1:
        return counted.value
    ordered = sorted(sizes, key=lambda value: (-sizes[value], str(value)))
    named = {value: (UNKNOWN if value is None else value) for value in ordered[:GROUPS_MAX]}
    return [named.get(value, OTHERS) for value in counted.value]


def _curve(counted: _Counts, named: list[str | None], group: str | None) -> Curve:
    from lifelines import KaplanMeierFitter

    rows = np.array([name == group for name in named])
    duration, left, n = counted.duration[rows], counted.left[rows], counted.n[rows]
    entry = None if counted.entry is None else counted.entry[rows]
    fitter = KaplanMeierFitter(alpha=0.05).fit(duration, left, weights=n, entry=entry)
    times = np.unique(duration[left == 1])
    ends = fitter.confidence_interval_survival_function_
    low, high = (ends[column].reindex(times).to_numpy() for column in ends.columns)
    shares = fitter.survival_function_.iloc[:, 0].reindex(times).to_numpy()
    return Curve(
        group, int(n.sum()), int((n * left).sum()), times, shares,
        np.nan_to_num(low, nan=0.0), np.nan_to_num(high, nan=1.0), int(duration.max()),
    )  # fmt: skip


def _log_rank(counted: _Counts, named: list[str | None]) -> float | None:
    from lifelines.statistics import multivariate_logrank_test

    # With delayed entry the test is another one: Cox's regression tells the groups apart there.
    if len(set(named)) < 2 or counted.entry is not None:
        return None
    found = multivariate_logrank_test(
        counted.duration, [str(name) for name in named], counted.left, weights=counted.n
    )
    return float(found.p_value)


__all__ = ["Curve", "Hazard", "Hazards", "Survival", "survival"]
