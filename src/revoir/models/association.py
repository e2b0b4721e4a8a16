"""How strongly products are bought together, with rare pairs shrunk.

Of N baskets (orders; where the data have none, the days of a customer) n(i) hold
product i and n(i, j) hold both. Support is n(i, j) / N, confidence n(i, j) / n(i), and lift
n(i, j) N / (n(i) n(j)): how many times more often than if they had nothing to do with each other.
A pair that met twice and was expected to a hundredth has a lift of 200 by chance alone, and there
are millions of pairs; so lifts are shrunk: n(i, j) ~ Poisson(λE), E = n(i) n(j) / N, with λ over
all pairs a mixture of two Gammas that the pairs themselves give. Pairs are ordered by the lower end
of the interval of λ, which is low where little is known.

Source:
    DuMouchel (1999), The American Statistician 53, 177–190 (the shrinkage, eqs. (4) to (9)); Brin,
    Motwani, Ullman & Tsur (1997), SIGMOD Record 26, 255–264 (lift, there called interest).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from revoir.experiments.intervals import Interval, wilson
from revoir.models.fitting import lowest

Floats = npt.NDArray[np.float64]

_START = np.array([0.2, 0.1, 2.0, 4.0, 1 / 3])
"""DuMouchel's own starting values: α₁, β₁, α₂, β₂ and the share of the first Gamma."""


@dataclass(frozen=True)
class Mixture:
    """The distribution of lifts over all pairs: Gamma(α₁, β₁) with share p, else Gamma(α₂, β₂).

    Attributes:
        shapes: α₁ and α₂.
        rates: β₁ and β₂.
        share: p.
    """

    shapes: tuple[float, float]
    rates: tuple[float, float]
    share: float

    @classmethod
    def of(cls, together: Floats, expected: Floats, weights: Floats) -> Mixture:
        """Find the mixture that makes it most probable how often pairs met.

        Args:
            together: In how many baskets each pair met; those that never did belong here too.
            expected: In how many it would have, had they nothing to do with each other.
            weights: How many pairs each of them stands for.

        Returns:
            The mixture.

        Examples:
            >>> draw = np.random.default_rng(2)
            >>> expected = draw.uniform(1, 9, 4_000)
            >>> together = draw.poisson(draw.gamma(3.0, 1 / 3.0, 4_000) * expected)
            >>> found = Mixture.of(together.astype(float), expected, np.ones(4_000))
            >>> bool(0.95 < found.lift(np.array([900.0]), np.array([300.0]))[0] / 3 < 1.0)
            True
        """

        def unlikely(theta: Floats) -> float:
            terms = cls._from(theta)._log_terms(together, expected)
            return -float(weights @ np.logaddexp(*terms)) / float(weights.sum())

        start = np.concatenate([np.log(_START[:4]), [special.logit(_START[4])]])
        return cls._from(lowest(unlikely, start, bounds=[(at - 6, at + 6) for at in start]))

    @classmethod
    def _from(cls, theta: Floats) -> Mixture:
        shape_1, rate_1, shape_2, rate_2 = np.exp(theta[:4]).tolist()
        return cls((shape_1, shape_2), (rate_1, rate_2), float(special.expit(theta[4])))

    def _log_terms(self, together: Floats, expected: Floats) -> tuple[Floats, Floats]:
        """The logarithms of what each Gamma adds to the probability of a count (eq. 5)."""
        terms = []
        for shape, rate, share in zip(
            self.shapes, self.rates, (self.share, 1 - self.share), strict=True
        ):
            terms.append(
                np.log(share)
                + special.gammaln(shape + together)
                - special.gammaln(shape)
                - special.gammaln(together + 1)
                - shape * np.log1p(expected / rate)
                - together * np.log1p(rate / expected)
            )
        return terms[0], terms[1]

    def _first(self, together: Floats, expected: Floats) -> Floats:
        """The probability that a pair's lift comes from the first Gamma (eq. 6)."""
        first, second = self._log_terms(together, expected)
        share: Floats = special.expit(first - second)
        return share

    def lift(self, together: Floats, expected: Floats) -> Floats:
        """The lift of pairs, shrunk: its posterior mean."""
        first = self._first(together, expected)
        means = [
            (shape + together) / (rate + expected)
            for shape, rate in zip(self.shapes, self.rates, strict=True)
        ]
        mean: Floats = first * means[0] + (1 - first) * means[1]
        return mean

    def interval(
        self, together: Floats, expected: Floats, confidence: float = 0.9
    ) -> tuple[Floats, Floats]:
        """The interval that holds the lift of each pair with a probability."""
        tail = (1 - confidence) / 2
        return self._quantile(together, expected, tail), self._quantile(
            together, expected, 1 - tail
        )

    def _quantile(self, together: Floats, expected: Floats, probability: float) -> Floats:
        """By bisection on the logarithm, to nine digits."""
        first = self._first(together, expected)
        low, high = np.full(len(together), -30.0), np.full(len(together), 15.0)
        for _ in range(50):
            middle = (low + high) / 2
            below = sum(
                share * special.gammainc(shape + together, np.exp(middle) * (rate + expected))
                for shape, rate, share in zip(
                    self.shapes, self.rates, (first, 1 - first), strict=True
                )
            )
            low, high = (
                np.where(below < probability, middle, low),
                np.where(below < probability, high, middle),
            )
        quantile: Floats = np.exp((low + high) / 2)
        return quantile


@dataclass(frozen=True)
class Pair:
    """Two products that are bought together.

    Attributes:
        product_id: The one that is in the basket.
        other_id: The one that joins it.
        together: Baskets that hold both.
        with_product: Baskets that hold the first.
        with_other: Baskets that hold the other.
        baskets: Baskets in all.
        lift: How many times more often they meet than by chance, shrunk.
        lift_interval: The 90 % interval of that.
    """

    product_id: str
    other_id: str
    together: int
    with_product: int
    with_other: int
    baskets: int
    lift: float
    lift_interval: Interval

    @property
    def support(self) -> float:
        """Share of all baskets that hold both."""
        return self.together / self.baskets

    @property
    def confidence(self) -> float:
        """Share of the baskets with the first that hold the other too."""
        return self.together / self.with_product

    @property
    def confidence_interval(self) -> Interval:
        """The 95 % interval of the confidence."""
        return wilson(self.together, self.with_product)

    @property
    def raw_lift(self) -> float:
        """The lift as counted, without shrinkage."""
        return self.together * self.baskets / (self.with_product * self.with_other)
