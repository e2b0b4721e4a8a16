"""Alerts and signals by the API."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from revoir_web.accounts.models import ApiKey
from revoir_web.alerts import actions
from revoir_web.alerts.models import Alert, SignalSetting
from revoir_web.common.models import AuditEntry, Job
from revoir_web.common.rights import Right

from .conftest import LEA, PAUL, ZOE, day

pytestmark = pytest.mark.django_db
Raised = Callable[..., Alert]


def key(*rights: Right) -> dict[str, str]:
    _key, text = ApiKey.make("test", [right.value for right in rights])
    return {"Authorization": f"Bearer {text}"}


SEE = (Right.SEE_CUSTOMERS,)
HANDLE = (Right.SEE_CUSTOMERS, Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)


def listed(client: Client, query: str = "", *rights: Right) -> list[int]:
    found: list[int] = []
    cursor = ""
    while True:
        page = client.get(
            f"/api/alerts?limit=2&{query}&cursor={cursor}", headers=key(*(rights or SEE))
        ).json()
        found += [row["id"] for row in page["items"]]
        if not page["next"]:
            return found
        cursor = page["next"]


def test_the_list_page_by_page_and_its_filters(
    client: Client, raised: Raised, users: dict[str, Any]
) -> None:
    held = [raised(ZOE, raised_on=day(number)) for number in range(3)]
    other = raised(PAUL, signal="unanswered", owner=users["advisor"])
    later = raised(LEA, snoozed_until=actions.today() + dt.timedelta(days=3))
    closed = raised(LEA, raised_on=day(2), is_open=False, closed_on=day(9), closed_by="left")
    assert listed(client) == [*(alert.pk for alert in held), other.pk]
    assert listed(client, "state=snoozed") == [later.pk]
    assert listed(client, "state=closed") == [closed.pk]
    assert len(listed(client, "state=all")) == 6
    assert listed(client, "signal=unanswered") == [other.pk]
    assert listed(client, f"customer={PAUL}") == [other.pk]
    assert listed(client, f"owner={users['advisor'].pk}") == [other.pk]
    assert listed(client, f"raised_from={day(2)}") == [held[2].pk, other.pk]
    answer = client.get("/api/alerts?state=lost", headers=key(*SEE))
    assert answer.status_code == 422


def test_one_alert_and_its_note_for_those_who_may(client: Client, raised: Raised) -> None:
    alert = raised(note="Zoé a rappelé")
    told = client.get(f"/api/alerts/{alert.pk}", headers=key(*SEE)).json()
    assert told["note"] is None
    assert (told["customer"], told["signal"], told["open"]) == (ZOE, "complaints", True)
    assert told["reason"].startswith("2\N{NO-BREAK SPACE}")
    assert (told["bought_for"], told["at_stake"]) == (300, 150)
    told = client.get(f"/api/alerts/{alert.pk}", headers=key(*HANDLE)).json()
    assert told["note"] == "Zoé a rappelé"
    assert client.get("/api/alerts/999999", headers=key(*SEE)).status_code == 404


def test_a_program_handles_an_alert_once(
    client: Client, raised: Raised, users: dict[str, Any]
) -> None:
    alert = raised()
    headers = {**key(*HANDLE), "Idempotency-Key": "a"}

    def change(body: dict[str, Any], **more: str) -> Any:
        return client.patch(
            f"/api/alerts/{alert.pk}",
            json.dumps(body),
            content_type="application/json",
            headers={**headers, **more},
        )

    body = {"owner": users["advisor"].pk, "outcome": "kept", "note": "x"}
    first = change(body)
    assert first.status_code == 200, first.content
    assert (first.json()["outcome"], first.json()["open"]) == ("kept", False)
    assert change(body)["Idempotent-Replay"] == "true"
    entry = AuditEntry.objects.get(action="alert.change")
    assert entry.actor_name.startswith("test (rvr_")
    assert Alert.objects.get().outcome_by is None
    # What is left out stays; null takes away.
    told = change({"outcome": None, "owner": None}, **{"Idempotency-Key": "b"}).json()
    assert (told["outcome"], told["owner"], told["note"], told["open"]) == ("", None, "x", True)
    for wrong, status in (
        ({"owner": users["analyst"].pk}, 409),
        ({"owner": 999999}, 409),
        ({"outcome": "married"}, 422),
        ({"snoozed_until": "2001-01-01"}, 409),
        ({"note": "a" * 6000}, 422),
    ):
        assert change(wrong, **{"Idempotency-Key": "c"}).status_code == status, wrong


def test_signals_with_their_record(client: Client, raised: Raised) -> None:
    raised()
    told = client.get("/api/signals", headers=key(*SEE)).json()
    named = {one["name"]: one for one in told}
    assert named["complaints"]["open"] == 1
    assert named["complaints"]["record"]["precision"]["denominator"] == 400
    one = client.get("/api/signals/complaints", headers=key(*SEE)).json()
    assert one == named["complaints"]
    assert client.get("/api/signals/horoscope", headers=key(*SEE)).status_code == 404


MANAGE = (Right.SEE_CUSTOMERS, Right.EDIT_GOALS)


def test_a_program_sets_a_signal(client: Client, raised: Raised) -> None:
    raised()

    def change(body: dict[str, Any], *rights: Right, name: str = "complaints") -> Any:
        return client.patch(
            f"/api/signals/{name}",
            json.dumps(body),
            content_type="application/json",
            headers=key(*(rights or MANAGE)),
        )

    told = client.get("/api/signals/complaints", headers=key(*SEE)).json()
    parameters = {one["name"]: one for one in told["parameters"]}
    held = parameters["period_days"]
    assert held["value"] == held["default"]
    assert held["low"] <= held["default"] <= held["high"]
    assert held["meaning"]
    answer = change({"parameters": {"period_days": 60}})
    assert answer.status_code == 200, answer.content
    now = {one["name"]: one["value"] for one in answer.json()["parameters"]}
    assert now == {**{name: one["default"] for name, one in parameters.items()}, "period_days": 60}
    assert Job.objects.filter(kind="alerts.watch").count() == 1
    # What is left out stays.
    answer = change({"enabled": False}).json()
    assert not answer["enabled"]
    assert SignalSetting.objects.get().values == {"period_days": 60}
    change({"parameters": {"period_days": None}, "enabled": True})
    setting = SignalSetting.objects.get()
    assert (setting.enabled, setting.values) == (True, {})
    answer = change({"enabled": None}).json()  # as its record says
    assert (answer["enabled"], answer["chosen"]) == (True, None)
    assert AuditEntry.objects.filter(action="signal.set").count() == 4
    for wrong, status in (
        ({"parameters": {"moon": 1}}, 409),
        ({"parameters": {"period_days": 0.5}}, 409),
        ({"parameters": {"period_days": "long"}}, 422),
        ({"enabled": "perhaps"}, 422),
    ):
        assert change(wrong).status_code == status, wrong
    assert change({}, name="horoscope").status_code == 404
    assert change({}, *HANDLE).status_code == 403
