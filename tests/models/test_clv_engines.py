"""What customers are worth is the same on every engine."""

import numpy as np
import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.datasets.btyd import bg_nbd_orders
from revoir.models.clv import clv
from revoir.models.contract_clv import contract_clv
from revoir.models.sbg import Sbg
from revoir.testing import start_engine


def shop():
    drawn = bg_nbd_orders(250, seed=9)
    names = [f"c{n:04}" for n in drawn.customer_id]
    orders = pa.table(
        {
            "order_id": [str(n) for n in range(len(names) + 1)],
            "customer_id": [*names, names[0]],
            "ordered_on": np.append(drawn.ordered_at, drawn.ordered_at[-1]).astype("datetime64[D]"),
            "amount": np.append(drawn.amount, -5.0),
        }
    )
    months = Sbg.of(alpha=0.8, beta=8.0).draw_periods(200, seed=3).astype(int)
    first = np.arange(200) % 24
    start = np.datetime64("2021-01") + first
    end = start + months
    subscriptions = pa.table(
        {
            "subscription_id": [f"s{n}" for n in range(200)],
            "customer_id": [f"c{n:04}" for n in range(200)],
            "started_at": pa.array((start.astype("datetime64[D]") + 14).tolist(), pa.date32()),
            "ended_at": pa.array(
                [
                    (day + 14).item() if day < np.datetime64("2024-01-01") else None
                    for day in end.astype("datetime64[D]")
                ],
                pa.date32(),
            ),
            "monthly_amount": np.full(200, 9.5),
        }
    )
    return {"orders": orders, "subscriptions": subscriptions}


@pytest.fixture(scope="module")
def here():
    with start_engine("duckdb") as engine:
        yield Book({name: engine.load({name: table})[name] for name, table in shop().items()})


def test_customers_are_worth_the_same(engine, here):
    there = Book(engine.load(shop()))
    one, other = clv(here, horizon_days=200), clv(there, horizon_days=200)
    assert one.model.name == other.model.name
    assert one.parameters == pytest.approx(other.parameters, rel=1e-9)
    left, right = one.customers.to_pylist(), other.customers.to_pylist()
    assert [row["customer_id"] for row in left] == [row["customer_id"] for row in right]
    for name in ("expected_purchases", "clv", "low", "high"):
        assert [row[name] for row in left] == pytest.approx([row[name] for row in right], rel=1e-6)
    for a, b in zip(one.choice.backtest.accuracies, other.choice.backtest.accuracies, strict=True):
        assert (a.name, a.customers, a.actual) == (b.name, b.customers, b.actual)
        assert a.rmse == pytest.approx(b.rmse, rel=1e-6)


def test_contracts_are_worth_the_same(engine, here):
    one, other = (contract_clv(book) for book in (here, Book(engine.load(shop()))))
    assert one.count == other.count
    assert one.lost == other.lost
    assert one.retention == other.retention
    assert one.total.value == pytest.approx(other.total.value, rel=1e-9)
