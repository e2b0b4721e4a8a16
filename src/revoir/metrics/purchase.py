"""Purchases: how many, how often, how far apart, how much at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import ibis
import ibis.expr.types as ir

from revoir.language import msg
from revoir.metrics import scope
from revoir.metrics.evaluate import (
    Facts,
    Ratio,
    declare_ratio,
    mean_of,
    ratio_of,
    share_of,
)
from revoir.metrics.registry import Unit


def _with_visits(table: ir.Table, by: Sequence[str]) -> ir.Table:
    """Mark the purchases that open a day, and those after a customer's first day."""
    return table.mutate(
        opens_day=table.previous_day.isnull() | (table.previous_day < table.day),
        repeats=table.day > table.first_day,
    )


def _buyers(table: ir.Table, by: Sequence[str]) -> ir.Table:
    """One row a customer and period: what was bought, on the first day ever and after it.

    Orders that are parted by the first day are those whose amount is known.
    """
    marked = _with_visits(table, by)
    returns = marked.repeats & marked.opens_day
    priced = marked.amount.notnull()
    sums: dict[str, Any] = {
        "orders": marked.count(),
        "amount": marked.amount.sum(),
        "first_orders": (~marked.repeats & priced).sum(),
        "first_amount": marked.amount.sum(where=~marked.repeats).fill_null(0),
        "repeat_orders": (marked.repeats & priced).sum(),
        "repeat_amount": marked.amount.sum(where=marked.repeats).fill_null(0),
        "gaps": returns.sum(),
        "gap_days": gap_days(marked).sum(where=returns).fill_null(0),
        "again": marked.day.max() > marked.day.min(),
        "loyal": marked.repeats.any(),
    }
    keys = list(dict.fromkeys([scope.PERIOD, "customer_id", *by]))
    return marked.group_by(keys).aggregate(**sums)


def _baskets(table: ir.Table, by: Sequence[str]) -> ir.Table:
    """One row a customer and period, and one an order that nobody is known of, where priced.

    Most customers buy once in a period, and a purchase that is alone in it is its own sum: only
    the others are grouped.
    """
    keys = list(dict.fromkeys([scope.PERIOD, "customer_id", *by]))
    rows = table.select(
        *keys,
        orders=ibis.ifelse(table.amount.notnull(), 1, 0),
        amount=table.amount.fill_null(0),
        alone=table.opens_period & table.closes_period,
    )
    several = rows.filter(~rows.alone).group_by(keys)
    sums = several.aggregate(orders=rows.orders.sum(), amount=rows.amount.sum())
    return sums.union(rows.filter(rows.alone).select(*sums.columns).cast(sums.schema()))


def _spenders(table: ir.Table, by: Sequence[str]) -> ir.Table:
    """One row a customer and period with a purchase: what was paid in it and not given back.

    Whoever gave back more than they bought in the period brought in nothing, as in `revoir.clv`.
    """
    bought = table.first_day.notnull()
    keys = list(dict.fromkeys([scope.PERIOD, "customer_id", *by]))
    sums = table.group_by(keys).aggregate(
        paid=table.amount.sum(),
        purchases=bought.sum(),
        priced=(bought & table.amount.notnull()).sum(),
    )
    kept = ibis.ifelse(sums.paid < 0, 0, sums.paid).cast(sums.paid.type())
    known = ibis.ifelse(sums.priced > 0, kept, ibis.null(kept.type()))
    return sums.filter(sums.purchases > 0).select(*keys, amount=known)


def gap_days(t: ir.Table) -> ir.NumericValue:
    """The days since each purchase's previous one."""
    return t.day.delta(t.previous_day, unit="day").cast("float64")


def _known(table: ir.Table, by: Sequence[str]) -> ir.Table:
    """Mark purchases, with what they came to before a part of them was given back.

    The amount of an order is less its own `refunded`; what was given back in a row of its own
    has no such column, and counts once.
    """
    known = table.mutate(is_purchase=table.kind == "purchase", gross=table.amount)
    if "refunded" not in table.columns or not table.refunded.type().is_numeric():
        return known.mutate(back=ibis.ifelse(known.kind == "return", -known.amount, 0))
    part = ibis.ifelse(known.is_purchase, known.refunded.abs().fill_null(0), 0)
    return known.mutate(
        gross=known.amount + part, back=ibis.ifelse(known.kind == "return", -known.amount, part)
    )


ORDERS = Facts("orders", scope.orders, "ordered_on", _known, ("orders",))
"""Every order, anonymous sales and returns included."""

BASKETS = Facts("baskets", scope.sales, "day", _baskets, ("orders",))
"""Purchases by who made them; an anonymous one stands for itself."""

PURCHASES = Facts("purchases", scope.purchases, "day", _with_visits, ("orders.customer_id",))
"""Purchases of known customers beside their neighbours."""

BUYERS = Facts("buyers", scope.purchases, "day", _buyers, ("orders.customer_id",))
"""Customers who bought in a period, one row each."""

SPENDERS = Facts("spenders", scope.dealings, "day", _spenders, ("orders.customer_id",))
"""Customers who bought in a period, one row each: what they paid, less what they gave back."""

AVERAGE_BASKET = ratio_of(BASKETS, "amount", "orders")
"""Amount by order. A customer's orders resemble one another: it is customers that are drawn."""

declare_purchase = partial(declare_ratio, family="purchase")

declare_purchase(
    "customers",
    Ratio(PURCHASES, lambda t: t.opens_period.sum()),
    msg("Customers who bought"),
    msg("Known customers with at least one purchase in the period."),
    Unit.COUNT,
    "higher",
    aliases=("buyers", "acheteurs", "clients", "customer_count"),
)
declare_purchase(
    "orders",
    Ratio(ORDERS, lambda t: t.is_purchase.sum()),
    msg("Orders"),
    msg(
        "Purchases in the period, anonymous ones included; returns, cancelled and free orders are"
        " not."
    ),
    Unit.COUNT,
    "higher",
    aliases=("purchases", "commandes", "order_count", "number_of_orders"),
)
declare_purchase(
    "repurchase_rate",
    share_of(BUYERS, lambda t: t.again.sum()),
    msg("Repurchase rate"),
    msg("Customers who bought on two days or more in the period ÷ all customers who bought in it."),
    Unit.SHARE,
    "higher",
    aliases=("repeat_purchase_rate", "repeat_rate", "taux_de_reachat", "rebuy_rate"),
    benchmarks=("repeat_purchase_rate",),
    source="Fader & Hardie (repeat purchase days)",
)
declare_purchase(
    "average_order_value",
    AVERAGE_BASKET,
    msg("Average order value"),
    msg("Amount of purchases, before returns, ÷ number of purchases."),
    Unit.MONEY,
    "higher",
    aliases=("aov", "panier_moyen", "average_basket"),
    benchmarks=("average_order_value",),
)
declare_purchase(
    "first_order_value",
    ratio_of(BUYERS, "first_amount", "first_orders"),
    msg("Basket of new customers"),
    msg("Amount, before returns, ÷ number of the purchases made on a customer's first day."),
    Unit.MONEY,
    "higher",
    aliases=("new_basket", "aov_new", "panier_nouveaux_clients"),
)
declare_purchase(
    "repeat_order_value",
    ratio_of(BUYERS, "repeat_amount", "repeat_orders"),
    msg("Basket of returning customers"),
    msg("Amount, before returns, ÷ number of the purchases made after a customer's first day."),
    Unit.MONEY,
    "higher",
    aliases=("loyal_basket", "aov_loyal", "panier_clients_fideles"),
)
declare_purchase(
    "purchase_frequency",
    mean_of(BUYERS, "orders", floor=1.0, counts=True),
    msg("Purchase frequency"),
    msg("Purchases of known customers ÷ customers who bought in the period."),
    Unit.RATIO,
    "higher",
    aliases=("frequency", "frequence_d_achat", "orders_per_customer"),
    benchmarks=("purchase_frequency",),
)


declare_purchase(
    "days_between_purchases",
    replace(
        ratio_of(BUYERS, "gap_days", "gaps"),
        note=msg("Only customers who came back have a gap: it says nothing of those who did not."),
    ),
    msg("Days between purchases"),
    msg(
        "Mean number of days since the customer's previous purchase day, over the purchase days of"
        " the period that are not a first one."
    ),
    Unit.DAYS,
    "lower",
    aliases=("time_between_purchases", "gap", "delai_entre_achats", "interpurchase_time"),
)


def median_gap_days(t: ir.Table) -> ir.NumericScalar:
    """The middle gap of the rows that have one."""
    return gap_days(t).quantile(0.5, where=t.repeats & t.opens_day)


declare_purchase(
    "median_days_between_purchases",
    Ratio(PURCHASES, median_gap_days, adds_up=False),
    msg("Median days between purchases"),
    msg("Half of the returns in the period came within this many days of the purchase before."),
    Unit.DAYS,
    "lower",
    aliases=("median_gap",),
)
