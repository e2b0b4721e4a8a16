"""A raw table: the cells of one file or sheet, before anybody says what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field

from revoir.errors import Where
from revoir.language import Message


@dataclass(frozen=True)
class Reject:
    """A row whose very shape is broken (too many cells, an unclosed quote, …).

    Attributes:
        line: Its line in the file, from 1.
        cells: Its cells as far as they could be told apart.
        reason: What is wrong.
        remedy: How to mend it.
        column: The header of the cell at fault, where there is one.
        value: The cell at fault.
    """

    line: int
    cells: tuple[str, ...]
    reason: Message
    remedy: Message
    column: str | None = None
    value: str | None = None


@dataclass
class RawTable:
    """The cells of one file or sheet, as a relation of the DuckDB connection that reads.

    Attributes:
        file: Name of the file (or the URL without its password), for messages.
        sheet: Sheet of a workbook.
        relation: Quoted name of a DuckDB table or view. Its columns: ``_line`` (BIGINT, the
            row's line in the file from 1, as an editor or spreadsheet counts) and one per
            entry of `columns`.
        columns: Names of the relation's columns: ``c0``, ``c1``, …
        headers: What the file calls them (``""`` for a blank header), same length.
        types: Their DuckDB types, same length: ``VARCHAR`` from text files and from spreadsheet
            columns that mix types; the file's own type where it has one (Parquet, SQL, clean
            spreadsheet columns).
        has_header: Whether the file had a header row; without one, `headers` are all ``""``.
        rows_in: Rows of data in the file, rejected ones included, empty lines and total rows
            left out (and said in `notes`).
        rejects: The rows that are not in the relation.
        notes: What was decided on the way: encoding, delimiter, skipped preamble, total row, …
        formats: Facts about the file that the mapping file keeps (``delimiter``, ``encoding``, …).
    """

    file: str
    relation: str
    columns: list[str]
    headers: list[str]
    types: list[str]
    has_header: bool
    rows_in: int
    sheet: str | None = None
    rejects: list[Reject] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)
    formats: dict[str, str] = field(default_factory=dict)

    def where(self, line: int | None = None, column: str | None = None) -> Where:
        """The place of a line or column of this table."""
        return Where(file=self.file, sheet=self.sheet, line=line, column=column)
