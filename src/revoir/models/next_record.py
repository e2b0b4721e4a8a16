"""The record of next purchases: the last part of the past is hidden, expected, and looked at."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revoir.book import Book
from revoir.experiments.intervals import Interval, wilson
from revoir.language import Message, Number, Percent, msg, nmsg
from revoir.models.gaps import Floats, History
from revoir.models.pace import Pace, pace_of
from revoir.models.purchase_days import (
    days_of,
    history_of,
    number_of,
    purchase_days,
    usual_gap,
)
from revoir.models.rhythm import Expected, Rhythm, reason_against

OVERDUE = 0.1
"""A customer is overdue when fewer active ones in ten would be silent for so long."""
HELD_OUT_DAYS_MIN = 14
"""A shorter stretch hidden from the model is no test of it."""
LEVELS = (0.8, 0.9)
"""The shares of the intervals that the record tests."""


@dataclass(frozen=True)
class Covered:
    """How many next purchases lay inside their interval.

    Attributes:
        level: The share that should.
        inside: How many did.
        n: How many there were.
    """

    level: float
    inside: int
    n: int

    @property
    def share(self) -> float:
        """The share that did."""
        return self.inside / self.n

    @property
    def interval(self) -> Interval:
        """The 95 % interval of that share."""
        return wilson(self.inside, self.n)


@dataclass(frozen=True)
class Awaited:
    """Customers who were expected back within some days, and those who came.

    Attributes:
        days: Days after the cut-off.
        expected: How many were expected to have come back by then.
        returned: How many had.
    """

    days: int
    expected: float
    returned: int


@dataclass(frozen=True)
class Record:
    """How the model did on a stretch of the past that was hidden from it.

    Attributes:
        cutoff: The last day that the model knew.
        until: The last day that it was held against.
        customers: Customers known at the cut-off.
        awaited: Expected and actual returns after a quarter, half and all of the hidden days.
        covered: Whether the interval held the day of those who came back.
        error_days: Median absolute error of that day: "model", "own_mean" (the customer's mean gap
            after the last purchase; the shop's median gap where there is none) and "shop_median".
        overdue: How many were overdue at the cut-off.
        overdue_returned: How many of them came back.
        on_time_returned: How many came back of the others who had come back before.
        on_time: How many of those there were.
        reason: Why there is no record (None: there is one).
    """

    cutoff: dt.date
    until: dt.date
    customers: int = 0
    awaited: tuple[Awaited, ...] = ()
    covered: tuple[Covered, ...] = ()
    error_days: dict[str, float] | None = None
    overdue: int = 0
    overdue_returned: int = 0
    on_time: int = 0
    on_time_returned: int = 0
    reason: Message | None = None

    @property
    def beats_rules(self) -> bool | None:
        """Whether the day was nearer than by both simple rules (None: not tested)."""
        if self.error_days is None:
            return None
        rules = (self.error_days["own_mean"], self.error_days["shop_median"])
        return self.error_days["model"] < min(rules)

    def sentences(self) -> list[Message]:
        """The record in words."""
        if self.reason is not None or self.error_days is None:
            return [self.reason] if self.reason is not None else []
        last = self.awaited[-1]
        told = [
            msg(
                "Tested on the past: with nothing known after {cutoff}, {expected} of {n} customers"
                " were expected back within {days} days, and {returned} came.",
                cutoff=self.cutoff,
                expected=round(last.expected),
                n=self.customers,
                days=last.days,
                returned=last.returned,
            )
        ]
        told += [
            msg(
                "Of the {n} who came, {share} (between {low} and {high}) did so within the interval"
                " of {level}.",
                n=one.n,
                share=Percent(one.share),
                low=Percent(one.interval[0]),
                high=Percent(one.interval[1]),
                level=Percent(one.level, 0),
            )
            for one in self.covered
        ]
        told.append(
            msg(
                "The day was wrong by {model} days at the median; by the customer's own mean gap it"
                " would have been {own}, by the usual gap of the shop {shop}.",
                model=Number(self.error_days["model"]),
                own=Number(self.error_days["own_mean"]),
                shop=Number(self.error_days["shop_median"]),
            )
        )
        if not self.beats_rules:
            rules = (self.error_days["own_mean"], self.error_days["shop_median"])
            told.append(
                msg("A simple rule says the day better here.")
                if min(rules) < self.error_days["model"]
                else msg("A simple rule says the day as well here.")
            )
        if self.overdue and self.on_time:
            told.append(
                msg(
                    "Of {overdue} who were overdue then, {share} came back; of {on_time} regular"
                    " customers who were not, {other}.",
                    overdue=self.overdue,
                    share=Percent(self.overdue_returned / self.overdue),
                    on_time=self.on_time,
                    other=Percent(self.on_time_returned / self.on_time),
                )
            )
        return told


def back_test(book: Book, *, as_of: dt.date | None = None, horizon_days: int) -> Record:
    """Hide the last part of the past, expect it, and hold what came against it.

    A quarter of the time that the data cover is hidden, `horizon_days` at most. The intervals
    tested are those of purchases that come before its end, so that the customers who did come back
    by then are the ones to test them on.

    Args:
        book: The company's tables.
        as_of: The last day that counts (None: the book's own).
        horizon_days: How many days to hide at most.

    Returns:
        The record; its `reason` says why there is none where the data are too few.
    """
    as_of = as_of or book.as_of
    first = book.rows(book.purchases.aggregate(day=book.purchases.day.min()))[0]["day"]
    covered = max((as_of - first).days, 0) if first is not None else 0
    hidden = min(horizon_days, covered // 4)
    cutoff = as_of - dt.timedelta(days=hidden)
    if horizon_days < HELD_OUT_DAYS_MIN <= covered // 4:
        # The data would do; it is the question that is too near.
        reason = nmsg(
            "One day ahead is too near to test what was expected: that takes {needed} days.",
            "{n} days ahead are too near to test what was expected: that takes {needed} days.",
            horizon_days,
            needed=HELD_OUT_DAYS_MIN,
        )
        return Record(cutoff, as_of, reason=reason)
    if hidden < HELD_OUT_DAYS_MIN:
        reason = nmsg(
            "The data cover only one day: too short a time to test what was expected.",
            "The data cover only {n} days: too short a time to test what was expected.",
            covered,
        )
        return Record(cutoff, as_of, reason=reason)
    found = book.columns(purchase_days(book, cutoff))
    history = history_of(found, cutoff)
    if reason_against(history) is not None:
        reason = msg(
            "Before {cutoff} there is not enough data to test what was expected.", cutoff=cutoff
        )
        return Record(cutoff, as_of, reason=reason)
    came = days_of(found, "next_day") - number_of(cutoff)
    came = np.where(came <= hidden, came, np.nan)
    usual = usual_gap(book, cutoff)
    pace = pace_of(book, cutoff)
    return _held_against(history, came, hidden, Record(cutoff, as_of), usual, pace)


def _held_against(
    history: History, came: Floats, hidden: int, blank: Record, usual_days: float, pace: Pace
) -> Record:
    """What was expected at the cut-off, and what came."""
    rhythm = Rhythm().fit(history)
    back = ~np.isnan(came)
    if not back.any():
        reason = msg("Nobody came back after {cutoff}.", cutoff=blank.cutoff)
        return Record(blank.cutoff, blank.until, len(history), reason=reason)
    overdue = overdue_of(history, rhythm.silence(history))
    on_time = (history.frequency > 0) & ~overdue
    # Days and intervals are told, and held against the truth, of those alone who came back.
    theirs, days = history.take(np.flatnonzero(back)), came[back]
    expected = {
        level: rhythm.expect(theirs, horizon_days=hidden, coverage=level, pace=pace)
        for level in LEVELS
    }
    own = np.where(
        theirs.frequency > 0, theirs.recency / np.maximum(theirs.frequency, 1), usual_days
    )
    said = {
        "model": expected[LEVELS[0]].next,
        "own_mean": np.clip(own - theirs.silence, 1, hidden),
        "shop_median": np.clip(usual_days - theirs.silence, 1, hidden),
    }
    return Record(
        cutoff=blank.cutoff,
        until=blank.until,
        customers=len(history),
        awaited=tuple(
            Awaited(
                by,
                float(rhythm.returns_within(history, pace.usual_days(by)).sum()),
                int((came <= by).sum()),
            )
            for by in (hidden // 4, hidden // 2, hidden)
        ),
        covered=tuple(_covered(level, one, days) for level, one in expected.items()),
        error_days={name: float(np.nanmedian(np.abs(day - days))) for name, day in said.items()},
        overdue=int(overdue.sum()),
        overdue_returned=int((overdue & back).sum()),
        on_time=int(on_time.sum()),
        on_time_returned=int((on_time & back).sum()),
    )


def _covered(level: float, expected: Expected, days: Floats) -> Covered:
    inside = (expected.low <= days) & (days <= expected.high)
    return Covered(level, int(inside.sum()), len(days))


def overdue_of(history: History, silence: Floats) -> npt.NDArray[np.bool_]:
    """Who has come back before and is silent as hardly any active customer like them would be."""
    return (history.frequency > 0) & (silence < OVERDUE)
