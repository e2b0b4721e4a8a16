"""Columns that get another type: rows, batches, what was replaced and what was, all stay."""

from __future__ import annotations

from typing import Any

import ibis
import pyarrow as pa
import pytest

from revoir.store import replaced
from revoir.store.place import Place
from revoir.store.retype import as_text, retype


def sales(first: int, last: int, size: Any) -> pa.Table:
    numbers = range(first, last)
    return pa.table(
        {"order_id": [str(n) for n in numbers], "amount": [10.0 * n for n in numbers],
         "size": [size] * len(numbers)}
    )  # fmt: skip


def sizes(lake, at=None):
    rows = lake.tables(ibis.duckdb.connect(), at=at)["orders"].to_pyarrow().to_pylist()
    return {row["order_id"]: row["size"] for row in rows}


def test_what_was_replaced_comes_back_in_the_new_type(lake):
    lake.append("orders", sales(1, 4, 36), batch="a")
    lake.upsert("orders", sales(2, 4, 38), batch="b")
    before = lake.version
    retype(lake.place, "orders", {"size": "VARCHAR"})
    retype(lake.place, "orders", {"size": "VARCHAR"})
    assert sizes(lake) == {"1": "36", "2": "38", "3": "38"}
    assert sizes(lake, before) == {"1": 36, "2": 38, "3": 38}
    assert [(one.batch, one.rows) for one in lake.batches()] == [
        ("a", {"orders": 1}), ("b", {"orders": 2}),
    ]  # fmt: skip
    assert lake.append("orders", sales(1, 4, "36"), batch="a").already
    lake.append("orders", sales(7, 8, "M"), batch="c")
    lake.upsert("orders", sales(1, 2, "L"), batch="d")
    lake.undo("b")
    assert sizes(lake) == {"1": "L", "2": "36", "3": "36", "7": "M"}
    lake.undo("d")
    lake.undo("a")
    assert sizes(lake) == {"7": "M"}
    assert all(finding.sound for finding in lake.verify())


def test_whoever_is_killed_between_the_two_tables_goes_on(lake, monkeypatch):
    lake.append("orders", sales(1, 4, 36), batch="a")
    lake.upsert("orders", sales(2, 4, 38), batch="b")
    opened = Place.open

    def killed(self: Place, name: str, *rest: Any) -> Any:
        if name == "orders":
            raise KeyboardInterrupt
        return opened(self, name, *rest)

    monkeypatch.setattr(Place, "open", killed)
    with pytest.raises(KeyboardInterrupt):
        retype(lake.place, "orders", {"size": "VARCHAR"})
    monkeypatch.undo()
    pile = lake.place.open(replaced.name_of("orders")).to_pyarrow_table()
    assert set(pile.column("size").to_pylist()) == {"36"}
    lake.undo("b")
    assert sizes(lake) == {"1": 36, "2": 36, "3": 36}
    retype(lake.place, "orders", {"size": "VARCHAR"})
    assert sizes(lake) == {"1": "36", "2": "36", "3": "36"}


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("36", "BIGINT", "36"), ("36.0", "DOUBLE", "36"), ("36.5", "DOUBLE", "36.5"),
        ("100", "DECIMAL(18,4)", "100"), ("1.5", "DECIMAL(18,4)", "1.5"),
        ("DATE '2025-03-01'", "DATE", "2025-03-01"),
        ("TIMESTAMP '2025-03-01'", "TIMESTAMP", "2025-03-01"),
        ("TIMESTAMP '2025-03-01 10:00'", "TIMESTAMP", "2025-03-01 10:00:00"),
        ("true", "BOOLEAN", "true"),
    ],
)  # fmt: skip
def test_the_same_value_is_the_same_text(value: str, kind: str, text: str) -> None:
    import duckdb

    cell = f"CAST({value} AS {kind})"
    assert duckdb.sql(f"SELECT {as_text(cell, kind)}").fetchall() == [(text,)]
