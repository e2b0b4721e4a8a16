"""Saved views of customers by the API: whose they are, and what stands in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from revoir_web.common.rights import Right
from revoir_web.customers import actions
from revoir_web.customers.models import SavedView
from revoir_web.testing.calls import Api

pytestmark = pytest.mark.django_db
PATH = "/views/customers"
LYON = {
    "name": "Lyon",
    "columns": ["name", "revenue"],
    "filters": {"city": "Lyon", "orders": "2", "since": "2026-01-31"},
    "sort": "-orders",
    "search": "zoé & co",
}
SignIn = Callable[[str], Client]


@pytest.fixture
def program(company: Any) -> Api:
    """A program that sees customers."""
    return Api(Right.SEE_CUSTOMERS)


def ask(client: Client, method: str, path: str, body: Any = None) -> Any:
    data = "" if body is None else json.dumps(body)
    return client.generic(method, f"/api{path}", data, content_type="application/json")


def test_a_program_keeps_a_view_that_the_page_shows(program: Api, as_role: SignIn) -> None:
    answer = program("post", PATH, LYON)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert {name: made[name] for name in LYON} == LYON
    assert (made["shared"], made["own"]) == (True, True)
    analyst = as_role("analyst")
    page = analyst.get(f"{reverse('customers:list')}?{made['query']}")
    assert 'aria-current="page">Lyon<' in page.content.decode()
    table = page.context["table"]
    assert [column.name for column in table.chosen] == ["name", "revenue"]
    assert (table.sort[0].name, table.sort[1], table.words) == ("orders", True, "zoé & co")
    assert {held["key"] for held in table.fields if held["value"]} >= {"city", "orders", "since"}
    [seen] = analyst.get(f"/api{PATH}").json()["items"]
    assert seen == {**made, "own": False}


def test_a_view_is_changed_bit_by_bit_and_forgotten(program: Api) -> None:
    made = program("post", PATH, LYON).json()
    path = f"{PATH}/{made['id']}"
    assert program("patch", path, {}).json() == made
    changed = program("patch", path, {"filters": {"status": "active"}, "search": ""}).json()
    assert changed["filters"] == {"status": "active"}
    assert (changed["search"], changed["columns"], changed["sort"]) == (
        "", LYON["columns"], "-orders",
    )  # fmt: skip
    changed = program("patch", path, {"name": " Actifs ", "columns": [], "sort": ""}).json()
    assert (changed["name"], changed["columns"], changed["query"]) == (
        "Actifs", [], "status=active",
    )  # fmt: skip
    assert program.everything(PATH) == [changed]
    assert program("delete", path).status_code == 204
    assert program("delete", path).status_code == program("patch", path, {}).status_code == 404
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    "told",
    [
        {"name": ""}, {"name": "  "}, {"name": "x" * 101}, {"columns": ["x"]},
        {"columns": ["name,revenue"]}, {"sort": "city"}, {"sort": "--orders"},
        {"filters": {"x": "1"}}, {"filters": {"orders": "many"}}, {"filters": {"since": "soon"}},
        {"filters": {"status": "x"}}, {"filters": {"columns": "name"}}, {"filters": ["city"]},
        {"filters": {"city": "é" * 200}, "search": "\U0001f600" * 200}, {"search": "x" * 201},
    ],
    ids=lambda told: str(told)[:40],
)  # fmt: skip
def test_what_is_no_view_is_refused(program: Api, told: dict[str, Any]) -> None:
    """The page passes over what it does not know, and a program would show everybody."""
    made = program("post", PATH, LYON).json()
    for answer in (
        program("post", PATH, {**LYON, "name": "new", **told}),
        program("patch", f"{PATH}/{made['id']}", told),
    ):
        assert answer.status_code == 422, answer.content
        assert answer.json()["error"]["message"]
    assert program.everything(PATH) == [made]


def test_a_program_has_no_view_of_its_own_and_no_name_twice(program: Api) -> None:
    assert program("post", PATH, {"name": "a", "shared": False}).status_code == 409
    one = program("post", PATH, {"name": "a"}).json()
    two = program("post", PATH, {"name": "b"}).json()
    assert program("patch", f"{PATH}/{one['id']}", {"shared": False}).status_code == 409
    assert program("patch", f"{PATH}/{one['id']}", {"name": "b "}).status_code == 409
    again = program("post", PATH, {"name": "b", "sort": "orders"}).json()
    assert (again["id"], again["sort"]) == (two["id"], "orders")
    assert SavedView.objects.count() == 2
    program.headers["Idempotency-Key"] = "k"
    for _time in range(2):
        assert program("post", PATH, {"name": "c"}).status_code == 201
    assert SavedView.objects.count() == 3


def test_whose_view_it_is(program: Api, users: Any, as_role: SignIn) -> None:
    """People change their own; those of programs are theirs, and whoever manages people's."""
    mine = actions.save_view(owner=users["analyst"], name="à moi", query="orders=abc&page=x")
    analyst, manager, owner = (as_role(role) for role in ("analyst", "manager", "owner"))
    assert program.everything(PATH) == []
    path = f"{PATH}/{mine.pk}"
    for who in (manager, owner):
        assert ask(who, "PATCH", path, {"shared": True}).status_code == 404
        assert ask(who, "DELETE", path).status_code == 404
    for method in ("patch", "delete"):
        assert program(method, path, {}).status_code == 404
    # What the page kept as it was typed stays as it was.
    told = ask(analyst, "PATCH", path, {"shared": True}).json()
    assert (told["query"], told["own"], told["shared"]) == ("orders=abc&page=x", True, True)
    assert program.everything(PATH) == [{**told, "own": False}]
    made = program("post", PATH, {"name": "à moi", "sort": "orders"}).json()
    where = reverse("customers:list") + "?sort=orders"
    delete = reverse("customers:view-delete", args=[made["id"]])
    assert ask(analyst, "PATCH", f"{PATH}/{made['id']}", {"name": "x"}).status_code == 404
    assert analyst.post(delete).status_code == 404
    assert delete not in analyst.get(where).content.decode()
    assert delete in owner.get(where).content.decode()
    assert owner.post(delete).status_code == 302
    assert [view.pk for view in SavedView.objects.all()] == [mine.pk]


def test_a_person_keeps_a_view_of_their_own(as_role: SignIn, program: Api) -> None:
    analyst = as_role("analyst")
    program("post", PATH, {"name": "Lyon"})
    answer = ask(analyst, "POST", PATH, {"name": "Lyon", "sort": "orders"})
    assert answer.status_code == 201
    assert (answer.json()["shared"], answer.json()["own"]) == (False, True)
    # Nor is the form of the page in the way of a name that a program has taken.
    form = {"name": "Lyon", "query": "sort=revenue"}
    assert analyst.post(reverse("customers:view-save"), form).status_code == 302
    assert SavedView.objects.get(owner__isnull=False).query == "sort=revenue"
    assert len(program.everything(PATH)) == 1
