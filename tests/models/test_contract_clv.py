"""Subscribers and what they will bring in, against drawn ones."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from revoir.errors import InputError
from revoir.models.contract_clv import contract_clv
from revoir.models.sbg import Sbg


def subscribers(world, customers, seed):
    """Subscriptions that began within two years, seen at the end of the third."""
    rng = np.random.default_rng(seed)
    months = world.draw_periods(customers, seed=seed)
    started = rng.integers(0, 24, customers)
    rows = []
    for n in range(customers):
        first, last = int(started[n]), int(started[n] + months[n])
        row = {
            "subscription_id": f"s{n}",
            "customer_id": f"c{n:04}",
            "started_at": dt.date(2021 + first // 12, first % 12 + 1, 15),
            "ended_at": dt.date(2021 + last // 12, last % 12 + 1, 15) if last < 36 else None,
            "monthly_amount": float(rng.choice([10.0, 25.0])),
        }
        rows.append(row)
    return pa.Table.from_pylist(rows), started + months


def test_subscribers_bring_in_what_is_foretold(make_book):
    world = Sbg.of(alpha=0.8, beta=8.0)
    table, leaves_at = subscribers(world, 1_500, seed=8)
    book = make_book(subscriptions=table).at(dt.date(2023, 12, 31))
    found = contract_clv(book, months=12, seed=1)
    customers = found.customers.to_pylist()
    here = {f"c{n:04}" for n in np.flatnonzero(leaves_at >= 36)}
    assert {row["customer_id"] for row in customers} == here
    assert found.lost == 1_500 - len(here)
    assert [row["clv"] for row in customers] == sorted(
        (row["clv"] for row in customers), reverse=True
    )
    # Renewals ahead: those at the end of months 36, 37, … before the customer leaves.
    stays = {f"c{n:04}": min(leaves_at[n] - 36, 12) for n in range(1_500)}
    paid = sum(stays[row["customer_id"]] * row["monthly_amount"] for row in customers)
    assert found.total.low < paid < found.total.high
    inside = [
        row["low"] - 1e-9 <= stays[row["customer_id"]] * row["monthly_amount"] <= row["high"] + 1e-9
        for row in customers
    ]
    assert sum(inside) / len(inside) > 0.88
    assert sum(row.customers - row.kept for row in found.retention) == found.lost


def test_margin_and_discount_lessen_what_contracts_are_worth(make_book):
    table, _ = subscribers(Sbg.of(alpha=0.8, beta=8.0), 300, seed=9)
    book = make_book(subscriptions=table).at(dt.date(2023, 12, 31))
    whole = contract_clv(book, model="sbg")
    half = contract_clv(book.with_settings(margin=0.5), model="sbg")
    later = contract_clv(book, model="sbg", discount=0.2)
    assert half.total.value == pytest.approx(whole.total.value / 2)
    assert whole.total.value / 1.2 < later.total.value < whole.total.value


def test_few_departures_are_not_enough(make_book):
    table, _ = subscribers(Sbg.of(alpha=0.1, beta=40.0), 60, seed=9)
    found = contract_clv(make_book(subscriptions=table).at(dt.date(2023, 12, 31)))
    assert found.customers is None
    assert "Not enough data" in found.reason.text("en")


def test_tenure_and_departure_are_enough(make_book):
    rng = np.random.default_rng(5)
    until, seen = Sbg.of(alpha=0.8, beta=8.0).draw_periods(900, seed=5), rng.integers(1, 40, 900)
    rows = [
        {"customer_id": f"c{n}", "tenure_months": int(min(until[n], seen[n])),
         "churned": bool(until[n] <= seen[n])}
        for n in range(900)
    ]  # fmt: skip
    found = contract_clv(make_book(subscriptions=rows))
    assert found.as_of is None
    assert found.total is None
    assert {row["clv"] for row in found.customers.to_pylist()} == {None}
    assert "only months" in found.notes[-1].text("en")


def test_orders_alone_are_no_contracts(make_book):
    rows = [{"customer_id": "a", "ordered_on": dt.date(2024, 1, 1), "amount": 3.0}]
    with pytest.raises(InputError, match="no subscriptions"):
        contract_clv(make_book(orders=rows))
