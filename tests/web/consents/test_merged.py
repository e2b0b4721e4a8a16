"""What customers agreed to or refused holds for the person that they turn out to be."""

from __future__ import annotations

import datetime as dt
import importlib
import io
import json
import zipfile
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from revoir_web.accounts import actions as accounts
from revoir_web.accounts.rights import Right
from revoir_web.consents import actions, portability, queries, retention
from revoir_web.consents.models import Consent, Purpose
from revoir_web.customers import actions as customers
from revoir_web.customers.models import Customer
from revoir_web.ingest.visitors import _join_visitors

pytestmark = pytest.mark.django_db


@pytest.fixture
def news(company: Any) -> Purpose:
    return Purpose.objects.get(code="news")


@pytest.fixture
def two(company: Any) -> tuple[Customer, Customer]:
    rows = [
        {"customer_id": "A", "email": "ana@example.com", "joined_at": "2019-01-01"},
        {"customer_id": "B", "email": "ana@example.com", "joined_at": "2019-01-01"},
    ]
    ids = customers.resolve_many(rows, source="test")
    customers.index_waiting()
    held = Customer.objects.in_bulk(ids)
    return held[ids[0]], held[ids[1]]


def say(customer: Customer, purpose: Purpose, given: bool, days_ago: int = 0) -> Consent:
    return actions.record(
        customer=customer, purpose=purpose, channel="email", given=given, source="preferences",
        at=timezone.now() - dt.timedelta(days=days_ago),
    )  # fmt: skip


def test_a_refusal_goes_along_and_back(two: tuple[Customer, Customer], news: Purpose) -> None:
    """Whoever had refused was written to again once the entry was merged into one that agreed."""
    winner, loser = two
    say(winner, news, given=True, days_ago=2)
    refused = say(loser, news, given=False, days_ago=1)
    assert queries.may_contact(winner, news, "email")
    merge = customers.merge(winner=winner, loser=loser)
    assert not queries.may_contact(winner, news, "email")
    assert not queries.ways(winner, ["news"])["news"].channels
    assert [row.last.given for row in queries.standing(winner) if row.last] == [False]
    archive = zipfile.ZipFile(io.BytesIO(portability.archive(winner)))
    [told] = [json.loads(archive.read(name)) for name in archive.namelist() if "json" in name]
    assert [row["given"] for row in told["consents"]] == [False, True]
    customers.undo_merge(merge=merge)
    assert queries.may_contact(winner, news, "email")
    assert not queries.may_contact(loser, news, "email")
    assert [row.pk for row in Consent.objects.filter(customer=loser)] == [refused.pk]


def test_what_the_other_said_stops_the_clock(two: tuple[Customer, Customer], news: Purpose) -> None:
    winner, loser = two
    say(loser, news, given=True)
    customers.merge(winner=winner, loser=loser)
    assert retention.tick()["announced"] == 0


def test_a_visitor_who_turns_out_to_be_somebody_has_said_it_for_them(
    two: tuple[Customer, Customer], news: Purpose
) -> None:
    """Events that said who a visitor is left their refusal behind."""
    customer, _other = two
    [visitor] = customers.resolve_many([{"anonymous_id": "v-1"}], source="events")
    say(customer, news, given=True, days_ago=1)
    say(Customer.objects.get(pk=visitor), news, given=False)
    row = {"anonymous_id": "v-1", "customer_id": "A"}
    _join_visitors([row], [customer.pk])
    assert Customer.objects.get(pk=visitor).merged_into_id == customer.pk
    assert not queries.may_contact(customer, news, "email")


def test_what_is_written_down_of_a_merged_entry_is_the_others(
    two: tuple[Customer, Customer], news: Purpose, client: Any
) -> None:
    """A program that knew the old number wrote a refusal down where nobody looked."""
    winner, loser = two
    say(winner, news, given=True, days_ago=1)
    customers.merge(winner=winner, loser=loser)
    line = say(loser, news, given=False)
    assert line.customer_id == winner.pk
    rows = [(loser.pk, False, None), (winner.pk, True, None)]
    assert actions.record_many(rows, purpose="surveys", channel="email", source="import:1") == 1
    assert not queries.may_contact(winner, "surveys", "email")
    _key, text = accounts.create_key(name="k", scopes=[Right.SEE_CUSTOMERS], actor=None)
    head = {"authorization": f"Bearer {text}"}
    for id in (winner.pk, loser.pk):
        told = client.get("/api/consents", {"customer": id}, headers=head).json()
        assert len(told["items"]) == 3


def test_what_was_merged_before_is_brought_along(
    two: tuple[Customer, Customer], news: Purpose
) -> None:
    """Merges of earlier versions had left what was said behind."""
    second, first = two
    [id] = customers.resolve_many([{"customer_id": "C", "email": "c@example.com"}], source="test")
    third = Customer.objects.get(pk=id)
    early = customers.merge(winner=second, loser=first)
    late = customers.merge(winner=third, loser=second)
    line = say(first, news, given=False)
    Consent.objects.filter(pk=line.pk).update(customer=first)
    move = importlib.import_module("revoir_web.consents.migrations.0003_let_consents_go_along")
    move.move(apps, None)
    move.move(apps, None)
    for merge, whose in ((None, third), (late, second), (early, first)):
        if merge is not None:
            customers.undo_merge(merge=merge)
        assert Consent.objects.get().customer_id == whose.pk
