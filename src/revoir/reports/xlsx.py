"""The report as a workbook: figures, cohorts, every customer with the segment, definitions.

Texts of the data are written as texts: what looks like a formula stays what it looks like.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from revoir.book import Book
from revoir.language import Message, msg
from revoir.metrics.registry import Unit
from revoir.reports.figures import Kpi
from revoir.reports.leavers import REGULAR_DAYS
from revoir.reports.model import Report, WhatIf
from revoir.reports.view import gathered, points_more, reason_rows, typeset, what_if_explained
from revoir.reports.wording import COLUMN_NAMES, age, short
from revoir.segments.names import SEGMENTS
from revoir.segments.rfm import rfm
from revoir.tables import CALLED

ROWS_MAX = 1_048_575
"""Rows of a sheet of Excel, less the heading."""

BATCH_ROWS = 50_000


def write_xlsx(
    report: Report, path: Path, *, book: Book | None = None, language: str | None = None
) -> None:
    """Write a report as a workbook.

    Args:
        report: The report.
        path: Where to.
        book: The book it was made from, for the list of customers (None: without it).
        language: Language of headings and sentences (None: the report's own).
    """
    with xlsxwriter.Workbook(
        path,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    ) as workbook:
        _Workbook(workbook, report, language or report.language).write(book)


class _Workbook:
    def __init__(self, workbook: Any, report: Report, language: str) -> None:
        self.workbook = workbook
        self.report = report
        self.language = language
        self.head = workbook.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}
        )
        self.wrap = workbook.add_format({"text_wrap": True, "valign": "top"})
        self.formats = {
            kind: workbook.add_format({"num_format": shape, "valign": "top"})
            for kind, shape in (
                ("share", "0.0%"),
                ("count", "#,##0"),
                ("money", "#,##0.00"),
                ("number", "#,##0.0"),
                ("date", "yyyy-mm-dd" if language == "en" else "dd/mm/yyyy"),
            )
        }

    def text(self, value: Any) -> str:
        return typeset(value, self.language)

    def write(self, book: Book | None) -> None:
        self._answers()
        self._figures()
        self._series()
        if self.report.cohorts is not None:
            self._cohorts()
        if self.report.lifecycle is not None:
            self._lifecycle()
        if self.report.rfm is not None:
            self._segments()
            if book is not None:
                self._customers(book)
        if self.report.what_if is not None:
            self._what_if(self.report.what_if)
        if self.report.breakdowns:
            self._breakdowns()
        self._asked()
        self._reasons()
        self._definitions()
        self._quality()

    def sheet(self, name: Message, columns: Sequence[Message | str], widths: Sequence[int]) -> Any:
        sheet = self.workbook.add_worksheet(self.text(name)[:31])
        sheet.freeze_panes(1, 1)
        for index, width in enumerate(widths):
            sheet.set_column(index, index, width)
        for index, column in enumerate(columns):
            sheet.write_string(0, index, self.text(column), self.head)
        return sheet

    def row(self, sheet: Any, line: int, cells: Iterable[tuple[str, Any]]) -> None:
        """Write cells of (kind, value); an absent value leaves the cell empty."""
        for index, (kind, value) in enumerate(cells):
            if value is None:
                continue
            if kind == "text":
                sheet.write_string(line, index, self.text(value), self.wrap)
            elif kind == "date":
                sheet.write_datetime(line, index, value, self.formats["date"])
            else:
                sheet.write_number(line, index, float(value), self.formats[kind])

    def _answers(self) -> None:
        columns = (msg("Question"), msg("Answer"), msg("Why"), msg("Customers"))
        sheet = self.sheet(msg("In short"), columns, (34, 80, 80, 12))
        line = 1
        for answer in self.report.answers:
            for sentence in answer.sentences:
                self.row(sheet, line, [("text", answer.question), ("text", sentence)])
                line += 1
        question = msg("What do I do on Monday morning?")
        for action in self.report.actions:
            cells = [
                ("text", question),
                ("text", action.title),
                ("text", action.why),
                ("count", action.customers),
            ]
            self.row(sheet, line, cells)
            line += 1
        for insight in self.report.insights:
            kind = {"strength": msg("Strength"), "weakness": msg("Weakness")}[insight.kind]
            self.row(sheet, line, [("text", kind), ("text", insight.text)])
            line += 1

    def _kpis(self) -> Iterator[Kpi]:
        headline = [kpi for _, kpi in self.report.headline]
        yield from headline
        for chapter in self.report.chapters:
            yield from (kpi for kpi in chapter.kpis if kpi not in headline)

    def _figures(self) -> None:
        columns = (
            msg("Figure"),
            msg("Period"),
            msg("Value"),
            msg("From (95%)"),
            msg("To (95%)"),
            msg("n"),
            msg("Period before"),
            msg("Year before"),
            msg("Goal"),
            msg("Published figure"),
            msg("Source"),
            msg("Remark"),
        )
        sheet = self.sheet(
            msg("Figures"), columns, (34, 26, 14, 14, 14, 12, 14, 14, 12, 20, 40, 60)
        )
        for line, kpi in enumerate(self._kpis(), start=1):
            kind, point = _kind(kpi.unit), kpi.point
            benchmark = kpi.benchmarks[0] if kpi.benchmarks else None
            cells = [
                ("text", kpi.label),
                ("text", short(point.period) if point and point.period else None),
                (kind, kpi.value),
                (kind, point.low if point else None),
                (kind, point.high if point else None),
                ("count", kpi.n),
                (kind, kpi.previous.base if kpi.previous else None),
                (kind, kpi.year_before.base if kpi.year_before else None),
                (kind, kpi.goal.value if kpi.goal else None),
                ("text", benchmark.shown() if benchmark else None),
                ("text", benchmark.source() if benchmark else None),
                ("text", kpi.reason or kpi.note),
            ]
            self.row(sheet, line, cells)

    def _series(self) -> None:
        if not any(kpi.series for kpi in self._kpis()):
            return
        columns = (
            msg("Figure"),
            msg("Period"),
            msg("Complete"),
            msg("Value"),
            msg("From (95%)"),
            msg("To (95%)"),
        )
        sheet = self.sheet(msg("By period"), columns, (34, 20, 10, 14, 14, 14))
        line = 1
        for kpi in self._kpis():
            for point in kpi.series:
                kind = _kind(kpi.unit)
                cells = [
                    ("text", kpi.label),
                    ("text", short(point.period)),
                    ("text", point.complete),
                    (kind, point.value),
                    (kind, point.low),
                    (kind, point.high),
                ]
                self.row(sheet, line, cells)
                line += 1

    def _cohorts(self) -> None:
        section = self.report.cohorts
        if section is None:
            return
        ages = max(len(row.cells) for row in section.rows)
        columns = [msg("Cohort"), msg("Customers"), *(age(section.grain, n) for n in range(ages))]
        sheet = self.sheet(msg("Cohorts"), columns, (18, 12, *[8] * ages))
        for line, row in enumerate(section.rows, start=1):
            cells = [("text", short(row.period)), ("count", row.size)]
            self.row(sheet, line, [*cells, *(("share", cell) for cell in row.cells)])

    def _lifecycle(self) -> None:
        section = self.report.lifecycle
        if section is None:
            return
        columns = (
            msg("Period"),
            msg("Complete"),
            msg("New"),
            msg("Still here"),
            msg("Back"),
            msg("Gone silent"),
        )
        sheet = self.sheet(msg("Lifecycle"), columns, (18, 10, 12, 12, 12, 12))
        for line, row in enumerate(section.rows, start=1):
            dormant = row.dormant if row.complete else None
            counts = (row.new, row.returning, row.resurrected, dormant)
            cells = [("text", short(row.period)), ("text", row.complete)]
            self.row(sheet, line, [*cells, *(("count", count) for count in counts)])

    def _segments(self) -> None:
        section = self.report.rfm
        if section is None:
            return
        columns = (
            msg("Segment"),
            msg("Customers"),
            msg("Share of customers"),
            msg("Bought in all"),
            msg("Share of purchases"),
            msg("Days since last, median"),
            msg("Purchase days, median"),
            msg("What to do"),
        )
        sheet = self.sheet(msg("Segments"), columns, (22, 12, 10, 16, 10, 14, 14, 70))
        for line, row in enumerate(section.segments, start=1):
            cells = [
                ("text", row.label),
                ("count", row.customers),
                ("share", row.share),
                ("money", row.revenue),
                ("share", row.revenue_share),
                ("number", row.days_since_last),
                ("number", row.frequency),
                ("text", row.advice),
            ]
            self.row(sheet, line, cells)
        below = (*section.cutoffs, *([section.note] if section.note else []))
        for offset, sentence in enumerate(below, start=len(section.segments) + 2):
            self.row(sheet, offset, [("text", sentence)])

    def _customers(self, book: Book) -> None:
        """Every customer with the segment, those worth most first."""
        names = [name for name in _PERSONAL if book.has("customers", name)]
        columns = (
            msg("Customer"),
            *(_PERSONAL[name] for name in names),
            msg("Segment"),
            msg("This week"),
            msg("Days since last purchase"),
            msg("Purchase days"),
            msg("Bought in all"),
            msg("Recency score"),
            msg("Frequency score"),
            msg("Amount score"),
        )
        widths = (20, *[24] * len(names), 22, 26, 14, 12, 14, 10, 10, 10)
        sheet = self.sheet(msg("Customers by segment"), columns, widths)
        line = 0
        for line, row in enumerate(_customer_rows(book, names), start=1):
            cells = [
                ("text", str(row["customer_id"])),
                *(("text", row[name]) for name in names),
                ("text", SEGMENTS[row["segment"]].label),
                ("text", self._this_week(row)),
                ("count", row["days_since_last"]),
                ("count", row["frequency"]),
                ("money", row["monetary"]),
                ("count", row["r"]),
                ("count", row["f"]),
                ("count", row["m"]),
            ]
            self.row(sheet, line, cells)
        if line:
            sheet.autofilter(0, 0, line, len(columns) - 1)

    def _this_week(self, row: dict[str, Any]) -> Message | None:
        """The action of the first screen that this customer is meant by."""
        left = self.report.leavers
        if left is None or row["days_since_last"] >= left.window_days:
            return None
        if row["frequency"] >= REGULAR_DAYS and row["days_since_last"] >= left.late_after_days:
            return msg("Call or write: silent for long")
        if row["frequency"] == 1 and row["days_since_last"] >= left.due_after_days:
            return msg("Propose a second purchase")
        return None

    def _what_if(self, section: WhatIf) -> None:
        columns = [
            msg("Retention"),
            msg("Rate"),
            msg("Customers kept"),
            msg("Revenue a year"),
            msg("Share of revenue"),
            msg("Profit a year"),
            msg("Winning as many would cost"),
            msg("Lifetime value of a customer"),
        ]
        sheet = self.sheet(msg("What if"), columns, (80, 10, 14, 16, 14, 16, 16, 16))
        cost = section.acquisition_cost
        for line, one in enumerate(section.scenarios, start=1):
            cells = [
                ("text", points_more(one.points)),
                ("share", one.retention),
                ("number", one.customers),
                ("money", one.revenue),
                ("share", one.revenue_share),
                ("money", one.profit),
                ("money", None if cost is None else one.customers * cost),
                ("money", one.clv),
            ]
            self.row(sheet, line, cells)
        said = (what_if_explained(section, self.report.currency), section.formula, *section.notes)
        for offset, sentence in enumerate(said, start=len(section.scenarios) + 2):
            self.row(sheet, offset, [("text", sentence)])

    def _breakdowns(self) -> None:
        """Each metric by each column, a line a group."""
        columns = (
            msg("Figure"),
            msg("Column"),
            msg("Group"),
            msg("Period"),
            msg("Customers"),
            msg("Value"),
            msg("From (95%)"),
            msg("To (95%)"),
            msg("Remark"),
        )
        sheet = self.sheet(msg("By group"), columns, (24, 20, 40, 26, 12, 12, 12, 12, 60))
        lines = [(section, row) for section in self.report.breakdowns for row in section.rows]
        for line, (section, row) in enumerate(lines, start=1):
            kind = _kind(section.unit)
            cells = [
                ("text", section.label),
                ("text", COLUMN_NAMES.get(section.column, section.column)),
                ("text", row.group),
                ("text", short(section.period)),
                ("count", row.customers),
                (kind, row.value),
                (kind, row.low),
                (kind, row.high),
                ("text", row.reason),
            ]
            self.row(sheet, line, cells)
        if lines:
            sheet.autofilter(0, 0, len(lines), len(columns) - 1)

    def _asked(self) -> None:
        """How many gave each score to each question, a line a score."""
        asked = [one for chapter in self.report.chapters for one in chapter.asked]
        if not asked:
            return
        columns = (msg("Question"), msg("Score"), msg("Answers"), msg("Share of answers"))
        sheet = self.sheet(msg("Answers to questions"), columns, (40, 12, 12, 16))
        lines = [(one, score, count) for one in asked for score, count in one.counts]
        for line, (one, score, count) in enumerate(lines, start=1):
            cells = [("text", one.label), ("count", score), ("count", count)]
            self.row(sheet, line, [*cells, ("share", count / one.answers)])

    def _reasons(self) -> None:
        rows = [row for chapter in self.report.chapters for row in reason_rows(chapter)]
        if not rows:
            return
        sheet = self.sheet(msg("Reasons"), (msg("Reason"), msg("Departures")), (60, 12))
        for line, (reason, count) in enumerate(rows, start=1):
            self.row(sheet, line, [("text", reason), ("count", count)])

    def _definitions(self) -> None:
        columns = (msg("Figure"), msg("Definition"), msg("Source"))
        sheet = self.sheet(msg("Definitions"), columns, (36, 100, 60))
        for line, one in enumerate(self.report.definitions, start=1):
            self.row(
                sheet, line, [("text", one.label), ("text", one.formula), ("text", one.source)]
            )

    def _quality(self) -> None:
        columns = (
            msg("File"),
            msg("Table"),
            msg("Rows"),
            msg("Accepted"),
            msg("Set aside"),
            msg("Duplicates"),
        )
        sheet = self.sheet(msg("Data"), columns, (60, 18, 12, 12, 12, 12))
        line = 0
        for line, file in enumerate(self.report.quality.files, start=1):
            counts = (
                file.rows_in,
                file.rows_accepted,
                file.rows_quarantined,
                file.rows_duplicate,
            )
            cells = [("text", file.name), ("text", CALLED.get(file.table, file.table))]
            self.row(sheet, line, [*cells, *(("count", count) for count in counts)])
        said = (*self.report.quality.counts, *gathered(self.report.quality.notes))
        for offset, sentence in enumerate(said, start=line + 2):
            self.row(sheet, offset, [("text", sentence)])


_PERSONAL: dict[str, Message] = {
    "name": msg("Name"),
    "first_name": msg("First name"),
    "last_name": msg("Family name"),
    "email": msg("E-mail"),
    "phone": msg("Telephone"),
    "city": msg("Town"),
}
"""What a list of customers shows so that they can be written to."""


def _customer_rows(book: Book, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    table = rfm(book).customers
    if names:
        people = book.table("customers").select("customer_id", *names)
        table = table.left_join(people, "customer_id").select(*table.columns, *names)
    ordered = table.order_by(table.monetary.desc(), table.customer_id).limit(ROWS_MAX)
    for batch in ordered.to_pyarrow().to_batches(BATCH_ROWS):
        yield from batch.to_pylist()


def _kind(unit: Unit) -> str:
    return {Unit.SHARE: "share", Unit.COUNT: "count", Unit.MONEY: "money"}.get(unit, "number")
