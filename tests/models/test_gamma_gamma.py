"""Gamma-Gamma against quadrature and simulated customers."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from revoir.errors import InputError
from revoir.models.fitting import Prior
from revoir.models.gamma_gamma import GammaGamma, _Likelihood

WORLD = {"p": 6.25, "q": 3.74, "v": 15.44}


def drawn(customers, seed):
    rng = np.random.default_rng(seed)
    x = rng.negative_binomial(0.7, 0.3, customers)
    rate = rng.gamma(WORLD["q"], 1 / WORLD["v"], customers)
    held = np.maximum(x, 1)
    mean = np.where(x > 0, rng.gamma(WORLD["p"] * held) / rate / held, np.nan)
    later = rng.gamma(WORLD["p"], size=customers) / rate
    return x.astype(float), mean, later


@pytest.mark.parametrize(("x", "mean"), [(1, 30.0), (4, 8.0), (40, 55.0)])
def test_the_density_of_a_mean_is_averaged_over_customers(x, mean):
    p, q, v = WORLD.values()

    def given_rate(rate):
        amount = stats.gamma(p * x, scale=1 / (rate * x)).pdf(mean)
        return amount * stats.gamma(q, scale=1 / v).pdf(rate)

    density, _ = integrate.quad(given_rate, 0, 20, limit=400, points=[0.05, 0.2, 1.0])
    value, _ = _Likelihood(np.array([float(x)]), np.array([mean]))(np.log([p, q - 1, v]))
    assert value == pytest.approx(math.log(density), abs=1e-6)


def test_gradient():
    x, mean, _ = drawn(300, 1)
    likelihood = _Likelihood(x[x > 0], mean[x > 0])
    z = np.array([1.1, 0.4, 3.0])
    _, slope = likelihood(z)
    for place in range(3):
        step = np.zeros(3)
        step[place] = 1e-6
        found = (likelihood(z + step)[0] - likelihood(z - step)[0]) / 2e-6
        assert slope[place] == pytest.approx(found, rel=1e-6, abs=1e-5)


def test_known_parameters_are_found_again():
    x, mean, later = drawn(20_000, 2)
    found = GammaGamma().fit(x, mean)
    assert found.converged_
    for name, true in WORLD.items():
        assert abs(found.parameters_[name] - true) < 3 * found.standard_errors_[name]
    assert abs(found.correlation_) < 0.03
    # What customers spend next, by what they spent: the expectation is right in every group.
    expected = found.expected_value(x, mean)
    for group in (x == 0, (x > 0) & (mean < 25), (x > 0) & (mean > 60), x > 5):
        error = later[group].std() / math.sqrt(group.sum())
        assert later[group].mean() == pytest.approx(expected[group].mean(), abs=4 * error)


def test_a_customer_is_drawn_towards_the_others_and_less_so_with_time():
    model = GammaGamma.of(**WORLD)
    nobody, once, often = model.expected_value([0, 1, 50], [np.nan, 100.0, 100.0])
    assert nobody == pytest.approx(model.mean)
    assert model.mean < once < often < 100.0


def test_who_is_known_to_spend_nothing_is_no_average_customer():
    """An amount of 0 was taken for one that is not known."""
    model = GammaGamma.of(**WORLD)
    unknown, little, nothing = model.expected_value([9, 9, 9], [np.nan, 1.0, 0.0])
    assert unknown == pytest.approx(model.mean)
    assert nothing < little < model.mean / 2


def test_what_is_not_known_is_left_out():
    x, mean, _ = drawn(500, 3)
    more_x, more_mean = np.append(x, [3.0, 2.0]), np.append(mean, [0.0, np.nan])
    assert GammaGamma().fit(x, mean).parameters_ == GammaGamma().fit(more_x, more_mean).parameters_


def test_too_few_are_told():
    with pytest.raises(InputError, match="fewer than two"):
        GammaGamma().fit([0, 3], [0.0, 12.0])
    with pytest.raises(ValueError, match="as long as"):
        GammaGamma().fit([1], [2.0, 3.0])
    with pytest.raises(ValueError, match="more than 1"):
        GammaGamma.of(p=2.0, q=0.9, v=3.0)


def test_the_prior_fades():
    weights = [Prior.weak([1.0], [1.0], n, 100).weight for n in (0, 100, 1_000, 10_000)]
    assert weights[:2] == [1.0, 0.5]
    assert weights[2] == pytest.approx(1e-4, rel=0.01)
    assert weights[3] < 1e-7
    assert Prior.weak([1.0], [1.0], 0, 0).weight == 0.0
