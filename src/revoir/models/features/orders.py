"""Features of purchases: the rhythm, how much of late, how much money."""

from __future__ import annotations

import math

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, Number, Percent, msg, nmsg
from revoir.metrics.registry import Unit
from revoir.models.features.declaration import (
    KEYS,
    WINDOWS_DAYS,
    Family,
    Feature,
    Known,
    Moments,
    days_since,
    lately,
    plain,
    share,
    sum_named,
)


def purchase_sums(book: Book, moments: Moments) -> ir.Table:
    """What each customer had bought by each cut-off, in one group-by of `Book.purchases`.

    Columns that look ahead (`next_day`) are not used; all others look back.
    """
    rows = moments.known(book.purchases, "day")
    opens_day = rows.previous_day.isnull() | (rows.previous_day < rows.day)
    comes_back = rows.previous_day.notnull() & (rows.previous_day < rows.day)
    gap = rows.day.delta(rows.previous_day, unit="day")
    sums = {
        "first_day": rows.day.min(),
        "last_day": rows.day.max(),
        "day_before_last": rows.previous_day.max(where=comes_back),
        "purchase_days": opens_day.sum(),
        "orders": rows.count(),
        "priced": rows.amount.count(),
        "amount": rows.amount.sum(),
        "gap_squares": (gap * gap).sum(where=comes_back),
        "days_in_window": rows.count(where=opens_day & lately(rows, rows.day, moments.window_days)),
    }
    for days in WINDOWS_DAYS:
        inside = lately(rows, rows.day, days)
        sums[f"purchase_days_{days}"] = rows.count(where=opens_day & inside)
        sums[f"amount_{days}"] = rows.amount.sum(where=inside).fill_null(0)
    return rows.group_by(KEYS).aggregate(**sums)


def _gaps(table: ir.Table) -> ir.IntegerValue:
    return table.purchase_days - 1


def _usual_gap(table: ir.Table, moments: Moments) -> ir.Value:
    return share(table.last_day.delta(table.first_day, unit="day"), _gaps(table))


def typical_gap_days(window_days: int) -> float:
    """The mean gap of a shop whose window holds nine of ten gaps, were they exponential."""
    return window_days / math.log(10)


def _lateness(table: ir.Table, moments: Moments) -> ir.Value:
    """Silence ÷ own mean gap, which one gap as of the whole shop is added to."""
    covered = table.last_day.delta(table.first_day, unit="day").cast("float64")
    gap = (covered + typical_gap_days(moments.window_days)) / (_gaps(table) + 1).cast("float64")
    # Several purchases on neighbouring days: no gap is shorter than a day.
    return days_since(table, table.last_day).cast("float64") / ibis.greatest(gap, 1.0)


def _gap_spread(table: ir.Table, moments: Moments) -> ir.Value:
    """Coefficient of variation of the gaps of a customer who has two or more."""
    gaps = _gaps(table).cast("float64")
    mean = _usual_gap(table, moments)
    variance = table.gap_squares.cast("float64") / gaps - mean * mean
    spread = ibis.greatest(variance, 0.0).sqrt() / mean
    return ibis.ifelse(table.purchase_days > 2, spread, ibis.null("float64"))


def _last_gap(table: ir.Table, moments: Moments) -> ir.Value:
    last = table.last_day.delta(table.day_before_last, unit="day")
    return share(last, _usual_gap(table, moments))


def rhythm_in_words(known: Known) -> Message | None:
    """How often the customer buys, and since when no more."""
    silent = known.count("days_since_last")
    gap = known["usual_gap_days"]
    if gap is None:
        return nmsg("bought once, {n} day ago", "bought once, {n} days ago", silent)
    return nmsg(
        "buys {every} on average, last order {n} day ago",
        "buys {every} on average, last order {n} days ago",
        silent,
        every=msg("every day") if gap == 1 else msg("every {gap} days", gap=plain(gap)),
    )


def _standing_in_words(known: Known) -> Message | None:
    if known["usual_gap_days"] is None:
        return rhythm_in_words(known)
    return nmsg(
        "first purchase {n} day ago",
        "first purchase {n} days ago",
        known.count("days_since_first"),
    )


def _last_gap_in_words(known: Known) -> Message | None:
    ratio = known["last_gap_ratio"]
    if ratio is None or abs(ratio - 1) < 0.2:
        return rhythm_in_words(known)
    return msg(
        "the wait before the last order was {ratio} times the usual one", ratio=Number(ratio, 1)
    )


def _bought_lately(days: int) -> Feature:
    def says(known: Known) -> Message | None:
        n = known.count(f"purchase_days_{days}")
        if known["usual_gap_days"] is None:
            return rhythm_in_words(known)
        if not n:
            return msg("bought nothing in the last {days} days", days=days)
        return nmsg(
            "bought on {n} day in the last {days} days",
            "bought on {n} days in the last {days} days",
            n,
            days=days,
        )

    return Feature(
        f"purchase_days_{days}",
        msg("Purchase days in the last {days} days", days=days),
        Unit.COUNT,
        "rhythm",
        "orders",
        sum_named(f"purchase_days_{days}"),
        msg("many purchases of late"),
        msg("few purchases of late"),
        says,
        reach_days=days,
    )


def _spent_lately(days: int) -> Feature:
    return Feature(
        f"amount_{days}",
        msg("Bought for in the last {days} days", days=days),
        Unit.MONEY,
        "spending",
        "orders",
        lambda table, moments: table[f"amount_{days}"].cast("float64"),
        msg("much spent of late"),
        msg("little spent of late"),
        lambda known: msg(
            "bought for {amount} in the last {days} days",
            amount=known.money(f"amount_{days}"),
            days=days,
        ),
        reach_days=days,
    )


PURCHASES = Family(
    "orders",
    ("customer_id",),
    purchase_sums,
    (
        Feature(
            "days_since_last",
            msg("Days since the last purchase"),
            Unit.DAYS,
            "rhythm",
            "orders",
            lambda table, moments: days_since(table, table.last_day),
            msg("a long silence"),
            msg("a purchase not long ago"),
            rhythm_in_words,
        ),
        Feature(
            "lateness",
            msg("Silence ÷ the customer's own gap between purchases"),
            Unit.RATIO,
            "rhythm",
            "orders",
            _lateness,
            msg("overdue against the own rhythm"),
            msg("within the own rhythm"),
            rhythm_in_words,
        ),
        Feature(
            "usual_gap_days",
            msg("Mean days between purchases"),
            Unit.DAYS,
            "rhythm",
            "orders",
            _usual_gap,
            msg("long gaps between purchases"),
            msg("short gaps between purchases"),
            rhythm_in_words,
        ),
        Feature(
            "gap_spread",
            msg("Spread of the gaps ÷ their mean"),
            Unit.RATIO,
            "rhythm",
            "orders",
            _gap_spread,
            msg("an irregular rhythm"),
            msg("a regular rhythm"),
            rhythm_in_words,
        ),
        Feature(
            "last_gap_ratio",
            msg("Last gap between purchases ÷ the usual one"),
            Unit.RATIO,
            "rhythm",
            "orders",
            _last_gap,
            msg("a rhythm that slows down"),
            msg("a rhythm that quickens"),
            _last_gap_in_words,
        ),
        Feature(
            "days_since_first",
            msg("Days since the first purchase"),
            Unit.DAYS,
            "standing",
            "orders",
            lambda table, moments: days_since(table, table.first_day),
            msg("a customer of long standing"),
            msg("a new customer"),
            _standing_in_words,
        ),
        Feature(
            "purchase_days",
            msg("Days with a purchase"),
            Unit.COUNT,
            "rhythm",
            "orders",
            sum_named("purchase_days"),
            msg("many purchases"),
            msg("few purchases"),
            rhythm_in_words,
        ),
        Feature(
            "purchase_days_in_window",
            msg("Purchase days within the activity window"),
            Unit.COUNT,
            "rhythm",
            "orders",
            sum_named("days_in_window"),
            msg("many purchases of late"),
            msg("few purchases of late"),
            rhythm_in_words,
        ),
        *(_bought_lately(days) for days in WINDOWS_DAYS),
        Feature(
            "average_order",
            msg("Average order"),
            Unit.MONEY,
            "spending",
            "orders",
            lambda table, moments: share(table.amount, table.priced),
            msg("large orders"),
            msg("small orders"),
            lambda known: msg("orders of {amount} on average", amount=known.money("average_order")),
        ),
        Feature(
            "amount",
            msg("Bought for in all"),
            Unit.MONEY,
            "spending",
            "orders",
            lambda table, moments: table.amount.cast("float64"),
            msg("much spent in all"),
            msg("little spent in all"),
            lambda known: msg("bought for {amount} in all", amount=known.money("amount")),
        ),
        *(_spent_lately(days) for days in WINDOWS_DAYS),
    ),
)


def _order_sums(book: Book, moments: Moments) -> ir.Table:
    """What orders and returns say beside the purchases, in one group-by of the orders."""
    rows = moments.known(book.table("orders"), "ordered_on")
    rows = rows.filter(rows.customer_id.notnull() & rows.kind.isin(["purchase", "return"]))
    bought, back = rows.kind == "purchase", rows.kind == "return"
    sums: dict[str, ir.Value] = {
        "orders": rows.count(where=bought),
        "sold": rows.amount.sum(where=bought),
        "returns": rows.count(where=back),
        "given_back": rows.amount.sum(where=back),
        "last_return": rows.ordered_on.max(where=back),
    }
    for days in WINDOWS_DAYS:
        sums[f"returns_{days}"] = rows.count(where=back & lately(rows, rows.ordered_on, days))
    if "discount" in rows.columns:
        sums["discounted"] = rows.count(where=bought & (rows.discount > 0))
        sums["discount"] = rows.discount.sum(where=bought)
    for column in ("channel", "store"):
        if column in rows.columns:
            sums[f"{column}s"] = rows[column].nunique(where=bought)
    return rows.group_by(KEYS).aggregate(**sums)


def _returned_lately(days: int) -> Feature:
    def says(known: Known) -> Message | None:
        n = known.count(f"returns_{days}")
        if not n:
            return msg("returned nothing in the last {days} days", days=days)
        return nmsg(
            "{n} return in the last {days} days",
            "{n} returns in the last {days} days",
            n,
            days=days,
        )

    return Feature(
        f"returns_{days}",
        msg("Returns in the last {days} days", days=days),
        Unit.COUNT,
        "returns",
        "orders",
        sum_named(f"returns_{days}"),
        msg("returns of late"),
        msg("no returns of late"),
        says,
        reach_days=days,
        absent=0.0,
    )


ORDERS = Family(
    "orders",
    ("customer_id",),
    _order_sums,
    (
        *(_returned_lately(days) for days in WINDOWS_DAYS),
        Feature(
            "returned_share",
            msg("Share of the amount that was given back"),
            Unit.SHARE,
            "returns",
            "orders",
            lambda table, moments: share(-table.given_back.fill_null(0), table.sold),
            msg("much returned"),
            msg("little returned"),
            lambda known: (
                None
                if known["returned_share"] is None
                else msg(
                    "gave back {share} of what was bought",
                    share=Percent(known["returned_share"], 0),
                )
            ),
        ),
        Feature(
            "days_since_return",
            msg("Days since the last return"),
            Unit.DAYS,
            "returns",
            "orders",
            lambda table, moments: days_since(table, table.last_return),
            msg("the last return is long ago"),
            msg("a return not long ago"),
            lambda known: (
                None
                if known["days_since_return"] is None
                else nmsg(
                    "last return {n} day ago",
                    "last return {n} days ago",
                    known.count("days_since_return"),
                )
            ),
        ),
        Feature(
            "discounted_share",
            msg("Share of orders with a discount"),
            Unit.SHARE,
            "discounts",
            "orders",
            lambda table, moments: share(table.discounted, table.orders),
            msg("buys with discounts"),
            msg("buys without discounts"),
            needs=("discount",),
        ),
        Feature(
            "discount_rate",
            msg("Discount ÷ amount paid"),
            Unit.SHARE,
            "discounts",
            "orders",
            lambda table, moments: share(table.discount.fill_null(0), table.sold),
            msg("large discounts"),
            msg("small discounts"),
            needs=("discount",),
        ),
        Feature(
            "channels",
            msg("Sales channels used"),
            Unit.COUNT,
            "channel",
            "orders",
            sum_named("channels"),
            msg("several channels"),
            msg("one channel"),
            needs=("channel",),
        ),
        Feature(
            "stores",
            msg("Shops bought in"),
            Unit.COUNT,
            "channel",
            "orders",
            sum_named("stores"),
            msg("several shops"),
            msg("one shop"),
            needs=("store",),
        ),
    ),
)


def _last_order(book: Book, moments: Moments) -> ir.Table:
    """What the last purchase of each customer says; equal days are told apart by the order."""
    rows = moments.known(book.table("orders"), "ordered_on")
    rows = rows.filter(rows.customer_id.notnull() & (rows.kind == "purchase"))
    held = [name for name in ("channel", "store") if name in rows.columns]
    clocks = [name for name in ("ordered_on", "ordered_at", "order_id") if name in rows.columns]
    # The values themselves decide at last, so that every engine says the same.
    latest = [rows[name].desc() for name in (*clocks, *held)]
    window = ibis.window(group_by=KEYS, order_by=latest)
    numbered = rows.select(*KEYS, *held, place=ibis.row_number().over(window))
    last = numbered.filter(numbered.place == 0)
    return last.select(*KEYS, **{f"last_{name}": last[name] for name in held})


LAST_ORDER = Family(
    "orders",
    ("customer_id",),
    _last_order,
    (
        Feature(
            "last_channel",
            msg("Channel of the last purchase"),
            None,
            "channel",
            "orders",
            sum_named("last_channel"),
            needs=("channel",),
        ),
        Feature(
            "last_store",
            msg("Shop of the last purchase"),
            None,
            "channel",
            "orders",
            sum_named("last_store"),
            needs=("store",),
        ),
    ),
)
