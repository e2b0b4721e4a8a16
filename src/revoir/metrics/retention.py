"""Retention: who was there at the start of a period and still is at its end.

A customer is active at the start of day ``t`` by the rule of `revoir.book.Activity`: every
purchase, subscription and event makes a *stay* ``(start, until]``, and a customer is active at
``t`` when one of the stays has ``start < t <= until``. With S the customers active at the start of
a period, E those active at its end and N those of E who are not in S, (E − N) ÷ S is the share of S
still there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir

from revoir.book import Activity, Book
from revoir.experiments.intervals import wilson
from revoir.language import Message, msg, nmsg
from revoir.metrics import scope
from revoir.metrics.activity import activity, rule_in_words
from revoir.metrics.boundaries import BOUNDARIES_MAX, START, UNTIL, follow
from revoir.metrics.calendar import date, days_later
from revoir.metrics.contracts import as_stays, going_over, said_to_have_left
from revoir.metrics.evaluate import Key, empty_result, groups_of, lacking, number, sort_key
from revoir.metrics.observed import not_observed
from revoir.metrics.registry import Metric, Question, Unit, declare
from revoir.metrics.result import Figure, Result
from revoir.periods import Period, add_months


@dataclass(frozen=True)
class Flow:
    """The customers of a period, counted.

    Attributes:
        start: Active at its start (S).
        kept: Of those, still active at its end.
        lost: Of those, no longer.
        new: Active at the end, never before this period.
        returned: Active at the end, not at the start, but once before.
    """

    start: int = 0
    kept: int = 0
    lost: int = 0
    new: int = 0
    returned: int = 0

    @property
    def end(self) -> int:
        """Active at the end of the period (E)."""
        return self.kept + self.new + self.returned

    @property
    def parts(self) -> dict[str, float]:
        """The counts by name."""
        counts = {field.name: float(getattr(self, field.name)) for field in fields(self)}
        return {**counts, "end": float(self.end)}


def flows(book: Book, question: Question, periods: Sequence[Period]) -> dict[Key, Flow]:
    """Count who stayed, left, came and came back, period by period.

    Args:
        book: The company's tables.
        question: What is asked.
        periods: Its periods, oldest first, each beginning where the one before it ends.

    Returns:
        The flows by start of period and group.
    """
    rule = activity(book)
    if (
        sources(book, question, rule) == ("orders",)
        and not scope.changes_in_time(book, question)
        and question.grain is not None
        and rule.window_days is not None
        and rule.window_days >= question.grain.days_max
    ):
        return _flows_of_spells(book, question, periods, rule.window_days)
    return _flows_of_stays(book, question, periods, rule)


def _flows_of_spells(
    book: Book, question: Question, periods: Sequence[Period], window_days: int
) -> dict[Key, Flow]:
    """Count gains and losses from the ends of spells of activity, in two scans.

    Purchases no further apart than the window are one spell: it begins with a purchase that has
    none so shortly before it, and ends with one that has none so shortly after.

    Exact where the window is no shorter than a period: whoever buys in a period is then active at
    its end, so a gain is a spell that begins in it, unless the one before was still running at its
    start; and a loss falls into the period that holds the last active day, unless another spell
    begins there.
    """
    bought = scope.purchases(book, question)

    def start_of_period(day: ir.DateValue) -> ir.DateValue:
        return scope.period_start(day, question, periods, book)

    waited = bought.day.delta(bought.previous_day, unit="day")
    begun = bought.filter(bought.previous_day.isnull() | (waited > window_days))
    begun = begun.mutate(period_start=start_of_period(begun.day))
    running = days_later(begun.previous_day, window_days) >= begun.period_start
    gained = begun.filter(begun.previous_day.isnull() | ~running)
    gains = gained.group_by(["period_start", *question.by]).aggregate(
        new=(gained.first_day >= gained.period_start).sum(), gained=gained.count()
    )
    absent = bought.next_day.delta(bought.day, unit="day")
    over = bought.day <= date(book.as_of - dt.timedelta(days=window_days))
    ended = bought.filter(over & (bought.next_day.isnull() | (absent > window_days)))
    ended = ended.mutate(period_start=start_of_period(days_later(ended.day, window_days)))
    back = start_of_period(ended.next_day) <= ended.period_start
    lost = ended.filter(ended.next_day.isnull() | ~back)
    losses = lost.group_by(["period_start", *question.by]).aggregate(lost=lost.count())
    return _accumulated(book.rows(gains), book.rows(losses), question, periods)


def _accumulated(
    gains: Iterable[dict[str, Any]],
    losses: Iterable[dict[str, Any]],
    question: Question,
    periods: Sequence[Period],
) -> dict[Key, Flow]:
    """Turn gains and losses into the number of customers at the start of every period."""
    changes: dict[tuple[Any, ...], dict[dt.date, dict[str, int]]] = {}
    for row in [*gains, *losses]:
        group = tuple(row[name] for name in question.by)
        change = changes.setdefault(group, {}).setdefault(row["period_start"], {})
        change.update({name: int(row[name]) for name in ("new", "gained", "lost") if name in row})
    found: dict[Key, Flow] = {}
    for group, by_start in changes.items():
        present = sum(
            change.get("gained", 0) - change.get("lost", 0)
            for start, change in by_start.items()
            if start < periods[0].start
        )
        for period in periods:
            change = by_start.get(period.start, {})
            lost, new = change.get("lost", 0), change.get("new", 0)
            returned = change.get("gained", 0) - new
            found[period.start, group] = Flow(present, present - lost, lost, new, returned)
            present += new + returned - lost
    return found


def _flows_of_stays(
    book: Book, question: Question, periods: Sequence[Period], rule: Activity
) -> dict[Key, Flow]:
    """Count from the definition itself: each customer's state at each boundary."""
    segmented = scope.changes_in_time(book, question)

    def stays(start: dt.date) -> ir.Table | None:
        return stays_of(book, question, rule, scope.seen_before(book, question, start))

    found = follow(
        book, question, periods, stays,
        lambda _, holds: holds.any(), _flow, periods_max=1 if segmented else BOUNDARIES_MAX,
    )  # fmt: skip
    return {
        key: Flow(**{name: int(count) for name, count in counts.items()})
        for key, counts in found.items()
    }


def _flow(
    was: ir.BooleanValue, now: ir.BooleanValue, is_new: ir.BooleanValue
) -> dict[str, ir.NumericScalar]:
    return {
        "start": was.sum(),
        "kept": (was & now).sum(),
        "lost": (was & ~now).sum(),
        "new": (~was & now & is_new).sum(),
        "returned": (~was & now & ~is_new).sum(),
    }


def stays_of(
    book: Book, question: Question, rule: Activity, seen: Book | None = None
) -> ir.Table | None:
    """Every stay ``(start, until]`` that the rule gives, one row each.

    Args:
        book: The company's tables.
        question: Columns to break down by, and a rule that rows must meet.
        rule: Who counts as active.
        seen: The book that figures of customers are read from (None: the same).

    Returns:
        `customer_id`, `START`, `UNTIL` (`boundaries.FAR` where no end is known) and the columns
        of `by`; None where nothing says who is active.
    """
    by = [name for name in question.by if name != "customer_id"]
    found: list[ir.Table] = []
    if "orders" in sources(book, question, rule):
        assert rule.window_days is not None
        orders = scope.orders(book, question, seen=seen)
        bought = orders.filter((orders.kind == "purchase") & orders.customer_id.notnull())
        found.append(_windowed(book, bought, bought.ordered_on, rule.window_days, by))
    if "subscriptions" in sources(book, question, rule):
        held = as_stays(book, scope.facts(book, "subscriptions", question, seen=seen))
        found.append(held.select("customer_id", *by, START, UNTIL))
    if "events" in sources(book, question, rule):
        assert rule.event_window_days is not None
        events = scope.facts(book, "events", question, seen=seen)
        found.append(_windowed(book, events, events.occurred_at, rule.event_window_days, by))
    return reduce(lambda left, right: left.union(right), found) if found else None


def members(book: Book, question: Question, period: Period) -> ir.Table:
    """The customers that the flows of a period count, one by one.

    Args:
        book: The company's tables.
        question: Columns to break down by, and a rule.
        period: The period.

    Returns:
        `customer_id`, the columns of `by`, and `became`: kept, lost, new or returned. None are
        there where nothing says who is active.
    """
    seen = scope.seen_before(book, question, period.start)
    stays = stays_of(book, question, activity(book), seen)
    if stays is None:
        held = scope.orders(book, question).limit(0)
        held = held.select(*dict.fromkeys(["customer_id", *question.by]))
        return held.mutate(became=ibis.null("string"))
    start, end = date(period.start), date(min(period.end, scope.covered_end(book)))
    keys = list(dict.fromkeys(["customer_id", *question.by]))
    people = stays.group_by(keys).aggregate(
        stay__first=stays[START].min(),
        stay__was=((stays[START] < start) & (stays[UNTIL] >= start)).any(),
        stay__now=((stays[START] < end) & (stays[UNTIL] >= end)).any(),
    )
    was, now = people.stay__was, people.stay__now
    became = ibis.cases(
        (was & now, "kept"),
        (was, "lost"),
        (now & (people.stay__first >= start), "new"),
        (now, "returned"),
    )
    return people.filter(was | now).select(*keys, became=became)


_SOURCES = {
    "orders": msg("purchases"),
    "subscriptions": msg("subscriptions"),
    "events": msg("visits"),
}
_COLUMNS_OF = {
    "orders": {"orders", "order_lines"},
    "subscriptions": {"subscriptions"},
    "events": {"events"},
}


def sources(book: Book, question: Question, rule: Activity) -> tuple[str, ...]:
    """The tables that say who is active: those of the rule that have the columns asked about."""
    held = {
        "orders": rule.window_days is not None and book.has("orders", "customer_id"),
        "subscriptions": rule.subscription and book.has("subscriptions", "started_at"),
        "events": rule.event_window_days is not None and book.has("events"),
    }
    asked = scope.speaks_of(book, question)
    return tuple(name for name, is_held in held.items() if is_held and asked <= _COLUMNS_OF[name])


def _windowed(
    book: Book, table: ir.Table, clock: ir.Value, days: int, by: Sequence[str]
) -> ir.Table:
    day = book.day_of(clock)
    return table.select("customer_id", *by, **{START: day, UNTIL: days_later(day, days)})


def retention_periods(book: Book, question: Question) -> list[Period]:
    """The periods of a question; without dates, the longest recent one that the data can carry.

    A rate needs customers that were there at the start, so the first day of the data is never a
    start: of the last 12, 6, 3 and 1 months, the longest that leaves the activity window before it.
    """
    if question.start is not None or question.grain is not None:
        return question.periods(book)
    end = question.end or book.as_of + dt.timedelta(days=1)
    first, _ = book.span
    days = activity(book).window_days or 1
    for months in (12, 6, 3, 1):
        start = add_months(end, -months)
        if start >= first + dt.timedelta(days=days):
            return [Period(start, end)]
    return [Period(add_months(end, -1), end)]


def _answer(book: Book, question: Question, metric: Metric) -> Result:
    snapshot = _snapshot(book, question, metric)
    if snapshot is not None:
        return snapshot
    if not any(
        book.has(*need)
        for need in (("orders", "customer_id"), ("subscriptions", "started_at"), ("events",))
    ):
        return empty_result(
            metric, question, [None], lacking(book, metric) or msg("The data hold no customer.")
        )
    periods = retention_periods(book, question)
    covered = [period for period in periods if period.start <= book.as_of]
    # Six metrics are read off the same flows.
    found = book.once(
        f"flows {question} {covered}", lambda: flows(book, question, covered) if covered else {}
    )
    groups = groups_of(found, question)
    figures = [
        _figure(book, metric, period, found.get((period.start, group), Flow()))
        for period in periods
        for group in groups
    ]
    labelled = [
        _with_group(figure, question, group)
        for figure, group in zip(figures, groups * len(periods), strict=True)
    ]
    return Result(metric, tuple(labelled), question.by, _notes(book, question))


def _notes(book: Book, question: Question) -> tuple[Message, ...]:
    rule = activity(book)
    said = (rule_in_words(rule), rule.reason, scope.early_end(book))
    notes = [one for one in said if one is not None]
    if scope.speaks_of(book, replace(question, where=None)) & {"orders", "order_lines"}:
        notes.append(
            msg(
                "A customer counts in every group they bought in and stays by buying in it again:"
                " who goes over to another group is lost to the first."
            )
        )
    if (over := going_over(book, question)) is not None:
        notes.append(over)
    known = sources(book, replace(question, by=(), where=None), rule)
    counted = sources(book, question, rule)
    if left_out := [name for name in known if name not in counted]:
        notes.append(
            msg(
                "Only {counted} say who is active here: {left_out} lack a column that was asked"
                " about.",
                counted=[_SOURCES[name] for name in counted],
                left_out=[_SOURCES[name] for name in left_out],
            )
        )
    return tuple(notes)


def _with_group(figure: Figure, question: Question, group: tuple[Any, ...]) -> Figure:
    return replace(figure, by=dict(zip(question.by, group, strict=True)))


_COUNTS = {
    "customers_active": "end",
    "customers_kept": "kept",
    "customers_lost": "lost",
    "customers_new": "new",
    "customers_returned": "returned",
}


def _figure(book: Book, metric: Metric, period: Period, flow: Flow) -> Figure:
    complete = period.complete(book.as_of)
    if uncovered := scope.uncovered_reason(book, period) or _not_observed(book, period):
        return Figure(period, complete, None, reason=uncovered)
    note = _history_note(book, period)
    if metric.name in _COUNTS:
        value = flow.parts[_COUNTS[metric.name]]
        return Figure(period, complete, value, value, None, parts=flow.parts, note=note)
    counted = flow.kept if metric.name == "retention_rate" else flow.lost
    if flow.start == 0:
        reason = msg("Nobody was active at the start of the period.")
        return Figure(
            period, complete, None, counted, 0.0, parts=flow.parts, reason=reason, note=note
        )
    low, high = wilson(counted, flow.start)
    value = counted / flow.start
    return Figure(
        period, complete, value, counted, flow.start, low, high, parts=flow.parts, note=note
    )


def _not_observed(book: Book, period: Period) -> Message | None:
    """Why nobody knows who left in a period, where subscriptions alone say it."""
    rule = activity(book)
    if not rule.subscription or rule.window_days is not None or rule.event_window_days is not None:
        return None
    return not_observed(book, period.start)


def _history_note(book: Book, period: Period) -> Message | None:
    days = activity(book).window_days
    first, _ = book.span
    if days is None or period.start - dt.timedelta(days=days) >= first:
        return None
    return nmsg(
        "The data begin on {first}, less than {n} day before the period: customers who bought"
        " earlier are not counted among those present at its start.",
        "The data begin on {first}, less than {n} days before the period: customers who bought"
        " earlier are not counted among those present at its start.",
        days,
        first=first,
    )


def _snapshot(book: Book, question: Question, metric: Metric) -> Result | None:
    """Answer from a file that says who left, but not when: one figure without a period."""
    if (
        metric.name not in ("retention_rate", "churn_rate")
        or not book.has("subscriptions", "churned")
        or book.has("subscriptions", "started_at")
        or book.has("orders", "customer_id")
    ):
        return None
    held = scope.facts(book, "subscriptions", question)
    said = said_to_have_left(book).rename(whose="customer_id")
    held = held.select("customer_id", *question.by).distinct()
    held = held.join(said, held.customer_id == said.whose)
    sums = {"n": held.count(), "lost": held.left.sum()}
    counted = held.aggregate(by=list(question.by), **sums)
    figures = []
    rows = {tuple(row[name] for name in question.by): row for row in book.rows(counted)}
    for group in sorted(rows, key=sort_key):
        n, lost = int(rows[group]["n"]), int(number(rows[group]["lost"]) or 0)
        flow = Flow(start=n, kept=n - lost, lost=lost)
        share = flow.kept if metric.name == "retention_rate" else lost
        if n == 0:
            reason = msg("Nobody was active at the start of the period.")
            figures.append(Figure(None, True, None, 0.0, 0.0, reason=reason))
            continue
        low, high = wilson(share, n)
        figure = Figure(None, True, share / n, share, n, low, high, parts=flow.parts)
        figures.append(_with_group(figure, question, group))
    note = msg(
        "The file says who left but not when: the figure covers every customer in it, and its"
        " period is the one the file was made for."
    )
    return Result(metric, tuple(figures), question.by, (note,))


def _declare(
    name: str, label: Message, formula: Message, unit: Unit, better: str, **more: Any
) -> Metric:
    metric = Metric(
        name=name,
        label=label,
        formula=formula,
        unit=unit,
        better=better,
        needs=("orders.customer_id",),
        compute=lambda book, question: _answer(book, question, metric),
        family="retention",
        **more,
    )
    return declare(metric)


_declare(
    "retention_rate",
    msg("Retention rate"),
    msg(
        "(E − N) ÷ S: of the customers active at the start of the period (S), the share still"
        " active at its end. E: active at the end; N: gained in the period, new or returned."
    ),
    Unit.SHARE,
    "higher",
    aliases=("retention", "crr", "taux_de_retention", "customer_retention_rate"),
    goal=0.8,
    benchmarks=("retention_rate",),
    source="Farris, Bendle, Pfeifer & Reibstein, Marketing Metrics, 3rd ed., 2016, ch. 5",
)
_declare(
    "churn_rate",
    msg("Churn rate"),
    msg("Customers lost in the period ÷ customers at its start = 1 − retention rate."),
    Unit.SHARE,
    "lower",
    aliases=(
        "churn",
        "attrition",
        "attrition_rate",
        "taux_d_attrition",
    ),
    goal=0.05,
    benchmarks=("churn_rate",),
    source="Farris, Bendle, Pfeifer & Reibstein, Marketing Metrics, 3rd ed., 2016, ch. 5",
)
_declare(
    "customers_active",
    msg("Active customers"),
    msg("Customers active at the end of the period, by the activity rule (E)."),
    Unit.COUNT,
    "higher",
    aliases=("active_customers", "clients_actifs"),
)
_declare(
    "customers_kept",
    msg("Customers kept"),
    msg("Customers active at both ends of the period (E − N)."),
    Unit.COUNT,
    "higher",
    aliases=("kept", "clients_gardes"),
)
_declare(
    "customers_lost",
    msg("Customers lost"),
    msg("Customers active at the start of the period and no longer at its end (S − E + N)."),
    Unit.COUNT,
    "lower",
    aliases=("lost", "clients_perdus"),
)
_declare(
    "customers_new",
    msg("New customers"),
    msg("Customers active at the end of the period who never bought before it."),
    Unit.COUNT,
    "higher",
    aliases=("new_customers", "nouveaux_clients"),
)
_declare(
    "customers_returned",
    msg("Customers won back"),
    msg("Customers active at the end of the period, not at its start, but once before."),
    Unit.COUNT,
    "higher",
    aliases=("returned", "reactivated_customers", "clients_revenus"),
)
