"""Exports of tills, stays, associations and help desks, each with its real headers."""

from __future__ import annotations

import datetime as dt

from .conftest import Read


def test_sumup_in_french(read: Read, rows) -> None:
    """The price of a line was multiplied by its quantity, and no line had an order."""
    reading = read(
        "Date,Type,Réf. transaction,Moyen de paiement,Quantité,Description,Catégorie,SKU,Devise,"
        "Prix avant réduction,Réduction,Prix (TTC),Prix (HT),TVA,Taux de TVA,Compte\n"
        '7 sept. 2025 20:13,Vente,T1,Visa,2,Pizza,Plats,,EUR,"24,00","0,00","24,00","21,82",'
        '"2,18",10%,a@x.fr\n'
        '7 sept. 2025 20:13,Vente,T1,Visa,1,Eau,Boissons,,EUR,"3,00","0,00","3,00","2,73","0,27",'
        "10%,a@x.fr\n"
        '8 sept. 2025 20:13,Vente,T2,Espèces,1,Pizza,Plats,,EUR,"12,00","2,00","10,00","9,09",'
        '"0,91",10%,a@x.fr\n'
        '8 sept. 2025 20:20,Remboursement,T3,Espèces,1,Pizza,Plats,,EUR,"12,00","2,00","10,00",'
        '"9,09","0,91",10%,a@x.fr\n'
    )
    found = {row["order_id"]: row["amount"] for row in rows(reading, "orders")}
    assert found == {"T1": 27, "T2": 10, "T3": -10}
    assert "customers" not in reading.tables


def test_booking(read: Read, rows) -> None:
    """Who gave no telephone number was nobody."""
    reading = read(
        "Book number,Booked by,Guest name(s),Check-in,Check-out,Booked on,Status,Rooms,People,"
        "Price,Commission %,Commission amount,Booker country,Unit type,Duration (nights),"
        "Phone number\n"
        '41,"Nord, Ola",Ola Nord,2026-02-03,2026-02-05,2026-01-13 10:00:00,ok,1,2,300 EUR,15,'
        "45 EUR,no,Double,2,+47 12345678\n"
        '42,"Doe, Jane",Jane Doe,2026-02-07,2026-02-08,2026-01-14 10:00:00,cancelled_by_guest,1,2,'
        "150 EUR,15,,gb,Double,1,\n"
        '43,"Nord, Ola",Ola Nord,2026-03-03,2026-03-05,2026-02-13 10:00:00,ok,1,2,280 EUR,15,'
        "42 EUR,no,Double,2,\n"
    )
    found = [(row["amount"], row["kind"], row["customer_id"], row["ordered_on"])
             for row in rows(reading, "orders")]  # fmt: skip
    assert sorted(found) == [
        (150, "cancelled", "doe, jane", dt.date(2026, 1, 14)),
        (280, "purchase", "nord, ola", dt.date(2026, 2, 13)),
        (300, "purchase", "nord, ola", dt.date(2026, 1, 13)),
    ]
    assert reading.currency == "EUR"
    reading = read(
        "Book number,Booked by,Guest name(s),Check-in,Check-out,Status,People,Price,"
        'Commission amount\n41,"Nord, Ola",Ola Nord,03/02/2026,25/02/2026,ok,2,300 EUR,45 EUR\n'
    )
    assert [row["ordered_on"] for row in rows(reading, "orders")] == [dt.date(2026, 2, 3)]


def test_helloasso_payments(read: Read, rows) -> None:
    """The payments of one order in several were a contradiction, and quarantined."""
    reading = read(
        "Référence commande;Référence paiement;Montant total;Date du paiement;Statut du paiement;"
        "Versé;Nom payeur;Prénom payeur;Email payeur;Campagne;Type de campagne;Montant du tarif;"
        "Don supplémentaire;Moyen de paiement\n"
        "82;51;45,00;13/04/2026 18:23:13;Payé;Non;Baron;David;d@x.fr;Concert;Billetterie;40,00;"
        "5,00;Carte\n"
        "83;52;10,00;14/04/2026 10:00:00;Remboursé;Oui;Larue;Marion;m@x.fr;A;Don;10,00;;Carte\n"
        "84;53;15,00;15/04/2026 10:00:00;Payé;Oui;Larue;Marion;m@x.fr;A;Adhésion;30,00;;Carte\n"
        "84;54;15,00;15/05/2026 10:00:00;Payé;Oui;Larue;Marion;m@x.fr;A;Adhésion;30,00;;Carte\n"
        "85;55;20,00;16/04/2026 10:00:00;Refusé;Non;Petit;Léa;l@x.fr;A;Adhésion;20,00;;Carte\n"
    )
    found = {row["order_id"]: (row["amount"], row["kind"]) for row in rows(reading, "orders")}
    assert found == {
        "51": (45, "purchase"), "52": (10, "cancelled"), "53": (15, "purchase"),
        "54": (15, "purchase"), "55": (20, "cancelled"),
    }  # fmt: skip


def test_helloasso_tickets(read: Read, rows) -> None:
    """The second ticket of an order was a contradiction of the first."""
    reading = read(
        "Référence commande;Date de la commande;Statut de la commande;Nom participant;"
        "Prénom participant;Nom payeur;Prénom payeur;Email payeur;Raison sociale;"
        "Moyen de paiement;Billet;Numéro de billet;Tarif;Montant tarif;Code Promo\n"
        "17;04/03/2026 14:25;Validé;VIDA;Eva;VIDA;Karl;k@x.fr;;Carte;url;171;Place;85,00;\n"
        "17;04/03/2026 14:25;Validé;VIDA;Karl;VIDA;Karl;k@x.fr;;Carte;url;172;Place;85,00;\n"
        "18;25/03/2026 14:25;Validé;PETIT;Léa;PETIT;Léa;l@x.fr;;Carte;url;181;Réduit;40,00;\n"
    )
    found = {row["order_id"]: (row["amount"], row["customer_id"])
             for row in rows(reading, "orders")}  # fmt: skip
    assert found == {"17": (170, "k@x.fr"), "18": (40, "l@x.fr")}
    assert len(rows(reading, "order_lines")) == 3


def test_zendesk(read: Read, rows) -> None:
    """A ticket had no number, so that the next export counted it again."""
    text = (
        "Summation column,Id,Requester,Requester id,Requester email,Submitter,Assignee,Group,"
        "Subject,Tags,Status,Priority,Via,Ticket type,Created at,Updated at,Organization,Solved at,"
        "Satisfaction Score,First reply time in minutes,"
        "First reply time in minutes within business hours\n"
        "1,501,Ann B,9001,ann@x.fr,Ann B,Max,Support,Late parcel,late,Solved,Normal,Mail,Problem,"
        "2026-01-03 10:00,2026-01-04 12:00,,2026-01-04 12:00,Good,90,30\n"
        "1,502,Bob C,9002,bob@x.fr,Bob C,Max,Support,About tea,tea,Open,Normal,Web,Question,"
        "2026-01-05 10:00,2026-01-05 12:00,,,Offered,,\n"
    )
    reading = read({"january.csv": text, "february.csv": text})
    first, second = rows(reading, "interactions")
    assert (first["interaction_id"], first["customer_id"]) == ("501", "ann@x.fr")
    assert first["first_response_at"] == dt.datetime(2026, 1, 3, 10, 30)
    assert first["resolved_at"] == dt.datetime(2026, 1, 4, 11)
    assert second["first_response_at"] is None
    assert [file.rows_duplicate for file in reading.files] == [0, 2]
