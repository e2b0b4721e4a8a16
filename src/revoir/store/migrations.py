"""From one schema version of a lake to the next, step by step.

A step can be taken again where it was interrupted: the version is written after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from revoir.store.commits import arrow_schema, commit_of, retried
from revoir.store.place import Place, delta
from revoir.store.shape import BATCH, shape_of

SCHEMA_VERSION = 1
"""The version that this Revoir writes and reads."""
ADOPTED = "adopted"
"""The batch of rows that were there before the lake was one."""


def _adopt(place: Place) -> None:
    """From 0 to 1: Delta tables with canonical names, written by another program, become a lake."""
    for name in place.tables():
        retried(partial(_reshape, place, name), place.name)


def _reshape(place: Place, name: str) -> None:
    """Bring a table's columns to canonical types, without persons, with `batch_id`."""
    table = place.open(name)
    held = arrow_schema(table)
    if BATCH in held.names and table.transaction_version(ADOPTED) is not None:
        return
    rows = table.to_pyarrow_table()
    shape = shape_of(name, held, None, rows)
    delta().write_deltalake(
        table,
        shape.cast(rows, ADOPTED),
        mode="overwrite",
        schema_mode="overwrite",
        commit_properties=commit_of("migrate", batch=ADOPTED),
    )


STEPS: Mapping[int, Callable[[Place], None]] = {0: _adopt}
"""By version, what leads to the next one."""
