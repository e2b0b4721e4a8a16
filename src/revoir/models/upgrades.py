"""Up-sell: what buyers move up to, and whose product is due for an upgrade.

A buyer of a product *moves up* who later buys, for the first time, a dearer product of the same
category. A product is *due* on the day that the data give for it (`order_lines.upgrade_on`: the end
of a guarantee or of a lease, the date of a new model); where they give none, after the time that
buyers of it took to move up, at the median, if enough of them did and it is a product that is kept.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from revoir.book import Book
from revoir.errors import UsageError
from revoir.experiments.intervals import Interval, wilson
from revoir.language import Message, msg, nmsg
from revoir.models.assortment import (
    Assortment,
    Codes,
    Flags,
    Floats,
    Pairs,
    assortment,
    placed,
    sold_lines,
)
from revoir.models.product_names import never
from revoir.models.purchase_days import days_of, number_of

if TYPE_CHECKING:
    import pyarrow as pa

DEARER = 1.1
"""A product is dearer when one costs so many times as much."""
MOVED_MIN = 5
"""Moves that fewer buyers made are not listed."""
KEPT_BELOW = 0.1
"""A product that more of its buyers bought again is used up, not kept: it is not upgraded."""
LEARNED_MIN = 20
"""So many buyers must have moved up before the time that they took says when others are due."""


@dataclass(frozen=True)
class Upgrade:
    """A dearer product of the same category that buyers of one move up to.

    Attributes:
        product_id: The one that they had.
        other_id: The dearer one.
        moved: Buyers of the first who later bought the other for the first time.
        buyers: Buyers of the first.
        price: Mean price of the first.
        other_price: Mean price of the other.
        days: Median days from the first purchase of the one to that of the other.
    """

    product_id: str
    other_id: str
    moved: int
    buyers: int
    price: float
    other_price: float
    days: float

    @property
    def share(self) -> float:
        """Share of the buyers who moved."""
        return self.moved / self.buyers

    @property
    def interval(self) -> Interval:
        """The 95 % interval of that share."""
        return wilson(self.moved, self.buyers)


@dataclass(frozen=True)
class Moves:
    """Who moved up from what to what.

    Attributes:
        sold: The products and their sales.
        pairs: Who bought what, and when first.
        reason: Why nothing can be said (None: something can).
    """

    sold: Assortment
    pairs: Pairs
    reason: Message | None = None

    @classmethod
    def of(cls, sold: Assortment) -> Moves:
        """Look at all sales until the day that counts."""
        reason = None
        if not any(product.category for product in sold.products):
            reason = msg("The data give products no category: none is an upgrade.")
        elif all(np.isnan(product.price) for product in sold.products):
            reason = msg(
                "The data give products no price that can be compared: none is an upgrade."
            )
        return cls(sold, sold.pairs(number_of(sold.as_of)), reason)

    def up_from(self, product: int, top: int = 5) -> list[Upgrade]:
        """The products that buyers of one move up to, those first to which surely most do.

        Args:
            product: Its number in `sold`.
            top: How many at most.

        Returns:
            Moves that `MOVED_MIN` buyers or more made, to products that are still sold.
        """
        moved_to, _, days = self._moves(product)
        buyers = len(self.of_product(product))
        found = []
        for other in np.unique(moved_to[self._offered[moved_to]]):
            theirs = days[moved_to == other]
            if len(theirs) >= MOVED_MIN:
                one, two = self.sold.products[product], self.sold.products[other]
                found.append(
                    Upgrade(
                        one.product_id, two.product_id, len(theirs), buyers,
                        one.price, two.price, float(np.median(theirs)),
                    )
                )  # fmt: skip
        return sorted(found, key=lambda one: (-one.interval[0], one.other_id))[:top]

    def of_product(self, product: int) -> npt.NDArray[np.int64]:
        """The pairs of a product."""
        return self._by_product[self._opens[product] : self._opens[product + 1]]

    def replaced(self, chosen: npt.NDArray[np.intp]) -> Flags:
        """Whether a dearer product of the category was bought after the last purchase of a pair's.

        Args:
            chosen: Pairs.

        Returns:
            One element a pair.
        """
        pairs = self.pairs
        found = np.zeros(len(chosen), bool)
        for product in np.unique(pairs.product[chosen]):
            here = np.flatnonzero(pairs.product[chosen] == product)
            dearer = self._dearer(int(product))
            theirs, whose = self._all_of(pairs.customer[chosen[here]])
            later = pairs.last_day[theirs] > pairs.last_day[chosen[here]][whose]
            found[here[whose[dearer[pairs.product[theirs]] & later]]] = True
        return found

    def learned(self) -> dict[int, float]:
        """Median days until buyers first move up, by product that is kept, where enough did."""
        found = {}
        buyers = np.diff(self._opens)
        again = np.bincount(self.pairs.product, self.pairs.days > 1, minlength=len(buyers))
        kept = (buyers >= LEARNED_MIN) & (again <= KEPT_BELOW * buyers)
        for product in np.flatnonzero(kept).tolist():
            _, buyer, days = self._moves(product)
            # Whoever bought several dearer ones is one buyer: the first says how long it took.
            order = np.lexsort([days, buyer])
            _, first = np.unique(buyer[order], return_index=True)
            if len(first) >= LEARNED_MIN:
                found[product] = float(np.median(days[order][first]))
        return found

    def _moves(self, product: int) -> tuple[Codes, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Each move up from a product: to which one, of which buyer, and after how many days."""
        pairs, dearer = self.pairs, self._dearer(product)
        if not dearer.any():
            return np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int64)
        mine = self.of_product(product)
        theirs, whose = self._all_of(pairs.customer[mine])
        days = pairs.first_day[theirs] - pairs.first_day[mine][whose]
        up = dearer[pairs.product[theirs]] & (days > 0)
        return pairs.product[theirs[up]], whose[up], days[up].astype(np.int64)

    def _all_of(self, customers: Codes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """All pairs of some customers, and the place among them of the customer of each."""
        start, size = self._rows[customers], np.diff(self._rows)[customers]
        whose = np.repeat(np.arange(len(customers)), size)
        return np.repeat(start - np.cumsum(size) + size, size) + np.arange(size.sum()), whose

    def _dearer(self, product: int) -> Flags:
        """The dearer products of a product's category."""
        category = self._category[product]
        dearer: Flags = (
            (self._category == category)
            & (category >= 0)
            & (self._price >= DEARER * self._price[product])
            & ~self.sold.services
        )
        return dearer

    @cached_property
    def _rows(self) -> npt.NDArray[np.int64]:
        """Where the pairs of each customer begin, and after the last where they end."""
        size = np.bincount(self.pairs.customer, minlength=len(self.sold.customers))
        return np.concatenate([[0], np.cumsum(size)])

    @cached_property
    def _by_product(self) -> npt.NDArray[np.int64]:
        """The pairs, by product."""
        return np.argsort(self.pairs.product, kind="stable")

    @cached_property
    def _opens(self) -> npt.NDArray[np.int64]:
        """Where the pairs of each product begin in `_by_product`."""
        size = np.bincount(self.pairs.product, minlength=len(self.sold.products))
        return np.concatenate([[0], np.cumsum(size)])

    @cached_property
    def _category(self) -> Codes:
        known: dict[str, int] = {}
        numbers = [
            -1 if product.category is None else known.setdefault(product.category, len(known))
            for product in self.sold.products
        ]
        return np.array(numbers, np.int32)

    @cached_property
    def _price(self) -> Floats:
        return np.array([product.price for product in self.sold.products])

    @cached_property
    def _offered(self) -> Flags:
        ended = self.sold.ended(number_of(self.sold.as_of))
        return ~self.sold.services & ~self.sold.out_of_stock & ~ended


@dataclass(frozen=True)
class Due:
    """Owned products that are due for an upgrade.

    Attributes:
        as_of: The day that is looked from.
        within_days: How far ahead is looked.
        products: One row a customer and product, the latest day first: `customer_id`,
            `product_id`, `product`, `since` (last bought), `due_on`, `given` (whether the data give
            the day), `offer_id` and `offer` (what most buyers move up to; null: not known).
        reason: Why nothing can be said (None: something can).
    """

    as_of: dt.date
    within_days: int
    products: pa.Table
    reason: Message | None = None


def due_upgrades(book: Book, *, as_of: dt.date | None = None, within_days: int = 30) -> Due:
    """List the products of customers that are due for an upgrade.

    Args:
        book: The company's tables.
        as_of: The day to look from (None: the book's own).
        within_days: How far ahead to look.

    Returns:
        Each customer's products that are due by then, for which the customer has not bought a
        dearer one of the category since, but for those that the company's settings leave out.
        `reason` says so where the data give neither a day nor enough buyers who moved up.

    Raises:
        UsageError: `within_days` is negative.
    """
    as_of = as_of or book.as_of
    if within_days < 0:
        raise UsageError(
            nmsg("{n} day ahead is no future.", "{n} days ahead is no future.", within_days),
            remedy=msg("Give one day or more."),
        )
    sold = assortment(book, as_of)
    if sold is None:
        nameless = msg("No purchase of a known customer names a product.")
        return Due(as_of, within_days, _no_rows(), nameless)
    moves = Moves.of(sold)
    due, given = _given(book, sold, moves.pairs)
    learned = moves.learned()
    for product, days in learned.items():
        mine = moves.of_product(product)
        last = moves.pairs.last_day[mine]
        due[mine] = np.where(given[mine], due[mine], last + round(days))
    reason: Message | None = None
    if not given.any() and not learned:
        reason = moves.reason or msg(
            "No product that is kept has {n} buyers who moved up to a dearer one: too few to say"
            " when an upgrade is due.",
            n=LEARNED_MIN,
        )
    today = number_of(as_of)
    # What is only learned grows old: after twice the usual time it says nothing any more.
    stale = ~given & (today - due > due - moves.pairs.last_day)
    chosen = np.flatnonzero((due <= today + within_days) & ~stale)
    chosen = chosen[~moves.replaced(chosen)]
    unwanted, _ = never(sold, book.settings.not_recommended)
    chosen = chosen[~unwanted[moves.pairs.product[chosen]]]
    pairs = moves.pairs
    chosen = chosen[np.lexsort((pairs.product[chosen], pairs.customer[chosen], -due[chosen]))]
    return Due(as_of, within_days, _rows(moves, chosen, due, given, unwanted), reason)


def _given(book: Book, sold: Assortment, pairs: Pairs) -> tuple[Floats, Flags]:
    """The day that the data give for each pair, infinity where they give none, and whether they do.

    Of several purchases the last one counts: what it says nothing of is not due.
    """
    import pyarrow.compute as pc

    due = np.full(len(pairs.customer), np.inf)
    lines = sold_lines(book, sold.as_of)
    assert lines is not None
    dated = lines.filter(lines.upgrade_on.notnull() & lines.customer_id.notnull())
    found = book.columns(
        dated.group_by("customer_id", "key", "day").aggregate(upgrade_on=dated.upgrade_on.max())
    )
    if found.num_rows:
        count = len(sold.products)
        customer = pc.index_in(found["customer_id"].cast(sold.customers.type), sold.customers)
        asked = customer.to_numpy().astype(np.int64) * count + placed(found["key"], sold.products)
        pair = np.searchsorted(pairs.customer.astype(np.int64) * count + pairs.product, asked)
        last = days_of(found, "day") == pairs.last_day[pair]
        due[pair[last]] = days_of(found, "upgrade_on")[last]
    return due, due < np.inf


def _rows(
    moves: Moves, chosen: npt.NDArray[np.intp], due: Floats, given: Flags, unwanted: Flags
) -> pa.Table:
    import pyarrow as pa

    sold, pairs = moves.sold, moves.pairs
    left_out = {one.product_id for one, is_so in zip(sold.products, unwanted, strict=True) if is_so}
    offers = {
        product: next((one.other_id for one in moves.up_from(product, len(sold.products))
                       if one.other_id not in left_out), None)
        for product in set(pairs.product[chosen].tolist())
    }  # fmt: skip
    labels = {product.product_id: product.label for product in sold.products}
    whose = [sold.products[n] for n in pairs.product[chosen]]
    offered = [offers[n] for n in pairs.product[chosen].tolist()]
    return pa.table(
        {
            "customer_id": sold.customers.take(pa.array(pairs.customer[chosen])),
            "product_id": pa.array([one.product_id for one in whose], pa.string()),
            "product": pa.array([one.label for one in whose], pa.string()),
            "since": pa.array(pairs.last_day[chosen], pa.int32()).cast(pa.date32()),
            "due_on": pa.array(due[chosen].astype(np.int32)).cast(pa.date32()),
            "given": pa.array(given[chosen]),
            "offer_id": pa.array(offered, pa.string()),
            "offer": pa.array([labels.get(one or "") for one in offered], pa.string()),
        }
    )


def _no_rows() -> pa.Table:
    import pyarrow as pa

    texts = ("customer_id", "product_id", "product", "offer_id", "offer")
    days = {name: pa.array([], pa.date32()) for name in ("since", "due_on")}
    columns = {name: pa.array([], pa.string()) for name in texts}
    return pa.table(columns | days | {"given": pa.array([], pa.bool_())})
