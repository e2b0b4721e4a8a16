"""Alerts: a signal raised for one customer, once, until it is known what came of it.

An alert is raised on the first day of a silence (`revoir.signals.silences`) that the signal is
raised on, for a customer who is active on that day. It is closed on the first of these days:

- *left*: the customer counts as gone by the activity rule;
- *returned*: the customer gives a sign of life again;
- *over*: what raised it is no longer so (a contact is answered, a better score is given);
- *expired*: nothing of the kind within the horizon.

While it is open nothing else raises it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.errors import InputError
from revoir.language import Message
from revoir.metrics.boundaries import FAR
from revoir.metrics.calendar import date, days_later
from revoir.signals.registry import Case, Signal, Values, lacking, offered, signal_named, values_of
from revoir.signals.silences import horizon_days, nobody_to_follow, placed

if TYPE_CHECKING:
    from revoir.signals.record import Record

_PLACE = ("customer_id", "raised_on", "act", "next_act", "nth", "gone_on")
"""Columns that say where an alert stands."""


@dataclass(frozen=True)
class Alert:
    """A signal that is raised for one customer.

    Attributes:
        signal: The signal.
        customer_id: The customer.
        raised_on: The day that it was raised.
        reason: Why, in words, as of the day that is spoken on.
        facts: What the signal saw on the day that it was raised.
        bought_for: What the customer has bought for in all (None: not known, or in several
            currencies).
    """

    signal: Signal
    customer_id: Any
    raised_on: dt.date
    reason: Message
    facts: Mapping[str, Any]
    bought_for: Any = None


@dataclass(frozen=True, eq=False)
class Alerts:
    """The alerts of one signal, past and present.

    Attributes:
        book: Where the customers come from.
        signal: The signal.
        values: What its parameters are set to.
        horizon_days: Within how many days of an alert a departure proves it right.
        reason: Why there are none (None: there may be).
    """

    book: Book
    signal: Signal
    values: Values
    horizon_days: int
    reason: Message | None = None

    @cached_property
    def table(self) -> ir.Table:
        """Every alert that was ever raised.

        Returns:
            `customer_id`, `raised_on`, `act` and `next_act` (the signs of life before and after),
            `nth` (the number of the former), `gone_on` (when the customer counts as gone; null:
            they do not, as far as is known), `closed_on` (null: open), `closed_by` ("left",
            "returned", "over" or "expired"), and the facts of the signal.

        Raises:
            InputError: The book has not what the signal needs; `reason` says so.
        """
        if self.reason is not None:
            raise InputError(self.reason)
        settled = sorted(self.values.items())
        rule = f"{self.horizon_days} {self.book.settings.activity}"
        told = self.book.refusals
        rule += "" if told is None else f" {told.get_name()}"
        key = f"alerts {self.signal.name} {settled} {rule}"
        return self.book.cached(key, self._all())

    def _all(self) -> ir.Table:
        found, single = placed(self.book, self.signal.raised(self.book, self.values))
        if "over_on" not in found.columns:
            found = found.mutate(over_on=ibis.null("date"))
        last = found.raised_on
        if not single:
            found = _first_of_each(found, self.horizon_days)
            last = found.last_raised_on
        expires = days_later(last, self.horizon_days)
        closes = ibis.least(found.gone_on, found.next_act, found.over_on, expires)
        closed = closes <= date(self.book.as_of)
        by = ibis.cases(
            (~closed, ibis.null("string")),
            (closes == found.gone_on, "left"),
            (closes == found.next_act, "returned"),
            (closes == found.over_on, "over"),
            else_="expired",
        )
        facts = _facts(found)
        return found.select(
            *_PLACE,
            closed_on=ibis.ifelse(closed, closes, ibis.null("date")), closed_by=by,
            **{name: found[name] for name in facts},
        )  # fmt: skip

    @property
    def open(self) -> ir.Table:
        """The alerts that are open at the end of the book's last day."""
        table = self.table
        return table.filter(table.closed_on.isnull())

    @cached_property
    def count(self) -> int:
        """How many alerts are open."""
        return int(self.book.rows(self.open.aggregate(n=self.open.count()))[0]["n"])

    def listed(self, limit: int | None = None) -> list[Alert]:
        """The open alerts, those of the customers who bought for most first.

        Args:
            limit: How many at most (None: all).

        Returns:
            The alerts, each with its reason.
        """
        rows = self.open
        facts = _facts(rows)
        rows = rows.select("customer_id", "raised_on", *facts)
        worth = bought_for(self.book)
        if worth is None:
            rows = rows.mutate(bought__for=ibis.null("decimal(18, 4)"))
        else:
            rows = rows.left_join(worth, rows.customer_id == worth.whose).drop("whose")
        rows = rows.order_by(
            rows.bought__for.desc(nulls_first=False), rows.raised_on.desc(), rows.customer_id
        )
        if limit is not None:
            rows = rows.limit(limit)
        currency = self.book.currency
        found = []
        for row in self.book.rows(rows):
            seen = {name: row[name] for name in facts}
            reason = self.signal.reason(Case(seen, self.values, self.book.as_of, currency))
            found.append(
                Alert(
                    self.signal, row["customer_id"], row["raised_on"], reason, seen,
                    row["bought__for"],
                )
            )  # fmt: skip
        return found

    @cached_property
    def record(self) -> Record:
        """How often alerts like these were right in the past."""
        from revoir.signals.record import record_of

        return record_of(self)


def bought_for(book: Book) -> ir.Table | None:
    """What each customer has bought for in all.

    Args:
        book: The company's tables.

    Returns:
        `whose` and `bought__for`, one row a customer (None: it cannot be said, as nothing was
        bought, or in several currencies).
    """
    if not book.has("orders", "customer_id") or len(book.currencies) > 1:
        return None
    bought = book.purchases
    # One row a customer: of several purchases on the last day, one is followed by nothing.
    last = bought.filter(bought.next_day.isnull())
    return last.select(whose="customer_id", bought__for=last.amount_so_far)


def _facts(rows: ir.Table) -> list[str]:
    """The columns that the signal itself has put there."""
    known = (*_PLACE, "over_on", "last_raised_on", "closed_on", "closed_by")
    return [name for name in rows.columns if name not in known]


def _first_of_each(found: ir.Table, horizon: int) -> ir.Table:
    """One row an alert: what raises it again while it is open belongs to it.

    An alert stays open while what raised it goes on (`over_on` is not reached), or happens again
    within the horizon.
    """
    rows = _counted(
        found,
        "chain",
        ("customer_id", "act"),
        lambda row, before: row.raised_on.delta(before(row.raised_on), unit="day") >= horizon,
    )
    numbered = _counted(
        rows.mutate(lasts=rows.over_on.coalesce(date(FAR))),
        "alert",
        ("customer_id", "act", "chain"),
        lambda row, before: before(row.lasts) <= row.raised_on,
    )
    facts = {name: numbered[name].argmin(numbered.raised_on) for name in _facts(found)}
    lasting = numbered.over_on.isnull().any()
    alerts = numbered.group_by("customer_id", "act", "chain", "alert").aggregate(
        raised_on=numbered.raised_on.min(),
        last_raised_on=numbered.raised_on.max(),
        next_act=numbered.next_act.max(),
        nth=numbered.nth.max(),
        gone_on=numbered.gone_on.max(),
        over_on=ibis.ifelse(lasting, ibis.null("date"), numbered.over_on.max()),
        **facts,
    )
    return alerts.drop("chain", "alert")


def _counted(
    rows: ir.Table,
    name: str,
    keys: tuple[str, ...],
    opens: Callable[[ir.Table, Callable[[ir.Value], ir.Value]], ir.BooleanValue],
) -> ir.Table:
    """Number runs of rows in the order of days: a run ends where the next row opens another.

    `opens` is told the rows, and how to take the greatest of a column over all rows before each.
    """
    past = ibis.window(group_by=keys, order_by="raised_on", preceding=(None, 1))
    marked = rows.mutate(
        opens__run=opens(rows, lambda column: column.max().over(past)).fill_null(False)
    )
    so_far = ibis.cumulative_window(group_by=keys, order_by="raised_on")
    numbered = marked.mutate(**{name: marked.opens__run.cast("int32").sum().over(so_far)})
    return numbered.drop("opens__run")


def alerts_of(
    book: Book, name: str, given: Mapping[str, float] | None = None, *, horizon: int | None = None
) -> Alerts:
    """The alerts of a signal.

    Args:
        book: The company's tables, as they stood at the end of its last day.
        name: The signal's name or label.
        given: Its parameters, where they differ from the defaults.
        horizon: Within how many days of an alert a departure proves it right (None: the activity
            window; see `revoir.signals.silences.horizon_days`).

    Returns:
        The alerts; `reason` says why there are none where the data have not what they need.

    Raises:
        UsageError: There is no such signal or parameter, or a value or the horizon makes no sense.
    """
    signal = signal_named(name)
    values = values_of(signal, given)
    reason = lacking(book, signal) or nobody_to_follow(book)
    days = horizon_days(book, horizon)
    key = f"alerts of {signal.name} {sorted(values.items())} {days}"
    return book.once(key, lambda: Alerts(book, signal, values, days, reason))


def all_alerts(
    book: Book,
    given: Mapping[str, Mapping[str, float]] | None = None,
    *,
    horizon: int | None = None,
) -> Sequence[Alerts]:
    """The alerts of every signal whose tables a book holds.

    Args:
        book: The company's tables.
        given: Parameters by name of the signal, where they differ from the defaults.
        horizon: As for `alerts_of`.

    Returns:
        The alerts, in the order of the catalogue.

    Raises:
        UsageError: As for `alerts_of`.
    """
    settings = {signal_named(name).name: values for name, values in (given or {}).items()}
    return tuple(
        alerts_of(book, signal.name, settings.get(signal.name), horizon=horizon)
        for signal in offered(book)
    )


def watch_list(found: Sequence[Alerts], limit: int | None = None) -> list[Alert]:
    """Who is to be looked at now: the open alerts of several signals.

    Args:
        found: The alerts of each signal.
        limit: How many at most (None: all).

    Returns:
        The alerts, most at stake first: what the customer has bought for, times how often the
        signal was right in the past.
    """
    shares = {alerts.signal.name: alerts.record.precision.value or 0.0 for alerts in found}
    listed = [alert for alerts in found for alert in alerts.listed(limit)]

    def at_stake(alert: Alert) -> tuple[float, float]:
        share = shares[alert.signal.name]
        return share * float(alert.bought_for or 0), share

    # Those of one signal stand in their order already, and stay in it where as much is at stake.
    return sorted(listed, key=at_stake, reverse=True)[:limit]


def customers_of(found: Sequence[Alerts]) -> int:
    """How many customers have an open alert of one of several signals.

    Args:
        found: The alerts of each signal.
    """
    if not found:
        return 0
    each = [alerts.open.select("customer_id") for alerts in found]
    everybody = ibis.union(*each, distinct=True) if len(each) > 1 else each[0].distinct()
    return int(found[0].book.rows(everybody.aggregate(n=everybody.count()))[0]["n"])
