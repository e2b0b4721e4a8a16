"""bad-inputs.md, "Spreadsheet": each gets the right reading or a clear message."""

from __future__ import annotations

import base64
import datetime as dt
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from revoir.errors import InputError
from revoir.reading import sheets, workbook
from revoir.reading.layout import find_layout

# A workbook of Excel 97 with two orders, as xlwt writes it.
OLD = zlib.decompress(
    base64.b85decode(
        "".join(
            (
                "c-rk)O=uHA6#iy6|FrpOQ=t_~DA;N(l<LJxyH=z1l2S$dL(tT&P#QK8b5R7VH75}SPl^W%_28xc9Q;8A#fyhRMGt",
                "~dNEAfzBq(@jv%Y!RwMnhefEFVAg?TgcX6D<MnR#z!_tk79KY6#MfF<aIilXU<r%Wd(`Rz&=)NY!xXy-mkrh}S--",
                "$x7SapQ6Qj90FqT<-!D+;Kf83B0Ft7$-28HuTskVjJ6#6w-!Xk^<LB6GSsx)xh!?%SM*Bx#ts>TUm37WiR#3i$j>",
                "z20OP{yZC_8#%)1J-UmG99cy~fgqLy`pS>(feckBKj3!ex*3jyz!xU&i2XsTv$a)Aj5dh-x?nI*dAR&(^E%p??n=",
                "#;<?bXj>j(&CZ0;K;@srUXt@1sRrs=uPRfN_{d*-3J=sXJUHN8YC!S^eZZg>sMO*p#-XMoCRQ;>oN|8zhl7vPmPW",
                "0(<oo1@K*;Q=iDwdlrkE0y6A#m<U&diF$UQI+7y@aXG?H6ec_8Z+(587#`A&ux6Z(hSCADPTC6-=i~?)9OM?2rEK",
                "Zs5gS>aXV$e`Zebav9Zq@sP?J^IIl+A{aBDj~XEWoC)=^eoPvzW~-49!HAG8fro*pQij!wVTCecO*+6ax8zX^1SE",
                "^+Ou#3Rklg%xb(ST_F_czjCOvfZ>!$q*K#s}UkBOEoz=;#W<v=BiXvsis<7Vi_*MTyl1vk~PxS2HblgIW9IzE|q3",
                "cFbm<vnVFCMl1W*HNns|p#iTIPeP%iin@Oo)>QktP97bVv5dk=G;J|?c2M!!Ks7VOE_LVN+@`CBMF85yRyUqfoqV",
                "t*Lzr`M;>6fLK${jE$&)`&5`)3W@!sZey9Akekl-N&C&tMG0Y{yvD`<Gr~MEU<&@xbukbD?UVU#!N?fBgKPSsdqS",
            )
        )
    )
)
HEADERS = ["Client", "Date", "Montant", "Téléphone"]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "ventes.xlsx"


def save(path: Path, *rows: list[object], **sheets: list[list[object]]) -> openpyxl.Workbook:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = "Ventes"
    for row in rows:
        sheet.append(row)
    for name, content in sheets.items():
        other = made.create_sheet(name)
        for row in content:
            other.append(row)
    made.save(path)
    return made


def order(n: int) -> list[object]:
    return [f"C{n}", dt.datetime(2024, 1, n, 10, 30), 12.5 * n, 3060000000 + n]


def ods(path: Path, body: str) -> None:
    names = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"'
        for short in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names}><office:body>'
        f'<office:spreadsheet><table:table table:name="Ventes">{body}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            "<manifest:manifest xmlns:manifest="
            '"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )


def ods_row(*cells: object) -> str:
    made = []
    for cell in cells:
        if isinstance(cell, float):
            made.append(
                f'<table:table-cell office:value-type="float" office:value="{cell}">'
                f"<text:p>{cell}</text:p></table:table-cell>"
            )
        elif isinstance(cell, dt.date):
            made.append(
                f'<table:table-cell office:value-type="date" office:date-value="{cell}">'
                f"<text:p>{cell}</text:p></table:table-cell>"
            )
        else:
            made.append(
                '<table:table-cell office:value-type="string">'
                f"<text:p>{cell}</text:p></table:table-cell>"
            )
    return f"<table:table-row>{''.join(made)}</table:table-row>"


def rewritten(path: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def test_types_of_columns(read: Callable, book: Path) -> None:
    save(book, HEADERS, order(1), order(2))
    [seen] = read(book)
    assert seen.table.types == ["VARCHAR", "TIMESTAMP", "DOUBLE", "BIGINT"]
    assert seen.cells[0] == ("C1", dt.datetime(2024, 1, 1, 10, 30), 12.5, 3060000001)
    assert seen.lines == [2, 3]


def test_mixed_columns_are_text(read: Callable, book: Path) -> None:
    save(
        book,
        ["Client", "Téléphone", "Date"],
        ["C1", 3060000000.0, dt.date(2024, 1, 2)],
        ["C2", "06 12 34 56 78", "inconnue"],
        ["C3", 12.5, dt.datetime(2024, 1, 2, 3, 4, 5)],
    )
    [seen] = read(book)
    assert seen.table.types == ["VARCHAR"] * 3
    assert [row[1] for row in seen.cells] == ["3060000000", "06 12 34 56 78", "12.5"]
    assert [row[2][:10] for row in seen.cells] == ["2024-01-02", "inconnue", "2024-01-02"]


def test_xls(read: Callable, tmp_path: Path) -> None:
    path = tmp_path / "ventes.xls"
    path.write_bytes(OLD)
    [seen] = read(path)
    assert seen.cells[1] == ("Hélène 2", dt.datetime(2024, 1, 2), 25.0, 3060000000)


def test_xlsm(read: Callable, tmp_path: Path) -> None:
    path = tmp_path / "ventes.xlsm"
    save(path, HEADERS, order(1))
    assert read(path)[0].cells[0][0] == "C1"


def test_ods(read: Callable, tmp_path: Path) -> None:
    path = tmp_path / "ventes.ods"
    empty = '<table:table-cell table:number-columns-repeated="16382"/>'
    ods(
        path,
        ods_row("Client", "Date", "Montant")
        + ods_row("Hélène", dt.date(2024, 1, 2), 12.5)
        + f'<table:table-row table:number-rows-repeated="1048570">{empty}</table:table-row>',
    )
    [seen] = read(path)
    assert seen.headers == ["Client", "Date", "Montant"]
    assert seen.cells == [("Hélène", dt.datetime(2024, 1, 2), 12.5)]


def test_ods_that_repeats_a_row_without_end(read: Callable, tmp_path: Path) -> None:
    path = tmp_path / "ventes.ods"
    row = ods_row("Client", "x").replace(
        "<table:table-row>", '<table:table-row table:number-rows-repeated="900000000">'
    )
    ods(path, ods_row("Client", "Montant") + row)
    with pytest.raises(InputError, match="cannot be held"):
        read(path)


def test_zip_bomb_declared(read: Callable, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "SIZE_LIMIT", 1 << 20)
    save(book, HEADERS, order(1))
    rewritten(book, "xl/worksheets/sheet1.xml", lambda data: data + b" " * (2 << 20))
    with pytest.raises(InputError, match="unpacks to more than"):
        read(book)


def test_zip_bomb_that_lies_about_its_size(read: Callable, book: Path) -> None:
    save(book, HEADERS, order(1))
    rewritten(book, "xl/worksheets/sheet1.xml", lambda data: data + b" " * (2 << 20))
    data = book.read_bytes()
    with zipfile.ZipFile(book) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size.to_bytes(4, "little")
    assert data.count(size) == 2
    book.write_bytes(data.replace(size, (1000).to_bytes(4, "little")))
    with pytest.raises(InputError, match="damaged"):
        read(book)


def test_billion_laughs(read: Callable, book: Path) -> None:
    save(book, HEADERS, order(1))
    entities = b'<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    rewritten(
        book,
        "xl/worksheets/sheet1.xml",
        lambda data: entities + data.replace(b"<v>12.5</v>", b"<v>&b;</v>"),
    )
    with pytest.raises(InputError, match="entities"):
        read(book)


def test_external_entity(read: Callable, book: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP SECRET")
    save(book, HEADERS, order(1))
    entity = f'<!DOCTYPE w [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'.encode()
    rewritten(book, "xl/workbook.xml", lambda data: entity + data)
    with pytest.raises(InputError, match="entities"):
        read(book)


def test_calamine_expands_no_entity(book: Path, tmp_path: Path) -> None:
    import python_calamine

    secret = tmp_path / "secret.txt"
    secret.write_text("TOP SECRET")
    save(book, ["Client", "Note"], ["C1", "here"])
    entity = f'<!DOCTYPE w [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'.encode()
    rewritten(book, "xl/worksheets/sheet1.xml", lambda data: entity + data.replace(b"here", b"&x;"))
    try:
        cells = python_calamine.load_workbook(book).get_sheet_by_index(0).to_python()
    except python_calamine.CalamineError:
        return
    assert "SECRET" not in str(cells)


def test_password(read: Callable, book: Path) -> None:
    # A protected workbook is an OLE container with a stream of that name.
    old, new = "Workbook".encode("utf-16-le"), "EncryptedPackage".encode("utf-16-le")
    at = OLD.index(old)
    entry = new + bytes(64 - len(new)) + (len(new) + 2).to_bytes(2, "little")
    book.write_bytes(OLD[:at] + entry + OLD[at + 66 :])
    with pytest.raises(InputError, match="protected by a password"):
        read(book)


def test_damaged(read: Callable, book: Path) -> None:
    save(book, HEADERS, order(1))
    book.write_bytes(book.read_bytes()[:-200])
    with pytest.raises(InputError, match="damaged"):
        read(book)


def test_hidden_and_empty_sheets(read: Callable, book: Path) -> None:
    made = save(
        book, HEADERS, order(1), Secret=[["a", "b"], [1, 2]], Vide=[], Autre=[["Ville"], ["Tours"]]
    )
    made["Secret"].sheet_state = "hidden"
    made.save(book)
    seen = read(book)
    assert [one.table.sheet for one in seen] == ["Ventes", "Autre"]
    assert "hidden sheet “Secret”" in seen[0].notes
    assert "“Vide” is empty" in seen[0].notes


def test_one_sheet_by_name(read: Callable, book: Path) -> None:
    save(book, HEADERS, order(1), Autre=[["Ville", "n"], ["Tours", 1]])
    assert [one.table.sheet for one in read(book, sheet="autre")] == ["Autre"]
    with pytest.raises(InputError, match="The sheets are: Ventes, Autre"):
        read(book, sheet="Feuil9")


def test_empty_workbook(read: Callable, book: Path) -> None:
    save(book)
    with pytest.raises(InputError, match="empty"):
        read(book)


def test_hidden_rows_are_read_and_said(read: Callable, book: Path) -> None:
    made = save(book, HEADERS, order(1), order(2), order(3))
    made["Ventes"].row_dimensions[3].hidden = True
    made["Ventes"].column_dimensions["B"].hidden = True
    made.save(book)
    [seen] = read(book)
    assert len(seen.cells) == 3
    assert "1 hidden row was read" in seen.notes
    assert "Hidden columns" in seen.notes


def test_merged_cells(read: Callable, book: Path) -> None:
    made = save(
        book,
        ["Client", "Produit", "Total"],
        ["Durand", "Rose", 30],
        [None, "Lys", None],
        ["Petit", "Iris", 12],
    )
    made["Ventes"].merge_cells("A2:A3")
    made["Ventes"].merge_cells("C2:C3")
    made.save(book)
    [seen] = read(book)
    assert [row[0] for row in seen.cells] == ["Durand", "Durand", "Petit"]
    assert [row[2] for row in seen.cells] == [30, None, 12]
    assert "merged cell was repeated" in seen.notes
    assert "counts on its first row only" in seen.notes


def test_merged_cells_take_time_in_proportion_to_their_number() -> None:
    """Above each merged number all rows were looked through, and all columns for each header."""
    count = 24_000
    rows = [["commande"], *([float(n) if n % 2 else ""] for n in range(1, count))]
    sheet: Any = SimpleNamespace(
        start=(0, 0), merged_cell_ranges=[((n, 0), (n + 1, 0)) for n in range(1, count - 1, 2)]
    )
    begun = time.process_time()
    sheets._merge(rows, sheet)
    assert rows[count - 2] == rows[count - 3] == [count - 3.0]
    groups = [f"G{n // 2}" if n % 2 == 0 else "" for n in range(count)]
    names = ["a" if n % 2 else "b" for n in range(count)]
    layout = find_layout([groups, names, *([str(n)] * count for n in range(3))])
    assert layout.headers[-2:] == [f"G{count // 2 - 1} b", f"G{count // 2 - 1} a"]
    assert time.process_time() - begun < 3


def test_a_merged_order_number_stands_on_each_of_its_rows(read: Callable, book: Path) -> None:
    """The second line of a merged order went to quarantine, for it had no number."""
    made = save(
        book,
        ["N° commande", "Produit", "Montant"],
        [1001, "Rose", 30],
        [None, "Lys", None],
        [1002, "Iris", 12],
    )
    made["Ventes"].merge_cells("A2:A3")
    made["Ventes"].merge_cells("C2:C3")
    made.save(book)
    [seen] = read(book)
    assert [row[0] for row in seen.cells] == [1001, 1001, 1002]
    assert [row[2] for row in seen.cells] == [30, None, 12]


def test_error_cells(read: Callable, book: Path) -> None:
    save(book, ["Client", "Montant"], ["C1", "#N/A"], ["C2", 3.5], ["C3", "#DIV/0!"])
    [seen] = read(book)
    assert seen.table.types == ["VARCHAR", "DOUBLE"]
    assert [row[1] for row in seen.cells] == [None, 3.5, None]
    assert "2 cells hold an error" in seen.notes


def test_formula_without_computed_value(read: Callable, book: Path) -> None:
    save(book, ["Client", "Montant"], ["C1", "=SUM(1,2)"], ["C2", 3.5])
    [seen] = read(book)
    assert [row[1] for row in seen.cells] == [None, 3.5]
    assert "1 formula has no computed value" in seen.notes


def test_dates_from_1904(read: Callable, book: Path) -> None:
    made = openpyxl.Workbook()
    made.epoch = CALENDAR_MAC_1904
    sheet = made.active
    assert sheet is not None
    sheet.append(["Client", "Date"])
    sheet.append(["C1", dt.datetime(2024, 3, 12)])
    made.save(book)
    assert read(book)[0].cells == [("C1", dt.datetime(2024, 3, 12))]


def test_table_that_does_not_begin_at_the_corner(read: Callable, book: Path) -> None:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    for at, row in enumerate([HEADERS, order(1), order(2)]):
        for column, cell in enumerate(row):
            sheet.cell(at + 4, column + 3, cell)
    sheet["C1"] = "Ventes du mois"
    made.save(book)
    [seen] = read(book)
    assert seen.headers == HEADERS
    assert seen.lines == [5, 6]


def test_two_tables_one_below_the_other(read: Callable, book: Path) -> None:
    save(book, HEADERS, order(1), order(2), [], ["Produit", "Ventes"], ["Rose", 3], ["Lys", 4])
    first, second = read(book)
    assert (first.headers, first.lines) == (HEADERS, [2, 3])
    assert (second.headers, second.lines) == (["Produit", "Ventes"], [6, 7])


def test_two_tables_side_by_side(read: Callable, book: Path) -> None:
    save(
        book,
        ["Client", "Montant", None, "Produit", "Ventes"],
        ["C1", 12, None, "Rose", 3],
        ["C2", 13, None, None, None],
        ["C3", 14, None, None, None],
    )
    first, second = read(book)
    assert first.cells == [("C1", 12), ("C2", 13), ("C3", 14)]
    assert second.cells == [("Rose", 3)]


def test_total_and_blank_rows(read: Callable, book: Path) -> None:
    save(book, HEADERS, order(1), [], order(2), ["Total", None, 37.5])
    [seen] = read(book)
    assert seen.lines == [2, 4]
    assert "Line 5 is a total" in seen.notes
    assert "1 empty line" in seen.notes


def test_zeros_are_no_blank_row(read: Callable, book: Path) -> None:
    save(book, ["a", "b"], [0, 0], [0, 1])
    assert read(book)[0].cells == [(0, 0), (0, 1)]


def test_cell_at_the_end_of_the_world(read: Callable, book: Path) -> None:
    made = save(book, HEADERS, order(1))
    made["Ventes"]["XFD1048576"] = "x"
    made.save(book)
    with pytest.raises(InputError, match="cannot be held"):
        read(book)


def test_fifty_columns_are_nothing_special(read: Callable, book: Path) -> None:
    save(book, [f"h{i}" for i in range(50)], list(range(50)))
    assert read(book)[0].cells == [tuple(range(50))]


@pytest.mark.parametrize("gap", [0, 1])
@pytest.mark.parametrize(
    "title",
    [
        [["Ventes du magasin"], ["Période : janvier 2024"]],
        [["Ventes", "Tours"], ["Période", "janvier 2024"]],
        [["Ventes du magasin"], [], ["Période : janvier 2024"]],
    ],
)
def test_a_title_and_a_period_above_the_table_are_no_table(
    read: Callable, book: Path, title: list[list[str]], gap: int
) -> None:
    sheet = openpyxl.Workbook()
    page = sheet.active
    page.append([])
    rows = [*title, *([[]] * gap), ["commande", "client", "date", "montant"],
            ["A1", "C1", "2024-01-02", 5], ["A2", "C2", "2024-01-03", 6]]  # fmt: skip
    for line, row in enumerate(rows, 1):
        for column, cell in enumerate(row, 1):
            page.cell(line, column, cell)
        if len(row) == 1:
            page.merge_cells(start_row=line, end_row=line, start_column=1, end_column=4)
    sheet.save(book)
    (seen,) = read(book)
    assert seen.headers == ["commande", "client", "date", "montant"]
    assert len(seen.lines) == 2
    assert "2 lines above the table were left out." in seen.notes


def test_a_narrow_table_above_another_one_stays_a_table(read: Callable, book: Path) -> None:
    sheet = openpyxl.Workbook()
    for row in (["e-mail"], ["a@b.fr"], [], ["commande", "client", "date", "montant"],
                ["A1", "C1", "2024-01-02", 5], ["A2", "C2", "2024-01-03", 6]):  # fmt: skip
        sheet.active.append(row)
    sheet.save(book)
    assert [seen.headers[0] for seen in read(book)] == ["e-mail", "commande"]
