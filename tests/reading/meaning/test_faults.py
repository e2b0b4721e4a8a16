"""Files of mixed faults: whatever is wrong with the bytes, the sum of rows holds."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revoir.errors import RevoirError
from revoir.reading import quarantine, read_tables

_EXAMPLES = int(os.environ.get("REVOIR_FAULTS", "40"))
"""How many files are made; a thorough run takes thousands."""

_KINDS = {
    "orders": ["Réf.", "client", "e-mail", "date", "montant", "statut"],
    "lines": ["N°", "client", "date", "produit", "quantité", "prix unitaire", "ville"],
    "subscriptions": ["client", "abonnement", "début", "fin", "mensuel", "e-mail"],
    "responses": ["id", "nps", "commentaire", "date", "magasin"],
    "events": ["e-mail", "événement", "horodatage", "session", "nom", "ville"],
    "customers": ["n° client", "nom", "prénom", "courriel", "tél", "code postal", "newsletter"],
}
_GOOD = {
    "date": ["13/01/2024", "03/04/2024", "10/17/2024", "2024-03-31 02:30", "27/10/2024 02:30",
             "15 févr. 2024", "45337", "1710000000", "31/02/2024", "0000-00-00", "2999-01-01"],
    "number": ["12,50", "1 234,56", "1.234", "1,234.56", "(12,50)", "12,50 €", "NaN", "1e309", "-3",
               "0", "1,5", "9" * 50, "10", "7", "3"],
    "email": ["a@b.fr", "A@B.fr ", "a@b.fr;c@d.fr", "mıke@x.fr", "N/A", "x" * 330 + "@b.fr"],
    "text": ["C1", "C2", "C3", "O'Brien", "Null", "néant", "-", "=1+1", "\t=1", "🎉", "e\u0301",
             "\u200b", "oui", "X", "Pro", "Basic", "AB12", "achat", "a\nb", 'sa"uf', "01000",
             "06 12 34 56 78", "annulé", "x;y", "total"],
}  # fmt: skip
_BY_HEADER = {
    "date": "date", "début": "date", "fin": "date", "horodatage": "date", "montant": "number",
    "quantité": "number", "prix unitaire": "number", "mensuel": "number", "nps": "number",
    "e-mail": "email", "courriel": "email",
}  # fmt: skip
_CODECS = ["utf-8", "utf-8-sig", "cp1252", "mac_roman", "utf-16", "utf-16-le", "cp850"]


def _cell(draw: st.DrawFn, header: str) -> str:
    kind = _BY_HEADER.get(header, "text")
    pick = st.sampled_from(_GOOD[kind])
    wrong = st.sampled_from([cell for cells in _GOOD.values() for cell in cells] + [""])
    return draw(st.one_of(pick, pick, pick, wrong))


def _told(error: RevoirError) -> None:
    assert error.text("fr")
    assert error.text("en")


@st.composite
def _files(draw: st.DrawFn) -> bytes:
    headers = _KINDS[draw(st.sampled_from(sorted(_KINDS)))]
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    rows = [[_cell(draw, h) for h in headers] for _ in range(draw(st.integers(0, 12)))]
    lines = [delimiter.join(_quoted(cell, delimiter) for cell in row) for row in [headers, *rows]]
    for fault in draw(st.lists(st.sampled_from(sorted(_FAULTS)), max_size=3)):
        place = draw(st.integers(0, len(lines) - 1))
        lines = _FAULTS[fault](lines, place, delimiter)
    text = end.join(lines) + draw(st.sampled_from(["", end, end * 2]))
    data = text.encode(draw(st.sampled_from(_CODECS)), "replace")
    if draw(st.integers(0, 9)) == 0:
        data = data[: draw(st.integers(0, len(data)))]
    if draw(st.integers(0, 9)) == 0:
        place = draw(st.integers(0, len(data)))
        data = data[:place] + draw(st.binary(max_size=6)) + data[place:]
    return data


def _quoted(cell: str, delimiter: str) -> str:
    if delimiter in cell or '"' in cell or "\n" in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


_FAULTS = {
    "no header": lambda lines, _, __: lines[1:] or lines,
    "two headers": lambda lines, _, __: [lines[0], *lines],
    "preamble": lambda lines, _, __: ["Ventes du magasin", "Période : janvier", "", *lines],
    "two tables": lambda lines, _, d: [*lines, "", d.join(["produit", "stock"]), d.join("ab")],
    "total": lambda lines, _, d: [*lines, d.join(["Total", *["12"] * lines[0].count(d)])],
    "blank": lambda lines, n, _: [*lines[:n], "", *lines[n:]],
    "too many": lambda lines, n, d: [*lines[:n], lines[n] + d + "x" + d + "y", *lines[n + 1 :]],
    "too few": lambda lines, n, d: [*lines[:n], lines[n].rpartition(d)[0], *lines[n + 1 :]],
    "stray quote": lambda lines, n, d: [*lines[:n], lines[n] + d + 'a"b', *lines[n + 1 :]],
    "open quote": lambda lines, n, _: [*lines[:n], '"' + lines[n], *lines[n + 1 :]],
    "twice": lambda lines, n, _: [*lines, lines[n]],
    "same header": lambda lines, _, d: [lines[0] + d + lines[0].split(d)[0], *lines[1:]],
    "blank header": lambda lines, _, d: [d.join(["", *lines[0].split(d)[1:]]), *lines[1:]],
    "no-break space": lambda lines, n, _: [*lines[:n], "\u00a0" + lines[n], *lines[n + 1 :]],
    "nul": lambda lines, n, _: [*lines[:n], "\0" + lines[n], *lines[n + 1 :]],
    "long cell": lambda lines, n, _: [*lines[:n], "z" * 5000 + lines[n], *lines[n + 1 :]],
    "other delimiter": lambda lines, n, d: [
        *lines[:n], lines[n].replace(d, "," if d == ";" else ";"), *lines[n + 1 :]
    ],
    "ids": lambda lines, _, d: [f"1{d}{line}" for line in lines],
}  # fmt: skip


@settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(_files())
def test_the_sum_of_rows_holds_whatever_is_wrong(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fichier.csv"
        path.write_bytes(data)
        try:
            reading = read_tables(path, today=dt.date(2026, 1, 1))
        except RevoirError as error:
            _told(error)
            return
        for file in reading.files:
            if file.table is None:
                continue
            assert file.rows_in == file.rows_accepted + file.rows_quarantined + file.rows_duplicate
            held = list(file.all_quarantined())
            assert len(held) == file.rows_quarantined
            for row in held:
                assert row.line >= 1
                assert row.reason.text("fr")
                assert row.remedy.text("en")
            for note in file.notes:
                assert note.text("fr")
        written = quarantine.write(reading.files, Path(folder) / "bad.csv", "fr")
        assert sum(written.values()) == reading.rows_quarantined
        for table in reading.tables.values():
            table.to_pyarrow()
