"""What a feature is: a figure of a customer on a day, from what was known by the end of that day.

A feature is declared once: its name, what people call it, its unit, what a high and a low value
mean, how it is said of one customer, and the Ibis expression. Models, reasons, model cards and
pages all come from the declaration.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, Money, Number, Percent, msg
from revoir.metrics.calendar import date
from revoir.metrics.registry import Unit

WINDOWS_DAYS = (30, 90, 365)
"""A month, a quarter and a year: the spans that things are counted over."""


THEMES: dict[str, Message] = {
    "rhythm": msg("How often and how lately the customer buys"),
    "standing": msg("Since when the customer is known"),
    "spending": msg("How much the customer spends"),
    "range": msg("What is in the basket"),
    "returns": msg("What was returned"),
    "discounts": msg("Discounts"),
    "channel": msg("Where the customer buys"),
    "visits": msg("Visits to the site or app"),
    "answers": msg("Answers to surveys"),
    "service": msg("Contacts with customer service"),
    "subscription": msg("The subscription"),
    "price": msg("The price of the subscription"),
    "place": msg("Where the customer lives"),
}
"""What features tell of. A column of the company's own is a theme of its own."""


KEYS = ("customer_id", "cutoff")
"""What a row of features is of: a customer on a cut-off day."""


@dataclass(frozen=True)
class Moments:
    """The days that features are read on; each is a cut-off: nothing later exists yet.

    Attributes:
        days: The last days that are known, one or several; all are answered by one query.
        window_days: How many days a purchase keeps a customer active.
        whose: A table of the only customers who matter, in `customer_id` (None: all of them).
    """

    days: tuple[dt.date, ...]
    window_days: int
    whose: ir.Table | None = None

    def known(self, table: ir.Table, clock: str | None) -> ir.Table:
        """A table as it stood on each day: the one place where what is known is decided.

        Args:
            table: Rows of anything.
            clock: The column that says when a row happened (None: a state without dates).

        Returns:
            For each day the rows that had happened by its end, with the day in `cutoff`.
        """
        held = [ibis.literal(day) for day in self.days]
        if self.whose is not None:
            table = table.semi_join(self.whose, "customer_id")
        if clock is not None:
            table = table.filter(table[clock].cast("date") <= date(max(self.days)))
        rows = table.mutate(cutoff=ibis.array(held).unnest())
        return rows if clock is None else rows.filter(happened(rows, rows[clock]))


def happened(rows: ir.Table, clock: ir.Value) -> ir.BooleanValue:
    """Whether something that rows tell of had happened by the end of their cut-off day."""
    return clock.cast("date") <= rows.cutoff


def lately(rows: ir.Table, clock: ir.Value, days: int) -> ir.BooleanValue:
    """Whether it happened on one of the last `days` days up to the cut-off."""
    return days_since(rows, clock) < days


def days_since(rows: ir.Table, clock: ir.Value) -> ir.IntegerValue:
    """Days from when it happened to the cut-off."""
    return rows.cutoff.delta(clock.cast("date"), unit="day")


@dataclass(frozen=True)
class Known:
    """What is known of one customer, to be put into words.

    Attributes:
        values: The features by name; None where there is no value.
        currency: Of the amounts (None: not known).
    """

    values: Mapping[str, Any]
    currency: str | None = None

    def __getitem__(self, name: str) -> Any:
        """The value of a feature; None where it has none."""
        return self.values.get(name)

    def count(self, name: str) -> int:
        """A value that counts something; 0 where there is none."""
        return round(self.values.get(name) or 0)

    def money(self, name: str) -> Money:
        """A value that is an amount, without cents."""
        return Money(self.values.get(name) or 0.0, self.currency, 0)


def plain(value: float) -> Number:
    """A mean in words: one decimal below ten, unless it is whole."""
    return Number(value, 0 if value >= 9.95 or float(value).is_integer() else 1)


Saying = Callable[[Known], Message | None]
"""Puts a feature of one customer into words; None where there is nothing to say."""


@dataclass(frozen=True)
class Feature:
    """The declaration of a feature.

    Attributes:
        name: Its name, everywhere.
        label: What people call it.
        unit: What it is counted in (None: it is one of several texts).
        theme: What it tells of; the contributions of one theme are added up to one reason.
        table: The canonical table it comes from.
        expression: Computes it from the sums of its family.
        high: What a high value means.
        low: What a low value means.
        says: Words it for one customer (None: its label and its value do).
        needs: Columns of its table that it cannot do without.
        reach_days: Days of records that it looks back on: with fewer it means something else.
        absent: Its value for a customer of whom its table has no row (None: no value).
        against: Says why a book that holds its table cannot tell it (None: it can).
    """

    name: str
    label: Message
    unit: Unit | None
    theme: str
    table: str
    expression: Callable[[ir.Table, Moments], ir.Value]
    high: Message | None = None
    low: Message | None = None
    says: Saying | None = None
    needs: tuple[str, ...] = ()
    reach_days: int = 0
    absent: float | None = None
    against: Callable[[Book], Message | None] | None = None

    @property
    def theme_label(self) -> Message:
        """What people call its theme."""
        return THEMES.get(self.theme, self.label)

    @property
    def is_category(self) -> bool:
        """Whether it is one of several texts rather than a number."""
        return self.unit is None

    def said(self, known: Known) -> Message | None:
        """The feature of one customer in words.

        Args:
            known: What is known of the customer.

        Returns:
            A phrase that begins in lower case, or None where there is nothing to say.
        """
        if self.says is not None:
            return self.says(known)
        value = known[self.name]
        if value is None:
            return msg("{label}: not known", label=self.label)
        return msg("{label}: {value}", label=self.label, value=self.shown(value, known.currency))

    def shown(self, value: Any, currency: str | None = None) -> Any:
        """A value in the form that its unit is written in."""
        match self.unit:
            case None:
                return str(value)
            case Unit.SHARE:
                return Percent(value, 0)
            case Unit.MONEY:
                return Money(value, currency, 0)
            case Unit.COUNT | Unit.DAYS:
                return Number(value, 0)
        return plain(value)


@dataclass(frozen=True)
class Family:
    """Features that come from one table by the same group-by.

    Attributes:
        table: The canonical table.
        columns: Its columns that the family cannot do without.
        sums: One row a customer and cut-off with the sums that the features are computed from.
        features: The features.
    """

    table: str
    columns: tuple[str, ...]
    sums: Callable[[Book, Moments], ir.Table]
    features: tuple[Feature, ...]


def sum_named(name: str) -> Callable[[ir.Table, Moments], ir.Value]:
    """The expression of a feature that is one of its family's sums."""
    return lambda table, moments: table[name]


def share(part: ir.Value, whole: ir.Value) -> ir.FloatingValue:
    """One sum divided by another; null where that is zero."""
    return part.cast("float64") / whole.cast("float64").nullif(0.0)


def no_column() -> ir.Value:
    """What stands for a column that a table lacks."""
    return ibis.null("float64")
