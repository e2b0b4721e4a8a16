"""BG/BB: takes or leaves each of a row of occasions, until gone.

Fader, Hardie & Shang (2010), Customer-Base Analysis in a Discrete-Time Noncontractual Setting,
Marketing Science 29, 1086–1108. For what happens at given occasions, such as a yearly appeal, a
season or a monthly market: while active, a customer buys on each occasion with probability p ~
Beta(α, β); before each occasion they leave with probability θ ~ Beta(γ, δ).

Frequency, recency and T are counted in occasions after the first purchase: how many the customer
took, the number of the last one taken, and how many there have been.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from revoir.models.counts import Counts, Floats
from revoir.models.simulation import Purchases
from revoir.models.transactions import TransactionModel


class BgBb(TransactionModel):
    """The BG/BB model; for its arguments and attributes see `TransactionModel`.

    P(alive) is that of being active on the next occasion, as in the paper.

    Source:
        Fader, Hardie & Shang (2010): likelihood eq. 5, P(X(n) = x) eq. 7, E[X(n)] eq. 8, P(alive)
        eq. 11, E[X(n, n + n*) | x, t_x, n] eq. 13.

    Examples:
        >>> model = BgBb.of(alpha=1.204, beta=0.750, gamma=0.657, delta=2.783)  # donors
        >>> model.expected_purchases(5, [6, 0], [6, 0], [6, 6]).round(2).tolist()
        [3.75, 0.07]
    """

    name = "bg_bb"
    label = "BG/BB"
    names = ("alpha", "beta", "gamma", "delta")
    source = "Fader, Hardie & Shang (2010), Marketing Science 29, 1086–1108"

    def _usual(self, counts: Counts) -> tuple[Sequence[float], Sequence[float]]:
        share = float(counts.n @ counts.x) / float(counts.n @ counts.T)
        return (1.0, max(1.0 / share - 1.0, 0.1), 0.7, 3.0), (1.2, 1.2, 1.2, 1.2)

    def _log_likelihood(self, theta: Floats, counts: Counts) -> tuple[float, Floats]:
        value, gradient = _terms(theta, counts)
        whole = np.logaddexp.reduce(value, axis=0)
        share = np.exp(value - whole)
        found: Floats = np.einsum("pjm,jm,m->p", gradient, share, counts.n)
        return float(counts.n @ whole), found

    def _rows(self, theta: Floats, counts: Counts) -> Floats:
        found: Floats = np.logaddexp.reduce(_terms(theta, counts)[0], axis=0)
        return found

    def _alive(self, theta: Floats, counts: Counts) -> Floats:
        return self._still(theta, counts) * _stays(theta, counts.T, 1)

    def _still(self, theta: Floats, counts: Counts) -> Floats:
        """The probability of having been active on the last occasion."""
        value, _ = _terms(theta, counts)
        found: Floats = np.exp(value[0] - np.logaddexp.reduce(value, axis=0))
        return found

    def _ahead_of_alive(
        self, theta: Floats, t: float, counts: Counts
    ) -> tuple[Floats, Floats, Floats]:
        """Of a customer who is active on the next occasion."""
        alpha, beta, _, _ = theta
        takes, leaves = alpha + counts.x, beta + counts.T - counts.x
        chance = takes / (takes + leaves)
        twice = chance * (takes + 1) / (takes + leaves + 1)
        next_time = _stays(theta, counts.T, 1)
        mean, squares, some = np.zeros((3, len(counts.x)))
        first = chance  # that the j-th occasion is the first one taken
        for j in range(1, round(t) + 1):
            active = _stays(theta, counts.T, j) / next_time
            mean += chance * active
            squares += (chance + 2 * (j - 1) * twice) * active
            some += first * active
            first = first * (leaves + j - 1) / (takes + leaves + j)
        return mean, squares, 1 - some

    def expected_purchases_of_new(self, t: npt.ArrayLike) -> Floats:
        """The occasions that a new customer takes of the next t, for each t (eq. 8)."""
        alpha, beta, _, _ = self._theta
        times = np.atleast_1d(np.asarray(t, dtype=np.float64))
        most = round(float(times.max()))
        active = [_stays(self._theta, np.zeros(1), j)[0] for j in range(1, most + 1)]
        upto = np.concatenate([[0.0], np.cumsum(active)])
        found: Floats = alpha / (alpha + beta) * upto[np.round(times).astype(np.int64)]
        return found

    def chances(self, t: npt.ArrayLike, most: int) -> Floats:
        """The probabilities that a new customer takes 0, 1, …, `most` of t occasions (eq. 7)."""
        from scipy.special import betaln, gammaln

        alpha, beta, gamma, delta = self._theta
        times = np.round(np.atleast_1d(np.asarray(t, dtype=np.float64))).astype(np.int64)
        x = np.arange(most + 1, dtype=np.float64)
        found = np.zeros((len(times), most + 1))
        for row, n in enumerate(times):
            for lived in range(n + 1):
                lives = betaln(gamma, delta + n) if lived == n else betaln(gamma + 1, delta + lived)
                possible = x <= lived
                taken = np.where(possible, x, 0)
                ways = gammaln(lived + 1) - gammaln(taken + 1) - gammaln(lived - taken + 1)
                takes = betaln(alpha + taken, beta + lived - taken) - betaln(alpha, beta)
                found[row] += possible * np.exp(ways + takes + lives - betaln(gamma, delta))
        return found

    def draw_purchases(self, until: npt.ArrayLike, *, seed: int = 0) -> Purchases:
        """Draw the occasions that new customers take; see `TransactionModel`."""
        rng = np.random.default_rng(seed)
        end = np.round(np.atleast_1d(np.asarray(until, dtype=np.float64))).astype(np.int64)
        alpha, beta, gamma, delta = self._theta
        takes = rng.beta(alpha, beta, len(end))
        leaves = np.maximum(rng.beta(gamma, delta, len(end)), 1e-12)
        active = np.minimum(end, rng.geometric(leaves) - 1)
        who = np.repeat(np.arange(len(end)), active)
        occasion = np.arange(1, len(who) + 1) - np.repeat(np.cumsum(active) - active, active)
        taken = rng.random(len(who)) < takes[who]
        return Purchases(len(end), who[taken], occasion[taken].astype(np.float64))


def _stays(theta: Floats, n: Floats, more: int) -> Floats:
    """P(active on the occasion n + `more`, given active on n)."""
    from scipy.special import betaln

    _, _, gamma, delta = theta
    found: Floats = np.exp(betaln(gamma, delta + n + more) - betaln(gamma, delta + n))
    return found


def _terms(theta: Floats, counts: Counts) -> tuple[Floats, Floats]:
    """The terms of eq. 5 as logarithms, and their derivatives.

    First that of a customer still active, then those of leaving before occasion t_x + 1, t_x + 2,
    …; as many as the longest silence has occasions, −∞ where a history has fewer.
    """
    from scipy.special import betaln, digamma

    alpha, beta, gamma, delta = theta
    x, t_x, n = counts.x, counts.t_x, counts.T
    silence = n - t_x
    terms = int(silence.max(initial=0)) + 1
    value, gradient = np.full((terms, len(x)), -np.inf), np.zeros((4, terms, len(x)))
    for place in range(terms):
        held = silence >= place
        lived = np.where(held, n if place == 0 else t_x + place - 1, t_x)
        gone = 0.0 if place == 0 else 1.0
        passed = beta + lived - x
        log_term = (
            betaln(alpha + x, passed) - betaln(alpha, beta)
            + betaln(gamma + gone, delta + lived) - betaln(gamma, delta)
        )  # fmt: skip
        value[place] = np.where(held, log_term, -np.inf)
        both = digamma(alpha + beta) - digamma(alpha + beta + lived)
        life = digamma(gamma + delta) - digamma(gamma + delta + gone + lived)
        gradient[0, place] = digamma(alpha + x) - digamma(alpha) + both
        gradient[1, place] = digamma(passed) - digamma(beta) + both
        gradient[2, place] = life + gone / gamma
        gradient[3, place] = digamma(delta + lived) - digamma(delta) + life
    return value, gradient
