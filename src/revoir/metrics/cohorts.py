"""Cohorts: customers by the period they began in, followed through the periods after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis.expr.types as ir

from revoir.book import Book
from revoir.errors import UsageError
from revoir.experiments.intervals import wilson
from revoir.language import Message, msg, nmsg
from revoir.metrics import scope
from revoir.metrics.calendar import ordinal, ordinal_of
from revoir.metrics.evaluate import sort_key
from revoir.metrics.registry import Question
from revoir.metrics.result import counted
from revoir.periods import Grain, Period, periods_between, shift, start_at, start_of

OPTIONS: dict[str, tuple[str, ...]] = {
    "start": ("first", "recurring"),
    "presence": ("on", "on_or_after"),
    "share_of": ("first", "previous"),
    "mean": ("weighted", "simple"),
    "measure": ("customers", "revenue", "margin"),
}
"""What each option can be; the first is the default."""


@dataclass(frozen=True)
class Cell:
    """One cohort at one age.

    Attributes:
        age: Periods since the cohort's own.
        period: The period looked at.
        complete: Whether the data cover that period to its last day.
        count: Customers present, or the amount that they bought for, before returns.
        reference: The same at age 0, or at the age before.
        value: `count` ÷ `reference` (None: nothing to divide by).
        low: Lower end of the 95 % interval of a share of customers.
        high: Upper end.
    """

    age: int
    period: Period
    complete: bool
    count: float
    reference: float
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Cohort:
    """The customers who began in one period.

    Attributes:
        period: The period they began in.
        size: How many they are.
        cells: The ages that the data reach.
        by: Values of the columns it is broken down by.
    """

    period: Period
    size: int
    cells: tuple[Cell, ...]
    by: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CohortGrid:
    """Cohorts down, ages across.

    Attributes:
        cohorts: The cohorts, oldest first.
        mean: The mean share at each age, over complete cells (None: there is none).
        grain: Length of the periods.
        options: How it was computed (see `OPTIONS`).
        notes: What to know beside it.
    """

    cohorts: tuple[Cohort, ...]
    mean: tuple[float | None, ...]
    grain: Grain
    options: Mapping[str, str]
    notes: tuple[Message, ...] = ()

    def records(self, language: str = "en") -> list[dict[str, Any]]:
        """One row a cell, as plain values; `reason` says why a value is null."""
        empty = msg("The period that this is a share of is empty.").text(language)
        return [
            {
                "metric": f"cohort_{self.options['measure']}",
                "cohort_start": cohort.period.start.isoformat(),
                "cohort_end": cohort.period.end.isoformat(),
                **cohort.by,
                "size": cohort.size,
                "age": cell.age,
                "period_start": cell.period.start.isoformat(),
                "period_end": cell.period.end.isoformat(),
                "complete": cell.complete,
                "value": cell.value,
                "numerator": counted(cell.count),
                "denominator": counted(cell.reference),
                "low": cell.low,
                "high": cell.high,
                **({"reason": empty} if cell.value is None else {}),
            }
            for cohort in self.cohorts
            for cell in cohort.cells
        ]


def cohorts(
    book: Book,
    *,
    grain: Grain = Grain.MONTH,
    start: str = "first",
    presence: str = "on",
    share_of: str = "first",
    mean: str = "weighted",
    measure: str = "customers",
    since: dt.date | None = None,
    until: dt.date | None = None,
    by: Sequence[str] = (),
    where: str | None = None,
) -> CohortGrid:
    """Follow customers from the period they began in.

    Args:
        book: The company's tables.
        grain: Length of the periods.
        start: "first": a customer belongs to the period of the first purchase ever; "recurring":
            to every period with a purchase.
        presence: "on": present in the periods with a purchase; "on_or_after": in every period up
            to that of the last purchase.
        share_of: "first": cells are shares of the cohort at age 0; "previous": of the age before.
        mean: "weighted": sums over cohorts are divided; "simple": the shares are averaged.
        measure: "customers", "revenue" (amount of purchases, before returns) or "margin" (the
            company's share of it where it gave one, else what purchases carry).
        since: First day of the first cohort (None: where the data begin).
        until: Day after the last cohort.
        by: Columns that cohorts are broken down by.
        where: A rule that purchases must meet.

    Returns:
        The grid.

    Raises:
        UsageError: An option has no such value, options exclude one another, the amounts asked for
            are in several currencies, or no margin is known.
    """
    options = {
        "start": start,
        "presence": presence,
        "share_of": share_of,
        "mean": mean,
        "measure": measure,
    }
    _check(options)
    question = Question(since, until, grain, tuple(by), where)
    if measure != "customers" and (mixed := scope.money_reason(book, question)):
        raise UsageError(mixed)
    bought = scope.purchases(book, question)
    notes: tuple[Message, ...] = ()
    if measure == "margin":
        bought, note = _with_margin(book, bought)
        notes = (note,)
    month = book.settings.fiscal_year_start_month
    counts = _counts(book, bought, options, grain, month, question.by)
    asked = question.days(book)
    last_start = start_of(book.as_of, grain, month)
    begun = {group: {cohort for cohort, _seen in held} for group, held in counts.items()}
    found = [
        _cohort(book, counts[group], period, group, question.by, options, grain, last_start)
        for period in periods_between(asked.start, asked.end, grain, month)
        for group in sorted(counts, key=sort_key)
        if period.start in begun[group]
    ]
    kept = tuple(cohort for cohort in found if cohort.size)
    return CohortGrid(kept, _means(kept, options), grain, options, notes)


def _check(options: Mapping[str, str]) -> None:
    for name, value in options.items():
        if value not in OPTIONS[name]:
            raise UsageError(
                msg("Cohorts have no {option} “{value}”.", option=name, value=value),
                remedy=msg("Use {names}.", names=list(OPTIONS[name])),
            )
    if options["presence"] == "on_or_after" and options["measure"] != "customers":
        raise UsageError(
            msg("“on or after” counts customers: amounts are brought in one period only."),
            remedy=msg("Use presence “on” with {measure}.", measure=options["measure"]),
        )


def _with_margin(book: Book, bought: ir.Table) -> tuple[ir.Table, Message]:
    """Purchases with their margin, and where it comes from or of how many it is not known."""
    given = book.settings.margin
    if given is not None:
        margin = bought.amount.cast("float64") * given
        return bought.mutate(margin=margin), msg("The margin is the one you gave.")
    remedy = msg(
        "Use revenue, add a margin column, or give the company's margin as a share of revenue:"
        " `--margin`, or in the settings."
    )
    if "margin" not in bought.columns:
        raise UsageError(msg("The orders carry no margin."), remedy=remedy)
    counts = bought.aggregate(known=bought.margin.count(), lacking=bought.margin.isnull().sum())
    [row] = book.rows(counts)
    if not row["known"]:
        raise UsageError(msg("No purchase carries its margin: the column is empty."), remedy=remedy)
    if not row["lacking"]:
        return bought, msg("The margin is the one that your orders carry.")
    return bought, nmsg(
        "{n} purchase carries no margin: it is in no sum.",
        "{n} purchases carry no margin: they are in no sum.",
        int(row["lacking"]),
    )


Counts = dict[tuple[Any, ...], dict[tuple[dt.date, dt.date], tuple[int, float]]]
"""Group → (cohort, period) → (customers, amount)."""


def _counts(
    book: Book,
    bought: ir.Table,
    options: Mapping[str, str],
    grain: Grain,
    month: int,
    by: Sequence[str],
) -> Counts:
    recurring = options["start"] == "recurring"
    if options["presence"] == "on_or_after":
        table = _last_periods(bought, grain, month, by, recurring=recurring)
    elif recurring:
        table = _recurring(bought, grain, month, by, options["measure"])
    else:
        table = _first(bought, grain, month, by, options["measure"])
    counts: Counts = {}
    for row in book.rows(table):
        group = tuple(row[name] for name in by)
        amount = float(row["amount"]) if row["amount"] is not None else 0.0
        cohort, seen = (start_at(row[name], grain, month) for name in ("cohort", "seen"))
        counts.setdefault(group, {})[cohort, seen] = (int(row["customers"]), amount)
    return counts


def _amount(bought: ir.Table, measure: str) -> ir.NumericValue:
    return bought.margin if measure == "margin" else bought.amount


def _opens(bought: ir.Table, grain: Grain, month: int) -> ir.BooleanValue:
    here, before = (ordinal_of(bought, name, grain, month) for name in ("day", "previous_day"))
    return bought.previous_day.isnull() | (before < here)


def _first(bought: ir.Table, grain: Grain, month: int, by: Sequence[str], measure: str) -> ir.Table:
    rows = bought.select(
        *by,
        cohort=ordinal_of(bought, "first_day", grain, month),
        seen=ordinal_of(bought, "day", grain, month),
        opens=_opens(bought, grain, month),
        amount=_amount(bought, measure),
    )
    if measure == "customers":
        opening = rows.filter(rows.opens)
        return opening.group_by(["cohort", "seen", *by]).aggregate(
            customers=opening.count(), amount=opening.count()
        )
    return rows.group_by(["cohort", "seen", *by]).aggregate(
        customers=rows.opens.sum(), amount=rows.amount.sum()
    )


def _last_periods(
    bought: ir.Table, grain: Grain, month: int, by: Sequence[str], *, recurring: bool
) -> ir.Table:
    """Customers by cohort and the period of their last purchase; `_present` adds them up."""
    keys = list(dict.fromkeys(["customer_id", *by]))
    last = bought.group_by(keys).aggregate(last_day=bought.day.max())
    if recurring:
        starts = bought.filter(_opens(bought, grain, month))
        starts = starts.select(*keys, cohort=ordinal_of(starts, "day", grain, month))
        rows = starts.join(last, keys)
    else:
        rows = bought.filter(bought.previous_day.isnull())
        rows = rows.select(*keys, cohort=ordinal_of(rows, "day", grain, month)).join(last, keys)
    rows = rows.mutate(seen=ordinal(rows.last_day, grain, month))
    return rows.group_by(["cohort", "seen", *by]).aggregate(
        customers=rows.count(), amount=rows.count()
    )


def _recurring(
    bought: ir.Table, grain: Grain, month: int, by: Sequence[str], measure: str
) -> ir.Table:
    keys = list(dict.fromkeys(["customer_id", *by]))
    rows = bought.select(
        *keys, seen=ordinal_of(bought, "day", grain, month), amount=_amount(bought, measure)
    )
    active = rows.group_by([*keys, "seen"]).aggregate(amount=rows.amount.sum())
    begun = active.select(*keys, cohort=active.seen)
    pairs = begun.join(active, keys)
    pairs = pairs.filter(pairs.seen >= pairs.cohort)
    return pairs.group_by(["cohort", "seen", *by]).aggregate(
        customers=pairs.count(), amount=pairs.amount.sum()
    )


def _cohort(
    book: Book,
    counts: dict[tuple[dt.date, dt.date], tuple[int, float]],
    period: Period,
    group: tuple[Any, ...],
    by: Sequence[str],
    options: Mapping[str, str],
    grain: Grain,
    last_start: dt.date,
) -> Cohort:
    starts = []
    start = period.start
    while start <= last_start:
        starts.append(start)
        start = shift(start, grain, 1)
    present = [_present(counts, period.start, start, options) for start in starts]
    size = present[0][0] if present else 0
    by_customers = options["measure"] == "customers"
    figures = [float(people) if by_customers else amount for people, amount in present]
    cells = []
    for age, start in enumerate(starts):
        reference = figures[0] if options["share_of"] == "first" or age == 0 else figures[age - 1]
        value = figures[age] / reference if reference else None
        low, high = (
            wilson(figures[age], reference)
            if by_customers and reference and figures[age] <= reference
            else (None, None)
        )
        seen = Period(start, shift(start, grain, 1))
        complete = seen.complete(book.as_of)
        cells.append(Cell(age, seen, complete, figures[age], reference, value, low, high))
    return Cohort(period, size, tuple(cells), dict(zip(by, group, strict=True)))


def _present(
    counts: dict[tuple[dt.date, dt.date], tuple[int, float]],
    cohort: dt.date,
    start: dt.date,
    options: Mapping[str, str],
) -> tuple[int, float]:
    if options["presence"] == "on":
        return counts.get((cohort, start), (0, 0.0))
    people = sum(
        count for (begun, seen), (count, _) in counts.items() if begun == cohort and seen >= start
    )
    return people, float(people)


def _means(found: Sequence[Cohort], options: Mapping[str, str]) -> tuple[float | None, ...]:
    ages = max((len(cohort.cells) for cohort in found), default=0)
    means: list[float | None] = []
    for age in range(ages):
        pairs = [
            (
                cohort.cells[age],
                cohort.cells[age - 1 if options["share_of"] == "previous" and age else 0],
            )
            for cohort in found
            if age < len(cohort.cells) and cohort.cells[age].complete
        ]
        shares = [cell.value for cell, _ in pairs if cell.value is not None]
        if not shares:
            means.append(None)
        elif options["mean"] == "simple":
            means.append(sum(shares) / len(shares))
        else:
            reference = sum(before.count for cell, before in pairs if cell.value is not None)
            total = sum(cell.count for cell, _ in pairs if cell.value is not None)
            means.append(total / reference if reference else None)
    return tuple(means)
