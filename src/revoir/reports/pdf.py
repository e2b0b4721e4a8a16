"""The report on paper: the same words and drawings as the page, set by Typst."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import typst
import vl_convert

from revoir.language import Message, Money, Percent, msg
from revoir.reports import charts, drawing, view
from revoir.reports.canvas import Chart
from revoir.reports.figures import Kpi
from revoir.reports.html import TEMPLATES, trend_title
from revoir.reports.model import Chapter, Report

WIDTH = 700
"""Width, in pixels, that charts are drawn at."""


def write_pdf(report: Report, path: Path, language: str | None = None) -> None:
    """Write a report as a PDF of A4 pages.

    Args:
        report: The report.
        path: Where to.
        language: One of `revoir.language.LANGUAGES` (None: the report's own).
    """
    with tempfile.TemporaryDirectory(prefix="revoir-") as name:
        folder = Path(name)
        data = _Pages(report, language or report.language, folder).data()
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        source = folder / "report.typ"
        source.write_bytes((TEMPLATES / "report.typ").read_bytes())
        # The fonts inside Typst are the same everywhere; those of the machine are not.
        pdf = typst.compile(source, root=folder, ignore_system_fonts=True)
    path.write_bytes(pdf)


class _Pages:
    """What report.typ sets: plain texts, and the names of drawings beside it."""

    def __init__(self, report: Report, language: str, folder: Path) -> None:
        self.report = report
        self.language = language
        self.folder = folder

    def text(self, value: Any) -> str:
        return view.typeset(value, self.language)

    def texts(self, messages: Iterable[Any]) -> list[str]:
        return [self.text(message) for message in messages if message is not None]

    def data(self) -> dict[str, Any]:
        report = self.report
        title = self.text(msg("Retention report"))
        kinds = {
            kind: self.texts([one.text for one in report.insights if one.kind == kind][:6])
            for kind in ("strength", "weakness")
        }
        return {
            "title": f"{title} – {report.title}" if report.title else title,
            "language": self.language,
            "meta": self._meta(),
            "warnings": self.texts(report.warnings),
            "words": self._words(),
            "answers": [
                {"question": self.text(one.question), "sentences": self.texts(one.sentences)}
                for one in report.answers
            ],
            "actions": [
                {"title": self.text(one.title), "why": self.text(one.why)} for one in report.actions
            ],
            "leavers": self._leavers(),
            "headline": [self._kpi(shown) for shown in view.headlines(report)],
            "trend": self._drawing(
                charts.trend(report.trend, trend_title(report.trend), self.language)
            )
            if report.trend
            else None,
            "strengths": kinds["strength"],
            "weaknesses": kinds["weakness"],
            "sections": list(self._sections()),
            "definitions": [
                {
                    "label": self.text(one.label),
                    "formula": self.text(one.formula),
                    "source": one.source,
                }
                for one in report.definitions
            ],
        }

    def _meta(self) -> str:
        report = self.report
        if report.span is None:
            return ""
        said = [msg("Data from {first} to {last}.", first=report.span[0], last=report.span[1])]
        if report.as_of is not None and report.as_of != report.span[1]:
            said.append(msg("Seen as of {as_of}.", as_of=report.as_of))
        return " ".join(self.texts([*said, report.rule]))

    def _words(self) -> dict[str, str]:
        words = {
            "monday": msg("What do I do on Monday morning?"),
            "no_action": msg("There is not enough data to propose something."),
            "not_enough": msg("Not enough data"),
            "figures": msg("Figures"),
            "insights": msg("Strengths and weaknesses"),
            "strengths": msg("Strengths"),
            "weaknesses": msg("Weaknesses"),
            "none_beyond_chance": msg("The figures show none beyond what chance explains."),
            "definitions": msg("Definitions"),
        }
        return {name: self.text(message) for name, message in words.items()}

    def _kpi(self, shown: view.Headline) -> dict[str, Any]:
        return {
            "label": self.text(shown.kpi.label),
            "period": self.text(shown.period) if shown.period else "",
            "value": None if shown.value is None else self.text(shown.value),
            "changes": [
                {
                    "text": self.text(change.text),
                    "tone": change.tone,
                    "word": self.text(change.word) if change.word else None,
                }
                for change in shown.changes
            ],
            "goal": {"text": self.text(shown.goal[0]), "tone": shown.goal[1]}
            if shown.goal
            else None,
            "benchmarks": [
                f"{self.text(figure)} ({self.text(source)})"
                for figure, source, _ in shown.benchmarks
            ],
            "small": self.texts([shown.parts, shown.small]),
            "reason": self.text(shown.kpi.reason) if shown.kpi.reason else "",
            "note": self.text(shown.kpi.note) if shown.kpi.note else "",
            "spark": self._spark(shown.kpi),
        }

    def _drawing(self, chart: Chart, width: int = WIDTH) -> dict[str, str]:
        svg = drawing.svg(chart.spec(width), self.language, chart.name, chart.title, paper=True)
        return {"title": chart.title, "path": self._saved(svg)}

    def _spark(self, kpi: Kpi) -> str | None:
        """The small line of the last periods, as on the page."""
        if not charts.has_line(kpi):
            return None
        label = self.text(kpi.label)
        drawn = drawing.svg(charts.sparkline(kpi), self.language, "spark", label, paper=True)
        return self._saved(drawn)

    def _saved(self, svg: str) -> str:
        name = f"{len(list(self.folder.iterdir()))}.pdf"
        (self.folder / name).write_bytes(vl_convert.svg_to_pdf(svg))
        return name

    def _leavers(self) -> dict[str, Any] | None:
        left = self.report.leavers
        if left is None or not left.compares:
            return None
        rows = [
            [self.text(cell) for cell in (label, group.present, group.lost, share)]
            for label, group in ((msg("once"), left.once), (msg("several times"), left.again))
            for share in (None if group.rate is None else Percent(group.rate),)
        ]
        gone = msg("Left") if left.purchases_alone else msg("Stopped")
        return self._table((msg("Had bought"), msg("Active"), gone, msg("Share")), rows)

    def _sections(self) -> Iterable[dict[str, Any]]:
        report, language = self.report, self.language
        if report.cohorts is not None:
            yield self._section(
                msg("Do new customers come back?"),
                [view.COHORTS_EXPLAINED],
                drawn=self._drawing(charts.cohorts(report.cohorts, language)),
            )
        if report.lifecycle is not None:
            yield self._section(
                msg("Who buys, who goes silent"),
                [view.LIFECYCLE_EXPLAINED],
                drawn=self._drawing(charts.lifecycle(report.lifecycle, language)),
            )
        if report.rfm is not None:
            yield self._section(
                msg("Who are my customers?"),
                [report.rfm.note],
                drawn=self._drawing(charts.rfm_map(report.rfm, language), 480),
                narrow=True,
                rows=self._segments(),
                notes=report.rfm.cutoffs,
            )
        if report.gaps is not None:
            yield self._section(
                msg("When do they come back?"),
                [report.gaps.reason],
                drawn=self._drawing(charts.gaps(report.gaps, language)),
                notes=[view.not_drawn(report.gaps.longer)],
            )
        if report.what_if is not None:
            yield self._what_if()
        for chapter in report.chapters:
            yield self._section(chapter.title, [], kpis=chapter.kpis, rows=self._said(chapter))
        for index, section in enumerate(report.breakdowns):
            known = any(row.value is not None for row in section.rows)
            smaller = [view.smaller_groups(section.others)] if section.others else []
            yield self._section(
                msg("Who stays, by group") if index == 0 else section.title,
                [] if known else [section.title, view.NO_GROUP],
                drawn=self._drawing(charts.breakdown(section, language)) if known else None,
                notes=[*section.notes, *smaller],
            )
        yield self._quality()

    def _said(self, chapter: Chapter) -> dict[str, Any] | None:
        """What customers answered, or why they left."""
        if chapter.asked:
            columns, rows = view.asked_table(chapter)
            return self._table(columns, [self.texts(row) for row in rows], wide=(0,))
        if chapter.reasons:
            reasons = [self.texts(row) for row in view.reason_rows(chapter)]
            return self._table((msg("Reason"), msg("Departures")), reasons, wide=(0,))
        return None

    def _section(
        self,
        title: Message,
        text: Iterable[Message | None],
        *,
        drawn: dict[str, str] | None = None,
        narrow: bool = False,
        kpis: Sequence[Kpi] = (),
        rows: dict[str, Any] | None = None,
        notes: Iterable[Message | None] = (),
    ) -> dict[str, Any]:
        return {
            "title": self.text(title),
            "text": self.texts(text),
            "drawing": drawn,
            "narrow": narrow,
            "kpis": [self._kpi(view.headline(kpi.metric, kpi)) for kpi in kpis],
            "table": rows,
            "notes": self.texts(notes),
        }

    def _table(
        self, columns: Sequence[Any], rows: Sequence[Sequence[str]], wide: Sequence[int] = ()
    ) -> dict[str, Any]:
        return {
            "columns": self.texts(columns),
            "rows": [list(row) for row in rows],
            "wide": list(wide),
        }

    def _segments(self) -> dict[str, Any] | None:
        rfm = self.report.rfm
        if rfm is None:
            return None
        columns = (
            msg("Segment"),
            msg("Customers"),
            msg("Share of customers"),
            msg("Bought in all"),
            msg("Share of purchases"),
            msg("What to do"),
        )
        rows = [
            (
                self.text(row.label),
                self.text(row.customers),
                self.text(Percent(row.share)),
                self.text(
                    None if row.revenue is None else Money(row.revenue, self.report.currency, 0)
                ),
                self.text(None if row.revenue_share is None else Percent(row.revenue_share)),
                self.text(row.advice),
            )
            for row in rfm.segments
        ]
        return self._table(columns, rows, wide=(5,))

    def _what_if(self) -> dict[str, Any]:
        report = self.report
        section = report.what_if
        assert section is not None
        columns = [
            msg("Retention"),
            msg("Rate"),
            msg("Customers kept"),
            msg("Revenue a year"),
            msg("Share of revenue"),
        ]
        if section.margin is not None:
            columns.append(msg("Profit a year"))
        if section.acquisition_cost is not None:
            columns.append(msg("Winning as many would cost"))
        columns.append(msg("Lifetime value of a customer"))
        rows = []
        for one in section.scenarios:
            cells: list[Any] = [
                view.points_more(one.points),
                Percent(one.retention),
                view.customers_more(one.customers),
                Money(one.revenue, report.currency, 0),
                None if one.revenue_share is None else Percent(one.revenue_share),
            ]
            if one.profit is not None:
                cells.append(Money(one.profit, report.currency, 0))
            if section.acquisition_cost is not None:
                cost = one.customers * section.acquisition_cost
                cells.append(Money(cost, report.currency, 0))
            cells.append(None if one.clv is None else Money(one.clv, report.currency, 0))
            rows.append([self.text(cell) for cell in cells])
        said: list[Message] = [section.formula, *section.notes]
        claims = [
            msg(
                "{claim} ({source}) {criticism} ({critic})",
                claim=one.claim,
                source=one.source,
                criticism=one.criticism,
                critic=one.critic,
            )
            for one in section.claims
        ]
        return self._section(
            msg("What would keeping more customers bring?"),
            [view.what_if_explained(section, report.currency)],
            rows=self._table(columns, rows),
            notes=[*said, *claims],
        )

    def _quality(self) -> dict[str, Any]:
        quality = self.report.quality
        columns = (
            msg("File"),
            msg("Rows"),
            msg("Accepted"),
            msg("Set aside"),
            msg("Duplicates"),
        )
        rows = [
            (
                file.name,
                *(
                    self.text(count)
                    for count in (
                        file.rows_in,
                        file.rows_accepted,
                        file.rows_quarantined,
                        file.rows_duplicate,
                    )
                ),
            )
            for file in quality.files
        ]
        return self._section(
            msg("What was read"),
            quality.counts,
            rows=self._table(columns, rows, wide=(0,)) if rows else None,
            notes=view.gathered(quality.notes),
        )
