"""Files, spreadsheets and databases, brought into the canonical tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from revoir.language import Message
from revoir.reading.mapping import Mapping
from revoir.reading.report import FileReport, Quarantined, Reading, Unrecognised

if TYPE_CHECKING:
    import duckdb

__all__ = ["FileReport", "Mapping", "Quarantined", "Reading", "Unrecognised", "read_tables"]


def read_tables(
    locations: str | Path | Sequence[str | Path],
    *,
    mapping: Mapping | Path | str | None = None,
    connection: duckdb.DuckDBPyConnection | None = None,
    timezone: str | None = None,
    currency: str | None = None,
    sheet: str | None = None,
    today: dt.date | None = None,
    progress: Callable[[Message], None] | None = None,
) -> Reading:
    """Read files and bring them into the canonical tables, every row checked.

    Args:
        locations: A file, folder, pattern or database URL, or several.
        mapping: What columns mean, where that is known already; a path is a mapping file.
        connection: The DuckDB connection to read into (None: one in memory).
        timezone: IANA zone whose calendar days count, and of times without zone
            (None: the mapping's, else Europe/Paris).
        currency: ISO 4217 code of amounts that carry none.
        sheet: The only sheet of workbooks that is wanted.
        today: Orders dated after the day after it are mistakes (None: only past the year 2100).
        progress: Told what is being done.

    Returns:
        The tables on one Ibis backend, and what became of every file.

    Raises:
        Unrecognised: No file holds anything that is known.
        InputError: A location cannot be used.
        UsageError: The mapping or an option makes no sense.
    """
    from revoir.reading.assemble import assemble

    held = [locations] if isinstance(locations, str | Path) else list(locations)
    return assemble(
        held, mapping=mapping, connection=connection, zone=timezone, currency=currency,
        sheet=sheet, today=today, progress=progress,
    )  # fmt: skip
