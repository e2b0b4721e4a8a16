"""What `revoir churn` shows besides the list: the model card, and how long customers stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from revoir.cli.common import T, say, write_json, write_rows
from revoir.language import Message, Number, Percent, clauses, in_days, msg, nmsg, written

if TYPE_CHECKING:
    from revoir.models.card import Card
    from revoir.models.hazards import Hazards
    from revoir.models.survival import Survival
    from revoir.models.validation import Estimate

DRIFT_SHOWN = 5


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
    from revoir.models.card_words import used_in_words, warnings_in_words

    print(card.definition.text(code))
    told = (used_in_words(card), card.refusal, *warnings_in_words(card))
    for line in told:
        if line is not None:
            print(f"- {line.text(code)}")
    if card.used is None:
        return
    _print_days(card, code)
    _print_judged(card, code)
    _print_lists(card, code)
    _print_curve(card, code)
    _print_stability(card, code)
    _print_drivers(card, code)
    _print_drift(card, code)
    for name, reason in card.left_out:
        say(msg("Left out: {feature}, because {reason}.", feature=name, reason=reason).text(code))


def _print_days(card: Card, code: str) -> None:
    print(msg("Customers whose leaving is known:").text(code))
    uses = {
        "learn": T("learned from before the test"),
        "test": T("the test"),
        "none": T("not known yet on the day of the test"),
    }
    rows = [
        {
            "day": row.day,
            "customers": row.customers,
            "left": row.left,
            "share": Percent(row.left / row.customers) if row.customers else None,
            "use": uses[row.use],
        }
        for row in card.days
    ]
    columns = [
        ("day", T("Day")), ("customers", T("Customers")), ("left", T("Left")),
        ("share", T("Share")), ("use", T("Use")),
    ]  # fmt: skip
    write_rows(rows, "table", columns)


def _print_judged(card: Card, code: str) -> None:
    if not card.judged:
        print(msg("Too few customers to say how good it is.").text(code))
        return
    print(
        msg("Tested on a later period:").text(code)
        if card.tested_on == "later"
        else msg("Tested on customers left out:").text(code)
    )
    names = {
        "rule": msg("the rule: {figure}", figure=card.rule),
        "logistic": msg("logistic regression"),
        "trees": msg("boosted trees"),
        "both": msg("boosted trees and logistic regression"),
    }
    rows = [
        {
            "name": names[name],
            "auc": _with_ends(one.auc, 3),
            "log_loss": Number(one.log_loss, 4),
            "slope": _with_ends(one.slope, 2),
            "expected": Number(one.expected, 0),
            "left": one.left,
        }
        for name, one in card.judged.items()
    ]
    columns = [
        ("name", T("Learner")), ("auc", T("Ranking (AUC)")), ("log_loss", T("Log-loss")),
        ("slope", T("Calibration slope")), ("expected", T("Expected to leave")),
        ("left", T("Left")),
    ]  # fmt: skip
    write_rows(rows, "table", columns)


def _with_ends(estimate: Estimate, digits: int) -> Any:
    return msg(
        "{value} ({low} to {high})",
        value=Number(estimate.value, digits),
        low=Number(estimate.low, digits),
        high=Number(estimate.high, digits),
    )


def _between(low: Any, high: Any) -> Message:
    """An interval; with a comma between its ends, decimal commas could not be told from it."""
    return msg("{low} to {high}", low=low, high=high)


def _print_lists(card: Card, code: str) -> None:
    orders = {"risk": T("by risk"), "stake": T("by stake")}
    rows = [
        {
            "by": orders[lists.by],
            "share": Percent(count.share, 0),
            "n": count.n,
            "left": count.left,
            "rate": Percent(count.rate, 0),
            "ends": _between(Percent(count.low, 0), Percent(count.high, 0)),
            "lift": Number(count.lift, 2),
            "caught": Percent(count.caught, 0),
        }
        for lists in card.lists
        for count in lists.counts
    ]
    if rows:
        print(msg("Lists that would have been made:").text(code))
        columns = [
            ("by", T("Sorted")), ("share", T("Length")), ("n", T("Customers")), ("left", T("Left")),
            ("rate", T("Share")), ("ends", T("95% interval")), ("lift", T("Lift")),
            ("caught", T("Of all who left")),
        ]  # fmt: skip
        write_rows(rows, "table", columns)


def _print_curve(card: Card, code: str) -> None:
    judged = card.judged.get(card.used or "")
    if judged is None:
        return
    print(msg("Probabilities and what happened:").text(code))
    rows = [
        {
            "n": one.n,
            "predicted": Percent(one.predicted),
            "observed": Percent(one.observed),
            "ends": _between(Percent(one.low), Percent(one.high)),
        }
        for one in judged.curve
    ]
    columns = [
        ("n", T("Customers")), ("predicted", T("Mean probability")), ("observed", T("Left")),
        ("ends", T("95% interval")),
    ]  # fmt: skip
    write_rows(rows, "table", columns)


def _print_stability(card: Card, code: str) -> None:
    if card.by_fold:
        # Parted by semicolons: some languages write a comma in the numbers.
        folds = clauses((written(Number(value, 3), code) for value in card.by_fold), code)
        told = msg("Ranking (AUC) in each part of the customers: {folds}", folds=folds)
        print(told.text(code))


def _print_drivers(card: Card, code: str) -> None:
    if not card.drivers:
        return
    print(msg("What weighs most:").text(code))
    rows = [
        {
            "theme": one.label,
            "importance": Number(one.importance, 2),
            "raising": one.raising,
        }
        for one in card.drivers
    ]
    columns = [
        ("theme", T("Theme")), ("importance", T("Mean weight (log-odds)")),
        ("raising", T("Goes with leaving")),
    ]  # fmt: skip
    write_rows(rows, "table", columns)


def _print_drift(card: Card, code: str) -> None:
    largest = sorted(card.drift, key=lambda name: -card.drift[name])[:DRIFT_SHOWN]
    if not largest:
        return
    print(msg("What has changed most since (population stability index):").text(code))
    rows = [
        {"feature": card.labels[name], "drift": Number(card.drift[name], 2)} for name in largest
    ]
    write_rows(rows, "table", [("feature", T("Feature")), ("drift", T("Index"))])


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
    marks = [(str(mark), _mark(mark, found.unit, code)) for mark in found.marks]
    columns = [
        ("group", found.by or ""), ("customers", T("Customers")), ("left", T("Left")),
        ("median", _median(found.unit)), *marks,
    ]  # fmt: skip
    write_rows(rows, "table", columns)


def _median(unit: str) -> str:
    return T("Half are gone after (days)") if unit == "days" else T("Half are gone after (months)")


def _mark(mark: int, unit: str, code: str) -> str:
    if unit == "days":
        return in_days(mark).text(code)
    return nmsg("{n} month", "{n} months", mark).text(code)


def _print_hazards(found: Hazards, code: str) -> None:
    told = msg(
        "By what the rate of leaving is multiplied (Cox; {n} customers, concordance {c}):",
        n=found.customers,
        c=Number(found.concordance, 2),
    )
    print(told.text(code))
    rows = [
        {
            "column": term.column,
            "level": term.level or T("one standard deviation more"),
            "reference": term.reference,
            "ratio": Number(term.ratio.value, 2),
            "ends": _between(Number(term.ratio.low, 2), Number(term.ratio.high, 2)),
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
