"""From a book to a report: few queries, each figure asked for once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from revoir.book import Book
from revoir.errors import InputError
from revoir.language import LANGUAGES, Message, Percent, msg, nmsg
from revoir.metrics import scope
from revoir.metrics.activity import activity, rule_in_words
from revoir.metrics.benchmarks import Benchmark
from revoir.metrics.evaluate import lacking
from revoir.metrics.registry import Metric, measure, metric_named
from revoir.metrics.result import Result
from revoir.metrics.value import margin_share
from revoir.periods import Grain
from revoir.reports import headline, remarks, sections
from revoir.reports.aims import YEAR_METRICS
from revoir.reports.answers import LEAVING, actions_of, keeping, leaving
from revoir.reports.detractors import detractors
from revoir.reports.figures import Kpi
from revoir.reports.frame import Frame, frame_of
from revoir.reports.insights import insights_of
from revoir.reports.leavers import leavers
from revoir.reports.model import (
    Answer,
    Chapter,
    Definition,
    FileRead,
    Leavers,
    Quality,
    Reasons,
    Report,
    RfmSection,
    WhatIf,
)
from revoir.reports.what_if import what_if
from revoir.segments.rfm import rfm

HEADLINE = (
    "retention",
    "churn_rate",
    "customers_active",
    "customers_new",
    "customers_lost",
    "repurchase_rate",
    "revenue",
    "average_order_value",
    "purchase_frequency",
    "revenue_per_customer",
    "repeat_revenue_share",
    "clv_simple",
    "nps",
)
"""The headline figures, in the order they are shown; those without data stay away."""

CHAPTERS: tuple[tuple[str, Message, str, tuple[str, ...]], ...] = (
    (
        "subscriptions",
        msg("Subscriptions"),
        "subscriptions",
        ("mrr", "logo_churn_rate", "gross_revenue_retention", "net_revenue_retention"),
    ),
    (
        "satisfaction",
        msg("Satisfaction"),
        "responses",
        ("nps", "csat", "ces", "enps", "responses", "comment_rate"),
    ),
    (
        "service",
        msg("Customer service"),
        "interactions",
        (
            "contacts",
            "complaints",
            "complaint_share",
            "complaint_rate",
            "median_first_response_hours",
            "median_resolution_hours",
        ),
    ),
)

OF_BUYERS = (
    "customers",
    "repeat_revenue_share",
    "repurchase_rate",
    "purchase_frequency",
    "revenue_per_customer",
    "clv_simple",
)
"""Figures about buyers: they say nothing where no purchase names its customer."""

SAID_ALREADY = (
    "{n} return, {amount} in all, is taken off the revenue.",
    "{n} order was cancelled or wholly refunded, {amount} in all: not counted.",
    "{n} order has no customer, {amount} in all: it counts in revenue and orders only.",
)
"""What reading notes of orders, and the report counts itself over all files."""

REASONS_MAX = 8


def build(
    book: Book,
    *,
    language: str = "fr",
    by: Sequence[str] = (),
    grain: Grain | None = None,
    benchmarks: Iterable[Benchmark] = (),
    lines: bool = False,
) -> Report:
    """Compute a report.

    Args:
        book: The company's tables.
        language: The language it is written in unless another is asked for.
        by: Columns to break the retention rate down by (none: subscriptions alone by plan).
        grain: Length of the headline periods (None: chosen from the data).
        benchmarks: The company's own figures to compare with.
        lines: Whether figures of twelve months are also computed every third month, for their
            small line: that takes a third longer.

    Returns:
        The report; a section that the data cannot carry is None, with its reason in `missing`.

    Raises:
        UsageError: A column to break down by is not known.
    """
    if language not in LANGUAGES:
        raise ValueError(f"no language {language!r}; there is {', '.join(LANGUAGES)}")
    draft = _Draft(book, grain, tuple(benchmarks), lines)
    draft.measure()
    draft.explain(by or sections.plans(book))
    return draft.finish(language)


@dataclass(frozen=True)
class _Voices:
    """What is asked about answers: they may go on where orders do not, and so do its years."""

    book: Book
    frame: Frame | None
    yearly: Book
    maker: headline.Maker


@dataclass
class _Draft:
    """A report in the making."""

    book: Book
    grain: Grain | None
    benchmarks: tuple[Benchmark, ...]
    lines: bool
    frame: Frame | None = None
    kpis: dict[str, Kpi] = field(default_factory=dict)
    used: dict[str, Result] = field(default_factory=dict)
    missing: dict[str, Message] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)
    closed_on: dt.date | None = None

    def __post_init__(self) -> None:
        self.span: tuple[Any, Any] | None = None
        try:
            self.span = self.book.span
        except InputError:  # no row has a date
            pass
        else:
            self.book = self.book.with_settings(activity=activity(self.book))
            self.frame = frame_of(self.book, self.grain)
        self.yearly = _by_year(self.book, self.frame)
        self.maker = headline.Maker(self.book, self.frame, self.benchmarks)
        self.voices = self._voices()
        self.named = self._named()
        self.bought = self.named and self.frame is not None

    def _voices(self) -> _Voices:
        book = self.book.entire
        if book is self.book:
            return _Voices(book, self.frame, self.yearly, self.maker)
        frame = frame_of(book, self.grain)
        maker = headline.Maker(book, frame, self.benchmarks)
        return _Voices(book, frame, _by_year(book, frame), maker)

    def _named(self) -> bool:
        """Whether any purchase says who bought."""
        if not self.book.has("orders", "customer_id"):
            return False
        orders = self.book.table("orders")
        known = orders.aggregate(n=orders.customer_id.notnull().sum())
        return bool(self.book.rows(known)[0]["n"])

    def measure(self) -> None:
        """Ask for every figure once."""
        if self.frame is not None:
            self._periods(self.frame)
        self._retention()
        if (churn := self.kpis.get("churn_rate")) is not None:
            self.kpis["churn_rate"] = headline.beside(churn, self.kpis.get("retention"))
        self.parts["chapters"] = tuple(self._chapters())

    def _periods(self, frame: Frame) -> None:
        """The figures of the report's periods, and of its years."""
        found = headline.measured(self.book, frame, self._answerable(headline.PERIOD_METRICS))
        before = frame.periods[frame.periods.index(frame.current) - 1]
        previous = before if before.start < frame.current.start else None
        year_before = frame.year_before(frame.current)
        for name, result in found.items():
            self.used[name] = result
            self.kpis[name] = self.maker.kpi(result, frame.current, previous, year_before)
        if "revenue" in self.kpis:
            self.kpis["revenue"] = headline.judged_revenue(self.kpis["revenue"], found)
        yearly = headline.measured_by_year(self.yearly, frame, self._answerable(YEAR_METRICS))
        yearly = headline.rolled(self.book, frame, yearly) if self.lines else yearly
        last = frame.years[-1]
        previous = frame.years[-2] if len(frame.years) > 1 else None
        for name, result in yearly.items():
            self.used[name] = result
            self.kpis[name] = self.maker.kpi(result, last, previous)

    def _answerable(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if self._answers(metric_named(name))]

    def _answers(self, metric: Metric) -> bool:
        if metric.family == "retention":  # subscriptions and visits say who is active, too
            return self._tells_the_active()
        if metric.name in OF_BUYERS and not self.named:
            return False
        return lacking(self.book, metric) is None

    def _tells_the_active(self) -> bool:
        """Whether purchases, subscriptions or visits say who is active."""
        if self.frame is None:
            return False
        rule = activity(self.book)
        return bool(
            (self.named and rule.window_days) or rule.subscription or rule.event_window_days
        )

    def _retention(self) -> None:
        """The rate that answers the first question: over the longest period up to a year."""
        frame = self.frame
        if frame is None:
            result = measure(self.book, "retention_rate") if self._says_who_left() else None
            if result is None:
                self.missing["retention"] = self._nothing_to_tell()
                return
            self.used["retention_rate"] = result
            self.kpis["retention"] = self.maker.kpi(result, None, series=False)
            return
        if not self._tells_the_active():
            reason = msg("The data do not say who is active: that takes orders or subscriptions.")
            if self.book.has("orders"):
                reason = msg("No purchase says which customer made it.")
            self.kpis["retention"] = self.maker.empty(metric_named("retention_rate"), reason)
            return
        periods = [period for period in (frame.stay_before, frame.stay) if period is not None]
        if frame.stay in frame.years and set(periods) <= set(frame.years):
            found = headline.measured_by_year(self.yearly, frame, ["retention_rate"])
            found = headline.rolled(self.book, frame, found) if self.lines else found
            result = found["retention_rate"]
        else:
            answers = [
                measure(self.book, "retention_rate", start=period.start, end=period.end)
                for period in periods
            ]
            figures = tuple(figure for answer in answers for figure in answer.figures)
            result = replace(answers[-1], figures=figures)
        self.used.setdefault("retention_rate", result)
        self.kpis["retention"] = self.maker.kpi(result, frame.stay, frame.stay_before)

    def _nothing_to_tell(self) -> Message:
        """Why data without a complete period, or without dates, have no retention rate."""
        if self.span is not None and (self.book.has("orders") or self.book.has("subscriptions")):
            return msg("There are too few days in the data: they do not cover one whole period.")
        if self.book.has("orders"):
            return msg("No order of the data has a date.")
        return msg("The data hold neither orders nor subscriptions.")

    def _says_who_left(self) -> bool:
        return self.book.has("subscriptions", "churned")

    def _chapters(self) -> Iterable[Chapter]:
        for key, title, table, names in CHAPTERS:
            if not self.book.has(table):
                continue
            kpis = [
                kpi for name in self._answerable(names) if (kpi := self._further(name)) is not None
            ]
            reasons = self._reasons() if key == "subscriptions" else None
            asked = sections.asked(self.voices.book) if key == "satisfaction" else ()
            if kpis or reasons or asked:
                yield Chapter(key, title, tuple(kpis), reasons, asked)
            for kpi in kpis:
                if kpi.metric in HEADLINE and kpi.value is not None:
                    self.kpis[kpi.metric] = kpi

    def _further(self, name: str) -> Kpi | None:
        yearly = metric_named(name).family == "satisfaction"
        asked = self.voices if yearly else self
        frame, maker = asked.frame, asked.maker
        if frame is None:
            try:
                result = measure(self.book, name)
            except InputError:
                return None
            kpi = maker.kpi(result, None, series=False)
        else:
            periods = frame.years if yearly else frame.periods
            current = periods[-1] if yearly else frame.current
            found = (
                headline.measured_by_year(asked.yearly, frame, [name])
                if yearly
                else headline.measured(self.book, frame, [name])
            )
            result = found[name]
            index = periods.index(current)
            previous = periods[index - 1] if index else None
            kpi = maker.kpi(
                result, current, previous, None if yearly else frame.year_before(current)
            )
        ratio = metric_named(name).ratio
        refused = ratio is not None and ratio.against is not None and ratio.against(self.book)
        if kpi.value is None and not kpi.n and not refused:
            return None
        self.used[name] = result
        return kpi

    def _reasons(self) -> Reasons | None:
        """Why subscriptions ended, the most frequent reason first."""
        if not self.book.has("subscriptions", "reason"):
            return None
        held = self.book.table("subscriptions")
        ended = held.filter(held.reason.notnull() & (held.reason != ""))
        counted = ended.group_by("reason").aggregate(n=ended.count())
        rows = sorted(self.book.rows(counted), key=lambda row: (-row["n"], row["reason"]))
        if not rows:
            return None
        return Reasons(
            tuple((str(row["reason"]), int(row["n"])) for row in rows[:REASONS_MAX]),
            sum(int(row["n"]) for row in rows),
        )

    def explain(self, by: Sequence[str]) -> None:
        """Compute the sections below the headline."""
        book, frame = self.book, self.frame
        parts = self.parts
        parts["breakdowns"] = ()
        if not self.bought or frame is None:
            reason = msg("The data hold no orders of known customers.")
            if self.named:
                reason = self._nothing_to_tell()
            for name in ("cohorts", "lifecycle", "rfm", "gaps", "what_if"):
                self.missing[name] = reason
            retention = self.kpis.get("retention")
            if retention is not None and retention.value is not None:
                parts["breakdowns"] = tuple(
                    sections.breakdown_section(book, column, frame) for column in by
                )
            return
        parts["gaps"] = sections.gaps_section(book)
        if parts["gaps"] is None:
            self.missing["gaps"] = msg("No customer has come back yet.")
        parts["cohorts"] = sections.cohort_section(book, frame)
        self._follow_a_group(frame)
        parts["lifecycle"] = sections.lifecycle_section(book, frame)
        found = rfm(book)
        parts["rfm"] = sections.rfm_section(found, self.maker.currency, parts["gaps"])
        if parts["rfm"] is None and found.reason is not None:
            self.missing["rfm"] = found.reason
        parts["left"] = (
            leavers(book, frame.stay, parts["gaps"], frame.end) if parts["gaps"] else None
        )
        self._what_if()
        parts["breakdowns"] = tuple(
            sections.breakdown_section(book, column, frame) for column in by
        )

    def _follow_a_group(self, frame: Frame) -> None:
        """Sums of a file without newcomers fall by the way it was made: they are not judged."""
        self.closed_on = remarks.nobody_new_since(self.parts["cohorts"], frame)
        if self.closed_on is not None:
            for name, kpi in self.kpis.items():
                if kpi.adds_up:
                    self.kpis[name] = replace(kpi, better="neither")

    def _what_if(self) -> None:
        retention, spend = self.kpis.get("retention"), self.kpis.get("revenue_per_customer")
        if retention is None or spend is None:
            self.missing["what_if"] = msg("The retention rate is not known.")
            return
        margin, _ = margin_share(self.book)
        found = what_if(retention, spend, margin, self.book.settings.acquisition_cost)
        if isinstance(found, WhatIf):
            self.parts["what_if"] = found
        else:
            self.missing["what_if"] = found

    def finish(self, language: str) -> Report:
        """Put the parts together and say what they mean."""
        parts, book = self.parts, self.book
        left: Leavers | None = parts.get("left")
        segments: RfmSection | None = parts.get("rfm")
        reasons = next((chapter.reasons for chapter in parts["chapters"] if chapter.reasons), None)
        counts, anonymous_share = _counts(book)
        currency = self.maker.currency
        window_days = parts["gaps"].window_days if parts.get("gaps") else None
        return Report(
            title=book.title,
            as_of=book.as_of if self.span else None,
            language=language,
            currency=currency,
            sector=book.settings.sector,
            grain=self.frame.grain if self.frame else None,
            period=self.frame.current if self.frame else None,
            span=self.span,
            rule=rule_in_words(activity(book)) if self.span else None,
            answers=(
                keeping(self.kpis, self.missing.get("retention")),
                leaving(self.kpis, left, reasons, parts["breakdowns"])
                if self.kpis
                else Answer(LEAVING, "unknown", (msg("Your data do not tell who leaves."),)),
            ),
            headline=tuple((name, self.kpis[name]) for name in HEADLINE if name in self.kpis),
            trend=self._trend(),
            insights=insights_of(
                {name: self.kpis[name] for name in HEADLINE if name in self.kpis},
                left,
                None if self._stale() else segments,
                parts.get("cohorts"),
                parts["breakdowns"],
                window_days,
            ),
            actions=actions_of(
                left,
                segments,
                self.kpis,
                currency,
                anonymous_share=anonymous_share,
                reasons=reasons,
                stops=self.span[1] if self.span and self._stale() else None,
                detractors=detractors(self.voices.book, self.kpis.get("nps")),
                window_days=window_days,
            ),
            leavers=left,
            cohorts=parts.get("cohorts"),
            lifecycle=parts.get("lifecycle"),
            rfm=segments,
            gaps=parts.get("gaps"),
            what_if=parts.get("what_if"),
            breakdowns=parts["breakdowns"],
            chapters=parts["chapters"],
            quality=_quality(book, counts),
            definitions=tuple(self._definitions()),
            missing=self.missing,
            has_orders=book.has("orders"),
            warnings=self._warnings(),
            nearly_over=self._nearly_over(),
        )

    def _warnings(self) -> tuple[Message, ...]:
        """What makes figures look other than they are."""
        if self.span is None or self.frame is None:
            return ()
        said = [
            scope.early_end(self.book),
            remarks.of_the_end(self.book, self.frame, self.span[1]),
        ]
        if self.closed_on is not None:
            said.append(remarks.of_a_closed_group(self.closed_on))
        return tuple(one for one in said if one is not None)

    def _nearly_over(self) -> dt.date | None:
        if self.span is None or self.frame is None:
            return None
        return remarks.nearly_over(self.book, self.frame, self.span[1])

    def _stale(self) -> bool:
        return self.span is not None and remarks.stale(self.book, self.span[1])

    def _trend(self) -> Kpi | None:
        """The retention rate by the report's grain, to be drawn."""
        kpi = self.kpis.get("retention_rate")
        if kpi is None:
            return None
        known = [point for point in kpi.series if point.complete and point.value is not None]
        return kpi if len(known) > 1 else None

    def _definitions(self) -> Iterable[Definition]:
        for name, result in self.used.items():
            metric = result.metric
            yield Definition(name, metric.label, metric.formula, metric.source)


def _by_year(book: Book, frame: Frame | None) -> Book:
    """The book whose years are those of the periods."""
    return book if frame is None else book.with_settings(fiscal_year_start_month=frame.year_month)


def _quality(book: Book, counts: tuple[Message, ...]) -> Quality:
    """What was read of which file, and what was decided on the way."""
    reading = book.reading
    if reading is None:
        return Quality((), counts, ())
    files = tuple(
        FileRead(
            name=f"{file.file} – {file.sheet}" if file.sheet else file.file,
            table=file.table or "",
            rows_in=file.rows_in,
            rows_accepted=file.rows_accepted,
            rows_quarantined=file.rows_quarantined,
            rows_duplicate=file.rows_duplicate,
            notes=tuple(note for note in file.notes if note.msgid not in SAID_ALREADY),
        )
        for file in reading.files
    )
    decisions = tuple(note for note in reading.notes if note.msgid not in SAID_ALREADY)
    return Quality(files, counts, decisions)


def _counts(book: Book) -> tuple[tuple[Message, ...], float | None]:
    """What the tables hold, in words, and the share of sales without a customer."""
    said: list[Message] = []
    anonymous_share = None
    if book.has("orders"):
        orders = book.table("orders")
        sums = {kind: (orders.kind == kind).sum() for kind in ("purchase", "return", "cancelled")}
        if "customer_id" in orders.columns:
            bought = orders.kind == "purchase"
            sums["anonymous"] = (bought & orders.customer_id.isnull()).sum()
        row = {name: int(n or 0) for name, n in book.rows(orders.aggregate(**sums))[0].items()}
        said.append(nmsg("{n} purchase was read.", "{n} purchases were read.", row["purchase"]))
        if row["return"]:
            said.append(
                nmsg(
                    "{n} return or refund is taken off the revenue.",
                    "{n} returns and refunds are taken off the revenue.",
                    row["return"],
                )
            )
        if row["cancelled"]:
            said.append(
                nmsg(
                    "{n} cancelled order is left out.",
                    "{n} cancelled orders are left out.",
                    row["cancelled"],
                )
            )
        if row.get("anonymous"):
            anonymous_share = row["anonymous"] / row["purchase"] if row["purchase"] else None
            said.append(
                nmsg(
                    "{n} purchase has no customer ({share}): it counts in revenue and orders,"
                    " and not"
                    " in figures about customers.",
                    "{n} purchases have no customer ({share}): they count in revenue and orders,"
                    " and"
                    " not in figures about customers.",
                    row["anonymous"],
                    share=Percent(anonymous_share or 0.0),
                )
            )
    if book.has("orders") and not book.currencies and book.settings.currency is None:
        said.append(msg("The currency of the amounts is not known: give it with --currency."))
    if len(book.currencies) > 1:
        said.append(
            msg(
                "Amounts are in several currencies ({currencies}) and cannot be added up.",
                currencies=list(book.currencies),
            )
        )
    return tuple(said), anonymous_share
