"""Customers of a book on a day, with their features, worth and what became of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from revoir.book import Book
from revoir.metrics.contracts import said_to_have_left
from revoir.models.departures import Definition, Kind, present, with_worth
from revoir.models.features.compute import Choice, feature_table
from revoir.models.learning import Examples, folds_of, marks_of, numbers_of
from revoir.models.matrix import Matrix, levels_of, matrix_of, stacked
from revoir.models.validation import Bools, Floats
from revoir.visits import visits

if TYPE_CHECKING:
    import pyarrow as pa

EXAMPLES_MAX = 200_000
"""More examples than this make learning slower and no better."""
ROWS_MAX = 1_500_000
"""So many customers times days are asked of the engine at a time."""


@dataclass(frozen=True)
class Snapshot:
    """The customers who are there on a day, in the order of their identifiers.

    Attributes:
        day: The day (None: the file has no days).
        table: `customer_id`, `left` (of use where it is known by now), `worth`, and the features.
    """

    day: dt.date | None
    table: pa.Table

    def __len__(self) -> int:
        rows: int = self.table.num_rows
        return rows

    @property
    def left(self) -> Bools:
        """Who left within the window after the day."""
        found: Bools = self.table["left"].to_numpy()
        return found

    @property
    def worth(self) -> Floats:
        """What each customer brings in a year; not a number where that is not known."""
        found: Floats = self.table["worth"].to_numpy()
        return found

    @property
    def customers(self) -> list[str]:
        """Their identifiers."""
        names: list[str] = self.table["customer_id"].to_pylist()
        return names

    def matrix(self, choice: Choice, levels: Mapping[str, tuple[str, ...]]) -> Matrix:
        """Their features as numbers."""
        return matrix_of(self.table, choice.features, levels)

    def thinned(self, share: float, seed: int) -> Snapshot:
        """A share of the customers, the same ones on every day and engine."""
        if share >= 1:
            return self
        kept = numbers_of(self.customers, seed + 1) % 1_000_000 < share * 1_000_000
        return Snapshot(self.day, self.table.filter(kept))


def snapshots(
    book: Book, definition: Definition, choice: Choice, days: Sequence[dt.date]
) -> list[Snapshot]:
    """Look at a book as it stood at the end of some days.

    Args:
        book: The company's tables.
        definition: What leaving means.
        choice: The features.
        days: The days (none: the file has none).

    Returns:
        The customers who were there, one snapshot a day in the order of the days; one snapshot
        where there are no days.
    """
    if definition.kind is Kind.FILE:
        customers = with_worth(book, definition, said_to_have_left(book), ())
        table = book.columns(feature_table(book, choice.features, None, customers))
        return [Snapshot(None, table.sort_by("customer_id"))]
    # Several days are one query; of very many customers one day is large enough.
    at_once = max(1, ROWS_MAX // max(_buyers(book, definition), 1))
    parts = [days[start : start + at_once] for start in range(0, len(days), at_once)]
    return [one for part in parts for one in _looked_at(book, definition, choice, part)]


def _looked_at(
    book: Book, definition: Definition, choice: Choice, days: Sequence[dt.date]
) -> list[Snapshot]:
    import pyarrow.compute as pc

    # Kept on the engine: each family then groups the rows of these customers alone.
    name = f"there {definition.kind} {definition.window_days} {[str(day) for day in days]}"
    there = book.cached(name, present(book, definition, days))
    customers = with_worth(book, definition, there, days)
    moments = definition.moments(days, there)
    features = feature_table(book, choice.features, moments, customers)
    table = book.columns(features).sort_by("customer_id")
    return [Snapshot(day, table.filter(pc.equal(table["cutoff"], day))) for day in days]


def _buyers(book: Book, definition: Definition) -> int:
    """How many customers the records that leaving is read from know."""
    name = {Kind.VISITS: "events", Kind.SUBSCRIPTIONS: "subscriptions"}.get(
        definition.kind, "orders"
    )

    def count() -> int:
        held = visits(book) if name == "events" else book.table(name)
        row = book.rows(held.aggregate(n=lambda t: t.customer_id.nunique()))[0]
        return int(row["n"])

    return book.once(f"customers of {name}", count)


def examples_of(snapshots: Sequence[Snapshot], choice: Choice, seed: int = 0) -> Examples:
    """Put customers of several days together to learn from.

    Args:
        snapshots: One a day; of very many customers a share is taken, the same on each day.
        choice: The features.
        seed: Chooses the share and the folds.

    Returns:
        The examples; those of a day in an order that is made from what is known of them, as their
        folds are, so that names change nothing.
    """
    import pyarrow as pa

    total = sum(len(one) for one in snapshots)
    kept = [one.thinned(EXAMPLES_MAX / max(total, 1), seed) for one in snapshots]
    levels = levels_of(pa.concat_tables([one.table for one in kept]), choice.features)
    matrix = stacked([one.matrix(choice, levels) for one in kept])
    names = pa.chunked_array(
        [chunk for one in kept for chunk in one.table["customer_id"].chunks]
    ).combine_chunks()
    customer = names.dictionary_encode().indices.to_numpy().astype(np.int64)
    left, worth = (
        np.concatenate([getattr(one, name) for one in kept]) for name in ("left", "worth")
    )
    counts = tuple(len(one) for one in kept)
    day = np.repeat(np.arange(len(counts)), counts)
    marks = marks_of(np.column_stack([matrix.values, left, day]), seed)
    order = np.lexsort((marks, day))
    return Examples(
        matrix.rows(order), left[order], worth[order], customer[order],
        folds_of(customer, marks)[order], counts,
        dated=any(one.day is not None for one in kept),
    )  # fmt: skip
