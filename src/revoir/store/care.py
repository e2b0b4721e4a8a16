"""Looking after a lake: its history, compaction, removal of old files, and a look through it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revoir.errors import UsageError
from revoir.language import Message, Number, msg, nmsg
from revoir.store import replaced
from revoir.store.commits import LANDED, UNDONE, arrow_schema, commit_of, retried, told
from revoir.store.place import Place, delta
from revoir.store.shape import BATCH, arrow_type
from revoir.store.views import versions_of
from revoir.tables import CUSTOMERS, TABLES

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

RETENTION = dt.timedelta(days=7)
"""For how long `vacuum` keeps what earlier versions need."""
_RETENTION_MIN = dt.timedelta(hours=1)
_OPERATIONS = {
    "CREATE TABLE": "create",
    "OPTIMIZE": "compact",
    "VACUUM START": "vacuum",
    "VACUUM END": "vacuum",
    "WRITE": "append",
    "MERGE": "upsert",
    "DELETE": "undo",
}
_LOOKED_BACK = 10
ROW_GROUP = 32_768
"""Rows that are read together at least: what one customer's page costs."""


@dataclass(frozen=True)
class Commit:
    """One thing that was done to one table.

    Attributes:
        at: When (UTC).
        table: The canonical table.
        version: The version of the table that it made.
        action: append, upsert, undo, erase, widen, compact, vacuum, migrate, create.
        batch: The batch, where it was about one.
        rows: How many rows were written or taken out, where the log says.
    """

    at: dt.datetime
    table: str
    version: int
    action: str
    batch: str | None
    rows: int | None


@dataclass(frozen=True)
class Batch:
    """Rows that came together.

    Attributes:
        batch: What the batch is called.
        rows: How many of its rows are there now, by table.
    """

    batch: str
    rows: dict[str, int]


@dataclass(frozen=True)
class Compacted:
    """What compaction did to a table.

    Attributes:
        files_before: Data files that it had.
        files_after: Data files that it has.
    """

    files_before: int
    files_after: int


@dataclass(frozen=True)
class Finding:
    """What a look through a table found.

    Attributes:
        table: The table.
        sound: Whether it is as it should be.
        text: What was found.
    """

    table: str
    sound: bool
    text: Message


def history(place: Place, limit: int | None) -> list[Commit]:
    """The commits of all tables, the last first (see `Lake.history`)."""
    found = [
        _commit(name, entry) for name in place.tables() for entry in place.open(name).history(limit)
    ]
    found.sort(key=lambda commit: (commit.at, commit.version), reverse=True)
    return found[:limit]


def _commit(table: str, entry: dict[str, Any]) -> Commit:
    metrics = entry.get("operationMetrics") or {}
    counted = [
        int(metrics[name])
        for name in (
            "num_added_rows",
            "num_deleted_rows",
            "num_target_rows_inserted",
            "num_target_rows_updated",
            "num_target_rows_deleted",
        )
        if metrics.get(name) is not None
    ]
    operation = str(entry.get("operation", ""))
    return Commit(
        at=dt.datetime.fromtimestamp(entry["timestamp"] / 1000, dt.UTC).replace(tzinfo=None),
        table=table,
        version=int(entry["version"]),
        action=entry.get("action") or _OPERATIONS.get(operation, operation.lower()),
        batch=entry.get("batch"),
        rows=sum(counted) if counted and "OPTIMIZE" not in operation else None,
    )


def batches(place: Place) -> list[Batch]:
    """The batches that the rows came with (see `Lake.batches`)."""
    found: dict[str, dict[str, int]] = {}
    for name in place.tables():
        for batch, count in _rows_by_batch(place.open(name)).items():
            found.setdefault(batch, {})[name] = count
    return [Batch(batch, rows) for batch, rows in sorted(found.items())]


def _rows_by_batch(table: DeltaTable) -> dict[str, int]:
    rows: pa.Table = table.to_pyarrow_dataset().to_table(columns=[BATCH])
    counted = rows.group_by(BATCH).aggregate([([], "count_all")])
    return dict(
        zip(counted.column(BATCH).to_pylist(), counted.column("count_all").to_pylist(), strict=True)
    )


def compact(place: Place, full: bool) -> dict[str, Compacted]:
    """Put small files together, ordered by customer (see `Lake.compact`)."""
    done = {}
    for name in place.tables():
        before = _count_files(place.open(name))
        if before and (full or not _is_compact(place.open(name))):
            retried(partial(_compact, place, name), place.name)
            done[name] = Compacted(before, _count_files(place.open(name)))
        # Who said rows again stays in one file a batch: forgetting the oldest drops its file.
        pile = replaced.name_of(name)
        if place.holds(pile) and _count_files(place.open(pile)) > 1:
            retried(partial(_compact, place, pile), place.name)
    return done


def _compact(place: Place, name: str) -> None:
    table = place.open(name)
    properties = commit_of("compact")
    if "customer_id" in arrow_schema(table).names:
        # One customer's rows lie in one or two groups: groups of a million rows, delta-rs's
        # default, would all but all be read for them.
        writer = delta().WriterProperties(compression="ZSTD", max_row_group_size=ROW_GROUP)
        table.optimize.z_order(
            ["customer_id"], commit_properties=properties, writer_properties=writer
        )
    else:
        table.optimize.compact(commit_properties=properties)
    table.create_checkpoint()


def _is_compact(table: DeltaTable) -> bool:
    """Whether nothing was written since the table was last compacted."""
    for entry in table.history(_LOOKED_BACK):
        if not str(entry.get("operation", "")).startswith("VACUUM"):
            return entry.get("operation") == "OPTIMIZE"
    return False


def _count_files(table: DeltaTable) -> int:
    return int(table.get_add_actions(flatten=True).num_rows)


def vacuum(place: Place, retention: dt.timedelta, keep: Sequence[str], dry_run: bool) -> int:
    """Remove files that no version of the last days needs (see `Lake.vacuum`)."""
    if retention < _RETENTION_MIN:
        raise UsageError(
            msg("Files of the last hour stay: somebody may just be writing or reading them."),
            remedy=msg("Keep them for an hour or longer."),
        )
    kept: dict[str, list[int]] = {}
    for text in keep:
        for name, version in versions_of(text).items():
            kept.setdefault(name, []).append(version)
    return sum(
        remove(place, pile, retention, kept.get(pile), dry_run)
        for name in place.tables()
        for pile in (name, *place.beside(name))
    )


def remove(
    place: Place,
    name: str,
    retention: dt.timedelta,
    keep: list[int] | None = None,
    dry_run: bool = False,
) -> int:
    """Remove the files of one table that are older and needed by no version that stays.

    Args:
        place: The lake.
        name: The table.
        retention: How old they must be.
        keep: Versions that stay.
        dry_run: Count, and remove nothing.

    Returns:
        How many files.
    """

    def attempt() -> int:
        return len(
            place.open(name).vacuum(
                retention_hours=int(retention.total_seconds() // 3600),
                dry_run=dry_run,
                enforce_retention_duration=False,
                full=True,
                keep_versions=keep,
            )
        )

    return retried(attempt, place.name)


def verify(place: Place, schema_version: int) -> list[Finding]:
    """Look through all files of the newest version (see `Lake.verify`)."""
    found = []
    for name in place.tables():
        try:
            with told(place.name):
                found += _verified(place, name, schema_version)
        except Exception as error:  # whatever a damaged file makes a reader raise
            why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            found.append(
                Finding(name, False, msg("It cannot be read: {why}.", why=why.rstrip(".")))
            )
    return found


def _verified(place: Place, name: str, schema_version: int) -> list[Finding]:
    table = place.open(name)
    found = []
    if place.is_local:
        lost = [file for file in place.files(table, name) if not Path(file).is_file()]
        if lost:
            text = nmsg("{n} file is missing.", "{n} files are missing.", len(lost))
            return [Finding(name, False, text)]
    schema = arrow_schema(table)
    wrong = [
        column.name
        for column in TABLES[name].columns
        if column.name in schema.names and schema.field(column.name).type != arrow_type(column.type)
    ]
    if wrong:
        text = msg("These columns have other types than they should: {names}.", names=wrong)
        found.append(Finding(name, False, text))
    personal = [
        column.name
        for column in CUSTOMERS.columns
        if column.personal and name == CUSTOMERS.name and column.name in schema.names
    ]
    if personal:
        text = msg("These columns tell who a person is: {names}.", names=personal)
        found.append(Finding(name, False, text))
    # Every cell is read, so that a damaged file is found.
    rows: pa.Table = table.to_pyarrow_table()
    if schema_version:
        found += _batches_verified(name, table, rows)
    found += _keys_verified(name, rows)
    if not any(not finding.sound for finding in found):
        text = msg(
            "Rows: {rows}; files: {files}; version {version}.",
            rows=Number(rows.num_rows, 0),
            files=Number(_count_files(table), 0),
            version=str(table.version()),
        )
        found.insert(0, Finding(name, True, text))
    return found


def _batches_verified(name: str, table: DeltaTable, rows: pa.Table) -> list[Finding]:
    import pyarrow.compute as pc

    held = pc.unique(rows.column(BATCH)).to_pylist()
    states = {batch: table.transaction_version(batch) for batch in held}
    found = []
    if undone := [batch for batch, state in states.items() if state == UNDONE]:
        text = msg("Rows of batches that were undone are there: {names}.", names=undone)
        found.append(Finding(name, False, text))
    if strange := [batch for batch, state in states.items() if state not in (LANDED, UNDONE)]:
        text = msg("Rows of batches that never landed are there: {names}.", names=strange)
        found.append(Finding(name, False, text))
    return found


def _keys_verified(name: str, rows: pa.Table) -> list[Finding]:
    import pyarrow.compute as pc

    key = TABLES[name].key
    if key not in rows.column_names:
        return []
    given = rows.num_rows - rows.column(key).null_count
    twice = given - pc.count_distinct(rows.column(key)).as_py()
    if not twice:
        return []
    text = nmsg(
        "{n} row has the {key} of another one.", "{n} rows have the {key} of another one.",
        twice, key=key,
    )  # fmt: skip
    return [Finding(name, name not in ("customers", "orders"), text)]
