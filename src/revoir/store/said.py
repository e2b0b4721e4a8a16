"""Rows that a later batch had again, unchanged: undoing the first one leaves them to the later.

For each table of which that was ever said there is one beside it, in `_said/<table>`: the key of a
row, the batch that the row carries, and the batch that said it again. When the first is undone, the
row, or the copy of it among those that were replaced, carries the other one from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from revoir.errors import UsageError
from revoir.language import msg
from revoir.store.commits import (
    LANDED,
    commit_of,
    create,
    retried,
    rows_where,
    sql_name,
    sql_text,
)
from revoir.store.place import SAID, Place, delta
from revoir.store.shape import BATCH
from revoir.tables import TABLES

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

BY, AT = "said_by", "said_at"
"""The batch that said the row again, and the version of the table that it was in then."""
KEPT = 30
"""Batches that are remembered for a table, the last ones: an export of everything that comes every
day would otherwise fill the disk with the names of its rows."""


def name_of(table: str) -> str:
    """Where it lies who said the rows of a table again."""
    return f"{SAID}/{table}"


def keep(place: Place, table: str, held: DeltaTable, keys: pa.ChunkedArray, batch: str) -> int:
    """Remember that a batch has rows that are there, as they are.

    Args:
        place: The lake.
        table: The canonical table.
        held: The version of it that they are in.
        keys: The keys of the rows; those that the table has not got are passed over.
        batch: The batch.

    Returns:
        How many rows were found.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    key = TABLES[table].key
    there = held.to_pyarrow_dataset().to_table(columns=[key, BATCH])
    # What delta-rs has merged is `string_view`, which no comparison of Arrow takes beside text.
    there = there.cast(pa.schema([(key, pa.string()), (BATCH, pa.string())]))
    found = there.filter(pc.is_in(there.column(key), keys.cast(pa.string()).combine_chunks()))
    found = found.append_column(BY, pa.array([batch] * found.num_rows, pa.string()))
    found = found.append_column(AT, pa.array([held.version()] * found.num_rows, pa.int64()))
    if not place.holds(name_of(table)):
        create(place, name_of(table), found.schema)

    def attempt() -> None:
        # What an attempt that did not land has left, and what is too old.
        gone = [batch, *_older(place.open(name_of(table)), batch)]
        place.open(name_of(table)).delete(
            f"{BY} IN ({', '.join(map(sql_text, gone))})", commit_properties=commit_of("said")
        )
        if found.num_rows:
            delta().write_deltalake(
                place.open(name_of(table)),
                found.sort_by(key),
                mode="append",
                commit_properties=commit_of("said", rows=found.num_rows),
                writer_properties=delta().WriterProperties(compression="ZSTD"),
            )

    retried(attempt, place.name)
    return int(found.num_rows)


def _older(said: DeltaTable, batch: str) -> list[str]:
    """The batches that are remembered no more once another one is."""
    held = said.to_pyarrow_dataset().to_table(columns=[BY, AT])
    last = held.group_by(BY).aggregate([(AT, "max")]).sort_by([(f"{AT}_max", "descending")])
    others = [other for other in last.column(BY).to_pylist() if other != batch]
    return others[KEPT - 1 :]


def heirs(place: Place, table: str, held: DeltaTable, batch: str) -> pa.Table | None:
    """To whom the rows of a batch go when it is undone.

    Args:
        place: The lake.
        table: The canonical table.
        held: The newest version of it.
        batch: The batch that is to be undone.

    Returns:
        The keys and, as `BY`, the first batch that said the row again and is in the lake; None
        where there is no such row.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not place.holds(name_of(table)):
        return None
    found = rows_where(place.open(name_of(table)), BATCH, lambda column: pc.equal(column, batch))
    standing = [
        other
        for other in pc.unique(found.column(BY)).to_pylist()
        if other != batch and held.transaction_version(other) == LANDED
    ]
    found = found.filter(
        pc.is_in(found.column(BY), pa.array(standing, found.schema.field(BY).type))
    )
    if not found.num_rows:
        return None
    key = TABLES[table].key
    found = found.sort_by([(key, "ascending"), (AT, "ascending"), (BY, "ascending")])
    found = found.append_column("place", pa.array(range(found.num_rows), pa.int64()))
    first = found.group_by(key).aggregate([("place", "min")]).column("place_min")
    return (
        found.take(first).select([key, BY]).cast(pa.schema([(key, pa.string()), (BY, pa.string())]))
    )


def check_keys(place: Place, table: str, keys: Sequence[str]) -> None:
    """Refuse to replace rows by another key than the one by which they were said again.

    Raises:
        UsageError: It is another one.
    """
    if place.holds(name_of(table)) and list(keys) != [TABLES[table].key]:
        raise UsageError(
            msg("The rows of “{table}” are replaced by {known}.",
                table=table, known=[TABLES[table].key]),
            remedy=msg("Upsert by that key."),
        )  # fmt: skip


def hand_over(place: Place, table: str, batch: str, heirs: pa.Table | None) -> None:
    """Let what is remembered of a batch's rows be of those who have them now; forget the batch.

    Args:
        place: The lake.
        table: The canonical table.
        batch: The batch that was undone.
        heirs: What `heirs` found.
    """
    if not place.holds(name_of(table)):
        return
    key = TABLES[table].key
    if heirs is not None:
        retried(partial(_rename, place, table, key, batch, heirs), place.name)
    mine = sql_text(batch)
    retried(
        lambda: place.open(name_of(table)).delete(
            f"{BATCH} = {mine} OR {BY} = {mine}", commit_properties=commit_of("undo")
        ),
        place.name,
    )


def _rename(place: Place, table: str, key: str, batch: str, heirs: pa.Table) -> None:
    (
        place.open(name_of(table)).merge(
            heirs, f"target.{sql_name(key)} = source.{sql_name(key)}"
            f" AND target.{BATCH} = {sql_text(batch)}",
            source_alias="source", target_alias="target", commit_properties=commit_of("undo"),
        )
        .when_matched_delete(f"target.{BY} = source.{BY} OR target.{BY} = {sql_text(batch)}")
        .when_matched_update({BATCH: f"source.{BY}"})
        .execute()
    )  # fmt: skip
