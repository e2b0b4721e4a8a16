"""Engagement: visits and what is done in them."""

from __future__ import annotations

from functools import partial

import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import msg
from revoir.metrics import scope
from revoir.metrics.evaluate import Facts, Ratio, declare_ratio
from revoir.metrics.registry import Question, Unit


def _events(book: Book, question: Question) -> ir.Table:
    return scope.facts(book, "events", question)


EVENTS = Facts("events", _events, "occurred_at", needs=("events",))

declare_engagement = partial(declare_ratio, family="engagement")

declare_engagement(
    "events",
    Ratio(EVENTS, lambda t: t.count()),
    msg("Events"),
    msg(
        "What customers did on the site, in the app or with a message in the period; not what"
        " others did, such as a delivery."
    ),
    Unit.COUNT,
    "higher",
    aliases=("evenements",),
)
declare_engagement(
    "visitors",
    Ratio(EVENTS, lambda t: t.customer_id.nunique()),
    msg("Visitors"),
    msg("Customers who did at least one thing of the kind in the period."),
    Unit.COUNT,
    "higher",
    aliases=("visiteurs", "active_users", "mau"),
)
declare_engagement(
    "events_per_visitor",
    Ratio(EVENTS, lambda t: t.count(), lambda t: t.customer_id.nunique()),
    msg("Events per visitor"),
    msg("Events ÷ customers with at least one, in the period."),
    Unit.RATIO,
    "higher",
    aliases=("evenements_par_visiteur",),
)
declare_engagement(
    "sessions",
    Ratio(EVENTS, lambda t: t.session_id.nunique()),
    msg("Visits"),
    msg("Different visits in the period."),
    Unit.COUNT,
    "higher",
    needs=("events.session_id",),
    aliases=("visites", "visits"),
)
