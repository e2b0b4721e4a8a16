"""What pages say of what comes next: the core's findings as words and plain values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from revoir.language import Message, Money, Number, Percent, asked_share, between, msg
from revoir_web.insights import drawn

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.metrics.result import Figure
    from revoir.models.baskets import Associations
    from revoir.models.card import Card
    from revoir.models.choosing import Backtest
    from revoir.models.churn import AtRisk, Churn
    from revoir.models.clv import Clv
    from revoir.models.contract_clv import ContractClv
    from revoir.models.goodness import Goodness
    from revoir.models.next_purchase import NextPurchases
    from revoir.models.recommend import Recommendations
    from revoir.models.upgrades import Due
    from revoir.models.worth import Bounds
    from revoir.signals.health import Check, Health

LISTED = 100
"""Customers of a list: what a team can call or write to by hand."""
REASONS = 3
DUE_DAYS = 14
"""How soon the next purchase is expected of those who are due."""
PAIRS = 20
"""Pairs of products that are shown."""
SOLD = 300
"""Products that are proposed while one is typed."""
_OF_WORTH = ("clv", "low", "high", "historic", "total", "expected_purchases")


def _text(value: Any, language: str) -> str:
    return "—" if value is None else drawn.texts([value], language)[0]


def _texts(messages: Sequence[Any], language: str) -> list[str]:
    return drawn.texts([one for one in messages if one is not None], language)


def whole(value: float | None) -> Number | None:
    """A figure without decimals (None: it is not known)."""
    return None if value is None else Number(value, 0)


def share(value: float | None) -> Percent | None:
    """A share in whole percent (None: it is not known)."""
    return None if value is None else Percent(value, 0)


def _between(low: Any, high: Any) -> Message | None:
    return None if low is None else between(low, high)


_table = drawn.table


# -- Who may leave -------------------------------------------------------------------------------
def departures(found: Churn) -> dict[str, Any]:
    """The customers to save, why, and how good such lists were in the past."""
    import pyarrow.compute as pc

    ranked = found.ranked(limit=LISTED)
    return drawn.in_each(
        lambda language: _departures(found, ranked, language),
        as_of=found.card.as_of.isoformat() if found.card.as_of else None,
        there=found.customers.num_rows,
        order=found.order(None),
        mean=pc.mean(found.customers["probability"]).as_py(),
        paid_in=found.definition.paid_in,
        customers=[
            {
                "id": one.customer_id,
                "probability": one.probability,
                "worth": one.worth,
                "stake": one.stake,
            }
            for one in ranked
        ],
    )


def model_card(found: Churn) -> dict[str, Any]:
    """How a run learned who leaves, how good it was, and how customers have changed since."""
    return drawn.in_each(lambda language: _model_card(found, language), used=found.card.used)


def _model_card(found: Churn, language: str) -> dict[str, Any]:
    from revoir.models.card_tables import card_tables
    from revoir.models.card_words import record_in_words, used_in_words, warnings_in_words
    from revoir.reports.plots import calibration

    card = found.card
    chart = calibration(card, language)
    # What the chart shows has its table there.
    shown = [sheet for sheet in card_tables(card) if chart is None or sheet.name != "curve"]
    # Of the profiles drift is what is left to say; they are nine tenths of a card.
    plain = {name: held for name, held in card.record(language).items() if name != "profiles"}
    record = record_in_words(card, found.order(None), found.currency)
    return {
        "definition": _texts([found.definition.text, found.definition.reason], language),
        "said": _texts([used_in_words(card), card.refusal, *record], language),
        "warnings": _texts(warnings_in_words(card), language),
        "chart": drawn.chart(chart, language, chart.name) if chart else None,
        "tables": [
            {
                "name": sheet.name,
                "title": _text(sheet.title, language),
                **_table(sheet.columns, sheet.rows, language, texts=sheet.texts),
            }
            for sheet in shown
        ],
        "left_out": _left_out(card, language),
        "record": plain,
    }


def _left_out(card: Card, language: str) -> list[str]:
    """Features that could not be used, with the reason."""
    return _texts(
        [
            msg("{feature}: {reason}", feature=card.labels.get(name, name), reason=why)
            for name, why in card.left_out
        ],
        language,
    )


def _departures(found: Churn, ranked: list[AtRisk], language: str) -> dict[str, Any]:
    from revoir.models.card_words import (
        drivers_in_words,
        record_in_words,
        used_in_words,
        warnings_in_words,
    )

    card, currency = found.card, found.currency
    learned = (used_in_words(card), drivers_in_words(card), card.refusal)

    def amount(value: float | None) -> str:
        return _text(None if value is None else Money(value, currency, 0), language)

    return {
        "definition": _texts([found.definition.text, found.definition.reason], language),
        "reason": _text(found.reason, language) if found.reason else None,
        "record": _texts(record_in_words(card, found.order(None), currency), language),
        "learned": _texts(learned, language) if found.reason is None else [],
        "warnings": _texts(warnings_in_words(card), language),
        "left_out": _left_out(card, language),
        "customers": [
            {
                "probability": _text(share(one.probability), language),
                "worth": amount(one.worth),
                "stake": amount(one.stake),
                "reasons": _texts([reason.text for reason in one.raising[:REASONS]], language),
            }
            for one in ranked
        ],
    }


# -- What they will bring in ---------------------------------------------------------------------
def clv_of(book: Book) -> Clv | ContractClv:
    """The value of customers: from contracts where there are no purchases."""
    if not book.has("orders", "customer_id") and book.has("subscriptions"):
        from revoir.models.contract_clv import contract_clv

        return contract_clv(book)
    from revoir.models.clv import clv

    return clv(book)


def fit_of(book: Book, found: Clv | ContractClv) -> Goodness | None:
    """How the model of purchases fits, and how it did on weeks it had not seen."""
    from revoir.models.contract_clv import ContractClv
    from revoir.models.goodness import goodness

    return None if isinstance(found, ContractClv) else goodness(book, found)


def simple_of(book: Book) -> Figure | None:
    """The simple form of a customer's value (None: there are no purchases to take it from)."""
    if not book.has("orders", "customer_id"):
        return None
    from revoir.models.simple_clv import simple_form

    return simple_form(book)


def total_of(found: Clv | ContractClv) -> Bounds | None:
    """What all customers will bring in together (None: not known)."""
    from revoir.models.contract_clv import ContractClv

    if isinstance(found, ContractClv):
        return found.total
    return found.worth.total if found.worth else None


def worth(
    found: Clv | ContractClv, simple: Figure | None, fit: Goodness | None = None
) -> dict[str, Any]:
    """What customers will bring in, those worth most, and how near such sums came in the past.

    Args:
        found: What the core says.
        simple: The simple form of a customer's value (None: there are no purchases).
        fit: How its model of purchases fits (None: it has none).
    """
    from revoir.models.simple_clv import beside

    held = found.customers
    rows = [] if held is None else held.slice(0, LISTED).to_pylist()
    average = () if simple is None else beside(found.mean, simple, found.currency)
    return drawn.in_each(
        lambda language: {
            **_worth(found, rows, language),
            "charts": _fitted(fit, language),
            "average": _texts(average, language),
            "simple": _text(simple.reason, language) if simple and simple.reason else None,
        },
        mean=found.mean,
        simple=None if simple is None else {"value": simple.value, **simple.parts},
        as_of=found.as_of.isoformat() if found.as_of else None,
        currency=found.currency,
        confidence=found.confidence,
        total=None if (total := total_of(found)) is None else vars(total),
        goodness=None if fit is None else written_days(fit.record()),
        customers=[
            {
                "id": row["customer_id"],
                **{name: row.get(name) for name in _OF_WORTH},
                "alive": row.get("p_alive", row.get("p_stays")),
            }
            for row in rows
        ],
    )


def _fitted(fit: Goodness | None, language: str) -> list[dict[str, Any]]:
    """What the model expects beside what happened, drawn."""
    from revoir.reports import plots

    if fit is None:
        return []
    made = (plots.tracking(fit, language), plots.frequencies(fit, language))
    return [drawn.chart(chart, language, chart.name) for chart in made]


def written_days(value: Any) -> Any:
    """Plain values with their days as text, as JSON keeps them."""
    match value:
        case dict():
            return {name: written_days(held) for name, held in value.items()}
        case list():
            return [written_days(held) for held in value]
        case dt.date():
            return value.isoformat()
    return value


def _worth(found: Clv | ContractClv, rows: list[dict[str, Any]], language: str) -> dict[str, Any]:
    from revoir.models.contract_clv import ContractClv

    def money(value: Any) -> Money | None:
        return None if value is None else Money(value, found.currency, 0)

    if isinstance(found, ContractClv):
        tested = found.backtest
        cells: list[list[Any]]
        columns = [msg("Months stayed"), msg("Months to come"), msg("Still there then")]
        cells = [
            [whole(row["months"]), Number(row["expected_months"], 1), share(row["p_stays"])]
            for row in rows
        ]
    else:
        tested = found.choice.backtest if found.choice else None
        columns = [msg("Purchase days"), msg("Purchases to come"), msg("Still a customer")]
        cells = [
            [
                whole(row["frequency"] + 1),
                Number(row["expected_purchases"], 1),
                share(row["p_alive"]),
            ]
            for row in rows
        ]
    with_money = any(row.get("clv") is not None for row in rows)
    form = money if with_money else whole
    cells = [
        [
            *told,
            *([money(row["clv"])] if with_money else []),
            _between(form(row["low"]), form(row["high"])),
        ]
        for row, told in zip(rows, cells, strict=True)
    ]
    of_margin = found.margin != 1
    if with_money:
        columns.append(msg("Margin to come") if of_margin else msg("Sales to come"))
    columns.append(msg("{share} bounds", share=asked_share(found.confidence)))
    return {
        "sentence": _text(found.sentence(), language) if found.sentence() else None,
        "counted": _text(
            msg("These amounts are margin: {share} of sales.", share=Percent(found.margin)),
            language,
        )
        if of_margin and with_money
        else None,
        "reason": _text(found.reason, language) if found.reason else None,
        "notes": _texts(found.notes, language),
        "tested": _tested(tested, language) if tested else None,
        "columns": _texts(columns, language),
        "customers": [{"cells": [_text(value, language) for value in told]} for told in cells],
    }


def _tested(tested: Backtest, language: str) -> dict[str, Any]:
    """What models and rules would have foretold, the nearest first."""
    title = msg(
        "What would have been foretold for the {days} days after {origins}:",
        days=tested.holdout_days,
        origins=list(tested.days),
    )
    columns = [
        msg("Model or rule"),
        msg("Root mean squared error"),
        msg("Mean absolute error"),
        msg("Purchases foretold"),
        msg("Purchases made"),
    ]
    rows = [
        [one.label, Number(one.rmse, 2), Number(one.mae, 2), whole(one.expected),
         whole(one.actual)]
        for one in sorted(tested.accuracies, key=lambda one: one.rmse)
    ]  # fmt: skip
    return {"title": _text(title, language), **_table(columns, rows, language)}


# -- When they will buy --------------------------------------------------------------------------
def upcoming(found: NextPurchases) -> dict[str, Any]:
    """Who is overdue against their own rhythm, and of whom a purchase is expected soon."""
    rows, late, due = _overdue_and_due(found)
    return drawn.in_each(
        lambda language: _next(found, rows, language),
        as_of=found.as_of.isoformat(),
        overdue=late,
        due=due,
        customers=[
            {
                "id": row["customer_id"],
                "overdue": row["overdue"],
                "next": row["next_on"].isoformat() if row["next_on"] else None,
                "low": row["low_on"].isoformat() if row["low_on"] else None,
                "high": row["high_on"].isoformat() if row["high_on"] else None,
                "returns": row["returns"],
            }
            for row in rows
        ],
    )


def _overdue_and_due(found: NextPurchases) -> tuple[list[dict[str, Any]], int, int]:
    """Overdue customers, those likeliest to come back first, then due ones; how many there are."""
    import pyarrow.compute as pc

    if found.rhythm is None:
        return [], 0, 0
    soon = found.due(DUE_DAYS)
    late = found.customers.filter(found.customers["overdue"])
    due = soon.filter(pc.invert(soon["overdue"]))
    keys = [("returns", "descending"), ("customer_id", "ascending")]
    both = [those.sort_by(keys) for those in (late, due)]
    rows = [row for table in both for row in table.slice(0, LISTED).to_pylist()]
    return rows, both[0].num_rows, both[1].num_rows


def _next(found: NextPurchases, rows: list[dict[str, Any]], language: str) -> dict[str, Any]:
    return {
        "reason": _text(found.reason, language) if found.reason else None,
        "coverage": _text(asked_share(found.coverage), language),
        "horizon": _text(whole(found.horizon_days), language),
        "record": drawn.texts(found.record.sentences(), language) if found.rhythm else [],
        "customers": [
            {
                "last": _text(row["last_on"], language),
                "usual": _text(whole(row["usual_days"]), language),
                "next": _text(row["next_on"], language),
                "between": _text(_between(row["low_on"], row["high_on"]), language),
                "returns": _text(share(row["returns"]), language),
            }
            for row in rows
        ],
    }


# -- How they are --------------------------------------------------------------------------------
def health(found: Health, check: Check | None) -> dict[str, Any]:
    """What the health score is made of, and whether customers with a higher one left less often."""
    bands = check.bands if check else ()
    return drawn.in_each(
        lambda language: _health(found, check, language),
        parts=[{"name": part.name, "weight": part.weight} for part in found.parts],
        day=check.day.isoformat() if check and check.day else None,
        horizon_days=check.horizon_days if check else None,
        auc=check.auc if check else None,
        bands=[
            {"low": band.low, "high": band.high, "customers": band.customers, "left": band.left,
             "share_low": band.interval[0], "share_high": band.interval[1]}
            for band in bands
        ],
    )  # fmt: skip


def _health(found: Health, check: Check | None, language: str) -> dict[str, Any]:
    parts = [[part.label, part.meaning, whole(part.weight)] for part in found.parts]
    bands = [
        [
            _between(whole(band.low), whole(band.high)),
            whole(band.customers),
            whole(band.left),
            share(band.share),
            _between(Percent(band.interval[0], 0), Percent(band.interval[1], 0)),
        ]
        for band in (check.bands if check else ())
    ]
    return {
        "reason": _text(found.reason, language) if found.reason else None,
        "check": _text(check.sentence(), language) if check else None,
        "parts": _table(
            [msg("Part"), msg("From best to worst"), msg("Weight")], parts, language, texts=2
        ),
        "bands": _table(
            [
                msg("Score"),
                msg("Customers"),
                msg("Left"),
                msg("Share who left"),
                msg("95% interval"),
            ],
            bands,
            language,
        ),
    }


# -- What they will buy --------------------------------------------------------------------------
def products(book: Book, found: Recommendations, due: Due | None) -> dict[str, Any]:
    """How products are recommended, what goes together, and what is due for an upgrade."""
    from revoir.models.baskets import associations

    joined = associations(book) if found.record else None
    pairs = joined.strongest(PAIRS) if joined else []
    labels = {one.product_id: one.label for one in joined.sold.products} if joined else {}
    rows = due.products.slice(0, LISTED).to_pylist() if due else []
    told = {
        "reason": found.reason,
        "together": joined.reason if joined else None,
        "due": due.reason if due else None,
    }
    return drawn.in_each(
        lambda language: {
            **{name: _text(why, language) if why else None for name, why in told.items()},
            **_products(found, pairs, labels, language),
            "customers": [
                {
                    "cells": [
                        _text(row[name], language)
                        for name in ("product", "since", "due_on", "offer")
                    ]
                }
                for row in rows
            ],
        },
        as_of=found.as_of.isoformat(),
        method=found.record.method.name if found.record else None,
        upgrades=due.products.num_rows if due else 0,
        sold=_most_sold(joined) if joined else [],
        not_recommended=list(book.settings.not_recommended),
        pairs=[
            {
                "product": pair.product_id,
                "other": pair.other_id,
                "baskets": pair.together,
                "lift": pair.lift,
                "lift_low": pair.lift_interval[0],
                "lift_high": pair.lift_interval[1],
            }
            for pair in pairs
        ],
        customers=[
            {
                "id": row["customer_id"],
                "product": row["product_id"],
                "due_on": row["due_on"].isoformat(),
                "offer": row["offer_id"],
            }
            for row in rows
        ],
    )


def _most_sold(joined: Associations) -> list[str]:
    """What to call the products that most baskets hold; one whose name is not its own, by code."""
    from collections import Counter

    from revoir.tables import plain_name

    products = joined.sold.products
    names = Counter(plain_name(one.label) for one in products)
    order = joined.held.argsort(kind="stable")[::-1]
    kept = [products[n] for n in order.tolist() if not joined.sold.services[n]][:SOLD]
    return [one.label if names[plain_name(one.label)] == 1 else one.product_id for one in kept]


def _products(
    found: Recommendations, pairs: Sequence[Any], labels: Mapping[str, str], language: str
) -> dict[str, Any]:
    record = found.record
    trials = [
        [
            one.label,
            Percent(one.precision),
            Percent(one.recall),
            Number(one.ndcg, 3),
            _between(Number(one.ndcg_interval[0], 3), Number(one.ndcg_interval[1], 3)),
            Percent(one.hits / one.customers),
            Percent(one.coverage),
        ]
        for one in (record.trials if record else ())
    ]
    together = [
        [
            labels[pair.product_id],
            labels[pair.other_id],
            whole(pair.together),
            Percent(pair.confidence),
            Number(pair.lift),
            _between(Number(pair.lift_interval[0]), Number(pair.lift_interval[1])),
        ]
        for pair in pairs
    ]
    return {
        "record": _texts(record.sentences(), language) if record else [],
        "notes": _texts(found.notes, language),
        "methods": _table(
            [
                msg("Method"),
                msg("Precision at 10"),
                msg("Recall at 10"),
                msg("nDCG at 10"),
                msg("95% interval"),
                msg("Customers with a hit"),
                msg("Products recommended"),
            ],
            trials,
            language,
        ),
        "pairs": _table(
            [
                msg("Product"),
                msg("Goes with"),
                msg("Baskets with both"),
                msg("Share of its baskets"),
                msg("Lift"),
                msg("90% interval"),
            ],
            together,
            language,
            texts=2,
        ),
    }
