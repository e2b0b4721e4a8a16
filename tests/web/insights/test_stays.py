"""How long customers stay, on a page and for programs: what the command line says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from revoir.models.survival import survival
from revoir_web.common import jobs
from revoir_web.insights import engine

pytestmark = pytest.mark.django_db
AsRole = Callable[[str], Client]


def asked(client: Client, address: str) -> Any:
    client.get(address)
    jobs.run_waiting()
    return client.get(address)


def test_programs_hear_what_the_core_says(filled: Path, as_role: AsRole) -> None:
    client = as_role("analyst")
    found = asked(client, "/api/stays?by=first_channel").json()
    with engine.using() as book:
        known = survival(book, by="first_channel")
    assert found["state"] == "fresh"
    assert found["curves"] == known.records()
    assert known.hazards is not None
    assert found["hazards"] == known.hazards.records()
    assert found["log_rank_p"] == known.log_rank_p
    assert "first_channel" in found["columns"]
    assert len({row["group"] for row in found["curves"]}) > 1
    client.get("/api/stays?by=channel")
    jobs.run_waiting()
    failed = client.get("/api/stays?by=channel").json()
    assert failed["state"] == "failed"
    assert "first_channel" in failed["message"]


@pytest.mark.parametrize(("language", "title"), [("fr", "encore là"), ("en", "still there")])
def test_the_page_draws_the_curve_and_says_what_shortens_a_stay(
    filled: Path, users: dict[str, Any], as_role: AsRole, language: str, title: str
) -> None:
    users["analyst"].language = language
    users["analyst"].save()
    client = as_role("analyst")
    address = "/stays/?by=first_channel"
    client.get(address)
    jobs.run_waiting()
    page = client.get(address).content.decode()
    assert title in page
    assert "<svg" in page
    assert '<option value="first_channel" selected>' in page
    shown = client.get(address).context["shown"]
    assert len(shown["groups"]["rows"]) > 1
    assert shown["hazards"]["rows"]
    assert "None" not in page
    told = {"fr": "Qui n’est pas parti", "en": "Whoever has not left"}[language]
    assert told in page, "a percent sign in a template's words kept them from being translated"


def test_a_curve_never_rises_and_is_drawn_as_it_is(filled: Path) -> None:
    from revoir.reports.plots import _line

    with engine.using() as book:
        [curve] = survival(book).curves
    line = _line(curve)
    shares = [point["y"] for point in line]
    assert shares == sorted(shares, reverse=True)
    assert (line[0]["x"], line[0]["y"], line[-1]["x"]) == (0, 1, curve.watched)
    assert all(point["low"] <= point["y"] <= point["high"] for point in line)


def test_without_data_it_says_so(as_role: AsRole) -> None:
    assert as_role("analyst").get("/api/stays").json()["state"] == "no_data"
    assert as_role("analyst").get("/stays/").status_code == 200
