"""bad-inputs.md, "File": each gets the right reading or a clear message."""

from __future__ import annotations

import gzip
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from revoir.errors import InputError, UsageError
from revoir.reading import sources

CLIENTS = "Client;Prénom;Ville;Montant\nC1;Hélène;Orléans;12,50\nC2;Françoise;Nîmes;7,00\n"
ROWS = [("C1", "Hélène", "Orléans", "12,50"), ("C2", "Françoise", "Nîmes", "7,00")]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"  \r\n", b"\0\0\0"])
def test_empty(csv: Callable, content: bytes) -> None:
    with pytest.raises(InputError, match="empty"):
        csv(content)


def test_header_only(csv: Callable) -> None:
    seen = csv("Client;Date;Montant\n")
    assert seen.headers == ["Client", "Date", "Montant"]
    assert seen.cells == []
    assert seen.table.rows_in == 0


def test_no_header(csv: Callable) -> None:
    seen = csv("C1;2024-01-03;12,50\nC2;2024-02-04;7,00\n")
    assert not seen.table.has_header
    assert seen.headers == ["", "", ""]
    assert seen.lines == [1, 2]
    assert "no header" in seen.notes


def test_header_said_by_the_user(csv: Callable) -> None:
    assert csv("1;2\n3;4\n", header=True).headers == ["1", "2"]
    assert csv("Client;Montant\nC1;4\n", header=False).lines == [1, 2]


def test_two_header_rows(csv: Callable) -> None:
    groups = csv(
        "Client;;Commande;\nNom;Ville;Date;Montant\n"
        "Durand;Tours;2024-01-03;12\nPetit;Blois;2024-01-04;13\n"
    )
    assert groups.headers == ["Nom", "Ville", "Date", "Montant"]
    assert groups.lines == [3, 4]
    units = csv("Client;Date;Montant\ntexte;jj/mm/aaaa;euros\nC1;03/01/2024;12\nC2;04/01/2024;13\n")
    assert units.headers == ["Client", "Date", "Montant"]
    assert units.lines == [3, 4]
    assert "Two header rows" in units.notes
    twice = csv("Client;Date;Montant\nClient;Date;Montant\nC1;03/01/2024;12\n")
    assert twice.cells == [("C1", "03/01/2024", "12")]


def test_group_row_tells_equal_headers_apart(csv: Callable) -> None:
    seen = csv("Client;;Produit;\nNom;Ville;Nom;Prix\nDurand;Tours;Rose;12\nPetit;Blois;Lys;13\n")
    assert seen.headers == ["Client Nom", "Ville", "Produit Nom", "Prix"]


def test_preamble_above_the_header(csv: Callable) -> None:
    seen = csv(
        "Export des ventes\nPériode : 2024\n\nClient;Date;Montant;Ville\n"
        "C1;2024-01-03;12;Tours\nC2;2024-01-04;13;Blois\n"
    )
    assert seen.headers == ["Client", "Date", "Montant", "Ville"]
    assert seen.lines == [5, 6]
    assert "2 lines above" in seen.notes
    assert seen.table.rejects == []


def test_padded_preamble(csv: Callable) -> None:
    seen = csv(
        "Ventes;;;\nSociété;Jardins;;\n;;;\nClient;Date;Montant;Ville\nC1;2024-01-03;12;Tours\n"
    )
    assert (seen.headers[0], seen.lines) == ("Client", [5])


def test_two_tables_in_one_file(read: Callable, tmp_path: Path) -> None:
    path = tmp_path / "deux.csv"
    path.write_text(
        "Client;Date;Montant\nC1;2024-01-03;12\nC2;2024-01-04;13\n\nProduit;Ventes\nRose;3\nLys;4\n"
    )
    first, second = read(path)
    assert (first.headers, first.lines) == (["Client", "Date", "Montant"], [2, 3])
    assert (second.headers, second.lines) == (["Produit", "Ventes"], [6, 7])
    padded = tmp_path / "padded.csv"
    padded.write_text(
        "Client;Date;Montant\nC1;2024-01-03;12\nC2;2024-01-04;13\n;;\n"
        "Produit;Ventes;\nRose;3;\nLys;4;\n"
    )
    first, second = read(padded)
    assert (first.lines, second.lines) == ([2, 3], [6, 7])


@pytest.mark.parametrize(
    "word", ["Total", "TOTAL GÉNÉRAL", "Totaux", "Grand total", "Sous-total :"]
)
def test_total_row_at_the_end(csv: Callable, word: str) -> None:
    seen = csv(f"Client;Date;Montant\nC1;2024-01-03;12\nC2;2024-01-04;13\n{word};;25\n")
    assert [row[0] for row in seen.cells] == ["C1", "C2"]
    assert "Line 4 is a total" in seen.notes
    assert seen.table.rows_in == 2


def test_a_sale_of_the_company_total_is_no_total(csv: Callable) -> None:
    """Sales of a customer called Total were left out at the end of a file."""
    text = (
        "client;date;vendeur;montant\nEDF;15/04/2025;Jean;50\nTotal;16/04/2025;;250\nTotal;;;300\n"
    )
    seen = csv(text)
    assert [row[3] for row in seen.cells] == ["50", "250"]
    assert "Line 4 is a total" in seen.notes
    assert "Line 3" not in seen.notes


def test_a_customer_called_total_is_no_total(csv: Callable) -> None:
    seen = csv("Client;Date;Montant\nC1;2024-01-03;12\nTotal Énergies;2024-01-04;13\n")
    assert len(seen.cells) == 2


@pytest.mark.parametrize(
    ("codec", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("cp1252", "windows-1252"),
        ("mac_roman", "mac-roman"),
        ("cp850", "cp850"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
    ],
)
def test_encodings(csv: Callable, codec: str, named: str) -> None:
    seen = csv(CLIENTS.encode(codec))
    assert seen.headers == ["Client", "Prénom", "Ville", "Montant"]
    assert seen.cells == ROWS
    assert seen.table.formats == {"delimiter": ";", "encoding": named}


def test_accents_far_below_the_first_lines(csv: Callable) -> None:
    text = "Client;Ville;Montant\n" + "C1;Paris;12\n" * 40_000 + "C2;Nîmes;13\n"
    seen = csv(text.encode("cp1252"))
    assert seen.cells[-1] == ("C2", "Nîmes", "13")
    assert seen.lines[-1] == 40_002


def test_utf_8_with_a_few_windows_bytes(csv: Callable) -> None:
    rows = [f"C{i};Hélène;Orléans;{i}" for i in range(20)]
    data = ("Client;Prénom;Ville;Montant\n" + "\n".join(rows) + "\n").encode()
    seen = csv(data + "C99;Zoé;Nîmes;3\n".encode("cp1252"))
    assert seen.cells[0][1:3] == ("Hélène", "Orléans")
    assert seen.cells[-1][1:3] == ("Zoé", "Nîmes")


def test_two_code_pages_in_one_file(csv: Callable) -> None:
    windows = "".join(f"{i};très déçu, même après\n" for i in range(9)).encode("cp1252")
    dos = "".join(f"{i};délai très long, à éviter\n" for i in range(9)).encode("cp850")
    seen = csv(b"nps;avis\n" + windows + dos)
    assert {row[1] for row in seen.cells} == {"très déçu, même après", "délai très long, à éviter"}


def test_encoding_said_by_the_user(csv: Callable) -> None:
    assert csv("Ville;n\nNîmes;1\n".encode("cp437"), encoding="cp437").cells == [("Nîmes", "1")]
    with pytest.raises(UsageError, match="no encoding"):
        csv("a;b\n1;2\n", encoding="klingon")


def test_encoded_twice(csv: Callable) -> None:
    twice = CLIENTS.encode().decode("cp1252").encode()
    seen = csv(twice)
    assert seen.headers[1] == "Prénom"
    assert seen.cells == ROWS
    assert "encoded twice" in seen.notes


def test_encoded_twice_here_and_there_stays(csv: Callable) -> None:
    seen = csv("Ville;n\nNÃ®mes;1\nOrléans;2\n")
    assert [row[0] for row in seen.cells] == ["NÃ®mes", "Orléans"]
    assert "nothing was changed" in seen.notes


def test_carriage_returns_only(csv: Callable) -> None:
    seen = csv(CLIENTS.replace("\n", "\r"))
    assert seen.cells == ROWS
    assert seen.lines == [2, 3]


def test_mixed_line_ends(csv: Callable) -> None:
    seen = csv("Client;Montant\r\nC1;12\nC2;13\rC3;14\r\n")
    assert [row[0] for row in seen.cells] == ["C1", "C2", "C3"]
    assert seen.lines == [2, 3, 4]


def test_nul_bytes(csv: Callable) -> None:
    seen = csv(b"Client;Ville;Montant\nC1;To\0urs;12\nC2;Blois;13\0\n")
    assert seen.cells == [("C1", "Tours", "12"), ("C2", "Blois", "13")]
    assert "NUL" in seen.notes


def test_cut_off_in_the_middle_of_a_row(csv: Callable) -> None:
    seen = csv("Client;Date;Montant\nC1;2024-01-03;12\nC2;2024-0")
    assert len(seen.cells) == 1
    assert seen.rejects == [(3, "The file breaks off in the middle of this row.")]
    assert seen.table.rejects[0].cells == ("C2", "2024-0")


def test_a_whole_last_row_without_line_end(csv: Callable) -> None:
    assert csv("Client;Montant\nC1;12\nC2;13").lines == [2, 3]


def test_web_page_named_csv(csv: Callable) -> None:
    page = (
        "<!DOCTYPE html>\n<html><body><table>\n<tr><th>Client</th><th>Montant</th></tr>\n"
        "<tr><td>D&eacute;sir&eacute;</td><td>12</td></tr>\n<tr><td>B</td><td>13</td></tr></table>"
    )
    seen = csv(page)
    assert seen.headers == ["Client", "Montant"]
    assert seen.cells == [("Désiré", "12"), ("B", "13")]
    assert seen.lines == [4, 5]
    with pytest.raises(InputError, match="web page"):
        csv("<html><body>Please sign in</body></html>")


def test_folder(read: Callable, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Client;Montant\nC1;1\n")
    (tmp_path / "b.csv").write_text("Client;Montant\nC2;2\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    (tmp_path / ".cache.csv").write_text("x;y\n1;2\n")
    seen = read(tmp_path)
    assert [one.table.file for one in seen] == ["a.csv", "b.csv"]
    assert "photo.png was left out" in seen[0].notes
    assert "empty.csv was left out" in seen[0].notes


def test_folder_without_tables(read: Callable, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file that can be read"):
        read(tmp_path)


def test_pattern(read: Callable, tmp_path: Path) -> None:
    for month in (1, 2):
        (tmp_path / f"2024-{month}.csv").write_text(f"Client;Montant\nC{month};1\n")
    assert [one.cells[0][0] for one in read(str(tmp_path / "2024-*.csv"))] == ["C1", "C2"]
    with pytest.raises(InputError, match="No file matches"):
        read(str(tmp_path / "*.parquet"))


def test_a_name_with_wildcards_is_a_name(read: Callable, tmp_path: Path) -> None:
    (tmp_path / "ventes[1]*.csv").write_text("Client;Montant\nC1;1\n")
    (tmp_path / "ventes1.csv").write_text("Client;Montant\nC2;1\n")
    assert read(tmp_path / "ventes[1]*.csv")[0].cells == [("C1", "1")]


def test_missing_path(read: Callable, tmp_path: Path) -> None:
    (tmp_path / "ventes.csv").write_text("a;b\n1;2\n")
    with pytest.raises(InputError, match="Did you mean “ventes") as error:
        read(tmp_path / "vente.csv")
    assert error.value.exit_code == 3


def test_no_right_to_read(csv: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "write_bytes", lambda *_: 0)
    monkeypatch.setattr(Path, "exists", lambda *_: True)
    with pytest.raises(InputError, match="may not read"):
        csv("a;b\n1;2\n")


def test_gzip(csv: Callable) -> None:
    seen = csv(gzip.compress(CLIENTS.encode("cp1252")), "ventes.csv.gz")
    assert seen.cells == ROWS
    assert seen.table.file == "ventes.csv.gz"


def test_gzip_cut_off(csv: Callable) -> None:
    with pytest.raises(InputError, match="damaged or cut off"):
        csv(gzip.compress(CLIENTS.encode() * 100)[:-20], "ventes.csv.gz")


def test_gzip_bomb(csv: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_RATIO_FROM", 1 << 20)
    with pytest.raises(InputError, match="unpacks to more than"):
        csv(gzip.compress(b"a;b\n" * 5_000_000), "ventes.csv.gz")


def test_zip_of_tables(read: Callable, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../clients.csv", CLIENTS)
        archive.writestr("readme.txt", "Bonjour")
    seen = read(path)
    assert [one.table.file for one in seen] == ["clients.csv"]
    assert seen[0].cells == ROWS
    assert not (tmp_path.parent.parent / "clients.csv").exists()


@pytest.mark.parametrize("magic", [b"%PDF-1.7", b"\x89PNG\r\n", b"Rar!\x1a"])
def test_files_of_another_kind(csv: Callable, magic: bytes) -> None:
    with pytest.raises(InputError, match="not a table"):
        csv(magic + b" rest of it")


def test_no_temporary_file_remains(
    csv: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    csv(CLIENTS.encode("utf-16"))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 20,
        b"\x7fELF\x02\x01\x01" + bytes(60) + b"\x03\x00>\x00\x01\x00" * 200,
        random.Random(1).randbytes(5_000),
    ],
)
def test_a_binary_file_is_no_text_whatever_its_name_says(csv: Callable, content: bytes) -> None:
    with pytest.raises(InputError, match="not a text file"):
        csv(content)


def test_a_text_with_a_few_control_characters_is_a_text(csv: Callable) -> None:
    seen = csv(b"nom;ville\n" + b"Zo\xe9\x01 de la Motte;Tours-sur-Marne\x00\x00\n" * 50)
    assert len(seen.lines) == 50
