"""What multiplies the rate of leaving: Cox's regression on what was known on the first day."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir
import numpy as np

from revoir.book import Book
from revoir.language import Message, Number, msg
from revoir.models.departures import Definition, Kind
from revoir.models.features.compute import columns_of_file, feature_table
from revoir.models.learning import numbers_of
from revoir.models.stays import groups, known_first
from revoir.models.validation import Estimate, Floats

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SAMPLE = 20_000
"""Customers that the regression is fitted to: with more, intervals are narrower than matters."""
LEVEL_CUSTOMERS_MIN = 20
LEVEL_EVENTS_MIN = 5
LEVELS_MAX = 8
EVENTS_A_TERM = 10
"""Leavers that each term needs (Peduzzi et al. 1995, Journal of Clinical Epidemiology 48)."""
GROWS = 0.7
"""A figure that goes with the time watched so closely was added up over it."""


@dataclass(frozen=True)
class Hazard:
    """One term of the regression.

    Attributes:
        column: The column.
        level: The text that is compared (None: the column is a figure).
        reference: The text it is compared with (None: the column is a figure, by one standard
            deviation).
        ratio: By what the rate of leaving is multiplied.
        p: The probability of so far from 1 by chance.
    """

    column: str
    level: str | None
    reference: str | None
    ratio: Estimate
    p: float


@dataclass(frozen=True)
class Hazards:
    """A Cox regression.

    Attributes:
        terms: The terms, the furthest from 1 first.
        customers: How many customers it was fitted to.
        left: How many of them left.
        concordance: How often the one of two customers who left first had the higher rate.
        left_out: Columns that were not used, with the reason.
    """

    terms: tuple[Hazard, ...]
    customers: int
    left: int
    concordance: float
    left_out: tuple[tuple[str, Message], ...]

    @property
    def sentence(self) -> Message:
        """What the ratios are, before they are listed."""
        return msg(
            "By what the rate of leaving is multiplied (Cox; {n} customers, concordance {c}):",
            n=self.customers,
            c=Number(self.concordance, 2),
        )

    def records(self) -> list[dict[str, Any]]:
        """The terms as plain values."""
        return [
            {
                "column": term.column,
                "level": term.level,
                "reference": term.reference,
                "hazard_ratio": term.ratio.value,
                "low": term.ratio.low,
                "high": term.ratio.high,
                "p": term.p,
            }
            for term in self.terms
        ]


def hazards(
    book: Book, definition: Definition, table: ir.Table, by: str | None, seed: int
) -> Hazards | None:
    """Fit Cox's regression to the first stays of customers.

    Args:
        book: The company's tables.
        definition: What leaving means.
        table: `customer_id`, `duration`, `left` (`revoir.models.stays.stays`).
        by: A column besides (None: none).
        seed: Chooses the sample of very many customers.

    Returns:
        The regression; None where nothing was known on the first day, or too few left.
    """
    beside, names = _covariates(book, definition, table, by)
    if not names:
        return None
    rows = book.columns(beside).sort_by("customer_id")
    if rows.num_rows > SAMPLE:
        share = SAMPLE / rows.num_rows
        drawn = numbers_of(rows["customer_id"].to_pylist(), seed + 2) % 1_000_000
        rows = rows.filter(drawn < share * 1_000_000)
    return fit(rows, names)


def _covariates(
    book: Book, definition: Definition, table: ir.Table, by: str | None
) -> tuple[ir.Table, list[str]]:
    """The stays beside what was known of each customer on the first day."""
    if definition.kind is Kind.FILE:
        choice = columns_of_file(book, without=_held(book, ("tenure_months",)))
        found = feature_table(book, choice.features, None, table)
        short = {one.name.partition(".")[2]: one.name for one in choice.features}
        names = list(short)
        return found.rename(**short), names
    columns = list(dict.fromkeys([*([by] if by else []), *known_first(book, definition)]))
    for name in columns:
        lookup = groups(book, definition, name).rename(other_id="customer_id", **{name: "value"})
        if name in table.columns:
            table = table.drop(name)
        table = table.left_join(lookup, table.customer_id == lookup.other_id).drop("other_id")
    if definition.kind is Kind.PURCHASES and len(book.currencies) < 2:
        bought = book.purchases
        first = bought.filter((bought.nth == 1) & (bought.previous_day.isnull()))
        first = first.select(
            other_id="customer_id", first_amount=first.first_amount.cast("float64")
        )
        table = table.left_join(first, table.customer_id == first.other_id).drop("other_id")
        columns.append("first_amount")
    return table, columns


def _held(book: Book, columns: Sequence[str]) -> list[str]:
    return [name for name in columns if book.has("subscriptions", name)]


def fit(rows: pa.Table, names: Sequence[str]) -> Hazards | None:
    """Fit the regression to rows of `duration`, `left`, perhaps `entry`, and texts and figures.

    Args:
        rows: One row a customer.
        names: The columns; a text is compared with its most frequent one, a figure is counted in
            standard deviations of its logarithm.

    Returns:
        The regression; None where too few left for a single term.
    """
    import pandas as pd
    from lifelines import CoxPHFitter

    duration = rows["duration"].to_numpy().astype(np.float64)
    left = rows["left"].to_numpy().astype(bool)
    made: dict[tuple[str, str | None], Floats] = {}
    references: dict[str, str] = {}
    left_out: list[tuple[str, Message]] = []
    for name in names:
        reason = _add(made, references, name, rows[name].to_pylist(), duration, left)
        if reason is not None:
            left_out.append((name, reason))
    made = _independent(made)
    allowed = int(left.sum()) // EVENTS_A_TERM
    for key in list(made)[allowed:]:
        left_out.append((key[0], msg("too few customers left for so many terms")))
        del made[key]
    if not made:
        return None
    frame = pd.DataFrame({str(place): column for place, column in enumerate(made.values())})
    # A duration of 0 says that somebody left on the first day: before any later one.
    frame["duration"], frame["left"] = np.maximum(duration, 0.5), left
    entry = None
    if "entry" in rows.column_names:
        entry, frame["entry"] = "entry", rows["entry"].to_numpy().astype(np.float64)
    fitter = CoxPHFitter(penalizer=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is looked for in `_add`
        fitter.fit(frame, "duration", "left", entry_col=entry)
    terms = [
        _term(fitter.summary.loc[str(place)], name, level, references.get(name))
        for place, (name, level) in enumerate(made)
    ]
    terms.sort(key=lambda term: -abs(np.log(term.ratio.value)))
    return Hazards(
        tuple(terms), len(left), int(left.sum()), float(fitter.concordance_index_), tuple(left_out)
    )


def _term(row: pd.Series[Any], column: str, level: str | None, reference: str | None) -> Hazard:
    ratio = Estimate(
        float(row["exp(coef)"]),
        float(row["exp(coef) lower 95%"]),
        float(row["exp(coef) upper 95%"]),
    )
    return Hazard(column, level, reference, ratio, float(row["p"]))


def _add(
    made: dict[tuple[str, str | None], Floats],
    references: dict[str, str],
    name: str,
    values: list[Any],
    duration: Floats,
    left: Any,
) -> Message | None:
    """Make the terms of a column; the reason where it has none."""
    from scipy.stats import spearmanr

    if all(value is None or isinstance(value, float | int) for value in values):
        column = np.array([np.nan if value is None else float(value) for value in values])
        known = ~np.isnan(column)
        if not known.any() or np.ptp(column[known]) == 0:
            return msg("it is the same for all customers")
        if abs(float(spearmanr(column[known], duration[known]).statistic)) > GROWS:
            return msg("it grows with the time as a customer")
        scale = np.sign(column) * np.log1p(np.abs(column))
        scale = np.where(known, scale, scale[known].mean())
        made[name, None] = (scale - scale.mean()) / scale.std()
        return None
    texts = np.array([UNKNOWN if value is None else str(value) for value in values])
    levels, counts = np.unique(texts, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:LEVELS_MAX]
    references[name] = str(levels[order[0]])
    found = False
    for place in order[1:]:
        here = texts == levels[place]
        enough = min(int(left[here].sum()), int((~left[here]).sum())) >= LEVEL_EVENTS_MIN
        if counts[place] >= LEVEL_CUSTOMERS_MIN and enough:
            made[name, str(levels[place])] = here.astype(np.float64)
            found = True
    return None if found else msg("no two of its texts have customers enough")


UNKNOWN = "—"


def _independent(
    made: dict[tuple[str, str | None], Floats],
) -> dict[tuple[str, str | None], Floats]:
    """The terms that are no sum of those before them (“no internet” stands in several columns)."""
    kept: dict[tuple[str, str | None], Floats] = {}
    basis: list[Floats] = []
    for key, column in made.items():
        rest = column - column.mean()
        size = float(np.linalg.norm(rest))
        for axis in basis:
            rest = rest - float(axis @ rest) * axis
        if size and float(np.linalg.norm(rest)) > 0.05 * size:
            kept[key] = column
            basis.append(rest / np.linalg.norm(rest))
    return kept
