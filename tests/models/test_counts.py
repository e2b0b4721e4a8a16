"""Counting equal histories loses nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revoir.models.counts import counted

whole = st.tuples(st.integers(0, 5), st.integers(0, 30), st.integers(0, 30)).map(
    lambda row: (row[0], row[1] if row[0] else 0, row[1] + row[2])
)
broken = st.tuples(st.integers(0, 3), st.floats(0, 9), st.floats(0, 9)).map(
    lambda row: (row[0], row[1] if row[0] else 0.0, row[1] + row[2])
)


@given(st.lists(whole, min_size=1) | st.lists(broken, min_size=1))
def test_each_customer_finds_the_own_history(rows):
    x, t_x, T = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    counts = counted(x, t_x, T)
    for name, values in (("x", x), ("t_x", t_x), ("T", T)):
        assert (getattr(counts, name)[counts.at] == values).all()
    assert counts.n.sum() == len(rows)
    assert len(counts.n) == len(set(rows))
    for pairs, times in ((counts.last, counts.t_x), (counts.observed, counts.T)):
        assert (pairs.x[pairs.at] == counts.x).all()
        assert (pairs.t[pairs.at] == times).all()
        assert len(pairs.x) == len(set(zip(counts.x, times, strict=True)))


def test_histories_too_large_for_one_key():
    x, t_x, T = np.array([9e5, 9e5, 1e12]), np.array([9e5, 1.0, 2.0]), np.array([9e5, 9e5, 9e5])
    counts = counted(x, t_x, T)
    assert (counts.x[counts.at] == x).all()
    assert (counts.t_x[counts.at] == t_x).all()


def test_a_sample_keeps_the_shape_of_the_whole():
    rng = np.random.default_rng(1)
    x = rng.poisson(2, 60_000)
    counts = counted(x, np.where(x > 0, 10, 0), np.full(60_000, 20))
    sample = counts.sample(6_000)
    assert sample.customers == pytest.approx(6_000, rel=0.05)
    assert sample.repeaters / sample.customers == pytest.approx(
        counts.repeaters / counts.customers, abs=0.02
    )
    assert counts.sample(60_000) is counts


def test_another_unit_of_time():
    weeks = counted([2], [14], [28]).scaled(1 / 7)
    assert (weeks.t_x[0], weeks.T[0]) == (2.0, 4.0)


@pytest.mark.parametrize(
    ("x", "t_x", "T"),
    [([1], [5], [4]), ([0], [3], [4]), ([0.5], [0], [4]), ([-1], [0], [4]), ([1, 2], [1], [4])],
)
def test_impossible_histories_are_refused(x, t_x, T):
    with pytest.raises(ValueError, match=r"must|frequency|recency"):
        counted(x, t_x, T)
