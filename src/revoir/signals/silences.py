"""Silences: the days from one sign of life of a customer to the next, or until they are gone.

The *signs of life* are those of the activity rule: a purchase, a first day of a subscription, a
visit. A silence that lasts longer than the rule allows is the end of an active spell: the customer
counts as gone on the day that the rule no longer holds (`gone_on`).
"""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir

from revoir.book import Activity, Book
from revoir.errors import UsageError
from revoir.language import Message, in_days, msg, nmsg
from revoir.metrics.activity import activity
from revoir.metrics.boundaries import FAR, START, UNTIL
from revoir.metrics.calendar import date, days_later
from revoir.metrics.registry import Question
from revoir.metrics.retention import sources, stays_of

HORIZON_DAYS = 92
"""How far ahead a signal looks where the activity rule has no window: a quarter."""


def horizon_days(book: Book, asked: int | None = None) -> int:
    """How many days after an alert a departure proves it right.

    By default that is the activity window: an alert is then right when the customer counts as gone
    before giving another sign of life, however long the silence had lasted already.

    Args:
        book: The company's tables.
        asked: Another number of days, where one is wanted.

    Returns:
        The days.

    Raises:
        UsageError: They are fewer than the window, so that nobody who has only now bought or come
            could leave within them.
    """
    rule = activity(book)
    window = rule.window_days or rule.event_window_days
    if asked is not None and asked < (window or 1):
        raise UsageError(
            nmsg(
                "{n} day is too few: a customer counts as gone {window} after the last sign of"
                " life.",
                "{n} days are too few: a customer counts as gone {window} after the last sign of"
                " life.",
                asked,
                window=in_days(window or 1),
            ),
            remedy=msg("Give as many days or more, or a shorter activity window."),
        )
    return asked or window or HORIZON_DAYS


def nobody_to_follow(book: Book) -> Message | None:
    """Why a book does not say who is a customer when (None: it does)."""
    if book.last_day is None:
        return msg("No row of the data has a date.")
    if not signs_of_life(book):
        return msg("The data do not say who is a customer: no purchase, subscription or visit.")
    return None


def signs_of_life(book: Book) -> tuple[str, ...]:
    """The tables whose rows say that a customer is still there."""
    return sources(book, Question(), activity(book))


def silences(book: Book) -> ir.Table:
    """Every silence of every customer.

    Args:
        book: The company's tables; `signs_of_life` says that there are some.

    Returns:
        `customer_id`, `act` (the day of the sign of life that it follows), `next_act` (that of the
        one that ends it; null: there is none yet), `nth` (how many days with one there were, `act`
        included) and `gone_on` (the day that the customer counts as gone in it; null: they do not,
        as far as is known).
    """
    rule = activity(book)
    if _only_purchases(book):
        # Of several purchases on a day the last one is followed by another day.
        bought = book.purchases
        last = bought.filter(bought.next_day.isnull() | (bought.next_day > bought.day))
        rows = last.select("customer_id", "nth", act=last.day, next_act=last.next_day)
        return of_purchases(book, rows)
    key = f"silences {rule.window_days} {rule.subscription} {rule.event_window_days}"
    return book.cached(key, _between_stays(book, rule))


def _only_purchases(book: Book) -> bool:
    return signs_of_life(book) == ("orders",)


def active(book: Book, day: dt.date | None = None) -> ir.Table:
    """The silences that active customers are in at the end of a day.

    Args:
        book: The company's tables; `signs_of_life` says that there are some.
        day: The day (None: the book's last one).

    Returns:
        Rows of `silences`, one a customer.
    """
    rows, over = silences(book), date(day or book.as_of)
    goes_on = (rows.next_act.isnull() | (rows.next_act > over)) & (
        rows.gone_on.isnull() | (rows.gone_on > over)
    )
    return rows.filter((rows.act <= over) & goes_on)


def of_purchases(book: Book, rows: ir.Table) -> ir.Table:
    """Say when customers count as gone, where purchases are the only signs of life.

    Args:
        book: The company's tables.
        rows: Rows with `act` and `next_act`, days of purchases that follow each other.

    Returns:
        The rows with `gone_on`.
    """
    window = activity(book).window_days
    assert window is not None  # purchases alone say who is active
    over = days_later(rows.act, window)
    is_end = rows.next_act.isnull() | (rows.next_act > over)
    return rows.mutate(gone_on=ibis.ifelse(is_end, over, ibis.null("date")))


def _between_stays(book: Book, rule: Activity) -> ir.Table:
    """The silences between stays, which go on while an earlier stay reaches further."""
    stays = stays_of(book, Question(), rule)
    assert stays is not None  # something says who is active
    known = stays.filter(stays.customer_id.notnull())
    days = known.group_by("customer_id", act=known[START]).aggregate(until=known[UNTIL].max())
    window = ibis.window(group_by="customer_id", order_by="act")
    so_far = ibis.cumulative_window(group_by="customer_id", order_by="act")
    placed = days.mutate(
        next_act=days.act.lead().over(window),
        nth=ibis.row_number().over(window) + 1,
        reach=days.until.max().over(so_far),
    )
    is_end = placed.next_act.isnull() | (placed.next_act > placed.reach)
    ends = is_end & (placed.reach < date(FAR))
    return placed.select(
        "customer_id",
        "act",
        "next_act",
        "nth",
        gone_on=ibis.ifelse(ends, placed.reach, ibis.null("date")),
    )


def placed(book: Book, raised: ir.Table) -> tuple[ir.Table, bool]:
    """Put the days that a signal was raised on into the silences that they fall in.

    Args:
        book: The company's tables.
        raised: Rows of `Signal.raised`.

    Returns:
        The rows of customers who were active on that day, with `act`, `next_act`, `nth` and
        `gone_on`; and whether there is one of them at most in each silence.
    """
    single = "act" in raised.columns and _only_purchases(book)
    if single:
        found = of_purchases(book, raised)
    else:
        rows = raised.drop("act", "next_act", "nth") if "act" in raised.columns else raised
        quiet = silences(book).rename(whose="customer_id")
        found = rows.join(
            quiet, [rows.customer_id == quiet.whose, rows.raised_on >= quiet.act]
        ).drop("whose")
    # One comparison: engines compute what days stand for anew in each.
    tomorrow = date(book.as_of + dt.timedelta(days=1))
    ends = ibis.least(found.next_act, found.gone_on, tomorrow)
    return found.filter((found.raised_on >= found.act) & (found.raised_on < ends)), single
