"""The trial of what was learned: on a later period, or on customers left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from revoir.language import Message, msg
from revoir.models.card import Lists
from revoir.models.classifiers import Ints
from revoir.models.departures import Definition
from revoir.models.features.compute import Choice
from revoir.models.learning import (
    LEARNERS,
    RULE_CUSTOMERS_MIN,
    Examples,
    Learned,
    learn,
    no_better,
    too_few,
)
from revoir.models.snapshots import Snapshot, examples_of
from revoir.models.validation import (
    Bools,
    Estimate,
    Floats,
    Judgement,
    auc,
    gain,
    in_the_large,
    judge,
    top,
)

SHARES = (0.05, 0.10, 0.20)
"""Shares of the customers that a list may name."""


@dataclass(frozen=True)
class Trial:
    """What was learned, and what it said of customers whose leaving is known but was not shown.

    Attributes:
        tested_on: "later" or "others" (see `Card`).
        learned: What was learned.
        examples: From whom.
        learned_on: The snapshots it was learned from.
        probabilities: What the rule and each learner said of the customers of the test.
        left: Which of those left.
        worth: What they brought in a year.
    """

    tested_on: str
    learned: Learned
    examples: Examples
    learned_on: tuple[Snapshot, ...]
    probabilities: Mapping[str, Floats]
    left: Bools
    worth: Floats

    @property
    def gain(self) -> Estimate | None:
        """By how much the learner that was chosen beat the rule in the test, in log-loss.

        On a later period both are first brought to the number who left: which of them happened to
        expect it better is chance.
        """
        if self.learned.chosen is None:
            return None
        chosen, rule = (self.probabilities[name] for name in (self.learned.chosen, "rule"))
        if self.tested_on == "later":
            chosen, rule = (in_the_large(said, self.left) for said in (chosen, rule))
        return gain(chosen, rule, self.left)

    @property
    def refusal(self) -> Message | None:
        """Why the rule is to be used rather than a learner."""
        return no_better(self.learned, self.gain if self.tested_on == "later" else None)

    @property
    def used(self) -> str:
        """What is to be used."""
        return self.learned.chosen if self.learned.chosen and self.refusal is None else "rule"

    @property
    def can_be_judged(self) -> bool:
        """Whether enough customers of the test left, and enough stayed, to say how good it was."""
        return min(int(self.left.sum()), int((~self.left).sum())) >= RULE_CUSTOMERS_MIN

    @property
    def judged(self) -> dict[str, Judgement]:
        """How good the rule and each learner were in the test."""
        if not self.can_be_judged:
            return {}
        return {name: judge(said, self.left) for name, said in self.probabilities.items()}

    @property
    def lists(self) -> tuple[Lists, ...]:
        """What lists made of the customers of the test would have been worth."""
        if not self.can_be_judged:
            return ()
        risk = self.probabilities[self.used]
        orders = ("risk",) if np.isnan(self.worth).all() else ("stake", "risk")
        return tuple(_lists(by, risk, self.left, self.worth) for by in orders)

    @property
    def by_fold(self) -> tuple[float, ...]:
        """How well each part ranked the customers it did not see, fold by fold."""
        said = self.learned.named(self.used).held_out
        folds, left = self.examples.folds, self.examples.left
        return tuple(
            auc(said[folds == fold], left[folds == fold]).value
            for fold in range(int(folds.max()) + 1)
            if 0 < left[folds == fold].sum() < (folds == fold).sum()
        )

    @property
    def by_day(self) -> dict[str, float]:
        """How well customers were ranked on each day by the part that did not see them."""
        said = self.learned.named(self.used).held_out
        found, start = {}, 0
        for look, count in zip(self.learned_on, self.examples.counts, strict=True):
            rows = slice(start, start + count)
            start += count
            left = self.examples.left[rows]
            if look.day is not None and 0 < left.sum() < count:
                found[look.day.isoformat()] = auc(said[rows], left).value
        return found


def stake(probability: Floats, worth: Floats) -> Floats:
    """What is at stake with each customer: probability × worth, nothing where that is not known."""
    known: Floats = probability * np.maximum(np.nan_to_num(worth, nan=0.0), 0.0)
    return known


def listed(by: str, probability: Floats, worth: Floats) -> Ints:
    """The rows of a list of customers to save, the most pressing first.

    Args:
        by: "risk": the most probable leavers first. "stake": of those more likely to leave than the
            average, the ones with most at stake first; then the others likewise. Without that, the
            list would be led by the best customers, whose small risk is a large sum.
        probability: Of each customer.
        worth: Of each customer, in a year.

    Returns:
        The numbers of the rows; equal ones stay in order.
    """
    if by == "risk" or not len(probability):
        return np.argsort(-probability, kind="stable")
    at_risk = probability > probability.mean()
    return np.lexsort((-probability, -stake(probability, worth), ~at_risk))


def _lists(by: str, probability: Floats, left: Bools, worth: Floats) -> Lists:
    order = listed(by, probability, worth)
    score = np.empty(len(order))
    score[order] = np.arange(len(order), 0, -1)
    counts = tuple(top(score, left, share) for share in SHARES)
    if np.isnan(worth).all():
        return Lists(by, counts, None, None)
    lost = np.where(left, np.maximum(np.nan_to_num(worth, nan=0.0), 0.0), 0.0)
    named = tuple(float(lost[order[: one.n]].sum()) for one in counts)
    return Lists(by, counts, named, float(lost.sum()))


def trial(
    looks: Sequence[Snapshot],
    definition: Definition,
    choice: Choice,
    rule_columns: Sequence[str],
    seed: int,
) -> Trial | Message:
    """Learn from earlier days and test on the latest whose outcome is known.

    Args:
        looks: The snapshots, the latest first; outcomes are known.
        definition: What leaving means.
        choice: The features.
        rule_columns: The figures that the rule may go by.
        seed: Chooses folds, shares and trees.

    Returns:
        The trial, or why there are too few customers for any. What was known on the day of the test
        is all that was learned from: days whose window had not gone by then are left out. Where no
        day is left, or too few customers on them, all days are learned from and the customers of
        the latest are each judged by the part that did not see them.
    """
    window = definition.window_days
    latest = looks[0]
    earlier = [
        one
        for one in looks
        if window is not None and one.day and latest.day and (latest.day - one.day).days >= window
    ]
    if earlier:
        examples = examples_of(earlier, choice, seed)
        if examples.matrix.names and too_few(examples, RULE_CUSTOMERS_MIN) is None:
            learned = learn(examples, rule_columns, seed=seed)
            matrix = latest.matrix(choice, examples.matrix.levels)
            said = {
                name: learned.named(name).probabilities(matrix)
                for name in ("rule", *(name for name in LEARNERS if name in learned.learners))
            }
            return Trial(
                "later", learned, examples, tuple(earlier), said, latest.left, latest.worth
            )
    examples = examples_of(looks, choice, seed)
    if not examples.matrix.names:
        return msg("There is nothing to learn from.")
    reason = too_few(examples, RULE_CUSTOMERS_MIN)
    if reason is not None:
        return reason
    learned = learn(examples, rule_columns, seed=seed)
    return _on_others(learned, examples, looks)


def _on_others(
    learned: Learned,
    examples: Examples,
    looks: Sequence[Snapshot],
) -> Trial:
    """The customers of the latest day, each judged by the part that did not see them."""
    rows = slice(0, examples.counts[0])
    said = {
        name: learned.named(name).held_out_probabilities[rows]
        for name in ("rule", *(name for name in LEARNERS if name in learned.learners))
    }
    left, worth = examples.left[rows], examples.worth[rows]
    return Trial("others", learned, examples, tuple(looks), said, left, worth)
