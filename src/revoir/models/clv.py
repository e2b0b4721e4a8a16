"""Customer lifetime value: what each customer will bring in, from a book to a ranked list."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import Message, Money, Number, Percent, asked_share, in_days, msg, nmsg
from revoir.metrics.activity import gaps
from revoir.metrics.summary import amounts_known, amounts_missing, customer_summary
from revoir.metrics.value import margin_share
from revoir.models.choosing import (
    SPENDERS_MIN,
    Backtest,
    Choice,
    backtest,
    choose,
    fit_in_unit,
    fit_spending,
    model_named,
    too_few,
)
from revoir.models.counts import Counts, Floats, counted
from revoir.models.gamma_gamma import GammaGamma
from revoir.models.transactions import TransactionModel
from revoir.models.worth import Question, Spent, Worth, check_figures, worth
from revoir.periods import add_months

if TYPE_CHECKING:
    import pyarrow as pa

UNITS = {"day": 1, "week": 7}
"""Units of time that parameters may be told in, in days."""

DAYS_A_YEAR = 365.25
_PRIOR_TOLD = 0.05
_CORRELATION_TOLD = 0.3
_EARLY_SHARE, _EARLY_CUSTOMERS = 0.1, 0.3


@dataclass(frozen=True)
class Clv:
    """What customers will bring in.

    Attributes:
        as_of: The last day that is known.
        horizon_days: How many days ahead are looked at.
        unit: Unit of time of the parameters: "day" or "week".
        discount: Yearly discount rate.
        margin: Share of the amounts that is counted.
        currency: Of the amounts (None: not known).
        confidence: Probability that the bounds hold.
        count: Customers who had bought by `as_of`.
        choice: The model of purchases and how it was chosen (None: not enough data).
        spending: The model of amounts (None: amounts are not known, or too few).
        worth: What is foretold, in the order of `customers` (None: not enough data).
        counts: The histories of customers, in days.
        customers: One row a customer, the one worth most first: `customer_id`, `frequency`,
            `recency` and `T` in days, `monetary_value` (less what came back),
            `expected_purchases`, `p_purchase` (to buy at all within the horizon), `p_alive`,
            `expected_value` (of a purchase), `clv`, the bounds `low` and `high` of what the
            customer brings in (in purchases without amounts; null of whom no amount is known
            while others' are), `historic` (what the customer has bought for, less what came back,
            by margin; null where amounts are not known or cannot be added up), and `total`, the two
            together.
        notes: What the reader must know.
        reason: Why nothing is foretold (None: it is).
    """

    as_of: dt.date
    horizon_days: int
    unit: str
    discount: float
    margin: float
    currency: str | None
    confidence: float
    count: int
    choice: Choice | None
    spending: GammaGamma | None
    worth: Worth | None
    counts: Counts
    customers: pa.Table | None
    notes: tuple[Message, ...]
    reason: Message | None = None

    @property
    def model(self) -> TransactionModel | None:
        """The fitted model of purchases."""
        return self.choice.model if self.choice else None

    @property
    def histories(self) -> Counts:
        """The histories of customers in the unit of the parameters."""
        return self.counts.scaled(1 / UNITS[self.unit])

    @property
    def parameters(self) -> dict[str, float]:
        """Those of the model of purchases, its regularity k among them where it has one."""
        if self.model is None:
            return {}
        k = getattr(self.model, "k_", None)
        return self.model.parameters_ | ({} if k is None else {"k": k})

    @property
    def mean(self) -> float | None:
        """What a customer will bring in on average, of those whose amounts are known."""
        amount = None if self.worth is None else self.worth.amount
        if amount is None or np.isnan(amount).all():
            return None
        return float(np.nanmean(amount))

    def sentence(self) -> Message | None:
        """What all customers together will bring in, and between which bounds (None: not known)."""
        if self.worth is None:
            return None
        total, days = self.worth.total, self.horizon_days
        share = asked_share(self.confidence)
        if self.worth.amount is None:
            return nmsg(
                "Within {n} day they will buy {value}: with a probability of {share} between"
                " {low} and {high}.",
                "Within {n} days they will buy {value}: with a probability of {share} between"
                " {low} and {high}.",
                days,
                value=_times(total.value),
                low=Number(total.low, 0),
                high=_times(total.high),
                share=share,
            )
        return nmsg(
            "Within {n} day they will bring in {value}: with a probability of {share} between"
            " {low} and {high}.",
            "Within {n} days they will bring in {value}: with a probability of {share} between"
            " {low} and {high}.",
            days,
            value=Money(total.value, self.currency, 0),
            low=Money(total.low, self.currency, 0),
            high=Money(total.high, self.currency, 0),
            share=share,
        )


def _times(purchases: float) -> Message:
    shown = round(purchases)
    return nmsg("{times} time", "{times} times", shown, times=Number(shown, 0))


def clv(
    book: Book,
    *,
    model: str | None = None,
    unit: str = "day",
    horizon_days: int | None = None,
    discount: float = 0.0,
    confidence: float = 0.9,
    tested: bool = True,
    seed: int = 0,
) -> Clv:
    """Say what each customer will bring in.

    Args:
        book: The company's tables.
        model: Name of the model of purchases (None: the one that would have foretold best).
        unit: Unit of time of the parameters: "day" or "week".
        horizon_days: How many days to look ahead (None: those of the twelve months to come).
        discount: Yearly discount rate (0.1: what comes in a year is worth 1 / 1.1).
        confidence: Probability that the bounds are to hold.
        tested: Whether a named model is held against the simple rules on the past; where none is
            named it always is.
        seed: Chooses the draw of parameters that the bounds rest on.

    Returns:
        Expected purchases, probability of buying again, amount and bounds of every customer who
        has bought. With too few customers, `reason` says so.

    Raises:
        UsageError: There is no such model or unit, or a figure is out of its range.

    Examples:
        >>> import revoir
        >>> from revoir.datasets.btyd import bg_nbd_orders
        >>> import ibis, pyarrow as pa
        >>> orders = bg_nbd_orders(400, seed=5)
        >>> table = pa.table({
        ...     "customer_id": orders.customer_id.astype(str),
        ...     "ordered_on": orders.ordered_at.astype("datetime64[D]"),
        ...     "amount": orders.amount,
        ... })
        >>> book = revoir.Book({"orders": ibis.duckdb.connect().create_table("orders", table)})
        >>> found = clv(book, model="bg_nbd", tested=False)
        >>> found.customers.num_rows, found.worth.total.low < found.worth.total.high
        (400, True)
    """
    if horizon_days is None:
        horizon_days = (add_months(book.as_of, 12) - book.as_of).days
    _check(unit, horizon_days, discount, confidence)
    asked = model_named(model) if model is not None else None
    summary = book.columns(customer_summary(book))
    frequency, recency, age, value = (
        summary[name].to_numpy(zero_copy_only=False).astype(np.float64)
        for name in ("frequency", "recency", "T", "monetary_value")
    )
    priced, known = _priced(book, summary, frequency)
    spent = _spent(book, summary)
    share, returns_note = _kept(book, summary, spent)
    value = value * share
    counts = counted(frequency, recency, age)
    money = len(book.currencies) <= 1 and bool(np.nan_to_num(value).any())
    margin, margin_note = margin_share(book)
    head: dict[str, Any] = {
        "as_of": book.as_of, "horizon_days": horizon_days, "unit": unit, "discount": discount,
        "margin": 1.0 if margin is None else margin, "confidence": confidence,
        "currency": book.currency,
        "count": len(age), "counts": counts,
    }  # fmt: skip
    reason = too_few(counts) or _too_short(counts, horizon_days)
    if reason is not None:
        return Clv(
            **head, choice=None, spending=None, worth=None, customers=None, notes=(), reason=reason
        )
    choice = _chosen(book, counts, asked, horizon_days, UNITS[unit], tested)
    spending = fit_spending(priced, value) if money else None
    question = Question(
        horizon=horizon_days / UNITS[unit],
        rate=math.log1p(discount) / DAYS_A_YEAR * UNITS[unit],
        margin=head["margin"],
        confidence=confidence,
    )
    found = worth(
        choice.model, counts.scaled(1 / UNITS[unit]), question,
        None if spending is None else Spent(spending, priced, value, known), seed=seed,
    )  # fmt: skip
    historic = spent * share * head["margin"]
    if len(book.currencies) > 1:
        historic = np.full(len(age), np.nan)
    elif known is not None:
        historic = np.where(known, historic, np.nan)
    notes = (
        *_notes_on_model(choice, counts, horizon_days),
        *_notes_on_tested_amounts(choice, head["currency"]),
        *_notes_on_data(counts),
        *_notes_on_subscriptions(book),
        *_notes_on_amounts(book, spending, money, (margin_note, returns_note), discount),
        *([] if spending is None else _notes_on_missing(book, known)),
    )
    return Clv(
        **head, choice=choice, spending=spending, worth=found,
        customers=_ranked(summary, value, found, historic), notes=notes,
    )  # fmt: skip


def _check(unit: str, horizon_days: int, discount: float, confidence: float) -> None:
    if unit not in UNITS:
        raise UsageError(
            msg("There is no unit of time “{name}”.", name=unit),
            remedy=msg("Use {names}.", names=list(UNITS)),
        )
    if not 1 <= horizon_days <= 3_660:
        raise UsageError(
            nmsg(
                "A horizon of {n} day makes no sense.",
                "A horizon of {n} days makes no sense.",
                horizon_days,
            ),
            remedy=msg("Look between one day and ten years ahead."),
        )
    check_figures(discount, confidence)


def _too_short(counts: Counts, horizon_days: int) -> Message | None:
    known = int(counts.T.max())
    needed = max(60, math.ceil(horizon_days / 4))
    if known >= needed:
        return None
    return nmsg(
        "Not enough data: they cover {n} day; to look {horizon} ahead takes {needed}.",
        "Not enough data: they cover {n} days; to look {horizon} ahead takes {needed}.",
        known,
        horizon=in_days(horizon_days),
        needed=needed,
    )


def _chosen(
    book: Book,
    counts: Counts,
    asked: TransactionModel | None,
    horizon_days: int,
    unit_days: int,
    tested: bool,
) -> Choice:
    log_gaps = sum(n * math.log(days) for days, n in gaps(book).counts.items())
    if asked is None:
        return choose(book, counts, horizon_days, log_gaps=log_gaps, unit_days=unit_days)
    fitted = fit_in_unit(asked, counts, log_gaps=log_gaps, unit_days=unit_days)
    why = msg("{model} is the model you named.", model=asked.label)
    return Choice(fitted, why, backtest(book, [asked.name], horizon_days) if tested else None)


def _priced(
    book: Book, summary: pa.Table, frequency: Floats
) -> tuple[Floats, npt.NDArray[np.bool_] | None]:
    """On how many repeat days amounts are known, and of whom any is (None: of everybody)."""
    known = amounts_known(book)
    if known is None:
        return frequency, None
    import pyarrow.compute as pc

    found = book.columns(known.select("whose", "priced", "amounts"))
    place = pc.index_in(summary["customer_id"], value_set=found["whose"])
    priced, amounts = (
        found[name].take(place).to_numpy(zero_copy_only=False).astype(np.float64)
        for name in ("priced", "amounts")
    )
    return priced, amounts > 0


def _notes_on_missing(book: Book, known: npt.NDArray[np.bool_] | None) -> list[Message]:
    """What is said of amounts that are missing."""
    if known is None:
        return []
    notes = [
        nmsg(
            "The amount of {n} purchase is missing: what a customer spends is the mean over the"
            " purchases whose amount is known.",
            "The amounts of {n} purchases are missing: what a customer spends is the mean over the"
            " purchases whose amount is known.",
            amounts_missing(book),
        )
    ]
    if not known.all():
        notes.append(
            nmsg(
                "Of {n} customer no amount is known: what they will bring in is not foretold, and"
                " is not in the total.",
                "Of {n} customers no amount is known: what they will bring in is not foretold, and"
                " is not in the total.",
                int((~known).sum()),
            )
        )
    return notes


def _spent(book: Book, summary: pa.Table) -> Floats:
    """What each customer has bought for; amounts that are missing count for nothing."""
    bought = book.purchases
    last = bought.filter(bought.next_day.isnull())
    totals = last.select("customer_id", amount=last.amount_so_far.cast("float64"))
    return _of_each(summary, book.columns(totals))


def _of_each(summary: pa.Table, found: pa.Table) -> Floats:
    """The amounts of a table in the order of the customers, nothing where there is none."""
    import pyarrow.compute as pc

    place = pc.index_in(summary["customer_id"], value_set=found["customer_id"])
    amounts: Floats = np.nan_to_num(found["amount"].take(place).to_numpy(zero_copy_only=False))
    return amounts


def _kept(book: Book, summary: pa.Table, spent: Floats) -> tuple[Floats, Message | None]:
    """The share of what each customer bought that did not come back."""
    orders = book.table("orders")
    back = orders.filter((orders.kind == "return") & orders.customer_id.notnull())
    found = book.columns(
        back.group_by("customer_id").aggregate(amount=back.amount.sum().cast("float64"))
    )
    if not found.num_rows or len(book.currencies) > 1:
        return np.ones(len(spent)), None
    # Rounded: a hair that floats leave of an amount given back whole is nothing.
    share = np.clip(1 + _of_each(summary, found) / np.maximum(spent, 1e-9), 0, 1).round(9)
    everything = float(spent.sum())
    note = msg(
        "Amounts are less what each customer gave back: {share} of what was bought.",
        share=Percent(float(((1 - share) * spent).sum()) / everything if everything else 0.0),
    )
    return share, note


def _ranked(summary: pa.Table, value: Floats, found: Worth, historic: Floats) -> pa.Table:
    """The customers, the one who will bring in most first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing = pa.nulls(summary.num_rows, pa.float64())
    summary = summary.drop_columns(["monetary_value"])
    columns = {
        "monetary_value": value,
        "expected_purchases": found.purchases,
        "p_purchase": found.p_purchase,
        "p_alive": found.p_alive,
        "expected_value": nothing if found.value is None else found.value,
        "clv": nothing if found.amount is None else found.amount,
        "low": found.low,
        "high": found.high,
        "historic": historic,
        "total": nothing if found.amount is None else historic + found.amount,
    }
    for name, values in columns.items():
        summary = summary.append_column(
            name, pa.chunked_array([pa.array(values, from_pandas=True)])
        )
    order = "expected_purchases" if found.amount is None else "clv"
    by = [(order, "descending"), ("customer_id", "ascending")]
    # In columns of many pieces each value would be looked for among them, at twice the cost.
    summary = summary.combine_chunks()
    return summary.take(pc.sort_indices(summary, sort_keys=by))


def _notes_on_model(choice: Choice, counts: Counts, horizon_days: int) -> list[Message]:
    model, fit = choice.model, choice.model.fit_
    notes = [choice.why]
    if choice.backtest is not None:
        notes.append(choice.backtest.verdict(model.name))
    if fit.reason is not None:
        notes.append(fit.reason)
    if fit.prior.weight > _PRIOR_TOLD:
        notes.append(
            msg(
                "{n} customers have bought again: so few that the model also leans on what is usual"
                " in shops.",
                n=int(counts.repeaters),
            )
        )
    if model.name == "bg_nbd":
        notes.append(
            msg(
                "BG/NBD holds that nobody leaves before a second purchase: its probability of being"
                " still there is 100% for one-time buyers and says nothing. Look at the probability"
                " of buying again."
            )
        )
    known = int(counts.T.max())
    if horizon_days > known:
        notes.append(
            msg(
                "The data cover {days} days and the answer looks {horizon} days ahead: what nobody"
                " has yet had time to do is foretold from the model alone.",
                days=known,
                horizon=horizon_days,
            )
        )
    return notes


def _notes_on_tested_amounts(choice: Choice, currency: str | None) -> list[Message]:
    tested: Backtest | None = choice.backtest
    found = [] if tested is None else [a for a in tested.amounts if a.name == choice.model.name]
    return [
        msg(
            "In the same test it foretold sales of {expected} in all, where {actual} came.",
            expected=Money(one.expected, currency, 0),
            actual=Money(one.actual, currency, 0),
        )
        for one in found
    ]


def _notes_on_data(counts: Counts) -> list[Message]:
    """Whether the file seems to begin in the middle of its customers' stories."""
    known = float(counts.T.max())
    since_start = known - counts.T
    early = float(counts.n[since_start <= _EARLY_SHARE * known].sum()) / counts.customers
    if early < _EARLY_CUSTOMERS:
        return []
    return [
        nmsg(
            "{share} of the customers appear on the first day. If they had bought before the data"
            " begin, the model takes old customers for new ones: give a longer history if there is"
            " one.",
            "{share} of the customers appear within the first {n} days. If they had bought before"
            " the data begin, the model takes old customers for new ones: give a longer history if"
            " there is one.",
            math.ceil(_EARLY_SHARE * known),
            share=Percent(early, 0),
        )
    ]


def _notes_on_subscriptions(book: Book) -> list[Message]:
    if not book.has("subscriptions", "monthly_amount"):
        return []
    return [msg("Only orders are foretold: what subscriptions bring in is told by the model sbg.")]


def _notes_on_amounts(
    book: Book,
    spending: GammaGamma | None,
    money: bool,
    told: tuple[Message | None, ...],
    discount: float,
) -> list[Message]:
    if len(book.currencies) > 1:
        return [
            msg(
                "The amounts are in several currencies ({currencies}) and cannot be added up: only"
                " purchases are foretold.",
                currencies=list(book.currencies),
            )
        ]
    if spending is None:
        if not money:
            return [msg("No amounts are known: only purchases are foretold.")]
        return [
            msg(
                "Fewer than {n} customers bought again for an amount: only purchases are foretold.",
                n=SPENDERS_MIN,
            )
        ]
    notes = [note for note in told if note is not None]
    if discount:
        notes.append(
            msg("What comes later counts for less: {rate} a year.", rate=Percent(discount))
        )
    related = spending.correlation_
    if abs(related) >= _CORRELATION_TOLD:
        r = Number(related, 2, signed=True)
        notes.append(
            msg(
                "Whoever buys more often also spends more at a time (correlation {r}): the best"
                " customers are worth rather more than said.",
                r=r,
            )
            if related > 0
            else msg(
                "Whoever buys more often spends less at a time (correlation {r}): the most frequent"
                " customers are worth rather less than said.",
                r=r,
            )
        )
    if spending.fit_.reason is not None:
        notes.append(spending.fit_.reason)
    return notes
