"""Rows of a text file one by one, each with its line, the broken ones told apart."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from revoir.language import Message, msg
from revoir.reading.dialect import BLANKS, Dialect

CELL_LIMIT = 2_000_000
"""Longest row in characters; DuckDB's reader stops at about as many bytes."""

_LINES_LIMIT = 1_000


class Fault(NamedTuple):
    """Why a row cannot be told apart, and how to mend it."""

    reason: Message
    remedy: Message


@dataclass(slots=True)
class Record:
    """One row.

    Attributes:
        line: Its first line in the file, from 1.
        cells: Its cells; empty for a blank line.
        fault: What is wrong with its quotes or length.
        open_end: Whether the file ends within this row.
        mended: Whether quotes inside a cell had to be guessed.
    """

    line: int
    cells: list[str]
    fault: Fault | None = None
    open_end: bool = False
    mended: bool = False


class _TooLongError(Exception):
    pass


class _Feed:
    """Physical lines that can be given back."""

    def __init__(self, lines: Iterable[str], line: int) -> None:
        self._lines = iter(lines)
        self._back: list[str] = []
        self.line = line
        self.taken: list[str] = []

    def mark(self) -> None:
        """Begin a row."""
        self.line += len(self.taken)
        self.taken.clear()

    def back(self) -> None:
        """Give back every line of the row but the first."""
        self._back.extend(reversed(self.taken[1:]))
        del self.taken[1:]

    def skip_past(self, quote: str) -> None:
        """Pass over lines to the one that closes a quote, keeping none of them."""
        count = len(self.taken)
        while line := self._back.pop() if self._back else next(self._lines, ""):
            count += 1
            if line.count(quote) % 2:
                break
        self.line += count - 1
        del self.taken[1:]

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._back.pop() if self._back else next(self._lines)
        taken = self.taken
        taken.append(line)
        if (
            len(line) > CELL_LIMIT
            or len(taken) > _LINES_LIMIT
            or (len(taken) > 1 and sum(map(len, taken)) > CELL_LIMIT)
        ):
            raise _TooLongError
        return line


def records(
    lines: Iterable[str], dialect: Dialect, *, line: int = 1, width: int | None = None
) -> Iterator[Record]:
    """Cut physical lines into rows.

    A quote that is opened and never closed costs one line, not the rest of the file.

    Args:
        lines: Physical lines with their ends.
        dialect: How cells are separated.
        line: Number of the first of the lines.
        width: Cells that a row should have, where it is known.

    Yields:
        Every row, blank lines included.
    """
    if dialect.delimiter == BLANKS:
        lines = ("\t".join(one.split()) + "\n" for one in lines)
    feed = _Feed(lines, line)
    previous = csv.field_size_limit(CELL_LIMIT)
    try:
        while True:
            reader = dialect.reader(feed, strict=True)
            feed.mark()
            try:
                for cells in reader:
                    taken = feed.taken
                    if len(taken) > 1 and width is not None and len(cells) != width:
                        # The quote swallowed the lines below until another quote stopped it.
                        raise csv.Error
                    yield Record(feed.line, cells, None, taken[-1][-1] not in "\r\n")
                    feed.mark()
            except _TooLongError:
                yield _endless(feed, dialect, width) or _broken(feed, dialect, width)
            except csv.Error:
                yield _broken(feed, dialect, width)
            else:
                return
    finally:
        csv.field_size_limit(previous)


def _endless(feed: _Feed, dialect: Dialect, width: int | None) -> Record | None:
    """A cell between quotes that is too long; None where only its quote is one too many."""
    below = feed.taken[1:]
    delimiter = "\t" if dialect.delimiter == BLANKS else dialect.delimiter
    whole = sum(line.count(delimiter) + 1 == width for line in below)
    if width is None or width == 1 or not below or whole > 0.5 * len(below):
        return None
    line = feed.line
    shown = feed.taken[0].rstrip("\r\n")[:1000].split(delimiter)
    feed.skip_past(dialect.quote)
    return Record(line, [cell[:200] for cell in shown], _too_long())


def _too_long() -> Fault:
    return Fault(
        msg("The row is longer than {limit} characters.", limit=CELL_LIMIT),
        msg("Shorten the cell, or leave it out."),
    )


def _broken(feed: _Feed, dialect: Dialect, width: int | None) -> Record:
    feed.back()
    text = feed.taken[0].rstrip("\r\n")
    open_end = text == feed.taken[0]
    if len(text) > CELL_LIMIT:
        shown = [cell[:200] for cell in text[:1000].split(dialect.delimiter)]
        return Record(feed.line, shown, _too_long(), open_end)
    cells = _by_quotes_before_delimiters(text, dialect)
    even = text.count(dialect.quote) % 2 == 0
    if even and len(cells) == width:
        return Record(feed.line, cells, open_end=open_end, mended=True)
    if not even:
        fault = Fault(
            msg("A quote is opened and never closed."),
            msg("Close the quote, or double it where it belongs to the text."),
        )
    else:
        fault = Fault(
            msg("A quote stands in the middle of a cell."),
            msg("Double the quotes that belong to the text."),
        )
    return Record(feed.line, cells, fault, open_end)


def _by_quotes_before_delimiters(text: str, dialect: Dialect) -> list[str]:
    """Cells of a line where only a quote before a delimiter or the end closes a cell."""
    delimiter = re.escape("\t" if dialect.delimiter == BLANKS else dialect.delimiter)
    quote = re.escape(dialect.quote)
    pattern = re.compile(
        rf"{quote}(?P<quoted>.*?){quote}(?P<end>{delimiter}|\Z)|(?P<plain>.*?)(?P<stop>{delimiter}|\Z)",
        re.DOTALL,
    )
    cells: list[str] = []
    at = 0
    while match := pattern.match(text, at):
        quoted = match["quoted"]
        if quoted is not None:
            cells.append(quoted.replace(dialect.quote * 2, dialect.quote))
        else:
            cells.append(match["plain"])
        at = match.end()
        if not (match["end"] or match["stop"]):
            break
    return cells
