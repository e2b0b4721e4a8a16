"""The browser fixture sees what it must: faults of access, calls outside, the dark scheme."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="fr"><meta charset="utf-8"><title>Essai</title>
<main><h1>Essai</h1><p>Bonjour</p>{extra}</main></html>"""


@pytest.fixture
def page(tmp_path: Path, page_for: Callable[..., Any]) -> Callable[..., Any]:
    def write(extra: str = "", **options: Any) -> Any:
        path = tmp_path / "page.html"
        path.write_text(PAGE.format(extra=extra), encoding="utf-8")
        return page_for(path, **options)

    return write


def test_a_sound_page_has_no_faults(
    page: Callable[..., Any], axe: Callable[[Any], list[str]]
) -> None:
    opened = page(width=360, dark=True)
    assert opened.inner_text("h1") == "Essai"
    assert opened.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert axe(opened) == []


def test_a_picture_without_words_is_a_fault(
    page: Callable[..., Any], axe: Callable[[Any], list[str]]
) -> None:
    opened = page('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">')
    assert [fault for fault in axe(opened) if fault.startswith("image-alt")]


def test_a_call_outside_is_told(page_complaints: list[str], page: Callable[..., Any]) -> None:
    page('<img alt="" src="http://127.0.0.1:9/x.png">').wait_for_load_state()
    assert any("127.0.0.1:9" in complaint for complaint in page_complaints)
    page_complaints.clear()
