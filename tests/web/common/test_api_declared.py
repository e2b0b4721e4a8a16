"""Whatever is sent, the APIs answer as they declare, and never with 500 (Schemathesis)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from revoir_web.accounts import actions as accounts
from revoir_web.accounts.models import ApiKey, User
from revoir_web.accounts.rights import Role
from revoir_web.common import api as door
from revoir_web.common import jobs
from revoir_web.common.rights import Right
from revoir_web.consents.models import Purpose
from revoir_web.customers import actions as customers
from revoir_web.customers import merging
from revoir_web.customers.models import Customer, MergeProposal, SavedView
from revoir_web.ingest import actions as imports
from revoir_web.ingest import intake
from revoir_web.ingest.models import Source, WebhookEndpoint
from revoir_web.insights import actions as figures
from revoir_web.insights.models import Digest, Goal, SavedSegment
from revoir_web.messaging import actions as messaging

pytestmark = pytest.mark.django_db(transaction=True)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
FEW, MANY = 4, 40
"""Examples a call, of what it asks for and of what it does not."""


@pytest.fixture
def key(company: Any, settings: Any, tmp_path: Any) -> str:
    """A key that may do everything."""
    settings.API_PER_MINUTE = 10**9
    settings.DATA = tmp_path / "data"
    settings.LAKE = str(tmp_path / "lake")
    intake.forget_keys()
    _key, text = ApiKey.make("test", [right.value for right in Right])
    return text


def there() -> dict[str, str]:
    """Something of each kind: the beginning of an address → the id that is found there."""

    def person(name: str) -> Customer:
        made = customers.identify(
            identifiers={"external": name}, profile={"name": f"Zoé {name}"}, source="test"
        )
        assert made is not None
        return made

    number = Customer.objects.count()
    one, two, three = (person(f"C{number + place}") for place in range(3))
    MergeProposal.objects.create(left=one, right=two, reason="name")
    held = merging.merge(winner=one, loser=three)
    hook = WebhookEndpoint.objects.create(name="h", url="https://8.8.8.8/h", kinds=[], secret="x")
    key, _text = ApiKey.make("site", [Right.SEND_EVENTS.value])
    # One who manages people stays, or nobody could be changed.
    User.objects.get_or_create(email="o@example.com", defaults={"role": Role.OWNER})
    user, _new = User.objects.get_or_create(email="a@example.com", defaults={"name": "Ana"})
    invitation = accounts.invite(
        email="i@example.com", role=Role.ANALYST, language="fr", actor=key_of_all()
    )
    found = {
        "people": user.pk,
        "invitations": invitation.pk,
        "views/customers": SavedView.objects.get_or_create(name="v", shared=True)[0].pk,
        "digests": Digest.objects.create(name="d", metrics=["revenue"], every="week").pk,
        "customers": one.pk,
        "merges/proposals": MergeProposal.objects.filter(state="open").latest("pk").pk,
        "merges": held.pk,
        "imports": imports.begin().pk,
        "write-keys": key.pk,
        "webhooks": hook.pk,
        "segments": SavedSegment.objects.create(name="s", rule="orders > 1").pk,
        "goals": Goal.objects.create(metric="retention_rate", value=0.8).pk,
        "metrics": "retention_rate",
        "sources": Source.objects.get_or_create(name="s", kind="folder", location="drop")[0].pk,
        "jobs": jobs.enqueue("insights.refresh").pk,
        "reports": figures.make_report(form="json", language="fr", by=key_of_all()).pk,
        "messages": messaging.send(to="a@example.com", subject="s", text="t", key=str(number)).pk,
    }
    Purpose.objects.get_or_create(code="news", defaults={"name": "News"})
    return {f"/api/{path}/{{": str(value) for path, value in found.items()}


def key_of_all() -> ApiKey:
    """The key that calls are made with."""
    return ApiKey.objects.earliest("pk")


def faults_of(
    declared: Any, url: str, headers: Mapping[str, str], count: int, known: Callable[[], Any]
) -> list[str]:
    """Send what each call asks for and what it does not; what was answered as not declared."""
    some = settings(
        max_examples=count, deadline=None, derandomize=True, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    faults = []
    for found in declared.get_all_operations():
        operation = found.ok()
        real = _of(operation.path, known())
        for mode in GenerationMode:
            cases = st.tuples(operation.as_strategy(mode), st.sampled_from([{}, real]))
            try:
                given(held=cases)(some(_sender(url, headers)))()
            except Exception as error:
                faults.append(f"{operation.label}, {mode.value}: {error}")
    return faults


def _sender(url: str, headers: Mapping[str, str]) -> Callable[..., None]:
    def send(held: tuple[Any, dict[str, str]]) -> None:
        case, real = held
        case.path_parameters.update(real)
        case.call_and_validate(base_url=url, headers=headers, checks=CHECKS)

    return send


def _of(path: str, known: Mapping[str, str]) -> dict[str, str]:
    """The parameter of an address with the id of what is there."""
    begins = [name for name in known if path.startswith(name)]
    return {path[len(name) :].partition("}")[0]: known[name] for name in begins}


def api(live_server: Any, key: str, count: int) -> list[str]:
    door.addresses()
    declared = schemathesis.openapi.from_dict(door.api.get_openapi_schema(path_prefix="api/"))
    headers = {"Authorization": f"Bearer {key}"}
    return faults_of(declared, live_server.url, headers, count, there)


def test_each_call_answers_as_declared(live_server: Any, key: str) -> None:
    faults = api(live_server, key, FEW)
    assert not faults, "\n\n".join(faults)


@pytest.mark.heavy
def test_each_call_answers_many_things_as_declared(live_server: Any, key: str) -> None:
    faults = api(live_server, key, MANY)
    assert not faults, "\n\n".join(faults)


# -- Events: as Segment's HTTP specification has them --------------------------------------------
TEXT: dict[str, Any] = {"type": "string", "maxLength": 600}
ID = {"anyOf": [TEXT, {"type": "number"}, {"type": "null"}]}
OPEN = {"anyOf": [{"type": "object"}, {"type": "null"}]}
MESSAGE = {
    "type": "object",
    "properties": {
        "type": {"enum": ["identify", "track", "page", "screen", "group", "alias", "x"]},
        "userId": ID, "anonymousId": ID, "previousId": ID, "groupId": ID, "messageId": TEXT,
        "event": TEXT, "traits": OPEN, "properties": OPEN, "context": OPEN,
        "timestamp": TEXT, "originalTimestamp": TEXT, "sentAt": TEXT,
    },
}  # fmt: skip
REFUSAL = {
    "type": "object",
    "required": ["success", "code", "message"],
    "properties": {
        "success": {"const": False}, "code": {"type": "string"}, "message": {"type": "string"},
    },
}  # fmt: skip
TAKEN = {
    "type": "object",
    "required": ["success"],
    "properties": {"success": {"const": True}, "items": {"type": "array"}},
}


def events() -> dict[str, Any]:
    """What a call of the events' API takes and answers."""

    def call(body: dict[str, Any]) -> dict[str, Any]:
        answers = {"200": TAKEN} | dict.fromkeys(("400", "401", "429", "503"), REFUSAL)
        return {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": body}},
                },
                "responses": {
                    status: {
                        "description": "",
                        "content": {"application/json": {"schema": schema}},
                    }
                    for status, schema in answers.items()
                },
            }
        }

    single = {f"/v1/{name}": call(MESSAGE) for name in intake._KINDS}
    batch = {
        "type": "object",
        "required": ["batch"],
        "properties": {
            "batch": {"type": "array", "items": MESSAGE},
            "sentAt": TEXT,
            "context": OPEN,
        },
    }  # fmt: skip
    return {
        "openapi": "3.1.0",
        "info": {"title": "Events", "version": "1"},
        "paths": {**single, "/v1/batch": call(batch)},
    }


def sent(live_server: Any, key: str, count: int) -> list[str]:
    """Send events, then bring whatever was taken into the lake."""
    from revoir_web.common.models import Job
    from revoir_web.ingest.models import InboxEvent

    declared = schemathesis.openapi.from_dict(events())
    headers = {"Authorization": f"Bearer {key}"}
    faults = faults_of(declared, live_server.url, headers, count, dict)
    assert InboxEvent.objects.exists(), "nothing of it was taken"
    drain = jobs.enqueue("ingest.drain")
    jobs.run(jobs.claim() or drain)
    drain.refresh_from_db()
    if drain.state != Job.State.DONE or InboxEvent.objects.exists():
        faults.append(f"what was taken does not come into the lake: {drain.error}")
    return faults


def test_events_are_answered_as_declared(live_server: Any, key: str) -> None:
    faults = sent(live_server, key, 4 * FEW)
    assert not faults, "\n\n".join(faults)


@pytest.mark.heavy
def test_many_events_are_answered_as_declared(live_server: Any, key: str) -> None:
    faults = sent(live_server, key, 4 * MANY)
    assert not faults, "\n\n".join(faults)
