"""The parts of the health score: of each, how far a customer is from the best and the worst."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, msg
from revoir.metrics.calendar import date
from revoir.metrics.complaints import not_told
from revoir.metrics.contracts import as_stays
from revoir.signals.baseline import how_often
from revoir.signals.purchases import several_currencies
from revoir.signals.registry import held
from revoir.signals.rhythm import paces
from revoir.signals.service import complaint_days
from revoir.signals.silences import active, horizon_days, signs_of_life, silences
from revoir.signals.voice import scores_of_five
from revoir.visits import visit_days

ENDED_MIN = 30
"""From fewer silences than this nothing is told of how often customers come back."""
SERVICE_DAYS = 90
"""Complaints count for so many days."""
ANSWER_DAYS = 365
"""Answers count for so many days."""
VISIT_DAYS = 30
"""Visits of so many days are compared with those of as many before."""


@dataclass(frozen=True)
class Part:
    """One part of the score.

    Attributes:
        name: Its name; the column of its points.
        label: What people call it.
        meaning: When it is best and when it is worst.
        weight: How much it counts.
        shares: Gives `customer_id` and `share` (0 to 1) of customers of whom it is known; None
            where the book cannot tell.
    """

    name: str
    label: Message
    meaning: Message
    weight: float
    shares: Callable[[Book], ir.Table | None]


def _ago(book: Book, day: ir.DateValue) -> ir.IntegerValue:
    """Days from each day to the end of the book's last one."""
    return date(book.as_of).delta(day, unit="day")


def _kept(recent: ir.NumericValue, before: ir.NumericValue) -> ir.FloatingValue:
    """The share of a sum that is left; more than before is no better than as much."""
    share = recent.cast("float64") / before.cast("float64")
    return ibis.greatest(ibis.least(share, 1.0), 0.0)


def _known_before(book: Book, what: str, days: ir.Table, back: int) -> bool:
    """Whether the data begin early enough for days to be counted so far back.

    Where they begin in between, hardly anybody would have come less often than before.
    """

    def find() -> dt.date | None:
        first: dt.date | None = book.rows(days.aggregate(first=days.day.min()))[0]["first"]
        return first

    first = book.once(f"health first {what}", find)
    return first is not None and (book.as_of - first).days >= back - 1


def _recency(book: Book) -> ir.Table | None:
    """How much is left of the time between the usual gap and the day that they count as gone.

    A customer who is active by a running subscription may be silent for as long as they like.
    """
    if not book.has("orders", "customer_id"):
        return None
    rows = paces(book)
    if rows is None:
        return None
    usual = rows.filter(rows.next_day.isnull()).select("usual_days", whose="customer_id")
    people = active(book)
    people = people.filter(people.gone_on.notnull())
    both = people.join(usual, people.customer_id == usual.whose)
    left = both.gone_on.delta(date(book.as_of), unit="day")
    spare = both.gone_on.delta(both.act, unit="day") - both.usual_days
    share = left.cast("float64") / ibis.greatest(spare, 1.0)
    return both.select("customer_id", share=ibis.least(share, 1.0))


def _habit(book: Book) -> ir.Table | None:
    """How many of those who were as far as the customer gave another sign of life.

    Of whoever has subscribed it is not told: a subscriber who stays gives no other sign, and of the
    silences of subscribers that have ended nearly all were departures.
    """
    rows, people = silences(book), active(book)
    if "subscriptions" in signs_of_life(book):
        begun = as_stays(book, book.table("subscriptions"))
        subscribers = begun.select("customer_id").distinct()
        rows, people = (one.anti_join(subscribers, "customer_id") for one in (rows, people))
    # Of what began so long ago, it is known how it ended.
    ended = rows.filter(
        (rows.act <= date(book.as_of - dt.timedelta(days=horizon_days(book))))
        & (rows.gone_on.notnull() | rows.next_act.notnull())
    )
    counted = ended.group_by(often=how_often(ended.nth)).aggregate(
        n=ended.count(), back=ended.gone_on.isnull().sum()
    )
    known = {int(row["often"]): row for row in book.rows(counted)}
    shares = [
        (int(row["back"]) / int(row["n"]), often)
        for often, row in known.items()
        if int(row["n"]) >= ENDED_MIN
    ]
    if not shares:
        return None
    branches = [(how_often(people.nth) == often, share) for share, often in shares]
    found = people.select("customer_id", share=ibis.cases(*branches))
    return found.filter(found.share.notnull())


def _frequency(book: Book) -> ir.Table | None:
    if not book.has("orders", "customer_id"):
        return None
    span = horizon_days(book)
    days = book.purchases
    if not _known_before(book, "purchase", days, 2 * span):
        return None
    days = days.filter(days.next_day.isnull() | (days.next_day > days.day))
    ago = _ago(book, days.day)
    counted = days.group_by("customer_id").aggregate(
        recent=(ago < span).sum(), before=((ago >= span) & (ago < 2 * span)).sum()
    )
    known = counted.filter(counted.before > 0)
    return known.select("customer_id", share=_kept(known.recent, known.before))


def _spending(book: Book) -> ir.Table | None:
    if not book.has("orders", "customer_id") or several_currencies(book) is not None:
        return None
    bought = book.purchases
    recent = _ago(book, bought.day) < horizon_days(book)
    amount = bought.amount.cast("float64")
    means = bought.group_by("customer_id").aggregate(
        recent=amount.mean(where=recent), before=amount.mean(where=~recent)
    )
    known = means.filter(means.recent.notnull() & (means.before > 0))
    return known.select("customer_id", share=_kept(known.recent, known.before))


def _satisfaction(book: Book) -> ir.Table | None:
    rows = scores_of_five(book, recommendation=True)
    if rows is None:
        return None
    ago = _ago(book, rows.day)
    rows = rows.filter((ago >= 0) & (ago < ANSWER_DAYS))
    means = rows.group_by("customer_id").aggregate(mean=rows.score.mean())
    return means.select(
        "customer_id", share=ibis.least(ibis.greatest((means.mean - 1) / 4.0, 0.0), 1.0)
    )


def _service(book: Book) -> ir.Table | None:
    if not (held(book, ("interactions.customer_id", "interactions.is_complaint"))
            or held(book, ("interactions.customer_id", "interactions.kind"))):  # fmt: skip
        return None
    if not_told(book) is not None:
        return None
    days = complaint_days(book)
    recent = days.filter(_ago(book, days.day) < SERVICE_DAYS)
    counted = recent.group_by("customer_id").aggregate(n=recent.n.sum())
    # Who has not complained is as well off as can be: everybody is known here.
    everyone = active(book).select("customer_id")
    complained = counted.rename(whose="customer_id")
    joined = everyone.left_join(complained, everyone.customer_id == complained.whose)
    share = ibis.greatest(1.0 - 0.5 * joined.n.fill_null(0).cast("float64"), 0.0)
    return joined.select("customer_id", share=share)


def _engagement(book: Book) -> ir.Table | None:
    if not book.has("events"):
        return None
    days = visit_days(book)
    if not _known_before(book, "visit", days, 2 * VISIT_DAYS):
        return None
    ago = _ago(book, days.day)
    counted = days.group_by("customer_id").aggregate(
        recent=(ago < VISIT_DAYS).sum(), before=((ago >= VISIT_DAYS) & (ago < 2 * VISIT_DAYS)).sum()
    )
    known = counted.filter(counted.before > 0)
    return known.select("customer_id", share=_kept(known.recent, known.before))


PARTS = (
    Part(
        "recency",
        msg("Recency"),
        msg(
            "Best while the silence is no longer than the customer's usual gap, worst on the day"
            " that they count as gone."
        ),
        30,
        _recency,
    ),
    Part(
        "habit",
        msg("Habit"),
        msg("The share of those who had bought as often, or come as often, who came back again."),
        25,
        _habit,
    ),
    Part(
        "frequency",
        msg("Frequency"),
        msg(
            "Best when they bought on as many days of the activity window as of the one before;"
            " half as many leave half."
        ),
        10,
        _frequency,
    ),
    Part(
        "spending",
        msg("Spending"),
        msg("Best when the basket is as large as it used to be; half as large leaves half."),
        5,
        _spending,
    ),
    Part(
        "satisfaction",
        msg("Satisfaction"),
        msg("What they answered in a year, from the worst to the best score."),
        15,
        _satisfaction,
    ),
    Part(
        "service",
        msg("Complaints"),
        msg("Best without a complaint in {days} days, worst with two.", days=SERVICE_DAYS),
        10,
        _service,
    ),
    Part(
        "engagement",
        msg("Visits"),
        msg(
            "Best when they came on as many of the last {days} days as of those before; half as"
            " many leave half.",
            days=VISIT_DAYS,
        ),
        5,
        _engagement,
    ),
)
"""The parts, with their weights; together they weigh 100."""
