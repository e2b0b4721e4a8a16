"""Rows that were not accepted: why, how to mend them, and the file to mend them in."""

from __future__ import annotations

import csv
import heapq
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.files import whole
from revoir.language import Message, msg, nmsg
from revoir.reading import dates
from revoir.reading.mapping import is_own
from revoir.reading.part import BACKWARDS, REPEATED, Part
from revoir.reading.raw import RawTable, Reject
from revoir.reading.report import FileReport, Quarantined
from revoir.tables import Type

if TYPE_CHECKING:
    import duckdb

    from revoir.reading.fields import Field

REASON_HEADERS = ("revoir: line", "revoir: column", "revoir: reason", "revoir: remedy")
"""Headers of the columns that a quarantine file has beside those of the input."""
EXTRA_HEADER = "revoir: extra"
"""How the headers of cells begin that stand beyond the last column of the input."""

_NUMBER = re.compile(r"[-+]?[\d\s\u00a0\u202f.,]+(?:[eE][-+]?\d+)?\s?[€$£%]?")
_PHONE = re.compile(r"\+[\d\s().\u00a0-]+")


def count(connection: duckdb.DuckDBPyConnection, part: Part) -> None:
    """Fill in a report's counts; rows in = accepted + quarantined + duplicate."""
    report = part.report
    row = (
        connection.execute(
            f"SELECT count(*) FILTER (_bad IS NULL), count(*) FILTER (_bad = {REPEATED}),"
            f" count(*) FILTER (_bad <> {REPEATED}) FROM {part.relation}"
        ).fetchall()[0]
        if part.bad
        else (part.rows, 0, 0)
    )
    accepted, repeated, bad = row or (0, 0, 0)
    report.rows_accepted = accepted
    report.rows_duplicate = repeated
    report.rows_quarantined = bad + len(part.raw.rejects)
    report.cells_max = max((len(reject.cells) for reject in part.raw.rejects), default=0)
    report.rows_in = accepted + repeated + report.rows_quarantined
    report.all_quarantined = lambda: _quarantined(connection, part)


def _quarantined(connection: duckdb.DuckDBPyConnection, part: Part) -> Iterator[Quarantined]:
    """Walk the quarantined rows in the order of the file."""
    rejects = map(from_reject, sorted(part.raw.rejects, key=lambda reject: reject.line))
    return heapq.merge(rejects, _bad_rows(connection, part), key=lambda row: row.line)


def _bad_rows(connection: duckdb.DuckDBPyConnection, part: Part) -> Iterator[Quarantined]:
    if part.report.rows_quarantined == len(part.raw.rejects):
        return
    cells = ", ".join(f"CAST(r.{identifier(column)} AS VARCHAR)" for column in part.raw.columns)
    cursor = connection.cursor()
    cursor.execute(
        f"SELECT t._line, t._bad, {cells} FROM {part.relation} AS t"
        f" JOIN {part.raw.relation} AS r ON r._line = t._line"
        f" WHERE t._bad <> {REPEATED} ORDER BY t._line"
    )
    places: dict[int, Field] = dict(enumerate(part.fields.values(), 1))
    while rows := cursor.fetchmany(1000):
        for line, mark, *held in rows:
            if mark == BACKWARDS:
                yield _backwards(part, int(line), tuple(held))
            else:
                yield explain(part, int(line), places.get(mark), tuple(held))


def from_reject(reject: Reject) -> Quarantined:
    """A row whose very shape is broken."""
    return Quarantined(
        reject.line, reject.column, reject.value, reject.reason, reject.remedy, reject.cells
    )


def explain(
    part: Part, line: int, field: Field | None, cells: tuple[str | None, ...]
) -> Quarantined:
    """Say why a row was not accepted and how to mend it.

    Args:
        part: The file it is in.
        line: Its line.
        field: The column that fails; None when its number is that of another row.
        cells: Its cells.

    Returns:
        The quarantined row.
    """
    if field is None:
        return _conflict(part, line, cells)
    mapping = field.mapping
    value = cells[part.raw.columns.index(mapping.column)]
    header = mapping.header or mapping.column
    reason, remedy = _fault(field, value, line)
    return Quarantined(line, header, value, reason, remedy, cells)


def _backwards(part: Part, line: int, cells: tuple[str | None, ...]) -> Quarantined:
    mapping = part.fields["subscriptions.ended_at"].mapping
    return Quarantined(
        line,
        mapping.header or mapping.column,
        cells[part.raw.columns.index(mapping.column)],
        msg("The subscription ends before it begins."),
        msg("Correct the day that is wrong, or leave the row out."),
        cells,
    )


def _conflict(part: Part, line: int, cells: tuple[str | None, ...]) -> Quarantined:
    keys = (
        "order_lines.line_id", "orders.order_id", "responses.response_id",
        "interactions.interaction_id", "events.event_id",
    )  # fmt: skip
    field = next(part.fields[key] for key in keys if key in part.fields)
    value = cells[part.raw.columns.index(field.mapping.column)]
    reason = msg("Another row has the same number, and other values.")
    if field.key == "orders.order_id":
        reason = msg("The same order number comes again with another amount or other values.")
    return Quarantined(
        line,
        field.mapping.header or field.mapping.column,
        value,
        reason,
        msg("Keep the row that is right, or give this one a number of its own."),
        cells,
    )


def _fault(field: Field, value: str | None, line: int) -> tuple[Message, Message]:
    text = (value or "").strip()
    if not text or (field.required and text.lower() in _NOTHING):
        return msg("Nothing stands here."), _fill_in(field)
    match field.type:
        case Type.DECIMAL | Type.INTEGER:
            if len(re.sub(r"\D", "", text)) > 14 or re.fullmatch(r"[\d.]+[eE]\+?\d{2,}", text):
                return (
                    msg("The number is too large."),
                    msg("Write a number with at most 14 digits before the decimals."),
                )
            if field.key == "order_lines.unit_price" and _NUMBER.fullmatch(text):
                return (
                    msg("Times the quantity, the number is too large."),
                    msg("Correct the price or the quantity."),
                )
            return msg("This is no number."), msg("Write a number, such as 12.50 or 12,50.")
        case Type.DATE | Type.TIMESTAMP:
            unsure = any(first <= line <= last for first, last in field.unsure)
            day_first = field.mapping.format != "month_first"
            return dates.fault(text, day_first=day_first, unsure=unsure) or _date_fault(text)
        case Type.BOOLEAN:
            return msg("This is neither yes nor no."), msg("Write yes or no, or leave it empty.")
    if field.name == "email":
        return _email_fault(text)
    if field.name == "customer_id":
        return msg("This names nobody."), msg("Write who the customer is, or leave the row out.")
    return msg("This cannot be read."), _fill_in(field)


_NOTHING = frozenset(
    ("n/a", "na", "néant", "neant", "-", "--", "null", "none", "nan", "#n/a", "0000-00-00",
     "0000-00-00 00:00:00", "00/00/0000")
)  # fmt: skip


def _fill_in(field: Field) -> Message:
    match field.type:
        case Type.DECIMAL | Type.INTEGER:
            return msg("Write a number, such as 12.50 or 12,50.")
        case Type.DATE | Type.TIMESTAMP:
            return msg("Write a date, such as 2024-03-15 or 15/03/2024.")
    if field.name == "email":
        return msg("Write one address, such as name@example.com.")
    return msg("Fill it in.")


def _date_fault(text: str) -> tuple[Message, Message]:
    if re.search(r"\b(?:2[1-9]|[3-9]\d)\d{2}\b", text):
        return msg("The date lies too far ahead."), msg("Correct the year.")
    if re.match(r"(?:1[0-8]\d\d|0\d{3})-", text) or re.search(r"/(?:1[0-8]\d\d|0\d{3})\b", text):
        return msg("The date lies too far back."), msg("Correct the year.")
    parts = re.fullmatch(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})(?:[T ].*)?", text)
    if parts is None and not re.search(r"\d", text):
        return msg("This is no date."), msg("Write a date, such as 2024-03-15 or 15/03/2024.")
    if parts is not None and _exists(parts.groups()):
        return (
            msg("The date lies ahead of today."),
            msg("Correct the date, or import the row when it has happened."),
        )
    if parts is not None:
        return (
            msg("There is no such day."),
            msg("Write a date that exists, such as 2024-03-15 or 15/03/2024."),
        )
    return msg("This is no date."), msg("Write a date, such as 2024-03-15 or 15/03/2024.")


def _exists(parts: Sequence[str]) -> bool:
    import datetime as dt

    first, second, third = (int(part) for part in parts)
    orders = [(first, second, third)] if first > 31 else [(third, second, first)]
    for year, month, day in orders:
        try:
            dt.date(year + (2000 if year < 100 else 0), month, day)
        except ValueError:
            continue
        return True
    return False


def _email_fault(text: str) -> tuple[Message, Message]:
    if len(text) > 320:
        return (
            msg("The address is longer than the 320 characters an address can have."),
            msg("Write one address, such as name@example.com."),
        )
    if text.count("@") > 1:
        return (
            msg("Two addresses stand in one cell."),
            msg("Keep one; put the other one in a column of its own."),
        )
    return (
        msg("This is no e-mail address."),
        msg("Write one address, such as name@example.com."),
    )


def harmless(cell: str | None) -> str:
    """Write a cell so that no spreadsheet takes it for a formula.

    Examples:
        >>> harmless("=1+1"), harmless("-12,50"), harmless("+33 6 12 34 56 78")
        ("'=1+1", '-12,50', '+33 6 12 34 56 78')
    """
    if cell is None:
        return ""
    start = cell.lstrip(" \u00a0\u200b\ufeff")[:1]
    if start in ("=", "+", "-", "@", "\t", "\r", "|", "%") or cell[:1] in ("\t", "\r", "\n"):
        if _NUMBER.fullmatch(cell) or _PHONE.fullmatch(cell) or cell.strip() in ("-", "--"):
            return cell
        return "'" + cell
    return cell


def write(files: Iterable[FileReport], path: Path, language: str = "en") -> dict[Path, int]:
    """Write quarantined rows in the shape of the input, to be corrected and imported again.

    Args:
        files: The files that were read.
        path: The CSV file to write. Where several files have quarantined rows, each gets its
            own, with its name before the suffix.
        language: The language of reasons and remedies.

    Returns:
        How many rows were written to each file.
    """
    held = [file for file in files if file.rows_quarantined]
    written = {}
    for number, file in enumerate(held):
        target = path
        if len(held) > 1:
            stem = re.sub(r"[^\w.-]+", "_", f"{Path(file.file).stem}_{file.sheet or ''}").strip(
                "_."
            )
            target = path.with_name(f"{path.stem}.{number + 1}.{stem}{path.suffix}")
        with whole(target) as draft:
            written[target] = _write_one(file, draft, language)
    return written


def _write_one(file: FileReport, path: Path, language: str) -> int:
    width = len(file.headers)
    # A file of corrected rows that is still not right has those columns already.
    kept = [place for place, header in enumerate(file.headers) if not is_own(header)]
    beyond = [place for place, header in enumerate(file.headers) if _is_extra(header)]
    beyond += range(width, max(width, file.cells_max))
    extra = [f"{EXTRA_HEADER} {number}" for number in range(1, len(beyond) + 1)]
    headers = _headers(file)
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*(harmless(headers[place]) for place in kept), *extra, *REASON_HEADERS])
        for row in file.all_quarantined():
            cells = [
                harmless(row.cells[place]) if place < len(row.cells) else ""
                for place in (*kept, *beyond)
            ]
            writer.writerow(
                [*cells, row.line, row.column or "", row.reason.text(language),
                 row.remedy.text(language)]
            )  # fmt: skip
            count += 1
    return count


def _is_extra(header: str) -> bool:
    return is_own(header) and header.strip("'").startswith(EXTRA_HEADER)


def _headers(file: FileReport) -> list[str]:
    """The headers; where the file has none, the names of what its columns were taken for."""
    if any(file.headers):
        return file.headers
    return [column.name or column.column for column in file.mapping] or [
        f"c{place}" for place in range(len(file.headers))
    ]


def without_extra(connection: duckdb.DuckDBPyConnection, raw: RawTable) -> RawTable:
    """Set aside the rows of a quarantine file that still have too many cells.

    Args:
        connection: The connection that holds the raw cells.
        raw: The raw table.

    Returns:
        The same table, those rows among its rejects.
    """
    extra = [
        identifier(column)
        for column, header in zip(raw.columns, raw.headers, strict=True)
        if _is_extra(header)
    ]
    if not extra:
        return raw
    filled = " OR ".join(f"trim(coalesce(CAST({cell} AS VARCHAR), '')) <> ''" for cell in extra)
    cells = ", ".join(f"CAST({identifier(column)} AS VARCHAR)" for column in raw.columns)
    expected = sum(not is_own(header) for header in raw.headers)
    rejects = [
        Reject(
            line,
            tuple(cell or "" for cell in held),
            nmsg("The row has more than {n} cell.", "The row has more than {n} cells.", expected),
            msg("Put its cells under their headers, and leave nothing under “revoir: extra”."),
        )
        for line, *held in connection.execute(
            f"SELECT _line, {cells} FROM {raw.relation} WHERE {filled} ORDER BY _line"
        ).fetchall()
    ]
    name = identifier(f"whole rows of {raw.relation}")
    connection.execute(
        f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {raw.relation} WHERE NOT ({filled})"
    )
    return replace(raw, relation=name, rejects=[*raw.rejects, *rejects])
