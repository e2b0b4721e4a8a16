"""The words that find customers, and the row that lists sort: made after a bulk import."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from revoir.language import msg
from revoir_web.common import bulk, jobs
from revoir_web.customers.models import (
    Customer,
    CustomerFigures,
    Identifier,
    SearchToken,
    Unindexed,
)
from revoir_web.customers.text import fold, tokens_of

PART = 2000


@transaction.atomic
def index(ids: Sequence[str]) -> None:
    """Make the words and the place in lists of some customers anew.

    Args:
        ids: Their keys.
    """
    held = list(
        Customer.objects.filter(pk__in=ids).values(
            "id", "name", "company_name", "city", "email", "phone", "merged_into", "erased_at"
        )
    )
    words, cities = [], {}
    keys = set(
        Identifier.objects.filter(customer_id__in=ids, kind__in=("email", "phone")).values_list(
            "customer_id", "value"
        )
    )
    for row in held:
        if row["merged_into"] or row["erased_at"]:
            continue
        cities[row["id"]] = fold(row["city"])[:100]
        found = tokens_of(row["name"], row["company_name"])
        # An address that is another customer's identifier finds this one as well.
        found |= {
            row[name][:32]
            for name in ("email", "phone")
            if row[name] and (row["id"], row[name]) not in keys
        }
        words += [(word, row["id"]) for word in found]
    SearchToken.objects.filter(customer_id__in=ids).delete()
    bulk.insert(SearchToken, ("token", "customer_id"), words)
    there = dict(
        CustomerFigures.objects.filter(pk__in=cities).values_list("customer_id", "city_key")
    )
    CustomerFigures.objects.bulk_create(
        [
            CustomerFigures(customer_id=id, city_key=city)
            for id, city in cities.items()
            if id not in there
        ],
        ignore_conflicts=True,
    )
    moved = [(city, id) for id, city in cities.items() if there.get(id, city) != city]
    if moved:
        bulk.update(CustomerFigures, "customer_id", ["city_key"], moved)
    Unindexed.objects.filter(pk__in=ids).delete()


def index_waiting(job: jobs.Running | None = None) -> int:
    """Make the words and places of every customer that waits for them.

    Args:
        job: Who is told how far it is.

    Returns:
        How many customers.
    """
    total = Unindexed.objects.count()
    done = 0
    while ids := list(Unindexed.objects.values_list("pk", flat=True)[:PART]):
        index(ids)
        done += len(ids)
        if job is not None:
            job.progress(done, max(total, done), msg("Making customers searchable"))
    return done
