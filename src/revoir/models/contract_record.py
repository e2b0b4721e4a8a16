"""The record of models of contracts: what they would have foretold, beside a simple rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from revoir.language import Message, Number, Percent, msg
from revoir.models.choosing import CLEARLY, Backtest, Errors
from revoir.models.contracts import ContractModel
from revoir.models.counts import Floats, Ints
from revoir.models.origins import ORIGINS_MAX
from revoir.models.subscribers import Bools, Subscribers
from revoir.periods import add_months

HOLDOUT_MONTHS_MIN = 2
LOST_MIN = 10
"""Fewer departures tell nothing of when customers leave."""

RULE = msg("Customers leave at the rate of the time before")


def contract_backtest(
    known: Subscribers, models: Sequence[type[ContractModel]], as_of: dt.date, months: int
) -> Backtest | None:
    """Test models of contracts, and a simple rule, on the past.

    Args:
        known: The subscribers.
        models: The models.
        as_of: The last day that is known.
        months: How many months ahead the answer is to look.

    Returns:
        How well each foretold the months that customers stayed (in `Backtest.holdout_days` days);
        None where the data have no days, or are too short.
    """
    if known.start is None:
        return None
    span = (as_of - known.start.min().item()).days / (365.25 / 12)
    ahead = min(months, int(span // 3))
    if ahead < HOLDOUT_MONTHS_MIN:
        return None
    errors = {model.name: Errors(model.label, is_rule=False) for model in models}
    errors["same_churn"] = Errors(RULE, is_rule=True)
    days = []
    for place in range(min(ORIGINS_MAX, int(span // ahead) - 1)):
        day = add_months(as_of, -ahead * (place + 1))
        if _looked_from(known, models, day, ahead, errors):
            days.append(day)
    if not days:
        return None
    held_out = (as_of - add_months(as_of, -ahead)).days
    tested = tuple(one.accuracy(name) for name, one in errors.items())
    return Backtest(tuple(days), held_out, tested)


def _looked_from(
    known: Subscribers,
    models: Sequence[type[ContractModel]],
    day: dt.date,
    ahead: int,
    errors: dict[str, Errors],
) -> bool:
    """Add what was foretold on a day; whether enough was known by then."""
    by_then, periods, left = known.at(day)
    if int(left.sum()) < LOST_MIN or left.all():
        return False
    stayed = periods[~left]
    _, later, gone = (column[by_then] for column in _later(known, add_months(day, ahead)))
    # Who left in month T renewed T − 1 times.
    renewed = np.where(gone, later - 1, later)[~left]
    kept = np.clip(renewed - stayed, 0, ahead).astype(np.float64)
    for model in models:
        fitted = model().fit(periods, left)
        distinct, at = np.unique(stayed, return_inverse=True)
        errors[model.name].add(fitted.stays(distinct, ahead).sum(axis=1)[at], kept)
    stays = 1 - _churn(known, day, ahead)
    expected = float((stays ** np.arange(1, ahead + 1)).sum())
    errors["same_churn"].add(np.full(len(kept), expected), kept)
    return True


def _later(known: Subscribers, day: dt.date) -> tuple[Bools, Ints, Bools]:
    """`Subscribers.at` for every customer, whoever came later counting for nothing."""
    there, periods, left = known.at(day)
    every, gone = np.zeros(len(there), np.int64), np.zeros(len(there), bool)
    every[there], gone[there] = periods, left
    return there, every, gone


def _churn(known: Subscribers, day: dt.date, months: int) -> float:
    """Departures a customer and month in the time before a day."""
    before = add_months(day, -months)
    _, then, gone_then = _later(known, before)
    _, now, gone_now = _later(known, day)
    lived: Floats = np.maximum(now - np.where(gone_then, now, then), 0).astype(np.float64)
    lost = float((gone_now & ~gone_then).sum())
    return min(lost / max(float(lived.sum()), 1.0), 1.0)


def contract_verdict(tested: Backtest, name: str) -> Message:
    """How a model did against the simple rule, in words."""
    mine, rule, gain = tested.of(name), tested.best_rule, tested.gain(name)
    told = {
        "model": mine.label, "error": Number(mine.rmse, 2), "rule_error": Number(rule.rmse, 2),
        "gain": Percent(abs(gain), 0), "n": mine.customers,
    }  # fmt: skip
    if gain >= CLEARLY:
        return msg(
            "Tested on the past ({n} forecasts), {model} erred by {error} months a customer (root"
            " mean square), {gain} less than taking the churn rate of the time before"
            " ({rule_error}).",
            **told,
        )
    if gain > -CLEARLY:
        return msg(
            "Tested on the past ({n} forecasts), {model} erred by {error} months a customer (root"
            " mean square), about as much as by taking the churn rate of the time before"
            " ({rule_error}): take its order of customers rather than its figures.",
            **told,
        )
    return msg(
        "Tested on the past ({n} forecasts), {model} erred by {error} months a customer (root mean"
        " square), {gain} more than taking the churn rate of the time before ({rule_error}): do"
        " not rely on the model.",
        **told,
    )
