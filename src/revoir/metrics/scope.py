"""What a question is asked of: facts, filtered by its rule, beside the columns it breaks down by.

A column of customers splits the customers. A column of orders or order lines splits the
purchases: each of its values is measured as if it were a shop of its own, and a customer may
count in several. `first_…` and the RFM segment are columns of customers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, msg, nmsg
from revoir.metrics.calendar import date, ordinal, ordinal_of, period_of
from revoir.metrics.registry import Question
from revoir.periods import Grain, Period, start_at
from revoir.purchases import MONTH_OF, beside_neighbours
from revoir.visits import visits

if TYPE_CHECKING:
    from revoir.segments.rules import Dimension

PERIOD = "period"
"""The column that facts carry the number of their period in."""

_NEIGHBOURING = ("day", "previous_day", "next_day")


def orders(book: Book, question: Question, *, seen: Book | None = None) -> ir.Table:
    """The orders a question is about; those of a rule or column of lines are cut down to them.

    Args:
        book: The company's tables.
        question: What is asked.
        seen: The book as of the day that customers' segments are read at (None: `book`).

    Returns:
        `customer_id`, `ordered_on`, `amount`, `kind`, `margin` where known, and `question.by`.
    """
    dimensions = _dimensions(book, question.by)
    tables = {known.table for known in dimensions.values()} | _tables(book, question)
    if "order_lines" in tables:
        table = _with_order_columns(book)
        table = _attach(
            _filtered(book, table, "order_lines", question, seen), seen or book, dimensions
        )
        return _cut_orders(table, question.by)
    table = _filtered(book, book.table("orders"), "orders", question, seen)
    return _attach(table, seen or book, dimensions)


def purchases(book: Book, question: Question) -> ir.Table:
    """The purchases (see `Book.purchases`) a question is about, with `question.by`."""
    dimensions = _dimensions(book, question.by)
    if question.where is None and all(d.table == "customers" for d in dimensions.values()):
        # All purchases, at most shared out among customers: their neighbours are known.
        return _attach(book.purchases, book, dimensions)
    return beside_neighbours(orders(book, question), question.by)


def sales(book: Book, question: Question) -> ir.Table:
    """The purchases of `purchases`, and those that nobody is known of, which stand alone."""
    bought = orders(book, question)
    unknown = bought.filter((bought.kind == "purchase") & bought.customer_id.isnull())
    return _with_alone(purchases(book, question), unknown, _NEIGHBOURING, question.by)


def dealings(book: Book, question: Question) -> ir.Table:
    """The purchases of `purchases`, and what known customers gave back: it has no `first_day`."""
    held = orders(book, question)
    back = held.filter((held.kind == "return") & held.customer_id.notnull())
    days = (*_NEIGHBOURING, "first_day")
    return _with_alone(purchases(book, question), back, days, question.by)


def _with_alone(
    known: ir.Table, alone: ir.Table, days: Sequence[str], by: Sequence[str]
) -> ir.Table:
    """Purchases with some of their days, and orders that have no neighbours."""
    wanted = [*days, *(MONTH_OF.format(name) for name in days)]
    wanted = ["customer_id", "amount", *(name for name in wanted if name in known.columns)]
    wanted = list(dict.fromkeys([*wanted, *by]))
    months = {MONTH_OF.format("day"): ordinal(alone.ordered_on, Grain.MONTH)}
    alone = alone.rename(day="ordered_on").mutate(**months)
    absent = {name: ibis.null() for name in wanted if name not in alone.columns}
    known = known.select(*wanted)
    return known.union(alone.mutate(**absent).select(*wanted).cast(known.schema()))


def speaks_of(book: Book, question: Question) -> set[str]:
    """The tables of facts that a question's columns are in; customers share all of them."""
    dimensions = _dimensions(book, question.by)
    return ({known.table for known in dimensions.values()} | _tables(book, question)) - {
        "customers"
    }


def columns_asked(book: Book, question: Question, table: str) -> set[str]:
    """The columns of a table of facts that a question breaks down or narrows by."""
    asked = {name for name, known in _dimensions(book, question.by).items() if known.table == table}
    if question.where:
        from revoir.segments.rules import columns_of

        asked |= columns_of(question.where, book, table)
    return asked


def seen_before(book: Book, question: Question, start: dt.date) -> Book | None:
    """The book that figures of customers are read from, for who was there at the start of a period.

    A customer's segment is the one at the start of the period: at its end, who left is by
    definition in a segment of leavers. What a model foretold stays what it is: nobody foretold it
    then.

    Args:
        book: The company's tables.
        question: What is asked.
        start: The first day of the period.

    Returns:
        The book as of the day before; None where neither `by` nor the rule speaks of a figure of
        customers that is another one on another day.
    """
    if not changes_in_time(book, question):
        return None
    before = book.at(start - dt.timedelta(days=1))
    return before if book.predictions is None else before.with_predictions(book.predictions)


def changes_in_time(book: Book, question: Question) -> bool:
    """Whether `by` or the rule speaks of a figure of customers that changes from day to day."""
    features = [known.feature for known in _dimensions(book, question.by).values()]
    if question.where:
        from revoir.segments.rules import features_of

        features += features_of(question.where, book)
    return any(feature is not None and feature.changes for feature in features)


def facts(book: Book, name: str, question: Question, *, seen: Book | None = None) -> ir.Table:
    """The rows of any other canonical table a question is about, with `question.by`.

    Of events these are the visits: what customers did themselves.
    """
    held = visits(book) if name == "events" else book.table(name)
    table = _filtered(book, held, name, question, seen)
    return _attach(table, seen or book, _dimensions(book, question.by, prefer=name))


def in_periods(
    table: ir.Table, clock: str, question: Question, periods: Sequence[Period], book: Book
) -> ir.Table:
    """The rows of the periods asked for, with the number of their period.

    Args:
        table: Facts.
        clock: Their column of time.
        question: The question.
        periods: Its periods.
        book: The book.

    Returns:
        The rows, with `PERIOD` (see `period_at`), and for purchases `opens_period` and
        `closes_period`: whether the customer did not buy before, or after it, in the period.
    """
    if question.start or question.end or question.grain:
        moment = table[clock]
        begun = ~book.is_before(moment, periods[0].start)
        table = table.filter(begun & book.is_before(moment, periods[-1].end))
    neighbours = "previous_day" in table.columns
    month = book.settings.fiscal_year_start_month
    if question.grain is None:
        table = table.mutate(**{PERIOD: ibis.literal(0)})
    elif neighbours:
        table = table.mutate(**{PERIOD: ordinal_of(table, clock, question.grain, month)})
    else:
        day = book.day_of(table[clock])
        table = table.mutate(**{PERIOD: ordinal(day, question.grain, month)})
    if not neighbours:
        return table
    if question.grain is None:
        before = table.previous_day < date(periods[0].start)
        after = table.next_day >= date(periods[-1].end)
    else:
        before = ordinal_of(table, "previous_day", question.grain, month) < table[PERIOD]
        after = ordinal_of(table, "next_day", question.grain, month) > table[PERIOD]
    return table.mutate(
        opens_period=table.previous_day.isnull() | before,
        closes_period=table.next_day.isnull() | after,
    )


def period_at(number: int, question: Question, periods: Sequence[Period], book: Book) -> dt.date:
    """The first day of the period of that number, for a question."""
    if question.grain is None:
        return periods[0].start
    return start_at(number, question.grain, book.settings.fiscal_year_start_month)


def period_start(
    day: ir.DateValue, question: Question, periods: Sequence[Period], book: Book
) -> ir.DateValue:
    """The start of each day's period, for a question."""
    if question.grain is None:
        return date(periods[0].start)
    return period_of(day, question.grain, book.settings.fiscal_year_start_month)


def amounts_note(book: Book) -> Message | None:
    """How many purchases have no amount, anonymous ones too, in words (None: all have one)."""
    orders = book.table("orders")
    bought = orders.filter(orders.kind == "purchase")
    counts = bought.aggregate(n=bought.amount.isnull().sum())
    n = int(book.once("purchases without an amount", lambda: book.rows(counts)[0]["n"]) or 0)
    if not n:
        return None
    return nmsg(
        "{n} purchase has no amount: it is in no sum and no mean.",
        "{n} purchases have no amount: they are in no sum and no mean.",
        n,
    )


def money_reason(book: Book, question: Question, table: str = "orders") -> Message | None:
    """Why amounts of a table cannot be added up, where they are in several currencies."""
    held = book.currencies_of(table)
    if len(held) < 2:
        return None
    by = _dimensions(book, question.by, None if table == "orders" else table).values()
    if any(known.column == "currency" and known.table == table for known in by):
        return None
    if question.where:
        from revoir.segments.rules import holds_one

        if holds_one(question.where, book, table, "currency"):
            return None
    return msg(
        "The amounts are in several currencies ({currencies}): break down by currency, or choose"
        ' one with the rule: currency = "{first}".',
        currencies=list(held),
        first=held[0],
    )


def _dimensions(book: Book, by: Sequence[str], prefer: str | None = None) -> dict[str, Dimension]:
    if not by:
        return {}
    from revoir.segments.rules import dimension

    return {name: dimension(book, name, prefer=prefer) for name in by}


def _tables(book: Book, question: Question) -> set[str]:
    if not question.where:
        return set()
    from revoir.segments.rules import tables_of

    return tables_of(question.where, book)


def _filtered(
    book: Book, table: ir.Table, name: str, question: Question, seen: Book | None
) -> ir.Table:
    if not question.where:
        return table
    from revoir.segments.rules import condition

    return table.filter(condition(question.where, table, book, name=name, seen=seen))


def _attach(table: ir.Table, book: Book, dimensions: dict[str, Dimension]) -> ir.Table:
    """Put the columns of a question's `by` beside the rows, under the names it calls them."""
    for name, known in dimensions.items():
        if known.table != "customers":
            table = table.mutate(**{name: table[known.column]})
            continue
        lookup = known.customers(book).rename(**{f"{name}__customer": "customer_id"})
        lookup = lookup.select(f"{name}__customer", **{f"{name}__value": lookup[known.column]})
        joined = table.left_join(lookup, table.customer_id == lookup[f"{name}__customer"])
        joined = joined.drop(f"{name}__customer", *([name] if name in table.columns else []))
        table = joined.rename(**{name: f"{name}__value"})
    return table


def _with_order_columns(book: Book) -> ir.Table:
    """Order lines beside the columns of their order that they do not have themselves.

    The margin of an order is shared out among its lines by their amounts: it would count once a
    line. What is given back may have the number of its order, and no line counts twice for it.
    """
    lines, held = book.table("order_lines"), book.table("orders")
    wanted = [column for column in held.columns if column not in lines.columns]
    is_back = held.kind == "return"
    returns = held.filter(is_back).group_by("order_id")
    returns = returns.aggregate(
        order__kind=held.kind.max(),
        **{name: held[name].sum() if name == "margin" else held[name].max() for name in wanted},
    )
    sales = held.filter(~is_back).rename(order__kind="kind")
    right = sales.select("order_id", "order__kind", *wanted).union(
        returns.cast(sales.select("order_id", "order__kind", *wanted).schema())
    )
    right = right.rename(order__id="order_id")
    same = (lines.kind == "return") == (right.order__kind == "return")
    table = lines.left_join(right, [lines.order_id == right.order__id, same])
    # An order may have been cancelled since its lines came.
    is_over = (table.order__kind == "cancelled").fill_null(False)
    table = table.mutate(kind=ibis.ifelse(is_over, "cancelled", table.kind))
    table = table.drop("order__id", "order__kind")
    if "margin" not in wanted:
        return table
    together = ibis.window(group_by=[table.order_id, table.kind])
    amount = table.amount.cast("float64")
    share = amount / amount.sum().over(together).nullif(0)
    evenly = 1.0 / table.count().over(together)
    return table.mutate(margin=table.margin.cast("float64") * share.coalesce(evenly))


def _cut_orders(lines: ir.Table, by: Sequence[str]) -> ir.Table:
    sums = {"amount": lines.amount.sum()}
    if "margin" in lines.columns:
        sums["margin"] = lines.margin.sum()
    keys = ["order_id", "customer_id", "ordered_on", "kind"]
    cut = lines.group_by([*keys, *(name for name in by if name not in keys)]).aggregate(**sums)
    return cut.mutate(
        kind=ibis.cases(
            (cut.kind == "cancelled", "cancelled"),
            (cut.amount > 0, "purchase"),
            (cut.amount < 0, "return"),
            else_="free",
        )
    )


def early_end(book: Book) -> Message | None:
    """What to know where purchases stop long before other tables do: so do the figures."""
    whole = book.entire.as_of
    if whole <= book.as_of:
        return None
    return msg(
        "The last order is of {last}, while other tables go on until {whole}: figures about"
        " customers stop there. Add the orders made since.",
        last=book.as_of,
        whole=whole,
    )


def uncovered_reason(book: Book, period: Period | None) -> Message | None:
    """Why a period has no figures, where the data begin after it or end before it."""
    if period is None:
        return None
    if period.start > book.as_of:
        return msg("The period begins after the data end, on {day}.", day=book.as_of)
    first, _ = book.span
    if period.end <= first:
        return msg("The period ends before the data begin, on {day}.", day=first)
    return None


def covered_end(book: Book) -> dt.date:
    """The day after the last that the data cover."""
    return book.as_of + dt.timedelta(days=1)
