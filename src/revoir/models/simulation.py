"""Drawing purchases from the worlds that models assume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Purchases:
    """Repeat purchases of some customers, in the order of customer and time.

    Attributes:
        customers: How many customers there are.
        who: For each purchase its customer, from 0.
        when: For each purchase the time since the customer's first one.
    """

    customers: int
    who: Ints
    when: Floats

    def histories(self, T: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Frequency, recency and T of each customer, observed until T."""
        age = np.broadcast_to(np.asarray(T, dtype=np.float64), (self.customers,)).copy()
        seen = self.when <= age[self.who]
        frequency = np.bincount(self.who[seen], minlength=self.customers).astype(np.float64)
        recency = np.zeros(self.customers)
        np.maximum.at(recency, self.who[seen], self.when[seen])
        return frequency, recency, age

    def between(self, start: npt.ArrayLike, end: npt.ArrayLike) -> Ints:
        """How many purchases each customer made after one time and until another."""
        first, last = (
            np.broadcast_to(np.asarray(time, dtype=np.float64), (self.customers,))
            for time in (start, end)
        )
        held = (self.when > first[self.who]) & (self.when <= last[self.who])
        return np.bincount(self.who[held], minlength=self.customers)


def poisson_steps(
    rate: Floats, until: npt.ArrayLike, rng: np.random.Generator
) -> tuple[Ints, Floats, Ints]:
    """Draw the steps of Poisson processes.

    Args:
        rate: Steps per unit of time, by customer.
        until: When each process ends.
        rng: The stream of chance.

    Returns:
        For each step its customer, its time, and its number from 1; sorted.
    """
    end = np.broadcast_to(np.asarray(until, dtype=np.float64), rate.shape)
    steps = rng.poisson(rate * end)
    who = np.repeat(np.arange(len(rate)), steps)
    when = rng.random(len(who)) * end[who]
    order = np.lexsort((when, who))
    nth = np.arange(1, len(who) + 1) - np.repeat(np.cumsum(steps) - steps, steps)
    return who, when[order], nth
