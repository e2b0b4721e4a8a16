"""Answers about what comes next: who is about to leave, and who will buy when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from revoir.language import Message, Money, Number, Percent, msg
from revoir_web.insights import drawn
from revoir_web.insights.questions import answers

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.models.churn import AtRisk, Churn
    from revoir.models.next_purchase import NextPurchases

LISTED = 100
"""Customers of a list: what a team can call or write to by hand."""
REASONS = 3
DUE_DAYS = 14
"""How soon the next purchase is expected of those who are due."""


@answers("departures")
def departures(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The customers to save, why, and how good such lists were in the past."""
    from revoir.models.churn import churn

    del asked
    found = churn(book)
    ranked = found.ranked(limit=LISTED)
    return drawn.in_each(
        lambda language: _departures(found, ranked, language),
        as_of=book.as_of.isoformat(),
        there=found.customers.num_rows,
        order=found.order(None),
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


def _departures(found: Churn, ranked: list[AtRisk], language: str) -> dict[str, Any]:
    from revoir.models.card_words import (
        drivers_in_words,
        record_in_words,
        used_in_words,
        warnings_in_words,
    )

    def texts(messages: Any) -> list[str]:
        return drawn.texts([one for one in messages if one is not None], language)

    card, currency = found.card, found.currency
    learned = (used_in_words(card), drivers_in_words(card), card.refusal)
    return {
        "definition": texts([found.definition.text, found.definition.reason]),
        "reason": texts([found.reason])[0] if found.reason else None,
        "record": texts(record_in_words(card, found.order(None), currency)),
        "learned": texts(learned) if found.reason is None else [],
        "warnings": texts(warnings_in_words(card)),
        "left_out": [
            texts([msg("{feature}: {reason}", feature=card.labels.get(name, name), reason=why)])[0]
            for name, why in card.left_out
        ],
        "customers": [
            {
                "probability": texts([Percent(one.probability, 0)])[0],
                "worth": _amount(one.worth, currency, language),
                "stake": _amount(one.stake, currency, language),
                "reasons": texts([reason.text for reason in one.raising[:REASONS]]),
            }
            for one in ranked
        ],
    }


def _amount(value: float | None, currency: str | None, language: str) -> str:
    return "—" if value is None else drawn.texts([Money(value, currency, 0)], language)[0]


@answers("next")
def upcoming(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Who is overdue against their own rhythm, and of whom a purchase is expected soon."""
    from revoir.models.next_purchase import next_purchases

    del asked
    found = next_purchases(book)
    rows = _overdue_and_due(found)
    return drawn.in_each(
        lambda language: _next(found, rows, language),
        as_of=found.as_of.isoformat(),
        overdue=sum(row["overdue"] for row in rows),
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


def _overdue_and_due(found: NextPurchases) -> list[dict[str, Any]]:
    """Overdue customers, those likeliest to come back first, then those who are due."""
    import datetime as dt

    import pyarrow as pa
    import pyarrow.compute as pc

    if found.rhythm is None:
        return []
    held = found.customers
    soon = pa.scalar(found.as_of + dt.timedelta(days=DUE_DAYS), pa.date32())
    late = held["overdue"]
    due = pc.and_(pc.invert(late), pc.fill_null(pc.less_equal(held["next_on"], soon), False))
    keys = [("returns", "descending"), ("customer_id", "ascending")]
    return [
        row
        for those in (late, due)
        for row in held.filter(those).sort_by(keys).slice(0, LISTED).to_pylist()
    ]


def _next(found: NextPurchases, rows: list[dict[str, Any]], language: str) -> dict[str, Any]:
    def text(value: Any) -> str:
        return "—" if value is None else drawn.texts([value], language)[0]

    def between(row: Mapping[str, Any]) -> Message | None:
        if row["low_on"] is None:
            return None
        return msg("{low} to {high}", low=row["low_on"], high=row["high_on"])

    return {
        "reason": text(found.reason) if found.reason else None,
        "coverage": text(Percent(found.coverage, 0)),
        "horizon": text(Number(found.horizon_days, 0)),
        "record": drawn.texts(found.record.sentences(), language) if found.rhythm else [],
        "customers": [
            {
                "last": text(row["last_on"]),
                "usual": text(None if row["usual_days"] is None else Number(row["usual_days"], 0)),
                "next": text(row["next_on"]),
                "between": text(between(row)),
                "returns": text(None if row["returns"] is None else Percent(row["returns"], 0)),
            }
            for row in rows
        ],
    }
