"""Why a customer is thought to leave, in words: what of them weighs most, theme by theme.

Features that tell of the same thing share their weight out among themselves almost at random; a
theme's weight is theirs together, and the feature that weighs most words it. These are reasons for
the probability: what the model goes by, not what is proven to make customers leave.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from revoir.language import Message
from revoir.models.classifiers import Fitted
from revoir.models.features.declaration import Feature, Known
from revoir.models.matrix import OTHER, Matrix
from revoir.models.validation import Floats, log_odds, sigmoid

WEIGHT_MIN = 0.1
"""Log-odds below which a theme is not worth a word: two to three points around one half."""


@dataclass(frozen=True)
class Reason:
    """One reason for the probability of one customer.

    Attributes:
        theme: What it tells of.
        text: What it says, a phrase in lower case.
        weight: What it adds to the log-odds of leaving, against the average customer.
        points: By how much it changes the probability, from 0 to 1 (the rest as it is).
    """

    theme: str
    text: Message
    weight: float
    points: float


def reasons(
    fitted: Fitted, features: Sequence[Feature], matrix: Matrix, *, currency: str | None = None
) -> list[tuple[Reason, ...]]:
    """The reasons for the probabilities of some customers.

    Args:
        fitted: What was learned.
        features: The features of the matrix.
        matrix: The customers.
        currency: Of the amounts.

    Returns:
        For each customer the themes that raise the probability, the weightiest first, then those
        that lower it; only those of some weight, or the weightiest that raises it.
    """
    if not len(matrix):
        return []
    named = {one.name: one for one in features}
    ordered = [named[name] for name in matrix.names]
    contributions = fitted.contributions(matrix)
    margins = log_odds(fitted.probabilities(matrix))
    return [
        _of_one(ordered, contributions[row], float(margins[row]), matrix.known(row), currency)
        for row in range(len(matrix))
    ]


def _of_one(
    features: Sequence[Feature],
    contributions: Floats,
    margin: float,
    values: dict[str, Any],
    currency: str | None,
) -> tuple[Reason, ...]:
    known = Known(values, currency)
    told: list[tuple[str, Message, float]] = []
    for theme, places in _by_theme(features).items():
        weight = float(contributions[places].sum())
        # The feature that weighs most on the side of its theme speaks for it.
        side = np.sign(weight)
        speakers = sorted(places, key=lambda place: -contributions[place] * side)
        text = next(filter(None, (_said(features[place], known) for place in speakers)), None)
        if text is not None:
            told.append((theme, text, weight))
    found = [
        Reason(theme, text, weight, _points(margin, weight))
        for theme, text, weight in _said_once(told)
    ]
    found.sort(key=lambda one: -one.weight)
    # Whoever is likelier to leave than others is so for a reason, however small each one is.
    least = min(WEIGHT_MIN, max(found[0].weight, 0.0)) if found else WEIGHT_MIN
    return tuple(one for one in found if one.weight >= least > 0 or one.weight <= -WEIGHT_MIN)


def _said_once(
    told: Sequence[tuple[str, Message, float]],
) -> list[tuple[str, Message, float]]:
    """Themes that say the same of a customer (theme, text, weight) as one, under the weightiest.

    Whoever bought once has one day that says how lately they buy and since when they are known.
    """
    kept: list[tuple[str, Message, float]] = []
    for theme, text, weight in sorted(told, key=lambda one: -abs(one[2])):
        place = next((at for at, one in enumerate(kept) if one[1] == text), None)
        if place is None:
            kept.append((theme, text, weight))
        else:
            kept[place] = (*kept[place][:2], kept[place][2] + weight)
    return kept


def _said(feature: Feature, known: Known) -> Message | None:
    return None if known[feature.name] == OTHER else feature.said(known)


def _points(margin: float, weight: float) -> float:
    with_it, without = sigmoid(np.array([margin, margin - weight]))
    return float(with_it - without)


@dataclass(frozen=True)
class Driver:
    """What a theme does over all customers.

    Attributes:
        theme: The theme.
        label: What people call it.
        importance: Mean absolute weight in log-odds of all its features together.
        features: Its features, the weightiest first.
        raising: In words, what of the weightiest of them goes with a higher probability (None: it
            goes up and down).
    """

    theme: str
    label: Message
    importance: float
    features: tuple[str, ...]
    raising: Message | None


def drivers(fitted: Fitted, features: Sequence[Feature], matrix: Matrix) -> tuple[Driver, ...]:
    """What weighs most over some customers, theme by theme.

    Args:
        fitted: What was learned.
        features: The features of the matrix.
        matrix: The customers; some thousands are enough.

    Returns:
        The themes that weigh anything, the weightiest first.
    """
    named = {one.name: one for one in features}
    ordered = [named[name] for name in matrix.names]
    contributions = fitted.contributions(matrix)
    found = []
    for places in _by_theme(ordered).values():
        total = contributions[:, places].sum(axis=1)
        weights = np.abs(contributions[:, places]).mean(axis=0)
        heaviest = [places[at] for at in np.argsort(-weights, kind="stable") if weights[at] > 0]
        if heaviest:
            first = ordered[heaviest[0]]
            # Features of one theme share its weight out: the whole of it has the direction.
            raising = _raising(first, matrix, total)
            names = tuple(ordered[place].name for place in heaviest)
            importance = float(np.abs(total).mean())
            found.append(Driver(first.theme, first.theme_label, importance, names, raising))
    return tuple(sorted(found, key=lambda one: -one.importance))


def _by_theme(features: Sequence[Feature]) -> dict[str, list[int]]:
    """The places of the features of each theme."""
    themes: dict[str, list[int]] = defaultdict(list)
    for place, feature in enumerate(features):
        themes[feature.theme].append(place)
    return themes


def _raising(feature: Feature, matrix: Matrix, contributions: Floats) -> Message | None:
    """In words, which values of a feature go with a higher probability."""
    values = matrix.column(feature.name)
    if not feature.is_category:
        higher = _direction(values, contributions)
        return None if higher is None else feature.high if higher else feature.low
    levels = matrix.levels[feature.name][:-1]
    means = [
        contributions[values == place].mean()
        for place in range(len(levels))
        if (values == place).any()
    ]
    held = [text for place, text in enumerate(levels) if (values == place).any()]
    if not held:
        return None
    return feature.said(Known({feature.name: held[int(np.argmax(means))]}))


def _direction(values: Any, contributions: Floats) -> bool | None:
    """Whether contributions rise with the values, by their ranks."""
    from scipy.stats import rankdata

    known = ~np.isnan(values)
    if known.sum() < 3 or np.ptp(values[known]) == 0 or np.ptp(contributions[known]) == 0:
        return None
    one, other = rankdata(values[known]), rankdata(contributions[known])
    correlation = float(np.corrcoef(one, other)[0, 1])
    return None if abs(correlation) < 0.2 else correlation > 0
