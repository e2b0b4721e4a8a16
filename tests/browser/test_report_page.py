"""The report in a browser: accessible, light and dark, from telephone to desktop, on paper."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from revoir.book import Book, Settings
from revoir.engines.connect import memory
from revoir.reports.build import build
from revoir.reports.html import to_html

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    chance = random.Random(5)
    people, days, amounts = [], [], []
    for number in range(300):
        day = dt.date(2022, 1, 1) + dt.timedelta(days=chance.randrange(700))
        while day < dt.date(2024, 1, 1) and chance.random() < 0.8:
            people.append(f"c{number}")
            days.append(day)
            amounts.append(round(5 + chance.random() * 60, 2))
            day += dt.timedelta(days=1 + int(chance.expovariate(1 / 40)))
    orders = pa.table(
        {
            "customer_id": people,
            "ordered_on": pa.array(days, pa.date32()),
            "amount": pa.array(amounts, pa.float64()).cast(pa.decimal128(18, 4)),
            "kind": ["purchase"] * len(people),
            "channel": [chance.choice(("web", "shop")) for _ in people],
        }
    )
    backend = memory(threads=1)
    book = Book(
        {"orders": backend.create_table("orders", orders)},
        settings=Settings(currency="EUR", margin=0.4, sector="retail"),
        title="Comptoir",
    )
    report = build(book, by=["channel"])
    folder = tmp_path_factory.mktemp("report")
    written = {}
    for language in ("fr", "en"):
        written[language] = folder / f"{language}.html"
        written[language].write_text(to_html(report, language), encoding="utf-8")
    return written


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_report_is_accessible(
    files: dict[str, Path],
    page_for: Callable[..., Any],
    axe: Callable[[Any], list[str]],
    width: int,
    dark: bool,
) -> None:
    page = page_for(files["fr"], width=width, dark=dark)
    for details in page.locator("summary").all():
        details.click()
    assert not axe(page)


@pytest.mark.parametrize("width", [360, 768, 1280, 2560])
def test_nothing_is_wider_than_the_screen(
    files: dict[str, Path], page_for: Callable[..., Any], width: int
) -> None:
    page = page_for(files["fr"], width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_three_questions_stand_on_the_first_screen_in_order(
    files: dict[str, Path], page_for: Callable[..., Any]
) -> None:
    page = page_for(files["en"], height=800)
    wanted = [
        "Am I keeping my customers?",
        "Who is leaving, and why?",
        "What do I do on Monday morning?",
    ]
    assert page.locator(".answer h2").all_inner_texts() == wanted
    for heading in page.locator(".answer h2").all():
        assert heading.bounding_box()["y"] < 400


def test_the_keyboard_reaches_the_content_first_by_the_skip_link(
    files: dict[str, Path], page_for: Callable[..., Any]
) -> None:
    page = page_for(files["fr"])
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    assert link.get_attribute("href") == "#main"
    assert link.bounding_box()["x"] >= 0


def test_a_telephone_sees_the_drawings_made_for_it(
    files: dict[str, Path], page_for: Callable[..., Any]
) -> None:
    page = page_for(files["fr"], width=360)
    assert page.locator(".drawing.wide:visible").count() == 0
    for drawing in page.locator(".drawing.narrow:visible svg").all():
        box = drawing.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360


def test_no_text_of_a_drawing_leaves_it(
    files: dict[str, Path], page_for: Callable[..., Any]
) -> None:
    page = page_for(files["fr"])
    outside = page.evaluate(
        """() => [...document.querySelectorAll('.drawing svg')].flatMap(svg => {
            const frame = svg.getBoundingClientRect()
            if (!frame.width) return []
            return [...svg.querySelectorAll('text')].filter(text => {
                const box = text.getBoundingClientRect()
                return box.width && (box.left < frame.left - 2 || box.right > frame.right + 2)
            }).map(text => text.textContent)
        })"""
    )
    assert outside == []


def test_colours_change_with_the_scheme(
    files: dict[str, Path], page_for: Callable[..., Any]
) -> None:
    colours = [
        page_for(files["fr"], dark=dark).evaluate("getComputedStyle(document.body).backgroundColor")
        for dark in (False, True)
    ]
    assert colours == ["rgb(254, 254, 254)", "rgb(20, 24, 29)"]


def test_paper_shows_the_wide_drawings_without_navigation(
    files: dict[str, Path], page_for: Callable[..., Any]
) -> None:
    page = page_for(files["fr"], dark=True)
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("nav").is_visible()
    assert page.locator(".drawing.wide:visible").count() > 0
    surface = page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--c-surface')"
    )
    assert surface.strip() == "#fefefe"
