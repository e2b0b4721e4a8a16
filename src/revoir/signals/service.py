"""Signals of customer service: complaints that repeat, contacts that wait for an answer."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import in_days, msg, nmsg
from revoir.metrics.calendar import days_later
from revoir.metrics.complaints import is_complaint
from revoir.signals.registry import Parameter, Signal, Values, declare
from revoir.signals.spans import numbered, span


def complaint_days(book: Book) -> ir.Table:
    """How many complaints (`n`) each customer made on each day (`day`) that they made one on."""
    contacts = book.table("interactions")
    found = contacts.filter(is_complaint(contacts) & contacts.customer_id.notnull())
    day = book.day_of(found.opened_at)
    return found.group_by("customer_id", day=day).aggregate(n=found.count())


def _complaints(book: Book, values: Values) -> ir.Table:
    rows = numbered(complaint_days(book), "day")
    complaints = rows.n.sum().over(span(1 - int(values["period_days"]), 0))
    counted = rows.select("customer_id", raised_on="day", complaints=complaints.cast("int64"))
    return counted.filter(counted.complaints >= int(values["complaints"]))


declare(
    Signal(
        "complaints",
        msg("Repeated complaints"),
        msg("The customer complained several times within a short while."),
        "service",
        (
            ("interactions.customer_id", "interactions.is_complaint"),
            ("interactions.customer_id", "interactions.kind"),
        ),
        _complaints,
        lambda case: nmsg(
            "{n} complaint in {days}.",
            "{n} complaints in {days}.",
            int(case["complaints"]),
            days=in_days(int(case.values["period_days"])),
        ),
        parameters=(
            Parameter("complaints", msg("How many complaints, at least."), 2, 1, 100),
            Parameter("period_days", msg("Within how many days."), 30, 1, 366),
        ),
        reach_days=lambda values: values["period_days"],
        waits=True,
    )
)


def _unanswered(book: Book, values: Values) -> ir.Table:
    days = int(values["days"])
    contacts = book.table("interactions")
    known = contacts.filter(contacts.customer_id.notnull())
    answered = known.first_response_at
    if "resolved_at" in known.columns:
        answered = answered.coalesce(known.resolved_at)
    opened = book.day_of(known.opened_at)
    waiting = known.select(
        "customer_id",
        raised_on=days_later(opened, days),
        opened_on=opened,
        over_on=book.day_of(answered),
    )
    still = waiting.over_on.isnull() | (waiting.over_on > waiting.raised_on)
    left = waiting.filter(still)
    # Of several contacts opened on one day, the one that waits longest.
    waits = left.group_by("customer_id", "raised_on", "opened_on").aggregate(
        waits=left.over_on.isnull().any(), last=left.over_on.max()
    )
    over = ibis.ifelse(waits.waits, ibis.null("date"), waits["last"])
    return waits.mutate(over_on=over).drop("waits", "last")


declare(
    Signal(
        "unanswered",
        msg("Waiting for an answer"),
        msg("The customer asked something of customer service and nobody has answered."),
        "service",
        (("interactions.customer_id", "interactions.first_response_at"),),
        _unanswered,
        lambda case: nmsg(
            "Wrote or called {n} day ago and has had no answer.",
            "Wrote or called {n} days ago and has had no answer.",
            case.days_since("opened_on"),
        ),
        parameters=(Parameter("days", msg("Days without an answer, at least."), 2, 1, 90),),
        reach_days=lambda values: values["days"],
        waits=True,
    )
)
