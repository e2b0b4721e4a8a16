"""Figures and charts of the core as plain values that templates show: words and drawings, done."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

from revoir.language import LANGUAGES, msg
from revoir_web.common.words import heading

if TYPE_CHECKING:
    from revoir.metrics.registry import Metric
    from revoir.metrics.result import Figure, Result
    from revoir.reports.canvas import Chart
    from revoir.reports.figures import Kpi, Point
    from revoir.reports.headline import Maker

NARROW = 340
"""The width, in pixels, that charts are drawn at for a telephone."""


def in_each(word: Callable[[str], Any], **data: Any) -> dict[str, Any]:
    """An answer in every language, beside what is the same in all of them (`data`)."""
    return {**{language: word(language) for language in LANGUAGES}, "data": data}


def kpi(kpi: Kpi, language: str, address: str, query: str = "") -> dict[str, Any]:
    """A headline figure as the component `kpi` takes it.

    Args:
        kpi: The figure.
        language: Whose words.
        address: Unique in the page.
        query: What the page of the metric is asked for, to show the same figure.
    """
    from revoir.reports import charts, view
    from revoir.reports.wording import short

    shown = view.headline(address, kpi)

    def text(value: Any) -> str | None:
        return None if value is None else view.typeset(value, language)

    spark = ""
    if charts.has_line(kpi):
        points = [point for point in kpi.series if point.value is not None and point.complete]
        title = msg(
            "{label}, {first} to {last}",
            label=kpi.label,
            first=short(points[0].period),
            last=short(points[-1].period),
        )
        line = _line(json.dumps(charts.sparkline(kpi)), f"spark-{address}")
        spark = line.replace(_TITLE, escape(title.text(language)))
    return {
        "address": address,
        "metric": kpi.metric,
        "query": query,
        "label": kpi.label.text(language),
        "period": text(shown.period),
        "value": text(shown.value),
        "changes": [
            {"text": text(change.text), "word": text(change.word), "tone": change.tone}
            for change in shown.changes
        ],
        "goal": {"text": text(shown.goal[0]), "tone": shown.goal[1]} if shown.goal else None,
        "benchmarks": [
            {"text": text(figure), "source": text(source), "url": url}
            for figure, source, url in shown.benchmarks
        ],
        "spark": spark,
        "small": text(shown.small),
        "reason": text(kpi.reason),
        "note": text(kpi.note),
    }


_TITLE = "drawn-title"


@lru_cache(maxsize=256)
def _line(spec: str, name: str) -> str:
    """A small line: it has no words but its title, and is drawn once for all languages."""
    from revoir.reports import drawing

    return drawing.svg(json.loads(spec), "en", name, _TITLE)


def chart(made: Chart, language: str, name: str) -> dict[str, Any]:
    """A chart as the component `trend` takes it, for a screen and for a telephone."""
    from revoir.reports import drawing

    drawn = {"svg": drawing.svg(made.spec(made.width), language, f"{name}-w", made.title)}
    if not made.scrolls:
        drawn["narrow"] = drawing.svg(made.spec(NARROW), language, f"{name}-n", made.title)
    return {
        "name": name,
        "title": made.title,
        "columns": list(made.columns),
        "rows": [list(row) for row in made.rows],
        "scrolls": made.scrolls,
        **drawn,
    }


def png(spec: dict[str, Any], language: str) -> bytes:
    """A chart as a picture for an e-mail, at twice the size for sharp screens."""
    import vl_convert

    locale: Any = {"fr": "fr-FR", "en": "en-GB"}[language]
    picture: bytes = vl_convert.vegalite_to_png(
        {**spec, "background": "#ffffff"},
        scale=2,
        format_locale=locale,
        time_format_locale=locale,
        allowed_base_urls=[],
    )
    return picture


def points(result: Result, maker: Maker) -> tuple[Point, ...]:
    """The figures of a result that is not broken down, as points of a line.

    A point is complete where the data also reach back as far as its figure needs: nobody can have
    left in the first months of the data, and the line would begin at 100 %.
    """
    from revoir.reports.figures import Point

    return tuple(
        Point(
            figure.period,
            figure.complete and maker.counted(result.metric, figure) is not None,
            figure.value,
            figure.low,
            figure.high,
            figure.numerator,
            figure.denominator,
        )
        for figure in result.figures
        if figure.period is not None
    )


def figures_table(
    result: Result, language: str, currency: str | None, goals: Callable[[Figure], float | None]
) -> dict[str, Any]:
    """The figures of a result as a table of words.

    Args:
        result: The result.
        language: Whose words.
        currency: ISO 4217 currency of amounts.
        goals: What a figure is to reach.

    Returns:
        `columns` and `rows`; a row has `cells`, and `start`, `end` and `by` that lead to the rows
        behind it. `incomplete` says whether a period has a star, `partly` what a dagger means.
    """
    from revoir.reports.figures import quantity
    from revoir.reports.view import typeset
    from revoir.reports.wording import short

    unit = result.metric.unit
    money = currency if unit.value == "money" else None

    def shown(value: float | None) -> str:
        return typeset(quantity(value, unit, money), language)

    with_interval = any(figure.low is not None for figure in result.figures)
    with_goal = any(
        figure.period is not None and goals(figure) is not None for figure in result.figures
    )
    parts = list(dict.fromkeys(name for figure in result.figures for name in figure.parts))
    columns = [msg("Period").text(language)]
    columns += [column_named(name, language) for name in result.by]
    columns += [result.metric.label.text(language)]
    columns += [msg("From").text(language), msg("To").text(language)] if with_interval else []
    columns += [msg("Goal").text(language)] if with_goal else []
    columns += [msg("Numerator").text(language), msg("Denominator").text(language)]
    columns += [part_named(result.metric, name, language) for name in parts]
    partly = result.notes_of_some
    rows = []
    for figure in result.figures:
        marks = "" if figure.complete else " *"
        marks += " †" if figure.value is not None and figure.note in partly else ""
        cells = [typeset(short(figure.period), language) + marks]
        cells += [group_named(figure.by.get(name), language) for name in result.by]
        if figure.value is None and figure.reason is not None:
            cells += [figure.reason.text(language)]
        else:
            cells += [shown(figure.value)]
        cells += [shown(figure.low), shown(figure.high)] if with_interval else []
        if with_goal:
            goal = goals(figure) if figure.period else None
            cells += [shown(goal)]
        cells += [counted(figure.numerator, language), counted(figure.denominator, language)]
        cells += [
            part_shown(result.metric, name, figure.parts.get(name), language, currency)
            for name in parts
        ]
        rows.append(
            {
                "cells": cells,
                "start": figure.period.start.isoformat() if figure.period else None,
                "end": figure.period.end.isoformat() if figure.period else None,
                "by": {name: _json(figure.by.get(name)) for name in result.by},
                "known": figure.value is not None,
            }
        )
    return {
        "columns": columns,
        "rows": rows,
        "words": len(result.by) + 1,
        "incomplete": any(not figure.complete for figure in result.figures),
        "partly": [note.text(language) for note in partly],
    }


_PARTS = {
    "kept": msg("kept"),
    "lost": msg("lost"),
    "new": msg("new"),
    "returned": msg("returned"),
    "start": msg("at the start"),
    "end": msg("at the end"),
    "promoters": msg("promoters"),
    "passives": msg("passives"),
    "detractors": msg("detractors"),
    "orders_a_year": msg("orders a year"),
    "lifespan_years": msg("lifespan in years"),
    "margin": msg("margin"),
}


def column_named(name: str, language: str) -> str:
    """What people call a column that figures are broken down by."""
    from revoir.reports.wording import COLUMN_NAMES

    return heading(COLUMN_NAMES[name].text(language) if name in COLUMN_NAMES else name)


def part_named(metric: Metric, name: str, language: str) -> str:
    """What people call a part of a figure: as the metric of that name, where there is one."""
    from revoir.metrics.registry import metrics

    alone = f"mrr_{name}" if metric.family == "subscriptions" else name
    labels = {held.name: held.label for held in metrics()}
    known = labels.get(alone) or _PARTS.get(name)
    return heading(known.text(language) if known else name)


def part_shown(
    metric: Metric, name: str, value: float | None, language: str, currency: str | None
) -> str:
    """A part of a figure in its unit."""
    from revoir.metrics.registry import Unit
    from revoir.reports.figures import quantity
    from revoir.reports.view import typeset

    if value is not None and name == "margin":
        return typeset(quantity(value, Unit.SHARE), language)
    if value is not None and (metric.family == "subscriptions" or name == "average_order_value"):
        return typeset(quantity(value, Unit.MONEY, currency), language)
    return counted(value, language)


def group_named(value: Any, language: str) -> str:
    """What people call a value that figures are broken down by."""
    from revoir.reports.view import typeset
    from revoir.segments.names import value_named

    return typeset(value_named(value), language)


def counted(value: float | None, language: str) -> str:
    """A sum or a count, with decimals where it has them."""
    from revoir.language import Number
    from revoir.reports.view import typeset

    if value is None:
        return ""
    return typeset(
        Number(value, 0 if float(value).is_integer() or abs(value) > 1000 else 2), language
    )


def texts(messages: Sequence[Any], language: str) -> list[str]:
    """Messages in one language."""
    from revoir.reports.view import typeset

    return [typeset(message, language) for message in messages]


def table(
    columns: Sequence[Any], rows: Sequence[Sequence[Any]], language: str, *, texts: int = 1
) -> dict[str, Any]:
    """A table as its template takes it: the first columns are texts, the others figures."""
    return {
        "texts": texts,
        "columns": [_cell(column, language) for column in columns],
        "rows": [[_cell(value, language) for value in row] for row in rows],
    }


def _cell(value: Any, language: str) -> str:
    return "—" if value is None else texts([value], language)[0]


def _json(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
