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
        `as_of`), `monetary_value` (mean amount of a day with a purchase after the first one, of
        those days whose amounts are all known; null without one).

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
    known = amounts_known(book)
    if known is None:
        return summary
    # Sums take an amount that is missing for nothing, which is what free purchases come to.
    found = summary.left_join(known, summary.customer_id == known.whose)
    value = found.spent.cast("float64") / found.priced.nullif(0)
    return found.mutate(monetary_value=value).drop("whose", "priced", "spent", "amounts")


def amounts_missing(book: Book) -> int:
    """How many purchases of known customers have no amount."""
    bought = book.purchases
    counts = bought.aggregate(n=bought.count(), known=bought.amount.count())
    row = book.once("purchases with an amount", lambda: book.rows(counts)[0])
    return int(row["n"] - row["known"])


def priced_days(book: Book) -> ir.Table:
    """The purchases, without the amounts of a day of which one is missing.

    What is known of half of a day's orders is less than the day was worth.

    Args:
        book: The company's tables.

    Returns:
        The table that `Book.purchases` describes.
    """
    bought = book.purchases
    if not amounts_missing(book):
        return bought
    day = ibis.window(group_by=["customer_id", "nth"])
    missing = ibis.ifelse(bought.amount.isnull(), 1, 0).sum().over(day)
    absent = ibis.null(bought.amount.type())
    return bought.mutate(amount=ibis.ifelse(missing > 0, absent, bought.amount))


def amounts_known(book: Book) -> ir.Table | None:
    """What is known of the amounts of each customer, in a book that lacks some.

    Args:
        book: The company's tables.

    Returns:
        One row a customer, `whose`: `priced` (days after the first one whose amounts are known),
        `spent` on them, and `amounts` (purchases on any day whose amounts are known). None where
        no amount is missing.
    """
    if not amounts_missing(book):
        return None
    bought = priced_days(book)
    again = (bought.nth > 1) & bought.amount.notnull()
    return bought.group_by(whose=bought.customer_id).aggregate(
        priced=bought.nth.nunique(where=again),
        spent=bought.amount.sum(where=again),
        amounts=bought.amount.count(),
    )
