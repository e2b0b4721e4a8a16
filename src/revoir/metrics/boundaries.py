"""What became of customers between the two ends of each period, from the stays that they made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import ibis.expr.types as ir

from revoir.book import Book
from revoir.metrics import scope
from revoir.metrics.calendar import date
from revoir.metrics.evaluate import Key, number
from revoir.metrics.registry import Question
from revoir.periods import Period

FAR = dt.date(9999, 12, 31)
"""When what still runs ends, as far as anybody knows."""

START, UNTIL = "stay__start", "stay__until"
"""The columns of a stay's ends: no column of a file is called so, and any can be broken down by."""

BOUNDARIES_MAX = 48
"""How many boundaries one query asks about; each is a column of it."""

State = Callable[[ir.Table, ir.BooleanValue], ir.Value]
"""A customer's state on a day, from all stays and which of them hold that day."""

Change = Callable[[ir.Value, ir.Value, ir.BooleanValue], Mapping[str, ir.NumericScalar]]
"""What is summed of customers' states before and after, and whether they are new since."""

First = Callable[[ir.Table], ir.DateScalar]
"""The day from which a customer with these stays is known (null: they are not)."""


def first_stay(stays: ir.Table) -> ir.DateScalar:
    """The day on which a customer's first stay begins."""
    return stays[START].min()


def follow(
    book: Book,
    question: Question,
    periods: Sequence[Period],
    stays: Callable[[dt.date], ir.Table | None],
    state: State,
    change: Change,
    *,
    first: First = first_stay,
    periods_max: int = BOUNDARIES_MAX,
) -> dict[Key, dict[str, float]]:
    """Read every customer's state at the ends of periods, and sum what changed between them.

    Args:
        book: The company's tables.
        question: What is asked.
        periods: Its periods, oldest first, each beginning where the one before it ends.
        stays: Gives the stays ``(start, until]`` for periods from a day on, one row each, with
            `customer_id`, `START`, `UNTIL` and the columns of `by`.
        state: What a customer's stays say of a day.
        change: What is summed.
        first: From when on customers are known: before it they are new.
        periods_max: For how many periods stays are asked at a time.

    Returns:
        The sums by name, by start of period and group.
    """
    found: dict[Key, dict[str, float]] = {}
    for begin in range(0, len(periods), periods_max):
        chunk = periods[begin : begin + periods_max]
        held = stays(chunk[0].start)
        if held is not None:
            found.update(_followed(book, question, chunk, held, state, change, first))
    return found


def _followed(
    book: Book,
    question: Question,
    periods: Sequence[Period],
    stays: ir.Table,
    state: State,
    change: Change,
    first: First,
) -> dict[Key, dict[str, float]]:
    ends = [min(period.end, scope.covered_end(book)) for period in periods]
    boundaries = [periods[0].start, *ends]
    states = {
        f"state__{index}": state(stays, (stays[START] < date(day)) & (stays[UNTIL] >= date(day)))
        for index, day in enumerate(boundaries)
    }
    keys = list(dict.fromkeys(["customer_id", *question.by]))
    people = stays.group_by(keys).aggregate(stay__first=first(stays), **states)
    sums: dict[tuple[str, int], ir.NumericScalar] = {}
    for index, day in enumerate(boundaries[:-1]):
        was, now = people[f"state__{index}"], people[f"state__{index + 1}"]
        for name, total in change(was, now, people.stay__first >= date(day)).items():
            sums[name, index] = total
    named = {f"{name}__{index}": total for (name, index), total in sums.items()}
    found: dict[Key, dict[str, float]] = {}
    for row in book.rows(people.aggregate(by=list(question.by), **named)):
        group = tuple(row[name] for name in question.by)
        for name, index in sums:
            held = found.setdefault((periods[index].start, group), {})
            held[name] = number(row[f"{name}__{index}"]) or 0.0
    return found
