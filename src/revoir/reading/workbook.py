"""What a workbook's container says before anybody opens it: size, traps, hidden rows, formulas."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from revoir.errors import InputError, Where
from revoir.language import Message, msg, nmsg

SIZE_LIMIT = 1 << 30
"""Bytes that the parts of a workbook may unpack to."""

CELLS_LIMIT = 100_000_000
"""Cells between A1 and the last filled cell of a sheet."""

_CHUNK = 1 << 20
_LARGE = 4 << 20
"""Bytes from which a thread that unpacks ahead pays for itself."""
_FAR_CELL = re.compile(rb'<c r="([A-Z]{2,3})(\d+)"[^>]*(?<!/)>')
_ROW = re.compile(rb'<row [^>]*?\br="(\d+)"')
_HIDDEN_ROW = re.compile(rb'<row [^>]*\bhidden="(?:1|true)"')
_HIDDEN_COLUMN = re.compile(rb'<col [^>]*\bhidden="(?:1|true)"')
_NO_VALUE = re.compile(rb"(?:</f>|<f>[^<]*</f>|<f[^>]*/>)(?:<v\s*/>|<v></v>)?</c>")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
_ATTRIBUTE = re.compile(rb'([\w:]+)\s*=\s*"([^"]*)"')
_REPEAT = re.compile(rb'number-(?:rows|columns)-repeated="(\d{5,})"')


@dataclass
class SheetFacts:
    """What the XML of one sheet says that its cells do not.

    Attributes:
        hidden_rows: Rows that the spreadsheet does not show.
        hidden_columns: Groups of columns that it does not show.
        formulas: Formulas without a computed value.
        errors: Cells that hold #N/A and its like.
    """

    hidden_rows: int = 0
    hidden_columns: int = 0
    formulas: int = 0
    errors: int = 0

    def notes(self) -> list[Message]:
        """The facts in words."""
        notes = []
        if self.hidden_rows:
            notes.append(
                nmsg(
                    "{n} hidden row was read like the others.",
                    "{n} hidden rows were read like the others.",
                    self.hidden_rows,
                )
            )
        if self.hidden_columns:
            notes.append(msg("Hidden columns were read like the others."))
        if self.formulas:
            notes.append(
                nmsg(
                    "{n} formula has no computed value and was read as empty; open the file in a"
                    " spreadsheet and save it to compute it.",
                    "{n} formulas have no computed value and were read as empty; open the file in a"
                    " spreadsheet and save it to compute them.",
                    self.formulas,
                )
            )
        if self.errors:
            notes.append(
                nmsg(
                    "{n} cell holds an error such as #N/A and was read as empty.",
                    "{n} cells hold an error such as #N/A and were read as empty.",
                    self.errors,
                )
            )
        return notes


def inspect(path: Path, file: str) -> dict[str, SheetFacts]:
    """Unpack a workbook without keeping it, to refuse traps and to learn about its sheets.

    Args:
        path: The workbook; anything but a ZIP container has nothing to inspect.
        file: Its name for messages.

    Returns:
        The facts of each sheet, by name (.xlsx and .xlsm).

    Raises:
        InputError: It unpacks to more than `SIZE_LIMIT`, declares entities, or reaches to cells
            that no sheet of customers needs.
    """
    if not zipfile.is_zipfile(path):
        return {}
    try:
        with zipfile.ZipFile(path) as archive:
            return _inspect(archive, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise damaged(file, error) from error


def damaged(file: str, error: Exception) -> InputError:
    """The error to raise where a workbook cannot be read to its end.

    Args:
        file: Its name for messages.
        error: What went wrong.
    """
    return InputError(
        msg("The workbook is damaged: {error}.", error=str(error).rstrip(".")),
        where=Where(file=file),
        remedy=msg("Open it in a spreadsheet, save it again, or export the sheet to CSV."),
    )


def _inspect(archive: zipfile.ZipFile, file: str) -> dict[str, SheetFacts]:
    if sum(info.file_size for info in archive.infolist()) > SIZE_LIMIT:
        raise _bomb(file)
    names = _sheet_names(archive)
    facts: dict[str, SheetFacts] = {}
    unpacked = 0
    for info in archive.infolist():
        sheet = SheetFacts()
        columns, rows = 26, 1
        for chunk in _chunks(archive, info):
            unpacked += len(chunk)
            if unpacked > SIZE_LIMIT:
                raise _bomb(file)
            if not info.filename.endswith((".xml", ".rels")):
                continue
            if b"!" in chunk and (b"<!DOCTYPE" in chunk or b"<!ENTITY" in chunk):
                raise InputError(
                    msg("The workbook declares XML entities, which no spreadsheet writes."),
                    where=Where(file=file),
                    remedy=msg("Do not trust this file; export the sheet to CSV instead."),
                )
            if info.filename == "content.xml":
                _check_repeats(chunk, file)
            if "worksheets/" in info.filename:
                columns, rows = _grow(chunk, sheet, columns, rows)
                if columns * rows > CELLS_LIMIT:
                    raise _too_wide(file)
        if info.filename in names:
            facts[names[info.filename]] = sheet
    return facts


def _chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The unpacked bytes of a part; those after a last ``<`` come with the next piece."""
    rest = b""
    with archive.open(info) as part:
        pieces = _ahead(part) if info.file_size > _LARGE else iter(lambda: part.read(_CHUNK), b"")
        for chunk in pieces:
            whole, mark, rest = (rest + chunk).rpartition(b"<row")
            if not mark:
                whole, rest = rest, b""
            yield whole
            rest = mark + rest
    yield rest


def _ahead(part: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a part, the next ones unpacked while somebody looks at these."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(part.read, _CHUNK)
        while chunk := coming.result():
            coming = pool.submit(part.read, _CHUNK)
            yield chunk


def _grow(chunk: bytes, sheet: SheetFacts, columns: int, rows: int) -> tuple[int, int]:
    """Add what a piece of a sheet says, and give the last column and row so far."""
    if b"hidden=" in chunk:
        sheet.hidden_rows += len(_HIDDEN_ROW.findall(chunk))
        sheet.hidden_columns += len(_HIDDEN_COLUMN.findall(chunk))
    if b"<f" in chunk:
        sheet.formulas += len(_NO_VALUE.findall(chunk))
    sheet.errors += chunk.count(b't="e"')
    last = chunk.rfind(b"<row ")
    if last >= 0 and (found := _ROW.match(chunk, last)):
        rows = max(rows, int(found[1]))
    for letters, row in set(_FAR_CELL.findall(chunk)):
        columns = max(columns, _column(letters))
        rows = max(rows, int(row))
    return columns, rows


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _check_repeats(chunk: bytes, file: str) -> None:
    """Refuse an OpenDocument row or cell with content that repeats without end."""
    for found in _REPEAT.finditer(chunk):
        rest = chunk[found.end() : found.end() + 400]
        content = rest.split(b"</table:table-row>")[0].split(b"/>")[0]
        if int(found[1]) > 20_000 and (b"office:value" in content or b"<text:p" in content):
            raise _too_wide(file)


def _sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """The part of each sheet of an .xlsx workbook, with the sheet's name."""
    try:
        book = archive.read("xl/workbook.xml")[:_CHUNK]
        links = archive.read("xl/_rels/workbook.xml.rels")[:_CHUNK]
    except KeyError:
        return {}
    targets = {}
    for link in re.findall(rb"<Relationship\b[^>]*>", links):
        at = dict(_ATTRIBUTE.findall(link))
        target = at.get(b"Target", b"").decode("utf-8", "replace")
        targets[at.get(b"Id")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    names = {}
    for tag in _SHEET.findall(book):
        at = dict(_ATTRIBUTE.findall(tag))
        from html import unescape

        name = unescape(at.get(b"name", b"").decode("utf-8", "replace"))
        names[targets.get(at.get(b"r:id"), "")] = name
    return names


def _bomb(file: str) -> InputError:
    return InputError(
        msg("The file unpacks to more than {size} MB.", size=SIZE_LIMIT >> 20),
        where=Where(file=file),
        remedy=msg("Do not trust it; export the sheet to CSV instead."),
    )


def _too_wide(file: str) -> InputError:
    return InputError(
        msg("A sheet reaches to a cell so far away that it cannot be held in memory."),
        where=Where(file=file),
        remedy=msg("Delete the stray cell far below or beside the table."),
    )
