"""Whoever may not see who customers are learns it from no search, order or file either."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from revoir_web.accounts import actions as accounts
from revoir_web.accounts.models import User
from revoir_web.accounts.rights import Right
from revoir_web.alerts.lists import alerts
from revoir_web.alerts.models import Alert
from revoir_web.common.tables import Table
from revoir_web.consents.lists import announced
from revoir_web.customers import actions, queries
from revoir_web.customers.lists import customers, proposals
from revoir_web.customers.models import Customer
from revoir_web.messaging.lists import messages

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
TOLD = ("jeanne.d", "061234", "dup", "C-77", "jeanne dupont", "+33612345678")


@pytest.fixture
def jeanne(company: Any) -> Customer:
    """Somebody with an alert, beside somebody else."""
    rows = [
        {"customer_id": "C-77", "name": "Jeanne Dupont", "email": "jeanne.dupont@example.com",
         "phone": "0612345678"},
        {"customer_id": "C-78", "name": "Albert Durand", "email": "albert@example.com"},
    ]  # fmt: skip
    ids = actions.resolve_many(rows, source="test")
    actions.index_waiting()
    for id in ids:
        Alert.objects.create(
            customer_id=id, signal="late", raised_on=dt.date(2026, 1, 1), reason={}
        )
    return Customer.objects.get(pk=ids[0])


def lines(client: Client, name: str, **query: str) -> int:
    """How many rows a file has, without its head."""
    answer: Any = client.get(reverse("common:export", args=[name, "csv"]), query)
    assert answer.status_code == 200
    return len(b"".join(answer.streaming_content).splitlines()) - 1


@pytest.mark.parametrize("name", ["customers", "alerts"])
@pytest.mark.parametrize("words", TOLD)
def test_a_search_tells_an_analyst_nothing(
    as_role: SignIn, jeanne: Customer, name: str, words: str
) -> None:
    """Letter by letter, the rows that stayed told the address that the list masks."""
    url = {"customers": reverse("customers:list"), "alerts": reverse("alerts:list")}[name]
    User.objects.update(language="en")
    analyst, manager = as_role("analyst"), as_role("manager")
    page = analyst.get(url, {"q": words})
    assert page.status_code == 200
    assert page.context["table"].count == 0
    assert page.context["table"].refused
    if name == "customers":
        assert "Your role does not allow this search" in page.content.decode()
    file = reverse("common:export", args=[name, "csv"])
    assert analyst.get(file, {"q": words}).status_code == 403
    assert manager.get(url, {"q": words}).context["table"].count == 1
    assert lines(manager, name, q=words) == 1


@pytest.mark.parametrize("name", ["customers", "alerts"])
def test_a_number_that_stands_in_the_list_is_found(
    as_role: SignIn, jeanne: Customer, name: str
) -> None:
    url = {"customers": reverse("customers:list"), "alerts": reverse("alerts:list")}[name]
    analyst = as_role("analyst")
    for words in (jeanne.pk, jeanne.short, jeanne.pk[-8:].upper()):
        table = analyst.get(url, {"q": words}).context["table"]
        assert [line["row"].pk for line in table.lines] == [
            jeanne.pk if name == "customers" else Alert.objects.get(customer=jeanne).pk
        ]
        assert lines(analyst, name, q=words) == 1
    assert analyst.get(url, {"q": "0" * 8}).context["table"].count == 0
    assert analyst.get(url).context["table"].count == 2
    assert queries.by_number("№\u00a0xyz") is None


def test_an_order_tells_an_analyst_nothing(as_role: SignIn, jeanne: Customer) -> None:
    """Sorted by name, those without one gave away where the others stand in the alphabet."""
    first = {}
    for role in ("analyst", "manager"):
        page = as_role(role).get(reverse("customers:list"), {"sort": "name"})
        table = page.context["table"]
        first[role] = [line["row"].pk for line in table.lines]
        heads = {header["column"].name: header["url"] for header in table.headers}
        assert (heads["name"] is None) is (role == "analyst")
    plain = as_role("analyst").get(reverse("customers:list")).context["table"]
    assert first["analyst"] == [line["row"].pk for line in plain.lines]
    assert first["manager"][-1] == jeanne.pk


@pytest.mark.parametrize("make", [customers, alerts, proposals, announced, messages])
def test_no_list_sorts_or_searches_by_what_it_masks(
    make: Callable[[Any], Table], users: dict[str, User]
) -> None:
    request = RequestFactory().get("/", {"q": "dup"})
    request.user = users["analyst"]
    table = make(request)
    assert table.search is None or table.refused
    for column in table.columns:
        asked = RequestFactory().get("/", {"sort": column.name})
        asked.user = users["analyst"]
        sorted_by, _down = make(asked).sort
        assert sorted_by is None or not sorted_by.personal, column.name


def test_a_key_that_may_not_see_persons_does_not_search_for_them(
    client: Client, jeanne: Customer
) -> None:
    """The API answered with the masked row of whoever has the address."""

    def ask(scopes: list[Right], words: str) -> Any:
        _key, text = accounts.create_key(name="k", scopes=scopes, actor=None)
        head = {"authorization": f"Bearer {text}"}
        return client.get("/api/customers", {"q": words}, headers=head)

    blind, seeing = [Right.SEE_CUSTOMERS], [Right.SEE_CUSTOMERS, Right.SEE_PERSONAL]
    for words in TOLD:
        answer = ask(blind, words)
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "search_tells"
        assert len(ask(seeing, words).json()["items"]) == 1
    assert [row["id"] for row in ask(blind, jeanne.pk).json()["items"]] == [jeanne.pk]
    assert ask(blind, "f" * 32).json()["items"] == []
    answer = client.get("/api/customers?sort=name")
    assert answer.status_code in (401, 422)
