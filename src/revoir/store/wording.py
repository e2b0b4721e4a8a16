"""Other words in the place of those that attributes of rows have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from revoir.store.commits import arrow_schema, commit_of, retried, rows_where, sql_name
from revoir.store.place import Place
from revoir.store.replaced import BY
from revoir.store.shape import BATCH
from revoir.tables import TABLES

Mend = Callable[[str, str, str], str | None]
"""From customer, column and words to what stands there from now on (None: nothing)."""


def mend(place: Place, table: str, customer_ids: Sequence[str], mended: Mend) -> int:
    """Mend the words of customers' rows, in a table and beneath it.

    Args:
        place: The lake.
        table: The canonical table.
        customer_ids: Whose rows.
        mended: What is to stand in place of which words.

    Returns:
        How many rows of the table were changed.
    """
    counts = [
        retried(partial(_mend, place, pile, table, customer_ids, mended), place.name)
        for pile in (table, *place.beside(table))
    ]
    return counts[0]


def _mend(place: Place, name: str, table: str, customer_ids: Sequence[str], mended: Mend) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    held = place.open(name)
    columns = [
        field.name
        for field in arrow_schema(held)
        if (pa.types.is_string(field.type) or pa.types.is_string_view(field.type))
        and TABLES[table].column(field.name) is None
        and field.name not in (BATCH, BY)
    ]
    if not columns or "customer_id" not in arrow_schema(held).names:
        return 0
    wanted = pa.array(customer_ids, pa.string())
    rows = rows_where(
        held, "customer_id", lambda cells: pc.is_in(cells.cast(pa.string()), wanted)
    ).select(["customer_id", *columns])
    changed = 0
    for column in columns:
        pairs = rows.select(["customer_id", column]).to_pylist()
        told = dict.fromkeys((row["customer_id"], row[column]) for row in pairs if row[column])
        found = [
            (customer, words, new)
            for customer, words in told
            if (new := mended(customer, column, words)) != words
        ]
        if not found:
            continue
        cells = zip(*found, strict=True)
        source = pa.table(
            [pa.array(list(cell), pa.string()) for cell in cells], ["customer_id", "old", "new"]
        )
        cell = sql_name(column)
        done = (
            place.open(name)
            .merge(
                source,
                f"target.customer_id = source.customer_id AND target.{cell} = source.old",
                source_alias="source", target_alias="target", commit_properties=commit_of("erase"),
            )
            .when_matched_update({cell: "source.new"})
            .execute()
        )  # fmt: skip
        changed += int(done["num_target_rows_updated"])
    return changed
