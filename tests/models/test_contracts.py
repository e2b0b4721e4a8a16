"""sBG and BdW on the published cohorts of Fader & Hardie (2007), and on drawn ones."""

import numpy as np
import pytest
from scipy import optimize, special

from revoir.errors import InputError
from revoir.models.bdw import Bdw
from revoir.models.sbg import Sbg

REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394]


@pytest.mark.parametrize(
    ("cohort", "alpha", "beta", "log_likelihood"),
    [(REGULAR, 0.704, 1.182, -1680.2652), (HIGH_END, 0.668, 3.806, -1611.1581)],
)
def test_sbg_finds_the_published_parameters_and_the_held_out_years(
    cohort, alpha, beta, log_likelihood
):
    model = Sbg(prior_customers=0).fit_survivors(cohort[:8])
    assert model.parameters_ == {
        "alpha": pytest.approx(alpha, abs=5e-4),
        "beta": pytest.approx(beta, abs=5e-4),
    }
    assert model.log_likelihood_ == pytest.approx(log_likelihood, abs=1e-4)
    held_out = 100 * model.survival(np.arange(8, 13))
    assert held_out == pytest.approx([count / 10 for count in cohort[8:]], abs=2.0)
    # The weak prior does not show among so many departures.
    assert Sbg().fit_survivors(cohort[:8]).parameters_["alpha"] == pytest.approx(alpha, abs=5e-4)


def test_bdw_finds_the_published_parameters_of_five_years():
    """High End, years 0 to 4: Fader, Hardie, Liu, Davin & Steenburgh (2018)."""
    model = Bdw(prior_customers=0).fit_survivors(HIGH_END[:5])
    assert model.parameters_ == {
        "gamma": pytest.approx(0.259, abs=1e-3),
        "delta": pytest.approx(1.722, abs=2e-3),
        "c": pytest.approx(1.584, abs=1e-3),
    }


@pytest.mark.parametrize("cohort", [REGULAR, HIGH_END])
def test_bdw_reaches_the_summit_that_another_search_finds(cohort):
    seen = np.array(cohort[:8], float)

    def minus(z):
        gamma, delta, c = np.exp(z)
        log_s = special.betaln(gamma, delta + np.arange(8.0) ** c) - special.betaln(gamma, delta)
        share = np.exp(log_s)
        return -(-np.diff(seen) @ np.log(-np.diff(share)) + seen[-1] * log_s[-1])

    found = optimize.minimize(minus, np.zeros(3), method="Nelder-Mead", options={"maxiter": 5_000})
    model = Bdw(prior_customers=0).fit_survivors(cohort[:8])
    assert model.log_likelihood_ == pytest.approx(-found.fun, abs=1e-5)


def test_customers_one_by_one_are_the_cohort():
    periods, gone = [1, 1, 2, 4, 4, 4], [True] * 4 + [False] * 2
    one, other = Sbg().fit(periods, gone), Sbg().fit_survivors([6, 4, 3, 3, 2])
    assert one.parameters_ == other.parameters_
    assert one.log_likelihood_ == other.log_likelihood_


@pytest.mark.parametrize(
    "world", [Sbg.of(alpha=0.7, beta=3.0), Bdw.of(gamma=0.5, delta=2.0, c=1.3)], ids=repr
)
def test_known_parameters_are_found_again_among_those_still_there(world):
    until = world.draw_periods(8_000, seed=3)
    joined = np.resize([4.0, 12.0, 30.0], 8_000)  # periods each customer has been watched for
    gone = until <= joined
    found = type(world)().fit(np.where(gone, until, joined), gone)
    for name, true in world.parameters_.items():
        assert abs(found.parameters_[name] - true) < 3 * found.standard_errors_[name]
    assert found.survival(60) == pytest.approx(world.survival(60), abs=0.03)


def test_staying_on_is_what_survival_says():
    model = Bdw.of(gamma=0.5, delta=2.0, c=1.3)
    stays = model.stays([0, 7], 3)
    curve = model.survival(np.arange(11))
    assert stays[0] == pytest.approx(curve[1:4])
    assert stays[1] == pytest.approx(curve[8:] / curve[7])
    assert model.retention_rate([8]) == pytest.approx(curve[8:9] / curve[7])
    assert Bdw.of(gamma=0.7, delta=1.2, c=1.0).survival(9) == pytest.approx(
        Sbg.of(alpha=0.7, beta=1.2).survival(9)
    )


def test_impossible_contracts_are_refused():
    with pytest.raises(InputError, match="no customer left"):
        Sbg().fit([3, 4], [False, False])
    with pytest.raises(ValueError, match="periods"):
        Sbg().fit([0], [True])
    with pytest.raises(ValueError, match="never rise"):
        Sbg().fit_survivors([10, 12])
    with pytest.raises(ValueError, match="positive"):
        Sbg.of(alpha=-1.0, beta=2.0)
