"""Columns of a file that give away who left: written afterwards, they are of no use beforehand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from revoir.language import msg
from revoir.models.features.compute import Choice
from revoir.models.snapshots import Snapshot, examples_of
from revoir.models.validation import Bools, Floats, auc

Column = npt.NDArray[np.float32]

TELL_TALE = 0.99
"""A column of a file that ranks so well was written after customers left."""


def without_tell_tales(look: Snapshot, choice: Choice) -> Choice:
    """The choice without columns that alone say who left: they would not be there beforehand.

    Args:
        look: The customers of a file that says who left.
        choice: Its columns.

    Returns:
        The choice; what was left out is told with the reason.
    """
    if not 0 < look.left.sum() < len(look):
        return choice
    kept, told = [], list(choice.left_out)
    for feature in choice.features:
        examples = examples_of([look], Choice((feature,), ()))
        if not examples.matrix.names:
            kept.append(feature)
            continue
        column, left = examples.matrix.column(feature.name), examples.left
        score = _by_value(column, left) if feature.is_category else _filled(column)
        found = auc(score, left).value
        if max(found, 1 - found) >= TELL_TALE:
            told.append((feature, msg("it alone says who left, as if written afterwards")))
        else:
            kept.append(feature)
    return Choice(tuple(kept), tuple(told))


def _by_value(column: Column, left: Bools) -> Floats:
    """The share of each text that left; those without one are a text of their own."""
    which = np.where(np.isnan(column), -1, column).astype(np.int64) + 1
    shares: Floats = np.bincount(which, weights=left) / np.maximum(np.bincount(which), 1)
    return shares[which]


def _filled(column: Column) -> Floats:
    filled: Floats = np.where(np.isnan(column), -np.inf, column.astype(np.float64))
    return filled
