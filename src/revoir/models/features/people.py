"""Features of customers: where they live, since when they are known.

A table of customers is a state without dates: what stands in it today may have been written after
the customer left. Only columns that do not change by leaving are features by themselves; the user
vouches for others by naming them (`columns`). Gender and age are among those: nobody is treated
better or worse for them unless somebody decides so.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, msg, nmsg
from revoir.metrics.registry import Unit
from revoir.models.features.declaration import (
    KEYS,
    Family,
    Feature,
    Moments,
    days_since,
    happened,
    sum_named,
)

PLACES: dict[str, Message] = {
    "country": msg("Country"),
    "region": msg("Region"),
    "city": msg("Town"),
}
"""The columns of customers that are features by themselves, and what they are called."""


def _people(book: Book, moments: Moments) -> ir.Table:
    rows = moments.known(book.table("customers"), None)
    held = {name: rows[name] for name in PLACES if name in rows.columns}
    if "joined_at" in rows.columns:
        joined = book.day_of(rows.joined_at)
        held["joined"] = ibis.ifelse(happened(rows, joined), joined, ibis.null("date"))
    # A warehouse may hold a customer twice; the list must not.
    return rows.group_by(KEYS).aggregate(**{name: value.max() for name, value in held.items()})


PEOPLE = Family(
    "customers",
    ("customer_id",),
    _people,
    (
        *(
            Feature(name, label, None, "place", "customers", sum_named(name), needs=(name,))
            for name, label in PLACES.items()
        ),
        Feature(
            "days_since_joining",
            msg("Days since the customer was first known"),
            Unit.DAYS,
            "standing",
            "customers",
            lambda table, moments: days_since(table, table.joined),
            msg("known for long"),
            msg("known for a short time"),
            lambda known: (
                None
                if known["days_since_joining"] is None
                else nmsg(
                    "known for {n} day", "known for {n} days", known.count("days_since_joining")
                )
            ),
            needs=("joined_at",),
        ),
    ),
)
