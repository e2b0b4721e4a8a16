"""How long customers wait between purchases: two families, each with a prior that is conjugate.

A customer's gaps come from a distribution of their own; what customers have in common is a prior
over those distributions, whose parameters the data of all customers give (empirical Bayes). Both
families are closed: a customer's complete gaps turn the prior into a posterior, and the next gap
then follows a distribution with a known survival function and quantiles, which is wide for
customers of whom little is known and becomes their own as they return.

A gap of n whole days stands for any wait between n − ½ and n + ½ days.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import special

from revoir.models.incomplete_beta import odds_survival

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

HALF_DAY = 0.5
"""How far a wait lies at most from the whole number of days that it is counted as."""


@dataclass(frozen=True)
class History:
    """What the purchase days of customers say of their gaps; one element a customer.

    Attributes:
        frequency: How many gaps are complete: days with a purchase after the first one.
        recency: Their sum, in days: first to last purchase.
        log_sum: Sum of the logarithms of the gaps in days.
        log_squares: Sum of the squares of those logarithms.
        silence: Days from the last purchase to the day that is looked from.
    """

    frequency: Floats
    recency: Floats
    log_sum: Floats
    log_squares: Floats
    silence: Floats

    def __len__(self) -> int:
        return len(self.frequency)

    def take(self, chosen: npt.NDArray[np.intp]) -> History:
        """The history of some of the customers."""
        return History(
            self.frequency[chosen],
            self.recency[chosen],
            self.log_sum[chosen],
            self.log_squares[chosen],
            self.silence[chosen],
        )

    def some(self, most: int, *, seed: int = 0, beside: Floats | None = None) -> Ints:
        """Draw some of the customers, where there are more than so many.

        They are drawn from the histories in their order, not in that of the customers, so that
        names change nothing.

        Args:
            most: How many.
            seed: Chooses the draw.
            beside: What else is to be drawn with the histories, one value a customer.

        Returns:
            The places of those drawn.
        """
        if len(self) <= most:
            return np.arange(len(self))
        keys = (self.log_squares, self.log_sum, self.silence, self.recency, self.frequency)
        order = np.lexsort(keys if beside is None else (beside, *keys))
        chosen = np.random.default_rng(seed).choice(len(self), most, replace=False)
        return order[chosen]


class NextGap(Protocol):
    """The distribution of each customer's next gap, before anything is known of its length."""

    def survival(self, days: Floats) -> Floats:
        """The probability that the gap is longer, customer by customer."""

    def quantile(self, survival: Floats) -> Floats:
        """The days that the gap exceeds with that probability, customer by customer."""


class Family(Protocol):
    """A family of distributions of gaps with its conjugate prior."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """What its parameters are called."""

    def start(self, typical_days: float) -> Floats:
        """Plausible parameters, on the scale that they are sought on, for gaps of that length."""

    def natural(self, theta: Floats) -> Floats:
        """Parameters as the literature writes them, from the scale that they are sought on."""

    def evidence(self, theta: Floats, history: History) -> Floats:
        """The logarithm of the probability density of each customer's complete gaps."""

    def next_gap(self, theta: Floats, history: History) -> NextGap:
        """The distribution of each customer's next gap, given the complete ones."""


class GammaGaps:
    """Gamma gaps of one regularity, with rates that are Gamma over customers.

    A gap is Gamma(k, λ): k = 1 buys at random, a larger k more regularly. λ ~ Gamma(r, α) over
    customers. Given x gaps of t days in all, λ ~ Gamma(r + kx, α + t), and the next gap g has
    g / (g + α + t) ~ Beta(k, r + kx).

    Source:
        Chatfield & Goodhardt (1973), JASA 68, 828–835 (Erlang gaps with Gamma rates); Platzer &
        Reutterer (2016), Marketing Science 35, 779–799 (regularity that is not a whole number).
    """

    name = "gamma"
    parameters = ("k", "r", "alpha")

    def start(self, typical_days: float) -> Floats:
        """Plausible parameters for gaps of that length, as logarithms."""
        return np.log([1.5, 1.0, typical_days])

    def natural(self, theta: Floats) -> Floats:
        """k, r and α (days) from their logarithms."""
        return np.exp(theta)

    def evidence(self, theta: Floats, history: History) -> Floats:
        """The logarithm of ∏ g^(k−1) / Γ(k)^x · α^r Γ(r+kx) / (Γ(r) (α+t)^(r+kx))."""
        k, r, alpha = self.natural(theta)
        shape = r + k * history.frequency
        found: Floats = (
            (k - 1) * history.log_sum
            - history.frequency * special.gammaln(k)
            + r * np.log(alpha)
            + special.gammaln(shape)
            - special.gammaln(r)
            - shape * np.log(alpha + history.recency)
        )
        return found

    def next_gap(self, theta: Floats, history: History) -> NextGap:
        """The next gap: its odds against α + t are Beta prime."""
        k, r, alpha = self.natural(theta)
        return _BetaPrimeGap(float(k), r + k * history.frequency, alpha + history.recency)


class LogNormalGaps:
    """Lognormal gaps, each customer with a centre and a spread of their own.

    log g ~ N(μ, σ²); over customers 1/σ² ~ Gamma(a₀, b₀) and μ | σ² ~ N(m, σ²/κ). Given x gaps
    with mean ȳ and sum of squared deviations s of the logarithms: κ' = κ + x, m' = (κm + xȳ)/κ',
    a' = a₀ + x/2, b' = b₀ + s/2 + κx(ȳ − m)²/2κ', and (log g − m') / √(b'(κ' + 1)/(a'κ')) is
    Student's t with 2a' degrees of freedom.

    Source:
        Lawrence (1980), Journal of Marketing Research 17, 212–220 (lognormal buying); Bernardo &
        Smith (1994), Bayesian Theory, section 5.2 and appendix A.2 (the conjugate prior).
    """

    name = "lognormal"
    parameters = ("m", "kappa", "a0", "b0")

    def start(self, typical_days: float) -> Floats:
        """Plausible parameters for gaps of that length: m, and logarithms of the others."""
        return np.array([np.log(typical_days), 0.0, np.log(2.0), 0.0])

    def natural(self, theta: Floats) -> Floats:
        """The centre m (log days), κ, a₀ and b₀."""
        return np.concatenate([theta[:1], np.exp(theta[1:])])

    def evidence(self, theta: Floats, history: History) -> Floats:
        """The logarithm of Γ(a') b₀^a₀ √(κ/κ') / (Γ(a₀) b'^a' (2π)^(x/2) ∏ g)."""
        _, kappa, a0, b0 = self.natural(theta)
        kappas, _, a, b = self._posterior(theta, history)
        found: Floats = (
            special.gammaln(a)
            - special.gammaln(a0)
            + a0 * np.log(b0)
            - a * np.log(b)
            + 0.5 * np.log(kappa / kappas)
            - 0.5 * history.frequency * np.log(2 * np.pi)
            - history.log_sum
        )
        return found

    def next_gap(self, theta: Floats, history: History) -> NextGap:
        """The next gap: its logarithm is Student's t."""
        kappas, m, a, b = self._posterior(theta, history)
        return _LogStudentGap(2 * a, m, np.sqrt(b * (kappas + 1) / (a * kappas)))

    def _posterior(self, theta: Floats, history: History) -> tuple[Floats, Floats, Floats, Floats]:
        m, kappa, a0, b0 = self.natural(theta)
        x, total = history.frequency, history.log_sum
        mean = total / np.maximum(x, 1)
        deviations = np.maximum(history.log_squares - total * mean, 0)
        kappas = kappa + x
        b = b0 + 0.5 * (deviations + kappa * x * (mean - m) ** 2 / kappas)
        return kappas, (kappa * m + total) / kappas, a0 + 0.5 * x, b


FAMILIES: dict[str, Family] = {"gamma": GammaGaps(), "lognormal": LogNormalGaps()}
"""The families by name."""


@dataclass(frozen=True)
class _LogStudentGap:
    degrees: Floats
    centre: Floats
    spread: Floats

    def survival(self, days: Floats) -> Floats:
        found: Floats = special.stdtr(self.degrees, (self.centre - np.log(days)) / self.spread)
        return found

    def quantile(self, survival: Floats) -> Floats:
        found: Floats = np.exp(self.centre - self.spread * special.stdtrit(self.degrees, survival))
        return found


@dataclass(frozen=True)
class _BetaPrimeGap:
    """A gap g with g / (g + scale) ~ Beta(k, tail).

    `tail` has a value for each number of purchases, and shops have many customers of each number:
    their quantiles are looked up in a table, which costs a fiftieth.
    """

    k: float
    tail: Floats
    scale: Floats

    def survival(self, days: Floats) -> Floats:
        return odds_survival(self.k, self.tail, days / self.scale)

    def quantile(self, survival: Floats) -> Floats:
        log_odds = np.empty_like(self.scale)
        for chosen, tail in self._alike:
            asked = survival[chosen]
            if len(asked) <= _TABLE:
                log_odds[chosen] = self._log_odds(asked, tail)
                continue
            # As many points where the survival nears 1 as where it nears 0.
            ends = special.logit(np.clip([asked.min(), asked.max()], _TINY, 1 - 1e-15))
            grid = special.expit(np.linspace(ends[0], ends[1], _TABLE))
            log_odds[chosen] = np.interp(
                special.logit(asked), special.logit(grid), self._log_odds(grid, tail)
            )
        found: Floats = self.scale * np.exp(log_odds)
        return found

    @cached_property
    def _alike(self) -> list[tuple[npt.NDArray[np.intp], float]]:
        """Customers of the same number of purchases together."""
        tails, whose = np.unique(self.tail, return_inverse=True)
        order = np.argsort(whose, kind="stable")
        parts = np.split(order, np.cumsum(np.bincount(whose))[:-1])
        return list(zip(parts, tails.tolist(), strict=True))

    def _log_odds(self, survival: Floats, tail: float) -> Floats:
        share = special.betainccinv(self.k, tail, survival)
        rest = 1 - share
        # The complement to 1 of a share near 1 would lose its digits: I_x(a, b) = 1 − I_1−x(b, a).
        near = share > 0.5
        rest[near] = special.betaincinv(tail, self.k, survival[near])
        found: Floats = np.log(np.maximum(share, _TINY)) - np.log(np.maximum(rest, _TINY))
        return found


_TABLE = 4096
"""Values in a table; between them a straight line is right to six digits or more."""
_TINY = 1e-280
