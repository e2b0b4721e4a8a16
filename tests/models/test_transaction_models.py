"""Models of repeat purchase against their own assumptions: quadrature and simulated customers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from revoir.errors import InputError
from revoir.models.bg_bb import BgBb
from revoir.models.bg_nbd import BgNbd
from revoir.models.counts import counted
from revoir.models.mbg_cnbd_k import MbgCnbdK
from revoir.models.mbg_nbd import MbgNbd
from revoir.models.pareto_nbd import ParetoNbd

BG = {"r": 0.6, "alpha": 5.0, "a": 0.9, "b": 2.2}
WORLDS = {
    "bg_nbd": BgNbd.of(**BG),
    "mbg_nbd": MbgNbd.of(**BG),
    "mbg_cnbd_k": MbgCnbdK.of(r=0.9, alpha=1.8, a=0.9, b=2.2, k=3),
    "pareto_nbd": ParetoNbd.of(r=0.6, alpha=8.0, s=0.7, beta=10.0),
    "bg_bb": BgBb.of(alpha=1.2, beta=0.8, gamma=0.7, delta=2.8),
}
HISTORIES = [(0, 0, 12), (1, 3, 12), (4, 10, 12), (4, 12, 12), (9, 11, 30)]


def of_one_customer(model, x, t_x, T):
    """The likelihood given the customer's own rate λ and readiness to leave: alive, and gone."""
    name, k = model.name, getattr(model, "k_", 1)
    if name == "pareto_nbd":
        return (
            lambda rate, death: rate**x * np.exp(-(rate + death) * T),
            lambda rate, death: (
                death / (rate + death) * rate**x
                * (np.exp(-(rate + death) * t_x) - np.exp(-(rate + death) * T))
            ),
        )  # fmt: skip
    if name == "bg_bb":
        return (
            lambda take, leave: take**x * (1 - take) ** (T - x) * (1 - leave) ** T,
            lambda take, leave: sum(
                (
                    take**x * (1 - take) ** (last - x) * leave * (1 - leave) ** last
                    for last in range(t_x, T)
                ),
                start=0 * take * leave,
            ),
        )
    first = 0 if name == "bg_nbd" else 1

    def alive(rate, leave):
        silence = sum((rate * (T - t_x)) ** j / math.factorial(j) for j in range(k))
        return (1 - leave) ** (x + first) * rate ** (k * x) * np.exp(-rate * T) * silence

    def gone(rate, leave):
        if x + first == 0:
            return 0.0 * rate * leave
        stays = leave * (1 - leave) ** (x + first - 1)
        return stays * rate ** (k * x) * np.exp(-rate * t_x)

    return alive, gone


STEPS = 1_500


def step(values):
    return values[1] - values[0]


def averaged(model, likelihood):
    """The likelihood of a customer averaged over customers: trapezes where all is analytic.

    Rates are spread over their logarithm, probabilities over their logit; the density of either
    falls off at both ends, so the sum converges faster than any power of the step.
    """
    first, second, third, fourth = model.parameters_.values()
    rates, chances = np.linspace(-60, 8, STEPS), np.linspace(-60, 60, STEPS)

    def of_rates(shape, rate):
        value = np.exp(rates)
        return value, stats.gamma(shape, scale=1 / rate).pdf(value) * value * step(rates)

    def of_chances(a, b):
        log_density = a * -np.log1p(np.exp(-chances)) + b * -np.log1p(np.exp(chances))
        weight = np.exp(log_density - special.betaln(a, b)) * step(chances)
        return special.expit(chances), weight

    left = of_chances(first, second) if model.name == "bg_bb" else of_rates(first, second)
    right = (of_rates if model.name == "pareto_nbd" else of_chances)(third, fourth)
    values = likelihood(left[0][:, None], right[0][None, :])
    return float(left[1] @ values @ right[1])


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("history", HISTORIES, ids=str)
def test_likelihood_and_p_alive_are_averages_over_customers(name, history):
    model = WORLDS[name]
    here, gone = (averaged(model, part) for part in of_one_customer(model, *history))
    one = [[value] for value in history]
    assert model.log_likelihood(*one)[0] == pytest.approx(math.log(here + gone), abs=1e-8)
    alive = here / (here + gone)
    if name == "bg_bb":  # that of being there on the next occasion
        gamma_, delta = model.parameters_["gamma"], model.parameters_["delta"]
        alive *= (delta + history[2]) / (gamma_ + delta + history[2])
    assert model.p_alive(*one)[0] == pytest.approx(alive, abs=1e-8)


@pytest.mark.parametrize("name", WORLDS)
@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-1.5, 1.5), min_size=4, max_size=4),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 40), st.integers(0, 40)), min_size=1),
)
def test_gradients_are_those_of_the_likelihood(name, logs, rows):
    model = WORLDS[name]
    x, t_x = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows], float)
    t_x = np.maximum(t_x, x) * (x > 0)
    counts = counted(x, t_x, t_x + np.array([row[2] for row in rows]))
    theta = np.exp(np.array(logs)) * np.array(list(model.parameters_.values()))
    value, slope = model._log_likelihood(theta, counts)
    assert value == pytest.approx(float(counts.n @ model._rows(theta, counts)), rel=1e-12)
    for place in range(4):
        step = np.zeros(4)
        step[place] = 1e-5 * theta[place]
        up, down = (model._log_likelihood(theta + s, counts)[0] for s in (step, -step))
        found = (up - down) / (2 * step[place])
        assert slope[place] == pytest.approx(found, rel=1e-4, abs=1e-5 * (1 + abs(value)))


@pytest.fixture(scope="module")
def followed():
    """For each model many customers drawn from it: their histories and what they did next."""
    found = {}
    for name, model in WORLDS.items():
        T = np.resize([6.0, 12.0, 20.0], 60_000)
        drawn = model.draw_purchases(T + 10, seed=11)
        found[name] = (drawn.histories(T), drawn.between(T, T + 10).astype(float))
    return found


@pytest.mark.parametrize("name", WORLDS)
def test_what_is_expected_is_what_customers_do(followed, name):
    """By history: purchases, their squares and the share who buy, within chance."""
    model, (history, bought) = WORLDS[name], followed[name]
    counts = counted(*history)
    ahead = model.ahead(10.0, counts)
    groups = np.minimum(history[0], 4) * 10 + (history[1] > 0.7 * history[2])
    seen = {"mean": bought, "squares": bought**2, "none": (bought == 0).astype(float)}
    for group in np.unique(groups):
        held = groups == group
        if held.sum() < 300:
            continue
        for what, values in seen.items():
            expected = getattr(ahead, what)[counts.at][held]
            error = (values[held] - expected).std() / math.sqrt(held.sum())
            apart = values[held].mean() - expected.mean()
            assert abs(apart) < 4.5 * error, (group, what, values[held].mean(), expected.mean())


@pytest.mark.parametrize("name", WORLDS)
def test_new_customers_buy_as_foretold(followed, name):
    model, ((frequency, _, T), _) = WORLDS[name], followed[name]
    for age in (6.0, 12.0, 20.0):
        bought = frequency[np.isclose(T, age)]
        n, chances = len(bought), model.chances(age, 60)[0]
        mean = model.expected_purchases_of_new(age)[0]
        assert bought.mean() == pytest.approx(mean, abs=4.5 * bought.std() / math.sqrt(n))
        for x in range(5):
            share = (bought == x).mean()
            assert share == pytest.approx(chances[x], abs=4.5 * math.sqrt(chances[x] / n) + 1e-9)


@pytest.mark.parametrize("name", WORLDS)
def test_chances_and_expectation_of_new_customers_agree(name):
    model = WORLDS[name]
    chances = model.chances([1.0, 8.0], 400)
    assert chances.sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    mean = chances @ np.arange(401)
    assert mean == pytest.approx(model.expected_purchases_of_new([1.0, 8.0]), rel=1e-5)


@pytest.mark.parametrize("name", WORLDS)
def test_a_customer_of_today_is_a_new_one(name):
    """Someone who bought for the first time today, and has not left, has all purchases ahead."""
    model = WORLDS[name]
    found = model.expected_purchases(9.0, [0], [0], [0])[0]
    assert found == pytest.approx(model.expected_purchases_of_new(9.0)[0], rel=1e-9)
    chance = model.chances(9.0, 1)[0][0]
    assert model.p_purchase(9.0, [0], [0], [0])[0] == pytest.approx(1 - chance, abs=1e-9)


@pytest.mark.parametrize("name", WORLDS)
def test_known_parameters_are_found_again(followed, name):
    model, (history, _) = WORLDS[name], followed[name]
    fresh = MbgCnbdK(3) if name == "mbg_cnbd_k" else type(model)()
    fresh.fit(*history)
    assert fresh.converged_
    for parameter, true in model.parameters_.items():
        apart = abs(fresh.parameters_[parameter] - true)
        assert apart < 3.5 * fresh.standard_errors_[parameter], parameter
    assert fresh.log_likelihood_ >= model.log_likelihood(*history).sum()


def test_only_bg_nbd_holds_one_time_buyers_to_be_there_for_certain():
    one_time = ([0, 0], [0, 0], [2, 40])
    assert WORLDS["bg_nbd"].p_alive(*one_time).tolist() == [1.0, 1.0]
    for name in ("mbg_nbd", "mbg_cnbd_k", "pareto_nbd"):
        early, late = WORLDS[name].p_alive(*one_time)
        assert 1 > early > late > 0
    assert (WORLDS["bg_nbd"].p_purchase(5.0, *one_time) < 0.7).all()


def test_one_step_a_purchase_is_mbg_nbd():
    regular = MbgCnbdK.of(**BG, k=1)
    counts = counted(*(np.array(column, float) for column in zip(*HISTORIES, strict=True)))
    for one, other in zip(
        regular.ahead(9.0, counts), WORLDS["mbg_nbd"].ahead(9.0, counts), strict=True
    ):
        assert one == pytest.approx(other, rel=1e-12)


def gaps_of(drawn, T):
    """Times between the purchases until T, the wait for the first repeat included."""
    seen = drawn.when <= T[drawn.who]
    before = np.where(np.diff(drawn.who, prepend=-1) == 0, np.roll(drawn.when, 1), 0.0)
    return (drawn.when - before)[seen]


@pytest.mark.parametrize("k", [1, 2, 4])
def test_regularity_is_chosen_by_the_likelihood_of_the_gaps(k):
    world = MbgCnbdK.of(r=1.5, alpha=2.0 / k, a=0.8, b=4.0, k=k)
    T = np.full(2_000, 30.0)
    drawn = world.draw_purchases(T, seed=k)
    log_gaps = float(np.log(gaps_of(drawn, T)).sum())
    found = MbgCnbdK().fit(*drawn.histories(T), log_gaps=log_gaps)
    assert found.k_ == k
    assert found.k is None


def test_regularity_cannot_be_chosen_blindly():
    with pytest.raises(ValueError, match="log_gaps"):
        MbgCnbdK().fit([1, 2], [3, 4], [5, 6])


@pytest.mark.parametrize("name", ["bg_nbd", "mbg_nbd", "mbg_cnbd_k", "pareto_nbd"])
def test_the_unit_of_time_changes_only_times(followed, name):
    frequency, recency, T = (column[:3_000] for column in followed[name][0])
    make = (lambda: MbgCnbdK(3)) if name == "mbg_cnbd_k" else type(WORLDS[name])
    weeks, days = (make().fit(frequency, recency * u, T * u) for u in (1, 7))
    scaled = {"alpha", "beta"}
    for parameter, value in weeks.parameters_.items():
        other = days.parameters_[parameter] / (7 if parameter in scaled else 1)
        assert other == pytest.approx(value, rel=1e-5)
    k = getattr(weeks, "k_", 1)
    shift = k * frequency.sum() * math.log(7)
    assert days.log_likelihood_ == pytest.approx(weeks.log_likelihood_ - shift, abs=1e-4)
    assert days.expected_purchases(70, frequency, recency * 7, T * 7) == pytest.approx(
        weeks.expected_purchases(10, frequency, recency, T), rel=1e-4
    )


@pytest.mark.parametrize("name", ["bg_nbd", "mbg_nbd", "mbg_cnbd_k", "pareto_nbd"])
def test_ten_thousand_purchases_and_days_are_no_trouble(name):
    model = WORLDS[name]
    history = ([10_000, 10_000, 0, 1], [9_999, 5_000, 0, 1], [10_000, 10_000, 10_000, 10_000])
    counts = counted(*history)
    theta = np.array(list(model.parameters_.values()))
    value, slope = model._log_likelihood(theta, counts)
    assert np.isfinite(value)
    assert np.isfinite(slope).all()
    ahead = model.ahead(365.0, counts)
    assert all(np.isfinite(column).all() for column in ahead)
    always, once_gone, *_ = (ahead.mean[place] for place in counts.at)
    assert 200 < always < 365
    assert once_gone < 1e-6


def test_discounting_takes_more_from_what_comes_later():
    model, counts = WORLDS["mbg_nbd"], counted([3.0], [10.0], [12.0])
    steps = np.linspace(0, 40, 4_001)
    upto = np.array([0.0, *(model.ahead(u, counts).mean[0] for u in steps[1:])])
    middle = (steps[:-1] + steps[1:]) / 2
    by_steps = float((np.diff(upto) * np.exp(-0.02 * middle)).sum())
    assert model.discounted(40.0, 0.02, counts)[0] == pytest.approx(by_steps, rel=1e-6)
    assert model.discounted(40.0, 0.0, counts)[0] == pytest.approx(upto[-1], rel=1e-12)


@pytest.mark.parametrize("model", [BgNbd(), ParetoNbd(), MbgCnbdK(2), BgBb()], ids=repr)
def test_nobody_who_came_back_is_not_enough(model):
    with pytest.raises(InputError, match="Not enough data"):
        model.fit([0, 0, 0], [0, 0, 0], [5, 6, 7])


def test_known_parameters_must_be_possible():
    with pytest.raises(ValueError, match="parameters"):
        BgNbd.of(r=1.0, alpha=2.0, a=1.0)
    with pytest.raises(ValueError, match="positive"):
        BgNbd.of(r=1.0, alpha=2.0, a=1.0, b=-1.0)


def test_a_world_without_departures_is_told():
    """Poisson buyers who never leave: no model can tell how readily they would."""
    rng = np.random.default_rng(4)
    T = np.full(1_500, 300.0)
    x = rng.poisson(0.02 * T)
    # The last of x moments spread evenly over (0, T).
    last = np.where(x > 0, T * rng.random(1_500) ** (1 / np.maximum(x, 1)), 0.0)
    found = BgNbd().fit(x, last, T)
    assert not found.converged_
    assert found.fit_.reason is not None
    assert found.expected_purchases(100, x, last, T).mean() == pytest.approx(2.0, rel=0.1)


def test_few_customers_lean_on_the_prior_and_many_do_not():
    world = WORLDS["mbg_nbd"]
    few, many = (world.draw_purchases(np.full(n, 20.0), seed=2) for n in (60, 20_000))
    leaning, free = (
        [MbgNbd(prior_customers=n).fit(*drawn.histories(20.0)) for n in (100, 0)]
        for drawn in (few, many)
    )
    assert leaning[0].fit_.prior.weight > 0.5
    assert abs(leaning[0].parameters_["b"] - leaning[1].parameters_["b"]) > 0.05
    assert free[0].fit_.prior.weight < 1e-6
    for parameter, value in free[0].parameters_.items():
        assert value == pytest.approx(free[1].parameters_[parameter], rel=1e-5)
