"""What other programs are told of persons: their number in Revoir, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from revoir_web.consents import actions
from revoir_web.consents.models import Erasure, Purpose
from revoir_web.customers import actions as customers
from revoir_web.customers.models import Customer
from revoir_web.ingest import vault
from revoir_web.ingest.models import WebhookDelivery, WebhookEndpoint

pytestmark = pytest.mark.django_db


def somebody(name: str) -> Customer:
    [id] = customers.resolve_many([{"customer_id": name, "name": name}], source="test")
    return Customer.objects.get(pk=id)


@pytest.fixture
def ana(company: object) -> Customer:
    return somebody("Ana Secret")


@pytest.fixture(autouse=True)
def _endpoint(company: object) -> None:
    WebhookEndpoint.objects.create(
        name="Mails", url="https://example.com/", secret=vault.closed("x"),
        kinds=["consent.refused", "customer.erased"],
    )  # fmt: skip


def told() -> list[tuple[str, Any]]:
    bodies = [json.loads(row.body) for row in WebhookDelivery.objects.order_by("created_at")]
    return [(body["type"], body["data"]) for body in bodies]


def test_a_refusal_is_told_and_a_yes_is_not(ana: Customer) -> None:
    """Whoever unsubscribed here was written to by the company's other programs."""
    news = Purpose.objects.get(code="news")
    for given in (True, False):
        line = actions.record(
            customer=ana, purpose=news, channel="email", given=given, source="page"
        )
    assert told() == [
        ("consent.refused",
         {"customer": ana.pk, "purpose": "news", "channel": "email",
          "at": line.at.isoformat()}),
    ]  # fmt: skip


def test_an_erasure_is_told_once_and_outlives_what_was_told_before(ana: Customer) -> None:
    bob = somebody("Bob Discret")
    actions.erase_persons(customers=[ana, bob], reason=Erasure.Reason.REQUEST)
    assert told() == [("customer.erased", {"customers": sorted([ana.pk, bob.pk])})]
    assert "Secret" not in WebhookDelivery.objects.get().body


def test_nobody_is_told_where_nobody_asked(ana: Customer) -> None:
    WebhookEndpoint.objects.update(kinds=["import.landed"])
    actions.erase_persons(customers=[ana], reason=Erasure.Reason.REQUEST)
    assert told() == []
