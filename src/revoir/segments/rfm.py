"""RFM: how lately, how often and how much each customer bought, and the segment that follows.

*days_since_last* is the days from the last purchase to `as_of`, *frequency* the number of days
on which the customer bought, *monetary* the sum of those purchases, before returns.
Each is scored from 1 (worst) to `bins` (best) by cut-offs.

**Cut-offs and ties.** The k-th of the `bins` − 1 cut-offs is the smallest value that at least
k / `bins` of the customers do not exceed (Hyndman & Fan 1996, definition 1: always a value that
somebody has). A value's score depends on how many cut-offs lie strictly below it and on nothing
else, so equal values have equal scores on every engine and on every run, and a block of equal
values is never split: it takes the score of its lower side (where most customers bought once, all
of them score 1 for frequency, and the next score given may be 3 or 4).
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cached_property, reduce
from typing import Any

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import Message, msg, nmsg
from revoir.segments.names import SEGMENTS, segment_ranges

Value = int | Decimal


@dataclass(frozen=True)
class Cutoffs:
    """The values that separate the scores, ascending, one less than there are scores.

    Attributes:
        days_since_last: In days; a customer at or below the first has the best score.
        frequency: In purchase days; a customer above the last has the best score.
        monetary: In the currency of the amounts; a customer above the last has the best score.
            None where amounts are in several currencies.
    """

    days_since_last: tuple[Value, ...]
    frequency: tuple[Value, ...]
    monetary: tuple[Value, ...]

    @property
    def bins(self) -> int:
        """How many scores they separate."""
        return len(self.frequency) + 1


MEASURES = tuple(field.name for field in fields(Cutoffs))
"""The three measures, as columns are called."""


@dataclass(frozen=True)
class SegmentRow:
    """One segment in figures.

    Attributes:
        segment: Its key in `SEGMENTS`.
        customers: How many customers it has.
        share: Their share of all customers who bought.
        revenue: What they bought for in all, before returns (None: in several currencies).
        revenue_share: Its share of what all customers bought for (None: that is zero, or not
            known).
        days_since_last: Median days since the last purchase (None: nobody is in it).
        frequency: Median number of purchase days.
        monetary: Median of what a customer bought for, before returns.
    """

    segment: str
    customers: int
    share: float
    revenue: Decimal | None
    revenue_share: float | None
    days_since_last: float | None
    frequency: float | None
    monetary: float | None


@dataclass(frozen=True)
class Rfm:
    """RFM scores and segments of every customer who had bought by a day.

    Attributes:
        book: Where the customers come from.
        as_of: The day that days_since_last counts to.
        bins: How many scores there are.
        cutoffs: What separates them (None: there are too few customers).
        count: How many customers there are.
        reason: Why there are no scores (None: there are).
    """

    book: Book
    as_of: dt.date
    bins: int
    cutoffs: Cutoffs | None
    count: int
    reason: Message | None = None

    @cached_property
    def customers(self) -> ir.Table:
        """One row a customer.

        Returns:
            `customer_id`, `days_since_last`, `frequency`, `monetary`, the scores `r`, `f`, `m`
            and the `segment` key; scores and segment are null where there are too few customers,
            `monetary` and `m` where amounts are in several currencies: `f` then stands for both.
        """
        table = _measures(self.book, self.as_of)
        if self.cutoffs is None:
            none = {name: ibis.null("int8") for name in ("r", "f", "m")}
            return table.mutate(**none, segment=ibis.null("string"))
        table = table.mutate(
            r=self.bins - _above(table.days_since_last, self.cutoffs.days_since_last),
            f=_above(table.frequency, self.cutoffs.frequency) + 1,
            m=_above(table.monetary, self.cutoffs.monetary) + 1
            if self.cutoffs.monetary
            else ibis.null("int32"),
        )
        both = table.f + (table.m if self.cutoffs.monetary else table.f)
        branches = [
            (
                table.r.between(where.r_low, where.r_high)
                & both.between(where.both_low, where.both_high),
                where.segment,
            )
            for where in segment_ranges(self.bins)
        ]
        return table.mutate(segment=ibis.cases(*branches))

    @property
    def note(self) -> Message | None:
        """What the reader must know to read the amounts rightly."""
        if not _mixed(self.book):
            return None
        return msg(
            "The amounts are in several currencies ({currencies}) and cannot be added up: the"
            " segments rest on how lately and how often customers bought.",
            currencies=list(self.book.currencies),
        )

    def summary(self) -> list[SegmentRow]:
        """Each of the eleven segments in figures, best first; none where there is no score."""
        if self.cutoffs is None:
            return []
        table = self.customers
        found = {
            row["segment"]: row
            for row in self.book.rows(
                table.group_by("segment").aggregate(
                    customers=table.count(),
                    revenue=table.monetary.sum(),
                    days_since_last=table.days_since_last.cast("float64").median(),
                    frequency=table.frequency.cast("float64").median(),
                    monetary=table.monetary.cast("float64").median(),
                )
            )
        }
        revenue = (
            sum((row["revenue"] for row in found.values()), Decimal(0))
            if self.cutoffs.monetary
            else None
        )
        return [_row(key, found.get(key), self.count, revenue) for key in SEGMENTS]

    def members(self, segment: str) -> ir.Table:
        """The customers of one segment, the one who bought for most first."""
        table = self.customers
        return table.filter(table.segment == segment).order_by(
            table.monetary.desc(), table.customer_id
        )


@dataclass(frozen=True)
class Move:
    """How many customers went from one segment to another.

    Attributes:
        before: Segment on the first day (None: bought for the first time since).
        after: Segment on the second day.
        customers: How many.
    """

    before: str | None
    after: str
    customers: int


@dataclass(frozen=True)
class Movement:
    """Who changed segments between two days; each day has the cut-offs of its own customers.

    Attributes:
        before: The segments on the first day.
        after: The segments on the second day.
        reason: Why there is nothing to compare (None: there is).
    """

    before: Rfm
    after: Rfm

    @property
    def reason(self) -> Message | None:
        """Why there is nothing to compare (None: there is)."""
        return self.before.reason or self.after.reason

    @cached_property
    def customers(self) -> ir.Table:
        """Every customer with the segment `before` (null: new since) and the one `after`."""
        then = self.before.customers.select("customer_id", before="segment")
        now = self.after.customers.select("customer_id", after="segment")
        joined = now.left_join(then, "customer_id")
        return joined.select("customer_id", "before", "after")

    @property
    def moved(self) -> ir.Table:
        """The customers who are in another segment than before, without the new ones."""
        table = self.customers
        return table.filter(table.before != table.after).order_by("before", "after", "customer_id")

    def counts(self) -> list[Move]:
        """How many went from where to where, in the order of the segments, new ones last."""
        if self.reason is not None:
            return []
        table = self.customers
        rows = self.book.rows(table.group_by("before", "after").aggregate(customers=table.count()))
        place = {key: index for index, key in enumerate(SEGMENTS)}
        moves = [Move(row["before"], row["after"], row["customers"]) for row in rows]
        return sorted(
            moves, key=lambda move: (place.get(move.before or "", len(place)), place[move.after])
        )

    @property
    def book(self) -> Book:
        """Where the customers come from."""
        return self.after.book


def rfm(
    book: Book,
    *,
    as_of: dt.date | None = None,
    bins: int = 5,
    cutoffs: Cutoffs | Mapping[str, Sequence[float | Decimal]] | None = None,
) -> Rfm:
    """Score every customer of a book by days since last purchase, frequency and monetary value.

    Args:
        book: The company's tables.
        as_of: The day that days_since_last counts to; later purchases are not seen (None: the
            book's own).
        bins: How many scores there are, 2 to 10 (5: quintiles).
        cutoffs: Fixed cut-offs by measure, ascending; measures left out are cut by quantiles.

    Returns:
        Scores, cut-offs and segments. With fewer than 2 × `bins` customers there are no quantiles:
        `reason` says so.

    Raises:
        UsageError: The number of scores or the cut-offs make no sense.
    """
    as_of = as_of or book.as_of
    fixed, bins = _fixed(cutoffs, bins)
    key = f"rfm {as_of} {bins} {sorted(fixed.items())}"
    return book.once(key, lambda: _scored(book, as_of, bins, fixed))


def _scored(book: Book, as_of: dt.date, bins: int, cuts: dict[str, tuple[Value, ...]]) -> Rfm:
    table = _measures(book, as_of)
    count = book.rows(table.aggregate(n=table.count()))[0]["n"]
    if _mixed(book):
        cuts = {**cuts, "monetary": ()}
    missing = [name for name in MEASURES if name not in cuts]
    if count < (2 * bins if missing else 1):
        return Rfm(book, as_of, bins, None, count, _too_few(count, bins, as_of))
    found = {name: _quantiles(book, table, name, bins, count) for name in missing}
    return Rfm(book, as_of, bins, Cutoffs(**cuts, **found), count)


def movement(
    book: Book,
    before: dt.date,
    after: dt.date | None = None,
    *,
    bins: int = 5,
    cutoffs: Cutoffs | Mapping[str, Sequence[float | Decimal]] | None = None,
) -> Movement:
    """Compare the segments of two days.

    Args:
        book: The company's tables.
        before: The first day.
        after: The second day (None: the book's own).
        bins: As for `rfm`.
        cutoffs: As for `rfm`; without them each day has the quantiles of its own customers.

    Returns:
        Who was and is in which segment.

    Raises:
        UsageError: The first day is not before the second.
    """
    after = after or book.as_of
    if before >= after:
        raise UsageError(
            msg(
                "The segments of {before} cannot be compared with {after}.",
                before=before,
                after=after,
            ),
            remedy=msg("Compare with an earlier day."),
        )
    return Movement(
        rfm(book, as_of=before, bins=bins, cutoffs=cutoffs),
        rfm(book, as_of=after, bins=bins, cutoffs=cutoffs),
    )


def _measures(book: Book, as_of: dt.date) -> ir.Table:
    """The last row of each customer by a day: it carries all three measures, without a group-by."""
    purchases = book.purchases
    last = purchases.filter(
        (purchases.day <= as_of) & (purchases.next_day.isnull() | (purchases.next_day > as_of))
    )
    return last.select(
        customer_id=last.customer_id,
        days_since_last=ibis.literal(as_of).delta(last.day, unit="day").cast("int32"),
        frequency=last.nth.cast("int32"),
        monetary=ibis.null("decimal(18, 4)")
        if _mixed(book)
        else last.amount_so_far.cast("decimal(18, 4)"),
    )


def _mixed(book: Book) -> bool:
    """Whether amounts are in several currencies, which cannot be added up."""
    return len(book.currencies) > 1


def _quantiles(
    book: Book, table: ir.Table, measure: str, bins: int, count: int
) -> tuple[Value, ...]:
    """The cut-offs of a measure, exactly, from its value → customers table."""
    values = table.group_by(value=table[measure]).aggregate(n=lambda t: t.count())
    reached = values.mutate(upto=values.n.sum().over(ibis.cumulative_window(order_by="value")))
    row = book.rows(
        reached.aggregate(
            **{
                f"cut_{k}": reached.value.min(where=reached.upto * bins >= k * count)
                for k in range(1, bins)
            }
        )
    )[0]
    return tuple(row[f"cut_{k}"] for k in range(1, bins))


def _above(column: ir.Column, cuts: Sequence[Value]) -> ir.IntegerColumn:
    """How many of the cut-offs lie strictly below each value."""
    counted = [(column > _literal(cut)).cast("int32") for cut in cuts]
    return reduce(lambda total, one: total + one, counted).cast("int32")


def _literal(value: Value) -> ir.Scalar:
    if isinstance(value, Decimal):
        return ibis.literal(value, type="decimal(18, 4)")
    return ibis.literal(value)


def _fixed(
    cutoffs: Cutoffs | Mapping[str, Sequence[float | Decimal]] | None, bins: int
) -> tuple[dict[str, tuple[Value, ...]], int]:
    """The cut-offs that were given, checked, and the number of scores."""
    if isinstance(cutoffs, Cutoffs):
        cutoffs = {name: getattr(cutoffs, name) for name in MEASURES}
    given = dict(cutoffs or {})
    unknown = [name for name in given if name not in MEASURES]
    if unknown:
        raise UsageError(
            msg("There are no cut-offs for “{name}”.", name=unknown[0]),
            remedy=msg("Give them for: {names}.", names=list(MEASURES)),
        )
    if given:
        bins = len(next(iter(given.values()))) + 1
    if not 2 <= bins <= 10:
        raise UsageError(
            msg("RFM cannot have {bins} scores.", bins=bins), remedy=msg("Choose 2 to 10.")
        )
    for name, cuts in given.items():
        if len(cuts) != bins - 1:
            raise UsageError(
                msg(
                    "“{name}” has {n} cut-offs and another measure {other}.",
                    name=name,
                    n=len(cuts),
                    other=bins - 1,
                ),
                remedy=msg("Give the same number for each."),
            )
        if any(after <= before for before, after in itertools.pairwise(cuts)):
            raise UsageError(
                msg("The cut-offs of “{name}” do not ascend.", name=name),
                remedy=msg("Give each once, the smallest first."),
            )
    return {name: tuple(_value(cut) for cut in cuts) for name, cuts in given.items()}, bins


def _value(cut: Any) -> Value:
    return cut if isinstance(cut, int) else Decimal(str(cut)).quantize(Decimal("0.0001"))


def _row(
    key: str, found: Mapping[str, Any] | None, count: int, revenue: Decimal | None
) -> SegmentRow:
    if found is None:
        nothing = None if revenue is None else Decimal(0)
        return SegmentRow(key, 0, 0.0, nothing, 0.0 if revenue else None, None, None, None)
    return SegmentRow(
        key,
        found["customers"],
        found["customers"] / count,
        found["revenue"],
        float(found["revenue"] / revenue) if revenue else None,
        found["days_since_last"],
        found["frequency"],
        found["monetary"],
    )


def _too_few(count: int, bins: int, as_of: dt.date) -> Message:
    return nmsg(
        "Not enough data: {n} customer had bought by {as_of}; {bins} scores need {needed}.",
        "Not enough data: {n} customers had bought by {as_of}; {bins} scores need {needed}.",
        count,
        as_of=as_of,
        bins=bins,
        needed=2 * bins,
    )
