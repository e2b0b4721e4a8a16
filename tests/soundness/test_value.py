"""Wrong sums of money: who spends it, what came back of it, and what it is called."""

import datetime as dt
import random

import ibis
import pyarrow as pa
import pytest

import revoir
from revoir.book import Book
from revoir.metrics.registry import measure
from revoir.periods import Grain
from revoir.store import Lake


def orders_read(folder, text):
    """A file of orders, read as a book."""
    path = folder / "orders.csv"
    path.write_text(text)
    return revoir.read(path)


def values(book, name, **asked):
    return [figure.value for figure in measure(book, name, **asked).figures]


def test_the_loyal_are_loyal_in_any_month_and_are_new_in_none_but_their_first(tmp_path):
    """Ten who bought every month were not loyal in November, and new over all time."""
    rows = [
        f"{customer},{2023 + month // 12}-{month % 12 + 1:02d}-{day},{amount}"
        for month in range(24)
        for place in range(10)
        for customer, day, amount in [(f"L{place}", 10, 100), (f"N{month}_{place}", 15, 20)]
    ]
    book = orders_read(tmp_path, "\n".join(["customer_id,date,amount", *rows, ""]))
    asked = {"start": dt.date(2024, 11, 1), "end": dt.date(2024, 12, 1), "grain": Grain.MONTH}
    assert values(book, "loyal_wallet", **asked) == [100]
    assert values(book, "new_wallet", **asked) == [20]
    assert values(book, "loyal_wallet") == [2400]
    assert values(book, "new_wallet") == [20]
    asked = {"start": dt.date(2023, 1, 1), "end": dt.date(2023, 2, 1), "grain": Grain.MONTH}
    assert values(book, "loyal_wallet", **asked) == [None]
    assert values(book, "new_wallet", **asked) == [60]


HEAD = "order_id,customer_id,date,amount\n"


def test_what_a_customer_brought_in_is_less_what_came_back(tmp_path):
    """Sixty who sent all back and sixty who kept all: 100 each were 200, before returns."""
    rows = [
        f"{place}-{amount},C{place},2024-{month:02d}-{place % 28 + 1:02d},{amount}"
        for place in range(120)
        for month, amount in ((1, 100), (2, -100))
        if place % 2 or amount > 0
    ]
    book = orders_read(tmp_path, HEAD + "\n".join([*rows, ""]))
    assert values(book, "revenue") == [6000]
    assert values(book, "revenue_per_customer") == [50]
    assert values(book, "clv_historic") == [50]
    assert values(book.with_settings(margin=0.5), "clv_historic") == [25]
    assert values(book, "average_order_value") == [100], "a basket is before returns"


def test_the_historic_value_is_that_of_the_list_of_customers(tmp_path):
    """The metric said 380.83 where the list of the same customers came to 178.33 each."""
    drawn, rows = random.Random(3), []
    for customer in range(120):
        day = dt.date(2022, 1, 1) + dt.timedelta(drawn.randrange(300))
        for _ in range(drawn.choice([1, 2, 3, 5, 8])):
            rows.append(f"{len(rows)},C{customer},{day},100")
            if customer % 2 == 0:
                rows.append(f"{len(rows)},C{customer},{day + dt.timedelta(3)},-100")
            day += dt.timedelta(drawn.randrange(20, 90))
    rows.append(f"{len(rows)},C1,2022-01-01,-9999")  # of something bought before
    book = orders_read(tmp_path, HEAD + "\n".join([*rows, ""]))
    listed = revoir.clv(book, model="mbg_nbd", tested=False).customers["historic"].to_pylist()
    [figure] = measure(book, "clv_historic").figures
    assert figure.value == pytest.approx(sum(listed) / len(listed))
    assert figure.denominator == len(listed)
    assert figure.low < figure.value < figure.high
    [simple] = measure(book, "clv_simple").figures
    year = {"start": simple.period.start, "end": simple.period.end}
    [spend] = values(book, "revenue_per_customer", **year)
    [times] = values(book, "purchase_frequency", **year)
    assert simple.parts["average_order_value"] == pytest.approx(spend / times)


def test_what_came_back_counts_in_the_period_and_group_it_came_back_in(tmp_path):
    rows = "1,A,2024-01-10,100\n2,A,2024-02-10,40\n3,B,2024-02-11,60\nR1,A,2024-02-12,-30\n"
    rows += "R2,A,2024-03-01,-5\n4,B,2024-03-02,\nR3,B,2024-03-03,-10\n"
    book = orders_read(tmp_path, HEAD + rows)
    found = measure(book, "revenue_per_customer", grain=Grain.MONTH).figures
    assert [(one.value, one.denominator) for one in found] == [(100, 1), (35, 2), (None, 0)]
    found = measure(book, "revenue_per_customer", by=["customer_id"]).figures
    assert [(one.by["customer_id"], one.value) for one in found] == [("A", 105), ("B", 50)]
    told = measure(book, "revenue_per_customer", where="customer_id = 'A'", grain=Grain.MONTH)
    assert [one.value for one in told.figures] == [100, 10, None]


REFUNDED = "order_id,customer_id,date,amount,refunded\n"


@pytest.mark.parametrize(
    "text",
    [
        REFUNDED + "1,A,2024-01-10,100,30\n2,A,2024-02-10,40,0\n3,C,2024-03-01,10,\n",
        HEAD + "1,A,2024-01-10,100\nR1,A,2024-01-12,-30\n2,A,2024-02-10,40\n3,C,2024-03-01,10\n",
        REFUNDED
        + "1,A,2024-01-10,100,30\n1,A,2024-01-12,-30,\n2,A,2024-02-10,40,0\n3,C,2024-03-01,10,\n",
        REFUNDED
        + "1,A,2024-01-10,100,30\n1,A,2024-01-12,-30,30\n2,A,2024-02-10,40,\n3,C,2024-03-01,10,\n",
        REFUNDED
        + "1,A,2024-01-10,100,0\nR1,A,2024-01-12,-30,-30\n2,A,2024-02-10,40,\n3,C,2024-03-01,10,\n",
    ],
    ids=["column", "row", "both", "both twice", "a row that says its own amount twice"],
)
def test_a_refund_counts_once_be_it_a_column_or_a_row(tmp_path, text):
    """In a column nothing had been returned; in both, the refund was taken off twice."""
    book = orders_read(tmp_path, text)
    names = ("revenue", "gross_sales", "returned_share")
    assert [values(book, name) for name in names] == [[120], [150], [0.2]]
    assert values(book, "gross_sales", grain=Grain.MONTH) == [100, 40, 10]
    assert values(book, "returned_share", grain=Grain.MONTH) == [0.3, 0, 0]


def test_an_order_all_of_which_came_back_in_a_row_of_its_number_is_taken_off_once(tmp_path):
    """It was cancelled for its column, and its refund taken off other sales."""
    text = REFUNDED + "1,A,2024-01-10,100,100\n1,A,2024-01-12,-100,\n2,A,2024-02-10,40,\n"
    book = orders_read(tmp_path, text)
    assert values(book, "revenue") == [40]
    assert values(book, "gross_sales") == [140]
    assert values(book, "returned_share") == [pytest.approx(100 / 140)]


def test_what_was_refunded_of_an_amount_that_is_not_known_is_in_no_share():
    table = pa.table(
        {
            "customer_id": ["a", "b"],
            "ordered_on": [dt.date(2024, 1, 1), dt.date(2024, 1, 2)],
            "amount": pa.array([70.0, None]),
            "refunded": pa.array([30.0, 5.0]),
        }
    )
    backend = ibis.duckdb.connect()
    book = Book({"orders": backend.create_table("orders", table)})
    assert values(book, "returned_share") == [0.3]
    flags = table.set_column(3, "refunded", pa.array([True, False]))
    book = Book({"orders": backend.create_table("flags", flags)})
    assert values(book, "gross_sales") == [70], "a yes is no amount"


def test_a_lake_written_before_anything_was_refunded_opens_and_takes_what_is(tmp_path):
    """Rows that were written before the column was there have nothing in it."""
    lake = Lake.create(tmp_path / "lake")
    for batch, text in (
        ("old", HEAD + "1,A,2024-01-10,100\n"),
        ("new", REFUNDED + "2,B,2024-01-11,40,10\n"),
    ):
        orders = orders_read(tmp_path, text).table("orders").to_pyarrow()
        lake.append("orders", orders, batch=batch)
        told = revoir.open(tmp_path / "lake")
        assert values(told, "returned_share") == [0 if batch == "old" else pytest.approx(10 / 140)]
    assert values(told, "gross_sales") == [140]
