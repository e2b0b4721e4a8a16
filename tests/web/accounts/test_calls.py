"""Calls of the API about people."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from revoir_web.accounts import actions, tasks
from revoir_web.accounts.models import Invitation, User
from revoir_web.accounts.rights import ROLES, Right, Role
from revoir_web.common import jobs
from revoir_web.common.models import AuditEntry, Company, Job
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


def test_someone_is_invited_and_the_place_is_taken(program: Api, mailoutbox: list[Any]) -> None:
    answer = program("post", INVITATIONS, NEW)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["email"], made["role"], made["invited_by"]) == ("new@example.com", "advisor", None)
    assert made["sent_at"] is None
    jobs.run_waiting()
    [letter] = mailoutbox
    assert letter.to == ["new@example.com"]
    invitation = Invitation.objects.get()
    found = re.search(r"/invitation/([^/\s]+)/", letter.body)
    assert found is not None
    assert actions.invitation_of(found[1]) == invitation
    # A key invites in the company's name.
    assert "Comptoir des Halles invites you" in letter.body
    assert "None" not in letter.body
    # Whoever knows the link can set the password: it goes to the person alone.
    assert found[1] not in answer.content.decode()
    assert "/invitation/" not in answer.content.decode()
    [listed] = program.everything(INVITATIONS)
    assert listed.pop("sent_at")
    assert listed.items() < made.items()
    entry = AuditEntry.objects.get(action="user.invite")
    assert entry.actor_name.startswith("test (rvr_")
    user = actions.accept_invitation(invitation=invitation, name="N", password="une phrase longue")
    assert (user.role, user.language) == ("advisor", "en")
    assert program.everything(INVITATIONS) == []
    assert program("delete", f"{INVITATIONS}/{made['id']}").status_code == 404
    assert program("post", INVITATIONS, NEW).status_code == 409, "has an account"


def test_an_invitation_waits_for_the_mail_server(
    program: Api, as_role: Callable[[str], Client], mailoutbox: list[Any], monkeypatch: Any
) -> None:
    """It was kept, and then the call failed because the server could not be reached."""

    def away(*_arguments: Any, **_options: Any) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as server:
        server.setattr(tasks, "send_mail", away)
        assert program("post", INVITATIONS, NEW).status_code == 201
        jobs.run_waiting()
    job = Job.objects.get(kind="accounts.invite")
    assert job.state == Job.State.WAITING
    page = as_role("owner").get("/people/", headers={"accept-language": "en"}).content.decode()
    assert "not sent yet" in page or "pas encore envoyée" in page
    Job.objects.update(not_before=job.created_at)
    jobs.run_waiting()
    assert [letter.to for letter in mailoutbox] == [["new@example.com"]]
    [listed] = program.everything(INVITATIONS)
    assert listed["sent_at"]


def test_what_a_mail_server_refuses_is_not_tried_again(
    program: Api, as_role: Callable[[str], Client], monkeypatch: Any
) -> None:
    def refuses(*_arguments: Any, **_options: Any) -> None:
        raise smtplib.SMTPRecipientsRefused({"new@example.com": (550, b"no such user")})

    monkeypatch.setattr(tasks, "send_mail", refuses)
    program("post", INVITATIONS, NEW)
    jobs.run_waiting()
    job = Job.objects.get(kind="accounts.invite")
    assert (job.state, job.failures) == (Job.State.FAILED, 1)
    assert "550" in str(job.error)
    page = as_role("owner").get("/people/").content.decode()
    assert "refuse cette adresse (550)" in page


def test_a_withdrawn_invitation_is_not_sent(program: Api, mailoutbox: list[Any]) -> None:
    made = program("post", INVITATIONS, NEW).json()
    program("delete", f"{INVITATIONS}/{made['id']}")
    jobs.run_waiting()
    assert mailoutbox == []


def test_a_forgotten_password_while_the_mail_server_is_away(
    users: dict[str, User], monkeypatch: Any
) -> None:
    """The page failed with an error that was not foreseen."""

    def away(_letter: Any, *_arguments: Any) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", away)
    told = []
    for address in (users["owner"].email, "stranger@example.com"):
        answer = Client().post("/account/password/reset/", {"email": address}, follow=True)
        assert answer.status_code == 200
        told.append([str(said) for said in answer.context["messages"]])
    assert told[0] == told[1]
    assert len(told[0]) == 1


def test_a_forgotten_password_is_chosen_anew(users: dict[str, User], mailoutbox: list[Any]) -> None:
    """The link of the message said that it had ended."""
    client = Client()
    client.post("/account/password/reset/", {"email": users["owner"].email})
    (letter,) = mailoutbox
    assert "Comptoir des Halles" in letter.body
    (link,) = re.findall(r"http\S+(/account/password/reset/key/\S+)", letter.body)
    page = client.get(link, follow=True)
    new = {"password1": "encore une phrase neuve", "password2": "encore une phrase neuve"}
    answer = client.post(page.request["PATH_INFO"], new)
    assert answer.headers["Location"] == "/account/password/reset/key/done/"
    users["owner"].refresh_from_db()
    assert users["owner"].check_password("encore une phrase neuve")
    used = Client().get(link, follow=True)
    assert used.context["token_fail"]


def test_a_stranger_who_forgot_a_password_is_told_to_ask_for_an_invitation(
    company: Company, mailoutbox: list[Any]
) -> None:
    """The message led to a page of sign-up, which is not there."""
    Client().post("/account/password/reset/", {"email": "stranger@example.com"})
    (letter,) = mailoutbox
    assert "signup" not in letter.body
    assert "stranger@example.com" in letter.body


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


def test_who_may_do_less_than_an_owner_cannot_shut_one_out(users: dict[str, User]) -> None:
    """A key for people with an advisor's scopes could lower an owner, or close the account."""
    second = actions.create_user(
        email="second@example.com", name="S", role=Role.OWNER, password=None
    )
    narrow = Api(*ROLES[Role.ADVISOR], Right.MANAGE_PEOPLE)
    for told in ({"role": "advisor"}, {"active": False}):
        assert narrow("patch", f"/people/{second.pk}", told).status_code == 409
    second.refresh_from_db()
    assert (second.role, second.is_active) == ("owner", True)
    advisor = users["advisor"]
    assert narrow("patch", f"/people/{advisor.pk}", {"active": False}).status_code == 200


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
