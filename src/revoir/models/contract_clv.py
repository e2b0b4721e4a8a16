"""Customer lifetime value under contract: how many more months each subscriber will pay.

What is foretold are the payments at the renewals ahead: whoever is there now has paid for the
current month (see `revoir.models.subscribers` for how months are counted).
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import Message, Money, Number, asked_share, msg, nmsg
from revoir.metrics.observed import missing_before, observed_from
from revoir.models.bdw import Bdw
from revoir.models.choosing import Backtest
from revoir.models.contract_record import LOST_MIN, contract_backtest, contract_verdict
from revoir.models.contracts import ContractModel
from revoir.models.counts import Floats, Ints
from revoir.models.sbg import Sbg
from revoir.models.subscribers import Subscribers, subscribers
from revoir.models.worth import Bounds, check_figures, mixture_bounds

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT_MODELS: dict[str, type[ContractModel]] = {"sbg": Sbg, "bdw": Bdw}
"""The models of contracts, the simpler one first."""

DRAWS = 200
MONTHS_MAX = 120


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
        backtest: What it would have foretold, beside a simple rule (None: the data have no days, or
            too few).
        retention: The model beside what happened, by month.
        total: What all whose price is known will bring in (None: not enough data, or no amounts
            that can be added up).
        customers: One row a subscriber who is there, the one worth most first: `customer_id`,
            `months` stayed, `monthly_amount`, `expected_months` ahead, `p_stays` (to the end of
            the horizon), `clv` and its bounds `low` and `high` (null where amounts are known, but
            not theirs), `historic` (what they have paid so far, by margin, likewise),
            and `total`, the two together.
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
    backtest: Backtest | None
    retention: tuple[RetentionRow, ...]
    total: Bounds | None
    customers: pa.Table | None
    notes: tuple[Message, ...]
    reason: Message | None = None

    @property
    def mean(self) -> float | None:
        """What a subscriber will bring in on average, of those whose price is known."""
        import pyarrow.compute as pc

        found: float | None = None
        if self.customers is not None:
            found = pc.mean(self.customers["clv"]).as_py()
        return found

    def sentence(self) -> Message | None:
        """What all subscribers together will bring in, and between which bounds, where known."""
        if self.total is None:
            return None
        return nmsg(
            "Within {n} month they will bring in {value}: with a probability of {share}"
            " between {low} and {high}.",
            "Within {n} months they will bring in {value}: with a probability of {share}"
            " between {low} and {high}.",
            self.months,
            value=Money(self.total.value, self.currency, 0),
            low=Money(self.total.low, self.currency, 0),
            high=Money(self.total.high, self.currency, 0),
            share=asked_share(self.confidence),
        )


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
        UsageError: A figure is out of its range.
    """
    check_figures(discount, confidence)
    if not 1 <= months <= MONTHS_MAX:
        raise UsageError(
            nmsg(
                "A horizon of {n} month makes no sense.",
                "A horizon of {n} months makes no sense.",
                months,
            ),
            remedy=msg("Look between one month and ten years ahead."),
        )
    known = subscribers(book)
    own = book.settings.margin
    currencies = book.currencies_of("subscriptions")
    head: dict[str, Any] = {
        "as_of": None if known.start is None else book.as_of, "months": months,
        "count": int((~known.left).sum()), "lost": int(known.left.sum()), "discount": discount,
        "margin": 1.0 if own is None else own,
        "currency": currencies[0] if len(currencies) == 1 else None,
        "confidence": confidence,
    }  # fmt: skip
    if head["lost"] < LOST_MIN:
        reason = nmsg(
            "Not enough data: {n} customer has left, a model needs {needed}.",
            "Not enough data: {n} customers have left, a model needs {needed}.",
            head["lost"],
            needed=LOST_MIN,
        )
        return ContractClv(
            **head, model=None, why=None, backtest=None, retention=(), total=None, customers=None,
            notes=(), reason=reason,
        )  # fmt: skip
    fitted, why = _fitted(model, known.periods, known.left)
    tested = contract_backtest(known, [type(fitted)], book.as_of, months) if head["as_of"] else None
    paid = known.monthly_amount[~known.left]
    amount = paid if len(currencies) <= 1 and np.nan_to_num(paid).any() else None
    question = _Question(months, math.log1p(discount) / 12, head["margin"], confidence)
    customers, total = _foretold(fitted, known, amount, question, seed)
    notes = [why]
    if tested is not None:
        notes.append(contract_verdict(tested, fitted.name))
    if fitted.fit_.reason is not None:
        notes.append(fitted.fit_.reason)
    if (since := observed_from(book)) is not None:
        notes.append(missing_before(since))
        notes.append(
            msg("So contracts seem to last longer than they do: the amounts are too high.")
        )
    notes += (
        _notes_on_amounts(amount, currencies, own)
        if head["count"]
        else [msg("No subscriber is left: nothing is to come.")]
    )
    return ContractClv(
        **head, model=fitted, why=why, backtest=tested,
        retention=_retention(fitted, known.periods, known.left), total=total, customers=customers,
        notes=tuple(notes),
    )  # fmt: skip


def _notes_on_amounts(
    amount: Floats | None, currencies: tuple[str, ...], margin: float | None
) -> list[Message]:
    if len(currencies) > 1:
        return [
            msg(
                "The amounts are in several currencies ({currencies}) and cannot be added up: only"
                " months are foretold.",
                currencies=list(currencies),
            )
        ]
    if amount is None:
        return [msg("No monthly amounts are known: only months are foretold.")]
    notes = []
    unpriced = int(np.isnan(amount).sum())
    if unpriced:
        notes.append(
            nmsg(
                "{n} subscriber without a price is not in the total.",
                "{n} subscribers without a price are not in the total.",
                unpriced,
            )
        )
    if margin is None:
        notes.append(msg("No margin is known: the figure is revenue, not profit."))
    return notes


@dataclass(frozen=True)
class _Question:
    months: int
    rate: float
    margin: float
    confidence: float


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


def _foretold(
    model: ContractModel, known: Subscribers, amount: Floats | None, question: _Question, seed: int
) -> tuple[pa.Table, Bounds | None]:
    import pyarrow as pa
    import pyarrow.compute as pc

    here = ~known.left
    stayed, at = np.unique(known.periods[here], return_inverse=True)
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
        drawn, priced = np.empty((DRAWS, 2)), np.nan_to_num(each)
        for place, one in enumerate(model.draw(DRAWS, seed=seed)):
            sure = one.stays(stayed, question.months)
            # P(n renewals or more) times what the n-th adds to the mean and to the mean square.
            mean, squares = (sure @ worth)[at], (sure @ np.diff(upto**2))[at]
            drawn[place] = priced @ mean, priced**2 @ (squares - mean**2)
        total = mixture_bounds(float(np.nansum(value)), drawn, question.confidence)
    clv = np.full(len(at), np.nan) if amount is None else value
    historic = np.full(len(at), np.nan) if amount is None else known.paid[here] * question.margin
    columns = {
        "months": known.periods[here],
        "monthly_amount": known.monthly_amount[here],
        "expected_months": curve.sum(axis=1)[at],
        "p_stays": curve[:, -1][at],
        "clv": clv,
        "low": low,
        "high": high,
        "historic": historic,
        "total": historic + clv,
    }
    table = known.table.filter(here)
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
