"""When subscriptions end: the one place that says whether the next one takes over, and who left."""

from __future__ import annotations

import datetime as dt
import functools
import operator

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, msg
from revoir.metrics import scope
from revoir.metrics.boundaries import FAR, START, UNTIL
from revoir.metrics.calendar import date, days_later
from revoir.metrics.registry import Question


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


def going_over(book: Book, question: Question) -> Message | None:
    """What to say where customers go over from one group of subscriptions to another.

    Args:
        book: The company's tables.
        question: What is asked.

    Returns:
        A sentence; None where no customer has two values of a column that is asked about.
    """
    if not book.has("subscriptions", "customer_id"):
        return None
    theirs = scope.columns_asked(book, question, "subscriptions") - {"customer_id"}
    if not theirs:
        return None

    def look() -> bool:
        rows = book.table("subscriptions")
        values = {f"values__{name}": rows[name].nunique() for name in theirs}
        people = rows.filter(rows.customer_id.notnull()).group_by("customer_id").aggregate(**values)
        several = [people[name] > 1 for name in values]
        n = people.filter(functools.reduce(operator.or_, several)).count()
        return bool(book.rows(n.name("n").as_table())[0]["n"])

    if not book.once(f"going over {sorted(theirs)}", look):
        return None
    return msg(
        "A customer counts in every group they subscribe to: who goes over to another is lost to"
        " the first, and gained by the other."
    )


def as_held_on(book: Book, column: str, day: dt.date) -> Book:
    """The book in which a column of subscriptions says of each customer what held on a day.

    Broken down by it, a period that begins on that day counts a customer in one group, the one they
    were in at its start: who goes over to another plan stays a customer, and is lost to none.

    Args:
        book: The company's tables.
        column: A column of `subscriptions`, such as `plan`.
        day: The first day of the period.

    Returns:
        The book; of several subscriptions that ran on the day the one that began last counts, and
        who had none keeps what their own say.
    """
    rows = book.table("subscriptions")
    stays = as_stays(book, rows.filter(rows.customer_id.notnull()))
    ran = stays.filter((stays[START] < date(day)) & (stays[UNTIL] >= date(day)))
    order = [ibis.desc(ran[START]), ran[UNTIL], ran[column]]
    window = ibis.window(group_by=ran.customer_id, order_by=order)
    first = ran.select(
        whose=ran.customer_id, held=ran[column], place=ibis.row_number().over(window)
    )
    first = first.filter(first.place == 0).drop("place")
    found = rows.left_join(first, rows.customer_id == first.whose)
    told = ibis.ifelse(found.whose.notnull(), found.held, found[column])
    found = found.mutate(**{column: told}).drop("whose", "held")
    # What lists say of products stands in the lines by now.
    kept = {name: table for name, table in book.tables.items() if name != "products"}
    return Book({**kept, "subscriptions": found}, settings=book.settings, as_of=book.as_of)


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
