"""Columns as they stand: of a file of one row a customer, or vouched for by the user."""

from __future__ import annotations

import ibis.expr.types as ir

from revoir.language import Message, msg, nmsg
from revoir.metrics.registry import Unit
from revoir.models.features.declaration import Feature, Known, Moments

LABELS: dict[str, Message] = {
    "plan": msg("What is subscribed to"),
    "monthly_amount": msg("Price a month"),
    "tenure_months": msg("Months as a customer"),
    "gender": msg("Gender"),
    "age": msg("Age"),
    "age_band": msg("Age band"),
    "country": msg("Country"),
    "region": msg("Region"),
    "city": msg("Town"),
}
"""What people call columns that the canonical tables name; others go by their own name in words."""


def column_feature(table: ir.Table, home: str, column: str) -> Feature | None:
    """The feature that a column of customers or subscriptions is as it stands.

    Args:
        table: The table.
        home: Its canonical name.
        column: The column.

    Returns:
        The feature, called by table and column; None where the column holds days or something else
        that is no figure.
    """
    kind = table[column].type()
    if not (kind.is_string() or kind.is_boolean() or kind.is_numeric()):
        return None
    unit = Unit.RATIO if kind.is_numeric() else None
    if column == "monthly_amount":
        unit = Unit.MONEY

    def value(rows: ir.Table, moments: Moments) -> ir.Value:
        return rows[column].cast("string" if unit is None else "float64")

    name = f"{home}.{column}"
    label = LABELS.get(column, msg("{name}", name=column.replace("_", " ")))
    high, low = msg("{label}: high", label=label), msg("{label}: low", label=label)
    return Feature(name, label, unit, name, home, value, high, low, SAYINGS.get(column))


def _tenure_in_words(known: Known) -> Message | None:
    months = known["subscriptions.tenure_months"]
    if months is None:
        return None
    return nmsg("a customer for {n} month", "a customer for {n} months", round(months))


def _price_in_words(known: Known) -> Message | None:
    if known["subscriptions.monthly_amount"] is None:
        return None
    return msg("pays {amount} a month", amount=known.money("subscriptions.monthly_amount"))


SAYINGS = {"tenure_months": _tenure_in_words, "monthly_amount": _price_in_words}
