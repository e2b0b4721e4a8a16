"""Fill an installation in bulk: `python -m benchmarks.filling COUNT`, with REVOIR_DATA set.

Customers come by `resolve_many` and orders by the lake's own writer, as imports bring them.
"""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any

from benchmarks import data

FIRST = (
    "Marie", "Jean", "Camille", "Zoé", "Ahmed", "Léa", "Hugo", "Inès", "Lucas", "Emma", "Louis",
    "Chloé", "Paul", "Manon", "Nathan", "Alice", "Gabriel", "Jade", "Raphaël", "Louise", "Arthur",
    "Lina", "Jules", "Ambre", "Adam", "Rose", "Maël", "Anna", "Liam", "Mila",
)  # fmt: skip
STEMS = (
    "Mar", "Dup", "Ber", "Lef", "Mor", "Rou", "Gar", "Fou", "Gir", "Bon", "Lam", "Fai", "Rey",
    "Noe", "Cha", "Per", "Vau", "Col", "Bru", "Del",
)  # fmt: skip
ENDS = (
    "tin", "ont", "nard", "evre", "eau", "sel", "nier", "net", "ard", "in", "bert", "ry", "aud",
    "el", "pentier", "rin", "chon", "let", "mond",
)  # fmt: skip
SAMPLE = 500
"""Of how many persons the pages are asked for."""


def main(count: int) -> None:
    """Fill it; prints what is there and how to get in, as one line of JSON."""
    import django

    django.setup()
    import logging

    from django.test import Client

    import revoir.cli  # noqa: F401 (it attaches the commands of the application)
    from revoir_web.accounts.actions import create_key
    from revoir_web.accounts.models import User
    from revoir_web.cli.serve import prepare
    from revoir_web.common import jobs
    from revoir_web.common.models import Company
    from revoir_web.common.rights import Right

    logging.disable(logging.INFO)
    prepare()
    Company.objects.get_or_create(pk=Company.SINGLE, defaults={"name": "Comptoir des Halles"})
    user = User.objects.filter(email="bench@example.com").first() or User.objects.create_user(
        "bench@example.com", "x" * 20, name="Bench", role="manager"
    )
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    _key, text = create_key(
        name="bench", scopes=[Right.IMPORT_DATA, Right.SEE_DASHBOARD], actor=None
    )
    told = fill(count)
    jobs.enqueue("insights.refresh")
    door = {
        "session": client.cookies["session"].value,
        "key": text,
        "people": told.pop("people"),
    }
    print(json.dumps({"size": {"customers": count, "orders": told.pop("orders")},
                      "filling": told, "door": door}))  # fmt: skip


def fill(count: int) -> dict[str, Any]:
    """Customers with their names, words to search for, and orders."""
    import duckdb
    import pyarrow as pa

    from revoir_web.customers import actions
    from revoir_web.customers.models import Customer
    from revoir_web.ingest.lake import lake
    from revoir_web.ingest.landing import look_after

    draw = random.Random(20260101)
    last = [stem + end for stem in STEMS for end in ENDS]
    given = [draw.choice(FIRST) for _ in range(count)]
    family = [draw.choice(last) for _ in range(count)]
    people = pa.table(
        {
            "customer_id": [str(n + 1) for n in range(count)],
            "first_name": given,
            "last_name": family,
            "email": [f"{given[n]}.{family[n]}{n}@example.com" for n in range(count)],
            "phone": [f"06{n:08d}" for n in range(count)],
            "city": ["Paris" if draw.random() < 0.1 else f"Ville{n % 500}" for n in range(count)],
            "postcode": [f"{n % 95 + 1:02d}000" for n in range(count)],
        }
    )
    told: dict[str, Any] = {}
    begun = time.perf_counter()
    ids = actions.resolve_many(people, source="benchmark")
    told["customers_s"] = round(time.perf_counter() - begun, 1)
    begun = time.perf_counter()
    _in_large_parts()
    told["words_s"] = round(time.perf_counter() - begun, 1)
    begun = time.perf_counter()
    source = data.make("orders", count)
    with duckdb.connect() as connection:
        connection.register("known", pa.table({"said": range(1, count + 1), "customer_id": ids}))
        orders = connection.sql(
            "select 'S' || row_number() over (order by o.ordered_at) as order_id, k.customer_id,"
            " o.ordered_at, o.ordered_at::date as ordered_on,"
            " o.amount::decimal(18, 4) as amount, 'purchase' as kind, 'EUR' as currency"
            " from read_parquet($source) o join known k on o.customer_id = k.said",
            params={"source": str(source)},
        ).to_arrow_table()
    store = lake()
    store.append("orders", orders, batch="benchmark")
    look_after()
    told["orders_s"] = round(time.perf_counter() - begun, 1)
    some = Customer.objects.filter(pk__in=draw.sample(ids, min(count, SAMPLE))).values_list(
        "pk", "first_name", "last_name", "email"
    )
    return told | {"orders": orders.num_rows, "people": [list(person) for person in some]}


def _in_large_parts() -> None:
    """Make the words of all customers as the job does, in parts that nobody waits for here."""
    from django.db import connection

    from revoir_web.customers import indexing

    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size = -2000000")
            cursor.execute("PRAGMA wal_autocheckpoint = 400000")
    indexing.PART = 50_000
    indexing.index_waiting()


if __name__ == "__main__":
    main(int(sys.argv[1]))
