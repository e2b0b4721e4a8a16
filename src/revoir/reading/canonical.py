"""From the converted rows of one file to the canonical tables it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from revoir.engines.sql import identifier, literal
from revoir.reading.part import Part
from revoir.reading.pieces import Piece, Pieces
from revoir.reading.sales import Sales
from revoir.tables import TABLES, Type

if TYPE_CHECKING:
    import duckdb


def split(connection: duckdb.DuckDBPyConnection, part: Part, zone: str) -> list[Piece]:
    """Bring a converted file into the canonical tables it holds.

    Args:
        connection: The connection that holds it.
        part: The converted file.
        zone: IANA zone of the company.

    Returns:
        The pieces, one a canonical table.
    """
    kind = Sales if part.detection.table == "orders" else _Others
    return kind(connection, part, zone).pieces()


class _Others(Pieces):
    """Brings the rows of a file that holds no sales into its table."""

    def pieces(self) -> list[Piece]:
        part = self.part
        match part.detection.table:
            case "responses":
                return self.with_customers(self._responses())
            case "customers":
                return [self.people(part.fields.attributes)]
            case str() as table:
                return self._plain(table)
        return []

    def _plain(self, table: str) -> list[Piece]:
        """A table whose rows are those of the file, and the customers they describe."""
        part = self.part
        columns: dict[str, str] = {}
        for column in TABLES[table].columns:
            if column.name == "customer_id":
                if part.customer:
                    columns["customer_id"] = self.customer
                continue
            held = self.column(f"{table}.{column.name}")
            if held is None:
                continue
            key = f"{table}.{column.name}"
            columns[column.name] = self.utc(key) if column.type is Type.TIMESTAMP else held
        theirs, rest = self.shared_out(table, columns)
        for field in rest:
            columns[field.name] = identifier(field.key)
        if table == "subscriptions" and "churned" not in columns and "ended_at" in columns:
            columns["churned"] = f"{columns['ended_at']} IS NOT NULL"
        piece = self.make(table, columns, part.accepted)
        return self.with_customers(piece, theirs, self._clock(table))

    def _clock(self, table: str) -> str:
        """SQL of which row speaks last of a customer; rows without a date speak first."""
        name = TABLES[table].clock or "started_at"
        held = self.column(f"{table}.{name}")
        return f"(coalesce({held}, TIMESTAMP '1900-01-01'), _line)" if held else "_line"

    def _responses(self) -> Piece:
        """One row an answer of each question; the comment goes with the first."""
        part = self.part
        questions = [
            (field.key, field.key.partition("question:")[2])
            for field in part.fields.of("responses")
            if field.key.startswith("responses.question:")
        ]
        score = self.column("responses.score")
        if score:
            questions.append(("responses.score", self._scale()))
        order = {"nps": 0, "csat": 1, "ces": 2, "enps": 3}
        questions.sort(key=lambda entry: order.get(entry[1], 9))
        selects = []
        for place, (key, name) in enumerate(questions):
            columns: dict[str, str] = {}
            number = self.column("responses.response_id")
            if number:
                several = f"{number} || {literal(':' + name)}"
                columns["response_id"] = several if len(questions) > 1 else number
            columns["customer_id"] = self.customer
            day = self.column("responses.responded_on")
            if day:
                columns["responded_on"] = day
            columns["question"] = literal(name)
            columns["score"] = identifier(key)
            comment = self.column("responses.comment")
            if comment:
                columns["comment"] = comment if place == 0 else "CAST(NULL AS VARCHAR)"
            for field in self.free("responses", columns):
                columns[field.name] = identifier(field.key)
            chosen = ", ".join(f"{sql} AS {identifier(n)}" for n, sql in columns.items())
            answered = f"{identifier(key)} IS NOT NULL"
            if comment and place == 0:
                answered += f" OR {comment} IS NOT NULL"
            selects.append(f"SELECT {chosen} FROM {part.accepted} WHERE {answered}")
        return self.make("responses", {name: identifier(name) for name in columns},
                          f"({' UNION ALL '.join(selects)})")  # fmt: skip

    def _scale(self) -> str:
        """Which question a bare score answers, by its scale."""
        field = self.part.fields["responses.score"]
        row = self.connection.execute(
            f"SELECT min({identifier(field.key)}), max({identifier(field.key)})"
            f" FROM {self.part.accepted}"
        ).fetchall()[0]
        low, high = row if row and row[0] is not None else (0, 10)
        if high > 7 or low < 1:
            return "nps"
        return "csat" if high <= 5 else "ces"
