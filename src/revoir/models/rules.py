"""The simple rules that a model must beat: what a shopkeeper would say without one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from revoir.language import Message, msg
from revoir.models.counts import Floats
from revoir.models.origins import Origin

SHARE_OF_PACES = 0.9
"""Whoever is silent for longer than so many customers' usual wait is taken to be gone."""


@dataclass(frozen=True)
class Rule:
    """A way to foresee purchases without a model.

    Attributes:
        name: Its name in every interface.
        label: What people call it.
        predict: Purchase days to expect of each customer in the days held out.
        spend: Amount to expect of them (None: the rule says nothing of it).
    """

    name: str
    label: Message
    predict: Callable[[Origin], Floats]
    spend: Callable[[Origin], Floats | None] | None = None


def _same_as_before(origin: Origin) -> Floats:
    return origin.before


def _by_recency(origin: Origin) -> Floats:
    """The hiatus heuristic: the past pace goes on, unless the silence is too long.

    Source:
        Wübben & Wangenheim (2008), Instant Customer Base Analysis: Managerial Heuristics Often
        “Get It Right”, Journal of Marketing 72, 82–93.
    """
    back = origin.frequency > 0
    if not back.any():
        return np.zeros(len(back))
    wait = origin.recency[back] / origin.frequency[back]
    longest = float(np.quantile(wait, SHARE_OF_PACES))
    pace = origin.frequency / np.maximum(origin.T, 1.0)
    active = origin.T - origin.recency <= longest
    return np.where(active, pace * origin.holdout_days, 0.0)


RULES = (
    Rule(
        "same_as_before",
        msg("As many purchases as in the same time before"),
        _same_as_before,
        lambda origin: origin.spent_before,
    ),
    Rule(
        "by_recency",
        msg("The past pace goes on, unless the customer has been silent for unusually long"),
        _by_recency,
    ),
)
