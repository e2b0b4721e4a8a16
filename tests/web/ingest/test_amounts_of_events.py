"""Amounts as sites write them, and orders of which an event tells a part."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from revoir_web.ingest import actions, commerce

from .conftest import bring_in, drained, lake, send, work

UTC = ZoneInfo("UTC")


def order(*told: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What comes of events, each an hour after the one before; `day` says otherwise."""
    held = commerce.Order()
    for place, properties in enumerate(told):
        at = dt.datetime(2025, 1, properties.pop("day", place + 1), tzinfo=dt.UTC)
        event = properties.pop("event", "Order Updated")
        held.hear(event, properties, message=f"m{place}", at=at, customer="c")
    row, lines = held.rows("A", UTC)
    assert row is not None
    return row, lines


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("27,50", "27.5"), ("27,5000", "27.5"), ("1 234,50 €", "1234.5"), ("12.5EUR", "12.5"),
        ("1\u202f234,5", "1234.5"), ("1,234.50", "1234.5"), ("1.234,50", "1234.5"),
        ("$1,234,567", "1234567"), ("-3,2", "-3.2"), ("1.234", "1.234"), (" 7 ", "7"),
        ("1,234", None), ("1,234,50", None), ("12 50", None), ("gratuit", None), ("", None),
        (None, None), ("1,2.3,4", None), ([27.5], None), (True, None),
    ],
)  # fmt: skip
def test_an_amount_as_people_write_it(written: Any, amount: str | None) -> None:
    """“27,50” was no number, and the order came to nothing."""
    row, _lines = order({"total": written})
    assert row["amount"] == (None if amount is None else Decimal(amount))
    assert row["kind"] == ("return" if written == "-3,2" else "purchase")


@pytest.mark.parametrize("said", [{}, {"products": []}, {"products": [{"name": "Thé"}]}])
def test_an_amount_that_nobody_said_is_not_nothing(said: dict[str, Any]) -> None:
    """An order without an amount was one of 0 euros, and the mean basket fell."""
    row, lines = order(said)
    assert (row["amount"], row["kind"]) == (None, "purchase")
    assert [line["amount"] for line in lines] == [None] * len(said.get("products", []))
    assert order({"total": 0})[0]["amount"] == 0
    row, _lines = order(said, {"event": "Order Refunded", "total": 3})
    assert (row["amount"], row["refunded"], row["kind"]) == (None, 3, "purchase")
    for gone in ({"event": "Order Cancelled"}, {"event": "Order Refunded"}):
        assert order(said, gone)[0]["kind"] == "cancelled"


def test_a_refund_of_articles_gives_back_their_prices() -> None:
    """Of an order of several articles one came back, and all of it was taken off."""
    lines = [
        {"product_id": "t1", "name": "Thé", "price": 9, "quantity": 2},
        {"sku": "r1", "name": "Riz", "price": "3,50"}, {"name": "Sel"},
    ]  # fmt: skip
    placed = {"total": 21.5, "products": lines, "event": "Order Completed"}
    for articles, left in (
        ([{"product_id": "t1"}], 12.5), ([{"id": "t1", "quantity": 2}, {"name": "Riz"}], 0),
        ([{"name": "Riz", "price": 2}], 19.5), ([{"name": "Sel"}], 0), ([{"name": "Lait"}], 0),
        ([{"name": "Riz"}, {"name": "Lait"}], 0), ([], 0),
    ):  # fmt: skip
        refund = {"event": "Order Refunded", "products": articles}
        for told in ((placed, refund), (refund, placed)):
            row, _lines = order(*map(dict, told))
            assert (row["amount"] if row["kind"] == "purchase" else 0) == Decimal(str(left))
    # Of what was sold for less, no more is given back than was paid.
    refunds = [{"event": "Order Refunded", "products": [{"name": name}]} for name in ("Thé", "Riz")]
    row, _lines = order({**placed, "total": 10}, *refunds)
    assert (row["kind"], row["refunded"]) == ("cancelled", 10)


def test_an_update_that_says_nothing_of_money_leaves_it() -> None:
    """An order that was told to be on its way came to nothing, and lost its lines."""
    lines = [{"name": "Thé", "price": 9, "quantity": 2}]
    row, made = order({"total": 20, "products": lines, "currency": "CHF"}, {"status": "shipped"})
    assert (row["amount"], row["currency"], len(made)) == (20, "CHF", 1)
    row, made = order({"total": 20, "products": lines}, {"total": 25})
    assert (row["amount"], len(made)) == (25, 1)
    assert order({"total": 20, "products": lines}, {"products": []})[1] == []


def test_each_part_is_what_the_newest_event_tells_of_it() -> None:
    told = (
        {"total": 20, "products": [{"name": "Thé", "price": 20}]},
        {"total": 30, "currency": "CHF"},
        {"affiliation": "Boutique"},
        {"products": [{"name": "Riz"}], "currency": "EUR"},
    )
    for some in permutations([{**part, "day": day} for day, part in enumerate(told, 1)]):
        row, lines = order(*map(dict, some))
        assert (row["amount"], row["currency"], row["channel"]) == (30, "EUR", "Boutique")
        assert [line["product"] for line in lines] == ["Riz"]
        assert row["ordered_on"] == dt.date(2025, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_an_update_that_says_nothing_of_money_leaves_the_lines_of_a_file(key: str) -> None:
    bring_in("order_id,client,date,produit,quantite,montant\nA,u1,2025-01-03,Thé,1,10\n")
    update = {"event": "Order Updated", "properties": {"order_id": "A", "status": "shipped"}}
    assert send(key, "track", {"userId": "u1", **update}).status_code == 200
    drained()
    assert lake("SELECT CAST(amount AS INT), kind FROM orders") == [(10, "purchase")]
    assert lake("SELECT product, CAST(amount AS INT) FROM order_lines") == [("Thé", 10)]


@pytest.mark.django_db(transaction=True)
def test_an_amount_alone_leaves_the_lines_of_a_file(key: str) -> None:
    """They came to nothing, and their products were never sold."""
    rows = "A,u1,2025-01-03,Thé,1,12\nA,u1,2025-01-03,Riz,1,8\n"
    held = bring_in(f"order_id,client,date,produit,quantite,montant\n{rows}")
    update = {"event": "Order Updated", "properties": {"order_id": "A", "total": 18}}
    for turn in range(2):
        body = {"userId": "u1", "messageId": f"m{turn}", **update}
        assert send(key, "track", body).status_code == 200
        drained()
    told = "SELECT CAST(amount AS INT), kind, CAST(ordered_on AS VARCHAR) FROM orders"
    assert lake(told) == [(18, "purchase", "2025-01-03")]
    assert lake("SELECT product, CAST(amount AS INT), kind FROM order_lines ORDER BY 1") == [
        ("Riz", 8, "purchase"), ("Thé", 12, "purchase"),
    ]  # fmt: skip
    refund = {"event": "Order Refunded", "properties": {"order_id": "A", "total": 3}}
    assert send(key, "track", {"userId": "u1", **refund}).status_code == 200
    drained()
    assert lake(told) == [(15, "purchase", "2025-01-03")]
    actions.undo(held=held)
    work()
    assert lake("SELECT count(*) FROM order_lines") == [(0,)]


@pytest.mark.django_db(transaction=True)
def test_what_a_file_knows_of_an_order_without_an_amount_counts(key: str) -> None:
    for event, said in (("Order Completed", {}), ("Order Refunded", {"total": 30})):
        body = {"userId": "u1", "event": event, "properties": {"order_id": "A", **said}}
        assert send(key, "track", body).status_code == 200
    drained()
    amounts = "SELECT CAST(amount AS INT), CAST(refunded AS INT), kind FROM orders"
    assert lake(amounts) == [(None, 30, "purchase")]
    bring_in("order_id,client,date,montant\nA,u1,2025-01-03,100\n")
    assert lake(amounts) == [(70, 30, "purchase")]
