"""Tables that Hypothesis makes come back cell for cell, and the sum of rows always holds."""

from __future__ import annotations

import contextlib
import csv
import io
import tempfile
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revoir.errors import InputError
from revoir.reading.sources import raw_tables

LETTERS = st.characters(
    codec="cp1252", exclude_characters="\x00\r\u00ad\ufeff", exclude_categories=["Cc"]
)
CELL = st.text(st.one_of(LETTERS, st.sampled_from(',;\t|"\n')), max_size=12)
SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def cells_of(
    data: bytes, suffix: str = ".csv", **options: object
) -> tuple[list[tuple[int, ...]], list[list[str]], int, int]:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / f"table{suffix}"
        path.write_bytes(data)
        lines, cells, rows_in, rejected = [], [], 0, 0
        for table in raw_tables([path], connection, **options):  # type: ignore[arg-type]
            rows = connection.execute(f"from {table.relation} order by _line").fetchall()
            lines += [row[0] for row in rows]
            cells += [[cell or "" for cell in row[1:]] for row in rows]
            rows_in += table.rows_in
            rejected += len(table.rejects)
            assert table.rows_in == len(rows) + len(table.rejects)
        return lines, cells, rows_in, rejected


@SETTINGS
@given(
    rows=st.integers(2, 5).flatmap(
        lambda width: st.lists(
            st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=12
        )
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n"]),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_every_cell_comes_back(
    rows: list[list[str]], delimiter: str, end: str, codec: str, quoting: int
) -> None:
    # An identifier of its own keeps a row from being blank, a total or a header.
    rows = [[f"id-{i}", *row] for i, row in enumerate(rows)]
    header = ["customer", *(f"column {i}" for i in range(len(rows[0]) - 1))]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    places = []
    writer.writerow(header)
    for row in rows:
        places.append(out.getvalue().count("\n") + 1)
        writer.writerow(row)
    lines, cells, rows_in, rejected = cells_of(
        out.getvalue().encode(codec), header=True, delimiter=delimiter
    )
    assert cells == rows
    assert lines == places
    assert (rows_in, rejected) == (len(rows), 0)


@SETTINGS
@given(
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    codec=st.sampled_from(["utf-8", "cp1252", "mac_roman", "utf-16"]),
    rows=st.lists(
        st.tuples(
            st.sampled_from(["Hélène", "François", "Zoë", "Noël", "Agnès", "Jérôme"]),
            st.sampled_from(["Orléans", "Nîmes", "Besançon", "Saint-Étienne"]),
            st.decimals(0, 999, places=2).map(str),
            st.dates().map(str),
        ),
        min_size=3,
        max_size=30,
    ),
)
def test_delimiter_header_and_encoding_are_found(
    delimiter: str, codec: str, rows: list[tuple[str, ...]]
) -> None:
    text = delimiter.join(["Prénom", "Ville", "Montant", "Date"]) + "\n"
    text += "".join(delimiter.join(row) + "\n" for row in rows)
    lines, cells, _, _ = cells_of(text.encode(codec))
    assert cells == [list(row) for row in rows]
    assert lines == list(range(2, len(rows) + 2))


@SETTINGS
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(st.sampled_from('a1é,;"\n\r\t \\|{}[]<\x00'), max_size=200).map(str.encode),
    ),
    st.sampled_from([".csv", ".json", ".jsonl", ".xlsx", ".parquet", ".html"]),
)
def test_no_file_breaks_the_reader(data: bytes, suffix: str) -> None:
    with contextlib.suppress(InputError):
        cells_of(data, suffix)


@SETTINGS
@given(
    st.lists(
        st.sampled_from(
            [
                "C1;2024-01-03;12",
                'C2;"2024-01-04";13',
                "C3;2024",
                "C4;a;b;c;d",
                'C5;"open;3',
                'C6;"x"y;4',
                "",
                ";;",
                "Total;;25",
                "client;date;montant",
                "C7,2024-01-05,14",
                'C8;"two\nlines";5',
                "C9;2024-01-06;7;;",
            ]
        ),
        max_size=25,
    )
)
def test_each_row_is_read_or_told(rows: list[str]) -> None:
    text = "client;date;montant\nA1;2024-01-01;1\nA2;2024-01-02;2\n" + "\n".join(rows) + "\n"
    lines, _, rows_in, rejected = cells_of(text.encode())
    assert rows_in == len(lines) + rejected
    assert len(set(lines)) == len(lines)
    assert rows_in >= 2
