"""Read a file in one line and look at its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from revoir.reading.raw import RawTable
from revoir.reading.sources import raw_tables


@dataclass
class Seen:
    """A raw table with its cells."""

    table: RawTable
    lines: list[int]
    cells: list[tuple[Any, ...]]

    @property
    def headers(self) -> list[str]:
        return self.table.headers

    @property
    def notes(self) -> str:
        return " ".join(note.text("en") for note in self.table.notes)

    @property
    def rejects(self) -> list[tuple[int, str]]:
        return [(reject.line, reject.reason.text("en")) for reject in self.table.rejects]


Read = Callable[..., list[Seen]]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def read(connection: duckdb.DuckDBPyConnection) -> Read:
    """Read locations; every table keeps the sum of its rows."""

    def read_all(*locations: str | Path, **options: Any) -> list[Seen]:
        seen = []
        for table in raw_tables(locations, connection, **options):
            rows = connection.execute(f"from {table.relation} order by _line").fetchall()
            columns = connection.execute(f"describe {table.relation}").fetchall()
            assert [column[0] for column in columns] == ["_line", *table.columns]
            assert [column[1] for column in columns] == ["BIGINT", *table.types]
            assert len(table.headers) == len(table.columns)
            assert table.rows_in == len(rows) + len(table.rejects)
            for note in table.notes:
                assert note.text("en")
                assert note.text("fr")
            seen.append(Seen(table, [row[0] for row in rows], [row[1:] for row in rows]))
        return seen

    return read_all


@pytest.fixture
def csv(read: Read, tmp_path: Path) -> Callable[..., Seen]:
    """Read bytes or text as one table of a file."""

    def read_csv(content: str | bytes, name: str = "ventes.csv", **options: Any) -> Seen:
        path = tmp_path / name
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(data)
        seen = read(path, **options)
        assert len(seen) == 1
        return seen[0]

    return read_csv
