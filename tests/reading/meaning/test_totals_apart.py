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


def of_orders(reading: Reading, rows: Rows) -> dict[str, float]:
    held = rows(reading, "orders")
    assert len({str(row["order_id"]) for row in held}) == len(held)
    return {str(row["order_id"]): float(row["amount"]) for row in held}


PRICED = "order_id,sku,unit_price,quantity\n1,A,5,1\n1,B,20,2\n2,A,10,3\n2,B,20,1\n3,B,20,1\n"


@pytest.mark.parametrize(
    ("totals", "paid"),
    [(("", "", ""), (45, 50, 20)), (("49.90", "", "0"), (49.9, 50, 0)),
     (("", "", "25"), (45, 50, 25))],
)  # fmt: skip
def test_a_total_that_is_not_there_is_that_of_the_lines(
    read: Read, rows: Rows, totals: tuple[str, ...], paid: tuple[float, ...]
) -> None:
    """Such orders were set aside, and their lines with them, or not read at all."""
    orders = "order_id,customer_id,order_date,total\n" + "".join(
        f"{n},c{n},2024-01-0{n},{total}\n" for n, total in enumerate(totals, 1)
    )
    reading = read({"o.csv": orders, "l.csv": PRICED})
    assert of_orders(reading, rows) == dict(zip("123", map(float, paid), strict=True))
    assert {row["customer_id"] for row in rows(reading, "orders")} == {"c1", "c2", "c3"}
    assert len(rows(reading, "order_lines")) == 5
    assert reading.rows_quarantined == 0


def test_without_total_and_without_lines(read: Read, rows: Rows) -> None:
    orders = "order_id,customer_id,order_date,total\n1,a,2024-01-01,\n2,b,2024-01-02,50\n"
    reading = read({"o.csv": orders + "9,c,2024-01-03,\n", "l.csv": PRICED})
    assert of_orders(reading, rows) == {"1": 45, "2": 50}
    [row] = reading.files[0].quarantine
    assert (row.line, row.column) == (4, "total")


@pytest.mark.parametrize("files", [("a.csv", "b.csv"), ("b.csv", "a.csv")])
def test_a_month_with_totals_and_a_month_without(
    read: Read, rows: Rows, files: tuple[str, str]
) -> None:
    """The second month had lines, and no orders."""
    head = "order_id,customer_id,order_date"
    totals = f"{head},total\n1,a,2024-01-01,49.90\n2,b,2024-01-02,52\n"
    texts = dict(zip(files, (totals, f"{head},discount\n3,c,2024-02-03,4\n"), strict=True))
    reading = read({**{name: texts[name] for name in sorted(texts)}, "l.csv": PRICED})
    assert of_orders(reading, rows) == {"1": 49.9, "2": 52, "3": 16}


def test_numbers_may_be_written_otherwise_each_month(read: Read, rows: Rows) -> None:
    """A month whose discounts are all 0 was no list of the same shop, and its lines were lost."""
    head = "commande;client;date;remise\n"
    reading = read({
        "1.csv": f"{head}1;a;04/01/2024;0\n",
        "2.csv": f"{head}2;b;29/02/2024;2,50\n3;c;01/02/2024;0\n",
        "l.csv": PRICED.replace(",", ";"),
    })  # fmt: skip
    assert of_orders(reading, rows) == {"1": 45, "2": 47.5, "3": 20}


@pytest.mark.parametrize("line_total", [False, True])
def test_a_discount_may_be_more_than_the_first_line(
    read: Read, rows: Rows, line_total: bool
) -> None:
    """Where one was, no discount of the whole file was taken off."""
    orders = "order_id,customer_id,order_date,discount\n1,a,2024-01-01,9\n2,b,2024-01-02,5\n"
    lines = PRICED
    if line_total:
        head, *held = PRICED.split()
        lines = f"{head},line_total\n" + "".join(
            f"{row},{int(row.split(',')[2]) * int(row.split(',')[3])}\n" for row in held
        )
    reading = read({"o.csv": orders + "3,c,2024-01-03,0\n", "l.csv": lines})
    assert of_orders(reading, rows) == {"1": 36, "2": 45, "3": 20}
    assert "discounts of 14.00 in all" in told(reading)
    # It is off all lines, in proportion: the turnover of products is that of their orders.
    sold = [(row["product_id"], float(row["amount"])) for row in rows(reading, "order_lines")
            if str(row["order_id"]) != "3"]  # fmt: skip
    assert sorted(sold) == [("A", 4), ("A", 27), ("B", 18), ("B", 32)]


@pytest.mark.parametrize(
    ("of_orders_", "paid"), [(("4", "5", "1"), (40, 45, 18)), (("1", "0", "1"), (44, 50, 19))]
)  # fmt: skip
def test_discounts_of_lines_and_of_their_orders(
    read: Read, rows: Rows, of_orders_: tuple[str, ...], paid: tuple[float, ...]
) -> None:
    """That of the order was left out, unless it sums up those of its lines."""
    orders = "order_id,customer_id,order_date,discount\n" + "".join(
        f"{n},c{n},2024-01-0{n},{off}\n" for n, off in enumerate(of_orders_, 1)
    )
    head, *held = PRICED.split()
    lines = f"{head},discount\n" + "".join(
        f"{row},{off}\n" for row, off in zip(held, ("1", "0", "0", "0", "1"), strict=True)
    )
    found = of_orders(read({"o.csv": orders, "l.csv": lines}), rows)
    assert found == dict(zip("123", map(float, paid), strict=True))


def test_each_order_without_lines_is_told_once(read: Read) -> None:
    """With several files of lines, those of the others were counted, once a file."""
    head, lines = "order_id,customer_id,order_date\n", "order_id,sku,unit_price,quantity\n"
    reading = read({
        "1.csv": f"{head}1,a,2024-01-01\n2,b,2024-01-02\n", "2.csv": f"{head}3,c,2024-02-03\n",
        "3.csv": f"{lines}1,A,5,1\n", "4.csv": f"{lines}3,A,5,1\n",
    })  # fmt: skip
    assert told(reading).count("no line") == 1
    assert "1 order has no line" in told(reading)


def test_the_same_list_twice(read: Read, rows: Rows) -> None:
    """Its orders were accepted twice, and what a later list says otherwise was not looked at."""
    head = "order_id,customer_id,order_date,status\n"
    held = f"{head}1,a,2024-01-01,paid\n2,b,2024-01-02,paid\n3,c,2024-01-03,paid\n"
    reading = read({"1.csv": held, "2.csv": held.replace("c,2024-01-03,paid", "c,2024-01-03,void"),
                    "l.csv": PRICED})  # fmt: skip
    assert of_orders(reading, rows) == {"1": 45, "2": 50, "3": 20}
    again = reading.files[1]
    assert (again.table, again.rows_accepted, again.rows_duplicate, again.rows_quarantined) == (
        "orders", 0, 2, 1,
    )  # fmt: skip


@pytest.mark.parametrize("dated", [False, True])
def test_tables_of_a_database_number_their_rows_by_id(read: Read, rows: Rows, dated: bool) -> None:
    """A table of orders was one of customers, by `user_id` and `created_at`."""
    days = {n: f"2024-01-{n:02d} 10:00:00" for n in (1, 2, 3, 4)}
    orders = "id,user_id,status,created_at\n" + "".join(
        f"{n},u{n % 3},{'cancelled' if n == 3 else 'paid'},{day}\n" for n, day in days.items()
    )
    items = f"id,order_id,product_id,price,quantity{',created_at' if dated else ''}\n" + "".join(
        f"{n}{place},{n},{place},{place * 5},{n}{',' + day if dated else ''}\n"
        for n, day in days.items() for place in (1, 2)
    )  # fmt: skip
    people = "id,name,email,created_at\n" + "".join(
        f"u{n},Ann{n},ann{n}@example.com,2023-01-01\n" for n in range(3)
    )
    reading = read({"orders.csv": orders, "order_items.csv": items, "users.csv": people})
    assert of_orders(reading, rows) == {"1": 15, "2": 30, "3": 45, "4": 60}
    assert [row["kind"] for row in rows(reading, "orders")].count("cancelled") == 1
    assert {row["customer_id"] for row in rows(reading, "customers")} == {"u0", "u1", "u2"}
    assert len(rows(reading, "order_lines")) == 8


def test_the_reference_of_an_order_is_no_product(read: Read, rows: Rows) -> None:
    """Each order was a line of that product, and its own lines were not read."""
    orders = (
        "id_order,reference,id_customer,total_paid,date_add\n1,XKB,5,30,2024-01-04\n"
        "2,XKC,6,55,2024-01-09\n3,XKD,5,25,2024-01-19\n"
    )
    reading = read({"ps_orders.csv": orders, "ps_order_detail.csv": PRICED})
    assert of_orders(reading, rows) == {"1": 30, "2": 55, "3": 25}
    assert {row["product_id"] for row in rows(reading, "order_lines")} == {"A", "B"}


def test_more_than_an_order_came_to_is_off_none(read: Read, rows: Rows) -> None:
    orders = "order_id,customer_id,order_date,discount\n1,a,2024-01-01,99\n2,b,2024-01-02,10\n"
    back = "3,A,10,-1\n"
    reading = read({"o.csv": orders + "3,c,2024-01-03,2\n", "l.csv": PRICED[:-9] + back})
    held = {str(row["order_id"]): (float(row["amount"]), row["kind"])
            for row in rows(reading, "orders")}  # fmt: skip
    assert held == {"1": (0, "free"), "2": (40, "purchase"), "3": (-8, "return")}
    assert sum(float(row["amount"]) for row in rows(reading, "order_lines")) == 32


def test_lines_in_two_files_that_cut_an_order(read: Read, rows: Rows) -> None:
    """The order was two, and its discount was taken off twice."""
    orders = "order_id,customer_id,order_date,discount\n" + "".join(
        f"{n},c{n},2024-01-0{n},3\n" for n in (1, 2, 3)
    )
    head, *held = PRICED.splitlines(keepends=True)
    for place in range(1, 5):
        chunks = {"l1.csv": head + "".join(held[:place]), "l2.csv": head + "".join(held[place:])}
        reading = read({"o.csv": orders, **chunks})
        assert of_orders(reading, rows) == {"1": 42, "2": 47, "3": 17}
        lines = rows(reading, "order_lines")
        assert sum(float(row["amount"]) for row in lines) == pytest.approx(106, abs=0.01)
        assert reading.totals["orders"]["orders"] == 3


def test_dated_lines_in_two_files_that_cut_an_order(read: Read, rows: Rows) -> None:
    head, *held = (
        "order_id,customer_id,order_date,sku,price,qty\n1,a,2024-01-01,A,5,1\n"
        "2,b,2024-01-02,B,20,2\n2,b,2024-01-02,A,5,3\n3,a,2024-01-03,A,5,1\n"
    ).splitlines(keepends=True)
    chunks = {"1.csv": head + "".join(held[:2]), "2.csv": head + "".join(held[2:])}
    reading = read(chunks)
    assert of_orders(reading, rows) == {"1": 5, "2": 55, "3": 5}
    assert reading.totals["orders"]["orders"] == 3


def test_the_same_lines_twice(read: Read, rows: Rows) -> None:
    """The discount of an order stands on its first line, which the second file has, too."""
    orders = "order_id,customer_id,order_date,discount\n" + "".join(
        f"{n},c{n},2024-01-0{n},3\n" for n in (1, 2, 3)
    )
    reading = read({"o.csv": orders, "l1.csv": PRICED, "l2.csv": PRICED})
    assert of_orders(reading, rows) == {"1": 42, "2": 47, "3": 17}
    assert reading.files[2].rows_duplicate == 5
