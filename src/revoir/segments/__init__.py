"""Parts of the customers: by RFM scores, and by rules the user writes."""

from revoir.segments.names import SEGMENTS, Segment, segment_named
from revoir.segments.rfm import Cutoffs, Movement, Rfm, SegmentRow, movement, rfm
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
    "rfm",
    "segment_named",
    "split",
    "tables_of",
]
