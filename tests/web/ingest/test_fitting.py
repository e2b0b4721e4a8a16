"""A column beside the sales that is written otherwise each month keeps none of them out."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl
import pytest

from revoir_web.customers.models import Customer
from revoir_web.ingest import actions
from revoir_web.ingest.models import Import

from .conftest import bring_in, lake, work

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = "order_id,client_id,date,montant,taille\n"
OTHER = "order_id,client_id,date,total_ttc,taille\n"
"""Headers of which nothing is remembered."""


def sales(head: str, prefix: str, sizes: list[str], *, amount: int = 10) -> Import:
    """Sales of a month: their numbers begin so, and each has one of the sizes."""
    rows = "".join(
        f"{prefix}{n},C{n % 5},2025-01-{n:02d},{amount}.50,{sizes[n % len(sizes)]}\n"
        for n in range(1, 25)
    )
    held = bring_in(head + rows)
    assert held.state == Import.State.LANDED, held.error
    return held


def sizes(prefix: str = "") -> dict[str, int]:
    return dict(
        lake(
            "SELECT CAST(taille AS VARCHAR), count(*) FROM orders"
            f" WHERE order_id LIKE '{prefix}%' AND taille IS NOT NULL GROUP BY taille"
        )
    )


@pytest.mark.parametrize("head", [HEAD, OTHER])
def test_words_in_a_column_that_held_numbers(company: object, head: str) -> None:
    """Where the headers were known the words were lost; else nothing could be brought in."""
    sales(HEAD, "A", ["36", "38"])
    sales(head, "B", ["S", "M", "L"])
    assert sizes("A") == {"36": 12, "38": 12}
    assert sizes("B") == {"S": 8, "M": 8, "L": 8}


@pytest.mark.parametrize("head", [HEAD, OTHER])
def test_decimals_in_a_column_that_held_whole_numbers(company: object, head: str) -> None:
    sales(HEAD, "A", ["36", "38"])
    sales(head, "B", ["36.5", "40"])
    assert lake("SELECT sum(taille) FROM orders") == [(36 * 12 + 38 * 12 + 36.5 * 12 + 40 * 12,)]


def test_codes_in_a_column_that_held_numbers(company: object) -> None:
    """007 is not 7."""
    sales(HEAD, "A", ["36", "38"])
    sales(HEAD, "B", ["007", "36"])
    assert sizes("B") == {"007": 12, "36": 12}


def test_sales_that_come_again_with_words(company: object) -> None:
    """Comparing them failed with an error of the program."""
    sales(HEAD, "A", ["36", "38"])
    held = sales(OTHER, "A", ["S", "M"])
    assert (held.landed or {})["orders"] == {"new": 0, "changed": 24, "unchanged": 0}
    assert sizes() == {"S": 12, "M": 12}
    actions.undo(held=held)
    work()
    assert sizes() == {"36": 12, "38": 12}


def test_what_was_replaced_before_comes_back(company: object) -> None:
    sales(HEAD, "A", ["36", "38"])
    corrected = sales(HEAD, "A", ["40"], amount=20)
    words = sales(HEAD, "B", ["S", "M"])
    actions.undo(held=corrected)
    work()
    assert sizes("A") == {"36": 12, "38": 12}
    actions.undo(held=words)
    work()
    assert lake("SELECT count(*), sum(amount) FROM orders") == [(24, 252)]


def test_numbers_in_a_column_that_holds_words(company: object) -> None:
    """A workbook's 36 is no 36.0: it would be another size than the 36 of a text file."""
    sales(HEAD, "A", ["S", "36"])
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEAD.strip().split(","))
    for n in range(1, 25):
        sheet.append([f"B{n}", f"C{n % 5}", f"2025-02-{n:02d}", 10.5, 36 if n % 2 else 36.5])
    content = io.BytesIO()
    book.save(content)
    assert bring_in(content.getvalue(), "ventes.xlsx").state == Import.State.LANDED
    assert sizes() == {"S": 12, "36": 24, "36.5": 12}


def test_a_day_of_a_workbook_and_one_of_a_text_file(company: object) -> None:
    """What a workbook has as a day is text elsewhere."""
    import datetime as dt

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    head = ["order_id", "client_id", "date", "montant", "reçu le"]
    sheet.append(head)
    for n in range(1, 25):
        day = dt.datetime(2025, 1, n)
        sheet.append([f"A{n}", f"C{n % 5}", day, 10.5, dt.datetime(2025, 2, 1 + n % 2)])
    content = io.BytesIO()
    book.save(content)
    assert bring_in(content.getvalue(), "ventes.xlsx").state == Import.State.LANDED
    rows = "".join(
        f"A{n},C{n % 5},2025-01-{n:02d},10.50,0{1 + n % 2}/02/2025\n" for n in range(1, 25)
    )
    held = bring_in(",".join(head) + "\n" + rows)
    assert held.state == Import.State.LANDED
    assert lake("SELECT count(*), sum(amount), min(recu_le) FROM orders") == [
        (24, 252, "01/02/2025")
    ]


def test_attributes_of_customers(company: object) -> None:
    people = range(1, 9)
    bring_in(
        "client_id,email,niveau\n" + "".join(f"C{n},c{n}@example.com,{n % 3}\n" for n in people)
    )
    held = bring_in(
        "client_id,email,niveau\n" + "".join(f"C{n},c{n}@example.com,or\n" for n in people)
    )
    assert held.state == Import.State.LANDED
    assert lake("SELECT niveau, count(*) FROM customers GROUP BY ALL") == [("or", 8)]
    assert Customer.objects.get(email="c3@example.com").attributes == {"niveau": "or"}


def test_age_bands_land_beside_ages(company: object) -> None:
    """The first import of a shop failed: ages are whole numbers, and these were 25-34."""
    head = "client;nom;email;age\n"
    for name, age in (("Petit", "25-34"), ("Roux", "65")):
        rows = "".join(f"{name}{n};{name} {n};{name}{n}@example.fr;{age}\n" for n in range(20))
        held = bring_in(head + rows)
        assert held.state == Import.State.LANDED, held.error
    found = lake("SELECT age, age_band, count(*) FROM customers GROUP BY ALL")
    assert set(found) == {(None, "25-34", 20), (65, None, 20)}


def test_an_age_band_lands_without_the_day_of_birth(company: object) -> None:
    """No figure could be broken down by age: the day of birth stays out of the lake."""
    year = dt.date.today().year
    rows = "".join(f"C{n},c{n}@example.com,01/01/{year - 10 * n}\n" for n in range(2, 8))
    held = bring_in("client_id,email,date_naissance\n" + rows)
    assert held.state == Import.State.LANDED, held.error
    assert set(lake("SELECT age_band, count(*) FROM customers GROUP BY ALL")) == {
        ("18-24", 1), ("25-34", 1), ("35-44", 1), ("45-54", 1), ("55-64", 1), ("65+", 1),
    }  # fmt: skip
    columns = {row[0] for row in lake("DESCRIBE SELECT * FROM customers")}
    assert "age_band" in columns
    assert "birth_date" not in columns
