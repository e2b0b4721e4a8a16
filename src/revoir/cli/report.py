"""`revoir report`: the report as a page, a PDF, a workbook or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from revoir.cli import common, options
from revoir.cli.common import T
from revoir.files import whole
from revoir.language import msg

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.goals import Aim
    from revoir.metrics.benchmarks import Benchmark
    from revoir.reports.model import Report

_KINDS = (".html", ".htm", ".pdf", ".xlsx", ".json")

Output = Annotated[
    list[Path] | None,
    typer.Option(
        "-o",
        "--output",
        help=T("Where to write: .html, .pdf, .xlsx or .json; repeat for several."),
        show_default=False,
    ),
]
Sector = Annotated[
    str | None,
    typer.Option("--sector", help=T("Sector to compare with, such as retail."), show_default=False),
]
AcquisitionCost = Annotated[
    float | None,
    typer.Option(
        "--acquisition-cost", min=0, help=T("What a new customer costs."), show_default=False
    ),
]
Benchmarks = Annotated[
    Path | None,
    typer.Option(
        "--benchmarks",
        help=T("A file (YAML) of your own figures to compare with."),
        show_default=False,
    ),
]
Goal = Annotated[
    list[str] | None,
    typer.Option(
        "--goal",
        metavar=T("METRIC=VALUE"),
        help=T(
            "A goal, such as retention_rate=75%, churn_rate/month=2% for months,"
            " or clv_simple=+10% for growth in a year; repeat at will."
        ),
        show_default=False,
    ),
]
Title = Annotated[
    str | None,
    typer.Option("--title", help=T("What the report calls the company."), show_default=False),
]
PeriodLength = Annotated[
    str | None,
    typer.Option(
        "--period",
        help=T("Length of the periods: week, month, quarter (default: chosen from the data)."),
        show_default=False,
    ),
]


def report(
    files: options.Files,
    output: Output = None,
    lang: options.Lang = None,
    as_of: options.AsOf = None,
    by: options.By = None,
    sector: Sector = None,
    margin: options.Margin = None,
    acquisition_cost: AcquisitionCost = None,
    activity_days: options.ActivityDays = None,
    period: PeriodLength = None,
    goal: Goal = None,
    benchmarks: Benchmarks = None,
    title: Title = None,
    map: options.Map = None,
    mapping: options.MappingFile = None,
    sheet: options.Sheet = None,
    currency: options.Currency = None,
    timezone: options.Timezone = "Europe/Paris",
    fiscal_month: options.FiscalMonth = 1,
) -> None:
    """Make the report: figures, what they mean and what to do."""
    language = common.speak(lang)
    outputs = _outputs(output, files)
    from revoir.metrics import benchmarks as published
    from revoir.periods import grain_named
    from revoir.reports.build import build
    from revoir.sectors import sector_named

    book = common.open_book(
        files,
        as_of=as_of,
        map=map,
        mapping=mapping,
        sheet=sheet,
        timezone=timezone,
        activity_days=activity_days,
        title=title,
        currency=currency,
        fiscal_year_start_month=fiscal_month,
        sector=sector_named(sector) if sector else None,
        margin=margin,
        acquisition_cost=acquisition_cost,
        goals=_goals(goal),
    )
    own: list[Benchmark] = published.own_figures(benchmarks) if benchmarks else []
    with common.progress() as tell:
        tell(msg("Computing the report…"))
        made = build(
            book,
            language=language,
            by=tuple(by or ()),
            grain=grain_named(period) if period else None,
            benchmarks=own,
        )
        for path in outputs:
            tell(msg("Writing {file}…", file=path.name))
            _write(made, path, book)
    for path in outputs:
        common.say(msg("The report is in {path}", path=str(path)).text(language))
    if made.nearly_over is not None and made.span is not None:
        common.say(
            msg(
                "The last period does not count yet. If nothing was sold since {last}, say"
                " --as-of {day}.",
                last=made.span[1],
                day=made.nearly_over.isoformat(),
            ).text(language)
        )


def _outputs(given: list[Path] | None, files: list[str]) -> list[Path]:
    """Where to write; without a word, a page named after what was read."""
    from revoir.errors import UsageError

    outputs = list(given or [Path(f"{_stem(files)}-report.html")])
    for path in outputs:
        if path.suffix.lower() not in _KINDS:
            raise UsageError(
                msg("“{path}” is no kind of report.", path=str(path)),
                remedy=msg("End the name with one of: {names}.", names=list(_KINDS)),
            )
        if not path.absolute().parent.is_dir():
            raise UsageError(
                msg("There is no folder “{folder}”.", folder=str(path.parent)),
                remedy=msg("Create it, or write elsewhere."),
            )
        common.spare_inputs(path, files)
    return outputs


def _stem(files: list[str]) -> str:
    first = files[0]
    if "://" in first or any(sign in first for sign in "*?["):
        return "revoir"
    path = Path(first)
    name = path.resolve().name if path.is_dir() else path.name
    while Path(name).suffix.lower() in (
        ".gz",
        ".csv",
        ".txt",
        ".xlsx",
        ".xls",
        ".ods",
        ".parquet",
        ".json",
        ".jsonl",
        ".ndjson",
        ".tsv",
        ".zip",
        ".duckdb",
    ):
        name = Path(name).stem
    return name or "revoir"


def _goals(given: list[str] | None) -> dict[str, list[Aim]] | None:
    from revoir.errors import UsageError
    from revoir.goals import aim_written
    from revoir.metrics.registry import metric_named

    goals: dict[str, list[Aim]] = {}
    for text in given or ():
        name, _, value = text.partition("=")
        name, _, length = name.partition("/")
        metric = metric_named(name)
        try:
            aim = aim_written(value, length.strip())
            percent = value.rstrip().endswith("%") and not aim.growth
            if not metric.reaches(aim) or (percent and metric.unit.value != "share"):
                raise ValueError(text)
            goals.setdefault(metric.name, []).append(aim)
        except ValueError:
            raise UsageError(
                msg("The goal “{text}” is not understood.", text=text),
                remedy=msg(
                    "Write it like retention_rate=75%, churn_rate/month=2% or clv_simple=+10%."
                ),
            ) from None
    return goals or None


def _write(made: Report, path: Path, book: Book) -> None:
    from revoir.errors import UsageError, Where

    try:
        with whole(path) as draft:
            _write_as(path.suffix.lower(), made, draft, book)
    except OSError as error:
        raise UsageError(
            msg("The file cannot be written: {why}.", why=error.strerror or str(error)),
            where=Where(file=path.name),
        ) from error


def _write_as(kind: str, made: Report, path: Path, book: Book) -> None:
    match kind:
        case ".json":
            from revoir.reports.plain import to_json

            path.write_text(to_json(made), encoding="utf-8")
        case ".xlsx":
            from revoir.reports.xlsx import write_xlsx

            write_xlsx(made, path, book=book)
        case ".pdf":
            from revoir.reports.pdf import write_pdf

            write_pdf(made, path)
        case _:
            from revoir.reports.html import to_html

            path.write_text(to_html(made), encoding="utf-8")
