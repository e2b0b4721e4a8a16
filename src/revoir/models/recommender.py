"""Which products a customer is likely to buy next: item-item models, in closed form.

A customer's score of product j adds up what their products say of it and what they themselves did
with it, and both count for more when j sells better now than it used to:

    score(j) = trend(j)^d × ( Σₖ B(k, j) + again × repeats(j) )

over the products k that the customer bought. B comes from all customers:

- ease: B = I − P / diag(P), with P = (XᵀX + penalty I)⁻¹ and X the customers' products (0 or 1):
  each product regressed on all others at once (Steck 2019);
- cosine: B(k, j) = n(k, j) / (√(n(k) n(j)) + penalty), of customers who bought both and each;
- none: B = 0, so that only what the customer bought before counts, and popularity.

repeats(j) = days − 1 + 3 q(j), for a product bought on so many days, with q(j) the share of its
buyers who bought it again, shrunk to that of all products; 0 for products never bought. Whatever
has no score is ordered by popularity: sales of the last weeks.

Source:
    Steck (2019), Embarrassingly Shallow Autoencoders for Sparse Data, WWW '19, 3251–3257, eq. (8);
    Sarwar, Karypis, Konstan & Riedl (2001), Item-Based Collaborative Filtering Recommendation
    Algorithms, WWW '01, 285–295, section 3.1 (cosine).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from revoir.models.assortment import Assortment, Codes, Flags, Floats, Pairs
from revoir.models.compiled import compiled

if TYPE_CHECKING:
    from scipy import sparse

Scores = npt.NDArray[np.float32]

BUYERS_MIN = 5
"""A product of fewer buyers is not recommended: what is known of it is chance."""
PRODUCTS_MAX = 5_000
"""Models look at the products with most buyers, so many at most: memory grows with the square."""
AGAIN_MIN = 0.02
"""A product that fewer buyers buy again is not recommended to those who bought it once."""
_Q_WEIGHT = 20
_REPEAT_WEIGHT = 3.0
_TREND_WEIGHT = 5.0
_LEAST = np.float32(-1e30)


@dataclass(frozen=True)
class Method:
    """One way to score products.

    Attributes:
        kind: "ease", "cosine" or "none".
        penalty: What holds back the weights of rare pairs, counted in buyers of a mean product: the
            same number serves shops of any size.
        again: How much what a customer bought before counts (None: it is never recommended again).
        trend: The power of how much better a product sells now than it used to.
    """

    kind: str
    penalty: float = 0.0
    again: float | None = 1.0
    trend: float = 0.0

    @property
    def name(self) -> str:
        """What the record calls it."""
        if self.kind != "none":
            return self.kind
        return "popularity" if self.again is None or self.again == 0 else "bought before"


@dataclass(frozen=True)
class Shelf:
    """The products that can be recommended on a day, and what is known of each.

    Attributes:
        product: Numbers of the products in `Assortment.products`; their place here is what the
            arrays below and `Recommender` speak of.
        place: The place of each product of the assortment here (−1: it is not here).
        buyers: How many customers bought it.
        popularity: Customer days of the last weeks.
        trend: Its sales of the last weeks against those of all its time, 1 where alike.
        repeat: Share of its buyers who bought it again, shrunk to that of all products.
        offered: Whether it may be recommended: still sold, no service, not excluded.
        ended: How many of the products are no longer sold.
    """

    product: Codes
    place: Codes
    buyers: Codes
    popularity: Codes
    trend: Scores
    repeat: Scores
    offered: Flags
    ended: int

    @property
    def bought_again(self) -> Flags:
        """Which products customers come back for."""
        again: Flags = self.repeat >= AGAIN_MIN
        return again


def shelf(
    sold: Assortment, pairs: Pairs, on: int, recent_days: int, excluded: Flags | None = None
) -> Shelf:
    """Say what stands on the shelf on a day.

    Args:
        sold: The products and their sales.
        pairs: Who had bought what by that day.
        on: The day, counted from 1970.
        recent_days: How many days "now" is.
        excluded: Products that are not wanted (None: all are).

    Returns:
        The products that at least `BUYERS_MIN` customers bought, the `PRODUCTS_MAX` most bought.
    """
    count = len(sold.products)
    buyers = np.bincount(pairs.product, minlength=count)
    usable = np.flatnonzero((buyers >= BUYERS_MIN) & ~sold.services)
    most = usable[np.argsort(-buyers[usable], kind="stable")[:PRODUCTS_MAX]]
    product = np.sort(most).astype(np.int32)
    place = np.full(count, -1, np.int32)
    place[product] = np.arange(len(product), dtype=np.int32)
    seen = sold.day <= on
    recent = np.bincount(sold.product[seen & (sold.day > on - recent_days)], minlength=count)
    ever = np.bincount(sold.product[seen], minlength=count)
    covered = on - int(sold.day.min(initial=on)) + 1
    usual = ever * min(recent_days / covered, 1.0)
    trend = (recent + _TREND_WEIGHT) / (usual + _TREND_WEIGHT)
    again = np.bincount(pairs.product, pairs.days > 1, minlength=count)
    mean = again[product].sum() / max(buyers[product].sum(), 1)
    repeat = (again + _Q_WEIGHT * mean) / (buyers + _Q_WEIGHT)
    ended = sold.ended(on)
    offered = ~ended if excluded is None else ~ended & ~excluded
    return Shelf(
        product,
        place,
        buyers[product].astype(np.int32),
        recent[product].astype(np.int32),
        trend[product].astype(np.float32),
        repeat[product].astype(np.float32),
        offered[product],
        int(ended[product].sum()),
    )


@dataclass(frozen=True)
class Baskets:
    """What customers had bought, on the shelf: a sparse matrix of days, row by row.

    Attributes:
        start: Where each customer's products begin, and after the last where they end.
        place: Places on the shelf.
        days: On how many days each was bought.
    """

    start: npt.NDArray[np.int64]
    place: Codes
    days: Codes

    def matrix(self, products: int) -> sparse.csr_matrix:
        """Customers by products: 1 where bought."""
        from scipy import sparse

        ones = np.ones(len(self.place), np.float32)
        return sparse.csr_matrix(
            (ones, self.place, self.start), shape=(len(self.start) - 1, products)
        )

    def take(self, customers: npt.NDArray[np.intp]) -> Baskets:
        """The rows of some of the customers."""
        size = np.diff(self.start)[customers]
        start = np.concatenate([[0], np.cumsum(size)])
        rows = np.repeat(self.start[customers] - start[:-1], size) + np.arange(start[-1])
        return Baskets(start, self.place[rows], self.days[rows])


def baskets_of(pairs: Pairs, on_shelf: Shelf, customers: int) -> Baskets:
    """Put pairs on the shelf; products that are not there are left out."""
    place = on_shelf.place[pairs.product]
    kept = place >= 0
    size = np.bincount(pairs.customer[kept], minlength=customers)
    return Baskets(np.concatenate([[0], np.cumsum(size)]), place[kept], pairs.days[kept])


@dataclass(frozen=True)
class Ranked:
    """The products recommended to customers; a row a customer, the best first.

    Attributes:
        place: Places on the shelf (−1: there are no more).
        days: On how many days the customer bought it before.
        because: Places of the two products of the customer that speak most for it (−1: none does).
    """

    place: Codes
    days: Codes
    because: Codes


class Recommender:
    """Scores of products, learned from what all customers bought.

    Args:
        method: How to score.

    Attributes:
        weights_: How much each product (row) speaks for each other (column), after `fit`.

    Examples:
        >>> bought = Baskets(np.array([0, 2, 4, 5]), np.array([0, 1, 0, 1, 0], np.int32),
        ...                  np.ones(5, np.int32))
        >>> model = Recommender(Method("cosine", again=None)).fit(bought, 2)
        >>> [round(float(weight), 2) for weight in model.weights_[0]]
        [0.0, 0.82]
    """

    def __init__(self, method: Method) -> None:
        self.method = method

    def fit(self, bought: Baskets, products: int, gram: Floats | None = None) -> Recommender:
        """Learn which products go together.

        Args:
            bought: What customers bought.
            products: How many products there are.
            gram: How many customers bought both of two products (None: counted from `bought`).

        Returns:
            The model itself.
        """
        if self.method.kind == "none" or not products:
            self.weights_ = np.zeros((0, 0), np.float32)
            return self
        both = together(bought, products) if gram is None else gram
        weigh = {"ease": ease, "cosine": cosine}[self.method.kind]
        self.weights_ = weigh(both, self.method.penalty * float(np.diag(both).mean()))
        return self

    def rank(self, bought: Baskets, on_shelf: Shelf, top: int) -> Ranked:
        """Recommend products to customers.

        Args:
            bought: What they bought.
            on_shelf: What can be recommended.
            top: How many products each.

        Returns:
            The best products of each, still sold, and bought before only where customers come back
            for them.
        """
        rules = _rules(self.method, on_shelf)
        place, days, because = _ranked(
            bought.start, bought.place, bought.days, self.weights_, top, *rules
        )
        return Ranked(place, days, because)

    def scores(self, bought: Baskets, products: int) -> Scores:
        """What their products say of all products, customer by customer: Σₖ B(k, j)."""
        if not self.weights_.size:
            return np.zeros((len(bought.start) - 1, products), np.float32)
        found: Scores = bought.matrix(products) @ self.weights_
        return found


def ranked_by(scores: Scores, method: Method, bought: Baskets, on_shelf: Shelf, top: int) -> Codes:
    """The best products of customers whose `Recommender.scores` are at hand.

    Args:
        scores: The scores.
        method: Its `again` and `trend` count.
        bought: What the customers bought.
        on_shelf: What can be recommended.
        top: How many products each.

    Returns:
        Places on the shelf as `Recommender.rank` finds them (−1: there are no more).
    """
    found: Codes = _ranked_by(
        scores, bought.start, bought.place, bought.days, top, *_rules(method, on_shelf)
    )
    return found


def _rules(method: Method, on_shelf: Shelf) -> tuple[Any, ...]:
    """What the ranking of products needs besides their scores."""
    # A hair of popularity orders what has no score, and changes no order of what has one.
    most = max(int(on_shelf.popularity.max(initial=1)), 1)
    scale = 1.0 if method.kind == "none" and not method.again else 1e-6
    return (
        (on_shelf.trend**method.trend).astype(np.float32),
        (_REPEAT_WEIGHT * on_shelf.repeat).astype(np.float32),
        (scale / most * on_shelf.popularity).astype(np.float32),
        on_shelf.offered,
        on_shelf.bought_again,
        -1.0 if method.again is None else float(method.again),
    )


def together(bought: Baskets, products: int) -> Floats:
    """How many customers bought both of two products; on the diagonal, those of one."""
    matrix = bought.matrix(products)
    both: Floats = (matrix.T @ matrix).toarray().astype(np.float64)
    return both


def ease(both: Floats, penalty: float) -> Scores:
    """The weights of EASE, from how many customers bought both of two products.

    Args:
        both: The Gram matrix XᵀX.
        penalty: The λ of the ridge.

    Returns:
        Weights, the diagonal 0: a product does not speak for itself.
    """
    from scipy.linalg import lapack

    # The penalty keeps the matrix far from singular: seven digits do, at a quarter of the cost.
    held = both.astype(np.float32)
    held[np.diag_indices_from(held)] += np.float32(penalty)
    factor, failed = lapack.spotrf(held, lower=1, overwrite_a=1)
    assert not failed
    lower, failed = lapack.spotri(factor, lower=1, overwrite_c=1)
    assert not failed
    inverse = np.tril(lower) + np.tril(lower, -1).T
    weights: Scores = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return np.ascontiguousarray(weights)


def cosine(both: Floats, penalty: float) -> Scores:
    """The cosine of two products' customers, shrunk towards 0 where they are few."""
    root = np.sqrt(np.maximum(np.diag(both), 1))
    weights: Scores = (both / (np.outer(root, root) + penalty)).astype(np.float32)
    np.fill_diagonal(weights, 0)
    return weights


@compiled
def _ranked(
    start: Any, place: Any, days: Any, weights: Any, top: int,
    trend: Any, repeat: Any, popular: Any, offered: Any, bought_again: Any, again: float,
) -> Any:  # fmt: skip
    customers = len(start) - 1
    best = np.full((customers, top), -1, np.int32)
    before = np.zeros((customers, top), np.int32)
    because = np.full((customers, top, 2), -1, np.int32)
    score, own = np.empty(len(trend), np.float32), np.zeros(len(trend), np.int32)
    for customer in range(customers):
        score[:] = 0.0
        for at in range(start[customer], start[customer + 1]):
            own[place[at]] = days[at]
            if len(weights):
                score += weights[place[at]]
        chosen = best[customer]
        _choose(chosen, score, own, trend, repeat, popular, offered, bought_again, again)
        for n in range(top):
            if chosen[n] < 0:
                break
            before[customer, n] = own[chosen[n]]
            if len(weights):
                _explain(because[customer, n], weights, place, start, customer, chosen[n])
        for at in range(start[customer], start[customer + 1]):
            own[place[at]] = 0
    return best, before, because


@compiled
def _ranked_by(
    scores: Any, start: Any, place: Any, days: Any, top: int,
    trend: Any, repeat: Any, popular: Any, offered: Any, bought_again: Any, again: float,
) -> Any:  # fmt: skip
    best = np.full((len(scores), top), -1, np.int32)
    own = np.zeros(len(trend), np.int32)
    for customer in range(len(scores)):
        for at in range(start[customer], start[customer + 1]):
            own[place[at]] = days[at]
        _choose(
            best[customer], scores[customer], own,
            trend, repeat, popular, offered, bought_again, again,
        )  # fmt: skip
        for at in range(start[customer], start[customer + 1]):
            own[place[at]] = 0
    return best


@compiled
def _choose(
    chosen: Any, score: Any, own: Any,
    trend: Any, repeat: Any, popular: Any, offered: Any, bought_again: Any, again: float,
) -> None:  # fmt: skip
    """The best products of one customer, by insertion: few of thousands are ever moved."""
    top = len(chosen)
    leading = np.full(top, _LEAST, np.float32)
    for j in range(len(score)):
        if not offered[j]:
            continue
        value = score[j]
        if own[j] > 0:
            if again < 0 or (own[j] == 1 and not bought_again[j]):
                continue
            value += again * (own[j] - 1 + repeat[j])
        value = value * trend[j] + popular[j]
        if value > leading[top - 1]:
            at = top - 1
            while at > 0 and value > leading[at - 1]:
                leading[at], chosen[at] = leading[at - 1], chosen[at - 1]
                at -= 1
            leading[at], chosen[at] = value, j


@compiled
def _explain(
    because: Any, weights: Any, place: Any, start: Any, customer: int, product: int
) -> None:
    """The two products of the customer that speak most for one."""
    first = second = 0.0
    for at in range(start[customer], start[customer + 1]):
        weight = weights[place[at], product]
        if weight > first:
            because[1], second = because[0], first
            because[0], first = place[at], weight
        elif weight > second:
            because[1], second = place[at], weight
