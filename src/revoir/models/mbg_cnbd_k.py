"""MBG/CNBD-k: buys with some regularity, and may leave after each purchase.

Platzer & Reutterer (2016), Ticking Away the Moments: Timing Regularity Helps to Better Predict
Customer Activity, Marketing Science 35, 779–799 (there with Pareto lifetimes), and Reutterer,
Platzer & Schröder (2021), Leveraging purchase regularity for predicting customer behavior the
easy way, International Journal of Research in Marketing 38, 194–215. As MBG/NBD, but only every
k-th step of the Poisson process is a purchase, so that the time between two purchases is
Erlang-k: the larger k, the more regular the buyer, and the sooner a silence says that they have
left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from revoir.models.bg_nbd import draw_leaving, leaving_chances, rates
from revoir.models.counts import Counts, Floats, Pairs, by_count
from revoir.models.fitting import PRIOR_CUSTOMERS
from revoir.models.simulation import Purchases
from revoir.models.transactions import TransactionModel, mean_rate

K_MAX = 12
"""Regularity beyond which buyers are as good as clockwork."""


class MbgCnbdK(TransactionModel):
    r"""The MBG/CNBD-k model; for its attributes see `TransactionModel`.

    Args:
        k: Regularity (None: the one of 1, 2, … that the data make most probable, which takes
            `log_gaps` when fitting).
        prior_customers: As for every model.

    Attributes:
        k_: Regularity in use.

    Source:
        Reutterer, Platzer & Schröder (2021). Expectations are exact sums over the
        steps of the process (see `revoir.models.special.purchases_ahead`), where the paper
        approximates: of a customer who has not left, the number j of steps made since the last
        purchase has weight (T − t_x)^j / j! · Γ(r + kx + j) / (α + T)^(r + kx + j).

    Examples:
        >>> model = MbgCnbdK.of(r=0.85, alpha=1.45, a=0.79, b=2.42, k=3)
        >>> model.p_alive([8, 8], [30, 20], [32, 32]).round(3).tolist()
        [0.912, 0.011]
    """

    name = "mbg_cnbd_k"
    label = "MBG/CNBD-k"
    names = ("r", "alpha", "a", "b")
    source = "Reutterer, Platzer & Schröder (2021), IJRM 38, 194–215"

    k_: int

    def __init__(self, k: int | None = None, *, prior_customers: float = PRIOR_CUSTOMERS) -> None:
        super().__init__(prior_customers=prior_customers)
        self.k = k

    @classmethod
    def of(cls, **parameters: float) -> Self:
        """The model with parameters that are known: those of `names`, and k."""
        k = parameters.pop("k", 1)
        model = super().of(**parameters)
        model.k_ = int(k)
        return model

    def fit_counts(self, counts: Counts, *, log_gaps: float | None = None) -> Self:
        """Fit the model to histories that are counted already.

        Args:
            counts: The histories.
            log_gaps: Sum of the logarithms of the times between purchases, in the unit of the
                data; needed to choose k.

        Returns:
            Itself. With `log_gaps` the log-likelihood is that of the times of all purchases, which
            may be held against those of other models.

        Raises:
            ValueError: k is to be chosen without `log_gaps`.
            InputError: Nobody bought again.
        """
        if self.k is not None:
            return self._fit_k(counts, self.k, log_gaps)
        if log_gaps is None:
            raise ValueError("k can only be chosen with log_gaps; give k")
        best = self._fit_k(counts, 1, log_gaps)
        for k in range(2, K_MAX + 1):
            found = type(self)(k, prior_customers=self.prior_customers)
            found._fit_k(counts, k, log_gaps)
            if found.log_likelihood_ <= best.log_likelihood_:
                break
            best = found
        self.__dict__.update(best.__dict__ | {"k": None})
        return self

    def _fit_k(self, counts: Counts, k: int, log_gaps: float | None) -> Self:
        from scipy.special import gammaln

        self.k_ = k
        super().fit_counts(counts)
        if log_gaps is not None:
            repeats = float(counts.n @ counts.x)
            self.log_likelihood_ += (k - 1) * log_gaps - repeats * float(gammaln(k))
        return self

    def _usual(self, counts: Counts) -> tuple[Sequence[float], Sequence[float]]:
        return (0.5, 0.5 / (self.k_ * mean_rate(counts)), 0.8, 2.5), (1.2, 1.5, 1.2, 1.2)

    def _log_likelihood(self, theta: Floats, counts: Counts) -> tuple[float, Floats]:
        terms, slopes = self._terms(theta, counts)
        rows = self._by_row(terms, counts)
        whole = np.logaddexp.reduce(rows, axis=0)
        gradient = np.zeros(4)
        for term, slope, row, pairs in zip(terms, slopes, rows, self._pairs(counts), strict=True):
            share = counts.n * np.exp(row - whole)
            gradient += slope @ np.bincount(pairs.at, share, len(term))
        return float(counts.n @ whole), gradient

    def _pairs(self, counts: Counts) -> list[Pairs]:
        """The pairs that each term depends on."""
        return [counts.observed] * self.k_ + [counts.last]

    def _terms(self, theta: Floats, counts: Counts) -> tuple[list[Floats], list[Floats]]:
        """The terms of the likelihood by pair, as logarithms, and their derivatives.

        Those of a customer who has made 0, 1, …, k − 1 steps since the last purchase, less what
        depends on the silence, and last that of one who left at it.
        """
        from scipy.special import betaln, digamma

        r, alpha, a, b = theta
        terms, slopes = [], []
        for j, pairs in enumerate(self._pairs(counts)):
            gone = j == self.k_

            def leaving(x: Floats, gone: bool = gone) -> Floats:
                leaves, stays = (a + 1, b + x) if gone else (a, b + x + 1)
                whole = digamma(a + b) - digamma(leaves + stays)
                value = betaln(leaves, stays) - betaln(a, b)
                by_a = whole + (1 / a if gone else 0.0)
                return np.stack([value, by_a, whole + digamma(stays) - digamma(b)])

            made = self.k_ * pairs.x + (0 if gone else j)
            value, by_r, by_alpha = rates(r, alpha, made, pairs.t)
            left, by_a, by_b = by_count(leaving, pairs.x)
            terms.append(value + left)
            slopes.append(np.stack([by_r, by_alpha, by_a, by_b]))
        return terms, slopes

    def _by_row(self, terms: list[Floats], counts: Counts) -> Floats:
        """The terms by history, with what depends on the silence since the last purchase."""
        from scipy.special import gammaln

        with np.errstate(divide="ignore"):
            silence = np.log(counts.T - counts.t_x)
        rows = np.stack(
            [term[pairs.at] for term, pairs in zip(terms, self._pairs(counts), strict=True)]
        )
        for j in range(1, self.k_):
            rows[j] += j * silence - gammaln(j + 1)
        return rows

    def _rows(self, theta: Floats, counts: Counts) -> Floats:
        terms, _ = self._terms(theta, counts)
        found: Floats = np.logaddexp.reduce(self._by_row(terms, counts), axis=0)
        return found

    def _stages(self, theta: Floats, counts: Counts) -> tuple[Floats, Floats]:
        """P(alive), and the probabilities of the steps made by a customer who has not left."""
        rows = self._by_row(self._terms(theta, counts)[0], counts)
        here = np.logaddexp.reduce(rows[:-1], axis=0)
        return np.exp(here - np.logaddexp(here, rows[-1])), np.exp(rows[:-1] - here)

    def _alive(self, theta: Floats, counts: Counts) -> Floats:
        return self._stages(theta, counts)[0]

    def _ahead_of_alive(
        self, theta: Floats, t: float, counts: Counts
    ) -> tuple[Floats, Floats, Floats]:
        from revoir.models.special import purchases_ahead

        r, alpha, a, b = theta
        _, weight = self._stages(theta, counts)
        odds = t / (alpha + counts.T + t)
        mean, squares, none = np.zeros((3, len(counts.x)))
        for j in range(self.k_):
            shape = r + self.k_ * counts.x + j
            found = purchases_ahead(shape, odds, a, b + counts.x + 1, self.k_, j)
            mean += weight[j] * found[0]
            squares += weight[j] * found[1]
            none += weight[j] * found[2]
        return mean, squares, none

    def expected_purchases_of_new(self, t: npt.ArrayLike) -> Floats:
        """The repeat purchases to expect of a new customer within each time t."""
        from revoir.models.special import purchases_ahead

        r, alpha, a, b = self._theta
        times = np.atleast_1d(np.asarray(t, dtype=np.float64))
        same = np.ones_like(times)
        mean, _, _ = purchases_ahead(
            r * same, times / (alpha + times), a, (b + 1) * same, self.k_, 0
        )  # fmt: skip
        found: Floats = mean * b / (a + b)
        return found

    def chances(self, t: npt.ArrayLike, most: int) -> Floats:
        """The probabilities of 0, 1, …, `most` repeat purchases within t."""
        return leaving_chances(self._theta, t, most, k=self.k_, at_first=1)

    def draw_purchases(self, until: npt.ArrayLike, *, seed: int = 0) -> Purchases:
        """Draw the repeat purchases of new customers; see `TransactionModel`."""
        return draw_leaving(self._theta, until, seed, k=self.k_, at_first=1)
