"""Digests as pages and programs set them up, and what the trail says of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from revoir_web.accounts.models import User
from revoir_web.common import jobs
from revoir_web.common.models import AuditEntry, Schedule
from revoir_web.common.rights import Right
from revoir_web.insights import actions
from revoir_web.insights.models import Digest
from revoir_web.testing.calls import Api

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


def test_the_trail_tells_what_a_page_changed(
    filled: Path, as_role: SignIn, users: dict[str, User]
) -> None:
    """The form had changed the row before it was compared: there was never a difference."""
    fields: dict[str, Any] = {
        "name": "Lundi", "every": "week", "weekday": "0", "day": "1", "at": "08:00",
        "enabled": "on", "metrics": ["revenue"], "recipients": [users["analyst"].pk],
    }  # fmt: skip
    client = as_role("analyst")
    client.post("/digests/new/", fields)
    digest = Digest.objects.get()
    changed = {**fields, "name": "Mardi", "weekday": "1", "recipients": [users["owner"].pk]}
    assert client.post(f"/digests/{digest.pk}/", changed).status_code == 302
    entry = AuditEntry.objects.get(action="digest.change")
    assert entry.details == {
        "name": ["Lundi", "Mardi"],
        "weekday": ["0", "1"],
        "recipients": [[users["analyst"].pk], [users["owner"].pk]],
    }
    client.post(f"/digests/{digest.pk}/", changed)
    assert AuditEntry.objects.filter(action="digest.change").count() == 1


# -- By programs ---------------------------------------------------------------------------------
@pytest.fixture
def program(filled: Path, users: dict[str, User]) -> Api:
    """A program that sets up digests."""
    return Api(Right.EDIT_DIGESTS)


def told(users: dict[str, User], **more: Any) -> dict[str, Any]:
    """What a digest needs."""
    fields = {
        "name": "Lundi", "metrics": ["revenue", "retention_rate"], "every": "week",
        "recipients": [users["owner"].pk, users["analyst"].pk],
    }  # fmt: skip
    return {**fields, **more}


def made(program: Api, users: dict[str, User]) -> dict[str, Any]:
    answer = program("post", "/digests", told(users))
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def test_a_program_sets_a_digest_up_and_changes_it(program: Api, users: dict[str, User]) -> None:
    digest = made(program, users)
    asked = {**told(users), "recipients": sorted(told(users)["recipients"])}
    assert digest == {
        **asked, "id": digest["id"], "weekday": 0, "day": 1, "at": "08:00:00", "enabled": True,
    }  # fmt: skip
    path = f"/digests/{digest['id']}"
    schedule = Schedule.objects.filter(name=f"digest:{digest['id']}")
    assert schedule.get().every == "week"
    change = {"every": "month", "day": 31, "at": "06:30", "metrics": ["revenue"], "name": None}
    changed = program("patch", path, change).json()
    assert changed == {
        **digest, "every": "month", "day": 31, "at": "06:30:00", "metrics": ["revenue"],
    }  # fmt: skip
    assert (schedule.get().every, schedule.get().day) == ("month", 31)
    assert program("get", path).json() == changed
    # A digest is let rest, and sent again, whatever became of those who read it.
    User.objects.filter(pk=users["analyst"].pk).update(is_active=False)
    assert program("patch", path, {"enabled": False}).json() == {**changed, "enabled": False}
    assert not schedule.exists()
    assert program("patch", path, {"enabled": True}).json() == changed
    assert schedule.exists()
    assert program("delete", path).status_code == 204
    assert not schedule.exists()
    for method, body in (("get", None), ("patch", {}), ("delete", None)):
        assert program(method, path, body).status_code == 404
    assert program("post", f"{path}/send", {"to": users["owner"].pk}).status_code == 404
    found = AuditEntry.objects.filter(action__startswith="digest.").order_by("pk")
    assert [entry.action for entry in found] == [
        "digest.make", "digest.change", "digest.change", "digest.change", "digest.remove",
    ]  # fmt: skip
    assert all(entry.actor_name.startswith("test (rvr_") for entry in found)


def test_two_who_change_a_digest_do_not_undo_each_other(
    program: Api, users: dict[str, User]
) -> None:
    """What a call did not say was written as it had been read before the other call."""
    opened = Digest.objects.get(pk=made(program, users)["id"])
    actions.change_digest(digest=Digest.objects.get(), fields={"name": "Mondays"})
    actions.change_digest(digest=opened, fields={"day": 9})
    digest = Digest.objects.get()
    assert (digest.name, digest.day) == ("Mondays", 9)


def test_a_digest_is_set_up_once(program: Api, users: dict[str, User]) -> None:
    program.headers["Idempotency-Key"] = "k"
    assert made(program, users) == made(program, users)
    assert Digest.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "}, {"name": "x" * 101}, {"metrics": []}, {"metrics": ["x"]},
        {"metrics": ["revenue"] * 13}, {"every": "day"}, {"weekday": 7}, {"day": 32}, {"day": 0},
        {"at": "24:00"}, {"at": "08:00+02:00"}, {"recipients": []}, {"recipients": [999_999]},
        {"recipients": [2**70]}, {"enabled": "perhaps"},
    ],
    ids=lambda wrong: str(wrong)[:40],
)  # fmt: skip
def test_what_is_no_digest_is_refused(
    program: Api, users: dict[str, User], wrong: dict[str, Any]
) -> None:
    digest = made(program, users)
    assert program("post", "/digests", told(users, **wrong)).status_code == 422
    assert program("patch", f"/digests/{digest['id']}", wrong).status_code == 422
    assert program.everything("/digests") == [digest]


def test_a_digest_goes_to_those_who_may_read_it(program: Api, users: dict[str, User]) -> None:
    User.objects.filter(pk=users["analyst"].pk).update(is_active=False)
    answer = program("post", "/digests", told(users))
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith("recipients: ")


def test_a_digest_is_sent_now(
    program: Api, users: dict[str, User], as_role: SignIn, mailoutbox: list[Any]
) -> None:
    digest = made(program, users)
    path = f"/digests/{digest['id']}/send"
    answer = program("post", path, {"to": users["owner"].pk})
    assert (answer.status_code, answer.json()) == (202, {"to": users["owner"].pk})
    jobs.run_waiting()
    assert [letter.to for letter in mailoutbox] == [["owner@example.com"]]
    sent = AuditEntry.objects.get(action="digest.send")
    assert (sent.details, sent.actor_name[:10]) == ({"to": users["owner"].pk}, "test (rvr_")
    # Of others than its readers it is a letter that nobody asked for.
    for body in ({"to": users["manager"].pk}, {"to": 999_999}, {"to": None}, {}):
        answer = program("post", path, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "not_a_recipient")
    User.objects.filter(pk=users["analyst"].pk).update(is_active=False)
    assert program("post", path, {"to": users["analyst"].pk}).status_code == 422
    manager = as_role("manager")
    for body in ("{}", f'{{"to": {users["manager"].pk}}}'):
        sent = manager.post(f"/api{path}", body, content_type="application/json")
        assert (sent.status_code, sent.json()) == (202, {"to": users["manager"].pk})
    jobs.run_waiting()
    assert [letter.to for letter in mailoutbox[1:]] == [["manager@example.com"]] * 2
