"""`revoir check`: what files were understood as, and which rows were not accepted."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from revoir.cli import lake, options
from revoir.cli.common import (
    T,
    file_mapping,
    known_form,
    language,
    progress,
    say,
    spare_inputs,
    speak,
    write_json,
)
from revoir.files import whole
from revoir.language import Percent, msg, nmsg, written
from revoir.tables import CALLED

if TYPE_CHECKING:
    from rich.console import Console

    from revoir.reading.report import FileReport, Reading

QUARANTINED = 1
"""Exit code: done, and rows were quarantined."""
UNUSABLE = 3
"""Exit code: no row could be accepted."""
_LISTED_MAX = 20

Form = Annotated[str, typer.Option("--format", help=T("text or json."))]
QuarantineFile = Annotated[
    Path | None,
    typer.Option(
        "--quarantine",
        metavar="FILE.csv",
        help=T(
            "Write the rows that were not accepted to a CSV in the shape of the input, to be"
            " corrected and imported again."
        ),
        show_default=False,
    ),
]
MappingOut = Annotated[
    Path | None,
    typer.Option(
        "--write-mapping",
        "--write-map",
        metavar="FILE.yml",
        help=T("Write what each column was taken for, for next month's import."),
        show_default=False,
    ),
]


def check(
    files: options.Files,
    map: options.Map = None,
    mapping: options.MappingFile = None,
    write_mapping: MappingOut = None,
    quarantine: QuarantineFile = None,
    sheet: options.Sheet = None,
    timezone: options.Timezone = "Europe/Paris",
    currency: options.Currency = None,
    format: Form = "text",
    lang: options.Lang = None,
) -> None:
    """Read files and say what was understood, accepted and put in quarantine."""
    from revoir.reading import read_tables
    from revoir.store import is_bucket, is_lake

    speak(lang)
    known_form(format, ("text", "json"))
    if len(files) == 1 and (is_lake(files[0]) or is_bucket(files[0])):
        lake.hold(files[0], format)
        return
    for output in (quarantine, write_mapping):
        spare_inputs(output, files)
    with progress() as tell:
        reading = read_tables(
            files,
            mapping=file_mapping(map, mapping),
            timezone=timezone,
            currency=currency,
            sheet=sheet,
            today=dt.date.today(),
            progress=tell,
        )
    if write_mapping is not None:
        _write_mapping(reading, write_mapping)
    written = _write_quarantine(reading, quarantine) if quarantine else {}
    if format == "json":
        write_json(reading.told(language()))
    else:
        _tell(reading)
        _tell_ways_on(reading, files, write_mapping, quarantine, written)
    raise typer.Exit(_exit_code(reading))


def _exit_code(reading: Reading) -> int:
    if not reading.rows_quarantined:
        return 0
    accepted = any(file.rows_accepted for file in reading.files)
    return QUARANTINED if accepted else UNUSABLE


def _write_mapping(reading: Reading, path: Path) -> None:
    from revoir.reading import mapping

    _write_text(path, mapping.dump(reading.mapping))


def _write_text(path: Path, text: str) -> None:
    from revoir.errors import UsageError, Where

    try:
        with whole(path) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            msg("The file cannot be written: {why}.", why=error.strerror or str(error)),
            where=Where(file=path.name),
        ) from error


def _write_quarantine(reading: Reading, path: Path) -> dict[Path, int]:
    from revoir.errors import UsageError, Where
    from revoir.reading import quarantine

    try:
        return quarantine.write(reading.files, path, language())
    except OSError as error:
        raise UsageError(
            msg("The file cannot be written: {why}.", why=error.strerror or str(error)),
            where=Where(file=path.name),
        ) from error


def _tell(reading: Reading) -> None:
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 120, soft_wrap=False)
    for file in reading.files:
        _tell_file(console, file)
    _tell_totals(console, reading)
    for note in reading.notes:
        _line(console, f"• {note.text(language())}")


def _line(console: Console, text: str, style: str = "") -> None:
    from rich.text import Text

    console.print(Text(text, style=style))


def _tell_file(console: Console, file: FileReport) -> None:
    name = file.file if file.sheet is None else f"{file.file} · {file.sheet}"
    _line(console, name, "bold")
    if file.table is None:
        _line(console, T("  Not recognised."))
    else:
        told = msg(
            "  Read as {table}: {why} (sure to {sure}).",
            table=CALLED[file.table],
            why=file.why,
            sure=Percent(file.confidence, 0),
        )
        _line(console, told.text(language()))
        _tell_mapping(console, file)
        told = msg(
            "  Rows: {rows_in} = accepted {accepted} + in quarantine {quarantined} +"
            " duplicates {duplicate}",
            rows_in=file.rows_in,
            accepted=file.rows_accepted,
            quarantined=file.rows_quarantined,
            duplicate=file.rows_duplicate,
        )
        _line(console, told.text(language()), "yellow" if file.rows_quarantined else "green")
    for note in file.notes:
        _line(console, f"  • {note.text(language())}")
    if file.rows_unread:
        _line(console, f"  • {T('Say what it is with --map table=…, or in a mapping file.')}")
    _tell_quarantine(console, file)
    console.print()


def _grid(headings: list[str], rows: list[list[Any]], console: Console) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=True)
    for place, heading in enumerate(headings):
        numeric = any(isinstance(row[place], int | float) for row in rows)
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*[Text(written(cell, language())) for cell in row])
    console.print(table)


def _tell_mapping(console: Console, file: FileReport) -> None:
    rows: list[list[Any]] = []
    kept = []
    for column in file.mapping:
        header = column.header or column.column
        if column.target is None:
            if column.name:
                kept.append(header)
            continue
        sure = Percent(column.confidence, 0)
        rows.append([header, column.target, sure, column.reason, _format_name(column.format)])
    _grid([T("Column"), T("Meaning"), T("Sure"), T("Why"), T("Written")], rows, console)
    if kept:
        shown = kept if len(kept) <= _LISTED_MAX else [*kept[:_LISTED_MAX], "…"]
        told = msg("  Kept to break figures down: {names}.", names=shown)
        _line(console, told.text(language()))


def _format_name(form: str | None) -> str:
    names = {
        "day_first": msg("day first"), "month_first": msg("month first"),
        "comma": msg("decimal comma"), "point": msg("decimal point"),
        "inverted": msg("yes means no"), "utc": msg("UTC"),
    }  # fmt: skip
    return names[form].text(language()) if form in names else ""


def _tell_quarantine(console: Console, file: FileReport) -> None:
    if not file.rows_quarantined:
        return
    held = file.quarantine[:_LISTED_MAX]
    rows = [
        [str(row.line), row.column, _short(row.value), row.reason, row.remedy] for row in held
    ]  # fmt: skip
    _grid([T("Line"), T("Column"), T("Value"), T("Reason"), T("Remedy")], rows, console)
    more = file.rows_quarantined - len(held)
    if more:
        told = nmsg("  … and {n} more row.", "  … and {n} more rows.", more)
        _line(console, told.text(language()))


def _short(value: str | None) -> str:
    if value is None:
        return ""
    text = "".join(letter if letter.isprintable() else "·" for letter in value)
    return text if len(text) <= 40 else text[:39] + "…"


def _tell_totals(console: Console, reading: Reading) -> None:
    rows = [
        [CALLED[name].text(language()), total["rows"], total.get("customers"), total.get("orders"),
         _amount(total), _day(total.get("first_day")), _day(total.get("last_day"))]
        for name, total in reading.totals.items()
    ]  # fmt: skip
    headings = [T("Table"), T("Rows"), T("Customers"), T("Orders"), T("Amount"), T("From"), T("To")]
    _grid(headings, rows, console)


def _day(iso: str | None) -> dt.date | None:
    return dt.date.fromisoformat(iso) if iso else None


def _amount(total: dict[str, Any]) -> Any:
    from revoir.language import Money

    if several := total.get("amount_by_currency"):
        return [Money(amount, currency or None) for currency, amount in several.items()]
    amount = total.get("amount")
    return None if amount is None else Money(amount)


def _tell_ways_on(
    reading: Reading,
    files: list[str],
    mapping_out: Path | None,
    quarantine_out: Path | None,
    written: dict[Path, int],
) -> None:
    """Say what to do next: correct rows, correct meanings, keep them."""
    if quarantine_out is not None and not written:
        told = msg("No row is in quarantine: {file} was not written.", file=quarantine_out.name)
        say(told.text(language()))
    elif quarantine_out is not None:
        for path, rows in written.items():
            told = nmsg(
                "{n} row was written to {file}: correct it there and import that file.",
                "{n} rows were written to {file}: correct them there and import that file.",
                rows,
                file=path.name,
            )
            say(told.text(language()))
    elif reading.rows_quarantined:
        say(T("To correct the rows in quarantine, add --quarantine rows.csv."))
    if mapping_out is None and any(file.confidence < 0.9 for file in reading.files):
        say(T("If a column was misunderstood: --map amount=HEADER; to keep it: --write-mapping."))
