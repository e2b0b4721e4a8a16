"""Fitting: the parameters that make the data most probable, a weak prior, and how sure they are.

Every parameter is positive and is looked for on the scale of its logarithm. The prior is normal on
that scale and weighs as much as a hundred customers who came back: with fifty of them it keeps the
parameters from running away, with a thousand it moves them by less than their last printed digit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from revoir.language import Message, msg

Floats = npt.NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]
"""Logarithms of the parameters in; log-likelihood and its gradient by them out."""

PRIOR_CUSTOMERS = 100.0
"""As many customers who came back weigh as much as the prior."""

FEW_CASES = 500
"""Customers who came back, or left, up to whom drawn parameters are weighed by the likelihood."""

SAMPLE_CUSTOMERS = 50_000
"""Customers that a fit begins with, where there are more."""

_FADE = 4.0
"""Power with which the prior fades as cases come in."""

_STEP = 1e-4
"""Step of the differences of gradients, on the logarithmic scale."""
_LEFT_TO_GAIN = 1e-7
"""Log-likelihood that a further Newton step would gain where the summit is reached."""
_FREEDOM, _TRIED = 4.0, 4
"""Degrees of freedom of the wider distribution, and how many of its draws are tried a kept one."""

_REACH = 12.0
"""How far from the prior's centre the search may go: a factor of e¹², some 160,000."""


@dataclass(frozen=True)
class Prior:
    """Normal priors on the logarithms of the parameters.

    Attributes:
        centre: Their medians (of the logarithms).
        spread: Their standard deviations.
        weight: 1: as they are; 0: not at all.
    """

    centre: Floats
    spread: Floats
    weight: float

    @classmethod
    def weak(
        cls, medians: Sequence[float], spread: Sequence[float], cases: float, worth: float
    ) -> Prior:
        """A prior that weighs as normal priors do with few cases, and fades fast with many.

        Args:
            medians: Of the parameters.
            spread: Standard deviations of their logarithms.
            cases: How many informative cases the data hold.
            worth: With how many cases it has half its weight (0: there is none).
        """
        weight = 1.0 / (1.0 + (cases / worth) ** _FADE) if worth else 0.0
        return cls(np.log(np.asarray(medians)), np.asarray(spread, dtype=np.float64), weight)

    def log_density(self, z: Floats) -> tuple[float, Floats]:
        """Its logarithm, up to a constant, and the gradient."""
        apart = (z - self.centre) / self.spread
        return -0.5 * self.weight * float(apart @ apart), -self.weight * apart / self.spread


@dataclass(frozen=True)
class Fit:
    """What a fit found.

    Attributes:
        log_parameters: The logarithms of the parameters.
        covariance: Theirs, from the Hessian of the log posterior.
        log_likelihood: Without the prior.
        converged: Whether the summit was reached and is curved in every direction.
        reason: Why not (None: it is).
        prior: What the parameters were drawn towards.
        evaluations: How often the likelihood was computed.
    """

    log_parameters: Floats
    covariance: Floats
    log_likelihood: float
    converged: bool
    reason: Message | None
    prior: Prior
    evaluations: int

    @property
    def parameters(self) -> Floats:
        """The parameters."""
        return np.exp(self.log_parameters)

    @property
    def standard_errors(self) -> Floats:
        """Of the parameters, by the delta method."""
        found: Floats = self.parameters * np.sqrt(np.diag(self.covariance))
        return found


def fit(
    objective: Objective, prior: Prior, *, names: Sequence[str], sample: Objective | None = None
) -> Fit:
    """Find the parameters of maximum posterior density.

    Args:
        objective: The log-likelihood.
        prior: The prior; the search starts from its centre.
        names: What the parameters are called, for `Fit.reason`.
        sample: The log-likelihood of a part of the data, to come near the summit at little cost.

    Returns:
        The fit.
    """
    search = _Search(objective, prior)
    first = search if sample is None else _Search(sample, prior)
    z, hessian, gain = search.finish(first.climb(prior.centre))
    if gain > _LEFT_TO_GAIN:  # the sample led astray, or the summit is far from a parabola
        z, hessian, gain = search.finish(search.climb(z))
    covariance, curved = _inverse(hessian)
    log_likelihood, _ = objective(z)
    limits = np.abs(z - prior.centre) > _REACH - 1e-3
    reason = None
    if limits.any():
        reason = msg(
            "The data do not tell how large the parameter {names} is: do not read anything into"
            " it.",
            names=[name for name, hit in zip(names, limits, strict=True) if hit],
        )
    elif not curved:
        reason = msg(
            "Several sets of parameters fit the data as well: do not read anything into a single"
            " one. What they foretell is much the same."
        )
    elif gain > _LEFT_TO_GAIN:
        reason = msg("The search for the parameters ended before it reached the summit.")
    return Fit(
        z, covariance, log_likelihood, reason is None, reason, prior, search.evaluations
    )  # fmt: skip


def drawn(found: Fit, size: int, *, seed: int, objective: Objective | None = None) -> Floats:
    """Draw parameters that the data leave possible.

    From the normal approximation on the logarithmic scale (Laplace); with the likelihood at hand
    from a wider distribution, kept in proportion to their posterior density (sampling and
    importance resampling: Rubin 1988, in Bayesian Statistics 3), which is right where data are few
    or leave a direction open.

    Args:
        found: The fit.
        size: How many sets.
        seed: Chooses the draw.
        objective: The log-likelihood (None: the normal approximation is good enough).

    Returns:
        Their logarithms, one row a set.
    """
    rng = np.random.default_rng(seed)
    k = len(found.log_parameters)
    root = np.linalg.cholesky(found.covariance)
    if objective is None:
        plain: Floats = found.log_parameters + rng.standard_normal((size, k)) @ root.T
        return plain
    tried = _TRIED * size
    scale = np.sqrt(rng.chisquare(_FREEDOM, (tried, 1)) / _FREEDOM)
    apart = rng.standard_normal((tried, k)) / scale
    z = found.log_parameters + apart @ root.T
    near = (np.abs(z - found.prior.centre) < _REACH + 2).all(axis=1)
    z, apart = z[near], apart[near]
    proposed = -0.5 * (_FREEDOM + k) * np.log1p((apart**2).sum(axis=1) / _FREEDOM)
    wanted = np.array([objective(row)[0] + found.prior.log_density(row)[0] for row in z])
    weight = np.exp(wanted - proposed - (wanted - proposed).max())
    kept: Floats = z[rng.choice(len(z), size, p=weight / weight.sum())]
    return kept


def lowest(function: Callable[..., Any], start: Floats, **settings: Any) -> Floats:
    """Where a function is least, by L-BFGS-B on one thread.

    Its matrices have a row a parameter. Given several threads, the library of linear algebra hands
    each of its steps to others and waits for them: on a busy machine most of the time goes there.

    Args:
        function: What is to be least, of a vector.
        start: Where the search begins.
        settings: As `scipy.optimize.minimize` takes them.

    Returns:
        The vector.
    """
    from scipy.optimize import minimize

    with _SEARCHING, _libraries().limit(limits=1, user_api="blas"):
        found: Floats = minimize(function, start, method="L-BFGS-B", **settings).x
    return found


_SEARCHING = Lock()
"""The number of threads is the process's: who changes it second would restore the changed one."""


@cache
def _libraries() -> Any:
    """The libraries of linear algebra that are loaded; to look for them takes milliseconds."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


class _Search:
    """Looks for the summit of the log posterior."""

    def __init__(self, objective: Objective, prior: Prior) -> None:
        self.objective = objective
        self.prior = prior
        self.evaluations = 0

    def downhill(self, z: Floats) -> tuple[float, Floats]:
        """The negative log posterior and its gradient."""
        self.evaluations += 1
        value, gradient = self.objective(z)
        prior, prior_gradient = self.prior.log_density(z)
        return -(value + prior), -(gradient + prior_gradient)

    def climb(self, start: Floats) -> Floats:
        """Come near the summit."""
        scale = max(1.0, abs(self.downhill(start)[0]))

        def scaled(z: Floats) -> tuple[float, Floats]:
            value, gradient = self.downhill(z)
            return value / scale, gradient / scale

        bounds = [(centre - _REACH, centre + _REACH) for centre in self.prior.centre]
        options = {"maxiter": 500, "ftol": 1e-11, "gtol": 1e-9}
        return lowest(scaled, start, jac=True, bounds=bounds, options=options)

    def finish(self, z: Floats) -> tuple[Floats, Floats, float]:
        """Newton's steps from nearby: the summit, the Hessian there, what is left to gain."""
        value, gradient = self.downhill(z)
        hessian = self.hessian(z)
        gain = np.inf
        for _ in range(8):
            try:
                step = -np.linalg.solve(hessian, gradient)
            except np.linalg.LinAlgError:
                break
            gain = float(-gradient @ step) / 2
            if gain < 0 or not np.isfinite(gain):  # no summit: curved upwards somewhere
                return z, hessian, np.inf
            if gain <= _LEFT_TO_GAIN:
                break
            there = np.clip(z + step, self.prior.centre - _REACH, self.prior.centre + _REACH)
            better, slope = self.downhill(there)
            if not better < value:
                break
            far = float(np.abs(step).max()) > 0.02
            z, value, gradient = there, better, slope
            if far:
                hessian = self.hessian(z)
        return z, hessian, gain

    def hessian(self, z: Floats) -> Floats:
        """Second derivatives of the negative log posterior, by differences of its gradient."""
        rows = np.empty((len(z), len(z)))
        for place in range(len(z)):
            ahead, behind = z.copy(), z.copy()
            ahead[place] += _STEP
            behind[place] -= _STEP
            rows[place] = (self.downhill(ahead)[1] - self.downhill(behind)[1]) / (2 * _STEP)
        symmetric: Floats = (rows + rows.T) / 2
        return symmetric


def _inverse(hessian: Floats) -> tuple[Floats, bool]:
    """The covariance, and whether the summit is curved downwards in every direction.

    A direction in which the data say nothing is given a spread as wide as the search itself.
    """
    values, vectors = np.linalg.eigh(hessian)
    least = 1.0 / _REACH**2
    covariance: Floats = (vectors / np.maximum(values, least)) @ vectors.T
    return covariance, bool(values[0] > least)
