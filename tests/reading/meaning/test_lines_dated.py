"""Lines that say when they were sold, beside the list of their orders: each order counts once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from revoir.reading import Reading

from .conftest import Read, told

ORDERS = """order_id,customer_id,order_date,total,status
1,A,2024-01-04,55,paid
2,B,2024-01-05,50,paid
3,A,2024-02-08,30,cancelled
4,C,2024-03-08,10,paid
"""
LINES = """order_id,customer_id,order_date,sku,price,qty
1,A,2024-01-04,X,10,1
1,A,2024-01-04,Y,20,2
2,B,2024-01-05,X,10,3
2,B,2024-01-05,Y,20,1
3,A,2024-02-08,Y,20,1
3,A,2024-02-08,X,10,1
4,C,2024-03-08,X,10,1
"""
Rows = Callable[[Reading, str], list[dict[str, Any]]]


def orders_of(reading: Reading, rows: Rows) -> dict[str, tuple[Any, ...]]:
    held = rows(reading, "orders")
    found = {
        row["order_id"]: (row["customer_id"], row["ordered_on"].month, row["kind"],
                          float(row["amount"]))
        for row in held
    }  # fmt: skip
    assert len(found) == len(held)
    return found


def lines_of(reading: Reading, rows: Rows) -> list[tuple[Any, ...]]:
    return sorted(
        (row["order_id"], row["customer_id"], row["kind"], float(row["amount"]))
        for row in rows(reading, "order_lines")
    )


HELD = {
    "1": ("A", 1, "purchase", 55.0), "2": ("B", 1, "purchase", 50.0),
    "3": ("A", 2, "cancelled", 30.0), "4": ("C", 3, "purchase", 10.0),
}  # fmt: skip
SOLD = [
    ("1", "A", "purchase", 10.0), ("1", "A", "purchase", 40.0), ("2", "B", "purchase", 20.0),
    ("2", "B", "purchase", 30.0), ("3", "A", "cancelled", 10.0), ("3", "A", "cancelled", 20.0),
    ("4", "C", "purchase", 10.0),
]  # fmt: skip


def without(text: str, place: int) -> str:
    rows = [line.split(",") for line in text.splitlines()]
    return "\n".join(",".join(row[:place] + row[place + 1 :]) for row in rows) + "\n"


@pytest.mark.parametrize("lines", [LINES, without(LINES, 1)], ids=["of a customer", "of nobody"])
@pytest.mark.parametrize("files", [("a.csv", "b.csv"), ("b.csv", "a.csv")])
def test_an_order_counts_once(read: Read, rows: Rows, lines: str, files: tuple[str, str]) -> None:
    """The turnover was twice what it is, and what was cancelled counted."""
    texts = dict(zip(files, (ORDERS, lines), strict=True))
    reading = read({name: texts[name] for name in sorted(texts)})
    assert orders_of(reading, rows) == HELD
    assert lines_of(reading, rows) == SOLD
    assert {file.table for file in reading.files} == {"orders", "order_lines"}
    assert "each counts once" in told(reading)
    assert "have no customer" not in told(reading)


def test_orders_that_no_list_has_are_made_of_their_lines(read: Read, rows: Rows) -> None:
    reading = read({"a.csv": ORDERS, "b.csv": LINES + "5,D,2024-04-02,X,10,2\n"})
    assert orders_of(reading, rows) == HELD | {"5": ("D", 4, "purchase", 20.0)}
    assert len(lines_of(reading, rows)) == 8


def test_a_list_without_totals_says_who_and_whether(read: Read, rows: Rows) -> None:
    """Its customers, and what was cancelled, were not looked at."""
    lines = without(LINES, 1)
    reading = read({"a.csv": without(ORDERS, 3), "b.csv": lines})
    assert orders_of(reading, rows) == HELD | {"1": ("A", 1, "purchase", 50.0)}
    assert lines_of(reading, rows) == SOLD


def test_one_line_each_and_a_list(read: Read, rows: Rows) -> None:
    """With fifty of them, each line was a second order that contradicts the first."""
    numbers = range(1, 61)
    days = {n: dt.date(2024, 1, 1) + dt.timedelta(n) for n in numbers}
    orders = "order_id,customer_id,order_date,total\n" + "".join(
        f"{n},C{n % 7},{days[n]},12\n" for n in numbers
    )
    lines = "order_id,order_date,product,price\n" + "".join(
        f"{n},{days[n]},tea,10\n" for n in numbers
    )
    reading = read({"a.csv": orders, "b.csv": lines})
    assert reading.rows_quarantined == 0
    assert sum(float(row["amount"]) for row in rows(reading, "orders")) == 720
    assert sum(float(row["amount"]) for row in rows(reading, "order_lines")) == 600


@pytest.mark.parametrize("change", [("A,", "Z,"), ("2024", "2023")], ids=["people", "years"])
def test_numbers_of_another_shop(read: Read, rows: Rows, change: tuple[str, str]) -> None:
    """The numbers of two shops, or of two years, are the same: the orders are not."""
    lines = LINES.replace(*change).replace("B,", "Y,").replace("C,", "X,")
    reading = read({"a.csv": ORDERS, "b.csv": lines})
    assert len(rows(reading, "orders")) == 8


def test_numbers_that_start_again_each_year(read: Read, rows: Rows) -> None:
    """Both were told apart by their year, and each order counted twice."""
    again = [ORDERS.splitlines()[1:], LINES.splitlines()[1:]]
    later = ["\n".join(rows).replace("2024", "2025").replace("A,", "E,") for rows in again]
    reading = read({"a.csv": ORDERS + later[0] + "\n", "b.csv": LINES + later[1] + "\n"})
    found = orders_of(reading, rows)
    assert len(found) == 8
    assert sum(amount for *_, amount in found.values()) == 2 * 145
    assert [row["kind"] for row in rows(reading, "order_lines")].count("cancelled") == 4
