"""Columns of Python values against what pyarrow itself makes of them."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import openpyxl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from revoir.reading import columns

_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=9)


@settings(deadline=None)
@given(st.lists(st.none() | _TEXT, max_size=40))
def test_texts(cells: list[str | None]) -> None:
    array = columns.texts(cells)
    array.validate(full=True)
    assert array.equals(pa.array([cell or None for cell in cells], pa.string()))


@settings(deadline=None)
@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=40))
def test_integers(cells: list[int | None]) -> None:
    array = columns.integers(cells)
    array.validate(full=True)
    assert array.equals(pa.array(cells, pa.int64()))


@settings(deadline=None)
@given(st.lists(st.none() | st.floats() | st.integers(-(2**53), 2**53).map(float), max_size=40))
def test_numbers(cells: list[float | None]) -> None:
    array = columns.numbers(cells)
    array.validate(full=True)
    whole = all(cell is None or (cell.is_integer() and abs(cell) < 2**53) for cell in cells)
    assert array.type == (pa.int64() if whole else pa.float64())
    assert repr(array.cast(pa.float64()).to_pylist()) == repr(
        [cell + 0.0 if whole and cell is not None else cell for cell in cells]
    )


@settings(deadline=None)
@given(st.lists(st.none() | st.datetimes(), max_size=40))
def test_moments(cells: list[dt.datetime | None]) -> None:
    array = columns.moments(cells)
    array.validate(full=True)
    assert array.equals(pa.array(cells, pa.timestamp("us")))


def test_half_a_character_is_replaced() -> None:
    array = columns.texts(["a\ud800é", "b"])
    array.validate(full=True)
    assert array.to_pylist() == ["a?é", "b"]


def test_files_are_read_without_pandas(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["client", "date", "montant"], ["a", dt.datetime(2024, 1, 2), 5.5], ["b", None, 3]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    (tmp_path / "t.csv").write_text('client,montant\na,5\nb"x,6,7\n')
    (tmp_path / "t.json").write_text('[{"client": "a", "montant": 5}]')
    code = (
        "import sys, duckdb\n"
        "from revoir.reading.sources import raw_tables\n"
        "tables = raw_tables(sys.argv[1:], duckdb.connect())\n"
        "print(len(tables), 'pandas' in sys.modules)"
    )
    paths = [str(tmp_path / name) for name in ("t.xlsx", "t.csv", "t.json")]
    done = subprocess.run(
        [sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["3", "False"]
