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
    assert "1 customer of the orders (1 row) is not in the file of customers" in told(reading)


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


_GUESTS = (
    "order_id,order_date,status,customer_id,billing_email,order_total\n"
    "11,2025-04-03,completed,0,a@x.fr,30.00\n12,2025-04-04,completed,0,b@x.fr,20.00\n"
    "13,2025-04-05,completed,7,c@x.fr,20.00\n14,2025-04-06,completed,0,c@x.fr,10.00\n"
    "15,2025-04-07,completed,,a@x.fr,10.00\n16,2025-04-07,completed,0,,10.00\n"
)


def test_guests_with_the_number_0_go_by_their_address(read: Read, column) -> None:
    """All guests of a shop were one customer “0”, its best one."""
    reading = read(_GUESTS)
    who = ["a@x.fr", "b@x.fr", "7", "7", "a@x.fr", None]
    assert column(reading, "orders", "customer_id") == who
    assert sorted(column(reading, "customers", "customer_id")) == ["7", "a@x.fr", "b@x.fr"]
    assert "0 is no customer, but stands for buyers without an account: 3 rows" in told(reading)


def test_guests_find_their_number_in_a_file_of_customers(read: Read, column) -> None:
    reading = read({"orders.csv": _GUESTS, "clients.csv": _clients("3;Petit;b@x.fr;;37000;")})
    assert column(reading, "orders", "customer_id")[:3] == ["a@x.fr", "3", "7"]


def test_a_number_0_without_an_address_is_nobody_where_it_comes_most(read: Read, column) -> None:
    """A till's sales without a card were one customer “0”."""
    text = "ticket;client;date;montant\n"
    for n, who in enumerate((0, 0, 0, 4, 4, 5), 1):
        text += f"{n};{who};0{n}/01/2024;{n},50\n"
    reading = read(text)
    assert column(reading, "orders", "customer_id") == [None, None, None, "4", "4", "5"]
    assert "0 is no customer, but stands for sales without one: 3 rows" in told(reading)


def test_a_customer_number_0_among_others_stays_one(read: Read, column) -> None:
    rows = "".join(f"{n};{n // 2};0{n + 1}/01/2024;5,50\n" for n in range(6))
    reading = read("ticket;client;date;montant\n" + rows)
    assert column(reading, "orders", "customer_id")[:2] == ["0", "0"]
    assert "0 is read as a customer like any other (2 rows)" in told(reading)


@pytest.mark.parametrize(
    "word", ["Client comptoir", "COMPTOIR", "client de passage", "Divers", "Walk-in", "Invité"]
)
@pytest.mark.parametrize("header", ["Client", "Nom"])
def test_a_customer_of_the_counter_is_nobody(read: Read, column, word: str, header: str) -> None:
    """“Client comptoir” was the most loyal customer of a shop."""
    text = f"Ticket;Date;{header};Total\n1;02/04/2025;{word};1,50\n2;13/04/2025;Rose Petit;2,50\n"
    reading = read(text + f"3;14/04/2025;{word};3,50\n")
    first, second, third = column(reading, "orders", "customer_id")
    assert (first, third) == (None, None)
    assert second is not None
    assert "2 orders have no customer" in told(reading)


def test_who_was_taken_for_nobody_is_said(read: Read) -> None:
    text = "Ticket;Date;Client;Total\n1;02/04/2025;Client comptoir;1,50\n2;03/04/2025;C1;2,50\n"
    assert "Column Client: “Client comptoir” names nobody: 1 row" in told(read(text))


def test_who_is_known_otherwise_is_not_said_to_be_nobody(read: Read, column) -> None:
    """Guests with an address, and towns and companies called as nobody is, were said to be none."""
    head = "Ticket;Date;Client;E-mail;Total\n"
    reading = read(head + "1;02/04/2025;guest;a@x.fr;1,50\n2;03/04/2025;guest;;2,50\n")
    assert column(reading, "orders", "customer_id") == ["a@x.fr", None]
    assert "“guest” names nobody: 1 row" in told(reading)
    reading = read("Ticket;Date;Prénom;Nom;Ville;Total\n1;02/04/2025;Jean;Divers;Passage;1,50\n")
    assert column(reading, "orders", "customer_id") == ["jean divers"]
    assert "names nobody" not in told(reading)
    reading = read("Ticket;Date;Prénom;Nom;Total\n1;02/04/2025;Client;Comptoir;1,50\n")
    assert "Column Nom: “Client Comptoir” names nobody: 1 row" in told(reading)


@pytest.mark.parametrize(
    ("header", "customer"), [("client", ""), ("client", "anonyme"), ("e-mail", ""), ("Nom", "n/a")]
)
@pytest.mark.parametrize(
    "text", ["date;{};score\n03/02/2024;{};9\n", "opened_at;{};motif\n03/02/2024;{};plainte\n",
             "date;{};montant\n03/02/2024;{};9,50\n"]
)  # fmt: skip
def test_a_file_that_names_nobody_says_so(
    read: Read, text: str, header: str, customer: str
) -> None:
    """Answers of nobody were read without a word."""
    reading = read(text.format(header, customer))
    assert reading.files[0].rows_accepted == 1
    assert f"Column {header} names nobody on any row" in told(reading)


def test_answers_that_mostly_name_nobody_say_how_many(read: Read) -> None:
    head = "date;client;score\n03/02/2024;C1;9\n"
    reading = read(head + "03/02/2024;;8\n04/02/2024;;7\n")
    assert "Column client names nobody on 2 of 3 rows" in told(reading)
    assert "names nobody" not in told(read(head + "03/02/2024;C2;8\n04/02/2024;;7\n"))


def test_events_that_are_left_out_are_not_said_to_be_read(read: Read) -> None:
    reading = read("client;date;evenement\nanonyme;03/02/2024;visite\n")
    assert reading.files[0].rows_quarantined == 1
    assert "was read as without" not in told(reading)


def test_a_contact_who_is_nobody_goes_to_quarantine(read: Read) -> None:
    (row,) = read("client;ville\nC1;Tours\nComptoir;Tours\n").files[0].quarantine
    assert (row.value, row.reason.text("en")) == ("Comptoir", "This names nobody.")


@pytest.mark.parametrize("header", ["Client", "Nom"])
def test_a_name_is_one_customer_however_it_is_written(read: Read, column, header: str) -> None:
    """“Marie Dupont” and “MARIE DUPONT” were two customers who had each bought once."""
    names = ["Marie Dupont", "marie dupont", "MARIE DUPONT ", "Marie  Dupont", "Léa Roy", "Lea Roy"]
    rows = "".join(f"{n + 10}/04/2025;{name};{n},50\n" for n, name in enumerate(names, 1))
    next_month = f"Date;{header};Montant\n14/05/2025;marie DUPONT;7,50\n"
    reading = read({"a.csv": f"Date;{header};Montant\n{rows}", "b.csv": next_month})
    found = column(reading, "orders", "customer_id")
    assert len({found[0], *found[1:4], found[6]}) == 1
    assert len(set(found)) == 3
    if header == "Client":
        assert found[0] == "Marie Dupont"
        assert "1 is written in several ways, Marie Dupont" in told(reading)


def test_an_address_under_customer_has_no_capitals(read: Read, column) -> None:
    reading = read("date;client;montant\n2024-01-02;A@x.FR;5\n2024-01-03;a@x.fr ;6\n")
    assert column(reading, "orders", "customer_id") == ["a@x.fr", "a@x.fr"]


def test_codes_keep_their_capitals(read: Read, column) -> None:
    reading = read("date;client;montant\n2024-01-02;aB3x;5\n2024-01-03;Ab3x;6\n2024-01-03;Zoé;6\n")
    assert column(reading, "orders", "customer_id") == ["aB3x", "Ab3x", "Zoé"]


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("0475 12 34 56", "Belgique", "+32475123456"),
        ("079 123 45 67", "Suisse", "+41791234567"),
        ("612345678", "Espagne", "+34612345678"),
        ("34612345678", "ES", "+34612345678"),
        ("06 1234 5678", "Italie", "+390612345678"),
        ("(555) 123-4567", "USA", "+15551234567"),
        ("0032 475 12 34 56", "Belgique", "+32475123456"),
        ("+33 6 12 34 56 78", "Belgique", "+33612345678"),
        ("06 12 34 56 78", "France", "+33612345678"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("06 12 34 56 78", "", "+33612345678"),
        ("06 12 34 56 78", "Atlantide", "06 12 34 56 78"),
    ],
)
def test_a_telephone_is_of_its_country(read: Read, column, written, country, number) -> None:
    """The telephones of Belgians became French ones."""
    head = "id client;nom;e-mail;téléphone;pays\n"
    reading = read(f"{head}1;Petit;a@x.fr;{written};{country}\n2;Roy;b@x.fr;0711223344;France\n")
    assert column(reading, "customers", "phone") == [number, "+33711223344"]
    foreign = country not in ("France", "FR", "")
    assert ("those of the country in column pays" in told(reading)) == foreign


@pytest.mark.parametrize(
    ("country", "first", "second"),
    [
        ("Belgique", "1000", "37000"), ("France", "01000", "37000"), ("", "01000", "37000"),
        ("Belgique", "1000", "2000"), ("", "1000", "2000"), ("France", "01000", "02000"),
        (None, "01000", "37000"), (None, "1000", "2000"),
    ],
)  # fmt: skip
def test_a_postcode_of_four_digits_is_not_always_french(
    read: Read, column, country: str | None, first: str, second: str
) -> None:
    """Brussels, 1000, was read as Bourg-en-Bresse, 01000."""
    head, end = ("", "") if country is None else (";pays", f";{country}")
    codes = [code.removeprefix("0") for code in (first, second)]
    rows = "".join(f"{n};Petit;{n}@x.fr;{code}{end}\n" for n, code in enumerate(codes))
    reading = read(f"id client;nom;e-mail;code postal{head}\n{rows}")
    assert column(reading, "customers", "postcode") == [first, second]
    assert ("zero that they lost" in told(reading)) == (first == "01000")


@pytest.mark.parametrize("many", [1, 60_000])
def test_an_apostrophe_marks_text_and_is_no_part_of_a_number(read: Read, rows, many: int) -> None:
    """Shopify writes '7123: its customers were not those of the orders, which have 7123."""
    people = "Customer ID,Email,Phone,Created at\n'7123,a@x.fr,'+33612345678,'2025-01-05\n"
    people += "".join(f"'9{n:06d},b{n}@x.fr,,2025-01-06\n" for n in range(many))
    orders = "order id,date,customer id,amount\n'1001,2026-01-01,7123,10\n"
    orders += "'Ab,2026-01-02,'t Hooft,9\n"
    reading = read({"people.csv": people, "orders.csv": orders})
    first, second = rows(reading, "orders")
    assert (first["order_id"], first["customer_id"]) == ("1001", "7123")
    assert (second["order_id"], second["customer_id"]) == ("'Ab", "'t Hooft")
    [known] = [row for row in rows(reading, "customers") if row["customer_id"] == "7123"]
    assert (known["phone"], known["joined_at"].year) == ("+33612345678", 2025)
