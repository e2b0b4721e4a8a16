"""Signals of purchases: they fall, baskets shrink, more comes back."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, Percent, msg, nmsg
from revoir.metrics.boundaries import FAR
from revoir.metrics.calendar import date
from revoir.metrics.summary import amounts_missing
from revoir.signals.registry import Case, Parameter, Signal, Values, declare
from revoir.signals.spans import NUMBER, fallen, later, numbered, span, two_spans
from revoir.visits import visit_days

_ORDERS = (("orders.customer_id",),)
_EXACT = "decimal(18, 4)"


def several_currencies(book: Book) -> Message | None:
    """Why amounts cannot be compared, where they are in several currencies."""
    if len(book.currencies) < 2:
        return None
    return msg(
        "The amounts are in several currencies ({currencies}) and cannot be compared.",
        currencies=list(book.currencies),
    )


def _visits(book: Book) -> ir.Table:
    """What customers bought on the days they were seen on, beside the neighbouring ones.

    Where there are events, they are visits without an amount; `nth` numbers the days, and `so_far`
    is what the customer bought for up to and with each.
    """
    bought = book.purchases
    # In several currencies purchases are counted, for their amounts cannot be added up; and those
    # of customers of whom an amount is missing, which would look as if nothing had been bought.
    several, lacking = several_currencies(book) is not None, amounts_missing(book) > 0
    counted = several or lacking
    amount = ibis.literal(1) if several else bought.amount.fill_null(0)
    if lacking and not several:
        whole = ibis.window(group_by="customer_id")
        missing = ibis.ifelse(bought.amount.isnull(), 1, 0).sum().over(whole) > 0
        amount = ibis.ifelse(missing, ibis.literal(1).cast(_EXACT), bought.amount.cast(_EXACT))
    rows = bought.mutate(seen_on=bought.day, amount=amount.cast(_EXACT))
    if counted or book.has("events"):
        seen = rows.select("customer_id", "seen_on", "amount")
        if book.has("events"):
            days = visit_days(book).rename(seen_on="day")
            seen = seen.union(days.mutate(amount=ibis.literal(0).cast(_EXACT)))
        days = seen.group_by("customer_id", "seen_on").aggregate(
            amount=seen.amount.sum().cast(_EXACT)
        )
        window = ibis.window(group_by="customer_id", order_by="seen_on")
        so_far = ibis.cumulative_window(group_by="customer_id", order_by="seen_on")
        return days.mutate(
            so_far=days.amount.sum().over(so_far).cast(_EXACT),
            previous_on=days.seen_on.lag().over(window),
            next_on=days.seen_on.lead().over(window),
            nth=ibis.row_number().over(window) + 1,
        )
    return rows.select(
        "customer_id",
        "seen_on",
        "amount",
        so_far=rows.amount_so_far.cast(_EXACT),
        previous_on=rows.previous_day,
        next_on=rows.next_day,
        nth=rows.nth,
    )


def _purchases_down(book: Book, values: Values) -> ir.Table:
    """The condition can only come true when a purchase leaves the later span, or silence is long.

    Both happen a fixed number of days after a visit, so that each visit gives two days to check.
    Visits with no other within reach, which are many, are checked without looking around.
    """
    days, quiet = int(values["period_days"]), int(values["quiet_days"])
    rows = _visits(book)
    reach = max(2 * days - min(days, quiet), quiet)
    since = rows.seen_on.delta(rows.previous_on, unit="day")
    until = rows.next_on.delta(rows.seen_on, unit="day")
    near = ((since <= reach) | (until <= reach)).fill_null(False)
    after = max(days, quiet)
    alone = rows.filter(~near & (rows.amount > 0) & ibis.literal(after < 2 * days))
    met = alone.select(
        "customer_id",
        recent=ibis.literal(0).cast(_EXACT),
        before=alone.amount.cast(_EXACT),
        last_visit=alone.seen_on,
        raised_on=later(alone.seen_on, after),
        next_act=alone.next_on,
        nth=alone.nth,
    )
    crowd = _checked(rows.filter(near), values)
    met = met.union(crowd.select(*met.columns).cast(met.schema()))
    # Without events a visit is a purchase, and the silence after it the one that is looked at.
    return met.drop("next_act", "nth") if book.has("events") else met.mutate(act=met.last_visit)


def _one_a_day(rows: ir.Table) -> ir.Table:
    """Rows of `_visits`, those of one day together; they are few, and grouped alone."""
    shared = ((rows.previous_on == rows.seen_on) | (rows.next_on == rows.seen_on)).fill_null(False)
    several = rows.filter(shared)
    days = several.group_by("customer_id", "seen_on").aggregate(
        amount=several.amount.sum().cast(_EXACT),
        so_far=several.so_far.max(),
        previous_on=several.previous_on.min(),
        next_on=several.next_on.coalesce(date(FAR)).max().nullif(date(FAR)),
        nth=several.nth.max(),
    )
    return rows.filter(~shared).union(days)


def _checked(rows: ir.Table, values: Values) -> ir.Table:
    """The first day of each silence on which the condition is met, looking at what lies around.

    Engines sum a span anew for each row; to look up the running sum at its ends costs half. It
    holds visits that lie apart, which `rows` leave out: none of them is within a span.
    """
    days, quiet, drop = int(values["period_days"]), int(values["quiet_days"]), values["drop"]
    rows = _one_a_day(rows)
    rows = numbered(rows, "seen_on").mutate(
        next_act=rows.next_on.coalesce(date(FAR)),
        until_then=(rows.so_far - rows.amount).cast(_EXACT),
    )

    def spent_before(low: int) -> ir.NumericValue:
        """What was bought for before the day that lies `low` days after each, if not after it."""
        return rows.until_then.first().over(span(low, 0)) if low <= 0 else rows.so_far

    since = span(0, days)
    known = rows.mutate(
        # Without a visit for a while after this one the later span ends with it.
        split=spent_before(quiet - days + 1),
        start=spent_before(quiet - 2 * days + 1),
        later_start=spent_before(1 - days),
        later_end=rows.so_far.last().over(since),
        later_visit=rows.seen_on.max().over(since),
        later_act=rows.next_act.max().over(since),
        later_nth=rows.nth.max().over(since),
    )
    placed = known.mutate(
        recent=known.so_far - known.split,
        before=known.split - known.start,
        later_recent=known.later_end - known.so_far,
        later_before=known.so_far - known.later_start,
    )
    first = placed.filter(
        fallen(placed.recent, placed.before, drop)
        & (placed.next_act.delta(placed.seen_on, unit="day") > quiet)
    )
    first = first.mutate(last_visit=first.seen_on, raised_on=later(first.seen_on, quiet))
    second = placed.filter(
        fallen(placed.later_recent, placed.later_before, drop)
        & (placed.later_visit.delta(placed.seen_on, unit="day") <= days - quiet)
    )
    second = second.select(
        "customer_id",
        recent=second.later_recent,
        before=second.later_before,
        last_visit=second.later_visit,
        next_act=second.later_act,
        nth=second.later_nth,
        raised_on=later(second.seen_on, days),
    )
    every = first.select(*second.columns).union(second)
    return every.group_by("customer_id", "last_visit").aggregate(
        raised_on=every.raised_on.min(),
        recent=every.recent.argmin(every.raised_on),
        before=every.before.argmin(every.raised_on),
        next_act=every.next_act.max().nullif(date(FAR)),
        nth=every.nth.max(),
    )


def _down_because(case: Case) -> Message:
    return nmsg(
        "Purchases were down {drop} on the {days} days before, and no visit for {n} day.",
        "Purchases were down {drop} on the {days} days before, and no visit for {n} days.",
        case.days_since("last_visit"),
        drop=Percent(1 - float(case["recent"]) / float(case["before"]), 0),
        days=case.values["period_days"],
    )


declare(
    Signal(
        "purchases_down",
        msg("Purchases down, no visit"),
        msg(
            "The customer bought for less in a month than in the one before, and has not been seen"
            " for a while: a purchase or an event counts as a visit."
        ),
        "purchases",
        _ORDERS,
        _purchases_down,
        _down_because,
        parameters=(
            Parameter(
                "drop",
                msg("By what share purchases fell, at least."),
                0.3,
                0.01,
                1.0,
                whole=False,
                share=True,
            ),
            Parameter("period_days", msg("Days that are compared with those before."), 30, 7, 366),
            Parameter("quiet_days", msg("Days without a visit, at least."), 15, 1, 366),
        ),
        uses=("events",),
        reach_days=lambda values: 2 * values["period_days"],
    )
)


def _basket_shrinking(book: Book, values: Values) -> ir.Table:
    count = int(values["visits"])
    bought = book.purchases
    if amounts_missing(book):
        # Sums take an amount that is missing for nothing: of whom one is, no basket is compared.
        unknown = bought.filter(bought.amount.isnull()).select("customer_id").distinct()
        bought = bought.anti_join(unknown, "customer_id")
    # The last purchase of a day carries the sum up to and with that day.
    days = bought.filter(bought.next_day.isnull() | (bought.next_day > bought.day))
    window = ibis.window(group_by="customer_id", order_by="day")
    # Who has not yet bought on as many days has nothing to compare.
    days = days.filter(days.nth >= count)
    rows = days.select(
        "customer_id",
        "nth",
        raised_on=days.day,
        act=days.day,
        next_act=days.next_day,
        total=days.amount_so_far,
        earlier=days.amount_so_far.lag(count).over(window),
    )
    rows = rows.filter(rows.nth >= 2 * count)
    baskets = rows.select(
        "customer_id",
        "nth",
        "raised_on",
        "act",
        "next_act",
        recent=(rows.total - rows.earlier).cast("float64") / count,
        before=rows.earlier.cast("float64") / (rows.nth - count),
    )
    return baskets.filter(fallen(baskets.recent, baskets.before, values["drop"]))


declare(
    Signal(
        "basket_shrinking",
        msg("Shrinking basket"),
        msg("The customer spends less on each day with a purchase than they used to."),
        "purchases",
        _ORDERS,
        _basket_shrinking,
        lambda case: msg(
            "Spends {recent} a visit lately against {before} before.",
            recent=case.money("recent"),
            before=case.money("before"),
        ),
        parameters=(
            Parameter(
                "drop", msg("By what share the basket fell, at least."), 0.3, 0.01, 1.0,
                whole=False, share=True,
            ),
            Parameter(
                "visits",
                msg("Purchase days that are compared with all before; as many there must be."),
                3, 1, 50,
            ),
        ),
        against=several_currencies,
    )
)  # fmt: skip


def _returns_rising(book: Book, values: Values) -> ir.Table:
    days = int(values["period_days"])
    orders = book.table("orders")
    back = orders.filter((orders.kind == "return") & orders.customer_id.notnull())
    rows = numbered(
        back.group_by("customer_id", raised_on=back.ordered_on).aggregate(n=back.count()),
        "raised_on",
    )
    recent, before = two_spans(rows.n, days, 0)
    counted = rows.mutate(recent=recent.cast("int64"), before=before.cast("int64"))
    met = (counted.recent >= int(values["returns"])) & (counted.recent > counted.before)
    return counted.filter(met).drop("n", NUMBER)


declare(
    Signal(
        "returns_rising",
        msg("More and more returns"),
        msg("The customer sends back or is refunded more often than before."),
        "purchases",
        _ORDERS,
        _returns_rising,
        lambda case: nmsg(
            "{n} return in {days} days, {before} in those before.",
            "{n} returns in {days} days, {before} in those before.",
            int(case["recent"]),
            before=case["before"],
            days=case.values["period_days"],
        ),
        parameters=(
            Parameter("returns", msg("How many returns, at least."), 2, 1, 100),
            Parameter("period_days", msg("Days that are compared with those before."), 60, 7, 366),
        ),
        reach_days=lambda values: 2 * values["period_days"],
    )
)
