"""When subscriptions end: the one place that says whether the next one takes over, and who left."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.metrics.boundaries import FAR, START, UNTIL
from revoir.metrics.calendar import date, days_later


def with_ends(book: Book, rows: ir.Table) -> ir.Table:
    """Say when subscriptions end, so that a change of plan is no departure.

    A subscription that has ended no longer runs at the end of that day. Many tables give its last
    day instead: 31 December where the next begins on 1 January. Where another subscription of the
    customer begins on the day after, the former lasts until then; with a day or more in between
    the customer was gone.

    Args:
        book: The company's tables.
        rows: Rows of subscriptions, with `customer_id`.

    Returns:
        The rows, with `runs__until`: the first day that they do not run at the end of (null: none).
    """
    ended = rows.ended_at.cast("date") if "ended_at" in rows.columns else ibis.null("date")
    rows = rows.mutate(runs__until=ended)
    every = book.table("subscriptions")
    begun = every.filter(every.started_at.cast("date") <= date(book.as_of))
    begins = begun.started_at.cast("date")
    next_ones = begun.select(
        taken__by=begun.customer_id, taken__over=begins, day__before=days_later(begins, -1)
    ).distinct()
    theirs = rows.customer_id == next_ones.taken__by
    found = rows.left_join(next_ones, [theirs, rows.runs__until == next_ones.day__before])
    until = found.taken__over.coalesce(found.runs__until)
    return found.mutate(runs__until=until).drop("taken__by", "taken__over", "day__before")


def said_to_have_left(book: Book) -> ir.Table:
    """Who has left, by a file that says so.

    A customer has left when none of their contracts still runs: an older one that ended beside one
    that runs is no departure.

    Args:
        book: The company's tables, with `subscriptions.churned`.

    Returns:
        `customer_id` and `left` of the customers of whom the file says it.
    """
    rows = book.table("subscriptions")
    rows = rows.filter(rows.customer_id.notnull() & rows.churned.notnull())
    return rows.group_by("customer_id").aggregate(left=rows.churned.all())


def telling(book: Book) -> ir.Table:
    """The contracts that say what a customer has: those that run; of who has left, what ran.

    Args:
        book: The company's tables, with `subscriptions.churned`.

    Returns:
        Rows of `subscriptions`.
    """
    rows, said = book.table("subscriptions"), said_to_have_left(book).rename(whose="customer_id")
    found = rows.join(said, rows.customer_id == said.whose)
    return found.filter(found.left | ~found.churned).drop("whose", "left")


def as_stays(book: Book, rows: ir.Table) -> ir.Table:
    """The subscriptions that have begun as stays (see `boundaries.follow`).

    Args:
        book: The company's tables.
        rows: Rows of subscriptions, with `customer_id`.

    Returns:
        Those that began by the last day of the book, with `START` and `UNTIL` (`boundaries.FAR`
        where no end is known).
    """
    held = with_ends(book, rows.filter(rows.started_at.cast("date") <= date(book.as_of)))
    ends = {START: held.started_at.cast("date"), UNTIL: held.runs__until.coalesce(date(FAR))}
    return held.mutate(**ends).drop("runs__until")
