"""Since when contracts that end are known: exports often hold those that ran on a day, and later.

Whoever ended before that day is missing, and those who are there were bound to outlast it: counted
from their first day, as if they had been watched since, they would stay far too long. They count
from that day on alone (delayed entry).

Source:
    Andersen, Borgan, Gill & Keiding (1993), Statistical Models Based on Counting Processes,
    section III.4 (left truncation); Nelson (1972), Technometrics 14, 945–966 (cumulative hazard).
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt

from revoir.book import Book
from revoir.language import Message, msg
from revoir.metrics.boundaries import START, UNTIL
from revoir.metrics.calendar import date
from revoir.metrics.contracts import as_stays

Ints = npt.NDArray[np.int64]
MISSED_MIN = 10.0
"""Where so many ends were to be expected and there is none, they are missing: of as many as that,
none would come by chance once in 22,000 times (Poisson)."""


def observed_from(book: Book) -> dt.date | None:
    """The day from which on the ends of contracts are known.

    What was to be expected before the first end is read from those after it, by the age of
    contracts: where none can end within its first year, none is missed there.

    Args:
        book: The company's tables, subscriptions with days among them.

    Returns:
        The day before the first end that is known; None where no end seems to be missing.
    """
    return book.once("contracts observed from", lambda: _observed_from(book))


def missing_before(day: dt.date) -> Message:
    """What to say where contracts that ended before a day are missing."""
    return msg(
        "No contract is known to have ended before {day}, although many had begun long before:"
        " those that ended earlier seem to be missing.",
        day=day,
    )


def not_observed(book: Book, day: dt.date) -> Message | None:
    """Why what became of contracts from a day on is not known (None: it is)."""
    since = observed_from(book)
    return missing_before(since) if since is not None and day < since else None


def _observed_from(book: Book) -> dt.date | None:
    if not book.has("subscriptions", "started_at", "ended_at"):
        return None
    rows = book.table("subscriptions")
    stays = as_stays(book, rows.filter(rows.customer_id.notnull()))
    over = stays[UNTIL] <= date(book.as_of)
    counted = stays.group_by(start=stays[START], until=over.ifelse(stays[UNTIL], date(book.as_of)),
                             left=over).aggregate(n=stays.count())  # fmt: skip
    found = book.columns(counted)
    if not found.num_rows:
        return None
    start, until = (
        found[name].to_numpy().astype("datetime64[D]").astype(np.int64)
        for name in ("start", "until")
    )
    left, n = found["left"].to_numpy().astype(bool), found["n"].to_numpy().astype(np.int64)
    if not left.any():
        return None
    first = int(until[left].min()) - 1
    if _missed(start, until, left, n, first) <= MISSED_MIN:
        return None
    day: dt.date = np.datetime64(first, "D").item()
    return day


def _missed(start: Ints, until: Ints, left: Ints, n: Ints, first: int) -> float:
    """How many ends were to be expected before a day, by what came after it."""
    entry, duration = np.maximum(first - start, 0), until - start
    known = duration > entry
    ages = np.unique(duration[known & left])
    ended = np.bincount(
        np.searchsorted(ages, duration[known & left]), n[known & left], minlength=len(ages)
    )
    # Of those who were watched at an age: who had come in before it, less who were gone by then.
    at_risk = _below(entry[known], n[known], ages) - _below(duration[known], n[known], ages)
    hazard = np.concatenate([[0.0], np.cumsum(ended / at_risk)])
    before = np.searchsorted(ages, np.minimum(entry, duration), side="right")
    return float((n * hazard[before]).sum())


def _below(values: Ints, n: Ints, ages: Ints) -> Ints:
    """How many values lie below each age."""
    order = np.argsort(values, kind="stable")
    total = np.concatenate([[0], np.cumsum(n[order])])
    found: Ints = total[np.searchsorted(values[order], ages, side="left")]
    return found
