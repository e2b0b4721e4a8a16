"""The simple form of a customer's value beside what the model says, in words."""

from __future__ import annotations

from revoir.book import Book
from revoir.language import Message, Money, Number, Percent, msg
from revoir.metrics.registry import measure
from revoir.metrics.result import Figure


def simple_form(book: Book) -> Figure:
    """The metric `clv_simple` over the last year: it needs no model, and says nothing of one alone.

    Args:
        book: The company's tables.

    Returns:
        The figure, its parts, or the reason why there is none.
    """
    return measure(book, "clv_simple").figures[0]


def beside(mean: float | None, simple: Figure, currency: str | None) -> tuple[Message, ...]:
    """What a customer is worth on average, by the model and by the simple form.

    Args:
        mean: What a customer will bring in within the horizon, by the model (None: not known).
        simple: What `simple_form` found.
        currency: Of the amounts (None: not known).

    Returns:
        Two sentences, or none where the model speaks of no amounts.
    """
    if mean is None:
        return ()
    told = msg(
        "On average a customer will bring in {mean} in that time.",
        mean=Money(mean, currency, 0),
    )
    if simple.value is None:
        assert simple.reason is not None
        return told, msg("The simple form gives no value. {reason}", reason=simple.reason)
    return told, msg(
        "Whoever buys now is worth {value} by the simple form, over the whole time they stay: an"
        " average order of {order} (less what was given back) × {orders} orders a year × {years}"
        " years × a margin of {margin}.",
        value=Money(simple.value, currency, 0),
        order=Money(simple.parts["average_order_value"], currency, 2),
        orders=Number(simple.parts["orders_a_year"], 1),
        years=Number(simple.parts["lifespan_years"], 1),
        margin=Percent(simple.parts["margin"], 0),
    )
