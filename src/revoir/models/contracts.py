"""What the models of contracts share: how long customers stay who must renew to stay.

Time is counted in periods (months, years); S(t) is the share of customers who are still there
after t of them. A customer who left in period t, or was still there after t, is all a fit needs.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from revoir.errors import InputError
from revoir.language import msg
from revoir.models.counts import Floats
from revoir.models.fitting import PRIOR_CUSTOMERS, Fit, Prior, drawn, fit


class ContractModel(ABC):
    """A model of how long contracts last.

    Args:
        prior_customers: How many customers who left the weak prior is worth (0: none).

    Attributes:
        parameters_: The fitted parameters by name.
        standard_errors_: Of the parameters, from the Hessian of the log posterior.
        log_likelihood_: Of the data, without the prior.
        converged_: Whether the fit reached a summit; `fit_.reason` says why not.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    source: ClassVar[str]
    _medians: ClassVar[tuple[float, ...]]
    _spread: ClassVar[tuple[float, ...]]

    parameters_: dict[str, float]
    standard_errors_: dict[str, float]
    log_likelihood_: float
    converged_: bool
    fit_: Fit

    def __init__(self, *, prior_customers: float = PRIOR_CUSTOMERS) -> None:
        self.prior_customers = prior_customers

    def __repr__(self) -> str:
        known = getattr(self, "parameters_", {})
        return f"{type(self).__name__}({', '.join(f'{k}={v:.6g}' for k, v in known.items())})"

    @classmethod
    def of(cls, **parameters: float) -> Self:
        """The model with parameters that are known.

        Raises:
            ValueError: One is missing, unknown or not positive.
        """
        if set(parameters) != set(cls.names) or min(parameters.values()) <= 0:
            raise ValueError(f"{cls.label} has the positive parameters {', '.join(cls.names)}")
        return cls()._with(np.log([parameters[name] for name in cls.names]))

    def _with(self, z: Floats) -> Self:
        other = copy.copy(self)
        other.parameters_ = dict(zip(self.names, np.exp(z).tolist(), strict=True))
        return other

    @property
    def _theta(self) -> Floats:
        return np.array([self.parameters_[name] for name in self.names])

    def fit(self, periods: npt.ArrayLike, left: npt.ArrayLike) -> Self:
        """Fit the model to customers.

        Args:
            periods: For one who left, the period it was in, from 1; for one who is still there,
                how many periods they have stayed.
            left: Whether each has left.

        Returns:
            Itself.

        Raises:
            ValueError: A period is impossible.
            InputError: Nobody left.
        """
        t = np.asarray(periods, dtype=np.int64)
        gone = np.asarray(left, dtype=bool)
        if t.shape != gone.shape or (t < 0).any() or (t[gone] < 1).any():
            raise ValueError("periods must be 0 or more, and 1 or more for whoever left")
        lost, kept = np.bincount(t[gone]), np.bincount(t[~gone])
        return self._fit(lost.astype(np.float64), kept.astype(np.float64))

    def fit_survivors(self, survivors: npt.ArrayLike) -> Self:
        """Fit the model to how many of one cohort were there at the start and after each period.

        Args:
            survivors: Counts from period 0 on; they never rise.

        Returns:
            Itself.

        Raises:
            ValueError: The counts rise.
            InputError: Nobody left.
        """
        count = np.asarray(survivors, dtype=np.float64)
        lost = np.concatenate([[0.0], -np.diff(count)])
        if len(count) < 2 or (lost < 0).any():
            raise ValueError("survivors must be given for two periods or more, and never rise")
        kept = np.zeros(len(count))
        kept[-1] = count[-1]
        return self._fit(lost, kept)

    def _fit(self, lost: Floats, kept: Floats) -> Self:
        if not lost.sum():
            raise InputError(
                msg("Not enough data: no customer left, so nothing tells how long they stay."),
                remedy=msg("Give a longer history."),
            )
        prior = Prior.weak(self._medians, self._spread, float(lost.sum()), self.prior_customers)
        self._likelihood = _Likelihood(self, lost, kept)
        self.fit_ = fit(self._likelihood, prior, names=self.names)
        self.parameters_ = dict(zip(self.names, self.fit_.parameters.tolist(), strict=True))
        errors = self.fit_.standard_errors.tolist()
        self.standard_errors_ = dict(zip(self.names, errors, strict=True))
        self.log_likelihood_ = self.fit_.log_likelihood
        self.converged_ = self.fit_.converged
        return self

    def draw(self, size: int, *, seed: int = 0) -> list[Self]:
        """Draw parameters that the data leave possible (`revoir.models.fitting.drawn`)."""
        found = drawn(self.fit_, size, seed=seed, objective=self._likelihood)
        return [self._with(z) for z in found]

    def survival(self, t: npt.ArrayLike) -> Floats:
        """The share of customers who are still there after t periods."""
        return np.exp(self._log_survival(self._theta, np.asarray(t, dtype=np.float64))[0])

    def retention_rate(self, t: npt.ArrayLike) -> Floats:
        """The share of those there after t − 1 periods who stay for period t."""
        times = np.asarray(t, dtype=np.float64)
        now, before = (self._log_survival(self._theta, u)[0] for u in (times, times - 1))
        return np.exp(now - before)

    def stays(self, periods: npt.ArrayLike, ahead: int) -> Floats:
        """The probabilities to be there after 1, 2, …, `ahead` more periods.

        Args:
            periods: How many periods each customer has stayed.
            ahead: How far to look.

        Returns:
            One row a customer.
        """
        stayed = np.asarray(periods, dtype=np.float64)[:, None]
        later = stayed + np.arange(1, ahead + 1)
        here = self._log_survival(self._theta, stayed)[0]
        return np.exp(self._log_survival(self._theta, later)[0] - here)

    def draw_periods(self, customers: int, *, seed: int = 0, most: int = 10_000) -> Floats:
        """Draw the period in which each new customer leaves, `most` at the latest."""
        shares = np.random.default_rng(seed).random(customers)
        curve = self.survival(np.arange(1, most))
        return np.searchsorted(-curve, -shares).astype(np.float64) + 1.0

    @abstractmethod
    def _log_survival(self, theta: Floats, t: Floats) -> tuple[Floats, Floats]:
        """``log S(t)``, and its derivatives by each parameter before the axes of t."""


class _Likelihood:
    """The log-likelihood by the logarithms of the parameters."""

    def __init__(self, model: ContractModel, lost: Floats, kept: Floats) -> None:
        self.model = model
        self.lost_at = np.flatnonzero(lost).astype(np.float64)
        self.lost = lost[lost > 0]
        self.kept_at = np.flatnonzero(kept).astype(np.float64)
        self.kept = kept[kept > 0]

    def __call__(self, z: Floats) -> tuple[float, Floats]:
        theta = np.exp(z)
        before, by_before = self.model._log_survival(theta, self.lost_at - 1)
        after, by_after = self.model._log_survival(theta, self.lost_at)
        stayed, by_stayed = self.model._log_survival(theta, self.kept_at)
        falls = -np.expm1(after - before)  # share of those there who leave
        value = self.lost @ (before + np.log(falls)) + self.kept @ stayed
        slope = (by_before - by_after * np.exp(after - before)) / falls
        return float(value), (slope @ self.lost + by_stayed @ self.kept) * theta
