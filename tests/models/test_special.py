"""Integrals and sums of the models, against SciPy's quadrature and distributions."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from revoir.models.special import beta_ratio, log_tail_integrals, mixed, purchases_ahead

parameters = st.floats(0.05, 500.0)
times = st.sampled_from([0.0, 0.3, 7.0, 90.0, 1_000.0, 10_000.0])


def log_tail(p, q, alpha, beta, t):
    value, slopes = log_tail_integrals(np.array([p]), np.array([q]), alpha, beta, np.array([t]))
    return value[0], slopes[:, 0]


def by_quadrature(p, q, alpha, beta, t):
    """The same integral over log(τ + smaller base), relative to its height at t."""
    least = min(alpha, beta)
    apart = abs(alpha - beta)
    first, second = (p, q) if alpha <= beta else (q, p)  # exponents of the smaller, the larger

    def log_height(y):
        return (1 - first) * y - second * np.log(np.exp(y) + apart)

    start = math.log(t + least)
    ends = [start, start + 1, start + 3, start + 10, start + 30, start + 90, start + 400]
    top = max(log_height(y) for y in np.linspace(start, start + 30, 3_000))
    pieces = [
        integrate.quad(lambda y: np.exp(log_height(y) - top), a, b, epsabs=0, limit=400)[0]
        for a, b in itertools.pairwise(ends)
    ]
    return top + math.log(sum(pieces))


@settings(max_examples=60, deadline=None)
@given(st.floats(0.1, 40.0), st.floats(1.0, 8.0), parameters, parameters, times)
def test_tail_integrals_are_what_quadrature_gives(p, q, alpha, beta, t):
    assert log_tail(p, q, alpha, beta, t)[0] == pytest.approx(
        by_quadrature(p, q, alpha, beta, t), abs=1e-6
    )


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.1, 40.0) | st.floats(500.0, 10_000.0), st.floats(1.0, 8.0), parameters, parameters,
    times,
)  # fmt: skip
def test_derivatives_are_those_of_the_integral(p, q, alpha, beta, t):
    given_ = (p, q, alpha, beta)
    size, slopes = log_tail(*given_, t)
    for place, value in enumerate(given_):
        step = 1e-5 * value
        up, down = list(given_), list(given_)
        up[place] += step
        down[place] -= step
        found = (log_tail(*up, t)[0] - log_tail(*down, t)[0]) / (2 * step)
        rounding = 1e-15 * abs(size) / step
        assert slopes[place] == pytest.approx(found, rel=1e-4, abs=1e-7 + rounding)


def test_equal_bases_have_a_closed_form():
    value, _ = log_tail(3.2, 1.4, 5.0, 5.0, 7.0)
    assert value == pytest.approx(-3.6 * math.log(12.0) - math.log(3.6), rel=1e-14)


def test_large_counts_and_times_stay_finite_and_in_order():
    x = np.array([0.0, 10.0, 1_000.0, 10_000.0])
    value, slopes = log_tail_integrals(x + 0.5, np.full(4, 1.6), 10.0, 12.0, np.full(4, 1e4))
    assert np.isfinite(value).all()
    assert np.isfinite(slopes).all()
    assert (np.diff(value) < 0).all()


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.05, 30.0), st.floats(0.01, 0.99), st.floats(0.05, 20.0), st.floats(0.05, 20.0),
    st.integers(1, 4), st.data(),
)  # fmt: skip
def test_purchases_ahead_are_sums_over_the_distribution_of_steps(shape, odds, a, b, k, data):
    stage = data.draw(st.integers(0, k - 1))
    mean, squares, none = (
        found[0] for found in purchases_ahead(
            np.array([shape]), np.array([odds]), a, np.array([b]), k, stage
        )
    )  # fmt: skip
    steps = stats.nbinom(shape, 1 - odds)
    n = np.arange(1, int(steps.ppf(1 - 1e-13)) // k + 3)
    reached = steps.sf(n * k - stage - 1)
    stays = np.exp(beta_ratio(a, b, more_b=n - 1.0))
    assert mean == pytest.approx((reached * stays).sum(), rel=1e-8, abs=1e-12)
    assert squares == pytest.approx(((2 * n - 1) * reached * stays).sum(), rel=1e-8, abs=1e-10)
    assert none == pytest.approx(1 - reached[0], abs=1e-12)


@pytest.mark.parametrize("shape", [1e3, 1e4, 2e5])
def test_purchases_ahead_of_very_frequent_buyers(shape):
    """Whoever hardly ever leaves buys as often as the negative binomial says."""
    odds = 0.5
    found = purchases_ahead(np.array([shape]), np.array([odds]), 1e-9, np.array([10.0]), 1, 0)
    mean, variance = stats.nbinom(shape, 1 - odds).stats()
    assert found[0][0] == pytest.approx(mean, rel=1e-8)
    assert found[1][0] - found[0][0] ** 2 == pytest.approx(variance, rel=1e-3)
    assert found[2][0] == 0.0


def test_a_short_time_loses_no_digits():
    found = purchases_ahead(np.array([0.25]), np.array([1e-12]), 0.8, np.array([2.4]), 1, 0)
    assert found[0][0] == pytest.approx(0.25e-12, rel=1e-9)


def test_histories_are_added_up_with_their_derivatives():
    ended, going = np.array([-3.0, -np.inf]), np.array([-2.0, -800.0])
    at_ended, at_going = np.array([0, 1, 0]), np.array([0, 0, 1])
    n = np.array([2.0, 5.0, 1.0])
    total, by_ended, by_going = mixed(ended, going, at_ended, at_going, n)
    both = np.logaddexp(ended[at_ended], going[at_going])
    assert total == pytest.approx(n @ both, rel=1e-14)
    share = 1 / (1 + math.exp(1))
    assert by_ended == pytest.approx([2 * share + 1, 0.0])
    assert by_going == pytest.approx([2 * (1 - share) + 5, 0.0])


def test_the_logarithms_of_thousands_of_histories_are_taken_together_without_loss():
    """A product of 5,000 shares is below what a number holds: it is emptied on the way."""
    rng = np.random.default_rng(1)
    ended, going = rng.normal(-40, 30, 50), rng.normal(-40, 30, 60)
    at_ended, at_going = rng.integers(0, 50, 5_000), rng.integers(0, 60, 5_000)
    n = np.where(rng.random(5_000) < 0.9, 1.0, 3.0)
    going[at_going[:2_000]] = ended[at_ended[:2_000]].mean()
    ended[at_ended[:2_000]] = going[at_going[:2_000]]
    total, by_ended, by_going = mixed(ended, going, at_ended, at_going, n)
    assert total == pytest.approx(n @ np.logaddexp(ended[at_ended], going[at_going]), rel=1e-13)
    assert by_ended.sum() + by_going.sum() == pytest.approx(n.sum())
