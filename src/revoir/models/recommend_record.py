"""The record of recommendations: methods chosen on one stretch of the past, tested on the next.

The data are cut twice. What lies before the first cut teaches every method, what lies between the
cuts chooses its settings and the method; then all methods learn anew from what lies before the
second cut, and what customers bought after it says how good each was. Nothing after the second cut
had a part in the choice.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from revoir.experiments.intervals import Interval, mean_interval, wilson
from revoir.language import Message, Number, Percent, msg, nmsg
from revoir.models.assortment import Assortment, Codes, Flags, Floats
from revoir.models.purchase_days import number_of
from revoir.models.recommender import (
    BUYERS_MIN,
    Baskets,
    Method,
    Recommender,
    Scores,
    Shelf,
    baskets_of,
    ranked_by,
    shelf,
    together,
)

TOP = 10
"""How many products the record looks at."""
HIDDEN_DAYS = (7, 60)
"""The fewest and the most days that a stretch of the past has; a sixth of the data lies between."""
CUSTOMERS_MIN = 30
"""With fewer customers who came back, no method can be told from another."""
LEARNED_FROM_MAX = 200_000
"""From more customers methods learn the same: so many, drawn at random, teach them in the test."""
CUSTOMERS_MAX = 2_000
"""So many of those who came back, drawn at random, tell the methods apart."""
POPULARITY = Method("none", again=0.0)
PENALTIES = {"ease": (4.0, 16.0, 64.0), "cosine": (0.1, 1.0)}
"""Penalties that are tried."""
AGAINS: tuple[float | None, ...] = (None, 0.0, 0.1, 0.3, 1.0, 3.0)
NEVER: tuple[float | None, ...] = (None,)
TRENDS = (0.0, 0.5, 1.0)


LABELS = {
    "popularity": msg("popularity"),
    "bought before": msg("bought before"),
    "cosine": msg("bought by the same customers (cosine)"),
    "ease": msg("all products together (EASE)"),
}
"""What people call the methods."""


@dataclass(frozen=True)
class Trial:
    """How one method did on the last stretch of the past.

    Attributes:
        method: The method, with the settings that the stretch before chose.
        customers: How many customers came back and bought something that counts.
        precision: Share of the `TOP` products that were bought, mean over customers.
        recall: Share of what a customer bought that was among the `TOP`, mean over customers.
        ndcg: Normalised discounted cumulative gain at `TOP`, mean over customers.
        ndcg_interval: Its 95 % interval.
        hits: How many customers bought at least one of the `TOP`.
        coverage: Share of the products on offer that were recommended to anybody.
        ahead: By how much its ndcg exceeds that of popularity on the same customers, with the 95 %
            interval of that (None: it is popularity itself).

    Source:
        Järvelin & Kekäläinen (2002), ACM Transactions on Information Systems 20, 422–446 (ndcg with
        a gain of 1 for what was bought).
    """

    method: Method
    customers: int
    precision: float
    recall: float
    ndcg: float
    ndcg_interval: Interval
    hits: int
    coverage: float
    ahead: tuple[float, Interval] | None

    @property
    def name(self) -> str:
        """The name of the method."""
        return self.method.name

    @property
    def label(self) -> Message:
        """What people call the method."""
        return LABELS[self.name]

    @property
    def hit_interval(self) -> Interval:
        """The 95 % interval of the share of customers with a hit."""
        return wilson(self.hits, self.customers)


@dataclass(frozen=True)
class Record:
    """Which method is in use, and how all of them did.

    Attributes:
        method: The method in use.
        cutoff: The last day that methods knew in the test (None: there was none).
        hidden_days: How many days after it were hidden.
        new_only: Whether only products count that a customer had not bought before.
        trials: Every method, popularity first.
        reason: Why there is no test (None: there is one).
    """

    method: Method
    cutoff: dt.date | None = None
    hidden_days: int = 0
    new_only: bool = False
    trials: tuple[Trial, ...] = ()
    reason: Message | None = None

    @property
    def label(self) -> Message:
        """What people call the method in use."""
        return LABELS[self.method.name]

    def of(self, name: str) -> Trial:
        """How the method of that name did."""
        return next(one for one in self.trials if one.name == name)

    def sentences(self) -> list[Message]:
        """The record in words."""
        if self.cutoff is None:
            return [self.reason] if self.reason else []
        mine, popular = self.of(self.method.name), self.of("popularity")
        low, high = mine.hit_interval
        told = [
            msg(
                "Tested on the past: with nothing known after {cutoff}, {share} (between {low} and"
                " {high}) of {n} customers who came back within {days} days bought at least one of"
                " the ten products recommended.",
                cutoff=self.cutoff,
                share=Percent(mine.hits / mine.customers),
                low=Percent(low),
                high=Percent(high),
                n=mine.customers,
                days=self.hidden_days,
            )
        ]
        if mine.ahead is None:
            told.append(
                msg(
                    "No method did clearly better than popularity: the products that sell best now"
                    " are recommended."
                )
            )
        else:
            ahead, (low, high) = mine.ahead
            told.append(
                msg(
                    "With the ten most popular ones it would have been {share}. In nDCG at 10 the"
                    " method has {mine}, popularity {popular}: {ahead} more (between {low} and"
                    " {high}).",
                    share=Percent(popular.hits / popular.customers),
                    mine=Number(mine.ndcg, 3),
                    popular=Number(popular.ndcg, 3),
                    ahead=Number(ahead, 3),
                    low=Number(low, 3),
                    high=Number(high, 3),
                )
            )
        return told


def try_methods(
    sold: Assortment, excluded: Flags | None = None, *, new_only: bool = False
) -> Record:
    """Choose a method on one stretch of the past and test all of them on the next.

    Args:
        sold: The products and their sales.
        excluded: Products that are not wanted (None: all are).
        new_only: Whether only products count that a customer had not bought before.

    Returns:
        The method to use, and the record. Without enough of a past to test on, or where nothing is
        clearly better, it is popularity.
    """
    sold = sold.of_some(LEARNED_FROM_MAX)
    last = number_of(sold.as_of)
    covered = last - int(sold.day.min()) + 1
    hidden = int(np.clip(covered // 6, *HIDDEN_DAYS))
    if covered < 6 * HIDDEN_DAYS[0]:
        reason = nmsg(
            "The data cover only {n} day: too short a time to test recommendations. The products"
            " that sell best now are recommended.",
            "The data cover only {n} days: too short a time to test recommendations. The products"
            " that sell best now are recommended.",
            covered,
        )
        return Record(POPULARITY, reason=reason)
    choosing = Stretch.of(sold, last - 2 * hidden, hidden, excluded)
    testing = Stretch.of(sold, last - hidden, hidden, excluded)
    if new_only:
        choosing, testing = choosing.new_only(), testing.new_only()
    if not min(len(choosing.on_shelf.product), len(testing.on_shelf.product)):
        reason = msg(
            "No product has been bought by {n} customers for long enough to test recommendations.",
            n=BUYERS_MIN,
        )
        return Record(POPULARITY, reason=reason)
    if min(len(choosing.customers), len(testing.customers)) < CUSTOMERS_MIN:
        reason = msg(
            "Too few customers came back within {days} days to test recommendations. The products"
            " that sell best now are recommended.",
            days=hidden,
        )
        return Record(POPULARITY, reason=reason)
    offered = int(testing.on_shelf.offered.sum())
    if offered <= TOP:
        reason = nmsg(
            "Only {n} product can be recommended: whoever is recommended ten is recommended all"
            " there are, which tests nothing. The products that sell best now are recommended.",
            "Only {n} products can be recommended: whoever is recommended ten is recommended all"
            " there are, which tests nothing. The products that sell best now are recommended.",
            offered,
        )
        return Record(POPULARITY, reason=reason)
    methods = choosing.best_of_each(NEVER if new_only else AGAINS)
    return Record(
        choosing.chosen(methods),
        sold.as_of - dt.timedelta(days=hidden),
        hidden,
        new_only,
        testing.trials(methods),
    )


def recent(hidden_days: int) -> int:
    """How many days "now" is, where so many are hidden: half of them."""
    return max(hidden_days // 2, HIDDEN_DAYS[0])


@dataclass(frozen=True)
class Stretch:
    """What was known on a day, and what customers bought in the days after.

    Attributes:
        on_shelf: What could be recommended.
        baskets: What all customers had bought.
        customers: Some of those who had bought before and bought in the days after.
        truth: What each of them bought then, as places on the shelf; −1 − n for products that were
            not there.
        fresh: Those of them that they had not bought before.
        known: The scores that were asked for already, by kind and penalty.
    """

    on_shelf: Shelf
    baskets: Baskets
    customers: npt.NDArray[np.intp]
    truth: tuple[frozenset[int], ...]
    fresh: tuple[frozenset[int], ...]
    known: dict[tuple[str, float], Scores] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, sold: Assortment, on: int, days: int, excluded: Flags | None = None) -> Stretch:
        """Cut the data at a day (counted from 1970) and look so many days ahead."""
        pairs = sold.pairs(on)
        on_shelf = shelf(sold, pairs, on, recent(days), excluded)
        later = (sold.day > on) & (sold.day <= on + days) & ~sold.services[sold.product]
        if excluded is not None:
            later &= ~excluded[sold.product]
        count = len(sold.products)
        bought = np.unique(sold.customer[later].astype(np.int64) * count + sold.product[later])
        new = ~np.isin(bought, pairs.customer.astype(np.int64) * count + pairs.product)
        known = np.zeros(len(sold.customers), bool)
        known[pairs.customer] = True
        who = bought // count
        back = np.unique(who[known[who]]).astype(np.intp)
        if len(back) > CUSTOMERS_MAX:
            draw = np.random.default_rng(on)
            back = np.sort(draw.choice(back, CUSTOMERS_MAX, replace=False))
        place = on_shelf.place[bought % count]
        place = np.where(place < 0, -1 - bought % count, place)
        baskets = baskets_of(pairs, on_shelf, len(sold.customers))
        return cls(
            on_shelf, baskets, back, _sets(who, place, back), _sets(who[new], place[new], back)
        )

    def new_only(self) -> Stretch:
        """The same stretch, of which only products count that a customer had not bought before."""
        kept = np.flatnonzero([bool(one) for one in self.fresh])
        fresh = tuple(self.fresh[n] for n in kept)
        known = {learned: scores[kept] for learned, scores in self.known.items()}
        return Stretch(self.on_shelf, self.baskets, self.customers[kept], fresh, fresh, known)

    @cached_property
    def theirs(self) -> Baskets:
        """What those had bought who are looked at."""
        return self.baskets.take(self.customers)

    @cached_property
    def together(self) -> Floats:
        """How many customers had bought both of two products."""
        return together(self.baskets, len(self.on_shelf.product))

    def scores(self, method: Method) -> Scores:
        """What a method learns from all, said of those who are looked at."""
        learned = (method.kind, method.penalty)
        if learned not in self.known:
            products = len(self.on_shelf.product)
            gram = None if method.kind == "none" else self.together
            model = Recommender(method).fit(self.baskets, products, gram)
            self.known[learned] = model.scores(self.theirs, products)
        return self.known[learned]

    def best_of_each(self, agains: Sequence[float | None]) -> list[Method]:
        """Each kind of method with the settings that found most of what customers bought next.

        Args:
            agains: How much what a customer bought before may count.

        Returns:
            One method a kind, popularity first.
        """
        found = [Method("none", again=0.0 if 0.0 in agains else None)]
        if any(agains):
            found.append(self._best([Method("none", again=1.0, trend=trend) for trend in TRENDS]))
        middle = agains[len(agains) // 2]
        for kind, penalties in PENALTIES.items():
            # The penalty under settings that lie between the extremes, then the settings.
            penalty = self._best([Method(kind, one, middle, 0.5) for one in penalties]).penalty
            settings = itertools.product(agains, TRENDS)
            found.append(self._best([Method(kind, penalty, *one) for one in settings]))
        return found

    def _best(self, methods: Sequence[Method]) -> Method:
        """The method of the highest mean ndcg."""
        reached = [gains(self._hits(method), self.truth).mean() for method in methods]
        return methods[int(np.argmax(reached))]

    def chosen(self, methods: Sequence[Method]) -> Method:
        """The best method, where it is clearly better than popularity; else popularity."""
        tested = max(self.trials(methods), key=lambda one: one.ndcg)
        if tested.ahead is None or tested.ahead[1][0] <= 0:
            return methods[0]
        return tested.method

    def trials(self, methods: Sequence[Method]) -> tuple[Trial, ...]:
        """How methods do, the first of which is popularity."""
        found = []
        popular: Floats | None = None
        for method in methods:
            ranked = self._ranked(method)
            hits = _hits(ranked, self.truth)
            reached = gains(hits, self.truth)
            found.append(self._measured(method, ranked, hits, reached, popular))
            popular = reached if popular is None else popular
        return tuple(found)

    def _ranked(self, method: Method) -> Codes:
        return ranked_by(self.scores(method), method, self.theirs, self.on_shelf, TOP)

    def _hits(self, method: Method) -> Flags:
        return _hits(self._ranked(method), self.truth)

    def _measured(
        self,
        method: Method,
        ranked: Codes,
        hits: Flags,
        reached: Floats,
        popular: Floats | None,
    ) -> Trial:
        sizes = np.array([len(one) for one in self.truth])
        shown = np.unique(ranked[ranked >= 0])
        return Trial(
            method,
            customers=len(self.truth),
            precision=float(hits.sum(axis=1).mean() / TOP),
            recall=float((hits.sum(axis=1) / sizes).mean()),
            ndcg=float(reached.mean()),
            ndcg_interval=_mean_interval(reached),
            hits=int(hits.any(axis=1).sum()),
            coverage=len(shown) / max(int(self.on_shelf.offered.sum()), 1),
            ahead=None
            if popular is None
            else (float((reached - popular).mean()), _mean_interval(reached - popular)),
        )


def gains(hits: Flags, truth: Sequence[frozenset[int]]) -> Floats:
    """The normalised discounted cumulative gain of each customer's products.

    Args:
        hits: Whether each product recommended was bought, a row a customer, the best first.
        truth: What each customer bought.

    Returns:
        Between 0 and 1: the sum of 1 / log₂(1 + rank) over the hits, against what it would be with
        all hits first.

    Examples:
        >>> gains(np.array([[True, False, True]]), [frozenset({4, 7})]).round(4).tolist()
        [0.9197]
    """
    discount = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    best = np.concatenate([[0.0], np.cumsum(discount)])
    sizes = np.array([min(len(one), hits.shape[1]) for one in truth], np.intp)
    reached: Floats = (hits @ discount) / best[sizes]
    return reached


def _sets(
    who: npt.NDArray[np.int64], what: npt.NDArray[np.int64], customers: npt.NDArray[np.intp]
) -> tuple[frozenset[int], ...]:
    """What each of some customers has, from pairs that are sorted by customer."""
    start, end = (np.searchsorted(who, customers, side) for side in ("left", "right"))
    return tuple(frozenset(what[a:b].tolist()) for a, b in zip(start, end, strict=True))


def _hits(ranked: Codes, truth: Sequence[frozenset[int]]) -> Flags:
    rows = (
        [place in one for place in row] for row, one in zip(ranked.tolist(), truth, strict=True)
    )
    return np.array(list(rows), bool).reshape(ranked.shape)


def _mean_interval(values: Floats) -> Interval:
    return mean_interval(float(values.sum()), float((values**2).sum()), len(values))
