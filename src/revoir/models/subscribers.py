"""Who subscribes or subscribed, since when and for how many months, as models of contracts see it.

A contract runs from the first day of a customer's first subscription to the last day of the last;
months are counted from the first day, and each month kept is a renewal.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from revoir.book import Book
from revoir.errors import InputError
from revoir.language import msg
from revoir.metrics.calendar import date
from revoir.metrics.contracts import said_to_have_left
from revoir.models.counts import Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa

Days = npt.NDArray[np.datetime64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Subscribers:
    """Subscribers on a day; arrays have one value a customer.

    Attributes:
        table: `customer_id` of each.
        periods: Months stayed; of one who has left, the month they left in, from 1.
        left: Whether each has left.
        monthly_amount: What each pays a month now (not a number: not known).
        paid: What each has paid so far, likewise: every contract on its first day and on that day
            of each month that it ran.
        start: First day of each (None: the data tell months of tenure, but no days).
        end: Day each left (not a time: has not).
    """

    table: pa.Table
    periods: Ints
    left: Bools
    monthly_amount: Floats
    paid: Floats
    start: Days | None = None
    end: Days | None = None

    def at(self, day: dt.date) -> tuple[Bools, Ints, Bools]:
        """As they stood at the end of an earlier day.

        Args:
            day: The day, where there are days.

        Returns:
            Whether each had subscribed by then; `periods` and `left` of those who had.
        """
        assert self.start is not None
        assert self.end is not None
        known = self.start <= np.datetime64(day)
        start, end = self.start[known], self.end[known]
        left = end <= np.datetime64(day)
        return known, _periods(start, np.where(left, end, np.datetime64(day)), left), left


def subscribers(book: Book) -> Subscribers:
    """Read the subscribers of a book.

    Args:
        book: The company's tables, subscriptions among them.

    Returns:
        All known customers who subscribe or subscribed by `as_of`, by `customer_id`.

    Raises:
        InputError: The book holds no subscriptions with a first day, or with months and departures.
    """
    if book.has("subscriptions", "started_at"):
        return _dated(book)
    if book.has("subscriptions", "tenure_months", "churned"):
        return _by_tenure(book)
    raise InputError(
        msg("There are no subscriptions in the data that say how long they lasted."),
        remedy=msg("Give each its first day and, where it ended, its last."),
    )


def _dated(book: Book) -> Subscribers:
    held = _with_amount(book.table("subscriptions"))
    begun = held.started_at.notnull() & (held.started_at <= date(book.as_of))
    held = held.filter(held.customer_id.notnull() & begun)
    ends = held.ended_at if "ended_at" in held.columns else ibis.null("date")
    held = held.mutate(start=held.started_at.cast("date"), end=ends.cast("date"))
    held = held.mutate(runs=held.end.isnull() | (held.end > date(book.as_of)))
    held = held.mutate(payments=_payments(held, date(book.as_of)))
    grouped = held.group_by("customer_id").aggregate(
        start=held.start.min(),
        end=held.end.max(),
        runs=held.runs.any(),
        monthly_amount=_paid(held, held.runs),
        paid=_paid_in_all(held, held.payments),
    )
    found = book.columns(grouped.order_by("customer_id"))
    left = ~_bools(found, "runs")
    start, end = (
        found[name].to_numpy(zero_copy_only=False).astype("datetime64[D]")
        for name in ("start", "end")
    )
    end[~left] = np.datetime64("NaT")
    until = np.where(left, end, np.datetime64(book.as_of))
    return Subscribers(
        found.select(["customer_id"]), _periods(start, until, left), left,
        _amounts(found, "monthly_amount"), _amounts(found, "paid"), start, end,
    )  # fmt: skip


def _by_tenure(book: Book) -> Subscribers:
    held = _with_amount(book.table("subscriptions"))
    known = held.tenure_months.notnull() & held.churned.notnull()
    held = held.filter(held.customer_id.notnull() & known)
    grouped = held.group_by("customer_id").aggregate(
        monthly_amount=_paid(held, ~held.churned),
        months=held.tenure_months.max().cast("int64"),
        paid=_paid_in_all(held, held.tenure_months),
    )
    said = said_to_have_left(book).rename(other_id="customer_id")
    told = grouped.join(said, grouped.customer_id == said.other_id).drop("other_id")
    found = book.columns(told.order_by("customer_id"))
    left = _bools(found, "left")
    months = found["months"].to_numpy().astype(np.int64)
    periods = np.where(left, np.maximum(months, 1), months)
    return Subscribers(
        found.select(["customer_id"]), periods, left, _amounts(found, "monthly_amount"),
        _amounts(found, "paid"),
    )  # fmt: skip


def _with_amount(held: ir.Table) -> ir.Table:
    known = "monthly_amount" in held.columns
    paid = held.monthly_amount.cast("float64") if known else ibis.null("float64")
    return held.mutate(amount=paid)


def _paid(held: ir.Table, runs: ir.BooleanValue) -> ir.Value:
    """What the subscriptions that run cost together; not known where one has no price."""
    unknown = (runs & held.amount.isnull()).any()
    return ibis.ifelse(unknown, ibis.null("float64"), held.amount.sum(where=runs))


def _payments(held: ir.Table, today: ir.DateValue) -> ir.Value:
    """How many months of a contract have begun by today, or by its last day."""
    until = ibis.ifelse(held.runs, today, held.end)
    months = 12 * (until.year() - held.start.year()) + until.month() - held.start.month()
    # Whoever leaves on the day of the month on which they pay does not pay once more.
    day, first = until.day(), held.start.day()
    begun = (day > first) | (held.runs & (day == first))
    return (months + ibis.ifelse(begun, 1, 0)).clip(lower=0)


def _paid_in_all(held: ir.Table, payments: ir.Value) -> ir.Value:
    """What all the subscriptions of a customer cost; not known where one has no price."""
    unknown = held.amount.isnull().any()
    return ibis.ifelse(unknown, ibis.null("float64"), (held.amount * payments).sum())


def _bools(found: pa.Table, name: str) -> Bools:
    values: Bools = found[name].to_numpy(zero_copy_only=False).astype(bool)
    return values


def _amounts(found: pa.Table, name: str) -> Floats:
    paid: Floats = found[name].to_numpy(zero_copy_only=False).astype(np.float64)
    return paid


def _periods(start: Days, until: Days, left: Bools) -> Ints:
    """Whole months from one day to another; a month begun counts for whoever left in it."""
    months = [day.astype("datetime64[M]") for day in (start, until)]
    first, last = (
        (day - month).astype(np.int64) for day, month in zip((start, until), months, strict=True)
    )
    whole = (months[1] - months[0]).astype(np.int64)
    used: Ints = np.where(left, np.maximum(whole + (last > first), 1), whole - (last < first))
    return used
