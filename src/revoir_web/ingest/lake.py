"""The company's lake, as imports and events write to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from revoir_web.ingest import sql

if TYPE_CHECKING:
    import duckdb

    from revoir.store import Lake

_STORES = ("AWS_", "AZURE_", "GOOGLE_")
INBOX = "inbox"
"""Who brings waiting events into the lake does it alone; asked for before `LOCK`."""
LOCK = "lake"
"""Who compares rows with the lake and then writes does it alone (see `common.locks.only_one`)."""


def lake() -> Lake:
    """Open the lake; the first to come makes it."""
    from revoir.store import Lake

    options = {name: text for name, text in os.environ.items() if name.startswith(_STORES)}
    found = Lake.create(settings.LAKE, options if "://" in str(settings.LAKE) else None)
    # Of an order more may be given back than it came to; a return has `returned.MARK` in its key.
    found.returns_numbered = True
    return found


def tables_of(store: Lake, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The tables of the lake as SQL that a connection understands."""
    import ibis

    backend: Any = ibis.duckdb.from_connection(connection)
    return {name: f"({backend.compile(table)})" for name, table in store.tables(backend).items()}


@contextmanager
def queried() -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, str]]]:
    """A connection that reads the lake as it is now, and its tables as SQL."""
    with closing(sql.connect(Path(settings.DATA) / "imports" / "spill")) as connection:
        yield connection, tables_of(lake(), connection)
