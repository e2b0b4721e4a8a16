"""A health score for each customer: 0 to 100, high is good, made of parts that add up.

Each part says of one thing how far the customer is from the best (1) and the worst (0) of it, and
has a weight. The score is the weighted mean of the parts that are known of the customer, times 100;
what each part adds to it are its points. Nothing is assumed of what is not known: who never
answered a survey is judged by the other parts.

The weights are a choice, not an estimate. Whether customers with a higher score do leave less often
is looked at on the company's own past (`Health.check`).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, reduce

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.errors import UsageError
from revoir.experiments.intervals import Interval, difference_interval, wilson
from revoir.language import Message, Percent, msg, nmsg
from revoir.metrics.activity import activity
from revoir.metrics.calendar import date
from revoir.signals.parts import PARTS, Part
from revoir.signals.silences import active, horizon_days, nobody_to_follow, signs_of_life

CUSTOMERS_MIN = 100
"""From fewer customers than this no check is told."""


@dataclass(frozen=True)
class Band:
    """Customers of about the same score on a past day, and how many of them left.

    Attributes:
        low: The lowest score among them, in whole points.
        high: The highest.
        customers: How many they were.
        left: How many left within the horizon.
        interval: The 95 % interval of that share.
    """

    low: int
    high: int
    customers: int
    left: int
    interval: Interval

    @property
    def share(self) -> float:
        """The share who left."""
        return self.left / self.customers


@dataclass(frozen=True)
class Check:
    """Whether customers with a higher score left less often.

    Attributes:
        day: The day that the scores were of, computed with only what was known then.
        horizon_days: Within how many days departures count.
        bands: The customers in tenths, the lowest scores first; equal scores stand together.
        auc: The probability that someone who left had a lower score than someone who stayed
            (0.5: the score says nothing; equal scores count half).
        difference: The 95 % interval of the share who left in the lowest tenth less that in the
            highest.
        reason: Why there is no check (None: there is one).
    """

    day: dt.date | None
    horizon_days: int
    bands: tuple[Band, ...] = ()
    auc: float | None = None
    difference: Interval | None = None
    reason: Message | None = None

    def sentence(self) -> Message:
        """The check in words."""
        if self.reason is not None or self.difference is None:
            return self.reason or msg("Not enough data.")
        lowest, highest = self.bands[0], self.bands[-1]
        told = nmsg(
            "Tested on the past: of the {lowest} customers with the lowest scores on {day}, {low}"
            " left within {n} day; of the {highest} with the highest, {high}.",
            "Tested on the past: of the {lowest} customers with the lowest scores on {day}, {low}"
            " left within {n} days; of the {highest} with the highest, {high}.",
            self.horizon_days,
            day=self.day,
            lowest=lowest.customers,
            low=Percent(lowest.share, 0),
            highest=highest.customers,
            high=Percent(highest.share, 0),
        )
        if self.difference[0] > 0:
            return told
        return msg(
            "{told} {verdict}", told=told, verdict=msg("The score does not tell them apart here.")
        )


@dataclass(frozen=True, eq=False)
class Health:
    """The scores of all customers who are active at the end of a book's last day.

    Attributes:
        book: Where the customers come from.
        parts: The parts that the book can tell, with the weights in use.
        reason: Why there is no score (None: there is one).
    """

    book: Book
    parts: tuple[Part, ...]
    reason: Message | None = None

    @cached_property
    def active(self) -> int:
        """How many customers are active, those without a score among them."""
        people = active(self.book)
        return int(self.book.rows(people.aggregate(n=people.count()))[0]["n"])

    @cached_property
    def customers(self) -> ir.Table:
        """One row an active customer.

        Returns:
            `customer_id`, `health` (0 to 100), and for each part its points (null: not known of
            this customer) and, under ``<part>_of``, the most that they could be. The points add up
            to the score; customers of whom no part is known have none.
        """
        people = active(self.book).select("customer_id")
        found = [
            (part, shares) for part in self.parts if (shares := part.shares(self.book)) is not None
        ]
        for part, shares in found:
            right = shares.select(whose="customer_id", **{part.name: "share"})
            people = people.left_join(right, people.customer_id == right.whose).drop("whose")
        zero = ibis.literal(0.0)
        weights = [ibis.ifelse(people[part.name].notnull(), part.weight, zero) for part, _ in found]
        people = people.mutate(weight=reduce(lambda total, one: total + one, weights, zero))
        people = people.filter(people.weight > 0)
        points, most = {}, {}
        for part, _ in found:
            at_most = 100.0 * part.weight / people.weight
            points[part.name] = people[part.name] * at_most
            most[f"{part.name}_of"] = ibis.ifelse(
                people[part.name].notnull(), at_most, ibis.null("float64")
            )
        score = reduce(lambda total, one: total + one.fill_null(0.0), points.values(), zero)
        scored = people.select("customer_id", health=score, **points, **most)
        names = " ".join(f"{part.name} {part.weight}" for part in self.parts)
        return self.book.cached(f"health {names} {self.book.settings.activity}", scored)

    def check(self, horizon: int | None = None) -> Check:
        """Whether, in the past, customers with a higher score left less often.

        The scores of the last day whose horizon is over are computed with what was known then, and
        held against what became of the customers.

        Args:
            horizon: Within how many days departures count (None: the activity window).

        Returns:
            The check; its `reason` says why there is none where the data are too few.

        Raises:
            UsageError: The horizon is shorter than the activity window.
        """
        days = horizon_days(self.book, horizon)
        if self.reason is not None:
            return Check(None, days, reason=self.reason)
        day = self.book.as_of - dt.timedelta(days=days)
        if day < self.book.span[0] + dt.timedelta(days=days):
            reason = nmsg(
                "Not enough data: what became of customers shows after {n} day, and the scores"
                " need as many before; the data begin on {first} and end on {last}.",
                "Not enough data: what became of customers shows after {n} days, and the scores"
                " need as many before; the data begin on {first} and end on {last}.",
                days,
                first=self.book.span[0],
                last=self.book.as_of,
            )
            return Check(None, days, reason=reason)
        rule = activity(self.book)
        then = health_scores(
            self.book.at(day).with_settings(activity=rule),
            {part.name: part.weight for part in self.parts},
        )
        return _held_against(self.book, then, day, days)


def _held_against(book: Book, then: Health, day: dt.date, days: int) -> Check:
    """Count who left, by whole points of the score."""
    if then.reason is not None:
        return Check(day, days, reason=then.reason)
    became = active(book, day)
    until = date(day + dt.timedelta(days=days))
    became = became.select(whose="customer_id", left=(became.gone_on <= until).fill_null(False))
    scored = then.customers
    both = scored.join(became, scored.customer_id == became.whose)
    counted = both.group_by(points=both.health.floor().cast("int32")).aggregate(
        n=both.count(), left=both["left"].sum()
    )
    found = sorted((int(r["points"]), int(r["n"]), int(r["left"] or 0)) for r in book.rows(counted))
    customers = sum(n for _, n, _ in found)
    if customers < CUSTOMERS_MIN:
        reason = nmsg(
            "Not enough data: {n} customer had a score on {day}; {needed} are needed.",
            "Not enough data: {n} customers had a score on {day}; {needed} are needed.",
            customers,
            day=day,
            needed=CUSTOMERS_MIN,
        )
        return Check(day, days, reason=reason)
    bands = _bands(found, customers)
    first, last = bands[0], bands[-1]
    return Check(
        day,
        days,
        bands,
        _auc(found),
        difference_interval(first.left, first.customers, last.left, last.customers),
    )


def _bands(found: list[tuple[int, int, int]], customers: int) -> tuple[Band, ...]:
    """Tenths of the customers: a band ends with the points on which its share is reached."""
    bands: list[Band] = []
    points: list[int] = []
    n = left = seen = 0
    tenth = 1
    for at, count, gone in found:
        points, n, left, seen = [*points, at], n + count, left + gone, seen + count
        if 10 * seen >= customers * tenth:
            bands.append(Band(points[0], points[-1], n, left, wilson(left, n)))
            points, n, left = [], 0, 0
            # Equal scores are not parted, and may fill several tenths.
            tenth = 10 * seen // customers + 1
    return tuple(bands)


def _auc(found: list[tuple[int, int, int]]) -> float | None:
    gone = sum(left for *_, left in found)
    stayed = sum(n - left for _, n, left in found)
    if not gone or not stayed:
        return None
    below = pairs = 0.0
    for _, n, left in found:
        pairs += (n - left) * (below + 0.5 * left)
        below += left
    return pairs / (gone * stayed)


def health_scores(book: Book, weights: Mapping[str, float] | None = None) -> Health:
    """Score the health of every active customer.

    Args:
        book: The company's tables, as they stood at the end of its last day.
        weights: How much parts count, where not as in `PARTS`; 0 leaves a part out.

    Returns:
        The scores; `reason` says why there are none where the book has not what they need.

    Raises:
        UsageError: There is no such part, or a weight makes no sense.
    """
    given = dict(weights or {})
    known = {part.name for part in PARTS}
    for name, weight in given.items():
        if name not in known:
            raise UsageError(
                msg("The health score has no part “{name}”.", name=name),
                remedy=msg("It can be one of: {names}.", names=[part.name for part in PARTS]),
            )
        if not 0 <= weight < math.inf:
            raise UsageError(
                msg("The part “{name}” cannot weigh {weight}.", name=name, weight=weight),
                remedy=msg("Give a number that is not negative."),
            )
    weighed = [replace(part, weight=float(given.get(part.name, part.weight))) for part in PARTS]
    if nobody := nobody_to_follow(book):
        return Health(book, (), nobody)
    parts = tuple(part for part in weighed if part.weight and part.shares(book) is not None)
    if not parts and signs_of_life(book) == ("subscriptions",):
        reason = msg(
            "Subscriptions alone say nothing that the score is made of: it needs purchases, visits,"
            " contacts with customer service or survey answers."
        )
        return Health(book, (), reason)
    if not parts:
        return Health(book, (), msg("Not enough data: too few customers have come back."))
    return Health(book, parts)
