"""The pieces of all files as one relation a canonical table, and customers as one row each."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier, literal
from revoir.language import Message, msg, nmsg
from revoir.reading.part import Part, summary
from revoir.reading.pieces import Piece
from revoir.reading.values import DECIMAL
from revoir.tables import AGE_BANDS, TABLES, band_named

if TYPE_CHECKING:
    import duckdb


class Together:
    """Unites the pieces of all files into one relation a canonical table.

    Args:
        connection: The connection that holds them.
        parts: The files, converted.
        pieces: What each of them gives to a canonical table.
        notes: Told what is to be known of all files together.
        today: Nobody's age is counted on a later day (None: the data end earlier).
        currency: The currency of amounts that carry none (None: it is not known).
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        parts: list[Part],
        pieces: list[Piece],
        notes: list[Message],
        today: dt.date | None = None,
        currency: str | None = None,
    ) -> None:
        self.connection = connection
        self.parts = parts
        self.pieces = pieces
        self.notes = notes
        self.today = today
        self.currency = currency

    def unite(self) -> dict[str, str]:
        """The quoted relation of each canonical table that was found."""
        names: dict[str, str] = {}
        self._join_identities()
        mixed = self._mixed_ids()
        for table in TABLES:
            held = [piece for piece in self.pieces if piece.table == table]
            if not held:
                continue
            name = identifier(table)
            if table == "customers" and len(held) > 1:
                self._unite_customers(held, name)
            else:
                held = self._whole_orders(held) if table == "orders" else held
                body = " UNION ALL BY NAME ".join(self._select(piece, mixed) for piece in held)
                if table == "customers":
                    body = f"SELECT *{self._band(held)} FROM ({body})"
                elif self.currency and any("currency" in piece.columns for piece in held):
                    given = f"coalesce(currency, {literal(self.currency)}) AS currency"
                    body = f"SELECT * REPLACE ({given}) FROM ({body})"
                self.connection.execute(f"CREATE OR REPLACE VIEW {name} AS {body}")
            names[table] = name
        if "customers" in names:
            self._link(names)
        if {"products", "order_lines"} <= names.keys():
            self._tell_unlisted(names)
        return names

    def _join_identities(self) -> None:
        """Give sales that know customers by e-mail the numbers that a file of customers has."""
        known = [
            part for part in self.parts
            if part.detection.table == "customers" and part.identity == "customer_id"
            and part.has("customers.email")
        ]  # fmt: skip
        strangers = [part for part in self.parts if part.identity == "email" or part.addressed]
        if not known or not strangers:
            return
        links = identifier("numbers by address")
        held = " UNION ALL ".join(
            f"SELECT email, CAST(customer_id AS VARCHAR) AS id FROM customers_{part.number}"
            for part in known
        )
        self.connection.execute(
            f"CREATE OR REPLACE TABLE {links} AS SELECT email, min(id) AS id FROM ({held})"
            " WHERE email IS NOT NULL GROUP BY email HAVING count(DISTINCT id) = 1"
        )
        numbers = {part.number for part in strangers}
        self.pieces = [
            self._linked(piece, links)
            if any(piece.relation == identifier(f"{piece.table}_{n}") for n in numbers)
            else piece
            for piece in self.pieces
        ]
        self.notes.append(
            msg("Customers known by their e-mail address were given their customer number.")
        )

    def _linked(self, piece: Piece, links: str) -> Piece:
        if "customer_id" not in piece.columns:
            return piece
        name = identifier(f"linked {piece.relation.strip(chr(34))}")
        columns = ", ".join(
            "coalesce(l.id, p.customer_id) AS customer_id" if column == "customer_id"
            else f"p.{identifier(column)}"
            for column in piece.columns
        )  # fmt: skip
        self.connection.execute(
            f"CREATE OR REPLACE VIEW {name} AS SELECT {columns} FROM {piece.relation} AS p"
            f" LEFT JOIN {links} AS l ON l.email = p.customer_id"
        )
        return Piece(piece.table, name, piece.columns)

    def _mixed_ids(self) -> bool:
        """Whether customer numbers must become text to agree between files."""
        kinds = {self._type(piece, "customer_id") for piece in self.pieces} - {None}
        return len(kinds) > 1

    def _type(self, piece: Piece, column: str) -> str | None:
        if column not in piece.columns:
            return None
        described = self.connection.execute(f"DESCRIBE {piece.relation}").fetchall()
        return next((kind for name, kind, *_ in described if name == column), None)

    def _select(self, piece: Piece, mixed: bool) -> str:
        columns = ", ".join(
            f"CAST({identifier(name)} AS VARCHAR) AS {identifier(name)}"
            if mixed and name == "customer_id"
            else identifier(name)
            for name in piece.columns
        )
        return f"SELECT {columns} FROM {piece.relation}"

    def _whole_orders(self, held: list[Piece]) -> list[Piece]:
        """Make one order of what several files of lines have of it: exports come in chunks."""
        lines = {
            identifier(f"{linked}orders_{part.number}"): part
            for linked in ("", "linked ")
            for part in self.parts
            if part.grain == "line" and part.has("orders.order_id")
        }
        chunks = [piece for piece in held if piece.relation in lines]
        if len(chunks) < 2:
            return held
        mixed = self._mixed_ids()
        rows = " UNION ALL BY NAME ".join(
            f"SELECT {place} AS _place, {str(lines[piece.relation].totals).lower()} AS _totals, *"
            f" FROM ({self._select(piece, mixed)})"
            for place, piece in enumerate(chunks)
        )
        cut = (
            f"SELECT order_id FROM ({rows}) WHERE kind <> 'return'"
            " GROUP BY order_id HAVING count(DISTINCT _place) > 1"
        )
        if not self.connection.execute(f"{cut} LIMIT 1").fetchall():
            return held
        name, over = identifier("whole orders"), "FILTER (kind <> 'cancelled')"
        columns = list(dict.fromkeys(column for piece in chunks for column in piece.columns))
        amount = f"coalesce(sum(amount) {over}, sum(amount))"
        amount = f"CASE WHEN bool_and(_totals) THEN max(amount) ELSE {amount} END"
        kinds = {
            "order_id": "order_id", "amount": f"CAST({amount} AS {DECIMAL})",
            "kind": "CASE WHEN bool_and(kind = 'cancelled') THEN 'cancelled'"
            f" WHEN {amount} > 0 THEN 'purchase' WHEN {amount} < 0 THEN 'return' ELSE 'free' END",
            "ordered_at": "min(ordered_at)", "ordered_on": "min(ordered_on)",
            **{sums: f"CAST(sum({sums}) AS {DECIMAL})" for sums in ("margin", "discount",
                                                                   "refunded")},
        }  # fmt: skip
        cells = ", ".join(
            f"{kinds.get(column, f'any_value({identifier(column)} ORDER BY _place)')}"
            f" AS {identifier(column)}"
            for column in columns
        )
        test = f"order_id IN ({cut}) AND kind <> 'return'"
        self.connection.execute(
            f"CREATE OR REPLACE TABLE {name} AS WITH chunks AS ({rows}) SELECT {cells} FROM chunks"
            f" WHERE {test} GROUP BY order_id UNION ALL BY NAME SELECT * EXCLUDE (_place, _totals)"
            f" FROM chunks WHERE NOT coalesce({test}, false)"
        )
        others = [piece for piece in held if piece not in chunks]
        return [*others, Piece("orders", name, tuple(columns))]

    def _unite_customers(self, held: list[Piece], name: str) -> None:
        """One row a customer; a file of customers speaks before one of orders."""
        own = {
            identifier(f"customers_{part.number}")
            for part in self.parts
            if part.detection.table == "customers"
        }
        ranked = sorted(held, key=lambda piece: piece.relation not in own)
        selects = [
            f"SELECT {place} AS _rank, * FROM ({self._select(piece, True)})"
            for place, piece in enumerate(ranked)
        ]
        columns = list(dict.fromkeys(c for piece in ranked for c in piece.columns))
        chosen = ", ".join(
            f"bool_and({identifier(c)}) AS {identifier(c)}" if c == "consent"
            else f"arg_min({identifier(c)}, _rank) AS {identifier(c)}"
            for c in columns if c != "customer_id"
        )  # fmt: skip
        comma = ", " if chosen else ""
        self.connection.execute(
            f"CREATE OR REPLACE TABLE {name} AS SELECT *{self._band(held)} FROM"
            f" (SELECT customer_id{comma}{chosen} FROM ({' UNION ALL BY NAME '.join(selects)})"
            " GROUP BY customer_id)"
        )

    def _band(self, held: list[Piece]) -> str:
        """SQL of the age band where only the day of birth is told, which no lake keeps."""
        told = {column for piece in held for column in piece.columns}
        day = self._last_day() if "birth_date" in told and "age_band" not in told else None
        if day is None:
            return ""
        age = f"datesub('year', birth_date, DATE '{day}')"
        bands = "".join(
            f" WHEN {age} BETWEEN {low} AND {high} THEN '{band_named(low, high)}'"
            for low, high in AGE_BANDS
        )
        # Whoever is born after the last day of the data has no age yet.
        return f", CASE WHEN birth_date > DATE '{day}' THEN NULL{bands} END AS age_band"

    def _last_day(self) -> dt.date | None:
        """The last day that anything in the files happened on; today where nothing has a day."""
        days = []
        for piece in self.pieces:
            clock = TABLES[piece.table].clock
            if clock in piece.columns:
                [(day,)] = self.connection.execute(
                    f"SELECT CAST(max({identifier(clock)}) AS DATE) FROM {piece.relation}"
                ).fetchall()
                days += [day] if day is not None else []
        last = max(days, default=self.today)
        return last if self.today is None or last is None else min(last, self.today)

    def _link(self, names: dict[str, str]) -> None:
        """Say how many customers of other tables the customers' file does not have."""
        if not any(part.detection.table == "customers" for part in self.parts):
            return
        told = {"orders": msg("orders"), "subscriptions": msg("subscriptions")}
        for table, kind in told.items():
            if table not in names:
                continue
            unknown = summary(
                self.connection,
                f"SELECT count(*) AS rows, count(DISTINCT customer_id) AS n FROM {names[table]}"
                " WHERE customer_id IS NOT NULL AND CAST(customer_id AS VARCHAR) NOT IN"
                f" (SELECT CAST(customer_id AS VARCHAR) FROM {names['customers']})",
            )
            if unknown["n"]:
                self.notes.append(
                    nmsg(
                        "{n} customer of the {table} ({rows}) is not in the file of"
                        " customers: accepted all the same.",
                        "{n} customers of the {table} ({rows}) are not in the file of"
                        " customers: accepted all the same.",
                        unknown["n"], rows=nmsg("{n} row", "{n} rows", unknown["rows"]), table=kind,
                    )
                )  # fmt: skip

    def _tell_unlisted(self, names: dict[str, str]) -> None:
        """Say how many products of the order lines the list of products does not have."""
        held = columns_of(self.connection, names["order_lines"])
        key = "product_id" if "product_id" in held else "product"
        theirs = key if key in columns_of(self.connection, names["products"]) else "product_id"
        if key not in held:
            return
        code, listed = f"CAST({key} AS VARCHAR)", f"CAST({theirs} AS VARCHAR)"
        held_there = f"{names['products']} WHERE {theirs} IS NOT NULL"
        found = summary(
            self.connection,
            f"SELECT count(DISTINCT {key}) AS n FROM {names['order_lines']}"
            f" WHERE {key} IS NOT NULL AND {code} NOT IN (SELECT {listed} FROM {held_there})"
            f" AND lower(trim({code})) NOT IN (SELECT lower(trim({listed})) FROM {held_there}"
            f" GROUP BY 1 HAVING count(DISTINCT {listed}) = 1)",
        )
        if found["n"]:
            self.notes.append(
                nmsg(
                    "{n} product of the order lines is not in the list of products.",
                    "{n} products of the order lines are not in the list of products.",
                    found["n"],
                )
            )


def columns_of(connection: duckdb.DuckDBPyConnection, relation: str) -> set[str]:
    """The columns of a table or view."""
    return {row[0] for row in connection.execute(f"DESCRIBE {relation}").fetchall()}
