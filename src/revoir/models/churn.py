"""Churn: who is about to leave, how sure that is, what they are worth, and why.

What a company's own past tells: customers are looked at on earlier days, with what was known then,
beside what became of them. Learners are tried against a rule of one figure; the latest day whose
outcome is known judges both, and its list of customers is held against who did leave.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import Message, in_days, msg, nmsg
from revoir.models.card import Card, CutoffRow, profiles
from revoir.models.classifiers import Fitted
from revoir.models.departures import Definition, Kind, cutoffs, definition_of
from revoir.models.features.compute import Choice, choose, columns_of_file
from revoir.models.learning import Examples, learn
from revoir.models.matrix import Matrix
from revoir.models.reasons import Reason, drivers, reasons
from revoir.models.snapshots import Snapshot, examples_of, snapshots
from revoir.models.tell_tales import without_tell_tales
from revoir.models.trials import Trial, listed, stake, trial
from revoir.models.validation import Floats

if TYPE_CHECKING:
    import pyarrow as pa

RULES: dict[Kind, tuple[str, ...]] = {
    Kind.PURCHASES: (
        "days_since_last", "lateness", "purchase_days", "purchase_days_in_window",
        "usual_gap_days",
    ),
    Kind.VISITS: ("days_since_visit", "visit_days", "visit_days_30", "visit_days_90"),
    Kind.SUBSCRIPTIONS: ("subscribed_days", "plan_days", "monthly_amount", "plan"),
    Kind.FILE: (),
}  # fmt: skip
"""The figures that the simple rule may go by: the one that tells most (none named: any)."""

ORDERS = ("stake", "risk")
"""What a list of customers can be ordered by."""
SAMPLE = 2_000
"""Customers that what weighs most is read from."""


@dataclass(frozen=True)
class AtRisk:
    """One customer of the list.

    Attributes:
        customer_id: Who.
        probability: That they leave within the window.
        worth: What they brought in the last year (None: not known).
        stake: Probability × worth: what is expected to be lost in a year (None: not known).
        reasons: Why, the themes that raise the probability first.
    """

    customer_id: str
    probability: float
    worth: float | None
    stake: float | None
    reasons: tuple[Reason, ...]

    @property
    def raising(self) -> tuple[Reason, ...]:
        """The reasons that raise the probability; there may be none."""
        return tuple(reason for reason in self.reasons if reason.weight > 0)


@dataclass(frozen=True)
class Churn:
    """Who is about to leave.

    Attributes:
        book: The company's tables.
        definition: What leaving means.
        card: How the probabilities were learned, and how good they are.
        reason: Why there are none (None: there are).
    """

    book: Book
    definition: Definition
    card: Card
    reason: Message | None
    _now: Snapshot | None = None
    _matrix: Matrix | None = None
    _choice: Choice | None = None
    _fitted: Fitted | None = None
    _probability: Floats | None = None

    @property
    def customers(self) -> pa.Table:
        """Every customer who is there now.

        Returns:
            `customer_id`, `probability`, `worth` and `stake` (a year's amounts; null where they are
            not known), in the order of the identifiers.
        """
        import pyarrow as pa

        if self._now is None or self._probability is None:
            kinds = ("string", "float64", "float64", "float64")
            names = ("customer_id", "probability", "worth", "stake")
            return pa.table({n: pa.array([], k) for n, k in zip(names, kinds, strict=True)})
        worth = self._now.worth
        unknown = np.isnan(worth)
        return pa.table(
            {
                "customer_id": self._now.table["customer_id"],
                "probability": self._probability,
                "worth": pa.array(worth, mask=unknown),
                "stake": pa.array(stake(self._probability, worth), mask=unknown),
            }
        )

    @property
    def has_worth(self) -> bool:
        """Whether the data say what customers are worth."""
        return self._now is not None and not bool(np.isnan(self._now.worth).all())

    @property
    def currency(self) -> str | None:
        """The currency of what customers are worth, where there is one."""
        found = self.book.currencies_of(self.definition.paid_in)
        return found[0] if len(found) == 1 else None

    def ranked(
        self,
        by: str | None = None,
        limit: int | None = None,
        *,
        start: int = 0,
        reasons_limit: int | None = None,
    ) -> list[AtRisk]:
        """The customers to save, the most pressing first, with the reasons.

        Args:
            by: "stake" or "risk" (see `trials.listed`; None: the stake where the data say what
                customers are worth, else the risk).
            limit: How many (None: all).
            start: How many to pass over before.
            reasons_limit: For how many of them reasons are worked out (None: for all; those of a
                million customers take minutes).

        Returns:
            The list; equal customers in the order of their identifiers.

        Raises:
            UsageError: There is no such order, or it needs a worth that is not known.
        """
        by = self.order(by)
        if self._now is None or self._probability is None or self._matrix is None:
            return []
        assert self._fitted is not None
        assert self._choice is not None
        risk, worth = self._probability, self._now.worth
        rows = listed(by, risk, worth)[start:][:limit]
        first = self._matrix.rows(rows[:reasons_limit])
        why = reasons(self._fitted, self._choice.features, first, currency=self.currency)
        why += [()] * (len(rows) - len(first))
        names = self._now.table["customer_id"].take(rows).to_pylist()
        staked = stake(risk, worth)
        return [
            AtRisk(
                name,
                float(risk[row]),
                None if np.isnan(worth[row]) else float(worth[row]),
                None if np.isnan(worth[row]) else float(staked[row]),
                told,
            )
            for name, row, told in zip(names, rows, why, strict=True)
        ]

    def order(self, by: str | None) -> str:
        """What a list is ordered by, where it is not said.

        Raises:
            UsageError: There is no such order, or it needs a worth that is not known.
        """
        if by is None:
            return "stake" if self.has_worth else "risk"
        if by not in ORDERS:
            raise UsageError(
                msg("Customers cannot be ordered by “{order}”.", order=by),
                remedy=msg("Use {names}.", names=list(ORDERS)),
            )
        if by == "stake" and self.reason is None and not self.has_worth:
            raise UsageError(
                msg("The data do not say what a customer is worth."),
                remedy=msg("Order by {name}.", name="risk"),
            )
        return by


def churn(
    book: Book,
    *,
    kind: str | None = None,
    horizon_days: int | None = None,
    attributes: Collection[str] = (),
    without: Collection[str] = (),
    seed: int = 0,
) -> Churn:
    """Learn from a company's own past who leaves, and say it of every customer who is there.

    Args:
        book: The company's tables.
        kind: What leaving is read from: "purchases", "subscriptions", "visits" or "file" (a column
            that says who left; None: the first of those that the data hold).
        horizon_days: For subscriptions, how many days ahead (None: 92).
        attributes: Columns of customers to learn from besides; the user vouches that they did not
            change when customers left. For a file, personal ones (age, gender) are named so.
        without: Features or columns not to learn from.
        seed: Chooses the folds and the samples.

    Returns:
        Probabilities with reasons and record; where there is not enough data, `reason` says so.

    Raises:
        UsageError: The data do not hold what leaving is read from, or a column does not exist.

    Examples:
        >>> from revoir.datasets.btyd import bg_nbd_orders
        >>> from revoir.engines import memory
        >>> import pyarrow as pa
        >>> made = bg_nbd_orders(400, seed=1)
        >>> orders = pa.table({"customer_id": made.customer_id.astype(str), "amount": made.amount,
        ...                    "ordered_at": made.ordered_at,
        ...                    "ordered_on": made.ordered_at.astype("datetime64[D]")})
        >>> found = churn(Book({"orders": memory().create_table("orders", orders)}))
        >>> found.card.used in ("rule", "logistic", "trees", "both")
        True
        >>> first = found.ranked(limit=1)[0]
        >>> 0 < first.probability < 1
        True
    """
    definition = definition_of(book, kind, horizon_days=horizon_days)
    if definition.kind is Kind.FILE:
        choice = columns_of_file(book, attributes=attributes, without=without)
        looks = snapshots(book, definition, choice, ())
        choice = without_tell_tales(looks[0], choice)
        return _found(book, definition, choice, looks, seed)
    days = cutoffs(book, definition)
    if not days:
        first, last = book.span[0], book.as_of
        reason = nmsg(
            "Not enough data: they cover {n} day, and to learn who leaves within {window}"
            " takes twice as many as that.",
            "Not enough data: they cover {n} days, and to learn who leaves within {window}"
            " takes twice as many as that.",
            (last - first).days + 1,
            window=in_days(definition.window_days or 0),
        )
        return Churn(book, definition, _empty_card(book, definition, seed, reason), reason)
    choice = choose(book, days[-1], attributes=attributes, without=without)
    *looks, now = snapshots(book, definition, choice, (*days, book.as_of))
    # Long after the last purchase nobody is there any more: such days teach and test nothing.
    looks = [one for one in looks if len(one)]
    if not looks:
        reason = msg("Not enough data. Nobody was there on the days looked at.")
        return Churn(book, definition, _empty_card(book, definition, seed, reason), reason)
    return _found(book, definition, choice, looks, seed, now)


def _found(
    book: Book,
    definition: Definition,
    choice: Choice,
    looks: list[Snapshot],
    seed: int,
    now: Snapshot | None = None,
) -> Churn:
    columns = RULES[definition.kind] or tuple(one.name for one in choice.features)
    tried = trial(looks, definition, choice, columns, seed)
    if isinstance(tried, Message):
        reason = msg("Not enough data. {reason}", reason=tried)
        card = _empty_card(book, definition, seed, reason, _rows(looks, ()))
        return Churn(book, definition, card, reason)
    if tried.tested_on == "later":
        fitted, examples = _learned_again(tried, choice, looks, seed)
    else:
        fitted, examples = tried.learned.named(tried.used), tried.examples
    if now is None:
        now, matrix, probability = _those_left_in_file(looks[0], choice, examples, fitted)
    else:
        matrix = now.matrix(choice, examples.matrix.levels)
        probability = fitted.probabilities(matrix) if len(matrix) else np.empty(0)
    card = _card(book, definition, choice, tried, looks, examples, fitted, matrix, seed)
    return Churn(book, definition, card, None, now, matrix, choice, fitted, probability)


def _learned_again(
    tried: Trial, choice: Choice, looks: Sequence[Snapshot], seed: int
) -> tuple[Fitted, Examples]:
    """What the trial chose, learned from the day of the test too."""
    examples = examples_of(looks, choice, seed)
    column = tried.learned.rule.column
    assert column is not None
    wanted = () if tried.used == "rule" else (tried.used,)
    learned = learn(examples, [column], wanted=wanted, seed=seed)
    return learned.named(tried.used), examples


def _those_left_in_file(
    look: Snapshot, choice: Choice, examples: Examples, fitted: Fitted
) -> tuple[Snapshot, Matrix, Floats]:
    """Who has not left, each with the probability by the part that did not see them.

    Of a file with more customers than are learned from, all parts speak of each: among so many
    examples, those of one customer weigh nothing.
    """
    stays = ~look.left
    kept = Snapshot(look.day, look.table.filter(stays))
    matrix = kept.matrix(choice, examples.matrix.levels)
    if len(examples.left) < len(look):
        return kept, matrix, fitted.probabilities(matrix)
    return kept, matrix, fitted.held_out_probabilities[stays]


def _rows(looks: Sequence[Snapshot], learned_on: Sequence[Snapshot]) -> tuple[CutoffRow, ...]:
    """What each day was used for in the trial; the probabilities of now come from all of them."""
    found = []
    for place, one in enumerate(looks):
        learned = any(one is other for other in learned_on)
        use = "learn" if learned else "test" if place == 0 else "none"
        found.append(CutoffRow(one.day, len(one), int(one.left.sum()), use))
    return tuple(found)


def _empty_card(
    book: Book,
    definition: Definition,
    seed: int,
    reason: Message,
    days: tuple[CutoffRow, ...] = (),
) -> Card:
    return Card(
        title=book.title, as_of=_as_of(book, definition), kind=definition.kind.value,
        definition=definition.text, window_days=definition.window_days, seed=seed, days=days,
        learned_from=0, used=None, rule=None, tested_on=None, judged={}, gain=None, refusal=reason,
        lists=(), by_fold=(), by_day={}, drivers=(), left_out=(), labels={}, profiles=(), drift={},
    )  # fmt: skip


def _as_of(book: Book, definition: Definition) -> dt.date | None:
    return None if definition.kind is Kind.FILE else book.as_of


def _card(
    book: Book,
    definition: Definition,
    choice: Choice,
    tried: Trial,
    looks: Sequence[Snapshot],
    examples: Examples,
    fitted: Fitted,
    now: Matrix,
    seed: int,
) -> Card:
    spread = profiles(examples.matrix)
    column = tried.learned.rule.column
    assert column is not None
    step = max(1, len(now) // SAMPLE)
    return Card(
        title=book.title,
        as_of=_as_of(book, definition),
        kind=definition.kind.value,
        definition=definition.text,
        window_days=definition.window_days,
        seed=seed,
        days=_rows(looks, tried.learned_on),
        learned_from=len(examples.left),
        used=tried.used,
        rule=choice.named(column).label,
        tested_on=tried.tested_on if tried.can_be_judged else None,
        judged=tried.judged,
        gain=tried.gain,
        refusal=tried.refusal,
        lists=tried.lists,
        by_fold=tried.by_fold,
        by_day=tried.by_day,
        drivers=drivers(fitted, choice.features, now.rows(np.arange(0, len(now), step)))
        if len(now)
        else (),
        left_out=tuple((feature.name, reason) for feature, reason in choice.left_out),
        labels={
            one.name: one.label for one in (*choice.features, *(one for one, _ in choice.left_out))
        },
        profiles=spread,
        drift={one.name: one.drift(now) for one in spread}
        if len(now) and definition.kind is not Kind.FILE
        else {},
    )
