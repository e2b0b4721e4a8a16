"""Of 95 % intervals, 95 in 100 hold the truth: many shops drawn from one known world.

Each shop is a draw, told apart by a column of its rows; the world's figure is that of all shops
together, some forty times as sure as that of one.
"""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from revoir.book import Activity, Book, Settings
from revoir.metrics.registry import measure

SHOPS = 1_500
CUSTOMERS = 400
DAY_0 = np.datetime64("2023-01-01")


def covered(book: Book, name: str, **question: object) -> float:
    """The share of shops whose interval holds the figure of all shops together."""
    (truth,) = (figure.value for figure in measure(book, name, **question).figures)
    figures = measure(book, name, by=["shop"], **question).figures
    assert len(figures) == SHOPS
    held = [f.low <= truth <= f.high for f in figures if f.low is not None]
    assert len(held) > 0.95 * SHOPS
    return sum(held) / len(held)


def per_shop(count: int) -> np.ndarray:
    return np.repeat(np.arange(SHOPS), count)


@pytest.fixture(scope="module")
def sales(backend) -> Book:
    """Orders of customers who differ in how often they buy and in what they spend at a time."""
    draw = np.random.default_rng(20_260_101)
    customers = SHOPS * CUSTOMERS
    orders = draw.poisson(draw.gamma(0.8, 2.0, customers))
    who = np.repeat(np.arange(customers), orders)
    level = 2.0 / draw.gamma(6.0, 1 / 100.0, customers)
    table = pa.table(
        {
            "customer_id": pa.array(who.astype(str)),
            "ordered_on": pa.array(DAY_0 + draw.integers(0, 365, len(who))),
            "amount": np.round(draw.gamma(2.0, level[who]) + 0.01, 2),
            "shop": pa.array((who // CUSTOMERS).astype(str)),
        }
    )
    rule = Settings(activity=Activity(window_days=92))
    return Book({"orders": backend.create_table("coverage_orders", table)}, settings=rule)


@pytest.mark.parametrize(
    "name",
    [
        "purchase_frequency",
        "revenue_per_customer",
        "average_order_value",
        "first_order_value",
        "repeat_order_value",
        "days_between_purchases",
        "loyal_wallet",
        "new_wallet",
        "repurchase_rate",
    ],
)
def test_intervals_of_purchases_cover(sales, name):
    assert covered(sales, name) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("name", ["retention_rate", "churn_rate"])
def test_intervals_of_rates_cover(sales, name):
    asked = {"start": dt.date(2023, 7, 1), "end": dt.date(2023, 10, 1)}
    assert covered(sales, name, **asked) == pytest.approx(0.95, abs=0.02)


@pytest.fixture(scope="module")
def voices(backend) -> Book:
    """Answers and contacts of customers who are asked once."""
    draw, each = np.random.default_rng(20_260_102), 160
    shops, tables = per_shop(each).astype(str), {}
    scores = {
        "nps": draw.choice(11, len(shops), p=[0.03] * 7 + [0.12, 0.17, 0.25, 0.25]),
        "csat": draw.choice(np.arange(1, 6), len(shops), p=[0.05, 0.05, 0.1, 0.3, 0.5]),
        "ces": draw.choice(
            np.arange(1, 8), len(shops), p=[0.03, 0.04, 0.08, 0.15, 0.3, 0.25, 0.15]
        ),
    }
    tables["responses"] = pa.concat_tables(
        pa.table(
            {
                "customer_id": shops,
                "responded_on": pa.array([dt.date(2023, 5, 1)] * len(shops)),
                "question": [name] * len(shops),
                "score": given.astype(float),
                "comment": np.where(draw.random(len(shops)) < 0.3, "bien", None).tolist(),
                "shop": shops,
            }
        )
        for name, given in scores.items()
    )
    opened = np.datetime64("2023-05-01T09:00:00")
    tables["interactions"] = pa.table(
        {
            "customer_id": shops,
            "opened_at": pa.array([opened] * len(shops)),
            "resolved_at": opened + draw.exponential(36_000, len(shops)).astype("timedelta64[s]"),
            "is_complaint": draw.random(len(shops)) < 0.2,
            "shop": shops,
        }
    )
    return Book(
        {name: backend.create_table(f"coverage_{name}", table) for name, table in tables.items()}
    )


@pytest.mark.parametrize(
    "name", ["nps", "csat", "ces", "comment_rate", "resolution_hours", "complaint_share"]
)
def test_intervals_of_answers_and_contacts_cover(voices, name):
    assert covered(voices, name) == pytest.approx(0.95, abs=0.02)


def test_intervals_of_counts_cover(backend):
    """Garwood's interval never covers less than it says, and most often more."""
    draw = np.random.default_rng(20_260_103)
    shops = np.repeat(np.arange(SHOPS), 1 + draw.poisson(8.0, SHOPS)).astype(str)
    _, place = np.unique(shops, return_index=True)
    complaint = np.ones(len(shops), bool)
    complaint[place] = False  # every shop has a contact that is none
    table = pa.table(
        {
            "customer_id": shops,
            "opened_at": pa.array([np.datetime64("2023-05-01T09:00:00")] * len(shops)),
            "is_complaint": complaint,
            "shop": shops,
        }
    )
    book = Book({"interactions": backend.create_table("coverage_counts", table)})
    figures = measure(book, "complaints", by=["shop"]).figures
    held = [figure.low <= 8.0 <= figure.high for figure in figures]
    assert 0.95 <= sum(held) / SHOPS <= 0.985
