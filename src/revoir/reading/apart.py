"""Orders and their lines in tables apart: which belong together, and what each of them tells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.language import msg, nmsg
from revoir.reading import joined, quarantine
from revoir.reading.build import convert
from revoir.reading.detect import Detection
from revoir.reading.kinds import PAID, are_lines, are_orders
from revoir.reading.mapping import FileMapping
from revoir.reading.part import Part
from revoir.reading.profile import profiles
from revoir.reading.raw import RawTable
from revoir.reading.repeats import Overlaps, mark
from revoir.reading.report import FileReport

if TYPE_CHECKING:
    import duckdb

TOTALLESS = msg(
    "Its rows look like orders, and nothing says what was paid. Import the lines of these orders"
    " with it, at once: with their prices."
)
DATELESS = msg(
    "Its rows look like lines of orders, and nothing tells when these were. Import the list of the"
    " orders with them, at once: with the day and the total of each."
)


@dataclass
class Sheet:
    """A table of a file: its place among the files, and among the reports.

    Attributes:
        number: Its place among the files read.
        place: That of its report.
        raw: Its cells.
        said: What the user says of it.
        detection: What its columns mean.
        part: It converted; None where nothing is known of it by itself.
        lists: The lists of orders that it was joined with.
        whole: Whether orders are made of its rows.
    """

    number: int
    place: int
    raw: RawTable
    said: FileMapping | None
    detection: Detection
    part: Part | None = None
    lists: tuple[Part, ...] = ()
    whole: bool = True


class Apart:
    """Joins lines with the lists of their orders.

    Args:
        connection: Holds all tables.
        sheets: They; those that are understood together get their part.
        reports: What is told of each.
        zone: IANA zone of times without zone.
        today: Orders after the day after it are mistakes (None: only those past 2100).
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        sheets: Sequence[Sheet],
        reports: list[FileReport],
        *,
        zone: str,
        today: dt.date | None,
    ) -> None:
        self._connection = connection
        self._sheets = sheets
        self._reports = reports
        self._zone = zone
        self._today = today
        self._overlaps = Overlaps(connection)

    def join(self) -> None:
        """Join all lines that there are, and tell which rows come again."""
        lines = [sheet for sheet in self._sheets if _are_lines(sheet)]
        others = [sheet for sheet in self._sheets if sheet not in lines]
        bare = [s for s in others if s.part is None and are_orders(s.detection.columns)]
        unread: dict[int, FileReport] = {}
        for sheet in others if any(map(_have_prices, lines)) else ():
            if sheet in bare:
                unread[sheet.number] = self._reports[sheet.place]
                self._convert_unpriced(sheet)
            elif sheet.part is not None and _lacks_totals(self._connection, sheet.part):
                self._convert_unpriced(sheet)
        # A list that has the totals speaks before one that has none.
        for sheet in sorted(others, key=lambda sheet: sheet in bare):
            if sheet.part is not None:
                self._overlaps.tell(sheet.part)
        for sheet in lines:
            self._join(sheet)
            if sheet.part is not None:
                self._overlaps.tell(sheet.part)
        for sheet in others:
            if sheet.part is not None and sheet.part.detection.unpriced:
                self._settle(sheet, unread.get(sheet.number), lines)
            elif sheet in bare:
                self._reports[sheet.place].notes.append(TOTALLESS)

    def _convert_unpriced(self, sheet: Sheet) -> None:
        """Convert a list of orders of which some, or all, have no total."""
        detection = sheet.detection if sheet.part is not None else _of_orders(sheet.detection)
        sheet.part = self._convert(sheet, sheet.raw, replace(detection, unpriced=True))

    def _convert(self, sheet: Sheet, raw: RawTable, detection: Detection) -> Part:
        part = convert(
            self._connection, raw, detection, profiles(self._connection, raw),
            zone=self._zone, today=self._today, number=sheet.number,
        )  # fmt: skip
        self._reports[sheet.place] = part.report
        return part

    def _join(self, sheet: Sheet) -> None:
        """Put beside lines what lists say of their orders."""
        parts = [held.part for held in self._sheets if held.part is not None and held is not sheet]
        dated = sheet.part
        again = dated is not None and dated.renumbered
        lists = [part for part in parts if joined.is_list(part, renumbered=again)]
        if dated is not None:
            lists = [part for part in lists if not joined.are_dated_lines(part)]
        made = joined.beside(
            self._connection, sheet.raw, sheet.detection.columns, lists, dated,
            earlier=[held.number for held in self._sheets if held.lists],
        )  # fmt: skip
        if made is None:
            if dated is None:
                self._reports[sheet.place].notes.append(DATELESS)
            return
        joined.keep_met(self._connection, sheet.number)
        detection = sheet.detection if dated is not None else _of_orders(sheet.detection)
        detection = replace(made.meant(detection), restarts=again)
        sheet.part = self._convert(sheet, made.raw, detection)
        sheet.lists = made.orders
        sheet.whole = made.whole or dated is not None

    def _settle(self, sheet: Sheet, unread: FileReport | None, lines: Sequence[Sheet]) -> None:
        """Say which orders have neither a total nor a line: nothing says what they came to."""
        part = sheet.part
        assert part is not None
        numbers = [held.number for held in lines if part in held.lists]
        if unread is not None and not numbers and part.report.rows_accepted:
            unread.notes.append(TOTALLESS)
            self._reports[sheet.place] = unread
            sheet.part = None
            return
        left = joined.without_lines(self._connection, part, numbers)
        if part.has("orders.amount"):
            place = list(part.fields).index("orders.amount") + 1
            mark(self._connection, part, f"SELECT _line, {place} AS mark FROM ({left})")
            quarantine.count(self._connection, part)
            priced = identifier(f"priced_{part.number}")
            self._connection.execute(
                f"CREATE OR REPLACE VIEW {priced} AS SELECT * FROM {part.relation}"
                ' WHERE _bad IS NOT NULL OR "orders.amount" IS NOT NULL'
            )
            part.relation, part.is_table = priced, False
            return
        [(count,)] = self._connection.execute(f"SELECT count(*) FROM ({left})").fetchall()
        if count:
            part.notes.append(
                nmsg(
                    "{n} order has no line: it is not counted, for nothing says what it came to.",
                    "{n} orders have no line: they are not counted, for nothing says what they"
                    " came to.",
                    count,
                )
            )


def _of_orders(detection: Detection) -> Detection:
    why = msg("its rows have the number and the day of an order")
    return replace(detection, table="orders", confidence=0.8, why=why)


def _are_lines(sheet: Sheet) -> bool:
    if sheet.part is None:
        return are_lines(sheet.detection.columns)
    return joined.are_dated_lines(sheet.part)


def _have_prices(sheet: Sheet) -> bool:
    return bool(PAID & {column.target for column in sheet.detection.columns})


def _lacks_totals(connection: duckdb.DuckDBPyConnection, part: Part) -> bool:
    """Whether a list of orders has a column of totals in which some cells are empty."""
    if not joined.is_list(part) or not part.bad or not part.has("orders.amount"):
        return False
    place = list(part.fields).index("orders.amount") + 1
    [(count,)] = connection.execute(
        f'SELECT count(*) FROM {part.relation} WHERE _bad = {place} AND "orders.amount" IS NULL'
    ).fetchall()
    return bool(count)
