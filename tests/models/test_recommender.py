"""Scores and rules of recommendations against regressions, plain loops and drawn worlds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn.metrics import ndcg_score
from sklearn.metrics.pairwise import cosine_similarity

from revoir.models.recommend_record import gains
from revoir.models.recommender import (
    Baskets,
    Method,
    Recommender,
    Shelf,
    cosine,
    ease,
    ranked_by,
    together,
)


def baskets(days):
    """Sparse rows of a dense matrix of purchase days."""
    days = np.asarray(days)
    rows, place = np.nonzero(days)
    start = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(days)))])
    return Baskets(start, place.astype(np.int32), days[rows, place].astype(np.int32))


def shelf_of(products, draw=None, **more):
    known = {
        "product": np.arange(products, dtype=np.int32),
        "place": np.arange(products, dtype=np.int32),
        "buyers": np.full(products, 9, np.int32),
        "popularity": np.zeros(products, np.int32),
        "trend": np.ones(products, np.float32),
        "repeat": np.full(products, 0.3, np.float32),
        "offered": np.ones(products, bool),
        "ended": 0,
    }
    if draw is not None:
        known["popularity"] = draw.permutation(products).astype(np.int32)
        known["trend"] = draw.uniform(0.3, 2, products).astype(np.float32)
        known["repeat"] = draw.uniform(0, 0.4, products).astype(np.float32)
        known["repeat"][: products // 4] = 0.001
        known["offered"] = draw.random(products) < 0.8
    return Shelf(**known | more)


@pytest.fixture
def drawn():
    draw = np.random.default_rng(7)
    taste = draw.random((3, 25)) ** 3
    bought = draw.random((200, 25)) < taste[draw.integers(0, 3, 200)]
    return bought * draw.integers(1, 4, bought.shape)


def test_ease_is_a_ridge_of_each_product_on_the_others(drawn):
    """Steck's closed form against the regressions that it solves, one product at a time."""
    x, penalty = (drawn > 0).astype(float), 12.0
    weights = ease(together(baskets(drawn), 25), penalty)
    for product in range(25):
        others = np.delete(x, product, axis=1)
        gram = others.T @ others + penalty * np.eye(24)
        expected = np.linalg.solve(gram, others.T @ x[:, product])
        np.testing.assert_allclose(np.delete(weights[:, product], product), expected, atol=2e-5)
        assert weights[product, product] == 0


def test_cosine_is_that_of_the_customers(drawn):
    x = (drawn > 0).astype(float)
    expected = cosine_similarity(x.T)
    np.fill_diagonal(expected, 0)
    found = cosine(together(baskets(drawn), 25), 0)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert (cosine(together(baskets(drawn), 25), 5) <= found).all()


METHODS = [
    Method("ease", 0.5, again=0.7, trend=0.5),
    Method("ease", 0.5, again=None),
    Method("cosine", 0.1, again=0.0, trend=1.0),
    Method("none", again=1.0, trend=1.0),
    Method("none", again=0.0),
    Method("none", again=None),
]


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_the_ranking_is_that_of_a_plain_loop(drawn, method):
    on_shelf = shelf_of(25, np.random.default_rng(1))
    model = Recommender(method).fit(baskets(drawn), 25)
    ranked = model.rank(baskets(drawn), on_shelf, 8)
    for customer in range(len(drawn)):
        own = np.flatnonzero(drawn[customer])
        scores = {}
        for j in range(25):
            score = sum(float(model.weights_[k, j]) for k in own) if model.weights_.size else 0.0
            days = int(drawn[customer, j])
            if not on_shelf.offered[j]:
                continue
            if days and (method.again is None or (days == 1 and on_shelf.repeat[j] < 0.02)):
                continue
            if days:
                score += method.again * (days - 1 + 3 * float(on_shelf.repeat[j]))
            scores[j] = score * float(on_shelf.trend[j]) ** method.trend
            scores[j] += 1e-6 * on_shelf.popularity[j] / on_shelf.popularity.max()
        expected = sorted(scores.values(), reverse=True)[:8]
        found = [int(one) for one in ranked.place[customer] if one >= 0]
        assert len(found) == min(8, len(scores)) == len(set(found))
        np.testing.assert_allclose([scores[one] for one in found], expected, rtol=1e-4, atol=1e-6)
        assert [drawn[customer, one] for one in found] == ranked.days[
            customer, : len(found)
        ].tolist()


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_scores_at_hand_give_the_same_ranking(drawn, method):
    on_shelf = shelf_of(25, np.random.default_rng(2))
    model = Recommender(method).fit(baskets(drawn), 25)
    found = ranked_by(model.scores(baskets(drawn), 25), method, baskets(drawn), on_shelf, 8)
    np.testing.assert_array_equal(found, model.rank(baskets(drawn), on_shelf, 8).place)


def test_popularity_orders_where_there_is_no_score():
    on_shelf = shelf_of(4, popularity=np.array([2, 9, 5, 7], np.int32))
    model = Recommender(Method("none", again=None)).fit(baskets([[0, 1, 0, 0]]), 4)
    assert model.rank(baskets([[0, 1, 0, 0]]), on_shelf, 3).place.tolist() == [[3, 2, 0]]
    assert model.rank(baskets([[1, 1, 1, 1]]), on_shelf, 3).place.tolist() == [[-1, -1, -1]]


def test_reasons_are_the_products_that_speak_most_for_one(drawn):
    model = Recommender(Method("ease", 0.5, again=None)).fit(baskets(drawn), 25)
    ranked = model.rank(baskets(drawn), shelf_of(25), 5)
    for customer in range(len(drawn)):
        own = np.flatnonzero(drawn[customer])
        for n, place in enumerate(ranked.place[customer]):
            if place < 0:
                continue
            speaks = [k for k in sorted(own, key=lambda k: -model.weights_[k, place])
                      if model.weights_[k, place] > 0]  # fmt: skip
            because = [one for one in ranked.because[customer, n].tolist() if one >= 0]
            assert because == speaks[:2]


@settings(max_examples=60, deadline=None)
@given(seed=some.integers(0, 10**6), method=some.sampled_from(METHODS), top=some.integers(1, 12))
def test_the_rules_always_hold(seed, method, top):
    draw = np.random.default_rng(seed)
    days = (draw.random((20, 9)) < 0.4) * draw.integers(1, 4, (20, 9))
    on_shelf = shelf_of(9, draw)
    ranked = Recommender(method).fit(baskets(days), 9).rank(baskets(days), on_shelf, top)
    for customer, row in enumerate(ranked.place.tolist()):
        chosen = [place for place in row if place >= 0]
        assert len(set(chosen)) == len(chosen)
        assert all(on_shelf.offered[place] for place in chosen)
        for place in chosen:
            before = days[customer, place]
            assert not before or method.again is not None
            assert before != 1 or on_shelf.bought_again[place]


def test_gains_are_those_of_another_implementation():
    draw = np.random.default_rng(4)
    for _ in range(50):
        truth = frozenset(draw.choice(40, draw.integers(1, 25), replace=False).tolist())
        ranked = draw.choice(40, 10, replace=False)
        hits = np.array([[place in truth for place in ranked.tolist()]])
        relevant, scores = np.zeros((1, 40)), np.zeros((1, 40))
        relevant[0, list(truth)] = 1
        scores[0, ranked] = np.arange(10, 0, -1)
        assert gains(hits, [truth])[0] == pytest.approx(ndcg_score(relevant, scores, k=10))
