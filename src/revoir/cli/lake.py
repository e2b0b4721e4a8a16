"""`revoir lake`: the lake, where what is imported again and again is kept and measured."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from revoir.cli import options
from revoir.cli.common import (
    T,
    file_mapping,
    known_form,
    language,
    progress,
    say,
    speak,
    storage_of,
    tell_quarantine,
    write_json,
    write_rows,
)
from revoir.cli.help import Command, Group
from revoir.language import Message, Number, msg, nmsg
from revoir.tables import CALLED, TABLES

if TYPE_CHECKING:
    import pyarrow as pa

    from revoir.reading import Reading
    from revoir.store import Lake

UNSOUND = 3
"""Exit code of `verify`: something is wrong with the lake."""

Folder = Annotated[
    str,
    typer.Argument(metavar=T("LAKE"), help=T("The folder or URL of the lake."), show_default=False),
]
Storage = Annotated[
    list[str] | None,
    typer.Option(
        "--storage",
        metavar=T("NAME=VALUE"),
        help=T("What a bucket asks for, such as AWS_REGION=eu-west-3; repeat at will."),
        show_default=False,
    ),
]
Batch = Annotated[
    str | None,
    typer.Option(
        "--batch",
        help=T("What the import is called; it lands once (default: made from the files)."),
        show_default=False,
    ),
]
Replace = Annotated[
    bool,
    typer.Option("--replace", help=T("Put rows in place of those with the same number.")),
]
Limit = Annotated[int, typer.Option("--limit", min=1, help=T("How many entries at most."))]
Full = Annotated[
    bool, typer.Option("--full", help=T("Also tables that nothing was written to since."))
]
Days = Annotated[
    float,
    typer.Option("--days", min=0.05, help=T("For how many days earlier versions can be read.")),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help=T("Count, and remove nothing."))]

app = typer.Typer(
    cls=Group,
    options_metavar=T("[OPTIONS]"),
    subcommand_metavar=T("COMMAND [ARGUMENTS]…"),
    no_args_is_help=True,
    rich_markup_mode=None,
)


def create(folder: Folder, storage: Storage = None, lang: options.Lang = None) -> None:
    """Make an empty lake."""
    from revoir.store import Lake

    code = speak(lang)
    lake = Lake.create(folder, {**storage_of(folder), **_options(storage)})
    told = msg("The lake is ready: `revoir lake append {name} FILE…` fills it.", name=folder)
    say(told.text(code))
    if lake.versions:
        say(msg("It was there before, with its data.").text(code))


def append(
    folder: Folder,
    files: options.Files,
    batch: Batch = None,
    replace: Replace = False,
    map: options.Map = None,
    mapping: options.MappingFile = None,
    sheet: options.Sheet = None,
    timezone: options.Timezone = "Europe/Paris",
    currency: options.Currency = None,
    storage: Storage = None,
    lang: options.Lang = None,
) -> None:
    """Read files and add their rows; the same batch again changes nothing."""
    from revoir.reading import read_tables

    code = speak(lang)
    lake = _lake(folder, storage)
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
        tell_quarantine(reading)
        name = batch or _name_of(files)
        of_somebody = any("customer_id" in table.columns for table in reading.tables.values())
        hidden = of_somebody and not _has_numbers(reading)
        rows = {table: _rows(reading, table, lake, hidden) for table in reading.tables}
        named = not hidden and any(one.named for one in rows.values())
        replaced = {
            table for table, one in rows.items() if _replaces(lake, table, one.rows, replace)
        }
        # Lines first: where they cannot be replaced, no word of --replace for their orders.
        for table in sorted(rows.keys() - replaced, key=lambda table: table != "order_lines"):
            _refuse_doubles(lake, table, rows[table].rows, name)
        results = [
            (
                table,
                (lake.upsert if table in replaced else lake.append)(
                    table, rows.pop(table).rows, batch=name
                ),
            )
            for table in list(rows)
        ]
    for table, landed in results:
        for sentence in _landed(table, landed, name):
            say(sentence.text(code))
    if hidden:
        told = msg(
            "Customers have no number in these files: the lake gives them one, since it holds no"
            " address, telephone number or name."
        )
        say(told.text(code))
    elif named:
        told = msg(
            "Some customers go by a name, an address or a telephone number in these files: the lake"
            " gives them a number in its place."
        )
        say(told.text(code))
    say(msg("Batch: {name}", name=name).text(code))


def _replaces(lake: Lake, table: str, rows: pa.Table, replace: bool) -> bool:
    """Whether rows take the place of those with their number; each must have one of its own."""
    known = TABLES[table]
    keyed = known.key in rows.column_names and not rows.column(known.key).null_count
    if not keyed or known.clock is None:
        return keyed
    return replace and not lake.shared(table, rows, key=known.key)


def _refuse_doubles(lake: Lake, table: str, rows: pa.Table, batch: str) -> None:
    """Refuse rows that would stand in the lake twice: exports overlap."""
    from revoir.errors import InputError

    # Lines are often numbered within their order only.
    key = "order_id" if table == "order_lines" else TABLES[table].key
    there = lake.known(table, rows, batch=batch, key=key)
    if not there:
        return
    told = nmsg(
        "{table}: {n} number of these files is in the lake already ({examples}); nothing was"
        " added.",
        "{table}: {n} numbers of these files are in the lake already ({examples}); nothing was"
        " added.",
        len(there), table=CALLED[table], examples=there[:3],
    )  # fmt: skip
    remedy = msg("With --replace these rows take the place of those.")
    if not _replaces(lake, table, rows, True):
        remedy = msg(
            "These rows have no number of their own by which they could take the place of those."
            " Take the earlier import out with `revoir lake undo`, then append its files and these"
            " together."
        )
    raise InputError(told, remedy=remedy)


def _landed(table: str, landed: Any, batch: str) -> list[Message]:
    if landed.undone:
        return [
            msg(
                "{table}: the batch “{batch}” was undone and stays out; give it another name to"
                " bring it in.",
                table=CALLED[table],
                batch=batch,
            )
        ]
    if landed.already:
        return [msg("{table}: the batch was there already.", table=CALLED[table])]
    told = [nmsg("{table}: {n} row", "{table}: {n} rows", landed.rows, table=CALLED[table])]
    if landed.left_out:
        names = list(landed.left_out)
        told.append(
            msg("{table}: left out, about persons: {names}", table=CALLED[table], names=names)
        )
    return told


class _Rows(NamedTuple):
    """Rows on their way to the lake.

    Attributes:
        rows: They.
        named: Whether the file knows a customer by a name or an address.
    """

    rows: pa.Table
    named: bool = False


def _rows(reading: Reading, table: str, lake: Lake, hidden: bool) -> _Rows:
    """The rows of a table that was read, with customer numbers that name nobody."""
    import pyarrow as pa
    import pyarrow.compute as pc

    expression = reading.tables[table]
    backend: Any = expression._find_backend()
    backend._run_pre_execute_hooks(expression)
    rows = backend.con.sql(backend.compile(expression)).to_arrow_table()
    if "customer_id" not in rows.column_names:
        return _Rows(rows)
    place = rows.column_names.index("customer_id")
    column = rows.column(place).cast(pa.string()).combine_chunks()
    encoded = pc.dictionary_encode(column)
    known = encoded.dictionary.to_pylist()
    telling = [hidden or _tells_who(number) for number in known]
    if any(telling):
        # A name is the same person however it is written this month.
        given = [
            lake.number_of(" ".join(number.lower().split())) if tells else number
            for number, tells in zip(known, telling, strict=True)
        ]
        column = pa.array(given, pa.string()).take(encoded.indices)
    return _Rows(rows.set_column(place, "customer_id", column), any(telling))


def _tells_who(number: str) -> bool:
    """Whether what a file has for a customer number is a name, an address or a telephone number."""
    if "@" in number or re.fullmatch(r"(?:\+|00)[\d .()-]{9,}|0[1-9](?:[ .-]?\d\d){4}", number):
        return True
    words = re.findall(r"[^\W\d_]{2,}", number)
    return len(words) > 1 or (bool(words) and not re.search(r"\d", number))


def _has_numbers(reading: Reading) -> bool:
    """Whether a file says the number of customers, and not only how to reach them."""
    return any(
        (column.target or "").endswith("customer_id")
        for file in reading.files
        for column in file.mapping
    )


def _name_of(files: Sequence[str]) -> str:
    """A name that is the same for the same content, whatever the files are called."""
    import glob
    import hashlib

    contents = []
    for given in files:
        found = [given] if Path(given).exists() else glob.glob(given, recursive=True)  # noqa: PTH207 (absolute patterns)
        for path in map(Path, found):
            for file in path.rglob("*") if path.is_dir() else [path]:
                if file.is_file():
                    contents.append(hashlib.sha256(file.read_bytes()).digest())
        if not found:
            contents.append(given.encode())
    return f"import-{hashlib.sha256(b''.join(sorted(contents))).hexdigest()[:12]}"


def history(
    folder: Folder,
    limit: Limit = 50,
    form: options.Format = "table",
    storage: Storage = None,
    lang: options.Lang = None,
) -> None:
    """Say what was done to the lake, the last first; each version can be read again."""
    speak(lang)
    known_form(form, ("table", "csv", "json"))
    rows = [
        {
            "at": commit.at if form == "table" else commit.at.isoformat() + "Z",
            "table": commit.table,
            "version": commit.version if form != "table" else str(commit.version),
            "action": commit.action,
            "batch": commit.batch,
            "rows": commit.rows,
        }
        for commit in _lake(folder, storage).history(limit)
    ]
    columns = [
        ("at", T("when (UTC)")), ("table", T("table")), ("version", T("version")),
        ("action", T("action")), ("batch", T("batch")), ("rows", T("rows")),
    ]  # fmt: skip
    write_rows(rows, form, columns)


def undo(
    folder: Folder,
    batch: Annotated[str, typer.Argument(metavar=T("BATCH"), help=T("The import to take out."))],
    storage: Storage = None,
    lang: options.Lang = None,
) -> None:
    """Take a whole import out of all tables; rows that it replaced come back."""
    code = speak(lang)
    removed = _lake(folder, storage).undo(batch)
    for table, rows in removed.items():
        told = nmsg(
            "{table}: {n} row taken out", "{table}: {n} rows taken out", rows, table=CALLED[table]
        )
        say(told.text(code))
    if not removed:
        say(msg("No row of “{batch}” was there any more.", batch=batch).text(code))


def compact(
    folder: Folder, full: Full = False, storage: Storage = None, lang: options.Lang = None
) -> None:
    """Put small files together, so that figures are computed faster."""
    code = speak(lang)
    with progress():
        done = _lake(folder, storage).compact(full=full)
    for table, result in done.items():
        told = msg(
            "{table}: files before {before}, now {after}",
            table=CALLED[table],
            before=Number(result.files_before, 0),
            after=Number(result.files_after, 0),
        )
        say(told.text(code))
    if not done:
        say(msg("Nothing was written since the lake was last compacted.").text(code))


def vacuum(
    folder: Folder,
    days: Days = 7,
    dry_run: DryRun = False,
    storage: Storage = None,
    lang: options.Lang = None,
) -> None:
    """Remove the files that only earlier versions need, to free the disk."""
    code = speak(lang)
    lake = _lake(folder, storage)
    count = lake.vacuum(dt.timedelta(days=days), dry_run=dry_run)
    told = (
        nmsg("{n} file would be removed.", "{n} files would be removed.", count)
        if dry_run
        else nmsg("{n} file was removed.", "{n} files were removed.", count)
    )
    say(told.text(code))


def verify(
    folder: Folder,
    form: Annotated[str, typer.Option("--format", help=T("text or json."))] = "text",
    storage: Storage = None,
    lang: options.Lang = None,
) -> None:
    """Read every file of the lake and say whether all is as it should be."""
    speak(lang)
    known_form(form, ("text", "json"))
    with progress():
        findings = _lake(folder, storage).verify()
    if form == "json":
        write_json(
            [
                {"table": one.table, "sound": one.sound, "text": one.text.text(language())}
                for one in findings
            ]
        )
    else:
        for one in findings:
            say(f"{'✓' if one.sound else '✗'} {one.table} — {one.text.text(language())}")
        if not findings:
            say(T("The lake is empty."))
    if not all(one.sound for one in findings):
        raise typer.Exit(UNSOUND)


def migrate(folder: Folder, storage: Storage = None, lang: options.Lang = None) -> None:
    """Bring a lake of an earlier version up to date, or Delta tables of another program."""
    code = speak(lang)
    steps = _lake(folder, storage).migrate()
    told = msg("The lake is up to date now.") if steps else msg("The lake was up to date already.")
    say(told.text(code))


def hold(folder: str, form: str) -> None:
    """Say what a lake holds, for `revoir check`."""
    from revoir import engines

    lake = _lake(folder, None)
    backend = engines.memory()
    rows = []
    for name, table in lake.tables(backend).items():
        rows.append({"table": name, **_held(backend, name, table)})
    if form == "json":
        write_json({"version": lake.version, "tables": rows})
        return
    columns = [
        ("table", T("Table")), ("rows", T("Rows")), ("customers", T("Customers")),
        ("from", T("From")), ("to", T("To")),
    ]  # fmt: skip
    write_rows(rows, "table", columns)
    if not rows:
        say(T("The lake is empty."))


def _held(backend: Any, name: str, table: Any) -> dict[str, Any]:
    clock = TABLES[name].clock
    figures = {"rows": table.count()}
    if "customer_id" in table.columns:
        figures["customers"] = table.customer_id.nunique()
    if clock in table.columns:
        day = table[clock].cast("date")
        figures |= {"from": day.min(), "to": day.max()}
    found = backend.con.execute(backend.compile(table.aggregate(**figures))).fetchall()[0]
    held = dict(zip(figures, found, strict=True))
    return {key: held.get(key) for key in ("rows", "customers", "from", "to")}


def _lake(folder: str, storage: Sequence[str] | None) -> Lake:
    from revoir.store import Lake

    return Lake(folder, {**storage_of(folder), **_options(storage)})


def _options(storage: Sequence[str] | None) -> dict[str, str]:
    from revoir.errors import UsageError

    given = {}
    for pair in storage or ():
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise UsageError(
                msg("{option} needs a name and a value.", option="--storage"),
                remedy=msg("Write it like {example}.", example="AWS_REGION=eu-west-3"),
            )
        given[name] = value
    return given


for _command, _help in (
    (create, T("Make an empty lake.")),
    (append, T("Read files and add their rows; the same batch again changes nothing.")),
    (history, T("Say what was done to the lake; each version can be read again.")),
    (undo, T("Take a whole import out of all tables; rows that it replaced come back.")),
    (compact, T("Put small files together, so that figures are computed faster.")),
    (vacuum, T("Remove the files that only earlier versions need, to free the disk.")),
    (verify, T("Read every file of the lake and say whether all is as it should be.")),
    (migrate, T("Bring a lake of an earlier version, or Delta tables of others, up to date.")),
):
    app.command(help=_help, cls=Command, options_metavar=T("[OPTIONS]"))(_command)
