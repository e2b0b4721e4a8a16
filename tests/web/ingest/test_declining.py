"""Whoever declines to be written to, as a site or a file of events tells it, is not written to."""

from __future__ import annotations

from typing import Any

import pytest

from revoir_web.consents import queries
from revoir_web.consents.actions import change_preferences
from revoir_web.consents.models import Consent
from revoir_web.customers.models import Customer
from revoir_web.ingest import actions

from .conftest import bring_in, drained, send, work

pytestmark = pytest.mark.django_db(transaction=True)
AGREED = "client_id,email,newsletter\nu1,ana@example.com,oui\nu2,bob@example.com,oui\n"


def may(number: str) -> bool:
    customer = Customer.objects.get(identifiers__kind="external", identifiers__value=number)
    return queries.may_contact(customer, "news", "email")


def unsubscribed(key: str, number: str = "u1", event: str = "Unsubscribed", **more: Any) -> None:
    assert send(key, "track", {"userId": number, "event": event, **more}).status_code == 200
    drained()


@pytest.mark.parametrize("event", ["Unsubscribed", "Email Unsubscribed", "désabonnement"])
def test_an_event_that_declines_is_a_refusal(key: str, event: str) -> None:
    """An alert told of it, and the address could be written to all the same."""
    bring_in(AGREED, "clients.csv")
    assert may("u1")
    unsubscribed(key, event=event, messageId="m1", timestamp="2024-05-01T10:00:00Z")
    assert not may("u1")
    assert may("u2")
    said = Consent.objects.get(given=False)
    assert said.source == "events"
    assert event in said.proof
    # Neither does it say so twice, nor does the same export take it back.
    unsubscribed(key, event=event, messageId="m2")
    bring_in(AGREED, "clients.csv")
    assert not may("u1")
    assert Consent.objects.filter(given=False).count() == 1


def test_a_file_of_events_that_declines_is_a_refusal(company: object) -> None:
    bring_in(AGREED, "clients.csv")
    events = "client_id,timestamp,event\nu1,2024-05-01 10:00,unsubscribed\nu2,2024-05-01,Visite\n"
    held = bring_in(events, "events.csv")
    assert held.landed is not None
    assert (may("u1"), may("u2")) == (False, True)
    # A refusal stays, whoever told it.
    actions.undo(held=held)
    work()
    assert not may("u1")


def test_what_the_customer_chose_since_holds(key: str) -> None:
    bring_in(AGREED, "clients.csv")
    unsubscribed(key)
    customer = Customer.objects.get(email="ana@example.com")
    wanted = {held.field: True for held in queries.standing(customer)}
    change_preferences(customer=customer, wanted=wanted, source="preferences", proof="page")
    assert may("u1")
    unsubscribed(key, timestamp="2024-05-01T10:00:00Z")
    assert may("u1")
    unsubscribed(key)
    assert not may("u1")


def test_no_event_agrees_for_anybody(key: str) -> None:
    bring_in(AGREED, "clients.csv")
    unsubscribed(key)
    unsubscribed(key, event="Subscribed")
    assert not may("u1")
