"""From the converted rows of one file to the canonical tables it holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier, literal
from revoir.language import msg, nmsg
from revoir.reading.answers import scales
from revoir.reading.part import REPEATED, Part
from revoir.reading.pieces import Piece, Pieces
from revoir.reading.recurring import monthly
from revoir.reading.sales import Sales
from revoir.reading.values import sounds
from revoir.tables import QUESTIONS, SCALES, TABLES, Type, plain_name, seems_of_five

if TYPE_CHECKING:
    import duckdb

_TOOK = re.compile(
    r"(first_(reply|response)_time|(delai|temps)_(de_)?(la_)?premiere_reponse)_(in|en)_"
    r"(?P<unit>minutes|hours|heures)"
)
"""Headers of how long it took to answer first; within opening hours is another thing."""
_HIGHEST = (5, 7, 10)


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
            case "products":
                return [self._products()]
            case str() as table:
                return self._plain(table)
        return []

    def _products(self) -> Piece:
        """One row a product, with the last that its rows say of it."""
        part = self.part
        key = part.product_key
        columns = {"product_id": key}
        for field in [*part.fields.of("products"), *self.free("products", columns)]:
            if field.name != "product_id":
                column = identifier(field.key)
                columns[field.name] = f"arg_max({column}, _line) FILTER ({column} IS NOT NULL)"
        rows = f"(SELECT * FROM {part.relation} WHERE _bad IS NULL OR _bad = {REPEATED})"
        return self.make("products", columns, f"{rows} GROUP BY {key} ORDER BY min(_line)")

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
        if table == "interactions" and (answered := self._first_answered(columns)):
            columns["first_response_at"] = answered
        if table == "interactions" and "text" in columns:
            columns["text_sentiment"] = sounds(self.connection, columns["text"])
        if table == "subscriptions" and (price := monthly(self.connection, part)):
            columns["monthly_amount"] = price
        theirs, rest = self.shared_out(table, columns)
        for field in rest:
            columns[field.name] = identifier(field.key)
        if table == "subscriptions" and "churned" not in columns and "ended_at" in columns:
            columns["churned"] = f"{columns['ended_at']} IS NOT NULL"
        piece = self.make(table, columns, part.accepted)
        return self.with_customers(piece, theirs, self._clock(table))

    def _first_answered(self, columns: dict[str, str]) -> str | None:
        """SQL of when somebody was first answered, where the file says how long it took."""
        if "first_response_at" in columns:
            return None
        for held in self.part.fields.attributes:
            told = _TOOK.fullmatch(plain_name(held.mapping.header))
            if told and held.type in (Type.DECIMAL, Type.INTEGER):
                unit = 3600 if told["unit"].startswith("h") else 60
                opened = self.utc("interactions.opened_at")
                return f"{opened} + to_seconds({identifier(held.key)} * {unit})"
        return None

    def _clock(self, table: str) -> str:
        """SQL of which row speaks last of a customer; rows without a date speak first."""
        name = TABLES[table].clock or "started_at"
        held = self.column(f"{table}.{name}")
        return f"(coalesce({held}, TIMESTAMP '1900-01-01'), _line)" if held else "_line"

    def _responses(self) -> Piece:
        """One row an answer of each question; the comment goes with the first."""
        part = self.part
        named = [
            (field.key, field.key.partition("question:")[2])
            for field in part.fields.of("responses")
            if field.key.startswith("responses.question:")
        ]
        questions = [(key, name, literal(name)) for key, name in named]
        if self.column("responses.score"):
            questions.append(("responses.score", self._scale(), self._question()))
        order = {"nps": 0, "csat": 1, "ces": 2, "enps": 3}
        questions.sort(key=lambda entry: order.get(entry[1], 9))
        selects = []
        for place, (key, _, question) in enumerate(questions):
            columns: dict[str, str] = {}
            number = self.column("responses.response_id")
            if number:
                several = len(questions) > 1 or self.column("responses.question") is not None
                columns["response_id"] = f"{number} || ':' || {question}" if several else number
            columns["customer_id"] = self.customer
            day = self.column("responses.responded_on")
            if day:
                columns["responded_on"] = day
            columns["question"] = question
            columns["score"] = identifier(key)
            comment = self.column("responses.comment")
            if comment:
                columns["comment"] = comment if place == 0 else "CAST(NULL AS VARCHAR)"
                columns["text_sentiment"] = sounds(self.connection, columns["comment"])
            for field in self.free("responses", columns):
                columns[field.name] = identifier(field.key)
            chosen = ", ".join(f"{sql} AS {identifier(n)}" for n, sql in columns.items())
            answered = f"{identifier(key)} IS NOT NULL"
            if comment and place == 0:
                answered += f" OR {comment} IS NOT NULL"
            selects.append(f"SELECT {chosen} FROM {part.accepted} WHERE {answered}")
        piece = self.make("responses", {name: identifier(name) for name in columns},
                          f"({' UNION ALL '.join(selects)})")  # fmt: skip
        self._tell_beyond(piece)
        return piece

    def _tell_beyond(self, piece: Piece) -> None:
        """Say which scores are not on the scale of their question: its metric refuses them."""
        beyond = " OR ".join(
            f"(question = {literal(name)} AND score NOT BETWEEN {low} AND {high})"
            for name, (low, high) in SCALES.items()
        )
        known = ", ".join(literal(name) for name in SCALES)
        rows = self.connection.execute(
            f"SELECT question, count(*) FILTER ({beyond}), count(score), min(score), max(score)"
            f" FROM {piece.relation} WHERE question IN ({known})"
            " GROUP BY question ORDER BY question"
        ).fetchall()
        for question, outside, count, least, most in rows:
            key = f"responses.question:{question}"
            held = self.part.fields[key if self.part.has(key) else "responses.score"]
            header, (low, high) = held.mapping.header, SCALES[question]
            if outside:
                self.part.notes.append(
                    nmsg(
                        "Column {header}: {n} score lies outside the scale from {low} to {high}, so"
                        " that no figure is made of it. Bring the scores to that scale, or give the"
                        " column another name.",
                        "Column {header}: {n} scores lie outside the scale from {low} to {high}, so"
                        " that no figure is made of them. Bring the scores to that scale, or give"
                        " the column another name.",
                        outside, header=header, low=low, high=high,
                    )
                )  # fmt: skip
            elif seems_of_five(high, count, least, most):
                self.part.notes.append(
                    msg(
                        "Column {header}: none of the {n} answers is above {most} on the scale from"
                        " {low} to {high}. They look like answers from 1 to 5, and no figure is"
                        " made of them as long as none is higher: bring the scores to that scale,"
                        " or give the column another name.",
                        header=header, n=count, low=low, high=high, most=most,
                    )
                )  # fmt: skip

    def _question(self) -> str:
        """SQL of the question that a bare score answers: the one the row names, else by its scale.

        A question goes by the name of a metric only where its answers keep to that metric's scale.
        """
        asked, scale = self.column("responses.question"), literal(self._scale())
        if asked is None:
            return scale
        score = identifier("responses.score")
        plain = f"regexp_replace(lower(strip_accents(trim({asked}))), '[^a-z0-9]+', '_', 'g')"
        highest = f"max({score}) OVER (PARTITION BY {asked})"
        cases = ""
        for name, words in QUESTIONS.items():
            known = ", ".join(literal(word) for word in (name, *words))
            called = f"{plain} IN ({known}) OR list_contains(split({plain}, '_'), {literal(name)})"
            cases += f" WHEN ({called}) AND {highest} <= {SCALES[name][1]} THEN {literal(name)}"
        return f"CASE WHEN {asked} IS NULL THEN {scale}{cases} ELSE trim({asked}) END"

    def _scale(self) -> str:
        """Which question a bare score answers, by its scale."""
        field = self.part.fields["responses.score"]
        row = self.connection.execute(
            f"SELECT min({identifier(field.key)}), max({identifier(field.key)})"
            f" FROM {self.part.accepted}"
        ).fetchall()[0]
        low, high = row if row and row[0] is not None else (0, 10)
        if out_of := scales(self.connection, self.part.raw, field.mapping.column):
            if len(out_of) > 1:
                self.part.notes.append(
                    msg(
                        "Column {header}: its answers are out of {scales}; each was read as it"
                        " stands. Bring them to one scale.",
                        header=field.mapping.header, scales=out_of,
                    )
                )  # fmt: skip
            low, high = min(low, 1), max(out_of)
            if high not in _HIGHEST:
                return plain_name(field.mapping.header) or "score"
        if high > 7 or low < 1:
            return "nps"
        return "csat" if high <= 5 else "ces"
