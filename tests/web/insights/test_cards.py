"""How good predictions are, kept and shown: model cards, weeks held out; and lists in full."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from revoir.book import Book
from revoir.models.churn import churn
from revoir.models.clv import clv
from revoir.models.goodness import goodness
from revoir_web.insights import runs
from revoir_web.insights.models import PredictionRun

pytestmark = pytest.mark.django_db


def test_lists_of_a_hundred_lead_to_all_of_them(
    computed: PredictionRun, read_book: Book, as_role: Callable[[str], Client]
) -> None:
    client = as_role("manager")
    page = client.get("/departures/").content.decode()
    address = re.search(r'href="(/customers/\?sort=-stake[^"]+)"', page)
    assert address is not None
    found = client.get(address[1].replace("&amp;", "&")).content.decode()
    keys = list(dict.fromkeys(re.findall(r'href="/customers/([0-9A-Za-z-]+)/"', found)))
    first = [str(one.customer_id) for one in churn(read_book).ranked(limit=10)]
    assert [key for key in keys if key in first] == first
    assert "/customers/?sort=next_on" in client.get("/next/").content.decode()


def test_the_model_card_of_a_run_is_kept_and_shown(
    computed: PredictionRun, read_book: Book, as_role: Callable[[str], Client]
) -> None:
    card = churn(read_book).card
    client = as_role("analyst")
    address = f"/predictions/{computed.number}/"
    assert address in client.get("/predictions/").content.decode()
    page = client.get(address).content.decode()
    judged = card.judged[card.used or ""]
    assert page.count("<svg") >= 2  # for a screen and for a telephone
    table = page.split("<figure")[1].split("<tbody>")[1].split("</tbody>")[0]
    assert table.count("<tr>") == len(judged.curve)
    for count in card.lists[0].counts:
        assert f"{count.lift:.2f}" in page.replace(",", ".")
    for value in (*card.by_fold, *card.by_day.values()):
        assert f"{value:.3f}" in page.replace(",", ".")
    largest = max(card.drift.values())
    assert f"{largest:.2f}" in page.replace(",", ".")
    assert client.get("/predictions/nothing/").status_code == 404


def test_the_list_of_customers_to_save_leads_to_the_card(
    stored: dict[str, Any], as_role: Callable[[str], Client]
) -> None:
    runs.keep_predictions(
        number="c1", version="v", settings_hash="h", as_of=dt.date(2024, 1, 1),
        began=timezone.now(), customers=1, facts={}, cards={"departures": {"fr": {}, "en": {}}},
    )  # fmt: skip
    assert "/predictions/c1/" in as_role("analyst").get("/departures/").content.decode()


def test_programs_read_cards_of_earlier_runs_too(
    computed: PredictionRun, read_book: Book, as_role: Callable[[str], Client]
) -> None:
    client = as_role("analyst")
    held = client.get("/api/predictions").json()["items"]
    assert [(one["number"], one["has_card"]) for one in held] == [(computed.number, True)]
    card = client.get(f"/api/predictions/{computed.number}/card").json()
    assert card == client.get("/api/predictions/last/card").json()
    told = json.loads(json.dumps(churn(read_book).card.record("fr")))
    for name in ("judged", "lists", "by_fold", "by_day", "drift", "learned_from"):
        assert card[name] == told[name], name
    assert client.get("/api/predictions/nothing/card").status_code == 404


def test_the_fit_is_drawn_with_the_weeks_held_out(
    stored: dict[str, Any], read_book: Book, as_role: Callable[[str], Client]
) -> None:
    fit = goodness(read_book, clv(read_book))
    assert fit is not None
    assert fit.until is not None
    client = as_role("manager")
    told = client.get("/api/clv").json()["goodness"]
    assert told["hold_out"]["until"] == fit.until.isoformat()
    expected = [row.expected for row in fit.tracked if row.held_out]
    found = [row["expected"] for row in told["hold_out"]["by_week"] if row["held_out"]]
    assert found == pytest.approx(expected)
    assert len(told["by_frequency"]) == len(fit.by_frequency)
    page = client.get("/worth/").content.decode()
    drawn = page.split('id="chart-tracking"')[1].split("</figure>")[0]
    assert drawn.split("<tbody>")[1].count("<tr>") == len(fit.tracked)
    assert 'id="chart-frequencies"' in page
