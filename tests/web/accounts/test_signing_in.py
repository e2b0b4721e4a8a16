"""Passwords and second factors, as people meet them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from revoir_web.accounts import actions
from revoir_web.accounts.models import User
from revoir_web.accounts.rights import Role

pytestmark = pytest.mark.django_db
PASSWORD = "une phrase assez longue"
NEW = "encore une phrase neuve"


def signed_in(user: User) -> Client:
    client = Client()
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    return client


def test_the_address_of_an_invitation_is_no_password(users: dict[str, User]) -> None:
    """It was one: the form knew the name alone."""
    invitation = actions.invite(
        email="somebody.new@example.com", role=Role.ANALYST, language="en", actor=users["owner"]
    )
    link = actions.invitation_link(invitation)
    told: dict[str, Any] = {"name": "Zoé", "password": "somebody.new@example.com"}
    page = Client().post(link, told)
    assert "password" in page.context["form"].errors
    assert Client().post(link, {**told, "password": NEW}).status_code == 302


def test_a_new_password_leads_to_the_account(users: dict[str, User]) -> None:
    """Whoever signed in with it stood before the form to change it again."""
    told = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    answer = signed_in(users["analyst"]).post("/account/password/change/", told, follow=True)
    assert answer.redirect_chain[-1][0] == "/account/login/?next=/account/"


def test_a_second_factor_that_is_removed_leads_to_the_account(users: dict[str, User]) -> None:
    """It led to a page with nothing on it."""
    client = signed_in(users["analyst"])
    TOTP.activate(users["analyst"], generate_totp_secret())
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    answer = client.post("/account/2fa/totp/deactivate/", follow=True)
    assert answer.redirect_chain[-1][0] == "/account/"


def test_a_forgotten_password_is_asked_for_once(users: dict[str, User]) -> None:
    page = Client().get("/account/login/").content.decode()
    assert page.count("/account/password/reset/") == 1


def test_a_new_password_opens_what_wrong_ones_locked(
    users: dict[str, User], mailoutbox: list[Any]
) -> None:
    """“Wait 15 minutes, or choose a new one”: with a new one they had to wait all the same."""
    client, email = Client(), users["analyst"].email
    for _try in range(5):
        locked = client.post("/account/login/", {"login": email, "password": "wrong"})
    assert locked.status_code == 429
    client.post("/account/password/reset/", {"email": email})
    (link,) = re.findall(r"http\S+(/account/password/reset/key/\S+)", mailoutbox[0].body)
    page = client.get(link, follow=True)
    client.post(page.request["PATH_INFO"], {"password1": NEW, "password2": NEW})
    assert client.post("/account/login/", {"login": email, "password": NEW}).status_code == 302


@pytest.mark.parametrize(
    ("told", "back"),
    [
        ("http://testserver/customers/x/?kind=order", "/customers/x/%3Fkind%3Dorder"),
        ("https://elsewhere.example.com/customers/x/", "/"),
        ("", "/"),
    ],
)
def test_a_session_that_ended_before_a_form_was_sent(
    users: dict[str, User], told: str, back: str
) -> None:
    """Signing in led to an address that only takes forms, which is a blank page to a browser."""
    client = Client()
    answer = client.post("/customers/x/notes/", {"text": "x"}, headers={"referer": told})
    assert answer.headers["Location"] == f"/account/login/?next={back}"
    page = client.get("/account/login/").content.decode()
    assert "notice warning" in page
