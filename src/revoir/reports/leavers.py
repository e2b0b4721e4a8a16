"""Who is leaving: customers who were active and no longer are, by how often they had bought.

The period is no longer than the activity window, so that one scan of `Book.purchases` is exact:
the last purchase before the period says who was active at its start, and that purchase or the
one after it says who still is at its end.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from revoir.book import Book
from revoir.metrics.activity import activity
from revoir.metrics.calendar import date
from revoir.periods import Period
from revoir.reports.model import Group, Leavers
from revoir.reports.wording import ONE_DAY


def leavers(book: Book, stay: Period, median_gap_days: int) -> Leavers | None:
    """Count who left over the period of the retention rate, or the last activity window.

    Args:
        book: The company's tables.
        stay: The period of the retention rate; used where it is no longer than the window.
        median_gap_days: The wait within which half of the returns happen.

    Returns:
        The counts; None where purchases do not say who is active, or the data are too short.
    """
    rule = activity(book)
    if rule.window_days is None or rule.subscription or rule.event_window_days:
        return None
    window = rule.window_days
    start, end = stay.start, stay.end
    if stay.days > window:
        end = book.as_of + ONE_DAY
        start = end - dt.timedelta(days=window)
    if start - dt.timedelta(days=window) < book.span[0]:
        return None
    bought = book.purchases
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
    latest = date(book.as_of - dt.timedelta(days=median_gap_days))
    alone = single & bought.next_day.isnull()
    sums = {"due": (alone & (bought.day <= latest) & (bought.day >= oldest)).sum()}
    for name, which in (("once", single), ("again", ~single)):
        sums[f"{name}_present"] = (there & which).sum()
        sums[f"{name}_lost"] = (there & which & ~stays).sum()
        sums[f"{name}_amount"] = bought.amount_so_far.sum(where=there & which & ~stays)
    row = book.rows(bought.aggregate(**sums))[0]
    once, again = (_group(row, name) for name in ("once", "again"))
    return Leavers(Period(start, end), once, again, int(row["due"] or 0), median_gap_days)


def _group(row: Mapping[str, Any], name: str) -> Group:
    present, lost, amount = (row[f"{name}_{part}"] or 0 for part in ("present", "lost", "amount"))
    return Group(int(present), int(lost), float(amount))
