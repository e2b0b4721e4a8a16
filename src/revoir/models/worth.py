"""What customers will bring in within a time: expected, and between which bounds.

*What is meant by the bounds.* They hold what happens, not what is expected: a customer expected
to spend 40 € may spend nothing or 200 €. They allow for the customer's own chance (coming back or
not, how often, for how much) and for how well the parameters are known. In a small shop the
second counts as much as the first; with thousands of customers it no longer shows for one of
them, only in their total.

*How.* Given the parameters, the amount W of a customer is nothing with probability P(0), and its
mean and mean square follow from the moments of the number of purchases N and from the Gamma-Gamma
model:

    E[W] = p c / (Q − 1) E[N],   E[W²] = c² / ((Q − 1) (Q − 2)) (p E[N] + p² E[N²])

with c = v + x m̄ and Q = q + p x. These are averaged over parameters drawn from their posterior;
above nothing, W is taken to be lognormal with that mean and variance. Where nothing is likelier
than the lower bound allows for, the bounds run from nothing to the amount that 90 in 100 stay
below, and are central otherwise. For the total the means and variances of all customers add up
for each draw, and the bounds are those of the mixture of lognormals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from revoir.errors import UsageError
from revoir.language import msg
from revoir.models.counts import Counts, Floats, Ints
from revoir.models.gamma_gamma import GammaGamma
from revoir.models.transactions import Ahead, TransactionModel

DRAWN_CUSTOMERS_MAX = 5_000
"""Customers whose bounds allow for the parameters one by one; of more, a sample tells the total."""

DRAWS = 200
"""Sets of parameters drawn where each customer's bounds need them."""

_SPREAD_MIN = 0.5
"""Least Q − 2: below it the mean square has no limit, and the bounds would have none."""


@dataclass(frozen=True)
class Bounds:
    """An expected figure with its bounds.

    Attributes:
        value: The expectation.
        low: Lower bound.
        high: Upper bound.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Worth:
    """What each customer will bring in; arrays have one value a customer.

    Attributes:
        purchases: Expected purchases.
        p_alive: Probability of not having left.
        p_purchase: Probability of at least one purchase.
        value: Expected amount of a purchase (None: amounts are not known; not a number of whom none
            is).
        amount: Expected amount in all, by margin and discount (likewise).
        low: Lower bound of what is brought in: of `amount`, or of `purchases` without amounts.
        high: Upper bound.
        total: Of all customers together (of those with an `amount`, where some have none).
        total_purchases: Expected purchases of all customers.
    """

    purchases: Floats
    p_alive: Floats
    p_purchase: Floats
    value: Floats | None
    amount: Floats | None
    low: Floats
    high: Floats
    total: Bounds
    total_purchases: float


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        horizon: How far to look, in the unit of the histories.
        rate: Continuous discount rate per unit of time.
        margin: What is kept of an amount.
        confidence: Probability that the bounds hold.
    """

    horizon: float
    rate: float = 0.0
    margin: float = 1.0
    confidence: float = 0.9


def check_figures(discount: float, confidence: float) -> None:
    """Refuse what no answer can go by, whether purchases or contracts are asked about.

    Args:
        discount: Yearly discount rate.
        confidence: Probability that the bounds are to hold.

    Raises:
        UsageError: One is out of its range.
    """
    if not 0 <= discount < 1:
        raise UsageError(
            msg("A discount of {rate} a year makes no sense.", rate=discount),
            remedy=msg("Write 0.1 for 10% a year."),
        )
    if not 0.5 <= confidence < 1:
        raise UsageError(
            msg("Bounds cannot hold with probability {share}.", share=confidence),
            remedy=msg("Choose 0.5 or more, and less than 1."),
        )


@dataclass(frozen=True)
class Spent:
    """What customers spent, with the model of it.

    Attributes:
        model: A fitted model of amounts.
        frequency: Repeat purchases of each customer whose amounts are known.
        monetary_value: Mean amount of them.
        known: Of whom the amount of some purchase is known (None: of everybody). The others have no
            worth, and are in no total.
    """

    model: GammaGamma
    frequency: Floats
    monetary_value: Floats
    known: npt.NDArray[np.bool_] | None = None

    def of(self, customers: Ints) -> Spent:
        """Of some customers."""
        return replace(
            self,
            frequency=self.frequency[customers],
            monetary_value=self.monetary_value[customers],
            known=None if self.known is None else self.known[customers],
        )


def worth(
    model: TransactionModel,
    counts: Counts,
    question: Question,
    spent: Spent | None = None,
    *,
    seed: int = 0,
) -> Worth:
    """Say what customers will bring in.

    Args:
        model: A fitted model of purchases.
        counts: The histories of the customers, each customer's row in `counts.at`.
        question: What is asked.
        spent: What they spent, in the order of `counts.at` (None: purchases alone).
        seed: Chooses the draw of parameters.

    Returns:
        One value a customer, in the order of `counts.at`.
    """
    at = counts.at
    ahead = model.ahead(question.horizon, counts)
    found = _moments(model, counts, question, spent, ahead)
    totals, theirs = _drawn(model, counts, question, spent, seed)
    low, high = _bounds(found if theirs is None else theirs, question.confidence)
    sums = _sums(found, spent)
    unknown = False if spent is None or spent.known is None else ~spent.known

    def where_known(values: Floats) -> Floats:
        return np.where(unknown, np.nan, values)

    return Worth(
        purchases=ahead.mean[at],
        p_alive=ahead.alive[at],
        p_purchase=1 - ahead.none[at],
        value=None
        if spent is None
        else where_known(spent.model.expected_value(spent.frequency, spent.monetary_value)),
        amount=None if spent is None else where_known(found[1]),
        # Of those who are as good as gone the expectation is more than any likely outcome.
        low=where_known(np.minimum(low, found[1])),
        high=where_known(np.maximum(high, found[1])),
        total=mixture_bounds(float(sums[0]), totals * sums, question.confidence),
        total_purchases=float(ahead.mean[at].sum()),
    )


def _drawn(
    model: TransactionModel, counts: Counts, question: Question, spent: Spent | None, seed: int
) -> tuple[Floats, Floats | None]:
    """How much the parameters that the data leave possible change the answer.

    Returns:
        For each set of parameters the mean and the variance of the total, as multiples of those
        under the fitted ones; and the mean moments of each customer (None: customers are many, and
        the multiples come from some of them).
    """
    everyone = len(counts.at) <= DRAWN_CUSTOMERS_MAX
    draws = DRAWS if everyone else DRAWS // 2
    if not everyone:
        chosen = _sampled(counts, spent, seed)
        counts, spent = _part(counts, chosen), None if spent is None else spent.of(chosen)
    fitted = _sums(_moments(model, counts, question, spent), spent)
    spending = [] if spent is None else spent.model.draw(draws, seed=seed + 1)
    totals, moments = np.empty((draws, 2)), np.zeros((3, len(counts.at)))
    for place, one in enumerate(model.draw(draws, seed=seed)):
        theirs = None if spent is None else replace(spent, model=spending[place])
        here = _moments(one, counts, question, theirs)
        totals[place] = _sums(here, spent) / fitted
        moments += here / draws
    return totals, moments if everyone else None


def _sums(moments: Floats, spent: Spent | None) -> Floats:
    """Mean and variance of the total of those whose amounts are known."""
    known = None if spent is None else spent.known
    _, mean, squares = moments if known is None else moments[:, known]
    return np.maximum([mean.sum(), (squares - mean**2).sum()], 1e-300)


def _moments(
    model: TransactionModel,
    counts: Counts,
    question: Question,
    spent: Spent | None,
    ahead: Ahead | None = None,
) -> Floats:
    """Three rows by customer: P(nothing), mean and mean square of what they bring in."""
    ahead = ahead or model.ahead(question.horizon, counts)
    mean, squares = ahead.mean, ahead.squares
    if question.rate:
        kept = model.discounted(question.horizon, question.rate, counts) / np.maximum(mean, 1e-300)
        mean, squares = mean * kept, squares * kept**2
    at = counts.at
    none, mean, squares = ahead.none[at], mean[at], squares[at]
    if spent is None:
        return np.stack([none, mean, squares])
    scale, shape = spent.model.posterior(spent.frequency, spent.monetary_value)
    p = spent.model.parameters_["p"]
    scale = scale * question.margin
    amount = p * scale / (shape - 1) * mean
    spread = (shape - 1) * np.maximum(shape - 2, _SPREAD_MIN)
    return np.stack([none, amount, scale**2 / spread * (p * mean + p**2 * squares)])


def _sampled(counts: Counts, spent: Spent | None, seed: int) -> Ints:
    """Some customers, drawn from their histories in order: their names change nothing.

    Equal histories stand in the order of what was spent; only those that are drawn from are sorted.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(counts.at), DRAWN_CUSTOMERS_MAX, replace=False)
    ends = np.cumsum(counts.n.astype(np.int64))
    history = np.searchsorted(ends, drawn, side="right")
    wanted = np.zeros(len(ends), dtype=np.bool_)
    wanted[history] = True
    theirs = np.flatnonzero(wanted[counts.at])
    keys = (counts.at,) if spent is None else (spent.monetary_value, counts.at)
    theirs = theirs[np.lexsort([key[theirs] for key in keys])]
    # How many customers come before the drawn one who are not looked at.
    skipped = ends - np.cumsum(np.where(wanted, counts.n, 0).astype(np.int64))
    found: Ints = theirs[drawn - skipped[history]]
    return found


def _part(counts: Counts, customers: Ints) -> Counts:
    """The histories of some customers."""
    rows, at = np.unique(counts.at[customers], return_inverse=True)
    n = np.bincount(at).astype(np.float64)
    return Counts(counts.x[rows], counts.t_x[rows], counts.T[rows], n, at)


def _bounds(moments: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Between which bounds lies an amount that is nothing or lognormal."""
    from scipy.special import ndtri

    none, mean, squares = moments
    some = np.maximum(1 - none, 1e-12)  # so seldom that no bound shows it
    centre, spread = _lognormal(mean / some, squares / some - (mean / some) ** 2)
    tail = (1 - confidence) / 2
    open_below = none >= tail

    def quantile(share: Floats) -> Floats:
        """Below which amount a share of all outcomes stays."""
        among_some = (share - none) / some
        found = np.exp(centre + spread * ndtri(np.clip(among_some, 1e-12, 1 - 1e-12)))
        return np.where(among_some > 0, found, 0.0)

    high = quantile(np.where(open_below, confidence, 1 - tail))
    low = np.where(open_below, 0.0, quantile(np.full_like(none, tail)))
    return low, high


def _lognormal(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the logarithm."""
    mean = np.maximum(mean, 1e-300)
    square = np.log1p(np.maximum(variance, 0) / mean**2)
    return np.log(mean) - square / 2, np.sqrt(square)


def mixture_bounds(value: float, drawn: Floats, confidence: float) -> Bounds:
    """Bounds of a total under several sets of parameters, lognormal under each.

    Args:
        value: The expected total.
        drawn: A row a set: mean and variance of the total.
        confidence: Probability that the bounds are to hold.

    Returns:
        The total with its bounds.
    """
    from scipy.special import ndtr

    if not value > 0:
        return Bounds(value, 0.0, 0.0)
    centre, spread = _lognormal(drawn[:, 0], drawn[:, 1])
    spread = np.maximum(spread, 1e-9)

    def quantile(share: float) -> float:
        low, high = float((centre - 12 * spread).min()), float((centre + 12 * spread).max())
        for _ in range(60):
            middle = (low + high) / 2
            if ndtr((middle - centre) / spread).mean() < share:
                low = middle
            else:
                high = middle
        return float(np.exp(high))

    tail = (1 - confidence) / 2
    return Bounds(value, quantile(tail), quantile(1 - tail))
