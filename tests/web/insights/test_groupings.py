"""The columns that pages break figures down by."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from revoir import engines
from revoir.book import Book
from revoir_web.insights.figures import groupings


def book_of(channels: list[str | None]) -> Book:
    days = pa.array(["2024-01-05"] * len(channels)).cast(pa.date32())
    held: dict[str, Any] = {
        "customer_id": [f"c{n}" for n in range(len(channels))],
        "ordered_on": days,
        "amount": [10.0] * len(channels),
        "channel": pa.array(channels, pa.string()),
    }
    backend = engines.memory()
    backend.con.register("orders", pa.table(held))
    return Book(engines.open_tables(backend))


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ([None, None, None], ["segment"]),
        (["web", "web", "web"], ["segment"]),
        (["web", "shop", None], ["segment", "first_channel", "channel"]),
    ],
)
def test_a_column_without_two_values_breaks_nothing_down(
    channels: list[str | None], expected: list[str]
) -> None:
    assert groupings(book_of(channels)) == expected


def test_age_bands_break_figures_down() -> None:
    """They were not offered on the pages of metrics, though they had a name there."""
    backend = engines.memory()
    people = {"customer_id": ["a", "b"], "age_band": ["25-34", "65+"], "gender": ["f", "m"]}
    backend.con.register("customers", pa.table(people))
    assert groupings(Book(engines.open_tables(backend))) == ["gender", "age_band"]
