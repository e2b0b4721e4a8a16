"""`revoir metric`, `revoir metrics` and `revoir cohorts`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from revoir.cli import options
from revoir.cli.common import (
    T,
    day,
    open_book,
    say,
    speak,
    write_rows,
)
from revoir.language import Message, Money, Number, Percent, in_days, msg, nmsg

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.metrics.cohorts import CohortGrid
    from revoir.metrics.registry import Unit
    from revoir.metrics.result import Result


def metric(
    name: Annotated[
        str,
        typer.Argument(
            metavar=T("METRIC"), help=T("Name of the metric; `revoir metrics` lists them.")
        ),
    ],
    files: options.Files,
    start: options.From = None,
    end: options.To = None,
    period: options.PeriodGrain = None,
    by: options.By = None,
    where: options.Where = None,
    form: options.Format = "table",
    lang: options.Lang = None,
    as_of: options.AsOf = None,
    map: options.Map = None,
    mapping: options.MappingFile = None,
    sheet: options.Sheet = None,
    activity_days: options.ActivityDays = None,
    margin: options.Margin = None,
    currency: options.Currency = None,
    timezone: options.Timezone = "Europe/Paris",
    fiscal_month: options.FiscalMonth = 1,
) -> None:
    """Compute one metric and write a row a period and group."""
    code = speak(lang)
    from revoir.metrics.registry import measure, metric_named
    from revoir.periods import grain_named

    known = metric_named(name)
    grain = grain_named(period) if period else None
    first, last = day(start, "--from"), day(end, "--to")
    book = open_book(
        files,
        as_of=as_of,
        map=map,
        mapping=mapping,
        sheet=sheet,
        timezone=timezone,
        activity_days=activity_days,
        margin=margin,
        currency=currency,
        fiscal_year_start_month=fiscal_month,
    )
    result = measure(book, known.name, start=first, end=last, grain=grain, by=by or (), where=where)
    if form == "table":
        _write_figures(result, code, book)
    else:
        write_rows(result.records(code), form)
    if not result.figures:
        say(msg("Nothing of the kind happened in the period.").text(code))
    for note in result.notes:
        say(note.text(code))


def _write_figures(result: Result, code: str, book: Book) -> None:
    from revoir.segments.names import value_named

    unit = result.metric.unit
    # Where all amounts carry a currency, the one given for others is that of none of them.
    currency = book.currency if book.currencies else book.settings.currency
    rows, partly = [], result.notes_of_some
    for figure in result.figures:
        group = figure.by.get("currency")
        paid_in = group if group in book.currencies else currency
        value = shown(figure.value, unit, paid_in)
        if figure.value is None:
            value = figure.reason
        elif figure.note in partly:
            value = msg("{figure} †", figure=value)
        row: dict[str, Any] = {
            "period": T("all") if figure.period is None else None,
            "start": figure.period.start if figure.period else None,
            "end": figure.period.end if figure.period else None,
            **{name: value_named(value) for name, value in figure.by.items()},
            "value": value,
            "interval": None
            if figure.low is None
            else [shown(figure.low, unit, paid_in), shown(figure.high, unit, paid_in)],
            "numerator": figure.numerator,
            "denominator": figure.denominator,
            "complete": figure.complete,
        }
        rows.append(row)
    columns = [
        ("start", T("from")),
        ("end", T("to (not included)")),
        *((name, name) for name in result.by),
        ("value", result.metric.label.text(code)),
        ("interval", T("95% interval")),
        ("numerator", T("numerator")),
        ("denominator", T("denominator")),
        ("complete", T("complete")),
    ]
    write_rows(rows, "table", columns)
    for note in partly:
        say("† " + note.text(code))


def shown(value: float | None, unit: Unit, currency: str | None) -> Any:
    """A figure in the form that its unit is written in."""
    from revoir.metrics.registry import Unit

    if value is None:
        return None
    match unit:
        case Unit.SHARE:
            return Percent(value)
        case Unit.MONEY:
            return Money(value, currency)
        case Unit.COUNT:
            return Number(value, 0)
        case Unit.DAYS if value == 1:
            return in_days(1)
        case Unit.DAYS:
            return nmsg("{days} days", "{days} days", int(value), days=Number(value))
        case Unit.HOURS:
            return msg("{n} h", n=Number(value))
    return Number(value, 2)


def metrics(
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    """List every metric with its definition."""
    code = speak(lang)
    from revoir.metrics.registry import metrics as all_metrics

    rows: list[dict[str, Any]] = [
        {
            "metric": known.name,
            "label": known.label.text(code),
            "formula": known.formula.text(code),
            "unit": known.unit.value,
            "better": known.better,
            "goal": known.goal,
            "goal_growth": known.goal_growth,
            "needs": list(known.needs),
            "aliases": list(known.aliases),
            "family": known.family,
            "source": known.source,
        }
        for known in all_metrics()
    ]
    if form == "table":
        columns = [("metric", T("name")), ("label", T("metric")), ("formula", T("definition"))]
        write_rows(rows, form, columns)
    elif form == "csv":
        joined = ("needs", "aliases")
        write_rows(
            [{**row, **{name: " ".join(row[name]) for name in joined}} for row in rows], form
        )
    else:
        write_rows(rows, form)


def cohorts(
    files: options.Files,
    period: Annotated[str, typer.Option("--period", help=T("Length of the periods."))] = "month",
    start: Annotated[
        str, typer.Option("--start", help=T("first (first purchase ever) or recurring (any)."))
    ] = "first",
    presence: Annotated[
        str, typer.Option("--presence", help=T("on (bought then) or on_or_after (then or later)."))
    ] = "on",
    share_of: Annotated[
        str, typer.Option("--share-of", help=T("first (period 0) or previous (the one before)."))
    ] = "first",
    mean: Annotated[str, typer.Option("--mean", help=T("weighted or simple."))] = "weighted",
    measure: Annotated[
        str, typer.Option("--measure", help=T("customers, revenue (before returns) or margin."))
    ] = "customers",
    since: options.From = None,
    until: options.To = None,
    by: options.By = None,
    where: options.Where = None,
    form: options.Format = "table",
    lang: options.Lang = None,
    as_of: options.AsOf = None,
    map: options.Map = None,
    mapping: options.MappingFile = None,
    sheet: options.Sheet = None,
    timezone: options.Timezone = "Europe/Paris",
    fiscal_month: options.FiscalMonth = 1,
    margin: options.Margin = None,
) -> None:
    """Follow customers from the period of their first purchase through the periods after."""
    code = speak(lang)
    from revoir.metrics.cohorts import cohorts as compute
    from revoir.periods import grain_named

    grain = grain_named(period)
    first, last = day(since, "--from"), day(until, "--to")
    book = open_book(
        files,
        as_of=as_of,
        map=map,
        mapping=mapping,
        sheet=sheet,
        timezone=timezone,
        fiscal_year_start_month=fiscal_month,
        margin=margin,
    )
    grid = compute(
        book,
        grain=grain,
        start=start,
        presence=presence,
        share_of=share_of,
        mean=mean,
        measure=measure,
        since=first,
        until=last,
        by=by or (),
        where=where,
    )
    if form == "table":
        _write_grid(grid, by or (), code)
    else:
        write_rows(grid.records(code), form)
    for note in grid.notes:
        say(note.text(code))


def _write_grid(grid: CohortGrid, by: Sequence[str], code: str) -> None:
    if not grid.cohorts:
        say(msg("Nothing of the kind happened in the period.").text(code))
        return
    from revoir.segments.names import value_named

    ages = range(len(grid.mean))
    rows: list[dict[str, Any]] = []
    for cohort in grid.cohorts:
        groups = {name: value_named(value) for name, value in cohort.by.items()}
        row: dict[str, Any] = {"cohort": cohort.period.start, **groups, "size": cohort.size}
        for cell in cohort.cells:
            row[str(cell.age)] = _cell(cell.value, cell.complete)
        rows.append(row)
    rows.append({"cohort": T("mean"), **{str(age): _cell(grid.mean[age], True) for age in ages}})
    columns = [
        ("cohort", T("cohort")),
        *((name, name) for name in by),
        ("size", T("customers")),
        *((str(age), str(age)) for age in ages),
    ]
    write_rows([{name: row.get(name, "") for name, _ in columns} for row in rows], "table", columns)
    say(msg("* the data do not cover the period to its end.").text(code))


def _cell(value: float | None, complete: bool) -> Message | Percent | str:
    if value is None:
        return ""
    return Percent(value, 0) if complete else msg("{share}*", share=Percent(value, 0))
