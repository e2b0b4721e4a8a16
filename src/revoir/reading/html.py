"""A web page saved under the name of a table: its largest table is read."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from revoir.errors import InputError, Where
from revoir.language import msg
from revoir.reading import encoding as encodings
from revoir.reading.raw import RawTable
from revoir.reading.scratch import Scratch

_SIZE_LIMIT = 256 << 20


class _Tables(HTMLParser):
    """Collects the rows of every table that holds no other table."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[tuple[int, list[str]]]] = []
        self._open: list[list[tuple[int, list[str]]]] = []
        self._cell: list[str] | None = None
        self._span = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, row or cell."""
        if tag == "table":
            self._open.append([])
        elif tag == "tr" and self._open:
            self._end_cell()
            self._open[-1].append((self.getpos()[0], []))
        elif tag in ("td", "th") and self._open and self._open[-1]:
            self._end_cell()
            self._cell = []
            span = dict(attrs).get("colspan") or "1"
            self._span = min(int(span), 100) if span.isdigit() else 1
        elif tag == "br" and self._cell is not None:
            self._cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened."""
        if tag in ("td", "th", "tr", "table"):
            self._end_cell()
        if tag == "table" and self._open:
            self.tables.append(self._open.pop())

    def handle_data(self, data: str) -> None:
        """Collect the text of a cell."""
        if self._cell is not None:
            self._cell.append(data)

    def close(self) -> None:
        """Close tables that the page leaves open."""
        super().close()
        self._end_cell()
        self.tables.extend(reversed(self._open))
        self._open = []

    def _end_cell(self) -> None:
        if self._cell is not None and self._open and self._open[-1]:
            text = " ".join("".join(self._cell).split())
            self._open[-1][-1][1].extend([text, *[""] * (self._span - 1)])
        self._cell = None


def read_html(path: Path, file: str, scratch: Scratch) -> list[RawTable]:
    """Read the largest table of a web page.

    Args:
        path: The page.
        file: Its name for messages.
        scratch: The connection.

    Returns:
        The table.

    Raises:
        InputError: The page holds no table.
    """
    from revoir.reading.sheets import grid_tables

    with path.open("rb") as source:
        data = source.read(_SIZE_LIMIT)
    name = scratch.encoding or encodings.detect(path, data[: 1 << 18])
    page = _Tables()
    page.feed(encodings.decoded(data, name))
    page.close()
    rows = max(page.tables, key=len, default=[])
    rows = [(line, cells) for line, cells in rows if cells]
    if len(rows) < 2:
        raise InputError(
            msg("This is a web page, not a table."),
            where=Where(file=file),
            remedy=msg("Use the site's export to CSV or Excel; signing in again may be needed."),
        )
    width = max(len(cells) for _, cells in rows)
    grid = [cells + [""] * (width - len(cells)) for _, cells in rows]
    notes = [msg("This is a web page; its largest table was read.")]
    return grid_tables(grid, [line for line, _ in rows], file, None, notes, scratch)
