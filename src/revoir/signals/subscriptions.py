"""Signals of subscriptions: a cheaper plan, an end that is planned."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, Money, msg
from revoir.metrics.boundaries import FAR
from revoir.metrics.calendar import date, days_later
from revoir.signals.registry import Case, Parameter, Signal, Values, declare

_CHANGE_DAYS = 31
"""A plan that begins within so many days of the end of another takes its place."""


def _begun(book: Book) -> ir.Table:
    """The subscriptions of known customers that had begun by the book's last day."""
    rows = book.table("subscriptions")
    started = rows.started_at.cast("date")
    ended = rows.ended_at.cast("date") if "ended_at" in rows.columns else ibis.null("date")
    rows = rows.mutate(started_on=started, ended_on=ended)
    return rows.filter(rows.customer_id.notnull() & (rows.started_on <= date(book.as_of)))


def _plan_downgraded(book: Book, values: Values) -> ir.Table:
    rows = _begun(book)
    own = rows.currency if "currency" in rows.columns else ibis.null("string")
    rows = rows.mutate(paid_in=own.fill_null(""))
    # Several plans that begin on one day are one, at their price together; that is not known where
    # one of them has none, or another currency.
    plans = rows.group_by("customer_id", "started_on").aggregate(
        total=rows.monthly_amount.sum(),
        unpriced=rows.monthly_amount.isnull().any(),
        paid_in=rows.paid_in.min(),
        other=rows.paid_in.max(),
        ended_on=rows.ended_on.max(),
    )
    priced = ~plans.unpriced & (plans.paid_in == plans.other)
    plans = plans.mutate(price=ibis.ifelse(priced, plans.total, ibis.null(plans.total.type())))
    window = ibis.window(group_by="customer_id", order_by="started_on")
    beside = plans.mutate(
        before=plans.price.lag().over(window),
        before_in=plans.paid_in.lag().over(window),
        former_end=plans.ended_on.lag().over(window),
    )
    takes_over = (beside.former_end <= days_later(beside.started_on, 1)) & (
        days_later(beside.former_end, _CHANGE_DAYS) >= beside.started_on
    )
    level = beside.before.cast("float64") * (1 - values["drop"] + 1e-9)
    cheaper = (beside.price < beside.before) & (beside.price.cast("float64") <= level)
    found = beside.filter(takes_over & cheaper & (beside.paid_in == beside.before_in))
    return found.select("customer_id", "before", "paid_in", raised_on="started_on", now="price")


def _cheaper_because(case: Case) -> Message:
    # Orders may be in another currency than subscriptions.
    currency = case["paid_in"] or case.currency
    return msg(
        "Pays {now} a month instead of {before}.",
        now=Money(case["now"], currency),
        before=Money(case["before"], currency),
    )


declare(
    Signal(
        "plan_downgraded",
        msg("Gone over to a cheaper plan"),
        msg("The customer's subscription was replaced by a cheaper one."),
        "subscriptions",
        (
            (
                "subscriptions.started_at",
                "subscriptions.ended_at",
                "subscriptions.monthly_amount",
            ),
        ),
        _plan_downgraded,
        _cheaper_because,
        parameters=(
            Parameter(
                "drop",
                msg("By what share the price fell, at least."),
                0.01,
                0.0,
                1.0,
                whole=False,
                share=True,
            ),
        ),
    )
)


def _subscription_ending(book: Book, values: Values) -> ir.Table:
    rows = _begun(book)
    # Who has another subscription that goes on for longer does not leave with this one.
    window = ibis.window(group_by="customer_id")
    goes_on = rows.ended_on.coalesce(date(FAR)).max().over(window)
    rows = rows.mutate(goes_on=goes_on)
    rows = rows.filter((rows.ended_on > date(book.as_of)) & (rows.ended_on >= rows.goes_on))
    soon = days_later(rows.ended_on, -int(values["days"]))
    noticed = rows.mutate(raised_on=ibis.greatest(soon, rows.started_on))
    return noticed.group_by("customer_id", "raised_on").aggregate(ends_on=noticed.ended_on.min())


declare(
    Signal(
        "subscription_ending",
        msg("A subscription about to end"),
        msg("The customer's last running subscription has an end in the days to come."),
        "subscriptions",
        (("subscriptions.started_at", "subscriptions.ended_at"),),
        _subscription_ending,
        lambda case: msg("The subscription ends on {day}.", day=case["ends_on"]),
        parameters=(Parameter("days", msg("How many days before the end."), 30, 1, 366),),
        no_past=msg(
            "The tables say when a subscription ended, not since when that was known: its past"
            " cannot be told."
        ),
    )
)
