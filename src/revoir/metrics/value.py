"""Value: revenue, who it comes from, and what a customer is worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, msg
from revoir.metrics import scope
from revoir.metrics.evaluate import Ratio, declare_ratio, empty_result, lacking, mean_of
from revoir.metrics.purchase import BUYERS, ORDERS, PURCHASES, SPENDERS
from revoir.metrics.registry import Metric, Question, Unit, declare, measure_many, metric_named
from revoir.metrics.result import Figure, Result

DAYS_A_YEAR = 365.25

declare_value = partial(declare_ratio, family="value")


def _turnover(t: ir.Table) -> ir.BooleanValue:
    return t.kind.isin(("purchase", "return"))


declare_value(
    "revenue",
    Ratio(ORDERS, lambda t: t.amount.sum(where=_turnover(t))),
    msg("Revenue"),
    msg("Amount of purchases less what was returned or refunded; anonymous sales included."),
    Unit.MONEY,
    "higher",
    aliases=("sales", "turnover", "chiffre_d_affaires", "ca"),
)
declare_value(
    "gross_sales",
    Ratio(ORDERS, lambda t: t.gross.sum(where=t.is_purchase)),
    msg("Sales before returns"),
    msg(
        "Amount of purchases, anonymous sales included, before returns and before what was"
        " refunded of them."
    ),
    Unit.MONEY,
    "higher",
    aliases=("gross_revenue", "ventes_brutes"),
)
declare_value(
    "returned_share",
    Ratio(
        ORDERS,
        lambda t: t.back.cast("float64").sum(where=_turnover(t) & t.amount.notnull()),
        lambda t: t.gross.cast("float64").sum(where=t.is_purchase),
    ),
    msg("Share of sales returned"),
    msg(
        "Amount returned in the period, or refunded of its orders, ÷ amount of its purchases before"
        " that. An order that the file itself calls wholly refunded counts in neither."
    ),
    Unit.SHARE,
    "lower",
    aliases=("return_rate", "taux_de_retour"),
    exceeds=True,
)
declare_value(
    "revenue_per_customer",
    mean_of(SPENDERS, "amount", where=lambda t: t.amount.notnull()),
    msg("Revenue per customer"),
    msg(
        "What the customers who bought in the period paid in it, less what each of them gave back"
        " in it (never below zero), ÷ their number."
    ),
    Unit.MONEY,
    "higher",
    aliases=("arpu", "revenu_par_client", "spend_per_customer", "ca_par_client"),
)
declare_value(
    "repeat_revenue_share",
    Ratio(
        PURCHASES,
        lambda t: t.amount.sum(where=t.repeats),
        lambda t: t.amount.sum(),
    ),
    msg("Share of revenue from returning customers"),
    msg(
        "Amount bought after a customer's first day ÷ amount bought by known customers, in the"
        " period, before returns."
    ),
    Unit.SHARE,
    "higher",
    aliases=("repeat_revenue", "repeat_customer_revenue_share", "part_du_ca_des_clients_fideles"),
)
declare_value(
    "loyal_wallet",
    mean_of(BUYERS, "amount", where=lambda t: t.loyal & t.amount.notnull()),
    msg("Spending of customers who came back"),
    msg(
        "Amount bought in the period, before returns, ÷ number of the customers who bought in it on"
        " a day after their first purchase day of all."
    ),
    Unit.MONEY,
    "higher",
    aliases=("wallet_loyal",),
)
declare_value(
    "new_wallet",
    mean_of(BUYERS, "amount", where=lambda t: ~t.loyal & t.amount.notnull()),
    msg("Spending of new customers"),
    msg(
        "Amount bought in the period, before returns, ÷ number of the customers who bought in it on"
        " their first purchase day of all and on no other."
    ),
    Unit.MONEY,
    "higher",
    aliases=("wallet_new", "single_wallet"),
)


def _margin_told(orders: ir.Table) -> ir.BooleanValue:
    """Purchases that say what of their amount was margin."""
    known = orders.margin.notnull() & orders.amount.notnull()
    return known & (orders.kind == "purchase")


def margin_share(book: Book) -> tuple[float | None, Message]:
    """The margin as a share of revenue, and where it comes from.

    Args:
        book: The company's tables.

    Returns:
        The company's own figure, else what its orders say, else None; and a sentence on it.
    """
    if book.settings.margin is not None:
        return book.settings.margin, msg("The margin is the one you gave.")
    if book.has("orders", "margin"):
        orders = book.table("orders")
        counted = orders.filter(_margin_told(orders))
        row = book.rows(counted.aggregate(margin=counted.margin.sum(), amount=counted.amount.sum()))
        if row[0]["amount"]:
            share = float(row[0]["margin"]) / float(row[0]["amount"])
            return share, msg("The margin is the one that your orders carry.")
    return None, msg("No margin is known: the figure is revenue, not profit.")


def _margins(book: Book, question: Question) -> tuple[Callable[[Figure], float | None], Message]:
    """The margin that goes with each figure of a question, and a sentence on it.

    Where orders carry their margin, that of a group and period is the one of its own orders (None:
    none of them does). Where no margin is known, all of the revenue is taken.
    """
    share, note = margin_share(book)
    if share is None or book.settings.margin is not None:
        return lambda figure: 1.0 if share is None else share, note
    periods = question.periods(book)
    orders = scope.in_periods(scope.orders(book, question), "ordered_on", question, periods, book)
    counted = orders.filter(_margin_told(orders))
    sums = counted.group_by([scope.PERIOD, *question.by]).aggregate(
        margin__sum=counted.margin.sum(), amount__sum=counted.amount.sum()
    )
    shares = {
        (
            scope.period_at(row[scope.PERIOD], question, periods, book),
            *(row[name] for name in question.by),
        ): float(row["margin__sum"]) / float(row["amount__sum"])
        for row in book.rows(sums)
        if row["amount__sum"]
    }

    def of(figure: Figure) -> float | None:
        assert figure.period is not None
        return shares.get((figure.period.start, *figure.by.values()))

    return of, note


_NO_MARGIN = msg("No order of the period carries its margin.")


def _clv_historic(book: Book, question: Question) -> Result:
    missing = lacking(book, CLV_HISTORIC)
    if missing is not None:
        return empty_result(CLV_HISTORIC, question, [None], missing)
    revenue = metric_named("revenue_per_customer").compute(book, question)
    margin_of, note = _margins(book, question)
    figures = tuple(
        replace(_historic_figure(figure, margin_of(figure)), note=note)
        for figure in revenue.figures
    )
    return Result(CLV_HISTORIC, figures, question.by, (note,))


def _historic_figure(revenue: Figure, margin: float | None) -> Figure:
    if revenue.value is None:
        return revenue
    if margin is None:
        return replace(revenue, value=None, numerator=None, low=None, high=None, reason=_NO_MARGIN)

    def times(amount: float | None) -> float | None:
        return None if amount is None else amount * margin

    ends = (times(revenue.low), times(revenue.high))
    low, high = ends if margin >= 0 else reversed(ends)
    return replace(
        revenue,
        value=times(revenue.value),
        numerator=times(revenue.numerator),
        low=low,
        high=high,
    )


def _clv_simple(book: Book, question: Question) -> Result:
    missing = lacking(book, CLV_SIMPLE)
    if missing is not None:
        return empty_result(CLV_SIMPLE, question, [None], missing)
    asked = question
    if question.start is None and question.grain is None:
        end = question.end or book.as_of + dt.timedelta(days=1)
        asked = replace(question, start=end - dt.timedelta(days=365), end=end)
    found = measure_many(book, CLV_SIMPLE.made_of, asked)
    churn = {_key(figure): figure for figure in found["churn_rate"].figures}
    spend = {_key(figure): figure for figure in found["revenue_per_customer"].figures}
    margin_of, note = _margins(book, asked)
    figures = [
        _simple_figure(
            spend.get(_key(frequency)),
            frequency,
            churn.get(_key(frequency)),
            margin_of(frequency),
        )
        for frequency in found["purchase_frequency"].figures
    ]
    return Result(CLV_SIMPLE, tuple(replace(f, note=note) for f in figures), question.by, (note,))


def _simple_figure(
    spend: Figure | None, frequency: Figure, churn: Figure | None, margin: float | None
) -> Figure:
    absent = replace(
        frequency, value=None, numerator=None, denominator=None, low=None, high=None, parts={}
    )
    for part in (spend, frequency, churn):
        if part is None or part.value is None:
            reason = part.reason if part is not None else None
            return replace(
                absent, reason=reason or msg("There are too few customers in the period.")
            )
    assert spend is not None
    assert churn is not None
    assert frequency.period is not None
    assert spend.value is not None
    assert churn.value is not None
    assert frequency.value is not None
    if churn.value == 0:
        return replace(
            absent,
            reason=msg("No customer was lost in the period: a lifespan cannot be told from it."),
        )
    if margin is None:
        return replace(absent, reason=_NO_MARGIN)
    years = frequency.period.days / DAYS_A_YEAR
    lifespan_years = years / churn.value
    yearly_orders = frequency.value / years
    basket = spend.value / frequency.value
    return replace(
        absent,
        value=basket * yearly_orders * lifespan_years * margin,
        parts={
            "average_order_value": basket,
            "orders_a_year": yearly_orders,
            "lifespan_years": lifespan_years,
            "margin": margin,
        },
    )


def _key(figure: Figure) -> tuple[object, ...]:
    return (figure.period, *figure.by.values())


CLV_HISTORIC: Metric = declare(
    Metric(
        name="clv_historic",
        label=msg("Customer lifetime value, historic"),
        formula=msg(
            "What customers who bought in the period brought in, less what they gave back in it:"
            " revenue per customer × margin."
        ),
        unit=Unit.MONEY,
        better="higher",
        needs=BUYERS.needs,
        compute=_clv_historic,
        family="value",
        aliases=("historic_clv", "clv_historique"),
        made_of=("revenue_per_customer",),
    )
)
CLV_SIMPLE: Metric = declare(
    Metric(
        name="clv_simple",
        label=msg("Customer lifetime value, simple form"),
        formula=msg(
            "Average order value (less what was given back) × orders a year × lifespan in years ×"
            " margin; the lifespan is the length of the period ÷ its churn rate."
        ),
        unit=Unit.MONEY,
        better="higher",
        needs=BUYERS.needs,
        compute=_clv_simple,
        family="value",
        goal_growth=0.1,
        aliases=("clv", "ltv", "simple_clv", "customer_lifetime_value", "valeur_vie_client"),
        made_of=("revenue_per_customer", "purchase_frequency", "churn_rate"),
    )
)
