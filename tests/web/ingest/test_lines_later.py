"""Lines that come in after the list of their orders, in an import of their own."""

from __future__ import annotations

import pytest

from .conftest import bring_in, lake

pytestmark = pytest.mark.django_db(transaction=True)

LIST = (
    "order_id,customer_id,order_date,total,status\n1,A,2024-01-04,55,paid\n"
    "2,B,2024-01-05,50,paid\n3,A,2024-02-08,30,cancelled\n"
)
LINES = (
    "order_id,order_date,sku,price,qty\n1,2024-01-04,X,10,1\n1,2024-01-04,Y,20,2\n"
    "2,2024-01-05,X,10,5\n3,2024-02-08,Y,30,1\n"
)
HELD = [("1", 55, "purchase"), ("2", 50, "purchase"), ("3", 30, "cancelled")]


def orders() -> list[tuple[object, ...]]:
    return lake("SELECT order_id, CAST(amount AS INTEGER), kind FROM orders ORDER BY order_id")


def test_the_list_has_the_last_word(company: object) -> None:
    """What was paid became what the lines come to, and what was cancelled counted."""
    bring_in(LIST, "list.csv")
    bring_in(LINES, "lines.csv")
    assert orders() == HELD
    assert lake("SELECT count(*), CAST(sum(amount) AS INTEGER) FROM order_lines") == [(4, 130)]
    bring_in(LINES + "4,2024-03-01,X,10,2\n", "lines 2.csv")
    assert orders() == [*HELD, ("4", 20, "purchase")]
    bring_in(LIST.replace("2,B,2024-01-05,50", "2,B,2024-01-05,48"), "list 2.csv")
    assert orders() == [HELD[0], ("2", 48, "purchase"), HELD[2], ("4", 20, "purchase")]


def test_orders_made_of_lines_follow_them(company: object) -> None:
    bring_in(LINES, "lines.csv")
    bring_in(LINES.replace("2,2024-01-05,X,10,5", "2,2024-01-05,X,10,4"), "lines 2.csv")
    assert [row[1] for row in orders()] == [50, 40, 30]
    bring_in(LIST, "list.csv")
    assert orders() == HELD
