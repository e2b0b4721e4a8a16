"""The report as one page: nothing to download, no script, for screen, telephone and paper."""

from __future__ import annotations

from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from revoir.language import Message, Money, Number, Percent, msg
from revoir.reports import charts, drawing, palette, view
from revoir.reports.canvas import Chart
from revoir.reports.figures import Kpi
from revoir.reports.model import Report
from revoir.reports.wording import GRAINS, between, grain_of, named, short
from revoir.tables import CALLED

TEMPLATES = Path(__file__).parent / "templates"

NARROW = 330
"""The width, in pixels, that charts are drawn at for a telephone."""


def to_html(report: Report, language: str | None = None) -> str:
    """Write a report as a page.

    Args:
        report: The report.
        language: One of `revoir.language.LANGUAGES` (None: the report's own).

    Returns:
        A whole HTML document that needs nothing else.
    """
    language = language or report.language
    page = _environment().get_template("report.html")
    return page.render(report=report, language=language, **_context(report, language))


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html", "css"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        msg=msg, percent=Percent, number=Number, money=Money, named=named, short=short
    )
    return environment


def _context(report: Report, language: str) -> dict[str, Any]:
    numbers = count(1)

    def text(value: Any) -> str:
        return view.typeset(value, language)

    def drawn(chart: Chart, only_narrow: bool = False) -> Markup:
        """The chart at both widths; the style sheet shows one of them."""
        kinds = {"wide": chart.width, "narrow": NARROW}
        if chart.scrolls or only_narrow:
            kinds = {"any": NARROW if only_narrow else chart.width}
        parts = []
        for kind, width in kinds.items():
            name = f"c{next(numbers)}"
            svg = drawing.svg(chart.spec(width), language, name, chart.title)
            parts.append(f'<div class="drawing {kind}">{svg}</div>')
        return Markup("".join(parts))  # noqa: S704 (drawn by us from escaped texts)

    def spark(kpi: Kpi) -> Markup:
        if not charts.has_line(kpi):
            return Markup("")
        values = [point for point in kpi.series if point.value is not None and point.complete]
        first, last = (
            short(values[0].period).text(language),
            short(values[-1].period).text(language),
        )
        title = msg("{label}, {first} to {last}", label=kpi.label, first=first, last=last).text(
            language
        )
        svg = drawing.svg(charts.sparkline(kpi), language, f"s{next(numbers)}", title)
        return Markup(svg)  # noqa: S704 (drawn by us from escaped texts)

    return {
        "t": text,
        "table_names": CALLED,
        "drawn": drawn,
        "spark": spark,
        "headlines": view.headlines(report),
        "headline": view.headline,
        "points_more": view.points_more,
        "customers_more": view.customers_more,
        "asked_table": view.asked_table,
        "reason_rows": view.reason_rows,
        "gathered": view.gathered,
        "no_group": view.NO_GROUP,
        "not_drawn": view.not_drawn,
        "smaller_groups": view.smaller_groups,
        "cohorts_explained": view.COHORTS_EXPLAINED,
        "lifecycle_explained": view.LIFECYCLE_EXPLAINED,
        "what_if_explained": view.what_if_explained,
        "charts": _charts(report, language),
        "style": Markup(_style()),  # noqa: S704 (our own file)
    }


def _charts(report: Report, language: str) -> dict[str, Chart]:
    """The charts of the report by section."""
    found: dict[str, Chart] = {}
    if report.trend is not None:
        found["trend"] = charts.trend(report.trend, trend_title(report.trend), language)
    if report.cohorts is not None:
        found["cohorts"] = charts.cohorts(report.cohorts, language)
    if report.lifecycle is not None:
        found["lifecycle"] = charts.lifecycle(report.lifecycle, language)
    if report.rfm is not None:
        found["rfm"] = charts.rfm_map(report.rfm, language)
    if report.gaps is not None:
        found["gaps"] = charts.gaps(report.gaps, language)
    for index, section in enumerate(report.breakdowns):
        found[f"by-{index}"] = charts.breakdown(section, language)
    return found


def trend_title(kpi: Kpi) -> Message:
    """What the line of the retention rate shows: its range over the complete periods."""
    points = [point for point in kpi.series if point.value is not None and point.complete]
    values = [point.value for point in points if point.value is not None]
    first, last = (points[0].period, points[-1].period) if points else (None, None)
    grain = grain_of(first) if first is not None else None
    if first is None or last is None or grain is None:
        return msg("The retention rate, period by period")
    low, high = Percent(min(values), 0), Percent(max(values), 0)
    if round(low.value, 2) == round(high.value, 2):
        return msg(
            "{between}, {share} of customers stayed each {grain}",
            between=between(first, last),
            share=low,
            grain=GRAINS[grain],
        )
    return msg(
        "{between}, {low} to {high} of customers stayed each {grain}",
        between=between(first, last),
        low=low,
        high=high,
        grain=GRAINS[grain],
    )


@cache
def _style() -> str:
    tokens = "\n".join(f"  --c-{name}: {colour};" for name, colour in palette.LIGHT.items())
    dark = "\n".join(f"    --c-{name}: {colour};" for name, colour in palette.DARK.items())
    sheet = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return (
        f":root {{\n{tokens}\n}}\n"
        f"@media screen and (prefers-color-scheme: dark) {{\n  :root {{\n{dark}\n  }}\n}}\n{sheet}"
    )
