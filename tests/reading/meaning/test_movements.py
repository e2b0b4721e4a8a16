"""Exports that list all that moves: payouts, fees and totals are no sales."""

from __future__ import annotations

import datetime as dt

import pytest

from revoir.reading import mapping
from revoir.reading.movements import kind_of

from .conftest import Read, told

PAYPAL = (
    '"Date","Time","TimeZone","Name","Type","Status","Currency","Gross","Fee","Net",'
    '"From Email Address","To Email Address","Transaction ID","Item Title","Balance"\n'
    "01/03/2026,10:15:00,PST,Ann B,Express Checkout Payment,Completed,EUR,50.00,-1.75,48.25,"
    "ann@x.fr,shop@x.fr,T1,Tea,48.25\n"
    "01/04/2026,10:15:00,PST,Bob C,Website Payment,Refunded,EUR,30.00,-1.17,28.83,"
    "bob@x.fr,shop@x.fr,T2,Cup,77.08\n"
    "01/13/2026,10:15:00,PST,Bob C,Payment Refund,Completed,EUR,-30.00,0.00,-30.00,"
    "shop@x.fr,bob@x.fr,T3,,47.08\n"
    "01/14/2026,10:15:00,PST,,General Withdrawal,Completed,EUR,-20.00,0.00,-20.00,"
    "shop@x.fr,,T4,,27.08\n"
    "01/15/2026,10:15:00,PST,,General Currency Conversion,Completed,EUR,4.50,0.00,4.50,"
    ",shop@x.fr,T5,,31.58\n"
    "01/16/2026,10:15:00,PST,Supplier,General Payment,Completed,EUR,-12.00,0.00,-12.00,"
    "shop@x.fr,sup@x.fr,T6,,19.58\n"
    "01/17/2026,10:15:00,PST,Supplier,Payment Refund,Completed,EUR,2.00,0.00,2.00,"
    "sup@x.fr,shop@x.fr,T7,,21.58\n"
    "01/17/2026,11:15:00,PST,Cid D,Website Payment,Pending,EUR,99.00,-3.00,96.00,"
    "cid@x.fr,shop@x.fr,T8,,21.58\n"
)


def test_paypal_counts_what_customers_paid(read: Read, rows) -> None:
    reading = read(PAYPAL)
    found = {row["order_id"]: row for row in rows(reading, "orders")}
    assert {key: (row["amount"], row["kind"]) for key, row in found.items()} == {
        "T1": (50, "purchase"), "T2": (30, "purchase"), "T3": (-30, "return"),
        "T8": (99, "cancelled"),
    }  # fmt: skip
    assert found["T3"]["customer_id"] == "bob@x.fr"
    assert found["T1"]["ordered_at"] == dt.datetime(2026, 1, 3, 9, 15)
    assert "General Withdrawal (1 row, -20.00)" in told(reading)
    assert "2 rows are what you paid, or were given back, yourself, -10.00" in told(reading)


def test_paypal_in_french(read: Read, rows) -> None:
    reading = read(
        '"Date","Heure","Fuseau horaire","Nom","Type","État","Devise",'
        '"Avant commission","Commission","Net","De l\'adresse email","À l\'adresse email",'
        '"Numéro de transaction","Solde"\n'
        '13/01/2026,10:15:00,CET,Ann B,Paiement Express Checkout,Terminé,EUR,"50,00","-1,75",'
        '"48,25",ann@x.fr,shop@x.fr,T1,"48,25"\n'
        '14/01/2026,10:15:00,CET,Ann B,Remboursement de paiement,Terminé,EUR,"-20,00","0,00",'
        '"-20,00",shop@x.fr,ann@x.fr,T2,"28,25"\n'
        '15/01/2026,10:15:00,CET,,Virement standard,Terminé,EUR,"-20,00","0,00","-20,00",,,T3,'
        '"8,25"\n'
        '16/01/2026,10:15:00,CET,,Suspension de paiement,Terminé,EUR,"-5,00","0,00","-5,00",,,T4,'
        '"3,25"\n'
        '17/01/2026,10:15:00,CET,Bob C,Paiement sur site marchand,En attente,EUR,"9,00","0,00",'
        '"9,00",bob@x.fr,shop@x.fr,T5,"3,25"\n'
    )
    found = [(row["order_id"], row["amount"], row["kind"], row["customer_id"])
             for row in rows(reading, "orders")]  # fmt: skip
    assert sorted(found) == [
        ("T1", 50, "purchase", "ann@x.fr"), ("T2", -20, "return", "ann@x.fr"),
        ("T5", 9, "cancelled", "bob@x.fr"),
    ]  # fmt: skip


def test_stripe_payouts_and_fees_are_no_returns(read: Read) -> None:
    """120 paid and 20 given back came to 1.78: the payout and the fee were returns."""
    reading = read(
        "id,Type,Source,Amount,Fee,Net,Currency,Created (UTC),Available On (UTC),Description\n"
        "txn_1,charge,ch_1,120.00,3.78,116.22,eur,2026-01-01 14:03,2026-01-03 00:00,Course\n"
        "txn_2,refund,re_1,-20.00,0.00,-20.00,eur,2026-01-02 14:03,2026-01-04 00:00,REFUND\n"
        "txn_3,payout,po_1,-96.22,0.00,-96.22,eur,2026-01-05 14:03,2026-01-05 00:00,PAYOUT\n"
        "txn_4,stripe_fee,,-2.00,0.00,-2.00,eur,2026-01-06 14:03,2026-01-06 00:00,Billing\n"
        "txn_5,payment,py_1,60.00,1.00,59.00,eur,2026-01-07 14:03,2026-01-09 00:00,Course\n"
    )
    assert reading.totals["orders"]["amount"] == 160
    assert "payout (1 row, -96.22)" in told(reading)
    assert "1 return, -20.00 in all" in told(reading)


def test_stripe_balance_report(read: Read) -> None:
    reading = read(
        "balance_transaction_id,created,available_on,currency,gross,fee,net,reporting_category,"
        "description\n"
        "txn_1,2026-01-01 14:03:00,2026-01-03 00:00:00,eur,120.00,3.78,116.22,charge,Course\n"
        "txn_2,2026-01-02 14:03:00,2026-01-04 00:00:00,eur,-20.00,0.00,-20.00,refund,REFUND\n"
        "txn_3,2026-01-05 14:03:00,2026-01-05 00:00:00,eur,-96.22,0.00,-96.22,payout,PAYOUT\n"
        "txn_4,2026-01-06 14:03:00,2026-01-06 00:00:00,eur,-50.00,15.00,-65.00,dispute,Lost\n"
    )
    assert reading.totals["orders"]["amount"] == 50
    assert reading.totals["orders"]["orders"] == 3


LIGHTSPEED = (
    "Date,Receipt Number,Line Type,Customer Code,Customer Name,Note,Quantity,Subtotal,Sales Tax,"
    "Discount,Loyalty,Total,Paid,Details,Register,User,Status,Sku\n"
    "2026-01-03 10:00:00,1,Sale,C1,Ann,,3,25.00,5.00,0,0,30.00,30.00,2 X Tea,Main,Bob,CLOSED,\n"
    "2026-01-03 10:00:00,1,Sale Line,,,,2,16.67,3.33,0,0,20.00,,Tea,Main,Bob,CLOSED,T1\n"
    "2026-01-03 10:00:00,1,Sale Line,,,,1,8.33,1.67,0,0,10.00,,Cup,Main,Bob,CLOSED,C1\n"
    "2026-01-03 10:00:00,1,Payment,,,,,,,,,,30.00,Cash,Main,Bob,CLOSED,\n"
    "2026-01-05 12:00:00,2,Sale,C2,Cid,,-1,-8.33,-1.67,0,0,-10.00,-10.00,Cup,Main,Bob,CLOSED,\n"
    "2026-01-05 12:00:00,2,Sale Line,,,,-1,-8.33,-1.67,0,0,-10.00,,Cup,Main,Bob,CLOSED,C1\n"
    "2026-01-06 12:00:00,3,Sale,C1,Ann,,1,8.33,1.67,0,0,10.00,10.00,Gift card,Main,Bob,CLOSED,\n"
)


def test_lightspeed_sales_and_their_lines_count_once(read: Read, rows) -> None:
    """Sales came to twice as much, and each payment was a row without an amount."""
    reading = read(LIGHTSPEED)
    assert reading.files[0].rows_quarantined == 0
    found = {row["order_id"]: (row["amount"], row["customer_id"])
             for row in rows(reading, "orders")}  # fmt: skip
    assert found == {"1": (30, "C1"), "2": (-10, "C2"), "3": (10, "C1")}
    assert sum(row["quantity"] for row in rows(reading, "order_lines")) == 3
    assert "Sale (2 rows, 20.00), Payment (1 row)" in told(reading)


def test_payments_of_invoices_and_quotes_are_no_sales(read: Read) -> None:
    reading = read(
        "Transaction Type,Num,Date,Customer,Amount\nInvoice,1,2026-01-13,Ann,40\n"
        "Payment,,2026-01-20,Ann,40\nEstimate,7,2026-01-21,Ann,500\n"
        "Credit Memo,3,2026-02-14,Ann,-20\nSales Receipt,2,2026-03-15,Cid,30\n"
    )
    assert reading.totals["orders"]["amount"] == 50
    assert "Estimate (1 row, 500.00), Payment (1 row, 40.00)" in told(reading)


def test_words_that_say_nothing_leave_their_rows(read: Read) -> None:
    """One kind of row that is not known is no reason to count quotes as sales."""
    reading = read(
        "Transaction Type,Num,Date,Customer,Amount\nInvoice,1,2026-01-13,Ann,40\n"
        "Estimate,7,2026-01-21,Ann,500\nOddity,8,2026-01-21,Ann,3\n"
    )
    assert reading.totals["orders"]["amount"] == 43


def test_a_type_that_tells_no_movement_leaves_all_rows(read: Read) -> None:
    reading = read(
        "Type;Date;Client;Montant\nVirement;14/04/2025;A;50,00\nCarte;15/04/2025;B;20,00\n"
    )
    assert reading.totals["orders"]["amount"] == 70
    reading = read("Type;Date;Client;Montant\nVirement;14/04/2025;A;50,00\n")
    assert reading.totals["orders"]["amount"] == 50


@pytest.mark.parametrize(
    ("word", "kind"),
    [("reversal of general account hold", "other"), ("payment reversal", "back"),
     ("preapproved payment bill user payment", "paid"), ("bill", "other"), ("refund", "back"),
     ("application fee refund", "other"), ("refund failure", "sold"), ("facture", "sold"),
     ("vente par virement", "sold"),
     ("depot vente", "sold"), ("vente produits frais", "sold"), ("frais de vente", "other"),
     ("stripe fee", "other"), ("bank deposit to pp account", "other"), ("retrait", "other"),
     ("facture fournisseur", "other"), ("payment failure refund", "back"),
     ("facture d avoir", "back"), ("bon de commande", "sold"), ("remboursement", "back"),
     ("solde suspendu pour enquete sur un litige", "other"), ("coupe", None)],
)  # fmt: skip
def test_what_words_mean(word: str, kind: str | None) -> None:
    assert kind_of(word) == kind


def test_the_user_may_count_all_rows(read: Read) -> None:
    text = "Type;Date;Client;Montant\nVente;14/04/2025;A;50,00\nPaiement;15/04/2025;B;20,00\n"
    assert read(text).totals["orders"]["amount"] == 50
    said = mapping.from_options(["Type=ignore"])
    assert read(text, mapping=said).totals["orders"]["amount"] == 70
