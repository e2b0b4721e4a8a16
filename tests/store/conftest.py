"""Rows of orders and customers, and lakes to put them in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from revoir import engines
from revoir.store import Lake


def orders(numbers: Sequence[Any], *, customer: str = "c", amount: int = 10) -> pa.Table:
    return pa.table(
        {
            "order_id": pa.array([None if n is None else str(n) for n in numbers], pa.string()),
            "customer_id": pa.array([f"{customer}{n}" for n in numbers], pa.string()),
            "ordered_at": pa.array(
                [dt.datetime(2024, 1, 1) + dt.timedelta(days=n or 0) for n in numbers],
                pa.timestamp("us"),
            ),
            "ordered_on": pa.array(
                [dt.date(2024, 1, 1) + dt.timedelta(days=n or 0) for n in numbers], pa.date32()
            ),
            "amount": pa.array([Decimal(amount)] * len(numbers), pa.decimal128(18, 4)),
            "kind": pa.array(["purchase"] * len(numbers), pa.string()),
        }
    )


def rows_of(lake: Lake, table: str, at: Any = None) -> list[dict[str, Any]]:
    """The rows of a table, as the engine reads them."""
    backend = engines.memory(threads=1)
    try:
        tables = lake.tables(backend, at=at)
        if table not in tables:
            return []
        columns = tables[table].columns
        found = backend.con.execute(backend.compile(tables[table])).fetchall()
        return [dict(zip(columns, row, strict=True)) for row in found]
    finally:
        backend.disconnect()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.create(tmp_path / "lake")


@pytest.fixture
def amounts(lake: Lake) -> Callable[..., dict[str, int]]:
    """The amount of each order in the lake."""

    def found(at: Any = None) -> dict[str, int]:
        return {row["order_id"]: int(row["amount"]) for row in rows_of(lake, "orders", at)}

    return found
