"""How a text file separates its cells: the delimiter, the quote, the escape."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from revoir.language import Message, msg

DELIMITERS = (";", ",", "\t", "|", "^", "~")
"""What separates cells, beside runs of blanks."""

BLANKS = " "
"""The delimiter of files whose columns are separated by runs of spaces or tabs."""

_NAMES: dict[str, Message] = {
    ";": msg("semicolon"),
    ",": msg("comma"),
    "\t": msg("tab"),
    "|": msg("vertical bar"),
    BLANKS: msg("blanks"),
}
_SEP_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?\r?\n?\Z", re.IGNORECASE)
_SAMPLE_ROWS = 500


@dataclass(frozen=True)
class Dialect:
    """How one text file is written.

    Attributes:
        delimiter: What separates two cells; `BLANKS` for runs of spaces or tabs.
        quote: What surrounds a cell that holds a delimiter.
        escape: What precedes a quote inside such a cell: the quote itself, or a backslash.
    """

    delimiter: str
    quote: str = '"'
    escape: str = '"'

    @property
    def name(self) -> Message:
        """The delimiter in words."""
        return _NAMES.get(self.delimiter) or msg("“{character}”", character=self.delimiter)

    def reader(self, lines: Iterable[str], *, strict: bool) -> Iterator[list[str]]:
        """A reader of the standard library for this dialect.

        Args:
            lines: Physical lines with their ends.
            strict: Whether a quote in the wrong place is an error.

        Returns:
            The reader.
        """
        doubled = self.escape == self.quote
        return csv.reader(
            lines,
            delimiter="\t" if self.delimiter == BLANKS else self.delimiter,
            quotechar=self.quote,
            doublequote=doubled,
            escapechar=None if doubled else self.escape,
            strict=strict,
        )


def declared_delimiter(first_line: str) -> str | None:
    """The delimiter that a first line ``sep=;`` declares, as Excel writes and reads it.

    Args:
        first_line: The first line of the file.

    Returns:
        The delimiter, or None where the line is data.

    Examples:
        >>> declared_delimiter("sep=;"), declared_delimiter("separation;date")
        (';', None)
    """
    found = _SEP_LINE.match(first_line)
    return found.group(1) if found else None


def squeezed(line: str) -> str:
    """A line of blank-separated columns with one tab between two cells.

    Args:
        line: A physical line.

    Returns:
        The line without blanks at its ends, with a line feed.
    """
    return "\t".join(line.split()) + "\n"


def sniff(sample: str, *, delimiter: str | None = None) -> Dialect:
    """Find the dialect that cuts the sample into rows of one width.

    Args:
        sample: Whole lines from the beginning of the file.
        delimiter: The delimiter, where the user said it.

    Returns:
        The dialect that explains the sample best; a comma where nothing separates anything.
    """
    escape = "\\" if re.search(r'\\"(?![;,\t|\r\n])', sample) and '""' not in sample else '"'
    if delimiter is not None:
        return Dialect(delimiter, escape=escape)
    best, best_score = Dialect(",", escape=escape), 0.0
    for candidate in DELIMITERS:
        dialect = Dialect(candidate, escape=escape)
        score = _score(dialect, sample)
        if score > best_score:
            best, best_score = dialect, score
    if best_score < 1 and _blank_columns(sample):
        return Dialect(BLANKS)
    return best


def _score(dialect: Dialect, sample: str) -> float:
    widths: list[int] = []
    try:
        for row in dialect.reader(io.StringIO(sample, newline=""), strict=False):
            if row:
                widths.append(len(row))
            if len(widths) >= _SAMPLE_ROWS:
                break
    except csv.Error:
        pass
    counts = Counter(width for width in widths if width > 1)
    if not counts:
        return 0.0
    # Of two widths that are as frequent, the wider explains more.
    width, rows = max(counts.items(), key=lambda item: (item[1], item[0]))
    share = rows / len(widths)
    if len(counts) == len(widths) > 2:
        return 0.0
    # A comma inside decimals cuts the rows evenly too, but not the header above them.
    header = 1.0 if width in widths[:2] else 0.4
    return share * header * (1 + min(width, 12) / 12)


def _blank_columns(sample: str) -> bool:
    """Whether runs of blanks cut every line into as many cells, with figures among them."""
    rows = [line.split() for line in sample.splitlines() if line.strip()]
    if len(rows) < 2:
        return False
    width, count = Counter(map(len, rows)).most_common(1)[0]
    figures = sum(any(cell[:1].isdigit() for cell in row) for row in rows[1:])
    return width > 1 and count >= 0.95 * len(rows) and figures >= 0.8 * len(rows[1:])
