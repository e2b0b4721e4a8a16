"""Amounts on the lines of orders: those of the lines, or one total that comes again on each."""

from __future__ import annotations

from decimal import Decimal

import pytest

from revoir.reading.mapping import from_options

from .conftest import Read, told


def _amounts(rows, reading) -> dict[str, Decimal]:
    return {row["order_id"]: row["amount"] for row in rows(reading, "orders")}


def test_a_total_that_its_header_names_counts_once_without_prices(read: Read, rows) -> None:
    """A total of 30.00 on the two lines of an order was added up to 60.00."""
    reading = read(
        "N° commande;Date;Email;Produit;Quantité;Total commande\n"
        "1001;13/04/2025;a@x.fr;Savon;2;30,00\n1001;13/04/2025;a@x.fr;Bougie;1;30,00\n"
        "1002;14/04/2025;b@x.fr;Savon;1;12,50\n"
        "1003;15/04/2025;a@x.fr;Savon;1;25,00\n1003;15/04/2025;a@x.fr;Thé;1;25,00\n"
    )
    assert reading.totals["orders"]["amount"] == 67.5
    assert {row["amount"] for row in rows(reading, "order_lines")} == {None}
    assert "Column Total commande: the same amount stands on all lines" in told(reading)
    assert "the lines have no amount of their own" in told(reading)


def test_a_total_with_shipping_counts_once_although_prices_do_not_add_up(read: Read, rows) -> None:
    """Shipping in the total made 35.00 the amount of each line, 70.00 that of the order."""
    reading = read(
        "order_id,order_date,customer_email,item_name,quantity,item_price,order_total\n"
        "1001,2025-04-03,a@x.fr,Soap,2,10.00,35.00\n1001,2025-04-03,a@x.fr,Candle,1,10.00,35.00\n"
        "1002,2025-04-14,b@x.fr,Soap,1,10.00,15.00\n"
        "1003,2025-04-15,a@x.fr,Soap,1,10.00,25.00\n1003,2025-04-15,a@x.fr,Tea,1,10.00,25.00\n"
    )
    assert _amounts(rows, reading) == {"1001": 35, "1002": 15, "1003": 25}
    assert reading.totals["order_lines"]["amount"] == 60


def test_three_orders_whose_lines_differ_but_for_the_amount_tell_a_total(read: Read, rows) -> None:
    """“Total” named no order, so that each line of a delivery counted the whole of it."""
    head = "commande,date,client,produit,total\n"
    lines = "".join(
        f"{order},2025-04-0{order},c{order},{product},{10 + order}\n"
        for order in (1, 2, 3) for product in ("pomme", "poire")
    )  # fmt: skip
    reading = read(head + lines)
    assert _amounts(rows, reading) == {"1": 11, "2": 12, "3": 13}
    assert "Column total: the same amount stands on all lines" in told(reading)


def test_lines_that_cost_the_same_are_lines(read: Read, rows) -> None:
    head = "commande,date,client,produit,quantité,prix unitaire,total\n"
    lines = "".join(
        f"{order},2025-04-0{order},c{order},{product},1,{10 + order},{10 + order}\n"
        for order in (1, 2, 3) for product in ("pomme", "poire")
    )  # fmt: skip
    assert _amounts(rows, read(head + lines)) == {"1": 22, "2": 24, "3": 26}
    same = "".join(
        f"{order},2025-04-0{order},c{order},{product},5\n"
        for order in (1, 2, 3) for product in ("pomme", "poire")
    )  # fmt: skip
    reading = read("commande,date,client,produit,total\n" + same)
    assert set(_amounts(rows, reading).values()) == {10}


def test_totals_of_lines_beside_another_amount_are_added_up(read: Read, rows) -> None:
    """Beside “Sous-total HT”, the first “Total TTC” was the order's, and its other lines' lost."""
    reading = read(
        "Facture;Date;Client;Article;Qté;Sous-total HT;TVA;Total TTC\n"
        "1;14/04/2025;A;Robe;1;100,00;20,00;120,00\n1;14/04/2025;A;Chapeau;1;10,00;2,00;12,00\n"
        "2;15/04/2025;B;Sac;1;50,00;10,00;60,00\n"
    )
    assert _amounts(rows, reading) == {"1": 132, "2": 60}
    assert reading.totals["order_lines"]["amount"] == 192
    assert "Column Total TTC: its amounts were taken as those of the lines" in told(reading)


def test_an_order_total_beside_those_of_its_lines_counts_once(read: Read, rows) -> None:
    reading = read(
        "commande;date;client;produit;montant ligne;total\n"
        "1;14/04/2025;A;Robe;100,00;115,00\n1;14/04/2025;A;Chapeau;10,00;115,00\n"
        "2;15/04/2025;B;Sac;50,00;55,00\n"
    )
    assert _amounts(rows, reading) == {"1": 115, "2": 55}
    assert reading.totals["order_lines"]["amount"] == 160


def test_equal_lines_with_and_without_tax_are_lines(read: Read, rows) -> None:
    reading = read(
        "commande;date;client;produit;sous-total;total ttc\n"
        "1;14/04/2025;A;Robe;10,00;12,00\n1;14/04/2025;A;Jupe;10,00;12,00\n"
    )
    assert _amounts(rows, reading) == {"1": 24}
    assert "call the column order_total" in told(reading)


def _meant(reading, header: str) -> str | None:
    return next(c.target for c in reading.files[0].mapping if c.header == header)


@pytest.mark.parametrize(
    "header",
    ["Tax Amount", "Montant TVA", "Shipping Amount", "Montant frais de port", "Order Total Tax",
     "Total livraison", "Tip amount", "total_shipping_tax_incl", "Remise montant"],
)  # fmt: skip
def test_tax_and_shipping_are_no_amount(read: Read, header: str) -> None:
    """“Tax Amount” was what the line came to, since it is called an amount."""
    reading = read(
        f"Invoice No,Date,Customer,Item,Qty,Unit Price,{header},Total\n"
        "1,2025-04-14,A,Dress,1,100.00,20.00,120.00\n1,2025-04-14,A,Bag,2,50.00,20.00,120.00\n"
        "1,2025-04-14,A,Hat,1,10.00,2.00,12.00\n2,2025-04-15,B,Bag,1,50.00,10.00,60.00\n"
    )
    assert _meant(reading, header) in (None, "orders.discount")
    assert reading.totals["orders"]["amount"] == 312


@pytest.mark.parametrize(
    "header",
    ["Total including shipping", "Total taxes comprises", "total_paid_tax_incl",
     "Montant hors taxes", "Total frais de port inclus", "Total après remise", "amount_before_tax"],
)  # fmt: skip
def test_an_amount_with_or_without_tax_is_one(read: Read, header: str) -> None:
    reading = read(f"commande,date,client,{header}\n1,2024-01-02,a,5.50\n2,2024-01-03,b,6.50\n")
    assert _meant(reading, header) == "orders.amount"


def test_a_column_of_refunds_is_still_one(read: Read) -> None:
    reading = read(
        "Order Number,Order Date,Email,Order Shipping Amount,Order Refund Amount,"
        "Order Total Amount,Order Total Tax Amount,Item Name,Quantity,Item Cost\n"
        "101,2025-04-03,a@x.com,5,0,35,0,Soap,2,10\n101,2025-04-03,a@x.com,5,0,35,0,Candle,1,10\n"
        "102,2025-04-14,b@x.com,5,5,25,0,Candle,2,10\n"
    )
    assert _meant(reading, "Order Refund Amount") == "orders.refunded"
    assert _meant(reading, "Order Total Amount") == "orders.amount"
    assert reading.totals["orders"]["amount"] == 55
    assert reading.totals["order_lines"]["amount"] == 50


@pytest.mark.parametrize(
    ("headers", "chosen"),
    [
        (["Total HT", "TVA", "Total TTC"], "Total TTC"),
        (["Montant TVA", "Montant HT", "Montant TTC"], "Montant TTC"),
        (["Montant", "Montant TTC"], "Montant TTC"),
        (["Gross Sales", "Discounts", "Net Sales", "Tax", "Total Collected"], "Total Collected"),
        (["Gross Sales", "Net Sales"], "Net Sales"),
        (["Montant brut", "Montant net", "Net à payer"], "Net à payer"),
        (["total_paid_tax_excl", "total_paid_tax_incl", "total_shipping"], "total_paid_tax_incl"),
        (["Total", "Gross amount"], "Total"),
        (["Order Value", "Sales Tax", "Order Total"], "Order Total"),
    ],
)
def test_of_several_amounts_what_was_paid_is_taken_and_said(
    read: Read, headers: list[str], chosen: str
) -> None:
    """“Total HT” came first in the file, so that all turnover was counted without its tax."""
    cells = ",".join(f"{10 + place}.50" for place in range(len(headers)))
    reading = read(
        f"N° facture,Date,Client,{','.join(headers)}\n1,2025-04-14,A,{cells}\n"
        f"2,2025-04-15,B,{cells}\n"
    )
    assert _meant(reading, chosen) == "orders.amount"
    assert f"Column {chosen} was taken as what was paid, rather than" in told(reading)
    assert "order_lines" not in reading.tables


def test_of_equal_names_the_first_column_is_taken(read: Read) -> None:
    """The eleventh column of a file came before its third."""
    more = ",".join(f"x{n}" for n in range(8))
    reading = read(
        f"Date,Client,Montant,{more},Total\n2025-04-14,A,5.50,{more},7.50\n"
        f"2025-04-15,B,6.50,{more},7.50\n"
    )
    assert _meant(reading, "Montant") == "orders.amount"


def test_an_amount_that_was_said_is_not_questioned(read: Read) -> None:
    text = "Date,Client,Total HT,Total TTC\n2025-04-14,A,5.50,7.50\n2025-04-15,B,6.50,7.50\n"
    reading = read(text, mapping=from_options(["amount=Total HT"]))
    assert "rather than" not in told(reading)
    assert reading.totals["orders"]["amount"] == 12


def test_a_total_of_the_order_that_differs_once_is_still_one(read: Read, rows) -> None:
    lines = "".join(
        f"{n},2025-04-01,c{n},{product},{50 + (n == 7 and product == 'b')}\n"
        for n in range(1, 31) for product in "ab"
    )  # fmt: skip
    found = _amounts(rows, read("order_id,date,customer,product,order_total\n" + lines))
    assert sorted(found.values()) == [50] * 29 + [51]


def test_one_order_of_unlike_prices_tells_its_total(read: Read, rows) -> None:
    """An amount that no line comes to, shipping included, was added up for each line."""
    found = read(
        "commande,date,client,produit,quantité,prix unitaire,montant\n"
        "1,2025-04-13,A,Robe,2,12,35\n1,2025-04-13,A,Sac,1,6,35\n"
    )
    assert _amounts(rows, found) == {"1": 35}
