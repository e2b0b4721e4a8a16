"""Messages that nobody meant: they are refused, or land, or are set aside; none holds others up."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from revoir_web.common import jobs
from revoir_web.common.models import AuditEntry
from revoir_web.common.rights import Right
from revoir_web.consents.erasure import erase_persons
from revoir_web.consents.models import Erasure
from revoir_web.customers.models import Customer
from revoir_web.ingest import commerce, inbox, visitors
from revoir_web.ingest.models import InboxEvent, Landing, SeenMessage, SetAside
from revoir_web.testing.calls import Api

from .conftest import drained, lake, send, work

pytestmark = pytest.mark.django_db(transaction=True)
AT = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


def nested(depth: int) -> Any:
    held: Any = 1
    for _level in range(depth):
        held = {"a": held}
    return held


def order(*products: tuple[Any, Any], **said: Any) -> dict[str, Any]:
    lines = [{"price": price, "quantity": quantity} for price, quantity in products]
    return {"event": "Order Completed", "properties": {"products": lines, **said}}


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("track", {
            "event": "x", "timestamp": "9999-12-31T23:59:59Z", "sentAt": "2020-01-01T00:00:00Z",
        }),
        ("track", order((1e9, 1e6), order_id="A")),
        ("track", order((9e12, 9e12), order_id="A")),
        ("track", order(*[(9e12, 1)] * 50, order_id="A")),
        ("track", order(order_id="A", revenue=9e12, tax=9e12, shipping=9e12)),
        ("identify", {"traits": {"phone": "0612345678", "address": {"country": 33}}}),
        ("identify", {"traits": {"phone": 612345678, "name": 1, "address": {"country": True}}}),
        ("track", {"event": "x", "properties": nested(60)}),
    ],
)  # fmt: skip
def test_a_message_that_raised_lands(key: str, call: str, body: dict[str, Any]) -> None:
    """An acknowledged message with such values was tried for ever, and nothing else landed."""
    assert send(key, call, {"userId": "u", **body}).status_code == 200
    assert send(key, "track", {"userId": "v", "event": "Visite"}).status_code == 200
    drained()
    assert lake("SELECT count(*) FROM events WHERE event = 'Visite'") == [(1,)]
    assert not SetAside.objects.exists()


def test_refunds_beyond_every_amount_give_all_back(key: str) -> None:
    """Refunds that came to more than the lake holds kept everything else out of it."""
    said = {"userId": "u", "properties": {"order_id": "A", "total": 9e12}}
    send(key, "track", {**said, "event": "Order Completed"})
    for number in range(20):
        send(key, "track", {**said, "event": "Order Refunded", "messageId": f"r{number}"})
    drained()
    assert lake("SELECT kind, amount = 9e12, refunded = 9e12 FROM orders") == [
        ("cancelled", True, True)
    ]


@pytest.mark.parametrize(
    ("products", "amount"), [([(1e9, 1e6), (2, 3)], 6), ([(9e12, 9e12), (2, 3)], 6)]
)
def test_a_line_that_no_shop_could_have_counts_as_if_it_had_no_price(
    products: Any, amount: int
) -> None:
    held = commerce.Order()
    properties = order(*products)["properties"]
    held.hear("Order Completed", properties, message="1", at=AT, customer="c")
    row, lines = held.rows("X", ZoneInfo("UTC"))
    assert row is not None
    assert row["amount"] == amount
    assert [line["amount"] for line in lines] == [None, amount]


def test_what_is_nested_too_deeply_is_refused(key: str) -> None:
    deep = {"userId": "u", "type": "track", "event": "x", "properties": nested(500)}
    answer = send(key, "track", deep)
    assert (answer.status_code, answer.json()["code"]) == (400, "too_deep")
    good = {**deep, "properties": nested(3)}
    infinite = json.dumps({"batch": [deep, good, {**good, "properties": {"n": 7}}]})
    told = send(key, "batch", infinite.replace(":7", ":1e999").replace(": 7", ": 1e999").encode())
    assert [item.get("code", item["status"]) for item in told.json()["items"]] == [
        "too_deep", "accepted", "bad_json",
    ]  # fmt: skip
    drained()


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have messages with the event “Mauvais” raise."""
    usual = inbox._event

    def event(message: inbox.Message, *rest: Any) -> dict[str, Any]:
        if message.body.get("event") == "Mauvais":
            raise ValueError("bad")
        return usual(message, *rest)

    monkeypatch.setattr(inbox, "_event", event)
    return monkeypatch


def visits(key: str, *bad: int, count: int = 9) -> None:
    for number in range(count):
        body = {"userId": f"u{number}", "messageId": f"m{number}"}
        name = "Mauvais" if number in bad else "Visite"
        assert send(key, "track", {**body, "event": name}).status_code == 200


@pytest.mark.parametrize("bad", [(0,), (8,), (3, 4), tuple(range(9))])
def test_a_message_that_fails_is_set_aside_and_the_others_land(
    key: str, faulty: Any, bad: tuple[int, ...]
) -> None:  # fmt: skip
    """One message that could not be brought in kept all others out for ever."""
    visits(key, *bad)
    drained()
    ids = [json.loads(held.body)["messageId"] for held in SetAside.objects.order_by("pk")]
    assert ids == [f"m{number}" for number in bad]
    if len(bad) < 9:
        landed = 9 - len(bad)
        assert lake("SELECT count(*), count(DISTINCT event_id) FROM events") == [(landed, landed)]
    assert SeenMessage.objects.count() == 9 - len(bad)


def test_programs_see_what_was_set_aside_and_have_it_tried_again(key: str, faulty: Any) -> None:
    visits(key, 3, 5)
    drained()
    rights = (Right.MANAGE_SOURCES, Right.MANAGE_KEYS)
    call = Api(*rights, Right.SEE_PERSONAL)
    told = call.everything("/events/set-aside?limit=1")
    assert [json.loads(row["message"])["messageId"] for row in told] == ["m3", "m5"]
    assert all(row["reason"] and row["type"] == "track" for row in told)
    [first, _second] = Api(*rights)("get", "/events/set-aside").json()["items"]
    assert (first["id"], first["message"]) == (told[0]["id"], None)
    assert Api(Right.MANAGE_SOURCES)("get", "/events/set-aside").status_code == 403
    assert call("post", "/events/set-aside/again", {}).json() == {"messages": 2}
    assert not SetAside.objects.exists()
    assert InboxEvent.objects.count() == 2
    # Whoever saw only that there are some saw nobody.
    seen = AuditEntry.objects.filter(action="events.set_aside")
    assert [entry.details for entry in seen] == [{"messages": 1}] * 2


def test_a_worker_that_dies_while_it_looks_for_a_message_doubles_nothing(
    key: str, faulty: Any
) -> None:  # fmt: skip
    visits(key, 4)
    narrow = inbox._narrow
    passed: list[int] = []

    def dies(*given: Any) -> int:
        passed.append(1)
        if len(passed) % 2:
            raise RuntimeError("killed")
        return narrow(*given)

    faulty.setattr(inbox, "_narrow", dies)
    job: Any = type("Job", (), {"fence": lambda _: None, "progress": lambda *_: None})()
    for _attempt in range(20):
        try:
            inbox.drain(job)
        except RuntimeError:
            continue
        break
    assert len(passed) > 3
    assert not InboxEvent.objects.exists()
    assert SetAside.objects.count() == 1
    assert lake("SELECT count(*), count(DISTINCT event_id) FROM events") == [(8, 8)]


def test_a_disk_that_fails_sets_nothing_aside(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    visits(key, count=2)

    def full(*_given: Any) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(inbox, "_write", full)
        jobs.enqueue("ingest.drain")
        work()
    assert Landing.objects.get().events == list(InboxEvent.objects.values_list("pk", flat=True))
    assert not SetAside.objects.exists()
    drained()


def test_what_is_set_aside_is_seen_downloaded_and_brought_in_again(
    key: str, faulty: Any, as_role: Callable[[str], Client]
) -> None:  # fmt: skip
    visits(key, 1, 2, count=4)
    drained()
    owner = as_role("owner")
    assert (
        "2 événements n’ont pas pu être intégrés" in owner.get("/sources/events/").content.decode()
    )
    answer = owner.get("/sources/events/set-aside.jsonl")
    rows = [json.loads(line) for line in answer.getvalue().decode().splitlines()]
    assert [json.loads(row["message"])["userId"] for row in rows] == ["u1", "u2"]
    assert "ValueError" in rows[0]["reason"]
    assert as_role("analyst").get("/sources/events/set-aside.jsonl").status_code == 403
    faulty.undo()
    assert owner.post("/sources/events/again/").status_code == 302
    drained()
    assert not SetAside.objects.exists()
    assert lake("SELECT count(*), count(DISTINCT event_id) FROM events") == [(4, 4)]


def test_an_erased_person_is_gone_from_what_is_set_aside(key: str, faulty: Any) -> None:
    visits(key, 1, 2, count=3)
    drained()
    held = SetAside.objects.earliest("pk")
    # What nobody can look into may name anybody.
    SetAside.objects.create(received_at=held.received_at, key_id=1, body='{"a":' * 5000)
    person = Customer.objects.get(identifiers__kind="external", identifiers__value="u1")
    erase_persons(customers=[person], reason=Erasure.Reason.REQUEST)
    assert [json.loads(held.body)["userId"] for held in SetAside.objects.all()] == ["u2"]


# -- Anything ----------------------------------------------------------------------------------
_WORDS = st.sampled_from((
    "Order Completed", "Order Refunded", "order_id", "A", "products", "total", "price", "quantity",
    "email", "ana@example.com", "0612345678", "FR", "2026-01-31", "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00", "\x00", "\ud83d", "1e12", "-1e-400", "1E+99999", "",
))  # fmt: skip
_PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | _WORDS
    | st.sampled_from((9e12, 1e13, 10**30, -(10**400), 5e-324))
)  # fmt: skip
_JSON = st.recursive(
    _PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(_WORDS | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
_TRAITS = st.dictionaries(
    st.sampled_from(
        (*visitors._TRAITS, "address", "company", "Email", "customer_id", "x", "é", "")
    ),
    _PLAIN | st.dictionaries(st.sampled_from((*visitors._PLACE, "name")), _PLAIN),
    max_size=6,
)
_PRODUCTS = st.lists(
    st.dictionaries(st.sampled_from(("product_id", "name", "price", "quantity")), _PLAIN) | _JSON,
    max_size=4,
)
_PROPERTIES = st.fixed_dictionaries({}, optional={
    "order_id": st.sampled_from(("A", "B", 7)) | _JSON, "products": _PRODUCTS | _JSON,
    "total": _PLAIN, "revenue": _PLAIN, "tax": _PLAIN, "discount": _PLAIN, "currency": _PLAIN,
    "path": _JSON, "session_id": _JSON, "affiliation": _JSON,
}) | _JSON  # fmt: skip
_MESSAGE = st.fixed_dictionaries(
    {"type": st.sampled_from(("identify", "track", "page", "alias", "group"))},
    optional={
        "userId": st.sampled_from(("u1", "u2")) | _PLAIN, "anonymousId": _JSON,
        "previousId": _PLAIN, "groupId": _PLAIN, "messageId": st.sampled_from(("m1", "m2")),
        "event": st.sampled_from((*commerce.ORDER_EVENTS, "Visite")) | _PLAIN, "name": _JSON,
        "traits": _TRAITS | _JSON, "properties": _PROPERTIES,
        "context": st.dictionaries(
            st.sampled_from(("traits", "page", "device", "library", "sessionId")),
            _TRAITS | _JSON,
        ) | _JSON,
        "timestamp": _WORDS | st.datetimes().map(str), "originalTimestamp": _PLAIN,
        "sentAt": _WORDS | st.datetimes().map(str),
    },
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batch=st.lists(_MESSAGE | _JSON, min_size=1, max_size=20))
@example(batch=[{"type": "track", "userId": "u", "event": "x", "properties": nested(500)}])
def test_whatever_is_sent_the_inbox_empties(key: str, batch: list[Any]) -> None:
    answer = send(key, "batch", {"batch": batch})
    assert answer.status_code in (200, 400), answer.content
    drained()
    assert not SetAside.objects.exists(), SetAside.objects.values_list("body", "reason")
