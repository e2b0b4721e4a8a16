"""What a reader must know of the data before reading a figure: gaps, groups, rankings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from revoir.book import Book
from revoir.language import Message, msg, nmsg
from revoir.metrics.activity import activity
from revoir.periods import Grain
from revoir.reports.frame import Frame
from revoir.reports.model import CohortSection, GapsSection, SegmentRow
from revoir.reports.wording import ONE_DAY

NEARLY_DAYS = 3
"""A period that lacks no more days is likely over: nothing was sold on the last ones."""

GROUP_MIN = 30
"""Fewer customers may have come by chance in a few periods alone."""

KEPT_SEGMENTS = ("champions", "loyal", "potential_loyalist")
LEAVING_SEGMENTS = ("at_risk", "cannot_lose_them")


def stale(book: Book, last: dt.date) -> bool:
    """Whether the data end so long before the report that nobody can still be active.

    Args:
        book: The company's tables.
        last: The last day of the data.
    """
    rule = activity(book)
    days = max(rule.window_days or 0, rule.event_window_days or 0) or 366
    silent: dt.timedelta = book.as_of - last
    return silent.days > days


def of_the_end(book: Book, frame: Frame, last: dt.date) -> Message | None:
    """What to know of the last days: they are missing, or a period lacks but a few.

    Args:
        book: The company's tables.
        frame: The periods of the report.
        last: The last day of the data.
    """
    said = {"last": last, "as_of": book.as_of}
    if stale(book, last):
        return msg(
            "Nothing in the data is later than {last}: the figures by period stop there."
            " Days since the last purchase are counted to {as_of}, so that every customer"
            " seems to have left: add the orders made since.",
            **said,
        )
    if frame.end <= book.as_of:
        return msg(
            "Nothing in the data is later than {last}: the figures by period stop there. Days"
            " since the last purchase are counted to {as_of}.",
            **said,
        )
    over = nearly_over(book, frame, last)
    if over is None:
        return None
    return nmsg(
        "The data end {n} day before the end of the period that began on {start}: it does not"
        " count yet.",
        "The data end {n} days before the end of the period that began on {start}: it does not"
        " count yet.",
        (over - last).days,
        start=frame.periods[-1].start,
    )


def nearly_over(book: Book, frame: Frame, last: dt.date) -> dt.date | None:
    """The last day of a period that lacks but a few days, on which likely nothing was sold.

    Args:
        book: The company's tables.
        frame: The periods of the report.
        last: The last day of the data.

    Returns:
        The day; None where the last period is complete, or far from it.
    """
    over: dt.date = frame.periods[-1].end - ONE_DAY
    if frame.grain is Grain.WEEK or last != book.as_of or frame.end <= book.as_of:
        return None
    return over if 0 < (over - last).days <= NEARLY_DAYS else None


def nobody_new_since(cohorts: CohortSection | None, frame: Frame) -> dt.date | None:
    """The last day that brought new customers, where the file follows those won before.

    Such a file (CDNOW is one) holds the orders of customers won in a few periods, and of nobody
    since: its revenue falls by the way it was made.

    Args:
        cohorts: The cohort grid.
        frame: The periods of the report.

    Returns:
        The last day of the period of the last newcomers; None where new ones keep coming.
    """
    if cohorts is None or sum(row.size for row in cohorts.rows) < GROUP_MIN:
        return None
    won = [row.period for row in cohorts.rows if row.size]
    coming = won[-1].end - won[0].start
    since = frame.current.end - won[-1].end
    if since < max(coming, 3 * (won[-1].end - won[-1].start)):
        return None
    last: dt.date = won[-1].end - ONE_DAY
    return last


def of_a_closed_group(last: dt.date) -> Message:
    """What a file without newcomers cannot say."""
    return msg(
        "Nobody is new since {last}: the file follows customers won before. Its revenue and its"
        " active customers tend to fall for that reason alone, and are not judged.",
        last=last,
    )


def of_the_ranking(rows: Iterable[SegmentRow], rhythm: GapsSection | None) -> Message | None:
    """Where the names of the segments say more, or less, than the activity rule does.

    Scores compare customers with each other: with customers of many years, "loyal" ones may have
    left long ago; where everybody comes back, those "at risk" may be on time.

    Args:
        rows: The segments.
        rhythm: How long customers wait between purchases (None: nobody came back).
    """
    if rhythm is None or rhythm.window_days is None:
        return None
    gone = [row for row in rows if row.key in KEPT_SEGMENTS and _waited(row) >= rhythm.window_days]
    if gone:
        return nmsg(
            "Scores compare customers with each other: in {segments}, half or more have bought"
            " nothing for {n} day or more, and no longer count as active.",
            "Scores compare customers with each other: in {segments}, half or more have bought"
            " nothing for {n} days or more, and no longer count as active.",
            rhythm.window_days,
            segments=_named(gone),
        )
    usual = [
        row
        for row in rows
        if row.key in LEAVING_SEGMENTS and 0 < _waited(row) <= rhythm.third_quartile
    ]
    if not usual:
        return None
    return nmsg(
        "Scores compare customers with each other: in {segments}, half or more have waited no"
        " longer than is usual here, where one repeat purchase in four takes {n} day or more.",
        "Scores compare customers with each other: in {segments}, half or more have waited no"
        " longer than is usual here, where one repeat purchase in four takes {n} days or more.",
        rhythm.third_quartile,
        segments=_named(usual),
    )


def _waited(row: SegmentRow) -> float:
    return row.days_since_last or 0 if row.customers else 0


def _named(rows: Iterable[SegmentRow]) -> list[Message]:
    return [msg("“{name}”", name=row.label) for row in rows]
