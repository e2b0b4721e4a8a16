"""From uploaded files to tables that wait for a yes, and what is shown of them.

Everything is kept in the folder of the import: what was understood, the canonical rows, the rows
in quarantine, and a sample of the raw cells for trying out another mapping. The database holds
counts alone, so that an import that is removed leaves nothing of anybody.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revoir.errors import RevoirError
from revoir.files import whole
from revoir.language import Message, msg, written
from revoir.tables import CUSTOMERS, TABLES, plain_name
from revoir_web.common import jobs, words
from revoir_web.common.models import Company
from revoir_web.ingest import sql
from revoir_web.ingest.models import Import, KnownMapping

if TYPE_CHECKING:
    import duckdb

    from revoir.reading import FileReport, Mapping, Reading

SAMPLE_ROWS = 300
SHOWN_ROWS = 5
Progress = Callable[[Message], None]


def read(held: Import, locations: Sequence[str | Path], progress: Progress) -> dict[str, Any]:
    """Read the files of an import and keep what they came to.

    Args:
        held: The import.
        locations: Its files, or the URL of a database.
        progress: Told what is being done.

    Returns:
        What was understood, as `kept` gives it again.

    Raises:
        Unrecognised: It is not known what any of the files is; their columns are kept.
        RevoirError: Nothing of it can be used.
    """
    from revoir.reading import Unrecognised, read_tables

    made = fresh(held.folder / "made")
    company = Company.current()
    mapping = said(held)
    with closing(sql.connect(held.folder / "spill")) as connection:
        try:
            reading = read_tables(
                list(locations),
                mapping=mapping,
                connection=connection,
                timezone=company.timezone,
                currency=company.currency,
                today=dt.datetime.now(company.zone).date(),
                progress=progress,
            )
        except Unrecognised as error:
            _keep_columns(held, error.files, locations)
            raise
        for table in reading.tables:
            target = sql.text(str(made / f"{table}.parquet"))
            connection.execute(f"COPY (SELECT * FROM {sql.name(table)}) TO {target}")
        _write_quarantine(held, reading)
        understood = _understood(connection, reading)
    for file in understood["files"]:
        if _tells_nobody(file) and _seen_before(file, mapping):
            file["notes"].append(words.to_json(_TWICE))
    progress(msg("Keeping a sample…"))
    _sample(held, [place for place in locations if isinstance(place, Path)])
    write_json(held.folder / "understood.json", understood)
    shutil.rmtree(held.folder / "spill", ignore_errors=True)
    return understood


def _keep_columns(held: Import, files: list[FileReport], locations: Sequence[str | Path]) -> None:
    """Keep what columns files of nothing known have, for people to say what they mean."""
    from revoir.reading import Mapping
    from revoir.reading.mapping import ATTRIBUTE, FileMapping, Said

    columns = [
        FileMapping(
            {column.header or column.column: Said(ATTRIBUTE) for column in file.mapping},
            None, file.file, file.sheet,
        )
        for file in files
    ]  # fmt: skip
    _sample(held, [place for place in locations if isinstance(place, Path)])
    understood: dict[str, Any] = {
        "files": [file_told(file) for file in files],
        "totals": {},
        "notes": [],
        "currency": None,
        "mapping": _dumped(Mapping(tuple(columns))),
        "samples": [],
    }
    write_json(held.folder / "understood.json", understood)


def on_the_page(error: RevoirError) -> RevoirError:
    """An error with the way out that the page of an import has: there are no options there."""
    from revoir.reading import Unrecognised
    from revoir.reading.apart import DATELESS

    if not isinstance(error, Unrecognised) or error.remedy == DATELESS:
        return error
    remedy = msg("Say what its columns mean, and read it again.")
    return Unrecognised(error.what, error.files, where=error.where, remedy=remedy)


_ALONE = msg(
    "Lines without a date are tried with the list of their orders: read all of it again with these"
    " meanings."
)
_TWICE = msg(
    "Its rows have neither a number nor a customer: those that an earlier file had, too, would"
    " count twice. Undo the import of that file first."
)


def _tells_nobody(file: dict[str, Any]) -> bool:
    """Whether nothing tells the rows of a file from others: each import adds its own."""
    targets = {column["target"] for column in file["columns"] if column["target"]}
    table = file["table"]
    if table not in ("orders", "order_lines", "responses", "interactions"):
        return False
    personal = {f"customers.{column.name}" for column in CUSTOMERS.columns if column.personal}
    known = {f"{table}.{TABLES[table].key}", "orders.order_id", *personal}
    return not any(target in known or target.endswith(".customer_id") for target in targets)


def _seen_before(file: dict[str, Any], mapping: Mapping) -> bool:
    """Whether a file with the headers of another one was imported before."""
    headers = {plain_name(header) for header in file["headers"]}
    return any(
        entry.remembered and headers == {plain_name(header) for header in entry.columns}
        for entry in mapping.files
    )


def kept(held: Import) -> dict[str, Any] | None:
    """What was understood of an import (None: nothing yet, or not any more)."""
    path = held.folder / "understood.json"
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def said(held: Import) -> Mapping:
    """What is known of the columns: what the user said of this import, then of earlier ones."""
    from revoir.reading import Mapping

    own = load(held.mapping) if held.mapping else Mapping()
    known = [
        replace(entry, remembered=True)
        for earlier in KnownMapping.objects.all()[:500]
        for entry in load(earlier.mapping).files
        if len(entry.columns) > 1
    ]
    # A file may have all headers of one and more: the one that knows the most of it counts.
    known.sort(key=lambda entry: len(entry.columns), reverse=True)
    return Mapping((*own.files, *known), own.timezone, own.currency)


def load(text: str) -> Mapping:
    """Read a mapping file that we have written."""
    import tempfile

    from revoir.reading import mapping

    with tempfile.TemporaryDirectory(prefix="revoir-") as folder:
        path = Path(folder) / "mapping.yml"
        path.write_text(text, encoding="utf-8")
        return mapping.load(path)


def fresh(folder: Path) -> Path:
    """A folder with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write_json(path: Path, held: Any) -> None:
    """Write a file whole or not at all."""
    with whole(path) as draft:
        draft.write_text(json.dumps(held, ensure_ascii=True), encoding="utf-8")


def quarantine_of(held: Import, place: int) -> Path:
    """Where the rows of one file lie that were not accepted."""
    return held.folder / "quarantine" / f"{place}.csv"


def _write_quarantine(held: Import, reading: Reading) -> None:
    from revoir.reading import quarantine

    folder = fresh(held.folder / "quarantine")
    language = Company.current().language
    for place, file in enumerate(reading.files):
        if file.rows_quarantined:
            quarantine.write([file], folder / f"{place}.csv", language)


def _understood(connection: duckdb.DuckDBPyConnection, reading: Reading) -> dict[str, Any]:
    return {
        "files": [file_told(file) for file in reading.files],
        "totals": reading.totals,
        "notes": [words.to_json(note) for note in reading.notes],
        "currency": reading.currency,
        "mapping": _dumped(reading.mapping),
        "samples": samples(connection, reading.tables),
    }


def _dumped(mapping: Mapping) -> str:
    from revoir.reading import mapping as mappings

    return mappings.dump(mapping)


def file_told(file: FileReport) -> dict[str, Any]:
    """What became of one file, as plain values whose sentences can be told in any language."""
    return {
        "file": file.file,
        "sheet": file.sheet,
        "table": file.table,
        "confidence": file.confidence,
        "why": words.to_json(file.why),
        "headers": file.headers,
        "rows_in": file.rows_in,
        "rows_accepted": file.rows_accepted,
        "rows_quarantined": file.rows_quarantined,
        "rows_duplicate": file.rows_duplicate,
        "rows_unread": file.rows_unread,
        "columns": [
            {
                "column": column.column,
                "header": column.header,
                "target": column.target,
                "name": column.name,
                "confidence": column.confidence,
                "reason": words.to_json(column.reason),
                "format": column.format,
            }
            for column in file.mapping
        ],
        "notes": [words.to_json(note) for note in file.notes],
        "quarantine": [
            {
                "line": row.line,
                "column": row.column,
                "value": row.value,
                "reason": words.to_json(row.reason),
                "remedy": words.to_json(row.remedy),
            }
            for row in file.quarantine[:20]
        ],
    }


def samples(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> list[dict[str, Any]]:
    """The first rows of each table, as JSON, with the columns that name persons marked."""
    found = []
    for table in tables:
        relation = sql.name(table)
        columns, personal = [], []
        for name in sql.columns_of(connection, relation):
            known = TABLES[table].column(name)
            if known is None or not known.derived:
                columns.append(name)
            if known is not None and known.personal:
                personal.append(name)
        listed = ", ".join(sql.name(name) for name in columns)
        rows = connection.execute(f"SELECT {listed} FROM {relation} LIMIT {SHOWN_ROWS}").fetchall()
        found.append(
            {
                "table": table,
                "columns": columns,
                "personal": personal,
                "rows": [words.plain(row) for row in rows],
            }
        )
    return found


def shown(cell: Any) -> str:
    """A cell of `samples` as the reader writes it, times by the company's clock."""
    value = words.made(cell)
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        value = value.replace(tzinfo=dt.UTC).astimezone(Company.current().zone)
        # A file of days holds no hour, and none is shown.
        value = value if value.time() != dt.time() else value.date()
    if isinstance(value, Decimal) and value.is_finite():
        value = value.normalize()
    return written(value, words.language())


# -- A sample of the raw cells ------------------------------------------------------------------
def _sample(held: Import, paths: Sequence[Path]) -> None:
    """Keep the first rows of every file and sheet as they are, each under the file's own name."""
    import duckdb

    from revoir.reading.sources import raw_tables

    folder = fresh(held.folder / "samples")
    if not paths:
        return
    with closing(duckdb.connect()) as connection:
        for place, raw in enumerate(raw_tables(list(paths), connection)):
            cells = ", ".join(f"CAST({sql.name(column)} AS VARCHAR)" for column in raw.columns)
            rows = connection.execute(
                f"SELECT {cells} FROM {raw.relation} LIMIT {SAMPLE_ROWS}"
            ).fetchall()
            target = folder / str(place)
            target.mkdir()
            headers = [h or c for h, c in zip(raw.headers, raw.columns, strict=True)]
            with (target / "cells.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(headers)
                writer.writerows(rows)


def examples(held: Import, place: int) -> dict[str, list[str]]:
    """The first filled cells of each column of a file, by header."""
    path = held.folder / "samples" / str(place) / "cells.csv"
    if not path.is_file():
        return {}
    found: dict[str, list[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        headers = next(reader, [])
        for row in reader:
            for header, cell in zip(headers, row, strict=False):
                values = found.setdefault(header, [])
                if cell and cell not in values and len(values) < 3:
                    values.append(cell if len(cell) <= 40 else cell[:39] + "…")
    return found


def preview(held: Import, place: int, mapping: Mapping) -> dict[str, Any]:
    """What the first rows of a file would come to with another mapping.

    Args:
        held: The import.
        place: Which of its files.
        mapping: What is to be tried.

    Returns:
        As `kept`, of the sample alone; ``error`` where nothing could be read.
    """
    import duckdb

    from revoir.reading import read_tables
    from revoir.reading.apart import DATELESS

    path = held.folder / "samples" / str(place) / "cells.csv"
    company = Company.current()
    with closing(duckdb.connect()) as connection:
        try:
            reading = read_tables(
                path, mapping=mapping, connection=connection, timezone=company.timezone,
                currency=company.currency, today=dt.datetime.now(company.zone).date(),
            )  # fmt: skip
        except RevoirError as error:
            if error.remedy == DATELESS:
                return {"error": words.to_json(_ALONE)}
            # The worker does not know who reads it.
            return {"error": words.to_json(jobs._sentence(on_the_page(error)))}
        return {
            "file": file_told(reading.files[0]),
            "samples": samples(connection, reading.tables),
        }
