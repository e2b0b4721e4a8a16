"""Purchases: how many, how often, how far apart, how much at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, msg
from revoir.metrics import scope
from revoir.metrics.evaluate import Facts, Ratio, empty_result, lacking
from revoir.metrics.registry import Metric, Question, Unit, declare
from revoir.metrics.result import Result


def _with_visits(table: ir.Table, by: Sequence[str]) -> ir.Table:
    """Mark the purchases that open a day, and those after a customer's first day."""
    return table.mutate(
        opens_day=table.previous_day.isnull() | (table.previous_day < table.day),
        repeats=table.day > table.first_day,
    )


def _buyers(table: ir.Table, by: Sequence[str]) -> ir.Table:
    """One row a customer and period: orders, amount, and whether on more than one day."""
    sums: dict[str, Any] = {
        "orders": table.count(),
        "amount": table.amount.sum(),
        "first": table.day.min(),
        "last": table.day.max(),
    }
    keys = list(dict.fromkeys([scope.PERIOD, "customer_id", *by]))
    people = table.group_by(keys).aggregate(**sums)
    # Amounts add up exactly as they are; their squares would not fit a decimal.
    return people.mutate(
        spent=people.amount.cast("float64"), again=people["last"] > people["first"]
    )


def _known(table: ir.Table, by: Sequence[str]) -> ir.Table:
    return table.mutate(is_purchase=table.kind == "purchase", value=table.amount.cast("float64"))


ORDERS = Facts("orders", scope.orders, "ordered_on", _known)
"""Every order, anonymous sales and returns included."""

PURCHASES = Facts("purchases", scope.purchases, "day", _with_visits)
"""Purchases of known customers beside their neighbours."""

BUYERS = Facts("buyers", scope.purchases, "day", _buyers)
"""Customers who bought in a period, one row each."""

ORDER_NEEDS = ("orders",)
CUSTOMER_NEEDS = ("orders.customer_id",)


def declare_ratio(
    name: str,
    ratio: Ratio,
    label: Message,
    formula: Message,
    unit: Unit,
    better: str,
    *,
    needs: tuple[str, ...],
    family: str,
    **more: Any,
) -> Metric:
    """Declare a metric that is a ratio of sums."""

    def compute(book: Book, question: Question) -> Result:
        missing = lacking(book, metric)
        if missing is not None:
            return empty_result(metric, question, [None], missing)
        return ratio(book, question, metric)

    metric = Metric(name, label, formula, unit, better, needs, compute, family, ratio=ratio, **more)
    return declare(metric)


declare_ratio(
    "customers",
    Ratio(PURCHASES, lambda t: t.opens_period.sum()),
    msg("Customers who bought"),
    msg("Known customers with at least one purchase in the period."),
    Unit.COUNT,
    "higher",
    needs=CUSTOMER_NEEDS,
    family="purchase",
    aliases=("buyers", "acheteurs", "clients", "customer_count"),
)
declare_ratio(
    "orders",
    Ratio(ORDERS, lambda t: t.is_purchase.sum()),
    msg("Orders"),
    msg(
        "Purchases in the period, anonymous ones included; returns, cancelled and free orders are"
        " not."
    ),
    Unit.COUNT,
    "higher",
    needs=ORDER_NEEDS,
    family="purchase",
    aliases=("purchases", "commandes", "order_count", "number_of_orders"),
)
declare_ratio(
    "repurchase_rate",
    Ratio(BUYERS, lambda t: t.again.sum(), lambda t: t.count(), interval="wilson"),
    msg("Repurchase rate"),
    msg("Customers who bought on two days or more in the period ÷ all customers who bought in it."),
    Unit.SHARE,
    "higher",
    needs=CUSTOMER_NEEDS,
    family="purchase",
    aliases=("repeat_purchase_rate", "repeat_rate", "taux_de_reachat", "rebuy_rate"),
    benchmarks=("repeat_purchase_rate",),
    source="Fader & Hardie (repeat purchase days)",
)
declare_ratio(
    "average_order_value",
    Ratio(
        ORDERS,
        lambda t: t.amount.sum(where=t.is_purchase),
        lambda t: t.is_purchase.sum(),
        squares=lambda t: (t.value * t.value).sum(where=t.is_purchase),
        interval="mean",
    ),
    msg("Average order value"),
    msg("Amount of purchases ÷ number of purchases."),
    Unit.MONEY,
    "higher",
    needs=ORDER_NEEDS,
    family="purchase",
    aliases=("aov", "panier_moyen", "average_basket"),
    benchmarks=("average_order_value",),
)
declare_ratio(
    "first_order_value",
    Ratio(
        PURCHASES,
        lambda t: t.amount.sum(where=~t.repeats),
        lambda t: (~t.repeats).sum(),
        squares=lambda t: (t.amount.cast("float64") ** 2).sum(where=~t.repeats),
        interval="mean",
    ),
    msg("Basket of new customers"),
    msg("Amount ÷ number of the purchases made on a customer's first day."),
    Unit.MONEY,
    "higher",
    needs=CUSTOMER_NEEDS,
    family="purchase",
    aliases=("new_basket", "aov_new", "panier_nouveaux_clients"),
)
declare_ratio(
    "repeat_order_value",
    Ratio(
        PURCHASES,
        lambda t: t.amount.sum(where=t.repeats),
        lambda t: t.repeats.sum(),
        squares=lambda t: (t.amount.cast("float64") ** 2).sum(where=t.repeats),
        interval="mean",
    ),
    msg("Basket of returning customers"),
    msg("Amount ÷ number of the purchases made after a customer's first day."),
    Unit.MONEY,
    "higher",
    needs=CUSTOMER_NEEDS,
    family="purchase",
    aliases=("loyal_basket", "aov_loyal", "panier_clients_fideles"),
)
declare_ratio(
    "purchase_frequency",
    Ratio(
        BUYERS,
        lambda t: t.orders.sum(),
        lambda t: t.count(),
        squares=lambda t: (t.orders.cast("float64") ** 2).sum(),
        interval="mean",
    ),
    msg("Purchase frequency"),
    msg("Purchases of known customers ÷ customers who bought in the period."),
    Unit.RATIO,
    "higher",
    needs=CUSTOMER_NEEDS,
    family="purchase",
    aliases=("frequency", "frequence_d_achat", "orders_per_customer"),
    benchmarks=("purchase_frequency",),
)


def _gap_days(t: ir.Table) -> ir.NumericValue:
    return t.day.delta(t.previous_day, unit="day").cast("float64")


declare_ratio(
    "days_between_purchases",
    Ratio(
        PURCHASES,
        lambda t: _gap_days(t).sum(where=t.repeats & t.opens_day),
        lambda t: (t.repeats & t.opens_day).sum(),
        squares=lambda t: (_gap_days(t) ** 2).sum(where=t.repeats & t.opens_day),
        interval="mean",
        note=msg("Only customers who came back have a gap: it says nothing of those who did not."),
    ),
    msg("Days between purchases"),
    msg(
        "Mean number of days since the customer's previous purchase day, over the purchase days of"
        " the period that are not a first one."
    ),
    Unit.DAYS,
    "lower",
    needs=CUSTOMER_NEEDS,
    family="purchase",
    aliases=("time_between_purchases", "gap", "delai_entre_achats", "interpurchase_time"),
)


def median_gap_days(t: ir.Table) -> ir.NumericScalar:
    """The middle gap of the rows that have one."""
    return _gap_days(t).quantile(0.5, where=t.repeats & t.opens_day)


declare_ratio(
    "median_days_between_purchases",
    Ratio(PURCHASES, median_gap_days, adds_up=False),
    msg("Median days between purchases"),
    msg("Half of the returns in the period came within this many days of the purchase before."),
    Unit.DAYS,
    "lower",
    needs=CUSTOMER_NEEDS,
    family="purchase",
    aliases=("median_gap",),
)
