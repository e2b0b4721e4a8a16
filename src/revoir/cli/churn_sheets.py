"""What `revoir churn` shows besides the list: the model card, and how long customers stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from revoir.cli.common import T, say, write_json, write_rows
from revoir.language import Number, Percent, between, msg

if TYPE_CHECKING:
    from revoir.models.card import Card
    from revoir.models.hazards import Hazards
    from revoir.models.survival import Survival


def answer_card(card: Card, form: str, code: str) -> None:
    """Write a model card.

    Args:
        card: The card.
        form: "table" or "json".
        code: The language.
    """
    if form == "json":
        write_json(card.record(code))
        return
    from revoir.models.card_tables import card_tables
    from revoir.models.card_words import used_in_words, warnings_in_words

    print(card.definition.text(code))
    told = (used_in_words(card), card.refusal, *warnings_in_words(card))
    for line in told:
        if line is not None:
            print(f"- {line.text(code)}")
    if card.used is None:
        return
    for sheet in card_tables(card):
        print(sheet.title.text(code))
        rows = [dict(zip(map(str, range(len(row))), row, strict=True)) for row in sheet.rows]
        columns = [(str(place), name.text(code)) for place, name in enumerate(sheet.columns)]
        write_rows(rows, "table", columns)
    if not card.judged:
        print(msg("Too few customers to say how good it is.").text(code))
    for name, reason in card.left_out:
        label = card.labels[name]
        say(msg("Left out: {feature}, because {reason}.", feature=label, reason=reason).text(code))


def answer_survival(found: Survival, form: str, code: str) -> None:
    """Write how long customers stay.

    Args:
        found: The curves.
        form: "table", "csv" or "json".
        code: The language.
    """
    if form == "json":
        write_json(
            {
                "unit": found.unit,
                "by": found.by,
                "curves": found.records(),
                "log_rank_p": found.log_rank_p,
                "hazards": None if found.hazards is None else found.hazards.records(),
                "concordance": None if found.hazards is None else found.hazards.concordance,
                "notes": [note.text(code) for note in found.notes],
                "reason": found.reason.text(code) if found.reason else None,
            }
        )
        return
    if found.reason is not None:
        say(found.reason.text(code))
        return
    if form == "csv":
        write_rows(found.records(), "csv")
    else:
        _print_curves(found, code)
        if found.hazards is not None:
            _print_hazards(found.hazards, code)
    for note in found.notes:
        say(note.text(code))


def _print_curves(found: Survival, code: str) -> None:
    from revoir.models.stays import so_long

    print(msg("Share of customers still there after so long:").text(code))
    rows = []
    for curve in found.curves:
        row: dict[str, Any] = {
            "group": curve.group or T("all"),
            "customers": curve.customers,
            "left": curve.left,
            "median": T("not reached") if curve.median is None else curve.median,
        }
        for mark in found.marks:
            share = curve.at(mark)
            row[str(mark)] = None if share is None else Percent(share.value, 0)
        rows.append(row)
    marks = [(str(mark), so_long(mark, found.unit).text(code)) for mark in found.marks]
    columns = [
        ("group", found.by or ""), ("customers", T("Customers")), ("left", T("Left")),
        ("median", _median(found.unit)), *marks,
    ]  # fmt: skip
    write_rows(rows, "table", columns)


def _median(unit: str) -> str:
    return T("Half are gone after (days)") if unit == "days" else T("Half are gone after (months)")


def _print_hazards(found: Hazards, code: str) -> None:
    print(found.sentence.text(code))
    rows = [
        {
            "column": term.column,
            "level": term.level or T("one standard deviation more"),
            "reference": term.reference,
            "ratio": Number(term.ratio.value, 2),
            "ends": between(Number(term.ratio.low, 2), Number(term.ratio.high, 2)),
        }
        for term in found.terms
    ]
    columns = [
        ("column", T("Column")), ("level", T("Value")), ("reference", T("Against")),
        ("ratio", T("Hazard ratio")), ("ends", T("95% interval")),
    ]  # fmt: skip
    write_rows(rows, "table", columns)
    for name, reason in found.left_out:
        say(msg("Left out: {feature}, because {reason}.", feature=name, reason=reason).text(code))
