"""Turnover that files of sales were once given wrongly, because a column was read as another."""

from __future__ import annotations

import pytest

import revoir

TICKETS = "".join(
    f"{ticket},2025-04-{day:02d},C{day}-{ticket},{ticket}.50\n"
    for day in range(1, 31) for ticket in range(1, 21)
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "revenue", "orders", "customers"),
    [
        pytest.param(
            "N° commande;Date;Email;Produit;Quantité;Total commande\n"
            "1;13/04/2025;a@x.fr;Savon;2;30,00\n1;13/04/2025;a@x.fr;Bougie;1;30,00\n"
            "2;14/04/2025;b@x.fr;Savon;1;12,50\n",
            42.5, 2, 2, id="the total of an order counted once per line",
        ),
        pytest.param(
            "order_id,date,customer,product,quantity,unit_price,order_total\n"
            "1,2025-04-13,a,Soap,2,10.00,35.00\n1,2025-04-13,a,Candle,1,10.00,35.00\n",
            35, 1, 1, id="a total with shipping counted once per line",
        ),
        pytest.param(
            "Facture;Date;Client;Article;Sous-total HT;TVA;Total TTC\n"
            "1;14/04/2025;A;Robe;100,00;20,00;120,00\n1;14/04/2025;A;Chapeau;10,00;2,00;12,00\n",
            132, 1, 1, id="the total of the first line taken for the order's",
        ),
        pytest.param(
            "N° facture;Date;Client;Total HT;TVA;Total TTC\n"
            "F1;14/04/2025;Dupont;100,00;20,00;120,00\nF2;15/04/2025;Martin;50,00;10,00;60,00\n",
            180, 2, 2, id="amounts without their tax",
        ),
        pytest.param(
            f"ticket,date,client,montant\n{TICKETS}",
            30 * (210 + 10), 600, 600, id="tickets of all days merged into the first",
        ),
        pytest.param(
            "Type;N° pièce;Date;Client;Montant\nFacture;F1;14/04/2025;A;120,00\n"
            "Avoir;A1;15/04/2025;A;20,00\nFacture;F2;16/04/2025;B;60,00\n",
            160, 2, 2, id="a credit note counted as a sale",
        ),
        pytest.param(
            "Commande;Date;Client;Statut;Total\n1;14/04/2025;A;Payée;10,00\n"
            "2;15/04/2025;B;En attente de paiement;20,00\n3;16/04/2025;C;Échouée;30,00\n",
            10, 1, 1, id="orders that nobody paid",
        ),
        pytest.param(
            "Commande;Date;Nom;Courriel;Total\n1;14/04/2025;Ana Diaz;;10,00\n"
            "2;15/04/2025;Bob Roy;;20,00\n3;16/04/2025;Ana Diaz;;30,00\n",
            60, 3, 2, id="nobody, as a column of addresses was empty",
        ),
        pytest.param(
            "Date;Client;Qté;Prix\n14/04/2025;A;3;10,00\n15/04/2025;B;2;5,00\n",
            40, 2, 2, id="a price not multiplied",
        ),
        pytest.param(
            "Commande;Date;Client;Produit;Qté;Prix unitaire;Remise %\n"
            "1;14/04/2025;A;Robe;1;100,00;20%\n2;15/04/2025;B;Sac;2;50,00;0%\n",
            180, 2, 2, id="a discount not taken off",
        ),
    ],
)  # fmt: skip
def test_turnover_is_what_was_paid(tmp_path, text, revenue, orders, customers):
    """Turnover, orders and customers of a file were other than those that it tells."""
    path = tmp_path / "sales.csv"
    path.write_text(text, encoding="utf-8")
    held = revoir.read(path)
    found = [
        revoir.measure(held, name).figures[0].value for name in ("revenue", "orders", "customers")
    ]
    assert found == [pytest.approx(revenue), orders, customers]
