"""Credit notes and refunds that a column tells, in words or by a yes."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from revoir.reading import read_tables

from .conftest import Read, told


@pytest.mark.parametrize(
    ("sold", "back"),
    [("Facture", "Avoir"), ("Sale", "Refund"), ("Payment", "Credit note"), ("vente", "RETOUR"),
     ("Vente", "Remboursement"), ("Invoice", "credit-note"), ("Facture", "Note de crédit")],
)  # fmt: skip
def test_a_credit_note_is_taken_off(read: Read, rows, sold: str, back: str) -> None:
    """A credit note of 120.00 was a sale of 120.00, since its amount has no minus."""
    reading = read(
        f"Type;N° pièce;Date;Client;Montant TTC\n{sold};FA001;14/04/2025;Dupont SARL;120,00\n"
        f"{back};AV001;15/04/2025;Dupont SARL;120,00\n{sold};FA002;16/04/2025;Martin;60,00\n"
    )
    found = {row["order_id"]: (row["amount"], row["kind"]) for row in rows(reading, "orders")}
    assert found == {
        "FA001": (120, "purchase"), "AV001": (-120, "return"), "FA002": (60, "purchase"),
    }  # fmt: skip
    assert f"Column Type: 1 row says “{back}”, 120.00 in all" in told(reading)


@pytest.mark.parametrize("header", ["Statut", "Nature", "Event Type"])
def test_any_column_may_tell_it(read: Read, header: str) -> None:
    reading = read(
        f"{header};Date;Client;Montant\nVente;14/04/2025;A;50,00\nRetour;20/04/2025;A;20,00\n"
    )
    assert reading.totals["orders"]["amount"] == 30


def test_what_is_negative_already_stays_so(read: Read) -> None:
    reading = read(
        "Type;N° pièce;Date;Client;Montant TTC\nFacture;1;14/04/2025;A;50,00\n"
        "Avoir;2;20/04/2025;A;-50,00\n"
    )
    assert reading.totals["orders"]["amount"] == 0
    assert "given back" not in told(reading)


def test_lines_of_a_credit_note_are_taken_off(read: Read) -> None:
    reading = read(
        "type,ticket,date,client,produit,quantité,prix unitaire\nVente,1,2025-04-14,A,Robe,2,10\n"
        "Vente,1,2025-04-14,A,Sac,1,5\nRetour,2,2025-04-15,A,Robe,1,10\n"
    )
    totals = reading.totals["order_lines"]
    assert (totals["amount"], totals["quantity"]) == (15, 2)


def test_other_words_are_no_credit_notes(read: Read) -> None:
    reading = read("Type;Date;Client;Montant\nAvoir;14/04/2025;A;50,00\nCoupe;15/04/2025;A;20,00\n")
    assert reading.totals["orders"]["amount"] == 70


@pytest.mark.parametrize(
    ("yes", "no"), [("Oui", "Non"), ("1", "0"), ("true", "false"), ("1.0", "0.0"), ("1,0", "0,0")]
)
@pytest.mark.parametrize("header", ["Remboursé", "refunded"])
def test_a_yes_to_refunded_cancels_the_order(
    read: Read, column, header: str, yes: str, no: str
) -> None:
    """“Remboursé: Oui” was an attribute of the customer, and its order was counted."""
    reading = read(
        f"Date;Client;Montant;{header}\n14/04/2025;A;10,00;{no}\n15/04/2025;B;20,00;{yes}\n"
        f"16/04/2025;A;30,00;{no}\n"
    )
    assert column(reading, "orders", "kind") == ["purchase", "cancelled", "purchase"]
    assert "1 order was cancelled or wholly refunded, 20.00 in all" in told(reading)


@pytest.mark.parametrize("flags", [[0.0, 1.0, None], [0, 1, None], [False, True, None]])
def test_a_yes_to_refunded_may_be_a_number(column, tmp_path, flags: list[object]) -> None:
    """A column with a gap holds 1.0, which was no yes: its order was counted."""
    cells = {"date": ["2025-04-14"] * 3, "client": list("ABC"), "montant": [10.0, 20.0, 30.0]}
    frame = pd.DataFrame({**cells, "remboursé": flags})
    frame.to_parquet(tmp_path / "sales.parquet")
    frame.to_csv(tmp_path / "sales.csv", index=False)
    frame.to_csv(tmp_path / "ventes.csv", index=False, sep=";", decimal=",")
    frame.to_excel(tmp_path / "sales.xlsx", index=False)
    for name in ("sales.parquet", "sales.csv", "ventes.csv", "sales.xlsx"):
        reading = read_tables(tmp_path / name)
        assert column(reading, "orders", "kind") == ["purchase", "cancelled", "purchase"]


def test_a_column_of_refunded_amounts_is_one_of_amounts(read: Read, column) -> None:
    head = "commande;client;date;montant;remboursé\n"
    reading = read(head + "1;a;2024-01-01;50;0\n2;a;2024-01-02;30;0\n")
    assert column(reading, "orders", "refunded") == [Decimal(0), Decimal(0)]
    reading = read(head + "1;a;2024-01-01;50;0\n2;a;2024-01-02;30;12,50\n")
    assert column(reading, "orders", "amount") == [Decimal(50), Decimal("17.5")]
