"""Segment's own library, unchanged, against a running server."""

from __future__ import annotations

from typing import Any

import pytest
import segment.analytics as library

from revoir_web.accounts import actions as accounts
from revoir_web.accounts.rights import Right
from revoir_web.customers.models import Customer
from revoir_web.ingest.models import InboxEvent

from .conftest import lake, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("packed", [False, True])
def test_library(company: object, live_server: Any, packed: bool) -> None:
    _key, text = accounts.create_key(name="site", scopes=[Right.SEND_EVENTS], actor=None)
    problems: list[Any] = []
    client = library.Client(
        text,
        host=live_server.url,
        gzip=packed,
        on_error=lambda error, _items: problems.append(error),
    )
    client.identify("u1", {"email": "ana@example.com", "name": "Ana Lopez"})
    for number in range(250):
        client.track("u1", "Produit vu", {"sku": number, "nom": "Théière"})
    client.track(
        "u1", "Order Completed",
        {"order_id": "S1", "total": 12.5, "products": [{"product_id": "T", "price": 12.5}]},
    )  # fmt: skip
    client.page("u1", "Boutique", "Accueil")
    client.screen("u1", "Appli", "Panier")
    client.group("u1", "g1", {"name": "Club"})
    client.alias("visiteur-1", "u1")
    client.flush()
    client.shutdown()
    assert problems == []
    assert InboxEvent.objects.count() == 256
    from revoir_web.common import jobs

    jobs.enqueue("ingest.drain")
    work()
    assert lake("SELECT event, count(*) FROM events GROUP BY 1 ORDER BY 1") == [
        ("Order Completed", 1), ("Produit vu", 250), ("page", 1), ("screen", 1),
    ]  # fmt: skip
    assert lake("SELECT order_id, amount FROM orders") == [("S1", 12.5)]
    ana = Customer.objects.get(identifiers__value="u1")
    assert (ana.email, ana.name) == ("ana@example.com", "Ana Lopez")
    assert ana.identifiers.filter(kind="anonymous", value="visiteur-1").exists()


def test_a_wrong_key_is_told_to_the_library(company: object, live_server: Any) -> None:
    problems: list[Any] = []
    client = library.Client(
        "rvr_00000000_x", host=live_server.url, max_retries=1,
        on_error=lambda error, _items: problems.append(error),
    )  # fmt: skip
    client.track("u1", "x")
    client.flush()
    client.shutdown()
    assert [problem.status for problem in problems] == [401]
    assert problems[0].code == "bad_key"
