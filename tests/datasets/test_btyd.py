"""The drawn orders follow the closed forms of the papers they are drawn from."""

import datetime as dt
import math

import duckdb
import numpy as np
import pytest

from revoir.datasets.btyd import BgNbd, bg_nbd_orders, order_batches, write_orders

CUSTOMERS = 200_000
# All join on the first day, so that everyone is observed for the same time.
WORLD = BgNbd(r=0.5, alpha=92.0, a=0.8, b=4.0, joining_days=0, days=730)


def hypergeometric(a: float, b: float, c: float, z: float) -> float:
    """Gauss's 2F1 by its series, for 0 <= z < 1."""
    term, total, n = 1.0, 1.0, 0
    while abs(term) > 1e-14 * abs(total):
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        total += term
        n += 1
    return total


def log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def expected_repeats(world: BgNbd, t: float) -> float:
    """E[X(t)], eq. (9) of Fader, Hardie & Lee (2005)."""
    r, alpha, a, b = world.r, world.alpha, world.a, world.b
    z = t / (alpha + t)
    series = hypergeometric(r, b, a + b - 1, z)
    return (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * series)


def share_with(world: BgNbd, x: int, t: float) -> float:
    """P(X(t) = x), eq. (8) of the same."""
    r, alpha, a, b = world.r, world.alpha, world.a, world.b

    def term(j: int) -> float:
        log = math.lgamma(r + j) - math.lgamma(r) - math.lgamma(j + 1)
        log += r * math.log(alpha / (alpha + t)) + j * math.log(t / (alpha + t))
        return math.exp(log)

    share = math.exp(log_beta(a, b + x) - log_beta(a, b)) * term(x)
    if x > 0:
        left = math.exp(log_beta(a + 1, b + x - 1) - log_beta(a, b))
        share += left * (1 - sum(term(j) for j in range(x)))
    return share


def expected_next(world: BgNbd, x: int, t_x: float, age: float, t: float) -> float:
    """E[Y(t) | x, t_x, T], eq. (10) of the same."""
    r, alpha, a, b = world.r, world.alpha, world.a, world.b
    series = hypergeometric(r + x, b + x, a + b + x - 1, t / (alpha + age + t))
    above = (a + b + x - 1) / (a - 1)
    above *= 1 - ((alpha + age) / (alpha + age + t)) ** (r + x) * series
    if x == 0:
        return above
    return above / (1 + a / (b + x - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x))


@pytest.fixture(scope="module")
def drawn():
    return bg_nbd_orders(CUSTOMERS, WORLD, seed=20)


def test_expected_repeats(drawn):
    error = drawn.repeats.std() / math.sqrt(CUSTOMERS)
    assert drawn.repeats.mean() == pytest.approx(expected_repeats(WORLD, 730), abs=4 * error)


def test_share_without_a_repeat(drawn):
    expected = (92 / (92 + 730)) ** 0.5
    error = math.sqrt(expected * (1 - expected) / CUSTOMERS)
    assert share_with(WORLD, 0, 730) == pytest.approx(expected)
    assert (drawn.repeats == 0).mean() == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize("x", [1, 2, 3, 5, 10])
def test_share_with_so_many_repeats(drawn, x):
    expected = share_with(WORLD, x, 730)
    error = math.sqrt(expected * (1 - expected) / CUSTOMERS)
    assert (drawn.repeats == x).mean() == pytest.approx(expected, abs=4 * error)


def test_what_comes_next_depends_on_frequency_and_recency(drawn):
    """The moments of the orders are right too: half of the time predicts the other half."""
    customer = drawn.customer_id - 1
    t = (drawn.ordered_at - np.datetime64(WORLD.start)) / np.timedelta64(1, "D")
    early = t <= 365
    x = np.bincount(customer[early], minlength=CUSTOMERS) - 1
    t_x = np.zeros(CUSTOMERS)
    np.maximum.at(t_x, customer[early], t[early])
    later = np.bincount(customer[~early], minlength=CUSTOMERS)
    for repeats, recency in ((0, (0, 1)), (2, (50, 150)), (2, (250, 365)), (4, (200, 300))):
        chosen = np.flatnonzero((x == repeats) & (t_x >= recency[0]) & (t_x < recency[1]))
        assert len(chosen) > 500
        expected = np.mean([expected_next(WORLD, repeats, one, 365, 365) for one in t_x[chosen]])
        error = later[chosen].std() / math.sqrt(len(chosen))
        assert later[chosen].mean() == pytest.approx(expected, abs=4 * error)


def test_amounts_are_gamma_gamma(drawn):
    """Means of pγ / (q − 1) over customers; amounts of one customer vary with 1 / √p of it."""
    first = np.concatenate([[True], np.diff(drawn.customer_id) > 0])
    error = drawn.amount[first].std() / math.sqrt(CUSTOMERS)
    assert drawn.amount[first].mean() == pytest.approx(WORLD.spend_mean, abs=4 * error)
    pairs = np.flatnonzero(first[:-1] & ~first[1:])
    one, two = drawn.amount[pairs], drawn.amount[pairs + 1]
    # (z1 − z2) / (z1 + z2) does not know ν: for Gamma(p), its square has mean 1 / (2p + 1).
    square = ((one - two) / (one + two)) ** 2
    error = square.std() / math.sqrt(len(square))
    assert square.mean() == pytest.approx(1 / (2 * WORLD.spend_p + 1), abs=4 * error)


def test_joining_is_even_and_all_is_observed():
    world = BgNbd(joining_days=100, days=400)
    drawn = bg_nbd_orders(20_000, world, seed=4, first_customer=501)
    assert drawn.customer_id.min() == 501
    assert len(np.unique(drawn.customer_id)) == 20_000
    assert drawn.ordered_at.min() >= np.datetime64(world.start)
    assert drawn.ordered_at.max() < np.datetime64(world.end)
    assert drawn.joined_day.mean() == pytest.approx(50, abs=4 * 100 / math.sqrt(12 * 20_000))
    assert (drawn.amount > 0).all()
    first = np.flatnonzero(np.diff(drawn.customer_id, prepend=0) > 0)
    firsts = (drawn.ordered_at[first] - np.datetime64(world.start)) / np.timedelta64(1, "D")
    np.testing.assert_allclose(firsts, drawn.joined_day, atol=1e-6)
    steps = np.diff(drawn.ordered_at) >= np.timedelta64(0)
    assert (steps | (np.diff(drawn.customer_id) > 0)).all()


def test_batches_cover_all_customers_once():
    batches = list(order_batches(2_500, seed=9, batch=1_000))
    ids = np.concatenate([batch["customer_id"].to_numpy() for batch in batches])
    assert len(batches) == 3
    np.testing.assert_array_equal(np.unique(ids), np.arange(1, 2_501))


def test_file_is_in_the_order_of_time_and_the_same_for_a_seed(tmp_path):
    paths = [tmp_path / f"{name}.parquet" for name in ("one", "it's two", "other")]
    counts = [
        write_orders(path, 3_000, seed=seed) for path, seed in zip(paths, (5, 5, 6), strict=True)
    ]
    read = [duckdb.read_parquet(str(path)).fetchall() for path in paths]
    assert counts[0] == len(read[0])
    assert read[0] == read[1]
    assert read[0] != read[2]
    moments = [row[1] for row in read[0]]
    assert moments == sorted(moments)
    assert {len(str(row[2]).rpartition(".")[2]) for row in read[0]} <= {1, 2}
    assert moments[-1].date() < dt.date(2025, 1, 1)
