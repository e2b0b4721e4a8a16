"""The pace of a shop: how fast customers come back at the time of the year that lies ahead.

Gaps alone know no calendar: a shop that sells at Christmas sees more returns before it than gaps
let expect, and a shop that grows on its customers sees more of them every year. Where the data
reach back two years, the same days a year ago tell by how much. The model is fitted to what was
known then, and for each of the twelve months that followed, p says how many usual days a day was
worth: with E the expected returns (the sum over customers not yet back of −log of the probability
that they would not come while they were waited for, at the pace p) and O those that came,

    D (O − E) / E = (log p − log q) / τ²,   D = dE / d log p.

The left side is the quasi-score of O, whose variance is about E. The right side draws p towards q,
the pace of the whole year, which is found likewise and drawn to 1: a few returns more or less than
expected move a small shop's pace by little, and so do late months, when whoever has not come back
has left as a rule, whatever the pace.

Source:
    Quasi-score: McCullagh & Nelder (1989), Generalized Linear Models, 2nd edition, section 9.2;
    expected events as sums of cumulative hazards: Breslow (1975), International Statistical Review
    43, 45–57.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from revoir.book import Book
from revoir.language import Message, msg
from revoir.models.gaps import HALF_DAY, Floats, History
from revoir.models.purchase_days import days_of, history_of, number_of, purchase_days

if TYPE_CHECKING:
    from revoir.models.rhythm import Rhythm

YEAR_DAYS = 365
"""How far back the days lie that the pace is read from, and how many there are."""
_MONTHS = 12
_YEARS_DIFFER = 0.2
"""Standard deviation of the logarithm of a year's pace: by a fifth, as a rule."""
_MONTHS_DIFFER = 0.3
"""The same of a month's pace within its year."""
_STEPS = 6
_NUDGE = 0.02
"""Step of log p that D is found with."""
_SAMPLE = 10_000
"""Customers that a pace is read from: with more, it no longer changes."""


@dataclass(frozen=True)
class Pace:
    """How many usual days the days ahead are worth.

    Attributes:
        days: Days ahead, from 0; between them a day is worth the same.
        usual: The usual days by then.
        customers: How many customers it was read from a year ago (0: from none).
        expected: How many of them were expected back by gaps alone.
        returned: How many came.
    """

    days: Floats
    usual: Floats
    customers: int = 0
    expected: float = 0.0
    returned: int = 0

    def usual_days(self, days: Floats | float) -> Floats:
        """What days ahead are worth; those beyond a year, what a year is worth on average.

        Examples:
            >>> Pace(np.array([0.0, 10.0]), np.array([0.0, 20.0])).usual_days(15.0).tolist()
            30.0
        """
        return _read(np.asarray(days, np.float64), self.days, self.usual)

    def days_ahead(self, usual: Floats) -> Floats:
        """After how many days so many usual days have gone by."""
        return _read(usual, self.usual, self.days)

    def sentence(self) -> Message | None:
        """What was allowed for, in words (None: nothing was)."""
        if not self.customers:
            return None
        return msg(
            "A year ago, {expected} of {n} customers would have been expected back within a year"
            " by their rhythm alone, and {returned} came; the pace of each month since is allowed"
            " for.",
            expected=round(self.expected),
            n=self.customers,
            returned=self.returned,
        )


def _read(at: Floats, known: Floats, values: Floats) -> Floats:
    beyond = np.maximum(at - known[-1], 0) * values[-1] / known[-1]
    found: Floats = np.interp(at, known, values) + beyond
    return found


STEADY = Pace(np.array([0.0, YEAR_DAYS]), np.array([0.0, YEAR_DAYS]))
"""The pace of a shop whose calendar is not known: every day is a usual one."""


def pace_of(book: Book, as_of: dt.date) -> Pace:
    """Read the pace of the days ahead from the same days a year ago.

    Args:
        book: The company's tables.
        as_of: The day that is looked from; later purchases are not seen.

    Returns:
        The pace; `STEADY` where the data reach back less than two years, or what was known a year
        ago is too little for a rhythm.
    """
    from revoir.models.rhythm import Rhythm, reason_against

    then = as_of - dt.timedelta(days=YEAR_DAYS)
    found = book.columns(purchase_days(book, then))
    history = history_of(found, then)
    known = (history.recency + history.silence).max(initial=0)
    if known < YEAR_DAYS or reason_against(history) is not None:
        return STEADY
    came = days_of(found, "next_day") - number_of(then)
    return measured(Rhythm().fit(history), history, np.where(came <= YEAR_DAYS, came, np.nan))


def measured(rhythm: Rhythm, history: History, came: Floats) -> Pace:
    """The pace of a year in which it is known who came back, and when.

    Args:
        rhythm: The rhythm as it was known before.
        history: The customers then.
        came: Days after which each came back (NaN: not within the year).

    Returns:
        The pace of each twelfth of the year.
    """
    customers, returned = len(history), int((~np.isnan(came)).sum())
    expected = float(rhythm.returns_within(history, YEAR_DAYS).sum())
    chosen = history.some(_SAMPLE, beside=came)
    seen = _Seen(rhythm, history.take(chosen), came[chosen])
    whole = seen.pace(0.0, YEAR_DAYS, 0.0, 1.0, _YEARS_DIFFER)
    days = np.round(np.arange(_MONTHS + 1) * YEAR_DAYS / _MONTHS)
    usual = np.zeros(_MONTHS + 1)
    for month in range(_MONTHS):
        start, end = days[month], days[month + 1]
        pace = seen.pace(start, end, usual[month], whole, _MONTHS_DIFFER)
        usual[month + 1] = usual[month] + pace * (end - start)
    return Pace(days, usual, customers, expected, returned)


@dataclass(frozen=True)
class _Seen:
    rhythm: Rhythm
    history: History
    came: Floats

    def pace(self, start: float, end: float, worth: float, prior: float, apart: float) -> float:
        """The pace between two days of which the first is worth so many usual days."""
        waiting = np.flatnonzero(~(self.came <= start))
        history, came = self.history.take(waiting), self.came[waiting]
        back = came <= end
        waited = np.where(back, came - HALF_DAY, end) - start
        before = self._hazard(history, np.full(len(waiting), worth))
        returned = float(back.sum())

        def expected(log_pace: float) -> float:
            usual = worth + np.exp(log_pace) * waited
            return max(float((self._hazard(history, usual) - before).sum()), 1e-9)

        centre, precision = np.log(prior), apart**-2
        found = centre
        for _ in range(_STEPS):
            here = expected(found)
            slope = (expected(found + _NUDGE) - here) / _NUDGE
            pull = slope * (returned - here) / here - (found - centre) * precision
            # Far from the summit a whole step leads astray.
            found += float(np.clip(pull / (slope**2 / here + precision), -0.5, 0.5))
        return float(np.exp(found))

    def _hazard(self, history: History, usual: Floats) -> Floats:
        returns = self.rhythm.returns_within(history, usual)
        found: Floats = -np.log1p(-np.minimum(returns, 1 - 1e-12))
        return found
