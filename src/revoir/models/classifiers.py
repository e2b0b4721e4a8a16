"""Who will leave, from features: a rule of one figure, a logistic regression, boosted trees, both.

Each is fitted in as many parts as there are folds of customers: what a part says of the customers
that it did not see is what the probabilities are calibrated on and judged by. A new customer is
given what is learned from all of them at once: the mean of the parts would be surer than any of
them, and the calibration of one too timid for it. Everything is in log-odds until the end, so that
contributions of features add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from revoir.models.matrix import Matrix
from revoir.models.validation import Bools, Floats, Line, fit_line, log_losses, sigmoid

Ints = npt.NDArray[np.int64]

FOLDS = 5
PENALTY = 0.1
"""Inverse strength of the ridge penalty on standardised features (scikit-learn's C)."""
ROUNDS_MAX = 600
STRETCH = 50_000
"""Customers that are told of at a time."""
PATIENCE = 30
"""Trees without a gain on the customers left out before no more are added."""


class Part(Protocol):
    """What was learned from some customers."""

    def margins(self, matrix: Matrix) -> Floats:
        """The log-odds of each customer."""

    def contributions(self, matrix: Matrix) -> Floats:
        """What each feature adds to the log-odds of each customer, against the average one."""


Item = TypeVar("Item")
Made = TypeVar("Made")


def side_by_side(make: Callable[[Item], Made], items: Iterable[Item]) -> list[Made]:
    """Do the same to several things at a time, where that is done outside of Python."""
    with ThreadPoolExecutor(FOLDS) as pool:
        return list(pool.map(make, items))


@dataclass(frozen=True)
class Fitted:
    """A classifier with calibrated probabilities.

    Attributes:
        name: "rule", "logistic", "trees" or "both".
        whole: What was learned from all customers.
        held_out: Log-odds of each customer learned from, by a part that did not see them, before
            calibration.
        held_out_probabilities: The same, calibrated on the customers of the other folds.
        line: The calibration: log-odds that are said by log-odds that were learned.
        column: For a rule, the feature it goes by.
    """

    name: str
    whole: Part
    held_out: Floats
    held_out_probabilities: Floats
    line: Line
    column: str | None = None

    def probabilities(self, matrix: Matrix) -> Floats:
        """The calibrated probability that each customer leaves."""
        return sigmoid(self.line.at(_in_stretches(self.whole.margins, matrix)))

    def contributions(self, matrix: Matrix) -> Floats:
        """What each feature adds to the calibrated log-odds of each customer.

        Returns:
            One row a customer, one column a feature: differences from the average customer.
        """
        found: Floats = self.line.slope * _in_stretches(self.whole.contributions, matrix)
        return found


def _in_stretches(told: Callable[[Matrix], Floats], matrix: Matrix) -> Floats:
    """What a part tells of many customers, several stretches of them at a time."""
    begins = range(0, len(matrix), STRETCH)
    if len(begins) < 2:
        return told(matrix)
    rows = [np.arange(begin, min(begin + STRETCH, len(matrix))) for begin in begins]
    return np.concatenate(side_by_side(lambda some: told(matrix.rows(some)), rows))


def fitted(
    name: str, matrix: Matrix, left: Bools, folds: Ints, fit: Callable[[Bools], Part], **more: Any
) -> Fitted:
    """Fit parts without one fold each, and all customers at once, and calibrate.

    Args:
        name: Of the learner.
        matrix: The customers.
        left: Who left.
        folds: The fold of each customer, from 0.
        fit: Learns from the customers that it is told.
        more: Further attributes.
    """
    every = np.ones(len(left), dtype=bool)
    seen = [every, *(folds != fold for fold in range(int(folds.max()) + 1))]
    whole, *parts = side_by_side(fit, seen)
    held_out = np.empty(len(left))
    for fold, part in enumerate(parts):
        out = folds == fold
        held_out[out] = part.margins(matrix.rows(out))
    return _calibrated(name, whole, held_out, left, folds, **more)


def _calibrated(
    name: str, whole: Part, held_out: Floats, left: Bools, folds: Ints, **more: Any
) -> Fitted:
    probabilities = np.empty(len(left))
    for fold in range(int(folds.max()) + 1):
        out = folds == fold
        line = fit_line(held_out[~out], left[~out])
        probabilities[out] = sigmoid(line.at(held_out[out]))
    return Fitted(name, whole, held_out, probabilities, fit_line(held_out, left), **more)


# The rule ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OneFigure:
    """A line on one figure, or a share for each of its texts."""

    place: int
    missing: float
    line: Line | None
    levels: Floats
    centre: float

    def margins(self, matrix: Matrix) -> Floats:
        """The log-odds of each customer."""
        values = matrix.values[:, self.place].astype(np.float64)
        if self.line is None:
            which = np.where(np.isnan(values), len(self.levels) - 1, values).astype(np.int64)
            found: Floats = self.levels[which]
            return found
        return self.line.at(squeezed(np.where(np.isnan(values), self.missing, values)))

    def contributions(self, matrix: Matrix) -> Floats:
        """All of it comes from the one figure."""
        found = np.zeros(matrix.values.shape)
        found[:, self.place] = self.margins(matrix) - self.centre
        return found


def squeezed(values: Floats) -> Floats:
    """Figures on a scale where a doubling counts the same, small or large."""
    found: Floats = np.sign(values) * np.log1p(np.abs(values))
    return found


def fit_rule(matrix: Matrix, left: Bools, folds: Ints, columns: Sequence[str]) -> Fitted:
    """The simple rule: the one figure that tells most, and nothing else.

    Args:
        matrix: The customers.
        left: Who left.
        folds: The fold of each customer, from 0.
        columns: The figures that the rule may go by; the matrix has them.

    Returns:
        The rule, calibrated.
    """

    def loss(column: str) -> float:
        said = sigmoid(_one_figure(matrix, left, column).margins(matrix))
        return float(log_losses(said, left).mean())

    best = min(columns, key=loss)

    def fit(seen: Bools) -> OneFigure:
        return _one_figure(matrix.rows(seen), left[seen], best)

    return fitted("rule", matrix, left, folds, fit, column=best)


def _one_figure(matrix: Matrix, left: Bools, column: str) -> OneFigure:
    place, levels = matrix.names.index(column), len(matrix.levels.get(column, ()))
    figures = matrix.column(column).astype(np.float64)
    if levels:
        return _by_level(figures, left, place, levels)
    known = figures[~np.isnan(figures)]
    missing = float(np.median(known)) if len(known) else 0.0
    x = squeezed(np.where(np.isnan(figures), missing, figures))
    line = fit_line(x, left)
    return OneFigure(place, missing, line, np.empty(0), float(line.at(x).mean()))


def _by_level(figures: Floats, left: Bools, place: int, levels: int) -> OneFigure:
    """The share of each text that left, drawn towards that of all by ten customers."""
    which = np.where(np.isnan(figures), levels, figures).astype(np.int64)
    base = (left.sum() + 1) / (len(left) + 2)
    n = np.bincount(which, minlength=levels + 1)
    lost = np.bincount(which, weights=left, minlength=levels + 1)
    share = (lost + 10 * base) / (n + 10)
    margins = np.log(share / (1 - share))
    return OneFigure(place, 0.0, None, margins, float(margins[which].mean()))


def held_out_loss(one: Fitted, left: Bools) -> float:
    """The mean log-loss on customers that a part did not see."""
    return float(log_losses(one.held_out_probabilities, left).mean())


# The logistic regression -------------------------------------------------------------------------


@dataclass(frozen=True)
class Design:
    """How features become the columns of a regression: squeezed, standardised, texts apart.

    Attributes:
        centre: Mean of each squeezed feature.
        spread: Its standard deviation.
        levels: How many texts each feature has (0: it is a number).
        gaps: Whether customers without a value are told apart.
    """

    centre: Floats
    spread: Floats
    levels: Ints
    gaps: Bools

    @classmethod
    def of(cls, matrix: Matrix) -> Design:
        """The design of the customers that are learned from."""
        count = matrix.values.shape[1]
        centre, spread, gaps = np.zeros(count), np.ones(count), np.zeros(count, bool)
        levels = np.array([len(matrix.levels.get(name, ())) for name in matrix.names], np.int64)
        for place in range(count):
            column = matrix.values[:, place].astype(np.float64)
            missing = np.isnan(column)
            gaps[place] = 0.005 < missing.mean() < 1
            if not levels[place] and not missing.all():
                x = squeezed(column[~missing])
                centre[place], spread[place] = x.mean(), x.std() or 1.0
        return cls(centre, spread, levels, gaps)

    @property
    def owners(self) -> Ints:
        """The feature that each column of the design comes from."""
        width = np.where(self.levels > 0, self.levels, 1) + self.gaps
        return np.repeat(np.arange(len(width)), width)

    def columns(self, matrix: Matrix) -> Floats:
        """The columns of the design."""
        made = np.zeros((len(matrix), len(self.owners)))
        at = 0
        for place in range(matrix.values.shape[1]):
            column = matrix.values[:, place].astype(np.float64)
            missing = np.isnan(column)
            if self.levels[place]:
                for level in range(self.levels[place]):
                    made[:, at] = column == level
                    at += 1
            else:
                x = (squeezed(column) - self.centre[place]) / self.spread[place]
                # Further out than anybody who was learned from, a line says nothing.
                made[:, at] = np.where(missing, 0.0, np.clip(x, -6, 6))
                at += 1
            if self.gaps[place]:
                made[:, at] = missing
                at += 1
        return made


@dataclass(frozen=True)
class Regression:
    """A ridge logistic regression on a design."""

    design: Design
    intercept: float
    weights: Floats
    means: Floats

    def margins(self, matrix: Matrix) -> Floats:
        """The log-odds of each customer."""
        found: Floats = self.intercept + self.design.columns(matrix) @ self.weights
        return found

    def contributions(self, matrix: Matrix) -> Floats:
        """Weight × distance from the mean, summed over the columns of each feature."""
        apart = (self.design.columns(matrix) - self.means) * self.weights
        owners = self.design.owners
        found = np.zeros(matrix.values.shape)
        np.add.at(found.T, owners, apart.T)
        return found


def fit_logistic(matrix: Matrix, left: Bools, folds: Ints) -> Fitted:
    """A logistic regression with a ridge penalty, calibrated."""
    from sklearn.linear_model import LogisticRegression

    design = Design.of(matrix)
    columns = design.columns(matrix)

    def fit(seen: Bools) -> Regression:
        model = LogisticRegression(C=PENALTY, solver="newton-cholesky").fit(
            columns[seen], left[seen]
        )
        weights, means = model.coef_[0], columns[seen].mean(axis=0)
        return Regression(design, float(model.intercept_[0]), weights, means)

    return fitted("logistic", matrix, left, folds, fit)


# Boosted trees -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trees:
    """Gradient-boosted trees of LightGBM."""

    booster: Any
    rounds: int

    def margins(self, matrix: Matrix) -> Floats:
        """The log-odds of each customer."""
        found = self.booster.predict(
            matrix.values, raw_score=True, num_iteration=self.rounds, num_threads=1
        )
        return np.asarray(found)

    def contributions(self, matrix: Matrix) -> Floats:
        """Shapley values of the features, by TreeSHAP."""
        found = self.booster.predict(
            matrix.values, pred_contrib=True, num_iteration=self.rounds, num_threads=1
        )
        return np.asarray(found)[:, :-1]


def fit_trees(matrix: Matrix, left: Bools, folds: Ints, seed: int) -> Fitted:
    """Gradient-boosted trees, as many as are best for customers left out, calibrated.

    Source:
        Ke et al. (2017), LightGBM, NeurIPS 30; contributions: Lundberg et al. (2020), Nature
        Machine Intelligence 2, 56–67.
    """
    import lightgbm

    settings = _settings(matrix, seed)
    grown = side_by_side(
        lambda fold: _grown(matrix, left, folds != fold, settings), range(int(folds.max()) + 1)
    )
    # One number of trees for all parts: chosen for each, it would suit the customers left out.
    shortest = min(len(losses) for _, losses in grown)
    sizes = np.bincount(folds)
    total = sum(losses[:shortest] * size for (_, losses), size in zip(grown, sizes, strict=True))
    rounds = int(np.argmin(total)) + 1
    held_out = np.empty(len(left))
    for fold, (booster, _losses) in enumerate(grown):
        out = folds == fold
        held_out[out] = Trees(booster, rounds).margins(matrix.rows(out))
    every = np.ones(len(left), dtype=bool)
    booster = lightgbm.train(settings, _known(matrix, left, every, settings), rounds)
    return _calibrated("trees", Trees(booster, rounds), held_out, left, folds)


def _settings(matrix: Matrix, seed: int) -> dict[str, Any]:
    """How trees grow, by how many customers there are."""
    count = len(matrix)
    return {
        "objective": "binary",
        "learning_rate": 0.05 if count < 50_000 else 0.1,
        "num_leaves": 7 if count < 50_000 else 15,
        "min_data_in_leaf": int(np.clip(count // 50, 10, 200)),
        "lambda_l2": 10.0,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "cat_smooth": 20.0,
        "min_data_per_group": 50,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        # Folds grow side by side. Several threads for one tree wait for each other at every step,
        # and wait busily: beside other work on the machine they take ten times as long as one.
        "num_threads": 1,
        "verbosity": -1,
    }


def _known(matrix: Matrix, left: Bools, seen: Bools, settings: dict[str, Any], **more: Any) -> Any:
    """Some customers as LightGBM takes them."""
    import lightgbm

    texts = [matrix.names.index(name) for name in matrix.levels]
    return lightgbm.Dataset(
        matrix.values[seen], left[seen].astype(np.float64), params=settings,
        categorical_feature=texts, **more,
    )  # fmt: skip


def _grown(
    matrix: Matrix, left: Bools, seen: Bools, settings: dict[str, Any]
) -> tuple[Any, Floats]:
    """Trees grown on some customers, and the loss on the others after each."""
    import lightgbm

    known = _known(matrix, left, seen, settings)
    unseen = lightgbm.Dataset(
        matrix.values[~seen], left[~seen].astype(np.float64), params=settings, reference=known,
    )  # fmt: skip
    record: dict[str, Any] = {}
    stop: Callable[..., Any] = lightgbm.early_stopping(PATIENCE, verbose=False)
    booster = lightgbm.train(
        settings, known, ROUNDS_MAX, valid_sets=[unseen],
        callbacks=[lightgbm.record_evaluation(record), stop],
    )  # fmt: skip
    return booster, np.asarray(record["valid_0"]["binary_logloss"])


# Both --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mean:
    """The mean of two parts, in log-odds."""

    one: Part
    other: Part

    def margins(self, matrix: Matrix) -> Floats:
        """The log-odds of each customer."""
        return (self.one.margins(matrix) + self.other.margins(matrix)) / 2

    def contributions(self, matrix: Matrix) -> Floats:
        """The mean of both."""
        return (self.one.contributions(matrix) + self.other.contributions(matrix)) / 2


def together(logistic: Fitted, trees: Fitted, left: Bools, folds: Ints) -> Fitted:
    """The mean of a logistic regression and trees: what one overstates the other mends."""
    held_out = (logistic.held_out + trees.held_out) / 2
    return _calibrated("both", Mean(logistic.whole, trees.whole), held_out, left, folds)
