"""Customers as they stood on earlier days, and what they did next: what back-tests are made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from revoir.book import Book
from revoir.metrics.calendar import date
from revoir.metrics.summary import amounts_missing, priced_days
from revoir.models.counts import Counts, Floats, counted

if TYPE_CHECKING:
    import ibis.expr.types as ir

ORIGINS_MAX = 3
"""Days that a back-test looks from."""

HOLDOUT_DAYS_MIN = 28
"""A shorter time says little of the next year."""

MISSING_MAX = 0.01
"""Where more of the amounts after a day are missing, what came is not known well enough."""


@dataclass(frozen=True)
class Origin:
    """The customers known on a day; arrays have one value a customer.

    Attributes:
        day: The day.
        holdout_days: How many days after it are known.
        frequency: Repeat purchase days until the day.
        recency: Days from the first purchase to the last.
        T: Days from the first purchase to the day.
        before: Purchase days in as many days before the day as are known after it.
        after: Purchase days in the days after it.
        priced: Repeat purchase days until the day whose amounts are known.
        spent: Amount of them (None: not known).
        spent_before: Amount of the purchases in the days before it (None: not known).
        spent_after: Amount of those in the days after it (None: not known, or too many are
            missing).
        log_gaps: Sum of the logarithms of the gaps, in days, until the day.
    """

    day: dt.date
    holdout_days: int
    frequency: Floats
    recency: Floats
    T: Floats
    before: Floats
    after: Floats
    priced: Floats
    spent: Floats | None
    spent_before: Floats | None
    spent_after: Floats | None
    log_gaps: float

    @property
    def counts(self) -> Counts:
        """The histories, counted."""
        return counted(self.frequency, self.recency, self.T)

    @property
    def monetary_value(self) -> Floats | None:
        """Mean amount of the repeat purchase days where known (not a number without one)."""
        if self.spent is None:
            return None
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.priced > 0, self.spent / self.priced, np.nan)


def holdout(first: dt.date, last: dt.date, horizon_days: int) -> tuple[int, list[dt.date]]:
    """How long and from which days to test, the latest day first.

    The hold-out is as long as the horizon, or a third of the data where they are short; the days
    lie so far apart that no day is held out twice, and each has at least as long a past.

    Args:
        first: The first day of the data.
        last: Their last day.
        horizon_days: How far the answer is to look ahead.

    Returns:
        Days held out, and the days to look from; none where the data are too short.

    Examples:
        >>> holdout(dt.date(2021, 1, 1), dt.date(2023, 12, 31), 365)
        (364, [datetime.date(2023, 1, 1), datetime.date(2022, 1, 2)])
    """
    known = (last - first).days
    days = min(horizon_days, known // 3)
    if days < HOLDOUT_DAYS_MIN:
        return days, []
    count = min(ORIGINS_MAX, known // days - 1)
    return days, [last - dt.timedelta(days=days * (n + 1)) for n in range(count)]


def origins(book: Book, days: Sequence[dt.date], holdout_days: int) -> list[Origin]:
    """Look at the customers of a book from earlier days, in one scan.

    Args:
        book: The company's tables.
        days: The days to look from.
        holdout_days: How many days after each are looked at.

    Returns:
        One a day.
    """
    if not days:
        return []
    money = len(book.currencies) <= 1
    lacking = money and amounts_missing(book) > 0
    bought = priced_days(book) if lacking else book.purchases
    wanted: dict[str, Any] = {"first_day": bought.first_day.min()}
    if money:
        wanted["first_amount"] = bought.first_amount.max().cast("float64")
    for place, day in enumerate(days):
        wanted |= _seen_from(bought, day, holdout_days, place, money)
        if lacking:
            wanted |= _missing_from(bought, day, holdout_days, place)
    known = bought.first_day <= date(max(days))
    found = book.columns(bought.filter(known).group_by("customer_id").aggregate(**wanted))
    gaps = _log_gaps(book, days)
    columns = {
        name: found[name].to_numpy(zero_copy_only=False)
        for name in found.column_names
        if name != "customer_id"
    }
    return [
        _origin(columns, day, holdout_days, place, money, gaps[place])
        for place, day in enumerate(days)
    ]


def _seen_from(
    bought: ir.Table, day: dt.date, holdout_days: int, place: int, money: bool
) -> dict[str, Any]:
    """What one day asks of a customer's purchases."""
    length = dt.timedelta(days=holdout_days)
    until = bought.day <= date(day)
    seen: dict[str, Any] = {
        f"last_{place}": bought.day.max(where=until),
        f"bought_{place}": bought.nth.max(where=until),
        f"earlier_{place}": bought.nth.max(where=bought.day <= date(day - length)),
        f"later_{place}": bought.nth.max(where=bought.day <= date(day + length)),
    }
    if money:
        lately = until & (bought.day > date(day - length))
        soon = (bought.day > date(day)) & (bought.day <= date(day + length))
        for name, when in (("spent", until), ("before", lately), ("after", soon)):
            seen[f"{name}_{place}"] = bought.amount.sum(where=when).cast("float64")
    return seen


def _missing_from(bought: ir.Table, day: dt.date, holdout_days: int, place: int) -> dict[str, Any]:
    """What one day asks of the amounts, in a book that lacks some."""
    again = (bought.day <= date(day)) & (bought.nth > 1) & bought.amount.notnull()
    soon = (bought.day > date(day)) & (bought.day <= date(day + dt.timedelta(days=holdout_days)))
    return {
        f"priced_{place}": bought.nth.nunique(where=again),
        f"spent_{place}": bought.amount.sum(where=again).cast("float64"),
        f"orders_{place}": soon.sum(),
        f"missing_{place}": (soon & bought.amount.isnull()).sum(),
    }


def _origin(
    columns: dict[str, Any],
    day: dt.date,
    holdout_days: int,
    place: int,
    money: bool,
    log_gaps: float,
) -> Origin:
    def number(name: str) -> Floats:
        found: Floats = np.nan_to_num(columns[f"{name}_{place}"].astype(np.float64))
        return found

    bought = number("bought")
    known = bought > 0
    first = columns["first_day"].astype("datetime64[D]")
    last = columns[f"last_{place}"].astype("datetime64[D]")
    spent = spent_before = spent_after = None
    priced = (bought - 1)[known]
    if money:
        spent = (number("spent") - np.nan_to_num(columns["first_amount"]))[known]
        spent_before, spent_after = number("before")[known], number("after")[known]
    if f"priced_{place}" in columns:
        priced, spent = number("priced")[known], number("spent")[known]
        # What came can be held against what was foretold only where all of it is known.
        if number("missing").sum() > MISSING_MAX * number("orders").sum():
            spent_after = None
    return Origin(
        day=day,
        holdout_days=holdout_days,
        frequency=(bought - 1)[known],
        recency=(last - first).astype(np.float64)[known],
        T=(np.datetime64(day) - first).astype(np.float64)[known],
        before=(bought - number("earlier"))[known],
        after=(number("later") - bought)[known],
        priced=priced,
        spent=spent,
        spent_before=spent_before,
        spent_after=spent_after,
        log_gaps=log_gaps,
    )


def _log_gaps(book: Book, days: Sequence[dt.date]) -> list[float]:
    bought = book.purchases
    gaps = bought.filter(bought.previous_day < bought.day)
    log = gaps.day.delta(gaps.previous_day, unit="day").cast("float64").ln()
    sums = {f"sum_{place}": log.sum(where=gaps.day <= date(day)) for place, day in enumerate(days)}
    row = book.rows(gaps.aggregate(**sums))[0]
    return [float(row[name] or 0.0) for name in sums]
