"""The list of products comes in by itself, before the sales or after them, and out again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client

import revoir
from revoir_web.customers.models import Customer
from revoir_web.ingest import actions
from revoir_web.ingest.models import Import
from revoir_web.insights.facts import facts_of, forget, owned_by

from .conftest import bring_in, lake, work

pytestmark = pytest.mark.django_db(transaction=True)

LINES = "commande;client;date;sku;quantité;montant\n" + "".join(
    f"{n};C{n % 3};2024-01-{n:02d};S{n % 4};1;{n},00\n" for n in range(1, 21)
)
LIST = "SKU;Produit;Catégorie;Stock;Marque\n" + "".join(
    f"S{n};Thé {n};{'Vert' if n % 2 else 'Noir'};{n};Acme\n" for n in range(5)
)
NEXT = "SKU;Produit;Catégorie;Stock\nS1;Thé un;Vert;9\nS7;Tasse;Vaisselle;2\n"


def landed(text: str, name: str) -> Import:
    held = bring_in(text, name)
    assert held.state == Import.State.LANDED, held.error
    return held


def undone(held: Import) -> None:
    actions.undo(held=held)
    work()


def categories() -> dict[str | None, float]:
    table = revoir.open(settings.LAKE).table("order_lines")
    if "category" not in table.columns:
        return {None: float(table.amount.sum().execute())}
    rows = table.group_by("category").aggregate(amount=table.amount.sum()).to_pyarrow().to_pylist()
    return {row["category"]: float(row["amount"]) for row in rows}


EXPECTED = {
    "Vert": float(sum(n for n in range(1, 21) if n % 2)),
    "Noir": float(sum(n for n in range(1, 21) if n % 2 == 0)),
}


@pytest.mark.parametrize("order", [(LINES, LIST), (LIST, LINES)])
def test_the_list_before_or_after_the_sales(company: object, order: tuple[str, str]) -> None:
    for place, text in enumerate(order):
        landed(text, f"{place}.csv")
    assert categories() == EXPECTED


def test_a_later_list_changes_what_it_says_and_leaves_the_rest(company: object) -> None:
    landed(LINES, "lignes.csv")
    landed(LIST, "liste.csv")
    later = landed(NEXT, "plus tard.csv")
    assert later.landed["products"] == {"new": 1, "changed": 1, "unchanged": 0}
    told = "SELECT product, CAST(stock AS INTEGER), marque FROM products WHERE product_id = 'S1'"
    assert lake(told) == [("Thé un", 9, "Acme")]
    undone(later)
    assert lake(told) == [("Thé 1", 1, "Acme")]
    assert lake("SELECT count(*) FROM products") == [(5,)]


def test_the_same_list_again_says_nothing_new(company: object) -> None:
    landed(LIST, "liste.csv")
    again = landed(LIST, "liste bis.csv")
    assert again.landed["products"] == {"new": 0, "changed": 0, "unchanged": 5}


def test_undoing_the_list_leaves_the_sales(company: object) -> None:
    landed(LINES, "lignes.csv")
    undone(landed(LIST, "liste.csv"))
    assert lake("SELECT count(*) FROM products") == [(0,)]
    assert sum(categories().values()) == sum(range(1, 21))


def test_a_customer_owns_products_by_name(company: object) -> None:
    landed(LINES, "lignes.csv")
    landed(LIST, "liste.csv")
    forget()
    customer = Customer.objects.first()
    assert customer is not None
    names = {fact["title"] for fact in facts_of(customer.pk, kinds=["product"])}
    assert names
    assert all(name.startswith("Thé ") for name in names)
    assert {owned.product for owned in owned_by([customer.pk])} == names


def test_the_page_of_an_import_says_what_it_is(
    company: object, as_role: Callable[[str], Client]
) -> None:
    held = landed(LIST, "liste.csv")
    page = as_role("owner").get(f"/imports/{held.pk}/").content.decode()
    assert "Products" in page or "Produits" in page
