"""The wizard, sources and webhooks as people use them, in a browser."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from revoir_web.common import jobs
from revoir_web.ingest.models import Import

from .conftest import bring_in, each_step, lake, work

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ORDERS = (
    "N° commande;Client;Date;Montant;Courriel;Canal\n"
    + "".join(
        f"A{n};C{n % 7};{n % 27 + 1:02d}/03/2025;{n},50;personne{n % 7}@example.com;web\n"
        for n in range(1, 60)
    )
    + "A90;C1;31/02/2025;12,00;ana@example.com;web\nA91;C2;03/03/2025;douze;b@example.com;web\n"
)


def shoot(page: Any, name: str) -> None:
    """Keep a picture where somebody wants to look at it."""
    if folder := os.environ.get("REVOIR_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize(("language", "dark", "width"), [("fr", False, 1280), ("en", True, 360)])
def test_wizard(live: Any, axe: Any, tmp_path: Path, language: str, dark: bool, width: int) -> None:
    file = tmp_path / "ventes de mars.csv"
    file.write_text(ORDERS, encoding="utf-8")
    page = live.page("manager", language=language, dark=dark, width=width)
    page.goto("/imports/")
    assert axe(page) == []
    shoot(page, f"imports-empty-{language}")
    page.locator("a[href='/imports/new/']").first.click()
    assert axe(page) == []
    page.set_input_files("input[type=file]", str(file))
    page.locator(".uploads progress[hidden]").wait_for(state="attached")
    shoot(page, f"import-new-{language}")
    page.locator("[data-go]").click()
    page.wait_for_url("**/imports/*-*/")
    page.locator(".job").wait_for()
    work()
    page.locator("#meanings").wait_for()
    assert axe(page) == []
    shoot(page, f"import-read-{language}")
    box = page.locator("select[name='is-0-0']").bounding_box()
    assert 200 < box["width"] <= width - 16
    assert width > 360 or box["width"] > 300, "a phone shows what is chosen"
    # Another meaning is tried on the first rows at once.
    page.locator("select[name='is-0-5']").select_option("ignore")
    page.locator("#preview-0 progress").wait_for()
    work()
    page.locator("#preview-0 h3").first.wait_for()
    assert axe(page) == []
    shoot(page, f"import-preview-{language}")
    page.locator("form[action$='/confirm/'] button").first.click()
    page.locator(".job").wait_for()
    work()
    page.locator("[data-opens=undo]").wait_for()
    assert axe(page) == []
    shoot(page, f"import-landed-{language}")
    held = Import.objects.get()
    assert (held.rows_accepted, held.rows_quarantined) == (59, 2)
    assert lake("SELECT count(*) FROM orders") == [(59,)]
    page.goto("/imports/")
    assert axe(page) == []
    shoot(page, f"imports-{language}")
    page.goto(f"/imports/{held.pk}/")
    page.locator("[data-opens=undo]").click()
    page.locator("#undo button.danger").click()
    page.locator(".job").wait_for()
    work()
    page.locator(".job").wait_for(state="detached")
    held.refresh_from_db()
    assert held.state == Import.State.UNDONE


def test_stop_then_correct_then_bring_in(live: Any, axe: Any) -> None:
    """The page of a stopped import said nothing of it, and correcting changed nothing."""
    text = "order_id,customer_id,date,amount,total\n" + "".join(
        f"J{n},C{n},2024-01-{n + 1:02d},10.00,99.00\n" for n in range(20)
    )
    held = bring_in(text, land=False)
    page = live.page("manager", language="en")
    page.goto(f"/imports/{held.pk}/")
    page.locator("form[action$='/confirm/'] button").first.click()
    stop = page.locator(".job form[action$='/cancel/'] button")
    stop.wait_for()

    def press(job: jobs.Running, number: int, words: str) -> None:
        if words.startswith("Writing orders"):
            stop.click()
            page.locator(".job button[disabled]").wait_for()
            job.renew()

    with each_step(press):
        work()
    page.locator("#stopped").wait_for()
    assert page.url.endswith(f"/imports/{held.pk}/")
    assert axe(page) == []
    shoot(page, "import-stopped-en")
    page.locator("select[name='is-0-3']").select_option("ignore")
    page.locator("select[name='is-0-4']").select_option("orders.amount")
    page.get_by_role("button", name="Read again with these meanings").click()
    page.locator(".job").wait_for()
    work()
    page.locator("#meanings").wait_for()
    assert not page.locator("#stopped").count()
    page.locator("form[action$='/confirm/'] button").first.click()
    page.locator(".job").wait_for()
    work()
    page.locator("[data-opens=undo]").wait_for()
    assert lake("SELECT count(*), sum(amount) FROM orders") == [(20, 1980)]


def test_sources_and_webhooks(live: Any, axe: Any, tmp_path: Path) -> None:
    (tmp_path / "drop" / "caisse").mkdir(parents=True)
    (tmp_path / "drop" / "caisse" / "mars.csv").write_text(ORDERS, encoding="utf-8")
    page = live.page("owner", language="fr")
    page.goto("/sources/")
    assert axe(page) == []
    page.locator("a[href='/sources/new/folder/']").click()
    page.wait_for_url("**/new/folder/")
    assert axe(page) == []
    page.fill("[name=name]", "Caisse")
    page.fill("[name=location]", "../../etc")
    page.locator("main form button.button").last.click()
    page.locator(".wrong .error").wait_for()
    page.fill("[name=location]", "caisse")
    page.locator("main form button.button").last.click()
    page.locator("form[action$='/run/'] button").first.click()
    work()
    page.goto("/sources/")
    assert axe(page) == []
    shoot(page, "sources-fr")
    page.get_by_role("link", name="Caisse").click()
    page.wait_for_url("**/sources/*/")  # A busy machine takes its time to leave the list.
    assert axe(page) == []
    shoot(page, "source-fr")
    assert Import.objects.get().state == Import.State.LANDED
    page.goto("/sources/events/")
    page.fill("[name=name]", "Site")
    page.locator("main form button").click()
    page.locator(".notice code").wait_for()
    assert axe(page) == []
    shoot(page, "events-fr")
    page.goto("/webhooks/")
    assert axe(page) == []
    page.fill("[name=name]", "Compta")
    page.fill("[name=url]", "http://169.254.169.254/latest")
    page.locator("main form button").last.click()
    page.locator(".wrong .error").wait_for()
    page.fill("[name=url]", "https://8.8.8.8/hook")
    page.locator("main form button").last.click()
    page.locator(".notice code").wait_for()
    assert axe(page) == []
    shoot(page, "webhooks-fr")
    page.get_by_role("link", name="Compta").click()
    page.wait_for_url("**/webhooks/*/")
    assert axe(page) == []
    shoot(page, "webhook-fr")
