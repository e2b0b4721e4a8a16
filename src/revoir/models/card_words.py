"""A model card in sentences: how good lists were in the past, and what to beware of now."""

from __future__ import annotations

from revoir.language import Message, Money, Number, Percent, in_days, msg, nmsg
from revoir.models.card import Card, Lists
from revoir.models.learning import RULE_CUSTOMERS_MIN
from revoir.models.validation import Judgement, Top

SHARE = 0.10
"""The length of the list whose record is told: a tenth of the customers."""
DRIFT_LARGE = 0.25
"""A population stability index above it is a large change (Siddiqi 2006, chapter 8)."""
DRIFT_NAMED = 3
BY_CHANCE = 0.5
"""How often a leaver is put before a stayer by drawing lots."""
SURPRISE = 3.0
"""Standard errors between expected and actual departures that are worth a warning."""


def record_in_words(card: Card, by: str, currency: str | None = None) -> list[Message]:
    """How well a list of customers would have done in the past.

    Args:
        card: The card.
        by: What the list is ordered by: "stake" or "risk".
        currency: Of the amounts.

    Returns:
        Sentences; where nothing could be tested, the one that says so.
    """
    lists = next((one for one in card.lists if one.by == by), None)
    if card.used is None:
        return []
    if lists is None:
        return [_untested_in_words(card)]
    count = next(one for one in lists.counts if one.share == SHARE)
    found = [_list_in_words(card, count)]
    amounts = _amounts_in_words(lists, lists.counts.index(count), currency)
    if amounts is not None:
        found.append(amounts)
    found.append(_ranking_in_words(card))
    if card.judged[card.used].auc.low <= BY_CHANCE:
        found.append(
            msg(
                "Beyond chance that is no better than drawing lots: do not rely on the order of the"
                " list."
            )
        )
    return found


def _untested_in_words(card: Card) -> Message:
    tested = next((row for row in card.days if row.use == "test"), card.days[0])
    return nmsg(
        "Of {n} customer in the test {left} left: to say how good such a list is, {least} must"
        " leave and as many stay.",
        "Of {n} customers in the test {left} left: to say how good such a list is, {least} must"
        " leave and as many stay.",
        tested.customers,
        left=tested.left,
        least=RULE_CUSTOMERS_MIN,
    )


def _list_in_words(card: Card, count: Top) -> Message:
    told = {
        "n": count.n,
        "share": Percent(count.share, 0),
        "left": count.left,
        "rate": Percent(count.rate, 0),
        "low": Percent(count.low, 0),
        "high": Percent(count.high, 0),
        "base": Percent(count.base, 0),
        "day": next((row.day for row in card.days if row.use == "test"), card.days[0].day),
        "days": in_days(card.window_days or 0),
    }
    if card.tested_on == "later":
        return msg(
            "A list made on {day}, of what was known by then, would have named {n} customers"
            " ({share} of those there): {left} of them left within {days}, {rate} ({low} to"
            " {high}), against {base} of all.",
            **told,
        )
    if card.window_days is None:
        return msg(
            "Of the {n} customers ({share}) put first without their answer being known, {left} had"
            " left: {rate} ({low} to {high}), against {base} of all.",
            **told,
        )
    return msg(
        "Of the {n} customers ({share}) put first on {day} by what was learned from others, {left}"
        " left within {days}: {rate} ({low} to {high}), against {base} of all. The data are"
        " too short to test on a later period.",
        **told,
    )


def _amounts_in_words(lists: Lists, place: int, currency: str | None) -> Message | None:
    if lists.worth_lost is None or not lists.worth_lost_all:
        return None
    lost = lists.worth_lost[place]
    return msg(
        "Those of the list who left had brought {amount} a year, {share} of all that was lost.",
        amount=Money(lost, currency, 0),
        share=Percent(lost / lists.worth_lost_all, 0),
    )


def _ranking_in_words(card: Card) -> Message:
    assert card.used is not None
    used, rule = card.judged[card.used], card.judged["rule"]
    if card.used == "rule":
        return msg(
            "Of a customer who left and one who stayed, the one who left was put first in {auc}"
            " of 100 cases ({low} to {high}; by chance 50).",
            **_hundredths(used),
        )
    return msg(
        "Of a customer who left and one who stayed, the one who left was put first in {auc} of 100"
        " cases ({low} to {high}; by chance 50, by the rule {rule}).",
        **_hundredths(used),
        rule=Number(100 * rule.auc.value, 0),
    )


def _hundredths(judged: Judgement) -> dict[str, Number]:
    ends = {"auc": judged.auc.value, "low": judged.auc.low, "high": judged.auc.high}
    return {name: Number(100 * value, 0) for name, value in ends.items()}


def used_in_words(card: Card) -> Message | None:
    """What the probabilities come from."""
    match card.used:
        case None:
            return None
        case "rule":
            return msg("The probabilities come from one figure: {figure}.", figure=card.rule)
        case "logistic":
            return msg("The probabilities come from a logistic regression on all features.")
        case "trees":
            return msg("The probabilities come from boosted trees on all features.")
    return msg(
        "The probabilities come from boosted trees and a logistic regression on all features."
    )


def drivers_in_words(card: Card, most: int = 3) -> Message | None:
    """What goes with leaving most, over all customers.

    Args:
        card: The card.
        most: How many things are named.
    """
    named = [one.raising for one in card.drivers if one.raising is not None][:most]
    return msg("What goes with leaving most: {things}.", things=named) if named else None


def warnings_in_words(card: Card) -> list[Message]:
    """What to beware of: departures that were not foreseen, features that changed."""
    found = []
    used = card.judged.get(card.used or "")
    if used is not None and _surprising(used):
        found.append(
            msg(
                "In the test {expected} customers were expected to leave, and {left} did: leaving"
                " changes with time, and the probabilities may be off by as much.",
                expected=Number(used.expected, 0),
                left=used.left,
            )
        )
    changed = [name for name, value in card.drift.items() if value > DRIFT_LARGE]
    changed = sorted(changed, key=lambda name: -card.drift[name])[:DRIFT_NAMED]
    if changed:
        labels = dict(card.labels)
        found.append(
            msg(
                "Customers now differ much from those learned from in: {features}.",
                features=[labels[name] for name in changed],
            )
        )
    return found


def _surprising(judged: Judgement) -> bool:
    rate = judged.expected / judged.customers
    spread = (judged.customers * rate * (1 - rate)) ** 0.5
    return bool(abs(judged.expected - judged.left) > SURPRISE * max(spread, 1.0))
