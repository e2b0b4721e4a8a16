"""The words that find customers, and the row that lists sort: made after a bulk import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from revoir.language import msg
from revoir_web.common import bulk, jobs
from revoir_web.customers import columns
from revoir_web.customers.models import (
    Customer,
    CustomerFigures,
    Identifier,
    SearchToken,
    Unindexed,
)
from revoir_web.customers.text import tokens_of, town_key

PART = 1000


Those = Callable[[str], Q]
"""Which customers: the path from a table to the customer → the condition."""


def index(ids: Sequence[str]) -> None:
    """Make the words and the place in lists of some customers anew.

    Args:
        ids: Their keys.
    """
    _index(lambda path: Q(**{f"{path}pk__in": ids}))
    columns.changed()


@transaction.atomic
def _index(those: Those) -> int:
    """Make words and places; the condition is a join where there are many."""
    customers = Customer.objects.filter(those(""), merged_into=None, erased_at=None)
    # Locked: the words of whoever is being erased at this moment must not be written after it.
    locked = customers.select_for_update(no_key=True).order_by("pk")
    rows = list(locked.values_list("pk", "name", "company_name", "city", "name_key"))
    words = [(word, id, key) for id, *texts, _city, key in rows for word in tokens_of(*texts)]
    words += _shared_addresses(customers)
    SearchToken.objects.filter(those("customer__")).delete()
    bulk.insert(SearchToken, ("token", "customer_id", "name_key"), words)
    keys = {id: (town_key(city), name) for id, *_texts, city, name in rows}
    there = {
        id: held
        for id, *held in CustomerFigures.objects.filter(those("customer__")).values_list(
            "customer_id", "city_key", "name_key"
        )
    }
    nothing = (0, 0, "", CustomerFigures.Status.PROSPECT.value, "")
    bulk.insert(
        CustomerFigures,
        ("customer_id", "city_key", "name_key", "orders", "revenue", "segment", "status", "rfm"),
        [(id, *held, *nothing) for id, held in keys.items() if id not in there],
    )
    moved = [(*held, id) for id, held in keys.items() if tuple(there.get(id, held)) != held]
    if moved:
        bulk.update(CustomerFigures, "customer_id", ["city_key", "name_key"], moved)
    Unindexed.objects.filter(those("customer__")).delete()
    return len(rows)


def _shared_addresses(customers: QuerySet[Customer]) -> list[tuple[str, str, str]]:
    """Addresses that are another customer's identifier find this one as well."""
    words: list[tuple[str, str, str]] = []
    for kind in ("email", "phone"):
        own = Identifier.objects.filter(kind=kind, value=OuterRef(kind), customer=OuterRef("pk"))
        rows = customers.exclude(**{kind: ""}).filter(~Exists(own))
        words += [
            (address[:32], id, key) for address, id, key in rows.values_list(kind, "pk", "name_key")
        ]
    return words


def _between(path: str, *, first: str, last: str) -> Q:
    """Those who wait, from one to another.

    With one end alone SQLite looks at all customers up to it, for each part anew.
    """
    return Q(**{f"{path}unindexed__pk__gte": first, f"{path}unindexed__pk__lte": last})


def index_waiting(job: jobs.Running | None = None) -> int:
    """Make the words and places of every customer that waits for them.

    Args:
        job: Who is told how far it is.

    Returns:
        How many customers.
    """
    total = Unindexed.objects.count()
    done = 0
    while ids := list(Unindexed.objects.order_by("pk").values_list("pk", flat=True)[:PART]):
        # Both ends: with one alone, SQLite looks at all customers up to it, for each part anew.
        _index(partial(_between, first=ids[0], last=ids[-1]))
        bulk.give_way()
        done += len(ids)
        if job is not None:
            job.progress(done, max(total, done), msg("Making customers searchable"))
    return done
