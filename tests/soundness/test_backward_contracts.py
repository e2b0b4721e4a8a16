"""A contract that ends before it begins is no departure on day −379."""

import datetime as dt

import pyarrow as pa
import pytest

import revoir
from revoir.book import Book

JUNE = dt.date(2023, 6, 15)
NAMES = ("subscription_id", "customer_id", "started_at", "ended_at", "monthly_amount")
ROWS = [
    *((f"S{n}", f"C{n}", dt.date(2023, 1, n), dt.date(2023, 3, n), 10.0) for n in range(1, 21)),
    *((f"R{n}", f"D{n}", dt.date(2023, 1, n), None, 10.0) for n in range(1, 21)),
    ("X1", "X1", JUNE, dt.date(2023, 2, 1), 10.0),
    ("X2", "X2", JUNE, dt.date(2022, 6, 1), 10.0),
    # One that ends on its first day is no mistake.
    ("Y", "Y", JUNE, JUNE, 10.0),
    ("Z", "Z", dt.date(2023, 12, 31), None, 10.0),
]


def check(book):
    curve = revoir.survival(book).curves[0]
    assert (min(curve.times), curve.at(0).value) == (0, pytest.approx(41 / 42))
    assert book.span == (dt.date(2023, 1, 1), dt.date(2023, 12, 31))
    assert revoir.measure(book, "mrr").figures[-1].value == 210


def test_rows_of_a_file_that_end_before_they_begin_are_to_be_mended(tmp_path):
    path = tmp_path / "contracts.csv"
    rows = [",".join("" if cell is None else str(cell) for cell in row) for row in ROWS]
    path.write_text("\n".join(["subscription_id,customer_id,start_date,end_date,mrr", *rows, ""]))
    book = revoir.read(path)
    (report,) = book.reading.files
    assert (report.rows_in, report.rows_accepted, report.rows_quarantined) == (44, 42, 2)
    held = list(report.all_quarantined())
    assert [(row.line, row.column, row.value) for row in held] == [
        (42, "end_date", "2023-02-01"),
        (43, "end_date", "2022-06-01"),
    ]
    assert held[0].reason.text("en") == "The subscription ends before it begins."
    assert "Correct the day that is wrong" in held[0].remedy.text("en")
    check(book)


def test_rows_of_a_warehouse_that_end_before_they_begin_are_left_out(engine):
    table = pa.Table.from_pylist([dict(zip(NAMES, row, strict=True)) for row in ROWS])
    check(Book(engine.load({"subscriptions": table})))
