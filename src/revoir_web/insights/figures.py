"""Answers about metrics: the dashboard, the catalogue, one metric, the rows behind a figure."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from revoir.errors import InputError
from revoir.language import LANGUAGES, Message, msg
from revoir_web.insights import drawn, lengths
from revoir_web.insights.questions import answers, question_of

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.metrics.registry import Metric
    from revoir.metrics.result import Result
    from revoir.periods import Period
    from revoir.reports.figures import Kpi
    from revoir.reports.frame import Frame
    from revoir.reports.headline import Maker
    from revoir.reports.model import Breakdown, Report

GROUPS_OF_DASHBOARD = 2
"""How many columns the dashboard breaks retention down by."""
VALUES_MAX = 40
"""A column with more values than this is not proposed to group by."""


# -- What pages know of the data ---------------------------------------------------------------
def facts(book: Book) -> dict[str, Any]:
    """First and last day, currency, grain, and the columns that figures can be grouped by."""
    from revoir.metrics.activity import activity
    from revoir.metrics.evaluate import lacking
    from revoir.metrics.registry import metrics
    from revoir.reports.frame import frame_of
    from revoir.reports.headline import Maker

    try:
        first, last = book.span
    except InputError:
        return {"by": [], "metrics": []}
    frame = frame_of(book.with_settings(activity=activity(book)))
    return {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "currency": Maker(book, frame).currency,
        "grain": frame.grain.value if frame else "month",
        "by": groupings(book),
        "metrics": [metric.name for metric in metrics() if lacking(book, metric) is None],
        "labels": {
            metric.name: {code: metric.label.text(code) for code in LANGUAGES}
            for metric in metrics()
        },
    }


def groupings(book: Book) -> list[str]:
    """Columns with few values, those of customers' first purchases and RFM segments first."""
    buyers = book.has("orders", "customer_id")
    found = ["segment"] if buyers else []
    wanted = {
        "customers": ("gender", "age_band", "country", "region", "city"),
        "orders": ("channel", "store", "country", "currency"),
        "order_lines": ("category",),
        "subscriptions": ("plan",),
    }
    for table, names in wanted.items():
        if table not in book.tables:
            continue
        held = book.table(table)
        known = [name for name in names if name in held.columns]
        if table == "customers":
            known += [name for name in held.columns if name not in names and _is_word(held, name)]
        if not known:
            continue
        counts = book.rows(held.aggregate(**{name: held[name].approx_nunique() for name in known}))[
            0
        ]
        found += [name for name in known if 1 < counts[name] <= VALUES_MAX and name not in found]
        if table == "orders" and buyers and "channel" in found:
            found.insert(1, "first_channel")
    return found


def _is_word(table: Any, name: str) -> bool:
    """Whether a company's own column of customers may group them: words, not keys or persons."""
    from revoir.tables import TABLES

    declared = {column.name for column in TABLES["customers"].columns}
    return name not in declared and table[name].type().is_string()


# -- The dashboard -----------------------------------------------------------------------------
def report_of(book: Book, grain: str | None, by: Sequence[str] = ()) -> Report:
    """The report that pages and files are made of."""
    from revoir.periods import grain_named
    from revoir.reports.build import build

    chosen = grain_named(grain) if grain else None
    key = f"report {grain or ''} {' '.join(by)}"
    made: Report = book.once(key, lambda: build(book, by=tuple(by), grain=chosen, lines=True))
    return made


@answers("dashboard")
def dashboard(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The first screen: am I keeping my customers, who leaves and why, what do I do."""
    by = groupings(book)[:GROUPS_OF_DASHBOARD]
    report = report_of(book, asked.get("grain"), by)
    return drawn.in_each(
        lambda language: _dashboard(report, language, partial(_address, book)),
        as_of=report.as_of.isoformat() if report.as_of else None,
        grain=report.grain.value if report.grain else None,
        headline=[
            {
                "name": name,
                "metric": kpi.metric,
                "value": kpi.value,
                "low": kpi.point.low if kpi.point else None,
                "high": kpi.point.high if kpi.point else None,
                "n": kpi.n,
                "unit": kpi.unit.value,
                **_days(kpi),
                "goal": kpi.goal.value if kpi.goal else None,
                "goal_met": kpi.goal.met if kpi.goal else None,
            }
            for name, kpi in report.headline
        ],
    )


def _period(kpi: Kpi) -> Period | None:
    return kpi.point.period if kpi.point else None


def _days(kpi: Kpi) -> dict[str, str | None]:
    period = _period(kpi)
    if period is None:
        return {"start": None, "end": None}
    return {"start": period.start.isoformat(), "end": period.end.isoformat()}


def _address(book: Book, kpi: Kpi) -> str:
    from revoir.metrics.registry import metric_named

    return lengths.address(kpi, _frame_for(book, metric_named(kpi.metric)))


def _dashboard(report: Report, language: str, address: Callable[[Kpi], str]) -> dict[str, Any]:
    from revoir.reports import charts
    from revoir.reports.html import trend_title
    from revoir.reports.view import typeset

    def text(value: Any) -> str | None:
        return None if value is None else typeset(value, language)

    left = report.leavers
    rows = [(msg("once"), left.once), (msg("several times"), left.again)] if left else []
    return {
        "span": [text(day) for day in report.span] if report.span else None,
        "as_of": text(report.as_of),
        "rule": text(report.rule),
        "warnings": drawn.texts(report.warnings, language),
        "answers": [
            {
                "question": text(answer.question),
                "verdict": answer.verdict,
                "sentences": drawn.texts(answer.sentences, language),
            }
            for answer in report.answers
        ],
        "leavers": [
            {
                "label": text(label),
                "present": text(group.present),
                "lost": text(group.lost),
                "rate": text(_percent(group.rate)),
            }
            for label, group in rows
        ],
        "stopped": bool(left and not left.purchases_alone),
        "actions": [
            {
                "title": text(action.title),
                "why": text(action.why),
                "segment": action.segment,
                "rule": action.rule,
            }
            for action in report.actions
        ],
        "trend": drawn.chart(
            charts.trend(report.trend, trend_title(report.trend), language), language, "trend"
        )
        if report.trend
        else None,
        "kpis": [drawn.kpi(kpi, language, name, address(kpi)) for name, kpi in report.headline],
        "chapters": [
            {
                "key": chapter.key,
                "title": text(chapter.title),
                "kpis": [
                    drawn.kpi(kpi, language, f"{chapter.key}-{kpi.metric}", address(kpi))
                    for kpi in chapter.kpis
                ],
            }
            for chapter in report.chapters
        ],
        "strengths": _insights(report, "strength", language),
        "weaknesses": _insights(report, "weakness", language),
        "breakdowns": [
            made for section in report.breakdowns if (made := _breakdown(section, language))
        ],
        "counts": drawn.texts(report.quality.counts, language),
        "missing": text(report.missing.get("retention")),
    }


def _percent(value: float | None) -> Any:
    from revoir.language import Percent

    return None if value is None else Percent(value)


def _insights(report: Report, kind: str, language: str) -> list[str]:
    found = [insight.text for insight in report.insights if insight.kind == kind]
    return drawn.texts(found[:6], language)


def _breakdown(section: Breakdown, language: str) -> dict[str, Any] | None:
    from revoir.reports import charts

    if sum(row.value is not None for row in section.rows) < 2:
        return None  # a group alone is all customers, whose figure stands above
    made = drawn.chart(charts.breakdown(section, language), language, f"by-{section.column}")
    return {**made, "column": section.column}


# -- Metrics -----------------------------------------------------------------------------------
FAMILY_NAMES = {
    "retention": msg("Retention"),
    "purchase": msg("Purchases"),
    "value": msg("Value"),
    "lifecycle": msg("Lifecycle"),
    "subscriptions": msg("Subscriptions"),
    "satisfaction": msg("Satisfaction"),
    "service": msg("Customer service"),
    "engagement": msg("Visits"),
}


@answers("catalogue")
def catalogue(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Every metric: its definition and its present figure, by family."""
    from revoir.metrics.registry import metrics

    known = metrics()
    kpis = {metric.name: _default(book, metric)[0] for metric in known}
    goals = {
        metric.name: lengths.goal_of(
            book, metric, _period(kpis[metric.name]), _frame_for(book, metric)
        )
        for metric in known
    }
    return drawn.in_each(
        lambda language: [
            {
                "family": family,
                "label": label.text(language),
                "metrics": [
                    {
                        "name": metric.name,
                        "label": metric.label.text(language),
                        "formula": metric.formula.text(language),
                        "over": goals[metric.name]["over"].get(language),
                        "kpi": drawn.kpi(kpis[metric.name], language, metric.name),
                    }
                    for metric in known
                    if metric.family == family
                ],
            }
            for family, label in FAMILY_NAMES.items()
        ],
        metrics={
            metric.name: {
                "family": metric.family,
                "unit": metric.unit.value,
                "better": metric.better,
                "limits": list(metric.limits),
                **{name: goals[metric.name][name] for name in lengths.GOAL},
                "goal_of_all": metric.goal,
                "growth_of_all": metric.goal_growth,
                "source": metric.source,
                "needs": list(metric.needs),
                "aliases": list(metric.aliases),
                "value": kpis[metric.name].value,
                "n": kpis[metric.name].n,
                **_days(kpis[metric.name]),
            }
            for metric in known
        },
    )


@answers("metric")
def metric(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One metric: its figure, its line, its figures as a table."""
    from revoir.metrics.registry import metric_named
    from revoir.reports import headline

    known = metric_named(str(asked.get("name", "")))
    kpi, result = _default(book, known) if set(asked) == {"name"} else _chosen(book, known, asked)
    reaching = book.entire if known.family == "satisfaction" else book
    maker = headline.Maker(reaching, _frame(reaching))
    currency, line = maker.currency, _whole_line(kpi, result, maker)
    figures = {} if result.by else {figure.period: figure for figure in result.figures}
    goals = partial(maker.wanted, known, figures=figures)
    return drawn.in_each(
        lambda language: {
            "label": known.label.text(language),
            "formula": known.formula.text(language),
            "kpi": drawn.kpi(kpi, language, "figure") if kpi is not None else None,
            "chart": _metric_chart(known, line, result, language, currency),
            "table": drawn.figures_table(result, language, currency, goals),
            "notes": drawn.texts(result.notes, language),
            "records": result.records(language),
        },
        name=known.name,
        source=known.source,
        unit=known.unit.value,
        better=known.better,
        family=known.family,
        goal=known.goal,
        pictures=_pictures(line) if set(asked) == {"name"} else {},
    )


def _pictures(line: Kpi | None) -> dict[str, str]:
    """The line of a metric as a picture for e-mail, by language, in base64."""
    from revoir.language import LANGUAGES
    from revoir.reports import charts

    if line is None:
        return {}
    found = {}
    for language in LANGUAGES:
        chart = charts.trend(line, _title(line), language)
        found[language] = base64.b64encode(drawn.png(chart.spec(520), language)).decode()
    return found


def _whole_line(kpi: Kpi | None, result: Result, maker: Maker) -> Kpi | None:
    """A figure with all periods of its result; None where they make no line."""
    points = drawn.points(result, maker)
    known = [point for point in points if point.value is not None and point.complete]
    return replace(kpi, series=points) if kpi is not None and len(known) >= 2 else None


def _default(book: Book, metric: Metric) -> tuple[Kpi, Result]:
    """A metric by the periods of the report, as its page shows it before anyone filters."""
    found: tuple[Kpi, Result] = book.once(
        f"default {metric.name}", lambda: _computed_default(book, metric)
    )
    return found


def _with_rule(book: Book) -> Book:
    """The book with its activity rule found; the same one each time, and what it has computed."""
    from revoir.metrics.activity import activity

    found: Book = book.once("with rule", lambda: book.with_settings(activity=activity(book)))
    return found


def _by_frame(book: Book, *, of_answers: bool) -> dict[str, Result]:
    """Ratios by the periods of the report, with one query for those on the same facts."""
    from revoir.metrics.evaluate import lacking
    from revoir.metrics.registry import metrics
    from revoir.reports import headline
    from revoir.reports.aims import of_years

    frame = _frame(book)
    if frame is None:
        return {}
    known = [
        held
        for held in metrics()
        if held.ratio is not None
        and (held.family == "satisfaction") == of_answers
        and lacking(book, held) is None
    ]
    yearly = book.with_settings(fiscal_year_start_month=frame.year_month)
    return {
        **headline.measured(book, frame, [held.name for held in known if not of_years(held)]),
        **headline.measured_by_year(yearly, frame, [held.name for held in known if of_years(held)]),
    }


def _computed_default(book: Book, metric: Metric) -> tuple[Kpi, Result]:
    from revoir.metrics.evaluate import empty_result, lacking
    from revoir.metrics.registry import Question, measure
    from revoir.reports import headline
    from revoir.reports.aims import of_years

    missing = lacking(book, metric)
    if missing is not None:
        result = empty_result(metric, Question(), [None], missing)
        return headline.Maker(book, None).empty(metric, missing), result
    book = _with_rule(book)
    of_answers = metric.family == "satisfaction"
    if of_answers:  # they may go on where orders do not
        book = book.entire
    frame = _frame(book)
    maker = headline.Maker(book, frame)
    if frame is None:
        result = measure(book, metric.name)
        return maker.kpi(result, None, series=False), result
    together = book.once(f"by frame {of_answers}", lambda: _by_frame(book, of_answers=of_answers))
    if of_years(metric):
        yearly = book.with_settings(fiscal_year_start_month=frame.year_month)
        found = together
        if metric.name not in found:
            found = headline.measured_by_year(yearly, frame, [metric.name])
        periods: tuple[Period, ...] = frame.years
        current, year_before = periods[-1], None
    else:
        found = together
        if metric.name not in found:
            found = headline.measured(book, frame, [metric.name])
        periods, current = frame.periods, frame.current
        year_before = frame.year_before(current)
    result = found[metric.name]
    if not any(figure.period for figure in result.figures):
        return maker.kpi(result, None, series=False), result
    place = periods.index(current)
    previous = periods[place - 1] if place else None
    kpi = maker.kpi(result, current, previous, year_before)
    if metric.name == "revenue":  # it is judged by the figures beside it, here as on the dashboard
        kpi = headline.judged_revenue(kpi, found)
    return kpi, result


def _chosen(book: Book, metric: Metric, asked: Mapping[str, Any]) -> tuple[Kpi | None, Result]:
    """A metric as the address asks for it."""
    from revoir.metrics.evaluate import empty_result, lacking
    from revoir.metrics.registry import measure
    from revoir.reports.headline import Maker

    frame = _frame(book)
    if asked.get("grain") == lengths.TWELVE_MONTHS:
        asked = {**asked, "grain": "year"}
        month = frame.year_month if frame else book.settings.fiscal_year_start_month
        book = book.with_settings(fiscal_year_start_month=month)
    question = question_of(asked)
    missing = lacking(book, metric)
    if missing is not None:
        return Maker(book, None).empty(metric, missing), empty_result(
            metric, question, [None], missing
        )
    result = measure(
        book,
        metric.name,
        start=question.start,
        end=question.end,
        grain=question.grain,
        by=question.by,
        where=question.where,
    )
    maker = Maker(book, frame)
    if result.by or not result.figures:
        return None, result
    periods = [figure.period for figure in result.figures if figure.period]
    if not periods:
        return maker.kpi(result, None, series=False), result
    complete = [f.period for f in result.figures if f.period and f.complete] or periods
    current = complete[-1]
    place = periods.index(current)
    previous = periods[place - 1] if place else None
    kpi = maker.kpi(result, current, previous, series=False)
    return replace(kpi, series=drawn.points(result, maker)), result


def _frame(book: Book) -> Frame | None:
    from revoir.reports.frame import frame_of

    return book.once("frame", lambda: frame_of(book))


def _frame_for(book: Book, metric: Metric) -> Frame | None:
    """The periods of a metric's page; answers may go on where orders do not."""
    return _frame(book.entire if metric.family == "satisfaction" else book)


def _metric_chart(
    metric: Metric, line: Kpi | None, result: Result, language: str, currency: str | None
) -> dict[str, Any] | None:
    from revoir.reports import charts

    if result.by:
        section = _section(metric, result, currency)
        return drawn.chart(charts.breakdown(section, language), language, "by") if section else None
    if line is None:
        return None
    return drawn.chart(charts.trend(line, _title(line), language), language, "line")


def _title(kpi: Kpi) -> Message:
    """What a line shows: the metric, and its range over the complete periods."""
    from revoir.reports.wording import short

    known = [point for point in kpi.series if point.value is not None and point.complete]
    values = [point.value for point in known if point.value is not None]
    return msg(
        "{metric}: {low} to {high} between {first} and {last}",
        metric=kpi.label,
        low=kpi.shown(min(values)),
        high=kpi.shown(max(values)),
        first=short(known[0].period),
        last=short(known[-1].period),
    )


def _section(metric: Metric, result: Result, currency: str | None) -> Breakdown | None:
    """The groups of the last complete period, the largest first."""
    from revoir.reports.model import Breakdown, BreakdownRow
    from revoir.reports.sections import GROUPS_MAX
    from revoir.reports.wording import COLUMN_NAMES, named

    periods = [figure.period for figure in result.figures if figure.complete]
    period = periods[-1] if periods else None
    figures = [
        figure for figure in result.figures if figure.period == period and figure.value is not None
    ]
    if not figures:
        return None
    figures.sort(key=lambda figure: -(figure.denominator or figure.value or 0))
    shown = figures[:GROUPS_MAX]
    columns = [COLUMN_NAMES.get(name, name) for name in result.by]
    return Breakdown(
        column="chosen",
        metric=metric.name,
        label=metric.label,
        unit=metric.unit,
        period=period,
        rows=tuple(
            BreakdownRow(
                group=_group(tuple(figure.by[name] for name in result.by)),
                customers=figure.denominator,
                value=figure.value,
                low=figure.low,
                high=figure.high,
            )
            for figure in shown
        ),
        others=len(figures) - len(shown),
        title=msg(
            "{metric} by {columns}, {period}",
            metric=metric.label,
            columns=columns,
            period=named(period) if period else msg("all of the data"),
        ),
        of=msg("Denominator"),
        currency=currency,
    )


def _group(values: tuple[Any, ...]) -> Message | str:
    from revoir.segments.names import value_named

    words = [
        word if isinstance(word, Message) else str(word)
        for word in (value_named(value) for value in values)
    ]
    return words[0] if len(words) == 1 else msg("{words}", words=words)
