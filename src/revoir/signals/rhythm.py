"""Signals of silence: longer than the customer's own rhythm, or after a first purchase.

What is usual is learned from the data of the days before, anew from time to time, so that no alert
of the past knows more than was known on its day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import numpy as np

from revoir.book import Book
from revoir.language import Message, Percent, in_days, msg, nmsg
from revoir.metrics.activity import Gaps
from revoir.metrics.calendar import date
from revoir.periods import Grain, periods_between
from revoir.signals.registry import Case, Parameter, Signal, Values, declare
from revoir.signals.spans import later, learned, numbered, once_known, span

if TYPE_CHECKING:
    from revoir.models.gaps import History
    from revoir.models.rhythm import Rhythm

SAMPLE = 2_000
"""Customers that the shop's rhythm is learned from: with more, silences are cut a day apart."""
GROWTH = 2
"""The rhythm is learned anew when so many times as many returns are known as the last time."""
WAITS_MIN = 30
"""Fewer second purchases than this do not say what is usual."""
_DAYS_MAX = 4_000
"""A silence that would have to be longer is never noticed."""


def _quarters(book: Book) -> list[dt.date]:
    """The first days of the quarters that purchases fall in."""
    days = book.purchases.day
    row = book.rows(book.purchases.aggregate(first=days.min(), last=days.max()))[0]
    if row["first"] is None:
        return []
    after = row["last"] + dt.timedelta(days=1)
    return [period.start for period in periods_between(row["first"], after, Grain.QUARTER)]


def _silences(book: Book) -> ir.Table:
    """The last purchase of each day, with the logarithms of the gaps until then."""
    bought = book.purchases
    last = bought.next_day.isnull() | (bought.next_day > bought.day)
    columns = ("customer_id", "day", "next_day", "first_day")
    # Those who bought on one day have no gap to sum: they are many, and spared the sorting.
    first = bought.filter((bought.nth == 1) & last)
    once = first.select(*columns, x=first.nth - 1, log_sum=0.0, log_squares=0.0)
    again = bought.filter(bought.nth > 1)
    # Of two purchases on one day the second stands no days after the first: that is no gap.
    gap = again.day.delta(again.previous_day, unit="day").cast("float64").nullif(0)
    rows = numbered(again.select(*columns, x=again.nth - 1, log=gap.ln()), "day")
    so_far = span(None, 0)
    summed = rows.mutate(
        log_sum=rows.log.sum().over(so_far).fill_null(0.0),
        log_squares=(rows.log * rows.log).sum().over(so_far).fill_null(0.0),
    )
    back = summed.filter(summed.next_day.isnull() | (summed.next_day > summed.day))
    return book.cached("signals silences", once.union(back.select(*once.columns)))


@dataclass(frozen=True)
class _Known:
    """How many returns and customers were known on a day."""

    day: dt.date
    returns: int
    customers: int


def _known_by(book: Book) -> list[_Known]:
    """What was known at the start of each quarter."""
    quarters = _quarters(book)
    if not quarters:
        return []
    rows = _silences(book)
    place = learned(rows.day, [(day, index) for index, day in enumerate(quarters)])
    counted = rows.group_by(quarter=place).aggregate(
        returns=(rows.x > 0).sum(), customers=(rows.x == 0).sum()
    )
    by_quarter = {int(row["quarter"]): row for row in book.rows(counted)}
    found, returns, customers = [], 0, 0
    for index, day in enumerate(quarters):
        found.append(_Known(day, returns, customers))
        if index in by_quarter:
            returns += int(by_quarter[index]["returns"])
            customers += int(by_quarter[index]["customers"])
    return found


def _history(book: Book, known: _Known) -> History:
    """What the purchases before a day say of the gaps of the customers known by then."""
    from revoir.models.gaps import History

    rows = _silences(book)
    rows = rows.filter(
        (rows.day < date(known.day)) & (rows.next_day.isnull() | (rows.next_day >= date(known.day)))
    )
    if known.customers > SAMPLE:
        # Every n-th of all histories in their order: names, engines and later customers change
        # nothing.
        done = [rows.x, rows.day, rows.first_day, rows.log_sum.round(6), rows.log_squares.round(6)]
        rows = rows.mutate(place=ibis.row_number().over(ibis.window(order_by=done)))
        reached = (rows.place + 1) * SAMPLE // known.customers
        rows = rows.filter(reached > rows.place * SAMPLE // known.customers)
    found = book.columns(
        rows.select(
            frequency=rows.x.cast("float64"),
            recency=rows.day.delta(rows.first_day, unit="day").cast("float64"),
            log_sum=rows.log_sum,
            log_squares=rows.log_squares,
            silence=date(known.day).delta(rows.day, unit="day").cast("float64"),
        )
    )
    # Threads and engines add up in another order, which would move the search for parameters.
    columns = (found[name].to_numpy().astype(np.float64) for name in found.column_names)
    return History(*(np.round(column, 9) for column in columns))


def rhythms(book: Book) -> Sequence[tuple[dt.date, Rhythm]]:
    """The rhythm of the shop as it was known, and since when.

    Args:
        book: The company's tables.

    Returns:
        Days and models fitted to what happened before them, oldest first. None where there were
        never enough returns.
    """
    return book.once("signals rhythms", lambda: _rhythms(book))


def _rhythms(book: Book) -> list[tuple[dt.date, Rhythm]]:
    from revoir.models.rhythm import Rhythm, reason_against

    found: list[tuple[dt.date, Rhythm]] = []
    returns = 0
    for known in _known_by(book):
        if not known.returns or known.returns < GROWTH * returns:
            continue
        history = _history(book, known)
        if reason_against(history) is None:
            # A family whose spread is each customer's own, and that the engine can compute.
            fitted = Rhythm("lognormal", sample=len(history)).fit(history)
            found.append((known.day, fitted))
            returns = known.returns
    return found


def paces(book: Book, share: float = 0.9) -> ir.Table | None:
    """How long customers usually wait, and from how long on a silence is long.

    Args:
        book: The company's tables.
        share: The share of a customer's gaps that are shorter than a long silence.

    Returns:
        One row a purchase day: `customer_id`, `day`, `next_day`, `x` (complete gaps until then),
        `usual_days` (the median gap) and `due_days` (the first day of silence that is long), as
        they were known on that day. None where too few customers have come back.
    """
    known = rhythms(book)
    if not known:
        return None
    rows = _silences(book)
    ends = [day for day, _ in known[1:]]
    at = (
        ibis.union(
            *(
                _expected(rows.filter(_between(rows.day, since, until)), model)
                for (_, model), since, until in zip(
                    known, [None, *ends], [*ends, None], strict=True
                )
            )
        )
        if ends
        else _expected(rows, known[0][1])
    )
    # A gap of n whole days is any wait from n − ½ to n + ½ days.
    late = (at.centre + _t_quantile(at.degrees, share) * at.spread).exp()
    due = ibis.least(late - 0.5, float(_DAYS_MAX)).floor() + 1
    return at.select(
        "customer_id",
        "day",
        "next_day",
        "x",
        usual_days=at.centre.exp(),
        due_days=due.cast("int64"),
    )


def _between(day: ir.DateValue, since: dt.date | None, until: dt.date | None) -> ir.BooleanValue:
    """Whether days are not before one day, and before another."""
    held = ibis.literal(True) if since is None else day >= date(since)
    return held if until is None else held & (day < date(until))


def _expected(rows: ir.Table, model: Rhythm) -> ir.Table:
    """The logarithm of each customer's next gap: Student's t around a centre.

    The posterior of `revoir.models.gaps.LogNormalGaps`, on the engine.
    """
    m, kappa, a0, b0 = (model.parameters_[name] for name in ("m", "kappa", "a0", "b0"))
    x = rows.x.cast("float64")
    known = rows.select(
        "customer_id", "day", "next_day", "x",
        centre=(kappa * m + rows.log_sum) / (kappa + x),
        degrees=2 * a0 + x,
        b=b0 + 0.5 * (
            ibis.greatest(
                rows.log_squares - rows.log_sum * rows.log_sum / ibis.greatest(x, 1.0), 0.0
            )
            + kappa * x * (rows.log_sum / ibis.greatest(x, 1.0) - m) ** 2 / (kappa + x)
        ),
    )  # fmt: skip
    every = kappa + known.x.cast("float64")
    spread = (known.b * (every + 1.0) / (0.5 * known.degrees * every)).sqrt()
    return known.mutate(spread=spread).drop("b")


def _overdue(book: Book, values: Values) -> ir.Table:
    known: Sequence[tuple[dt.date, object]] = rhythms(book)
    rows = paces(book, values["share"])
    if rows is None:
        rows, known = _nobody(book), [(book.as_of, None)]
    gap = rows.next_day.delta(rows.day, unit="day").coalesce(_DAYS_MAX + 1)
    due = rows.filter((rows.x > 0) & (rows.due_days < ibis.least(gap, _DAYS_MAX + 1)))
    return due.select(
        "customer_id",
        "usual_days",
        raised_on=once_known(later(due.day, due.due_days), known),
        act=due.day,
        next_act=due.next_day,
        nth=due.x + 1,
        last_on=due.day,
    )


def _nobody(book: Book) -> ir.Table:
    """The rows of `paces` where nothing is known: none."""
    rows = _silences(book).filter(ibis.literal(False))
    return rows.mutate(usual_days=0.0, due_days=0)


def _t_quantile(degrees: ir.FloatingValue, share: float) -> ir.FloatingValue:
    """The quantile of Student's t, as a polynomial in 1 ÷ degrees of freedom (1 or more).

    At the nodes of Chebyshev's polynomials it is right, and between them to six digits or more.
    """
    from scipy import special

    nodes = 0.5 - 0.5 * np.cos(np.pi * (np.arange(400) + 0.5) / 400)
    values = special.stdtrit(1 / nodes, share)
    fitted = np.polynomial.Chebyshev.fit(nodes, values, 12, domain=[0, 1])
    *others, highest = fitted.convert(kind=np.polynomial.Polynomial).coef.tolist()
    inverse = 1.0 / ibis.greatest(degrees, 1.0)
    found: ir.FloatingValue = ibis.literal(highest)
    for coefficient in reversed(others):
        found = found * inverse + coefficient
    return found


def _overdue_because(case: Case) -> Message:
    return nmsg(
        "Buys every day as a rule; the last purchase was {days} days ago.",
        "Buys every {n} days as a rule; the last purchase was {days} days ago.",
        max(round(case["usual_days"]), 1),
        days=case.days_since("last_on"),
    )


declare(
    Signal(
        "overdue",
        msg("Overdue for their rhythm"),
        msg(
            "The customer has come back before, and is silent for longer than nearly all gaps of"
            " theirs would last: the model of the next purchase, as it was known at the time."
        ),
        "purchases",
        (("orders.customer_id",),),
        _overdue,
        _overdue_because,
        parameters=(
            Parameter(
                "share",
                msg("The share of the customer's gaps that would be shorter than the silence."),
                0.9, 0.5, 0.999, whole=False, share=True,
            ),
        ),
    )
)  # fmt: skip


def _usual_waits(book: Book, share: float) -> list[tuple[dt.date, float]]:
    """Days from the first to the second purchase that a share waited at most, as known."""
    quarters = _quarters(book)
    if not quarters:
        return []
    rows = book.purchases
    second = rows.filter((rows.nth == 2) & (rows.previous_day < rows.day))
    place = learned(second.day, [(day, index) for index, day in enumerate(quarters)])
    waits = second.day.delta(second.previous_day, unit="day")
    counted = second.group_by(quarter=place, days=waits).aggregate(n=second.count())
    by_quarter: dict[int, dict[int, int]] = {}
    for row in book.rows(counted):
        by_quarter.setdefault(int(row["quarter"]), {})[int(row["days"])] = int(row["n"])
    known: dict[int, int] = {}
    found: list[tuple[dt.date, float]] = []
    for index, day in enumerate(quarters):
        if sum(known.values()) >= WAITS_MIN:
            found.append((day, Gaps(known).quantile(share)))
        for days, n in by_quarter.get(index, {}).items():
            known[days] = known.get(days, 0) + n
    return found


def _no_second_order(book: Book, values: Values) -> ir.Table:
    waits = _usual_waits(book, values["share"])
    bought = book.purchases
    once = bought.filter(
        (bought.nth == 1) & (bought.next_day.isnull() | (bought.next_day > bought.day))
    )
    if not waits:
        once, waits = once.filter(ibis.literal(False)), [(book.as_of, 0)]
    rows = once.mutate(usual_days=learned(once.day, waits).cast("int64"))
    return rows.select(
        "customer_id",
        "usual_days",
        "nth",
        raised_on=once_known(later(rows.day, rows.usual_days), waits),
        act=rows.day,
        next_act=rows.next_day,
        first_on=rows.day,
    )


declare(
    Signal(
        "no_second_order",
        msg("No second purchase"),
        msg(
            "The customer bought once, and the time has gone by within which others came back for"
            " the second time."
        ),
        "purchases",
        (("orders.customer_id",),),
        _no_second_order,
        lambda case: nmsg(
            "Bought once, {days} ago; {share} of those who come back do so within a day.",
            "Bought once, {days} ago; {share} of those who come back do so within {n} days.",
            int(case["usual_days"]),
            days=in_days(case.days_since("first_on")),
            share=Percent(case.values["share"], 0),
        ),
        parameters=(
            Parameter(
                "share",
                msg("The share of second purchases that had come by then."),
                0.5, 0.05, 0.99, whole=False, share=True,
            ),
        ),
    )
)  # fmt: skip
