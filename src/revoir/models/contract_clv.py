"""Customer lifetime value under contract: how many more months each subscriber will pay.

A customer's contract runs from the first day of the first subscription to the last day of the last;
months are counted from the first day, and each month kept is a renewal. What is foretold are the
payments at the renewals ahead: whoever is there now has paid for the current month.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import numpy as np

from revoir.book import Book
from revoir.errors import InputError
from revoir.language import Message, Number, msg
from revoir.metrics.calendar import date
from revoir.models.bdw import Bdw
from revoir.models.contracts import ContractModel
from revoir.models.counts import Floats, Ints
from revoir.models.sbg import Sbg
from revoir.models.worth import Bounds, mixture_bounds

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT_MODELS: dict[str, type[ContractModel]] = {"sbg": Sbg, "bdw": Bdw}
"""The models of contracts, the simpler one first."""

LOST_MIN = 10
"""Fewer departures tell nothing of when customers leave."""

DRAWS = 200


@dataclass(frozen=True)
class RetentionRow:
    """The customers who reached a month of their contract.

    Attributes:
        month: The month, from 1.
        customers: How many were there at its start and are known to its end.
        kept: How many of them stayed.
        expected: How many the model expects to stay.
    """

    month: int
    customers: int
    kept: int
    expected: float


@dataclass(frozen=True)
class ContractClv:
    """What subscribers will bring in.

    Attributes:
        as_of: The last day that is known (None: the data tell months of tenure, but no days).
        months: How many months ahead are looked at.
        count: Subscribers who are there.
        lost: Those who have left.
        discount: Yearly discount rate.
        margin: Share of the amounts that is counted.
        currency: Of the amounts (None: not known).
        confidence: Probability that the bounds hold.
        model: The fitted model (None: not enough data).
        why: How it was chosen.
        retention: The model beside what happened, by month.
        total: What all will bring in (None: not enough data, or no amounts).
        customers: One row a subscriber who is there, the one worth most first: `customer_id`,
            `months` stayed, `monthly_amount`, `expected_months` ahead, `p_stays` (to the end of
            the horizon), `clv` and its bounds `low` and `high`.
        notes: What the reader must know.
        reason: Why nothing is foretold (None: it is).
    """

    as_of: dt.date | None
    months: int
    count: int
    lost: int
    discount: float
    margin: float
    currency: str | None
    confidence: float
    model: ContractModel | None
    why: Message | None
    retention: tuple[RetentionRow, ...]
    total: Bounds | None
    customers: pa.Table | None
    notes: tuple[Message, ...]
    reason: Message | None = None


def contract_clv(
    book: Book,
    *,
    model: str | None = None,
    months: int = 12,
    discount: float = 0.0,
    confidence: float = 0.9,
    seed: int = 0,
) -> ContractClv:
    """Say what each subscriber will bring in.

    Args:
        book: The company's tables, subscriptions among them.
        model: "sbg" or "bdw" (None: the one of smaller AIC; Akaike 1974).
        months: How many months to look ahead.
        discount: Yearly discount rate.
        confidence: Probability that the bounds are to hold.
        seed: Chooses the draw of parameters that the bounds rest on.

    Returns:
        Expected months and amount of every subscriber who is there.

    Raises:
        InputError: The book holds no subscriptions with a first day, or with months and departures.
    """
    table, has_days = _contracts(book)
    found = book.columns(table.order_by("customer_id"))
    left = found["left"].to_numpy(zero_copy_only=False).astype(bool)
    stayed = found["months"].to_numpy().astype(np.int64)
    own = book.settings.margin
    head: dict[str, Any] = {
        "as_of": book.as_of if has_days else None, "months": months, "count": int((~left).sum()),
        "lost": int(left.sum()), "discount": discount, "margin": 1.0 if own is None else own,
        "currency": book.settings.currency, "confidence": confidence,
    }  # fmt: skip
    if head["lost"] < LOST_MIN:
        reason = msg(
            "Not enough data: {n} customers have left, a model needs {needed}.",
            n=head["lost"],
            needed=LOST_MIN,
        )
        return ContractClv(
            **head, model=None, why=None, retention=(), total=None, customers=None, notes=(),
            reason=reason,
        )  # fmt: skip
    periods = np.where(left, np.maximum(stayed, 1), stayed)
    fitted, why = _fitted(model, periods, left)
    here = found.filter(np.logical_not(left))
    amount = _amounts(here)
    question = _Question(months, math.log1p(discount) / 12, head["margin"], confidence)
    customers, total = _foretold(fitted, here, amount, question, seed)
    notes = [why] if fitted.fit_.reason is None else [why, fitted.fit_.reason]
    if amount is None:
        notes.append(msg("No monthly amounts are known: only months are foretold."))
    elif own is None:
        notes.append(msg("No margin is known: the figure is revenue, not profit."))
    return ContractClv(
        **head, model=fitted, why=why, retention=_retention(fitted, periods, left), total=total,
        customers=customers, notes=tuple(notes),
    )  # fmt: skip


@dataclass(frozen=True)
class _Question:
    months: int
    rate: float
    margin: float
    confidence: float


def _contracts(book: Book) -> tuple[ir.Table, bool]:
    """One row a customer, and whether the data have days.

    The row has `months` stayed, whether the customer `left`, and `monthly_amount` now.
    """
    if book.has("subscriptions", "started_at"):
        return _dated(book), True
    if not book.has("subscriptions", "tenure_months", "churned"):
        raise InputError(
            msg("There are no subscriptions in the data that say how long they lasted."),
            remedy=msg("Give each its first day and, where it ended, its last."),
        )
    held = _with_amount(book.table("subscriptions"))
    held = held.filter(held.tenure_months.notnull() & held.churned.notnull())
    counted = held.group_by("customer_id").aggregate(
        monthly_amount=held.amount.sum(where=~held.churned),
        months=held.tenure_months.max().cast("int64"),
        left=held.churned.all(),
    )
    return counted, False


def _dated(book: Book) -> ir.Table:
    held = _with_amount(book.table("subscriptions"))
    held = held.filter(held.started_at.notnull() & (held.started_at <= date(book.as_of)))
    ends = held.ended_at if "ended_at" in held.columns else ibis.null("date")
    held = held.mutate(start=held.started_at.cast("date"), end=ends.cast("date"))
    held = held.mutate(runs=held.end.isnull() | (held.end > date(book.as_of)))
    grouped = held.group_by("customer_id").aggregate(
        start=held.start.min(),
        end=held.end.max(),
        runs=held.runs.any(),
        monthly_amount=held.amount.sum(where=held.runs),
    )
    until = grouped.runs.ifelse(date(book.as_of), grouped.end)
    whole = (until.year() - grouped.start.year()) * 12 + until.month() - grouped.start.month()
    begun = whole + (until.day() > grouped.start.day()).cast("int32")
    ended = whole - (until.day() < grouped.start.day()).cast("int32")
    # Who left within a month had it, and did not renew at its end.
    months = grouped.runs.ifelse(ended, begun).cast("int64")
    return grouped.select("customer_id", "monthly_amount", months=months, left=~grouped.runs)


def _with_amount(held: ir.Table) -> ir.Table:
    known = "monthly_amount" in held.columns
    paid = held.monthly_amount.cast("float64") if known else ibis.null("float64")
    return held.mutate(amount=paid)


def _fitted(name: str | None, periods: Ints, left: np.ndarray) -> tuple[ContractModel, Message]:
    if name is not None:
        model = CONTRACT_MODELS[name]().fit(periods, left)
        return model, msg("{model} is the model you named.", model=model.label)
    models = [make().fit(periods, left) for make in CONTRACT_MODELS.values()]
    best = min(models, key=lambda model: 2 * len(model.names) - 2 * model.log_likelihood_)
    other = next(model for model in models if model is not best)
    gap = 2 * (best.log_likelihood_ - other.log_likelihood_) + 2 * (
        len(other.names) - len(best.names)
    )
    told = {"model": best.label, "other": other.label, "gap": Number(gap, 1)}
    return best, msg(
        "{model} was chosen: it fits the departures better than {other} (AIC smaller by {gap}).",
        **told,
    )


def _amounts(here: pa.Table) -> Floats | None:
    paid = here["monthly_amount"].to_numpy(zero_copy_only=False).astype(np.float64)
    return None if not np.nan_to_num(paid).any() else np.nan_to_num(paid)


def _foretold(
    model: ContractModel, here: pa.Table, amount: Floats | None, question: _Question, seed: int
) -> tuple[pa.Table, Bounds | None]:
    import pyarrow as pa
    import pyarrow.compute as pc

    stayed, at = np.unique(here["months"].to_numpy(), return_inverse=True)
    each = np.ones(len(at)) if amount is None else amount * question.margin
    ahead = np.arange(1, question.months + 1)
    # What the renewals ahead are worth one by one, and all up to the n-th.
    worth = np.ones(len(ahead)) if amount is None else np.exp(-question.rate * ahead)
    upto = np.concatenate([[0.0], np.cumsum(worth)])

    curve = model.stays(stayed, question.months)
    value = each * (curve @ worth)[at]
    tail = (1 - question.confidence) / 2
    least, most = (curve >= 1 - tail).sum(axis=1), (curve > tail).sum(axis=1)
    # Where nearly all stay to the end the expectation is less than any likely outcome.
    low = np.minimum(each * upto[least][at], value)
    high = np.maximum(each * upto[most][at], value)
    total = None
    if amount is not None:
        drawn = np.empty((DRAWS, 2))
        for place, one in enumerate(model.draw(DRAWS, seed=seed)):
            sure = one.stays(stayed, question.months)
            # P(n renewals or more) times what the n-th adds to the mean and to the mean square.
            mean, squares = (sure @ worth)[at], (sure @ np.diff(upto**2))[at]
            drawn[place] = each @ mean, each**2 @ (squares - mean**2)
        total = mixture_bounds(float(value.sum()), drawn, question.confidence)
    columns = {
        "expected_months": curve.sum(axis=1)[at],
        "p_stays": curve[:, -1][at],
        "clv": np.full(len(at), np.nan) if amount is None else value,
        "low": low,
        "high": high,
    }
    table = here.select(["customer_id", "months", "monthly_amount"])
    for name, values in columns.items():
        table = table.append_column(name, pa.chunked_array([pa.array(values, from_pandas=True)]))
    order = "expected_months" if amount is None else "clv"
    by = [(order, "descending"), ("customer_id", "ascending")]
    return table.take(pc.sort_indices(table, sort_keys=by)), total


def _retention(model: ContractModel, periods: Ints, left: np.ndarray) -> tuple[RetentionRow, ...]:
    """Who reached each month, and how many of them stayed (Kaplan & Meier's counts)."""
    last = int(periods.max(initial=0))
    months = np.arange(1, last + 1)
    gone = np.bincount(periods[left], minlength=last + 1)[1:]
    leaves_view = np.bincount(periods[~left], minlength=last + 1)
    # Known to the end of a month are those who left in it or later, or stayed it whole.
    there = len(periods) - np.cumsum(gone) + gone - np.cumsum(leaves_view)[:-1]
    expected = there * model.retention_rate(months)
    return tuple(
        RetentionRow(int(month), int(n), int(n - lost), float(kept))
        for month, n, lost, kept in zip(months, there, gone, expected, strict=True)
    )
