"""A refusal that the application was told of raises the signal, as an event that tells it does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from revoir_web.alerts.models import Alert, SignalState
from revoir_web.common.models import Company
from revoir_web.consents import actions, links
from revoir_web.consents.models import Purpose
from revoir_web.customers.models import Customer
from revoir_web.insights import watch

from .conftest import FIRST, LEA, PAUL, ZOE, Shop

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
DECLARED = watch.declared()


@pytest.fixture
def today(shop: Shop, company: Company, monkeypatch: pytest.MonkeyPatch) -> dt.date:
    """The shop's data go on until today; everybody bought lately."""
    known = [told for told in DECLARED if told["name"] == "unsubscribed"]
    monkeypatch.setattr(watch, "declared", lambda: known)
    last = (company.today - FIRST).days
    for customer in (ZOE, PAUL):
        shop.buys(customer, last - 40, last - 10)
    shop.buys(LEA, last)
    return company.today


def agree(customer: str) -> Customer:
    held = Customer.objects.get(pk=customer)
    news = Purpose.objects.get(code="news")
    before = timezone.now() - dt.timedelta(days=30)
    actions.record(
        customer=held, purpose=news, channel="email", given=True, source="page", at=before
    )
    return held


def raised() -> list[tuple[str, dt.date]]:
    return sorted(Alert.objects.filter(is_open=True).values_list("customer_id", "raised_on"))


def test_mail_programs_and_the_page_of_preferences(shop: Shop, today: dt.date) -> None:
    page = links.preferences_path(agree(ZOE))
    assert Client().post(f"{page}stop/").status_code == 200
    assert Client().post(links.preferences_path(agree(PAUL)), {"stop": "1"}).status_code == 302
    shop.look()
    assert raised() == [(PAUL, today), (ZOE, today)]
    # Once, however often it is said and looked at.
    Client().post(page, {"stop": "1"})
    assert shop.look() == {}
    assert raised() == [(PAUL, today), (ZOE, today)]


def test_what_staff_noted_and_what_a_program_told(
    shop: Shop, today: dt.date, as_role: SignIn
) -> None:
    agree(ZOE)
    response = as_role("manager").post(f"/customers/{ZOE}/consents/", {"proof": "au téléphone"})
    assert response.status_code == 302
    shop.look()
    assert raised() == [(ZOE, today)]


def test_it_stands_on_the_day_that_it_was_said_and_a_file_tells_none(
    shop: Shop, today: dt.date
) -> None:
    news = Purpose.objects.get(code="news")
    for customer, source in ((ZOE, "api"), (PAUL, "import:abc"), (LEA, "events")):
        held = agree(customer)
        at = timezone.now() - dt.timedelta(days=5)
        actions.record(
            customer=held, purpose=news, channel="email", given=False, source=source, at=at
        )
    shop.look()
    assert raised() == [(ZOE, today - dt.timedelta(days=5))]
    # A refusal later than the shop's last look is found by the next one, without other data.
    actions.record(customer=agree(PAUL), purpose=news, channel="email", given=False, source="api")
    assert shop.look() == {"raised": 1}
    state: Any = SignalState.objects.get(signal="unsubscribed")
    assert state.reason is None
