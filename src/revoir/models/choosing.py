"""Choosing a model of purchases by what it would have foretold: a rolling-origin back-test.

From each of some earlier days every model is fitted to what was known by then, and foretells the
purchase days of each customer in the time after; so do the simple rules. The model with the least
root mean squared error over all customers and days is chosen. (The mean absolute error is told
too, but does not choose: most customers buy nothing, so whoever foretells nothing for everybody
does well by it.)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import Message, Number, Percent, msg, nmsg
from revoir.models.bg_nbd import BgNbd
from revoir.models.counts import Counts, Floats
from revoir.models.fitting import SAMPLE_CUSTOMERS
from revoir.models.gamma_gamma import GammaGamma
from revoir.models.mbg_cnbd_k import MbgCnbdK
from revoir.models.mbg_nbd import MbgNbd
from revoir.models.origins import HOLDOUT_DAYS_MIN, holdout, origins
from revoir.models.pareto_nbd import ParetoNbd
from revoir.models.rules import RULES
from revoir.models.transactions import TransactionModel

MODELS: Mapping[str, Callable[[], TransactionModel]] = {
    "mbg_nbd": MbgNbd,
    "pareto_nbd": ParetoNbd,
    "mbg_cnbd_k": MbgCnbdK,
    "bg_nbd": BgNbd,
}
"""The models of purchases at any time, in the order of preference where they do equally well.

BG/NBD comes last: it holds every one-time buyer to be still there.
"""

CUSTOMERS_MIN = 30
REPEATERS_MIN = 10
"""Fewer customers, or customers who came back, tell no model from another."""

SPENDERS_MIN = 10
"""Fewer customers who came back for an amount tell nothing of how much amounts differ."""

CLEARLY = 0.02
"""A share by which an error must differ from that of a simple rule to be told as a difference."""

_AS_GOOD = 1.005
"""Errors closer than half a percent are the same."""


@dataclass(frozen=True)
class Accuracy:
    """How well one way of foretelling did, over all customers of all origins.

    Attributes:
        name: Of the model or rule.
        label: What people call it.
        is_rule: Whether it is a simple rule.
        customers: Forecasts that were checked.
        mae: Mean absolute error of a customer's purchase days.
        rmse: Root mean squared error.
        expected: Purchase days foretold, in all.
        actual: Those that came.
    """

    name: str
    label: Message | str
    is_rule: bool
    customers: int
    mae: float
    rmse: float
    expected: float
    actual: float

    @property
    def bias(self) -> float | None:
        """By which share the total was foretold too high (None: nothing came)."""
        return self.expected / self.actual - 1 if self.actual else None

    def record(self, language: str = "en") -> dict[str, Any]:
        """As plain values, ready for JSON."""
        return {
            "name": self.name,
            "label": self.label if isinstance(self.label, str) else self.label.text(language),
            "kind": "rule" if self.is_rule else "model",
            "customers": self.customers,
            "mae": self.mae,
            "rmse": self.rmse,
            "expected": self.expected,
            "actual": self.actual,
            "bias": self.bias,
        }


@dataclass(frozen=True)
class Backtest:
    """What models and rules would have foretold.

    Attributes:
        days: The days looked from, the latest first.
        holdout_days: How many days each looked ahead.
        accuracies: Of purchase days: one a model, then one a rule.
        amounts: Of the amounts spent, before returns, where they are known: one a model, then one
            a rule.
    """

    days: tuple[dt.date, ...]
    holdout_days: int
    accuracies: tuple[Accuracy, ...]
    amounts: tuple[Accuracy, ...] = ()

    def of(self, name: str) -> Accuracy:
        """How one way did."""
        return next(one for one in self.accuracies if one.name == name)

    @property
    def best_rule(self) -> Accuracy:
        """The simple rule with the least error."""
        return min((one for one in self.accuracies if one.is_rule), key=lambda one: one.rmse)

    def gain(self, name: str) -> float:
        """By which share a model's error is smaller than that of the best rule.

        Negative where it is larger; −1 where the rule made no error at all and the model did.
        """
        mine, rule = self.of(name).rmse, self.best_rule.rmse
        if not rule:
            return -1.0 if mine else 0.0
        return 1 - mine / rule

    def verdict(self, name: str) -> Message:
        """How a model did against the simple rules, in words."""
        mine, rule, gain = self.of(name), self.best_rule, self.gain(name)
        told = {
            "model": mine.label, "error": Number(mine.rmse, 2), "rule": rule.label,
            "rule_error": Number(rule.rmse, 2), "gain": Percent(abs(gain), 0),
            "n": mine.customers,
        }  # fmt: skip
        if gain >= CLEARLY:
            return msg(
                "Tested on the past ({n} forecasts), {model} erred by {error} purchases a customer"
                " (root mean square), {gain} less than the best simple rule ({rule_error}:"
                " “{rule}”).",
                **told,
            )
        if gain > -CLEARLY:
            return msg(
                "Tested on the past ({n} forecasts), {model} erred by {error} purchases a customer"
                " (root mean square), about as much as the best simple rule ({rule_error}:"
                " “{rule}”): take its order of customers rather than its figures.",
                **told,
            )
        return msg(
            "Tested on the past ({n} forecasts), {model} erred by {error} purchases a customer"
            " (root mean square), {gain} more than the simple rule “{rule}” ({rule_error}): here"
            " the rule foretells better, do not rely on the model.",
            **told,
        )

    def records(self, language: str = "en") -> dict[str, Any]:
        """As plain values, ready for JSON."""
        return {
            "holdout_days": self.holdout_days,
            "origins": [day.isoformat() for day in self.days],
            "ways": [one.record(language) for one in self.accuracies],
            "amounts": [one.record(language) for one in self.amounts],
        }


@dataclass(frozen=True)
class Choice:
    """The model that was chosen.

    Attributes:
        model: The fitted model.
        why: How it was chosen.
        backtest: What it rests on (None: the past is too short for one).
    """

    model: TransactionModel
    why: Message
    backtest: Backtest | None


def model_named(name: str) -> TransactionModel:
    """A model by its name, not fitted.

    Raises:
        UsageError: There is none of that name.

    Examples:
        >>> model_named("BG/NBD").label, model_named("pareto_nbd").label
        ('BG/NBD', 'Pareto/NBD')
    """
    plain = name.strip().lower().replace("/", "_").replace("-", "_").replace(" ", "_")
    if plain not in MODELS:
        raise UsageError(
            msg("There is no model “{name}”.", name=name),
            remedy=msg("Use {names}.", names=list(MODELS)),
        )
    return MODELS[plain]()


def too_few(counts: Counts) -> Message | None:
    """Why customers are too few for a model (None: they are enough)."""
    if counts.customers < CUSTOMERS_MIN:
        return nmsg(
            "Not enough data: {n} customer has bought, a model needs {needed}.",
            "Not enough data: {n} customers have bought, a model needs {needed}.",
            int(counts.customers),
            needed=CUSTOMERS_MIN,
        )
    if counts.repeaters < REPEATERS_MIN:
        return nmsg(
            "Not enough data: {n} customer has bought again, a model needs {needed}.",
            "Not enough data: {n} customers have bought again, a model needs {needed}.",
            int(counts.repeaters),
            needed=REPEATERS_MIN,
        )
    return None


def backtest(book: Book, names: Sequence[str], horizon_days: int) -> Backtest | None:
    """Test models and rules on a book's own past.

    Args:
        book: The company's tables.
        names: Names of `MODELS`.
        horizon_days: How far ahead the answer is to look.

    Returns:
        How each did; None where the data are too short or the customers too few.
    """
    bought = book.purchases
    first = book.rows(bought.aggregate(first=bought.first_day.min()))[0]["first"]
    days, looked_from = holdout(first, book.as_of, horizon_days)
    seen = [(origin, origin.counts) for origin in origins(book, looked_from, days) if len(origin.T)]
    held = [(origin, counts) for origin, counts in seen if too_few(counts) is None]
    if not held:
        return None
    errors = {name: Errors(MODELS[name]().label, is_rule=False) for name in names}
    errors |= {rule.name: Errors(rule.label, is_rule=True) for rule in RULES}
    amounts = {name: Errors(one.label, is_rule=one.is_rule) for name, one in errors.items()}
    for origin, counts in held:
        sample = counts.sample(SAMPLE_CUSTOMERS)
        # Of a sample the gaps are not known one by one; so many have the mean of all.
        share = float(sample.n @ sample.x) / float(counts.n @ counts.x)
        value = (
            None
            if origin.spent_after is None
            else expected_value(origin.priced, origin.monetary_value)
        )
        for name in names:
            model = MODELS[name]()
            model.fit_counts(sample, log_gaps=origin.log_gaps * share)
            expected = model.ahead(days, counts).mean[counts.at]
            errors[name].add(expected, origin.after)
            if value is not None:
                amounts[name].add(expected * value, origin.spent_after)
        for rule in RULES:
            errors[rule.name].add(rule.predict(origin), origin.after)
            spent = rule.spend(origin) if rule.spend is not None and value is not None else None
            if spent is not None:
                amounts[rule.name].add(spent, origin.spent_after)
    return Backtest(
        tuple(origin.day for origin, _ in held),
        days,
        tuple(one.accuracy(name) for name, one in errors.items()),
        tuple(one.accuracy(name) for name, one in amounts.items() if one.customers),
    )


def expected_value(frequency: Floats, monetary_value: Floats | None) -> Floats | None:
    """What each customer is expected to spend at a time.

    Args:
        frequency: Repeat purchases.
        monetary_value: Mean amount of them (None: not known).

    Returns:
        By Gamma-Gamma; None where too few customers came back for an amount.
    """
    if monetary_value is None:
        return None
    spending = fit_spending(frequency, monetary_value)
    return None if spending is None else spending.expected_value(frequency, monetary_value)


def fit_spending(frequency: Floats, monetary_value: Floats) -> GammaGamma | None:
    """Gamma-Gamma, fitted where enough customers came back for an amount (None: too few did)."""
    spent = (frequency > 0) & (np.nan_to_num(monetary_value) > 0)
    if int(spent.sum()) < SPENDERS_MIN:
        return None
    return GammaGamma().fit(frequency, monetary_value)


def choose(
    book: Book, counts: Counts, horizon_days: int, *, log_gaps: float, unit_days: int = 1
) -> Choice:
    """Fit the model that would have foretold best.

    Args:
        book: The company's tables.
        counts: The histories of its customers, in days.
        horizon_days: How far ahead the answer is to look.
        log_gaps: Sum of the logarithms of the days between purchases.
        unit_days: Days in the unit of time that the model is to have.

    Returns:
        The fitted model. Where no back-test is possible, the one that makes the data most
        probable.
    """

    def fitted(name: str) -> TransactionModel:
        return fit_in_unit(MODELS[name](), counts, log_gaps=log_gaps, unit_days=unit_days)

    tested = backtest(book, list(MODELS), horizon_days)
    if tested is None:
        model = max(map(fitted, MODELS), key=lambda model: model.log_likelihood_)
        # Long data and a near horizon: it is not the data that are too short.
        why = (
            msg(
                "{model} was chosen because it fits the data best; on the past it can be tested"
                " {needed} days ahead or more.",
                model=model.label,
                needed=HOLDOUT_DAYS_MIN,
            )
            if horizon_days < HOLDOUT_DAYS_MIN
            else msg(
                "{model} was chosen because it fits the data best; they are too short to test it on"
                " the past.",
                model=model.label,
            )
        )
        return Choice(model, why, None)
    least = min(one.rmse for one in tested.accuracies if not one.is_rule)
    close = [name for name in MODELS if tested.of(name).rmse <= least * _AS_GOOD]
    candidates = [fitted(close[0])]
    while not candidates[-1].converged_ and len(candidates) < len(close):
        candidates.append(fitted(close[len(candidates)]))
    model = candidates[-1] if candidates[-1].converged_ else candidates[0]
    others = [str(tested.of(name).label) for name in close if name != model.name]
    if others:
        why = msg(
            "{model} was chosen: of the models tried on the past it foretold best, along with"
            " {others}.",
            model=model.label,
            others=others,
        )
    else:
        why = msg(
            "{model} was chosen: of the models tried on the past it foretold best.",
            model=model.label,
        )
    return Choice(model, why, tested)


def fit_in_unit(
    model: TransactionModel, counts: Counts, *, log_gaps: float, unit_days: int
) -> TransactionModel:
    """Fit a model to histories in days, in another unit of time.

    Args:
        model: The model.
        counts: The histories, in days.
        log_gaps: Sum of the logarithms of the days between purchases.
        unit_days: Days in a unit.

    Returns:
        The model, fitted.
    """
    if unit_days == 1:
        return model.fit_counts(counts, log_gaps=log_gaps)
    repeats = float(counts.n @ counts.x)
    return model.fit_counts(
        counts.scaled(1 / unit_days), log_gaps=log_gaps - repeats * float(np.log(unit_days))
    )


class Errors:
    """The errors of one way of foretelling, added up.

    Args:
        label: What people call it.
        is_rule: Whether it is a simple rule.
    """

    def __init__(self, label: Message | str, *, is_rule: bool) -> None:
        self.label = label
        self.is_rule = is_rule
        self.sums = np.zeros(5)

    @property
    def customers(self) -> int:
        """How many forecasts were added."""
        return int(self.sums[0])

    def add(self, expected: Floats, actual: Floats | None) -> None:
        """Add what was foretold of some customers, and what came."""
        assert actual is not None
        apart = expected - actual
        self.sums += (
            len(apart), np.abs(apart).sum(), (apart**2).sum(), expected.sum(), actual.sum()
        )  # fmt: skip

    def accuracy(self, name: str) -> Accuracy:
        """How well it did in all."""
        n, absolute, squares, expected, actual = self.sums.tolist()
        return Accuracy(
            name, self.label, self.is_rule, int(n), absolute / n, (squares / n) ** 0.5, expected,
            actual,
        )  # fmt: skip
