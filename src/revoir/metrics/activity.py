"""Who counts as a customer on a given day: the activity rule, proposed from the data."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace

from revoir.book import Activity, Book
from revoir.language import Message, Percent, in_days, msg, nmsg

WINDOWS_DAYS = (31, 45, 60, 92, 122, 183, 275, 366, 550, 731, 1096)
"""Windows that people have names for: a month, six weeks, two months, a quarter, … three years."""

SHARE_OF_GAPS = 0.9
"""A customer is let go after the wait within which nine of ten returns happen."""

GAPS_MIN = 50
"""Fewer gaps than this say nothing of the rhythm."""

DEFAULT_WINDOW_DAYS = 366
"""Without a rhythm to read, a customer counts for a year after a purchase, if the data last."""


@dataclass(frozen=True)
class Gaps:
    """How long customers wait between purchases.

    Attributes:
        counts: How many gaps lasted each number of days.
    """

    counts: dict[int, int]

    @property
    def total(self) -> int:
        """How many gaps there are."""
        return sum(self.counts.values())

    def quantile(self, share: float) -> int:
        """The days within which a share of the gaps end.

        Raises:
            ValueError: There is no gap.
        """
        if not self.counts:
            raise ValueError("there is no gap between purchases")
        wanted = math.ceil(share * self.total)
        seen = 0
        for days in sorted(self.counts):
            seen += self.counts[days]
            if seen >= wanted:
                return days
        return max(self.counts)


def gaps(book: Book) -> Gaps:
    """Count the days between each customer's purchases, one day with several counting once."""
    return book.once("gaps", lambda: _gaps(book))


def _gaps(book: Book) -> Gaps:
    bought = book.purchases
    waited = bought.filter(bought.previous_day < bought.day)
    days = waited.day.delta(waited.previous_day, unit="day")
    counted = waited.select(days=days).group_by("days").aggregate(n=lambda t: t.count())
    return Gaps({int(row["days"]): int(row["n"]) for row in book.rows(counted)})


def activity(book: Book) -> Activity:
    """The rule in force: the company's own, or the one its data propose."""
    if book.settings.activity is not None:
        return book.settings.activity
    return book.once("activity", lambda: propose(book))


def propose(book: Book, window_days: int | None = None) -> Activity:
    """Propose an activity rule from what the book holds.

    Args:
        book: The company's tables.
        window_days: The company's own window of purchases, where it gave one: it takes nothing
            away from subscriptions, and says nothing where there are no orders.

    Returns:
        The rule, with its reason.
    """
    subscribed = book.has("subscriptions", "started_at")
    if book.has("orders", "customer_id"):
        rule = (
            _from_gaps(gaps(book), book.span)
            if window_days is None
            else Activity(window_days=window_days, reason=msg("The window is the one you gave."))
        )
        return replace(rule, subscription=subscribed)
    if subscribed:
        return Activity(
            subscription=True, reason=msg("A customer is active while a subscription runs.")
        )
    if book.has("events"):
        return Activity(
            event_window_days=31,
            reason=msg("There are no orders: a customer is active for 31 days after a visit."),
        )
    return Activity(reason=msg("The data hold neither orders nor subscriptions nor visits."))


def _from_gaps(known: Gaps, span: tuple[dt.date, dt.date]) -> Activity:
    days_covered = (span[1] - span[0]).days + 1
    # Retention needs a window before its first day and time after it to see who stays.
    longest = max([days for days in WINDOWS_DAYS if 3 * days <= 2 * days_covered] or [31])
    if known.total < GAPS_MIN:
        window = min(DEFAULT_WINDOW_DAYS, longest)
        return Activity(
            window_days=window,
            reason=msg(
                "No customer has come back yet: a customer counts as active for {window} days after"
                " a purchase.",
                window=window,
            )
            if not known.total
            else nmsg(
                "Customers came back only once, too seldom to read their rhythm: a customer counts"
                " as active for {window} days after a purchase.",
                "Customers came back only {n} times, too seldom to read their rhythm: a customer"
                " counts as active for {window} days after a purchase.",
                known.total,
                window=window,
            ),
        )
    wait = known.quantile(SHARE_OF_GAPS)
    window = next((days for days in WINDOWS_DAYS if days >= wait), WINDOWS_DAYS[-1])
    if window > longest:
        return Activity(
            window_days=longest,
            reason=nmsg(
                "{share} of customers who come back do so within {n} day, but the data cover"
                " only {covered}: a customer counts as active for {window} days after a purchase.",
                "{share} of customers who come back do so within {n} days, but the data cover"
                " only {covered}: a customer counts as active for {window} days after a purchase.",
                wait,
                share=Percent(SHARE_OF_GAPS, 0),
                covered=in_days(days_covered),
                window=longest,
            ),
        )
    return Activity(
        window_days=window,
        reason=nmsg(
            "{share} of customers who come back do so within {n} day: a customer counts as"
            " active for {window} days after a purchase.",
            "{share} of customers who come back do so within {n} days: a customer counts as"
            " active for {window} days after a purchase.",
            wait,
            share=Percent(SHARE_OF_GAPS, 0),
            window=window,
        ),
    )


def rule_in_words(rule: Activity) -> Message:
    """The rule as a sentence."""
    parts: list[Message] = []
    if rule.window_days is not None:
        parts.append(
            nmsg(
                "a purchase within the last day",
                "a purchase within the last {n} days",
                rule.window_days,
            )
        )
    if rule.subscription:
        parts.append(msg("a running subscription"))
    if rule.event_window_days is not None:
        parts.append(
            nmsg(
                "a visit within the last day",
                "a visit within the last {n} days",
                rule.event_window_days,
            )
        )
    if not parts:
        return msg("Nobody counts as active: the data do not say who is.")
    *first, last = parts
    either = msg("{conditions} or {last}", conditions=first, last=last) if first else last
    return msg("Active means: {conditions}.", conditions=either)
