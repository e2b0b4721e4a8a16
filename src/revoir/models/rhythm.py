"""The rhythm of each customer: the gaps between purchase days, shrunk to those of all customers.

A customer's next gap follows the distribution that their own complete gaps and those of all other
customers give (`revoir.models.gaps`). The silence since the last purchase is a gap that is not over
or a customer who has left: after each purchase, the first one too, a customer leaves with their own
probability p ~ Beta(a, b). With S the survival function of the next gap, a customer of x complete
gaps who has been silent for c days

- is active with probability S(c) / (S(c) + a / (b + x));
- if active, would be silent so long or longer with probability S(c): when that is small, they are
  overdue against their own rhythm;
- if active, buys next within t days with probability 1 − S(c + t) / S(c).

Parameters are those of the greatest likelihood of gaps and silences together, under weak priors
(their logarithms lie within a few units of plausible ones), which matter in small shops only.

Source:
    Boag (1949), Journal of the Royal Statistical Society B 11, 15–53 (some of those who are silent
    never come back); Batislam, Denizel & Filiztekin (2007), International Journal of Research in
    Marketing 24, 201–209 (leaving after any purchase, the first one too); Reutterer, Platzer &
    Schröder (2021), the same 38, 194–215 (with regular gaps).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from revoir.language import Message, msg, nmsg
from revoir.models.fitting import lowest
from revoir.models.gaps import FAMILIES, HALF_DAY, Family, Floats, History, NextGap
from revoir.models.pace import STEADY, Pace

GAPS_MIN = 30
"""Fewer complete gaps than this say nothing of the rhythm of a shop."""
RETURNERS_MIN = 10
"""Fewer customers who came back than this do not show how customers differ."""
SAMPLE = 10_000
"""Customers that parameters are found from: with more, they no longer change what is said."""
_NEVER = 1e-100
"""A silence less probable than this has no day after it: too few digits are left to say which."""
_HARDLY = 1e-9
"""A purchase within the horizon that is less probable has no day, for the same reason."""
_PRIOR_SPREAD = 2.0
"""Standard deviation of the logarithm of a parameter around its start."""


@dataclass(frozen=True)
class Expected:
    """What is expected of each customer; one element a customer.

    Attributes:
        usual_days: Median length of their gaps, in days.
        silence: Probability that an active customer is silent for as long as they are, or longer.
        active: Probability that they have not left.
        returns: Probability that they buy within the horizon.
        next: Days from now to the next purchase, if there is one within the horizon: the median
            (NaN: the silence, or a purchase so soon, is all but impossible for an active customer).
        low: The first day of the interval around it, counted likewise.
        high: Its last day.
    """

    usual_days: Floats
    silence: Floats
    active: Floats
    returns: Floats
    next: Floats
    low: Floats
    high: Floats


class Rhythm:
    """Gaps between purchases, with a customer's own rhythm and a probability of having left.

    Args:
        family: "gamma" or "lognormal" (None: whichever makes the data more probable).
        sample: From how many customers, drawn at random, parameters are found.
        seed: Chooses the draw.

    Attributes:
        family_: The family in use, after `fit`.
        parameters_: Its parameters and those of leaving, `a` and `b`, by name.
        log_likelihoods_: Log-likelihood a customer of each family that was tried.
        customers_: How many customers the parameters come from.

    Examples:
        >>> days = np.cumsum(np.random.default_rng(1).lognormal(3.4, 0.3, (40, 6)), axis=1).round()
        >>> gaps = np.log(np.diff(days))
        >>> history = History(np.full(40, 5.0), days[:, -1] - days[:, 0], gaps.sum(axis=1),
        ...                   (gaps**2).sum(axis=1), np.full(40, 10.0))
        >>> rhythm = Rhythm().fit(history)
        >>> rhythm.family_
        'lognormal'
        >>> bool(20 < rhythm.expect(history).usual_days[0] < 40)
        True
    """

    def __init__(self, family: str | None = None, *, sample: int = SAMPLE, seed: int = 0) -> None:
        self.family = family
        self.sample = sample
        self.seed = seed

    def fit(self, history: History) -> Rhythm:
        """Find the parameters from what customers did.

        Args:
            history: The purchase days of customers; `reason_against` says whether they suffice.

        Returns:
            The model itself.
        """
        drawn, weights = self._drawn(history)
        known = history.frequency > 0
        # Exactly summed: the order of the rows would change the last bit, and with it how far the
        # search for parameters goes.
        typical = math.exp(math.fsum(history.log_sum[known]) / history.frequency[known].sum())
        families = [FAMILIES[self.family]] if self.family else list(FAMILIES.values())
        found = {one.name: _most_likely(one, drawn, weights, typical) for one in families}
        self.customers_ = int(weights.sum())
        self.log_likelihoods_ = {name: likely for name, (_, likely) in found.items()}
        self.family_ = max(self.log_likelihoods_, key=self.log_likelihoods_.__getitem__)
        self._theta = found[self.family_][0]
        family = FAMILIES[self.family_]
        values = [*family.natural(self._theta[:-2]), *np.exp(self._theta[-2:])]
        names = (*family.parameters, "a", "b")
        self.parameters_ = {name: float(value) for name, value in zip(names, values, strict=True)}
        return self

    def _drawn(self, history: History) -> tuple[History, Floats]:
        """Some of the customers; those who are alike stand once, with their number."""
        history = history.take(history.some(self.sample, seed=self.seed))
        fields = (history.frequency, history.recency, history.log_sum, history.log_squares)
        columns = np.stack([*fields, history.silence], axis=1)
        alike, counts = np.unique(columns, axis=0, return_counts=True)
        return History(*np.ascontiguousarray(alike.T)), counts.astype(np.float64)

    def expect(
        self,
        history: History,
        *,
        horizon_days: int = 365,
        coverage: float = 0.8,
        pace: Pace = STEADY,
    ) -> Expected:
        """Say what is to be expected of customers.

        Args:
            history: Their purchase days, up to the day that is looked from.
            horizon_days: How far ahead is looked.
            coverage: Share of the next purchases within the horizon that the interval holds.
            pace: What the days ahead are worth.

        Returns:
            The expectations. An interval is made of whole days, so that it holds a little more
            than its share where gaps are of few days.
        """
        gap = self.next_gap(history)
        now = history.silence + HALF_DAY
        silence = gap.survival(now)
        later = gap.survival(now + pace.usual_days(horizon_days))
        active = _active(silence, history.frequency, self.parameters_)

        known = (silence > _NEVER) & (silence - later > _HARDLY * silence)

        def day(share: float) -> Floats:
            reached = gap.quantile(np.maximum(silence - share * (silence - later), _TINY))
            whole = np.floor(pace.days_ahead(np.maximum(reached - now, 0))) + 1
            return np.where(known, np.clip(whole, 1, horizon_days), np.nan)

        tail = (1 - coverage) / 2
        return Expected(
            usual_days=gap.quantile(np.full(len(history), 0.5)),
            silence=silence,
            active=active,
            returns=active * (1 - later / np.maximum(silence, _TINY)),
            next=day(0.5),
            low=day(tail),
            high=day(1 - tail),
        )

    def silence(self, history: History) -> Floats:
        """The probability that active customers are silent for as long as each is, or longer."""
        return self.next_gap(history).survival(history.silence + HALF_DAY)

    def returns_within(self, history: History, days: Floats | float) -> Floats:
        """The probability that each customer buys within so many usual days."""
        gap = self.next_gap(history)
        now = history.silence + HALF_DAY
        silence = np.maximum(gap.survival(now), _TINY)
        active = _active(silence, history.frequency, self.parameters_)
        return active * (1 - gap.survival(now + days) / silence)

    def next_gap(self, history: History) -> NextGap:
        """The distribution of each customer's next gap, as it is on the day of a purchase."""
        return FAMILIES[self.family_].next_gap(self._theta[:-2], history)


def reason_against(history: History) -> Message | None:
    """Why a shop's history is too short to read a rhythm from (None: it suffices)."""
    gaps, returners = int(history.frequency.sum()), int((history.frequency > 0).sum())
    if not gaps:
        return msg(
            "No customer has come back yet; {needed} returns are needed to read their rhythm.",
            needed=GAPS_MIN,
        )
    if gaps < GAPS_MIN:
        return nmsg(
            "Customers came back only once; {needed} returns are needed to read their rhythm.",
            "Customers came back only {n} times; {needed} returns are needed to read their rhythm.",
            gaps,
            needed=GAPS_MIN,
        )
    if returners < RETURNERS_MIN:
        return nmsg(
            "Only one customer came back; {needed} are needed to see how rhythms differ.",
            "Only {n} customers came back; {needed} are needed to see how rhythms differ.",
            returners,
            needed=RETURNERS_MIN,
        )
    return None


def _most_likely(
    family: Family, history: History, weights: Floats, typical: float
) -> tuple[Floats, float]:
    """The parameters that explain best what customers did, and their log-likelihood a customer."""
    centre = np.concatenate([family.start(typical), np.log(_STARTS_OF_LEAVING[0])])
    bounds = [(at - 4 * _PRIOR_SPREAD, at + 4 * _PRIOR_SPREAD) for at in centre]

    def unlikely(theta: Floats, some: History, weights: Floats) -> float:
        likely = weights @ _log_likelihood(family, theta, some)
        prior = 0.5 * ((theta - centre) ** 2).sum() / _PRIOR_SPREAD**2
        return float((prior - likely) / weights.sum())

    def climb(start: Floats, some: History, weights: Floats) -> Floats:
        return lowest(unlikely, start, args=(some, weights), bounds=bounds)

    def found_from(leaving: tuple[float, float]) -> Floats:
        start = np.concatenate([centre[:-2], np.log(leaving)])
        # A few customers lead most of the way up at a tenth of the cost.
        few = np.arange(0, len(history), 10)
        near = climb(start, history.take(few), weights[few]) if len(few) > _FEW else start
        return climb(near, history, weights)

    # Long silences are explained by gaps of long tails or by customers who left: the likelihood may
    # have a summit for each.
    summits = [found_from(leaving) for leaving in _STARTS_OF_LEAVING]
    theta = min(summits, key=lambda summit: unlikely(summit, history, weights))
    return theta, float(weights @ _log_likelihood(family, theta, history) / weights.sum())


def _log_likelihood(family: Family, theta: Floats, history: History) -> Floats:
    """The log-likelihood of each customer's gaps, and of the silence that follows them.

    Of x purchases after the first none was the last, with probability B(a, b + x) / B(a, b); then
    the customer left, or stayed and has been silent since.
    """
    a, b = np.exp(theta[-2:])
    x = history.frequency
    silence = family.next_gap(theta[:-2], history).survival(history.silence + HALF_DAY)
    found: Floats = (
        family.evidence(theta[:-2], history)
        + special.betaln(a, b + x + 1)
        - special.betaln(a, b)
        + np.log(silence + a / (b + x))
    )
    return found


def _active(silence: Floats, frequency: Floats, parameters: dict[str, float]) -> Floats:
    """The probability of not having left, from that of being silent so long while active."""
    return silence / (silence + parameters["a"] / (parameters["b"] + frequency))


_FEW = 300
_STARTS_OF_LEAVING = ((1.0, 3.0), (0.2, 0.4))
_TINY = 1e-280
