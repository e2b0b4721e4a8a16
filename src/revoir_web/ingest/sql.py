"""Words of DuckDB's SQL, quoted: headers of files are hostile."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def name(text: str) -> str:
    """Quote a name.

    Examples:
        >>> name('a"b')
        '"a""b"'
    """
    return '"' + text.replace('"', '""') + '"'


def text(value: str) -> str:
    """Quote a text.

    Examples:
        >>> text("l'eau")
        "'l''eau'"
    """
    return "'" + value.replace("'", "''") + "'"


def names(columns: Iterable[str], of: str = "") -> str:
    """Quoted names with commas, each of a relation where one is given."""
    return ", ".join(f"{of}{name(column)}" for column in columns)


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """DuckDB in memory, that spills into a folder and leaves memory for the other processes.

    Args:
        folder: Where it may spill.
    """
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute(f"SET temp_directory = {text(str(folder))}")
    connection.execute("SET memory_limit = '2GB'")
    connection.execute("SET threads = 2")
    return connection


def columns_of(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """The columns of a relation and their types, in order."""
    found = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return {row[0]: row[1] for row in found}
