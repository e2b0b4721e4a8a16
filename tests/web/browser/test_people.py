"""First start, sign-in with a second factor, people and account, as people do them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail

from revoir_web.accounts import welcome
from revoir_web.accounts.models import ApiKey, User
from revoir_web.common import jobs
from revoir_web.common.models import AuditEntry, Company

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "une phrase assez longue"


def code_of(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_new_installation_begins_on_a_page(
    live: Any, axe: Callable[[Any], list[str]], dark: bool
) -> None:
    User.objects.all().delete()
    Company.objects.all().delete()
    page = live.page(None, dark=dark, width=360 if dark else 1280)
    page.goto("/account/login/")
    assert page.url.endswith("/welcome/"), "where nobody can sign in, one begins"
    assert page.locator("#token").is_visible()
    page.fill("#token", "guessed")
    with page.expect_navigation():
        page.get_by_role("button", name="Continuer").click()
    assert page.locator("#token").is_visible(), "a wrong code opens nothing"
    page.goto(f"/welcome/?token={welcome.token()}")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.fill("[name=company-name]", "Comptoir des Halles")
    page.select_option("[name=company-fiscal_year_start_month]", "4")
    page.fill("[name=account-name]", "Ana Diaz")
    page.fill("[name=account-email]", "Ana@example.com")
    page.fill("[name=account-password]", "123456789012")
    page.get_by_role("button", name="Commencer").click()
    # The click has sent the form; its answer may take a moment on a busy machine.
    page.locator(".error").first.wait_for()  # a password that is guessed is refused
    assert axe(page) == []
    assert page.input_value("[name=company-name]") == "Comptoir des Halles", "it stays typed"
    page.fill("[name=account-password]", PASSWORD)
    page.get_by_role("button", name="Commencer").click()
    page.wait_for_url("**/")
    user = User.objects.get()
    assert (user.email, user.role) == ("ana@example.com", "owner")
    assert Company.current().fiscal_year_start_month == 4
    page.goto("/welcome/?token=whatever")
    assert "/welcome/" not in page.url, "one begins once"
    live.complaints[:] = [said for said in live.complaints if "40" not in said]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_sign_in_with_a_second_factor(
    live: Any, axe: Callable[[Any], list[str]], language: str
) -> None:
    page = live.page("manager", language=language)
    page.goto("/account/2fa/totp/activate/")
    if "reauthenticate" in page.url:
        page.fill("[name=password]", PASSWORD)
        page.locator("main button.button").click()
    secret = page.inner_text("#secret")
    assert axe(page) == []
    page.fill("[name=code]", "000000")
    # What is looked at at once must not be the page before, nor half of the next one.
    with page.expect_navigation():
        page.locator("main button.button").click()
    assert page.locator(".field .error").is_visible()
    page.fill("[name=code]", code_of(page.inner_text("#secret")))
    with page.expect_navigation():
        page.locator("main button.button").click()
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    assert axe(page) == []
    del secret

    again = live.page(None, language=language)
    again.goto("/people/")
    assert axe(again) == []
    again.fill("[name=login]", "manager@example.com")
    again.fill("[name=password]", PASSWORD)
    again.keyboard.press("Enter")
    again.wait_for_url("**/2fa/authenticate/**")
    assert axe(again) == []
    again.fill("[name=code]", codes[0])
    again.keyboard.press("Enter")
    again.wait_for_url("**/people/")
    assert again.locator("html").get_attribute("lang") == language
    assert "403" in again.inner_text("main"), "a manager may not manage people"
    live.complaints[:] = [said for said in live.complaints if "403" not in said]


def test_too_many_wrong_passwords_lock(live: Any) -> None:
    page = live.page(None)
    for _ in range(5):
        page.goto("/account/login/")
        page.fill("[name=login]", "owner@example.com")
        page.fill("[name=password]", "wrong")
        with page.expect_navigation():
            page.keyboard.press("Enter")
    assert "Trop d’essais" in page.inner_text("h1")
    page.goto("/account/login/")
    page.fill("[name=login]", "owner@example.com")
    page.fill("[name=password]", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "Trop d’essais" in page.inner_text("h1")
    live.complaints[:] = [said for said in live.complaints if "429" not in said]


def test_someone_is_invited_and_comes(live: Any, axe: Callable[[Any], list[str]]) -> None:
    page = live.page("owner")
    page.goto("/people/")
    page.fill("[name=email]", "Luc@example.com")
    page.locator("main form [name=role]").last.select_option("advisor")
    page.select_option("select[name=language]", "en")
    page.get_by_role("button", name="Envoyer l’invitation").click()
    assert "luc@example.com" in page.inner_text(".notices")
    assert "pas encore envoyée" in page.inner_text("main")
    assert axe(page) == []
    jobs.run_waiting()
    letter = mail.outbox[-1]
    assert letter.to == ["luc@example.com"]
    link = re.search(r"http://\S+", str(letter.body))
    assert link is not None
    path = "/" + link[0].split("/", 3)[3]
    guest = live.page(None, language="en")
    guest.goto(path)
    assert axe(guest) == []
    guest.fill("[name=name]", "Luc Martin")
    guest.fill("[name=password]", PASSWORD)
    guest.get_by_role("button", name="Make my account").click()
    guest.wait_for_url("**/account/")
    assert User.objects.get(email="luc@example.com").role == "advisor"
    guest.goto(path)
    assert "ended" in guest.inner_text("h1"), "a link works once"
    live.complaints[:] = [said for said in live.complaints if "410" not in said]


def test_roles_and_accounts_change_but_an_owner_stays(live: Any) -> None:
    page = live.page("owner")
    page.goto("/people/")
    analyst = page.locator("tr", has_text="analyst@example.com")
    # An arrow goes from one role to the next, and is no word that someone shall have it.
    analyst.locator("select").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert analyst.locator("select").input_value() == "manager"
    assert User.objects.get(email="analyst@example.com").role == "analyst"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Enregistré.").wait_for()
    assert User.objects.get(email="analyst@example.com").role == "manager"
    page.get_by_label("Fermer le compte de Camille advisor").click()
    page.get_by_text("Enregistré.").wait_for()
    assert not User.objects.get(email="advisor@example.com").is_active
    owner = page.locator("tr", has_text="owner@example.com")
    owner.locator("select").select_option("analyst")
    owner.locator("button").first.click()
    page.get_by_text("seule personne propriétaire").wait_for()
    assert User.objects.get(email="owner@example.com").role == "owner"
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"user.role", "user.close"}


def test_a_closed_account_is_out_at_once(live: Any) -> None:
    advisor = live.page("advisor")
    advisor.goto("/account/")
    owner = live.page("owner")
    owner.goto("/people/")
    owner.get_by_label("Fermer le compte de Camille advisor").click()
    owner.get_by_text("Enregistré.").wait_for()
    advisor.goto("/account/")
    assert "/account/login/" in advisor.url


def test_account_language_theme_and_sessions(live: Any) -> None:
    first, second = live.page("analyst"), live.page("analyst")
    second.goto("/account/")
    first.goto("/account/")
    first.select_option("select[name=language]", "en")
    first.select_option("[name=theme]", "dark")
    first.get_by_role("button", name="Enregistrer").click()
    first.get_by_text("Saved.").wait_for()
    assert first.locator("html").get_attribute("data-theme") == "dark"
    dark = first.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == "rgb(20, 24, 29)"
    first.get_by_role("button", name="Sign out everywhere else").click()
    first.wait_for_load_state()
    second.goto("/account/")
    assert "/account/login/" in second.url
    first.goto("/account/")
    assert first.url.endswith("/account/")


def test_a_key_is_shown_once(live: Any, axe: Callable[[Any], list[str]]) -> None:
    page = live.page("owner")
    page.goto("/keys/")
    page.fill("[name=name]", "Boutique en ligne")
    page.get_by_label("Importer des données").check()
    page.get_by_role("button", name="Créer la clé").click()
    text = page.inner_text(".notice code")
    assert axe(page) == []
    key = ApiKey.found(text)
    assert key is not None
    assert key.scopes == ["import_data"]
    assert text not in str(ApiKey.objects.values())
    page.goto("/keys/")
    assert text not in page.content()
    ends = page.get_by_role("button", name="Mettre fin à la clé « Boutique en ligne »")
    ends.click()
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    assert ends.evaluate("node => node === document.activeElement")
    assert ApiKey.found(text) is not None, "no key ends by one click"
    ends.click()
    page.get_by_role("dialog").locator(".danger").click()
    page.get_by_text("La clé n’est plus valable.").wait_for()
    assert ApiKey.found(text) is None


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_the_language_leads_nowhere_else(live: Any, back: str) -> None:
    from django.test import Client

    answer = Client().post("/language/", {"language": "en", "next": back})
    assert answer.headers["Location"] == "/"
