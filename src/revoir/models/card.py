"""The model card of a run: what was learned from what, how good it was, and what it cannot say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from revoir.language import Message
from revoir.models.matrix import Matrix
from revoir.models.reasons import Driver
from revoir.models.validation import Estimate, Judgement, Top, stability_index

BINS = 10


@dataclass(frozen=True)
class CutoffRow:
    """One day that customers were looked at on.

    Attributes:
        day: The day (None: the file has no days).
        customers: How many were there.
        left: How many of them left within the window.
        use: In the trial: "test", "learn", or "none" (what became of its customers was not yet
            known on the day of the test). What is used now has learned from all days.
    """

    day: dt.date | None
    customers: int
    left: int
    use: str


@dataclass(frozen=True)
class Lists:
    """Of those whom a list would have put first, how many left, and what they had brought.

    Attributes:
        by: "risk" (probability) or "stake" (probability × worth).
        counts: Customers, for each share of all.
        worth_lost: For each share, what those of the list who left had brought in a year (None:
            not known).
        worth_lost_all: What all who left had brought.
    """

    by: str
    counts: tuple[Top, ...]
    worth_lost: tuple[float, ...] | None
    worth_lost_all: float | None


@dataclass(frozen=True)
class Profile:
    """How a feature was spread over the customers that a model learned from.

    Attributes:
        name: The feature.
        edges: Ends of the bins, ascending; for texts their numbers.
        counts: Customers by bin; the last bin holds those without a value.
    """

    name: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def drift(self, matrix: Matrix) -> float:
        """The population stability index of other customers against these."""
        return stability_index(self.counts, _counts(matrix.column(self.name), self.edges))


@dataclass(frozen=True)
class Card:
    """A model card.

    Attributes:
        title: The company (None: not said).
        as_of: The last day of the data (None: the file has no days).
        kind: What leaving is read from.
        definition: What leaving means.
        window_days: How many days show who left.
        seed: Chose the folds, the samples and the trees.
        days: The days that customers were looked at on.
        learned_from: Examples that the model in use learned from.
        used: "rule", "logistic", "trees", "both", or None: there are too few customers.
        rule: What the rule goes by (None: there is none).
        tested_on: "later" (a later period), "others" (customers left out, of the same days), or
            None: too few to judge.
        judged: The rule and each learner on the customers of the test.
        gain: By how much the learner that was chosen beat the rule there, in log-loss.
        refusal: Why the rule is used, or nothing (None: a learner is used).
        lists: What lists made then would have been worth.
        by_fold: Ranking in each fold of customers left out.
        by_day: Ranking on each day, of customers left out.
        drivers: What weighs most now.
        left_out: Features that could not be used, with the reason.
        labels: What each feature is called.
        profiles: How features were spread over the customers learned from.
        drift: The population stability index of each feature now.
    """

    title: str | None
    as_of: dt.date | None
    kind: str
    definition: Message
    window_days: int | None
    seed: int
    days: tuple[CutoffRow, ...]
    learned_from: int
    used: str | None
    rule: Message | None
    tested_on: str | None
    judged: Mapping[str, Judgement]
    gain: Estimate | None
    refusal: Message | None
    lists: tuple[Lists, ...]
    by_fold: tuple[float, ...]
    by_day: Mapping[str, float]
    drivers: tuple[Driver, ...]
    left_out: tuple[tuple[str, Message], ...]
    labels: Mapping[str, Message]
    profiles: tuple[Profile, ...]
    drift: Mapping[str, float]

    def record(self, language: str = "en") -> dict[str, Any]:
        """The card as plain values, ready for JSON.

        Args:
            language: Of the sentences.

        Returns:
            One entry an attribute.
        """
        plain: dict[str, Any] = _plain(self, language)
        return plain


def _plain(value: Any, language: str) -> Any:
    match value:
        case Message():
            return value.text(language)
        case Top():
            return _fields(value, language) | {"rate": value.rate, "lift": value.lift}
        case Mapping():
            return {key: _plain(entry, language) for key, entry in value.items()}
        case list() | tuple():
            return [_plain(entry, language) for entry in value]
        case dt.date():
            return value.isoformat()
        case float() if not np.isfinite(value):
            return None
    return _fields(value, language) if is_dataclass(value) else value


def _fields(value: Any, language: str) -> dict[str, Any]:
    return {one.name: _plain(getattr(value, one.name), language) for one in fields(value)}


def profiles(matrix: Matrix) -> tuple[Profile, ...]:
    """How each feature is spread over some customers, over tenths of those with a value.

    Args:
        matrix: The customers.

    Returns:
        One profile a feature.
    """
    found = []
    for name in matrix.names:
        column = matrix.column(name)
        known = column[~np.isnan(column)]
        if name in matrix.levels:
            edges: Sequence[float] = [float(place) for place in range(len(matrix.levels[name]) - 1)]
        elif len(known):
            cuts = np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf")
            edges = np.unique(cuts).tolist()
        else:
            edges = []
        found.append(Profile(name, tuple(edges), _counts(column, tuple(edges))))
    return tuple(found)


def _counts(column: Any, edges: tuple[float, ...]) -> tuple[int, ...]:
    known = column[~np.isnan(column)]
    places = np.searchsorted(np.asarray(edges, column.dtype), known, side="left")
    counts = np.bincount(places, minlength=len(edges) + 1).tolist()
    return (*counts, int(len(column) - len(known)))
