"""What one file gives to the canonical tables: the making of a piece, and customers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.reading.clocks import utc
from revoir.reading.fields import Field
from revoir.reading.part import REPEATED, Part
from revoir.tables import TABLES, Table

if TYPE_CHECKING:
    import duckdb

_CONSTANT_SHARE = 0.995
_ASK_ABOUT_MAX = 100_000
"""Rows looked at to see whether a column is constant for each customer or order."""
_PLACES = ("customers.city", "customers.postcode", "customers.region", "customers.country")


@dataclass(frozen=True)
class Piece:
    """What one file gives to one canonical table.

    Attributes:
        table: The canonical table.
        relation: Quoted name of a table or view with canonical columns.
        columns: Its columns.
    """

    table: str
    relation: str
    columns: tuple[str, ...]


class Pieces(ABC):
    """Makes the pieces of one file; each kind of file has its own.

    Args:
        connection: The connection that holds the file.
        part: The converted file.
        zone: IANA zone of the company.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, part: Part, zone: str) -> None:
        self.connection = connection
        self.part = part
        self.zone = zone
        self.customer = part.customer or "CAST(NULL AS VARCHAR)"

    @abstractmethod
    def pieces(self) -> list[Piece]:
        """The pieces, one a canonical table."""

    def make(self, table: str, columns: dict[str, str], rest: str, *, view: bool = False) -> Piece:
        """Make the table or view of a piece from columns and what follows FROM."""
        name = identifier(f"{table}_{self.part.number}")
        chosen = ", ".join(f"{sql} AS {identifier(column)}" for column, sql in columns.items())
        what = "VIEW" if view else "TABLE"
        self.connection.execute(f"CREATE OR REPLACE {what} {name} AS SELECT {chosen} FROM {rest}")
        return Piece(table, name, tuple(columns))

    def column(self, key: str) -> str | None:
        """The quoted converted column of a key, or None where the file has none."""
        return identifier(key) if key in self.part.fields else None

    def free(self, table: str, taken: dict[str, str]) -> list[Field]:
        """Attributes whose names no column of a table has."""
        names = {column.name for column in TABLES[table].columns} | set(taken)
        return [held for held in self.part.fields.attributes if held.name not in names]

    def utc(self, key: str, local: str | None = None) -> str:
        """SQL of the local time of a key in UTC; `local` is where it stands, if elsewhere."""
        return utc(local or identifier(key), self.zone, self.part.twice.get(key, ()))

    def constant(self, attributes: list[Field], key: str) -> list[Field]:
        """Those attributes that have one value for each value of a key, tested on the rows."""
        if not attributes:
            return []
        thin = max(1, self.part.rows // _ASK_ABOUT_MAX)
        where = f"({key}) IS NOT NULL" + (f" AND hash({key}) % {thin} = 0" if thin > 1 else "")
        # Different values would be counted with a table of them for each column, and 200 columns
        # took 40 s however few the rows.
        tests = ", ".join(
            f"coalesce(min({column}) = max({column}), true) AS t{place}"
            for place, column in enumerate(identifier(held.key) for held in attributes)
        )
        counts = ", ".join(f"count(*) FILTER (t{place})" for place in range(len(attributes)))
        row = self.connection.execute(
            f"SELECT count(*), {counts} FROM (SELECT {key} AS k, {tests}"
            f" FROM {self.part.accepted} WHERE {where} GROUP BY k HAVING count(*) > 1)"
        ).fetchall()[0]
        if not row or not row[0]:
            return []
        return [
            held
            for held, fit in zip(attributes, row[1:], strict=True)
            if fit / row[0] >= _CONSTANT_SHARE
        ]

    def shared_out(
        self, table: str, taken: dict[str, str], but: Table | None = None
    ) -> tuple[list[Field], list[Field]]:
        """Attributes and places of a file: those of the customers, and those of its rows.

        What never changes for a customer is the customer's; where some rows name nobody, those
        rows keep it too.

        Args:
            table: The canonical table of the rows.
            taken: Its columns so far.
            but: A table whose columns are none of these.

        Returns:
            The customers' columns, and the rows'; some are both.
        """
        part = self.part
        free = self.free(table, taken)
        free += [part.fields[key] for key in _PLACES if key in part.fields]
        if but is not None:
            free = [field for field in free if but.column(field.name) is None]
        theirs = self.constant(free, self.customer) if part.customer else []
        if not theirs or not self._everybody_known():
            return theirs, free
        return theirs, [field for field in free if field not in theirs]

    def _everybody_known(self) -> bool:
        row = self.connection.execute(
            f"SELECT count(*) - count({self.customer}) FROM {self.part.accepted}"
        ).fetchall()[0]
        return bool(row[0] == 0)

    def with_customers(
        self, piece: Piece, steady: list[Field] | None = None, clock: str = "_line"
    ) -> list[Piece]:
        """A piece, and the customers that its file describes on the same rows."""
        if self.part.customer is None or not (self.part.fields.of("customers") or steady):
            return [piece]
        return [piece, self.people(steady or [], clock)]

    def people(self, steady: list[Field], clock: str = "_line") -> Piece:
        """One row a customer, with the latest that the file says; some columns never change."""
        part = self.part
        columns = {"customer_id": "_customer"}
        held = [field for field in part.fields.of("customers") if field.name != "customer_id"]
        held += [field for field in steady if TABLES["customers"].column(field.name) is None]
        alone = part.detection.table == "customers" and not part.report.rows_duplicate
        for field in held:
            column = identifier(field.key)
            if alone:
                columns[field.name] = column
            elif field.name == "consent":
                # Who has once said no is not written to, whatever another row says.
                columns[field.name] = f"bool_and({column})"
            elif field in steady:
                columns[field.name] = f"max({column})"
            else:
                columns[field.name] = f"arg_max({column}, {clock})"
        rows = part.accepted
        if part.report.rows_duplicate and part.detection.table == "customers":
            # Repeated rows count as duplicates, but what they alone say is not lost.
            rows = f"(SELECT * FROM {part.relation} WHERE _bad IS NULL OR _bad = {REPEATED})"
        rest = f"(SELECT *, {self.customer} AS _customer FROM {rows}) WHERE _customer IS NOT NULL"
        return self.make("customers", columns, rest if alone else f"{rest} GROUP BY _customer")
