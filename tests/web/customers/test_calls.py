"""Calls of the API about customers, merges and consents, with real ones."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from revoir.language import msg
from revoir_web.common.api import write_cursor
from revoir_web.common.models import AuditEntry, Replay
from revoir_web.common.rights import Right
from revoir_web.customers import actions, facts
from revoir_web.customers.models import Customer, Note
from revoir_web.testing.calls import Api

pytestmark = pytest.mark.django_db


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


def test_facts_of_one_moment_are_all_told(company: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happened with a customer stood on their page alone, and no call told it."""
    [id] = actions.resolve_many([{"customer_id": "1", "email": "a@b.fr"}], source="t")
    day = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    held = [
        {"at": day + dt.timedelta(hours=9), "kind": "response", "title": "nps",
         "details": {"score": 3, "bad": True, "text": "Trop cher"}},
        *({"at": day, "kind": "product", "id": f"L{n}", "title": f"P{n}", "amount": Decimal(n),
           "details": {"product": f"P{n}", "quantity": 2, "upgrade_on": day.date(),
                       "odd": float("nan"), "many": [1]}} for n in range(7)),
        {"at": day - dt.timedelta(days=1), "kind": "order", "id": "O1", "title": msg("Order"),
         "amount": Decimal("9.50"), "currency": "CHF", "details": {}},
    ]  # fmt: skip

    def provider(ids: Any, *, limit: int, before: dt.datetime | None, kinds: Any) -> list[Any]:
        return [fact for fact in held if before is None or fact["at"] < before][:limit]

    monkeypatch.setattr(facts, "_PROVIDERS", [provider])
    told = Api(*ALL).everything(f"/customers/{id}/facts?limit=3")
    assert [fact["title"] for fact in told] == ["nps", *(f"P{n}" for n in range(7)), "Commande"]
    said, line, order = told[0], told[1], told[-1]
    assert (said["text"], said["details"], said["day_only"]) == (
        "Trop cher", {"score": 3, "bad": True}, False,
    )  # fmt: skip
    assert line["details"] == {"product": "P0", "quantity": 2, "upgrade_on": "2026-01-05"}
    assert (line["day_only"], line["currency"]) == (True, "EUR")
    assert (order["id"], order["amount"], order["currency"]) == ("O1", 9.5, "CHF")
    masked = Api(Right.SEE_CUSTOMERS).everything(f"/customers/{id}/facts?limit=3")
    assert {**said, "text": None} == masked[0]
    for cursor in ("x", "2026-01-05", "2026-01-05T00:00:00+00:00 -1", "9999-12-31T00:00:00Z 1"):
        path = f"/customers/{id}/facts?cursor={write_cursor(cursor)}"
        assert Api(*ALL)("get", path).status_code == 400, cursor


def test_a_profile_has_what_the_page_shows(company: Any) -> None:
    ids = actions.resolve_many(
        [{"customer_id": n, "email": "a@b.fr"} for n in ("1", "2")], source="t"
    )
    actions.index_waiting()
    actions.propose_merges()
    actions.write_figures(
        [{"customer_id": id, "orders": n, "revenue": n * 10, "segment": "loyal"}
         for n, id in enumerate(ids, start=1)]
    )  # fmt: skip
    told = Api(Right.SEE_CUSTOMERS)("get", f"/customers/{ids[0]}/profile").json()
    assert told["metrics"][0] == {"name": "orders", "value": 1, "mean": 1.5, "tone": "worse"}
    [pair] = told["may_be"]
    assert (pair["customer"], told["merged"], told["products"]) == (ids[1], [], [])
    assert Api(*ALL)("post", "/merges", {"winner": ids[1], "loser": ids[0]}).status_code == 201
    assert Api(*ALL)("get", f"/customers/{ids[0]}/profile").json()["merged"] == [ids[0]]


def test_notes(company: Any, users: Any) -> None:
    [id] = actions.resolve_many([{"customer_id": "1"}], source="t")
    call = Api(Right.SEE_CUSTOMERS, Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)
    path = f"/customers/{id}/notes"
    made = [call("post", path, {"text": f" note {n} "}).json() for n in range(5)]
    assert (made[0]["text"], made[0]["author"]) == ("note 0", None)
    assert [row["id"] for row in call.everything(f"{path}?limit=3")] == [
        row["id"] for row in made[::-1]
    ]
    one = f"{path}/{made[0]['id']}"
    assert call("patch", one, {"text": "autre"}).json()["text"] == "autre"
    for text in ("", "  ", "x" * 5001):
        assert call("patch", one, {"text": text}).status_code == 422
        assert call("post", path, {"text": text}).status_code == 422
    assert call("delete", one).status_code == 204
    assert call("delete", one).status_code == 404
    # Somebody else's is changed by whoever manages people.
    customer = Customer.objects.get(pk=id)
    note = actions.add_note(customer=customer, text="à elle", actor=users["advisor"])
    one = f"{path}/{note.pk}"
    assert call.everything(f"{path}?limit=3")[0]["author"] == "Camille advisor"
    assert call("patch", one, {"text": "x"}).status_code == 403
    assert call("delete", one).status_code == 403
    assert Api(*ALL)("delete", one).status_code == 204
    assert Api(Right.SEE_CUSTOMERS)("get", path).status_code == 403
    found = AuditEntry.objects.filter(action__startswith="customer.note")
    assert found.filter(action="customer.note_changed").count() == 1
    assert "note 0" not in str(list(found.values_list("details", flat=True)))


def test_a_note_that_is_kept_to_be_told_again_goes_with_the_person(company: Any) -> None:
    from revoir_web.consents import ledger

    [id] = actions.resolve_many([{"customer_id": "1", "email": "a@b.fr"}], source="t")
    actions.index([id])
    call = Api(*ALL)
    call.headers["Idempotency-Key"] = "k"
    path = f"/customers/{id}/notes"
    first = call("post", path, {"text": "allergique aux noix"}).json()
    assert call("post", path, {"text": "allergique aux noix"}).json() == first
    assert Note.objects.count() == Replay.objects.count() == 1
    del call.headers["Idempotency-Key"]
    assert call("delete", f"/customers/{id}").status_code == 204
    assert not Replay.objects.exists()
    assert not Note.objects.exists()
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
