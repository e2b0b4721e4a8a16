"""Purchase histories, equal ones counted together.

What a model needs of a customer is (x, t_x, T): repeat purchases, time of the last of them and time
observed, both since the first purchase. Many customers share all three; more share two of them, and
most terms of a likelihood depend on two. So a million customers cost what their distinct pairs do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """The distinct pairs of repeat purchases and a time.

    Attributes:
        x: Repeat purchases.
        t: The time.
        at: For each history which pair it has.
    """

    x: Floats
    t: Floats
    at: Ints


@dataclass(frozen=True)
class Counts:
    """The distinct histories of some customers.

    Attributes:
        x: Repeat purchases.
        t_x: Time from the first purchase to the last.
        T: Time from the first purchase to the end of the observation.
        n: How many customers have this history.
        key: For each customer a number that is greater the later their history comes, and equal
            for equal ones.
    """

    x: Floats
    t_x: Floats
    T: Floats
    n: Floats
    key: Ints

    @cached_property
    def at(self) -> Ints:
        """For each customer which history it is; a fit needs it not."""
        _, found = np.unique(self.key, return_inverse=True)
        return found

    @cached_property
    def last(self) -> Pairs:
        """The distinct pairs (x, t_x)."""
        return _pairs(self.x, self.t_x)

    @cached_property
    def observed(self) -> Pairs:
        """The distinct pairs (x, T)."""
        return _pairs(self.x, self.T)

    @property
    def customers(self) -> float:
        """How many customers there are."""
        return float(self.n.sum())

    @property
    def repeaters(self) -> float:
        """How many of them bought again."""
        return float(self.n[self.x > 0].sum())

    def scaled(self, factor: float) -> Counts:
        """The same histories with time in another unit (1 / 7: from days to weeks)."""
        if factor == 1:
            return self
        return replace(self, t_x=self.t_x * factor, T=self.T * factor)

    def sample(self, customers: int) -> Counts:
        """The histories of some of the customers, the same ones on every call."""
        if self.customers <= customers:
            return self
        share = customers / self.customers
        n = np.random.default_rng(0).binomial(self.n.astype(np.int64), share)
        kept = np.flatnonzero(n)
        return Counts(
            self.x[kept], self.t_x[kept], self.T[kept], n[kept].astype(np.float64), np.arange(0)
        )


def counted(frequency: npt.ArrayLike, recency: npt.ArrayLike, T: npt.ArrayLike) -> Counts:
    """Count equal histories.

    Args:
        frequency: Repeat purchases of each customer (x), whole numbers.
        recency: Time from the first purchase to the last (t_x), in any unit; 0 without a repeat.
        T: Time from the first purchase to the end of the observation, in the same unit.

    Returns:
        The distinct histories, sorted.

    Raises:
        ValueError: The arrays differ in length, or no customer can have such a history.

    Examples:
        >>> found = counted([0, 2, 0], [0, 30, 0], [52, 40, 52])
        >>> found.n.tolist(), found.at.tolist()
        ([2.0, 1.0], [0, 1, 0])
    """
    x, t_x, age = (np.asarray(values, dtype=np.float64) for values in (frequency, recency, T))
    _check(x, t_x, age)
    if not len(x):
        return Counts(x, t_x, age, np.empty(0), np.empty(0, np.int64))
    (last, last_values), (observed, observed_values) = _numbered(t_x), _numbered(age)
    most = (len(last_values), len(observed_values))
    if float(x.max() + 1) * most[0] * most[1] > 2.0**62:  # no key of 64 bits holds them
        times, x_values = _numbered(x)
    else:
        times, x_values = x.astype(np.int64), None
    key = (times * most[0] + last) * most[1] + observed
    distinct, n = np.unique(key, return_counts=True)
    rest, observed = np.divmod(distinct, most[1])
    times, last = np.divmod(rest, most[0])
    return Counts(
        x=times.astype(np.float64) if x_values is None else x_values[times],
        t_x=last_values[last],
        T=observed_values[observed],
        n=n.astype(np.float64),
        key=key,
    )


def by_count(function: Callable[[Floats], Floats], x: Floats) -> Floats:
    """What a function of purchases gives for each of many, computed once a number of purchases.

    Gamma functions cost more than the rest of a likelihood, and customers share few numbers.

    Args:
        function: Numbers of purchases in; one value each out, along the last axis.
        x: Whole numbers from 0 up.

    Returns:
        ``function(x)``.

    Examples:
        >>> by_count(lambda n: n**2, np.array([3.0, 0.0, 3.0, 1.0])).tolist()
        [9.0, 0.0, 9.0, 1.0]
    """
    most = x.max(initial=0.0)
    if most >= len(x):
        return function(x)
    return function(np.arange(most + 1.0))[..., x.astype(np.int64)]


def _check(x: Floats, t_x: Floats, T: Floats) -> None:
    if not x.shape == t_x.shape == T.shape or x.ndim != 1:
        raise ValueError("frequency, recency and T must be as long as each other")
    if not len(x):
        return
    if not (np.isfinite(T).all() and (x >= 0).all() and (x == np.floor(x)).all()):
        raise ValueError("frequency must hold whole numbers from 0 up, and T finite times")
    if not ((t_x >= 0).all() and (t_x <= T).all()):
        raise ValueError("recency must lie between 0 and T")
    if ((x == 0) & (t_x > 0)).any():
        raise ValueError("recency must be 0 where frequency is")


def _numbered(times: Floats) -> tuple[Ints, Floats]:
    """Whole numbers in the order of the times, and the time of each."""
    most = float(times.max())
    whole = times.astype(np.int64)
    if most < 1e6 and (whole == times).all():
        return whole, np.arange(int(most) + 1, dtype=np.float64)
    values, at = np.unique(times, return_inverse=True)
    return at, values


def _pairs(x: Floats, t: Floats) -> Pairs:
    at, values = _numbered(t)
    counts, count_values = _numbered(x)
    distinct, places = _distinct(counts * len(values) + at, len(count_values) * len(values))
    first, second = np.divmod(distinct, len(values))
    return Pairs(count_values[first], values[second], places)


def _distinct(key: Ints, most: int) -> tuple[Ints, Ints]:
    """The distinct keys, all below `most`, and for each key which of them it is."""
    if most > 4 * len(key) + 1_000:
        return np.unique(key, return_inverse=True)
    # A table of all that are possible is made faster than the keys are sorted.
    there = np.zeros(most, dtype=np.bool_)
    there[key] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[key]
