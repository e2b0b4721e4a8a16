"""Intervals against published tables, worked examples and exact coverage."""

import itertools
import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revoir.experiments.intervals import (
    above_interval,
    difference_interval,
    mean_interval,
    nps_interval,
    poisson_interval,
    ratio_interval,
    t_quantile,
    wilson,
)


def _ratio(y, x, yy, xx, xy, n):
    return ratio_interval(y, x, numerator_squares=yy, denominator_squares=xx, products=xy, n=n)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # Newcombe 1998 (single proportion), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_reproduces_newcombe_table(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_edges_are_exact():
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0
    assert 0.0 < wilson(7, 7)[0] < 1.0


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (1, -2), (3, 2), (-1, 2)])
def test_wilson_refuses_what_is_no_proportion(successes, n):
    with pytest.raises(ValueError, match=r"proportion|successes"):
        wilson(successes, n)


def test_a_confidence_is_a_share():
    with pytest.raises(ValueError, match="confidence"):
        wilson(1, 2, 95)


@given(st.integers(1, 10_000_000), st.floats(0, 1), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_wilson_holds_the_share_and_solves_the_score_equation(n, share, confidence):
    successes = round(n * share)
    low, high = wilson(successes, n, confidence)
    p = successes / n
    assert 0 <= low <= p <= high <= 1
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    for end in (low, high):  # (p − end)² = z² end (1 − end) / n, Wilson 1927
        if 0 < end < 1:
            assert (p - end) ** 2 == pytest.approx(z * z * end * (1 - end) / n, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [  # Newcombe 1998 (two proportions), table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_difference_reproduces_newcombe_table(first, second, low, high):
    assert difference_interval(*first, *second) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("degrees", "probability", "published"),
    [  # NIST/SEMATECH e-Handbook 1.3.6.7.2 (3 digits), R's qt (6 digits)
        (1, 0.975, 12.706205),
        (2, 0.975, 4.302653),
        (3, 0.95, 2.353363),
        (5, 0.975, 2.570582),
        (5, 0.995, 4.032143),
        (10, 0.9, 1.372184),
        (30, 0.975, 2.042272),
        (100, 0.975, 1.983972),
        (100, 0.999, 3.173739),
    ],
)
def test_t_quantile_reproduces_tables(degrees, probability, published):
    assert t_quantile(probability, degrees) == pytest.approx(published, abs=1e-6)
    assert t_quantile(1 - probability, degrees) == pytest.approx(-published, abs=1e-6)


@pytest.mark.parametrize("probability", [0.6, 0.9, 0.975, 0.9995])
def test_t_quantile_has_its_closed_forms(probability):
    a = 2 * probability - 1
    assert t_quantile(probability, 1) == pytest.approx(math.tan(math.pi * a / 2), rel=1e-9)
    assert t_quantile(probability, 2) == pytest.approx(a * math.sqrt(2 / (1 - a * a)), rel=1e-9)


def test_t_quantile_is_smooth_where_the_method_changes_and_ends_in_the_normal():
    steps = [t_quantile(0.975, df) for df in (498, 499, 500, 501, 502, 503)]
    slopes = [after - before for before, after in itertools.pairwise(steps)]
    assert slopes == pytest.approx([slopes[0]] * 5, rel=0.03)
    assert t_quantile(0.975, 10**9) == pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-8)
    assert t_quantile(0.5, 4) == 0


def test_mean_interval_on_darwins_plants():
    # Fisher (1935), The Design of Experiments, §17: differences of 15 pairs of maize in eighths
    # of an inch; mean 20.933, t(14) at 5 % 2.145, interval 0.03 to 41.84.
    eighths = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    low, high = mean_interval(sum(eighths), sum(x * x for x in eighths), 15)
    assert (low, high) == pytest.approx((0.03, 41.84), abs=0.01)


def test_mean_interval_of_equal_values_is_a_point():
    values = [0.1] * 7
    low, high = mean_interval(sum(values), sum(x * x for x in values), 7)
    assert low == pytest.approx(0.1, abs=1e-7)
    assert high == pytest.approx(0.1, abs=1e-7)


@given(st.floats(0.01, 1e3), st.floats(0, 1e3), st.floats(1, 4), st.sampled_from([0.0, 1.0]))
def test_an_interval_above_a_floor_solves_its_equation(height, variance, t, floor):
    value = floor + height
    low, high = above_interval(value, variance, t, floor=floor)
    slack = 1e-6 * (1 + value + variance)
    assert floor - slack <= low <= value + slack
    assert value - slack <= high
    if height > 0.1 and variance > 0.1:
        for end in (low, high):  # (value − end)² = t² variance (end − floor) ÷ height
            assert (value - end) ** 2 == pytest.approx(
                t * t * variance * (end - floor) / height, rel=1e-4, abs=1e-4
            )


def test_equal_counts_do_not_make_their_mean_certain():
    """As Wilson's interval at 0 %: nobody bought twice, yet the next customer may."""
    low, high = mean_interval(20, 20, 20, floor=1, counts=True)
    assert low == 1
    assert high == pytest.approx(1 + t_quantile(0.975, 19) ** 2 / 20)
    assert mean_interval(60, 180, 20, floor=0) == pytest.approx((3, 3))


def test_with_many_values_the_floor_makes_no_difference():
    sums = (200_000.0, 480_000.0, 100_000)
    assert mean_interval(*sums, floor=1) == pytest.approx(mean_interval(*sums), abs=1e-4)


def test_intervals_of_means_need_two_values():
    with pytest.raises(ValueError, match="two values"):
        mean_interval(1, 1, 1)
    with pytest.raises(ValueError, match="two customers"):
        _ratio(1, 1, 1, 1, 1, 1)
    with pytest.raises(ValueError, match="zero"):
        _ratio(1, 0, 1, 0, 0, 5)


def test_ratio_interval_on_cochrans_families():
    # Cochran (1977), pp. 33–34: 33 families, food cost a person 7.38 ± 0.534 (standard error)
    # and as a share of income 37.9 % ± 2.38 %.
    t = t_quantile(0.975, 32)
    low, high = _ratio(907.2, 123, 28224, 533, 3595.5, 33)
    assert (low + high) / 2 == pytest.approx(7.38, abs=0.005)
    assert (high - low) / 2 / t == pytest.approx(0.534, abs=0.0005)
    low, high = _ratio(907.2, 2394, 28224, 177254, 66678.0, 33)
    assert (high - low) / 2 / t == pytest.approx(0.0238, abs=0.00005)


def test_ratio_interval_with_one_order_each_is_the_mean_interval():
    values = [3.0, 8.5, 1.25, 40.0]
    total, squares = sum(values), sum(x * x for x in values)
    assert _ratio(total, 4, squares, 4, total, 4) == pytest.approx(mean_interval(total, squares, 4))


@pytest.mark.parametrize(
    ("n", "up", "down"),
    [(10, 0.5, 0.2), (20, 0.5, 0.2), (20, 0.8, 0.05), (30, 0.1, 0.1), (15, 0.3, 0.6)],
)
def test_nps_interval_covers_what_it_says(n, up, down):
    """The exact chance, over every possible set of answers, that the interval holds the truth."""
    truth, covered = 100 * (up - down), 0.0
    for promoters in range(n + 1):
        for detractors in range(n - promoters + 1):
            passives = n - promoters - detractors
            low, high = nps_interval(promoters, passives, detractors)
            if low <= truth <= high:
                ways = math.comb(n, promoters) * math.comb(n - promoters, detractors)
                covered += ways * up**promoters * down**detractors * (1 - up - down) ** passives
    assert 0.93 <= covered <= 0.995


def test_nps_interval_is_symmetric_and_bounded():
    low, high = nps_interval(12, 5, 3)
    assert nps_interval(3, 5, 12) == pytest.approx((-high, -low))
    assert nps_interval(4, 0, 0)[1] == 100
    assert nps_interval(0, 0, 4)[0] == -100
    assert nps_interval(0, 9, 0)[0] < 0 < nps_interval(0, 9, 0)[1]
    with pytest.raises(ValueError, match="answer"):
        nps_interval(0, 0, 0)
    with pytest.raises(ValueError, match="negative"):
        nps_interval(3, -1, 0)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [  # Garwood 1936, as printed in Pearson & Hartley, Biometrika Tables I, table 40
        (0, 0.0, 3.689),
        (1, 0.0253, 5.572),
        (5, 1.623, 11.668),
        (10, 4.795, 18.390),
        (30, 20.241, 42.827),
        (100, 81.364, 121.627),
    ],
)
def test_poisson_reproduces_garwoods_table(count, low, high):
    assert poisson_interval(count) == pytest.approx((low, high), abs=6e-4)


def test_poisson_ends_leave_the_tails_they_should():
    low, high = poisson_interval(4, 0.9)
    at_most = [sum(math.exp(-m) * m**k / math.factorial(k) for k in range(5)) for m in (high,)]
    at_least = 1 - sum(math.exp(-low) * low**k / math.factorial(k) for k in range(4))
    assert at_most == pytest.approx([0.05])
    assert at_least == pytest.approx(0.05)


def test_poisson_of_large_counts_is_near_the_normal():
    low, high = poisson_interval(1_000_000)
    assert (low, high) == pytest.approx((1e6 - 1959, 1e6 + 1961), abs=3)
    with pytest.raises(ValueError, match="-1"):
        poisson_interval(-1)
