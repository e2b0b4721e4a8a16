"""What a subscription comes to a month, where its price is one of a year, a quarter or a seat."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier, literal
from revoir.language import msg, nmsg
from revoir.reading import values
from revoir.reading.fields import Field
from revoir.reading.intervals import is_number, months_of_header, months_of_words
from revoir.reading.part import Part, summary, words_of
from revoir.reading.returns import plain_sql
from revoir.tables import plain_name

if TYPE_CHECKING:
    import duckdb

_KEY = "subscriptions.monthly_amount"
_INTERVALS = frozenset(
    ["interval", "plan_interval", "billing_interval", "billing_period", "billing_cycle",
     "billing_frequency", "frequency", "recurrence", "period", "periode", "periodicite",
     "frequence", "intervalle", "cycle", "periode_de_facturation", "cycle_de_facturation",
     "frequence_de_facturation", "frequence_de_paiement", "periodicite_de_paiement",
     "recurring_interval", "price_recurring_interval"]
)  # fmt: skip
"""Headers of columns that say how often something is paid."""
_OF_INTERVALS = frozenset(["unit", "unite", "in", "en", "months", "month", "mois"])
_OF_COUNTS = frozenset(["count", "length"])
_DATE = re.compile(r"\d{4}")
_WORDS_MAX = 50
_SHOWN_MAX = 5


@dataclass(frozen=True)
class _Interval:
    """A column that says how often prices are paid: its words, and the months of those known."""

    held: Field
    words: list[str]
    months: dict[str, float]

    @property
    def header(self) -> str:
        """What the file calls it."""
        return self.held.mapping.header or self.held.mapping.column

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers alone, which may count the units of another column."""
        return all(is_number(word) for word in self.words)


def monthly(connection: duckdb.DuckDBPyConnection, part: Part) -> str | None:
    """SQL of what the subscription on a row comes to a month.

    Args:
        connection: The connection that holds the file.
        part: The converted file of subscriptions; its notes are added to.

    Returns:
        None where no column says what is paid.
    """
    if not part.has(_KEY):
        return None
    held, price = part.fields[_KEY], identifier(_KEY)
    header = held.mapping.header or held.mapping.column
    declared = part.detection.declared
    if declared and declared.times and (number := _headed(part, frozenset([declared.times]))):
        count = f"try_cast({identifier(number.key)} AS DECIMAL(18, 4))"
        price = values.product(price, f"coalesce({count}, 1)")
        part.notes.append(
            msg(
                "Column {header} is the price of one: it was multiplied by column {quantity}.",
                header=header, quantity=number.mapping.header,
            )
        )  # fmt: skip
    if months := months_of_header(held.mapping.header):
        if months == 1:
            return price
        part.notes.append(
            msg(
                "Column {header}: brought to a month, as its header names another time; what is"
                " paid once a year is divided by twelve.",
                header=header,
            )
        )
        return _divided(price, str(months))
    return _by_interval(connection, part, header, price)


def _by_interval(connection: duckdb.DuckDBPyConnection, part: Part, header: str, price: str) -> str:
    """SQL of a price a month, where another column may say how often it is paid."""
    columns = _intervals(connection, part)
    units = [column for column in columns if column.months and not column.is_number]
    interval = next((column for column in units or columns if column.months), None)
    if interval is None:
        part.notes.extend(
            msg(
                "Column {header} says {words}, and nothing known of how often a price is paid:"
                " prices were taken as those of a month.",
                header=column.header, words=_shown(column.words),
            )
            for column in columns if any(word and not _DATE.search(word) for word in column.words)
        )  # fmt: skip
        return price
    word = plain_sql(identifier(interval.held.key))
    count = _counted(connection, part, interval)
    cases = "".join(
        # “Every 3 months” counts its months itself.
        f" WHEN {literal(one)} THEN {months}{'' if re.search('[0-9]', one) else count}"
        for one, months in interval.months.items()
    )
    only_months = set(interval.months.values()) == {1.0}
    months = f"CASE coalesce({word}, '') {cases}"
    months += f" WHEN '' THEN 1{count} END" if only_months else " END"
    unknown = f"FROM {part.accepted} WHERE {price} IS NOT NULL AND ({months}) IS NULL"
    rows = summary(connection, f"SELECT count(*) AS n {unknown}")["n"]
    if only_months and not count and not rows:
        return price
    part.notes.append(
        msg(
            "Column {header}: brought to a month by column {interval}; what is paid once a year"
            " is divided by twelve.",
            header=header, interval=interval.header,
        )
    )  # fmt: skip
    if rows:
        words = connection.execute(f"SELECT DISTINCT nullif({word}, '') {unknown} ORDER BY 1")
        part.notes.append(
            nmsg(
                "Column {header}: {n} row says {words}, which does not tell how often its price is"
                " paid: what it comes to a month is not known. Write month, quarter or year, or a"
                " number of months such as P6M.",
                "Column {header}: {n} rows say {words}, which does not tell how often their price"
                " is paid: what they come to a month is not known. Write month, quarter or year, or"
                " a number of months such as P6M.",
                rows, header=interval.header, words=_shown([row[0] for row in words.fetchall()]),
            )
        )  # fmt: skip
    return _divided(price, months)


def _intervals(connection: duckdb.DuckDBPyConnection, part: Part) -> list[_Interval]:
    """The columns that may say how often prices are paid."""
    found = []
    for held in part.fields.attributes:
        header = held.mapping.header
        if _without(header, _OF_INTERVALS) in _INTERVALS:
            word = plain_sql(identifier(held.key))
            words = sorted(words_of(connection, part.accepted, word, _WORDS_MAX))
            if len(words) <= _WORDS_MAX:
                found.append(_Interval(held, words, months_of_words(header, words)))
    return found


def _counted(connection: duckdb.DuckDBPyConnection, part: Part, interval: _Interval) -> str:
    """SQL that multiplies a unit by the column that counts how many lie between two payments.

    Stripe has an interval of “month” and a count of 3, WooCommerce a period of “month” and an
    interval of 3, Chargebee a period of 3 and its unit.
    """
    unit = plain_name(interval.header)
    for held in part.fields.attributes if not interval.is_number else ():
        header = plain_name(held.mapping.header)
        counts = "interval" in header and _without(header, _OF_COUNTS) in _INTERVALS
        if held is interval.held or not (counts or unit == f"{header}_unit"):
            continue
        number = f"try_cast({identifier(held.key)} AS DECIMAL(9, 2))"
        most = summary(connection, f"SELECT max({number}) AS most FROM {part.accepted}")["most"]
        if most is not None and most != 1:
            part.notes.append(
                msg(
                    "Column {header} was read as how many units of column {interval} lie between"
                    " two payments.",
                    header=held.mapping.header, interval=interval.header,
                )
            )  # fmt: skip
            return f" * CASE WHEN {number} > 0 THEN {number} ELSE 1 END"
    return ""


def _without(header: str, left_out: frozenset[str]) -> str:
    return "_".join(word for word in plain_name(header).split("_") if word not in left_out)


def _shown(words: Sequence[str | None]) -> list[str | None]:
    return [*words[:_SHOWN_MAX], *(["…"] if len(words) > _SHOWN_MAX else [])]


def _divided(price: str, months: str) -> str:
    return f"CAST(round({price} / ({months}), 4) AS {values.DECIMAL})"


def _headed(part: Part, names: frozenset[str]) -> Field | None:
    return next(
        (held for held in part.fields.attributes if plain_name(held.mapping.header) in names), None
    )
