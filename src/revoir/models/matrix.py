"""Features of many customers as one matrix of numbers, texts as numbers of their levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

    from revoir.models.features.declaration import Feature

Floats = npt.NDArray[np.float64]

LEVELS_MAX = 30
"""So many different texts of a feature are told apart, the most frequent ones."""
LEVEL_CUSTOMERS_MIN = 20
"""A text that fewer customers have says nothing of them."""
OTHER = "…"
"""The level of texts that are not told apart."""


@dataclass(frozen=True)
class Matrix:
    """Customers by features.

    Attributes:
        values: One row a customer, one column a feature; not a number where there is no value.
        names: What the columns are.
        levels: For each feature of texts, the text that each number stands for.
    """

    values: npt.NDArray[np.float32]
    names: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.values)

    def rows(self, chosen: npt.NDArray[Any]) -> Matrix:
        """Some of the customers."""
        return Matrix(self.values[chosen], self.names, self.levels)

    def column(self, name: str) -> npt.NDArray[np.float32]:
        """One feature."""
        found: npt.NDArray[np.float32] = self.values[:, self.names.index(name)]
        return found

    def known(self, row: int) -> dict[str, Any]:
        """The features of one customer as they are said: texts as texts, None without a value."""
        found: dict[str, Any] = {}
        for name, value in zip(self.names, self.values[row].tolist(), strict=True):
            if np.isnan(value):
                found[name] = None
            else:
                found[name] = self.levels[name][int(value)] if name in self.levels else value
        return found


def levels_of(table: pa.Table, features: Sequence[Feature]) -> dict[str, tuple[str, ...]]:
    """The texts that are told apart, by feature, in the order of the alphabet.

    Args:
        table: The customers that a model learns from.
        features: The features.

    Returns:
        The levels; `OTHER` is the last one. A feature whose customers all share one level has none.
    """
    import pyarrow.compute as pc

    found = {}
    for one in features:
        if not one.is_category:
            continue
        counts = {
            entry["values"]: entry["counts"]
            for entry in pc.value_counts(table[one.name]).to_pylist()
            if entry["values"] is not None
        }
        frequent = sorted(counts, key=lambda text: (-counts[text], text))[:LEVELS_MAX]
        kept = sorted(text for text in frequent if counts[text] >= LEVEL_CUSTOMERS_MIN)
        found[one.name] = (*kept, OTHER) if kept else ()
    return found


def matrix_of(
    table: pa.Table, features: Sequence[Feature], levels: Mapping[str, tuple[str, ...]]
) -> Matrix:
    """Turn a table of features into numbers.

    Args:
        table: One row a customer, with a column a feature.
        features: The features; those of texts without a level are left out.
        levels: The texts that are told apart (`levels_of`).

    Returns:
        The matrix.
    """
    kept = [one for one in features if not one.is_category or levels.get(one.name)]
    values = np.empty((table.num_rows, len(kept)), dtype=np.float32)
    for place, one in enumerate(kept):
        if one.is_category:
            values[:, place] = _numbered(table[one.name], levels[one.name])
        else:
            values[:, place] = table[one.name].to_numpy()
    values[~np.isfinite(values)] = np.nan
    named = {one.name: levels[one.name] for one in kept if one.is_category}
    return Matrix(values, tuple(one.name for one in kept), named)


def _numbered(column: pa.ChunkedArray, levels: tuple[str, ...]) -> npt.NDArray[np.float32]:
    import pyarrow as pa
    import pyarrow.compute as pc

    place = pc.index_in(column, value_set=pa.array(levels[:-1], column.type))
    place = pc.if_else(pc.is_null(column), None, pc.fill_null(place, len(levels) - 1))
    numbers: npt.NDArray[np.float32] = place.to_numpy().astype(np.float32)
    return numbers


def stacked(matrices: Sequence[Matrix]) -> Matrix:
    """The customers of several matrices below one another."""
    first = matrices[0]
    values = np.concatenate([one.values for one in matrices])
    return Matrix(values, first.names, first.levels)
