"""Numbers that start again each day, in files that come day by day."""

from __future__ import annotations

import pytest

from revoir_web.ingest.models import Import

from .conftest import bring_in, lake

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = "ticket;client;date;montant\n"


def ticket(
    number: int, day: int, *, customer: str | None = None, amount: float | None = None
) -> str:
    who = f"C{day}{number}" if customer is None else customer
    return f"{number};{who};2025-03-{day:02d};{amount or day * 100 + number}\n"


def day_of(day: int, count: int = 8) -> str:
    return HEAD + "".join(ticket(number, day) for number in range(1, count + 1))


def total() -> tuple[int, float]:
    [(count, amount)] = lake("SELECT count(DISTINCT order_id), sum(amount) FROM orders")
    return count, float(amount)


def orders(held: Import) -> dict[str, int]:
    assert held.landed is not None
    return held.landed["orders"]


def test_each_day_is_beside_the_others(company: object) -> None:
    """Tuesday's tickets took the place of Monday's."""
    bring_in(day_of(3), "monday.csv")
    tuesday = bring_in(day_of(4), "tuesday.csv")
    assert orders(tuesday) == {"new": 8, "changed": 0, "unchanged": 0, "restarted": 8}
    bring_in(day_of(5), "wednesday.csv")
    assert total() == (24, 3 * 36 + 8 * (300 + 400 + 500))
    assert sorted(row[0] for row in lake("SELECT order_id FROM orders WHERE amount < 403")) == [
        "1", "1 2025-03-04", "2", "2 2025-03-04", "3", "4", "5", "6", "7", "8",
    ]  # fmt: skip


def test_what_was_there_is_found_again(company: object) -> None:
    bring_in(day_of(3), "monday.csv")
    bring_in(day_of(4), "tuesday.csv")
    before = total()
    again = bring_in(day_of(4).replace("404\n", "444\n"), "tuesday-corrected.csv")
    assert orders(again) == {"new": 0, "changed": 1, "unchanged": 7}
    # The whole week in one file: there the reading tells them apart.
    week = bring_in(day_of(3) + day_of(4)[len(HEAD) :] + day_of(5)[len(HEAD) :], "week.csv")
    assert orders(week) == {"new": 8, "changed": 1, "unchanged": 15}
    assert total() == (24, before[1] + 8 * 500 + 36)


def test_tickets_of_nobody_too(company: object) -> None:
    for day in (3, 4):
        rows = "".join(ticket(n, day, customer="") for n in range(1, 9))
        bring_in(HEAD + rows + ticket(9, day, customer="C1"), f"{day}.csv")
    assert total()[0] == 18


def test_dates_that_were_corrected_are_no_other_orders(company: object) -> None:
    bring_in(HEAD + "".join(ticket(n, 3, amount=n) for n in range(1, 9)))
    moved = HEAD + "".join(ticket(n, 4, customer=f"C3{n}", amount=n) for n in range(1, 9))
    assert orders(bring_in(moved, "moved.csv")) == {"new": 0, "changed": 8, "unchanged": 0}
    assert total() == (8, 36)


def test_a_few_orders_that_were_corrected_are_no_other_orders(company: object) -> None:
    bring_in(day_of(3))
    some = day_of(3).replace(ticket(2, 3), ticket(2, 4, customer="C32", amount=7))
    assert orders(bring_in(some, "some.csv")) == {"new": 0, "changed": 1, "unchanged": 7}


def test_one_order_that_was_corrected_is_no_other_order(company: object) -> None:
    """Date and amount of an order were corrected in a file of its own: it became two."""
    bring_in(day_of(3))
    one = bring_in(HEAD + ticket(2, 4, customer="C32", amount=7), "one.csv")
    assert orders(one) == {"new": 0, "changed": 1, "unchanged": 0}
    # Another customer's, and nobody's, are other tickets of a quiet day.
    assert orders(bring_in(HEAD + ticket(3, 5), "two.csv"))["new"] == 1
    assert orders(bring_in(HEAD + ticket(4, 6, customer=""), "three.csv"))["new"] == 1


def test_one_of_two_orders_that_was_corrected_is_no_other_order(company: object) -> None:
    """Each number was counted twice, so that two of them were not few."""
    bring_in(day_of(3))
    both = HEAD + ticket(2, 4, customer="C32", amount=7) + ticket(3, 3)
    assert orders(bring_in(both, "both.csv")) == {"new": 0, "changed": 1, "unchanged": 1}


def test_lines_go_with_their_orders(company: object) -> None:
    head = "ticket;client;date;produit;quantite;prix_unitaire\n"

    def lines(day: int) -> str:
        return head + "".join(
            f"{n};C{day}{n};2025-03-{day:02d};P{line};1;{day * 10 + n}\n"
            for n in range(1, 9) for line in (1, 2)
        )  # fmt: skip

    bring_in(lines(3), "monday.csv")
    bring_in(lines(4), "tuesday.csv")
    assert total() == (16, 2 * (2 * 36 + 8 * 30 + 8 * 40))
    [(count, apart)] = lake(
        "SELECT count(*), count(*) FILTER (o.ordered_on = l.ordered_on) FROM order_lines AS l"
        " JOIN orders AS o USING (order_id)"
    )
    assert (count, apart) == (32, 32)
