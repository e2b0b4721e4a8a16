"""The rows of a batch on their way into a table: at hand, or coming as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

from revoir.errors import EngineError, RevoirError
from revoir.language import msg
from revoir.store.shape import Shape

if TYPE_CHECKING:
    import pyarrow as pa


class Source:
    """Rows to be written.

    Args:
        rows: A table, which can be read again and again, or a reader, which cannot.
    """

    def __init__(self, rows: pa.Table | pa.RecordBatchReader) -> None:
        import pyarrow as pa

        self.schema: pa.Schema = rows.schema
        self.read = 0
        """How many rows have been read."""
        self._begun = False
        if isinstance(rows, pa.Table):
            self._parts: Iterator[pa.Table] | None = None
            self.sample: pa.Table = rows
            """The rows to look at before anything is written: a reader's first ones."""
        else:
            first = next(rows, None)
            self.sample = pa.Table.from_batches([] if first is None else [first], self.schema)
            self._parts = (pa.Table.from_batches([part]) for part in rows)

    @property
    def is_empty(self) -> bool:
        """Whether there is no row at all."""
        return self._parts is None and not self.sample.num_rows

    def whole(self) -> pa.Table:
        """The rows of a table."""
        return self.sample

    @contextmanager
    def stream(
        self, shape: Shape, batch: str, held: pa.Schema
    ) -> Iterator[pa.Table | pa.RecordBatchReader]:
        """Bring the rows into shape, as they are written.

        Args:
            shape: What they are to look like.
            batch: Their batch.
            held: The columns of the table; those that the rows lack stay empty.

        Yields:
            What delta-rs writes.

        Raises:
            InputError: A value does not fit its column; nothing is written then.
            EngineError: A reader's rows are gone, since an earlier attempt met a conflict.
        """
        import pyarrow as pa

        if self._parts is None:
            self.read = self.sample.num_rows
            yield _padded(shape.cast(self.sample, batch), held)
            return
        if self._begun:
            raise EngineError(
                msg("Another writer changed the table meanwhile."),
                remedy=msg("Append the batch again."),
            )
        self._begun = True
        faults: list[RevoirError] = []
        parts = self._parts

        def batches() -> Iterator[pa.RecordBatch]:
            try:
                for part in chain([self.sample], parts):
                    yield from self._counted(_padded(shape.cast(part, batch), held))
            except RevoirError as fault:
                faults.append(fault)
                raise

        try:
            yield pa.RecordBatchReader.from_batches(held, batches())
        except Exception:
            # Through delta-rs, a fault of ours comes back as a text.
            if faults:
                raise faults[0] from None
            raise

    def _counted(self, rows: pa.Table) -> Iterator[pa.RecordBatch]:
        for part in rows.to_batches():
            self.read += part.num_rows
            yield part


def _padded(rows: pa.Table, held: pa.Schema) -> pa.Table:
    """Give rows the columns of a table, in its order."""
    import pyarrow as pa

    return pa.Table.from_arrays(
        [
            rows.column(field.name)
            if field.name in rows.column_names
            else pa.nulls(rows.num_rows, field.type)
            for field in held
        ],
        schema=held,
    )
