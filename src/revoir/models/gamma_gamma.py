"""Gamma-Gamma: what a customer spends on an average purchase, drawn towards what others do.

Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value; Fader, Hardie & Lee (2005), RFM
and CLV: Using Iso-Value Curves for Customer Base Analysis, Journal of Marketing Research 42,
415–430. Amounts of one customer are Gamma(p, ν), and ν ~ Gamma(q, v) over customers. It assumes
that how much is spent has nothing to do with how often; `correlation_` says how true that is.
"""

from __future__ import annotations

import copy
from typing import Self

import numpy as np
import numpy.typing as npt

from revoir.errors import InputError
from revoir.language import msg
from revoir.models.counts import Floats
from revoir.models.fitting import (
    FEW_CASES,
    PRIOR_CUSTOMERS,
    SAMPLE_CUSTOMERS,
    Fit,
    Prior,
    drawn,
    fit,
)


class GammaGamma:
    """The Gamma-Gamma model of spending.

    Args:
        prior_customers: How many customers who came back the weak prior is worth (0: none).

    Attributes:
        parameters_: p, q, v by name; v in the unit of the amounts. q is more than 1, so that the
            mean over customers exists.
        standard_errors_: Of the parameters, from the Hessian of the log posterior.
        log_likelihood_: Of the data, without the prior.
        converged_: Whether the fit reached a summit; `fit_.reason` says why not.
        correlation_: Of the logarithms of frequency and mean amount.

    Source:
        Fader & Hardie (2013): density of the mean eq. 1a, expectation given what was spent eq. 5.

    Examples:
        >>> model = GammaGamma.of(p=6.25, q=3.74, v=15.44)  # CDNOW, dollars
        >>> model.expected_value([0, 2], [0, 22.35]).round(2).tolist()
        [35.22, 24.66]
    """

    names = ("p", "q", "v")

    parameters_: dict[str, float]
    standard_errors_: dict[str, float]
    log_likelihood_: float
    converged_: bool
    correlation_: float
    fit_: Fit

    def __init__(self, *, prior_customers: float = PRIOR_CUSTOMERS) -> None:
        self.prior_customers = prior_customers

    def __repr__(self) -> str:
        known = getattr(self, "parameters_", {})
        return f"GammaGamma({', '.join(f'{k}={v:.6g}' for k, v in known.items())})"

    @classmethod
    def of(cls, *, p: float, q: float, v: float) -> Self:
        """The model with parameters that are known.

        Raises:
            ValueError: One is not positive, or q not more than 1.
        """
        if min(p, v) <= 0 or q <= 1:
            raise ValueError("p and v must be positive, q more than 1")
        return cls()._with(np.log([p, q - 1, v]))

    def _with(self, z: Floats) -> Self:
        """The same model with other parameters, given as log p, log(q − 1), log v."""
        other = copy.copy(self)
        p, over, v = np.exp(z)
        other.parameters_ = {"p": float(p), "q": float(1 + over), "v": float(v)}
        return other

    def fit(self, frequency: npt.ArrayLike, monetary_value: npt.ArrayLike) -> Self:
        """Fit the model to what customers spent.

        Args:
            frequency: Repeat purchases of each customer; those without any are left out.
            monetary_value: Mean amount of them; those that come to nothing are left out.

        Returns:
            Itself.

        Raises:
            InputError: Fewer than two customers bought again for an amount.
        """
        x, mean = _spent(frequency, monetary_value)
        if len(x) < 2:
            raise InputError(
                msg("Not enough data: fewer than two customers bought again for an amount."),
                remedy=msg("Give a longer history."),
            )
        self._likelihood = _Likelihood(x, mean)
        usual = float(x @ mean) / float(x.sum())
        prior = Prior.weak(
            (4.0, 3.0, 0.75 * usual), (1.0, 0.8, 1.2), len(x), self.prior_customers
        )  # fmt: skip
        few = slice(None, None, max(1, len(x) // SAMPLE_CUSTOMERS))
        sample = None if few.step == 1 else _Likelihood(x[few], mean[few])
        self.fit_ = fit(self._likelihood, prior, names=self.names, sample=sample)
        p, over, v = self.fit_.parameters
        self.parameters_ = {"p": float(p), "q": float(1 + over), "v": float(v)}
        errors = self.fit_.standard_errors.tolist()
        self.standard_errors_ = dict(zip(self.names, errors, strict=True))
        self.log_likelihood_ = self.fit_.log_likelihood
        self.converged_ = self.fit_.converged
        self.correlation_ = _correlation(np.log(x), np.log(mean))
        return self

    def draw(self, size: int, *, seed: int = 0) -> list[Self]:
        """Draw parameters that the data leave possible (`revoir.models.fitting.drawn`)."""
        few = len(self._likelihood.total) <= FEW_CASES or not self.converged_
        objective = self._likelihood if few else None
        return [self._with(z) for z in drawn(self.fit_, size, seed=seed, objective=objective)]

    @property
    def mean(self) -> float:
        """The expected amount of a purchase, over customers: p v / (q − 1)."""
        p, q, v = (self.parameters_[name] for name in self.names)
        return p * v / (q - 1)

    def expected_value(self, frequency: npt.ArrayLike, monetary_value: npt.ArrayLike) -> Floats:
        """The expected amount of each customer's next purchases (eq. 5).

        Args:
            frequency: Repeat purchases.
            monetary_value: Mean amount of them; not a number where it is not known. Nothing is an
                amount too: whoever gave everything back is known to spend nothing.

        Returns:
            The mean over customers and the customer's own, weighed by how sure each is.
        """
        scale, shape = self.posterior(frequency, monetary_value)
        found: Floats = self.parameters_["p"] * scale / (shape - 1)
        return found

    def posterior(
        self, frequency: npt.ArrayLike, monetary_value: npt.ArrayLike
    ) -> tuple[Floats, Floats]:
        """What is known of each customer's ν: it is Gamma(shape, scale).

        Returns:
            Scale v + x m̄ (in the unit of the amounts) and shape q + p x.
        """
        p, q, v = (self.parameters_[name] for name in self.names)
        x = np.nan_to_num(np.asarray(frequency, dtype=np.float64))
        mean = np.asarray(monetary_value, dtype=np.float64)
        x = np.where(np.isnan(mean), 0.0, x)
        return v + x * np.maximum(np.nan_to_num(mean), 0.0), q + p * x


def _spent(frequency: npt.ArrayLike, monetary_value: npt.ArrayLike) -> tuple[Floats, Floats]:
    x = np.asarray(frequency, dtype=np.float64)
    mean = np.nan_to_num(np.asarray(monetary_value, dtype=np.float64))
    if x.shape != mean.shape:
        raise ValueError("frequency and monetary_value must be as long as each other")
    held = (x > 0) & (mean > 0)
    return x[held], mean[held]


def _correlation(first: Floats, second: Floats) -> float:
    if first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


class _Likelihood:
    """The log-likelihood by log p, log(q − 1) and log v; equal frequencies are counted once."""

    def __init__(self, x: Floats, mean: Floats) -> None:
        self.counts, self.at, self.n = np.unique(x, return_inverse=True, return_counts=True)
        self.total = x * mean
        # (p x − 1) log m̄ + p x log x = p · logs − log m̄.
        self.logs = float(x @ np.log(self.total))
        self.log_means = float(np.log(mean).sum())

    def __call__(self, z: Floats) -> tuple[float, Floats]:
        from scipy.special import digamma, gammaln

        p, over, v = np.exp(z)
        q, x, n = 1 + over, self.counts, self.n
        scale = v + self.total
        by_x = np.bincount(self.at, np.log(scale), len(x))  # Σ log(v + x m̄) by frequency
        inverse = np.bincount(self.at, 1 / scale, len(x))
        value = (
            n @ (gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v))
            + p * self.logs - self.log_means - (p * x + q) @ by_x
        )  # fmt: skip
        both = digamma(p * x + q)
        by_p = n @ (x * (both - digamma(p * x))) + self.logs - x @ by_x
        by_q = n @ (both - digamma(q) + np.log(v)) - by_x.sum()
        by_v = n.sum() * q / v - (p * x + q) @ inverse
        return float(value), np.array([by_p * p, by_q * over, by_v * v])
