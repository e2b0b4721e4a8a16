"""The frame of every page and every component: accessible, at every width, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from revoir_web.accounts.models import User
from revoir_web.common.models import AuditEntry, Company

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = [
    "/gallery/?wrong",
    "/account/",
    "/people/",
    "/keys/",
    "/company/",
    "/audit/",
    "/jobs/",
    "/messages/",
    "/nothing-here/",
]


@pytest.fixture(autouse=True)
def _some_entries(company: Any) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(
            action=f"test.{number}" if number < 9 else "goal.set",
            actor_name="Camille",
            object_kind="user",
        )
        for number in range(12)
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_pages_are_accessible(
    live: Any, axe: Callable[[Any], list[str]], language: str, dark: bool
) -> None:
    page = live.page("owner", language=language, dark=dark)
    for path in PAGES:
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == language
        assert axe(page) == [], path
    live.complaints[:] = [said for said in live.complaints if "404" not in said]


@pytest.mark.parametrize("width", [360, 768, 2560])
def test_nothing_is_wider_than_the_screen(live: Any, width: int) -> None:
    page = live.page("owner", width=width)
    for path in PAGES[:-1]:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_keyboard_comes_first_to_the_content(live: Any) -> None:
    page = live.page("owner")
    page.goto("/people/")
    page.keyboard.press("Tab")
    assert page.locator(":focus").get_attribute("href") == "#main"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_menus_open_and_close_by_the_keyboard(live: Any) -> None:
    page = live.page("owner")
    page.goto("/people/")
    summary = page.locator(".aside summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator(".aside details[open]").count() == 1
    page.keyboard.press("Escape")
    assert page.locator(".aside details[open]").count() == 0
    assert summary.evaluate("node => node === document.activeElement")


def test_a_menu_closes_when_the_focus_leaves_it(live: Any) -> None:
    """It stayed open over the page, and over what had the focus there."""
    page = live.page("owner")
    page.goto("/people/")
    page.locator(".aside summary").first.focus()
    page.keyboard.press("Enter")
    for _place in range(page.locator(".aside details[open] a").count()):
        page.keyboard.press("Tab")
        assert page.locator(".aside details[open]").count() == 1
    page.keyboard.press("Tab")
    assert page.locator(".aside details[open]").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_a_long_name_is_broken_or_cut(live: Any, width: int) -> None:
    """A name of one word made every page as wide as it was, and pushed columns out of sight."""
    Company.objects.update(name="C" * 200)
    User.objects.update(name="N" * 200)
    page = live.page("owner", width=width)
    for path in ("/people/", "/account/", "/customers/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto("/people/")
    assert page.locator("tbody th").first.bounding_box()["width"] < 620


def test_a_dialog_is_left_by_escape_and_wants_its_word(live: Any) -> None:
    page = live.page("owner")
    page.goto("/gallery/")
    page.get_by_role("button", name="Effacer").click()
    dialog = page.get_by_role("dialog")
    assert dialog.is_visible()
    assert not dialog.locator("input[name=confirm]").evaluate("node => node.checkValidity()")
    dialog.locator("input[name=confirm]").fill("effacer")
    assert dialog.locator("input[name=confirm]").evaluate("node => node.checkValidity()")
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_the_chosen_theme_wins_over_the_system(live: Any) -> None:
    page = live.page("owner", dark=True)
    live.users["owner"].theme = "light"
    live.users["owner"].save()
    page.goto("/account/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light == "rgb(254, 254, 254)"


def test_lists_sort_and_filter_without_javascript(live: Any) -> None:
    page = live.page("owner", script=False)
    page.goto("/audit/")
    page.select_option("#f-action", label="Objectif fixé")
    with page.expect_navigation():
        page.get_by_role("button", name="Filtrer").click()
    assert "action=goal.set" in page.url
    assert page.locator("table.list tbody tr").count() == 3
    with page.expect_navigation():
        page.get_by_role("link", name="Action", exact=True).click()
    assert "sort=action" in page.url
    assert "action=goal.set" in page.url


def test_columns_are_chosen_and_kept_in_the_address(live: Any) -> None:
    page = live.page("owner")
    page.goto("/audit/?sort=action")
    page.get_by_text("Colonnes").click()
    page.get_by_label("D’où").uncheck()
    page.get_by_role("button", name="Afficher").click()
    page.wait_for_url("**columns=at**")
    assert "sort=action" in page.url
    assert page.get_by_role("columnheader", name="D’où").count() == 0
