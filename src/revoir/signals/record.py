"""The record of a signal: how often its alerts were right, how early, and how often for nothing.

All alerts of the past are looked at, as they would have been raised day by day with only what was
known then. An alert was right when the customer left within the horizon: gave no further sign of
life, and counted as gone by the activity rule at most so many days later. Alerts whose horizon is
not over yet are left out, right or wrong: those that are soon answered would make the record look
worse than it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis

from revoir.experiments.intervals import poisson_interval, wilson
from revoir.language import Message, Percent, in_days, msg, nmsg
from revoir.metrics.calendar import date
from revoir.metrics.result import Figure, counted
from revoir.periods import Period
from revoir.signals.baseline import Baseline, baseline, how_often
from revoir.signals.registry import Signal
from revoir.signals.silences import horizon_days, silences
from revoir.tables import TABLES

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.signals.alerts import Alerts

ALERTS_MIN = 20
"""From fewer alerts than this no rate is told."""
HISTORY_DAYS = 730
"""Older alerts say little of today's customers."""


FIGURES = ("precision", "recall", "everybody", "as_silent", "alike", "false_per_week")
"""The figures of a record, by name."""

CLEARLY = 1.1
"""A signal tells more than something else when it is so many times as often right, or more."""

VERDICTS: dict[str, Message] = {
    "more": msg("The signal tells more than the silence and the number of purchases."),
    "silence": msg(
        "The signal tells more than the silence, but no more than that together with the number of"
        " purchases."
    ),
    "alike": msg(
        "These customers had bought often, and such customers seldom leave: among them, the signal"
        " tells more than the silence."
    ),
    "nothing": msg("The signal tells no more than the silence and the number of purchases."),
}
"""The verdicts in words."""

MUTED = msg("It raises no alerts unless you want them: they tell no more than the silence.")


@dataclass(frozen=True)
class Lead:
    """Days from an alert to the day that the customer counted as gone, over those who left.

    Attributes:
        median: Half had so many days or fewer.
        low: A quarter had so many or fewer.
        high: Three quarters had so many or fewer.
    """

    median: int
    low: int
    high: int


@dataclass(frozen=True)
class Record:
    """How a signal did in the past. Shares are figures with numerator, denominator and interval.

    Attributes:
        signal: The signal.
        horizon_days: Within how many days of an alert a departure proved it right.
        period: The days that the alerts were raised on (None: there are none to look at).
        alerts: How many were raised, whose horizon is over.
        right: How many of those customers left within it.
        pending: How many were raised since, whose horizon is not over yet.
        precision: The share of alerts that were right.
        recall: The share of departures that an alert had announced.
        everybody: The share of all active customers who left within the horizon of any day.
        as_silent: The same of customers who had been silent for as long as those with an alert.
        alike: The same of those who had also been customers for about as many purchases or visits.
        false_per_week: Alerts a week that were wrong.
        lead: How many days they left to act (None: nobody left after an alert).
        reason: Why there are no rates (None: there are).
    """

    signal: Signal
    horizon_days: int
    period: Period | None
    alerts: int
    right: int
    pending: int
    precision: Figure
    recall: Figure
    everybody: Figure
    as_silent: Figure
    alike: Figure
    false_per_week: Figure
    lead: Lead | None
    reason: Message | None = None

    @property
    def lift(self) -> float | None:
        """How many times as often customers left as others who had been silent for as long."""
        return _lift(self.precision, self.as_silent)

    @property
    def lift_alike(self) -> float | None:
        """The same against those of them who had also bought or come about as often."""
        return _lift(self.precision, self.alike)

    @property
    def verdict(self) -> str | None:
        """What the signal adds to what is plain anyway (None: that cannot be told).

        Returns:
            "more": customers with an alert clearly left more often than others silent for as long,
            and than those of them who had bought about as often; "silence": than the former only;
            "alike": than the latter only; "nothing": than neither.
        """
        if self.precision.low is None:
            return None
        beats_silent = _beats(self.precision, self.as_silent)
        beats_alike = _beats(self.precision, self.alike)
        if beats_silent:
            return "more" if beats_alike else "silence"
        return "alike" if beats_alike else "nothing"

    @property
    def muted(self) -> Message | None:
        """Why the signal raises no alerts by itself (None: it does).

        Of whoever waits for an answer one is told whatever the record, and of a signal whose record
        is not known it is not said that it tells nothing.
        """
        return MUTED if self.verdict == "nothing" and not self.signal.waits else None

    def sentence(self) -> Message:
        """The record in words."""
        if self.verdict is None:
            return self.reason or msg("Not enough data.")
        told = nmsg(
            "Of {n} alert, {right} was right ({share}; {low} to {high}): the customer left within"
            " {days}. Of others silent for as long, {silent} left; of those among them who had"
            " bought or come as often, {alike}.",
            "Of {n} alerts, {right} were right ({share}; {low} to {high}): the customer left within"
            " {days}. Of others silent for as long, {silent} left; of those among them who had"
            " bought or come as often, {alike}.",
            self.alerts,
            right=self.right,
            share=Percent(self.precision.value or 0.0, 0),
            low=Percent(self.precision.low or 0.0, 0),
            high=Percent(self.precision.high or 0.0, 0),
            days=in_days(self.horizon_days),
            silent=Percent(self.as_silent.value or 0.0, 0),
            alike=Percent(self.alike.value or 0.0, 0),
        )
        return msg("{record} {verdict}", record=told, verdict=VERDICTS[self.verdict])

    def plain(self, language: str = "en") -> dict[str, Any]:
        """The record as plain values, ready for JSON.

        Args:
            language: Of the sentences.

        Returns:
            A mapping; rates are mappings with `value`, `numerator`, `denominator`, `low`, `high`.
        """
        return {
            "signal": self.signal.name,
            "horizon_days": self.horizon_days,
            "from": self.period.start if self.period else None,
            "to": self.period.end if self.period else None,
            "alerts": self.alerts,
            "right": self.right,
            "pending": self.pending,
            **{
                name: _plain(getattr(self, name))
                for name in (
                    "precision",
                    "recall",
                    "everybody",
                    "as_silent",
                    "alike",
                    "false_per_week",
                )
            },
            "lift": self.lift,
            "lift_alike": self.lift_alike,
            "verdict": self.verdict,
            "muted": self.muted.text(language) if self.muted else None,
            "lead_days": None
            if self.lead is None
            else {"median": self.lead.median, "low": self.lead.low, "high": self.lead.high},
            "sentence": self.sentence().text(language),
            "reason": self.reason.text(language) if self.reason else None,
        }


def _lift(precision: Figure, others: Figure) -> float | None:
    if precision.value is None or not others.value:
        return None
    return precision.value / others.value


def _beats(precision: Figure, others: Figure) -> bool:
    """Whether alerts are clearly right more often than others leave: not by chance, nor by a hair.

    The others are so many more that what is not known of them does not matter beside the alerts.
    """
    assert precision.value is not None  # as the caller made sure of
    assert precision.low is not None
    rate = others.value or 0.0
    return precision.low > rate and precision.value >= CLEARLY * rate


def _plain(figure: Figure) -> dict[str, Any]:
    return {
        "value": figure.value,
        "numerator": counted(figure.numerator),
        "denominator": counted(figure.denominator),
        "low": figure.low,
        "high": figure.high,
    }


def record_of(alerts: Alerts) -> Record:
    """Hold the alerts of the past against what became of the customers.

    Args:
        alerts: The alerts of a signal.

    Returns:
        Its record; `reason` says why there are no rates where the data are too few.
    """
    book, signal = alerts.book, alerts.signal
    reason = alerts.reason or signal.no_past
    if reason is not None:
        return _without(alerts, reason)
    period, reason = _period(alerts)
    if period is None:
        return _without(alerts, reason)
    rows = _counted(alerts, period)
    past = [row for row in rows if row["when"] == "past"]
    right = {int(row["lead"]): 0 for row in past if row["lead"] is not None}
    silent: dict[tuple[int, int], int] = {}
    for row in past:
        kind = (int(row["often"]), int(row["silent"]))
        silent[kind] = silent.get(kind, 0) + int(row["n"])
        if row["lead"] is not None:
            right[int(row["lead"])] += int(row["n"])
    n, hits = sum(silent.values()), sum(right.values())
    found = _announced(alerts, period)
    departures = _departures(book, period, alerts.horizon_days)
    known = _baseline(book, period, alerts.horizon_days)
    enough = n >= ALERTS_MIN
    return Record(
        signal,
        alerts.horizon_days,
        period,
        n,
        hits,
        pending=sum(int(row["n"]) for row in rows if row["when"] == "since"),
        precision=_share(period, hits, n, enough),
        recall=_share(period, found, departures, enough and departures > 0),
        everybody=known.everybody(),
        as_silent=known.as_silent(silent),
        alike=known.alike(silent),
        false_per_week=_a_week(period, n - hits),
        lead=_lead(right) if hits else None,
        reason=None if enough else _too_few(n),
    )


def _period(alerts: Alerts) -> tuple[Period | None, Message | None]:
    """The days whose alerts are looked at; without any, why not.

    The horizon after the last one must be over. The first one must lie after the data that the
    signal looks at begin, and an activity window after all data begin: before that nobody knows
    who is a customer.
    """
    book, signal, horizon = alerts.book, alerts.signal, alerts.horizon_days
    end = book.as_of - dt.timedelta(days=horizon - 1)
    known = book.span[0] + dt.timedelta(days=horizon_days(book))
    begins = [known, end - dt.timedelta(days=HISTORY_DAYS)]
    reach = dt.timedelta(days=int(signal.reach_days(alerts.values)))
    for table in _tables(book, signal):
        first = _first_day(book, table)
        if first is not None:
            begins.append(first + reach)
    start = max(begins)
    if start < end:
        return Period(start, end), None
    return None, nmsg(
        "Not enough data: an alert is known to be right or wrong after {n} day, and those of this"
        " signal begin on {start}; the data end on {last}.",
        "Not enough data: an alert is known to be right or wrong after {n} days, and those of this"
        " signal begin on {start}; the data end on {last}.",
        horizon,
        start=start,
        last=book.as_of,
    )


def _tables(book: Book, signal: Signal) -> set[str]:
    """The tables that a signal looks at in a book."""
    from revoir.signals.registry import held

    ways = [needs for needs in signal.needs if held(book, needs)]
    names = {need.partition(".")[0] for needs in ways[:1] for need in needs}
    return names | {name for name in signal.uses if book.has(name)}


def _first_day(book: Book, name: str) -> dt.date | None:
    """The first day that a table tells of (None: it has no day)."""
    clock: str | None = "declined_on"
    if name == "refusals" and book.refusals is not None:
        table = book.refusals
    else:
        table = book.table(name)
        clock = TABLES[name].clock or ("started_at" if "started_at" in table.columns else None)
    if clock is None or clock not in table.columns:
        return None
    first = book.day_of(table[clock].min())
    day: dt.date | None = book.once(
        f"signals first day of {name}", lambda: book.rows(first.name("day").as_table())[0]["day"]
    )
    return day


def _counted(alerts: Alerts, period: Period) -> list[dict[str, Any]]:
    """Alerts by when they were raised, after what silence, and how long before a departure."""
    table, horizon = alerts.table, alerts.horizon_days
    lead = table.gone_on.delta(table.raised_on, unit="day")
    right = (lead <= horizon).fill_null(False)
    rows = table.select(
        often=how_often(table.nth),
        silent=table.raised_on.delta(table.act, unit="day"),
        lead=ibis.ifelse(right, lead, ibis.null("int64")),
        when=ibis.cases(
            (table.raised_on < date(period.start), "before"),
            (table.raised_on < date(period.end), "past"),
            else_="since",
        ),
    )
    return alerts.book.rows(
        rows.group_by("often", "silent", "lead", "when").aggregate(n=rows.count())
    )


def _announced(alerts: Alerts, period: Period) -> int:
    """How many departures an alert had announced; several alerts may have announced one."""
    table, horizon = alerts.table, alerts.horizon_days
    lead = table.gone_on.delta(table.raised_on, unit="day")
    right = (lead <= horizon).fill_null(False)
    known = table.filter(right & _known_departure(table, period, horizon, alerts.book))
    left = known.select("customer_id", "gone_on").distinct()
    return int(alerts.book.rows(left.aggregate(n=left.count()))[0]["n"])


def _known_departure(table: Any, period: Period, horizon: int, book: Book) -> Any:
    """Whether a customer left on a day that alerts of the period could have announced."""
    first = date(period.start + dt.timedelta(days=horizon))
    return ((table.gone_on >= first) & (table.gone_on <= date(book.as_of))).fill_null(False)


def _departures(book: Book, period: Period, horizon: int) -> int:
    """How many customers left on those days."""

    def count() -> int:
        rows = silences(book)
        left = rows.aggregate(n=_known_departure(rows, period, horizon, book).sum())
        return int(book.rows(left)[0]["n"] or 0)

    return book.once(f"signals departures {period} {horizon}", count)


def _baseline(book: Book, period: Period, horizon: int) -> Baseline:
    key = f"signals baseline {period} {horizon}"
    return book.once(key, lambda: baseline(book, period, horizon))


def _share(period: Period, part: int, whole: int, enough: bool) -> Figure:
    if not enough:
        return Figure(period, True, None, float(part), float(whole))
    low, high = wilson(part, whole)
    return Figure(period, True, part / whole, float(part), float(whole), low, high)


def _a_week(period: Period, wrong: int) -> Figure:
    weeks = period.days / 7
    low, high = poisson_interval(wrong)
    return Figure(period, True, wrong / weeks, float(wrong), weeks, low / weeks, high / weeks)


def _lead(days: Mapping[int, int]) -> Lead:
    return Lead(*(_quantile(sorted(days.items()), share) for share in (0.5, 0.25, 0.75)))


def _quantile(counts: Iterable[tuple[int, int]], share: float) -> int:
    """The smallest number of days that a share of the cases do not exceed."""
    counts = list(counts)
    wanted, seen = share * sum(n for _, n in counts), 0
    for days, n in counts:
        seen += n
        if seen >= wanted:
            return days
    return counts[-1][0]


def _too_few(n: int) -> Message:
    return nmsg(
        "Not enough data: the outcome of only one alert is known; {needed} are needed.",
        "Not enough data: the outcome of only {n} alerts is known; {needed} are needed.",
        n,
        needed=ALERTS_MIN,
    )


def _without(alerts: Alerts, reason: Message | None) -> Record:
    nothing = Figure(None, False, None)
    return Record(
        alerts.signal, alerts.horizon_days, None, 0, 0, 0,
        precision=nothing, recall=nothing, everybody=nothing, as_silent=nothing, alike=nothing,
        false_per_week=nothing, lead=None, reason=reason,
    )  # fmt: skip
