"""Pages of customers and consents in a browser: keyboard, phone, dark, both languages, axe."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Container, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from revoir.language import msg
from revoir_web.consents import actions as consents
from revoir_web.consents import ledger, links
from revoir_web.consents.models import Purpose
from revoir_web.customers import actions, facts
from revoir_web.customers.models import Customer, MergeProposal, SavedView

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shop(live: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    rows: list[dict[str, Any]] = [
        {"customer_id": "C1", "first_name": "Zoé", "last_name": "Lévy", "email": "zoe@example.com",
         "city": "Lyon", "postcode": "69001", "phone": "0612345678", "street": "3 rue des Lilas",
         "sector": "Restauration", "joined_at": "2021-03-04", "language": "fr"},
        {"customer_id": "C2", "name": "Zoe Levy", "city": "Lyon", "postcode": "69001"},
        {"customer_id": "C3", "company": "Boulangerie de l’Interminable Faubourg-Saint-Honoré"},
        {"customer_id": "C4", "first_name": "Anne", "last_name": "Wolfe" * 50, "city": "Lla" * 80},
    ]  # fmt: skip
    rows += [
        {"customer_id": f"D{n}", "name": f"Client Numéro {n}", "city": "Nantes"} for n in range(60)
    ]
    ids = actions.resolve_many(rows, source="test")
    actions.index_waiting()
    actions.propose_merges()
    actions.write_figures(
        [
            {"customer_id": id, "orders": n % 7 + 1, "revenue": Decimal(1234 - n), "gap_days": 42,
             "first_on": dt.date(2024, 1, 2), "last_on": dt.date(2026, 1, 2 + n % 20),
             "segment": ["champions", "at_risk"][n % 2], "status": ["active", "late"][n % 2]}
            for n, id in enumerate(ids)
        ],
        labels={"champions": msg("Champions"), "at_risk": msg("At risk")},
    )  # fmt: skip
    happened: list[dict[str, Any]] = [
        {"at": dt.datetime(2026, 1, 2, 9, 30), "kind": "order", "title": "Commande 1042",
         "amount": Decimal("129.90"), "currency": "EUR", "details": {}},
        {"at": dt.datetime(2025, 11, 8, 18), "kind": "interaction", "title": "Réclamation",
         "amount": None, "currency": None,
         "details": {"text": "Le colis est arrivé ouvert.", "bad": True}},
        {"at": dt.datetime(2025, 10, 2), "kind": "response", "title": "NPS : 9",
         "amount": None, "currency": None, "details": {"text": "Conseil parfait."}},
        {"at": dt.datetime(2025, 9, 2), "kind": "product", "title": "", "amount": None,
         "currency": None, "details": {"product": "Machine à café", "upgrade_on": "2025-12-31"}},
    ]  # fmt: skip

    def give(
        customer_ids: Sequence[str],
        *,
        limit: int,
        before: dt.datetime | None,
        kinds: Container[str] | None,
    ) -> Sequence[Mapping[str, Any]]:
        return happened if ids[0] in customer_ids else []

    monkeypatch.setattr(facts, "_PROVIDERS", [*facts._PROVIDERS, give])
    zoe = Customer.objects.get(pk=ids[0])
    consents.record(
        customer=zoe,
        purpose=Purpose.objects.get(code="news"),
        channel="email",
        given=True,
        source="page",
    )
    actions.add_note(customer=zoe, text="Préfère être appelée le matin.", actor=None)
    return ids


def look(page: Any, name: str) -> None:
    """Keep a picture where REVOIR_TEST_PICTURES names a folder."""
    if folder := os.environ.get("REVOIR_TEST_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_every_page_in_both_languages_and_lights(live: Any, shop: list[str], axe: Any) -> None:
    zoe = Customer.objects.get(pk=shop[0])
    pair = MergeProposal.objects.get()
    paths = {
        "list": "/customers/?columns=name,city,revenue&sort=name",
        "long": f"/customers/{shop[3]}/",
        "customer": f"/customers/{zoe.pk}/",
        "empty": f"/customers/{shop[5]}/",
        "edit": f"/customers/{zoe.pk}/edit/",
        "note": f"/customers/{zoe.pk}/notes/{zoe.notes.get().pk}/",
        "merges": "/customers/merges/",
        "compare": f"/customers/merges/{pair.pk}/",
        "purposes": "/consents/",
        "purpose": f"/consents/purposes/{Purpose.objects.get(code='news').pk}/",
        "consents": f"/customers/{zoe.pk}/consents/",
        "erase": f"/customers/{zoe.pk}/erase/",
        "notice": "/consents/notice/",
        "retention": "/consents/retention/",
        "preferences": links.preferences_path(zoe),
        "api": "/api/docs",
    }
    for language, dark, width in (("fr", False, 1280), ("en", True, 360)):
        page = live.page("owner", language=language, dark=dark, width=width)
        for name, path in paths.items():
            answer = page.goto(path)
            assert answer.status == 200, (name, answer.status)
            look(page, f"{name}_{language}_{width}")
            assert fits(page), (name, width)
            assert not axe(page), (name, dark)


def test_the_list_follows_what_is_typed(live: Any, shop: list[str]) -> None:
    from playwright.sync_api import expect

    page = live.page("manager")
    page.goto("/customers/")
    search = page.get_by_label("Chercher", exact=True)
    search.press_sequentially("zoé lé", delay=20)
    rows = page.locator("table.list tbody tr")
    expect(rows).to_have_count(2)
    assert page.evaluate("document.activeElement.type") == "search"
    assert search.input_value() == "zoé lé"
    assert "q=zo" in page.url
    search.fill("personne")
    page.wait_for_selector(".empty")
    search.fill("")
    expect(rows).to_have_count(50)


def test_a_view_is_not_lost_by_one_click(
    live: Any, shop: list[str], axe: Any, users: dict[str, Any]
) -> None:
    actions.save_view(owner=users["owner"], name="Lyon", query="city=lyon")
    page = live.page("owner", width=390)
    page.goto("/customers/?city=lyon")
    page.click("[data-opens^=view-]")
    page.wait_for_selector("dialog[open]")
    look(page, "forget_a_view")
    assert not axe(page)
    page.click("dialog[open] [data-closes]")
    assert SavedView.objects.exists()
    page.click("[data-opens^=view-]")
    with page.expect_navigation():
        page.click("dialog[open] .danger")
    assert not SavedView.objects.exists()


def test_two_entries_become_one_person_and_two_again(live: Any, shop: list[str]) -> None:
    page = live.page("manager")
    page.goto("/customers/")
    page.get_by_role("link", name="1 paire").click()
    page.get_by_role("link", name="Zoé Lévy").first.click()
    page.get_by_role("button", name="gauche").click()
    assert page.get_by_text("Fusionné").count()
    page.get_by_role("button", name="Annuler la fusion").click()
    assert page.get_by_text("de nouveau deux").count()


def test_a_person_is_erased_after_a_typed_word(live: Any, shop: list[str]) -> None:
    page = live.page("owner")
    page.goto(f"/customers/{shop[0]}/")
    page.get_by_role("link", name="Effacer cette personne").click()
    page.get_by_role("textbox").fill("EFFACER")
    page.get_by_role("button", name="Effacer").click()
    page.wait_for_url(f"**/customers/{shop[0]}/")
    assert "Lévy" not in page.content()
    ledger.path().unlink()


def test_a_customer_chooses_without_script(live: Any, shop: list[str]) -> None:
    page = live.page(None, script=False, width=360)
    page.goto(links.preferences_path(Customer.objects.get(pk=shop[0])))
    page.get_by_label("SMS").first.check()
    page.get_by_role("button", name="Enregistrer mes choix").click()
    assert page.get_by_label("SMS").first.is_checked()
    page.get_by_role("button", name="Ne plus m’écrire").click()
    assert not page.get_by_label("SMS").first.is_checked()
