"""What the commands share: the language, the options of every analysis, and opening the data."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revoir.language import LANGUAGES, Message, msg, nmsg

if TYPE_CHECKING:
    from collections.abc import Callable

    from revoir.book import Book
    from revoir.reading import Reading
    from revoir.reading.mapping import Mapping as FileMapping

_chosen: list[str] = []
_UNBROKEN_MAX = 16
"""Characters of a cell that a table never breaks, however many columns it has."""


def language() -> str:
    """The language to speak: ``--lang``, else REVOIR_LANG, else the system's, else French."""
    if _chosen:
        return _chosen[-1]
    for variable in ("REVOIR_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        code = os.environ.get(variable, "")[:2].lower()
        if code in LANGUAGES:
            return code
    return "fr"


def speak(code: str | None) -> str:
    """Speak the language of ``--lang`` from now on.

    Raises:
        UsageError: There is no such language.
    """
    from revoir.errors import UsageError

    if code is not None:
        if code not in LANGUAGES:
            raise UsageError(
                msg("There is no language “{code}”.", code=code),
                remedy=msg("Use {names}.", names=list(LANGUAGES)),
            )
        _chosen.append(code)
    return language()


def T(msgid: str) -> str:
    """Word a text of the command line in the language it starts in; a mark for gettext."""
    return Message(msgid).text(language())


def say(text: str, *, bad: bool = False) -> None:
    """Tell the person at the terminal something, beside the answer."""
    stream = sys.stderr
    if bad and stream.isatty():
        text = f"\033[31m{text}\033[0m"
    print(text, file=stream)


def day(text: str | None, option: str) -> dt.date | None:
    """Read a day of an option.

    Raises:
        UsageError: It is not a date.
    """
    from revoir.errors import UsageError

    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            msg("{option}: “{text}” is not a date.", option=option, text=text),
            remedy=msg("Write year-month-day, such as 2024-03-31."),
        ) from None


def open_book(
    files: Sequence[str],
    *,
    as_of: str | dt.date | None = None,
    map: Sequence[str] | None = None,
    mapping: Path | None = None,
    sheet: str | None = None,
    timezone: str = "Europe/Paris",
    activity_days: int | None = None,
    title: str | None = None,
    **settings: Any,
) -> Book:
    """Open the data of a command, with a progress bar on a terminal.

    What was quarantined is said on standard error.

    Args:
        files: What the command was given.
        as_of: The last day that counts.
        map: ``column=header`` pairs.
        mapping: A mapping file.
        sheet: The one sheet to read.
        timezone: Whose calendar days count.
        activity_days: The activity window of purchases.
        title: What reports call the company.
        settings: Further fields of `revoir.book.Settings`.

    Returns:
        The book.

    Raises:
        RevoirError: The data cannot be opened.
    """
    from revoir.book import Settings, is_warehouse, read

    last = day(as_of, "--as-of") if isinstance(as_of, str) else as_of
    given = {name: value for name, value in settings.items() if value is not None}
    if "currency" in given:
        given["currency"] = currency_named(given["currency"])
    if "margin" in given:
        given["margin"] = _share(given["margin"])
    in_place = len(files) == 1 and is_warehouse(files[0])
    with progress() as tell:
        book = read(
            list(files),
            mapping=None if in_place else file_mapping(map, mapping),
            warehouse=_warehouse(mapping) if in_place and mapping else None,
            settings=Settings(timezone=timezone, **given),
            as_of=last,
            title=title,
            sheet=sheet,
            storage_options=storage_of(files[0]) if files else None,
            today=dt.date.today(),
            progress=tell,
        )
    if activity_days is not None:
        from revoir.metrics.activity import propose

        book = book.with_settings(activity=propose(book, activity_days))
    if book.reading is not None:
        tell_quarantine(book.reading)
    if last is not None:
        _check_last(book, last)
    return book


def storage_of(location: str) -> dict[str, str]:
    """What a bucket asks for, by the names that its own tools read in the environment.

    Args:
        location: Where the lake is; a folder asks for nothing.
    """
    from revoir.store import is_bucket

    if not is_bucket(location):
        return {}
    own = ("AWS_", "AZURE_", "GOOGLE_")
    return {name: value for name, value in os.environ.items() if name.startswith(own)}


def currency_named(code: str) -> str:
    """An ISO 4217 code in capitals.

    Raises:
        UsageError: It is none.
    """
    from babel.numbers import is_currency

    from revoir.errors import UsageError

    if not is_currency(code.upper()):
        raise UsageError(
            msg("There is no currency “{code}”.", code=code),
            remedy=msg("Give its three letters, such as EUR."),
        )
    return code.upper()


def _share(margin: float) -> float:
    from revoir.errors import UsageError

    if not 0 <= margin <= 1:
        raise UsageError(
            msg("A margin of {margin} is not a share of the revenue.", margin=margin),
            remedy=msg("Write 0.35 for 35%."),
        )
    return margin


def _check_last(book: Book, last: dt.date) -> None:
    """Refuse a last day before all data, and say of one long after them what follows from it."""
    from revoir.book import APART_DAYS
    from revoir.errors import InputError, UsageError

    try:
        first, until = book.span
    except InputError:
        return
    if last < first:
        raise UsageError(
            msg("There is nothing before {first}, when the data begin.", first=first),
            remedy=msg("Give {option} a later day.", option="--as-of"),
        )
    days = (last - until).days
    if days > APART_DAYS:
        told = nmsg(
            "The data end on {until}: of {n} day up to {last} nothing is known, and every customer"
            " looks silent for as long.",
            "The data end on {until}: of {n} days up to {last} nothing is known, and every customer"
            " looks silent for as long.",
            days,
            until=until,
            last=last,
        )
        say(told.text(language()))


def file_mapping(options: Sequence[str] | None, path: Path | None) -> FileMapping | None:
    """What ``--map`` and ``--mapping`` say together; the former goes before the latter.

    Raises:
        UsageError: One of them cannot be read.
    """
    from revoir.reading import mapping

    loaded = mapping.load(path) if path else None
    return mapping.from_options(options).together(loaded) if options else loaded


def _warehouse(path: Path) -> dict[str, Any]:
    import yaml

    from revoir.errors import UsageError, Where

    try:
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(
            msg("The mapping file cannot be read."),
            where=Where(file=path.name),
            remedy=msg("Check its path, and that it is YAML."),
        ) from error
    if not isinstance(held, dict):
        raise UsageError(
            msg("The mapping file names no table."),
            where=Where(file=path.name),
            remedy=msg("Begin a line with the name of a canonical table, such as “orders:”."),
        )
    return held


def tell_quarantine(reading: Reading) -> None:
    """Say which files have rows in quarantine, and which were not read at all."""
    for file in reading.files:
        if file.rows_unread:
            say(unread(file.file, file.sheet, file.rows_unread).text(language()))
        if not file.rows_quarantined:
            continue
        told = msg(
            "{file}: rows in quarantine, {n} of {total}; `revoir check` lists them with the reason"
            " and how to mend each.",
            file=file.file,
            n=file.rows_quarantined,
            total=file.rows_in,
        )
        say(told.text(language()))


def unread(file: str, sheet: str | None, rows: int) -> Message:
    """That a file or sheet was not recognised: nothing of it is in the figures."""
    return nmsg(
        "{file}: not recognised, and its one row was not read; `revoir check` shows its columns.",
        "{file}: not recognised, and its {n} rows were not read; `revoir check` shows its columns.",
        rows,
        file=f"{file} · {sheet}" if sheet else file,
    )


def spare_inputs(output: Path | None, files: Sequence[str]) -> None:
    """Refuse to write over a file that is being read.

    Args:
        output: Where the command is to write (None: nowhere).
        files: What the command was given to read.

    Raises:
        UsageError: It is one of them, or lies in a folder or under a pattern that is read.
    """
    import glob

    from revoir.errors import UsageError, Where

    # A name that no file can have is refused where it is written.
    if output is None or not os.path.exists(output):  # noqa: PTH110 (Path.exists raises then)
        return
    read: list[Path] = []
    for given in files:
        if "://" in given:
            continue
        found = [given] if Path(given).exists() else glob.glob(given, recursive=True)  # noqa: PTH207 (absolute patterns)
        for path in map(Path, found):
            read += path.rglob(f"*{output.suffix}") if path.is_dir() else [path]
    if any(path.exists() and path.samefile(output) for path in read):
        raise UsageError(
            msg("This file is being read: writing to it would destroy the data in it."),
            where=Where(file=output.name),
            remedy=msg("Give another name."),
        )


@contextmanager
def progress() -> Iterator[Callable[[Message], None]]:
    """Show what is being done while it lasts; quiet where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda message: None
        return
    from rich.console import Console

    with Console(stderr=True).status(T("Reading…")) as status:
        yield lambda message: status.update(message.text(language()))


def write_rows(
    rows: Sequence[Mapping[str, Any]], form: str, columns: Sequence[tuple[str, str]] | None = None
) -> None:
    """Write an answer to standard output.

    Args:
        rows: Plain values, one mapping a row.
        form: "table", "csv" or "json".
        columns: Name and heading of the columns of a table (None: those of the first row).

    Raises:
        UsageError: There is no such form.
    """
    known_form(form, ("table", "csv", "json"))
    if form == "json":
        write_json(list(rows))
    elif form == "csv":
        _write_csv(rows)
    else:
        _write_table(rows, columns or [(name, name) for name in (rows[0] if rows else {})])


def known_form(form: str, known: Sequence[str]) -> None:
    """Refuse a form of output that there is not.

    Raises:
        UsageError: It is none of those known.
    """
    from revoir.errors import UsageError

    if form not in known:
        raise UsageError(
            msg("There is no format “{form}”.", form=form),
            remedy=msg("Use {names}.", names=list(known)),
        )


def write_json(value: Any) -> None:
    """Write an answer as JSON to standard output; days as ISO dates, amounts as numbers."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else float(value)


def _write_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    import csv

    names = list(dict.fromkeys(name for row in rows for name in row if name != "parts"))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([harmless(name) for name in names])
    for row in rows:
        writer.writerow([harmless(row.get(name)) for name in names])


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    if isinstance(value, str) and value.lstrip(" ")[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _write_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[tuple[str, str]]) -> None:
    from decimal import Decimal

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from revoir.language import Money, Number, Percent, written

    figures = (int, float, Decimal, Percent, Money, Number)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, heading in columns:
        numeric = any(isinstance(row.get(name), figures) for row in rows)
        cells = [written(row.get(name), language()) for row in rows]
        longest = max(len(text) for text in [*cells, *heading.split()])
        table.add_column(
            heading,
            justify="right" if numeric else "left",
            overflow="fold",
            min_width=min(longest, _UNBROKEN_MAX),
        )
    for row in rows:
        table.add_row(*[Text(written(row.get(name), language())) for name, _ in columns])
    console = Console(width=None if sys.stdout.isatty() else 180)
    natural = Console(width=10_000)
    if natural.measure(table).maximum > console.width:
        # A line too long for the screen is read more easily than figures broken into letters.
        for column in table.columns:
            if column.min_width is not None and column.min_width < _UNBROKEN_MAX:
                column.width = column.min_width
        console.width = max(console.width, natural.measure(table).minimum)
    console.print(table)
