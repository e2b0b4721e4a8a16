"""The options that several commands have, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from revoir.cli.common import T

Files = Annotated[
    list[str],
    typer.Argument(
        metavar=T("FILE"),
        help=T("Files, folders, globs, a lake, or the URL of a database."),
        show_default=False,
    ),
]
Lang = Annotated[
    str | None, typer.Option("--lang", help=T("Language: fr or en."), show_default=False)
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="COLUMN=HEADER",
        help=T("Say which header a column is, such as amount=TotalPrice; repeat at will."),
        show_default=False,
    ),
]
MappingFile = Annotated[
    Path | None,
    typer.Option(
        "--mapping",
        help=T("A mapping file (YAML) that says what columns mean."),
        show_default=False,
    ),
]
Sheet = Annotated[
    str | None,
    typer.Option("--sheet", help=T("The one sheet of a workbook to read."), show_default=False),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help=T("The last day that counts (default: the last day in the data)."),
        show_default=False,
    ),
]
ActivityDays = Annotated[
    int | None,
    typer.Option(
        "--activity-days",
        min=1,
        help=T("Days that a purchase keeps a customer active (default: proposed from the data)."),
        show_default=False,
    ),
]
Currency = Annotated[
    str | None,
    typer.Option("--currency", help=T("Currency of amounts that carry none."), show_default=False),
]
Timezone = Annotated[
    str, typer.Option("--timezone", help=T("Time zone whose calendar days count."))
]
FiscalMonth = Annotated[
    int,
    typer.Option("--fiscal-month", min=1, max=12, help=T("Month that the year begins with.")),
]
By = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        metavar=T("COLUMN"),
        help=T("Break down by a column, or by segment; repeat for several."),
        show_default=False,
    ),
]
Where = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar=T("RULE"),
        help=T('Count only what meets a rule, such as: city = "Tours" and amount > 20'),
        show_default=False,
    ),
]
Format = Annotated[str, typer.Option("--format", help=T("table, csv or json."))]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="DATE", help=T("First day."), show_default=False),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="DATE", help=T("Day after the last."), show_default=False),
]
PeriodGrain = Annotated[
    str | None,
    typer.Option(
        "--period",
        help=T("Length of the periods: day, week, month, quarter or year."),
        show_default=False,
    ),
]
Margin = Annotated[
    float | None,
    typer.Option(
        "--margin",
        help=T("Margin as a share of revenue, such as 0.35."),
        show_default=False,
    ),
]
