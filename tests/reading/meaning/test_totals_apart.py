"""Lists of orders without totals, as databases have them: their lines say what they came to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from revoir.errors import InputError
from revoir.reading import Reading

from .conftest import Read, told

Rows = Callable[[Reading, str], list[dict[str, Any]]]

ORDERS = (
    "orderID,customerID,employeeID,orderDate,requiredDate,shippedDate,shipVia,freight,shipCountry\n"
    + "".join(
        f"{n},C{n % 7},{n % 9 + 1},2024-01-{n % 28 + 1:02d},2024-03-01,2024-02-01,{n % 3 + 1},"
        f"{n}.35,France\n"
        for n in range(100, 160)
    )
)
LINES = "orderID,productID,unitPrice,quantity,discount\n" + "".join(
    f"{n},{n % 5},{price}.50,{n % 4 + 1},0\n" for n in range(100, 160) for price in (2, 7)
)
PAID = {str(n): (2.5 + 7.5) * (n % 4 + 1) for n in range(100, 160)}


@pytest.mark.parametrize("files", [("a.csv", "b.csv"), ("b.csv", "a.csv")])
def test_lines_say_what_orders_came_to(read: Read, rows: Rows, files: tuple[str, str]) -> None:
    """The freight was taken for the total, and the number of the clerk for a quantity."""
    texts = dict(zip(files, (ORDERS, LINES), strict=True))
    reading = read({name: texts[name] for name in sorted(texts)})
    orders = rows(reading, "orders")
    assert {str(row["order_id"]): float(row["amount"]) for row in orders} == PAID
    assert {row["customer_id"] for row in orders} == {f"C{n}" for n in range(7)}
    assert min(row["ordered_on"] for row in orders) == dt.date(2024, 1, 1)
    assert len(rows(reading, "order_lines")) == 120
    tables = {file.file: file.table for file in reading.files}
    assert tables == {files[0]: "orders", files[1]: "order_lines"}


def test_what_their_list_says_of_orders_stays(read: Read, rows: Rows) -> None:
    lists = (
        "commande;client;date;statut;canal\nA1;C1;05/03/2025;payée;web\n"
        "A2;C2;06/03/2025;annulée;mag\n"
    )
    lines = (
        "commande;article;quantité;prix unitaire\nA1;café;2;6,00\nA1;thé;1;8,00\nA2;thé;1;8,00\n"
    )
    reading = read({"a.csv": lists, "b.csv": lines})
    found = {row["order_id"]: row for row in rows(reading, "orders")}
    assert [(float(found[n]["amount"]), found[n]["kind"], found[n]["channel"]) for n in
            ("A1", "A2")] == [(20, "purchase", "web"), (8, "cancelled", "mag")]  # fmt: skip


def test_a_discount_of_an_order_is_taken_off_once(read: Read, rows: Rows) -> None:
    """It stood on each of the lines, and was taken off as often."""
    lines = "order_id,sku,quantity,unit_price\n1,S1,2,10.00\n1,S2,1,20.00\n2,S1,1,10.00\n"
    head = "order_id,customer_id,order_date,discount\n"
    cases = (("3.00", "0.00"), [37, 10]), (("1.00", "0.00"), [39, 10]), (("0.1", "0"), [36, 10])
    for taken, paid in cases:
        orders = f"{head}1,a,2024-01-05,{taken[0]}\n2,b,2024-01-06,{taken[1]}\n"
        found = rows(read({"o.csv": orders, "l.csv": lines}), "orders")
        assert sorted((float(row["amount"]) for row in found), reverse=True) == paid


def test_orders_without_lines_are_told(read: Read, rows: Rows) -> None:
    more = ORDERS + "900,C1,1,2024-02-01,2024-03-01,2024-02-01,1,5.00,France\n"
    reading = read({"a.csv": more, "b.csv": LINES})
    assert len(rows(reading, "orders")) == 60
    assert "1 order has no line: it is not counted" in told(reading)


def test_a_list_a_month(read: Read, rows: Rows) -> None:
    head, *held = ORDERS.splitlines(keepends=True)
    reading = read({"a.csv": head + "".join(held[:30]), "b.csv": head + "".join(held[30:]),
                    "c.csv": LINES})  # fmt: skip
    found = {str(row["order_id"]): float(row["amount"]) for row in rows(reading, "orders")}
    assert found == PAID


def test_alone_they_say_what_is_missing(read: Read) -> None:
    """They were read as sales of their freight, and in other files as a list of customers."""
    with pytest.raises(InputError, match="nothing says what was paid"):
        read(ORDERS)
    numbered = "order_id,customer_id,order_status,order_purchase_timestamp\n" + "".join(
        f"o{n},c{n},delivered,2024-01-{n:02d} 10:00:00\n" for n in range(1, 25)
    )
    with pytest.raises(InputError, match="nothing says what was paid"):
        read(numbered)


def test_the_day_that_an_item_must_be_sent_is_not_that_of_its_order(read: Read, rows: Rows) -> None:
    """Items were read as sales of nobody: dated by that day, and worth their freight."""
    orders = "order_id,customer_id,order_purchase_timestamp\n" + "".join(
        f"o{n},c{n % 4},2024-01-{n:02d} 10:00:00\n" for n in range(1, 25)
    )
    items = "order_id,order_item_id,product_id,shipping_limit_date,price,freight_value\n" + "".join(
        f"o{n},1,p{n % 3},2024-02-{n:02d} 10:00:00,{n}.90,8.72\n" for n in range(1, 25)
    )
    reading = read({"items.csv": items, "orders.csv": orders})
    held = rows(reading, "orders")
    assert sum(float(row["amount"]) for row in held) == pytest.approx(sum(range(1, 25)) + 24 * 0.9)
    assert {row["ordered_on"].month for row in held} == {1}
    assert {row["customer_id"] for row in held} == {"c0", "c1", "c2", "c3"}


def test_what_was_understood_reads_the_same_again(read: Read, rows: Rows) -> None:
    texts = {"a.csv": ORDERS, "b.csv": LINES}
    first = read(texts)
    again = read(texts, mapping=first.mapping)
    for table in ("orders", "order_lines"):
        assert sorted(rows(again, table), key=str) == sorted(rows(first, table), key=str)


def test_an_amount_that_no_header_names_is_still_found(read: Read, rows: Rows) -> None:
    reading = read(
        "order_id,customer_id,order_date,zzz,freight\n"
        + "".join(f"{n},c{n % 3},2024-01-{n:02d},{n}.25,9.99\n" for n in range(1, 25))
    )
    assert sum(float(row["amount"]) for row in rows(reading, "orders")) == sum(range(1, 25)) + 6
