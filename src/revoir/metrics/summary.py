"""The customer summary that models of repeat purchase are fitted to."""

from __future__ import annotations

import ibis
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
        without one, and where none of those purchases has an amount).

    Source:
        Fader, Hardie & Lee (2005), Marketing Science 24, 275–284, section 3 (x, t_x, T); Fader &
        Hardie (2013), The Gamma-Gamma Model of Monetary Value, for the mean of repeat purchases.
    """
    bought = book.purchases
    last = bought.filter(bought.next_day.isnull())
    summary = last.select(
        customer_id=last.customer_id,
        frequency=last.nth - 1,
        recency=last.day.delta(last.first_day, unit="day"),
        T=date(book.as_of).delta(last.first_day, unit="day"),
        monetary_value=(last.amount_so_far - last.first_amount).cast("float64")
        / (last.nth - 1).nullif(0),
    )
    return _without_amounts(book, summary)


def _without_amounts(book: Book, summary: ir.Table) -> ir.Table:
    """Leave open what customers spent of whom no repeat purchase has an amount.

    Sums take an amount that is missing for nothing; nothing is what somebody spends whose purchases
    were free. The customers are looked for only in books that lack amounts at all.
    """
    again = book.purchases.filter(book.purchases.nth > 1)
    counts = again.aggregate(n=again.count(), known=again.amount.count())
    row = book.once("repeat purchases with an amount", lambda: book.rows(counts)[0])
    if row["n"] == row["known"]:
        return summary
    known = again.group_by(whose=again.customer_id).aggregate(priced=again.amount.count())
    found = summary.left_join(known, summary.customer_id == known.whose)
    value = ibis.ifelse(found.priced > 0, found.monetary_value, ibis.null("float64"))
    return found.mutate(monetary_value=value).drop("whose", "priced")
