"""Which features a book can have, and their values for every customer on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import ibis.expr.types as ir

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import Message, msg
from revoir.metrics.contracts import telling
from revoir.metrics.registry import Unit
from revoir.models.features.ahead import AHEAD
from revoir.models.features.answers import ANSWERS
from revoir.models.features.columns import column_feature
from revoir.models.features.declaration import KEYS, Family, Feature, Moments
from revoir.models.features.lines import LINES
from revoir.models.features.orders import LAST_ORDER, ORDERS, PURCHASES
from revoir.models.features.people import PEOPLE
from revoir.models.features.service import SERVICE
from revoir.models.features.subscriptions import SUBSCRIPTIONS
from revoir.models.features.visits import VISITS
from revoir.tables import TABLES

FAMILIES: tuple[Family, ...] = (
    PURCHASES, AHEAD, ORDERS, LAST_ORDER, LINES, VISITS, ANSWERS, SERVICE, SUBSCRIPTIONS, PEOPLE,
)  # fmt: skip
"""Every family of features; a new table brings a family of its own."""


@dataclass(frozen=True)
class Choice:
    """The features that a book can have, and those it cannot.

    Attributes:
        features: Those it can.
        left_out: Those it cannot although it holds their table, each with the reason.
    """

    features: tuple[Feature, ...]
    left_out: tuple[tuple[Feature, Message], ...]

    def named(self, name: str) -> Feature:
        """The feature of that name.

        Raises:
            KeyError: There is none.
        """
        for feature in self.features:
            if feature.name == name:
                return feature
        raise KeyError(name)


def declared() -> tuple[Feature, ...]:
    """Every feature that is declared, by family."""
    return tuple(feature for family in FAMILIES for feature in family.features)


def choose(
    book: Book,
    earliest: dt.date,
    *,
    attributes: Collection[str] = (),
    without: Collection[str] = (),
) -> Choice:
    """Choose the features that mean the same on every day that customers are looked at.

    Args:
        book: The company's tables.
        earliest: The first of those days. A feature that looks back further than its table's
            records reach by then would mean something else on it, and is left out: a figure that
            is there on some days alone tells the days apart, not the customers.
        attributes: Columns of customers that were the same at each cut-off as they are today; the
            user vouches for them.
        without: Names of features that are not wanted.

    Returns:
        The choice.

    Raises:
        UsageError: A column or a feature of that name does not exist.
    """
    features: list[Feature] = []
    left_out: list[tuple[Feature, Message]] = []
    for family in FAMILIES:
        if not book.has(family.table, *family.columns):
            continue
        for feature in family.features:
            if not book.has(feature.table, *feature.needs):
                continue
            reason = _against(book, feature, earliest)
            if reason is None:
                features.append(feature)
            else:
                left_out.append((feature, reason))
    features += vouched_for(book, "customers", attributes)
    return Choice(tuple(_wanted(features, without)), tuple(left_out))


NEVER = ("customer_id", "subscription_id", "churned", "reason", "currency")
"""Columns of subscriptions that identify, or are written when a subscription ends."""


def columns_of_file(
    book: Book, *, attributes: Collection[str] = (), without: Collection[str] = ()
) -> Choice:
    """The columns of a file of one row a customer, as they stand.

    Args:
        book: The company's tables.
        attributes: Columns about the person (age, age band, gender) to use too; they are not by
            themselves.
        without: Columns that are not wanted.

    Returns:
        The choice. Columns that identify a person, or say why somebody left, are never in it.

    Raises:
        UsageError: A column of that name does not exist.
    """
    features: list[Feature] = []
    for home in ("subscriptions", "customers"):
        if not book.has(home):
            continue
        canonical = {column.name: column for column in TABLES[home].columns}
        for name in book.table(home).columns:
            known = canonical.get(name)
            of_person = known is not None and (
                known.personal or name in ("age", "age_band", "gender")
            )
            if name in NEVER or (of_person and name not in attributes):
                continue
            feature = column_feature(book.table(home), home, name)
            if feature is not None:
                features.append(feature)
    held = {feature.name.rpartition(".")[2] for feature in features}
    features += vouched_for(book, "customers", [name for name in attributes if name not in held])
    return Choice(tuple(_wanted(features, without)), ())


def vouched_for(book: Book, home: str, columns: Collection[str]) -> Iterator[Feature]:
    """The features that columns of a table are as they stand.

    Raises:
        UsageError: The table has no such column, or it cannot be a feature.
    """
    for column in columns:
        feature = None
        if book.has(home, column) and column != "customer_id":
            feature = column_feature(book.table(home), home, column)
        if feature is None:
            raise UsageError(
                msg("“{name}” is no column of {table} to learn from.", name=column, table=home),
                remedy=msg(
                    "It can be one of: {names}.",
                    names=[n for n in book.table(home).columns if n != "customer_id"]
                    if book.has(home)
                    else [],
                ),
            )
        yield feature


def _wanted(features: Sequence[Feature], without: Collection[str]) -> list[Feature]:
    names = {feature.name for feature in features}
    for name in without:
        if name not in names and not any(known.endswith(f".{name}") for known in names):
            raise UsageError(
                msg("There is no feature “{name}” to leave out.", name=name),
                remedy=msg("It can be one of: {names}.", names=sorted(names)),
            )
    return [
        feature
        for feature in features
        if feature.name not in without and feature.name.rpartition(".")[2] not in without
    ]


def _against(book: Book, feature: Feature, earliest: dt.date) -> Message | None:
    """Why a feature is not used."""
    paid_in = "subscriptions" if feature.table == "subscriptions" else "orders"
    if feature.unit is Unit.MONEY and len(book.currencies_of(paid_in)) > 1:
        return msg("the amounts are in several currencies")
    if feature.against is not None and (reason := feature.against(book)) is not None:
        return reason
    if not feature.reach_days:
        return None
    first = first_day(book, feature.table)
    if first is None or first + dt.timedelta(days=feature.reach_days - 1) > earliest:
        return msg(
            "it looks back {days} days, further than the records reach from {day}",
            days=feature.reach_days,
            day=earliest,
        )
    return None


def first_day(book: Book, name: str) -> dt.date | None:
    """The first day that a table has a row of a known customer on; None without one."""

    def find() -> dt.date | None:
        table, clock = book.table(name), TABLES[name].clock
        assert clock is not None  # a table without a clock reaches back to no day
        day = book.day_of(table[clock].min(where=table.customer_id.notnull()))
        found: dt.date | None = book.rows(day.name("day").as_table())[0]["day"]
        return found

    return book.once(f"first day of {name}", find)


def feature_table(
    book: Book, features: Sequence[Feature], moments: Moments | None, customers: ir.Table
) -> ir.Table:
    """Compute features of customers on some days; nothing dated later has an influence.

    Args:
        book: The company's tables.
        features: Which features (`choose`).
        moments: The days (None: the columns of a file that has none).
        customers: Whose: a table of one row a customer and day, with `customer_id` and `cutoff`
            (without, where there are no days); further columns are kept.

    Returns:
        The table of customers with a column a feature, numbers as float64, null where a customer
        has no value. One group-by a family, on whatever engine holds the tables.
    """
    found = customers
    for family in FAMILIES:
        chosen = [one for one in features if one in family.features]
        if chosen and moments is not None:
            sums = family.sums(book, moments)
            columns = {one.name: _value(one, sums, moments) for one in chosen}
            found = beside(found, sums.select(*KEYS, **columns))
    for home in ("subscriptions", "customers"):
        chosen = [one for one in features if one.name.startswith(f"{home}.")]
        if chosen:
            rows = telling(book) if home == "subscriptions" else book.table(home)
            found = beside(found, _one_each(rows, chosen))
    filled = {
        one.name: found[one.name].fill_null(one.absent)
        for one in features
        if one.absent is not None
    }
    return found.mutate(**filled) if filled else found


def beside(left: ir.Table, right: ir.Table) -> ir.Table:
    """Put a table of one row a customer, or a customer and day, beside another one."""
    keys = [name for name in KEYS if name in right.columns]
    right = right.rename(**{f"{name}__right": name for name in keys})
    conditions = [left[name] == right[f"{name}__right"] for name in keys]
    return left.left_join(right, conditions).drop(*(f"{name}__right" for name in keys))


def _one_each(table: ir.Table, features: Sequence[Feature]) -> ir.Table:
    """Columns as they stand; a customer of several rows has the largest value of each."""
    nothing = Moments((), 0)
    rows = table.select(
        "customer_id", **{one.name: _value(one, table, nothing) for one in features}
    )
    largest = {one.name: rows[one.name].max() for one in features}
    return rows.group_by("customer_id").aggregate(**largest)


def _value(feature: Feature, table: ir.Table, moments: Moments) -> ir.Value:
    value = feature.expression(table, moments)
    return value if feature.is_category else value.cast("float64")
