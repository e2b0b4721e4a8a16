"""Intervals of next purchases keep their promise in small shops of every kind."""

import numpy as np
import pytest

from revoir.models.gaps import History
from revoir.models.rhythm import Rhythm, reason_against

pytestmark = pytest.mark.heavy

DAYS, AHEAD = 730, 365


def shop(kind, customers, draw):
    """The history of a shop's customers, and the days until each buys again (NaN: not within)."""
    rows, came = [], []
    for _ in range(customers):
        rate = draw.gamma(2.0, 1 / 60.0)
        spread = draw.gamma(2.3, 1 / 1.2) ** -0.5
        centre = draw.normal(3.8, spread)
        leaves = draw.beta(0.8, 4.0)
        at, days = draw.random() * DAYS * 0.8, []
        while at < DAYS + AHEAD:
            if not days or int(at) != days[-1]:
                days.append(int(at))
            if draw.random() < leaves:
                break
            at += {
                "random": lambda r=rate: draw.exponential(1 / r),
                "regular": lambda r=rate: draw.gamma(3, 1 / (3 * r)),
                "lognormal": lambda c=centre, s=spread: draw.lognormal(c, s),
            }[kind]()
        known = [day for day in days if day < DAYS]
        logs = np.log(np.diff(known))
        silence = DAYS - 1 - known[-1]
        rows.append((len(logs), known[-1] - known[0], logs.sum(), (logs**2).sum(), silence))
        later = [day - (DAYS - 1) for day in days if day >= DAYS]
        came.append(later[0] if later and later[0] <= AHEAD else np.nan)
    return History(*np.array(rows, dtype=float).T), np.array(came)


@pytest.mark.parametrize("kind", ["random", "regular", "lognormal"])
@pytest.mark.parametrize(("customers", "shops"), [(50, 240), (100, 120), (300, 40)])
def test_small_shops(kind, customers, shops):
    """Intervals of 90 and 80 % hold within 3 points, and as many return as expected."""
    draw = np.random.default_rng(customers)
    inside, n, expected, told = {0.9: 0, 0.8: 0}, 0, 0.0, 0
    for _ in range(shops):
        history, came = shop(kind, customers, draw)
        if reason_against(history) is not None:
            told += 1
            continue
        rhythm = Rhythm().fit(history)
        n += int((~np.isnan(came)).sum())
        for level in inside:
            found = rhythm.expect(history, horizon_days=AHEAD, coverage=level)
            inside[level] += int(((found.low <= came) & (came <= found.high)).sum())
        expected += rhythm.returns_within(history, AHEAD).sum()
    assert told < shops / 10
    for level, held in inside.items():
        assert held / n == pytest.approx(level, abs=0.03), (level, held, n)
    assert expected / n == pytest.approx(1, abs=0.06)
