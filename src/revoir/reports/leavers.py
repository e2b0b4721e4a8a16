"""Who is leaving: customers who were active and no longer are, by how often they had bought.

The period is no longer than the activity window, so that one scan of `Book.purchases` is exact:
the last purchase before the period says who was active at its start, and that purchase or the
one after it says who still is at its end.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import ibis.expr.types as ir

from revoir.book import Book
from revoir.metrics.activity import activity
from revoir.metrics.calendar import date
from revoir.periods import Period
from revoir.reports.model import GapsSection, Group, Leavers
from revoir.reports.wording import ONE_DAY

REGULAR_DAYS = 3
"""Who bought on so many days is a regular customer."""


def leavers(book: Book, stay: Period, rhythm: GapsSection, end: dt.date) -> Leavers | None:
    """Count who left over the period of the retention rate, or the last activity window.

    Args:
        book: The company's tables.
        stay: The period of the retention rate; used where it is no longer than the window.
        rhythm: How long customers wait between purchases.
        end: The day after the last that the report's periods reach.

    Returns:
        The counts; None where purchases do not say who is active, or the data are too short.
    """
    rule = activity(book)
    if rule.window_days is None:
        return None
    window = rule.window_days
    if stay.days > window:
        start = end - dt.timedelta(days=window)
    else:
        start, end = stay.start, stay.end
    if start - dt.timedelta(days=window) < book.span[0]:
        return None
    row = book.rows(_counted(book, Period(start, end), window, rhythm))[0]
    mixed = len(book.currencies) > 1
    once, again = (_group(row, name, mixed) for name in ("once", "again"))
    return Leavers(
        period=Period(start, end),
        once=once,
        again=again,
        due=int(row["due"] or 0),
        due_after_days=rhythm.median,
        late=int(row["late"] or 0),
        late_after_days=rhythm.third_quartile,
        late_amount=None if mixed else float(row["late_amount"] or 0),
        window_days=window,
        purchases_alone=not (rule.subscription or rule.event_window_days),
    )


def _counted(book: Book, period: Period, window: int, rhythm: GapsSection) -> ir.Table:
    bought = book.purchases
    start, end = period.start, period.end
    # The last purchase before the period, of those who were active when it began.
    there = (
        (bought.day >= date(start - dt.timedelta(days=window)))
        & (bought.day < date(start))
        & (bought.next_day.isnull() | (bought.next_day >= date(start)))
    )
    stays = (bought.day >= date(end - dt.timedelta(days=window))) | (
        bought.next_day.notnull() & (bought.next_day < date(end))
    )
    single = bought.nth == 1
    oldest = date(book.as_of + ONE_DAY - dt.timedelta(days=window))
    silent = bought.next_day.isnull() & (bought.day >= oldest)
    due = date(book.as_of - dt.timedelta(days=rhythm.median))
    late = (
        silent
        & (bought.nth >= REGULAR_DAYS)
        & (bought.day <= date(book.as_of - dt.timedelta(days=rhythm.third_quartile)))
    )
    sums = {
        "due": (silent & single & (bought.day <= due)).sum(),
        "late": late.sum(),
        "late_amount": bought.amount_so_far.sum(where=late),
    }
    for name, which in (("once", single), ("again", ~single)):
        sums[f"{name}_present"] = (there & which).sum()
        sums[f"{name}_lost"] = (there & which & ~stays).sum()
        sums[f"{name}_amount"] = bought.amount_so_far.sum(where=there & which & ~stays)
    return bought.aggregate(**sums)


def _group(row: Mapping[str, Any], name: str, mixed: bool) -> Group:
    present, lost, amount = (row[f"{name}_{part}"] or 0 for part in ("present", "lost", "amount"))
    return Group(int(present), int(lost), None if mixed else float(amount))
