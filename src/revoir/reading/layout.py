"""Where the table begins: preamble, header, second header, first row of data, total."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from revoir.language import Message, msg, nmsg
from revoir.tables import TABLES, Type, plain_name

_NUMBER = re.compile(
    r"[(+\-]*\s*[€$£]?\s*[(+\-]*\d[\d\s\u00a0\u202f.,'’]*(?:[eE][+-]?\d+)?\s*(?:%|€|\$|£|[A-Z]{3})?\)?\Z"
)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T\s].*)?\Z")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_TOTAL = re.compile(
    r"\W*(?:(?:sous|grand)?[\s\-]*(?:totaux|total)|somme|sum|ensemble)"
    r"(?:\s+(?:g[ée]n[ée]ral|generale?|ttc|ht|overall|annuel|du\b.*|des?\b.*|of\b.*|for\b.*|pour\b.*))?\s*:?\Z",
    re.IGNORECASE,
)
_PREAMBLE_ROWS = 40
_KINDS_OF_ANSWERS = frozenset(
    ["response", "open-ended response", "réponse", "réponse ouverte", "réponse libre"]
)
"""What survey tools write under the questions: of what kind the answers are."""
_NOTHING = ("", "na", "n/a", "nan", "null", "none", "-", "#n/a")


@dataclass
class Layout:
    """The shape of one table within the rows of a file or sheet.

    Attributes:
        start: Index of the first row of data.
        headers: What the file calls its columns, `width` of them.
        width: How many columns there are.
        has_header: Whether a header row was found.
        header: Index of the header row.
        notes: What was decided.
    """

    start: int
    headers: list[str]
    width: int
    has_header: bool
    header: int | None = None
    notes: list[Message] = field(default_factory=list)


@cache
def known_headers() -> frozenset[str]:
    """Every plain name that the canonical tables or their synonyms know."""
    names: set[str] = set()
    for table in TABLES.values():
        for column in table.columns:
            names.add(column.name)
            names.update(column.synonyms)
    return frozenset(names)


@cache
def named_headers() -> frozenset[str]:
    """Plain names of columns whose numbers name something, and are never added up."""
    names: set[str] = set()
    for table in TABLES.values():
        for column in table.columns:
            if column.type is Type.TEXT:
                names.update((column.name, *column.synonyms))
    return frozenset(names)


def kind(cell: str) -> str:
    """What a cell looks like: ``empty``, ``number``, ``date``, ``mail`` or ``text``.

    Args:
        cell: The cell as the file writes it.

    Returns:
        One of the five words.

    Examples:
        >>> [kind(cell) for cell in ("1 234,56 €", "2024-03-12", "Tours", "n/a", "a@b.fr")]
        ['number', 'date', 'text', 'empty', 'mail']
    """
    text = cell.strip()
    if text.lower() in _NOTHING:
        return "empty"
    if _DATE.match(text):
        return "date"
    if _NUMBER.match(text):
        return "number"
    return "mail" if _MAIL.match(text) else "text"


def cleaned(header: str) -> str:
    r"""A header without what cannot be seen: blanks at its ends, line breaks, zero-width marks.

    Args:
        header: The cell of the header row.

    Returns:
        The header on one line.

    Examples:
        >>> cleaned("Courriel\u00a0")
        'Courriel'
    """
    return " ".join(re.sub("[\ufeff\u200b\u200c\u200d\u2060\x00]", "", header).split())


def is_total(row: Sequence[str]) -> bool:
    """Whether a row sums up those above it.

    Args:
        row: Its cells.

    Returns:
        True where its first filled cell says "total", it holds a figure and no date, and some
        cells are blank. A sale of the company Total has the date of its day.
    """
    filled = [cell for cell in row if cell.strip()]
    return (
        len(filled) < len(row)
        and bool(filled)
        and bool(_TOTAL.match(filled[0].strip()))
        and any(kind(cell) == "number" for cell in filled[1:])
        and not any(kind(cell) == "date" for cell in filled[1:])
    )


def find_layout(
    rows: Sequence[Sequence[str]],
    header: bool | None = None,
    titles: Sequence[Sequence[str]] = (),
) -> Layout:
    """Find the header and the first row of data among the first rows of a file or sheet.

    Args:
        rows: The first rows, blank ones as empty lists.
        header: Whether there is a header row, where the user said it.
        titles: Rows of title that stand above these and are no part of the table.

    Returns:
        The layout; its notes say what was skipped and why.
    """
    width = _width(rows)
    typical = _typical(rows)
    need = max(1, -(-typical // 2))
    full = [i for i, row in enumerate(rows) if _filled(row) >= need and len(row) <= width + 1]
    full = full or [i for i, row in enumerate(rows) if _filled(row)]
    if not full:
        return Layout(len(rows), [""] * width, width, False)
    first = full[0]
    chosen = _header_row(rows, full, width, header)
    if chosen is None:
        notes = _skipped(rows, first)
        notes.append(msg("There is no header row; the columns are told by what they hold."))
        return Layout(first, [""] * width, width, False, notes=notes)
    return _with_header(rows, chosen, width, titles)


def _filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def _width(rows: Sequence[Sequence[str]]) -> int:
    counts = Counter(len(row) for row in rows if _filled(row))
    if not counts:
        return 1
    wide = {width: rows_of for width, rows_of in counts.items() if width > 1}
    if 3 * sum(wide.values()) >= sum(counts.values()):
        # Rows that do not come apart say nothing about how many columns there are.
        counts = Counter(wide)
    return max(counts.items(), key=lambda item: (item[1], item[0]))[0]


def _typical(rows: Sequence[Sequence[str]]) -> int:
    filled = sorted(n for n in map(_filled, rows) if n)
    return filled[len(filled) // 2] if filled else 1


def _known(row: Sequence[str]) -> int:
    """How many different names of columns a row has: one that is repeated names nothing."""
    return len(known_headers() & {plain_name(cell) for cell in row})


def _texts_only(row: Sequence[str]) -> bool:
    return all(kind(cell) in ("text", "empty") for cell in row)


def _header_row(
    rows: Sequence[Sequence[str]], full: list[int], width: int, header: bool | None
) -> int | None:
    if header is False:
        return None
    near = [i for i in full if i < _PREAMBLE_ROWS]
    for i in near:
        # Names we know are the best evidence, wherever a preamble pushed them.
        if _known(rows[i]) >= min(2, width) and _texts_only(rows[i]):
            return near[0] if _names_all(rows, near[0], i, width) else i
    if header is True:
        return full[0]
    return full[0] if _looks_like_header(rows, full[0], width) else None


def _names_all(rows: Sequence[Sequence[str]], first: int, other: int, width: int) -> bool:
    """Whether the first full row names every column, so that a row of words we know is data.

    A preamble in two columns ("Client", "Dupont") above a table of two does so as well: there the
    rows below the other one decide.
    """
    names = [cell.strip().lower() for cell in rows[first]]
    return (
        first < other
        and len(set(filter(None, names))) == width == len(names)
        and _known(rows[first]) > 0
        and _texts_only(rows[first])
        and (width > 2 or not any(map(_filled, rows[other + 1 :])))
    )


def _looks_like_header(rows: Sequence[Sequence[str]], index: int, width: int) -> bool:
    row = rows[index]
    body = [other for other in rows[index + 1 :] if len(other) == width and _filled(other)]
    names = [cell.strip() for cell in row if cell.strip()]
    if any(kind(name) in ("date", "mail") for name in names):
        return False
    numbers = sum(kind(name) == "number" for name in names)
    if numbers:
        # Years as headers ("2023", "2024") beside at least one name.
        years = sum(bool(re.fullmatch(r"(19|20)\d\d", name)) for name in names)
        if years < numbers or numbers == len(names):
            return False
    if not body:
        return True
    if _known(row):
        return True
    for column in range(min(width, len(row))):
        kinds = Counter(kind(other[column]) for other in body)
        figures = kinds["number"] + kinds["date"] + kinds["mail"]
        if kind(row[column]) == "text" and figures > 0.7 * (len(body) - kinds["empty"]) > 0:
            return True
    # All text: names of columns differ from each other and do not come back as values.
    repeated = sum(
        any(other[column].strip() == cell.strip() for other in body)
        for column, cell in enumerate(row[:width])
        if cell.strip()
    )
    return len(set(names)) == len(names) and repeated == 0


def _with_header(
    rows: Sequence[Sequence[str]], chosen: int, width: int, titles: Sequence[Sequence[str]]
) -> Layout:
    notes = _skipped(rows, chosen)
    names = [cleaned(cell) for cell in rows[chosen]]
    start = chosen + 1
    if start < len(rows) and _second_header(rows, start, width):
        second = [cleaned(cell) for cell in rows[start]]
        if [name.lower() for name in second] != [name.lower() for name in names]:
            pairs = list(zip(_padded(names, width), _padded(second, width), strict=True))
            names = _merged(pairs, groups=_filled(rows[chosen]) < _filled(rows[start]))
        notes.append(msg("Two header rows were read as one."))
        start += 1
    elif chosen > 0 and _group_row(rows[chosen - 1], names):
        above = [cleaned(cell) for cell in rows[chosen - 1]]
        names = _merged(
            list(zip(_padded(above, width), _padded(names, width), strict=True)), groups=True
        )
    names, width = _fitted(rows, names, start, width)
    if names and not names[0] and start < len(rows):
        names[0] = _of_headings([*titles, *rows[:chosen]], rows[start])
    notes.extend(_named(names))
    return Layout(start, names, width, True, header=chosen, notes=notes)


def _of_headings(above: Sequence[Sequence[str]], first: Sequence[str]) -> str:
    """What a first column without a header holds, where the title above the table says it.

    “Sales by Customer” has each customer on a row of its own, with the sales under it.
    """
    if _filled(first) != 1 or not first[0].strip():
        return ""
    titles = " ".join(cell for row in above for cell in row)
    found = re.search(r"\b(customer|client)s?\b", titles, re.IGNORECASE)
    return found[1].capitalize() if found else ""


def _padded(names: list[str], width: int) -> list[str]:
    return (names + [""] * width)[:width]


def _skipped(rows: Sequence[Sequence[str]], index: int) -> list[Message]:
    return left_out_above(sum(1 for row in rows[:index] if _filled(row)))


def left_out_above(lines: int) -> list[Message]:
    """The note on lines above a table, none where there are none.

    Args:
        lines: How many lines of title, period and the like were left out.
    """
    if not lines:
        return []
    return [
        nmsg(
            "{n} line above the table was left out.",
            "{n} lines above the table were left out.",
            lines,
        )
    ]


def _second_header(rows: Sequence[Sequence[str]], index: int, width: int) -> bool:
    """Whether the row under the header is a second header: texts over columns of figures."""
    row, above = rows[index], rows[index - 1]
    if not _filled(row) or not _texts_only(row):
        return False
    if {cell.strip().lower() for cell in row if cell.strip()} <= _KINDS_OF_ANSWERS:
        return True
    if [c.strip().lower() for c in row] == [c.strip().lower() for c in above]:
        return True
    body = [other for other in rows[index + 1 :] if len(other) == width and _filled(other)]
    if len(body) < 2:
        return False
    contrary = 0
    for column in range(min(width, len(row))):
        kinds = Counter(kind(other[column]) for other in body)
        if kind(row[column]) == "text":
            figures = kinds["number"] + kinds["date"] + kinds["mail"]
            if figures and not kinds["text"]:
                contrary += 1
            elif any(other[column] == row[column] for other in body):
                return False
    # One word in a column of figures may be a bad cell; two are a row of names.
    return contrary >= 2 or (contrary == 1 and _known(row) >= 1)


def _group_row(row: Sequence[str], names: list[str]) -> bool:
    """Whether the row above the header names groups of its columns."""
    return (
        len(row) == len(names)
        and _filled(row) >= 2
        and _texts_only(row)
        and len(set(filter(None, names))) < len(list(filter(None, names)))
    )


def _merged(pairs: list[tuple[str, str]], *, groups: bool) -> list[str]:
    """One name a column out of two header rows."""
    names: list[str] = []
    group = ""
    times = Counter(second for _, second in pairs)
    known = _known([first for first, _ in pairs]), _known([second for _, second in pairs])
    for first, second in pairs:
        group = first or (group if groups else "")
        if not groups:
            names.append((first or second) if known[0] >= known[1] else (second or first))
        elif not second:
            names.append(first)
        elif times[second] > 1 and group:
            names.append(f"{group} {second}")
        else:
            names.append(second)
    return names


def _fitted(
    rows: Sequence[Sequence[str]], names: list[str], start: int, width: int
) -> tuple[list[str], int]:
    """The header fitted to the width of the data."""
    if len(names) > width:
        if not any(names[width:]):
            return names[:width], width
        return names, len(names)
    if len(names) == width:
        return names, width
    body = [row for row in rows[start:] if len(row) == width]
    first = [row[0] for row in body]
    # R writes row names under no header: the header is one short, and on the left.
    if len(names) == width - 1 and len(set(first)) == len(first) > 1 and _row_names(first):
        return ["", *names], width
    return _padded(names, width), width


def _row_names(cells: list[str]) -> bool:
    return all(cell.strip().isdigit() for cell in cells) and any(
        int(second) == int(first) + 1 for first, second in itertools.pairwise(cells)
    )


def _named(names: list[str]) -> list[Message]:
    notes = []
    held: dict[str, list[str]] = {}
    for place, name in enumerate(names, 1):
        held.setdefault(name.lower(), []).append(str(place))
    for name in dict.fromkeys(filter(None, names)):
        places = held[name.lower()]
        if len(places) == 1:
            continue
        notes.append(
            msg(
                "The header “{header}” stands more than once: columns {places}.",
                header=name,
                places=places,
            )
        )
    blank = [str(i + 1) for i, name in enumerate(names) if not name]
    if blank:
        notes.append(
            nmsg(
                "Column {places} has no header.",
                "Columns {places} have no header.",
                len(blank),
                places=blank[:10],
            )
        )
    return notes


def begins_table(block: Sequence[Sequence[str]], before: Layout) -> bool:
    """Whether the rows below a blank line begin another table than the one above.

    Args:
        block: The rows below the blank line, blank ones included.
        before: The layout of the table above.

    Returns:
        True where they begin with a header of their own.
    """
    until = next((i for i, row in enumerate(block) if not _filled(row)), len(block))
    rows = block[:until]
    if len(rows) < 2 or max(map(_filled, rows)) < 2:
        return False
    layout = find_layout(rows)
    if not layout.has_header or layout.header != 0:
        return False
    theirs = {name.lower() for name in layout.headers if name}
    mine = {name.lower() for name in before.headers if name}
    if theirs <= mine:
        return False
    if sum(len(row) == before.width for row in rows) <= len(rows) / 2:
        return True
    # Of the same width, only figures under names tell a header from a row of data.
    return any(
        kind(name) == "text" and kind(cell) in ("number", "date", "mail")
        for row in rows[1:]
        for name, cell in zip(rows[0], row, strict=False)
    )


def is_preamble(rows: Sequence[Sequence[str]], below: Sequence[Sequence[str]]) -> bool:
    """Whether rows above a blank line only say what the table below it is: a title, a period.

    Args:
        rows: The rows above the blank line.
        below: The rows under it, which begin with a header.

    Returns:
        True where they are few and narrow, and hold neither columns we know nor addresses.
    """
    held = [[cell for cell in row if cell.strip()] for row in rows]
    held = [cells for cells in held if cells]
    widest = max(map(len, held), default=0)
    if len(held) > _PREAMBLE_ROWS // 4 or not 0 < widest <= 2 < _filled(below[0]):
        return False
    if any(kind(cell) == "mail" for cells in held for cell in cells):
        return False
    if widest == 1:
        return not _known(held[0])
    # “Period | January” stands above a table; “client | amount” is one.
    return _known(below[0]) >= 2 and all(_known(cells) < 2 for cells in held)
