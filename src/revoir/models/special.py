"""Integrals and sums that the models rest on, compiled, and sound for large counts and times.

Everything is written so that only positive terms are added: no difference of two large numbers
stands for a small one, as in the usual formulas with 2F1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from revoir.models.compiled import compiled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_PANEL_MAX = 2.0
"""Longest panel, in units of the logarithm: the integrand is analytic up to π from the axis."""
_DROP_MAX = 12.0
"""How many powers of e the integrand may fall within a panel."""
_NEGLIGIBLE = 42.0
"""Powers of e after which what is left does not show in 16 digits."""
_SERIES_MAX = 60.0
"""Where the largest term of the series may stand; beyond it quadrature costs less."""


@compiled
def mixed(
    ended: Floats, going: Floats, at_ended: Ints, at_going: Ints, n: Floats
) -> tuple[float, Floats, Floats]:
    """Add up ``n × log(exp(ended) + exp(going))`` over histories.

    Args:
        ended: First term of the likelihood, its logarithm, by pair (x, t_x).
        going: Second term, by pair (x, T).
        at_ended: For each history its pair (x, t_x).
        at_going: For each history its pair (x, T).
        n: How many customers have each history.

    Returns:
        The sum, and by pair how many customers each term accounts for: the derivatives of the sum.
    """
    total, product = 0.0, 1.0
    by_ended, by_going = np.zeros(len(ended)), np.zeros(len(going))
    for row in range(len(n)):
        first, second = at_ended[row], at_going[row]
        apart = ended[first] - going[second]
        ratio = math.exp(-abs(apart))
        greater = 1.0 / (1.0 + ratio)
        share = greater if apart > 0 else ratio * greater
        total += n[row] * max(ended[first], going[second])
        if n[row] == 1.0:  # most histories: their logarithms are taken together
            product *= greater
            if product < 1e-290:
                total -= math.log(product)
                product = 1.0
        else:
            total += n[row] * math.log1p(ratio)
        by_ended[first] += n[row] * share
        by_going[second] += n[row] * (1.0 - share)
    return total - math.log(product), by_ended, by_going


@compiled
def purchases_ahead(
    shape: Floats, odds: Floats, a: float, b: Floats, k: int, stage: int
) -> tuple[Floats, Floats, Floats]:
    r"""Moments of the purchases ahead of customers who may leave at each of them.

    Steps come as N ~ NB(shape, odds): a Poisson process whose rate has a gamma distribution. Every
    k-th of them is a purchase, `stage` of the first k lie behind already, and after each purchase
    the customer leaves with probability p ~ Beta(a, b). So n purchases or more are made with
    probability ``P(N ≥ n k − stage) · E[(1 − p)^(n − 1)]``, and the moments are sums of these.

    Args:
        shape: Shape of the rates of each customer.
        odds: ``t / (rate parameter + t)``, the chance of the negative binomial.
        a: First parameter of the chance of leaving.
        b: Second parameter, by customer.
        k: Steps a purchase takes.
        stage: Steps already made towards the next purchase.

    Returns:
        Mean, mean square, and probability that there is none.
    """
    mean, squares, none = np.empty(len(shape)), np.empty(len(shape)), np.empty(len(shape))
    for row in range(len(shape)):
        r, u = shape[row], odds[row]
        centre = r * u / (1.0 - u)
        # So far below the centre that as many steps are certain to 16 digits.
        m = int(max(0.0, centre - 12.0 * math.sqrt(centre / (1.0 - u)) - 1.0))
        log_chance = r * math.log1p(-u)
        if m > 0:
            log_chance += m * math.log(u) + math.lgamma(r + m) - math.lgamma(r) - math.lgamma(m + 1)
        chance = math.exp(log_chance)  # that N = m
        reached = 1.0  # that N ≥ m
        n, stays = 1, 1.0
        mean[row], squares[row], none[row] = 0.0, 0.0, 0.0
        while n * k - stage <= m:
            mean[row] += stays
            squares[row] += (2 * n - 1) * stays
            stays *= (b[row] + n - 1) / (a + b[row] + n - 1)
            n += 1
        while reached > 1e-16 and (chance > 1e-20 or m < centre):
            # The first step without cancellation: it is all there is where t is short.
            reached = -math.expm1(log_chance) if m == 0 else reached - chance
            chance *= (r + m) / (m + 1) * u
            m += 1
            if m < n * k - stage:
                continue
            if n == 1:
                none[row] = 1.0 - reached
            mean[row] += reached * stays
            squares[row] += (2 * n - 1) * reached * stays
            stays *= (b[row] + n - 1) / (a + b[row] + n - 1)
            n += 1
        if n == 1:
            none[row] = 1.0
    return mean, squares, none


@compiled
def log_tail_integrals(
    p: Floats, q: Floats, alpha: float, beta: float, t: Floats
) -> tuple[Floats, Floats]:
    r"""The logarithm of ``∫_t^∞ (α + τ)^−p (β + τ)^−q dτ`` and its derivatives.

    It equals 2F1 up to elementary factors: with α ≥ β, ``(α + t)^(1 − p − q) / (p + q − 1) ×
    2F1(q, p + q − 1; p + q; (α − β) / (α + t))``.

    Args:
        p: First exponents.
        q: Second exponents; p + q > 1.
        alpha: Positive.
        beta: Positive.
        t: Where the integrals begin, 0 or more.

    Returns:
        The logarithms, and four rows with their derivatives by p, q, α and β.
    """
    value, slopes = np.empty(len(t)), np.empty((4, len(t)))
    for row in range(len(t)):
        if alpha >= beta:
            found = _log_tail(p[row], q[row], alpha, beta, t[row])
            value[row] = found[0]
            slopes[0, row], slopes[1, row], slopes[2, row], slopes[3, row] = found[1:]
        else:
            found = _log_tail(q[row], p[row], beta, alpha, t[row])
            value[row] = found[0]
            slopes[1, row], slopes[0, row], slopes[3, row], slopes[2, row] = found[1:]
    return value, slopes


@compiled
def _log_tail(
    p: float, q: float, large: float, small: float, t: float
) -> tuple[float, float, float, float, float]:
    """`log_tail_integrals` of one row whose first base is the larger one.

    A series in ``z = (large − small) / (large + τ)`` converges fast far out; what lies nearer is
    integrated by Gauss–Legendre over ``log(small + τ)``, where the integrand is smooth.
    """
    apart = large - small
    far = apart * max(2.0, 1.0 + q / _SERIES_MAX) - large  # from here on z is small enough
    scale = -p * math.log(large + t) - q * math.log(small + t)
    total, by_p, by_q, by_large, by_small = 0.0, 0.0, 0.0, 0.0, 0.0
    base, y, done = small + t, 0.0, False
    most = 0.0
    end = math.log((small + far) / base) if far > t else 0.0
    while y < end and not done:
        there = base * math.exp(min(y + _PANEL_MAX, end))
        rate = p * there / (there + apart) + q - 1.0
        step = min(_PANEL_MAX, end - y)
        if rate * step > _DROP_MAX:
            step = _DROP_MAX / rate
        for node in range(len(_NODES)):
            at = base * math.exp(y + 0.5 * step * (1.0 + _NODES[node]))
            log_small, log_large = math.log(at), math.log(at + apart)
            height = math.exp(-p * log_large - q * log_small - scale) * at
            part = 0.5 * step * _WEIGHTS[node] * height
            total += part
            by_p -= part * log_large
            by_q -= part * log_small
            by_large -= part * p / (at + apart)
            by_small -= part * q / at
        y += step
        most = max(most, height)
        # The integrand over y has one summit at most; past it what falls low stays low.
        done = rate > 0 and height < most * math.exp(-_NEGLIGIBLE)
    if not done:
        start = max(t, far)
        g = p + q - 1.0
        width = large + start
        z = apart / width
        summed, by_g, by_q_alone, by_z = 1.0 / g, -1.0 / (g * g), 0.0, 0.0
        term, harmonic, j = 1.0, 0.0, 0
        while term > summed * 1e-17:
            harmonic += 1.0 / (q + j)
            slope = term * (q + j) / (g + j + 1.0)
            term *= (q + j) * z / (j + 1.0)
            j += 1
            summed += term / (g + j)
            by_g -= term / ((g + j) * (g + j))
            by_q_alone += term * harmonic / (g + j)
            by_z += slope
        height = math.exp(-g * math.log(width) - scale)
        total += height * summed
        lower = -math.log(width) * summed + by_g
        by_p += height * lower
        by_q += height * (lower + by_q_alone)
        by_large += height * (by_z * (1.0 - z) - g * summed) / width
        by_small -= height * by_z / width
    log_total = math.log(total) + scale
    return log_total, by_p / total, by_q / total, by_large / total, by_small / total


def beta_ratio(a: Any, b: Any, more_a: Any = 0.0, more_b: Any = 0.0) -> Any:
    """The logarithm of ``B(a + more_a, b + more_b) / B(a, b)``.

    Examples:
        >>> round(float(beta_ratio(0.8, 2.4, more_a=1.0)), 6) == round(math.log(0.8 / 3.2), 6)
        True
    """
    from scipy.special import betaln

    return betaln(a + more_a, b + more_b) - betaln(a, b)
