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
    bought = book.purchases
    last = bought.filter(bought.next_day.isnull())
    return last.select(
        customer_id=last.customer_id,
        frequency=last.nth - 1,
        recency=last.day.delta(last.first_day, unit="day"),
        T=date(book.as_of).delta(last.first_day, unit="day"),
        monetary_value=(last.amount_so_far - last.first_amount).cast("float64")
        / (last.nth - 1).nullif(0),
    )
