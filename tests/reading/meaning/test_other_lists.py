"""Lists of other things than orders, that look like them, and orders that look like other lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from revoir.errors import InputError
from revoir.reading import read_tables

from .conftest import Read, told


def test_customers_with_their_count_of_orders_are_no_orders(read: Read) -> None:
    """A list of customers was read as orders of the day each was registered."""
    reading = read(
        "Name,Username,Last Active,Date Registered,Email,Orders,Total Spend,AOV,City\n"
        "Ann Bee,ann,2025-04-01 10:00:00,2024-04-13 10:00:00,Ann@X.com,3,120.50,40.17,Boston\n"
        "Bob Cee,bob,2025-04-02 10:00:00,2024-04-14 10:00:00,bob@x.com,1,20.00,20.00,Boston\n"
    )
    assert list(reading.tables) == ["customers"]
    assert "joined_at" in reading.tables["customers"].columns


@pytest.mark.parametrize("count", ["Nb commandes", "Transaction Count", "Nombre d'achats"])
def test_a_customer_s_turnover_is_no_order(read: Read, count: str) -> None:
    reading = read(
        f"Nom;Email;Date;{count};CA total\nMartin;a@x.fr;14/04/2024;3;120\n"
        "Roy;b@x.fr;15/05/2024;1;20\n"
    )
    assert list(reading.tables) == ["customers"]


def test_a_number_called_orders_is_no_count(read: Read) -> None:
    reading = read("Commandes;Date;Client;Montant\n101;14/04/2025;A;10,50\n102;15/04/2025;B;20\n")
    assert list(reading.tables) == ["orders"]


def test_the_french_analytics_of_a_shop_are_orders(read: Read) -> None:
    """“Type de client” made contacts with customer service of all orders."""
    reading = read(
        'Date,"Commande n°","Revenu N. (formaté)",État,Client,"Type de client",Produit(s),'
        '"Articles vendus","Revenu N."\n'
        '"2025-04-03 10:00:00",101,"30,00€",completed,"Ann Bee",new,"2× Savon",2,30\n'
        '"2025-04-14 10:00:00",102,"30,00€",processing,"Ann Bee",returning,"2× Savon",2,30\n'
    )
    assert reading.totals["orders"]["amount"] == 60
    assert reading.totals["orders"]["orders"] == 2


def test_dates_and_money_that_nothing_names_are_refused(read: Read) -> None:
    """Four sales became two customers, and their amounts attributes that nobody looked at."""
    with pytest.raises(InputError, match="--map amount"):
        read(
            "Date;Client;Vente;Retour\n14/04/2025;A;10,00;\n15/04/2025;B;20,00;\n"
            "16/04/2025;A;;10,00\n17/04/2025;A;30,00;\n"
        )


def test_money_beside_a_type_is_no_contact(read: Read) -> None:
    """“Type” alone made contacts with customer service, and their money an attribute."""
    with pytest.raises(InputError, match="--map amount"):
        read("Date;Client;Type;Vente\n14/04/2025;A;Robe;10,50\n15/04/2025;B;Sac;20,00\n")


def test_a_list_of_customers_with_their_income_is_one(read: Read) -> None:
    reading = read(
        "Nom;Prénom;Email;Date de contact;Revenus\nMartin;Léa;a@x.fr;14/04/2024;1200\n"
        "Roy;Paul;b@x.fr;15/05/2024;2000\n"
    )
    assert list(reading.tables) == ["customers"]


def test_a_list_of_customers_with_money_of_theirs_is_one(read: Read) -> None:
    reading = read(
        "Nom;Email;Date de création;Dernière visite;Panier moyen;Encours\n"
        "Martin;a@x.fr;14/04/2024;14/05/2024;12,50;0,50\nRoy;b@x.fr;15/05/2024;16/05/2024;20,00;1,0\n"
    )
    assert list(reading.tables) == ["customers"]


def test_a_sheet_that_sums_another_up_is_told(tmp_path: Path) -> None:
    """A sheet “Récap” with the turnover of each day doubled all revenue, without a word."""
    import datetime as dt

    from openpyxl import Workbook

    book = Workbook()
    sales = book.active
    sales.title = "Ventes"
    days = [dt.datetime(2025, 4, 14), dt.datetime(2025, 4, 15)]
    for row in (["Date", "Client", "Montant"], [days[0], "A", 10], [days[0], "B", 20],
                [days[1], "A", 30]):  # fmt: skip
        sales.append(row)
    recap = book.create_sheet("Récap")
    for row in (["Jour", "CA"], [days[0], 30], [days[1], 30]):
        recap.append(row)
    path = tmp_path / "ventes.xlsx"
    book.save(path)
    assert (
        "ventes.xlsx (Ventes) and ventes.xlsx (Récap) have the same turnover on each of 2 days"
        in told(read_tables(path))
    )


def test_files_with_other_sums_are_not_told(read: Read) -> None:
    head = "client;date;montant\n"
    reading = read({
        "a.csv": head + "A;2024-01-01;5\nB;2024-01-02;6\n",
        "b.csv": head + "A;2024-01-01;6\nB;2024-01-02;5\n",
    })  # fmt: skip
    assert "same turnover" not in told(reading)


def test_age_bands_are_no_ages(read, column) -> None:
    """A lake keeps ages as whole numbers: nothing of a file with bands could be brought in."""
    head = "client;nom;email;age\n"
    bands = read(head + "1;Petit;a@b.fr;25-34\n2;Roux;c@d.fr;65+\n3;Blanc;e@f.fr;\n")
    assert column(bands, "customers", "age_band") == ["25-34", "65+", None]
    years = read(head + "1;Petit;a@b.fr;34\n2;Roux;c@d.fr;65\n")
    assert column(years, "customers", "age") == [34, 65]
    both = read(
        "client;nom;email;age;tranche d'âge\n1;Petit;a@b.fr;34;25-34\n2;Roux;c@d.fr;65;65+\n"
    )
    assert column(both, "customers", "age") == [34, 65]
    assert column(both, "customers", "age_band") == ["25-34", "65+"]


def test_a_day_of_birth_gives_the_age_band(read, column) -> None:
    """As of the last day of the data: Roux turns 25 on it, Blanc a day later."""
    people = (
        "client;nom;date_naissance\nA;Petit;1950-02-01\nB;Roux;1999-06-30\n"
        "C;Blanc;1999-07-01\nD;Gris;\nE;Noir;2015-01-01\n"
    )
    sales = "client;date;montant\nA;2024-01-05;10\nB;2024-06-30;12\n"
    reading = read({"clients.csv": people, "ventes.csv": sales})
    numbers, bands = (column(reading, "customers", name) for name in ("customer_id", "age_band"))
    assert dict(zip(numbers, bands, strict=True)) == {
        "A": "65+", "B": "25-34", "C": "18-24", "D": None, "E": "0-17",
    }  # fmt: skip


def test_an_age_band_of_the_file_is_kept_as_it_is(read, column) -> None:
    head = "client;nom;date_naissance;tranche d'âge\n"
    reading = read(head + "A;Petit;1950-02-01;60 et plus\nB;Roux;1999-06-30;jeune\n")
    assert sorted(column(reading, "customers", "age_band")) == ["60 et plus", "jeune"]


def test_figures_are_broken_down_by_the_age_band(tmp_path, command) -> None:
    """`--by age_band` was refused for a file with `date_naissance`."""
    (tmp_path / "clients.csv").write_text(
        "client;nom;date_naissance\nA;Petit;1950-02-01\nB;Roux;1999-06-30\n"
    )
    (tmp_path / "ventes.csv").write_text(
        "client;date;montant\nA;2024-01-05;10\nB;2024-06-30;12\nB;2024-05-30;12\n"
    )
    told = command("metric", "revenue", tmp_path, "--by", "age_band", "--format", "csv")
    assert "25-34" in told.stdout
    assert "65+" in told.stdout
    told = command("metric", "revenue", tmp_path, "--where", "age_band = '65+'", "--format", "csv")
    assert "10" in told.stdout
