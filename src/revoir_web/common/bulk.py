"""Many rows in one go: Django makes an object of each, which takes longer than the database."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

Item = TypeVar("Item")
_TURN_SECONDS = 0.03


def insert(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of database values.

    Args:
        model: Their table.
        columns: Names of the table's columns.
        rows: Values in the order of the columns.

    Raises:
        IntegrityError: A row is there already; none of the rows is then in.
    """
    if not rows:
        return
    table, names = _names(model, columns)
    with connection.cursor() as cursor:
        _fill(cursor, table, names, len(columns), rows)


def upsert(
    model: type[Model], key: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows, or replace those of the same key.

    Args:
        model: Their table.
        key: The column that has a value once.
        columns: Names of the table's columns, the key among them.
        rows: Database values in the order of the columns.
    """
    quote = connection.ops.quote_name
    table, names = _names(model, columns)
    places = ", ".join(["%s"] * len(columns))
    changes = ", ".join(
        f"{quote(name)} = excluded.{quote(name)}" for name in columns if name != key
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({places})"
            f" ON CONFLICT ({quote(key)}) DO UPDATE SET {changes}",
            list(rows),
        )


def update(
    model: type[Model], key: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Change rows.

    Args:
        model: Their table.
        key: The column that says which row.
        columns: Names of the columns to change.
        rows: Database values: those of the columns, and that of the key last.
    """
    quote = connection.ops.quote_name
    changes = ", ".join(f"{quote(name)} = %s" for name in columns)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quote(model._meta.db_table)} SET {changes} WHERE {quote(key)} = %s",
            list(rows),
        )


def update_changed(
    model: type[Model], key: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> int:
    """Change the rows that hold other values; the others are not written.

    The comparison is the database's own: a row that stays the same costs a hundredth of a change.

    Args:
        model: Their table.
        key: The column that says which row; a key that no row has is passed over.
        columns: Names of the columns to change.
        rows: Database values: those of the columns, and that of the key last. None in a column
            that cannot be empty leaves what is there.

    Returns:
        How many rows were changed.
    """
    if not rows:
        return 0
    quote = connection.ops.quote_name
    table, names = _names(model, [*columns, key])
    told = quote(f"told_{model._meta.db_table}"[:60])
    by_name = {field.column: field for field in model._meta.concrete_fields}
    after = {
        name: f"n.{quote(name)}"
        if by_name[name].null
        else f"coalesce(n.{quote(name)}, f.{quote(name)})"
        for name in columns
    }
    differs = "IS NOT" if connection.vendor == "sqlite" else "IS DISTINCT FROM"
    with connection.cursor() as cursor:
        # A table of this connection alone: whoever writes elsewhere does not wait for its rows.
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {told} AS SELECT * FROM {table} WHERE 1 = 0"
        )
        # Rows that were deleted from a temporary table stay in PostgreSQL's way for ever.
        cursor.execute(f"{'DELETE FROM' if connection.vendor == 'sqlite' else 'TRUNCATE'} {told}")
        _fill(cursor, told, names, len(columns) + 1, rows)
        cursor.execute(
            f"UPDATE {table} AS f SET"
            f" {', '.join(f'{quote(name)} = {value}' for name, value in after.items())}"
            f" FROM {told} AS n WHERE f.{quote(key)} = n.{quote(key)} AND ("
            f"{' OR '.join(f'f.{quote(name)} {differs} {value}' for name, value in after.items())})"
        )
        return int(cursor.rowcount)


def give_way() -> None:
    """Wait a moment between two parts, so that who waits to write to SQLite has a turn."""
    if connection.vendor == "sqlite":
        time.sleep(_TURN_SECONDS)


def in_parts(items: Sequence[Item], size: int) -> Iterable[Sequence[Item]]:
    """The items in parts of a size."""
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]


def _fill(cursor: Any, table: str, names: str, width: int, rows: Sequence[Sequence[Any]]) -> None:
    if connection.vendor == "postgresql":
        # 15 times as quick as a statement a row.
        with (
            connection.wrap_database_errors,
            cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
        return
    places = ", ".join(["%s"] * width)
    cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)


def _names(model: type[Model], columns: Sequence[str]) -> tuple[str, str]:
    quote = connection.ops.quote_name
    return quote(model._meta.db_table), ", ".join(quote(name) for name in columns)
