"""Signals in worlds whose truth is known: who leaves, when, and because of what."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from revoir.book import Activity, Book, Settings
from revoir.datasets.btyd import BgNbd, bg_nbd_orders
from revoir.datasets.shop import shop
from revoir.engines.connect import memory
from revoir.signals.alerts import alerts_of, all_alerts
from revoir.signals.health import health_scores
from revoir.signals.record import MUTED
from revoir.signals.registry import signal_named

RULE = Activity(window_days=183)


@pytest.fixture(scope="module")
def drawn():
    """The shop whose customers leave when parcels come late and answers are slow."""
    made = shop(seed=2, customers=2_500)
    backend = memory(threads=1)
    tables = {
        name: backend.create_table(name, table)
        for name, table in made.tables.items()
        if name != "subscriptions"
    }
    last = made.truth.end - dt.timedelta(days=1)
    return made, Book(tables, settings=Settings(activity=RULE), as_of=last)


def test_what_makes_customers_leave_is_found(drawn):
    """Slow answers add to leaving (`World.slow_effect`); baskets have nothing to do with it."""
    _, book = drawn
    records = {alerts.signal.name: alerts.record for alerts in all_alerts(book)}
    assert records["unanswered"].verdict == "more"
    assert records["negative_sentiment"].verdict == "more"
    assert records["unanswered"].lift > 1.5
    for name in ("basket_shrinking", "purchases_down"):
        assert records[name].verdict == "nothing", name


def test_who_has_left_is_never_a_false_alarm(drawn):
    """A customer who left on their last purchase counts as gone a window later, by any signal."""
    made, book = drawn
    left_on = {row["customer_id"]: row["left_on"] for row in made.truth.customers.to_pylist()}
    for alerts in all_alerts(book):
        period = alerts.record.period
        if period is None:
            continue
        rows = book.rows(alerts.table.filter(alerts.table.raised_on < period.end))
        gone = [row for row in rows if left_on[row["customer_id"]] == row["act"]]
        assert all(row["gone_on"] is not None for row in gone)
        right = [
            row
            for row in rows
            if row["gone_on"] and (row["gone_on"] - row["raised_on"]).days <= alerts.horizon_days
        ]
        # Half a year of silence is seldom anything else than a departure here.
        if len(right) > 30:
            assert len(gone) / len(right) > 0.6, alerts.signal.name


def test_the_health_score_finds_who_will_leave(drawn):
    _, book = drawn
    check = health_scores(book).check()
    assert check.auc > 0.6
    assert check.difference[0] > 0


@pytest.fixture(scope="module")
def strangers():
    """Customers whose purchases and departures are chance alone."""
    world = BgNbd(r=3.0, alpha=60.0, a=1.0, b=5.0, joining_days=300, days=600)
    made = bg_nbd_orders(1_500, world, seed=8)
    days = made.ordered_at.astype("datetime64[D]")
    orders = pa.table(
        {
            "customer_id": pa.array(made.customer_id).cast(pa.string()),
            "ordered_on": days,
            "amount": made.amount,
            "kind": ["purchase"] * len(days),
        }
    )
    return world, orders, 1_500


@pytest.mark.parametrize("seed", range(5))
def test_chance_is_not_taken_for_a_sign(strangers, seed):
    """Complaints that have nothing to do with leaving tell no more than others tell."""
    world, orders, customers = strangers
    rng = np.random.default_rng(seed)
    days = rng.integers(0, world.days, customers).astype("timedelta64[D]")
    contacts = pa.table(
        {
            "customer_id": [str(number) for number in range(1, customers + 1)],
            "opened_at": np.datetime64(world.start, "us") + days,
            "is_complaint": [True] * customers,
        }
    )
    backend = memory(threads=1)
    tables = {
        "orders": backend.create_table("orders", orders),
        "interactions": backend.create_table("interactions", contacts),
    }
    rule = Activity(window_days=90)
    last = world.end - dt.timedelta(days=1)
    book = Book(tables, settings=Settings(activity=rule), as_of=last)
    record = alerts_of(book, "complaints", {"complaints": 1}).record
    assert record.alerts > 100
    assert record.verdict == "nothing"
    # Whoever complains is answered all the same; anything else raises nothing by itself.
    assert record.muted is None
    other = replace(record, signal=signal_named("basket_shrinking"))
    assert other.muted is not None
    assert other.plain()["muted"] == MUTED.text("en")
    assert replace(other, precision=replace(other.precision, low=None)).muted is None
    assert replace(other, as_silent=replace(other.as_silent, value=0.0)).muted is None
    # The rates that it is held against are those of the same customers.
    assert record.alike.low < record.precision.high
    assert record.precision.low < record.alike.high
