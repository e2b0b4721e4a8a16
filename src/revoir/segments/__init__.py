"""Parts of the customers: by RFM scores, and by rules the user writes.

Each name is imported when first used: whoever reads a rule alone needs no engine. `rfm` here is
the module; the function of that name is `revoir.rfm`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from revoir.segments.names import SEGMENTS, Segment, segment_named
    from revoir.segments.rfm import Cutoffs, Movement, Rfm, SegmentRow, movement
    from revoir.segments.rules import condition, customers_matching, dimension, split, tables_of

__all__ = [
    "SEGMENTS",
    "Cutoffs",
    "Movement",
    "Rfm",
    "Segment",
    "SegmentRow",
    "condition",
    "customers_matching",
    "dimension",
    "movement",
    "segment_named",
    "split",
    "tables_of",
]

_NAMES = ("SEGMENTS", "Segment", "segment_named")
_RULES = ("condition", "customers_matching", "dimension", "split", "tables_of")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'revoir.segments' has no attribute {name!r}")
    home = "names" if name in _NAMES else "rules" if name in _RULES else "rfm"
    return getattr(import_module(f"revoir.segments.{home}"), name)
