"""Taking a batch out of a table: its rows go, stay in another name, or give way to older ones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from revoir.store import replaced, said
from revoir.store.commits import UNDONE, commit_of, mark, retried, sql_name, sql_text
from revoir.store.place import Place
from revoir.store.shape import BATCH
from revoir.tables import TABLES

if TYPE_CHECKING:
    import pyarrow as pa


def take_out(place: Place, table: str, batch: str) -> int:
    """Take the rows of a batch out of one table (see `Lake.undo`); the same again does no harm.

    Args:
        place: The lake.
        table: The canonical table.
        batch: The batch.

    Returns:
        How many rows went, or gave way to those that they had replaced.
    """
    heirs = said.heirs(place, table, place.open(table), batch)
    count = retried(partial(_rows_out, place, table, batch, heirs), place.name)
    # Last, so that whoever tries again after a crash finds the heirs.
    replaced.purge(place, table, batch, heirs)
    said.hand_over(place, table, batch, heirs)
    return count


def _rows_out(place: Place, table: str, batch: str, heirs: pa.Table | None) -> int:
    held = place.open(table)
    if held.transaction_version(batch) == UNDONE:
        return 0
    properties = commit_of("undo", batch=batch, state=UNDONE)
    mine = f"{BATCH} = {sql_text(batch)}"
    back = replaced.below(place, table, held, batch)
    if heirs is None and back is None:
        count = int(held.delete(mine, commit_properties=properties)["num_deleted_rows"] or 0)
        if not count:
            # Nothing to delete makes no commit, and late retries must find the batch undone.
            mark(held, properties)
        return count
    rows, keys = _stay_or_return(place, table, heirs, back)
    same = [f"target.{sql_name(key)} = source.{sql_name(key)}" for key in keys]
    merger = held.merge(
        rows, " AND ".join([*same, f"target.{mine}"]),
        source_alias="source", target_alias="target", commit_properties=properties,
    ).when_not_matched_by_source_delete(f"target.{mine}")  # fmt: skip
    if heirs is not None:
        merger.when_matched_update({BATCH: f"source.{said.BY}"}, f"source.{said.BY} IS NOT NULL")
    if back is not None:
        merger.when_matched_update(
            {sql_name(name): f"source.{sql_name(name)}" for name in back.column_names}
        )
    gone = int(merger.execute()["num_target_rows_deleted"])
    return gone + int(rows.num_rows) - (0 if heirs is None else int(heirs.num_rows))


def _stay_or_return(
    place: Place, table: str, heirs: pa.Table | None, back: pa.Table | None
) -> tuple[pa.Table, list[str]]:
    """A row for each key: `said.BY` where it stays, else what comes back; and the key's columns."""
    import pyarrow as pa
    import pyarrow.compute as pc

    key = TABLES[table].key
    if back is None:
        return heirs, [key]
    keys = replaced.keys_of(place.open(replaced.name_of(table)))
    if heirs is None:
        return back.append_column(said.BY, pa.nulls(back.num_rows, pa.string())), keys
    names = heirs.column(key).combine_chunks()
    back = back.filter(pc.invert(pc.is_in(back.column(key).cast(pa.string()), names)))
    stay = heirs.set_column(0, key, heirs.column(key).cast(back.schema.field(key).type))
    return pa.concat_tables([back, stay], promote_options="default"), keys
