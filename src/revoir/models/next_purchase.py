"""The next purchase of each customer: its day with an interval, and who is overdue.

Purchases are days (docs/adr/0002). What a shop knows of its customers' rhythm is learned by
`revoir.models.rhythm`; how well that did in the past is told by `NextPurchases.record`, which hides
the last part of the data and holds what was expected against what came.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import Message, msg, nmsg
from revoir.models.gaps import Floats, History
from revoir.models.next_record import Record, back_test, overdue_of
from revoir.models.pace import STEADY, Pace, pace_of
from revoir.models.purchase_days import history_of, number_of, purchase_days
from revoir.models.rhythm import Expected, Rhythm, reason_against

if TYPE_CHECKING:
    import pyarrow as pa

HORIZON_DAYS_MAX = 365
"""Nobody plans for a purchase further away than a year."""
LIKELY = 0.5
"""From this probability on a purchase is likelier to come than not."""


@dataclass(frozen=True)
class NextPurchases:
    """What is expected of every customer who had bought by a day.

    Attributes:
        book: Where the customers come from.
        as_of: The day that is looked from.
        horizon_days: How far ahead is looked.
        coverage: Share of the next purchases within the horizon that the intervals hold.
        customers: One row a customer, by `customer_id`: `purchase_days`, `last_on`, `silent_days`
            (since the last purchase), `usual_days` (median gap, their own shrunk to that of all),
            `next_on`, `low_on`, `high_on` (the day of the next purchase if it comes within the
            horizon: median and interval), `returns` (probability that it does), `active`
            (probability of not having left), `silence` (probability that an active customer is
            silent for so long), `overdue` (whether that is below `next_record.OVERDUE` for someone
            who has come back before). Nulls where there is not enough data.
        rhythm: The model (None: there is not enough data).
        pace: What the days ahead are worth, by the same days a year ago.
        reason: Why there is none (None: there is one).
    """

    book: Book
    as_of: dt.date
    horizon_days: int
    coverage: float
    customers: pa.Table
    rhythm: Rhythm | None
    pace: Pace = STEADY
    reason: Message | None = None
    _history: History | None = None

    def due(self, days: int) -> pa.Table:
        """Customers who are likelier to buy within so many days than not.

        Args:
            days: How many days ahead.

        Returns:
            Their rows of `customers`, in the same order; none where there is not enough data. The
            day in `next_on` is that of a purchase if it comes: it alone says nothing of whether.
        """
        import pyarrow as pa

        if self.rhythm is None or self._history is None:
            return self.customers.slice(0, 0)
        within = self.rhythm.returns_within(self._history, self.pace.usual_days(days))
        return self.customers.filter(pa.array(within >= LIKELY))

    @cached_property
    def record(self) -> Record:
        """How well the same model did on the last part of the past."""
        key = f"next purchase record {self.as_of} {self.horizon_days}"
        return self.book.once(
            key, lambda: back_test(self.book, as_of=self.as_of, horizon_days=self.horizon_days)
        )


def next_purchases(
    book: Book,
    *,
    as_of: dt.date | None = None,
    horizon_days: int | None = None,
    coverage: float = 0.8,
) -> NextPurchases:
    """Say when each customer is likely to buy next, and who is overdue.

    Args:
        book: The company's tables.
        as_of: The day to look from; later purchases are not seen (None: the book's own).
        horizon_days: How far ahead to look (None: as far as the data reach back, a year at most).
        coverage: Share of the next purchases within the horizon that the intervals are to hold.

    Returns:
        A row a customer. With too few returns to read a rhythm from, `reason` says so.

    Raises:
        UsageError: The horizon or the coverage makes no sense, or there are no orders.
    """
    if not book.has("orders", "customer_id"):
        raise UsageError(
            msg("When customers buy next is told by the days of their orders, which are missing."),
            remedy=msg(
                "Bring orders that say who bought and on which day. Who may leave is foretold"
                " without them."
            ),
        )
    as_of = as_of or book.as_of
    if horizon_days is not None and horizon_days < 1:
        raise UsageError(
            nmsg("{n} day ahead is no future.", "{n} days ahead is no future.", horizon_days),
            remedy=msg("Give one day or more."),
        )
    if not 0 < coverage < 1:
        raise UsageError(
            msg("An interval cannot hold a share of {share}.", share=coverage),
            remedy=msg("Write 0.8 for 80%."),
        )
    key = f"next purchases {as_of} {horizon_days} {coverage}"
    return book.once(key, lambda: _expected(book, as_of, horizon_days, coverage))


def _expected(
    book: Book, as_of: dt.date, horizon_days: int | None, coverage: float
) -> NextPurchases:
    found = book.columns(purchase_days(book, as_of))
    history = history_of(found, as_of)
    horizon = horizon_days or _horizon(history)
    reason = reason_against(history)
    if reason is not None:
        table = _table(found, history, as_of, None)
        return NextPurchases(book, as_of, horizon, coverage, table, None, reason=reason)
    rhythm = Rhythm().fit(history)
    pace = pace_of(book, as_of)
    expected = rhythm.expect(history, horizon_days=horizon, coverage=coverage, pace=pace)
    table = _table(found, history, as_of, expected)
    return NextPurchases(book, as_of, horizon, coverage, table, rhythm, pace, _history=history)


def _horizon(history: History) -> int:
    """How far ahead the data let us look: as far as they reach back, a year at most."""
    return int(np.clip((history.recency + history.silence).max(initial=1), 1, HORIZON_DAYS_MAX))


def _table(
    found: pa.Table, history: History, as_of: dt.date, expected: Expected | None
) -> pa.Table:
    import pyarrow as pa

    n = len(history)
    nothing = np.full(n, np.nan)

    def numbers(values: Floats | None) -> pa.Array:
        held = nothing if values is None else values
        return pa.array(held, mask=np.isnan(held))

    def days(values: Floats | None) -> pa.Array:
        held = nothing if values is None else values + number_of(as_of)
        absent = np.isnan(held)
        whole = np.where(absent, 0, held).astype(np.int32)
        return pa.array(whole, pa.int32(), mask=absent).cast(pa.date32())

    columns = {
        "customer_id": found["customer_id"],
        "purchase_days": pa.array((history.frequency + 1).astype(np.int32)),
        "last_on": days(-history.silence),
        "silent_days": pa.array(history.silence.astype(np.int32)),
        "usual_days": numbers(expected.usual_days if expected else None),
        "next_on": days(expected.next if expected else None),
        "low_on": days(expected.low if expected else None),
        "high_on": days(expected.high if expected else None),
        "returns": numbers(expected.returns if expected else None),
        "active": numbers(expected.active if expected else None),
        "silence": numbers(expected.silence if expected else None),
        "overdue": pa.array(overdue_of(history, expected.silence))
        if expected
        else pa.nulls(n, pa.bool_()),
    }
    return pa.table(columns)
