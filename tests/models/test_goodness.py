"""Goodness of fit in a world that the model knows."""

import datetime as dt
import math
import uuid

import numpy as np
import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.engines.connect import memory
from revoir.models.clv import clv
from revoir.models.goodness import by_frequency, goodness, tracking
from revoir.models.mbg_nbd import MbgNbd
from revoir.models.origins import origins

WORLD = MbgNbd.of(r=2.0, alpha=250.0, a=0.7, b=3.0)
DAY_0 = dt.date(2022, 1, 3)


@pytest.fixture(scope="module")
def book():
    rng = np.random.default_rng(3)
    joined = rng.integers(0, 200, 4_000)
    drawn = WORLD.draw_purchases(400 - joined, seed=3)
    who = np.concatenate([np.arange(4_000), drawn.who])
    day = np.concatenate([joined, joined[drawn.who] + np.ceil(drawn.when)]).astype(int)
    held = day <= 400
    table = pa.table(
        {
            "customer_id": who[held].astype(str),
            "ordered_on": np.datetime64(DAY_0) + day[held],
            "amount": np.ones(held.sum()),
        }
    )
    return Book({"orders": memory(threads=1).create_table(f"orders_{uuid.uuid4().hex}", table)})


@pytest.fixture(scope="module")
def counts(book):
    return origins(book, [book.as_of], 1)[0].counts


def test_frequencies_are_those_that_the_world_expects(counts):
    rows = by_frequency(WORLD, counts, most=6)
    assert [row.frequency for row in rows] == list(range(7))
    assert [row.or_more for row in rows] == [False] * 6 + [True]
    assert sum(row.actual for row in rows) == 4_000
    assert sum(row.expected for row in rows) == pytest.approx(4_000)
    for row in rows:
        assert row.actual == pytest.approx(row.expected, abs=4.5 * math.sqrt(row.expected) + 1)


def test_weeks_follow_the_world_and_add_up(book):
    rows = tracking(book, WORLD)
    assert rows[0].start == DAY_0
    assert rows[0].complete
    assert not rows[-1].complete  # day 400 is the first of a week
    assert rows[-1].actual_so_far == sum(row.actual for row in rows)
    assert rows[-1].expected_so_far == pytest.approx(sum(row.expected for row in rows))
    bought = book.purchases
    again = book.rows(
        bought.filter(bought.day > bought.first_day).aggregate(n=bought.customer_id.count())
    )[0]["n"]
    days = book.rows(
        bought.filter(
            (bought.day > bought.first_day) & (bought.previous_day < bought.day)
        ).aggregate(n=bought.customer_id.count())
    )[0]["n"]
    assert rows[-1].actual_so_far == days <= again
    # Purchases later on one day are one: a hair fewer than the continuous world expects.
    assert rows[-1].actual_so_far == pytest.approx(rows[-1].expected_so_far, rel=0.05)
    assert not any(row.held_out for row in rows)


def test_weeks_after_the_fit_are_held_out_and_newcomers_left_out(book):
    until = DAY_0 + dt.timedelta(days=97)
    rows = tracking(book, WORLD, until=until)
    assert next(row.start for row in rows if row.held_out) == DAY_0 + dt.timedelta(days=98)
    assert rows[-1].actual_so_far < tracking(book, WORLD)[-1].actual_so_far
    assert rows[-1].actual_so_far == pytest.approx(rows[-1].expected_so_far, rel=0.05)


@pytest.mark.parametrize("unit", ["day", "week"])
def test_a_model_of_then_is_held_against_what_came_after(book, unit):
    found = clv(book, model="mbg_nbd", unit=unit, horizon_days=120)
    fit = goodness(book, found)
    assert fit.until == found.choice.backtest.days[0]
    held = [row for row in fit.tracked if row.held_out]
    assert held[0].start > fit.until
    expected, came = (sum(getattr(row, name) for row in held) for name in ("expected", "actual"))
    assert expected == pytest.approx(came, rel=0.1)
    # It is not the model that has seen these weeks.
    assert expected != pytest.approx(
        sum(row.expected for row in tracking(book, found.model, until=fit.until) if row.held_out),
        rel=1e-9,
    )
    assert f"{came:,.0f} came" in fit.sentence().text("en")


def test_nothing_is_held_out_of_short_data(book):
    early = book.at(DAY_0 + dt.timedelta(days=75))
    fit = goodness(early, clv(early, model="mbg_nbd", horizon_days=60))
    assert (fit.until, list(fit.tracked), fit.sentence()) == (None, [], None)
    assert fit.shown == fit.by_week
    assert fit.record()["hold_out"] is None


def test_the_unit_of_time_changes_nothing(book):
    parameters = WORLD.parameters_ | {"alpha": WORLD.parameters_["alpha"] / 7}
    weeks = tracking(book, MbgNbd.of(**parameters), unit_days=7)
    assert [row.expected for row in weeks] == pytest.approx(
        [row.expected for row in tracking(book, WORLD)], rel=1e-9
    )
