"""Cross-sell: which products join a product in the basket.

A basket is an order, of a known customer or not; where the data have no orders' numbers, what a
customer buys in a day.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from revoir.book import Book
from revoir.language import Message, nmsg
from revoir.models.association import Mixture, Pair
from revoir.models.assortment import (
    Assortment,
    Codes,
    Flags,
    Floats,
    assortment,
    coded,
    placed,
    sold_lines,
)
from revoir.models.purchase_days import number_of
from revoir.models.recommender import PRODUCTS_MAX

BASKETS_MIN = 100
"""Fewer baskets with several products than this show no association."""
TOGETHER_MIN = 3
"""A pair that met less often is not listed."""
_HELD_MIN = 5
_CANDIDATES = 1_000
_SAMPLE = 20_000


@dataclass(frozen=True)
class Associations:
    """Products that are bought together.

    Attributes:
        sold: The products.
        baskets: How many baskets there are.
        orders: Whether a basket is an order (else the day of a customer).
        held: In how many baskets each product is.
        first: With `second` and `together`, pairs that met: the one, by its number in `sold`.
        second: The other, of a greater number.
        together: In how many baskets.
        offered: Which products are worth proposing: still sold and no services.
        mixture: The distribution of lifts over pairs (None: there is not enough data).
        reason: Why there is none (None: there is one).
    """

    sold: Assortment
    baskets: int
    orders: bool
    held: Codes
    first: Codes
    second: Codes
    together: Codes
    offered: Flags
    mixture: Mixture | None
    reason: Message | None = None

    def joining(self, product: int, top: int = 5) -> list[Pair]:
        """The products that join one in the basket, those first whose lift is surest.

        Args:
            product: Its number in `sold`.
            top: How many at most.

        Returns:
            Pairs that met `TOGETHER_MIN` times or more, and clearly more often than by chance: the
            interval of their lift lies above 1.
        """
        here, there = self.first == product, self.second == product
        other = np.concatenate([self.second[here], self.first[there]])
        together = np.concatenate([self.together[here], self.together[there]])
        kept = (together >= TOGETHER_MIN) & self.offered[other]
        whole = np.full(int(kept.sum()), product, np.int32)
        return self._pairs(whole, other[kept], together[kept], top)

    def strongest(self, top: int = 5) -> list[Pair]:
        """The pairs of all products whose lift is surest; the more bought product stands first."""
        kept = (
            (self.together >= TOGETHER_MIN) & self.offered[self.first] & self.offered[self.second]
        )
        one, two = self.first[kept], self.second[kept]
        swapped = self.held[two] > self.held[one]
        return self._pairs(
            np.where(swapped, two, one), np.where(swapped, one, two), self.together[kept], top
        )

    def _pairs(self, one: Codes, two: Codes, together: Codes, top: int) -> list[Pair]:
        if self.mixture is None or not len(one):
            return []
        met = together.astype(np.float64)
        expected = self._expected(one, two)
        # The interval costs more than the mean: only pairs of a high mean can have a high low end.
        leading = np.argsort(-self.mixture.lift(met, expected), kind="stable")[:_CANDIDATES]
        met, expected = met[leading], expected[leading]
        lift = self.mixture.lift(met, expected)
        low, high = self.mixture.interval(met, expected)
        order = [n for n in np.argsort(-low, kind="stable")[:top] if low[n] > 1]
        return [
            Pair(
                self.sold.products[one[leading[n]]].product_id,
                self.sold.products[two[leading[n]]].product_id,
                int(together[leading[n]]),
                int(self.held[one[leading[n]]]),
                int(self.held[two[leading[n]]]),
                self.baskets,
                float(lift[n]),
                (float(low[n]), float(high[n])),
            )
            for n in order
        ]

    def _expected(self, one: Codes, two: Codes) -> Floats:
        expected: Floats = self.held[one].astype(np.float64) * self.held[two] / self.baskets
        return expected


def associations(book: Book, as_of: dt.date | None = None) -> Associations | None:
    """Find which products are bought together.

    Args:
        book: The company's tables.
        as_of: The last day that counts (None: the book's own).

    Returns:
        The pairs; `reason` says why there is no lift where baskets of several products are few.
        None where the data name no products.
    """
    as_of = as_of or book.as_of
    sold = assortment(book, as_of)
    if sold is None:
        return None
    return book.once(f"associations {as_of}", lambda: _counted(book, sold, as_of))


def _counted(book: Book, sold: Assortment, as_of: dt.date) -> Associations:
    from scipy import sparse

    basket, product, orders = _held(book, sold, as_of)
    count = int(basket.max(initial=-1)) + 1
    held = np.bincount(product, minlength=len(sold.products)).astype(np.int32)
    offered = ~sold.services & ~sold.out_of_stock & ~sold.ended(number_of(as_of))
    usable = np.flatnonzero((held >= _HELD_MIN) & ~sold.services)
    usable = np.sort(usable[np.argsort(-held[usable], kind="stable")[:PRODUCTS_MAX]])
    matrix = sparse.csc_matrix(
        (np.ones(len(basket), np.int32), (basket, product)), shape=(count, len(sold.products))
    )[:, usable].tocsr()
    several = int((np.diff(matrix.indptr) > 1).sum())
    met = sparse.triu(matrix.T @ matrix, k=1).tocoo()
    first, second = usable[met.row].astype(np.int32), usable[met.col].astype(np.int32)
    together = met.data.astype(np.int32)
    found = Associations(sold, count, orders, held, first, second, together, offered, None)
    if several < BASKETS_MIN or len(together) < 2:
        reason = nmsg(
            "Only one basket holds several products; {needed} are needed to see a pattern.",
            "Only {n} baskets hold several products; {needed} are needed to see a pattern.",
            several,
            needed=BASKETS_MIN,
        )
        return replace(found, reason=reason)
    return replace(found, mixture=_mixture(found, usable))


def _mixture(found: Associations, usable: npt.NDArray[np.intp]) -> Mixture:
    """The mixture of the lifts of all pairs, from some that met and some that did not."""
    draw = np.random.default_rng(0)
    met = np.arange(len(found.together))
    if len(met) > _SAMPLE:
        met = np.sort(draw.choice(met, _SAMPLE, replace=False))
    one, two = np.sort(usable[draw.integers(0, len(usable), (2, 2 * _SAMPLE))], axis=0)
    count = len(found.sold.products)
    known = np.sort(found.first.astype(np.int64) * count + found.second)
    never = (one < two) & ~np.isin(one * count + two, known)
    one, two = one[never].astype(np.int32), two[never].astype(np.int32)
    pairs = len(usable) * (len(usable) - 1) / 2
    share = (pairs - len(found.together)) / max(len(one), 1)
    return Mixture.of(
        np.concatenate([found.together[met], np.zeros(len(one))]),
        np.concatenate([found._expected(found.first[met], found.second[met]),
                        found._expected(one, two)]),
        np.concatenate([np.full(len(met), len(found.together) / len(met)),
                        np.full(len(one), share)]),
    )  # fmt: skip


def _held(book: Book, sold: Assortment, as_of: dt.date) -> tuple[Codes, Codes, bool]:
    """Baskets and their products, one element each; and whether a basket is an order."""
    lines = sold_lines(book, as_of)
    assert lines is not None
    orders = "order_id" in lines.columns
    if not orders:
        pair = sold.customer.astype(np.int64) * (number_of(as_of) + 1) + sold.day
        _, basket = np.unique(pair, return_inverse=True)
        return basket.astype(np.int32), sold.product, False
    lines = lines.filter(lines.order_id.notnull())
    found = book.columns(lines.select("order_id", "key").distinct())
    _, basket = coded(found["order_id"])
    return basket, placed(found["key"], sold.products), True
