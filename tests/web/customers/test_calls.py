"""Calls of the API about customers, merges and consents, with real ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from revoir_web.accounts.models import ApiKey
from revoir_web.common.rights import Right
from revoir_web.customers import actions

pytestmark = pytest.mark.django_db


class Api:
    """A program with a key."""

    def __init__(self, *rights: Right) -> None:
        _key, text = ApiKey.make("test", [right.value for right in rights])
        self.headers = {"Authorization": f"Bearer {text}"}

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        more: dict[str, Any] = {}
        if body is not None:
            more = {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(Client(), method)(f"/api{path}", headers=self.headers, **more)


ALL = tuple(Right)


def test_customers_page_by_page(company: Any) -> None:
    ids = actions.resolve_many(
        [{"customer_id": str(n), "name": f"Nom {n}", "city": "Lyon"} for n in range(7)], source="t"
    )
    actions.index_waiting()
    actions.write_figures(
        [{"customer_id": id, "orders": n, "revenue": n * 10} for n, id in enumerate(ids)]
    )
    call = Api(*ALL)
    for sort, expected in (("id", ids), ("-id", ids[::-1]), ("-revenue", ids[::-1])):
        found: list[str] = []
        cursor = ""
        while True:
            page = call("get", f"/customers?limit=3&sort={sort}&cursor={cursor}").json()
            found += [row["id"] for row in page["items"]]
            cursor = page["next"]
            if not cursor:
                break
        assert found == expected, sort
    assert len(call("get", "/customers?orders_min=5").json()["items"]) == 2
    assert len(call("get", "/customers?q=nom%203").json()["items"]) == 1
    assert len(call("get", "/customers?city=lyo").json()["items"]) == 7
    assert call("get", "/customers?limit=0").status_code == 422
    assert call("get", "/customers?sort=password").status_code == 422


def test_a_key_without_the_scope_sees_no_person(company: Any) -> None:
    [id] = actions.resolve_many([{"customer_id": "1", "email": "a@b.fr"}], source="t")
    actions.index([id])
    call = Api(Right.SEE_CUSTOMERS)
    for answer in (call("get", "/customers"), call("get", f"/customers/{id}")):
        assert answer.status_code == 200
        assert "a@b.fr" not in answer.content.decode()
    assert call("patch", f"/customers/{id}", {"city": "Lyon"}).status_code == 403


def test_a_customer_from_first_to_last(company: Any) -> None:
    call = Api(*ALL)
    told = {"external_id": "77", "email": "Ana@B.fr", "first_name": "Ana",
            "birth_date": "1990-05-01",
            "attributes": {"sector": "food", "staff": 3}}  # fmt: skip
    made = call("post", "/customers", told).json()
    assert (made["email"], made["name"], made["attributes"]) == (
        "ana@b.fr", "Ana", {"sector": "food", "staff": 3},
    )  # fmt: skip
    id = made["id"]
    assert call("post", "/customers", {"email": "ana@b.fr"}).json()["id"] == id
    changed = call("patch", f"/customers/{id}", {"city": "Lyon", "birth_date": None}).json()
    assert (changed["city"], changed["birth_date"]) == ("Lyon", None)
    wrong = call("patch", f"/customers/{id}", {"email": "nothing"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (409, "not_possible")

    said = {"customer": id, "purpose": "news", "channel": "email", "given": True, "proof": "shop"}
    assert call("post", "/consents", said).status_code == 201
    assert call("post", "/consents", {**said, "purpose": "none"}).status_code == 404
    assert call("post", "/consents", {**said, "channel": "phone"}).status_code == 409
    assert call("post", "/consents", {**said, "at": "2999-01-01T00:00:00Z"}).status_code == 409
    assert call("get", f"/consents?customer={id}").json()["items"][0]["given"] is True
    path = f"/customers/{id}/may-contact"
    assert call("get", f"{path}?purpose=news&channel=email").json() == {"allowed": True}
    assert call("get", f"{path}?purpose=news&channel=pigeon").status_code == 422
    assert call("get", "/consents/purposes").json()[0]["code"] == "news"
    url = call("get", f"/customers/{id}/preferences").json()["url"]
    assert Client().get(url.partition("8000")[2]).status_code == 200
    file = call("get", f"/customers/{id}/data")
    assert file.content[:2] == b"PK"

    assert call("delete", f"/customers/{id}").status_code == 204
    assert call("delete", f"/customers/{id}").status_code == 404
    gone = call("get", f"/customers/{id}").json()
    assert (gone["erased"], gone["email"], gone["identifiers"]) == (True, "", [])
    assert call("post", "/customers", {"email": "ana@b.fr"}).json()["error"]["code"] == "nobody"
    from revoir_web.consents import ledger

    ledger.path().unlink()


def test_merges(company: Any) -> None:
    call = Api(*ALL)
    one, two = actions.resolve_many(
        [{"customer_id": "1", "email": "a@b.fr"}, {"customer_id": "2", "email": "a@b.fr"}],
        source="t",
    )
    actions.index_waiting()
    actions.propose_merges()
    [pair] = call("get", "/merges/proposals").json()["items"]
    assert {pair["left"], pair["right"]} == {one, two}
    assert call("post", "/merges", {"winner": one, "loser": one}).status_code == 409
    assert call("post", "/merges", {"winner": one, "loser": "x"}).status_code == 404
    made = call("post", "/merges", {"winner": one, "loser": two})
    assert made.status_code == 201
    assert call("get", f"/customers/{two}").json()["id"] == one
    assert call("get", "/merges").json()["items"][0]["reversed"] is False
    assert call("delete", f"/merges/{made.json()['id']}").status_code == 204
    assert call("delete", f"/merges/{made.json()['id']}").status_code == 409
    assert call("get", f"/customers/{two}").json()["id"] == two
    assert call("post", f"/merges/proposals/{pair['id']}/apart", {}).status_code == 204
    assert call("get", "/merges/proposals").json()["items"] == []
