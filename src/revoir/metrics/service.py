"""Customer service: how many contacts and complaints, how soon answered, how soon settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.experiments.intervals import wilson
from revoir.language import Message, msg, nmsg
from revoir.metrics import scope
from revoir.metrics.complaints import is_complaint, kinds_without, not_told
from revoir.metrics.evaluate import (
    Facts,
    Ratio,
    Spread,
    declare_ratio,
    empty_result,
    lacking,
    share_of,
)
from revoir.metrics.registry import Metric, Question, Unit, declare, measure_many
from revoir.metrics.result import Result

HOUR_SECONDS = 3600.0
OPEN_MAX = 0.1
"""Where a larger share of a period's contacts is still open, no mean of their waits is known."""
ENDLESS_HOURS = 1e9
"""Stands for the wait of what is still open: longer than any that has ended."""


def _contacts(book: Book, question: Question) -> ir.Table:
    table = scope.facts(book, "interactions", question)
    return table.mutate(complaint=is_complaint(table))


CONTACTS = Facts("contacts", _contacts, "opened_at", needs=("interactions",))

declare_service = partial(declare_ratio, family="service")


def _hours(t: ir.Table, column: str) -> ir.NumericValue:
    return (
        t[column].cast("timestamp").delta(t.opened_at.cast("timestamp"), unit="second")
        / HOUR_SECONDS
    )


def _days_alone(book: Book, column: str) -> Message | None:
    """Why a wait cannot be told in hours: all its moments are midnights, so they are days.

    A day stands as midnight in the company's time zone where a file says it, and as midnight in UTC
    where the column of a warehouse holds days.
    """

    def look() -> bool:
        contacts = book.table("interactions")
        ended = contacts.filter(contacts[column].notnull())
        moments = [ended.opened_at.cast("timestamp"), ended[column].cast("timestamp")]
        second = ibis.interval(seconds=1)
        timed = {
            "here": [book.day_of(m) == book.day_of(m - second) for m in moments],
            "utc": [m.cast("date") == (m - second).cast("date") for m in moments],
        }
        row = book.rows(
            ended.aggregate(
                n=ended.count(), **{name: (a | b).sum() for name, (a, b) in timed.items()}
            )
        )[0]
        return bool(row["n"]) and 0 in (row["here"], row["utc"])

    if not book.once(f"days alone of {column}", look):
        return None
    return msg("The data hold days, not times: they do not tell how many hours went by.")


def _still_open(settled: float, still: float) -> Message:
    return nmsg(
        "{n} contact of the period is still open, beside {settled} with an end: how long they all"
        " take is not known yet.",
        "{n} contacts of the period are still open, beside {settled} with an end: how long they"
        " all take is not known yet.",
        int(still),
        settled=int(settled),
    )


def _mean_in_doubt(value: float, parts: Mapping[str, float]) -> Message | None:
    settled, still = parts["settled"], parts["open"]
    return _still_open(settled, still) if still > OPEN_MAX * (settled + still) else None


def _median_in_doubt(value: float, parts: Mapping[str, float]) -> Message | None:
    return _still_open(parts["settled"], parts["open"]) if value > ENDLESS_HOURS / 4 else None


def _declare_wait(
    name: str, column: str, label: Message, formula: Message, median: Message, alias: str
) -> None:
    """Declare the mean and the median of a wait.

    What is still open has waited for no known time, and the longest waits are open the longest: of
    a period just past, only what was settled soon has an end. Where more than a tenth of its
    contacts are open there is no mean. The median counts them as longer than every wait that has
    ended, and is not known where it would fall among them. Where no contact has an end, there is
    nothing to take a mean or median of.
    """

    def counted(t: ir.Table) -> ir.BooleanValue:
        return t[column].notnull() & (t[column] >= t.opened_at)

    def still(t: ir.Table) -> ir.BooleanValue:
        # What was settled without an answer waits for none.
        over = "resolved_at" in t.columns and column != "resolved_at"
        return t[column].isnull() & (t.resolved_at.isnull() if over else True)

    def middle(t: ir.Table) -> ir.NumericScalar:
        hours = ibis.ifelse(still(t), ENDLESS_HOURS, _hours(t, column))
        any_ended = counted(t).any()
        return ibis.ifelse(any_ended, hours.quantile(0.5, where=counted(t) | still(t)), None)

    told: dict[str, Any] = {
        "parts": {"settled": lambda t: counted(t).sum(), "open": lambda t: still(t).sum()},
        "against": partial(_days_alone, column=column),
    }
    declare_service(
        name,
        Ratio(
            CONTACTS,
            lambda t: _hours(t, column).sum(where=counted(t)),
            lambda t: counted(t).sum(),
            interval=Spread(lambda t: (_hours(t, column) ** 2).sum(where=counted(t))),
            doubt=_mean_in_doubt,
            **told,
        ),
        label,
        formula,
        Unit.HOURS,
        "lower",
        needs=(f"interactions.{column}",),
        aliases=(alias,),
    )
    declare_service(
        f"median_{name}",
        Ratio(CONTACTS, middle, adds_up=False, doubt=_median_in_doubt, **told),
        msg("{label}, median", label=label),
        median,
        Unit.HOURS,
        "lower",
        needs=(f"interactions.{column}",),
        aliases=(f"{alias}_median",),
    )


declare_service(
    "contacts",
    Ratio(CONTACTS, lambda t: t.count()),
    msg("Contacts with customer service"),
    msg("Contacts opened in the period."),
    Unit.COUNT,
    "neither",
    aliases=("interactions", "tickets"),
)


def _of_complaints(ratio: Ratio) -> Ratio:
    return replace(ratio, against=not_told, remark=kinds_without)


declare_service(
    "complaints",
    _of_complaints(Ratio(CONTACTS, lambda t: t.complaint.sum(), interval="poisson")),
    msg("Complaints"),
    msg("Contacts of the period that are complaints."),
    Unit.COUNT,
    "lower",
    aliases=("reclamations",),
)
declare_service(
    "complaint_share",
    _of_complaints(share_of(CONTACTS, lambda t: t.complaint.sum())),
    msg("Share of contacts that are complaints"),
    msg("Complaints ÷ contacts."),
    Unit.SHARE,
    "lower",
    aliases=("part_des_reclamations",),
)
_declare_wait(
    "first_response_hours",
    "first_response_at",
    msg("Time to first response"),
    msg(
        "Mean hours from the contact to its first answer, over contacts that were answered; where"
        " more than a tenth still wait, it is not known."
    ),
    msg(
        "Hours from the contact to its first answer: half of the contacts waited less, counting"
        " those that still wait as the longest."
    ),
    "first_response_time",
)
_declare_wait(
    "resolution_hours",
    "resolved_at",
    msg("Time to resolution"),
    msg(
        "Mean hours from the contact to its settlement, over contacts that are settled; where more"
        " than a tenth are still open, it is not known."
    ),
    msg(
        "Hours from the contact to its settlement: half of the contacts took less, counting those"
        " that are still open as the longest."
    ),
    "resolution_time",
)


def _complaint_rate(book: Book, question: Question) -> Result:
    missing = lacking(book, COMPLAINT_RATE)
    if missing is not None:
        return empty_result(COMPLAINT_RATE, question, [None], missing)
    # Contacts may go on after the orders: both are asked about the same days.
    asked = question.days(book)
    question = replace(question, start=asked.start, end=asked.end)
    found = measure_many(book, COMPLAINT_RATE.made_of, question)
    orders = {(f.period, *f.by.values()): f.value for f in found["orders"].figures}
    figures = []
    for figure in found["complaints"].figures:
        if figure.value is None:
            figures.append(figure)
            continue
        placed = orders.get((figure.period, *figure.by.values())) or 0.0
        complaints = figure.value
        if not placed:
            reason = msg("No order was placed in the period.")
            figures.append(
                replace(figure, value=None, denominator=0.0, low=None, high=None, reason=reason)
            )
            continue
        low, high = wilson(complaints, placed) if complaints <= placed else (None, None)
        figures.append(
            replace(figure, value=complaints / placed, denominator=placed, low=low, high=high)
        )
    return Result(COMPLAINT_RATE, tuple(figures), question.by)


COMPLAINT_RATE: Metric = declare(
    Metric(
        name="complaint_rate",
        label=msg("Complaint rate"),
        formula=msg("Complaints opened in the period ÷ orders placed in it."),
        unit=Unit.SHARE,
        better="lower",
        needs=("interactions", "orders"),
        compute=_complaint_rate,
        family="service",
        aliases=("taux_de_reclamation",),
        made_of=("complaints", "orders"),
        exceeds=True,
    )
)
