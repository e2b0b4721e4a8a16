"""Customer service: how many contacts and complaints, how soon answered, how soon settled."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import ibis.expr.types as ir

from revoir.book import Book
from revoir.experiments.intervals import wilson
from revoir.language import Message, msg
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


def _declare_wait(
    name: str, column: str, label: Message, formula: Message, median: Message, alias: str
) -> None:
    def counted(t: ir.Table) -> ir.BooleanValue:
        return t[column].notnull() & (t[column] >= t.opened_at)

    declare_service(
        name,
        Ratio(
            CONTACTS,
            lambda t: _hours(t, column).sum(where=counted(t)),
            lambda t: counted(t).sum(),
            interval=Spread(lambda t: (_hours(t, column) ** 2).sum(where=counted(t))),
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
        Ratio(CONTACTS, lambda t: _hours(t, column).quantile(0.5, where=counted(t)), adds_up=False),
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
    msg("Mean hours from the contact to its first answer, over contacts that were answered."),
    msg("Hours from the contact to its first answer: half of the answered contacts waited less."),
    "first_response_time",
)
_declare_wait(
    "resolution_hours",
    "resolved_at",
    msg("Time to resolution"),
    msg("Mean hours from the contact to its settlement, over contacts that are settled."),
    msg("Hours from the contact to its settlement: half of the settled contacts took less."),
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
