"""Features of contacts with customer service: complaints, how they were answered, what is open."""

from __future__ import annotations

import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, Number, msg, nmsg
from revoir.metrics.complaints import is_complaint, not_told
from revoir.metrics.registry import Unit
from revoir.models.features.declaration import (
    KEYS,
    WINDOWS_DAYS,
    Family,
    Feature,
    Known,
    Moments,
    days_since,
    happened,
    lately,
    share,
    sum_named,
)

HOUR_SECONDS = 3600.0


def _contact_sums(book: Book, moments: Moments) -> ir.Table:
    """Contacts opened by the cut-off; answers, settlements and ratings only where made by then."""
    contacts = book.table("interactions")
    rows = moments.known(contacts.mutate(opened_on=book.day_of(contacts.opened_at)), "opened_on")
    rows = rows.filter(rows.customer_id.notnull())
    complaint, day = is_complaint(rows), rows.opened_on
    sums: dict[str, ir.Value] = {"contacts": rows.count(), "last_contact": day.max()}
    for days in WINDOWS_DAYS:
        inside = lately(rows, day, days)
        sums[f"contacts_{days}"] = rows.count(where=inside)
        sums[f"complaints_{days}"] = rows.count(where=inside & complaint)
    if "first_response_at" in rows.columns:
        answered = happened(rows, book.day_of(rows.first_response_at)).fill_null(False)
        answered &= rows.first_response_at >= rows.opened_at
        wait = rows.first_response_at.cast("timestamp").delta(
            rows.opened_at.cast("timestamp"), unit="second"
        )
        sums["answered"] = rows.count(where=answered)
        sums["waited"] = wait.sum(where=answered)
    if "resolved_at" in rows.columns:
        settled = happened(rows, book.day_of(rows.resolved_at)).fill_null(False)
        sums["open_contacts"] = rows.count(where=~settled & lately(rows, day, 90))
        if "satisfaction" in rows.columns:
            sums["lowest_rating"] = rows.satisfaction.min(where=settled)
    return rows.group_by(KEYS).aggregate(**sums)


def _no_complaints(book: Book) -> Message | None:
    if not_told(book) is None:
        return None
    return msg("the data do not say which contacts are complaints")


def _counted_lately(name: str, days: int) -> Feature:
    complaints = name == "complaints"

    def says(known: Known) -> Message | None:
        n = known.count(f"{name}_{days}")
        if complaints:
            if not n:
                return msg("no complaint in the last {days} days", days=days)
            return nmsg(
                "{n} complaint in the last {days} days",
                "{n} complaints in the last {days} days",
                n,
                days=days,
            )
        if not n:
            return msg("no contact with customer service in the last {days} days", days=days)
        return nmsg(
            "{n} contact with customer service in the last {days} days",
            "{n} contacts with customer service in the last {days} days",
            n,
            days=days,
        )

    label = (
        msg("Complaints in the last {days} days", days=days)
        if complaints
        else msg("Contacts with customer service in the last {days} days", days=days)
    )
    return Feature(
        f"{name}_{days}",
        label,
        Unit.COUNT,
        "service",
        "interactions",
        sum_named(f"{name}_{days}"),
        msg("complaints of late") if complaints else msg("contacts of late"),
        msg("no complaint of late") if complaints else msg("no contact of late"),
        says,
        reach_days=days,
        absent=0.0,
        against=_no_complaints if complaints else None,
    )


SERVICE = Family(
    "interactions",
    ("customer_id", "opened_at"),
    _contact_sums,
    (
        *(_counted_lately("complaints", days) for days in WINDOWS_DAYS),
        *(_counted_lately("contacts", days) for days in WINDOWS_DAYS),
        Feature(
            "days_since_contact",
            msg("Days since the last contact with customer service"),
            Unit.DAYS,
            "service",
            "interactions",
            lambda table, moments: days_since(table, table.last_contact),
            msg("the last contact is long ago"),
            msg("a contact not long ago"),
            lambda known: (
                None
                if known["days_since_contact"] is None
                else nmsg(
                    "last contact with customer service {n} day ago",
                    "last contact with customer service {n} days ago",
                    known.count("days_since_contact"),
                )
            ),
            reach_days=90,
        ),
        Feature(
            "answer_hours",
            msg("Mean hours to the first answer of customer service"),
            Unit.HOURS,
            "service",
            "interactions",
            lambda table, moments: share(table.waited, table.answered) / HOUR_SECONDS,
            msg("slow answers of customer service"),
            msg("quick answers of customer service"),
            lambda known: (
                None
                if known["answer_hours"] is None
                else msg(
                    "customer service answered after {n} h on average",
                    n=Number(known["answer_hours"], 0),
                )
            ),
            needs=("first_response_at",),
            reach_days=90,
        ),
        Feature(
            "open_contacts",
            msg("Contacts of the last {days} days not settled", days=90),
            Unit.COUNT,
            "service",
            "interactions",
            sum_named("open_contacts"),
            msg("contacts left open"),
            msg("nothing left open"),
            lambda known: nmsg(
                "{n} contact with customer service not settled",
                "{n} contacts with customer service not settled",
                known.count("open_contacts"),
            ),
            needs=("resolved_at",),
            reach_days=90,
            absent=0.0,
        ),
        Feature(
            "lowest_rating",
            msg("Lowest rating of a contact, 1 to 5"),
            Unit.SCORE,
            "service",
            "interactions",
            lambda table, moments: table.lowest_rating.cast("float64"),
            msg("well served"),
            msg("badly served"),
            lambda known: (
                None
                if known["lowest_rating"] is None
                else msg(
                    "rated a contact with customer service {score} of 5",
                    score=Number(known["lowest_rating"], 0),
                )
            ),
            needs=("resolved_at", "satisfaction"),
            reach_days=90,
        ),
    ),
)
