"""What rows must look like to land: canonical types, no personal column, the types held already."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from revoir.errors import InputError, UsageError, Where
from revoir.language import Message, msg, nmsg
from revoir.tables import CUSTOMERS, NO_WORDS, TABLES, Table, Type, plain_name

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = "batch_id"
"""The column that says which batch a row came with."""
BATCH_MAX = 200
MASK = "…"
"""What stands for the words of a comment."""
_ADDRESS = r"^[^@\s]+@[^@\s]+\.[^@\s.]+$"


def check_batch(batch: str) -> str:
    """Refuse a name of a batch that no one could type again.

    Raises:
        UsageError: It is empty, too long or not printable.
    """
    if not batch.strip() or len(batch) > BATCH_MAX or not batch.isprintable():
        raise UsageError(
            msg("“{batch}” cannot be the name of a batch.", batch=batch[:BATCH_MAX]),
            remedy=msg("Give it 1 to {n} letters, digits or signs.", n=BATCH_MAX),
        )
    return batch


def arrow_type(kind: Type) -> pa.DataType:
    """The Arrow type of a canonical type."""
    import pyarrow as pa

    return {
        Type.TEXT: pa.string(),
        Type.INTEGER: pa.int64(),
        Type.DECIMAL: pa.decimal128(18, 4),
        Type.DATE: pa.date32(),
        Type.TIMESTAMP: pa.timestamp("us"),
        Type.BOOLEAN: pa.bool_(),
    }[kind]


@dataclass(frozen=True)
class Shape:
    """How rows are to be written.

    Attributes:
        table: The canonical table.
        schema: Names and types of the columns that are written, `batch_id` last.
        left_out: Columns that are not, or only whether anything was written there, since they may
            tell who a person is.
    """

    table: str
    schema: pa.Schema
    left_out: tuple[str, ...]

    def cast(self, batch: pa.Table | pa.RecordBatch, batch_id: str) -> pa.Table:
        """Bring rows into the shape.

        Raises:
            InputError: A value does not fit the type of its column.
        """
        import pyarrow as pa

        columns = []
        for field in self.schema:
            if field.name == BATCH:
                columns.append(pa.array([batch_id], pa.string()).take(_zeros(batch.num_rows)))
                continue
            column = _fitted(batch.column(field.name), field, self.table)
            known = TABLES[self.table].column(field.name)
            columns.append(_masked(column) if known and known.personal else column)
        return pa.Table.from_arrays(columns, schema=self.schema)


def _masked(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """An ellipsis for what persons wrote: that they did counts, and the words stay out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    said = pc.invert(
        pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(column)), pa.array([*NO_WORDS, None]))
    )
    return pc.if_else(said, MASK, pa.scalar(None, pa.string()))


def _zeros(count: int) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    return pa.array(np.zeros(count, dtype="int64"))


def _fitted(
    column: pa.Array | pa.ChunkedArray, field: pa.Field, table: str
) -> pa.Array | pa.ChunkedArray:
    import pyarrow as pa

    if column.type == field.type:
        return column
    try:
        if pa.types.is_timestamp(column.type) and column.type.tz is not None:
            # Any zone becomes UTC by taking the name of the zone away.
            column = column.cast(pa.timestamp(column.type.unit, "UTC"))
            if field.type == pa.timestamp("us"):
                return column.cast(pa.timestamp("us", "UTC"), safe=False).cast(field.type)
        if pa.types.is_timestamp(field.type) and pa.types.is_timestamp(column.type):
            return column.cast(field.type, safe=False)  # nanoseconds are cut to microseconds
        if pa.types.is_decimal(field.type) and pa.types.is_floating(column.type):
            # As DuckDB does: the nearest amount of four decimals.
            import pyarrow.compute as pc

            return pc.round(column, 4).cast(field.type, safe=False)
        return column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            msg(
                "The column “{column}” of “{table}” holds {given}, and not all of it can be written"
                " as {held}.",
                column=field.name,
                table=table,
                given=_in_words(column.type),
                held=_in_words(field.type),
            ),
            where=Where(column=field.name),
            remedy=msg("Correct the values, or give the column another name."),
        ) from error


def shape_of(
    table: str, schema: pa.Schema, held: pa.Schema | None, sample: pa.Table | None = None
) -> Shape:
    """Say how rows of these columns are written into a table.

    Args:
        table: The canonical table.
        schema: The columns given.
        held: The columns that the lake's table has (None: there is no table yet).
        sample: Rows whose attributes are looked at for addresses of persons.

    Returns:
        The shape.

    Raises:
        UsageError: There is no such table, or a column would have to change its type.
        InputError: The rows lack a column that the table cannot do without.
    """
    import pyarrow as pa

    known = _table(table)
    fields, left_out = [], []
    for field in schema:
        column = known.column(field.name)
        if field.name == BATCH:
            continue
        if _is_personal(table, field, sample):
            left_out.append(field.name)
            if column is None or table == CUSTOMERS.name:
                continue
        before = held.field(field.name).type if held and field.name in held.names else None
        if column is not None:
            wanted = arrow_type(column.type)
        elif pa.types.is_null(field.type):
            if before is None:
                continue  # a column that says nothing yet has no type either
            wanted = before
        else:
            wanted = before or _plain(field.type)
        if before is not None and (wanted != before or not _goes_into(field.type, before)):
            raise UsageError(
                msg(
                    "The column “{column}” of “{table}” holds {held} in the lake, and {given} here:"
                    " the type of a column does not change.",
                    column=field.name,
                    table=table,
                    held=_in_words(before),
                    given=_in_words(field.type),
                ),
                where=Where(column=field.name),
                remedy=msg("Correct the values, or give the column another name."),
            )
        fields.append(pa.field(field.name, wanted))
    if not any(known.column(field.name) for field in fields):
        raise InputError(
            msg("None of these columns belongs to “{table}”.", table=table),
            remedy=msg("It can have: {names}.", names=[c.name for c in known.columns]),
        )
    order = {column.name: place for place, column in enumerate(known.columns)}
    fields.sort(key=lambda field: order.get(field.name, len(order)))
    return Shape(table, pa.schema([*fields, pa.field(BATCH, pa.string())]), tuple(left_out))


def _table(name: str) -> Table:
    if name not in TABLES:
        raise UsageError(
            msg("There is no table “{name}”.", name=name),
            remedy=msg("It can be one of: {names}.", names=list(TABLES)),
        )
    return TABLES[name]


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type that an attribute is kept as: what every reader of Parquet has."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        return _plain(kind.value_type)
    if types.is_boolean(kind) or types.is_date32(kind):
        return kind
    if types.is_signed_integer(kind) or types.is_unsigned_integer(kind):
        return pa.int64()
    if types.is_floating(kind):
        return pa.float64()
    if types.is_decimal(kind):
        return pa.decimal128(min(max(kind.precision, 18), 38), kind.scale)
    if types.is_timestamp(kind):
        return pa.timestamp("us")
    if types.is_date(kind):
        return pa.date32()
    return pa.string()


def _in_words(kind: pa.DataType) -> Message:
    """What a column of a type holds."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        return _in_words(kind.value_type)
    if types.is_boolean(kind):
        return msg("yes and no")
    if types.is_integer(kind):
        return msg("whole numbers")
    if types.is_floating(kind) or types.is_decimal(kind):
        return msg("numbers")
    if types.is_date(kind):
        return msg("days")
    if types.is_timestamp(kind):
        return msg("moments")
    return msg("texts")


def _goes_into(given: pa.DataType, held: pa.DataType) -> bool:
    """Whether every value of one type can be told in another (what does not fit, rows tell)."""
    import pyarrow as pa

    types = pa.types

    def number(kind: pa.DataType) -> bool:
        return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))

    def clock(kind: pa.DataType) -> bool:
        return bool(types.is_timestamp(kind) or types.is_date(kind))

    if types.is_dictionary(given):
        given = given.value_type
    if given == held or types.is_null(given) or types.is_string(held):
        return True
    if types.is_large_string(given):
        return bool(types.is_string(held))
    return (number(given) and number(held)) or (clock(given) and clock(held))


def _personal_names() -> dict[str, frozenset[str]]:
    """For each table, the names under which attributes tell who a person is."""

    def of(table: Table) -> Iterator[str]:
        for column in table.columns:
            if column.personal:
                yield column.name
                yield from column.synonyms

    shared = frozenset(of(CUSTOMERS))
    return {name: shared | frozenset(of(table)) for name, table in TABLES.items()}


def _is_personal(table: str, field: pa.Field, sample: pa.Table | None) -> bool:
    """Whether a column identifies a person, by its declaration, its name or its values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = TABLES[table].column(field.name)
    if column is not None:
        return column.personal
    bare = re.sub(r"_\d+$", "", plain_name(field.name))
    if bare in _personal_names()[table]:
        return True
    if sample is None or not (
        pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ):
        return False
    found = pc.any(pc.match_substring_regex(sample.column(field.name), _ADDRESS)).as_py()
    return bool(found)


def check_keys(rows: pa.Table, keys: Sequence[str]) -> None:
    """Refuse rows that cannot each be told by their key."""
    absent = [key for key in keys if key not in rows.column_names]
    if absent or not keys:
        raise InputError(
            msg("The key is missing: {columns}.", columns=absent),
            remedy=msg("Append the rows, or say which columns identify a row."),
        )
    if any(rows.column(key).null_count for key in keys):
        raise InputError(
            msg("A row has no key ({columns}).", columns=list(keys)),
            remedy=msg("Append rows that have none."),
        )
    twice = rows.num_rows - rows.group_by(list(keys)).aggregate([]).num_rows
    if twice:
        raise InputError(
            nmsg(
                "{n} row has the key of another one ({columns}).",
                "{n} rows have the key of another one ({columns}).",
                twice,
                columns=list(keys),
            ),
            remedy=msg("Keep one row a key."),
        )
