"""Numbers that start again each day or year are those of other orders."""

from __future__ import annotations

import re
from typing import Any

import duckdb
import pytest

from revoir.reading import assemble, numbering, read_tables

from .conftest import Read, told

TICKETS = (
    "N° ticket;Date;Client;Article;Qté;Montant\n"
    "1;01/04/2025;C001;Pain;1;1,20\n1;01/04/2025;C001;Croissant;2;2,40\n"
    "2;01/04/2025;C002;Pain;1;1,20\n1;02/04/2025;C003;Tarte;1;18,00\n"
    "2;02/04/2025;C001;Pain;1;1,20\n2;02/04/2025;;Pain;1;1,20\n1;13/04/2025;C004;Tarte;1;18,00\n"
    "3;13/04/2025;C004;Tarte;1;18,00\n"
)
YEARS = {
    "2024.csv": "N° facture;Date;Client;Total TTC\n"
    "1;14/01/2024;A;10,00\n2;15/02/2024;B;20,00\n3;16/03/2024;C;30,00\n",
    "2025.csv": "N° facture;Date;Client;Total TTC\n"
    "1;14/01/2025;D;11,00\n2;15/02/2025;B;20,00\n3;16/03/2025;E;31,00\n3;16/03/2024;C;30,00\n",
}


def test_tickets_that_count_from_one_each_day_are_orders_of_their_own(read: Read, rows) -> None:
    """400 tickets of 400 customers became 20 orders of 20 customers, without a word."""
    lines = "".join(f"{n % 20 + 1};{1 + n // 20:02d}/04/2025;C{n};{5 + n},00\n" for n in range(400))
    reading = read("N° ticket;Date;Client;Montant\n" + lines)
    totals = reading.totals["orders"]
    assert (totals["rows"], totals["orders"], totals["customers"]) == (400, 400, 400)
    assert totals["amount"] == sum(range(5, 405))
    assert "20 numbers come again for other orders" in told(reading)
    assert "“1 2025-04-01”" in told(reading)


def test_lines_keep_to_the_ticket_of_their_day_and_customer(read: Read, rows) -> None:
    found = rows(reading := read(TICKETS), "orders")
    assert {row["order_id"]: (row["customer_id"], float(row["amount"])) for row in found} == {
        "1 2025-04-01": ("C001", 3.6), "2 2025-04-01": ("C002", 1.2),
        "1 2025-04-02": ("C003", 18.0), "2 2025-04-02": ("C001", 2.4),
        "1 2025-04-13": ("C004", 18.0), "3": ("C004", 18.0),
    }  # fmt: skip
    assert {row["order_id"] for row in rows(reading, "order_lines")} == {
        row["order_id"] for row in found
    }


def test_one_number_on_one_day_at_two_tills_names_nobody(read: Read, rows) -> None:
    text = (
        "ticket,date,email,produit,montant\n"
        "1,2025-04-01,zoe@x.fr,Pain,1\n1,2025-04-01,zoe@x.fr,Lait,2\n1,2025-04-01,ann@x.fr,Thé,4\n"
    )
    found = rows(read(text), "orders")
    assert {row["order_id"]: row["customer_id"] for row in found} == {
        "1 2025-04-01": "ann@x.fr", "1 2025-04-01-2": "zoe@x.fr"
    }  # fmt: skip


def test_tickets_without_customers_are_told_apart_by_their_day(read: Read) -> None:
    lines = "".join(
        f"{ticket},2025-04-{day:02d},Pain,2\n{ticket},2025-04-{day:02d},Lait,1\n"
        for day in range(1, 11) for ticket in range(1, 6 if day < 3 else 5)
    )  # fmt: skip
    assert read("ticket,date,produit,montant\n" + lines).totals["orders"]["orders"] == 42


def test_an_invoice_of_next_year_with_the_same_number_is_another_one(read: Read, rows) -> None:
    """Two of four invoices, 1 and 2 of the new year, were set aside as contradictions."""
    reading = read("".join([YEARS["2024.csv"], YEARS["2025.csv"].split("\n", 1)[1]]))
    assert reading.files[0].rows_duplicate == 1
    assert [row["order_id"] for row in rows(reading, "orders")] == [
        "1 2024", "2 2024", "3 2024", "1 2025", "2 2025", "3 2025",
    ]  # fmt: skip
    assert "told apart by their year" in told(reading)


def test_a_file_of_next_year_with_the_same_numbers_adds_its_orders(read: Read, rows) -> None:
    """The whole second year was set aside."""
    reading = read(YEARS)
    assert [(f.rows_accepted, f.rows_duplicate) for f in reading.files] == [(3, 0), (3, 1)]
    assert sorted(row["order_id"] for row in rows(reading, "orders")) == [
        "1", "1 2025", "2", "2 2025", "3", "3 2025"
    ]  # fmt: skip
    assert "3 numbers come again" in told(reading)


def test_a_file_of_the_next_day_with_the_same_tickets_adds_its_orders(read: Read, rows) -> None:
    head, first = TICKETS.split("\n", 1)
    second = "1;20/04/2025;C001;Pain;1;1,20\n1;20/04/2025;C001;Thé;1;3,00\n"
    last = "\n".join(first.split("\n")[-2:])
    reading = read({"a.csv": f"{head}\n{first}", "b.csv": f"{head}\n{last}{second}"})
    assert reading.files[1].rows_duplicate == 1
    assert "1 2025-04-20" in {row["order_id"] for row in rows(reading, "orders")}
    assert reading.totals["orders"]["amount"] == 65.4


def test_refunds_and_mistakes_keep_the_number_of_their_order(read: Read, rows) -> None:
    head = "commande;client;date;montant\n"
    reading = read(head + "1;a;2024-01-01;50\n1;a;2024-03-09;-20\n2;b;2024-01-02;7\n")
    assert [row["order_id"] for row in rows(reading, "orders")] == ["1", "1", "2"]
    reading = read(head + "1;a;2024-01-01;50\n1;b;2024-01-01;60\n2;b;2024-01-02;7\n")
    assert reading.files[0].rows_quarantined == 1
    lines = (
        "ticket;client;date;produit;quantité;prix unitaire\n1;a;2024-01-01;pomme;2;1,50\n"
        "1;a;2024-01-01;poire;1;2,00\n1;a;2024-02-01;poire;-1;2,00\n"
    )
    assert [row["order_id"] for row in rows(read(lines), "orders")] == ["1"]


def test_where_numbers_start_again_a_faithful_customer_has_one_twice(read: Read) -> None:
    text = (
        "N° facture;Date;Client;Total TTC\n1;14/01/2024;A;10,00\n2;15/02/2024;B;20,00\n"
        "1;14/01/2025;D;11,00\n2;15/02/2025;B;20,00\n"
    )
    assert read(text).totals["orders"]["amount"] == 61


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("ticket;client;date;produit;montant\n"
         "1;A;2024-01-02;x;1,50\n1;A;2024-01-02;y;2,50\n2;B;2024-01-02;x;1,50\n", False),
        ("ticket;client;date;produit;montant\n"
         "1;A;2024-01-02;x;1,50\n1;B;2024-01-02;y;2,50\n2;B;2024-01-02;x;1,50\n", True),
        ("ticket;client;date;montant\n1;A;2024-01-02;1,50\n1;B;2024-01-02;2,50\n", False),
        ("ticket;client;date;montant\n1;A;2024-01-02;1,50\n1;B;2024-01-03;2,50\n", True),
    ],
)  # fmt: skip
def test_numbers_of_one_day_are_not_compared(read: Read, monkeypatch, text, compared) -> None:
    """The rows of each number were compared though all stood on one day: a second for a million."""
    asked = []
    rule = numbering._rule
    monkeypatch.setattr(numbering, "_rule", lambda *given: asked.append(given) or rule(*given))
    reading = read(text)
    assert bool(asked) == compared
    assert ("comes again for another order" in told(reading)) == compared


@pytest.mark.parametrize("again", [False, True])
def test_order_numbers_are_counted_once(tmp_path, monkeypatch, again: bool) -> None:
    """They were counted twice on the way, and once more in the orders and in their lines."""
    path = tmp_path / "sales.csv"
    # Numbers that start again are told apart, and then they are others to count.
    lines = TICKETS.splitlines(keepends=True)
    path.write_text("".join(lines if again else lines[:4]), encoding="utf-8")
    asked: list[str] = []

    class Listening:
        def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
            self.connection = connection

        def __getattr__(self, name: str) -> object:
            return getattr(self.connection, name)

        def execute(self, sql: str, *given: object) -> object:
            asked.append(sql)
            return self.connection.execute(sql, *given)

    connection: Any = Listening(duckdb.connect())
    monkeypatch.setattr(assemble, "_ibis_tables", lambda *_: {})
    totals = read_tables(path, connection=connection).totals
    counted = [sql for sql in asked if re.search(r'DISTINCT "?(orders\.)?order_id', sql)]
    assert len(counted) == (2 if again else 1)
    assert totals["orders"]["orders"] == totals["order_lines"]["orders"] == (6 if again else 2)
