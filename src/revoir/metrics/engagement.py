"""Engagement: visits and what is done in them."""

from __future__ import annotations

import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import msg
from revoir.metrics import scope
from revoir.metrics.evaluate import Facts, Ratio
from revoir.metrics.purchase import declare_ratio
from revoir.metrics.registry import Question, Unit

NEEDS = ("events",)


def _events(book: Book, question: Question) -> ir.Table:
    return scope.facts(book, "events", question)


EVENTS = Facts("events", _events, "occurred_at")

declare_ratio(
    "events",
    Ratio(EVENTS, lambda t: t.count()),
    msg("Events"),
    msg("What was done on the site or in the app in the period."),
    Unit.COUNT,
    "higher",
    needs=NEEDS,
    family="engagement",
    aliases=("evenements",),
)
declare_ratio(
    "visitors",
    Ratio(EVENTS, lambda t: t.customer_id.nunique()),
    msg("Visitors"),
    msg("Customers with at least one event in the period."),
    Unit.COUNT,
    "higher",
    needs=NEEDS,
    family="engagement",
    aliases=("visiteurs", "active_users", "mau"),
)
declare_ratio(
    "events_per_visitor",
    Ratio(EVENTS, lambda t: t.count(), lambda t: t.customer_id.nunique()),
    msg("Events per visitor"),
    msg("Events ÷ customers with at least one, in the period."),
    Unit.RATIO,
    "higher",
    needs=NEEDS,
    family="engagement",
    aliases=("evenements_par_visiteur",),
)
declare_ratio(
    "sessions",
    Ratio(EVENTS, lambda t: t.session_id.nunique()),
    msg("Visits"),
    msg("Different visits in the period."),
    Unit.COUNT,
    "higher",
    needs=("events", "events.session_id"),
    family="engagement",
    aliases=("visites", "visits"),
)
