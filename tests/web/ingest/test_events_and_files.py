"""Orders of which events and files both tell."""

from __future__ import annotations

from typing import Any

import pytest

from revoir_web.ingest import actions, inbox, understanding
from revoir_web.ingest.models import SetAside

from .conftest import bring_in, drained, lake, send, work

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = "order_id,client,date,montant\n"
SALES = HEAD + "A,u1,2025-01-03,100\nB,u2,2025-01-04,50\n"
LINES = "order_id,client,date,produit,quantite,montant\n"


@pytest.fixture
def tell(key: str) -> Any:
    """Send what happened to an order."""
    count = iter(range(100))

    def track(
        event: str, number: str, *, user: str = "u1", day: str | None = None, **properties: Any
    ) -> None:
        body = {
            "userId": user, "event": event, "messageId": f"m{next(count)}",
            "properties": {"order_id": number, **properties},
            **({"timestamp": f"{day}T12:00:00Z"} if day else {}),
        }  # fmt: skip
        assert send(key, "track", body).status_code == 200
        drained()

    return track


def orders() -> list[tuple[Any, ...]]:
    return lake(
        "SELECT order_id, CAST(ordered_on AS VARCHAR), CAST(amount AS INTEGER), kind FROM orders"
        " ORDER BY 1"
    )


def lines(number: str) -> list[tuple[Any, ...]]:
    return lake(
        "SELECT product, CAST(sum(amount) AS INTEGER), CAST(sum(quantity) AS INTEGER)"
        f" FROM order_lines WHERE order_id = '{number}' AND kind = 'purchase' GROUP BY 1 ORDER BY 1"
    )


def products(*names: str) -> list[dict[str, Any]]:
    return [{"product_id": name, "name": name, "price": 10, "quantity": 1} for name in names]


def test_an_order_that_lost_lines_loses_them(tell: Any) -> None:
    """They stayed, so that products sold more than their orders came to."""
    tell("Order Completed", "A", total=30, products=products("lait", "pain", "the"))
    tell("Order Updated", "A", total=10, products=products("the"))
    assert lines("A") == [("the", 10, 1)]
    assert lake("SELECT CAST(sum(amount) AS INTEGER) FROM order_lines") == [(10,)]
    tell("Order Updated", "A", total=20, products=products("the", "riz"))
    assert lines("A") == [("riz", 10, 1), ("the", 10, 1)]


def test_a_refund_of_an_order_that_a_file_brought_is_taken_off(tell: Any) -> None:
    """It was forgotten, as was a cancellation."""
    bring_in(SALES)
    tell("Order Refunded", "A", total=30)
    tell("Order Cancelled", "B", user="u2")
    expected = [("A", "2025-01-03", 70, "purchase"), ("B", "2025-01-04", 50, "cancelled")]
    assert orders() == expected
    tell("Order Refunded", "A", total=20)
    expected[0] = ("A", "2025-01-03", 50, "purchase")
    assert orders() == expected
    # The next export knows nothing of it.
    bring_in(SALES + "C,u3,2025-01-05,7\n", "next.csv")
    assert orders()[:2] == expected
    tell("Order Refunded", "A", total=50)
    assert orders()[0][2:] == (100, "cancelled")


def test_a_file_that_knows_better_is_believed(tell: Any) -> None:
    bring_in(SALES)
    tell("Order Refunded", "A", total=30)
    bring_in(SALES.replace(",100", ",120"), "more.csv")
    assert orders()[0][2] == 120
    tell("Order Refunded", "A", total=20)
    assert orders()[0][2] == 100
    told = SALES.replace("montant", "montant,refunded").replace("100", "100,40")
    bring_in(told.replace(",50\n", ",50,\n"), "refunds.csv")
    assert orders()[0][2] == 60


def test_an_order_of_which_more_is_given_back_than_it_came_to(tell: Any) -> None:
    """No sale may become a refund where both have one number: here each has its own."""
    tell("Order Completed", "A", total=10)
    tell("Order Refunded", "A", total=15)
    assert orders()[0][2:] == (-5, "return")
    tell("Order Updated", "A", total=30)
    assert orders()[0][2:] == (15, "purchase")


def test_a_refund_that_comes_before_the_file_of_its_order(tell: Any) -> None:
    tell("Order Refunded", "A", total=30)
    first = bring_in(SALES)
    assert orders()[0] == ("A", "2025-01-03", 70, "purchase")
    actions.undo(held=first)
    work()
    tell("Order Refunded", "A", total=5)
    assert orders() == []
    bring_in(SALES, "again.csv")
    assert orders()[0][2] == 65


def test_what_a_file_told_of_money_given_back_outlives_an_update(tell: Any) -> None:
    """It was paid again once an event told what the order was made of."""
    tell("Order Refunded", "A", total=30)
    bring_in(HEAD.replace("\n", ",refunded\n") + "B,u2,2025-01-04,50,20\nA,u1,2025-01-03,100,\n")
    tell("Order Updated", "A", total=90, products=products("the"))
    tell("Order Completed", "B", user="u2", total=50)
    assert [row[2] for row in orders()] == [60, 30]


def test_a_refund_in_another_currency_is_set_aside(tell: Any, key: str) -> None:
    """30 USD made 70 of an order of 100 EUR."""
    bring_in(SALES)  # says no currency: it is the company's, EUR
    tell("Order Refunded", "A", total=30, currency="usd")
    tell("Order Completed", "C", total=100, currency="USD")
    tell("Order Refunded", "C", total=20, currency="EUR")
    tell("Order Refunded", "C", total=5, currency="USD")
    assert [row[2] for row in orders()] == [100, 50, 95]
    assert lake("SELECT count(*) FROM events") == [(2,)]
    first, second = SetAside.objects.order_by("pk")
    assert first.why is not None
    assert second.why is not None
    assert first.why.text("en") == (
        "The refund is in USD and its order in EUR: it was not taken off."
    )
    assert "EUR" in second.why.text("en")
    # Once the order is in that currency it is taken off, once.
    tell("Order Updated", "C", total=100, currency="EUR")
    for _ in range(2):
        inbox.take_again()
        drained()
        assert [row[2] for row in orders()] == [100, 50, 80]
        assert SetAside.objects.count() == 1


def test_a_refund_in_another_currency_that_comes_first_is_not_taken_off(tell: Any) -> None:
    tell("Order Refunded", "A", total=30, currency="USD")
    tell("Order Refunded", "C", total=20, currency="USD")
    tell("Order Refunded", "C", total=30, currency="EUR")
    bring_in(SALES)
    tell("Order Completed", "C", total=100, currency="EUR")
    assert [row[2] for row in orders()] == [100, 50, 70]


@pytest.mark.parametrize("head", [HEAD, LINES])
def test_what_events_and_later_files_tell_was_given_back_is_taken_off_once(
    tell: Any, head: str
) -> None:
    """The next month's file has it as a row, without the sale: 30 of 100 given back left 40."""
    more = ",the,1" if head == LINES else ""
    january = f"A,u1,2025-01-03{more},100\nB,u2,2025-01-04{more},50\nB,u2,2025-01-04{more},7\n"
    january = january if more else SALES.removeprefix(HEAD)

    def left(number: str) -> int:
        [(amount,)] = lake(
            "SELECT CAST(sum(amount) AS INTEGER) FROM orders WHERE kind <> 'cancelled'"
            f" AND split_part(order_id, '~', 1) = '{number}'"
        )
        return int(amount or 0)

    bring_in(head + january)
    tell("Order Refunded", "A", total=30)
    tell("Order Refunded", "A", total=5)
    tell("Order Cancelled", "B", user="u2")
    february = head + f"A,u1,2025-02-03{more},-30\nB,u2,2025-02-04{more},-50\n"
    second = bring_in(february, "february.csv")
    assert (left("A"), left("B")) == (65, 0)
    march = bring_in(february + f"A,u1,2025-03-03{more},-5\n", "march.csv")
    assert (left("A"), left("B")) == (65, 0)
    bring_in(head + january, "january-again.csv")
    assert (left("A"), left("B")) == (65, 0)
    tell("Order Refunded", "A", total=1)
    assert left("A") == 64
    for held in (march, second):
        actions.undo(held=held)
        work()
    tell("Order Refunded", "A", total=1)
    assert left("B") == 0


def test_a_refund_that_a_file_told_before_its_event_is_taken_off_once(tell: Any) -> None:
    """The order's return of 30 and the event of it left 40 of 100."""
    bring_in(SALES)
    february = bring_in(HEAD + "A,u1,2025-02-03,-30\n", "february.csv")
    tell("Order Refunded", "A", total=30, day="2025-02-05")
    assert [row[2] for row in orders()] == [100, -30, 50]
    # A second article of the same price, and one months later.
    tell("Order Refunded", "A", total=30, day="2025-02-06")
    assert [row[2] for row in orders()] == [70, -30, 50]
    bring_in(HEAD + "A,u1,2025-02-03,-30\nA,u1,2025-02-04,-30\n", "march.csv")
    tell("Order Refunded", "A", total=30, day="2025-06-06")
    assert [row[2] for row in orders()] == [70, -30, -30, 50]
    march = actions.Import.objects.get(title="march.csv")
    actions.undo(held=march)
    work()
    actions.undo(held=february)
    work()
    assert sum(row[2] for row in orders() if row[0].startswith("A")) == 10


def test_a_refund_among_the_lines_of_a_file_s_order_is_taken_off_once(tell: Any) -> None:
    """A discount is none, though it be as much."""
    told = "A,u1,2025-01-03,the,2,60\nA,u1,2025-01-09,the,-1,-30\n"
    bring_in(LINES + told + "B,u1,2025-01-04,the,1,60\nB,u1,2025-01-04,remise,1,-30\n")
    assert [row[2] for row in orders()] == [30, 30]
    tell("Order Refunded", "A", total=30, day="2025-01-09")
    tell("Order Refunded", "B", total=10, day="2025-01-09")
    tell("Order Refunded", "B", total=15, day="2025-01-09")
    assert [row[2] for row in orders()] == [30, 5]


def test_an_order_that_is_cancelled_has_no_returns(tell: Any) -> None:
    """It was counted as so much less than nothing, in money and in articles."""
    bring_in(LINES + "A,u1,2025-01-03,the,2,60\n")
    bring_in(LINES + "A,u1,2025-01-09,the,-1,-30\n", "february.csv")
    assert [row[2:] for row in orders()] == [(60, "purchase"), (-30, "return")]
    tell("Order Cancelled", "A", day="2025-01-10")
    assert {row[3] for row in orders()} == {"cancelled"}
    assert lake("SELECT DISTINCT kind FROM order_lines") == [("cancelled",)]


def test_undoing_either_file_leaves_what_the_other_and_events_told(tell: Any) -> None:
    first = bring_in(SALES)
    tell("Order Refunded", "A", total=30)
    february = HEAD + "A,u1,2025-02-03,-30\nD,u1,2025-02-04,3\n"
    second = bring_in(february, "february.csv")
    assert [row[2] for row in orders()] == [100, -30, 50, 3]
    actions.undo(held=second)
    work()
    assert [row[2] for row in orders()] == [70, 50]
    bring_in(february, "february-again.csv")
    assert [row[2] for row in orders()] == [100, -30, 50, 3]
    actions.undo(held=first)
    work()
    assert [row[2] for row in orders()] == [-30, 3]


def test_an_order_that_was_set_aside_is_refunded_once_it_is_corrected(tell: Any) -> None:
    tell("Order Refunded", "A", total=30)
    held = bring_in(SALES.replace("01-03", "13-03"))
    text = understanding.quarantine_of(held, 0).read_text(encoding="utf-8-sig")
    bring_in(text.replace("13-03", "01-03"), "mine.csv")
    assert orders()[0] == ("A", "2025-01-03", 70, "purchase")


def test_an_order_of_a_file_goes_with_its_import_whatever_was_given_back(tell: Any) -> None:
    first = bring_in(SALES)
    tell("Order Refunded", "A", total=30)
    second = bring_in(SALES.replace(",100", ",120"), "second.csv")
    tell("Order Refunded", "A", total=20)
    assert orders()[0][2] == 100
    actions.undo(held=second)
    work()
    assert orders()[0][2] == 70, "as it was before"
    actions.undo(held=first)
    work()
    assert orders() == []
    bring_in(SALES, "third.csv")
    tell("Order Refunded", "A", total=1)
    assert [row[2:] for row in orders()] == [(99, "purchase"), (50, "purchase")]


def test_an_update_leaves_the_day_and_replaces_the_lines_of_a_file(tell: Any) -> None:
    bring_in(LINES + "A,u1,2025-01-03,the,1,100\nA,u1,2025-01-03,lait,1,5\n"
             "A,u1,2025-01-03,riz,1,6\nB,u1,2025-01-03,the,1,7\n")  # fmt: skip
    tell("Order Refunded", "A", total=11)
    assert orders()[0] == ("A", "2025-01-03", 100, "purchase")
    assert lines("A") == [("lait", 5, 1), ("riz", 6, 1), ("the", 100, 1)]
    tell("Order Updated", "A", total=20, products=products("the", "pain"))
    assert orders()[0] == ("A", "2025-01-03", 9, "purchase")
    assert lines("A") == [("pain", 10, 1), ("the", 10, 1)]
    tell("Order Cancelled", "B")
    assert orders()[1][3] == "cancelled"
    assert lines("B") == []


def test_a_file_that_told_an_event_s_order_since_keeps_its_day_and_lines(tell: Any) -> None:
    tell("Order Completed", "A", total=20, products=products("the", "pain"))
    bring_in(LINES + "A,u1,2025-01-03,the,1,12\nA,u1,2025-01-03,lait,1,8\n"
             "B,u1,2025-01-03,the,1,7\n")  # fmt: skip
    tell("Order Refunded", "A", total=5)
    assert orders()[0] == ("A", "2025-01-03", 15, "purchase")
    assert lines("A") == [("lait", 8, 1), ("the", 12, 1)]


def test_a_refund_lands_once_whenever_the_worker_is_killed(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the lake is written, and after."""
    from revoir_web.common import jobs
    from revoir_web.ingest import inbox
    from revoir_web.ingest.models import SeenMessage

    bring_in(SALES)
    write = inbox._write
    for number, after in ((1, False), (2, True)):

        def killed(*args: Any, after: bool = after) -> None:
            if after:
                write(*args)
            raise OSError("killed")

        body = {
            "userId": "u1", "event": "Order Refunded", "messageId": f"r{number}",
            "properties": {"order_id": "A", "total": 10},
        }  # fmt: skip
        assert send(key, "track", body).status_code == 200
        monkeypatch.setattr(inbox, "_write", killed)
        jobs.enqueue("ingest.drain")
        work()
        assert SeenMessage.objects.count() == number - 1
        monkeypatch.setattr(inbox, "_write", write)
        drained()
        assert orders()[0][2] == 100 - 10 * number
