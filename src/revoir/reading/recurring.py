"""What a subscription comes to a month, where another column says how often its price is paid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier, literal
from revoir.language import msg
from revoir.reading import values
from revoir.reading.fields import Field
from revoir.reading.part import Part, words_of
from revoir.reading.returns import plain_sql
from revoir.tables import plain_name

if TYPE_CHECKING:
    import duckdb

_KEY = "subscriptions.monthly_amount"
_INTERVALS = frozenset(
    ["interval", "plan_interval", "billing_interval", "billing_period", "billing_cycle",
     "billing_frequency", "frequency", "recurrence", "period", "periode", "periodicite",
     "frequence", "intervalle", "cycle", "periode_de_facturation", "cycle_de_facturation",
     "frequence_de_facturation", "frequence_de_paiement", "periodicite_de_paiement"]
)  # fmt: skip
"""Headers of columns that say how often something is paid."""
_MONTHLY = frozenset(["monthly", "mensuel", "mensualite", "mrr", "mois", "month"])
_UNITS = (
    (r"bi ?annual|semester|semestr|half year|6 mois", 6.0), (r"quarter|trimestr", 3.0),
    (r"month|mois|mensuel", 1.0), (r"year|annual|annuel|annee|\bans?\b", 12.0),
    (r"week|semaine|hebdo", 12 / 52), (r"\bday|daily|jour", 12 / 365),
)  # fmt: skip
_WORDS_MAX = 20


def months_of(word: str) -> float | None:
    """How many months lie between two payments.

    Args:
        word: A cell, plain.

    Returns:
        None where the word says nothing of it.

    Examples:
        >>> [months_of(word) for word in ("month", "annuel", "3 months", "gold")]
        [1.0, 12.0, 3.0, None]
    """
    unit = next((months for pattern, months in _UNITS if re.search(pattern, word)), None)
    number = re.match(r"(?:every |tous les )?(\d{1,2}) ", word)
    if unit is None or unit == 6.0 or number is None:
        return unit
    return unit * int(number[1]) or None


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
    if set(plain_name(header).split("_")) & _MONTHLY:
        return price
    interval = _headed(part, _INTERVALS)
    if interval is None:
        return price
    word = plain_sql(identifier(interval.key))
    words = words_of(connection, part.accepted, word, _WORDS_MAX)
    told = {one: months for one in words if (months := months_of(one))}
    if len(told) < len(words) or len(words) > _WORDS_MAX or set(told.values()) <= {1.0}:
        return price
    part.notes.append(
        msg(
            "Column {header}: brought to a month by column {interval}; what is paid once a year"
            " is divided by twelve.",
            header=header, interval=interval.mapping.header,
        )
    )  # fmt: skip
    cases = " ".join(f"WHEN {literal(one)} THEN {months}" for one, months in told.items())
    by = f"CASE {word} {cases} ELSE 1 END"
    return f"CAST(round({price} / {by}, 4) AS {values.DECIMAL})"


def _headed(part: Part, names: frozenset[str]) -> Field | None:
    return next(
        (held for held in part.fields.attributes if plain_name(held.mapping.header) in names), None
    )
