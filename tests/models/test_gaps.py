"""The families of gaps against scipy's distributions, numerical integrals and simulated worlds."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import integrate, special, stats

from revoir.models import gaps
from revoir.models.gaps import FAMILIES, GammaGaps, History, LogNormalGaps
from revoir.models.incomplete_beta import odds_survival


def history_of(*customers, silence=0.0):
    """The history of customers given by their gaps in days."""
    logs = [np.log(np.array(one, dtype=float)) for one in customers]
    return History(
        np.array([len(one) for one in customers], dtype=float),
        np.array([float(sum(one)) for one in customers]),
        np.array([one.sum() for one in logs]),
        np.array([(one**2).sum() for one in logs]),
        np.full(len(customers), silence),
    )


THETA = {"gamma": np.log([1.7, 0.9, 35.0]), "lognormal": np.array([3.4, 0.3, 0.8, -0.2])}
KNOWN = history_of([], [12], [30, 35, 28, 31], [3, 90, 14, 200, 7, 60])


def test_gamma_evidence_is_the_integral_over_the_rates():
    k, r, alpha = GammaGaps().natural(THETA["gamma"])
    for one in ([12.0], [30.0, 35.0, 28.0, 31.0]):

        def joint(rate, one=one):
            likely = np.prod(stats.gamma.pdf(one, k, scale=1 / rate))
            return likely * stats.gamma.pdf(rate, r, scale=1 / alpha)

        expected = integrate.quad(joint, 0, 2, epsabs=0, epsrel=1e-10, limit=200)[0]
        found = GammaGaps().evidence(THETA["gamma"], history_of(one))[0]
        assert found == pytest.approx(np.log(expected), abs=1e-7)


def test_lognormal_evidence_is_the_integral_over_centre_and_spread():
    m, kappa, a0, b0 = LogNormalGaps().natural(THETA["lognormal"])
    for one in ([12.0], [30.0, 35.0, 28.0, 31.0]):
        logs = np.log(one)

        mu = np.linspace(-12, 20, 4001)[:, None]
        log_precision = np.linspace(-9, 7, 2001)
        sd = np.exp(-0.5 * log_precision)
        joint = stats.norm.logpdf(mu, m, sd / kappa**0.5) + log_precision
        joint = joint + stats.gamma.logpdf(np.exp(log_precision), a0, scale=1 / b0)
        for log in logs:
            joint = joint + stats.norm.logpdf(log, mu, sd) - log
        cell = (mu[1, 0] - mu[0, 0]) * (log_precision[1] - log_precision[0])
        expected = np.exp(joint).sum() * cell
        found = LogNormalGaps().evidence(THETA["lognormal"], history_of(one))[0]
        assert found == pytest.approx(np.log(expected), abs=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_next_gap_is_what_one_more_gap_adds_to_the_evidence(name):
    """The density of the next gap is p(gaps and next) / p(gaps): the chain rule."""
    family, theta = FAMILIES[name], THETA[name]
    for known in ([], [12], [30, 35, 28, 31]):
        before = family.evidence(theta, history_of(known))[0]
        for day in (2.0, 20.0, 300.0):
            more = family.evidence(theta, history_of([*known, day]))[0]
            gap = family.next_gap(theta, history_of(known))
            step = 1e-4 * day
            around = gap.survival(np.array([day - step])) - gap.survival(np.array([day + step]))
            assert around[0] / (2 * step) == pytest.approx(np.exp(more - before), rel=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
def test_quantiles_are_the_inverse_of_the_survival(name):
    gap = FAMILIES[name].next_gap(THETA[name], KNOWN)
    for share in (1e-6, 0.05, 0.5, 0.95, 1 - 1e-9):
        asked = np.full(len(KNOWN), share)
        np.testing.assert_allclose(gap.survival(gap.quantile(asked)), asked, rtol=1e-8)


def test_a_table_is_as_good_as_the_function(monkeypatch):
    draw = np.random.default_rng(5)
    n = 20_000
    x = draw.integers(0, 2, n).astype(float)
    recency = np.where(x > 0, draw.integers(1, 600, n), 0).astype(float)
    history = History(x, recency, x * 3.0, x * 9.0, np.zeros(n))
    shares = special.expit(draw.uniform(-25, 15, n))
    gap = GammaGaps().next_gap(THETA["gamma"], history)
    looked_up = gap.quantile(shares)
    monkeypatch.setattr(gaps, "_TABLE", 10**9)
    np.testing.assert_allclose(looked_up, gap.quantile(shares), rtol=2e-5)


@settings(max_examples=300, deadline=None)
@given(k=some.floats(0.05, 50), tail=some.floats(0.05, 50_000), log_odds=some.floats(-20, 20))
def test_the_survival_of_odds_is_scipys(k, tail, log_odds):
    mine = odds_survival(k, np.array([tail]), np.exp([log_odds]))[0]
    share = special.expit(log_odds)
    expected = (
        special.betaincc(k, tail, share)
        if share < 0.5
        else special.betainc(tail, k, special.expit(-log_odds))
    )
    assert mine == pytest.approx(expected, rel=1e-8, abs=1e-290)


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(
    known=some.lists(some.lists(some.integers(1, 2000), max_size=60), min_size=1, max_size=5),
    scale=some.floats(-1.5, 1.5),
)
def test_survival_falls_from_one_to_nothing(name, known, scale):
    theta = THETA[name] + scale
    gap = FAMILIES[name].next_gap(theta, history_of(*known))
    survivals = [gap.survival(np.full(len(known), days)) for days in (0.5, 3.0, 40.0, 900.0, 1e5)]
    assert all(((one >= 0) & (one <= 1)).all() for one in survivals)
    assert all((before >= after).all() for before, after in pairwise(survivals))
    assert np.isfinite(FAMILIES[name].evidence(theta, history_of(*known))).all()
