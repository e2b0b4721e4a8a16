"""Reading a small file written on the spot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from revoir.reading import Reading, read_tables

Read = Callable[..., Reading]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write texts to files of those names, and read them."""

    def reader(text: str | dict[str, str], **options: Any) -> Reading:
        texts = text if isinstance(text, dict) else {"file.csv": text}
        for name, held in texts.items():
            (tmp_path / name).write_text(held, encoding="utf-8", newline="")
        options.setdefault("today", dt.date(2026, 6, 1))
        reading = read_tables([tmp_path / name for name in texts], **options)
        for file in reading.files:
            assert file.rows_in == (
                file.rows_accepted + file.rows_quarantined + file.rows_duplicate
            )
            assert len(list(file.all_quarantined())) == file.rows_quarantined
        return reading

    return reader


@pytest.fixture
def rows() -> Callable[[Reading, str], list[dict[str, Any]]]:
    """The rows of a canonical table."""

    def held(reading: Reading, table: str) -> list[dict[str, Any]]:
        return reading.tables[table].to_pyarrow().to_pylist()

    return held


@pytest.fixture
def column(rows: Callable[[Reading, str], list[dict[str, Any]]]) -> Callable[..., list[Any]]:
    """One column of a canonical table, in the order of the file."""

    def held(reading: Reading, table: str, name: str) -> list[Any]:
        return [row[name] for row in rows(reading, table)]

    return held


def told(reading: Reading, language: str = "en") -> str:
    """Everything that is said of a reading, in one text."""
    notes = [note for file in reading.files for note in file.notes] + reading.notes
    reasons = [
        message for file in reading.files for row in file.quarantine
        for message in (row.reason, row.remedy)
    ]  # fmt: skip
    return "\n".join(note.text(language) for note in [*notes, *reasons])
