"""From canonical rows of a file to rows of the lake: who it is, which row it is, what is new.

Every row gets a key that it has again in next month's file. Where the file numbers its rows that
is their number; where it does not, the key is made of what the row says and of how many equal
rows stand before it. So an export that begins in January again adds only what is new in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from revoir.errors import UsageError
from revoir.language import Message, msg
from revoir.store.shape import MASK
from revoir.tables import CALLED, CUSTOMERS, NO_WORDS, TABLES
from revoir_web.ingest import (
    actions,
    corrections,
    discretion,
    fitting,
    refunds,
    restarts,
    retold,
    returned,
    sql,
    understanding,
    unnumbered,
)
from revoir_web.ingest.lake import lake, tables_of
from revoir_web.ingest.models import Import, KnownMapping

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

WORDS = ".words.parquet"
"""How the file ends that holds what customers said in one of the tables."""
CONSENTS = "customers.consents.parquet"
"""The file of what customers agreed to or not, as this import says it and no other."""
ORDER = ("customers", "orders", "order_lines", "subscriptions", "responses", "interactions",
         "events", "products")  # fmt: skip
Resolve = Callable[["pa.Table"], "pa.Table"]
"""From the customers of an import (`key` and profile) to `key` and `customer_id`."""


@dataclass(frozen=True)
class Staged:
    """The rows of one table, ready to be written.

    Attributes:
        new: How many rows have keys that the lake has not.
        changed: How many put others in their place.
        unchanged: How many are in the lake as they are.
        restarted: How many were numbered by their day, since the lake has another day's order
            under the number that the file gives them.
    """

    new: int
    changed: int
    unchanged: int
    restarted: int = 0

    def told(self) -> dict[str, int]:
        """The counts by name; `restarted` where there are any."""
        return {name: n for name, n in vars(self).items() if n or name != "restarted"}


def prepare(
    held: Import, resolve: Resolve, progress: Callable[[Message], None]
) -> dict[str, Staged]:
    """Make the rows that an import writes into the lake as it is now.

    Args:
        held: The import, read.
        resolve: Finds or makes the customers.
        progress: Told what is being done.

    Returns:
        By table, what will be written.

    Raises:
        UsageError: What was read is gone, since another program removed it.
    """
    made = held.folder / "made"
    if not made.is_dir():
        raise UsageError(
            msg("What was read of the files is no longer on the disk."),
            remedy=msg("Import the files again."),
        )
    folder = understanding.fresh(held.folder / "final")
    with closing(sql.connect(held.folder / "spill")) as connection:
        for path in made.glob("*.parquet"):
            connection.execute(
                f"CREATE TABLE {sql.name(path.stem)} AS SELECT row_number() OVER () AS _row, *"
                f" FROM read_parquet({sql.text(str(path))})"
            )
        there = [name for name in ORDER if (made / f"{name}.parquet").is_file()]
        progress(msg("Looking up the customers…"))
        _resolve(connection, there, resolve)
        store = lake()
        known = tables_of(store, connection)
        keys = Keys(connection, held, known)
        counts, restarted = {}, 0
        for table in there:
            progress(msg("Comparing with what is there: {table}…", table=CALLED[table]))
            keys.make(table)
            if table in known and table != "products" and not keys.correction:
                corrections.know_again(connection, table, known[table])
                if table in retold.SAYS:
                    retold.know_again(connection, table, known[table])
            if table == "orders" and table in known:
                if not keys.correction and not keys.by_line:
                    unnumbered.know_again(connection, known[table], same_layout=keys.same_layout)
                if not keys.correction:
                    restarted = restarts.tell_apart(connection, known[table])
                returned.tell_apart(connection, known[table], correction=keys.correction)
            discretion.keep(connection, table)
            if table in known and fitting.fit(connection, table, known[table], store):
                known[table] = tables_of(store, connection)[table]
        if "order_lines" in there and "orders" in known and not keys.correction:
            returned.absorb(connection, known)
        if "orders" in there and "order_lines" in known:
            if "order_lines" not in there:
                returned.cancel_rows(connection, known)
            elif keys.correction:
                corrections.settle(connection, known)
            else:
                returned.cancel_lines(connection, known["order_lines"])
        if "orders" in there:
            refunds.keep(
                connection, known.get("orders"), lines="order_lines" in there,
                added=keys.correction and keys.by_line, folder=folder,
            )  # fmt: skip
        for table in there:
            counts[table] = _part(connection, table, known, folder, keys)
            _write_words(connection, table, folder)
        if "customers" in there:
            _write_consents(connection, folder)
    if restarted:
        counts["orders"] = replace(counts["orders"], restarted=restarted)
    return counts


# -- Who ----------------------------------------------------------------------------------------
def _resolve(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[str], resolve: Resolve
) -> None:
    """Put the lake's number of each customer in the place of what the file calls them."""
    selects = [
        f"SELECT CAST(customer_id AS VARCHAR) AS key FROM {sql.name(table)}"
        for table in tables
        if "customer_id" in sql.columns_of(connection, sql.name(table))
    ]
    if not selects:
        return
    keys = f"SELECT DISTINCT key FROM ({' UNION ALL '.join(selects)}) WHERE key IS NOT NULL"
    if "customers" in tables:
        own = [
            c for c in sql.columns_of(connection, "customers") if c not in ("_row", "customer_id")
        ]
        cells = "".join(
            f", any_value(c.{sql.name(column)}) AS {sql.name(column)}" for column in own
        )
        keys = (
            f"SELECT k.key{cells} FROM ({keys}) AS k LEFT JOIN customers AS c"
            " ON CAST(c.customer_id AS VARCHAR) = k.key GROUP BY k.key"
        )
    people = connection.sql(f"{keys} ORDER BY key").to_arrow_table()
    numbers = resolve(people)
    connection.register("numbers_given", numbers)
    connection.execute("CREATE TABLE numbers AS SELECT key, customer_id FROM numbers_given")
    connection.unregister("numbers_given")


# -- Which row ------------------------------------------------------------------------------------
class Keys:
    """Gives the rows of an import their keys.

    Args:
        connection: Holds the canonical tables, each with `_row`, and `numbers`.
        held: The import.
        known: SQL of the tables of the lake.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, held: Import, known: Mapping[str, str]
    ) -> None:
        self._connection = connection
        self._known = known
        self._own = held.id.hex[:10]
        told = understanding.kept(held) or {"files": []}
        files = told["files"]
        self._mapping = told.get("mapping")
        # A file of corrected rows adds to what its first import brought, and replaces none of it.
        self.correction = any(
            header.strip("'").startswith("revoir: line") for f in files for header in f["headers"]
        )
        self.by_line = any(file["table"] == "order_lines" for file in files)
        self.totals = any(
            column["target"] == "orders.amount" for file in files for column in file["columns"]
        )
        self._loose = [
            str(place + 1)
            for place, file in enumerate(files)
            if file["table"] in ("orders", "order_lines")
            and not any(column["target"] == "orders.order_id" for column in file["columns"])
        ]

    @cached_property
    def same_layout(self) -> bool:
        """Whether a file with the headers of one of these was imported before."""
        entries = understanding.load(self._mapping).files if self._mapping else ()
        prints = [actions.fingerprint(entry.columns) for entry in entries]
        return KnownMapping.objects.filter(fingerprint__in=prints).exists()

    def make(self, table: str) -> None:
        """Make `keyed_<table>`: the rows with their keys and the lake's customer numbers."""
        makers = {
            "orders": self._orders, "order_lines": self._lines, "customers": self._customers,
            "products": self._products,
        }  # fmt: skip
        makers.get(table, self._others)(table)

    def _columns(self, table: str, *but: str) -> list[str]:
        held = sql.columns_of(self._connection, sql.name(table))
        return [column for column in held if column not in ("_row", *but)]

    def _loose_order(self, column: str) -> str:
        """SQL of whether an order's number was made up by the reader."""
        if not self._loose:
            return "false"
        pattern = f"^({'|'.join(re.escape(place) for place in self._loose)})\\.\\d+$"
        return f"regexp_matches(CAST({column} AS VARCHAR), {sql.text(pattern)})"

    def _hashed(self, table: str, said: Iterable[str], where: str) -> str:
        """SQL of a key made of what a row says; nobody's rows are this import's alone."""
        own = f"CASE WHEN t.customer_id IS NULL THEN {sql.text(self._own)} ELSE '' END"
        cells = ", ".join(f"coalesce(CAST({cell} AS VARCHAR), '')" for cell in said)
        body = f"concat_ws(chr(31), {own}, coalesce(CAST(t.customer_id AS VARCHAR), ''), {cells})"
        nth = f"row_number() OVER (PARTITION BY {body} ORDER BY t._row)"
        prefix = corrections.ACCEPTED
        # Lines without the number of an order are of the order that was made of the others.
        if self.correction and not (table == "orders" and self.by_line):
            prefix = corrections.CORRECTED
            held = self._known.get(table)
            nth = f"({nth} + {corrections.equal_before(body, TABLES[table].key, held)})"
        return f"CASE WHEN {where} THEN {corrections.key_of(nth, body, prefix)} END"

    def _customers(self, table: str) -> None:
        columns = self._columns(table, "customer_id")
        cells = "".join(
            f", arg_min(t.{sql.name(c)}, t._row) FILTER (t.{sql.name(c)} IS NOT NULL)"
            f" AS {sql.name(c)}"
            for c in columns
        )
        self._connection.execute(
            f"CREATE TABLE keyed_customers AS SELECT n.customer_id{cells} FROM customers AS t"
            " JOIN numbers AS n ON n.key = CAST(t.customer_id AS VARCHAR)"
            " WHERE n.customer_id IS NOT NULL GROUP BY n.customer_id"
        )

    def _products(self, table: str) -> None:
        cells = "".join(f", {sql.name(c)}" for c in self._columns(table, "product_id"))
        self._connection.execute(
            "CREATE TABLE keyed_products AS SELECT CAST(product_id AS VARCHAR) AS product_id"
            f"{cells} FROM products"
        )

    def _orders(self, table: str) -> None:
        columns = self._columns(table, "order_id", "customer_id")
        numbered = "order_id" in self._columns(table)
        if numbered:
            loose = f"(t.order_id IS NULL OR {self._loose_order('t.order_id')})"
            said = ["t.ordered_at"] if self.by_line else [f"t.{sql.name(c)}" for c in columns]
            # What is given back under the order's own number is a row beside it.
            plain = (
                f"CAST(t.order_id AS VARCHAR) || CASE WHEN t.kind = 'return' THEN '{returned.MARK}'"
                " ELSE '' END"
            )
            nth = f"row_number() OVER (PARTITION BY {plain} ORDER BY t.ordered_at, t._row)"
            again = f"CASE WHEN {nth} > 1 THEN '~' || {nth} ELSE '' END"
            key = f"coalesce({self._hashed(table, said, loose)}, {plain} || {again})"
            old = "CAST(t.order_id AS VARCHAR)"
        else:
            key = self._hashed(table, [f"t.{sql.name(c)}" for c in columns], "true")
            old = "NULL"
        self._connection.execute(
            f"CREATE TABLE keyed_orders AS SELECT {key} AS order_id, {old} AS _old, n.customer_id"
            f" AS customer_id, {sql.names(columns, 't.')} FROM orders AS t"
            " LEFT JOIN numbers AS n ON n.key = CAST(t.customer_id AS VARCHAR)"
        )

    def _lines(self, table: str) -> None:
        columns = self._columns(table, "order_id", "customer_id", "line_id")
        own = "t.line_id" if "line_id" in self._columns(table) else "CAST(NULL AS VARCHAR)"
        said = [c for c in ("product_id", "product", "quantity", "unit_price", "amount")
                if c in columns]  # fmt: skip
        place = (
            f"row_number() OVER (PARTITION BY o.order_id ORDER BY {sql.names(said, 't.')}, t._row)"
        )
        if self.correction:
            place = corrections.of_line([f"t.{sql.name(c)}" for c in said])
        self._connection.execute(
            "CREATE TABLE keyed_order_lines AS SELECT order_id || ':' || _line"
            " || CASE WHEN _nth > 1 THEN '~' || _nth ELSE '' END AS line_id,"
            " * EXCLUDE (_line, _nth) FROM (SELECT *, row_number() OVER (PARTITION BY order_id,"
            " _line ORDER BY _row) AS _nth FROM (SELECT t._row, o.order_id,"
            f" CAST(coalesce(CAST({own} AS VARCHAR), CAST({place} AS VARCHAR)) AS VARCHAR)"
            f" AS _line, n.customer_id AS customer_id, {sql.names(columns, 't.')}"
            " FROM order_lines AS t JOIN (SELECT _old, any_value(order_id ORDER BY order_id) AS"
            " order_id, kind = 'return' AS back, CASE WHEN kind = 'return' THEN"
            " ordered_on END AS day"
            " FROM keyed_orders GROUP BY ALL) AS o"
            " ON o._old = CAST(t.order_id AS VARCHAR) AND o.back = (t.kind = 'return')"
            " AND coalesce(o.day, t.ordered_on) IS NOT DISTINCT FROM t.ordered_on"
            " LEFT JOIN numbers AS n ON n.key = CAST(t.customer_id AS VARCHAR)))"
        )

    def _others(self, table: str) -> None:
        key = TABLES[table].key
        there = self._columns(table)
        columns = [column for column in there if column not in (key, "customer_id")]
        said = [f"t.{sql.name(c)}" for c in retold.SAYS[table] if c in columns]
        said = said or [f"t.{sql.name(c)}" for c in columns]
        absent = "" if "customer_id" in there else ", CAST(NULL AS VARCHAR) AS customer_id"
        relation = f"(SELECT *{absent} FROM {sql.name(table)})"
        if key in there:
            held = f"CAST(t.{sql.name(key)} AS VARCHAR)"
            nth = f"row_number() OVER (PARTITION BY {held} ORDER BY t._row)"
            made = (
                f"coalesce({held} || CASE WHEN {nth} > 1 THEN '~' || {nth} ELSE '' END,"
                f" {self._hashed(table, said, 'true')})"
            )
        else:
            made = self._hashed(table, said, "true")
        self._connection.execute(
            f"CREATE TABLE {sql.name('keyed_' + table)} AS SELECT {made} AS {sql.name(key)},"
            f" n.customer_id AS customer_id{''.join(f', t.{sql.name(c)}' for c in columns)}"
            f" FROM {relation} AS t LEFT JOIN numbers AS n"
            " ON n.key = CAST(t.customer_id AS VARCHAR)"
        )


# -- What is new ----------------------------------------------------------------------------------
def _part(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    known: dict[str, str],
    folder: Path,
    keys: Keys,
) -> Staged:
    """Part the rows of a table into new and changed ones, and write them for the lake."""
    key = sql.name(TABLES[table].key)
    mine = sql.name(f"keyed_{table}")
    # The lake takes nothing that tells who a person is: that it has none of it is no change.
    personal = {c.name for c in CUSTOMERS.columns if c.personal and table == CUSTOMERS.name}
    columns = [
        c for c in sql.columns_of(connection, mine) if not c.startswith("_") and c not in personal
    ]
    total = _count(connection, mine)
    if table not in known:
        _write(
            connection, f"SELECT {sql.names(columns)} FROM {mine}", folder / f"{table}.new.parquet"
        )
        return Staged(total, 0, 0)
    there = sql.name(f"there_{table}")
    connection.execute(
        f"CREATE TABLE {there} AS SELECT * FROM {known[table]} AS l"
        f" WHERE l.{key} IN (SELECT {key} FROM {mine})"
    )
    if not _count(connection, there) and table != "order_lines":
        _write(
            connection, f"SELECT {sql.names(columns)} FROM {mine}", folder / f"{table}.new.parquet"
        )
        return Staged(total, 0, 0)
    held = sql.columns_of(connection, there)
    adds = table == "orders" and keys.correction and keys.by_line
    listed = None
    if table == "orders" and keys.by_line and not keys.totals and not keys.correction:
        listed = _listed(known)
    cells, differ = [], []
    for column in columns:
        quoted = sql.name(column)
        cell = f"m.{quoted}"
        if column in held:
            cell = f"CAST({cell} AS {held[column]})"
            if table in ("customers", "products"):
                # What this file does not say stays as it was.
                cell = f"coalesce({cell}, l.{quoted})"
            elif column == "customer_id":
                # Who asked to be forgotten stays who they are in the figures.
                cell = f"coalesce({cell}, l.{quoted})"
            elif adds:
                cell = _added(column, cell, f"l.{quoted}")
            elif listed is not None:
                cell = f"CASE WHEN {listed} THEN coalesce(l.{quoted}, {cell}) ELSE {cell} END"
            told = _ellipsis(cell) if column == words_of(table) else cell
            differ.append(f"{told} IS DISTINCT FROM l.{quoted}")
        else:
            differ.append(f"{cell} IS NOT NULL")
        cells.append(f"{cell} AS {quoted}")
    joined = f"FROM {mine} AS m JOIN {there} AS l ON l.{key} = m.{key}"
    changed = f"SELECT {', '.join(cells)} {joined} WHERE {' OR '.join(differ)}"
    if table == "order_lines" and not keys.correction:
        changed += f" UNION ALL BY NAME {_gone(known[table], held, columns)}"
    fresh_ = (
        f"SELECT {sql.names(columns)} FROM {mine} WHERE {key} NOT IN (SELECT {key} FROM {there})"
    )
    count = _write(connection, changed, folder / f"{table}.changed.parquet")
    added = _write(connection, fresh_, folder / f"{table}.new.parquet")
    again = f"SELECT m.{key} {joined} WHERE NOT ({' OR '.join(differ)})"
    gone = 0
    if table == "order_lines" and not keys.correction and "kind" in held:
        # That they are there no more is said again, too.
        before = f"SELECT line_id {_beside(known[table])} AND l.kind = 'cancelled'"
        gone = _count(connection, f"({before})")
        again += f" UNION ALL {before}"
    same = _write(connection, again, folder / f"{table}.again.parquet")
    return Staged(added, count, same - gone)


def _listed(known: Mapping[str, str]) -> str:
    """SQL of whether an order `l` of the lake is no sum of its lines: a list had its total.

    What lines come to lacks what was paid for shipping, and whether the order was cancelled.
    """
    if "order_lines" not in known:
        return "true"
    return (
        "NOT EXISTS (SELECT 1 FROM (SELECT sum(amount) AS lines, 0.01 * count(*) AS off FROM"
        f" {known['order_lines']} AS n WHERE n.order_id = l.order_id AND n.kind = l.kind)"
        " WHERE abs(lines - l.amount) <= off)"
    )


def words_of(table: str) -> str | None:
    """The column of a table that holds a customer's own words (None: it has none)."""
    return {"responses": "comment", "interactions": "text"}.get(table)


def _ellipsis(cell: str) -> str:
    """SQL of what the lake keeps of words: that there are some."""
    nothing = ", ".join(sql.text(word) for word in NO_WORDS)
    return f"CASE WHEN lower(trim({cell})) NOT IN ({nothing}) THEN {sql.text(MASK)} END"


def _write_words(connection: duckdb.DuckDBPyConnection, table: str, folder: Path) -> None:
    """Write what customers said for the application's database: the lake takes none of it."""
    column = words_of(table)
    mine = sql.name(f"keyed_{table}")
    if column is None or column not in sql.columns_of(connection, mine):
        return
    query = (
        f"SELECT customer_id, {sql.name(TABLES[table].key)} AS row, {sql.name(column)} AS words"
        f" FROM {mine} WHERE customer_id IS NOT NULL ORDER BY row"
    )
    _write(connection, query, folder / f"{table}{WORDS}")


def _write_consents(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write what the files say of consent: rows for the lake hold what others said, too."""
    mine = sql.name("keyed_customers")
    if sql.columns_of(connection, mine).get("consent") == "BOOLEAN":
        query = f"SELECT customer_id, consent FROM {mine} WHERE consent IS NOT NULL"
        _write(connection, query, folder / CONSENTS)


def _added(column: str, mine: str, theirs: str) -> str:
    """SQL of a cell of an order to which corrected lines are added."""
    if column in ("amount", "margin", "discount", "refunded"):
        return f"coalesce({theirs} + {mine}, {theirs}, {mine})"
    if column == "kind":
        # Of an order that came to nothing, its corrected lines say what it is.
        return f"coalesce(nullif({theirs}, 'free'), {mine})"
    return f"coalesce({theirs}, {mine})"


def _gone(known: str, held: dict[str, str], columns: Sequence[str]) -> str:
    """Lines that an order had and has no more: they stay, and come to nothing."""
    nothing = {"kind": "'cancelled'", "amount": "0", "quantity": "0", "margin": "0"}
    cells = ", ".join(
        f"CAST({nothing[c]} AS {held[c]}) AS {sql.name(c)}" if c in nothing else f"l.{sql.name(c)}"
        for c in columns
        if c in held
    )
    return f"SELECT {cells} {_beside(known)} AND l.kind IS DISTINCT FROM 'cancelled'"


def _beside(known: str) -> str:
    """Lines that the lake has of orders of an import, which has none such."""
    return (
        f"FROM {known} AS l WHERE l.order_id IN (SELECT order_id FROM keyed_order_lines)"
        " AND l.line_id NOT IN (SELECT line_id FROM keyed_order_lines)"
    )


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    row = connection.execute(f"COPY ({query}) TO {sql.text(str(path))}").fetchall()[0]
    if not row[0]:
        path.unlink(missing_ok=True)
    return int(row[0])
