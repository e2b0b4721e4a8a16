"""Events as Segment's specification has them: taken, refused in words, and in the lake once."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import hashlib
import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from revoir_web.accounts import actions as accounts
from revoir_web.accounts.rights import Right
from revoir_web.consents.erasure import erase_persons
from revoir_web.customers.merging import dismiss
from revoir_web.customers.models import Customer, Identifier, MergeProposal
from revoir_web.ingest import commerce, inbox, intake, visitors
from revoir_web.ingest.models import InboxEvent, SeenMessage
from revoir_web.ingest.standing import Standing

from .conftest import drained, lake, send

pytestmark = pytest.mark.django_db(transaction=True)


def test_calls_land_as_events_and_orders(key: str) -> None:
    traits = {"email": "Ana@Example.com", "firstName": "Ana", "address": {"city": "Lyon"}}
    assert send(key, "identify", {"userId": "u1", "traits": traits}).status_code == 200
    assert send(key, "page", {"anonymousId": "v9", "name": "Accueil"}).status_code == 200
    order = {
        "order_id": "50314", "total": 27.5, "currency": "eur",
        "products": [{"sku": "G-32", "name": "Thé", "price": 9, "quantity": 3}],
    }  # fmt: skip
    sent = send(key, "track", {"userId": "u1", "event": "Order Completed", "properties": order})
    assert sent.json() == {"success": True}
    drained()
    assert sorted(lake("SELECT event, page FROM events")) == [
        ("Order Completed", None), ("page", "Accueil"),
    ]  # fmt: skip
    assert lake("SELECT order_id, amount, kind, currency FROM orders") == [
        ("50314", 27.5, "purchase", "EUR")
    ]
    assert lake("SELECT product, quantity, amount FROM order_lines") == [("Thé", 3, 27)]
    ana = Customer.objects.get(identifiers__kind="external", identifiers__value="u1")
    assert (ana.email, ana.first_name, ana.city) == ("ana@example.com", "Ana", "Lyon")
    assert lake("SELECT customer_id FROM orders") == [(ana.pk,)]


def test_every_article_of_a_long_order_is_a_line(key: str) -> None:
    """Those beyond 500 were left out, while the order counted them in its amount."""
    products = [{"sku": f"S{n}", "price": 2} for n in range(700)]
    placed = {"order_id": "1", "products": products}
    send(key, "track", {"userId": "u1", "event": "Order Completed", "properties": placed})
    drained()
    found = "SELECT count(*), sum(amount) FROM order_lines"
    assert [*lake(found), *lake("SELECT amount FROM orders")] == [(700, 1400), (1400,)]


def test_traits_that_no_column_has_are_attributes(key: str) -> None:
    """They were dropped without a word; other columns of a file of customers are kept."""
    traits = {
        "email": "ana@example.com", "connuPar": "amis", "Établi le": 2019, "pro": True,
        "interests": ["thé", "café", {"a": 1}], "empty": "", "nothing": None, "last_name": "Roy",
        "address": {"city": "Lyon", "floor": 3}, "company": {"name": "Halles", "industry": "thé"},
        "id": "9", "customer_id": "C9", "deep": {"er": {"x": 1}}, "plan": {"name": "Or"},
        "bio": "a" * 3000, "lastName": "Ruiz", "consent": True, "gender": ["f"], "age": None,
    }  # fmt: skip
    told = send(key, "identify", {"userId": "u1", "traits": traits}).json()
    assert sorted(told["left_out"]) == [
        "consent", "customer_id", "deep.er", "gender", "id", "interests",
    ]  # fmt: skip
    visit = {"userId": "u1", "event": "Visite", "context": {"traits": {"pro": False, "note": 5}}}
    assert send(key, "track", visit).status_code == 200
    drained()
    ana = Customer.objects.get(identifiers__value="u1")
    assert (ana.last_name, ana.city, ana.company_name) == ("Ruiz", "Lyon", "Halles")
    assert ana.attributes == {
        "connu_par": "amis", "etabli_le": 2019, "pro": False, "interests": "thé, café",
        "address_floor": 3, "company_industry": "thé", "plan_name": "Or", "bio": "a" * 3000,
        "note": 5,
    }  # fmt: skip
    assert not Customer.objects.filter(identifiers__value="C9").exists()
    # As names of columns and an address in one text are understood, and what is said adds up.
    traits = {"first_name": "Bob", "Company": "Quai", "address": "3 rue X", "a": 1}
    send(key, "identify", {"userId": "u2", "traits": {**traits, "email": "bob@example.com"}})
    send(key, "identify", {"anonymousId": "v2", "traits": {"email": "bob@example.com", "b": 2}})
    drained()
    bob = Customer.objects.get(identifiers__value="u2")
    assert (bob.first_name, bob.company_name, bob.address) == ("Bob", "Quai", "3 rue X")
    assert bob.attributes == {"a": 1, "b": 2}


def test_a_call_with_very_many_traits_keeps_some_and_names_the_others(key: str) -> None:
    traits = {f"t{n}": n for n in range(200)} | {"email": "ana@example.com"}
    others = [f"t{n}" for n in range(visitors.ATTRIBUTES_MAX, 200)]
    message = {"userId": "u1", "traits": traits}
    told = send(key, "identify", message).json()
    assert told == {"success": True, "left_out": others, "why": told["why"]}
    assert "50" in told["why"]
    few = {"userId": "u2", "traits": {"t1": 1}, "type": "identify"}
    seen = {"userId": "u2", "event": "Visite", "type": "track", "context": {"traits": traits}}
    batch = [{**message, "type": "identify"}, few, seen]
    items = send(key, "batch", {"batch": batch}).json()["items"]
    assert [item["status"] for item in items] == ["accepted"] * 3
    assert [item.get("left_out") for item in items] == [others, None, others]
    drained()
    ana = Customer.objects.get(identifiers__value="u1")
    assert ana.attributes == {f"t{n}": n for n in range(visitors.ATTRIBUTES_MAX)}


def test_refund_before_its_order_and_in_parts(key: str) -> None:
    def track(event: str, message: str, **properties: Any) -> None:
        body = {"userId": "u1", "event": event, "messageId": message, "properties": properties}
        assert send(key, "track", body).status_code == 200

    track("Order Refunded", "m1", order_id="A", total=5)
    drained()
    track("Order Completed", "m2", order_id="A", revenue=20)
    track("Order Completed", "m3", order_id="B", revenue=8)
    drained()
    track("Order Refunded", "m4", order_id="A", total=3)
    track("Order Refunded", "m5", order_id="B")
    drained()
    assert lake("SELECT order_id, amount, refunded, kind FROM orders ORDER BY 1") == [
        ("A", 12, 8, "purchase"), ("B", 8, 8, "cancelled"),
    ]  # fmt: skip


def test_a_visitor_becomes_the_customer_that_they_are(key: str) -> None:
    send(key, "track", {"userId": "u1", "event": "Achat"})
    send(key, "track", {"anonymousId": "v1", "event": "Visite"})
    drained()
    visitor = Customer.objects.get(identifiers__kind="anonymous", identifiers__value="v1")
    send(key, "identify", {"userId": "u1", "anonymousId": "v1"})
    drained()
    visitor.refresh_from_db()
    known = Customer.objects.get(identifiers__kind="external", identifiers__value="u1")
    assert visitor.merged_into_id == known.pk
    send(key, "track", {"anonymousId": "v1", "event": "Retour"})
    drained()
    assert lake("SELECT customer_id FROM events WHERE event = 'Retour'") == [(known.pk,)]


@pytest.mark.parametrize("nobody", ["undefined", "null", "Guest", "anonymous"])
def test_whoever_a_site_does_not_know_is_nobody(key: str, nobody: str) -> None:
    """All of them were one customer, of all these orders, whom files would not have known."""
    for number in range(2):
        order = {"order_id": f"O{number}", "total": 5}
        body = {"event": "Order Completed", "properties": order}
        send(key, "track", {"userId": nobody, **body})
        send(key, "track", {"userId": nobody, "anonymousId": f"v{number}", "event": "Visite"})
        send(key, "track", {"anonymousId": nobody, "event": "Visite"})
    drained()
    assert lake("SELECT count(*), count(customer_id) FROM orders") == [(2, 0)]
    assert lake("SELECT count(DISTINCT customer_id), count(*) FROM events") == [(2, 2)]
    assert Customer.objects.count() == 2


def test_a_message_lands_once_whatever_comes_again(key: str) -> None:
    body = {"userId": "u1", "event": "Visite", "messageId": "m-1"}
    send(key, "track", body)
    send(key, "track", {**body, "event": "Autre"})
    drained()
    send(key, "track", body)
    drained()
    assert lake("SELECT event FROM events") == [("Visite",)]
    SeenMessage.objects.all().delete()


def test_landing_that_was_interrupted_lands_once(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        send(key, "track", {"userId": f"u{number}", "event": "Visite", "messageId": f"m{number}"})
    landing = inbox._next()
    assert landing is not None
    _digests, messages = inbox._once(list(InboxEvent.objects.all()))
    inbox._write(inbox._made(messages, set(), Standing()), landing)  # and here the worker dies
    send(key, "track", {"userId": "u9", "event": "Visite", "messageId": "m9"})
    drained()
    assert lake("SELECT count(*), count(DISTINCT event_id) FROM events") == [(4, 4)]


@pytest.mark.parametrize("parts", range(4))
def test_landing_that_was_interrupted_between_its_parts_lands_once(
    key: str, monkeypatch: pytest.MonkeyPatch, parts: int
) -> None:
    monkeypatch.setattr(inbox, "_PART", 2)
    for number in range(3):
        body = {"userId": f"u{number}", "messageId": f"m{number}"}
        order = {"order_id": f"O{number}", "total": 10 + number}
        send(key, "track", {**body, "event": "Order Completed", "properties": order})
    send(key, "track", {"userId": "u0", "event": "Visite", "messageId": "m0"})
    passed: list[int] = []

    def fence() -> None:
        passed.append(1)
        if len(passed) > parts:
            raise RuntimeError("killed")

    job: Any = SimpleNamespace(fence=fence, progress=lambda *told: None)
    with pytest.raises(RuntimeError, match="killed"):
        inbox.drain(job)
    refund = {"order_id": "O1", "total": 4}
    body = {"userId": "u1", "event": "Order Refunded", "messageId": "r", "properties": refund}
    send(key, "track", body)
    drained()
    assert lake("SELECT count(*), count(DISTINCT event_id) FROM events") == [(4, 4)]
    orders = lake("SELECT order_id, amount::int, refunded::int FROM orders ORDER BY 1")
    assert orders == [("O0", 10, None), ("O1", 7, 4), ("O2", 12, None)]
    assert SeenMessage.objects.count() == 4
    assert not InboxEvent.objects.exists()


def test_clock_of_the_sender_is_set_right(key: str) -> None:
    now = timezone.now()
    wrong = now + dt.timedelta(hours=5)
    body = {
        "userId": "u1", "event": "Visite", "sentAt": wrong.isoformat(),
        "timestamp": (wrong - dt.timedelta(minutes=10)).isoformat(),
    }  # fmt: skip
    send(key, "track", body)
    drained()
    at = lake("SELECT occurred_at FROM events")[0][0]
    expected = (now - dt.timedelta(minutes=10)).replace(tzinfo=None)
    assert abs(at - expected) < dt.timedelta(seconds=10)


def test_batch_says_what_became_of_each(key: str) -> None:
    batch = [
        {"type": "track", "userId": "u1", "event": "A", "messageId": "1"},
        {"type": "track", "userId": "u1", "messageId": "2"},
        {"type": "dance", "userId": "u1", "messageId": "3"},
        {"type": "track", "userId": "u1", "event": "A", "messageId": "1"},
        {"type": "track", "event": "A", "messageId": "5"},
        "nothing",
        {"type": "track", "userId": "u1", "event": "A", "messageId": "7",
         "properties": {"x": "y" * 33_000}},
    ]  # fmt: skip
    told = send(key, "batch", {"batch": batch, "context": {"locale": "fr"}}).json()
    assert [item["status"] for item in told["items"]] == [
        "accepted", "rejected", "rejected", "duplicate", "rejected", "rejected", "rejected",
    ]  # fmt: skip
    assert [item.get("code") for item in told["items"]][-1] == "message_too_large"
    assert json.loads(InboxEvent.objects.get().body)["context"] == {"locale": "fr"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad_json"),
        (b"[1]", "no_object"),
        (b'{"userId": "u", "event": NaN}', "bad_json"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too_large"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
        (b'{"userId": "a", "userId": "b", "event": "x"}', "key_twice"),
        (b'{"userId": "\xff", "event": "x"}', "bad_json"),
        (b'{"userId": ' + b"9" * 5000 + b', "event": "x"}', "bad_json"),
        (b'{"userId": "u", "event": "x", "p": "' + b"a" * 33_000 + b'"}', "message_too_large"),
        (b'{"userId": "u", "event": "x", "p": "' + b"a" * 600_000 + b'"}', "too_large"),
        (b'{"event": "x"}', "no_id"),
        (b'{"userId": {"a": 1}, "event": "x"}', "bad_id"),
        (b'{"userId": "' + b"u" * 600 + b'", "event": "x"}', "bad_id"),
        (b'{"userId": "u", "event": ""}', "no_event"),
        (b'{"userId": "u", "event": "x", "messageId": 5}', "bad_message_id"),
        (b'{"userId": "u", "event": "x", "properties": []}', "bad_properties"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_in_words(key: str, body: bytes, code: str) -> None:
    answer = send(key, "track", body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    french = send(key, "track", body, **{"accept-language": "fr"}).json()
    assert french["message"] != answer.json()["message"]
    assert not InboxEvent.objects.exists()


def test_gzip_is_taken_and_a_bomb_is_not(key: str) -> None:
    good = gzip.compress(json.dumps({"userId": "u", "event": "x"}).encode())
    assert send(key, "track", good, **{"content-encoding": "gzip"}).status_code == 200
    bomb = gzip.compress(b" " * 50_000_000)
    answer = send(key, "track", bomb, **{"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (400, "too_large")
    cut = send(key, "track", good[:-12], **{"content-encoding": "gzip"})
    assert cut.json()["code"] == "bad_gzip"


def test_halves_of_characters_and_nul_land(key: str) -> None:
    body = b'{"userId": "u", "event": "Caf\\ud83d\\u0000", "properties": {"a": "\\udc00"}}'
    assert send(key, "track", body).status_code == 200
    drained()
    assert lake("SELECT event FROM events") == [("Caf\ufffd",)]


def test_keys(key: str) -> None:
    body = {"userId": "u", "event": "x"}
    assert send(None, "track", body).status_code == 401
    assert send("rvr_00000000_wrong", "track", body).status_code == 401
    assert send(None, "track", {**body, "writeKey": key}).status_code == 200
    _other, reader = accounts.create_key(name="r", scopes=[Right.SEE_CUSTOMERS], actor=None)
    assert send(reader, "track", body).status_code == 401
    assert "writeKey" not in InboxEvent.objects.get().body


def test_browsers_of_other_sites_may_send(key: str) -> None:
    asked = Client().options("/v1/t", headers={"origin": "https://shop.example"})
    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Origin"] == "*"
    answer = Client().post(
        "/v1/t", json.dumps({"writeKey": key, "anonymousId": "v", "event": "x"}),
        content_type="text/plain",
    )  # fmt: skip
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_more_than_can_be_kept_is_sent_back(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "PENDING_MAX", 0)
    answer = send(key, "track", {"userId": "u", "event": "x"})
    assert answer.status_code == 429
    assert answer["Retry-After"] == "1"
    assert not InboxEvent.objects.exists()


def test_what_is_acknowledged_at_once_by_many_is_kept(key: str) -> None:
    statuses: list[int] = []

    def one(number: int) -> None:
        try:
            for turn in range(5):
                body = {"userId": "u", "event": "x", "messageId": f"{number}-{turn}"}
                statuses.append(send(key, "track", body).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(200) == 40
    assert InboxEvent.objects.count() == 40


@pytest.mark.parametrize("fault", [InterfaceError, SystemExit])
def test_what_could_not_be_written_is_acknowledged_to_nobody(
    key: str, monkeypatch: pytest.MonkeyPatch, fault: type[BaseException]
) -> None:
    """Whoever wrote for others failed in a way of its own, and the others were told all is well."""

    def fails(*arguments: object) -> None:
        raise fault

    pen = intake._Pen()
    other = intake._Handed([(1, "track", timezone.now(), "", "{}")])
    pen.waiting.append(other)
    monkeypatch.setattr(intake, "_pen", pen)
    monkeypatch.setattr(intake.bulk, "insert", fails)
    with contextlib.suppress(fault):
        intake._write_all()
    assert other.done
    assert other.error is not None
    assert not InboxEvent.objects.exists()


def test_orders_of_whoever_was_erased_stay_theirs_or_nobody_s(key: str) -> None:
    """All who were erased were one customer in the figures, to whom their orders went over."""

    def order(event: str, number: str, total: int) -> None:
        told = {"order_id": number, "total": total}
        body = {"userId": "u1", "event": event, "properties": told}
        assert send(key, "track", body).status_code == 200

    order("Order Completed", "A", 10)
    drained()
    ana = Customer.objects.get()
    erase_persons(customers=[ana], reason="request")
    order("Order Updated", "A", 12)
    order("Order Completed", "B", 20)
    drained()
    assert sorted(lake("SELECT order_id, customer_id, CAST(amount AS INTEGER) FROM orders")) == [
        ("A", ana.pk, 12), ("B", None, 20),
    ]  # fmt: skip


def test_what_the_erased_were_called_comes_back_by_no_alias(key: str) -> None:
    """An alias kept their number, or their address in its place, as that of a visitor."""
    for user in ("u1", "ana@example.com"):
        send(key, "identify", {"userId": user, "traits": {"email": "ana@example.com"}})
    drained()
    erase_persons(customers=list(Customer.objects.all()), reason="request")
    for old in ("u1", "ana@example.com", "visitor-1"):
        send(key, "alias", {"previousId": old, "userId": "new"})
    drained()
    assert sorted(Identifier.objects.values_list("kind", "value")) == [
        ("anonymous", "visitor-1"), ("external", "new"),
    ]  # fmt: skip


def test_a_number_that_takes_the_place_of_another_is_proposed(key: str) -> None:
    """An alias of somebody who had a number was forgotten, and they stayed two customers."""
    for user in ("ana@example.com", "u1"):
        send(key, "track", {"userId": user, "event": "Visite"})
    drained()
    alias = {"previousId": "ana@example.com", "userId": "u1"}
    send(key, "alias", alias)
    drained()
    pair = MergeProposal.objects.get()
    assert {pair.left, pair.right} == set(Customer.objects.all())
    assert (pair.reason, pair.state) == ("alias", "open")
    # Whoever knows the key of the site could say it of any two: a person decides, once.
    dismiss(proposal=pair)
    send(key, "alias", alias)
    send(key, "alias", {"previousId": "u1", "userId": "u1"})
    send(key, "alias", {"previousId": "nobody-9", "userId": "u1"})
    drained()
    assert MergeProposal.objects.get().state == "apart"
    assert not Customer.objects.filter(merged_into__isnull=False).exists()


def test_an_erased_address_comes_back_as_no_number(key: str) -> None:
    """Known by an address or by it as their number, they were let in by the other."""
    send(key, "identify", {"userId": "u1", "traits": {"email": "ana@example.com"}})
    send(key, "identify", {"userId": "Bob@example.com"})
    drained()
    erase_persons(customers=list(Customer.objects.all()), reason="request")
    send(key, "track", {"userId": "ANA@example.com", "event": "Visite"})
    send(key, "identify", {"userId": "u2", "traits": {"email": "bob@example.com"}})
    drained()
    assert not Identifier.objects.exists()
    assert not Customer.objects.filter(erased_at=None).exists()


def test_nothing_of_a_person_reaches_the_lake(key: str) -> None:
    body = {
        "userId": "u1", "event": "Inscription",
        "properties": {"email": "ana@example.com", "note": "de ana@example.com", "plan": "pro"},
        "context": {"page": {"path": "/merci/ana@example.com"}},
    }  # fmt: skip
    send(key, "track", body)
    drained()
    assert lake("SELECT properties, page FROM events") == [('{"plan":"pro"}', None)]


def test_amounts_that_are_none() -> None:
    at = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    order = commerce.Order()
    odd = {"total": "1e309", "products": [{"price": "NaN"}, {"price": 2, "quantity": 2}, 7]}
    order.hear("Order Completed", odd, message="1", at=at, customer="c")
    row, lines = order.rows("X", dt.UTC)  # type: ignore[arg-type]
    assert row is not None
    assert row["amount"] == 4
    assert len(lines) == 2


def test_a_hash_kept_as_text_is_known_after_the_update(key: str) -> None:
    before = [("ingest", "0003_name_the_messages_of_a_landing")]
    after = MigrationExecutor(connection).loader.graph.leaf_nodes("ingest")
    digest = hashlib.sha256(b"m-1").hexdigest()[:32]
    try:
        MigrationExecutor(connection).migrate(before)
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO ingest_seenmessage VALUES (%s, '2026-01-01')", [digest])
    finally:
        MigrationExecutor(connection).migrate(after)
    send(key, "track", {"userId": "u1", "event": "Visite", "messageId": "m-1"})
    send(key, "track", {"userId": "u1", "event": "Autre", "messageId": "m-2"})
    drained()
    assert lake("SELECT event FROM events") == [("Autre",)]
