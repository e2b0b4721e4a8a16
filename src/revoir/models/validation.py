"""How good probabilities are: ranking, calibration, lift, and what they gain over other ones.

Numbers in, estimates out; every estimate has its interval. Nothing here knows what is predicted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from revoir.experiments.intervals import wilson

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

Z = 1.959963984540054
"""Standard errors on either side of a 95 % interval."""
_CLIP = 1e-7


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval.

    Attributes:
        value: The figure.
        low: The lower end.
        high: The upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Judgement:
    """How good probabilities were for customers whose leaving is known.

    Attributes:
        customers: How many customers.
        left: How many of them left.
        expected: How many were expected to.
        auc: How often a leaver was put before a stayer.
        log_loss: Mean of minus the logarithm of the probability given to what happened.
        brier: Mean square of probability less outcome.
        slope: Of the calibration: 1 where probabilities are right, below 1 where too extreme.
        curve: Customers in groups of about equal probability.
    """

    customers: int
    left: int
    expected: float
    auc: Estimate
    log_loss: float
    brier: float
    slope: Estimate
    curve: tuple[Bin, ...]


def judge(probability: Floats, left: Bools) -> Judgement:
    """Hold probabilities against what happened.

    Args:
        probability: Of leaving, one a customer.
        left: Who left; both kinds are needed.

    Returns:
        How good they were.

    Source:
        Calibration slope: Cox (1958), Biometrika 45, 562–565; Van Calster et al. (2016), Journal of
        Clinical Epidemiology 74, 167–176, section 3.
    """
    return Judgement(
        len(left),
        int(left.sum()),
        float(probability.sum()),
        auc(probability, left),
        float(log_losses(probability, left).mean()),
        float(((probability - left) ** 2).mean()),
        fit_line(log_odds(probability), left).slope_estimate,
        calibration_curve(probability, left),
    )


@dataclass(frozen=True)
class Bin:
    """Customers of about the same predicted probability.

    Attributes:
        n: How many they are.
        predicted: Their mean probability.
        left: How many of them left.
        low: Lower end of the 95 % interval of the share that left.
        high: Its upper end.
    """

    n: int
    predicted: float
    left: int
    low: float
    high: float

    @property
    def observed(self) -> float:
        """The share that left."""
        return self.left / self.n


@dataclass(frozen=True)
class Line:
    """A logistic regression on one variable: log-odds = intercept + slope × x.

    Attributes:
        intercept: At x = 0.
        slope: By unit of x.
        covariance: Of the two.
    """

    intercept: float
    slope: float
    covariance: Floats

    def at(self, x: Floats) -> Floats:
        """The log-odds at each x."""
        return self.intercept + self.slope * x

    @property
    def slope_estimate(self) -> Estimate:
        """The slope with its interval (Wald's)."""
        half = Z * math.sqrt(self.covariance[1, 1])
        return Estimate(self.slope, self.slope - half, self.slope + half)


def sigmoid(log_odds: Floats) -> Floats:
    """The probability of each log-odds."""
    found: Floats = 1 / (1 + np.exp(-np.clip(log_odds, -35, 35)))
    return found


def log_odds(probability: Floats) -> Floats:
    """The log-odds of each probability, those of 0 and 1 kept finite."""
    kept = np.clip(probability, _CLIP, 1 - _CLIP)
    found: Floats = np.log(kept / (1 - kept))
    return found


def fit_line(x: Floats, left: Bools) -> Line:
    """Fit a logistic regression on one variable.

    Outcomes are drawn towards even by one case a side, as Platt (1999) proposes, so that a perfect
    separation of few customers does not make anybody certain to leave.

    Args:
        x: The variable, one value a customer.
        left: Who left.

    Returns:
        The line, at the maximum of the likelihood.

    Source:
        Platt (1999), Probabilistic outputs for support vector machines, section 2.2; Newton's steps
        as Lin, Lin & Weng (2007), Machine Learning 68, 267–276, halved where they overshoot.

    Examples:
        >>> x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0] * 40)
        >>> left = np.random.default_rng(1).random(200) < 1 / (1 + np.exp(-x))
        >>> 0.6 < fit_line(x, left).slope < 1.4
        True
    """
    leavers = float(left.sum())
    stayers = len(left) - leavers
    target = np.where(left, (leavers + 1) / (leavers + 2), 1 / (stayers + 2))
    design = np.column_stack([np.ones(len(x)), x])
    beta = np.array([math.log((leavers + 1) / (stayers + 1)), 0.0])
    value = _cross_entropy(design @ beta, target)
    for _ in range(100):
        expected = sigmoid(design @ beta)
        weight = expected * (1 - expected)
        hessian = design.T @ (design * weight[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, design.T @ (target - expected))
        size = 1.0
        while (there := _cross_entropy(design @ (beta + size * step), target)) > value + 1e-12:
            size /= 2
            if size < 1e-8:
                break
        beta, gained, value = beta + size * step, value - there, there
        if gained < 1e-10 * (1 + abs(value)):
            break
    covariance = np.asarray(np.linalg.inv(hessian), dtype=np.float64)
    return Line(float(beta[0]), float(beta[1]), covariance)


def _cross_entropy(margin: Floats, target: Floats) -> float:
    """Minus the log-likelihood of outcomes between 0 and 1."""
    return float((np.logaddexp(0, margin) - target * margin).sum())


def log_losses(probability: Floats, left: Bools) -> Floats:
    """Minus the logarithm of the probability that was given to what happened, by customer."""
    kept = np.clip(probability, _CLIP, 1 - _CLIP)
    found: Floats = -np.log(np.where(left, kept, 1 - kept))
    return found


def gain(better: Floats, other: Floats, left: Bools, customer: Ints | None = None) -> Estimate:
    """By how much one set of probabilities is more informative than another.

    Args:
        better: The first probabilities.
        other: The second, of the same rows.
        left: Who left.
        customer: The number of the customer of each row, where one has several (None: none has);
            it is customers that were drawn, not rows.

    Returns:
        The mean log-loss of the second less that of the first (positive: the first is better), with
        the interval of a mean of paired differences.
    """
    difference = log_losses(other, left) - log_losses(better, left)
    mean = float(difference.mean())
    apart: Floats = difference - mean
    if customer is not None:
        summed: Floats = np.bincount(customer, weights=apart).astype(np.float64)
        apart = summed[np.bincount(customer) > 0]
    n = len(apart)
    half = Z * math.sqrt(float(apart @ apart) * n / max(n - 1, 1)) / len(difference)
    return Estimate(mean, mean - half, mean + half)


def in_the_large(probability: Floats, left: Bools) -> Floats:
    """Probabilities shifted, all alike in log-odds, so that they add up to those who left.

    A period in which more customers leave than before makes every set of probabilities wrong by
    about as much; what is left is how well it tells customers apart.

    Examples:
        >>> shifted = in_the_large(np.array([0.2, 0.2, 0.5]), np.array([True, False, True]))
        >>> round(float(shifted.sum()), 6)
        2.0
    """
    margin = log_odds(probability)
    aim = min(max(float(left.sum()), 0.5), len(left) - 0.5)
    low, high = -40.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        if float(sigmoid(margin + middle).sum()) < aim:
            low = middle
        else:
            high = middle
    return sigmoid(margin + high)


def pooled(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of independent estimates of one thing, each weighed by its precision.

    Examples:
        >>> found = pooled([Estimate(1.0, 0.0, 2.0), Estimate(2.0, 1.0, 3.0)])
        >>> found.value, round(found.low, 2)
        (1.5, 0.79)
    """
    spread = [max((one.high - one.low) / (2 * Z), 1e-12) for one in estimates]
    weights = [1 / one**2 for one in spread]
    total = sum(weights)
    value = sum(w * one.value for w, one in zip(weights, estimates, strict=True)) / total
    half = Z / math.sqrt(total)
    return Estimate(value, value - half, value + half)


def beyond_chance(estimate: Estimate, tried: int = 1) -> bool:
    """Whether what was estimated is more than nothing, beyond chance.

    Args:
        estimate: With its 95 % interval.
        tried: Of how many it is the best: the interval of each is so much surer (Bonferroni).

    Examples:
        >>> found = Estimate(1.0, 0.1, 1.9)
        >>> beyond_chance(found), beyond_chance(found, tried=3)
        (True, False)
    """
    surer = NormalDist().inv_cdf(1 - 0.025 / tried) / Z
    return estimate.value - surer * (estimate.value - estimate.low) > 0


def auc(score: Floats, left: Bools) -> Estimate:
    """The probability that a leaver has a higher score than a stayer (area under the ROC curve).

    Args:
        score: The scores; equal ones count half.
        left: Who left; both kinds are needed.

    Returns:
        The area, with the interval on the scale of its log-odds, which keeps it below 1.

    Raises:
        ValueError: Nobody left, or everybody did.

    Source:
        DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837–845, by the ranks of Sun & Xu
        (2014), IEEE Signal Processing Letters 21, 1389–1393.

    Examples:
        >>> found = auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
        >>> found.value
        0.75
    """
    from scipy.stats import rankdata

    m, n = int(left.sum()), int((~left).sum())
    if not m or not n:
        raise ValueError("ranking needs customers who left and customers who stayed")
    among_all = rankdata(score)
    above = (among_all[left] - rankdata(score[left])) / n
    below = 1 - (among_all[~left] - rankdata(score[~left])) / m
    area = float(above.mean())
    variance = _variance(above) / m + _variance(below) / n
    if not 0 < area < 1:
        return Estimate(area, *wilson(area * min(m, n), min(m, n)))
    half = Z * math.sqrt(variance) / (area * (1 - area))
    middle = math.log(area / (1 - area))
    low, high = (1 / (1 + math.exp(-end)) for end in (middle - half, middle + half))
    return Estimate(area, low, high)


def _variance(values: Floats) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.25


def calibration_curve(probability: Floats, left: Bools, bins: int = 10) -> tuple[Bin, ...]:
    """Cut customers into groups of about equal size by their probability.

    Args:
        probability: The probabilities; equal ones stay together.
        left: Who left.
        bins: How many groups at most.

    Returns:
        The groups that have anybody, from the lowest probability to the highest.
    """
    edges = np.quantile(probability, np.arange(1, bins) / bins, method="inverted_cdf")
    which = np.searchsorted(edges, probability, side="left")
    found = []
    for index in range(bins):
        inside = which == index
        n, lost = int(inside.sum()), int(left[inside].sum())
        if n:
            found.append(Bin(n, float(probability[inside].mean()), lost, *wilson(lost, n)))
    return tuple(found)


@dataclass(frozen=True)
class Top:
    """The customers whom a ranking puts first.

    Attributes:
        share: Which share of all they are.
        n: How many.
        left: How many of them left.
        low: Lower end of the 95 % interval of the share that left.
        high: Its upper end.
        base: The share of all customers that left.
        caught: Which share of all who left they are.
    """

    share: float
    n: int
    left: int
    low: float
    high: float
    base: float
    caught: float

    @property
    def rate(self) -> float:
        """The share of them that left."""
        return self.left / self.n

    @property
    def lift(self) -> float:
        """How many times more often they left than all customers did."""
        return self.rate / self.base


def top(score: Floats, left: Bools, share: float) -> Top:
    """How many of those whom a ranking puts first did leave.

    Args:
        score: What customers are ranked by, the highest first.
        left: Who left; somebody did.
        share: Which share of the customers is looked at, one customer or more.

    Returns:
        The count.

    Examples:
        >>> found = top(np.arange(10.0), np.arange(10) >= 6, 0.2)
        >>> found.n, found.left, round(found.lift, 2), found.caught
        (2, 2, 2.5, 0.5)
    """
    n = max(1, round(share * len(score)))
    first = np.argsort(-score, kind="stable")[:n]
    lost, everyone = int(left[first].sum()), int(left.sum())
    base = everyone / len(left)
    return Top(share, n, lost, *wilson(lost, n), base, lost / everyone)


def stability_index(before: Sequence[float], now: Sequence[float]) -> float:
    """The population stability index of two distributions over the same bins.

    Args:
        before: Counts by bin of the customers that a model learned from.
        now: Counts by bin of other customers.

    Returns:
        The index: below 0.1 hardly a change, above 0.25 a large one. Half a customer is added to
        each bin, so that an empty one stays finite.

    Source:
        Siddiqi (2006), Credit Risk Scorecards, chapter 8; the sum of Kullback & Leibler (1951).

    Examples:
        >>> round(stability_index([100, 100], [100, 100]), 3)
        0.0
        >>> round(stability_index([100, 100], [150, 50]), 2)
        0.27
    """
    one, other = np.asarray(before, np.float64) + 0.5, np.asarray(now, np.float64) + 0.5
    one, other = one / one.sum(), other / other.sum()
    return float(((other - one) * np.log(other / one)).sum())
