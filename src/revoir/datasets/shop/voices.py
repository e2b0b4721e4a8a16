"""What customers say and do beside buying: answers to surveys, contacts, visits, subscriptions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revoir.datasets.shop.catalogue import (
    CHANGE_OF_PLAN,
    CHANNELS,
    COMMENTS_FAIR,
    COMMENTS_GOOD,
    COMMENTS_LATE,
    COMMENTS_POOR,
    DEVICES,
    EVENTS,
    PLANS,
    REASONS_OF_LEAVING,
    SERVICE_CHANNELS,
    SUBJECTS,
)
from revoir.datasets.shop.life import Calendar, Floats, Ints, People, Purchases, World

Texts = npt.NDArray[np.object_]

DETRACTOR_SHARE_LATE, PROMOTER_SHARE_LATE = 0.72, 0.08
"""Shares of 0–6 and of 9–10 among customers whose order came late."""


def nps_shares(channel: Ints, late: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Promoters and detractors expected of an answer, given the channel and whether it was late."""
    promoters = np.array([one.promoter_share for one in CHANNELS])[channel]
    detractors = np.array([one.detractor_share for one in CHANNELS])[channel]
    return (
        np.where(late, PROMOTER_SHARE_LATE, promoters),
        np.where(late, DETRACTOR_SHARE_LATE, detractors),
    )


@dataclass(frozen=True)
class Responses:
    """Answered questionnaires, by day: recommendation 0–10, satisfaction 1–5, ease 1–7."""

    customer: Ints
    day: Ints
    purchase: Ints
    nps: Ints
    csat: Ints
    ces: Ints
    comment: Texts


def responses_of(calendar: Calendar, purchases: Purchases, rng: np.random.Generator) -> Responses:
    """Draw the answers to the survey that follows some orders."""
    count = len(purchases.day)
    answers = rng.random(count) < 0.22 * np.where(purchases.late, 0.50, 0.38)
    day = purchases.day + rng.integers(3, 12, count) + 6 * purchases.late
    chosen = np.flatnonzero(answers & (day < calendar.days))
    chosen = chosen[np.argsort(day[chosen], kind="stable")]
    late = purchases.late[chosen]
    promoters, detractors = nps_shares(purchases.channel[chosen], late)
    draw = rng.random(len(chosen))
    high, low = draw < promoters, draw >= 1 - detractors
    nps = np.select(
        [high, low],
        [
            rng.choice([9, 10], len(chosen), p=[0.45, 0.55]),
            rng.choice(7, len(chosen), p=[0.08, 0.04, 0.08, 0.12, 0.16, 0.24, 0.28]),
        ],
        rng.choice([7, 8], len(chosen), p=[0.4, 0.6]),
    )
    csat = np.select(
        [high, low],
        [
            rng.choice([4, 5], len(chosen), p=[0.2, 0.8]),
            rng.choice([1, 2, 3], len(chosen), p=[0.3, 0.4, 0.3]),
        ],
        rng.choice([3, 4, 5], len(chosen), p=[0.2, 0.65, 0.15]),
    )
    ces = np.clip(np.round(np.where(late, 3.0, 5.6) + rng.normal(0, 1.1, len(chosen))), 1, 7)
    comment = _comments(nps, late, rng)
    return Responses(
        purchases.customer[chosen], day[chosen], chosen, nps, csat, ces.astype(np.int64), comment
    )


def _comments(nps: Ints, late: npt.NDArray[np.bool_], rng: np.random.Generator) -> Texts:
    """Two in five write something, those who are unhappy more often."""
    size = len(nps)
    comment = np.full(size, None, dtype=object)
    poor = nps <= 6
    for which, sentences in (
        (nps >= 9, COMMENTS_GOOD),
        ((nps == 7) | (nps == 8), COMMENTS_FAIR),
        (poor & ~late, COMMENTS_POOR),
        (poor & late, COMMENTS_LATE),
    ):
        words = np.array([french for french, _ in sentences], dtype=object)
        comment[which] = words[rng.integers(0, len(words), int(which.sum()))]
    comment[rng.random(size) >= np.where(poor, 0.65, 0.35)] = None
    return comment


@dataclass(frozen=True)
class Interactions:
    """Contacts with customer service; times are seconds since the first midnight, in UTC.

    `answered` and `resolved` are -1 while that has not happened; `satisfaction` is 0 where
    nobody was asked or answered; `purchase` is -1 where the contact is not about one.
    """

    customer: Ints
    purchase: Ints
    opened: Ints
    answered: Ints
    resolved: Ints
    channel: Texts
    kind: Texts
    subject: Texts
    satisfaction: Ints


def interactions_of(
    calendar: Calendar, purchases: Purchases, rng: np.random.Generator
) -> Interactions:
    """Draw the complaints and the other contacts."""
    complaints = np.flatnonzero(purchases.complained)
    count = len(purchases.day)
    asks = np.flatnonzero(rng.random(count) < np.where(purchases.late, 0.15, 0.02))
    about = np.concatenate([complaints, asks])
    is_complaint = np.arange(len(about)) < len(complaints)
    size = len(about)
    others = np.array(["Question produit", "Suivi de commande", "Retour"], dtype=object)
    kind = np.where(is_complaint, "Réclamation", others[rng.choice(3, size, p=[0.5, 0.35, 0.15])])
    kind[~is_complaint & purchases.late[about]] = "Suivi de commande"
    day = purchases.day[about] + rng.integers(1, 6, size) + 4 * purchases.late[about]
    opened = (day * 24 + rng.uniform(7, 18, size)) * 3600
    slow = purchases.slow[about]
    wait_h = np.where(
        slow, rng.uniform(49, 150, size), np.minimum(rng.lognormal(1.9, 0.9, size), 46)
    )
    answered = opened + wait_h * 3600
    resolved = answered + rng.exponential(np.where(is_complaint, 40, 9), size) * 3600
    content = np.where(slow, 0.12, np.where(is_complaint, 0.55, 0.85))
    satisfied = rng.random(size) < content
    score = np.where(satisfied, rng.integers(4, 6, size), rng.integers(1, 4, size))
    score = np.where(rng.random(size) < 0.45, score, 0)

    limit = calendar.days * 86_400 - 7_200
    order = np.argsort(opened, kind="stable")
    order = order[opened[order] < limit]
    answered = np.where(answered < limit, answered, -1)
    resolved = np.where(resolved < limit, resolved, -1)
    subject = _subjects(kind, purchases.late[about], rng)
    channel = np.array(SERVICE_CHANNELS, dtype=object)[
        rng.choice(4, size, p=[0.45, 0.3, 0.15, 0.1])
    ]
    return Interactions(
        purchases.customer[about][order],
        about[order],
        opened[order].astype(np.int64),
        answered[order].astype(np.int64),
        resolved[order].astype(np.int64),
        channel[order],
        kind[order],
        subject[order],
        np.where(resolved >= 0, score, 0)[order],
    )


def _subjects(kind: Texts, late: npt.NDArray[np.bool_], rng: np.random.Generator) -> Texts:
    subject = np.full(len(kind), None, dtype=object)
    for name, sentences in SUBJECTS.items():
        which = kind == name
        words = np.array([french for french, _ in sentences], dtype=object)
        pick = rng.integers(0, len(words), int(which.sum()))
        subject[which] = words[np.where(late[which], 0, pick)]
    return subject


@dataclass(frozen=True)
class Visits:
    """Steps of visits to the site, by time; `second` counts from the first midnight, local time."""

    customer: Ints
    session: Ints
    second: Ints
    event: Texts
    device: Texts


def visits_of(
    calendar: Calendar, people: People, purchases: Purchases, rng: np.random.Generator
) -> Visits:
    """Draw the visits of the last eighteen months: those that end in an order, and the others."""
    first_day = calendar.day(calendar.price_rise_on)
    site = np.flatnonzero(np.array([one.name == "site" for one in CHANNELS])[purchases.channel])
    site = site[purchases.day[site] >= first_day]
    # While customers stay they look in without buying; those who left still do, seldom.
    stay_to = np.where(people.left >= 0, people.left, calendar.days)
    begin = np.maximum(people.joined, first_day)
    online = np.array([1.0 if one.name == "site" else 0.15 for one in CHANNELS])[people.channel]
    staying = rng.poisson(online * 0.4 / 30 * np.maximum(stay_to - begin, 0))
    gone_from = np.maximum(stay_to, begin)
    gone = rng.poisson(online * 0.03 / 30 * np.maximum(calendar.days - gone_from, 0))
    everyone = np.arange(people.count)
    who = np.concatenate(
        [purchases.customer[site], np.repeat(everyone, staying), np.repeat(everyone, gone)]
    )
    day = np.concatenate(
        [
            purchases.day[site],
            _days_between(np.repeat(begin, staying), np.repeat(stay_to, staying), rng),
            _days_between(
                np.repeat(gone_from, gone),
                np.repeat(np.full(people.count, calendar.days), gone),
                rng,
            ),
        ]
    )
    bought = np.arange(len(who)) < len(site)
    steps = np.where(bought, 4, rng.choice([1, 2, 3], len(who), p=[0.45, 0.4, 0.15]))
    start = (day * 24 + rng.triangular(7, 20.5, 22.5, len(who))) * 3600
    order = np.argsort(start, kind="stable")
    session = np.repeat(np.arange(len(who)), steps[order])
    step = np.arange(len(session)) - np.repeat(np.cumsum(steps[order]) - steps[order], steps[order])
    second = start[order][session].astype(np.int64) + step * 90 + rng.integers(0, 60, len(session))
    device = np.array(DEVICES, dtype=object)[rng.choice(3, len(who), p=[0.6, 0.34, 0.06])]
    return Visits(
        who[order][session], session, second, np.array(EVENTS, dtype=object)[step], device[session]
    )


def _days_between(first: Ints, last: Ints, rng: np.random.Generator) -> Ints:
    """A day at random from each `first` up to, and without, `last`."""
    days: Ints = first + (rng.random(len(first)) * np.maximum(last - first, 1)).astype(np.int64)
    return days


@dataclass(frozen=True)
class Subscriptions:
    """Subscriptions to a monthly box, one entry a period at one price.

    `months` is how many months the contract ran in all (-1: it still runs), the same on each of
    its entries; `ended` is None where the entry still runs; `amount` is in cents.
    """

    contract: Ints
    customer: Ints
    plan: Ints
    started: npt.NDArray[np.datetime64]
    ended: npt.NDArray[np.datetime64]
    amount: Ints
    reason: Texts


def subscriptions_of(
    world: World, calendar: Calendar, people: People, purchases: Purchases, rng: np.random.Generator
) -> Subscriptions:
    """Draw the subscriptions: each month a subscriber renews or not (sBG, Fader & Hardie 2007)."""
    count = round(people.count * world.subscriber_share)
    who = np.sort(rng.choice(people.count, count, replace=False))
    plan = rng.choice(len(PLANS), count, p=[share for *_, share in PLANS])
    start = _start_days(calendar, people, purchases, who, rng)
    alpha, beta = (np.array([one[side] for one in PLANS])[plan] for side in (2, 3))
    months = rng.geometric(np.maximum(rng.beta(alpha, beta), 1e-9))
    upgrade = rng.geometric(world.upgrade_share, count)
    upgrade = np.where((upgrade < months) & (plan < len(PLANS) - 1), upgrade, 0)
    reason = np.array([text for text, _ in REASONS_OF_LEAVING], dtype=object)[
        rng.choice(len(REASONS_OF_LEAVING), count, p=[share for _, share in REASONS_OF_LEAVING])
    ]
    months = np.minimum(months, 1200)
    change = _months_later(start, upgrade)
    ended = _months_later(start, months)
    moved = np.flatnonzero((upgrade > 0) & (change < np.datetime64(calendar.end, "D")))
    first_end, first_reason = ended.copy(), reason.copy()
    first_end[moved], first_reason[moved] = change[moved], CHANGE_OF_PLAN
    contract = np.concatenate([np.arange(count), moved])
    order = np.lexsort((np.concatenate([start, change[moved]]), contract))
    all_plans = np.concatenate([plan, plan[moved] + 1])[order]
    all_ended = np.concatenate([first_end, ended[moved]])[order]
    all_reasons = np.concatenate([first_reason, reason[moved]])[order]
    running = all_ended >= np.datetime64(calendar.end, "D")
    all_ended[running] = np.datetime64("NaT")
    all_reasons[running] = None
    cents = np.array([round(price * 100) for _, price, *_ in PLANS])
    return Subscriptions(
        contract[order],
        who[contract[order]],
        all_plans,
        np.concatenate([start, change[moved]])[order],
        all_ended,
        cents[all_plans],
        all_reasons,
    )


def _start_days(
    calendar: Calendar, people: People, purchases: Purchases, who: Ints, rng: np.random.Generator
) -> npt.NDArray[np.datetime64]:
    """A subscription starts on the day of one of the customer's first three purchases."""
    order = np.lexsort((purchases.day, purchases.customer))
    first = np.searchsorted(purchases.customer[order], who)
    last = np.searchsorted(purchases.customer[order], who, side="right")
    pick = first + np.minimum(rng.integers(0, 3, len(who)), last - first - 1)
    dates = calendar.dates[purchases.day[order][pick]]
    # Months later must be the same day of the month: none starts after the 28th.
    month = dates.astype("datetime64[M]")
    return np.asarray(
        month.astype("datetime64[D]") + np.minimum((dates - month).astype(np.int64), 27)
    )


def _months_later(start: npt.NDArray[np.datetime64], months: Ints) -> npt.NDArray[np.datetime64]:
    month = start.astype("datetime64[M]")
    return np.asarray((month + months).astype("datetime64[D]") + (start - month))
