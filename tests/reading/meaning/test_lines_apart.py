"""Orders in one sheet or file, and their lines, which have no date, in another one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from revoir.errors import InputError
from revoir.reading import Reading, read_tables

from .conftest import Read, told

ORDERS = """commande;client;date;total;statut
A1;C1;05/03/2025;25,90;payée
A2;C2;17/03/2025;13,90;payée
A3;C1;28/03/2025;8,00;annulée
A4;;29/03/2025;4,00;payée
"""
LINES = """commande;article;quantité;montant
A1;café;2;12,00
A1;thé;1;8,00
A2;café;2;8,00
A3;thé;1;8,00
A4;sel;1;4,00
"""
Rows = Callable[[Reading, str], list[dict[str, Any]]]


def lines_of(reading: Reading, rows: Rows) -> list[tuple[Any, ...]]:
    names = ("order_id", "customer_id", "ordered_on", "kind", "amount")
    return [
        (*(row[name] for name in names[:-1]), float(row["amount"]))
        for row in rows(reading, "order_lines")
    ]


HELD = [
    ("A1", "C1", dt.date(2025, 3, 5), "purchase", 12.0),
    ("A1", "C1", dt.date(2025, 3, 5), "purchase", 8.0),
    ("A2", "C2", dt.date(2025, 3, 17), "purchase", 8.0),
    ("A3", "C1", dt.date(2025, 3, 28), "cancelled", 8.0),
    ("A4", None, dt.date(2025, 3, 29), "purchase", 4.0),
]


@pytest.mark.parametrize("files", [("a.csv", "b.csv"), ("b.csv", "a.csv")])
def test_lines_get_day_and_customer_of_their_orders(
    read: Read, rows: Rows, files: tuple[str, str]
) -> None:
    """No product was known of any order: the lines were not recognised."""
    texts = dict(zip(files, (ORDERS, LINES), strict=True))
    reading = read({name: texts[name] for name in sorted(texts)})
    assert sorted(lines_of(reading, rows), key=str) == sorted(HELD, key=str)
    # What an order came to is what the list of orders says: shipping is in it.
    assert sorted(float(row["amount"]) for row in rows(reading, "orders")) == [4, 8, 13.9, 25.9]
    assert {file.table for file in reading.files} == {"orders", "order_lines"}
    assert reading.rows_quarantined == 0
    assert files[0] in told(reading)


def test_one_line_each(read: Read, rows: Rows) -> None:
    text = "commande;article;montant\nA1;café;20,00\nA2;thé;8,00\nA3;sel;8,00\nA4;sel;4,00\n"
    reading = read({"a.csv": ORDERS, "b.csv": text})
    assert len(rows(reading, "orders")) == 4
    products = {row["order_id"]: row["product_id"] for row in rows(reading, "order_lines")}
    assert products == {"A1": "café", "A2": "thé", "A3": "sel", "A4": "sel"}


def test_lists_a_month_and_the_lines_of_all(read: Read, rows: Rows) -> None:
    head, *sold = ORDERS.splitlines()
    months = {"1.csv": "\n".join([head, *sold[:2]]), "2.csv": "\n".join([head, *sold[1:]])}
    reading = read({**months, "lines.csv": LINES})
    assert sorted(lines_of(reading, rows), key=str) == sorted(HELD, key=str)
    assert len(rows(reading, "orders")) == 4


def test_lines_of_no_order_are_set_aside(read: Read, rows: Rows) -> None:
    reading = read({"a.csv": ORDERS, "b.csv": LINES + "A9;café;1;3,00\n"})
    assert len(lines_of(reading, rows)) == 5
    [row] = reading.files[1].quarantine
    assert (row.line, row.column, row.value) == (7, "commande", "A9")


def test_lines_of_other_orders(read: Read) -> None:
    """Lists of others have nothing to say of them."""
    reading = read({"a.csv": ORDERS, "b.csv": LINES.replace("A", "Z")})
    assert reading.files[1].table is None
    assert reading.files[1].rows_unread == 5
    assert "Import the list of the orders" in told(reading)


def test_lines_alone_say_what_is_missing(read: Read) -> None:
    with pytest.raises(InputError, match="Import the list of the orders with them"):
        read(LINES)


def test_customers_known_by_their_address(read: Read, rows: Rows) -> None:
    orders = ORDERS.replace(";client;", ";e-mail;").replace("C1", "c1@example.com")
    orders = orders.replace("C2", "c2@example.com")
    people = "numéro client;e-mail\nC1;c1@example.com\nC2;c2@example.com\n"
    reading = read({"a.csv": orders, "b.csv": LINES, "c.csv": people})
    assert sorted(lines_of(reading, rows), key=str) == sorted(HELD, key=str)


def test_what_was_understood_reads_the_same_again(read: Read, rows: Rows) -> None:
    first = read({"a.csv": ORDERS, "b.csv": LINES})
    held = {"commande", "article", "quantité", "montant"}
    assert set(first.mapping.files[1].columns) == held
    again = read({"a.csv": ORDERS, "b.csv": LINES}, mapping=first.mapping)
    assert lines_of(again, rows) == lines_of(first, rows)


def test_numbers_of_a_workbook_and_of_a_text_file(tmp_path: Path, rows: Rows) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [["commande", "client", "date", "total"]] + [
        [100 + n, f"C{n % 3}", dt.datetime(2025, 3, n), 10.5] for n in range(1, 9)
    ]:
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    text = "commande;article;montant\n" + "".join(f"{100 + n};café;9,50\n" for n in range(1, 9))
    (tmp_path / "b.csv").write_text(text, encoding="utf-8")
    reading = read_tables([tmp_path / "a.xlsx", tmp_path / "b.csv"])
    assert sorted(row["ordered_on"].day for row in rows(reading, "order_lines")) == [*range(1, 9)]
    assert {str(row["order_id"]) for row in rows(reading, "order_lines")} == {
        str(row["order_id"]) for row in rows(reading, "orders")
    }


def test_lines_without_a_price(read: Read, rows: Rows) -> None:
    """They were told as accepted, and no table had them."""
    reading = read({"a.csv": ORDERS, "b.csv": "commande;article;quantité\nA1;café;2\nA2;thé;1\n"})
    found = [(row["order_id"], row["product_id"], row["amount"]) for row in
             rows(reading, "order_lines")]  # fmt: skip
    assert sorted(found) == [("A1", "café", None), ("A2", "thé", None)]
    assert sorted(float(row["amount"]) for row in rows(reading, "orders")) == [4, 8, 13.9, 25.9]


def test_hardly_any_order_has_several_lines(read: Read, rows: Rows) -> None:
    """The second lines of such a shop were set aside as contradicting the first ones."""
    numbers = range(1, 101)
    orders = "commande;client;date\n" + "".join(f"{n};C{n % 9};2025-01-{n % 28 + 1:02d}\n"
                                                for n in numbers)  # fmt: skip
    lines = "commande;article;prix;quantité\n" + "".join(f"{n};thé;10;1\n" for n in numbers)
    reading = read({"a.csv": orders, "b.csv": lines + "7;café;4;2\n"})
    assert reading.rows_quarantined == 0
    assert sum(row["amount"] for row in rows(reading, "orders")) == 1008
    assert len(rows(reading, "order_lines")) == 101


def test_a_count_of_articles_makes_no_line_of_an_order(read: Read, rows: Rows) -> None:
    orders = ORDERS.replace(";statut", ";nb articles;statut").replace("0;", "0;2;")
    reading = read({"a.csv": orders, "b.csv": LINES})
    assert sorted(lines_of(reading, rows), key=str) == sorted(HELD, key=str)
    assert len(rows(reading, "orders")) == 4


def test_the_name_on_a_line_is_the_products(read: Read, rows: Rows) -> None:
    """Such lines were a list of customers called after products."""
    lines = (
        "order_id,sku,name,price,quantity\nA1,S1,café,6,2\nA1,S2,thé,8,1\nA2,S1,café,4,2\n"
        "A3,S2,thé,8,1\nA4,S3,sel,4,1\n"
    )
    reading = read({"a.csv": ORDERS, "b.csv": lines})
    assert sorted(lines_of(reading, rows), key=str) == sorted(HELD, key=str)
    assert {(row["product_id"], row["product"]) for row in rows(reading, "order_lines")} == {
        ("S1", "café"), ("S2", "thé"), ("S3", "sel")
    }  # fmt: skip
    assert "customers" not in reading.tables
