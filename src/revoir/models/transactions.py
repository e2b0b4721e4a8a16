"""What the models of repeat purchase share: fitting, and the questions they answer.

Every one of them sees a customer as (x, t_x, T) (see `revoir.models.counts`), assumes that the
customer buys at a rate of their own until they leave unseen, and knows the rest from the
likelihood of that history. A model's own file holds that likelihood with its gradient, what lies
ahead of a customer who has not left, and how to draw from it.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from revoir.errors import InputError
from revoir.language import msg
from revoir.models.counts import Counts, Floats, counted
from revoir.models.fitting import (
    FEW_CASES,
    PRIOR_CUSTOMERS,
    SAMPLE_CUSTOMERS,
    Fit,
    Objective,
    Prior,
    drawn,
    fit,
)
from revoir.models.simulation import Purchases


class Ahead(NamedTuple):
    """What lies ahead of each history within a time.

    Attributes:
        alive: Probability that the customer has not left.
        mean: Expected purchases, leaving allowed for.
        squares: Mean square of the purchases.
        none: Probability of no purchase.
    """

    alive: Floats
    mean: Floats
    squares: Floats
    none: Floats


class TransactionModel(ABC):
    """A model of repeat purchase.

    Args:
        prior_customers: How many customers who came back the weak prior is worth (0: none, which
            is maximum likelihood).

    Attributes:
        parameters_: The fitted parameters by name; times in the unit of the data.
        standard_errors_: Of the parameters, from the Hessian of the log posterior.
        log_likelihood_: Of the data, without the prior.
        converged_: Whether the fit reached a summit; `fit_.reason` says why not.
        fit_: All that the fit found.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    source: ClassVar[str]

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

        Args:
            parameters: All of `names`.

        Raises:
            ValueError: One is missing, unknown or not positive.
        """
        if set(parameters) != set(cls.names):
            raise ValueError(f"{cls.label} has the parameters {', '.join(cls.names)}")
        if not all(value > 0 for value in parameters.values()):
            raise ValueError("parameters must be positive")
        return cls()._with(np.array([parameters[name] for name in cls.names]))

    def _with(self, theta: Floats) -> Self:
        """The same model with other parameters."""
        other = copy.copy(self)
        other.parameters_ = dict(zip(self.names, theta.tolist(), strict=True))
        return other

    @property
    def _theta(self) -> Floats:
        return np.array([self.parameters_[name] for name in self.names])

    def fit(
        self, frequency: npt.ArrayLike, recency: npt.ArrayLike, T: npt.ArrayLike, **extra: Any
    ) -> Self:
        """Fit the model to the histories of customers.

        Args:
            frequency: Repeat purchases of each customer.
            recency: Time from the first purchase to the last, in any unit.
            T: Time from the first purchase to the end of the observation, in the same unit.
            extra: What `fit_counts` of the model takes besides.

        Returns:
            Itself.

        Raises:
            ValueError: No customer can have such a history.
            InputError: Nobody bought again.
        """
        return self.fit_counts(counted(frequency, recency, T), **extra)

    def fit_counts(self, counts: Counts, *, log_gaps: float | None = None) -> Self:
        """Fit the model to histories that are counted already.

        Args:
            counts: The histories.
            log_gaps: Sum of the logarithms of the times between purchases, which models of
                regular buyers compare rhythms by; the others need it not.

        Returns:
            Itself.

        Raises:
            InputError: Nobody bought again.
        """
        del log_gaps
        if not counts.repeaters or not (counts.T > 0).any():
            raise InputError(
                msg("Not enough data: no customer bought again, so there is no rhythm to learn."),
                remedy=msg("Give a longer history."),
            )
        sample = counts.sample(SAMPLE_CUSTOMERS)
        self.fit_ = fit(
            self._objective(counts),
            self._prior(counts),
            names=self.names,
            sample=None if sample is counts else self._objective(sample),
        )
        self.parameters_ = dict(zip(self.names, self.fit_.parameters.tolist(), strict=True))
        errors = self.fit_.standard_errors.tolist()
        self.standard_errors_ = dict(zip(self.names, errors, strict=True))
        self.log_likelihood_ = self.fit_.log_likelihood
        self.converged_ = self.fit_.converged
        self._fitted_to = counts
        return self

    def _objective(self, counts: Counts) -> Objective:
        def objective(z: Floats) -> tuple[float, Floats]:
            theta = np.exp(z)
            value, gradient = self._log_likelihood(theta, counts)
            return value, gradient * theta

        return objective

    def _prior(self, counts: Counts) -> Prior:
        medians, spread = self._usual(counts)
        return Prior.weak(medians, spread, counts.repeaters, self.prior_customers)

    def draw(self, size: int, *, seed: int = 0) -> list[Self]:
        """Draw parameters that the data leave possible (`revoir.models.fitting.drawn`).

        Args:
            size: How many sets.
            seed: Chooses the draw.

        Returns:
            As many models, each with its parameters.
        """
        few = self._fitted_to.repeaters <= FEW_CASES
        objective = self._objective(self._fitted_to) if few or not self.converged_ else None
        found = drawn(self.fit_, size, seed=seed, objective=objective)
        return [self._with(np.exp(z)) for z in found]

    def log_likelihood(
        self, frequency: npt.ArrayLike, recency: npt.ArrayLike, T: npt.ArrayLike
    ) -> Floats:
        """The logarithm of the likelihood of each customer's history."""
        counts = counted(frequency, recency, T)
        found: Floats = self._rows(self._theta, counts)[counts.at]
        return found

    def p_alive(self, frequency: npt.ArrayLike, recency: npt.ArrayLike, T: npt.ArrayLike) -> Floats:
        """The probability that each customer has not left by T."""
        counts = counted(frequency, recency, T)
        found: Floats = self._alive(self._theta, counts)[counts.at]
        return found

    def expected_purchases(
        self, t: float, frequency: npt.ArrayLike, recency: npt.ArrayLike, T: npt.ArrayLike
    ) -> Floats:
        """The purchases to expect of each customer in the time t after T."""
        counts = counted(frequency, recency, T)
        found: Floats = self.ahead(t, counts).mean[counts.at]
        return found

    def p_purchase(
        self, t: float, frequency: npt.ArrayLike, recency: npt.ArrayLike, T: npt.ArrayLike
    ) -> Floats:
        """The probability that each customer buys at least once in the time t after T."""
        counts = counted(frequency, recency, T)
        found: Floats = 1.0 - self.ahead(t, counts).none[counts.at]
        return found

    def ahead(self, t: float, counts: Counts) -> Ahead:
        """What lies ahead of each distinct history within a time t.

        Args:
            t: The time, in the unit of the data.
            counts: The histories.

        Returns:
            One value a row of `counts`.
        """
        alive = self._alive(self._theta, counts)
        mean, squares, none = self._ahead_of_alive(self._theta, t, counts)
        return Ahead(alive, alive * mean, alive * squares, 1.0 - alive * (1.0 - none))

    def discounted(self, t: float, rate: float, counts: Counts) -> Floats:
        r"""Expected purchases within t, each worth less the later it comes.

        With δ(u) = exp(−rate · u), ``∫ δ(u) dE[X(u)] = δ(t) E[X(t)] + rate ∫ δ(u) E[X(u)] du``;
        E[X(u)] is smooth and bends one way, so five points of Gauss–Legendre are exact to six
        digits.

        Args:
            t: The time, in the unit of the data.
            rate: Continuous discount rate per unit of time.
            counts: The histories.

        Returns:
            One value a row of `counts`.
        """
        total: Floats = np.exp(-rate * t) * self.ahead(t, counts).mean
        if rate == 0:
            return total
        for node, weight in zip(*np.polynomial.legendre.leggauss(5), strict=True):
            u = 0.5 * t * (1.0 + node)
            total += 0.5 * t * weight * rate * np.exp(-rate * u) * self.ahead(u, counts).mean
        return total

    @abstractmethod
    def expected_purchases_of_new(self, t: npt.ArrayLike) -> Floats:
        """The repeat purchases to expect of a new customer within each time t."""

    @abstractmethod
    def chances(self, t: npt.ArrayLike, most: int) -> Floats:
        """The probabilities of 0, 1, …, `most` repeat purchases of a new customer within t.

        Args:
            t: Times.
            most: The largest number.

        Returns:
            One row a time, one column a number.
        """

    @abstractmethod
    def draw_purchases(self, until: npt.ArrayLike, *, seed: int = 0) -> Purchases:
        """Draw the repeat purchases of new customers.

        Args:
            until: How long each customer is followed.
            seed: Chooses the draw.

        Returns:
            Their purchases.
        """

    @abstractmethod
    def _usual(self, counts: Counts) -> tuple[Sequence[float], Sequence[float]]:
        """The prior: medians of the parameters, and standard deviations of their logarithms."""

    @abstractmethod
    def _log_likelihood(self, theta: Floats, counts: Counts) -> tuple[float, Floats]:
        """Of all histories, and the gradient by the parameters."""

    @abstractmethod
    def _rows(self, theta: Floats, counts: Counts) -> Floats:
        """The log-likelihood of each history."""

    @abstractmethod
    def _alive(self, theta: Floats, counts: Counts) -> Floats:
        """P(alive) of each history."""

    @abstractmethod
    def _ahead_of_alive(
        self, theta: Floats, t: float, counts: Counts
    ) -> tuple[Floats, Floats, Floats]:
        """Mean, mean square and P(0) of the purchases of each history's customer, if alive."""


class PairModel(TransactionModel):
    """A model whose likelihood is a term of (x, t_x) plus a term of (x, T).

    Both terms are given with their gradients by pair; only their sum is taken by history.
    """

    def _log_likelihood(self, theta: Floats, counts: Counts) -> tuple[float, Floats]:
        from revoir.models.special import mixed

        last, observed = counts.last, counts.observed
        ended, by_ended = self._ended(theta, last.x, last.t)
        going, by_going = self._going(theta, observed.x, observed.t)
        total, of_ended, of_going = mixed(ended, going, last.at, observed.at, counts.n)
        return total, by_ended @ of_ended + by_going @ of_going

    def _rows(self, theta: Floats, counts: Counts) -> Floats:
        observed = counts.observed
        going, _ = self._going(theta, observed.x, observed.t)
        return self._with_ended(theta, counts, going[observed.at])

    def _with_ended(self, theta: Floats, counts: Counts, going: Floats) -> Floats:
        """The log-likelihood of each history, whose second term is known."""
        ended, _ = self._ended(theta, counts.last.x, counts.last.t)
        found: Floats = np.logaddexp(ended[counts.last.at], going)
        return found

    def _alive(self, theta: Floats, counts: Counts) -> Floats:
        observed = counts.observed
        going, _ = self._going(theta, observed.x, observed.t)
        here = self._log_alive(theta, observed.x, observed.t, going)[observed.at]
        whole = self._with_ended(theta, counts, going[observed.at])
        # Rounding may leave a hair more than the whole.
        return np.minimum(np.exp(here - whole), 1.0)

    def _log_alive(self, theta: Floats, x: Floats, T: Floats, going: Floats) -> Floats:
        """The logarithm of the part of the likelihood in which the customer has not left.

        By default that is the second term, `going`.
        """
        return going

    def _ahead_of_alive(
        self, theta: Floats, t: float, counts: Counts
    ) -> tuple[Floats, Floats, Floats]:
        observed = counts.observed
        mean, squares, none = self._ahead_of_pairs(theta, t, observed.x, observed.t)
        return mean[observed.at], squares[observed.at], none[observed.at]

    @abstractmethod
    def _ended(self, theta: Floats, x: Floats, t_x: Floats) -> tuple[Floats, Floats]:
        """The logarithm of the first term, and a row of derivatives by each parameter."""

    @abstractmethod
    def _going(self, theta: Floats, x: Floats, T: Floats) -> tuple[Floats, Floats]:
        """The logarithm of the second term, and a row of derivatives by each parameter."""

    @abstractmethod
    def _ahead_of_pairs(
        self, theta: Floats, t: float, x: Floats, T: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """`_ahead_of_alive` by pair (x, T)."""


def mean_rate(counts: Counts) -> float:
    """Repeat purchases of all customers by their time observed, to set the scale of a prior."""
    return float(counts.n @ counts.x) / float(counts.n @ counts.T)
