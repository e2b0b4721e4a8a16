"""What every reader is given: the connection, a folder for temporary files, the user's word."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revoir.engines.sql import identifier
from revoir.language import Message

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


@dataclass
class Scratch:
    """The means of one call of `raw_tables`.

    Attributes:
        connection: The DuckDB connection that receives the cells.
        folder: Folder for temporary files; it goes when the call ends.
        sheet: The only sheet wanted.
        header: Whether files have a header row; None: look.
        delimiter: What separates the cells of text files; None: look.
        encoding: Encoding of text files; None: look.
        progress: Told what is being read.
    """

    connection: duckdb.DuckDBPyConnection
    folder: Path
    sheet: str | None = None
    header: bool | None = None
    delimiter: str | None = None
    encoding: str | None = None
    progress: Callable[[Message], None] | None = None
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def file(self, suffix: str) -> Path:
        """A path in the temporary folder that nobody uses yet."""
        return self.folder / f"{next(self._numbers)}{suffix}"

    def name(self) -> str:
        """A name that no table or view of the connection has."""
        taken = {
            row[0]
            for row in self.connection.execute(
                "select table_name from duckdb_tables() union all select view_name from"
                " duckdb_views() where not internal"
            ).fetchall()
        }
        return next(name for number in itertools.count(1) if (name := f"raw_{number}") not in taken)

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows that a query answers."""
        return self.connection.execute(sql, parameters or []).fetchall()

    def value(self, sql: str) -> Any:
        """The one value that a query answers."""
        return self.rows(sql)[0][0]

    def insert(self, table: str, batch: pa.Table) -> None:
        """Append an Arrow table to a DuckDB table, creating it from the first batch.

        Args:
            table: Plain name of the table.
            batch: Rows with the columns of the table.
        """
        handle = f"{table}_batch"
        self.connection.register(handle, batch)
        try:
            exists = self.rows("select 1 from duckdb_tables() where table_name = ?", [table])
            verb = "insert into" if exists else "create table"
            glue = "" if exists else " as"
            self.connection.execute(
                f"{verb} {identifier(table)}{glue} select * from {identifier(handle)}"
            )
        finally:
            self.connection.unregister(handle)

    def say(self, message: Message) -> None:
        """Tell the user what is being done."""
        if self.progress:
            self.progress(message)
