"""What keeping more customers would have brought, with the company's own numbers."""

from __future__ import annotations

from revoir.language import Message, msg
from revoir.metrics.value import DAYS_A_YEAR
from revoir.reports.claims import PROFIT_CLAIMS
from revoir.reports.figures import Kpi
from revoir.reports.model import Scenario, WhatIf

POINTS = (1.0, 5.0)


def what_if(
    retention: Kpi,
    revenue_per_customer: Kpi,
    margin: float | None,
    acquisition_cost: float | None,
) -> WhatIf | Message:
    """Put retention some points higher and count what it brings.

    Args:
        retention: The retention rate of a period.
        revenue_per_customer: What a customer who buys spends in twelve months.
        margin: Margin as a share of revenue (None: not known).
        acquisition_cost: What a new customer costs (None: not known).

    Returns:
        The scenarios, or why there are none.
    """
    point, spend = retention.point, revenue_per_customer.point
    if point is None or point.value is None or not point.denominator or point.period is None:
        return retention.reason or msg("The retention rate is not known.")
    if spend is None or spend.value is None or spend.numerator is None or spend.period is None:
        return revenue_per_customer.reason or msg("The spending of customers is not known.")
    if spend.period.days < 365:
        return msg("The data cover less than twelve months: what a year brings is not known.")
    years = point.period.days / DAYS_A_YEAR
    scenarios = tuple(
        _scenario(
            points, point.value, point.denominator, spend.value, spend.numerator, margin, years
        )
        for points in POINTS
        if point.value + points / 100 <= 1
    )
    if not scenarios:
        return msg("Every customer stayed: there was nobody more to keep.")
    return WhatIf(
        period=point.period,
        at_start=point.denominator,
        retention=point.value,
        revenue=spend.numerator,
        spend=spend.value,
        margin=margin,
        acquisition_cost=acquisition_cost,
        clv=lifetime_value(spend.value, point.value, years, margin),
        scenarios=scenarios,
        formula=msg(
            "Customers kept = customers at the start × points ÷ 100. Revenue = customers kept ×"
            " spending of a customer in twelve months. Profit = revenue × margin. Customer lifetime"
            " value = spending of a customer in twelve months × years of the period ÷ (1 −"
            " retention) × margin, where it is known."
        ),
        notes=_notes(margin, acquisition_cost),
        claims=PROFIT_CLAIMS,
    )


def _scenario(
    points: float,
    retention: float,
    at_start: float,
    spend: float,
    revenue: float,
    margin: float | None,
    years: float,
) -> Scenario:
    kept = at_start * points / 100
    gained = kept * spend
    return Scenario(
        points=points,
        retention=retention + points / 100,
        customers=kept,
        revenue=gained,
        revenue_share=gained / revenue if revenue else None,
        profit=None if margin is None else gained * margin,
        clv=lifetime_value(spend, retention + points / 100, years, margin),
    )


def lifetime_value(
    spend: float, retention: float, years: float, margin: float | None
) -> float | None:
    """What a customer brings before leaving: the simple form of customer lifetime value.

    Args:
        spend: What a customer spends in twelve months.
        retention: The share of customers kept over a period.
        years: How long the period is.
        margin: Margin as a share of revenue (None: not known; the value is revenue then).

    Returns:
        The value; None where nobody leaves, so that there is no end to it.

    Examples:
        >>> lifetime_value(100, 0.75, 1, 0.5)
        200.0
    """
    leaving = 1 - retention
    if leaving < 1e-9:
        return None
    return spend * years / leaving * (1.0 if margin is None else margin)


def _notes(margin: float | None, acquisition_cost: float | None) -> tuple[Message, ...]:
    notes = [
        msg(
            "A customer kept is taken to spend like the average one. Those who were about to leave"
            " often spend less, and keeping them costs something: read it as the most that the"
            " points can bring in a year."
        )
    ]
    if margin is None:
        notes.append(msg("Your margin is not known: give it with --margin to see the profit."))
    if acquisition_cost is None:
        notes.append(
            msg(
                "What a new customer costs you is not known: give it with --acquisition-cost to"
                " compare keeping with winning."
            )
        )
    return tuple(notes)
