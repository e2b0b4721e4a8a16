"""The customer summary that models of repeat purchase are fitted to."""

from __future__ import annotations

import ibis.expr.types as ir

from revoir.book import Book
from revoir.metrics.calendar import date


def customer_summary(book: Book) -> ir.Table:
    """Frequency, recency, age and monetary value of every customer who bought.

    Args:
        book: The company's tables.

    Returns:
        One row a customer: `customer_id`, `frequency` (days with a purchase after the first one),
        `recency` (days from the first to the last purchase), `T` (days from the first purchase to
        `as_of`), `monetary_value` (mean amount of a day with a purchase after the first one; null
        without one).

    Source:
        Fader, Hardie & Lee (2005), Marketing Science 24, 275–284, section 3 (x, t_x, T); Fader &
        Hardie (2013), The Gamma-Gamma Model of Monetary Value, for the mean of repeat purchases.
    """
    orders = book.table("orders")
    bought = orders.filter((orders.kind == "purchase") & orders.customer_id.notnull())
    days = bought.group_by(["customer_id", "ordered_on"]).aggregate(amount=bought.amount.sum())
    # Twice grouped is cheaper than `Book.purchases`, and neither the neighbours nor the order of
    # a customer's days are asked for here.
    people = days.group_by("customer_id").aggregate(
        frequency=days.count() - 1,
        first_day=days.ordered_on.min(),
        last_day=days.ordered_on.max(),
        amount=days.amount.sum(),
        first_amount=days.amount.argmin(days.ordered_on),
    )
    return people.select(
        customer_id=people.customer_id,
        frequency=people.frequency,
        recency=people.last_day.delta(people.first_day, unit="day"),
        T=date(book.as_of).delta(people.first_day, unit="day"),
        monetary_value=(people.amount - people.first_amount).cast("float64")
        / people.frequency.nullif(0),
    )
