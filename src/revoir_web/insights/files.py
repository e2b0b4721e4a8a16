"""Reports and rows behind figures as files: made by the worker, kept for some days."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from revoir.files import whole

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from revoir.book import Book

KINDS = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
"""What a report can be, and what a browser or a program is told of it."""
KEPT_DAYS = 7


def path_of(number: str, form: str) -> Path:
    """Where the report of a job lies."""
    if form not in KINDS or not number.isalnum():
        raise ValueError(form)
    return Path(settings.MEDIA_ROOT) / "reports" / f"{number}.{form}"


def rows_of(number: str) -> Path:
    """Where rows lie: those behind a figure, or the customers of a segment."""
    if not number.isalnum():
        raise ValueError(number)
    return Path(settings.MEDIA_ROOT) / "reports" / f"{number}.parquet"


def write_rows(book: Book, table: ir.Table) -> tuple[str, int]:
    """Write all rows of a table to a file, however many they are.

    Args:
        book: Whose engine writes them.
        table: The rows, in their order.

    Returns:
        The number that `rows_of` finds the file by, and how many rows it has.
    """
    number = uuid.uuid4().hex
    path = rows_of(number)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with whole(path) as draft:
        target = str(draft).replace("'", "''")
        book.backend._run_pre_execute_hooks(table)
        written = book.backend.con.execute(
            f"COPY ({book.backend.compile(table)}) TO '{target}' (FORMAT parquet)"
        ).fetchall()
    sweep()
    return number, int(written[0][0])


def sweep() -> int:
    """Remove reports that are some days old."""
    folder = Path(settings.MEDIA_ROOT) / "reports"
    old = [
        path
        for path in folder.glob("*.*")
        if path.stat().st_mtime < time.time() - KEPT_DAYS * 86_400
    ]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
