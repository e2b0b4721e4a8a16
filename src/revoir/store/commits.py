"""Commits to one Delta table: tried again when another writer was faster, and told in words."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from revoir.errors import EngineError, Where
from revoir.language import msg
from revoir.store.place import Place, delta, reason

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import CommitProperties, DeltaTable

LANDED, UNDONE = 1, 2
"""The versions of a batch's application transaction: it is there, or it was taken out again."""
_ATTEMPTS_MAX = 200
_PAUSE_MAX_SECONDS = 0.5

Done = TypeVar("Done")


def retried(attempt: Callable[[], Done], place: str) -> Done:
    """Do something that ends in a commit, anew from the newest version after each conflict.

    Args:
        attempt: Opens the table, looks, and commits; it is safe to call again.
        place: What the lake is called in an error.

    Returns:
        What `attempt` returns.

    Raises:
        EngineError: Other writers were faster every time, or the store failed.
    """
    conflict = delta().exceptions.CommitFailedError
    for count in range(_ATTEMPTS_MAX):
        try:
            with told(place):
                return attempt()
        except conflict:
            # Random, so that two writers do not meet again and again.
            time.sleep(random.uniform(0, min(0.005 * 1.5**count, _PAUSE_MAX_SECONDS)))  # noqa: S311 (no secret)
    raise EngineError(
        msg("Other writers changed the lake each time ({n} attempts).", n=_ATTEMPTS_MAX),
        where=Where(file=place),
        remedy=msg("Try again when there is less to write."),
    )


@contextmanager
def told(place: str) -> Iterator[None]:
    """Put an error of the store into our words; a conflict stays what it is."""
    errors = delta().exceptions
    try:
        yield
    except errors.CommitFailedError:
        raise
    except (errors.DeltaError, OSError) as error:
        raise EngineError(
            msg("The lake cannot be used: {why}.", why=reason(error)),
            where=Where(file=place),
            remedy=msg("`revoir lake verify` looks for what is wrong."),
        ) from error


def commit_of(
    action: str, *, batch: str | None = None, state: int = LANDED, **facts: Any
) -> CommitProperties:
    """What a commit says of itself.

    Args:
        action: What was done, in one word; `history` tells it.
        batch: The batch whose application transaction it carries.
        state: `LANDED` or `UNDONE`.
        facts: Further JSON values.

    Returns:
        The properties, to be given to any writing call.
    """
    package = delta()
    named = {"batch": batch} if batch is not None else {}
    properties: CommitProperties = package.CommitProperties(
        app_transactions=None if batch is None else [package.Transaction(batch, state)],
        custom_metadata={"action": action, **named, **facts},
        max_commit_retries=100,
    )
    return properties


def mark(table: DeltaTable, properties: CommitProperties) -> None:
    """Commit a batch's state where no row changes."""
    table.create_write_transaction([], "append", table.schema(), commit_properties=properties)


def create(
    place: Place, name: str, schema: pa.Schema, configuration: dict[str, Any] | None = None
) -> None:
    """Create a table, or find that another process has just done so."""
    package = delta()
    try:
        package.DeltaTable.create(
            place.path_of(name),
            schema=schema,
            configuration=configuration,
            storage_options=dict(place.storage_options),
            commit_properties=commit_of("create"),
            raise_if_key_not_exists=False,
        )
    except package.exceptions.DeltaError:
        if not place.holds(name):
            raise


def widen(table: DeltaTable, schema: pa.Schema) -> None:
    """Add the columns that a table lacks; rows that are there have nothing in them."""
    package = delta()
    known = set(arrow_schema(table).names)
    new = [field for field in schema if field.name not in known]
    table.alter.add_columns(
        [package.Field.from_arrow(field) for field in new], commit_properties=commit_of("widen")
    )


def arrow_schema(table: DeltaTable) -> pa.Schema:
    """The columns of a table."""
    import pyarrow as pa

    return pa.schema(table.schema().to_arrow())


def rows_where(
    table: DeltaTable, column: str, chosen: Callable[[pa.ChunkedArray], pa.ChunkedArray]
) -> pa.Table:
    """The rows of a table that a column chooses, read file by file.

    delta-rs writes text as Arrow's `string_view` when it merges, and no filter of a PyArrow dataset
    compares that with a `string`: so the column is read first, and then the files that matter.

    Args:
        table: The table.
        column: The column that tells.
        chosen: From the values of the column in one file, which of its rows are wanted.

    Returns:
        The rows, with all columns.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow.dataset import FileSystemDataset

    whole = table.to_pyarrow_dataset()
    found = [whole.schema.empty_table()]
    for fragment in whole.get_fragments():
        file = FileSystemDataset([fragment], whole.schema, fragment.format, fragment.filesystem)
        wanted = chosen(file.to_table(columns=[column]).column(0))
        if pc.any(wanted).as_py():
            found.append(file.to_table().filter(wanted))
    return pa.concat_tables(found)


def sql_text(value: str) -> str:
    """Quote a text for a predicate of delta-rs (DataFusion's SQL)."""
    return "'" + value.replace("'", "''") + "'"


def sql_name(name: str) -> str:
    """Quote a column for a predicate of delta-rs."""
    return '"' + name.replace('"', '""') + '"'
