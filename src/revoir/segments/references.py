"""What the names in a rule stand for: columns of tables, and computed figures of customers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import Message, msg
from revoir.segments.features import Feature, feature_named, feature_names
from revoir.segments.syntax import Name, Rule, fault
from revoir.tables import TABLES

_FRENCH_TABLES = {
    "clients": "customers", "client": "customers", "customer": "customers",
    "commandes": "orders", "commande": "orders", "order": "orders",
    "lignes": "order_lines", "ligne": "order_lines", "lines": "order_lines",
    "abonnements": "subscriptions", "reponses": "responses", "contacts": "interactions",
    "evenements": "events",
}  # fmt: skip
EVERYWHERE = ("customers", "orders", "order_lines", "subscriptions", "responses", "interactions",
              "events")  # fmt: skip
"""Every table, in the order in which a name is looked for where none is preferred."""


@dataclass(frozen=True)
class Reference:
    """What a name stands for.

    Attributes:
        table: The canonical table; "features" for a computed figure.
        column: Its column there.
        feature: The figure, where it is one.
    """

    table: str
    column: str
    feature: Feature | None = None

    @property
    def of_customer(self) -> bool:
        """Whether it is one value a customer."""
        return self.table in ("customers", "features")


def references(
    book: Book, rule: Rule, tables: Sequence[str], held: dict[str, tuple[str, ...]]
) -> dict[Name, Reference]:
    """What each name of a rule stands for.

    Raises:
        UsageError: One stands for nothing here; the message says what there is.
    """
    found = {}
    for name in rule.names():
        stands_for = reference(book, name.parts, tables, held)
        if stands_for is None:
            raise _unknown(book, rule.text, name, tables)
        found[name] = stands_for
    return found


def reference(
    book: Book, parts: tuple[str, ...], tables: Sequence[str], held: dict[str, tuple[str, ...]]
) -> Reference | None:
    """What one name stands for in some tables, the first of them first; None for nothing.

    Args:
        book: The company's tables.
        parts: The name, cut at its points.
        tables: Names of the tables whose columns count.
        held: The columns of tables that are not as the book has them.
    """

    def columns(table: str) -> tuple[str, ...]:
        if table in held:
            return held[table]
        return tuple(book.tables[table].columns) if book.has(table) else ()

    if len(parts) == 2:
        if parts[0] in ("features", "figures"):
            return _of_feature(feature_named(book, parts[1:]))
        table = _FRENCH_TABLES.get(parts[0], parts[0])
        if table in tables:
            column = _column(table, parts[1], columns(table))
            if column is not None:
                return Reference(table, column)
    if len(parts) == 1:
        for table in _own_first(parts[0], tables):
            if parts[0] in columns(table):
                return Reference(table, parts[0])
    feature = feature_named(book, parts)
    if feature is not None:
        return _of_feature(feature)
    if len(parts) == 1:
        for table in tables:
            column = _column(table, parts[0], columns(table))
            if column is not None:
                return Reference(table, column)
    return None


def _own_first(column: str, tables: Sequence[str]) -> Iterable[str]:
    """Everything has a customer: asked of no table, `customer_id` is that of orders."""
    if column == "customer_id" and tables is EVERYWHERE:
        return ("orders", *tables)
    return tables


def _of_feature(feature: Feature | None) -> Reference | None:
    return Reference("features", feature.key, feature) if feature is not None else None


def _column(table: str, name: str, columns: Sequence[str]) -> str | None:
    """A column by its name or by what files call it."""
    if name in columns:
        return name
    for column in TABLES[table].columns:
        if column.name in columns and name in column.synonyms:
            if column.name == "ordered_at" and "ordered_on" in columns:
                return "ordered_on"
            return column.name
    return None


def _unknown(book: Book, text: str, name: Name, tables: Sequence[str]) -> UsageError:
    """The error for a name that stands for nothing here."""
    elsewhere = reference(book, name.parts, EVERYWHERE, {})
    if elsewhere is not None:
        return fault(
            text,
            name.span,
            msg(
                "“{name}” is a column of {table}, which this question is not about.",
                name=name.text,
                table=elsewhere.table,
            ),
            msg(
                "A rule about customers can say first_{column} or last_{column}.",
                column=elsewhere.column,
            )
            if elsewhere.table == "orders" and tables[0] == "customers"
            else None,
        )
    return fault(
        text,
        name.span,
        msg("there is no column “{name}”.", name=name.raw[:60]),
        columns_there_are(book, name.text[:60], tables),
    )


def columns_there_are(book: Book, wanted: str, tables: Sequence[str]) -> Message:
    """The columns and figures that a name could have meant, the nearest alone where one is near."""
    columns = {c for table in tables if book.has(table) for c in book.tables[table].columns}
    names = [*sorted(columns), *(n for n in feature_names(book) if n not in columns)]
    synonyms = {
        synonym: column.name
        for table in tables if book.has(table)
        for column in TABLES[table].columns if column.name in columns
        for synonym in column.synonyms
    }  # fmt: skip
    near = difflib.get_close_matches(wanted, [*names, *synonyms], n=1, cutoff=0.7)
    if near:
        return msg("Did you mean “{near}”?", near=near[0])
    if len(names) > 60:
        return msg("There are {names} and {n} more.", names=names[:60], n=len(names) - 60)
    return msg("There are: {names}.", names=names)
