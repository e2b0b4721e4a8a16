"""The purchase days of customers, as the models of their rhythm take them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from revoir.book import Book
from revoir.metrics.activity import Gaps
from revoir.metrics.calendar import date
from revoir.models.gaps import Floats, History

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa


def purchase_days(book: Book, as_of: dt.date) -> ir.Table:
    """What the purchase days of every customer until a day say of their gaps.

    Args:
        book: The company's tables.
        as_of: The last day that counts.

    Returns:
        One row a customer, by `customer_id`: `frequency` (purchase days after the first),
        `first_day`, `last_day`, `log_sum` and `log_squares` (sums of the logarithms of the gaps in
        days, and of their squares; null without a gap), and `next_day`, the first purchase after
        `as_of` (null: there is none, or it is not known yet).
    """
    bought = book.purchases
    known = bought.filter(bought.day <= date(as_of))
    # Of two purchases on one day the second stands no days after the first: that is no gap.
    gap = known.day.delta(known.previous_day, unit="day").cast("float64").nullif(0)
    days = known.select(
        "customer_id", "nth", "first_day", "day", log=gap.ln(), later=known.next_day
    )
    return (
        days.group_by("customer_id")
        .aggregate(
            frequency=days.nth.max() - 1,
            first_day=days.first_day.min(),
            last_day=days.day.max(),
            log_sum=days.log.sum(),
            log_squares=(days.log * days.log).sum(),
            next_day=days.later.max(where=days.later > date(as_of)),
        )
        .order_by("customer_id")
    )


def history_of(found: pa.Table, as_of: dt.date) -> History:
    """The rows of `purchase_days` as the models take them."""
    first, last = days_of(found, "first_day"), days_of(found, "last_day")
    return History(
        frequency=found["frequency"].to_numpy().astype(np.float64),
        recency=last - first,
        log_sum=_filled(found, "log_sum"),
        log_squares=_filled(found, "log_squares"),
        silence=number_of(as_of) - last,
    )


def days_of(found: pa.Table, name: str) -> Floats:
    """Days as numbers from 1970; NaN where there is none."""
    days: Floats = found[name].cast("date32").cast("int32").to_numpy().astype(np.float64)
    return days


def _filled(found: pa.Table, name: str) -> Floats:
    """Sums of logarithms; engines add up in any order, which shows in the last digits alone."""
    filled: Floats = found[name].fill_null(0).to_numpy().astype(np.float64).round(9)
    return filled


def number_of(day: dt.date) -> int:
    """A day as a number from 1970."""
    return (day - dt.date(1970, 1, 1)).days


def usual_gap(book: Book, as_of: dt.date) -> float:
    """The median gap of the shop until a day."""
    bought = book.purchases
    gaps = bought.filter((bought.day <= date(as_of)) & (bought.previous_day < bought.day))
    days = gaps.day.delta(gaps.previous_day, unit="day")
    counted = gaps.select(days=days).group_by("days").aggregate(n=lambda t: t.count())
    rows = book.rows(counted)
    return float(Gaps({int(row["days"]): int(row["n"]) for row in rows}).quantile(0.5))
