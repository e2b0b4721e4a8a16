"""Reports and rows behind figures as files: made by the worker, kept for some days."""

from __future__ import annotations

import time
from pathlib import Path

from django.conf import settings

KINDS = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""What a report can be, and what a browser is told of it."""
KEPT_DAYS = 7


def path_of(number: str, form: str) -> Path:
    """Where the report of a job lies."""
    if form not in KINDS or not number.isalnum():
        raise ValueError(form)
    return Path(settings.MEDIA_ROOT) / "reports" / f"{number}.{form}"


def rows_of(number: str) -> Path:
    """Where rows behind a figure lie."""
    if not number.isalnum():
        raise ValueError(number)
    return Path(settings.MEDIA_ROOT) / "reports" / f"{number}.parquet"


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
