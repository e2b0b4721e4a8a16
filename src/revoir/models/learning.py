"""Learning who leaves from customers whose leaving is known, and choosing what to believe.

Three learners are held against a rule of one figure on customers that they did not see. One is
believed only if it is better than the rule beyond chance there, and not worse on a later period.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from revoir.language import Message, msg, nmsg
from revoir.models.classifiers import (
    FOLDS,
    Fitted,
    Ints,
    fit_logistic,
    fit_rule,
    fit_trees,
    held_out_loss,
    together,
)
from revoir.models.matrix import Matrix
from revoir.models.validation import Bools, Estimate, Floats, beyond_chance, gain, pooled

LEARNERS = ("logistic", "trees", "both")

RULE_CUSTOMERS_MIN = 10
"""Customers of either kind, leavers and stayers, without whom there is no probability at all."""
LEARNER_CUSTOMERS_MIN = 50
"""Customers of either kind without whom a learner is not tried against the rule."""


@dataclass(frozen=True)
class Examples:
    """Customers whose leaving is known, each on one day or on several.

    Attributes:
        matrix: Their features.
        left: Whether they left.
        worth: What they brought in a year; not a number where that is not known.
        customer: The number of the customer of each row.
        folds: The fold of each row; all rows of a customer are in one.
        counts: How many rows each day has, one day after another.
        dated: Whether they were looked at on days; a file that says who left has none.
    """

    matrix: Matrix
    left: Bools
    worth: Floats
    customer: Ints
    folds: Ints
    counts: tuple[int, ...]
    dated: bool = True

    def customers(self, left: bool) -> int:
        """How many customers left, or stayed, on one of the days."""
        return len(np.unique(self.customer[self.left == left]))


@dataclass(frozen=True)
class Learned:
    """What was learned from examples.

    Attributes:
        rule: The rule of one figure.
        learners: The learners by name; none where there are too few customers.
        chosen: The learner that is best on customers left out (None: there is none).
        gain: By how much it is better than the rule there, in log-loss.
        told: By how much it is better there than giving everybody the share who left.
        reason: Why no learner was tried (None: it was).
    """

    rule: Fitted
    learners: Mapping[str, Fitted]
    chosen: str | None
    gain: Estimate | None
    told: Estimate | None
    reason: Message | None

    def named(self, name: str) -> Fitted:
        """The rule or a learner."""
        return self.rule if name == "rule" else self.learners[name]


def marks_of(values: Floats, seed: int = 0) -> npt.NDArray[np.uint64]:
    """Make a number that looks drawn at random from each row of figures.

    Args:
        values: The rows; of numbers as single precision holds them, so that the last bit of a sum
            changes nothing.
        seed: Chooses the numbers.

    Returns:
        One number a row; rows that are alike have the same.

    Examples:
        >>> marks = marks_of(np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0]]))
        >>> bool(marks[0] == marks[2]), bool(marks[0] == marks[1])
        (True, False)
    """
    draw = np.random.default_rng(seed)
    # Not from nothing: a row of zeros would add nothing to its customer.
    marks = np.full(len(values), draw.integers(1, 2**63, dtype=np.uint64))
    for column in values.T:
        # Adding nothing makes one zero of both; every missing value has the same bits.
        single = np.where(np.isnan(column), np.nan, column + 0.0).astype(np.float32)
        factor, shift = draw.integers(0, 2**63, 2, np.uint64) | np.uint64(1)
        marks = (marks ^ (single.view(np.uint32) * factor)) * shift
        marks ^= marks >> np.uint64(29)
    return marks


def folds_of(customers: Ints, marks: npt.NDArray[np.uint64]) -> Ints:
    """Share customers out to folds by what is known of them, and not by what they are called.

    Args:
        customers: The number of the customer of each row, from 0.
        marks: The number that was made from each row (`marks_of`).

    Returns:
        A number from 0 to `FOLDS` − 1 for each row; the rows of a customer have the same, and the
        folds are of one size. Customers who are alike in every row may change places.

    Examples:
        >>> folds_of(np.array([0, 1, 0]), np.array([7, 3, 9], np.uint64)).tolist()
        [1, 0, 1]
    """
    total = np.zeros(int(customers.max(initial=-1)) + 1, np.uint64)
    np.add.at(total, customers, marks)
    place = np.empty(len(total), np.int64)
    place[np.argsort(total, kind="stable")] = np.arange(len(total)) % FOLDS
    return place[customers]


def numbers_of(customers: Sequence[Any], seed: int = 0) -> Ints:
    """A number that looks drawn at random, made from each customer's identifier."""
    salt = zlib.crc32(f"folds {seed}".encode())
    hashed = (zlib.crc32(str(name).encode(), salt) for name in customers)
    # The low bits of a checksum depend on few letters of the name: the high ones are mixed in.
    drawn = np.fromiter(hashed, np.uint64, len(customers)) * np.uint64(0x9E3779B97F4A7C15)
    return (drawn >> np.uint64(33)).astype(np.int64)


def too_few(examples: Examples, least: int) -> Message | None:
    """Why examples are not enough to learn from, where either kind has too few customers."""
    lost, kept = examples.customers(True), examples.customers(False)
    if not examples.dated:
        return _too_few_in_file(lost, kept, least)
    if lost < least:
        return nmsg(
            "Only {n} customer left in the days looked at; {least} are needed.",
            "Only {n} customers left in the days looked at; {least} are needed.",
            lost,
            least=least,
        )
    if kept < least:
        return nmsg(
            "Only {n} customer stayed in the days looked at; {least} are needed.",
            "Only {n} customers stayed in the days looked at; {least} are needed.",
            kept,
            least=least,
        )
    return None


def _too_few_in_file(lost: int, kept: int, least: int) -> Message | None:
    if lost < least:
        return nmsg(
            "Only {n} customer left, by the file; {least} are needed.",
            "Only {n} customers left, by the file; {least} are needed.",
            lost,
            least=least,
        )
    if kept < least:
        return nmsg(
            "Only {n} customer stayed, by the file; {least} are needed.",
            "Only {n} customers stayed, by the file; {least} are needed.",
            kept,
            least=least,
        )
    return None


def learn(
    examples: Examples,
    rule_columns: Sequence[str],
    *,
    wanted: Sequence[str] = LEARNERS,
    seed: int = 0,
) -> Learned:
    """Fit the rule and the learners, and choose among the learners.

    Args:
        examples: The customers.
        rule_columns: The figures that the rule may go by; where the matrix has none, it may go by
            any.
        wanted: Which learners.
        seed: Chooses the samples that trees grow on.

    Returns:
        What was learned.

    Raises:
        ValueError: There are fewer than `RULE_CUSTOMERS_MIN` leavers or stayers.
    """
    if too_few(examples, RULE_CUSTOMERS_MIN):
        raise ValueError("too few customers left or stayed for a rule")
    matrix, left, folds = examples.matrix, examples.left, examples.folds
    columns = [name for name in rule_columns if name in matrix.names] or matrix.names
    rule = fit_rule(matrix, left, folds, columns)
    reason = too_few(examples, LEARNER_CUSTOMERS_MIN)
    if reason is not None or not wanted:
        return Learned(rule, {}, None, None, None, reason)
    learners: dict[str, Fitted] = {}
    if {"logistic", "both"} & set(wanted):
        learners["logistic"] = fit_logistic(matrix, left, folds)
    if {"trees", "both"} & set(wanted):
        learners["trees"] = fit_trees(matrix, left, folds, seed)
    if "both" in wanted:
        learners["both"] = together(learners["logistic"], learners["trees"], left, folds)
    chosen = min(wanted, key=lambda name: held_out_loss(learners[name], left))
    said = learners[chosen].held_out_probabilities
    over_rule = gain(said, rule.held_out_probabilities, left, examples.customer)
    over_share = gain(said, np.full(len(left), left.mean()), left, examples.customer)
    return Learned(rule, learners, chosen, over_rule, over_share, None)


def no_better(learned: Learned, later: Estimate | None) -> Message | None:
    """Why the rule is believed rather than the learner that was chosen.

    Args:
        learned: What was learned.
        later: By how much the learner is better than the rule on a later period, in log-loss
            (None: there is none).

    Returns:
        The reason; None where the learner is better beyond chance, all customers who were not shown
        to it taken together, and not worse on the later period. Where nothing can be told the rule
        says more than there is too; so the learner must also be better than the share who left.
        The best of several is the luckiest too: all are allowed for.
    """
    if learned.gain is None or learned.told is None:
        return learned.reason
    tried = len(learned.learners)
    if not beyond_chance(learned.told, tried):
        return msg(
            "No better than the rule: of the customers learned from, no feature told more of who"
            " left than the share of all who did, beyond chance."
        )
    if later is not None and later.value <= 0:
        return msg(
            "No better than the rule: on the later period, what was learned from all features told"
            " less than the one figure."
        )
    if not beyond_chance(pooled([learned.gain, later] if later else [learned.gain]), tried):
        return msg(
            "No better than the rule: what was learned from all features tells no more than the one"
            " figure, beyond chance."
        )
    return None
