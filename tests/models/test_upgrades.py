"""What buyers move up to, and what is due, against plain loops."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from revoir.errors import UsageError
from revoir.models.assortment import assortment
from revoir.models.upgrades import KEPT_BELOW, LEARNED_MIN, MOVED_MIN, Moves, due_upgrades

START = dt.date(2022, 1, 1)
PRICES = {"small": 100.0, "large": 180.0, "huge": 300.0, "same": 105.0, "cup": 500.0}
CATEGORY = {"small": "Boilers", "large": "Boilers", "huge": "Boilers", "same": "Boilers"}


def lines(rows):
    """Order lines of (customer, product, day) or (customer, product, day, due) rows."""
    rows = [(*row, None)[:4] for row in rows]
    days = [START + dt.timedelta(days=row[2]) for row in rows]
    due = [None if row[3] is None else START + dt.timedelta(days=row[3]) for row in rows]
    return pa.table(
        {
            "order_id": [str(n) for n in range(len(rows))],
            "customer_id": [row[0] for row in rows],
            "ordered_on": pa.array(days, pa.date32()),
            "kind": ["purchase"] * len(rows),
            "product_id": [row[1] for row in rows],
            "category": pa.array([CATEGORY.get(row[1], "Cups") for row in rows], pa.string()),
            "quantity": [1.0] * len(rows),
            "amount": [PRICES[row[1]] for row in rows],
            "upgrade_on": pa.array(due, pa.date32()),
        }
    )


def drawn(customers=120):
    draw = np.random.default_rng(2)
    rows = []
    for n in range(customers):
        for product in draw.choice(list(PRICES), draw.integers(1, 4), replace=False):
            rows.append((f"c{n:03}", str(product), 20 * int(draw.integers(0, 30))))
    rows += [(f"d{n}", product, 9) for n in range(9) for product in ("small", "large")]
    return rows


def moves_by_hand(rows, product):
    first = {}
    for customer, what, day in sorted(rows, key=lambda row: row[2]):
        first.setdefault((customer, what), day)
    found = {}
    for (customer, what), day in first.items():
        since = first.get((customer, product))
        dearer = CATEGORY.get(what) == CATEGORY[product] and PRICES[what] >= 1.1 * PRICES[product]
        if since is not None and day > since and dearer:
            found.setdefault(what, []).append(day - since)
    return found


@pytest.mark.parametrize("product", ["small", "large", "huge"])
def test_moves_are_those_of_a_plain_loop(make_book, product):
    rows = drawn()
    sold = assortment(make_book(order_lines=lines(rows)))
    number = [one.product_id for one in sold.products].index(product)
    expected = {
        what: days for what, days in moves_by_hand(rows, product).items() if len(days) >= MOVED_MIN
    }
    found = Moves.of(sold).up_from(number)
    assert {one.other_id: one.moved for one in found} == {w: len(d) for w, d in expected.items()}
    for one in found:
        assert one.days == np.median(expected[one.other_id])
        assert one.buyers == len({c for c, what, _ in rows if what == product})
        assert (one.price, one.other_price) == (PRICES[product], PRICES[one.other_id])
        assert one.interval[0] < one.share < one.interval[1]
    ends = [one.interval[0] for one in found]
    assert ends == sorted(ends, reverse=True)


def test_without_categories_nothing_is_an_upgrade(make_book):
    book = make_book(order_lines=lines(drawn()).drop(["category", "upgrade_on"]))
    moves = Moves.of(assortment(book))
    assert "no category" in moves.reason.text("en")
    assert moves.up_from(0) == []
    assert due_upgrades(book).reason == moves.reason


@pytest.mark.parametrize("why", ["several currencies", "no amounts"])
def test_prices_that_cannot_be_compared_make_no_upgrade(make_book, why):
    """Yen beside euros made a cup of the same kind a dearer one."""
    rows = lines(drawn())
    codes = pa.array(["EUR", "JPY"] * len(rows))[: len(rows)]
    orders = rows.select(["order_id", "customer_id", "ordered_on", "kind", "amount"])
    if why == "no amounts":
        place = rows.column_names.index("amount")
        rows = rows.set_column(place, "amount", pa.nulls(len(rows), pa.float64()))
        codes = pa.array(["EUR"] * len(rows))
    book = make_book(
        order_lines=rows.drop_columns(["upgrade_on"]),
        orders=orders.append_column("currency", codes),
    )
    moves = Moves.of(assortment(book))
    assert "no price that can be compared" in moves.reason.text("en")
    assert not any(moves.up_from(product) for product in range(len(PRICES)))
    assert due_upgrades(book).reason == moves.reason


def test_days_that_the_data_give(make_book):
    """Due: Anne. Bruno's is later, Clara has a dearer one, Denis has bought it anew since."""
    rows = [
        ("anne", "small", 0, 700), ("bruno", "small", 10, 900), ("clara", "small", 0, 650),
        ("clara", "huge", 640), ("denis", "small", 0, 650), ("denis", "small", 600, 1300),
        ("emma", "cup", 699),
    ]  # fmt: skip
    book = make_book(order_lines=lines(rows))
    found = due_upgrades(book, within_days=30)
    assert found.as_of == START + dt.timedelta(days=699)
    (row,) = found.products.to_pylist()
    assert row == {
        "customer_id": "anne", "product_id": "small", "product": "small", "since": START,
        "due_on": START + dt.timedelta(days=700), "given": True, "offer_id": None, "offer": None,
    }  # fmt: skip
    later = due_upgrades(book, within_days=300).products.to_pylist()
    assert [row["customer_id"] for row in later] == ["bruno", "anne"]


def test_days_that_buyers_teach(make_book):
    """Buyers of the small boiler move to the large one after 400 days, at the median."""
    waits = range(400 - LEARNED_MIN, 401 + LEARNED_MIN)
    rows = [
        (f"m{wait}", what, day) for wait in waits for what, day in (("small", 0), ("large", wait))
    ]
    rows += [("due", "small", 250), ("young", "small", 500), ("gone", "small", -600)]
    rows += [("last", "cup", 640), ("last", "large", 635), ("told", "small", 250, 660)]
    found = due_upgrades(make_book(order_lines=lines(rows)), within_days=30)
    told, row = found.products.to_pylist()
    assert (told["customer_id"], told["given"]) == ("told", True)
    assert told["due_on"] == START + dt.timedelta(days=660)
    assert (row["customer_id"], row["due_on"]) == ("due", START + dt.timedelta(days=650))
    assert (row["given"], row["offer_id"]) == (False, "large")
    book = make_book(order_lines=lines(rows))
    offers = due_upgrades(book.with_settings(not_recommended=("large",))).products["offer_id"]
    assert set(offers.to_pylist()) == {None}
    assert not due_upgrades(book.with_settings(not_recommended=("small",))).products.num_rows


def test_what_is_used_up_is_not_upgraded(make_book):
    waits = range(400 - LEARNED_MIN, 401 + LEARNED_MIN)
    rows = [
        (f"m{wait}", what, day) for wait in waits for what, day in (("small", 0), ("large", wait))
    ]
    again = [(f"m{wait}", "small", 30) for wait in list(waits)[: int(KEPT_BELOW * len(waits)) + 1]]
    book = make_book(
        order_lines=lines([*rows, *again, ("due", "small", 250), ("last", "cup", 640)])
    )
    found = due_upgrades(book)
    assert found.products.num_rows == 0
    assert str(LEARNED_MIN) in found.reason.text("en")


def test_who_bought_several_dearer_ones_is_one_buyer(make_book):
    """Ten buyers of two dearer ones counted as twenty, and the later one lengthened the time."""

    def due(buyers):
        moved = [
            (f"m{n}", what, day)
            for n in range(buyers)
            for what, day in (("small", 0), ("large", 400), ("huge", 630))
        ]
        rows = [*moved, ("due", "small", 250), ("last", "cup", 640)]
        return due_upgrades(make_book(order_lines=lines(rows))).products.to_pylist()

    assert due(LEARNED_MIN // 2) == []
    [row] = due(LEARNED_MIN)
    assert row["due_on"] == START + dt.timedelta(days=650)


def test_wrong_usage_is_told(make_book):
    with pytest.raises(UsageError, match="-1"):
        due_upgrades(make_book(order_lines=lines(drawn(5))), within_days=-1)
