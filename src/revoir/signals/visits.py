"""Signals of visits: fewer of them, and events that say something themselves."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, msg, nmsg
from revoir.metrics.calendar import date
from revoir.signals.registry import Parameter, Signal, Values, declare
from revoir.signals.spans import fallen, later, numbered, two_spans
from revoir.tables import UNSUBSCRIBED
from revoir.visits import PAYMENT_FAILED, is_called, visit_days

_VISITS = (("events",),)


def _engagement_falling(book: Book, values: Values) -> ir.Table:
    days = int(values["period_days"])
    rows = visit_days(book).mutate(visits=ibis.literal(1))
    if book.has("orders", "customer_id"):
        # After a purchase a new silence begins, on whose first day the visits may have fallen.
        bought = book.purchases
        rows = rows.union(
            bought.select("customer_id", "day").mutate(
                visits=ibis.literal(0).cast(rows.visits.type())
            )
        )
    rows = numbered(rows, "day")
    found = []
    for after in (0, days):
        recent, before = two_spans(rows.visits, days, after)
        seen = rows.mutate(recent=recent.cast("int64"), before=before.cast("int64"))
        met = fallen(seen.recent, seen.before, values["drop"])
        seen = seen.filter(met & (seen.before >= int(values["visits"])))
        found.append(
            seen.select("customer_id", "recent", "before", raised_on=later(seen.day, after))
        )
    return ibis.union(*found, distinct=True)


declare(
    Signal(
        "engagement_falling",
        msg("Fewer visits"),
        msg("The customer comes to the site or the app less often than before."),
        "visits",
        _VISITS,
        _engagement_falling,
        lambda case: nmsg(
            "Came on {n} day of {days}, after {before} in those before.",
            "Came on {n} days of {days}, after {before} in those before.",
            int(case["recent"]),
            before=case["before"],
            days=case.values["period_days"],
        ),
        parameters=(
            Parameter(
                "drop",
                msg("By what share visits fell, at least."),
                0.5,
                0.01,
                1.0,
                whole=False,
                share=True,
            ),
            Parameter("period_days", msg("Days that are compared with those before."), 30, 7, 366),
            Parameter("visits", msg("Days with a visit in those before, at least."), 4, 1, 366),
        ),
        reach_days=lambda values: 2 * values["period_days"],
    )
)


def _named(book: Book, names: tuple[str, ...]) -> ir.Table:
    """The days of events of one meaning, however they are written."""
    events = book.table("events")
    found = events.filter(is_called(events.event, names) & events.customer_id.notnull())
    days = found.select("customer_id", raised_on=book.day_of(found.occurred_at))
    return days.distinct().mutate(said_on="raised_on")


def _declined(book: Book) -> ir.Table:
    """The days on which customers declined to be written to: one each, whoever tells of it."""
    if book.refusals is None:
        return _named(book, UNSUBSCRIBED)
    # What was declined since the data end is raised once they go so far, as all else is.
    told = book.refusals.filter(book.refusals.declined_on <= date(book.as_of))
    days = told.select("customer_id", raised_on=told.declined_on).distinct()
    days = days.mutate(said_on="raised_on")
    if not book.has("events"):
        return days
    return _named(book, UNSUBSCRIBED).union(days, distinct=True)


def _never_named(book: Book, names: tuple[str, ...]) -> Message | None:
    there = book.once(
        f"signals events {names}", lambda: bool(book.rows(_named(book, names).limit(1)))
    )
    if there:
        return None
    return msg("The visits hold no event named like “{name}”.", name=names[0])


declare(
    Signal(
        "unsubscribed",
        msg("Unsubscribed"),
        msg(
            "The customer no longer wants to be written to: an event tells of it, or a refusal on"
            " their own page, by the API or noted by somebody. Consent in the file of customers has"
            " no day, and raises nothing."
        ),
        "visits",
        (*_VISITS, ("refusals",)),
        lambda book, values: _declined(book),
        lambda case: nmsg(
            "Unsubscribed {n} day ago.", "Unsubscribed {n} days ago.", case.days_since("said_on")
        ),
        against=lambda book: (
            None if book.refusals is not None else _never_named(book, UNSUBSCRIBED)
        ),
    )
)
declare(
    Signal(
        "payment_failed",
        msg("A payment failed"),
        msg("A payment of the customer did not come in: a card has expired, or they mean to go."),
        "visits",
        _VISITS,
        lambda book, values: _named(book, PAYMENT_FAILED),
        lambda case: nmsg(
            "A payment failed {n} day ago.",
            "A payment failed {n} days ago.",
            case.days_since("said_on"),
        ),
        against=lambda book: _never_named(book, PAYMENT_FAILED),
        waits=True,
    )
)
