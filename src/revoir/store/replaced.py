"""Rows that upserts put others in place of, kept so that undoing an upsert brings them back.

For each table that was ever upserted there is one beside it, in `_replaced/<table>`: its columns,
and two more. A key's rows there and in the table itself are a pile; undoing a batch takes its row
out of the pile, and the table shows the uppermost of those left.

A copy that is written and whose upsert then never lands (the process was killed) does no harm: it
is equal to the row that is in the table, and lies in the right place of the pile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from revoir.errors import InputError, UsageError
from revoir.language import msg
from revoir.store import doubles
from revoir.store.commits import (
    UNDONE,
    arrow_schema,
    commit_of,
    create,
    retried,
    rows_where,
    sql_name,
    sql_text,
)
from revoir.store.doubles import SALES
from revoir.store.place import REPLACED, Place, delta
from revoir.store.shape import BATCH

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

BY, AT = "replaced_by", "replaced_at"
"""The batch that replaced the row, and the version of the table that it then was in."""
_KEYS = "revoir.keys"


def name_of(table: str) -> str:
    """Where the replaced rows of a table lie."""
    return f"{REPLACED}/{table}"


def save(
    place: Place,
    table: str,
    held: DeltaTable,
    rows: pa.Table,
    keys: Sequence[str],
    batch: str,
    *,
    numbered: bool,
) -> None:
    """Keep the rows that an upsert is about to replace.

    Args:
        place: The lake.
        table: The canonical table.
        held: The version of it that the upsert replaces rows of.
        rows: The rows to be upserted.
        keys: Their key.
        batch: Their batch.
        numbered: Whether what is given back has numbers of its own (see `Lake`).

    Raises:
        UsageError: The table has been upserted by another key.
        InputError: A number is that of a sale and of what is given back of it.
    """
    import pyarrow as pa

    kept = place.holds(name_of(table))
    check_keys(place, table, keys)
    found = _matching(held, rows, keys)
    _check_one_each(table, found, keys)
    if not numbered:
        _check_sides(table, found, rows, keys)
    if not found.num_rows and not kept:
        return
    found = found.append_column(BY, pa.array([batch] * found.num_rows, pa.string()))
    found = found.append_column(AT, pa.array([held.version()] * found.num_rows, pa.int64()))
    if not kept:
        _create(place, table, found.schema, keys)

    def attempt() -> None:
        pile = place.open(name_of(table))
        # What an attempt that did not land has left.
        pile.delete(f"{BY} = {sql_text(batch)}", commit_properties=commit_of("keep"))
        if found.num_rows:
            delta().write_deltalake(
                place.open(name_of(table)),
                found,
                mode="append",
                schema_mode="merge",
                commit_properties=commit_of("keep", rows=found.num_rows),
            )

    retried(attempt, place.name)


def below(place: Place, table: str, held: DeltaTable, batch: str) -> pa.Table | None:
    """The rows that are to be seen again when a batch is taken out.

    Args:
        place: The lake.
        table: The canonical table.
        held: The version of it that the batch is taken out of.
        batch: The batch.

    Returns:
        One row a key, with the columns of the table; None where there is nothing to bring back.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not place.holds(name_of(table)):
        return None
    pile = place.open(name_of(table))
    keys = keys_of(pile)
    mine = rows_where(held, BATCH, lambda column: pc.equal(column, batch)).select(keys)
    if not mine.num_rows:
        return None
    found = _matching(pile, mine, keys)
    gone = [
        other
        for other in pc.unique(found.column(BATCH)).to_pylist()
        if other == batch or held.transaction_version(other) == UNDONE
    ]
    found = found.filter(pc.invert(pc.is_in(found.column(BATCH), pa.array(gone, pa.string()))))
    if not found.num_rows:
        return None
    found = found.sort_by([*((key, "ascending") for key in keys), (AT, "descending")])
    newest = found.append_column("place", pa.array(range(found.num_rows), pa.int64()))
    first = newest.group_by(keys).aggregate([("place", "min")]).column("place_min")
    columns = [name for name in arrow_schema(held).names if name in found.column_names]
    return found.take(first).select(columns)


def _check_one_each(table: str, found: pa.Table, keys: Sequence[str]) -> None:
    """Refuse a number that several sales have, as what is given back has that of its order.

    Raises:
        InputError: There is one: each of its rows would be replaced.
    """
    if table in SALES and found.group_by(list(keys)).aggregate([]).num_rows < found.num_rows:
        raise InputError(
            msg("What is given back has the number of its order: no row can be replaced by it."),
            remedy=msg("Take the earlier batch out, and append its rows and these together."),
        )


def _check_sides(table: str, found: pa.Table, rows: pa.Table, keys: Sequence[str]) -> None:
    """Refuse to put a refund in the place of its sale, or the sale in that of its refund.

    Raises:
        InputError: A row would take such a place: the other one would be gone.
    """
    if doubles.crossed(table, found, rows, keys):
        raise InputError(
            msg("A refund has the number of its order: neither can take the place of the other."),
            remedy=msg("Append it: it then stands beside the other."),
        )


def keys_of(pile: DeltaTable) -> list[str]:
    """The key by which rows were replaced."""
    return str(pile.metadata().configuration[_KEYS]).split(",")


def purge(place: Place, table: str, batch: str, heirs: pa.Table | None) -> None:
    """Forget the replaced rows of a batch that was undone; those with heirs are theirs.

    Args:
        place: The lake.
        table: The canonical table.
        batch: The batch.
        heirs: Keys, and in whose name the rows are now (see `said.heirs`).
    """
    if not place.holds(name_of(table)):
        return

    def attempt() -> None:
        pile, mine = place.open(name_of(table)), f"{BATCH} = {sql_text(batch)}"
        if heirs is None:
            pile.delete(mine, commit_properties=commit_of("undo"))
            return
        key, heir = heirs.column_names
        (
            pile.merge(
                heirs, f"target.{sql_name(key)} = source.{sql_name(key)} AND target.{mine}",
                source_alias="source", target_alias="target", commit_properties=commit_of("undo"),
            )
            .when_matched_update({BATCH: f"source.{heir}"})
            .when_not_matched_by_source_delete(f"target.{mine}")
            .execute()
        )  # fmt: skip

    retried(attempt, place.name)


def _matching(held: DeltaTable, rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The rows of a table whose key is among those of others."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = rows.select(list(keys))
    firsts = pc.unique(wanted.column(0).combine_chunks())
    found = rows_where(held, keys[0], lambda column: pc.is_in(column, firsts))
    if len(keys) == 1:
        return found
    # Which rows, and not the rows themselves: a join of Arrow cannot carry every type along.
    numbered = found.select(list(keys)).append_column("place", pa.array(range(found.num_rows)))
    return found.take(numbered.join(wanted, list(keys), join_type="left semi").column("place"))


def check_keys(place: Place, table: str, keys: Sequence[str]) -> None:
    """Refuse another key than the one by which rows of a table were replaced.

    Raises:
        UsageError: It is another one.
    """
    if not place.holds(name_of(table)):
        return
    known = keys_of(place.open(name_of(table)))
    if known != list(keys):
        raise UsageError(
            msg("The rows of “{table}” are replaced by {known}.", table=table, known=known),
            remedy=msg("Upsert by that key."),
        )


def _create(place: Place, table: str, schema: pa.Schema, keys: Sequence[str]) -> None:
    create(place, name_of(table), schema, {_KEYS: ",".join(keys)})
    check_keys(place, table, keys)
