"""A lake's tables as DuckDB reads them: the files of one version, fixed when they are opened."""

from __future__ import annotations

import datetime as dt
import secrets
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revoir.errors import InputError, UsageError, Where
from revoir.language import msg
from revoir.store import remote
from revoir.store.commits import arrow_schema
from revoir.store.place import Place, delta
from revoir.store.shape import BATCH
from revoir.tables import TABLES

if TYPE_CHECKING:
    import duckdb
    import ibis.expr.types as ir
    from deltalake import DeltaTable
    from ibis.backends.duckdb import Backend as DuckDBBackend
    from ibis.expr.datatypes import DataType


def tables(
    place: Place, backend: DuckDBBackend, at: str | dt.datetime | None
) -> dict[str, ir.Table]:
    """The tables of a lake at one moment (see `Lake.tables`)."""
    opened = {name: table for name, table in _opened(place, at) if table is not None}
    return {name: _view(place, name, table, backend, at) for name, table in opened.items()}


def versions_of(text: str) -> dict[str, int]:
    """The version of each table that a text such as ``customers:3,orders:12`` names.

    Raises:
        UsageError: It is no such text.

    Examples:
        >>> versions_of("customers:3,orders:12")
        {'customers': 3, 'orders': 12}
    """
    found = {}
    for part in filter(None, text.split(",")):
        name, _, number = part.partition(":")
        if name not in TABLES or not number.isdecimal():
            raise UsageError(
                msg("“{text}” is no version of a lake.", text=text),
                remedy=msg("Write it like {example}.", example="customers:3,orders:12"),
            )
        found[name] = int(number)
    return found


def _opened(place: Place, at: str | dt.datetime | None) -> list[tuple[str, DeltaTable | None]]:
    match at:
        case None:
            return [(name, place.open(name)) for name in place.tables()]
        case str():
            return [(name, _at_version(place, name, v)) for name, v in versions_of(at).items()]
    return [(name, _at_time(place, name, at)) for name in place.tables()]


def _at_version(place: Place, name: str, version: int) -> DeltaTable:
    try:
        return place.open(name, version)
    except (KeyError, delta().exceptions.DeltaError) as error:
        raise UsageError(
            msg("The table “{name}” has no version {version}.", name=name, version=str(version)),
            where=Where(file=place.name),
            remedy=msg("`revoir lake history` lists them."),
        ) from error


def _at_time(place: Place, name: str, at: dt.datetime) -> DeltaTable | None:
    at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    table = place.open(name)
    created = table.metadata().created_time
    if created is not None and created > at.timestamp() * 1000:
        return None
    table.load_as_version(at)
    return table


def _view(place: Place, name: str, table: DeltaTable, backend: DuckDBBackend, at: Any) -> ir.Table:
    import ibis

    schema = arrow_schema(table)
    view = f"lake_{name}_{secrets.token_hex(6)}"
    files = place.files(table, name)
    if place.is_local and at is not None and not all(Path(file).exists() for file in files):
        raise InputError(
            msg("Files of “{name}” as it was then have been removed.", name=name),
            where=Where(file=place.name),
            remedy=msg("Ask for a later time; `revoir lake vacuum --days` keeps files for longer."),
        )
    if not files:
        relation = backend.con.from_arrow(schema.empty_table())
        relation.create(view)
    else:
        if not place.is_local:
            files = remote.reachable(place, files, backend)
        # Files written before a column was added lack it.
        relation = backend.con.read_parquet(files, union_by_name=True)
        relation.create_view(view)
    shown = _known(backend, view, relation)
    wanted = ibis.Schema.from_pyarrow(schema)
    return shown.select(
        **{
            column: shown[column] if column in shown.columns else ibis.null(kind)
            for column, kind in wanted.items()
            if column != BATCH
        }
    )


def _known(backend: DuckDBBackend, name: str, relation: duckdb.DuckDBPyRelation) -> ir.Table:
    """A table whose columns are known: `backend.table` asks for them and reads each type anew."""
    import ibis
    from ibis.expr import operations

    kinds = zip(relation.columns, relation.types, strict=True)
    schema = ibis.schema({column: _kind(str(kind)) for column, kind in kinds})
    return operations.DatabaseTable(name, schema=schema, source=backend).to_expr()


@cache
def _kind(duckdb_type: str) -> DataType:
    from ibis.backends.sql.datatypes import DuckDBType

    return DuckDBType.from_string(duckdb_type)
