"""Features of subscriptions: which one runs, since when, at what price.

An end that is dated after the cut-off has not happened yet: the subscription runs. What is written
when a subscription ends (its reason, whether the customer left) is never a feature.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, msg, nmsg
from revoir.metrics.registry import Unit
from revoir.models.features.declaration import (
    KEYS,
    Family,
    Feature,
    Known,
    Moments,
    days_since,
    happened,
    share,
    sum_named,
)


def started(book: Book, moments: Moments) -> ir.Table:
    """The subscriptions begun by each cut-off: `start`, `ended` (null: not by then) and `runs`."""
    rows = moments.known(book.table("subscriptions"), "started_at")
    rows = rows.filter(rows.customer_id.notnull())
    # Whether another takes over on the day after is not known on the day that one ends.
    end = rows.ended_at if "ended_at" in rows.columns else ibis.null("date")
    end = end.cast("date")
    ended = ibis.ifelse(happened(rows, end), end, ibis.null("date"))
    return rows.mutate(start=rows.started_at.cast("date"), ended=ended, runs=ended.isnull())


def _subscription_sums(book: Book, moments: Moments) -> ir.Table:
    rows = started(book, moments)
    rows = rows.mutate(opened=rows.start.min().over(ibis.window(group_by=KEYS)))
    sums: dict[str, ir.Value] = {
        "first_start": rows.start.min(),
        "last_start": rows.start.max(where=rows.runs),
        "running": rows.count(where=rows.runs),
        "ended": rows.count(where=~rows.runs),
        "subscriptions": rows.count(),
    }
    if "monthly_amount" in rows.columns:
        sums["monthly"] = rows.monthly_amount.sum(where=rows.runs)
        sums["monthly_first"] = rows.monthly_amount.sum(where=rows.start == rows.opened)
    if "plan" in rows.columns:
        sums["plan"] = rows["plan"].max(where=rows.runs)
    return rows.group_by(KEYS).aggregate(**sums)


def _tenure_in_words(known: Known) -> Message | None:
    if known["subscribed_days"] is None:
        return None
    return nmsg(
        "a subscriber for {n} day", "a subscriber for {n} days", known.count("subscribed_days")
    )


SUBSCRIPTIONS = Family(
    "subscriptions",
    ("customer_id", "started_at"),
    _subscription_sums,
    (
        Feature(
            "subscribed_days",
            msg("Days since the first subscription"),
            Unit.DAYS,
            "subscription",
            "subscriptions",
            lambda table, moments: days_since(table, table.first_start),
            msg("a subscriber of long standing"),
            msg("a new subscriber"),
            _tenure_in_words,
        ),
        Feature(
            "plan_days",
            msg("Days since the running subscription began"),
            Unit.DAYS,
            "subscription",
            "subscriptions",
            lambda table, moments: days_since(table, table.last_start),
            msg("no change for long"),
            msg("a recent change of subscription"),
            lambda known: (
                None
                if known["plan_days"] is None
                else nmsg(
                    "on the present subscription for {n} day",
                    "on the present subscription for {n} days",
                    known.count("plan_days"),
                )
            ),
        ),
        Feature(
            "running_subscriptions",
            msg("Running subscriptions"),
            Unit.COUNT,
            "subscription",
            "subscriptions",
            sum_named("running"),
            msg("subscribes"),
            msg("does not subscribe"),
            lambda known: nmsg(
                "{n} running subscription",
                "{n} running subscriptions",
                known.count("running_subscriptions"),
            ),
            absent=0.0,
        ),
        Feature(
            "ended_subscriptions",
            msg("Subscriptions that ended"),
            Unit.COUNT,
            "subscription",
            "subscriptions",
            sum_named("ended"),
            msg("ended or changed subscriptions before"),
            msg("never ended a subscription"),
            lambda known: nmsg(
                "{n} subscription ended or changed",
                "{n} subscriptions ended or changed",
                known.count("ended_subscriptions"),
            ),
            absent=0.0,
        ),
        Feature(
            "monthly_amount",
            msg("Price a month"),
            Unit.MONEY,
            "price",
            "subscriptions",
            lambda table, moments: table.monthly.cast("float64"),
            msg("a high price"),
            msg("a low price"),
            lambda known: (
                None
                if known["monthly_amount"] is None
                else msg("pays {amount} a month", amount=known.money("monthly_amount"))
            ),
            needs=("monthly_amount",),
        ),
        Feature(
            "price_change",
            msg("Price a month ÷ the first one"),
            Unit.RATIO,
            "price",
            "subscriptions",
            lambda table, moments: share(table.monthly, table.monthly_first),
            msg("the price went up"),
            msg("the price went down"),
            needs=("monthly_amount",),
        ),
        Feature(
            "plan",
            msg("What is subscribed to"),
            None,
            "subscription",
            "subscriptions",
            sum_named("plan"),
            needs=("plan",),
        ),
    ),
)
