"""What customers will bring in: the bounds against simulated outcomes."""

import math

import numpy as np
import pytest

from revoir.models.counts import counted
from revoir.models.gamma_gamma import GammaGamma
from revoir.models.mbg_nbd import MbgNbd
from revoir.models.worth import DRAWN_CUSTOMERS_MAX, Question, Spent, _sampled, worth

WORLD = MbgNbd.of(r=0.8, alpha=60.0, a=0.6, b=4.0)
SPENDING = GammaGamma.of(p=6.25, q=3.74, v=15.44)


def shop(customers, seed, days=365):
    """A fitted shop, and what its customers did in the year after."""
    rng = np.random.default_rng(seed)
    T = np.floor(rng.random(customers) * 730)
    drawn = WORLD.draw_purchases(T + days, seed=seed)
    frequency, recency, T = drawn.histories(T)
    after = drawn.between(T, T + days)
    p, q, v = SPENDING.parameters_.values()
    rate = rng.gamma(q, 1 / v, customers)
    held = np.maximum(frequency, 1)
    mean = np.where(frequency > 0, rng.gamma(p * held) / rate / held, np.nan)
    brought = np.where(after > 0, rng.gamma(p * np.maximum(after, 1)) / rate, 0.0)
    counts = counted(frequency, recency, T)
    model = MbgNbd().fit_counts(counts)
    spent = Spent(GammaGamma().fit(frequency, mean), frequency, mean)
    return model, counts, spent, after, brought


@pytest.fixture(scope="module")
def large():
    return shop(8_000, 1)


@pytest.fixture(scope="module")
def small():
    return shop(900, 2)


def test_what_is_expected_comes(large):
    model, counts, spent, after, brought = large
    found = worth(model, counts, Question(365.0), spent)
    for expected, came in ((found.purchases, after), (found.amount, brought)):
        error = came.std() * math.sqrt(len(came))
        assert expected.sum() == pytest.approx(came.sum(), abs=4 * error)
    assert found.p_purchase.mean() == pytest.approx((after > 0).mean(), abs=0.02)
    assert found.total.low < brought.sum() < found.total.high
    assert found.total.value == pytest.approx(found.amount.sum())


@pytest.mark.parametrize("confidence", [0.8, 0.9])
def test_bounds_of_one_customer_hold_what_happens(large, small, confidence):
    """Of those who may well buy, as many as asked for; of those as good as gone, more."""
    for model, counts, spent, _, brought in (large, small):
        found = worth(model, counts, Question(365.0, confidence=confidence), spent)
        inside = (found.low <= brought) & (brought <= found.high)
        may_buy = found.p_purchase > 1.2 * (1 - confidence)
        error = math.sqrt(confidence * (1 - confidence) / may_buy.sum())
        assert inside[may_buy].mean() == pytest.approx(confidence, abs=0.015 + 3 * error)
        assert inside[~may_buy].mean() > confidence
        assert ((found.low <= found.amount) & (found.amount <= found.high)).all()


def test_bounds_by_sample_and_by_everyone_agree(large, monkeypatch):
    model, counts, spent, *_ = large
    sampled = worth(model, counts, Question(365.0), spent)
    monkeypatch.setattr("revoir.models.worth.DRAWN_CUSTOMERS_MAX", 10_000)
    whole = worth(model, counts, Question(365.0), spent)
    assert sampled.total.low == pytest.approx(whole.total.low, rel=0.02)
    assert sampled.total.high == pytest.approx(whole.total.high, rel=0.02)
    apart = np.abs(sampled.high / whole.high - 1)
    assert np.quantile(apart, 0.95) < 0.1


def test_the_sample_is_that_of_all_customers_in_order(large):
    """Only some are sorted; whoever is drawn is the one at that place of the whole order."""
    counts, spent = large[1], large[2]
    order = np.lexsort((spent.monetary_value, counts.at))
    drawn = np.random.default_rng(3).choice(len(order), DRAWN_CUSTOMERS_MAX, replace=False)
    assert _sampled(counts, spent, 3).tolist() == order[drawn].tolist()


def test_fewer_customers_are_less_sure(large, small):
    def width(shop):
        total = worth(shop[0], shop[1], Question(365.0), shop[2]).total
        return (total.high - total.low) / total.value

    assert width(small) > 2 * width(large)


def test_margin_and_discount(small):
    model, counts, spent, *_ = small
    plain = worth(model, counts, Question(365.0), spent)
    half = worth(model, counts, Question(365.0, margin=0.5), spent)
    later = worth(model, counts, Question(365.0, rate=math.log(1.1) / 365.25), spent)
    assert half.amount == pytest.approx(plain.amount / 2)
    assert half.high == pytest.approx(plain.high / 2)
    assert (plain.amount / 1.1 < later.amount).all()
    assert (later.amount < plain.amount).all()
    assert later.purchases == pytest.approx(plain.purchases)


def test_purchases_alone(small):
    model, counts, _, after, _ = small
    found = worth(model, counts, Question(365.0))
    assert found.amount is None
    assert found.value is None
    assert found.total.value == pytest.approx(found.purchases.sum())
    assert found.total.low < after.sum() < found.total.high


def test_the_same_seed_gives_the_same_bounds(small):
    model, counts, spent, *_ = small
    one, other, third = (worth(model, counts, Question(365.0), spent, seed=s) for s in (1, 1, 2))
    assert one.total == other.total
    assert (one.high == other.high).all()
    assert one.total != third.total
