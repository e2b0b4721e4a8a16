"""One file on its way to the canonical tables, and the marks that its rows get."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from revoir.engines.sql import identifier
from revoir.language import Message
from revoir.reading import values
from revoir.reading.detect import Detection
from revoir.reading.fields import Field, Fields
from revoir.reading.raw import RawTable
from revoir.reading.report import FileReport

if TYPE_CHECKING:
    import duckdb

    from revoir.reading.clocks import Shift

LINE_COLUMNS = ("product", "product_id", "unit_price", "quantity", "amount", "line_id")
"""The columns of order lines that make a file of sales one of lines."""
BIG = 5_000_000
"""Rows above which a check that sorts or hashes the whole file is left out."""
REPEATED = 0
"""The mark of a row that repeats another one."""
CONFLICT = -1
"""The mark of a row that carries the number of another one, and other values."""
BACKWARDS = -2
"""The mark of a subscription that ends before it begins: either day may be the wrong one."""


@dataclass
class Part:
    """One file, converted: a relation of typed columns and what they are.

    Attributes:
        raw: Its raw cells.
        detection: What it is.
        fields: Its columns by key; the relation names them by that key.
        relation: Quoted name of the converted rows; ``_line`` and ``_bad`` (null: accepted).
        is_table: Whether that is a table rather than a view of the file.
        number: Its place among the files read.
        rows: How many rows it has, bad ones included.
        grain: ``order`` or ``line`` for sales, else the table.
        customer: SQL of who the customer is, on the converted columns; None where nobody.
        identity: What tells customers apart: ``customer_id``, ``email``, ``phone`` or ``name``.
        numbered: How many rows have a customer number.
        zeros: How many of those numbers are 0.
        addresses: What tells customers apart beside a number: its name and SQL.
        endless: How many ends of subscriptions stand for none.
        addressed: Whether rows without a customer number go by an address.
        order: SQL of which order a row belongs to, on the converted columns; None where nothing
            says so.
        report: What is told of it.
        told_by: The column that says what each row is, a sale or something other.
        back: What it calls rows that give money back.
        refunded: SQL of whether a row says by a yes or a no that its order was refunded.
        shares: Whether its discounts are shares (0.2) rather than amounts; None until asked.
        renumbered: Whether orders that shared a number got numbers of their own.
        totals: Whether its lines carry what their whole order came to.
        told: The table of those orders whose totals another file has, for lines that were joined
            with it (see `reading.joined`).
        twice: For columns of local times by key, the hours within the data that come twice.
    """

    raw: RawTable
    detection: Detection
    fields: Fields
    relation: str
    report: FileReport
    is_table: bool = True
    number: int = 0
    rows: int = 0
    grain: str = ""
    customer: str | None = None
    order: str | None = None
    identity: str | None = None
    numbered: int = 0
    zeros: int = 0
    addresses: list[tuple[str, str]] = field(default_factory=list)
    endless: int = 0
    addressed: bool = False
    bad: int = 0
    unique_orders: bool = False
    renumbered: bool = False
    told_by: Field | None = None
    back: list[str] = field(default_factory=list)
    refunded: str | None = None
    shares: bool | None = None
    unread: dict[str, int] = field(default_factory=dict)
    notes: list[Message] = field(default_factory=list)
    totals: bool = False
    told: str | None = None
    twice: dict[str, tuple[Shift, ...]] = field(default_factory=dict)

    @property
    def accepted(self) -> str:
        """The converted rows that count, for FROM."""
        return f"(SELECT * FROM {self.relation} WHERE _bad IS NULL)" if self.bad else self.relation

    @property
    def product(self) -> str:
        """SQL of price times quantity of a row of sales."""
        price = identifier("order_lines.unit_price")
        if not self.has("order_lines.quantity"):
            return price
        return values.product(price, identifier("order_lines.quantity"))

    @property
    def product_key(self) -> str:
        """SQL of what identifies the product of a row of a list of them: its code, or its name."""
        keys = ("products.product_id", "products.product")
        held = ", ".join(f"CAST({identifier(key)} AS VARCHAR)" for key in keys if self.has(key))
        return f"coalesce({held})"

    @property
    def amount(self) -> str | None:
        """SQL of the amount that a row of sales says; None where no column does."""
        keys = ("orders.amount", "order_lines.amount")
        return next((identifier(key) for key in keys if self.has(key)), None)

    def has(self, *keys: str) -> bool:
        """Whether the file has these columns."""
        return all(key in self.fields for key in keys)


def words_of(
    connection: duckdb.DuckDBPyConnection, relation: str, code: str, most: int
) -> list[Any]:
    """The different values that rows hold; one more than `most` says that there are too many."""
    answer = connection.execute(
        f"SELECT DISTINCT {code} FROM {relation} WHERE {code} IS NOT NULL LIMIT {most + 1}"
    )
    return [row[0] for row in answer.fetchall()]


def summary(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    """The one row that a query answers, by column."""
    # A result must be read to its end before the connection is used again.
    answer = connection.execute(sql)
    names = [entry[0] for entry in answer.description or []]
    return dict(zip(names, answer.fetchall()[0], strict=True))
