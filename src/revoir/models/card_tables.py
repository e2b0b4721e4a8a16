"""A model card in tables: days, test, lists, calibration, steadiness, what weighs, drift."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from revoir.language import Message, Number, Percent, between, msg
from revoir.models.card import Card
from revoir.models.validation import Estimate

DRIFT_SHOWN = 5


@dataclass(frozen=True)
class Sheet:
    """A table of a card.

    Attributes:
        name: Its name for programs.
        title: What it shows.
        columns: Headings.
        rows: A value a column.
        texts: How many of the first columns are no figures.
    """

    name: str
    title: Message
    columns: tuple[Message, ...]
    rows: tuple[tuple[Any, ...], ...]
    texts: int = 1


def card_tables(card: Card) -> list[Sheet]:
    """The tables of a card that have rows.

    Args:
        card: The card.

    Returns:
        In the order in which they are read; none where nothing was learned.
    """
    if card.used is None:
        return []
    return [sheet for sheet in _every(card) if sheet.rows]


def _every(card: Card) -> Iterator[Sheet]:
    yield _days(card)
    yield _judged(card)
    yield _lists(card)
    yield calibration_table(card)
    yield _stability(card)
    yield _drivers(card)
    yield _drift(card)


def _days(card: Card) -> Sheet:
    uses = {
        "learn": msg("learned from before the test"),
        "test": msg("the test"),
        "none": msg("not known yet on the day of the test"),
    }
    rows = (
        (
            row.day,
            uses[row.use],
            row.customers,
            row.left,
            Percent(row.left / row.customers) if row.customers else None,
        )
        for row in card.days
    )
    columns = (msg("Day"), msg("Use"), msg("Customers"), msg("Left"), msg("Share"))
    return Sheet("days", msg("Customers whose leaving is known"), columns, tuple(rows), 2)


def _judged(card: Card) -> Sheet:
    names = {
        "rule": msg("the rule: {figure}", figure=card.rule),
        "logistic": msg("logistic regression"),
        "trees": msg("boosted trees"),
        "both": msg("boosted trees and logistic regression"),
    }
    title = (
        msg("Tested on a later period")
        if card.tested_on == "later"
        else msg("Tested on customers left out")
    )
    rows = (
        (
            names[name],
            _with_ends(one.auc, 3),
            Number(one.log_loss, 4),
            _with_ends(one.slope, 2),
            Number(one.expected, 0),
            one.left,
        )
        for name, one in card.judged.items()
    )
    columns = (
        msg("Learner"), msg("Ranking (AUC)"), msg("Log-loss"), msg("Calibration slope"),
        msg("Expected to leave"), msg("Left"),
    )  # fmt: skip
    return Sheet("judged", title, columns, tuple(rows))


def _lists(card: Card) -> Sheet:
    orders = {"risk": msg("by risk"), "stake": msg("by stake")}
    rows = (
        (
            orders[lists.by],
            Percent(count.share, 0),
            count.n,
            count.left,
            Percent(count.rate, 0),
            between(Percent(count.low, 0), Percent(count.high, 0)),
            Number(count.lift, 2),
            Percent(count.caught, 0),
        )
        for lists in card.lists
        for count in lists.counts
    )
    columns = (
        msg("Sorted"), msg("Length"), msg("Customers"), msg("Left"), msg("Share"),
        msg("95% interval"), msg("Lift"), msg("Of all who left"),
    )  # fmt: skip
    return Sheet("lists", msg("Lists that would have been made"), columns, tuple(rows))


def calibration_table(card: Card) -> Sheet:
    """Probabilities of the test beside what happened, by customers of about equal probability."""
    judged = card.judged.get(card.used or "")
    rows = (
        (
            Percent(one.predicted),
            Percent(one.observed),
            between(Percent(one.low), Percent(one.high)),
            one.n,
        )
        for one in (judged.curve if judged else ())
    )
    columns = (msg("Mean probability"), msg("Left"), msg("95% interval"), msg("Customers"))
    return Sheet("curve", msg("Probabilities and what happened"), columns, tuple(rows), 0)


def _stability(card: Card) -> Sheet:
    parts = (
        (msg("part {n}", n=place), Number(value, 3))
        for place, value in enumerate(card.by_fold, start=1)
    )
    days = ((dt.date.fromisoformat(day), Number(value, 3)) for day, value in card.by_day.items())
    title = msg("Ranking of customers left out, by part of the customers and by day")
    columns = (msg("Customers left out"), msg("Ranking (AUC)"))
    return Sheet("folds", title, columns, (*parts, *days))


def _drivers(card: Card) -> Sheet:
    rows = ((one.label, one.raising, Number(one.importance, 2)) for one in card.drivers)
    columns = (msg("Theme"), msg("Goes with leaving"), msg("Mean weight (log-odds)"))
    return Sheet("drivers", msg("What weighs most"), columns, tuple(rows), 2)


def _drift(card: Card) -> Sheet:
    largest = sorted(card.drift, key=lambda name: -card.drift[name])[:DRIFT_SHOWN]
    rows = ((card.labels[name], Number(card.drift[name], 2)) for name in largest)
    title = msg("What has changed most since (population stability index)")
    return Sheet("drift", title, (msg("Feature"), msg("Index")), tuple(rows))


def _with_ends(estimate: Estimate, digits: int) -> Message:
    ends = (estimate.value, estimate.low, estimate.high)
    value, low, high = (Number(end, digits) for end in ends)
    return msg("{value} ({low} to {high})", value=value, low=low, high=high)
