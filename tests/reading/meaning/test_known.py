"""Exports of shops and contact software, each a small file with its real headers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from .conftest import Read

SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Accepts Marketing,Currency,Subtotal,"
    "Shipping,Taxes,Total,Discount Code,Discount Amount,Created at,Lineitem quantity,"
    "Lineitem name,Lineitem price,Lineitem sku,Billing Name,Billing City,Billing Zip,"
    "Refunded Amount,Source\n"
    "#1001,ann@x.fr,paid,2024-03-01 09:00:00 +0100,fulfilled,yes,EUR,30,5,0,35.00,,0,"
    "2024-03-01 09:00:00 +0100,2,Tea,10.00,T1,Ann B,Tours,'37000,0.00,web\n"
    "#1001,ann@x.fr,,,,,,,,,,,,2024-03-01 09:00:00 +0100,1,Cup,10.00,C1,,,,,\n"
    "#1002,bob@x.fr,refunded,2024-03-02 09:00:00 +0100,,no,EUR,9,0,0,9.00,,0,"
    "2024-03-02 23:30:00 -0500,1,Pot,9.00,P1,Bob C,Nantes,'44000,9.00,web\n"
)


def test_shopify(read: Read, rows) -> None:
    reading = read(SHOPIFY)
    assert reading.files[0].rows_accepted == 3
    assert "Shopify" in reading.files[0].why.text("en")
    first, second = sorted(rows(reading, "orders"), key=lambda row: row["order_id"])
    assert (first["amount"], first["kind"], first["customer_id"]) == (35, "purchase", "ann@x.fr")
    assert second["kind"] == "cancelled"
    assert second["ordered_on"] == dt.date(2024, 3, 3)
    assert len(rows(reading, "order_lines")) == 3
    people = {row["customer_id"]: row for row in rows(reading, "customers")}
    assert (people["ann@x.fr"]["city"], people["ann@x.fr"]["postcode"]) == ("Tours", "37000")
    assert (people["ann@x.fr"]["consent"], people["bob@x.fr"]["consent"]) == (True, False)
    assert reading.currency == "EUR"


def test_woocommerce(read: Read, rows) -> None:
    reading = read(
        "order_id,order_number,order_date,status,customer_id,billing_first_name,billing_last_name,"
        "billing_email,billing_city,order_total,order_currency,refunded_total\n"
        "11,11,2024-03-01 10:00:00,wc-completed,4,Ann,B,ann@x.fr,Tours,35.00,EUR,5.00\n"
        "12,12,2024-03-02 10:00:00,wc-cancelled,5,Bob,C,bob@x.fr,Nantes,9.00,EUR,0.00\n"
    )
    assert "WooCommerce" in reading.files[0].why.text("en")
    found = [(row["amount"], row["kind"], row["customer_id"]) for row in rows(reading, "orders")]
    assert found == [(30, "purchase", "4"), (9, "cancelled", "5")]


def test_prestashop(read: Read, rows) -> None:
    reading = read(
        "ID;Référence;Nouveau client;Livraison;Client;Total;Paiement;État;Date\n"
        "1;XKBKNABJK;1;France;A. Martin;61,80 €;Chèque;Paiement accepté;2024-03-01 10:00:00\n"
        "2;OHSATSERP;0;France;A. Martin;20,00 €;Chèque;Annulé;2024-03-02 10:00:00\n"
    )
    assert "PrestaShop" in reading.files[0].why.text("en")
    found = rows(reading, "orders")
    assert [row["kind"] for row in found] == ["purchase", "cancelled"]
    assert found[0]["amount"] == Decimal("61.8")
    assert {row["customer_id"] for row in found} == {"a. martin"}
    assert reading.currency == "EUR"


def test_stripe(read: Read, rows) -> None:
    reading = read(
        "id,Description,Seller Message,Created date (UTC),Amount,Amount Refunded,Currency,"
        "Converted Amount,Fee,Status,Customer ID,Customer Email,Captured\n"
        'ch_1,Pro,ok,2024-03-01 23:30:00,"1,234.56",0.00,eur,1234.56,3.1,Paid,cus_1,a@x.fr,true\n'
        "ch_2,Pro,no,2024-03-02 10:00:00,20.00,0.00,eur,20.00,0,Failed,cus_2,b@x.fr,false\n"
        "ch_3,Pro,ok,2024-03-03 10:00:00,20.00,5.00,eur,20.00,0,Paid,cus_2,b@x.fr,true\n"
    )
    assert "Stripe" in reading.files[0].why.text("en")
    found = rows(reading, "orders")
    assert [row["kind"] for row in found] == ["purchase", "cancelled", "purchase"]
    assert [row["amount"] for row in found] == [Decimal("1234.56"), 20, 15]
    assert found[0]["ordered_at"] == dt.datetime(2024, 3, 1, 23, 30)
    assert found[0]["ordered_on"] == dt.date(2024, 3, 2)


def test_hubspot(read: Read, rows) -> None:
    reading = read(
        "Record ID,First Name,Last Name,Email,Phone Number,City,Create Date,Lifecycle Stage,"
        "Unsubscribed from all email\n"
        "501,Ann,B,ann@x.fr,+33612345678,Tours,2024-01-05 10:00,Customer,false\n"
        "502,Bob,C,bob@x.fr,,Nantes,2024-01-06 10:00,Lead,true\n"
    )
    assert "HubSpot" in reading.files[0].why.text("en")
    found = rows(reading, "customers")
    assert [row["customer_id"] for row in found] == ["501", "502"]
    assert [row["consent"] for row in found] == [True, False]
    assert [row["lifecycle_stage"] for row in found] == ["Customer", "Lead"]


def test_salesforce(read: Read, rows) -> None:
    reading = read(
        "Id,AccountId,LastName,FirstName,Email,MailingCity,MailingPostalCode,HasOptedOutOfEmail,"
        "CreatedDate\n"
        "003A,001A,B,Ann,ann@x.fr,Tours,37000,0,2024-01-05T10:00:00.000Z\n"
        "003B,001A,C,Bob,bob@x.fr,Nantes,44000,1,2024-01-06T10:00:00.000Z\n"
    )
    assert "Salesforce" in reading.files[0].why.text("en")
    found = rows(reading, "customers")
    assert [row["customer_id"] for row in found] == ["003A", "003B"]
    assert [row["consent"] for row in found] == [True, False]


def test_mailchimp(read: Read, rows) -> None:
    reading = read(
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,LEID,"
        "EUID,TAGS\n"
        "ann@x.fr,Ann,B,4,2024-01-05 10:00:00,10.0.0.1,2024-01-05 10:01:00,1,e1,vip\n"
    )
    assert "Mailchimp" in reading.files[0].why.text("en")
    (person,) = rows(reading, "customers")
    assert (person["customer_id"], person["member_rating"]) == ("ann@x.fr", 4)


def test_brevo(read: Read, rows) -> None:
    reading = read(
        "CONTACT ID;EMAIL;PRENOM;NOM;SMS;EMAIL_BLACKLISTED;ADDED_TIME;MODIFIED_TIME\n"
        "1;ann@x.fr;Ann;B;33612345678;No;05-01-2024 10:00:00;06-01-2024 10:00:00\n"
        "2;bob@x.fr;Bob;C;;Yes;25-01-2024 10:00:00;26-01-2024 10:00:00\n"
    )
    assert "Brevo" in reading.files[0].why.text("en")
    found = rows(reading, "customers")
    assert [row["consent"] for row in found] == [True, False]
    assert found[0]["phone"] == "+33612345678"
    assert found[0]["joined_at"].date() == dt.date(2024, 1, 5)
