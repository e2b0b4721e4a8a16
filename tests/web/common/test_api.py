"""Every call of the API: who may make it, what it answers to what it cannot take, once only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from revoir_web.accounts.models import ApiKey
from revoir_web.accounts.rights import ROLES, Role
from revoir_web.common import api as door
from revoir_web.common.models import AuditEntry, Replay
from revoir_web.common.rights import Right

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
NO_ONE = "00000000-0000-0000-0000-000000000000"


def calls() -> Iterator[tuple[str, str, frozenset[Right]]]:
    """Method, path with examples, and rights of each call."""
    door.addresses()
    schema = door.api.get_openapi_schema(path_prefix="api/")
    for route, methods in schema["paths"].items():
        for method, held in methods.items():
            needed = frozenset(Right(name) for name in held["x-rights"])
            path = route
            for part in held["parameters"]:
                sample = NO_ONE if part["schema"].get("format") == "uuid" else "999999"
                path = path.replace(f"{{{part['name']}}}", sample)
            yield method, path, needed


def key(*rights: Right, **fields: Any) -> dict[str, str]:
    _key, text = ApiKey.make("test", [right.value for right in rights], **fields)
    return {"Authorization": f"Bearer {text}"}


def test_each_call_keeps_to_its_rights(as_role: SignIn, client: Client) -> None:
    found = list(calls())
    assert len(found) > 10
    clients = {role: as_role(role.value) for role in Role}
    without = {right: key(*(other for other in Right if other != right)) for right in Right}
    for method, path, needed in found:
        ask = {"content_type": "application/json"} if method != "get" else {}
        answer = getattr(client, method)(path, **ask)
        assert answer.status_code == 401, path
        assert answer.json()["error"]["code"] == "sign_in"
        assert needed, f"{method} {path} needs no right"
        for role, signed_in in clients.items():
            status = getattr(signed_in, method)(path, **ask).status_code
            assert (status == 403) == (not needed <= ROLES[role]), (role, method, path, status)
            assert status < 500
        for right in needed:
            answer = getattr(client, method)(path, headers=without[right], **ask)
            assert answer.status_code == 403, (right, method, path)
            assert right.value in answer.json()["error"]["remedy"]


def test_a_key_that_is_no_good(client: Client, company: Any) -> None:
    from django.utils import timezone

    told = [
        "Bearer nonsense", "Bearer rvr_00000000_" + "x" * 43, "Basic abc", "Bearer", "x\u00e9",
        key(Right.SEE_CUSTOMERS, revoked_at=timezone.now())["Authorization"],
        key(Right.SEE_CUSTOMERS, expires_at=timezone.now())["Authorization"],
    ]  # fmt: skip
    for text in told:
        answer = client.get("/api/customers", headers={"Authorization": text})
        assert answer.status_code == 401, text
        assert answer.json()["error"]["code"] == "unknown_key"
        assert answer["WWW-Authenticate"] == "Bearer"


def test_a_key_counts_before_a_session_and_stands_in_the_trail(as_role: SignIn) -> None:
    owner = as_role("owner")
    assert owner.get("/api/customers", headers=key()).status_code == 403
    assert owner.get("/api/customers").status_code == 200
    headers = key(Right.SEE_CUSTOMERS, Right.SEE_PERSONAL)
    assert owner.get("/api/customers", headers=headers).status_code == 200
    entry = AuditEntry.objects.filter(action="customers.list").latest("pk")
    assert entry.actor_id is None
    assert entry.actor_name.startswith("test (rvr_")


def test_a_session_writes_only_with_its_token(users: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(
        users["owner"], backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    told = json.dumps({"external_id": "1"})
    answer = client.post("/api/customers", told, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "no_token")
    headers = key(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)
    answer = client.post("/api/customers", told, content_type="application/json", headers=headers)
    assert answer.status_code == 200


HOSTILE = [
    b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b'{"email": NaN}', b'{"a": 1, "a": 2}',
    b'{"name": "\\ud800"}', b'{"name": "a\\u0000b"}', b'{"name": "a\x00b"}',
    b"[" * 100_000, b'{"a":' * 100_000, b'{"name": ' + b"9" * 5000 + b"}",
    b'{"name": "' + b"x" * 500 + b'"}', b'{"birth_date": "0000-00-00"}',
    b'{"attributes": {"a": {"b": 1}}}', b'{"email": ["x"]}',
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: repr(body[:24]))
def test_what_cannot_be_taken_is_told(client: Client, company: Any, body: bytes) -> None:
    headers = key(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)
    answer = client.post("/api/customers", body, content_type="application/json", headers=headers)
    # What is no object says nothing, as an empty object does.
    assert answer.status_code in (400, 409, 422), (answer.status_code, answer.content)
    error = answer.json()["error"]
    assert error["message"]
    assert error["code"] in ("not_json", "invalid", "nobody")


def test_a_body_that_is_too_large(client: Client, company: Any) -> None:
    headers = {**key(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL), "Idempotency-Key": "k"}
    body = b'{"name": "' + b"x" * 3_000_000 + b'"}'
    for told in (headers, {"Authorization": headers["Authorization"]}):
        answer = client.post("/api/customers", body, content_type="application/json", headers=told)
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "too_large"


def test_an_address_with_nul_or_without_end(client: Client, company: Any) -> None:
    headers = key(Right.SEE_CUSTOMERS)
    for path in ("/api/customers/a%00b", "/api/customers?q=%00"):
        assert client.get(path, headers=headers).status_code == 400
    for cursor in ("x", "e30", "IiI", "bnVsbA", "dHJ1ZQ", "LTE", "W1tb", "é"):
        for sort in ("id", "revenue"):
            answer = client.get("/api/customers", {"cursor": cursor, "sort": sort}, headers=headers)
            assert answer.status_code in (200, 400), (cursor, answer.content)
    assert client.get("/api/nothing", headers=headers).json()["error"]["code"] == "not_found"


def test_the_same_call_with_one_key_is_done_once(client: Client, company: Any) -> None:
    headers = {
        **key(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL),
        "Idempotency-Key": "order 1".replace(" ", "-"),
    }

    def call(body: dict[str, Any], **more: str) -> Any:
        told = {**headers, **more}
        return client.post(
            "/api/customers", json.dumps(body), content_type="application/json", headers=told
        )

    first = call({"external_id": "1"})
    again = call({"external_id": "1"})
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert again["Idempotent-Replay"] == "true"
    other = call({"external_id": "2"})
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_used")
    # Whoever else uses the same word has their own.
    assert (
        call({"external_id": "2"}, **key(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)).status_code
        == 200
    )
    # A call that failed may be tried again under its key.
    assert call({}, **{"Idempotency-Key": "k2"}).status_code == 409
    assert call({"external_id": "3"}, **{"Idempotency-Key": "k2"}).status_code == 200
    assert call({}, **{"Idempotency-Key": "\u00e9"}).status_code == 400
    assert Replay.objects.count() == 3


def test_too_many_calls(client: Client, company: Any, settings: Any) -> None:
    settings.API_PER_MINUTE = 3
    headers = key(Right.SEE_CUSTOMERS)
    found = [client.get("/api/customers", headers=headers) for _ in range(5)]
    assert [answer.status_code for answer in found][-1] == 429
    assert 0 < int(found[-1]["Retry-After"]) <= 60
    assert client.get("/api/customers", headers=key(Right.SEE_CUSTOMERS)).status_code == 200


def test_the_documentation(as_role: SignIn, client: Client, company: Any) -> None:
    schema = client.get("/api/openapi.json").json()
    assert schema["openapi"].startswith("3.")
    ids = [call["operationId"] for path in schema["paths"].values() for call in path.values()]
    assert len(ids) == len(set(ids))
    page = as_role("analyst").get("/api/docs")
    assert page.status_code == 200
    assert "/api/customers" in page.content.decode()


def test_no_time_of_day_is_declared_to_have_a_zone(client: Client, company: Any) -> None:
    """OpenAPI's `time` is that of RFC 3339, with a zone; what is answered was not as declared."""
    assert '"format": "time"' not in json.dumps(client.get("/api/openapi.json").json())
