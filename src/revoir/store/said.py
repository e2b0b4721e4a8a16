"""Rows that a later batch had again, unchanged: undoing the first one leaves them to the later.

For each table of which that was ever said there is one beside it, in `_said/<table>`: the key of a
row, the batch that the row carries, and the batch that said it again. When the first is undone, the
row, or the copy of it among those that were replaced, carries the other one from then on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from revoir.errors import UsageError
from revoir.language import msg
from revoir.store.commits import (
    LANDED,
    commit_of,
    create,
    retried,
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
PART = 1_000_000
"""Rows that are read at a time."""


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
            _append(place, table, found.sort_by(key), "said")

    retried(attempt, place.name)
    return int(found.num_rows)


def _older(said: DeltaTable, batch: str) -> list[str]:
    """The batches that are remembered no more once another one is."""
    others = [other for other in _batches(said) if other != batch]
    return others[: max(0, len(others) - KEPT + 1)]


def _batches(said: DeltaTable) -> list[str]:
    """The batches that are remembered, in the order in which they said rows again."""
    last: dict[str, int] = {}
    for part in _parts(said, [BY, AT]):
        told = part.group_by(BY).aggregate([(AT, "max")])
        for by, at in zip(
            told.column(BY).to_pylist(), told.column(f"{AT}_max").to_pylist(), strict=True
        ):
            last[by] = max(at, last.get(by, at))
    return sorted(last, key=lambda by: (last[by], by))


def _parts(said: DeltaTable, columns: list[str]) -> Iterator[pa.Table]:
    """What is remembered, some rows at a time."""
    import pyarrow as pa

    # What delta-rs has merged is `string_view`, which no comparison of Arrow takes beside text.
    schema = pa.schema([(name, pa.int64() if name == AT else pa.string()) for name in columns])
    for part in said.to_pyarrow_dataset().to_batches(
        columns=columns, batch_size=PART, batch_readahead=1, fragment_readahead=1
    ):
        yield pa.Table.from_batches([part]).cast(schema)


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
    said = place.open(name_of(table))
    order = [other for other in _batches(said) if held.transaction_version(other) == LANDED]
    names = pa.array([other for other in order if other != batch], pa.string())
    key = TABLES[table].key
    first: pa.Table | None = None
    # Part by part: as many rows may be remembered as 30 exports of everything have.
    for part in _parts(said, [key, BATCH, BY]):
        mine = part.filter(pc.equal(part.column(BATCH), batch))
        mine = mine.append_column("nth", pc.index_in(mine.column(BY), names)).select([key, "nth"])
        mine = mine.filter(pc.is_valid(mine.column("nth")))
        if mine.num_rows:
            both = mine if first is None else pa.concat_tables([first, mine])
            least = both.group_by(key).aggregate([("nth", "min")])
            first = least.select([key, "nth_min"]).rename_columns([key, "nth"])
    if first is None:
        return None
    return pa.table({key: first.column(key), BY: names.take(first.column("nth").combine_chunks())})


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
    """Say anew of those who have the rows now what was said of them; the old goes thereafter.

    Whoever tries again after a crash says it twice, which tells nothing else. A merge would hold
    all that is remembered in memory.
    """
    import pyarrow.compute as pc

    names = heirs.column(key).combine_chunks()
    for part in _parts(place.open(name_of(table)), [key, BATCH, BY, AT]):
        mine = part.filter(pc.equal(part.column(BATCH), batch))
        new = heirs.column(BY).take(pc.index_in(mine.column(key), names))
        mine = mine.set_column(1, BATCH, new)
        # Without an heir it is null, which is no match: it goes.
        others = pc.and_(pc.not_equal(mine.column(BY), new), pc.not_equal(mine.column(BY), batch))
        mine = mine.filter(others)
        if mine.num_rows:
            _append(place, table, mine, "undo")


def _append(place: Place, table: str, rows: pa.Table, action: str) -> None:
    delta().write_deltalake(
        place.open(name_of(table)),
        rows,
        mode="append",
        commit_properties=commit_of(action, rows=rows.num_rows),
        writer_properties=delta().WriterProperties(compression="ZSTD"),
    )
