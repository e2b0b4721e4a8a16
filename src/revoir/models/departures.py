"""Who could leave after a day, and who did: the definition of churn that models learn from.

One definition a book, said wherever a figure is shown:

- **purchases**: who bought within the activity window before a day, and buys nothing within as
  many days after it. The churn rate of a period as long as the window counts the same customers.
- **visits**: the same with events, where there are no orders.
- **subscriptions**: who has a running subscription at the end of a day, and none some days later.
- **file**: one row a customer that says who left; it has no days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import Message, msg, nmsg
from revoir.metrics.activity import activity, propose
from revoir.metrics.contracts import telling, with_ends
from revoir.models.features.compute import beside
from revoir.models.features.declaration import KEYS, Moments, days_since, lately
from revoir.models.features.subscriptions import started
from revoir.visits import visits

HORIZON_DAYS = 92
"""A subscription is looked ahead at for a quarter, unless the user says otherwise."""
CUTOFFS_MAX = 6
"""Days to learn from: more of them tell little more, as the same customers come again."""
STEP_DAYS_MIN = 14


class Kind(StrEnum):
    """What leaving is read from."""

    PURCHASES = "purchases"
    VISITS = "visits"
    SUBSCRIPTIONS = "subscriptions"
    FILE = "file"


@dataclass(frozen=True)
class Definition:
    """What leaving means.

    Attributes:
        kind: What it is read from.
        window_days: How many days after a cut-off show who left (None: the file says it).
        reason: How the window was found (None: nothing more to say).
    """

    kind: Kind
    window_days: int | None
    reason: Message | None = None

    @property
    def text(self) -> Message:
        """The definition in a sentence."""
        days = self.window_days or 0
        match self.kind:
            case Kind.PURCHASES:
                return nmsg(
                    "A customer counts as lost who had bought on the day before a day and buys"
                    " nothing on that day.",
                    "A customer counts as lost who had bought within {n} days before a day and"
                    " buys nothing within {n} days after it.",
                    days,
                )
            case Kind.VISITS:
                return nmsg(
                    "A customer counts as lost who had visited on the day before a day and does"
                    " not on that day.",
                    "A customer counts as lost who had visited within {n} days before a day and"
                    " does not within {n} days after it.",
                    days,
                )
            case Kind.SUBSCRIPTIONS:
                return nmsg(
                    "A customer counts as lost who has a running subscription on a day and none"
                    " the day after.",
                    "A customer counts as lost who has a running subscription on a day and none"
                    " {n} days later.",
                    days,
                )
        return msg("A customer counts as lost where the file says so.")

    @property
    def paid_in(self) -> str:
        """The table that says what customers bring in."""
        return "orders" if self.kind in (Kind.PURCHASES, Kind.VISITS) else "subscriptions"

    def moments(self, days: Sequence[dt.date], whose: ir.Table | None = None) -> Moments:
        """The days that features are read on (of some customers alone)."""
        assert self.window_days is not None
        return Moments(tuple(days), self.window_days, whose)


def definition_of(
    book: Book, kind: str | None = None, *, horizon_days: int | None = None
) -> Definition:
    """What leaving means in a book.

    Args:
        book: The company's tables.
        kind: One of `Kind` (None: purchases where there are orders, else subscriptions, what the
            file says, or visits).
        horizon_days: For subscriptions, how many days ahead (None: `HORIZON_DAYS`).

    Returns:
        The definition.

    Raises:
        UsageError: The book does not hold what that kind is read from.

    Examples:
        >>> from revoir.engines import memory
        >>> columns = "'A' as customer_id, date '2024-01-05' as started_at, null::date as ended_at"
        >>> book = Book({"subscriptions": memory().sql(f"select {columns}")})
        >>> definition_of(book).kind
        <Kind.SUBSCRIPTIONS: 'subscriptions'>
    """
    chosen = _chosen(book, kind)
    if horizon_days is not None and chosen is not Kind.SUBSCRIPTIONS:
        raise UsageError(
            msg(
                "A horizon goes with subscriptions; here leaving is read from {kind}.", kind=chosen
            ),
            remedy=msg("`--activity-days` sets after how many days a buyer counts as lost."),
        )
    match chosen:
        case Kind.PURCHASES:
            rule = activity(book)
            if rule.window_days is None:  # the company's own rule is of something else
                rule = propose(book)
            return Definition(chosen, rule.window_days, rule.reason)
        case Kind.VISITS:
            rule = activity(book)
            return Definition(chosen, rule.event_window_days or 31, rule.reason)
        case Kind.SUBSCRIPTIONS:
            return Definition(chosen, horizon_days or HORIZON_DAYS)
    return Definition(chosen, None)


def _chosen(book: Book, kind: str | None) -> Kind:
    able = {
        Kind.PURCHASES: book.has("orders", "customer_id")
        and (kind is not None or activity(book).window_days is not None),
        Kind.SUBSCRIPTIONS: book.has("subscriptions", "started_at", "ended_at"),
        Kind.FILE: book.has("subscriptions", "churned"),
        Kind.VISITS: book.has("events", "customer_id"),
    }
    if kind is None:
        for one, can in able.items():
            if can:
                return one
        raise UsageError(
            msg("Nothing in the data says who leaves."),
            remedy=msg("Bring orders, subscriptions, visits, or a column that says who left."),
        )
    if kind not in list(Kind):
        raise UsageError(
            msg("Leaving cannot be read from “{kind}”.", kind=kind),
            remedy=msg("Use {names}.", names=[one.value for one in Kind]),
        )
    if not able[Kind(kind)]:
        raise UsageError(
            msg("The data do not hold what “{kind}” are read from.", kind=kind),
            remedy=msg("Use {names}.", names=[one.value for one, can in able.items() if can]),
        )
    return Kind(kind)


def cutoffs(book: Book, definition: Definition) -> tuple[dt.date, ...]:
    """The days whose departures are known by now, the latest first.

    The latest lies a window before `as_of`; the others half a window apart, as far back as the data
    cover a whole window before them.

    Args:
        book: The company's tables.
        definition: What leaving means, with a window.

    Returns:
        At most `CUTOFFS_MAX` days; none where the data cover less than twice the window.
    """
    window = definition.window_days
    assert window is not None
    first = _beginning(book, definition)
    step = max((window + 1) // 2, STEP_DAYS_MIN)
    latest = book.as_of - dt.timedelta(days=window)
    # A customer is there at the end of a day by what they did on the `window` days up to it.
    earliest = first + dt.timedelta(days=window - 1)
    days = [latest - dt.timedelta(days=step * place) for place in range(CUTOFFS_MAX)]
    return tuple(day for day in days if day >= earliest)


def _beginning(book: Book, definition: Definition) -> dt.date:
    """The first day of the records that leaving is read from."""
    name, clock = {
        Kind.PURCHASES: ("orders", "ordered_on"),
        Kind.VISITS: ("events", "occurred_at"),
        Kind.SUBSCRIPTIONS: ("subscriptions", "started_at"),
    }[definition.kind]

    def find() -> dt.date:
        held = visits(book) if name == "events" else book.table(name)
        day = book.day_of(held[clock].min())
        found = book.rows(day.name("day").as_table())[0]["day"]
        return found or book.as_of

    return book.once(f"first {clock} of {name}", find)


def present(book: Book, definition: Definition, days: Sequence[dt.date]) -> ir.Table:
    """The customers who are there at the end of each day.

    Args:
        book: The company's tables.
        definition: What leaving means, with a window.
        days: The days.

    Returns:
        One row a customer and day: `customer_id`, `cutoff`, and `left`: whether they are lost
        within the window after it (of use only where the data reach so far).
    """
    match definition.kind:
        case Kind.PURCHASES:
            return _buyers(book, definition, days)
        case Kind.VISITS:
            return _visitors(book, definition, days)
        case Kind.SUBSCRIPTIONS:
            return _subscribers(book, definition, days)
    raise AssertionError(definition.kind)


def _buyers(book: Book, definition: Definition, days: Sequence[dt.date]) -> ir.Table:
    moments = definition.moments(days)
    rows = moments.known(book.purchases, "day")
    # Of the purchases by then each customer has one whose next one comes later, or never.
    later = rows.next_day.isnull() | (rows.next_day > rows.cutoff)
    last = rows.filter(lately(rows, rows.day, moments.window_days) & later)
    silence = last.next_day.delta(last.cutoff, unit="day")
    return last.select(*KEYS, left=last.next_day.isnull() | (silence > moments.window_days))


def _visitors(book: Book, definition: Definition, days: Sequence[dt.date]) -> ir.Table:
    moments = definition.moments(days)
    events = visits(book)
    events = events.filter(events.customer_id.notnull())
    # Visits after the cut-off are needed too: they say who stayed.
    rows = moments.known(events, None)
    day = book.day_of(rows.occurred_at)
    ends = rows.group_by(KEYS).aggregate(
        last_day=day.max(where=day <= rows.cutoff), next_day=day.min(where=day > rows.cutoff)
    )
    there = ends.filter(lately(ends, ends.last_day, moments.window_days))
    silence = there.next_day.delta(there.cutoff, unit="day")
    return there.select(*KEYS, left=there.next_day.isnull() | (silence > moments.window_days))


def _subscribers(book: Book, definition: Definition, days: Sequence[dt.date]) -> ir.Table:
    moments = definition.moments(days)
    rows = moments.known(with_ends(book, book.table("subscriptions")), None)
    rows = rows.filter(rows.customer_id.notnull() & rows.started_at.notnull())
    start = days_since(rows, rows.started_at)
    ended = rows.ended_at if "ended_at" in rows.columns else ibis.null("date")

    def runs(ahead: int, end: ir.DateValue) -> ir.BooleanValue:
        """Whether it runs so many days after the cut-off: begun by then, and not ended."""
        since = days_since(rows, end)
        return (start >= -ahead) & (since.isnull() | (since < -ahead))

    # That another takes over on the day after the cut-off is not known on the cut-off.
    now, later = runs(0, ended), runs(moments.window_days, rows.runs__until)
    states = rows.mutate(now=now, later=later)
    ends = states.group_by(KEYS).aggregate(now=states.now.any(), later=states.later.any())
    there = ends.filter(ends.now)
    return there.select(*KEYS, left=~there.later)


YEAR_DAYS = 365


def worth(book: Book, definition: Definition, days: Sequence[dt.date]) -> ir.Table | None:
    """What each customer brings in a year, by what was known on each day.

    Args:
        book: The company's tables.
        definition: What leaving means.
        days: The days (none: the file has none).

    Returns:
        `customer_id`, `cutoff` where there are days, and `worth`: for buyers what they paid, less
        what was given back, in the 365 days before; for subscribers twelve times the price a month
        of what runs (of who has left, by the file: of what ran).
        None where the data do not say it, or in several currencies.
    """
    if len(book.currencies_of(definition.paid_in)) > 1:
        return None
    if definition.paid_in == "orders":
        if not book.has("orders", "customer_id"):
            return None
        rows = definition.moments(days).known(book.table("orders"), "ordered_on")
        rows = rows.filter(
            rows.customer_id.notnull()
            & rows.kind.isin(["purchase", "return"])
            & lately(rows, rows.ordered_on, YEAR_DAYS)
        )
        sums = rows.group_by(KEYS).aggregate(paid=rows.amount.sum())
        return sums.select(*KEYS, worth=sums.paid.cast("float64"))
    if not book.has("subscriptions", "monthly_amount"):
        return None
    if definition.kind is Kind.FILE:
        keys, rows = ["customer_id"], telling(book)
    else:
        keys, rows = list(KEYS), started(book, definition.moments(days))
        rows = rows.filter(rows.runs)
    sums = rows.group_by(keys).aggregate(
        monthly=rows.monthly_amount.sum(), unpriced=rows.monthly_amount.isnull().any()
    )
    known = ibis.ifelse(sums.unpriced, ibis.null("float64"), 12 * sums.monthly.cast("float64"))
    return sums.select(*keys, worth=known)


def with_worth(
    book: Book, definition: Definition, customers: ir.Table, days: Sequence[dt.date]
) -> ir.Table:
    """Customers with what they bring in a year in a column `worth` (null: not known)."""
    found = worth(book, definition, days)
    if found is None:
        return customers.mutate(worth=ibis.null("float64"))
    return beside(customers, found)
