"""Dollars and amounts without a currency were added up, and printed as euros."""

import pyarrow as pa
import pytest
from typer.testing import CliRunner

import revoir
from revoir.book import Book, Settings
from revoir.cli import app

ROWS = [("A", "2024-01-10", "100", "USD"), ("B", "2024-01-10", "10", "")]
ROWS += [("C", "2024-03-10", "10", ""), ("A", "2024-02-10", "100", "USD")]
EUR = Settings(currency="EUR")


@pytest.fixture
def orders(tmp_path):
    path = tmp_path / "orders.csv"
    rows = [",".join(("order", *row)).replace("order", str(n)) for n, row in enumerate(ROWS)]
    path.write_text("\n".join(["order_id,customer_id,date,amount,currency", *rows, ""]))
    return path


def check_mixed(book):
    assert set(book.currencies) == {"EUR", "USD"}
    assert book.currency is None
    (figure,) = revoir.measure(book, "revenue").figures
    assert figure.value is None
    assert "several currencies" in figure.reason.text("en")
    figures = revoir.measure(book, "revenue", by=["currency"]).figures
    assert {figure.by["currency"]: figure.value for figure in figures} == {"EUR": 20, "USD": 200}


def test_the_currency_given_is_that_of_amounts_that_carry_none(orders):
    book = revoir.read(orders, settings=EUR)
    check_mixed(book)
    assert book.reading.totals["orders"]["amount_by_currency"] == {"EUR": 20.0, "USD": 200.0}


def test_so_it_is_in_a_warehouse(engine):
    names = ("customer_id", "ordered_on", "amount", "currency")
    table = pa.Table.from_pylist(
        [
            dict(zip(names, (who, day, float(paid), code or None), strict=True))
            for who, day, paid, code in ROWS
        ]
    )
    table = table.set_column(1, "ordered_on", table["ordered_on"].cast(pa.date32()))
    held = engine.load({"orders": table})
    check_mixed(Book(held, settings=EUR))
    assert revoir.measure(Book(held), "revenue").figures[0].value == 220


def test_where_none_is_given_those_without_are_counted_and_told(orders):
    book = revoir.read(orders)
    assert (book.currency, revoir.measure(book, "revenue").figures[0].value) == ("USD", 220)
    (note,) = [note.text("en") for note in book.reading.notes]
    assert note == "2 amounts carry no currency and are taken as USD."
    assert not revoir.read(orders, settings=Settings(currency="USD")).reading.notes


def test_what_a_header_names_is_the_currency_of_its_file(orders, tmp_path):
    other = tmp_path / "till.csv"
    other.write_text("order_id,customer_id,date,amount_eur\n7,A,2024-01-10,100\n")
    assert set(revoir.read([orders, other]).currencies) == {"EUR", "USD"}


def test_amounts_are_written_in_the_currency_they_carry(orders):
    def told(*arguments):
        command = ["metric", "revenue", str(orders), "--currency", "EUR", "--lang", "en"]
        return CliRunner().invoke(app, [*command, *arguments]).stdout

    assert "220" not in told()
    assert "€20.00" in told("--by", "currency")
    assert "US$200.00" in told("--by", "currency")
    orders.write_text(orders.read_text().replace(",\n", ",USD\n"))
    assert "US$220.00" in told()
