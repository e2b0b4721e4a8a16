"""Tables and queries of SQL databases, named by a URL."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus, urlencode, urlsplit, urlunsplit

import duckdb
import pyarrow as pa

from revoir.engines import connect, reason_of, without_password
from revoir.engines.sql import identifier
from revoir.errors import InputError, RevoirError, Where
from revoir.language import msg
from revoir.reading.raw import RawTable
from revoir.reading.scratch import Scratch

_BATCH = 50_000


@dataclass(frozen=True)
class Address:
    """A database URL taken apart.

    Attributes:
        url: The URL that a driver takes: without ``table``, ``query`` and fragment.
        shown: The URL for people: without what it asks for, and with asterisks for the password.
        scheme: ``duckdb``, ``sqlite``, ``postgresql``, …
        path: What follows the host, unquoted.
        table: The only table wanted.
        query: The query wanted.
    """

    url: str
    shown: str
    scheme: str
    path: str
    table: str | None
    query: str | None


def address(location: str) -> Address:
    """Take a database URL apart.

    Args:
        location: ``scheme://user:password@host/database?table=name``, with ``?query=select …`` or
            ``#table`` instead where that serves.

    Returns:
        Its parts.

    Examples:
        >>> found = address("postgresql://anne:secret@db:5432/shop?table=orders")
        >>> found.shown, found.table
        ('postgresql://anne:***@db:5432/shop', 'orders')
    """
    location, query = _query_apart(location)
    parts = urlsplit(location)
    table = unquote(parts.fragment) or None
    others = []
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        if key == "table":
            table = value
        else:
            others.append((key, value))
    return Address(
        url=urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(others), "")),
        shown=re.split("[?#]", without_password(location))[0],
        scheme=parts.scheme.lower().partition("+")[0],
        path=unquote(parts.netloc + parts.path),
        table=table,
        query=query,
    )


def _query_apart(location: str) -> tuple[str, str | None]:
    """The URL without its ``query=``, which takes all that follows it, and the query."""
    found = re.search(r"[?&]query=", location)
    if not found:
        return location, None
    query = location[found.end() :]
    # A query that people type has spaces, and its plus signs are meant.
    return location[: found.start()], unquote(query) if " " in query else unquote_plus(query)


def read_database(location: str, scratch: Scratch) -> list[RawTable]:
    """Read a table, a query or every table of a database.

    Args:
        location: The URL.
        scratch: The connection.

    Returns:
        A table for each.

    Raises:
        InputError: The database, the table or the query is not there.
        EngineError: The engine is not known, not installed or not reachable.
    """
    found = address(location)
    try:
        match found.scheme:
            case "sqlite":
                return _sqlite(_file(found), found, scratch)
            case "duckdb":
                return _duckdb(_file(found), found, scratch)
            case _:
                return _ibis(found, scratch)
    except RevoirError:
        raise
    except Exception as error:
        raise InputError(
            msg("The database did not answer: {error}", error=reason_of(location, error)),
            where=Where(file=found.shown),
            remedy=msg("Check the address, the user and the name of the table."),
        ) from None


def _file(found: Address) -> Path:
    """The file of a database that is one; three slashes name an absolute or a relative path."""
    paths = [Path(found.path)]
    if found.path.startswith("/"):
        paths.append(Path(found.path.removeprefix("/")))
    for path in paths:
        if path.is_file():
            return path
    raise InputError(
        msg("There is no such file."),
        where=Where(file=found.shown),
        remedy=msg("Check the path."),
    )


def _wanted(tables: list[str], found: Address) -> list[str]:
    if found.table is None:
        if not tables:
            raise InputError(msg("The database holds no table."), where=Where(file=found.shown))
        return tables
    for name in tables:
        if name.lower() == found.table.lower():
            return [name]
    raise InputError(
        msg("There is no table “{table}”.", table=found.table),
        where=Where(file=found.shown),
        remedy=msg("The tables are: {tables}.", tables=tables),
    )


def read_database_file(path: Path, file: str, scratch: Scratch, *, scheme: str) -> list[RawTable]:
    """Read every table of a SQLite or DuckDB file.

    Args:
        path: The file.
        file: Its name for messages.
        scratch: The connection.
        scheme: ``sqlite`` or ``duckdb``.

    Returns:
        A table for each.
    """
    found = Address(file, file, scheme, str(path), None, None)
    try:
        reader = _sqlite if scheme == "sqlite" else _duckdb
        return reader(path, found, scratch)
    except (sqlite3.Error, duckdb.Error) as error:
        raise InputError(
            msg("The database did not answer: {error}", error=str(error).splitlines()[0]),
            where=Where(file=file),
            remedy=msg("Close the program that holds it, or export its tables."),
        ) from error


def _duckdb(path: Path, found: Address, scratch: Scratch) -> list[RawTable]:
    with duckdb.connect(str(path), read_only=True) as source:
        if found.query is not None:
            queries: list[tuple[str | None, str]] = [(None, found.query)]
        else:
            listed = source.execute(
                "select schema_name, table_name from duckdb_tables() where not internal union all"
                " select schema_name, view_name from duckdb_views() where not internal order by 2"
            ).fetchall()
            places = {name: f"{identifier(schema)}.{identifier(name)}" for schema, name in listed}
            queries = [(name, f"from {places[name]}") for name in _wanted(list(places), found)]
        return [
            _stored(source.sql(query).to_arrow_reader(_BATCH), name, found, scratch)
            for name, query in queries
        ]


def _sqlite(path: Path, found: Address, scratch: Scratch) -> list[RawTable]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source:
        source.text_factory = lambda data: data.decode("utf-8", "replace")
        if found.query is not None:
            queries: list[tuple[str | None, str]] = [(None, found.query)]
        else:
            listed = source.execute(
                "select name from sqlite_master where type in ('table', 'view')"
                " and name not like 'sqlite\\_%' escape '\\' order by name"
            ).fetchall()
            wanted = _wanted([name for (name,) in listed], found)
            queries = [(name, f"select * from {identifier(name)}") for name in wanted]
        return [
            _stored(_sqlite_batches(source, query), name, found, scratch) for name, query in queries
        ]


def _sqlite_batches(source: sqlite3.Connection, query: str) -> pa.RecordBatchReader:
    """A query's rows in the types that all their values have: SQLite types cells, not columns."""
    query = query.strip().rstrip(";")
    cursor = source.execute(f"select * from ({query}) limit 0")
    names = [column[0] for column in cursor.description]
    kinds: list[set[str]] = [set() for _ in names]
    asked = ", ".join(f"typeof({identifier(name)})" for name in names)
    for row in source.execute(f"select distinct {asked} from ({query})"):
        for kind, found in zip(kinds, row, strict=True):
            kind.add(found)
    types = [_sqlite_type(kind - {"null"}) for kind in kinds]
    schema = pa.schema([pa.field(name, kind) for name, kind in zip(names, types, strict=True)])

    def batches() -> Iterator[pa.RecordBatch]:
        cursor = source.execute(f"select * from ({query})")
        while rows := cursor.fetchmany(_BATCH):
            arrays = [
                pa.array([_as(cell, kind) for cell in column], kind)
                for column, kind in zip(zip(*rows, strict=True), types, strict=True)
            ]
            yield pa.record_batch(arrays, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _sqlite_type(kinds: set[str]) -> pa.DataType:
    if kinds == {"integer"}:
        return pa.int64()
    if kinds and kinds <= {"integer", "real"}:
        return pa.float64()
    return pa.string()


def _as(cell: Any, kind: pa.DataType) -> Any:
    if cell is None or kind == pa.int64():
        return cell
    if kind == pa.float64():
        return float(cell)
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)


def _ibis(found: Address, scratch: Scratch) -> list[RawTable]:
    source = connect(found.url)
    try:
        if found.query is not None:
            return [_stored(source.sql(found.query).to_pyarrow_batches(), None, found, scratch)]
        return [
            _stored(source.table(name).to_pyarrow_batches(), name, found, scratch)
            for name in _wanted(sorted(source.list_tables()), found)
        ]
    finally:
        source.disconnect()


def _stored(
    batches: pa.RecordBatchReader, name: str | None, found: Address, scratch: Scratch
) -> RawTable:
    """Copy rows into the connection and number them."""
    headers = list(batches.schema.names)
    columns = [f"c{i}" for i in range(len(headers))]
    schema = pa.schema([field.with_name(f"c{i}") for i, field in enumerate(batches.schema)])
    cells = scratch.name()
    scratch.insert(cells, schema.empty_table())
    # Batch by batch: DuckDB would pull the stream from its own threads, which drivers refuse.
    for batch in batches:
        scratch.insert(cells, pa.Table.from_arrays(batch.columns, schema=schema))
    relation = scratch.name()
    described = scratch.rows(
        "select column_name, data_type from duckdb_columns() where table_name = ?"
        " order by column_index",
        [cells],
    )
    plain = {"LIST", "STRUCT", "MAP"}
    selected, types = [], []
    for column, kind in described:
        nested = kind.endswith("]") or kind.split("(")[0] in plain
        quoted = identifier(column)
        selected.append(f"cast(to_json({quoted}) as varchar) as {quoted}" if nested else quoted)
        types.append("VARCHAR" if nested else kind)
    scratch.connection.execute(
        f"create view {identifier(relation)} as select rowid + 1 as _line, {', '.join(selected)}"
        f" from {identifier(cells)}"
    )
    return RawTable(
        file=found.shown,
        sheet=name,
        relation=identifier(relation),
        columns=columns,
        headers=headers,
        types=types,
        has_header=True,
        rows_in=scratch.value(f"select count(*) from {identifier(cells)}"),
    )
