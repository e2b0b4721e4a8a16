"""Who a row speaks of: addresses, telephones, names and what means nobody."""

from __future__ import annotations

import unicodedata

import pytest

from .conftest import Read, told


def _clients(*rows: str) -> str:
    return "id client;nom;e-mail;téléphone;code postal;newsletter\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (" Jean.Petit@Example.FR ", "jean.petit@example.fr"),
        ("a\u200bb@example.fr", "ab@example.fr"),
        ("élodie@été.fr", "élodie@été.fr"),
        ("mıke@example.fr", "mıke@example.fr"),
        ("o'brien@example.ie", "o'brien@example.ie"),
        ("<b@example.fr>", "b@example.fr"),
        ("", None), ("N/A", None), ("néant", None), ("-", None), ("null", None),
    ],
)  # fmt: skip
def test_an_address(read: Read, column, written: str, address: str | None) -> None:
    reading = read(_clients(f"1;Petit;{written};;37000;", "2;Roy;roy@example.fr;;37000;"))
    assert column(reading, "customers", "email")[0] == address


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("a@example.fr, b@example.fr", "Two addresses stand in one cell."),
        ("a" * 320 + "@example.fr", "longer than the 320 characters"),
        ("jean.example.fr", "This is no e-mail address."),
    ],
)
def test_what_is_no_address_goes_to_quarantine(read: Read, written: str, reason: str) -> None:
    reading = read(_clients(f"1;Petit;{written};;37000;", "2;Roy;roy@example.fr;;37000;"))
    (row,) = reading.files[0].quarantine
    assert (row.line, row.column, row.value) == (2, "e-mail", written)
    assert reason in row.reason.text("en")


@pytest.mark.parametrize(
    "name",
    [
        "O'Brien",
        "Null",
        "Zoé 🎉",
        "👩‍👩‍👧",
        "محمد",
        "Nguyễn",
        "N'Diaye",
        "<script>",
        "{{7*7}}",
        "../etc",
    ],
)
def test_a_name_survives(read: Read, column, name: str) -> None:
    reading = read(_clients(f"1;{name};a@example.fr;;37000;", "2;Roy;b@example.fr;;37000;"))
    assert column(reading, "customers", "last_name")[0] == name


def test_two_spellings_of_an_accent_are_one(read: Read, rows) -> None:
    composed, split = (unicodedata.normalize(form, "élodie@été.fr") for form in ("NFC", "NFD"))
    orders = f"email;date;montant\n{composed};2024-01-01;5\n{split};2024-01-02;6\n"
    reading = read(orders)
    assert {row["customer_id"] for row in rows(reading, "orders")} == {composed}
    assert "told apart by their e-mail address" in told(reading)


def test_people_are_one_by_case_and_space_and_two_by_a_dotless_i(read: Read, rows) -> None:
    text = (
        "e-mail;date;montant\nMike@x.fr;2024-01-01;5\n mike@X.fr ;2024-01-02;6\n"
        "mıke@x.fr;2024-01-03;7\n"
    )
    assert {row["customer_id"] for row in rows(read(text), "orders")} == {"mike@x.fr", "mıke@x.fr"}


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("06 12 34 56 78", "+33612345678"), ("06.12.34.56.78", "+33612345678"),
        ("+33 6 12 34 56 78", "+33612345678"), ("+33 (0)6 12 34 56 78", "+33612345678"),
        ("0033612345678", "+33612345678"), ("612345678", "+33612345678"),
        ("+44 20 7946 0958", "+442079460958"), ("", None),
    ],
)  # fmt: skip
def test_a_telephone(read: Read, column, written: str, number: str | None) -> None:
    reading = read(_clients(f"1;Petit;a@x.fr;{written};37000;", "2;Roy;b@x.fr;0711223344;37000;"))
    assert column(reading, "customers", "phone")[0] == number


def test_a_telephone_that_lost_its_digits_is_named(read: Read, column) -> None:
    reading = read(_clients("1;Petit;a@x.fr;3.06E+09;37000;", "2;Roy;b@x.fr;0711223344;37000;"))
    assert column(reading, "customers", "phone")[0] is None
    assert "Line 2, column téléphone: “3.06E+09” has lost digits" in told(reading)


def test_a_french_postcode_gets_its_zero_back(read: Read, column) -> None:
    reading = read(_clients("1;Petit;a@x.fr;;1000;", "2;Roy;b@x.fr;;37000;"))
    assert column(reading, "customers", "postcode") == ["01000", "37000"]


@pytest.mark.parametrize(
    ("written", "agreed"), [("oui", True), ("X", True), ("", None), ("non", False), ("1", True)]
)
def test_consent(read: Read, column, written: str, agreed: bool | None) -> None:
    reading = read(_clients(f"1;Petit;a@x.fr;;37000;{written}", "2;Roy;b@x.fr;;37000;oui"))
    assert column(reading, "customers", "consent")[0] is agreed


def test_who_opted_out_stays_out_when_imported_again(read: Read, column) -> None:
    first = _clients("1;Petit;a@x.fr;;37000;non", "2;Roy;b@x.fr;;37000;oui")
    again = _clients("1;Petit;a@x.fr;;37000;oui", "2;Roy;b@x.fr;;37000;oui")
    reading = read({"a.csv": first, "b.csv": again})
    assert sorted(column(reading, "customers", "consent")) == [False, True]


def test_a_repeated_customer_is_a_duplicate_and_what_it_adds_is_kept(read: Read, rows) -> None:
    reading = read(
        _clients("1;Petit;a@x.fr;;;oui", "1;Petit;a@x.fr;0612345678;37000;", "2;Roy;;;;")
    )
    assert reading.files[0].rows_duplicate == 1
    first = next(row for row in rows(reading, "customers") if row["customer_id"] == "1")
    assert first["phone"] == "+33612345678"


def test_orders_of_an_unknown_customer_are_accepted_and_said(read: Read) -> None:
    reading = read({
        "clients.csv": _clients("1;Petit;a@x.fr;;37000;", "2;Roy;b@x.fr;;37000;"),
        "commandes.csv": "commande;client;date;montant\n1;1;2024-01-01;5\n2;9;2024-01-02;6\n",
    })  # fmt: skip
    assert reading.files[1].rows_accepted == 2
    assert "1 customer of the orders (1 rows) is not in the file of customers" in told(reading)


def test_sales_known_by_address_find_the_number_of_their_customer(read: Read, rows) -> None:
    reading = read({
        "clients.csv": _clients("7;Petit;a@x.fr;;37000;", "8;Roy;b@x.fr;;44000;"),
        "ventes.csv": "ticket;mail;date;montant\n1;A@x.fr;2024-01-01;5\n2;z@x.fr;2024-01-02;6\n",
    })  # fmt: skip
    assert [row["customer_id"] for row in rows(reading, "orders")] == ["7", "z@x.fr"]
    found = {row["customer_id"]: row for row in rows(reading, "customers")}
    assert set(found) == {"7", "8", "z@x.fr"}
    assert found["7"]["last_name"] == "Petit"
    assert "were given their customer number" in told(reading)


def test_a_long_name_of_a_company_may_number_a_customer(read: Read, column) -> None:
    long = "Société coopérative agricole et viticole des producteurs réunis du Haut-Languedoc "
    reading = read(
        "client;date;montant\n" + "".join(f"{long}{n % 3};0{n}/01/2024;{n},50\n" for n in (1, 2, 3))
    )
    assert len(set(column(reading, "orders", "customer_id"))) == 3
