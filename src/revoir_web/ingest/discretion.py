"""Attributes of files that tell who somebody is stay out of the lake.

A column of a few values that many share (a shop, a tariff) describes; one where nearly every row
says something else may name. Of such columns, free text and what is each customer's own stay out
as a whole, and of the others the cells that name the row's customer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from revoir.tables import TABLES
from revoir_web.customers.naming import names_of
from revoir_web.ingest import sql

if TYPE_CHECKING:
    import duckdb

SHARED = 0.2
"""A column with fewer different values than this share of its cells describes."""
OWN = 0.9
FEW = 20
"""Of fewer cells nothing can be said: each is looked at."""
WORDS = 4
"""Cells of so many words, on average, are free text."""


def keep(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Take what names somebody out of `keyed_<table>`, before it is compared with the lake.

    Args:
        connection: Holds the table, with the lake's customer numbers.
        table: The canonical table.
    """
    relation = sql.name(f"keyed_{table}")
    kinds = sql.columns_of(connection, relation)
    attributes = [
        column
        for column, kind in kinds.items()
        if kind == "VARCHAR" and not column.startswith("_") and TABLES[table].column(column) is None
    ]
    dropped, looked_at = [], []
    for column in attributes:
        match _nature(connection, relation, column, of_customers=table == "customers"):
            case "tells":
                dropped.append(column)
            case "may tell":
                looked_at.append(column)
    if looked_at and "customer_id" in kinds:
        _mask(connection, relation, looked_at)
    if dropped:
        connection.execute(
            f"CREATE OR REPLACE TABLE {relation} AS SELECT * EXCLUDE ({sql.names(dropped)})"
            f" FROM {relation}"
        )


def _nature(
    connection: duckdb.DuckDBPyConnection, relation: str, column: str, *, of_customers: bool
) -> str:
    cell = sql.name(column)
    [(filled, distinct, words)] = connection.execute(
        f"SELECT count({cell}), count(DISTINCT {cell}),"
        f" avg(len(string_split_regex(trim({cell}), '\\s+'))) FROM {relation}"
    ).fetchall()
    if not filled or (filled >= FEW and distinct < SHARED * filled):
        return "describes"
    if words >= WORDS or (of_customers and filled >= FEW and distinct >= OWN * filled):
        return "tells"
    return "may tell"


def _mask(connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]) -> None:
    import pyarrow as pa

    filled = " OR ".join(f"{sql.name(column)} IS NOT NULL" for column in columns)
    ids = connection.execute(
        f"SELECT DISTINCT customer_id FROM {relation} WHERE customer_id IS NOT NULL AND ({filled})"
    ).fetchall()
    names = names_of(row[0] for row in ids)
    if not names:
        return
    connection.register(
        "names_given",
        pa.table(
            {
                "customer_id": pa.array(list(names), pa.string()),
                "_names": pa.array(list(names.values()), pa.list_(pa.string())),
            }
        ),
    )
    cells = ", ".join(f"{_discreet(f't.{sql.name(c)}')} AS {sql.name(c)}" for c in columns)
    connection.execute(
        f"CREATE OR REPLACE TABLE {relation} AS SELECT t.* REPLACE ({cells})"
        f" FROM {relation} AS t LEFT JOIN names_given AS w ON w.customer_id = t.customer_id"
    )
    connection.unregister("names_given")


def _discreet(cell: str) -> str:
    words = (
        f"' ' || regexp_replace(lower(strip_accents({cell})), '[^\\p{{L}}\\p{{N}}]+', ' ', 'g')"
        " || ' '"
    )
    named = f"len(list_filter(w._names, lambda one: contains({words}, one))) > 0"
    return f"CASE WHEN {named} THEN NULL ELSE {cell} END"
