"""Wrong sums of money: who spends it, what came back of it, and what it is called."""

import datetime as dt

import pytest

import revoir
from revoir.metrics.registry import measure
from revoir.periods import Grain


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
