"""What becomes of customers on any day, signal or not: what a signal has to beat.

Who has been silent for long leaves more often than who bought yesterday, and who bought once more
often than a regular customer, whatever any signal says. So a signal is held against all customers,
against those who had been silent for as long, and against those of them who had also bought about
as often.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from revoir.experiments.intervals import wilson
from revoir.metrics.calendar import date
from revoir.metrics.result import Figure
from revoir.signals.silences import silences

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.periods import Period

Ints = npt.NDArray[np.int64]

OFTEN = (2, 4, 8, 16)
"""From how many signs of life on a customer belongs to the next group: 1, 2–3, 4–7, 8–15, more."""


def how_often(nth: ir.IntegerValue) -> ir.IntegerValue:
    """The group of `OFTEN`, from 0, that customers belong to after so many signs of life."""
    return ibis.cases(*[(nth < most, group) for group, most in enumerate(OFTEN)], else_=len(OFTEN))


@dataclass(frozen=True)
class Baseline:
    """Silences as they were seen on the days of a period, by how long they had lasted.

    A silence is seen when it has lasted from `first` to `last` days, and its customer leaves within
    the horizon when it has lasted `leaves` days or more (one more than `last`: they do not).

    Attributes:
        period: The days.
        often: The group of `OFTEN` that the customers of each kind of silence belong to.
        first: The shortest length that silences of each kind are seen at, in days.
        leaves: The length from which on the customer leaves within the horizon.
        last: The longest length that they are seen at.
        count: How many silences of each kind there are.
    """

    period: Period
    often: Ints
    first: Ints
    leaves: Ints
    last: Ints
    count: Ints

    def everybody(self) -> Figure:
        """The share who leave within the horizon, over all active customers and days."""
        seen = self.last - self.first + 1
        left = self.last - self.leaves + 1
        total, gone = self.count @ seen, self.count @ left
        if not total:
            return Figure(self.period, True, None, 0.0, 0.0)
        share = gone / total
        spread = ((left - share * seen) / total) ** 2 @ self.count
        return self._figure(float(share), float(spread), float(gone), float(total))

    def as_silent(self, others: Mapping[tuple[int, int], int]) -> Figure:
        """The share who leave within the horizon, of customers silent for as long as others.

        Args:
            others: How many of the others there are of each group and with each number of days of
                silence.

        Returns:
            The share; its numerator is how many of the others would have left at that rate.
        """
        lengths: dict[tuple[int, int], int] = {}
        for (_, days), n in others.items():
            lengths[0, days] = lengths.get((0, days), 0) + n
        return self._matched(np.zeros_like(self.often), lengths)

    def alike(self, others: Mapping[tuple[int, int], int]) -> Figure:
        """The same of customers who had also given about as many signs of life.

        Args:
            others: As for `as_silent`.

        Returns:
            The share, likewise.
        """
        return self._matched(self.often, others)

    def _matched(self, group: Ints, others: Mapping[tuple[int, int], int]) -> Figure:
        n = sum(others.values())
        if not n:
            return Figure(self.period, True, None, 0.0, 0.0)
        # The lengths of each group on a stretch of their own of one line.
        size = int(max(self.last.max(initial=0), *(days for _, days in others))) + 2
        line = size * (len(OFTEN) + 1)
        first, leaves, last = (group * size + at for at in (self.first, self.leaves, self.last))
        seen, left = (
            np.cumsum(
                np.bincount(begins, self.count, line) - np.bincount(last + 1, self.count, line)
            )
            for begins in (first, leaves)
        )
        rate = left / np.maximum(seen, 1)
        weight = np.zeros(line)
        for (of, days), count in others.items():
            weight[of * size + days] = count / n
        share = float(weight @ rate)
        # What each silence adds to the estimate, linearised (Cochran 1977, section 2.11).
        each = weight / np.maximum(seen, 1)
        by_then, expected = (np.concatenate([[0.0], np.cumsum(x)]) for x in (each, each * rate))
        adds = by_then[last + 1] - by_then[leaves] - expected[last + 1] + expected[first]
        return self._figure(share, float(adds**2 @ self.count), share * n, float(n))

    def _figure(self, share: float, variance: float, above: float, below: float) -> Figure:
        """A share with the interval of as many independent cases as its variance stands for."""
        cases = float(self.count.sum())
        if variance > 0:
            cases = min(cases, share * (1 - share) / variance)
        low, high = wilson(share * cases, cases)
        return Figure(self.period, True, share, above, below, low, high)


def baseline(book: Book, period: Period, horizon_days: int) -> Baseline:
    """Look at all silences on the days of a period.

    Args:
        book: The company's tables.
        period: The days; the horizon after the last of them is over.
        horizon_days: Within how many days a departure counts.

    Returns:
        The silences, alike ones together.
    """
    rows = silences(book)
    first_day, last_day = date(period.start), date(period.end - dt.timedelta(days=1))
    ends = rows.gone_on.coalesce(rows.next_act)
    rows = rows.filter((rows.act <= last_day) & (ends.isnull() | (ends > first_day)))
    ends = rows.gone_on.coalesce(rows.next_act)
    first = ibis.greatest(first_day.delta(rows.act, unit="day"), 0)
    last = last_day.delta(rows.act, unit="day")
    last = ibis.least(last, (ends.delta(rows.act, unit="day") - 1).coalesce(last))
    soon = rows.gone_on.delta(rows.act, unit="day") - horizon_days
    never = rows.gone_on.isnull() | (soon > last)
    kinds = rows.select(
        often=how_often(rows.nth),
        first=first,
        leaves=ibis.ifelse(never, last + 1, ibis.greatest(soon, first)),
        last=last,
    )
    counted = book.columns(
        kinds.group_by("often", "first", "leaves", "last").aggregate(n=kinds.count())
    )
    names = ("often", "first", "leaves", "last", "n")
    return Baseline(period, *(counted[name].to_numpy().astype(np.int64) for name in names))
