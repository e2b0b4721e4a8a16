"""Lake: rows land once, are replaced by key, undone by batch, and read as they stood at any time.

Each canonical table is one Delta table, so any number of processes write and read at a time. A
batch is carried by an application transaction in the same commit as its rows: who tries again
after a crash, or at the same time, finds that it is there.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from revoir.errors import InputError, UsageError, Where
from revoir.language import msg
from revoir.store import care, doubles, migrations, replaced, said, undo, views, wording
from revoir.store.commits import (
    UNDONE,
    arrow_schema,
    commit_of,
    create,
    mark,
    retried,
    rows_where,
    sql_name,
    told,
    widen,
)
from revoir.store.place import Place, delta
from revoir.store.shape import BATCH, Shape, check_batch, check_keys, shape_of
from revoir.store.source import Source
from revoir.tables import TABLES

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa
    from deltalake import DeltaTable
    from ibis.backends.duckdb import Backend as DuckDBBackend


@dataclass(frozen=True)
class Landed:
    """What became of a batch.

    Attributes:
        rows: Rows that this call wrote.
        already: Whether the batch had landed before; nothing was written then.
        undone: Whether it had landed and was undone since: it stays out.
        left_out: Columns that were not written, since they tell who a person is.
    """

    rows: int
    already: bool = False
    undone: bool = False
    left_out: tuple[str, ...] = ()


class Lake:
    """The canonical tables of a company as Delta tables in a folder or an object store.

    Args:
        url: A folder, or a URL such as ``s3://bucket/lake``.
        storage_options: What the object store asks for, by the names that delta-rs gives them
            (``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL``, …). The environment is not read here.

    Raises:
        InputError: There is no lake, or a later version of Revoir has written it.
        EngineError: The package `deltalake` is not installed.
    """

    def __init__(self, url: str | Path, storage_options: Mapping[str, str] | None = None) -> None:
        delta()
        self.place = Place.at(url, storage_options)
        with told(self.place.name):
            marker = self.place.read_marker()
            if marker is None and not self.place.tables():
                raise InputError(
                    msg("There is no lake here."),
                    where=Where(file=self.place.name),
                    remedy=msg("`revoir lake create` makes one."),
                )
        self.schema_version: int = marker["schema_version"] if marker else 0
        """The version of the tables' meaning; `migrate` brings it up to date."""
        self.returns_numbered = False
        """Whether what is given back has numbers of its own, and a sale may turn out a return."""
        self._key: str = (marker or {}).get("key", "")
        if self.schema_version > migrations.SCHEMA_VERSION:
            raise InputError(
                msg("A later version of Revoir has written this lake."),
                where=Where(file=self.place.name),
                remedy=msg("Install that version or a later one."),
            )

    @classmethod
    def create(cls, url: str | Path, storage_options: Mapping[str, str] | None = None) -> Lake:
        """Make an empty lake, or open the one that is there.

        Raises:
            UsageError: The folder cannot be written to.
            InputError: As for opening it.
        """
        delta()
        place = Place.at(url, storage_options)
        with told(place.name):
            if place.read_marker() is None and not place.tables():
                place.write_marker(_marker(migrations.SCHEMA_VERSION))
        return cls(url, storage_options)

    def migrate(self) -> int:
        """Bring the tables up to date with this version of Revoir.

        Delta tables with canonical names that another program wrote (version 0) become a lake:
        their columns get canonical types, columns about persons go, `batch_id` comes.

        Returns:
            How many steps were taken; 0 where it is up to date.

        Raises:
            InputError: A table cannot be brought into shape; those before it are, and the lake is
                used by nobody before all are.
        """
        steps = 0
        while self.schema_version < migrations.SCHEMA_VERSION:
            migrations.STEPS[self.schema_version](self.place)
            self.schema_version += 1
            self._key = self._key or secrets.token_hex(16)
            self.place.write_marker(_marker(self.schema_version, self._key))
            steps += 1
        return steps

    def number_of(self, text: str) -> str:
        """A customer number for an address, telephone number or name, the same each time.

        For files that have no number: the lake holds no such text, and who has not got the lake
        cannot find it out from the number.

        Args:
            text: What the file knows the customer by.

        Returns:
            32 hexadecimal digits.
        """
        return hmac.new(self._key.encode(), text.encode(), "sha256").hexdigest()[:32]

    def append(self, table: str, rows: pa.Table | pa.RecordBatchReader, *, batch: str) -> Landed:
        """Write rows, once for each batch.

        A batch that is written again (a retry, another process) changes nothing. Columns that the
        table has not got yet are added; columns about persons are left out.

        Args:
            table: The canonical table.
            rows: Canonical columns and attributes. A reader is written as it comes, in little
                memory.
            batch: What the batch is called, the same in every attempt.

        Returns:
            How many rows landed, or that they had before.

        Raises:
            UsageError: There is no such table, or a column would have to change its type.
            InputError: A value does not fit its column.
            EngineError: The store failed; the same call can be made again.
        """

        def write(held: DeltaTable, source: Source, shape: Shape) -> int:
            return self._append(held, source, shape, batch)

        return self._land(table, rows, batch, write)

    def upsert(
        self,
        table: str,
        rows: pa.Table | pa.RecordBatchReader,
        *,
        batch: str,
        keys: Sequence[str] | None = None,
        amend: bool = False,
    ) -> Landed:
        """Write rows, each in place of the one with its key.

        Columns that the rows do not carry keep what they held. `undo` brings replaced rows back.
        What is given back has the number of its order and takes the place of no sale: `append` it.

        Args:
            table: The canonical table.
            rows: Canonical columns and attributes; no key twice, none empty.
            batch: What the batch is called, the same in every attempt.
            keys: The columns that identify a row (None: the table's key).
            amend: Whether rows stay in the name of those who brought them, and go with them.

        Returns:
            How many rows landed, or that they had before.

        Raises:
            UsageError: As for `append`, or the table has been upserted by another key.
            InputError: A value does not fit; a key is empty, there twice, a sale's and a refund's.
            EngineError: The store failed; the same call can be made again.
        """
        import pyarrow as pa

        if not isinstance(rows, pa.Table):
            rows = rows.read_all()
        named = list(keys or ([TABLES[table].key] if table in TABLES else []))
        check_keys(rows, named)

        def write(held: DeltaTable, source: Source, shape: Shape) -> int:
            return self._merge(table, held, source, shape, named, batch, amend)

        return self._land(table, rows, batch, write)

    def say_again(self, table: str, keys: pa.ChunkedArray, *, batch: str) -> Landed:
        """Remember that a batch has rows, too, that are there as they are.

        When the batch that brought them is undone they stay, in the name of this one. A table
        remembers the last 30 batches that said rows again.

        Args:
            table: The canonical table.
            keys: The keys of the rows.
            batch: What the batch is called, the same in every attempt.

        Returns:
            How many rows were found, or that the batch had landed before.

        Raises:
            UsageError: There is no such table, or its rows are replaced by another key.
            EngineError: The store failed; the same call can be made again.
        """
        self._ready()
        check_batch(batch)

        def attempt() -> Landed:
            held = self._open(table)
            if held is None:
                raise UsageError(msg("There is no table “{name}” in the lake.", name=table))
            if (state := held.transaction_version(batch)) is not None:
                return Landed(0, already=True, undone=state == UNDONE)
            replaced.check_keys(self.place, table, [TABLES[table].key])
            count = said.keep(self.place, table, held, keys, batch)
            mark(held, commit_of("again", batch=batch, rows=count))
            return Landed(count)

        return retried(attempt, self.place.name)

    def repeated(self, table: str, *, batch: str) -> dict[str, str]:
        """To whom the rows of a batch go when it is undone: key → the batch that said it again."""
        held = self._open(table)
        heirs = None if held is None else said.heirs(self.place, table, held, batch)
        if heirs is None:
            return {}
        return dict(zip(*(column.to_pylist() for column in heirs.columns), strict=True))

    def known(self, table: str, rows: pa.Table, *, batch: str, key: str) -> list[str]:
        """The keys of rows that other batches have brought: to append them is to double them.

        Args:
            table: The canonical table.
            rows: Rows that are to be appended.
            batch: Their batch; where it has landed, appending it again changes nothing.
            key: The column that numbers them. What is given back has the number of its order: it
                is known by its day and amount beside (see `revoir.store.doubles`).

        Returns:
            Each key once, those of what is given back last.
        """
        held = self._open(table)
        if held is None or held.transaction_version(batch) is not None:
            return []
        return doubles.known(table, held, rows, key)

    def shared(self, table: str, rows: pa.Table, *, key: str) -> list[str]:
        """Numbers of rows that are those of a sale and of what is given back of it.

        No row can take the place of another one by such a number.
        """
        return doubles.shared(table, self._open(table), rows, key)

    def rows_of(self, table: str, column: str, values: Sequence[str]) -> pa.Table | None:
        """The rows that have one of some texts in a column, as they are now, with their batches.

        Args:
            table: The canonical table.
            column: The column; `batch_id` is one, too.
            values: The texts.

        Returns:
            The rows (None: there is no such table).
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        held = self._open(table)
        if held is None:
            return None
        wanted = pa.array(values, pa.string())
        return rows_where(held, column, lambda cells: pc.is_in(cells.cast(pa.string()), wanted))

    def undo(self, batch: str) -> dict[str, int]:
        """Take all rows of a batch out of all tables, and bring back those it replaced.

        Rows that a later batch had again stay, in its name (see `say_again`). The batch never
        lands again, so that a retry that comes late does not resurrect it.

        Returns:
            By table, how many of its rows were there.

        Raises:
            UsageError: No table has ever seen the batch.
            EngineError: The store failed; the same call can be made again.
        """
        self._ready()
        names = self.place.tables()
        if all(self.place.open(name).transaction_version(batch) is None for name in names):
            raise UsageError(
                msg("There is no batch “{batch}” in the lake.", batch=batch),
                remedy=msg("`revoir lake history` lists them."),
            )
        removed = {}
        for name in names:
            count = undo.take_out(self.place, name, batch)
            if count:
                removed[name] = count
        return removed

    def erase(
        self, customer_ids: Sequence[str], *, request: str, drop: bool = False
    ) -> dict[str, int]:
        """Cut the tie between persons and their rows.

        Their rows get a customer number that nobody else knows, so that no statistic changes; or
        they go. What older versions of the tables hold goes with `vacuum`.

        Args:
            customer_ids: The persons' numbers in the lake.
            request: A secret text that names this erasure. The same one gives the same new
                numbers, so that an erasure which was interrupted can be completed; forget it then.
            drop: Whether the rows go.

        Returns:
            By table, how many rows were changed.
        """
        import pyarrow as pa

        self._ready()
        numbers = list(dict.fromkeys(customer_ids))
        known = pa.table(
            {
                "old": pa.array(numbers, pa.string()),
                "new": pa.array([_new_number(request, one) for one in numbers], pa.string()),
            }
        )
        changed = {}
        for name in self.place.tables():
            counts = [
                retried(partial(self._erase, pile, known, drop), self.place.name)
                for pile in (name, *self.place.beside(name))
            ]
            if counts[0]:
                changed[name] = counts[0]
        return changed

    def mend(self, customer_ids: Sequence[str], mended: wording.Mend) -> dict[str, int]:
        """Put other words in the place of those that attributes of customers' rows have.

        What older versions of the tables hold goes with `vacuum`.

        Args:
            customer_ids: The customers' numbers in the lake.
            mended: From customer, column and words to what stands there from now on.

        Returns:
            By table, how many rows were changed.
        """
        self._ready()
        counts = {
            name: wording.mend(self.place, name, list(customer_ids), mended)
            for name in self.place.tables()
        }
        return {name: count for name, count in counts.items() if count}

    @property
    def versions(self) -> dict[str, int]:
        """The version of each table."""
        with told(self.place.name):
            return {name: self.place.open(name).version() for name in self.place.tables()}

    @property
    def version(self) -> str:
        """The versions of all tables in one text, such as ``customers:3,orders:12``."""
        return ",".join(f"{name}:{number}" for name, number in self.versions.items())

    @property
    def is_empty(self) -> bool:
        """Whether no table holds a row: nothing was ever written, or all of it was undone."""
        with told(self.place.name):
            return not any(
                self.place.files(self.place.open(name), name) for name in self.place.tables()
            )

    def tables(
        self, backend: DuckDBBackend, *, at: str | dt.datetime | None = None
    ) -> dict[str, ir.Table]:
        """The tables as a DuckDB backend reads them, at one moment.

        Args:
            backend: An in-memory DuckDB; views of the lake's files are made in it.
            at: A text that `version` gave, or a time (UTC where it has no zone); None: now. What
                is written later is not seen.

        Returns:
            The tables by name, without `batch_id`.

        Raises:
            UsageError: `at` is no version.
            InputError: The files of that time have been removed by `vacuum`.
        """
        self._ready()
        with told(self.place.name):
            return views.tables(self.place, backend, at)

    def compact(self, *, full: bool = False) -> dict[str, care.Compacted]:
        """Put small files together, and rows of a customer beside each other.

        Readers and writers go on meanwhile.

        Args:
            full: Also tables that nothing was written to since they were last compacted.

        Returns:
            What was done, by table.
        """
        self._ready()
        return care.compact(self.place, full)

    def vacuum(
        self,
        retention: dt.timedelta = care.RETENTION,
        *,
        keep: Sequence[str] = (),
        dry_run: bool = False,
    ) -> int:
        """Remove files that no version of the last days needs.

        Args:
            retention: For how long earlier versions can still be read; whoever has opened the
                lake for longer loses what they read.
            keep: Versions, as `version` gives them, that stay whatever their age.
            dry_run: Count, and remove nothing.

        Returns:
            How many files.

        Raises:
            UsageError: The retention is shorter than an hour: a writer's files would go.
        """
        self._ready()
        return care.vacuum(self.place, retention, keep, dry_run)

    def history(self, limit: int | None = None) -> list[care.Commit]:
        """What was done to the lake, the last first; commits older than 30 days are forgotten."""
        with told(self.place.name):
            return care.history(self.place, limit)

    def batches(self) -> list[care.Batch]:
        """The batches that the rows came with."""
        self._ready()
        with told(self.place.name):
            return care.batches(self.place)

    def verify(self) -> list[care.Finding]:
        """Look through all files of the newest version.

        Returns:
            What was found, one a table and thing; all are sound where each is `sound`.
        """
        return care.verify(self.place, self.schema_version)

    def _ready(self) -> None:
        if self.schema_version < migrations.SCHEMA_VERSION:
            raise InputError(
                msg("An earlier version of Revoir, or another program, has written this lake."),
                where=Where(file=self.place.name),
                remedy=msg("`revoir lake migrate` brings it up to date."),
            )

    def _land(
        self,
        table: str,
        rows: pa.Table | pa.RecordBatchReader,
        batch: str,
        write: Callable[[DeltaTable, Source, Shape], int],
    ) -> Landed:
        """Find the table or make it, give it the columns it lacks, and write, until it is done."""
        self._ready()
        check_batch(batch)
        source = Source(rows)

        def attempt() -> Landed:
            held = self._open(table)
            state = held.transaction_version(batch) if held else self._state_elsewhere(batch)
            if state is not None:
                return Landed(0, already=True, undone=state == UNDONE)
            known = arrow_schema(held) if held else None
            shape = shape_of(table, source.schema, known, source.sample)
            if held is None or set(shape.schema.names) - set(arrow_schema(held).names):
                if held is None:
                    create(self.place, table, shape.schema)
                else:
                    widen(held, shape.schema)
                # Another process may have been faster, with other columns or this very batch.
                return attempt()
            return Landed(write(held, source, shape), left_out=shape.left_out)

        return retried(attempt, self.place.name)

    def _append(self, held: DeltaTable, source: Source, shape: Shape, batch: str) -> int:
        properties = commit_of("append", batch=batch)
        if source.is_empty:
            mark(held, properties)
            return 0
        with source.stream(shape, batch, arrow_schema(held)) as reader:
            delta().write_deltalake(
                held,
                reader,
                mode="append",
                writer_properties=delta().WriterProperties(max_row_group_size=care.ROW_GROUP),
                commit_properties=properties,
            )
        return source.read

    def _merge(
        self,
        table: str,
        held: DeltaTable,
        source: Source,
        shape: Shape,
        keys: Sequence[str],
        batch: str,
        amend: bool,
    ) -> int:
        data = shape.cast(source.whole(), batch)
        properties = commit_of("upsert", batch=batch, rows=data.num_rows)
        if not data.num_rows:
            mark(held, properties)
            return 0
        said.check_keys(self.place, table, keys)
        numbered = self.returns_numbered
        replaced.save(self.place, table, held, data, keys, batch, numbered=numbered)
        same = " AND ".join(f"target.{sql_name(key)} = source.{sql_name(key)}" for key in keys)
        columns = {sql_name(name): f"source.{sql_name(name)}" for name in data.column_names}
        theirs = {sql_name(BATCH): f"target.{sql_name(BATCH)}"} if amend else {}
        (
            held.merge(
                data, same, source_alias="source", target_alias="target",
                commit_properties=properties,
            )
            .when_matched_update(columns | theirs)
            .when_not_matched_insert(columns)
            .execute()
        )  # fmt: skip
        return int(data.num_rows)

    def _erase(self, name: str, known: pa.Table, drop: bool) -> int:
        held = self.place.open(name)
        if "customer_id" not in arrow_schema(held).names or not known.num_rows:
            return 0
        merger = held.merge(
            known, "target.customer_id = source.old", source_alias="source",
            target_alias="target", commit_properties=commit_of("erase"),
        )  # fmt: skip
        if drop:
            return int(merger.when_matched_delete().execute()["num_target_rows_deleted"])
        done = merger.when_matched_update({"customer_id": "source.new"}).execute()
        return int(done["num_target_rows_updated"])

    def _open(self, table: str) -> DeltaTable | None:
        try:
            return self.place.open(table)
        except KeyError:
            return None

    def _state_elsewhere(self, batch: str) -> int | None:
        """Whether a batch was undone before it could reach a table that is not there yet."""
        states = [self.place.open(name).transaction_version(batch) for name in self.place.tables()]
        return UNDONE if UNDONE in states else None


def _marker(version: int, key: str | None = None) -> dict[str, object]:
    return {"schema_version": version, "key": key or secrets.token_hex(16)}


def _new_number(request: str, number: str) -> str:
    return hashlib.sha256(f"{request}\0{number}".encode()).hexdigest()[:32]
