"""Hostile files: whatever they hold, nothing crashes and the sum of rows holds."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revoir.errors import RevoirError
from revoir.reading import quarantine, read_tables
from revoir.reading.quarantine import harmless

from .conftest import Read

_CELLS = st.one_of(
    st.sampled_from([
        "", "-", "N/A", "néant", "NaN", "1e309", "12,50 €", "1.234", "1 234,56", "(5)", "-3", "0",
        "2024-01-02", "31/02/2024", "03/04/2024", "15 févr. 2024", "45337", "0000-00-00",
        "1710000000", "2999-01-01", "a@b.fr", "a@b.fr;c@d.fr", "O'Brien", "Null", "'; DROP TABLE x",
        '"', '""', "=1+1", "+33 6 12 34 56 78", "@SUM(A1)", "\t=1", "<script>", "{{7*7}}",
        "x\r\nBcc: y", "../../etc/passwd", "é", "e\u0301", "\u200b", "\u200f", "🎉", "x" * 400,
        "9" * 400, "\\", "%s", "$1", "NULL", "true",
    ]),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12),
    st.integers(-10**6, 10**6).map(str),
    st.decimals(-9999, 9999, places=2).map(str),
    st.dates(dt.date(2020, 1, 1), dt.date(2025, 1, 1)).map(str),
)  # fmt: skip
_HEADERS = st.lists(
    st.sampled_from([
        "order_id", "client", "date", "montant", "produit", "quantité", "prix unitaire", "e-mail",
        "téléphone", "nps", "commentaire", "churn", "tenure", "statut", "remboursé", "date début",
        'he"ader', "x; DROP", "", "date", "événement", "session", "ouvert le", "résolu le", "nom",
        "newsletter", "id ligne", "devise", "âge", "revoir: line",
    ]),
    min_size=2, max_size=8,
)  # fmt: skip


def _told(error: RevoirError) -> None:
    assert error.text("fr")


@st.composite
def _files(draw: st.DrawFn) -> str:
    headers = draw(_HEADERS)
    rows = draw(
        st.lists(st.lists(_CELLS, min_size=len(headers), max_size=len(headers)), max_size=8)
    )
    held = io.StringIO()
    csv.writer(held, delimiter=draw(st.sampled_from(",;\t"))).writerows([headers, *rows])
    return held.getvalue()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(_files())
def test_the_sum_of_rows_holds(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_text(text, encoding="utf-8", newline="")
        try:
            reading = read_tables(path, today=dt.date(2026, 1, 1))
        except RevoirError as error:
            _told(error)
            return
        (file,) = reading.files
        assert file.rows_in == file.rows_accepted + file.rows_quarantined + file.rows_duplicate
        assert len(list(file.all_quarantined())) == file.rows_quarantined
        for row in file.quarantine:
            assert row.line >= 1
            assert row.reason.text("fr")
            assert row.remedy.text("en")
        if file.rows_quarantined:
            rows = quarantine.write(reading.files, Path(folder) / "bad.csv", "en")
            assert sum(rows.values()) == file.rows_quarantined
        for table in reading.tables.values():
            table.to_pyarrow()


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"), ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"), ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3+cmd", "'-2+3+cmd"), ("\t=1", "'\t=1"), (" =1", "' =1"), ("\r=1", "'\r=1"),
        ("-12,50", "-12,50"), ("+33 6 12 34 56 78", "+33 6 12 34 56 78"), ("-", "-"),
        ("1.5", "1.5"), ("Tours", "Tours"), (None, ""),
    ],
)  # fmt: skip
def test_no_cell_becomes_a_formula(cell: str | None, written: str) -> None:
    assert harmless(cell) == written


def test_sql_in_headers_and_cells_is_only_text(read: Read, rows) -> None:
    evil = 'x"; DROP TABLE orders; --'
    reading = read(
        f'order_id,client,date,montant,"{evil.replace(chr(34), chr(34) * 2)}"\n'
        f'1,"Robert\'); DROP TABLE customers;--",2024-01-02,5,a\n2,b,2024-01-03,6,b\n'
    )
    found = rows(reading, "orders")
    assert found[0]["customer_id"] == "Robert'); DROP TABLE customers;--"
    assert "x_drop_table_orders" in reading.tables["orders"].columns


def test_a_file_of_250_columns(read, rows):
    """200 of them took 40 s, and 1,000 more memory than there was, for twenty rows."""
    names = [f"colonne {number}" for number in range(250)]
    lines = [
        f"C{row % 5};2025-01-{row + 1:02d};{row},50;"
        # Every second column says the same of a customer each time, or nothing.
        + ";".join(f"dit {row % 5 if n % 2 else row}" if n % 3 else "" for n in range(250))
        for row in range(20)
    ]
    reading = read(";".join(["client", "date", "montant", *names]) + "\n" + "\n".join(lines))
    assert len(rows(reading, "orders")) == 20
    [first] = [row for row in rows(reading, "customers") if row["customer_id"] == "C0"]
    assert first["colonne_1"] == "dit 0"
    assert "colonne_2" not in first
    assert rows(reading, "orders")[7]["colonne_2"] == "dit 7"
