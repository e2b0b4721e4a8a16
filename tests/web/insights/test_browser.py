"""The pages of figures in Chromium: readable for all, on a telephone, and the flows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from revoir_web.common import jobs
from revoir_web.insights import actions, runs
from revoir_web.insights.models import Goal, SavedSegment, SavedView

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RULE = "orders >= 3"
PAGES = ("/", "/metrics/", "/metrics/retention_rate/", "/cohorts/", "/rfm/", "/what-if/", "/goals/")
FORETOLD = (
    "/departures/",
    "/worth/",
    "/next/",
    "/products/",
    "/stays/",
    "/health/",
    "/predictions/",
)


@pytest.mark.parametrize(("language", "dark"), [("fr", False), ("en", True)])
def test_pages_are_for_everybody(
    live: Any,
    filled: Path,
    axe: Callable[[Any], list[str]],
    users: dict[str, Any],
    language: str,
    dark: bool,
) -> None:
    segment = actions.save_segment(name="Très fidèles " * 6, rule=RULE)
    digest = actions.make_digest(
        name="Lundi",
        metrics=["retention_rate", "revenue"],
        every="week",
        at=dt.time(8),
        recipients=[users["owner"]],
    )
    runs.ask("segment", {"rule": RULE})
    runs.ask("comparison", {"rule": RULE})
    runs.ask("members", {"rule": RULE, "page": 1})
    rows = {"name": "revenue", "from": "2025-07-01", "to": "2025-08-01"}
    runs.ask("rows", rows)
    jobs.run_waiting()
    more = (
        f"/segments/{segment.pk}/",
        f"/segments/{segment.pk}/edit/",
        f"/segments/{segment.pk}/customers/",
        "/segments/",
        "/metrics/revenue/rows/?from=2025-07-01&to=2025-08-01",
        f"/digests/{digest.pk}/",
        f"/digests/{digest.pk}/preview/",
        "/messages/",
    )
    _are_for_everybody(live, axe, (*PAGES, *more), language, dark)


@pytest.mark.parametrize(("language", "dark"), [("fr", False), ("en", True)])
def test_pages_of_predictions_are_for_everybody(
    live: Any,
    stored: dict[str, Any],
    axe: Callable[[Any], list[str]],
    language: str,
    dark: bool,
) -> None:
    """No page of predictions was looked at: neither by axe, nor on a telephone."""
    _are_for_everybody(live, axe, FORETOLD, language, dark)


def _are_for_everybody(
    live: Any,
    axe: Callable[[Any], list[str]],
    addresses: tuple[str, ...],
    language: str,
    dark: bool,
) -> None:
    page = live.page("owner", language=language, dark=dark)
    for address in addresses:
        page.goto(address)
        assert page.evaluate("document.documentElement.lang") == language
        for fold in page.query_selector_all("figure details"):
            fold.evaluate("fold => fold.open = true")
        assert axe(page) == [], address
    narrow = live.page("owner", language=language, dark=dark, width=360)
    for address in addresses:
        narrow.goto(address)
        wider = narrow.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, address


def test_a_segment_is_counted_while_it_is_written(live: Any, filled: Path) -> None:
    page = live.page("analyst")
    page.goto("/segments/new/")
    page.fill("#id_rule", "orders >=")
    page.wait_for_selector("#count .error")
    page.fill("#id_rule", RULE)
    page.wait_for_selector("#count progress")
    jobs.run_waiting()
    page.wait_for_selector("#count .lead")
    count = runs.look("segment", {"rule": RULE}).data["count"]
    assert str(count) in page.inner_text("#count")
    page.fill("#id_name", "Fidèles")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/segments/\d+/$"))
    jobs.run_waiting()
    page.wait_for_selector("table.list")
    assert "Taux de rétention" in page.inner_text("table.list")
    page.click("text=Supprimer")
    page.click("button:has-text('Annuler')")
    page.wait_for_url(re.compile(r"/segments/\d+/$"))
    assert SavedSegment.objects.get().removed_at is None


def test_goals_and_views_are_not_lost_by_one_click(
    live: Any, filled: Path, axe: Callable[[Any], list[str]], users: dict[str, Any]
) -> None:
    """Neither can be brought back, and both were gone with a click beside their name."""
    actions.set_goal(metric="retention_rate", value=0.8, by=users["owner"])
    actions.save_view(user=users["owner"], name="Par an", path="/cohorts/", query="grain=year")
    for width in (1280, 390):
        page = live.page("owner", width=width)
        for address, of in (("/goals/", "goal"), ("/cohorts/", "view")):
            page.goto(address)
            if of == "view":
                page.wait_for_selector(".waiting")
            page.focus(f"[data-opens^={of}-]")
            page.keyboard.press("Enter")
            page.wait_for_selector("dialog[open]")
            assert axe(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            # The answer is still being computed: what stands around the question is not renewed.
            page.wait_for_timeout(1500)
            assert page.is_visible("dialog[open]")
            page.keyboard.press("Escape")
            page.wait_for_selector("dialog", state="hidden")
    assert (Goal.objects.count(), SavedView.objects.count()) == (1, 1)
    for address, of in (("/goals/", Goal), ("/cohorts/", SavedView)):
        page.goto(address)
        page.click("[data-opens]")
        with page.expect_navigation():
            page.click("dialog[open] .danger")
        assert not of.objects.exists()


def test_a_metric_is_followed_down_to_its_rows(live: Any, filled: Path) -> None:
    page = live.page("manager")
    page.goto("/")
    page.click('.kpis a:has-text("Chiffre d’affaires") >> nth=0')
    page.select_option("#f-by", "first_channel")
    page.click("form.tools button")
    page.wait_for_selector(".waiting")
    jobs.run_waiting()
    page.wait_for_selector("#chart-by")
    assert "by=first_channel" in page.url
    page.click("table.list tbody a >> nth=0")
    jobs.run_waiting()
    page.wait_for_selector("#answer table.list")
    assert page.url.count("by.first_channel") == 1
