"""Text files: CSV of any delimiter and encoding, whatever its faults.

A clean file goes through DuckDB's reader with the dialect that was found here; a file with
faults goes row by row through `records`, which sets the broken rows aside.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from revoir.engines.sql import identifier, literal
from revoir.errors import InputError, UsageError, Where
from revoir.language import Message, msg, nmsg
from revoir.reading import encoding as encodings
from revoir.reading.dialect import BLANKS, DELIMITERS, Dialect, declared_delimiter, sniff
from revoir.reading.layout import Layout, begins_table, find_layout, is_total
from revoir.reading.mojibake import repair
from revoir.reading.raw import RawTable, Reject
from revoir.reading.records import CELL_LIMIT, Record, records
from revoir.reading.scratch import Scratch

_SAMPLE = 256 * 1024
_SAMPLE_RECORDS = 400
_BATCH = 50_000
_COLUMNS_LIMIT = 20_000


@dataclass
class _Text:
    """A text file made ready: UTF-8 without NUL."""

    path: Path
    file: str
    facts: encodings.Facts
    encoding: str
    dialect: Dialect
    first: int = 1
    notes: list[Message] = field(default_factory=list)

    def formats(self) -> dict[str, str]:
        return {"delimiter": self.dialect.delimiter, "encoding": self.encoding}


def read_text(path: Path, file: str, scratch: Scratch) -> list[RawTable]:
    """Read a text file.

    Args:
        path: The file, decompressed.
        file: Its name for messages.
        scratch: Connection, temporary folder and what the user said.

    Returns:
        Its table; several where blank lines part tables of different shape.

    Raises:
        InputError: The file is empty, or it is no table.
        UsageError: The encoding that the user named does not exist.
    """
    with path.open("rb") as source:
        sample = source.read(_SAMPLE)
    if not sample.strip(b"\0\r\n\t \x1a\xef\xbb\xbf\xff\xfe"):
        raise InputError(
            msg("The file is empty."),
            where=Where(file=file),
            remedy=msg("Export it again, with its header and rows."),
        )
    encoding = scratch.encoding or encodings.detect(path, sample)
    if not scratch.encoding and encodings.is_binary(sample, encoding):
        raise InputError(
            msg("This is not a text file, whatever its name says."),
            where=Where(file=file),
            remedy=msg("Name a CSV, Excel, Parquet or JSON file."),
        )
    try:
        return _read(path, file, encoding, scratch)
    except _NotUtf8Error:
        return _read(path, file, encodings.detect_one_byte(path), scratch)
    except LookupError as error:
        raise UsageError(
            msg("There is no encoding “{encoding}”.", encoding=encoding),
            where=Where(file=file),
            remedy=msg("Use utf-8, windows-1252, mac-roman or utf-16."),
        ) from error


class _NotUtf8Error(Exception):
    pass


class _NotCleanError(Exception):
    pass


def _read(path: Path, file: str, encoding: str, scratch: Scratch) -> list[RawTable]:
    text = _prepared(path, file, encoding, scratch)
    head = _head(text.path)
    declared = declared_delimiter(head.splitlines(keepends=True)[0])
    if declared:
        text.first = 2
        head = head.split("\n", 1)[-1]
    text.dialect = sniff(head, delimiter=scratch.delimiter or declared)
    sample = _sample(text)
    layout = find_layout([record.cells for record in sample], scratch.header)
    _check_width(layout, text)
    try:
        return [_fast(text, layout, sample, scratch)]
    except _NotCleanError:
        return list(_slow(text, scratch))


def _prepared(path: Path, file: str, encoding: str, scratch: Scratch) -> _Text:
    facts = encodings.facts(path)
    notes: list[Message] = []
    if encoding not in (encodings.UTF_8, "utf-8-sig"):
        notes.append(msg("The encoding is {encoding}.", encoding=encoding))
    nul = facts.nul and not encoding.startswith(("utf-16", "utf-32"))
    if nul:
        notes.append(msg("NUL bytes were left out."))
    if nul or encoding not in (encodings.UTF_8, "utf-8-sig"):
        target = scratch.file(".txt")
        with target.open("w", encoding="utf-8", newline="") as out:
            for piece in encodings.text_pieces(path, encoding):
                out.write(piece.replace("\0", ""))
        path, facts = target, encodings.facts(target)
    return _Text(path, file, facts, encoding, Dialect(","), notes=notes)


def _head(path: Path) -> str:
    """The first lines, whole ones only where there are any."""
    with path.open("rb") as source:
        data = source.read(_SAMPLE)
        more = bool(source.read(1))
    if more and (cut := max(data.rfind(b"\n"), data.rfind(b"\r"))) > 0:
        data = data[: cut + 1]
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


def _lines(text: _Text, first: int) -> Iterator[str]:
    """The physical lines from one on; one too long comes cut, so that memory stays bounded."""
    with text.path.open(encoding="utf-8-sig", errors="replace", newline="") as source:
        for _ in range(first - 1):
            source.readline()
        if not text.facts.long_line:
            yield from source
            return
        while line := source.readline(CELL_LIMIT + 1):
            yield line
            while len(line) > CELL_LIMIT and not line.endswith(("\n", "\r")):
                if not (line := source.readline(CELL_LIMIT + 1)):
                    return


def _sample(text: _Text, first: int | None = None) -> list[Record]:
    lines = _lines(text, first or text.first)
    start = first or text.first
    found = records(lines, text.dialect, line=start)
    return list(itertools.islice(found, _SAMPLE_RECORDS))


def _check_width(layout: Layout, text: _Text) -> None:
    if layout.width > _COLUMNS_LIMIT:
        raise InputError(
            msg(
                "There are {n} columns; {limit} is the most that can be read.",
                n=layout.width,
                limit=_COLUMNS_LIMIT,
            ),
            where=Where(file=text.file),
            remedy=msg("Leave out the columns that are not needed."),
        )


def _fast(text: _Text, layout: Layout, sample: list[Record], scratch: Scratch) -> RawTable:
    """Read with DuckDB; give up where the file turns out not to be clean."""
    if text.dialect.delimiter == BLANKS or layout.start >= len(sample):
        raise _NotCleanError
    first = sample[layout.start]
    if first.fault or len(first.cells) != layout.width:
        raise _NotCleanError
    cells = scratch.name()
    names = [f"c{i}" for i in range(layout.width)]
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    try:
        scratch.connection.execute(
            f"create table {identifier(cells)} as select * from"
            f" read_csv({literal(pattern(text.path))}, auto_detect = false,"
            f" columns = {{{columns}}}, delim = {literal(text.dialect.delimiter)},"
            f" quote = {literal(text.dialect.quote)}, escape = {literal(text.dialect.escape)},"
            f" header = false, skip = {text.first - 1 + layout.start}, strict_mode = true,"
            f" max_line_size = {CELL_LIMIT})"
        )
    except duckdb.Error as error:
        utf_8 = text.encoding in (encodings.UTF_8, "utf-8-sig") and not scratch.encoding
        if utf_8 and "nvalid unicode" in str(error):
            raise _NotUtf8Error from error
        raise _NotCleanError from error
    try:
        lines = _line_numbers(cells, names, first, text, layout, scratch)
    except _NotCleanError:
        scratch.connection.execute(f"drop table {identifier(cells)}")
        raise
    notes = [*text.notes, *layout.notes]
    return _finished(cells, lines, text, scratch, layout=layout, rejects=[], notes=notes)


def _line_numbers(
    cells: str, names: list[str], first: Record, text: _Text, layout: Layout, scratch: Scratch
) -> str:
    """An SQL expression for the line of each row, once the table is known to be clean."""
    table = identifier(cells)
    quoted = [identifier(name) for name in names]
    read = scratch.rows(f"select {', '.join(quoted)} from {table} limit 1")
    if not read or [cell or "" for cell in read[0]] != first.cells:
        raise _NotCleanError
    blank = f"coalesce({', '.join(quoted)}) is null"
    checks = [f"count(*) filter (where {blank})"]
    if layout.has_header and any(layout.headers):
        same = " and ".join(
            f"{name} = {literal(header)}"
            for name, header in zip(quoted, layout.headers, strict=True)
            if header
        )
        checks.append(f"count(*) filter (where {same})")
    rows, *bad = scratch.rows(f"select count(*), {', '.join(checks)} from {table}")[0]
    if any(bad):
        raise _NotCleanError
    facts = text.facts
    lines = facts.lines + facts.ends_open - facts.blank_end - (first.line - 1)
    if rows == lines:
        # Each row is one line: DuckDB numbers rows in the order of the file.
        return f"rowid + {first.line}"
    breaks = " + ".join(
        f"coalesce(length({name}) - length(replace({name}, chr(10), '')), 0)" for name in quoted
    )
    if scratch.value(f"select sum({breaks}) from {table}") + rows != lines:
        raise _NotCleanError
    numbered = scratch.name()
    scratch.connection.execute(
        f"create table {identifier(numbered)} as select {first.line} + rowid"
        f" + coalesce(sum({breaks}) over (order by rowid"
        " rows between unbounded preceding and 1 preceding), 0)::bigint"
        f" as _line, * from {table} order by rowid"
    )
    scratch.connection.execute(f"drop table {table}")
    scratch.connection.execute(f"alter table {identifier(numbered)} rename to {table}")
    return "_line"


def pattern(path: Path) -> str:
    """A path as DuckDB's file functions take it, with nothing in it read as a wildcard.

    Args:
        path: The path of one file.

    Returns:
        The path with ``*``, ``?`` and ``[`` between brackets.

    Examples:
        >>> pattern(Path("ventes[1].csv"))
        'ventes[[]1].csv'
    """
    return re.sub(r"[*?\[]", lambda match: f"[{match.group()}]", str(path))


def _finished(
    cells: str,
    lines: str,
    text: _Text,
    scratch: Scratch,
    *,
    layout: Layout,
    rejects: list[Reject],
    notes: list[Message],
) -> RawTable:
    """Leave total rows out, repair double encoding, and give the table its face."""
    table = identifier(cells)
    names = [f"c{i}" for i in range(layout.width)]
    quoted = [identifier(name) for name in names]
    rows = scratch.value(f"select count(*) from {table}")
    # A fresh table numbers its rows from 0 without a gap.
    last = scratch.rows(
        f"select {lines}, {', '.join(quoted)} from {table} where rowid >= {rows - 3}"
    )
    totals = [row[0] for row in last if is_total([cell or "" for cell in row[1:]])]
    for line in totals:
        notes.append(msg("Line {line} is a total and was left out.", line=str(line)))
    headers = layout.headers
    if text.facts.mojibake:
        headers, repaired = repair(cells, names, headers, scratch)
        notes.extend(repaired)
    relation = scratch.name()
    where = f" where {lines} not in ({', '.join(map(str, totals))})" if totals else ""
    scratch.connection.execute(
        f"create view {identifier(relation)} as select {lines} as _line, {', '.join(quoted)}"
        f" from {table}{where}"
    )
    return RawTable(
        file=text.file,
        relation=identifier(relation),
        columns=names,
        headers=headers,
        types=["VARCHAR"] * len(names),
        has_header=layout.has_header,
        rows_in=rows - len(totals) + len(rejects),
        rejects=rejects,
        notes=notes,
        formats=text.formats(),
    )


def _slow(text: _Text, scratch: Scratch) -> Iterator[RawTable]:
    """Read row by row, one table after the other."""
    first: int | None = text.first
    while first is not None:
        section = _Section(text, first, scratch)
        table = section.read()
        if table:
            yield table
        first = section.next


class _Section:
    """One table of a text file, read row by row."""

    def __init__(self, text: _Text, first: int, scratch: Scratch) -> None:
        self.text = text
        self.scratch = scratch
        self.first = first
        self.next: int | None = None
        self.rejects: list[Reject] = []
        self.counts: Counter[str] = Counter()
        sample = _sample(text, first)
        self.layout = find_layout([record.cells for record in sample], scratch.header)
        _check_width(self.layout, text)
        self.width = self.layout.width
        start = self.layout.start
        self.start = sample[start].line if start < len(sample) else None
        self.sparse = self._sparse([record.cells for record in sample[start:]])
        self.header = sample[self.layout.header].cells if self.layout.header is not None else None
        self.table = scratch.name()
        self.rows: list[tuple[int, list[str]]] = []

    def _sparse(self, body: list[list[str]]) -> int:
        """From which column on cells are blank in at least half of the whole rows."""
        whole = [row for row in body if len(row) == self.width]
        column = self.width
        while column > 1 and whole:
            blank = sum(not row[column - 1].strip() for row in whole)
            if blank < 0.5 * len(whole):
                break
            column -= 1
        return column

    def read(self) -> RawTable | None:
        """Read the rows; None where there is neither a header nor a row."""
        self._flush()
        if self.start is not None:
            lines = _lines(self.text, self.start)
            found = records(lines, self.text.dialect, line=self.start, width=self.width)
            self._take(found)
        self._flush()
        notes = [*self.text.notes, *self.layout.notes, *self._told()]
        if self.start is None and not self.layout.has_header:
            return None
        return _finished(
            self.table,
            "_line",
            self.text,
            self.scratch,
            layout=self.layout,
            rejects=self.rejects,
            notes=notes,
        )

    def _take(self, found: Iterator[Record]) -> None:
        pending: deque[Record] = deque()
        blank = False
        while True:
            record = pending.popleft() if pending else next(found, None)
            if record is None:
                return
            if not blank and self._is_plain(record):
                self.rows.append((record.line, record.cells))
                if len(self.rows) >= _BATCH:
                    self._flush()
                continue
            if not record.fault and not any(cell.strip() for cell in record.cells):
                self.counts["blank"] += 1
                blank = True
                continue
            if blank and not record.fault:
                pending.extend(itertools.islice(found, 20 - len(pending)))
                if self._other_table(record, pending):
                    self.next = record.line
                    return
            blank = False
            self._row(record)
            if len(self.rows) >= _BATCH:
                self._flush()

    def _is_plain(self, record: Record) -> bool:
        """Whether a row needs no second look, as nearly all do."""
        cells = record.cells
        return (
            len(cells) == self.width
            and not record.fault
            and not record.mended
            and cells != self.header
            and not cells[0].isspace()
            and bool(cells[0])
        )

    def _other_table(self, record: Record, following: deque[Record]) -> bool:
        """Whether the row below a blank line begins another table."""
        ahead = [record.cells, *(one.cells for one in following)]
        return begins_table(ahead, self.layout)

    def _row(self, record: Record) -> None:
        cells = record.cells
        if record.fault:
            self._reject(record, record.fault.reason, record.fault.remedy)
            return
        if record.mended:
            self.counts["mended"] += 1
        if len(cells) > self.width and not any(cell.strip() for cell in cells[self.width :]):
            self.counts["trailing"] += 1
            cells = cells[: self.width]
        if len(cells) < self.width:
            cells = self._completed(record)
        if len(cells) == self.width:
            if self.header is not None and cells == self.header:
                self.counts["header"] += 1
                return
            self.rows.append((record.line, cells))
        elif record.open_end and len(cells) < self.width:
            self._reject(
                record,
                msg("The file breaks off in the middle of this row."),
                msg("Export the file again, or complete the row."),
            )
        else:
            remedy = msg("Add the missing cells, or their delimiters.")
            if len(cells) > self.width:
                remedy = msg(
                    "Put the cell that holds a {delimiter} between quotes.",
                    delimiter=self.text.dialect.name,
                )
            self._reject(
                record,
                nmsg(
                    "The row has {n} cell instead of {expected}.",
                    "The row has {n} cells instead of {expected}.",
                    len(cells),
                    expected=self.width,
                ),
                remedy,
            )

    def _completed(self, record: Record) -> list[str]:
        """A short row in full, where there is only one way to read it."""
        cells = record.cells
        if len(cells) == 1 and self.width > 1:
            for other in DELIMITERS:
                if other != self.text.dialect.delimiter and other in cells[0]:
                    again = next(records([cells[0]], Dialect(other)), None)
                    if again and not again.fault and len(again.cells) == self.width:
                        self.counts["delimiter"] += 1
                        return again.cells
        if len(cells) >= self.sparse and not record.open_end:
            self.counts["short"] += 1
            return cells + [""] * (self.width - len(cells))
        return cells

    def _reject(self, record: Record, reason: Message, remedy: Message) -> None:
        shown = tuple(cell if len(cell) <= 1000 else cell[:999] + "…" for cell in record.cells)
        self.rejects.append(Reject(record.line, shown, reason, remedy))

    def _flush(self) -> None:
        # Clean files never come here, and need not wait for pyarrow.
        import pyarrow as pa

        from revoir.reading import columns

        lines = columns.integers([line for line, _ in self.rows])
        arrays = [
            columns.texts([cells[place] for _, cells in self.rows]) for place in range(self.width)
        ]
        names = ["_line", *(f"c{i}" for i in range(self.width))]
        self.scratch.insert(self.table, pa.table([lines, *arrays], names=names))
        self.rows = []

    def _told(self) -> list[Message]:
        counts = self.counts
        told = {
            "blank": nmsg(
                "{n} empty line was left out.", "{n} empty lines were left out.", counts["blank"]
            ),
            "header": nmsg(
                "{n} line that repeats the header was left out.",
                "{n} lines that repeat the header were left out.",
                counts["header"],
            ),
            "trailing": nmsg(
                "{n} row ends with empty cells too many; they were left out.",
                "{n} rows end with empty cells too many; they were left out.",
                counts["trailing"],
            ),
            "short": nmsg(
                "{n} row ends early; its missing cells are read as empty, as those columns"
                " mostly are.",
                "{n} rows end early; their missing cells are read as empty, as those columns"
                " mostly are.",
                counts["short"],
            ),
            "delimiter": nmsg(
                "{n} row uses another delimiter and was read with it.",
                "{n} rows use another delimiter and were read with it.",
                counts["delimiter"],
            ),
            "mended": nmsg(
                "{n} row has stray quotes, which were kept as text.",
                "{n} rows have stray quotes, which were kept as text.",
                counts["mended"],
            ),
        }
        return [message for key, message in told.items() if counts[key]]
