"""Intervals: counts and sums in, the two ends of a confidence interval out.

Nothing here knows a database: an engine adds up, these functions answer. Each takes the sums
that one scan gives, so that a figure of ten million customers costs what one of ten does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

Interval = tuple[float, float]
"""The lower and the upper end."""


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """The score interval of a proportion; it holds at small counts and at 0 % and 100 %.

    Args:
        successes: How many of the `n` did it.
        n: How many could have.
        confidence: Between 0 and 1.

    Returns:
        The ends, as shares between 0 and 1; exactly 0 when nobody did it, exactly 1 when all did.

    Raises:
        ValueError: `n` is not positive, or `successes` lies outside 0…`n`.

    Source:
        Wilson (1927), JASA 22, 209–212; Newcombe (1998), Statistics in Medicine 17, 857–872,
        method 3.

    Examples:
        >>> [round(end, 4) for end in wilson(81, 263)]
        [0.2553, 0.3662]
    """
    if n <= 0:
        raise ValueError(f"a proportion needs a positive number of cases, not {n}")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes cannot come from {n} cases")
    z = _z(confidence)
    share = successes / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if successes == 0 else max(0.0, (centre - half) / scale)
    high = 1.0 if successes == n else min(1.0, (centre + half) / scale)
    return low, high


def difference_interval(
    successes_1: float, n_1: float, successes_2: float, n_2: float, confidence: float = 0.95
) -> Interval:
    """The interval of the difference of two independent proportions, first minus second.

    Args:
        successes_1: Successes in the first group.
        n_1: Size of the first group.
        successes_2: Successes in the second group.
        n_2: Size of the second group.
        confidence: Between 0 and 1.

    Returns:
        The ends, as shares between −1 and 1.

    Raises:
        ValueError: As for `wilson`.

    Source:
        Newcombe (1998), Statistics in Medicine 17, 873–890, method 10 (hybrid score).

    Examples:
        >>> [round(end, 4) for end in difference_interval(56, 70, 48, 80)]
        [0.0524, 0.3339]
    """
    low_1, high_1 = wilson(successes_1, n_1, confidence)
    low_2, high_2 = wilson(successes_2, n_2, confidence)
    share_1, share_2 = successes_1 / n_1, successes_2 / n_2
    difference = share_1 - share_2
    return (
        difference - math.hypot(share_1 - low_1, high_2 - share_2),
        difference + math.hypot(high_1 - share_1, share_2 - low_2),
    )


def mean_interval(
    total: float,
    total_squares: float,
    n: int,
    confidence: float = 0.95,
    *,
    floor: float | None = None,
    counts: bool = False,
) -> Interval:
    """The interval of a mean: Student's, or for values above a floor the score interval.

    Args:
        total: Sum of the values.
        total_squares: Sum of their squares.
        n: How many values.
        confidence: Between 0 and 1.
        floor: The least that a value can be (see `above_interval`; None: there is no such thing).
        counts: Whether the values count something: their variance is then taken to be that of
            Poisson's distribution or more, so that equal counts do not make the mean certain.

    Returns:
        The ends, in the unit of the values.

    Raises:
        ValueError: There are fewer than two values.

    Source:
        Student (1908), Biometrika 6, 1–25.

    Examples:
        >>> [round(end, 3) for end in mean_interval(15, 55, 5)]  # 1, 2, 3, 4, 5
        [1.037, 4.963]
        >>> [round(end, 3) for end in mean_interval(20, 20, 20, floor=1, counts=True)]  # all 1
        [1.0, 1.219]
    """
    if n < 2:
        raise ValueError(f"the interval of a mean needs two values or more, not {n}")
    mean = total / n
    # Sums of squares cancel: with equal values rounding may leave a hair below zero.
    variance = max(0.0, (total_squares - total * mean) / (n - 1))
    t = t_quantile((1 + confidence) / 2, n - 1)
    if floor is None:
        half = t * math.sqrt(variance / n)
        return mean - half, mean + half
    return above_interval(mean, variance / n, t, floor=floor, steps=1 / n if counts else 0.0)


def ratio_interval(
    numerator: float,
    denominator: float,
    *,
    numerator_squares: float,
    denominator_squares: float,
    products: float,
    n: int,
    confidence: float = 0.95,
    floor: float | None = None,
) -> Interval:
    """The interval of a ratio of two sums over customers, by the delta method.

    An average basket, say: a customer's orders resemble one another, so it is customers that
    were drawn, not orders.

    Args:
        numerator: Sum over customers of the first quantity (revenue).
        denominator: Sum over customers of the second (orders).
        numerator_squares: Sum of the squares of the first.
        denominator_squares: Sum of the squares of the second.
        products: Sum of the products of the two.
        n: How many customers.
        confidence: Between 0 and 1.
        floor: The least that the ratio can be (see `above_interval`; None: there is no such thing).

    Returns:
        The ends, in the unit of first by second.

    Raises:
        ValueError: There are fewer than two customers, or the second sum is zero.

    Source:
        Cochran (1977), Sampling Techniques, 3rd edition, section 2.11 (linearised variance).

    Examples:
        >>> sums = {"numerator_squares": 28224, "denominator_squares": 533, "products": 3595.5}
        >>> [round(end, 2) for end in ratio_interval(907.2, 123, **sums, n=33)]
        [6.29, 8.46]
    """
    if n < 2:
        raise ValueError(f"the interval of a ratio needs two customers or more, not {n}")
    if denominator == 0:
        raise ValueError("a ratio needs a denominator other than zero")
    ratio = numerator / denominator
    squares = numerator_squares - 2 * ratio * products + ratio * ratio * denominator_squares
    variance = max(0.0, squares) / (n - 1) * n / denominator**2
    t = t_quantile((1 + confidence) / 2, n - 1)
    if floor is None:
        half = t * math.sqrt(variance)
        return ratio - half, ratio + half
    return above_interval(ratio, variance, t, floor=floor)


def above_interval(
    value: float, variance: float, t: float, *, floor: float = 0.0, steps: float = 0.0
) -> Interval:
    """The score interval of an estimate that cannot fall below a floor.

    What stands that way (amounts, waits, orders of a buyer) is skewed, and its variance grows with
    its height above the floor. Taking the two to be proportional and solving for the heights that
    the estimate lies within ``t`` standard errors of gives ends that respect the floor and cover
    better than the symmetric ones where there are few customers, and the same where there are many.

    Args:
        value: The estimate.
        variance: Of the estimate.
        t: How many standard errors wide.
        floor: The least that it can be.
        steps: The least of variance ÷ height (counts: 1 ÷ n, as of Poisson's distribution).

    Returns:
        The ends; the lower is the floor where the estimate is.

    Source:
        The score interval of Wilson (1927) for a variance proportional to the mean (McCullagh &
        Nelder, Generalized Linear Models, 2nd edition, 1989, section 6.2). Coverage: the tests.

    Examples:
        >>> [round(end, 2) for end in above_interval(10.0, 4.0, 1.96)]
        [6.77, 14.76]
    """
    height = value - floor
    scale = max(variance / height if height > 0 else 0.0, steps)
    shift = t * t * scale / 2
    half = math.sqrt(shift * (2 * max(height, 0.0) + shift))
    return value + shift - half, value + shift + half


def nps_interval(
    promoters: float, passives: float, detractors: float, confidence: float = 0.95
) -> Interval:
    """The interval of a Net Promoter Score, good at small numbers of answers.

    The score is a difference of two shares of the same people, as in paired data: one pseudo
    answer is added to the promoters and one to the detractors before Wald's formula.

    Args:
        promoters: Answers 9 and 10.
        passives: Answers 7 and 8.
        detractors: Answers 0 to 6.
        confidence: Between 0 and 1.

    Returns:
        The ends, in points from −100 to 100.

    Raises:
        ValueError: There is no answer, or a count is negative.

    Source:
        Bonett & Price (2012), Journal of Educational and Behavioral Statistics 37, 479–488
        (adjusted Wald); compared for the NPS by Rocks (2016), The American Statistician 70,
        365–372.

    Examples:
        >>> [round(end, 1) for end in nps_interval(50, 30, 20)]
        [14.1, 44.7]
    """
    n = promoters + passives + detractors
    if n <= 0:
        raise ValueError("a score needs an answer")
    if min(promoters, passives, detractors) < 0:
        raise ValueError("a count of answers cannot be negative")
    up, down = (promoters + 1) / (n + 2), (detractors + 1) / (n + 2)
    centre = up - down
    half = _z(confidence) * math.sqrt((up + down - centre * centre) / (n + 2))
    return 100 * max(-1.0, centre - half), 100 * min(1.0, centre + half)


def poisson_interval(count: int, confidence: float = 0.95) -> Interval:
    """The exact interval of the mean behind a count of rare things (complaints in a month).

    Args:
        count: How many were counted.
        confidence: Between 0 and 1.

    Returns:
        The ends, in the unit of the count; exactly 0 below when nothing was counted.

    Raises:
        ValueError: The count is negative.

    Source:
        Garwood (1936), Biometrika 28, 437–442.

    Examples:
        >>> [round(end, 3) for end in poisson_interval(10)]
        [4.795, 18.39]
    """
    if count < 0:
        raise ValueError(f"a count cannot be {count}")
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else _gamma_quantile(count, tail)
    return low, _gamma_quantile(count + 1, 1 - tail)


@lru_cache(maxsize=4096)
def t_quantile(probability: float, degrees: int) -> float:
    """The quantile of Student's t distribution.

    Args:
        probability: Between 0 and 1, both excluded.
        degrees: Degrees of freedom, 1 or more.

    Returns:
        The value that t stays below with that probability, to nine digits.

    Raises:
        ValueError: An argument is out of its range.

    Source:
        Abramowitz & Stegun (1964): 26.7.1 with 26.5.27 and 26.5.8 (incomplete beta by
        continued fraction), 26.7.5 (expansion at many degrees of freedom).

    Examples:
        >>> round(t_quantile(0.975, 10), 6)
        2.228139
    """
    if not 0 < probability < 1 or degrees < 1:
        raise ValueError(f"no t quantile for probability {probability}, {degrees} degrees")
    if probability < 0.5:
        return -t_quantile(1 - probability, degrees)
    if probability == 0.5:
        return 0.0
    start = _t_expansion(NormalDist().inv_cdf(probability), degrees)
    if degrees > 500:  # what is left out is of the order of degrees ** -5
        return start
    high = max(start, 1.0)
    while _t_upper(high, degrees) > 1 - probability:
        high *= 2
    return _bisect(lambda t: _t_upper(t, degrees) < 1 - probability, 0.0, high)


def _t_expansion(z: float, degrees: int) -> float:
    g1 = (z**3 + z) / 4
    g2 = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    g3 = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    g4 = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + g1 / degrees + g2 / degrees**2 + g3 / degrees**3 + g4 / degrees**4


def _t_upper(t: float, degrees: int) -> float:
    """The probability that Student's t exceeds a positive value."""
    return _beta_share(degrees / (degrees + t * t), degrees / 2, 0.5) / 2


def _beta_share(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):  # where the fraction converges fast
        return front * _beta_fraction(x, a, b) / a
    return 1 - front * _beta_fraction(1 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of I_x(a, b), by Lentz's method as Thompson and Barnett wrote it."""
    tiny = 1e-300
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1), tiny)
    value = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d, tiny)
            c = _away_from_zero(1 + term / c, tiny)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _away_from_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny


def _gamma_quantile(shape: float, probability: float) -> float:
    """The quantile of the gamma distribution of scale 1: half of a chi-square's at 2 × shape."""
    high = shape + 10 * math.sqrt(shape) + 10
    return _bisect(lambda x: _gamma_share(shape, x) > probability, 0.0, high)


def _gamma_share(a: float, x: float) -> float:
    """The regularised lower incomplete gamma function P(a, x) (A & S 6.5.29 and 6.5.31)."""
    if x <= 0:
        return 0.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        step = a
        while term > total * 1e-16:
            step += 1
            term *= x / step
            total += term
        return front * total
    b = x + 1 - a
    c, d = 1e300, 1 / b
    value = d
    for i in range(1, 100_000):
        factor = -i * (i - a)
        b += 2
        d = 1 / _away_from_zero(factor * d + b, 1e-300)
        c = _away_from_zero(b + factor / c, 1e-300)
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return 1 - front * value


def _bisect(above: Callable[[float], bool], low: float, high: float) -> float:
    """Where a condition begins to hold between two values, to the last digit."""
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        if above(middle):
            high = middle
        else:
            low = middle


@lru_cache(maxsize=64)
def _z(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, {confidence} does not")
    return NormalDist().inv_cdf((1 + confidence) / 2)
