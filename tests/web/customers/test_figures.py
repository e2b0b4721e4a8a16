"""Figures written after a computation: those that changed, and no others."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection

from revoir_web.common import bulk
from revoir_web.customers import actions, figures
from revoir_web.customers.models import Customer, CustomerFigures, SegmentAverage

pytestmark = pytest.mark.django_db
DAY = dt.date(2025, 3, 1)


@pytest.fixture
def ids(company: Any) -> list[str]:
    made = actions.resolve_many([{"customer_id": f"C{n}"} for n in range(7)], source="test")
    actions.index_waiting()
    return made


def computed(ids: list[str], **changes: Any) -> pa.Table:
    """What the engine gives, with its types."""
    count = len(ids)
    columns = {
        "customer_id": pa.array(ids),
        "orders": pa.array([2] * count),
        "revenue": pa.array([Decimal("10.50")] * count, pa.decimal128(18, 2)),
        "first_on": pa.array([DAY] * count),
        "last_on": pa.array([DAY] * count),
        "gap_days": pa.array([None] * (count - 1) + [3.14159]),
        "segment": pa.array(["loyal"] * (count - 1) + [None]),
        "status": pa.array(["active"] * count),
    }
    return pa.table(columns | changes)


def held(id: str) -> CustomerFigures:
    return CustomerFigures.objects.get(pk=id)


def test_what_is_the_same_is_not_written(ids: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "PART", 2)
    said: list[tuple[int, int]] = []
    table = computed(ids)
    assert actions.write_figures(table, tell=lambda *told: said.append(told)) == 7
    assert said == [(2, 7), (4, 7), (6, 7), (7, 7)]
    last = held(ids[-1])
    assert (last.revenue, last.gap_days, last.segment, last.rfm) == (Decimal("10.50"), 3.1, "", "")
    assert (last.first_on, last.last_contact_on, last.status) == (DAY, None, "active")
    assert actions.write_figures(table) == 0
    amounts = [Decimal("10.50")] * 6 + [Decimal("10.51")]
    table = computed(ids, revenue=pa.array(amounts, pa.decimal128(18, 2)))
    assert actions.write_figures(table) == 1
    assert held(ids[-1]).revenue == Decimal("10.51")
    assert SegmentAverage.objects.get(pk="loyal").customers == 6


def test_who_is_not_named_has_no_figures_any_more(ids: list[str]) -> None:
    actions.write_figures(computed(ids))
    CustomerFigures.objects.filter(pk=ids[1]).update(last_contact_on=DAY)
    some = computed(ids[2:])
    assert actions.write_figures(some) == 0
    assert held(ids[1]).orders == 2
    assert actions.write_figures(some, complete=True) == 2
    gone = held(ids[1])
    assert (gone.orders, gone.revenue, gone.segment, gone.status) == (0, 0, "", "prospect")
    assert gone.first_on is None
    # What is known of contacts is not of purchases.
    assert gone.last_contact_on == DAY
    assert actions.write_figures(some, complete=True) == 0
    assert actions.write_figures([], complete=True) == 5


def test_only_what_is_said_is_changed(ids: list[str]) -> None:
    actions.write_figures(computed(ids))
    rows = [
        {"customer_id": ids[0], "orders": 3, "status": "nobody knows"},
        {"customer_id": ids[1], "last_on": dt.datetime(2025, 4, 1, 12), "gap_days": None},
        {"customer_id": ids[6], "gap_days": None, "revenue": 0.1 + 0.2},
        {"customer_id": "", "orders": 9},
        {"customer_id": "0" * 32, "orders": 9},
    ]
    assert actions.write_figures(rows) == 3
    first, second, last = (held(ids[n]) for n in (0, 1, 6))
    assert (first.orders, first.status, first.revenue) == (3, "active", Decimal("10.50"))
    assert (second.last_on, second.orders) == (dt.date(2025, 4, 1), 2)
    assert (last.gap_days, last.revenue) == (None, Decimal("0.30"))
    assert CustomerFigures.objects.count() == 7


def test_a_row_is_compared_by_its_values(ids: list[str]) -> None:
    names = ("name", "birth_date")
    day = str(DAY) if connection.vendor == "sqlite" else DAY
    rows = [("Zoé", day, ids[0]), ("", None, ids[1]), (None, None, ids[2])]
    assert bulk.update_changed(Customer, "id", names, rows) == 1
    assert bulk.update_changed(Customer, "id", names, rows) == 0
    assert bulk.update_changed(Customer, "id", names, [("Zoé", None, ids[0])]) == 1
    # A name cannot be nothing: it stays.
    assert bulk.update_changed(Customer, "id", ["name"], [(None, ids[0])]) == 0
    assert Customer.objects.get(pk=ids[0]).name == "Zoé"
    assert bulk.update_changed(Customer, "id", names, []) == 0
