"""Pareto/NBD: buys at random for a lifetime that ends at any moment.

Schmittlein, Morrison & Colombo (1987), Counting Your Customers: Who Are They and What Will They
Do Next?, Management Science 33, 1–24. While active, a customer buys as a Poisson process of rate
λ ~ Gamma(r, α); the lifetime is exponential of rate μ ~ Gamma(s, β).

The likelihood is computed as the chance that what follows the last purchase is the end of the
lifetime plus the chance that it is a purchase after T:

    Γ(r + x) α^r β^s / Γ(r) × { s ∫_t_x^∞ (α + τ)^−(r + x) (β + τ)^−(s + 1) dτ
                               + (r + x) ∫_T^∞ (α + τ)^−(r + x + 1) (β + τ)^−s dτ }

which equals the usual form with the difference of two 2F1 (Fader & Hardie 2005, A Note on
Deriving the Pareto/NBD Model, eq. 18) by integration by parts, and has no difference to lose
digits in.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from revoir.models.counts import Counts, Floats, by_count
from revoir.models.simulation import Purchases, poisson_steps
from revoir.models.transactions import PairModel, mean_rate


class ParetoNbd(PairModel):
    r"""The Pareto/NBD model; for its arguments and attributes see `TransactionModel`.

    Source:
        Schmittlein, Morrison & Colombo (1987); Fader & Hardie (2005), A Note on Deriving the
        Pareto/NBD Model and Related Expressions: likelihood eq. 18, E[X(t)] eq. 27, P(alive)
        eq. 36–37, E[Y(t) | x, t_x, T] eq. 41; P(X(t) = x): Fader & Hardie (2006), Deriving an
        Expression for P(X(t) = x) Under the Pareto/NBD Model, eq. 16.

    Examples:
        >>> model = ParetoNbd.of(r=0.553, alpha=10.578, s=0.606, beta=11.669)  # CDNOW, weeks
        >>> model.expected_purchases_of_new(52).round(3).tolist()
        [1.473]
        >>> model.p_alive([26], [30.86], [31]).round(4).tolist()
        [0.9979]
    """

    name = "pareto_nbd"
    label = "Pareto/NBD"
    names = ("r", "alpha", "s", "beta")
    source = "Schmittlein, Morrison & Colombo (1987), Management Science 33, 1–24"

    def _usual(self, counts: Counts) -> tuple[Sequence[float], Sequence[float]]:
        observed = float(counts.n @ counts.T) / counts.customers
        return (0.5, 0.5 / mean_rate(counts), 0.6, 0.5 * observed), (1.2, 1.5, 1.2, 1.5)

    def _ended(self, theta: Floats, x: Floats, t_x: Floats) -> tuple[Floats, Floats]:
        from revoir.models.special import log_tail_integrals

        r, alpha, s, beta = theta
        tail, slopes = log_tail_integrals(r + x, np.full_like(x, s + 1), alpha, beta, t_x)
        value, slopes = _with_constants(theta, x, tail, slopes)
        slopes[2] += 1 / s
        return value + np.log(s), slopes

    def _going(self, theta: Floats, x: Floats, T: Floats) -> tuple[Floats, Floats]:
        from revoir.models.special import log_tail_integrals

        r, alpha, s, beta = theta
        tail, slopes = log_tail_integrals(r + x + 1, np.full_like(x, s), alpha, beta, T)
        value, slopes = _with_constants(theta, x, tail, slopes)
        slopes[0] += 1 / (r + x)
        return value + np.log(r + x), slopes

    def _log_alive(self, theta: Floats, x: Floats, T: Floats, going: Floats) -> Floats:
        r, alpha, s, beta = theta
        here: Floats = -(r + x) * np.log(alpha + T) - s * np.log(beta + T)
        return _constants(theta, x) + here

    def _ahead_of_pairs(
        self, theta: Floats, t: float, x: Floats, T: Floats
    ) -> tuple[Floats, Floats, Floats]:
        from revoir.models.special import log_tail_integrals

        r, alpha, s, beta = theta
        life, life_squares = _lifetime(s, beta + T, t)
        rate = (r + x) / (alpha + T)
        mean = rate * life
        squares = mean + rate * (r + x + 1) / (alpha + T) * life_squares
        # The next purchase, if it is to come within t, comes between T and T + t.
        exponents = (r + x + 1, np.full_like(x, s))
        now, _ = log_tail_integrals(*exponents, alpha, beta, T)
        later, _ = log_tail_integrals(*exponents, alpha, beta, T + t)
        alive = -(r + x) * np.log(alpha + T) - s * np.log(beta + T)
        some = (r + x) * (np.exp(now - alive) - np.exp(later - alive))
        return mean, squares, np.clip(1.0 - some, 0.0, 1.0)

    def expected_purchases_of_new(self, t: npt.ArrayLike) -> Floats:
        """The repeat purchases to expect of a new customer within each time t (eq. 27)."""
        r, alpha, s, beta = self._theta
        times = np.atleast_1d(np.asarray(t, dtype=np.float64))
        found: Floats = r / alpha * _lifetime(s, np.full_like(times, beta), times)[0]
        return found

    def chances(self, t: npt.ArrayLike, most: int) -> Floats:
        """The probabilities of 0, 1, …, `most` repeat purchases within t."""
        from scipy.special import gammaln

        r, alpha, s, beta = self._theta
        times = np.atleast_1d(np.asarray(t, dtype=np.float64))[:, None]
        x = np.arange(most + 1, dtype=np.float64)
        # Purchases until a moment τ: log of their probability less that of the wait.
        constant = gammaln(r + x) - gammaln(r) - gammaln(x + 1) + r * np.log(alpha)

        def buying(moment: Floats) -> Floats:
            with np.errstate(divide="ignore", invalid="ignore"):
                power = np.where(x > 0, x * np.log(moment), 0.0)
            found: Floats = np.exp(constant + power - (r + x) * np.log(alpha + moment))
            return found

        alive: Floats = buying(times) * (beta / (beta + times)) ** s
        # Whoever left did so at some τ; over log(1 + τ / c) the integrand is smooth.
        least = min(alpha, beta)
        width = np.log1p(times / least)
        left = np.zeros((len(times), most + 1))
        for node, weight in zip(*np.polynomial.legendre.leggauss(64), strict=True):
            moment = least * np.expm1(0.5 * (1 + node) * width)
            density = s / (beta + moment) * (beta / (beta + moment)) ** s
            left += 0.5 * width * weight * (least + moment) * density * buying(moment)
        return alive + left

    def draw_purchases(self, until: npt.ArrayLike, *, seed: int = 0) -> Purchases:
        """Draw the repeat purchases of new customers; see `TransactionModel`."""
        rng = np.random.default_rng(seed)
        end = np.atleast_1d(np.asarray(until, dtype=np.float64))
        r, alpha, s, beta = self._theta
        rate = rng.gamma(r, 1 / alpha, len(end))
        life = rng.exponential(1 / np.maximum(rng.gamma(s, 1 / beta, len(end)), 1e-300))
        who, when, _ = poisson_steps(rate, np.minimum(end, life), rng)
        return Purchases(len(end), who, when)


def _constants(theta: Floats, x: Floats) -> Floats:
    from scipy.special import gammaln

    r, alpha, s, beta = theta
    gamma = by_count(lambda x: gammaln(r + x) - gammaln(r), x)
    found: Floats = gamma + r * np.log(alpha) + s * np.log(beta)
    return found


def _with_constants(
    theta: Floats, x: Floats, tail: Floats, slopes: Floats
) -> tuple[Floats, Floats]:
    """What stands before both integrals, with its derivatives, added to theirs."""
    from scipy.special import digamma

    r, alpha, s, beta = theta
    slopes = slopes[[0, 2, 1, 3]]  # by r, α, s, β: p grows with r and q with s
    slopes[0] += by_count(lambda x: digamma(r + x) - digamma(r) + np.log(alpha), x)
    slopes[1] += r / alpha
    slopes[2] += np.log(beta)
    slopes[3] += s / beta
    return tail + _constants(theta, x), slopes


def _lifetime(s: float, scale: Floats, t: npt.ArrayLike) -> tuple[Floats, Floats]:
    """E[min(life, t)] and E[min(life, t)²] where P(life > u) = (scale / (scale + u))^s."""
    grown = np.log1p(np.asarray(t) / scale)

    def integral(power: float) -> Floats:
        """``∫_0^grown exp(power · v) dv``."""
        if abs(power) < 1e-12:
            return grown
        found: Floats = np.expm1(power * grown) / power
        return found

    first = scale * integral(1 - s)
    return first, 2 * scale**2 * (integral(2 - s) - integral(1 - s))
