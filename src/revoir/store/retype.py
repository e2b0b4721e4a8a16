"""Columns of a lake that from now on hold what they could not: their table is written anew."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from functools import partial

from revoir.store import care
from revoir.store.commits import arrow_schema, commit_of, retried, sql_name
from revoir.store.place import Place, delta
from revoir.store.replaced import name_of

TEXT = "VARCHAR"


def retype(place: Place, table: str, kinds: Mapping[str, str]) -> None:
    """Give attributes of a table other types; rows, batches and what was replaced stay.

    Args:
        place: The lake.
        table: The canonical table.
        kinds: By attribute, the type of DuckDB that it is to have: every value must fit it.
    """
    # Replaced rows come back into the table: whoever is killed here finds it as it was, and again.
    if place.holds(name_of(table)):
        retried(partial(_rewrite, place, name_of(table), kinds), place.name)
    retried(partial(_rewrite, place, table, kinds), place.name)


def as_text(cell: str, kind: str) -> str:
    """SQL (DuckDB's) of a value as text, the same whatever type a file gave it: 36 is no 36.0.

    Args:
        cell: SQL of the value.
        kind: Its type.
    """
    text = f"CAST({cell} AS VARCHAR)"
    if kind.startswith("DECIMAL") and not kind.endswith(",0)"):
        return f"rtrim(rtrim({text}, '0'), '.')"
    if kind in ("DOUBLE", "FLOAT"):
        return f"regexp_replace({text}, '\\.0$', '')"
    if kind.startswith("TIMESTAMP"):
        return f"regexp_replace({text}, ' 00:00:00$', '')"
    return text


def _rewrite(place: Place, name: str, kinds: Mapping[str, str]) -> None:
    import duckdb

    table = place.open(name)
    wanted = {column: kinds[column] for column in arrow_schema(table).names if column in kinds}
    with closing(duckdb.connect()) as connection:
        connection.register("held", table.to_pyarrow_dataset())
        given = {row[0]: row[1] for row in connection.execute("DESCRIBE held").fetchall()}
        wanted = {column: kind for column, kind in wanted.items() if given[column] != kind}
        if not wanted:
            return
        cells = ", ".join(
            f"{_cast(sql_name(column), given[column], kind)} AS {sql_name(column)}"
            for column, kind in wanted.items()
        )
        package = delta()
        package.write_deltalake(
            table,
            connection.sql(f"SELECT * REPLACE ({cells}) FROM held").to_arrow_reader(),
            mode="overwrite",
            schema_mode="overwrite",
            writer_properties=package.WriterProperties(max_row_group_size=care.ROW_GROUP),
            commit_properties=commit_of("widen"),
        )


def _cast(cell: str, given: str, kind: str) -> str:
    return as_text(cell, given) if kind == TEXT else f"CAST({cell} AS {kind})"
