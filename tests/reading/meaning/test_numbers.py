"""Every way of writing a number that bad-inputs names, decided by the column."""

from __future__ import annotations

from decimal import Decimal

import pytest

from revoir.errors import InputError

from .conftest import Read, told

HEAD = "order_id;customer_id;date;montant\n"


def _orders(*amounts: str) -> str:
    return HEAD + "".join(
        f"{n};c{n};2024-01-{n + 1:02d};{amount}\n" for n, amount in enumerate(amounts, 1)
    )


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1 234,56", "1234.56"),
        ("1\u00a0234,56", "1234.56"),
        ("1\u202f234,56", "1234.56"),
        ("12,50 €", "12.5"),
        ("12,50\u00a0€", "12.5"),
        ("€ 12,50", "12.5"),
        ("12,50 EUR", "12.5"),
        ("(12,50)", "-12.5"),
        ("12,50-", "-12.5"),
        ("−3,20", "-3.2"),
        ("1.234,56", "1234.56"),
        ("1.234", "1234"),
        ("1'234,50", "1234.5"),
        ("0,1234", "0.1234"),
        ("7", "7"),
        ("1,5e2", "150"),
    ],
)
def test_comma_column(read: Read, column, written: str, value: str) -> None:
    reading = read(_orders("10,25", "20,75", written, "1 000,00"))
    assert column(reading, "orders", "amount")[2] == Decimal(value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1,234.56", "1234.56"), ("$12.50", "12.5"), ("(12.50)", "-12.5"), ("1,234", "1234"),
        ("1,234,567.89", "1234567.89"), ("1,23,456.00", "123456"), (".5", "0.5"), ("1e3", "1000"),
        ("£9.99", "9.99"),
    ],
)  # fmt: skip
def test_point_column(read: Read, column, written: str, value: str) -> None:
    reading = read(_orders("10.25", "20.75", written, "99.99"))
    assert column(reading, "orders", "amount")[2] == Decimal(value)


def test_a_number_that_could_be_two_is_decided_by_the_column_and_said(read: Read, column) -> None:
    reading = read(_orders("1.234", "2.500", "12.000"))
    assert column(reading, "orders", "amount") == [1234, 2500, 12000]
    assert "could be" in told(reading)
    reading = read(_orders("1.234", "2.5", "12.75"))
    assert column(reading, "orders", "amount")[0] == Decimal("1.234")


def test_the_user_decides_the_sign_of_decimals(read: Read, column, tmp_path) -> None:
    (tmp_path / "m.yml").write_text(
        "files:\n- columns:\n    montant: {is: amount, format: point}\n"
    )
    reading = read(_orders("1.234", "2.500"), mapping=tmp_path / "m.yml")
    assert column(reading, "orders", "amount") == [Decimal("1.234"), Decimal("2.5")]


@pytest.mark.parametrize(
    "written", ["NaN", "1e309", "9" * 5000, "abc", "#DIV/0!", "12 34", "1,2,3", "Infinity", "--5"]
)
def test_what_is_no_number_goes_to_quarantine(read: Read, written: str) -> None:
    reading = read(_orders("10.25", written, "20.75"))
    (row,) = reading.files[0].quarantine
    assert (row.line, row.column, row.value) == (3, "montant", written)
    assert reading.files[0].rows_accepted == 2
    assert row.reason.text("en")
    assert row.remedy.text("en")


@pytest.mark.parametrize("written", ["", "N/A", "néant", "-", "#N/A"])
def test_an_amount_must_be_there(read: Read, written: str) -> None:
    reading = read(_orders("10.25", written, "20.75"))
    assert reading.files[0].rows_quarantined == 1
    assert "Nothing stands here." in told(reading)


def test_negative_totals_are_returns(read: Read, column) -> None:
    reading = read(_orders("10.25", "-5.00", "0"))
    # A row of a file of orders is an order, paid or not.
    assert column(reading, "orders", "kind") == ["purchase", "return", "purchase"]
    assert "1 return, -5.00 in all" in told(reading)


def test_mixed_currencies_are_never_one(read: Read, column) -> None:
    reading = read(_orders("12,50 €", "9,00 $"))
    assert reading.currency is None
    assert column(reading, "orders", "currency") == ["EUR", "USD"]
    assert "several currencies" in told(reading)
    assert read(_orders("12,50 €", "9,00 €")).currency == "EUR"
    assert read(HEAD.replace("montant", "Montant (€)") + "1;a;2024-01-02;5\n").currency == "EUR"


def test_sub_cents_are_kept(read: Read, column) -> None:
    assert column(read(_orders("0.0333")), "orders", "amount") == [Decimal("0.0333")]


def test_a_price_times_a_quantity_that_is_too_large_goes_to_quarantine(read: Read, column) -> None:
    reading = read(
        "commande;client;date;prix unitaire;quantité\n1;A;2024-01-02;1710000000;10\n"
        "2;B;2024-01-02;99999999999999;99999999999999\n2;B;2024-01-03;5;2\n"
    )
    assert sorted(column(reading, "orders", "amount")) == [10, 17_100_000_000]
    (bad,) = reading.files[0].quarantine
    assert (bad.line, bad.reason.text("en")) == (3, "Times the quantity, the number is too large.")


def test_amounts_that_no_sum_can_hold_are_named(read: Read) -> None:
    line = "1;A;2024-01-02;{};99999999999999\n"
    with pytest.raises(InputError, match="add up to more than 14 digits"):
        read("commande;client;date;produit;montant\n" + line.format("x") + line.format("y"))


_WEIGHTS = "ticket;date;client;article;quantité;prix unitaire\n"


@pytest.mark.parametrize(
    ("written", "kilos"),
    [(("0,500", "1,250"), ("0.5", "1.25")), (("1,250", "2,100"), ("1.25", "2.1"))],
)
def test_kilos_with_three_decimals_are_no_thousands(read: Read, column, written, kilos) -> None:
    """Half a kilo of cheese at 24,90 was 12,450.00 of revenue."""
    rows = "".join(
        f"{n};1{n}/04/2025;C{n};Comté;{weight};24,90\n" for n, weight in enumerate(written, 1)
    )
    reading = read(_WEIGHTS + rows)
    assert column(reading, "order_lines", "quantity") == [Decimal(kilo) for kilo in kilos]
    # Where each number of the column could be thousands, the file's others decide, and it is said.
    said = "Column quantité: “1,234” is read as 1.234" in told(reading)
    assert said == ("0,500" not in written)


def test_thousands_by_the_other_numbers_of_the_file_are_said(read: Read, column) -> None:
    reading = read(_WEIGHTS + "1;14/04/2025;C1;Vis;1.250;0,05\n2;15/04/2025;C2;Vis;2.000;0,05\n")
    assert column(reading, "order_lines", "quantity") == [1250, 2000]
    assert "Column quantité: “1.234” is read as 1,234" in told(reading)


@pytest.mark.parametrize(("written", "value"), [("0,500", "0.5"), ("0.500", "0.5")])
@pytest.mark.parametrize("others", [("10,25", "20,75"), ("10.25", "20.75")])
def test_no_thousands_begin_with_a_zero(read: Read, column, written, value, others) -> None:
    reading = read(_orders(*others, written))
    assert column(reading, "orders", "amount")[2] == Decimal(value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("12€50", "12.5"),
        ("25 €90", "25.9"),
        ("25 € 90", "25.9"),
        ("1 234€50", "1234.5"),
        ("-3€20", "-3.2"),
        ("(3€20)", "-3.2"),
        ("8€", "8"),
        ("-€ 12", "-12"),
        ("(12 €)", "-12"),
        ("12 euros", "12"),
        ("12 €-", "-12"),
    ],
)
@pytest.mark.parametrize("others", [("10,25", "20,75"), ("10.25", "20.75"), ("8€", "9€")])
def test_a_sign_in_the_place_of_the_comma(read: Read, column, written, value, others) -> None:
    """12€50 was read as 1,250."""
    reading = read(_orders(*others, written))
    assert column(reading, "orders", "amount")[2] == Decimal(value)


@pytest.mark.parametrize("written", ["12€5", "12€500", "1€2€50", "12 EUR 5"])
def test_a_sign_within_a_number_is_none(read: Read, written: str) -> None:
    (row,) = read(_orders("10,25", "20,75", written)).files[0].quarantine
    assert (row.value, row.reason.text("en")) == (written, "This is no number.")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("8,00 $ CAD", "CAD"), ("12,50 $ CA", "CAD"), ("CA$ 25.90", "CAD"), ("C$25.90", "CAD"),
        ("CAD 25.90", "CAD"), ("12,50 $US", "USD"), ("US$ 12.50", "USD"), ("12.50 $", "USD"),
        ("12,50 $ USD", "USD"),
    ],
)  # fmt: skip
def test_whose_dollars_they_are(read: Read, column, written: str, code: str) -> None:
    """Canadian dollars were read as those of the United States, or not at all."""
    reading = read(_orders("10,25 €", written))
    assert column(reading, "orders", "currency") == ["EUR", code]
    amount = "".join(c for c in written if c.isdigit() or c in ",.").replace(",", ".")
    assert column(reading, "orders", "amount")[1] == Decimal(amount)


@pytest.mark.parametrize("header", ["amount_cents", "Montant (centimes)"])
def test_cents_are_hundredths(read: Read, column, header: str) -> None:
    """amount_cents of 1250 was read as 1,250.00."""
    reading = read(_orders("1250", "2000", "999").replace("montant", header))
    assert column(reading, "orders", "amount") == [Decimal("12.5"), 20, Decimal("9.99")]
    assert f"Column {header}: the amounts are in cents; 1,250 is read as 12.50" in told(reading)
    spaced = read(_orders("1 250", "2000").replace("montant", header))
    assert column(spaced, "orders", "amount") == [Decimal("12.5"), 20]
    whole = read(_orders("12.50", "20.00").replace("montant", header))
    assert column(whole, "orders", "amount") == [Decimal("12.5"), 20]
    assert "the header says cents, but the amounts have decimals" in told(whole)
