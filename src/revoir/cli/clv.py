"""`revoir clv`: what each customer will bring in, how sure that is, and how it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from revoir.cli import options
from revoir.cli.common import (
    T,
    known_form,
    open_book,
    say,
    spare_inputs,
    speak,
    write_json,
    write_rows,
)
from revoir.cli.lists import (
    Output,
    contact_headings,
    known_output,
    with_contacts,
    write_customers,
)
from revoir.language import Message, Money, Number, Percent, asked_share, msg, nmsg

if TYPE_CHECKING:
    import datetime as dt

    import pyarrow as pa

    from revoir.book import Book
    from revoir.models.choosing import Backtest
    from revoir.models.clv import Clv
    from revoir.models.contract_clv import ContractClv
    from revoir.models.worth import Bounds

SHOWN_MAX = 20
"""Customers listed on a terminal; a file and the other formats hold them all."""

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help=T(
            "mbg_nbd, pareto_nbd, mbg_cnbd_k or bg_nbd; for subscriptions sbg or bdw (default: the"
            " one that would have foretold best)."
        ),
        show_default=False,
    ),
]
Unit = Annotated[
    str, typer.Option("--unit", help=T("Unit of time of the parameters: day or week."))
]
Horizon = Annotated[
    str,
    typer.Option(
        "--horizon", help=T("How far to look ahead: days (90d), weeks (26w), months (12m), years.")
    ),
]
Discount = Annotated[
    float,
    typer.Option("--discount", help=T("Yearly discount rate, such as 0.1 (0: none).")),
]
Confidence = Annotated[
    float, typer.Option("--confidence", help=T("Probability that the bounds hold."))
]


def clv(
    files: options.Files,
    model: Model = None,
    unit: Unit = "day",
    horizon: Horizon = "12m",
    discount: Discount = 0.0,
    confidence: Confidence = 0.9,
    output: Output = None,
    form: options.Format = "table",
    lang: options.Lang = None,
    as_of: options.AsOf = None,
    map: options.Map = None,
    mapping: options.MappingFile = None,
    sheet: options.Sheet = None,
    margin: options.Margin = None,
    currency: options.Currency = None,
    timezone: options.Timezone = "Europe/Paris",
) -> None:
    """Say what each customer will bring in, the one worth most first."""
    code = speak(lang)
    known_form(form, ("table", "csv", "json"))
    known_output(output)
    spare_inputs(output, files)
    length = _length(horizon)
    book = open_book(
        files, as_of=as_of, map=map, mapping=mapping, sheet=sheet, margin=margin,
        currency=currency, timezone=timezone,
    )  # fmt: skip
    if _under_contract(book, model):
        _answer_contracts(book, model, length, discount, confidence, form, output, code)
        return
    from revoir.models.clv import clv as compute

    found = compute(
        book, model=model, unit=unit, horizon_days=_days(length, book.as_of), discount=discount,
        confidence=confidence,
    )  # fmt: skip
    customers = None if found.customers is None else with_contacts(book, found.customers)
    if form == "json":
        write_json(_whole(book, found, customers, code))
    elif form == "csv":
        _write_csv(customers)
    else:
        _print(book, found, customers, code)
    _finish(found.reason, customers, form, output, code)


def _length(text: str) -> tuple[int, str]:
    """A number and the letter of its unit: “12m”, “90 days” and “90” (days) are read.

    Raises:
        UsageError: It is not a length of time.
    """
    import re

    from revoir.errors import UsageError

    read = re.fullmatch(r"\s*(\d{1,5})\s*(\w*)\s*", text)
    # a: an, année; j: jour; s: semaine.
    letters = {"": "d", "d": "d", "j": "d", "w": "w", "s": "w", "m": "m", "y": "y", "a": "y"}
    letter = letters.get(read[2][:1].lower()) if read else None
    if read is None or letter is None or not int(read[1]):
        raise UsageError(
            msg("The horizon “{text}” is not a length of time.", text=text),
            remedy=msg("Write, for instance: {example}.", example="12m, 26w, 90d"),
        )
    return int(read[1]), letter


def _days(length: tuple[int, str], start: dt.date) -> int:
    """How many days a length of time has from a day on."""
    from revoir.errors import UsageError
    from revoir.periods import add_months

    number, letter = length
    if letter in "dw":
        return number * (7 if letter == "w" else 1)
    try:
        return (add_months(start, number * (12 if letter == "y" else 1)) - start).days
    except ValueError:
        raise UsageError(
            msg("A horizon of {n} years makes no sense.", n=number),
            remedy=msg("Look between one day and ten years ahead."),
        ) from None


def _under_contract(book: Book, model: str | None) -> bool:
    """Whether subscriptions are to be looked at: the model says so, or there is nothing else."""
    if model is not None:
        return model.strip().lower() in ("sbg", "bdw")
    return not book.has("orders", "customer_id") and book.has("subscriptions")


def _finish(
    reason: Message | None, customers: pa.Table | None, form: str, output: Any, code: str
) -> None:
    if reason is not None and form != "json":
        say(reason.text(code))
    if customers is None:
        return
    if output is not None:
        write_customers(customers.to_pylist(), customers.column_names, output, code)
    if form == "table" and customers.num_rows > SHOWN_MAX:
        say(
            msg("The first {shown} of {n} customers; -o writes them all to a file.",
                shown=SHOWN_MAX, n=customers.num_rows).text(code)
        )  # fmt: skip


def _write_csv(customers: pa.Table | None) -> None:
    rows = [] if customers is None else customers.to_pylist()
    if rows:
        write_rows(rows, "csv")
    elif customers is not None:
        print(",".join(customers.column_names))


def _between(row: dict[str, Any]) -> Message | None:
    if row["low"] is None:
        return None
    return msg("{low} to {high}", low=Number(row["low"], 0), high=Number(row["high"], 0))


def _money(amount: float | None, currency: str | None, digits: int | None = None) -> Money | None:
    return None if amount is None else Money(amount, currency, digits)


def _worths(row: dict[str, Any], currency: str | None) -> dict[str, Money | None]:
    return {name: _money(row[name], currency, 0) for name in ("historic", "clv", "total")}


def _worth_columns(bounds: tuple[str, str], money: bool) -> list[tuple[str, str]]:
    """What they bought for, what is to come between its bounds, and both together."""
    if not money:
        return [bounds]
    return [("historic", T("So far")), ("clv", T("Worth")), bounds, ("total", T("In all"))]


def _bounds(total: Bounds | None) -> dict[str, float] | None:
    return None if total is None else vars(total)


def _simple(book: Book, code: str) -> dict[str, Any]:
    """The simple form with what it is made of."""
    from revoir.models.simple_clv import simple_form

    figure = simple_form(book)
    names = ("average_order_value", "orders_a_year", "lifespan_years", "margin")
    return {
        "value": figure.value,
        **{name: figure.parts.get(name) for name in names},
        "reason": figure.reason.text(code) if figure.reason else None,
    }


def _whole(book: Book, found: Clv, customers: pa.Table | None, code: str) -> dict[str, Any]:
    model, spending, choice = found.model, found.spending, found.choice
    return {
        "as_of": found.as_of,
        "model": None if model is None else model.name,
        "label": None if model is None else model.label,
        "unit": found.unit,
        "parameters": found.parameters,
        "standard_errors": {} if model is None else model.standard_errors_,
        "log_likelihood": None if model is None else model.log_likelihood_,
        "converged": None if model is None else model.converged_,
        "spending": None
        if spending is None
        else {
            "model": "gamma_gamma",
            "parameters": spending.parameters_,
            "standard_errors": spending.standard_errors_,
            "log_likelihood": spending.log_likelihood_,
            "correlation": spending.correlation_,
        },
        "backtest": None
        if choice is None or choice.backtest is None
        else choice.backtest.records(code),
        "goodness_of_fit": _goodness(book, found),
        "horizon_days": found.horizon_days,
        "discount": found.discount,
        "margin": found.margin,
        "currency": found.currency,
        "confidence": found.confidence,
        "total": None if found.worth is None else _bounds(found.worth.total),
        "total_purchases": None if found.worth is None else found.worth.total_purchases,
        "mean": found.mean,
        "simple": _simple(book, code),
        "notes": [note.text(code) for note in found.notes],
        "reason": found.reason.text(code) if found.reason else None,
        "customers": [] if customers is None else customers.to_pylist(),
    }


def _goodness(book: Book, found: Clv) -> dict[str, Any] | None:
    from revoir.models.goodness import goodness

    fit = goodness(book, found)
    return None if fit is None else fit.record()


def _print(book: Book, found: Clv, customers: pa.Table | None, code: str) -> None:
    from revoir.models.simple_clv import beside, simple_form

    print(
        nmsg(
            "{n} customer had bought by {as_of}.", "{n} customers had bought by {as_of}.",
            found.count, as_of=found.as_of,
        ).text(code)
    )  # fmt: skip
    if customers is None or found.worth is None or found.choice is None:
        return
    sentence = found.sentence()
    assert sentence is not None
    print(sentence.text(code))
    for told in beside(found.mean, simple_form(book), found.currency):
        print(told.text(code))
    for note in found.notes:
        print(f"- {note.text(code)}")
    if found.choice.backtest is not None:
        _print_backtest(found.choice.backtest, code)
    _print_customers(found, customers, found.worth.amount is not None, code)


def _print_backtest(tested: Backtest, code: str) -> None:
    print(
        msg(
            "What would have been foretold for the {days} days after {origins}:",
            days=tested.holdout_days, origins=list(tested.days),
        ).text(code)
    )  # fmt: skip
    rows = [
        {
            "way": one.label,
            "rmse": Number(one.rmse, 2),
            "mae": Number(one.mae, 2),
            "expected": Number(one.expected, 0),
            "actual": Number(one.actual, 0),
        }
        for one in sorted(tested.accuracies, key=lambda one: one.rmse)
    ]
    columns = [
        ("way", T("Model or rule")), ("rmse", T("Root mean squared error")),
        ("mae", T("Mean absolute error")), ("expected", T("Purchases foretold")),
        ("actual", T("Purchases made")),
    ]  # fmt: skip
    write_rows(rows, "table", columns)


def _print_customers(found: Clv, customers: pa.Table, money: bool, code: str) -> None:
    rows = [
        {
            **row,
            "bought": row["frequency"] + 1,
            "silent": row["T"] - row["recency"],
            "expected_purchases": Number(row["expected_purchases"], 1),
            "p_purchase": Percent(row["p_purchase"], 0),
            "p_alive": Percent(row["p_alive"], 0),
            "expected_value": _money(row["expected_value"], found.currency),
            **_worths(row, found.currency),
            "between": _between(row),
        }
        for row in customers.slice(0, SHOWN_MAX).to_pylist()
    ]
    named = contact_headings()
    bounds = ("between", msg("{share} bounds", share=asked_share(found.confidence)).text(code))
    columns = [
        *((name, named[name]) for name in named if name in customers.column_names),
        ("bought", T("Purchase days")),
        ("silent", T("Days since last")),
        ("expected_purchases", T("Purchases to come")),
        ("p_purchase", T("Buys again")),
        ("p_alive", T("Still a customer")),
        *([("expected_value", T("A purchase"))] if money else []),
        *_worth_columns(bounds, money),
    ]
    write_rows(rows, "table", columns)


def _answer_contracts(
    book: Book,
    model: str | None,
    length: tuple[int, str],
    discount: float,
    confidence: float,
    form: str,
    output: Any,
    code: str,
) -> None:
    from revoir.errors import UsageError
    from revoir.models.contract_clv import contract_clv

    number, letter = length
    if letter not in "my":
        raise UsageError(
            msg("Contracts are counted in months."),
            remedy=msg("Write, for instance: {example}.", example="--horizon 12m"),
        )
    found = contract_clv(
        book, model=model.strip().lower() if model else None,
        months=number * (12 if letter == "y" else 1), discount=discount, confidence=confidence,
    )  # fmt: skip
    customers = None if found.customers is None else with_contacts(book, found.customers)
    if form == "json":
        write_json(_whole_contracts(found, customers, code))
    elif form == "csv":
        _write_csv(customers)
    else:
        _print_contracts(found, customers, code)
    _finish(found.reason, customers, form, output, code)


def _whole_contracts(found: ContractClv, customers: pa.Table | None, code: str) -> dict[str, Any]:
    model = found.model
    return {
        "as_of": found.as_of,
        "model": None if model is None else model.name,
        "label": None if model is None else model.label,
        "unit": "month",
        "parameters": {} if model is None else model.parameters_,
        "standard_errors": {} if model is None else model.standard_errors_,
        "log_likelihood": None if model is None else model.log_likelihood_,
        "converged": None if model is None else model.converged_,
        "backtest": None if found.backtest is None else found.backtest.records(code),
        "goodness_of_fit": {"by_month": [vars(row) for row in found.retention]},
        "horizon_months": found.months,
        "discount": found.discount,
        "margin": found.margin,
        "currency": found.currency,
        "confidence": found.confidence,
        "total": _bounds(found.total),
        "mean": found.mean,
        "notes": [note.text(code) for note in found.notes],
        "reason": found.reason.text(code) if found.reason else None,
        "customers": [] if customers is None else customers.to_pylist(),
    }


def _print_contracts(found: ContractClv, customers: pa.Table | None, code: str) -> None:
    print(
        nmsg(
            "{n} subscriber is there; left: {lost}.",
            "{n} subscribers are there; left: {lost}.",
            found.count, lost=found.lost,
        ).text(code)
    )  # fmt: skip
    if customers is None:
        return
    sentence = found.sentence()
    if sentence is not None:
        print(sentence.text(code))
    for note in found.notes:
        print(f"- {note.text(code)}")
    if not customers.num_rows:
        return
    money = found.total is not None
    rows = [
        {
            **row,
            "expected_months": Number(row["expected_months"], 1),
            "p_stays": Percent(row["p_stays"], 0),
            **_worths(row, found.currency),
            "between": _between(row),
        }
        for row in customers.slice(0, SHOWN_MAX).to_pylist()
    ]
    named = contact_headings()
    bounds = ("between", msg("{share} bounds", share=asked_share(found.confidence)).text(code))
    columns = [
        *((name, named[name]) for name in named if name in customers.column_names),
        ("months", T("Months stayed")),
        ("expected_months", T("Months to come")),
        ("p_stays", nmsg("Stays {n} month", "Stays {n} months", found.months).text(code)),
        *_worth_columns(bounds, money),
    ]
    write_rows(rows, "table", columns)
