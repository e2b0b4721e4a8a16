"""How long each customer stayed: from the first day to the day they left for the first time.

Whoever has not left by the last day of the data is *censored*: they stayed at least as long as they
were watched. Leaving is defined as for `revoir.models.churn`.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import Message, in_days, msg, nmsg
from revoir.metrics.boundaries import START, UNTIL
from revoir.metrics.calendar import date, days_later
from revoir.metrics.contracts import as_stays, said_to_have_left
from revoir.metrics.observed import observed_from
from revoir.models.departures import Definition, Kind
from revoir.segments.rules import Dimension, dimension
from revoir.visits import visit_days

DAYS, MONTHS = "days", "months"


def stays(book: Book, definition: Definition) -> ir.Table:
    """The first stay of every customer.

    Args:
        book: The company's tables.
        definition: What leaving means.

    Returns:
        `customer_id`, `duration` (whole days; months where the file counts them), `left`: whether
        the stay is over, and, where `observed_from` gives a day, `entry`: how old the stay was when
        it began to be watched. A buyer's stay ends a window after the last purchase of the first
        row of purchases that are no further apart than the window.

    Raises:
        UsageError: The file does not say how long customers have been there.
    """
    match definition.kind:
        case Kind.FILE:
            return _of_file(book)
        case Kind.SUBSCRIPTIONS:
            found = _first_run(_runs(book))
        case Kind.VISITS:
            found = _first_spell(_visits(book), definition)
        case _:
            bought = book.purchases
            bought = bought.select("customer_id", "first_day", "day", "next_day")
            found = _first_spell(bought, definition)
    last = date(book.as_of)
    left = (found.until <= last).fill_null(False)
    end = ibis.ifelse(left, found.until, last)
    told = {"duration": end.delta(found.start, unit="day").cast("int64"), "left": left}
    if definition.kind is Kind.SUBSCRIPTIONS and (day := observed_from(book)) is not None:
        told["entry"] = date(day).delta(found.start, unit="day").cast("int64").clip(lower=0)
        found = found.filter(end > date(day))
    return found.select("customer_id", **told)


def _of_file(book: Book) -> ir.Table:
    if not book.has("subscriptions", "tenure_months"):
        raise UsageError(
            msg("The file does not say how long customers have been there."),
            remedy=msg("Bring their first days, or a column of months as a customer."),
        )
    rows = book.table("subscriptions")
    rows = rows.filter(rows.churned.notnull() & (rows.tenure_months >= 0))
    longest = rows.group_by(other_id=rows.customer_id).aggregate(
        duration=rows.tenure_months.max().cast("int64")
    )
    said = said_to_have_left(book)
    found = said.join(longest, said.customer_id == longest.other_id)
    return found.select("customer_id", "duration", "left")


def _visits(book: Book) -> ir.Table:
    days = visit_days(book)
    window = ibis.window(group_by="customer_id", order_by="day")
    return days.mutate(
        first_day=days.day.first().over(window), next_day=days.day.lead().over(window)
    )


def _first_spell(rows: ir.Table, definition: Definition) -> ir.Table:
    """The first day and the end of the first spell; none is later than the last act + window."""
    assert definition.window_days is not None
    window = definition.window_days
    gap = rows.next_day.delta(rows.day, unit="day")
    ends = rows.filter(rows.next_day.isnull() | (gap > window))
    found = ends.group_by("customer_id").aggregate(start=ends.first_day.min(), last=ends.day.min())
    return found.select("customer_id", "start", until=days_later(found["last"], window))


def _runs(book: Book) -> ir.Table:
    rows = book.table("subscriptions")
    rows = as_stays(book, rows.filter(rows.customer_id.notnull()))
    return rows.select("customer_id", start=rows[START], until=rows[UNTIL])


def _first_run(rows: ir.Table) -> ir.Table:
    """The first day, and the first day that no subscription runs at the end of."""
    order = ["start", "until"]
    so_far = ibis.window(group_by="customer_id", order_by=order, preceding=None, following=0)
    rows = rows.mutate(until=rows.until.max().over(so_far))
    window = ibis.window(group_by="customer_id", order_by=order)
    rows = rows.mutate(next_start=rows.start.lead().over(window))
    ends = rows.filter(rows.next_start.isnull() | (rows.next_start > rows.until))
    firsts = rows.group_by("customer_id").aggregate(start=rows.start.min())
    lasts = ends.group_by("customer_id").aggregate(until=ends.until.min())
    lasts = lasts.rename(other_id="customer_id")
    return firsts.join(lasts, firsts.customer_id == lasts.other_id).drop("other_id")


def groups(book: Book, definition: Definition, name: str) -> ir.Table:
    """The value of each customer in a column that survival is broken down by.

    Args:
        book: The company's tables.
        definition: What leaving means.
        name: A column of customers, of the subscription (the first one) or of the file, or
            `first_…` and a column of orders.

    Returns:
        `customer_id` and `value`, a text.

    Raises:
        UsageError: There is no such column, or its values change while customers stay.
    """
    of_subscriptions = definition.kind in (Kind.SUBSCRIPTIONS, Kind.FILE)
    known = dimension(book, name, prefer="subscriptions" if of_subscriptions else None)
    _check_fixed(known, name, of_subscriptions)
    if known.table == "customers":
        lookup = known.customers(book)
        return lookup.select("customer_id", value=lookup[known.column].cast("string"))
    rows = book.table("subscriptions")
    clocks = [rows[clock] for clock in ("started_at", "ended_at") if clock in rows.columns]
    window = ibis.window(group_by="customer_id", order_by=[*clocks, rows[known.column]])
    rows = rows.select(
        "customer_id",
        value=rows[known.column].cast("string"),
        place=ibis.row_number().over(window),
    )
    return rows.filter(rows.place == 0).drop("place")


def so_long(number: int, unit: str) -> Message:
    """A length of time in words."""
    return in_days(number) if unit == DAYS else nmsg("{n} month", "{n} months", number)


def known_first(book: Book, definition: Definition) -> list[str]:
    """The columns known on a customer's first day that survival is usually broken down by."""
    names = []
    if definition.kind is Kind.PURCHASES:
        names += [f"first_{name}" for name in ("channel", "store") if book.has("orders", name)]
    if definition.kind is Kind.SUBSCRIPTIONS and book.has("subscriptions", "plan"):
        names.append("plan")
    return names + [name for name in ("country", "region") if book.has("customers", name)]


def _check_fixed(known: Dimension, name: str, of_subscriptions: bool) -> None:
    """Refuse what is not the same from a customer's first day on: it would be known afterwards."""
    if known.feature is not None and not known.feature.key.startswith(("first_", "cohort")):
        raise UsageError(
            msg(
                "“{name}” changes while customers stay; who left cannot be parted by it.", name=name
            ),
            remedy=msg("Break down by what was known on the first day, such as first_channel."),
        )
    if known.table != "customers" and not (of_subscriptions and known.table == "subscriptions"):
        raise UsageError(
            msg("“{name}” is a column of {table}, not of customers.", name=name, table=known.table),
            remedy=msg("Break down by {name}: what the first order says.", name=f"first_{name}"),
        )
