"""BG/NBD: buys at random, and may leave after each repeat purchase.

Fader, Hardie & Lee (2005), “Counting Your Customers” the Easy Way: An Alternative to the
Pareto/NBD Model, Marketing Science 24, 275–284. While active, a customer buys as a Poisson
process of rate λ ~ Gamma(r, α); after each repeat purchase they leave with probability p ~
Beta(a, b).

Nobody leaves on the first purchase, so a customer who never came back is alive for certain:
P(alive) = 1. That is the model's assumption, not a finding; MBG/NBD does without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from revoir.models.counts import Counts, Floats, by_count
from revoir.models.simulation import Purchases, poisson_steps
from revoir.models.transactions import PairModel, mean_rate


class BgNbd(PairModel):
    r"""The BG/NBD model; for its arguments and attributes see `TransactionModel`.

    Source:
        Fader, Hardie & Lee (2005): likelihood eq. 6, P(X(t) = x) eq. 8, E[X(t)] eq. 9,
        E[Y(t) | x, t_x, T] eq. 10; Fader, Hardie & Lee (2008), Computing P(alive) Using the BG/NBD
        Model. Expectations are the same sums before they are written with 2F1: n purchases
        or more happen with probability E[(1 − p)^(n − 1)] P(N ≥ n), where N is what the customer
        would buy without ever leaving.

    Examples:
        >>> model = BgNbd.of(r=0.243, alpha=4.414, a=0.793, b=2.426)  # CDNOW, weeks
        >>> model.expected_purchases(39, [2], [30.43], [38.86]).round(2).tolist()
        [1.23]
    """

    name = "bg_nbd"
    label = "BG/NBD"
    names = ("r", "alpha", "a", "b")
    source = "Fader, Hardie & Lee (2005), Marketing Science 24, 275–284"

    _at_first: ClassVar[int] = 0
    """Chances to leave at the first purchase."""

    def _usual(self, counts: Counts) -> tuple[Sequence[float], Sequence[float]]:
        return (0.5, 0.5 / mean_rate(counts), 0.8, 2.5), (1.2, 1.5, 1.2, 1.2)

    def _going(self, theta: Floats, x: Floats, T: Floats) -> tuple[Floats, Floats]:
        from scipy.special import betaln, digamma

        r, alpha, a, b = theta

        def staying(x: Floats) -> Floats:
            stays = b + x + self._at_first
            whole = digamma(a + b) - digamma(a + stays)
            value = betaln(a, stays) - betaln(a, b)
            return np.stack([value, whole, whole + digamma(stays) - digamma(b)])

        value, by_r, by_alpha = rates(r, alpha, x, T)
        stayed, by_a, by_b = by_count(staying, x)
        return value + stayed, np.stack([by_r, by_alpha, by_a, by_b])

    def _ended(self, theta: Floats, x: Floats, t_x: Floats) -> tuple[Floats, Floats]:
        from scipy.special import betaln, digamma

        r, alpha, a, b = theta

        def leaving(x: Floats) -> Floats:
            never = x + self._at_first == 0  # nobody has had a chance to leave
            stays = np.where(never, b, b + x + self._at_first - 1)
            whole = digamma(a + b) - digamma(a + 1 + stays)
            value = np.where(never, -np.inf, betaln(a + 1, stays) - betaln(a, b))
            return np.stack([value, whole + 1 / a, whole + digamma(stays) - digamma(b)])

        value, by_r, by_alpha = rates(r, alpha, x, t_x)
        left, by_a, by_b = by_count(leaving, x)
        return value + left, np.stack([by_r, by_alpha, by_a, by_b])

    def _ahead_of_pairs(
        self, theta: Floats, t: float, x: Floats, T: Floats
    ) -> tuple[Floats, Floats, Floats]:
        from revoir.models.special import purchases_ahead

        r, alpha, a, b = theta
        return purchases_ahead(r + x, t / (alpha + T + t), a, b + x + self._at_first, 1, 0)

    def expected_purchases_of_new(self, t: npt.ArrayLike) -> Floats:
        """The repeat purchases to expect of a new customer within each time t (eq. 9)."""
        from revoir.models.special import purchases_ahead

        r, alpha, a, b = self._theta
        times = np.atleast_1d(np.asarray(t, dtype=np.float64))
        stays = np.full_like(times, b + self._at_first)
        odds = times / (alpha + times)
        mean, _, _ = purchases_ahead(np.full_like(times, r), odds, a, stays, 1, 0)
        found: Floats = mean * (b / (a + b)) ** self._at_first
        return found

    def chances(self, t: npt.ArrayLike, most: int) -> Floats:
        """The probabilities of 0, 1, …, `most` repeat purchases within t (eq. 8)."""
        return leaving_chances(self._theta, t, most, k=1, at_first=self._at_first)

    def draw_purchases(self, until: npt.ArrayLike, *, seed: int = 0) -> Purchases:
        """Draw the repeat purchases of new customers; see `TransactionModel`."""
        return draw_leaving(self._theta, until, seed, k=1, at_first=self._at_first)


def rates(r: float, alpha: float, x: Floats, t: Floats) -> tuple[Floats, Floats, Floats]:
    """What buying contributes to a likelihood: a Poisson process with a gamma-distributed rate.

    Args:
        r: Shape of the rates.
        alpha: Their rate parameter.
        x: Steps of the process, whole numbers.
        t: The time in which they were made.

    Returns:
        ``log(Γ(r + x) α^r / (Γ(r) (α + t)^(r + x)))``, and its derivatives by r and α.
    """
    from scipy.special import digamma, gammaln

    def buying(x: Floats) -> Floats:
        log_alpha = np.log(alpha)
        value = gammaln(r + x) - gammaln(r) + r * log_alpha
        return np.stack([value, digamma(r + x) - digamma(r) + log_alpha])

    log_wait, shape = np.log(alpha + t), r + x
    bought, by_r = by_count(buying, x)
    return bought - shape * log_wait, by_r - log_wait, r / alpha - shape / (alpha + t)


def leaving_chances(theta: Floats, t: npt.ArrayLike, most: int, *, k: int, at_first: int) -> Floats:
    """P(X(t) = 0, 1, …, `most`) where customers may leave at each purchase.

    Args:
        theta: r, α, a, b.
        t: Times.
        most: The largest number of repeat purchases.
        k: Steps of the Poisson process that a purchase takes.
        at_first: 1 where customers may leave at the first purchase too, else 0.

    Returns:
        One row a time.
    """
    from scipy.special import betainc, betaln

    r, alpha, a, b = theta
    times = np.atleast_1d(np.asarray(t, dtype=np.float64))[:, None]
    n = np.arange(1, most + 2, dtype=np.float64)
    stays = np.exp(betaln(a, b + n - 1 + at_first) - betaln(a, b))
    reached = betainc(n * k, r, times / (alpha + times)) * stays  # P(X ≥ n)
    whole = np.hstack([np.ones_like(times), reached])
    found: Floats = whole[:, :-1] - whole[:, 1:]
    return found


def draw_leaving(
    theta: Floats, until: npt.ArrayLike, seed: int, *, k: int, at_first: int
) -> Purchases:
    """Draw purchases of customers who may leave at each of them; arguments as above."""
    rng = np.random.default_rng(seed)
    end = np.atleast_1d(np.asarray(until, dtype=np.float64))
    r, alpha, a, b = theta
    rate = rng.gamma(r, 1 / alpha, len(end))
    leaving = np.maximum(rng.beta(a, b, len(end)), 1e-12)
    last = rng.geometric(leaving) - at_first  # the number of the purchase they leave at
    who, when, nth = poisson_steps(rate, end, rng)
    made = (nth % k == 0) & (nth // k <= last[who])
    return Purchases(len(end), who[made], when[made])
