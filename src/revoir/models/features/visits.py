"""Features of events: visits to a site or app, and whether they become rarer."""

from __future__ import annotations

import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, msg, nmsg
from revoir.metrics.registry import Unit
from revoir.models.features.declaration import (
    KEYS,
    Family,
    Feature,
    Known,
    Moments,
    days_since,
    lately,
    sum_named,
)
from revoir.visits import visits

WINDOWS_DAYS = (15, 30, 90)
"""Half a month, a month and a quarter: visits are more frequent than purchases."""


def _event_sums(book: Book, moments: Moments) -> ir.Table:
    events = visits(book)
    rows = moments.known(events.mutate(seen_on=book.day_of(events.occurred_at)), "seen_on")
    rows = rows.filter(rows.customer_id.notnull())
    day = rows.seen_on
    sums: dict[str, ir.Value] = {
        "last_visit": day.max(),
        "first_visit": day.min(),
        "events_90": rows.count(where=lately(rows, day, 90)),
    }
    for days in WINDOWS_DAYS:
        sums[f"visit_days_{days}"] = day.nunique(where=lately(rows, day, days))
    sums["visit_days"] = day.nunique()
    return rows.group_by(KEYS).aggregate(**sums)


def visits_in_words(known: Known) -> Message | None:
    """When the customer last visited."""
    if known["days_since_visit"] is None:
        return msg("no visit on record")
    return nmsg(
        "last visit {n} day ago", "last visit {n} days ago", known.count("days_since_visit")
    )


def _visited_lately(days: int) -> Feature:
    def says(known: Known) -> Message | None:
        n = known.count(f"visit_days_{days}")
        if not n:
            return msg("no visit in the last {days} days", days=days)
        return nmsg(
            "visited on {n} day in the last {days} days",
            "visited on {n} days in the last {days} days",
            n,
            days=days,
        )

    return Feature(
        f"visit_days_{days}",
        msg("Days with a visit in the last {days} days", days=days),
        Unit.COUNT,
        "visits",
        "events",
        sum_named(f"visit_days_{days}"),
        msg("frequent visits"),
        msg("rare visits"),
        says,
        reach_days=days,
        absent=0.0,
    )


VISITS = Family(
    "events",
    ("customer_id", "occurred_at"),
    _event_sums,
    (
        Feature(
            "days_since_visit",
            msg("Days since the last visit"),
            Unit.DAYS,
            "visits",
            "events",
            lambda table, moments: days_since(table, table.last_visit),
            msg("the last visit is long ago"),
            msg("a visit not long ago"),
            visits_in_words,
            reach_days=90,
        ),
        *(_visited_lately(days) for days in WINDOWS_DAYS),
        Feature(
            "events_90",
            msg("Events in the last {days} days", days=90),
            Unit.COUNT,
            "visits",
            "events",
            sum_named("events_90"),
            msg("much activity on the site"),
            msg("little activity on the site"),
            lambda known: nmsg(
                "{n} event in the last {days} days",
                "{n} events in the last {days} days",
                known.count("events_90"),
                days=90,
            ),
            reach_days=90,
            absent=0.0,
        ),
        Feature(
            "visit_days",
            msg("Days with a visit"),
            Unit.COUNT,
            "visits",
            "events",
            sum_named("visit_days"),
            msg("many visits"),
            msg("few visits"),
            lambda known: nmsg(
                "visited on {n} day in all",
                "visited on {n} days in all",
                known.count("visit_days"),
            ),
            reach_days=90,
            absent=0.0,
        ),
    ),
)
