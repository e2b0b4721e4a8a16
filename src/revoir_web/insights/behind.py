"""The rows that a figure was computed from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from revoir.errors import UsageError
from revoir.language import Message, msg
from revoir_web.insights import drawn
from revoir_web.insights.figures import question_of
from revoir_web.insights.questions import answers

if TYPE_CHECKING:
    from revoir.book import Book

ROWS_SHOWN = 200


@answers("rows")
def rows(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The rows that a figure was computed from: the first ones, and how many there are."""
    from revoir.metrics import scope
    from revoir.metrics.evaluate import lacking
    from revoir.metrics.registry import metric_named

    known = metric_named(str(asked.get("name", "")))
    question = question_of({name: value for name, value in asked.items() if name != "grain"})
    groups = dict(asked.get("group") or {})
    question = replace(question, by=tuple(groups))
    missing = lacking(book, known)
    if missing is not None:
        raise UsageError(missing)
    if known.ratio is not None:
        facts = known.ratio.facts
        table = facts.rows(book, question)
        if "kind" in table.columns and "amount" in table.columns:
            table = table.filter(table.kind != "cancelled")  # no figure counts them
        if facts.clock in table.columns:
            table = scope.in_periods(table, facts.clock, question, question.periods(book), book)
        for name, value in groups.items():
            held = table[name]
            table = table.filter(held.isnull() if value is None else held.cast("string") == value)
        order = facts.clock if facts.clock in table.columns else None
    elif known.family == "retention":
        from revoir.metrics.retention import members

        table = members(book, question, question.periods(book)[0])
        for name, value in groups.items():
            held = table[name]
            table = table.filter(held.isnull() if value is None else held.cast("string") == value)
        order = None
    else:
        raise UsageError(
            msg("This figure is made of other figures: look at the rows behind those.")
        )
    hidden = {scope.PERIOD, "opens_period", "batch_id", *(f"{name}__customer" for name in groups)}
    names = [name for name in table.columns if name not in hidden and not _is_text(book, name)]
    total = book.rows(table.aggregate(n=table.count()))[0]["n"]
    if order:
        table = table.order_by(
            table[order].desc(), *(["customer_id"] if "customer_id" in names else [])
        )
    elif "customer_id" in names:
        table = table.order_by("customer_id")
    found = book.rows(table.select(*names).limit(ROWS_SHOWN))
    cells = [[_cell(row[name]) for name in names] for row in found]
    return drawn.in_each(
        lambda language: {"columns": [_column_named(name, language) for name in names]},
        names=names,
        rows=cells,
        total=int(total),
    )


def _is_text(book: Book, name: str) -> bool:
    """Whether a column holds free text, which may name persons."""
    return name in ("comment", "text")


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    return float(value)


def _column_named(name: str, language: str) -> str:
    from revoir.reports.wording import COLUMN_NAMES
    from revoir.tables import TABLES

    if name in _COLUMNS:
        return _COLUMNS[name].text(language)
    if name in COLUMN_NAMES:
        return COLUMN_NAMES[name].text(language)
    for table in TABLES.values():
        for column in table.columns:
            label = getattr(column, "label", None)
            if column.name == name and isinstance(label, Message):
                return label.text(language)
    return name


_COLUMNS = {
    "customer_id": msg("customer"),
    "order_id": msg("order"),
    "ordered_on": msg("day"),
    "ordered_at": msg("time"),
    "day": msg("day"),
    "amount": msg("amount"),
    "margin": msg("margin"),
    "previous_day": msg("purchase before"),
    "next_day": msg("next purchase"),
    "first_day": msg("first purchase"),
    "nth": msg("which purchase day"),
    "amount_so_far": msg("bought so far"),
    "first_amount": msg("bought on the first day"),
    "became": msg("what became of them"),
    "responded_on": msg("answered on"),
    "question": msg("question"),
    "score": msg("score"),
    "kind": msg("kind"),
    "started_at": msg("began"),
    "ended_at": msg("ended"),
    "monthly_amount": msg("a month"),
    "opened_at": msg("opened"),
    "event": msg("event"),
    "occurred_at": msg("when"),
}
