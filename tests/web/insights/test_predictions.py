"""Pages and calls of what comes next: what the core says, in words, with its record."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from revoir.book import Book
from revoir.models.churn import churn
from revoir.models.next_purchase import next_purchases
from revoir_web.customers import actions
from revoir_web.insights import questions, runs
from revoir_web.insights.models import AnalysisRun, DataState

pytestmark = pytest.mark.django_db
KINDS = ("departures", "next")


@pytest.fixture(scope="session")
def foretold(read_book: Book) -> dict[str, Any]:
    """The answers about the generated shop."""
    return {kind: json.loads(json.dumps(questions.answer(kind, read_book, {}))) for kind in KINDS}


@pytest.fixture
def stored(filled: Path, foretold: dict[str, Any]) -> dict[str, Any]:
    """The same, as the worker stores them; the first customer of a list has a name."""
    state = DataState.current()
    for kind in KINDS:
        runs.keep(
            kind, {}, version=state.lake_version, began=state.noticed_at,
            settings_hash=runs.engine.settings_hash(), result=foretold[kind],
        )  # fmt: skip
    return foretold


def test_the_list_is_the_one_of_the_core(read_book: Book, foretold: dict[str, Any]) -> None:
    found = churn(read_book)
    ranked = found.ranked(limit=100)
    assert found.reason is None
    data = foretold["departures"]["data"]
    assert data["there"] == found.customers.num_rows
    assert [row["id"] for row in data["customers"]] == [one.customer_id for one in ranked]
    assert data["customers"][0]["probability"] == pytest.approx(ranked[0].probability)
    for language in ("fr", "en"):
        words = foretold["departures"][language]
        assert len(words["customers"]) == len(ranked)
        assert words["record"]
        assert any(row["reasons"] for row in words["customers"])


def test_those_who_are_overdue_come_before_those_who_are_due(
    read_book: Book, foretold: dict[str, Any]
) -> None:
    held = next_purchases(read_book).customers.to_pylist()
    rows = foretold["next"]["data"]["customers"]
    late = [row["id"] for row in rows if row["overdue"]]
    assert late == [row["id"] for row in rows][: len(late)]
    assert set(late) <= {row["customer_id"] for row in held if row["overdue"]}
    assert len(late) == min(100, sum(row["overdue"] for row in held))
    assert all(row["low"] <= row["next"] <= row["high"] for row in rows if row["next"])


@pytest.mark.parametrize(("path", "kind"), [("/departures/", "departures"), ("/next/", "next")])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_pages_show_the_list_and_its_record(
    stored: dict[str, Any],
    as_role: Callable[[str], Client],
    path: str,
    kind: str,
    language: str,
) -> None:
    client = as_role("manager")
    client.cookies["language"] = language
    page = client.get(path, headers={"accept-language": language}).content.decode()
    shown = stored[kind]["fr" if 'lang="fr"' in page else "en"]
    assert page.count('<th scope="row">') == len(shown["customers"])
    text = re.sub(r"<[^>]+>", " ", page)
    for sentence in shown["record"]:
        assert sentence.split(",")[0] in text


def test_who_may_not_see_persons_sees_numbers(
    stored: dict[str, Any], as_role: Callable[[str], Client]
) -> None:
    [pk] = actions.resolve_many([{"customer_id": "X1", "name": "Zoé Secret"}], source="test")
    run = AnalysisRun.objects.get(kind="departures")
    run.result["data"]["customers"][0]["id"] = pk
    run.save()
    assert "Zoé Secret" in as_role("manager").get("/departures/").content.decode()
    page = as_role("analyst").get("/departures/").content.decode()
    assert "Zoé Secret" not in page
    assert pk[-8:] in page


def test_the_api_tells_the_same(stored: dict[str, Any], as_role: Callable[[str], Client]) -> None:
    client = as_role("manager")
    told = client.get("/api/departures").json()
    data = stored["departures"]["data"]
    assert told["state"] == "fresh"
    assert [row["customer"] for row in told["customers"]] == [r["id"] for r in data["customers"]]
    assert any(row["reasons"] for row in told["customers"])
    told = client.get("/api/next-purchases").json()
    assert [row["customer"] for row in told["customers"]] == [
        row["id"] for row in stored["next"]["data"]["customers"]
    ]


def test_too_little_data_is_said(company: Any) -> None:
    import ibis

    book = Book(
        {
            "orders": ibis.memtable(
                {
                    "order_id": ["1", "2"], "customer_id": ["a", "b"],
                    "ordered_on": ["2024-01-01", "2024-02-01"], "amount": [1.0, 2.0],
                }
            ).cast({"ordered_on": "date"})
        }
    )  # fmt: skip
    for kind in KINDS:
        answer = questions.answer(kind, book, {})
        assert answer["data"]["customers"] == []
        assert answer["fr"]["reason"]
