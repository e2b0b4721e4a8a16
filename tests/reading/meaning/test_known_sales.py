"""Exports of shops, tills and forms whose headers mislead: what counts is what was paid."""

from __future__ import annotations

import pytest

from .conftest import Read, told


def test_amazon_price_is_that_of_the_line(read: Read, rows) -> None:
    reading = read(
        "order-id,order-item-id,purchase-date,buyer-email,sku,product-name,quantity-purchased,"
        "currency,item-price,item-tax,shipping-price\n"
        "402-1,51,2025-01-03T09:12:05+00:00,a@x.fr,S0,Tea,3,EUR,30.00,5.00,3.99\n"
        "402-1,52,2025-01-03T09:12:05+00:00,a@x.fr,S1,Cup,1,EUR,8.00,1.33,3.99\n"
    )
    assert [row["amount"] for row in rows(reading, "orders")] == [38]


def test_sumup_price_is_that_of_the_line(read: Read, rows) -> None:
    reading = read(
        "Account,Date,Time,Type,Transaction ID,Receipt Number,Payment Method,Quantity,Description,"
        "Currency,Price (Gross),Price (Net),Tax,Tax rate,Transaction refunded\n"
        "m@x.fr,15.03.23,11:53,Sales,TD1,S1,Cash,2,Kaffee,CHF,7.00,7.00,0.00,0%,\n"
        "m@x.fr,16.03.23,11:53,Sales,TD2,S2,Cash,1,Tee,CHF,3.00,3.00,0.00,0%,\n"
    )
    assert [row["amount"] for row in rows(reading, "orders")] == [7, 3]


def test_magento_group_is_no_customer(read: Read, rows) -> None:
    reading = read(
        'ID,"Purchase Point","Purchase Date","Bill-to Name","Grand Total (Base)",'
        '"Grand Total (Purchased)",Status,"Customer Email","Customer Group",Subtotal,'
        '"Customer Name","Total Refunded"\n'
        '1,Main,"Jan 3, 2025 9:12:05 AM",A B,29.0000,29.0000,complete,a@x.fr,General,20,A B,0\n'
        '2,Main,"Jan 4, 2025 9:12:05 AM",C D,35.0000,35.0000,complete,c@x.fr,General,25,C D,0\n'
    )
    assert {row["customer_id"] for row in rows(reading, "orders")} == {"a@x.fr", "c@x.fr"}


def test_bigcommerce_gift_certificate_is_no_total(read: Read, rows) -> None:
    reading = read(
        "Order ID,Customer ID,Order Date,Subtotal (inc tax),Tax Total,"
        "Gift Certificate Amount Redeemed,Refund Amount,Order Total (inc tax),"
        "Order Total (ex tax),Order Status\n"
        "100,1,25/01/2025,24.00,4.00,0.00,0.00,30.00,25.00,Completed\n"
    )
    assert [row["amount"] for row in rows(reading, "orders")] == [30]


def test_ebay_days_are_read(read: Read, rows) -> None:
    reading = read(
        "Sales Record Number,Order Number,Buyer Username,Buyer Name,Item Title,Quantity,Sold For,"
        "Total Price,Sale Date\n101,12-1,u1,A B,Lamp,1,$45.99,$57.99,Jul-21-25\n"
    )
    assert [str(row["ordered_on"]) for row in rows(reading, "orders")] == ["2025-07-21"]


def test_odoo_quotation_is_no_order(read: Read, rows) -> None:
    reading = read(
        "Order Reference,Order Date,Customer,Total,Status\n"
        "S1,2025-01-03 09:12:05,A B,100.00,Sales Order\n"
        "S2,2025-01-04 09:12:05,C D,200.00,Quotation Sent\n"
    )
    assert [row["kind"] for row in rows(reading, "orders")] == ["purchase", "cancelled"]


def test_shopify_customers_are_no_survey(read: Read, rows) -> None:
    reading = read(
        "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address City,"
        "Total Spent,Total Orders,Note,Tags\n'721,Ann,B,a@x.fr,yes,Tours,120.50,3,,vip\n"
    )
    assert "responses" not in reading.tables
    assert rows(reading, "customers")[0]["city"] == "Tours"


def test_stripe_customers_are_no_orders(read: Read) -> None:
    reading = read(
        "id,Description,Email,Name,Created (UTC),Delinquent,Currency,Total Spend,Payment Count,"
        "Average Order\ncus_1,,a@x.fr,A B,2025-01-03 09:12,false,eur,120.00,3,40.00\n"
    )
    assert set(reading.tables) == {"customers"}


def test_form_asks_nps_in_a_sentence(read: Read, rows) -> None:
    reading = read(
        "Horodateur;Adresse e-mail;Quelle est la probabilité que vous nous recommandiez ?\n"
        + "".join(f"{d}/01/2025 10:00:00;p{d}@x.fr;{d % 11}\n" for d in range(13, 29))
    )
    assert {row["question"] for row in rows(reading, "responses")} == {"nps"}


def test_squarespace_tells_an_order_on_its_first_row(read: Read, rows) -> None:
    reading = read(
        "Order ID,Email,Financial Status,Paid at,Currency,Subtotal,Shipping,Taxes,Amount Refunded,"
        "Total,Discount Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,"
        "Lineitem sku,Billing Name\n"
        "1,a@x.fr,PAID,2025-01-03 09:12:05 +0100,EUR,30.00,5.00,0.00,0.00,35.00,0.00,"
        "2025-01-03 09:12:05 +0100,2,Tea,10.00,T1,A B\n"
        "1,,,,,,,,,,,,1,Cup,10.00,C1,\n"
    )
    [order] = rows(reading, "orders")
    assert (order["amount"], order["customer_id"]) == (35, "a@x.fr")
    assert sum(row["quantity"] for row in rows(reading, "order_lines")) == 3


def test_etsy_orders_count_by_their_total(read: Read, rows) -> None:
    reading = read(
        "Sale Date,Order ID,Buyer User ID,Full Name,First Name,Last Name,Number of Items,"
        "Date Shipped,Street 1,Street 2,Ship City,Ship State,Ship Zipcode,Ship Country,Currency,"
        "Order Value,Discount Amount,Shipping,Sales Tax,Order Total,Status,Card Processing Fees,"
        "Order Net,Buyer,SKU\n"
        "03/20/25,311,u1,A B,A,B,1,03/22/25,1 rue,,Tours,,37000,France,EUR,20.00,0.00,5.00,0.00,"
        "25.00,Shipped,1.30,23.70,A B (u1),R1\n"
        "03/21/25,312,u2,C D,C,D,2,03/22/25,2 rue,,Nantes,,44000,France,EUR,40.00,4.00,5.00,0.00,"
        "41.00,Shipped,1.80,39.20,C D (u2),R2\n"
    )
    found = {row["customer_id"]: row for row in rows(reading, "orders")}
    assert {key: row["amount"] for key, row in found.items()} == {"u1": 25, "u2": 41}
    assert str(found["u1"]["ordered_on"]) == "2025-03-20"


def test_woocommerce_advanced_export_counts_each_order_once(read: Read, rows) -> None:
    reading = read(
        "Order Number,Order Status,Order Date,Customer Note,First Name (Billing),"
        "Last Name (Billing),Email (Billing),Cart Discount Amount,Order Subtotal Amount,"
        "Order Shipping Amount,Order Refund Amount,Order Total Amount,Order Total Tax Amount,SKU,"
        "Item #,Item Name,Quantity (- Refund),Item Cost\n"
        "10,Completed,2025-01-03 09:12,,A,B,a@x.fr,0,20,5,0,30,5,S1,1,Tea,2,5\n"
        "10,Completed,2025-01-03 09:12,,A,B,a@x.fr,0,20,5,0,30,5,S2,2,Cup,1,10\n"
        "11,Completed,2025-01-04 09:12,,C,D,c@x.fr,0,10,5,0,18,3,S1,1,Tea,2,5\n"
    )
    assert {row["order_id"]: row["amount"] for row in rows(reading, "orders")} == {
        "10": 30,
        "11": 18,
    }


ETSY = (
    "Sale Date,Order ID,Buyer User ID,Full Name,Currency,Order Value,Discount Amount,Shipping,"
    "Sales Tax,Order Total,Status,Card Processing Fees,Order Net,Adjusted Order Total,"
    "Adjusted Card Processing Fees,Adjusted Net Order Amount,Buyer\n"
    "03/20/25,311,u1,A B,EUR,20.00,0,5.00,0.00,25.00,Shipped,1.30,23.70,{0},{0},{0},A B\n"
    "03/21/25,312,u2,C D,EUR,40.00,4,5.00,0.00,41.00,Shipped,1.80,39.20,31.00,1.4,29.6,C D\n"
    "03/22/25,313,u3,E F,EUR,12.00,0,3.00,0.00,15.00,{1},0.90,14.10,0.00,0.00,0.00,E F\n"
)


@pytest.mark.parametrize(("nothing", "status"), [("", "Shipped"), ("0.00", "Fully Refunded")])
def test_etsy_refunds_are_taken_off(read: Read, rows, nothing: str, status: str) -> None:
    """An order that nothing happened to has nothing, or 0, for its adjusted total."""
    reading = read(ETSY.format(nothing, status))
    found = {row["order_id"]: (row["amount"], row["kind"]) for row in rows(reading, "orders")}
    assert found == {"311": (25, "purchase"), "312": (31, "purchase"), "313": (15, "cancelled")}
    assert ("0 is read as that nothing was given back" in told(reading)) == bool(nothing)


def test_etsy_payments_count_what_buyers_paid(read: Read, rows) -> None:
    """What was left after fees was counted, and a refund with its taxes was a debt."""
    reading = read(
        "Payment ID,Buyer Username,Buyer Name,Order ID,Gross Amount,Fees,Net Amount,Posted Gross,"
        "Posted Fees,Posted Net,Adjusted Gross,Adjusted Fees,Adjusted Net,Currency,Listing Amount,"
        "Listing Currency,VAT Amount,Status,Order Date,Buyer,Refund Amount\n"
        "9,u1,A B,311,25.00,1.30,23.70,25.00,1.30,23.70,0,0,0,EUR,25,EUR,0,SETTLED,03/20/25,A,0\n"
        "8,u2,C D,312,41.00,1.80,39.20,41.00,1.8,39.2,31,1,30,EUR,41,EUR,0,SETTLED,03/21/25,C,10\n"
        "7,u3,E F,313,15.00,0.90,14.10,15.00,0.9,14.1,0,0,0,EUR,17,EUR,0,SETTLED,03/22/25,E,17\n"
    )
    found = {row["order_id"]: (row["amount"], row["kind"]) for row in rows(reading, "orders")}
    assert found == {"311": (25, "purchase"), "312": (31, "purchase"), "313": (15, "cancelled")}


def test_amazon_orders_without_a_price_are_not_paid(read: Read, rows) -> None:
    """Cancelled orders and those that wait for payment have no price: they were quarantined."""
    head = (
        "amazon-order-id,purchase-date,order-status,product-name,sku,quantity,currency,item-price"
    )
    reading = read(
        f"{head}\n402-1,2026-01-03T09:12:05+00:00,Shipped,Tea,T1,2,EUR,20.00\n"
        "402-2,2026-01-04T09:12:05+00:00,Cancelled,Cup,C1,0,,\n"
        "402-3,2026-01-05T09:12:05+00:00,Pending,Cup,C1,1,,\n"
        "402-4,2026-01-06T09:12:05+00:00,Shipped,Cup,C1,1,EUR,\n"
        "402-5,2026-01-06T09:12:05+00:00,Cancelled,Cup,C1,1,EUR,oops\n"
    )
    found = {row["order_id"]: (row["amount"], row["kind"]) for row in rows(reading, "orders")}
    assert found == {
        "402-1": (20, "purchase"),
        "402-2": (0, "cancelled"),
        "402-3": (0, "cancelled"),
    }
    assert [row.line for row in reading.files[0].quarantine] == [5, 6]
    assert "2 orders were cancelled or wholly refunded, 0.00 in all" in told(reading)


def test_what_was_cancelled_needs_no_price(read: Read, column) -> None:
    reading = read(
        "commande;date;client;statut;produit;quantité;prix unitaire\n1;2026-01-03;A;payée;Thé;2;5\n"
        "2;2026-01-04;B;annulée;Thé;;\n"
    )
    assert column(reading, "orders", "kind") == ["purchase", "cancelled"]
    assert reading.totals["orders"]["amount"] == 10
