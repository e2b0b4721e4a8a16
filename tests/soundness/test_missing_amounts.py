"""An amount that is missing is not nothing: means are over what is known, and it is said."""

import datetime as dt

import ibis
import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.datasets.btyd import bg_nbd_orders
from revoir.metrics.registry import measure
from revoir.metrics.summary import customer_summary
from revoir.models.clv import clv
from revoir.models.origins import origins
from revoir.segments.rules import customers_matching
from revoir.signals.registry import signal_named, values_of


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


def figure(book, name):
    return measure(book, name).figures[0].value


def test_baskets_are_means_over_the_purchases_that_have_an_amount():
    """Orders of 10, 20, 30 and one of which nothing is known made a basket of 15.00."""
    rows = [("a", day(0), 10.0), ("a", day(9), 20.0), ("b", day(9), 30.0), ("c", day(20), None)]
    book = book_with(rows)
    assert figure(book, "average_order_value") == 20
    assert figure(book, "first_order_value") == 20
    assert figure(book, "repeat_order_value") == 20
    assert figure(book, "revenue_per_customer") == 30
    assert figure(book, "new_wallet") == 30
    assert figure(book, "orders") == 4
    (note,) = measure(book, "average_order_value").notes
    assert note.text("en") == "1 purchase has no amount: it is in no sum and no mean."
    assert not measure(book, "repurchase_rate").notes
    whole = book_with(rows[:3])
    assert not measure(whole, "average_order_value").notes


def raised(book, name):
    signal = signal_named(name)
    rows = book.rows(signal.raised(book, values_of(signal)))
    return {row["customer_id"] for row in rows if row["raised_on"] <= book.as_of}


def test_amounts_that_are_missing_raise_no_alert_of_falling_ones():
    """Who went on buying as before seemed to have stopped, or to buy ever smaller baskets."""
    steady = [("a", day(10 * n), 20.0 if n < 6 else None) for n in range(12)]
    falls = [("b", day(10 * n), 20.0 if n < 6 else 5.0) for n in range(12)]
    book = book_with([*steady, *falls], day(120))
    assert raised(book, "basket_shrinking") == {"b"}


def test_purchases_without_amounts_are_counted_and_not_taken_for_nothing():
    bought = [(62, 20.0), (70, 20.0), (80, 20.0), (91, None), (95, None), (100, None)]
    fewer = [(62, 20.0), (70, 20.0), (80, 20.0), (91, 20.0)]
    rows = [("c", day(n), amount) for n, amount in bought]
    rows += [("d", day(n), amount) for n, amount in fewer]
    # Of whom every amount is known, amounts are compared.
    rows += [("e", day(n), 5.0 if n > 85 else 20.0) for n, _ in bought]
    assert raised(book_with(rows, day(118)), "purchases_down") == {"d", "e"}


def test_an_average_order_is_over_the_orders_that_have_an_amount():
    """Orders of 100 and of one knows not what were 50 on average to a rule, 100 to the metric."""
    book = book_with([("a", day(0), 100.0), ("a", day(4), None), ("b", day(4), 60.0)])
    met = book.rows(customers_matching(book, "average_order >= 60"))
    assert sorted(row["customer_id"] for row in met) == ["a", "b"]
