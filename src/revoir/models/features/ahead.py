"""What a model of purchases expects: how likely each customer is to stay silent for the window.

The histories of all customers by the cut-off are what the model (MBG/NBD) is fitted to, on each day
anew: it knows how old the shop's customers are, which figures of one customer do not say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from revoir.book import Book
from revoir.language import msg
from revoir.metrics.registry import Unit
from revoir.models.choosing import too_few
from revoir.models.counts import Floats, counted
from revoir.models.features.declaration import KEYS, Family, Feature, Moments
from revoir.models.features.orders import purchase_sums, rhythm_in_words
from revoir.models.mbg_nbd import MbgNbd
from revoir.models.validation import log_odds


def _expected(book: Book, moments: Moments) -> ir.Table:
    """The log-odds of silence of each customer, by cut-off; no row where too few bought again."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # The model learns from those who have gone as well, whoever is asked about.
    sums = purchase_sums(book, replace(moments, whose=None))
    rows = book.columns(sums.select(*KEYS, "purchase_days", "first_day", "last_day"))
    parts = []
    for day in moments.days:
        there = rows.filter(pc.equal(rows["cutoff"], day))
        silence = _silence(there, moments.window_days)
        if silence is not None:
            parts.append(there.select(KEYS).append_column("silence", pa.array(silence)))
    if not parts:
        return sums.select(*KEYS, silence=ibis.null("float64")).limit(0)
    return ibis.memtable(pa.concat_tables(parts))


def _silence(rows: Any, window_days: int) -> Floats | None:
    """The log-odds that each customer buys nothing within the window (None: too few to say)."""
    import pyarrow as pa

    first, last, cutoff = (
        rows[name].cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.float64)
        for name in ("first_day", "last_day", "cutoff")
    )
    frequency = rows["purchase_days"].to_numpy().astype(np.float64) - 1
    counts = counted(frequency, last - first, cutoff - first)
    if too_few(counts) is not None:
        return None
    none = MbgNbd().fit_counts(counts).ahead(window_days, counts).none
    return log_odds(none)[counts.at]


AHEAD = Family(
    "orders",
    ("customer_id",),
    _expected,
    (
        Feature(
            "expected_silence",
            msg("Expected silence, by the model of purchases"),
            Unit.RATIO,
            "rhythm",
            "orders",
            lambda table, moments: table.silence,
            msg("a purchase is not expected"),
            msg("a purchase is expected"),
            rhythm_in_words,
        ),
    ),
)
