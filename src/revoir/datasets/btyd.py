"""Orders from the world that the models of repeat purchase assume, of any size.

BG/NBD (Fader, Hardie & Lee 2005, "Counting Your Customers" the Easy Way, Marketing Science 24,
275–284): while active, a customer buys at random at their own rate λ ~ Gamma(r, α) (assumptions
i, ii); after any repeat purchase they become inactive with their own probability p ~ Beta(a, b)
(assumptions iii, iv). The first purchase is the origin of their time, and nobody leaves on it.

Gamma-Gamma (Fader & Hardie 2013, The Gamma-Gamma Model of Monetary Value): amounts of one customer
are Gamma(p, ν) with ν ~ Gamma(q, γ), so that the mean over customers is pγ / (q − 1).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class BgNbd:
    """The parameters of a BG/NBD world with Gamma-Gamma spend; time is counted in days.

    Attributes:
        r: Shape of the purchase rates.
        alpha: Rate parameter of the purchase rates, in days: the mean rate is r / α a day.
        a: First parameter of the probability of leaving.
        b: Second parameter.
        spend_p: Shape of one customer's amounts.
        spend_q: Shape of the customers' scales (more than 1, so that there is a mean).
        spend_gamma: Scale parameter of the customers' scales.
        start: First day that customers join.
        joining_days: Over how many days they join, evenly.
        days: How many days are observed from `start`.
    """

    r: float = 0.5
    alpha: float = 92.0
    a: float = 0.8
    b: float = 4.0
    spend_p: float = 6.25
    spend_q: float = 3.74
    spend_gamma: float = 15.44
    start: dt.date = dt.date(2022, 1, 1)
    joining_days: int = 730
    days: int = 1096

    @property
    def end(self) -> dt.date:
        """The day after the last one observed."""
        return self.start + dt.timedelta(days=self.days)

    @property
    def spend_mean(self) -> float:
        """The expected amount of an order, over customers: pγ / (q − 1)."""
        return self.spend_p * self.spend_gamma / (self.spend_q - 1)


@dataclass(frozen=True)
class OrderArrays:
    """Orders, sorted by customer and time.

    Attributes:
        customer_id: Who ordered, counted from the first customer of the draw.
        ordered_at: When (microseconds, no zone).
        amount: What was paid, to the cent.
        joined_day: For each customer (not each order) the moment of the first order, in days from
            the start.
        repeats: For each customer how many orders followed.
    """

    customer_id: npt.NDArray[np.int64]
    ordered_at: npt.NDArray[np.datetime64]
    amount: npt.NDArray[np.float64]
    joined_day: npt.NDArray[np.float64]
    repeats: npt.NDArray[np.int64]


def bg_nbd_orders(
    customers: int, world: BgNbd | None = None, *, seed: int = 1, first_customer: int = 1
) -> OrderArrays:
    """Draw the orders of some customers.

    Args:
        customers: How many customers.
        world: The parameters.
        seed: Chooses the draw.
        first_customer: The number of the first customer.

    Returns:
        Every order, the first one of each customer included.

    Examples:
        >>> orders = bg_nbd_orders(1_000, seed=3)
        >>> len(orders.customer_id) == 1_000 + int(orders.repeats.sum())
        True
    """
    world = world or BgNbd()
    return _draw(customers, world, np.random.default_rng(seed), first_customer)


def _draw(
    customers: int, world: BgNbd, rng: np.random.Generator, first_customer: int
) -> OrderArrays:
    joined = rng.random(customers) * world.joining_days
    age = world.days - joined
    rate = rng.gamma(world.r, 1 / world.alpha, customers)
    leaving = rng.beta(world.a, world.b, customers)
    # Had nobody left there would be Poisson(λT) repeats, evenly spread over (0, T) (i); whoever
    # leaves does so after a geometric number of them (iii), and the later ones never happen.
    would = rng.poisson(rate * age)
    most = rng.geometric(np.maximum(leaving, 1e-12))
    moment = np.repeat(np.arange(customers), would) + rng.random(int(would.sum()))
    moment.sort()
    who = moment.astype(np.int64)
    nth = np.arange(1, len(who) + 1) - np.repeat(np.cumsum(would) - would, would)
    happens = nth <= most[who]
    who, share = who[happens], (moment - np.floor(moment))[happens]
    repeats = np.minimum(would, most)

    # Each customer's first order stands before their repeats.
    total = repeats + 1
    customer = np.repeat(np.arange(customers), total)
    day = np.repeat(joined, total)
    is_repeat = np.ones(len(customer), dtype=bool)
    is_repeat[np.cumsum(total) - total] = False
    day[is_repeat] += share * age[who]

    scale = rng.gamma(world.spend_q, 1 / world.spend_gamma, customers)
    amount = rng.gamma(world.spend_p, 1.0, len(customer)) / scale[customer]
    amount = np.maximum(np.round(amount, 2), 0.01)
    moments = (day * _DAY_US).astype(np.int64).astype("timedelta64[us]")
    ordered_at = np.datetime64(world.start, "us") + moments
    return OrderArrays(customer + first_customer, ordered_at, amount, joined, repeats)


def order_batches(
    customers: int, world: BgNbd | None = None, *, seed: int = 1, batch: int = 200_000
) -> Iterator[Any]:
    """Draw orders batch by batch, in bounded memory.

    Args:
        customers: How many customers in all.
        world: The parameters.
        seed: Chooses the draw; each batch has a stream of chance of its own.
        batch: Customers a batch.

    Yields:
        Arrow record batches of `customer_id`, `ordered_at`, `amount`, sorted by customer.
    """
    import pyarrow as pa

    world = world or BgNbd()
    firsts = range(0, customers, batch)
    streams = np.random.SeedSequence(seed).spawn(len(firsts))
    for first, stream in zip(firsts, streams, strict=True):
        size = min(batch, customers - first)
        made = _draw(size, world, np.random.default_rng(stream), first + 1)
        yield pa.record_batch(
            {
                "customer_id": made.customer_id,
                "ordered_at": made.ordered_at,
                "amount": made.amount,
            }
        )


def write_orders(
    path: str | Path,
    customers: int,
    world: BgNbd | None = None,
    *,
    seed: int = 1,
    memory_limit: str = "2GB",
) -> int:
    """Write orders to a Parquet file in the order of time, as a shop records them.

    Args:
        path: The file.
        customers: How many customers.
        world: The parameters.
        seed: Chooses the draw.
        memory_limit: What sorting may hold in memory; the rest goes to disk beside the file.

    Returns:
        How many orders were written. The file holds the same rows for the same seed.
    """
    import duckdb
    import pyarrow as pa

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema(
        [
            ("customer_id", pa.int64()),
            ("ordered_at", pa.timestamp("us")),
            ("amount", pa.float64()),
        ]
    )
    batches = order_batches(customers, world, seed=seed)
    with duckdb.connect() as connection:
        connection.execute("set memory_limit = $limit", {"limit": memory_limit})
        connection.execute("set temp_directory = $folder", {"folder": str(path.parent / ".spill")})
        connection.register("drawn", pa.RecordBatchReader.from_batches(schema, batches))
        target = str(path).replace("'", "''")
        rows = connection.execute(
            "copy (from drawn order by ordered_at, customer_id)"
            f" to '{target}' (format parquet, compression zstd)"
        ).fetchall()
    return int(rows[0][0])
