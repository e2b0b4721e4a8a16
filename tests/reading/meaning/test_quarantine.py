"""The file of quarantined rows: whole, in the shape of the input, read again once corrected."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from revoir.reading import Reading, quarantine, read_tables
from revoir.reading.template import write_template

from .conftest import Read, told

HEAD = "commande,client,date,montant\n"


def _written(reading: Reading, path: Path) -> list[list[str]]:
    count = quarantine.write(reading.files, path)[path]
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    assert len(rows) == count + 1
    assert {len(row) for row in rows} == {len(rows[0])}
    return rows


def test_a_row_with_too_many_cells_keeps_them_all(read: Read, tmp_path: Path) -> None:
    text = HEAD + "1,a,2024-01-02,5\n2,a,2024-01-03,12,50\n3,b,2024-01-04,1,2,=3\n4,b,,5\n"
    rows = _written(read(text), tmp_path / "bad.csv")
    assert rows[0][:6] == [*HEAD.strip().split(","), "revoir: extra 1", "revoir: extra 2"]
    assert [row[:6] for row in rows[1:]] == [
        ["2", "a", "2024-01-03", "12", "50", ""],
        ["3", "b", "2024-01-04", "1", "2", "'=3"],
        ["4", "b", "", "5", "", ""],
    ]


def test_too_many_cells_stay_too_many_until_they_are_corrected(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    rows = _written(read(HEAD + "1,a,2024-01-02,5\n2,a,2024-01-03,12,50\n3,b,,5\n"), path)
    again = read_tables(path)
    assert (again.files[0].rows_in, again.files[0].rows_quarantined) == (2, 2)
    assert "more than 4 cells" in told(again)
    # A quarantine file of a quarantine file has the same shape.
    second = _written(again, tmp_path / "again.csv")
    assert second[0] == rows[0]
    assert [row[:5] for row in second[1:]] == [row[:5] for row in rows[1:]]
    rows[1][3:5] = ["12.50", ""]
    rows[2][2] = "2024-01-04"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    mended = read_tables(path)
    assert (mended.files[0].rows_accepted, mended.files[0].rows_quarantined) == (2, 0)
    assert mended.totals["orders"]["amount"] == 17.5
    assert "revoir" not in " ".join(mended.tables["orders"].columns)


@pytest.mark.parametrize("kept", [1, 2])
def test_a_file_without_header_comes_back_as_what_it_was(
    read: Read, tmp_path: Path, kept: int
) -> None:
    good = "".join(f"{n:05d} 1997{n:02d}12 {n} {n * 10}.77\n" for n in range(1, 13))
    bad = "00013 19970230 2 20.76\n00014 19971301 1 9.50\n"
    first = read({"cdnow.txt": good + bad})
    assert (first.files[0].rows_accepted, first.files[0].rows_quarantined) == (12, 2)
    path = tmp_path / "bad.csv"
    rows = _written(first, path)
    assert rows[0][:4] == ["customer_id", "ordered_at", "quantity", "amount"]
    rows[1][1], rows[2][1] = "19970228", "19971201"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows[: kept + 1])
    again = read_tables(path)
    assert [again.files[0].rows_accepted, again.files[0].rows_quarantined] == [kept, 0]
    assert again.tables["orders"].columns == first.tables["orders"].columns
    assert again.totals["orders"]["amount"] == [20.76, 30.26][kept - 1]
    both = read_tables([tmp_path / "cdnow.txt", path])
    assert both.totals["orders"]["rows"] == 12 + kept


def test_a_mapping_by_place_still_fits(tmp_path: Path) -> None:
    from revoir.reading import mapping

    path = tmp_path / "places.csv"
    path.write_text("x7,2024-01-05,3,12.50\nx8,2024-02-30,4,7.25\nx9,2024-01-07,5,6.50\n")
    said = mapping.from_options(["customer_id=c0", "ordered_at=c1", "quantity=c2", "amount=c3"])
    first = read_tables(path, mapping=said)
    rows = _written(first, tmp_path / "bad.csv")
    assert rows[1][:4] == ["x8", "2024-02-30", "4", "7.25"]
    again = read_tables(tmp_path / "bad.csv", mapping=said)
    assert [column.target for column in again.files[0].mapping][:4] == [
        column.target for column in first.files[0].mapping
    ]


def test_rows_of_a_template_are_written_too(tmp_path: Path) -> None:
    import openpyxl

    path = tmp_path / "t.xlsx"
    write_template(path, "en")
    book = openpyxl.load_workbook(path)
    book.worksheets[1].append(["A9", "c1", "2024-02-30", 12.5, "site"])
    book.save(path)
    rows = _written(read_tables(path), tmp_path / "bad.csv")
    assert rows[1][:4] == ["A9", "c1", "2024-02-30", "12.5"]
