"""What to do with a customer now, from their alerts and what they agreed to."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from revoir_web.alerts import actions
from revoir_web.alerts.models import Alert, SignalState
from revoir_web.consents import actions as consents
from revoir_web.consents.models import Channel, Purpose
from revoir_web.consents.queries import Ways, may_contact, ways
from revoir_web.customers.models import Customer
from revoir_web.insights import advice

from .conftest import PAUL, ZOE

pytestmark = pytest.mark.django_db
Raised = Callable[..., Alert]


@pytest.fixture
def zoe(people: dict[str, Customer]) -> Customer:
    """A customer whose e-mail address is known."""
    Customer.objects.filter(pk=ZOE).update(email="zoe@example.org")
    return Customer.objects.get(pk=ZOE)


def rules(customer: Customer) -> list[str]:
    return [action.rule for action in advice.of_customer(customer, None, None).actions]


def test_an_open_alert_is_answered_with_its_record(zoe: Customer, raised: Raised) -> None:
    raised(ZOE)
    (action,) = advice.of_customer(zoe, None, None).actions
    assert action.text.text("en") == "Have one person call and settle what they complained about."
    assert action.reason.text("en") == (
        "Repeated complaints, on 25 Feb 2026: 2 complaints in 30 days."
    )
    assert action.figure is not None
    assert action.figure.text("en") == (
        "Of 400 such alerts in the past, 50% were right (45% to 55%): the customer left."
        " Of others silent for as long, 30% left."
    )
    assert len(action.channels) == 1


def test_without_a_record_none_is_told(
    zoe: Customer, raised: Raised, states: dict[str, SignalState]
) -> None:
    raised(ZOE)
    SignalState.objects.update(record=None)
    (action,) = advice.of_customer(zoe, None, None).actions
    assert action.figure is not None
    assert action.figure.text("en").startswith("Too few such alerts")


def test_what_is_put_off_closed_or_handled_is_not_to_do(
    zoe: Customer, raised: Raised, users: dict[str, Any]
) -> None:
    alert = raised(ZOE)
    later = actions.today() + dt.timedelta(days=3)
    actions.handle(alerts=[alert.pk], fields={"snoozed_until": later}, actor=users["manager"])
    (found,) = advice.of_customer(zoe, None, None).actions
    assert (found.rule, found.reason.params["day"]) == ("wait", later)
    actions.handle(alerts=[alert.pk], fields={"outcome": "reached"}, actor=users["manager"])
    (found,) = advice.of_customer(zoe, None, None).actions
    assert (found.rule, found.reason.params["day"]) == ("wait", actions.today())
    raised(PAUL, is_open=False, closed_by="returned")
    assert rules(Customer.objects.get(pk=PAUL)) == ["wait"]


def test_an_alert_of_somebody_who_cannot_be_reached_is_held_back(
    people: dict[str, Customer], raised: Raised
) -> None:
    raised(PAUL)
    found = advice.of_customer(Customer.objects.get(pk=PAUL), None, None)
    assert [action.rule for action in found.actions] == ["no_contact"]
    assert [action.rule for action, _why in found.held_back] == ["alert"]


def test_why_there_is_no_way(zoe: Customer) -> None:
    def of(code: str) -> Ways:
        return ways(zoe, [code])[code]

    assert of("service").channels == ("email",)
    news = of("news")
    assert news.reason is not None
    text = news.reason.text("en")
    assert "never agreed to (" in text
    assert "no address or number (" in text
    purpose = Purpose.objects.get(code="service")
    consents.record(customer=zoe, purpose=purpose, channel="email", given=False, source="test")
    refused = of("service").reason
    assert refused is not None
    assert "refused (" in refused.text("en")
    Purpose.objects.filter(code="service").update(active=False)
    closed = of("service").reason
    assert closed is not None
    assert closed.text("en") == "No purpose “service” is in use."
    zoe.erased_at = timezone.now()
    assert rules(zoe) == ["no_contact"]


@pytest.mark.parametrize("address", ["", "email", "phone", "address"])
def test_ways_are_those_that_contact_is_allowed_by(zoe: Customer, address: str) -> None:
    zoe.email = ""
    if address:
        setattr(zoe, address, "+33639980876" if address == "phone" else "zoe@example.org")
    zoe.save()
    codes = list(Purpose.objects.values_list("code", flat=True))
    answers = [*itertools.product(codes, Channel.values)]
    for number, (code, channel) in enumerate(answers):
        purpose = Purpose.objects.get(code=code)
        if number % 3 and channel in purpose.channels:
            consents.record(
                customer=zoe, purpose=purpose, channel=channel, given=number % 3 == 1, source="test"
            )
    found = ways(zoe, codes)
    for code, channel in answers:
        assert (channel in found[code].channels) == may_contact(zoe, code, channel)
