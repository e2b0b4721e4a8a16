"""An amount that is missing is not nothing: means are over what is known, and it is said."""

import datetime as dt

import ibis
import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.datasets.btyd import bg_nbd_orders
from revoir.metrics.summary import customer_summary
from revoir.models.clv import clv
from revoir.models.origins import origins


def book_with(rows, as_of=dt.date(2024, 6, 1)):
    names, days, amounts = zip(*rows, strict=True)
    table = pa.table(
        {
            "customer_id": list(names),
            "ordered_on": list(days),
            "amount": pa.array(amounts, pa.float64()),
        }
    )
    return Book({"orders": ibis.duckdb.connect().create_table("orders", table)}, as_of=as_of)


def day(n):
    return dt.date(2024, 1, 1) + dt.timedelta(days=n)


def test_the_mean_of_repeat_purchases_is_over_those_that_have_an_amount():
    """Three repeat days of 40, unknown and 60 were worth 33.33 each; they are worth 50."""
    amounts = [10.0, 40.0, None, 60.0]
    book = book_with([("a", day(10 * n), amount) for n, amount in enumerate(amounts)])
    (row,) = book.rows(customer_summary(book))
    assert row["frequency"] == 3
    assert row["monetary_value"] == pytest.approx(50.0)


def test_a_day_of_which_one_order_has_no_amount_is_not_known():
    rows = [("a", day(0), 10.0), ("a", day(5), 30.0), ("a", day(9), 8.0), ("a", day(9), None)]
    book = book_with(rows)
    (row,) = book.rows(customer_summary(book))
    assert (row["frequency"], row["monetary_value"]) == (2, 30.0)
    (origin,) = origins(book, [day(20)], 28)
    assert origin.monetary_value.tolist() == [30.0]


def drawn():
    orders = bg_nbd_orders(400, seed=5)
    days = orders.ordered_at.astype("datetime64[D]").tolist()
    names = orders.customer_id.astype(str).tolist()
    return list(zip(names, days, orders.amount.tolist(), strict=True))


def without(rows, lacks):
    return [(*row[:2], None if lacks(place, row) else row[2]) for place, row in enumerate(rows)]


def test_half_of_the_amounts_missing_does_not_halve_what_customers_will_bring_in():
    rows = drawn()
    last = max(row[1] for row in rows)
    whole = clv(book_with(rows, last), model="mbg_nbd", tested=False)
    half = without(rows, lambda place, row: place % 2)
    part = clv(book_with(half, last), model="mbg_nbd", tested=False)
    assert part.spending.mean == pytest.approx(whole.spending.mean, rel=0.1)
    assert any("amounts of" in note.text("en") for note in part.notes)


def test_of_whom_no_amount_is_known_no_worth_is_foretold():
    rows = drawn()
    last = max(row[1] for row in rows)
    names = {row[0] for row in rows}
    unknown = set(sorted(names)[::4])
    part = clv(
        book_with(without(rows, lambda _, row: row[0] in unknown), last),
        model="mbg_nbd",
        tested=False,
    )
    told = {row["customer_id"]: row for row in part.customers.to_pylist()}
    for name in unknown:
        assert told[name]["expected_purchases"] is not None
        assert [told[name][key] for key in ("expected_value", "clv", "low", "high")] == [None] * 4
    known = sum(told[name]["clv"] for name in names - unknown)
    assert part.worth.total.value == pytest.approx(known)
    assert part.worth.total.low < known < part.worth.total.high
    said = f"Of {len(unknown)} customers no amount is known"
    assert any(said in note.text("en") for note in part.notes)


def test_sales_foretold_are_not_held_against_sales_of_which_half_is_missing():
    rows = drawn()
    last = max(row[1] for row in rows)
    half = without(rows, lambda place, row: place % 2)
    tested = clv(book_with(half, last), model="mbg_nbd")
    assert tested.choice.backtest is not None
    assert tested.choice.backtest.amounts == ()
