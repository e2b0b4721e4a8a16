"""How long customers stay, as somebody asks: everybody, or by a column known on the first day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from revoir.language import Number, between, msg
from revoir_web.insights import drawn
from revoir_web.insights.questions import answers

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.models.hazards import Hazards
    from revoir.models.survival import Survival


@answers("stays")
def stays(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Survival curves, and what multiplies the rate of leaving."""
    from revoir.models.departures import Kind
    from revoir.models.stays import known_first
    from revoir.models.survival import survival

    found = survival(book, by=asked.get("by") or None, kind=asked.get("of") or None)
    columns = known_first(book, found.definition)
    if found.definition.kind is Kind.FILE and found.hazards is not None:
        columns += [term.column for term in found.hazards.terms]
    columns = [*dict.fromkeys(columns)]
    return drawn.in_each(
        lambda language: {
            "columns": {name: drawn.column_named(name, language) for name in columns},
            **_words(found, language),
        },
        unit=found.unit,
        by=found.by,
        columns=list(dict.fromkeys(columns)),
        curves=found.records(),
        log_rank_p=found.log_rank_p,
        hazards=found.hazards.records() if found.hazards else [],
        concordance=found.hazards.concordance if found.hazards else None,
    )


def _words(found: Survival, language: str) -> dict[str, Any]:
    from revoir.models.stays import so_long
    from revoir.reports import plots

    counted = msg(
        "Whoever has not left is counted for as long as they were seen (Kaplan–Meier, 95%"
        " intervals)."
    )
    words: dict[str, Any] = {"notes": drawn.texts([*found.notes, counted], language)}
    if found.reason is not None:
        return {**words, "reason": found.reason.text(language)}
    columns = [
        drawn.column_named(found.by, language) if found.by else msg("Group"),
        msg("Customers"),
        msg("Left"),
        msg("Half are gone after"),
    ]
    rows = [
        [
            curve.group or msg("all customers"),
            Number(curve.customers, 0),
            Number(curve.left, 0),
            msg("not reached") if curve.median is None else so_long(curve.median, found.unit),
        ]
        for curve in found.curves
    ]
    return {
        **words,
        "chart": drawn.chart(plots.stays(found, language), language, "stays"),
        "groups": drawn.table(columns, rows, language),
        "hazards": _hazards(found.hazards, language) if found.hazards else None,
    }


def _hazards(found: Hazards, language: str) -> dict[str, Any]:
    columns = (
        msg("Known on the first day"), msg("Value"), msg("Against"), msg("Times as fast"),
        msg("95% interval"),
    )  # fmt: skip
    rows = [
        [
            drawn.column_named(term.column, language),
            term.level or msg("one standard deviation more"),
            term.reference or "",
            Number(term.ratio.value, 2),
            between(Number(term.ratio.low, 2), Number(term.ratio.high, 2)),
        ]
        for term in found.terms
    ]
    left_out = [
        msg(
            "Left out: {feature}, because {reason}.",
            feature=drawn.column_named(name, language),
            reason=reason,
        )
        for name, reason in found.left_out
    ]
    return {
        **drawn.table(columns, rows, language, texts=3),
        "told": drawn.texts([found.sentence], language)[0],
        "left_out": drawn.texts(left_out, language),
    }
