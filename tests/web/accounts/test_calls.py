"""Calls of the API about people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from revoir_web.accounts import actions
from revoir_web.accounts.models import Invitation, User
from revoir_web.accounts.rights import ROLES, Right, Role
from revoir_web.common.models import AuditEntry
from revoir_web.testing.calls import Api

pytestmark = pytest.mark.django_db


def test_people_are_listed(users: dict[str, User], as_role: Callable[[str], Client]) -> None:
    """A program could give an alert to a person, and had no way to know their number."""
    User.objects.filter(pk=users["analyst"].pk).update(is_active=False)
    client = as_role("owner")
    found: list[Any] = []
    cursor = ""
    while cursor is not None:
        page = client.get("/api/people", {"limit": 3, "cursor": cursor}).json()
        found += page["items"]
        cursor = page["next"]
    assert {row["id"]: row["role"] for row in found} == {
        user.pk: role for role, user in users.items()
    }
    assert [row["active"] for row in found if row["role"] == "analyst"] == [False]
    assert not any("password" in row for row in found)
    assert as_role("manager").get("/api/people").status_code == 403


def test_role_and_account_change_in_one_form(
    users: dict[str, User], as_role: Callable[[str], Client]
) -> None:
    analyst = users["analyst"]
    path = f"/people/{analyst.pk}/"
    as_role("owner").post(path, {"role": "advisor", "active": "0"})
    analyst.refresh_from_db()
    assert (analyst.role, analyst.is_active) == ("advisor", False)
    as_role("owner").post(f"/people/{users['owner'].pk}/", {"role": "owner", "active": "0"})
    users["owner"].refresh_from_db()
    assert users["owner"].is_active


# -- What programs change ------------------------------------------------------------------------
INVITATIONS = "/invitations"
NEW = {"email": "New@Example.com", "role": "advisor", "language": "en"}


@pytest.fixture
def program(users: dict[str, User]) -> Api:
    """A program that may do what owners may."""
    return Api(*ROLES[Role.OWNER])


def test_someone_is_invited_and_the_place_is_taken(
    program: Api, mailoutbox: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = program("post", INVITATIONS, NEW)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["email"], made["role"], made["invited_by"]) == ("new@example.com", "advisor", None)
    [letter] = mailoutbox
    assert letter.to == ["new@example.com"]
    invitation = Invitation.objects.get()
    link = actions.invitation_link(invitation)
    assert link in letter.body
    # Whoever knows the link can set the password: it goes to the person alone.
    assert link.rpartition("/invitation/")[2].strip("/") not in answer.content.decode()
    assert program.everything(INVITATIONS) == [made]
    entry = AuditEntry.objects.get(action="user.invite")
    assert entry.actor_name.startswith("test (rvr_")
    user = actions.accept_invitation(invitation=invitation, name="N", password="une phrase longue")
    assert (user.role, user.language) == ("advisor", "en")
    assert program.everything(INVITATIONS) == []
    assert program("delete", f"{INVITATIONS}/{made['id']}").status_code == 404
    assert program("post", INVITATIONS, NEW).status_code == 409, "has an account"


def test_an_invitation_is_withdrawn(program: Api) -> None:
    first = program("post", INVITATIONS, NEW).json()
    second = program("post", INVITATIONS, NEW).json()
    assert [row["id"] for row in program.everything(INVITATIONS)] == [second["id"]]
    assert program("delete", f"{INVITATIONS}/{first['id']}").status_code == 404
    assert program("delete", f"{INVITATIONS}/{second['id']}").status_code == 204
    assert program("delete", f"{INVITATIONS}/{second['id']}").status_code == 404
    assert program.everything(INVITATIONS) == []
    assert AuditEntry.objects.filter(action="user.revoke_invitation").count() == 1


def test_someone_is_invited_once(program: Api, mailoutbox: list[Any]) -> None:
    program.headers["Idempotency-Key"] = "k"
    answers = [program("post", INVITATIONS, NEW) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize(
    "told",
    [
        {**NEW, "email": "nobody"}, {**NEW, "email": "a b@example.com"}, {**NEW, "email": ""},
        {**NEW, "role": "king"}, {**NEW, "language": "de"}, {"email": "n@example.com"},
    ],
    ids=str,
)  # fmt: skip
def test_who_cannot_be_invited(program: Api, told: dict[str, Any]) -> None:
    assert program("post", INVITATIONS, told).status_code == 422
    assert not Invitation.objects.exists()


def test_role_and_account_of_a_person_change(program: Api, users: dict[str, User]) -> None:
    analyst = users["analyst"]
    path = f"/people/{analyst.pk}"
    before = program("patch", path, {}).json()
    assert program("patch", path, {"role": "manager", "active": None}).json() == {
        **before, "role": "manager",
    }  # fmt: skip
    client = Client()
    client.force_login(analyst, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/api/dashboard").status_code == 200
    assert program("patch", path, {"active": False}).json()["active"] is False
    assert client.get("/api/dashboard").status_code == 401
    assert program("patch", path, {"active": True}).json()["active"] is True
    found = AuditEntry.objects.filter(object_kind="user").order_by("pk")
    assert [entry.action for entry in found] == ["user.role", "user.close", "user.open"]
    for told in ({"role": "king"}, {"active": "perhaps"}, {"role": 1}):
        assert program("patch", path, told).status_code == 422
    assert program("patch", "/people/999999", {"active": False}).status_code == 404


def test_a_password_is_no_value_of_a_call(program: Api, users: dict[str, User]) -> None:
    analyst = users["analyst"]
    told = {"password": "x" * 20, "email": "thief@example.com", "is_active": False}
    program("patch", f"/people/{analyst.pk}", told)
    after = User.objects.get(pk=analyst.pk)
    assert (after.password, after.email, after.is_active) == (analyst.password, analyst.email, True)


def test_the_last_owner_stays(program: Api, users: dict[str, User]) -> None:
    path = f"/people/{users['owner'].pk}"
    for told in ({"role": "manager"}, {"active": False}, {"role": "analyst", "active": False}):
        answer = program("patch", path, told)
        assert answer.status_code == 409
        assert answer.json()["error"]["remedy"]
    users["owner"].refresh_from_db()
    assert (users["owner"].role, users["owner"].is_active) == ("owner", True)
    program("patch", f"/people/{users['manager'].pk}", {"role": "owner"})
    assert program("patch", path, {"role": "manager"}).status_code == 200


def test_a_key_gives_no_more_than_it_has(users: dict[str, User]) -> None:
    """With the scope of people alone a program would have made itself an owner."""
    User.objects.filter(pk=users["manager"].pk).update(is_active=False)
    narrow = Api(Right.MANAGE_PEOPLE, *ROLES[Role.ANALYST])
    assert narrow("post", INVITATIONS, {**NEW, "role": "analyst"}).status_code == 201
    refused = [
        narrow("post", INVITATIONS, {**NEW, "role": "owner"}),
        narrow("post", INVITATIONS, {**NEW, "role": "advisor"}),
        narrow("patch", f"/people/{users['analyst'].pk}", {"role": "owner"}),
        narrow("patch", f"/people/{users['manager'].pk}", {"active": True}),
    ]
    assert [answer.status_code for answer in refused] == [409] * 4
    assert "edit_customers" in refused[1].json()["error"]["remedy"]
    assert Invitation.objects.count() == 1
    users["analyst"].refresh_from_db()
    users["manager"].refresh_from_db()
    assert (users["analyst"].role, users["manager"].is_active) == ("analyst", False)
    # To take a right away asks for none but that of people.
    path = f"/people/{users['advisor'].pk}"
    assert narrow("patch", path, {"role": "analyst"}).status_code == 200
    assert narrow("patch", path, {"active": False}).status_code == 200
