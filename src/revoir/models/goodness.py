"""Goodness of fit: what a model expects beside what happened, by frequency and by week."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from revoir.book import Book
from revoir.language import Message, Number, msg
from revoir.metrics.calendar import date
from revoir.models.choosing import fit_in_unit, model_named
from revoir.models.clv import UNITS, Clv
from revoir.models.counts import Counts, Ints
from revoir.models.origins import origins
from revoir.models.transactions import TransactionModel


@dataclass(frozen=True)
class FrequencyRow:
    """Customers with one number of repeat purchases.

    Attributes:
        frequency: The number.
        or_more: Whether those with more are counted too.
        actual: How many customers there are.
        expected: How many the model expects.
    """

    frequency: int
    or_more: bool
    actual: float
    expected: float


@dataclass(frozen=True)
class WeekRow:
    """The repeat purchases of one week.

    Attributes:
        start: Its first day.
        complete: Whether the data cover it to its end.
        held_out: Whether it lies after the time the model was fitted to.
        actual: Repeat purchase days.
        expected: Those that the model expects.
        actual_so_far: All of them up to the end of the week.
        expected_so_far: Likewise.
    """

    start: dt.date
    complete: bool
    held_out: bool
    actual: float
    expected: float
    actual_so_far: float
    expected_so_far: float


@dataclass(frozen=True)
class Goodness:
    """How a model fits, and how it did on weeks that it had not seen.

    Attributes:
        label: What people call the model.
        by_frequency: Customers by number of repeat purchases.
        by_week: Repeat purchases week by week, of the model as fitted to all that is known.
        until: The last day that the model of `tracked` was fitted to (None: the data are too short
            to hold any week out).
        tracked: Repeat purchases of the customers of that day, week by week, those after it held
            out (none where nothing is).
    """

    label: str
    by_frequency: Sequence[FrequencyRow]
    by_week: Sequence[WeekRow]
    until: dt.date | None
    tracked: Sequence[WeekRow]

    @property
    def shown(self) -> Sequence[WeekRow]:
        """The weeks to be drawn: with those held out, where there are any."""
        return self.tracked or self.by_week

    def sentence(self) -> Message | None:
        """What was expected of the weeks held out, and what came (None: there are none)."""
        if self.until is None:
            return None
        held = [row for row in self.tracked if row.held_out]
        return msg(
            "Fitted to what was known by {day}, {model} expects {expected} repeat purchases of the"
            " customers of then in the weeks after it; {actual} came.",
            day=self.until,
            model=self.label,
            expected=Number(sum(row.expected for row in held), 0),
            actual=Number(sum(row.actual for row in held), 0),
        )

    def record(self) -> dict[str, Any]:
        """As plain values, ready for JSON once days are written."""
        return {
            "by_frequency": [vars(row) for row in self.by_frequency],
            "by_week": [vars(row) for row in self.by_week],
            "hold_out": None
            if self.until is None
            else {"until": self.until, "by_week": [vars(row) for row in self.tracked]},
        }


def goodness(book: Book, found: Clv) -> Goodness | None:
    """How the model of purchases fits, and how it tracks weeks that it was not fitted to.

    Args:
        book: The company's tables.
        found: What its customers will bring in.

    Returns:
        The fit; weeks are held out after the latest day of the back-test. None without a model.
    """
    model, choice = found.model, found.choice
    if model is None or choice is None:
        return None
    days = UNITS[found.unit]
    until, tracked = None, []
    if choice.backtest is not None:
        until = choice.backtest.days[0]
        (then,) = origins(book, [until], choice.backtest.holdout_days)
        before = fit_in_unit(
            model_named(model.name), then.counts, log_gaps=then.log_gaps, unit_days=days
        )
        tracked = tracking(book, before, unit_days=days, until=until)
    return Goodness(
        str(model.label),
        by_frequency(model, found.histories),
        tracking(book, model, unit_days=days),
        until,
        tracked,
    )


def by_frequency(model: TransactionModel, counts: Counts, most: int = 7) -> list[FrequencyRow]:
    """How many customers bought again 0, 1, …, `most` times or more.

    Args:
        model: A fitted model.
        counts: The histories, in its unit of time.
        most: The last number, which stands for those above it too.

    Returns:
        One row a number.
    """
    ages, at = np.unique(counts.T, return_inverse=True)
    customers = np.bincount(at, counts.n)
    expected = customers @ model.chances(ages, most - 1)
    actual = np.bincount(np.minimum(counts.x, most).astype(np.int64), counts.n, most + 1)
    rest = counts.customers - float(expected.sum())
    return [
        FrequencyRow(x, x == most, float(actual[x]), float(expected[x]) if x < most else rest)
        for x in range(most + 1)
    ]


def tracking(
    book: Book, model: TransactionModel, *, unit_days: int = 1, until: dt.date | None = None
) -> list[WeekRow]:
    """Follow the repeat purchases of all customers week by week.

    Args:
        book: The company's tables.
        model: A model fitted to its customers.
        unit_days: Days in the model's unit of time.
        until: The last day that the model was fitted to (None: the book's own): customers who came
            later are left out, and the weeks after it are held out.

    Returns:
        One row a week, counted from the day of the first purchase.
    """
    until = until or book.as_of
    bought = book.purchases
    known = bought.filter(bought.first_day <= date(until))
    first_days = known.filter(known.previous_day.isnull()).group_by(day="first_day")
    joined = book.columns(first_days.aggregate(n=lambda t: t.count()))
    again = known.filter((known.day > known.first_day) & (known.previous_day < known.day))
    returned = book.columns(again.group_by("day").aggregate(n=lambda t: t.count()))
    first = joined["day"].to_numpy().astype("datetime64[D]").min()
    last = int((np.datetime64(book.as_of) - first).astype(np.int64))
    new, back = (_by_day(found, first, last) for found in (joined, returned))

    ends = np.minimum(np.arange(7, last + 8, 7), last + 1)  # days seen by the end of each week
    # Within its first day a customer has been followed for no time at all.
    grown = np.concatenate(
        [[0.0], model.expected_purchases_of_new(np.arange(1, last + 1) / unit_days)]
    )
    expected = np.array([float(new[:end] @ grown[:end][::-1]) for end in ends])
    actual = np.cumsum(back)[ends - 1]
    rows, before = [], (0.0, 0.0)
    for week, end in enumerate(ends.tolist()):
        start = first.item() + dt.timedelta(days=7 * week)
        here = (float(actual[week]), float(expected[week]))
        rows.append(
            WeekRow(
                start, end == 7 * (week + 1), start > until, here[0] - before[0],
                here[1] - before[1], *here,
            )
        )  # fmt: skip
        before = here
    return rows


def _by_day(found: object, first: np.datetime64, last: int) -> Ints:
    """How many there are on each day from the first."""
    table: dict[str, np.ndarray] = {
        name: found[name].to_numpy()  # type: ignore[index] # an Arrow table
        for name in ("day", "n")
    }
    place = (table["day"].astype("datetime64[D]") - first).astype(np.int64)
    days: Ints = np.bincount(place, table["n"], last + 1)
    return days
