"""Exports that say only what is new: lines under their order, sales under their customer."""

from __future__ import annotations

import datetime as dt

import openpyxl

from revoir.reading import read_tables

from .conftest import Read, told

ODOO = (
    "Order Reference,Customer,Order Date,Status,Total,Order Lines/Product,Order Lines/Quantity,"
    "Order Lines/Unit Price,Order Lines/Subtotal\n"
    "S1,Ann B,2026-01-03 09:12:05,Sales Order,48.00,Tea,2,10.00,20.00\n"
    ",,,,,Cup,1,20.00,20.00\n"
    "S2,Cid D,2026-01-04 09:12:05,Sales Order,36.00,Pot,1,30.00,30.00\n"
    "S3,Ann B,2026-01-05 09:12:05,Cancelled,60.00,Pot,1,30.00,30.00\n"
    ",,,,,Cup,1,20.00,20.00\n"
)


def test_lines_under_their_order_are_its(read: Read, rows) -> None:
    """Two of five lines were quarantined, for want of a number."""
    reading = read(ODOO)
    assert reading.files[0].rows_accepted == 5
    found = {row["order_id"]: (row["amount"], row["kind"]) for row in rows(reading, "orders")}
    assert found == {"S1": (48, "purchase"), "S2": (36, "purchase"), "S3": (60, "cancelled")}
    lines = rows(reading, "order_lines")
    assert sum(row["quantity"] for row in lines if row["customer_id"] == "Ann B") == 5
    assert "2 rows have neither number, day nor customer of their own" in told(reading)


def test_what_each_line_comes_to_is_added_up(read: Read, rows) -> None:
    """Without a total, the order came to its first line."""
    reading = read(
        "Référence de commande;Client;Date de la commande;Lignes de la commande/Produit;"
        "Lignes de la commande/Quantité;Lignes de la commande/Sous-total\n"
        "S1;Ann B;03/01/2026;Thé;2;20,00\n;;;Tasse;1;20,00\nS2;Cid D;14/01/2026;Pot;1;30,00\n"
    )
    assert {row["order_id"]: row["amount"] for row in rows(reading, "orders")} == {
        "S1": 40, "S2": 30,
    }  # fmt: skip


def test_odoo_by_its_technical_names(read: Read, rows) -> None:
    reading = read(
        "name,partner_id,date_order,state,amount_total,order_line/product_id,"
        "order_line/product_uom_qty,order_line/price_unit,order_line/price_subtotal\n"
        "S1,Ann B,2026-01-03 09:12:05,sale,40.00,Tea,2,10.00,20.00\n,,,,,Cup,1,20.00,20.00\n"
        "S2,Cid D,2026-01-04 09:12:05,sent,30.00,Pot,1,30.00,30.00\n"
    )
    found = {row["order_id"]: (row["amount"], row["kind"], row["customer_id"])
             for row in rows(reading, "orders")}  # fmt: skip
    assert found == {"S1": (40, "purchase", "Ann B"), "S2": (30, "cancelled", "Cid D")}
    assert len(rows(reading, "order_lines")) == 3


def test_a_line_that_lacks_its_number_is_no_further_line(read: Read) -> None:
    """Where numbers come again on each line, one that is missing is a mistake."""
    reading = read(
        "commande;client;date;produit;montant\n1;A;2026-01-03;Thé;10\n1;A;2026-01-03;Pot;20\n"
        ";;;Tasse;5\n2;B;2026-01-04;Thé;10\n"
    )
    assert reading.files[0].rows_quarantined == 1
    reading = read(
        "commande;client;date;produit;montant\n1;A;2026-01-03;Thé;10\n;B;2026-01-04;Tasse;5\n"
    )
    assert reading.files[0].rows_quarantined == 1


REPORT = (
    'Sales by Customer Detail\nMy Company\n"January - March, 2026"\n\n'
    ",Date,Transaction Type,Num,Product/Service,Memo/Description,Qty,Sales Price,Amount,Balance\n"
    "Ann B,,,,,,,,,\n"
    ",01/13/2026,Invoice,1001,Tea,Green tea,2,10.00,20.00,20.00\n"
    ",01/13/2026,Invoice,1001,Cup,Cup,1,20.00,20.00,40.00\n"
    ",02/14/2026,Credit Memo,1003,Cup,Cup back,-1,20.00,-20.00,20.00\n"
    "Total for Ann B,,,,,,,,$20.00,\n"
    "Cid D,,,,,,,,,\n"
    ',03/15/2026,Sales Receipt,1002,Pot,Pot,1,"1,030.00","1,030.00","1,030.00"\n'
    'Total for Cid D,,,,,,,,"$1,030.00",\n'
    'TOTAL,,,,,,,,"$1,050.00",\n\n\n'
    '"Monday, Jun 01, 2026 10:00:00 AM GMT+1 - Accrual Basis",,,,,,,,,\n'
)


def test_customers_above_their_sales_are_carried_down(read: Read, rows) -> None:
    """Nobody had bought anything, and five rows were quarantined."""
    reading = read(REPORT)
    assert (reading.files[0].rows_in, reading.files[0].rows_accepted) == (4, 4)
    found = {row["order_id"]: (row["amount"], row["customer_id"])
             for row in rows(reading, "orders")}  # fmt: skip
    assert found == {"1001": (40, "Ann B"), "1003": (-20, "Ann B"), "1002": (1030, "Cid D")}
    text = told(reading)
    assert "Column Customer: 2 headings were carried down to the rows under them." in text
    assert "1 row has but one cell, and no row under it: it was left out." in text
    assert "1 row sums up the rows above it and was left out." in text


def test_customers_above_their_sales_in_a_workbook(tmp_path, rows) -> None:
    book = openpyxl.Workbook()
    for row in (
        ["Transaction List by Customer"], ["My Company"], [],
        [None, "Date", "Transaction Type", "Num", "Amount"],
        ["Ann B"], [None, dt.datetime(2026, 1, 13), "Invoice", "1001", 40.0],
        [None, dt.datetime(2026, 1, 20), "Payment", None, 40.0], ["Total for Ann B"] + [None] * 3
        + [80.0], ["Cid D"], [None, dt.datetime(2026, 3, 15), "Sales Receipt", "1002", 30.0],
        ["Total for Cid D"] + [None] * 3 + [30.0],
    ):  # fmt: skip
        book.active.append(row)
    book.save(tmp_path / "report.xlsx")
    reading = read_tables(tmp_path / "report.xlsx", today=dt.date(2026, 6, 1))
    found = {row["order_id"]: (row["amount"], row["customer_id"])
             for row in rows(reading, "orders")}  # fmt: skip
    assert found == {"1001": (40, "Ann B"), "1002": (30, "Cid D")}


def test_a_first_column_with_gaps_is_no_heading(read: Read) -> None:
    reading = read(
        "Remarque;Date;Client;Montant\nurgent;14/04/2026;A;50,00\n;15/04/2026;B;20,00\n"
        "à voir;16/04/2026;B;20,00\n"
    )
    assert reading.files[0].rows_accepted == 3
    assert "carried down" not in told(reading)
