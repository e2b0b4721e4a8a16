"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods) through python-calamine."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import python_calamine as calamine

from revoir.engines.sql import identifier
from revoir.errors import InputError, Where
from revoir.language import Message, msg, nmsg
from revoir.memory import uncollected
from revoir.reading import columns
from revoir.reading.layout import (
    Layout,
    begins_table,
    find_layout,
    is_preamble,
    is_total,
    left_out_above,
    named_headers,
)
from revoir.reading.raw import RawTable
from revoir.reading.scratch import Scratch
from revoir.reading.workbook import SheetFacts, damaged, inspect
from revoir.tables import plain_name

_SAMPLE_ROWS = 300
_TITLE_ROWS = 10
# OpenDocument and web pages write errors as text; calamine leaves those of Excel empty.
_ERRORS = frozenset(
    ("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NULL!", "#NUM!", "#GETTING_DATA")
)

Row = Sequence[Any]


def read_workbook(path: Path, file: str, scratch: Scratch) -> list[RawTable]:
    """Read the visible sheets of a workbook.

    Args:
        path: The workbook.
        file: Its name for messages.
        scratch: Connection, temporary folder and what the user said.

    Returns:
        A table for each sheet that holds one; two where a sheet holds two.

    Raises:
        InputError: The workbook has a password, is damaged or hostile, or holds nothing.
    """
    facts = inspect(path, file)
    try:
        with uncollected(), calamine.CalamineWorkbook.from_path(path) as book:
            return _sheets(book, file, facts, scratch)
    except calamine.PasswordError as error:
        raise InputError(
            msg("The workbook is protected by a password."),
            where=Where(file=file),
            remedy=msg("Save a copy without the password, or export the sheet to CSV."),
        ) from error
    except calamine.CalamineError as error:
        raise damaged(file, error) from error


def _sheets(
    book: calamine.CalamineWorkbook, file: str, facts: dict[str, SheetFacts], scratch: Scratch
) -> list[RawTable]:
    wanted = _wanted(book, file, scratch)
    tables: list[RawTable] = []
    aside: list[Message] = []
    for name, hidden in wanted:
        if hidden:
            aside.append(msg("The hidden sheet “{sheet}” was left out.", sheet=name))
            continue
        sheet = book.get_sheet_by_name(name)
        rows = sheet.to_python() if sheet.start is not None else []
        if not any(cell != "" for row in rows for cell in row):
            aside.append(msg("The sheet “{sheet}” is empty.", sheet=name))
            continue
        first = (sheet.start or (0, 0))[0] + 1
        notes = _merge(rows, sheet)
        notes.extend(facts.get(name, SheetFacts()).notes())
        label = name if len(book.sheet_names) > 1 else None
        tables.extend(
            grid_tables(rows, range(first, first + len(rows)), file, label, notes, scratch)
        )
    if not tables:
        raise InputError(
            msg("The workbook is empty."),
            where=Where(file=file),
            remedy=msg("Fill in a sheet, or name a hidden one with --sheet."),
        )
    tables[0].notes.extend(aside)
    return tables


def _wanted(book: calamine.CalamineWorkbook, file: str, scratch: Scratch) -> list[tuple[str, bool]]:
    """The names of the sheets to read, each with whether it is hidden."""
    sheets = [
        (sheet.name, sheet.visible != calamine.SheetVisibleEnum.Visible)
        for sheet in book.sheets_metadata
        if sheet.typ == calamine.SheetTypeEnum.WorkSheet
    ]
    if scratch.sheet is None:
        return sheets
    asked = scratch.sheet.strip().lower()
    found = [(name, False) for name, _ in sheets if name.strip().lower() == asked]
    if not found:
        raise InputError(
            msg("There is no sheet “{sheet}”.", sheet=scratch.sheet),
            where=Where(file=file),
            remedy=msg("The sheets are: {sheets}.", sheets=[name for name, _ in sheets]),
        )
    return found


def _merge(rows: list[list[Any]], sheet: calamine.CalamineSheet) -> list[Message]:
    """Write the text or date of a merged cell into every row that it covers."""
    ranges = sheet.merged_cell_ranges or []
    if not ranges or sheet.start is None:
        return []
    top, left = sheet.start
    filled = kept = 0
    headers = _Headers(rows)
    for (first, column), (last, _) in sorted(ranges):
        row, place = first - top, column - left
        if last == first or row < 0 or place < 0 or row >= len(rows) or place >= len(rows[row]):
            continue
        value = rows[row][place]
        # A merged amount is one amount: repeating it would count it twice. A number is a name.
        if value == "" or (isinstance(value, int | float) and not headers.name(row, place)):
            kept += value != ""
            continue
        for below in rows[row + 1 : last - top + 1]:
            below[place] = value
        filled += 1
    notes = []
    if filled:
        notes.append(
            nmsg(
                "{n} merged cell was repeated on each of its rows.",
                "{n} merged cells were repeated on each of their rows.",
                filled,
            )
        )
    if kept:
        notes.append(
            nmsg(
                "{n} merged cell holds a number; it counts on its first row only.",
                "{n} merged cells hold numbers; they count on their first row only.",
                kept,
            )
        )
    return notes


class _Headers:
    """The header above each cell of a grid, for rows that are asked for from the top down.

    Args:
        rows: The grid.
    """

    def __init__(self, rows: list[list[Any]]) -> None:
        self._rows = rows
        self._seen: dict[int, tuple[int, str]] = {}

    def name(self, row: int, place: int) -> bool:
        """Whether the header above a cell is one of numbers that name something."""
        # Each cell is looked at once, however many merged ones stand below it.
        start, header = self._seen.get(place, (0, ""))
        for held in self._rows[start:row]:
            cell = held[place]
            if isinstance(cell, str) and cell.strip():
                header = cell
        self._seen[place] = (row, header)
        return plain_name(header) in named_headers()


def grid_tables(
    rows: Sequence[Row],
    lines: Sequence[int],
    file: str,
    sheet: str | None,
    notes: list[Message],
    scratch: Scratch,
) -> list[RawTable]:
    """The tables of a grid of cells that is in memory.

    Args:
        rows: Rows of equal width; a blank cell is ``""``.
        lines: The line of each row in the file.
        file: Name of the file.
        sheet: Name of the sheet.
        notes: What is known about the grid already.
        scratch: The connection.

    Returns:
        One table, or several where blank rows or columns part tables of different shape.
    """
    tables: list[RawTable] = []
    for first, last in _side_by_side(rows):
        part = rows if (first, last) == (0, len(rows[0])) else [row[first:last] for row in rows]
        for top, end, above in _stacked(part):
            titles = part[max(0, top - _TITLE_ROWS) : top] if above else []
            table = _table(part[top:end], lines[top:end], file, sheet, scratch, titles)
            if table:
                table.notes[:0] = left_out_above(above)
                tables.append(table)
    if tables:
        tables[0].notes[:0] = notes
    if len(tables) > 1:
        tables[0].notes.append(
            msg("There are {n} tables in one sheet; they were read one by one.", n=len(tables))
        )
    return tables


def _side_by_side(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Ranges of columns that a blank column parts, where each has its own header or height."""
    width = len(rows[0])
    whole = [(0, width)]
    if width < 3:
        return whole
    sample = rows[:_SAMPLE_ROWS]
    blank = [
        column
        for column in range(width)
        if all(row[column] == "" for row in sample) and all(row[column] == "" for row in rows)
    ]
    ranges, start = [], 0
    for column in [*blank, width]:
        if column > start:
            ranges.append((start, column))
        start = column + 1
    if len(ranges) < 2 or any(last - first < 2 for first, last in ranges):
        return whole
    headers, heights = [], []
    for first, last in ranges:
        cut = [row[first:last] for row in rows]
        layout = find_layout([[text(cell) for cell in row] for row in cut[:_SAMPLE_ROWS]])
        if not layout.has_header:
            return whole
        headers.append({name.lower() for name in layout.headers if name})
        heights.append(max(i for i, row in enumerate(cut) if any(cell != "" for cell in row)))
    shared = any(headers[0] & other for other in headers[1:])
    return ranges if shared or len(set(heights)) > 1 else whole


def _stacked(rows: Sequence[Row]) -> list[tuple[int, int, int]]:
    """Ranges of rows, each one table, with how many lines of title above it are left out."""
    filled = map(any, rows)
    blank = [i for i, full in enumerate(filled) if not full and _is_blank(rows[i])]
    starts = [0]
    above = {0: 0}
    for i in blank:
        if i + 1 >= len(rows) or _is_blank(rows[i + 1]):
            continue
        before = [_texts(row) for row in rows[starts[-1] : i][:_SAMPLE_ROWS]]
        layout = find_layout(before)
        block = [_texts(row) for row in rows[i + 1 : i + 21]]
        if layout.has_header and _has_data(before, layout) and begins_table(block, layout):
            titles = sum(map(any, before)) if is_preamble(before, block) else 0
            if titles:
                titles += above.pop(starts.pop())
            starts.append(i + 1)
            above[i + 1] = titles
    ends = [*starts[1:], len(rows)]
    return [(start, end, above[start]) for start, end in zip(starts, ends, strict=True)]


def _has_data(rows: Sequence[Sequence[str]], layout: Layout) -> bool:
    """Whether rows follow the header: a title above the table is no table."""
    return any(any(cell.strip() for cell in row) for row in rows[layout.start :])


def _is_blank(row: Row) -> bool:
    # Callers look for a true cell first, which is quick; zero is false too, but not blank.
    return all(cell == "" for cell in row)


def _texts(row: Row) -> list[str]:
    return [text(cell) for cell in row]


def _table(
    rows: Sequence[Row],
    lines: Sequence[int],
    file: str,
    sheet: str | None,
    scratch: Scratch,
    titles: Sequence[Row],
) -> RawTable | None:
    sample, above = ([_texts(row) for row in part] for part in (rows[:_SAMPLE_ROWS], titles))
    layout = find_layout(sample, scratch.header, above)
    if layout.header is None and layout.start >= len(rows):
        return None
    notes = list(layout.notes)
    body, places = _body(rows[layout.start :], lines[layout.start :], layout.headers, notes)
    # One column after the other: turning the rows over at once takes three times as long.
    cells: list[Row] = [[row[place] for row in body] for place in range(layout.width)]
    headers = list(layout.headers)
    while len(cells) > 1 and not headers[-1] and not any(cell != "" for cell in cells[-1]):
        cells.pop()
        headers.pop()
    names = [f"c{i}" for i in range(len(cells))]
    arrays = [columns.integers(places)]
    errors = 0
    for column in cells:
        array, bad = typed(column)
        arrays.append(array)
        errors += bad
    if errors:
        notes.append(
            nmsg(
                "{n} cell holds an error such as #N/A and was read as empty.",
                "{n} cells hold an error such as #N/A and were read as empty.",
                errors,
            )
        )
    name = scratch.name()
    scratch.insert(name, pa.table(arrays, names=["_line", *names]))
    types = [
        row[0]
        for row in scratch.rows(
            "select data_type from duckdb_columns() where table_name = ? order by column_index",
            [name],
        )
    ]
    return RawTable(
        file=file,
        sheet=sheet,
        relation=identifier(name),
        columns=names,
        headers=headers,
        types=types[1:],
        has_header=layout.has_header,
        rows_in=len(places),
        notes=notes,
        formats={},
    )


def _body(
    rows: Sequence[Row], lines: Sequence[int], headers: list[str], notes: list[Message]
) -> tuple[list[Row], list[int]]:
    """The rows of data: without blank ones, repeated headers and totals."""
    body: list[Row] = []
    places: list[int] = []
    counts: Counter[str] = Counter()
    names = [header for header in headers if header]
    if all(map(any, rows)) and headers[0] not in [row[0] for row in rows]:
        # Nothing to leave out but totals, as in nearly all sheets.
        body, places = list(rows), list(lines)
        rows = lines = ()
    for line, row in zip(lines, rows, strict=True):
        if not any(row) and _is_blank(row):
            counts["blank"] += 1
        elif row[0] == headers[0] and names and [text(c).strip() for c in row if c != ""] == names:
            counts["header"] += 1
        else:
            body.append(row)
            places.append(line)
    for at in range(len(body) - 1, max(-1, len(body) - 4), -1):
        if is_total([text(cell) for cell in body[at]]):
            notes.append(msg("Line {line} is a total and was left out.", line=str(places[at])))
            del body[at], places[at]
    if counts["blank"]:
        notes.append(
            nmsg("{n} empty line was left out.", "{n} empty lines were left out.", counts["blank"])
        )
    if counts["header"]:
        notes.append(
            nmsg(
                "{n} line that repeats the header was left out.",
                "{n} lines that repeat the header were left out.",
                counts["header"],
            )
        )
    return body, places


def text(cell: Any) -> str:
    """A cell as text: whole numbers without decimals, dates as ISO writes them.

    Args:
        cell: What calamine read.

    Returns:
        The text; empty for an empty cell.

    Examples:
        >>> import datetime
        >>> text(3060000000.0), text(12.5), text(datetime.date(2024, 3, 12))
        ('3060000000', '12.5', '2024-03-12')
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e21 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(" ")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def typed(column: Sequence[Any]) -> tuple[pa.Array, int]:
    """A column in the narrowest type that all its cells have.

    Args:
        column: Cells as calamine read them; ``""`` where empty.

    Returns:
        The column (timestamps, whole numbers, numbers or text), and how many cells are errors.
    """
    with contextlib.suppress(TypeError):
        # Most columns are all text, which this finds out as fast as can be.
        joined = "".join(column)
        if "#" not in joined or _ERRORS.isdisjoint(column):
            return columns.joined_texts(column, joined), 0
    kinds = set(map(type, column))
    errors = 0
    if str in kinds:
        if not _ERRORS.isdisjoint(column):
            errors = sum(cell in _ERRORS for cell in column)
            column = [None if cell in _ERRORS else cell for cell in column]
        if "" in column:
            column = [None if cell == "" else cell for cell in column]
        kinds = set(map(type, column)) - {type(None)}
    if kinds and kinds <= {int, float}:
        return columns.numbers(column), errors
    if kinds and kinds <= {dt.datetime, dt.date}:
        if dt.date in kinds:
            column = [_moment(cell) if type(cell) is dt.date else cell for cell in column]
        return columns.moments(column), errors
    if not kinds <= {str}:
        column = [text(cell) for cell in column]
    return columns.texts(column), errors


def _moment(cell: dt.date) -> dt.datetime:
    return dt.datetime(cell.year, cell.month, cell.day)
