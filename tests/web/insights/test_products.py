"""What goes with one product, and what the company never recommends."""

from __future__ import annotations

import datetime as dt
import html
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from django.test import Client

from revoir.book import Book
from revoir.engines.connect import memory
from revoir.models.companions import companions
from revoir_web.common.models import AuditEntry, Company, Job
from revoir_web.insights import engine, foresight, tasks

pytestmark = pytest.mark.django_db


NAME = "Théière « bleue »"


@pytest.fixture(scope="session")
def own_book() -> Book:
    """Teapots go with cups, and half of those who bought a small one buy a large one later."""
    draw, first, rows = random.Random(3), dt.date(2024, 1, 1), []
    for n in range(400):
        held = ["T1", "C1"] if n % 4 == 0 else draw.sample([f"X{k}" for k in range(12)], 2)
        rows += [(n, n % 200, first + dt.timedelta(days=n), product) for product in held]
    rows += [(400 + n, n, first + dt.timedelta(days=300 + n), "T2") for n in range(0, 100, 8)]
    names = {"T1": NAME, "T2": "Grande théière", "C1": "Tasse"}
    prices = {"T1": 20.0, "T2": 45.0}
    lines = pa.table(
        {
            "order_id": [f"o{order}" for order, *_ in rows],
            "customer_id": [f"c{customer}" for _, customer, *_ in rows],
            "ordered_on": pa.array([day for *_, day, _ in rows], pa.date32()),
            "kind": ["purchase"] * len(rows),
            "product_id": [product for *_, product in rows],
            "product": [names.get(product, product) for *_, product in rows],
            "category": ["Thé" if product in names else "Autres" for *_, product in rows],
            "quantity": [1.0] * len(rows),
            "amount": [prices.get(product, 5.0) for *_, product in rows],
        }
    )
    return Book({"order_lines": memory(threads=1).create_table("order_lines", lines)})


@pytest.fixture
def answer(filled: Path, own_book: Book) -> Callable[[], None]:
    """Lets the worker answer what is asked about a product; predictions wait."""

    def compute() -> None:
        job = Job.objects.get(kind="insights.answer", state=Job.State.WAITING)
        tasks.compute(own_book, job.arguments["kind"], job.arguments["parameters"])

    return compute


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_page_says_what_goes_with_a_product(
    own_book: Book, answer: Callable[[], None], as_role: Callable[[str], Client], language: str
) -> None:
    client = as_role("manager")
    client.cookies["language"] = language
    first = client.get("/products/", {"product": NAME}, headers={"accept-language": language})
    assert 'role="status"' in first.content.decode()
    answer()
    page = client.get("/products/", {"product": NAME}, headers={"accept-language": language})
    text = html.unescape(page.content.decode())
    found = companions(own_book, NAME, 10)
    assert found is not None
    assert found.joining
    assert found.upgrades
    section = text.split('<section aria-labelledby="one"')[1].split("</section>")[0]
    for pair in found.joining:
        assert found.labels[pair.other_id] in section
    for up in found.upgrades:
        assert found.labels[up.other_id] in section
    assert f'value="{NAME}"' in text


def test_a_product_that_there_is_not_is_said(
    answer: Callable[[], None], as_role: Callable[[str], Client]
) -> None:
    client, wrong = as_role("manager"), NAME[:-2] + "xx"
    client.get("/products/", {"product": wrong})
    answer()
    page = html.unescape(client.get("/products/", {"product": wrong}).content.decode())
    assert wrong in page
    assert 'role="alert"' in page
    told = client.get("/api/products", {"product": wrong}).json()["one"]
    assert told["state"] == "failed"
    assert wrong in told["message"]


def test_programs_ask_about_a_product(
    own_book: Book, answer: Callable[[], None], as_role: Callable[[str], Client]
) -> None:
    client = as_role("analyst")
    assert client.get("/api/products").json()["one"] is None
    assert client.get("/api/products", {"product": NAME}).json()["one"]["state"] == "computing"
    answer()
    told = client.get("/api/products", {"product": NAME}).json()["one"]
    found = companions(own_book, NAME, 10)
    assert found is not None
    assert (told["state"], told["name"]) == ("fresh", NAME)
    assert [(row["product"], row["baskets"], row["lift"]) for row in told["together"]] == [
        (pair.other_id, pair.together, pytest.approx(pair.lift)) for pair in found.joining
    ]
    assert [(row["product"], row["moved"], row["buyers"]) for row in told["move_up_to"]] == [
        (up.other_id, up.moved, up.buyers) for up in found.upgrades
    ]
    by_code = client.get("/api/products", {"product": told["product"]}).json()["one"]
    assert by_code["state"] == "computing"
    assert client.get("/api/products", {"product": "x" * 201}).status_code == 422


# -- Never recommended ---------------------------------------------------------------------------
def test_what_the_company_never_recommends_is_in_no_stored_recommendation(
    lake: Path, company: Company, read_book: Book
) -> None:
    with engine.using() as book:
        before = foresight._products(book)
    assert before.products is not None
    category = before.products["category"][0].as_py()
    company.not_recommended = [category.upper(), "Gone"]
    company.save()
    with engine.using() as book:
        after = foresight._products(book)
    assert after.products is not None
    assert category in before.products["category"].to_pylist()
    assert category not in after.products["category"].to_pylist()
    assert after.answer["data"]["not_recommended"] == [category.upper(), "Gone"]
    assert "Gone" in " ".join(after.answer["en"]["notes"])


def test_it_is_set_on_the_page_of_the_company_and_by_programs(
    company: Company, as_role: Callable[[str], Client]
) -> None:
    client, before = as_role("owner"), engine.settings_hash()
    told = client.patch(
        "/api/company", {"not_recommended": ["Vins", " Bières ", "Vins"]}, "application/json"
    )
    assert told.json()["not_recommended"] == ["Vins", "Bières"]
    assert Company.current().not_recommended == ["Vins", "Bières"]
    assert engine.settings_hash() != before
    page = client.get("/company/").content.decode()
    assert "Vins\nBières</textarea>" in page
    shown = page.split('name="initial-not_recommended" value="')[1].split('"')[0]
    form = {"initial-not_recommended": shown, "not_recommended": "Vins\r\n\r\nArmes\r\n"}
    kept = {
        field: getattr(company, field) or ""
        for field in ("name", "language", "currency", "timezone", "fiscal_year_start_month")
    }
    client.post("/company/", {**kept, **form})
    assert Company.current().not_recommended == ["Vins", "Armes"]
    assert AuditEntry.objects.filter(action="company.change").count() == 2
    refused = client.patch("/api/company", {"not_recommended": ["x" * 201]}, "application/json")
    assert refused.status_code == 422
    assert (
        client.patch("/api/company", {"not_recommended": None}, "application/json").json()[
            "not_recommended"
        ]
        == []
    )
