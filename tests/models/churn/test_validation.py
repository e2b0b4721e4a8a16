"""Ranking, calibration, lift and drift, against other implementations and simulated truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from revoir.models.validation import (
    Estimate,
    auc,
    calibration_curve,
    fit_line,
    gain,
    in_the_large,
    judge,
    log_odds,
    pooled,
    sigmoid,
    stability_index,
    top,
)


def drawn(seed, n, *, slope=1.0, base=0.0, spread=1.0):
    """Probabilities, and outcomes whose true log-odds are `slope` times theirs plus `base`."""
    rng = np.random.default_rng(seed)
    margin = rng.normal(0, spread, n)
    return sigmoid(margin), rng.random(n) < sigmoid(base + slope * margin)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60))
def test_ranking_is_that_of_another_implementation(rows):
    score, left = np.array([row[0] / 6 for row in rows]), np.array([row[1] for row in rows])
    if left.all() or not left.any():
        with pytest.raises(ValueError, match="left and customers who stayed"):
            auc(score, left)
        return
    found = auc(score, left)
    assert found.value == pytest.approx(roc_auc_score(left, score))
    assert 0 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize("n", [60, 100, 1_000])
def test_the_interval_of_ranking_holds_its_coverage(n):
    """The true area for log-odds of normal spread is known from many draws."""
    probability, left = drawn(0, 400_000)
    truth = roc_auc_score(left, probability)
    held = 0
    for seed in range(1, 501):
        found = auc(*drawn(seed, n))
        held += found.low <= truth <= found.high
    assert 0.93 <= held / 500 <= 0.98


def test_a_line_is_that_of_another_implementation():
    rng = np.random.default_rng(3)
    x = rng.normal(1, 2, 50_000)
    left = rng.random(50_000) < sigmoid(0.7 * x - 1)
    ours = fit_line(x, left)
    other = LogisticRegression(C=np.inf, tol=1e-10).fit(x[:, None], left)
    assert ours.slope == pytest.approx(other.coef_[0, 0], abs=2e-4)
    assert ours.intercept == pytest.approx(other.intercept_[0], abs=2e-4)


def test_a_line_of_few_who_differ_perfectly_stays_finite():
    found = fit_line(np.arange(6.0), np.arange(6) >= 3)
    assert 0 < found.slope < 5
    assert np.isfinite(found.covariance).all()


def test_the_slope_tells_probabilities_that_are_too_extreme():
    held = 0
    for seed in range(200):
        probability, left = drawn(seed, 2_000, slope=0.6)
        found = judge(probability, left).slope
        held += found.low <= 0.6 <= found.high
    assert 0.92 <= held / 200 <= 0.985


def test_losses_are_those_of_another_implementation():
    probability, left = drawn(1, 5_000)
    found = judge(probability, left)
    assert found.log_loss == pytest.approx(log_loss(left, probability))
    assert found.brier == pytest.approx(brier_score_loss(left, probability))
    assert found.expected == pytest.approx(probability.sum())


def test_a_curve_counts_everybody_once_and_keeps_equal_ones_together():
    probability = np.repeat([0.1, 0.1, 0.5, 0.9], [40, 30, 20, 10])
    left = np.zeros(100, bool)
    left[::3] = True
    bins = calibration_curve(probability, left)
    assert sum(one.n for one in bins) == 100
    assert [one.predicted for one in bins] == pytest.approx([0.1, 0.5, 0.9])
    assert sum(one.left for one in bins) == left.sum()
    assert all(one.low <= one.observed <= one.high for one in bins)


def test_the_first_of_a_ranking():
    score = np.array([0.9, 0.8, 0.7, 0.2, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0])
    left = np.array([True, False, True, False, False, True, False, False, False, False])
    found = top(score, left, 0.3)
    assert (found.n, found.left) == (3, 2)
    assert found.rate == pytest.approx(2 / 3)
    assert found.lift == pytest.approx((2 / 3) / 0.3)
    assert found.caught == pytest.approx(2 / 3)
    assert top(score, left, 0.001).n == 1


def test_the_interval_of_a_gain_holds_with_customers_of_several_rows():
    """Rows of one customer resemble one another: taken for strangers, they promise too much."""
    rng = np.random.default_rng(5)
    alone, together = [], []
    for _ in range(400):
        kind = np.repeat(rng.normal(0, 1, 80), 5)
        left = np.repeat(rng.random(80) < sigmoid(kind[::5]), 5)
        better, other = sigmoid(0.9 * kind), sigmoid(0.6 * kind)
        alone.append(gain(better, other, left))
        together.append(gain(better, other, left, np.repeat(np.arange(80), 5)))
    truth = np.mean([one.value for one in alone])

    def held(estimates):
        return np.mean([one.low <= truth <= one.high for one in estimates])

    assert 0.92 <= held(together) <= 0.98
    assert held(alone) < 0.75


def test_probabilities_in_the_large_add_up_and_keep_their_order():
    probability, left = drawn(2, 3_000, base=1.0)
    shifted = in_the_large(probability, left)
    assert shifted.sum() == pytest.approx(left.sum())
    assert (np.argsort(shifted) == np.argsort(probability)).all()
    apart = log_odds(shifted) - log_odds(probability)
    assert np.ptp(apart) < 1e-6
    assert apart.mean() == pytest.approx(1.0, abs=0.1)


def test_estimates_are_pooled_by_their_precision():
    found = pooled([Estimate(1.0, 0.0, 2.0), Estimate(4.0, -6.0, 14.0)])
    assert found.value == pytest.approx((100 * 1 + 4) / 101)
    assert pooled([found]).high == pytest.approx(found.high)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 500), min_size=2, max_size=12), st.randoms())
def test_drift_is_nothing_for_equal_distributions_and_never_negative(counts, random):
    assert stability_index(counts, [3 * n + 1 for n in counts]) < 0.7
    assert stability_index(counts, counts) == pytest.approx(0.0, abs=1e-12)
    other = random.sample(counts, len(counts))
    assert stability_index(counts, other) == pytest.approx(stability_index(other, counts))
    assert stability_index(counts, other) >= 0
