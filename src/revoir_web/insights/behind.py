"""The rows that a figure was computed from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from revoir.errors import UsageError
from revoir.language import msg
from revoir_web.common.words import heading
from revoir_web.insights import drawn, files
from revoir_web.insights.questions import answers, question_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from revoir.book import Book

ROWS_PAGE = 50
_HELPERS = ("opens_period", "closes_period", "batch_id", "said", "complaint")
"""Columns that computing brings along; months of days are others (`day_month`)."""


@answers("rows")
def rows(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The rows that a figure was computed from: a page of them, and how many there are."""
    from revoir.metrics.registry import metric_named

    parts = metric_named(str(asked.get("name", ""))).made_of
    if parts:
        labels = [metric_named(name).label for name in parts]
        return drawn.in_each(
            lambda language: {"made_of": drawn.texts(labels, language), "columns": []},
            made_of=list(parts), names=[], rows=[], total=0, first=0,
        )  # fmt: skip
    table, names = _behind(book, asked)
    total = int(book.rows(table.aggregate(n=table.count()))[0]["n"])
    first = max(0, int(asked.get("page", 1)) - 1) * ROWS_PAGE
    found = book.rows(table.limit(ROWS_PAGE, offset=first))
    cells = [[_cell(row[name]) for name in names] for row in found]
    return drawn.in_each(_headings(names), names=names, rows=cells, total=total, first=first)


@answers("rows-file")
def rows_file(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """All of the rows that a figure was computed from, in a file of the data folder."""
    table, names = _behind(book, asked)
    number, total = files.write_rows(book, table)
    return drawn.in_each(_headings(names), names=names, file=number, total=total)


def _headings(names: Sequence[str]) -> Callable[[str], dict[str, list[str]]]:
    return lambda language: {"columns": [heading(_column_named(name, language)) for name in names]}


def _behind(book: Book, asked: Mapping[str, Any]) -> tuple[ir.Table, list[str]]:
    """The rows behind a figure, in their order, and the names of their columns."""
    from revoir.metrics import scope
    from revoir.metrics.evaluate import lacking
    from revoir.metrics.registry import metric_named

    known = metric_named(str(asked.get("name", "")))
    said = {name: value for name, value in asked.items() if name not in ("grain", "page")}
    question = question_of(said)
    groups = dict(asked.get("group") or {})
    question = replace(question, by=tuple(groups))
    missing = lacking(book, known)
    if missing is not None:
        raise UsageError(missing)
    clock = None
    if known.ratio is not None:
        facts = known.ratio.facts
        book = facts.held(book)
        table = facts.rows(book, question)
        if "kind" in table.columns and "amount" in table.columns:
            table = table.filter(table.kind != "cancelled")  # no figure counts them
        if facts.clock in table.columns:
            clock = facts.clock
            table = scope.in_periods(table, clock, question, question.periods(book), book)
    elif known.family == "retention":
        from revoir.metrics.retention import members, retention_periods

        table = members(book, question, retention_periods(book, question)[0])
    elif known.family == "lifecycle":
        from revoir.metrics.lifecycle import buyers

        table, clock = buyers(book, question, known.name.removeprefix("lifecycle_")), "day"
    elif known.family == "subscriptions":
        from revoir.metrics.subscriptions import subscribers

        table = subscribers(book, question, known.name)
    else:
        raise UsageError(
            msg(
                "This figure is made of other figures: look at the rows behind {names}.",
                names=[metric_named(name).label for name in known.made_of],
            )
        )
    for name, value in groups.items():
        held = table[name]
        table = table.filter(held.isnull() if value is None else held.cast("string") == value)
    hidden = {scope.PERIOD, *_HELPERS, *(f"{name}__customer" for name in groups)}
    names = [
        name
        for name in table.columns
        if name not in hidden
        and not _is_text(book, name)
        and not (name.endswith("_month") and name.removesuffix("_month") in table.columns)
    ]
    # In the same order at every page, also among rows of one moment.
    rest = [name for name in ("customer_id", *names) if name in names and name != clock]
    order = [table[clock].desc()] if clock else []
    return table.order_by(*order, *dict.fromkeys(rest)).select(*names), names


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

    known = _COLUMNS.get(name) or COLUMN_NAMES.get(name)
    return known.text(language) if known else name


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
    "at_start": msg("a month at the start"),
    "at_end": msg("a month at the end"),
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
    "birth_date": msg("date of birth"),
    "churned": msg("has left"),
    "discount": msg("discount"),
    "event_id": msg("event number"),
    "first_response_at": msg("first answered"),
    "interaction_id": msg("contact number"),
    "is_complaint": msg("complaint"),
    "joined_at": msg("customer since"),
    "line_id": msg("line number"),
    "product_id": msg("product number"),
    "quantity": msg("quantity"),
    "reason": msg("reason"),
    "refunded": msg("refunded"),
    "resolved_at": msg("resolved"),
    "response_id": msg("answer number"),
    "satisfaction": msg("satisfaction"),
    "text_sentiment": msg("how it sounds"),
    "session_id": msg("visit number"),
    "status": msg("status"),
    "stock": msg("stock"),
    "store": msg("store"),
    "subscription_id": msg("subscription number"),
    "tenure_months": msg("months as a customer"),
    "unit_price": msg("unit price"),
    "upgrade_on": msg("upgrade due"),
}
