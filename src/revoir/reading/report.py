"""What reading a file came to: rows in, accepted, quarantined and duplicate, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from revoir.errors import InputError, Where
from revoir.language import Message
from revoir.reading.mapping import ColumnMapping, Mapping

if TYPE_CHECKING:
    import ibis.expr.types as ir

SHOWN_MAX = 100
"""How many quarantined rows a report lists; all of them go to the quarantine file."""


@dataclass(frozen=True)
class Quarantined:
    """A row that was not accepted.

    Attributes:
        line: Its line in the file, from 1.
        column: The header of the cell at fault, where there is one.
        value: The cell at fault as the file writes it.
        reason: What is wrong.
        remedy: How to mend it.
        cells: The whole row.
    """

    line: int
    column: str | None
    value: str | None
    reason: Message
    remedy: Message
    cells: tuple[str | None, ...] = ()

    def told(self, language: str = "en") -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "line": self.line,
            "column": self.column,
            "value": self.value,
            "reason": self.reason.text(language),
            "remedy": self.remedy.text(language),
        }


@dataclass
class FileReport:
    """What became of one file or sheet; rows in = accepted + quarantined + duplicate.

    Attributes:
        file: Its name.
        sheet: The sheet of a workbook.
        table: The canonical table it was recognised as (None: it was not).
        confidence: How sure that is, 0 to 1.
        why: Why it was taken for that.
        headers: Its headers.
        rows_in: Rows of data in the file.
        rows_accepted: Rows that are in the tables.
        rows_quarantined: Rows that are not, each with its reason.
        rows_duplicate: Rows that repeat another one.
        rows_unread: Rows of a file that was not recognised: none of them was looked at.
        mapping: What each column means.
        notes: What was decided on the way.
        cells_max: How many cells the longest quarantined row has; more than headers where a row
            has too many.
        all_quarantined: Walks all quarantined rows.
    """

    file: str
    sheet: str | None
    table: str | None
    confidence: float
    why: Message
    headers: list[str]
    rows_in: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_duplicate: int = 0
    rows_unread: int = 0
    mapping: tuple[ColumnMapping, ...] = ()
    notes: list[Message] = field(default_factory=list)
    cells_max: int = 0
    all_quarantined: Callable[[], Iterator[Quarantined]] = lambda: iter(())

    @property
    def quarantine(self) -> list[Quarantined]:
        """The first quarantined rows, at most `SHOWN_MAX`."""
        shown: list[Quarantined] = []
        for row in self.all_quarantined():
            if len(shown) == SHOWN_MAX:
                break
            shown.append(row)
        return shown

    def told(self, language: str = "en") -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "file": self.file,
            "sheet": self.sheet,
            "table": self.table,
            "confidence": self.confidence,
            "why": self.why.text(language),
            "rows_in": self.rows_in,
            "rows_accepted": self.rows_accepted,
            "rows_quarantined": self.rows_quarantined,
            "rows_duplicate": self.rows_duplicate,
            "mapping": [_column_told(column, language) for column in self.mapping],
            "notes": [note.text(language) for note in self.notes],
            "quarantine": [row.told(language) for row in self.quarantine],
        }


class Unrecognised(InputError):
    """No file holds anything that is known.

    Args:
        what: What happened.
        files: The files, none of them with a table.
        where: The first of them.
        remedy: How to mend it.
    """

    def __init__(
        self, what: Message, files: list[FileReport], *, where: Where, remedy: Message
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.files = files


def _column_told(column: ColumnMapping, language: str) -> dict[str, Any]:
    return {
        "header": column.header,
        "target": column.target,
        "name": column.name,
        "confidence": column.confidence,
        "reason": column.reason.text(language),
        "format": column.format,
    }


@dataclass
class Reading:
    """Files brought into the canonical tables.

    Attributes:
        tables: The canonical tables by name, all on one Ibis DuckDB backend.
        files: What became of each file.
        notes: What was decided about the files together.
        currency: The one currency of all amounts (None: mixed or not known).
        mapping: What every column was taken for; written out, it answers next month's import.
    """

    tables: dict[str, ir.Table]
    files: list[FileReport]
    notes: list[Message]
    currency: str | None
    mapping: Mapping
    totals: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def rows_quarantined(self) -> int:
        """How many rows of all files were not accepted."""
        return sum(file.rows_quarantined for file in self.files)

    def told(self, language: str = "en") -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "files": [file.told(language) for file in self.files],
            "tables": self.totals,
            "notes": [note.text(language) for note in self.notes],
            "currency": self.currency,
        }
