"""Who joins, who buys when, what goes wrong, and who leaves: the world behind the shop's files.

A customer joins, buys at a rate of their own (Gamma over customers) that follows the seasons, and
after each purchase leaves for good with a probability of their own (Beta over customers): the
modified BG/NBD world (Batislam, Denizel & Filiztekin 2007, which is BG/NBD of Fader, Hardie &
Lee 2005 with a first chance to leave right after the first purchase). On top of it, a late parcel
and a complaint that is answered slowly each add to the probability of leaving.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revoir.datasets.shop.catalogue import CHANNELS, SEASON, SEASON_OF_JOINING, TOWNS
from revoir.periods import add_months

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class World:
    """The parameters that the shop is drawn from.

    Attributes:
        rate_shape: Shape r of the Gamma of purchase rates.
        purchases_per_month: Mean purchase rate while a customer stays, in an average month.
        switch_share: Share of purchases made in another channel than the customer's own.
        incident_channel: The channel whose carrier was changed for a worse one.
        incident_late_share: Share of its orders that arrive late from then on.
        late_effect: Added probability of leaving after a late order.
        complaint_share: Complaints after an order that went well.
        complaint_share_late: Complaints after a late order.
        slow_share: Complaints answered after more than two days, before the incident.
        slow_share_incident: The same from the incident on.
        slow_effect: Added probability of leaving after a slow answer.
        price_rise: By how much prices rose, once.
        anonymous_share: Sales in the shops to people without an account, against the others.
        return_share: Orders of which something comes back, delivered channels.
        cancelled_share: Orders cancelled before they were paid, delivered channels.
        subscriber_share: Share of the customers who subscribe to a box at a purchase.
        upgrade_share: Monthly probability that a subscriber moves to the next plan.
    """

    rate_shape: float = 1.4
    purchases_per_month: float = 0.62
    switch_share: float = 0.10
    incident_channel: str = "site"
    incident_late_share: float = 0.50
    late_effect: float = 0.40
    complaint_share: float = 0.012
    complaint_share_late: float = 0.30
    slow_share: float = 0.20
    slow_share_incident: float = 0.55
    slow_effect: float = 0.30
    price_rise: float = 0.06
    anonymous_share: float = 0.10
    return_share: float = 0.035
    cancelled_share: float = 0.015
    subscriber_share: float = 0.11
    upgrade_share: float = 0.012


@dataclass(frozen=True)
class Calendar:
    """The days of the shop, numbered from 0 on `start`; `end` is the day after the last."""

    start: dt.date
    end: dt.date

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.end - self.start).days

    @property
    def dates(self) -> npt.NDArray[np.datetime64]:
        """The days as dates."""
        return np.datetime64(self.start, "D") + np.arange(self.days)

    @property
    def months(self) -> Ints:
        """The month (0–11) of each day."""
        return self.dates.astype("datetime64[M]").astype(np.int64) % 12

    def day(self, date: dt.date) -> int:
        """The number of a date."""
        return (date - self.start).days

    @property
    def incident_on(self) -> dt.date:
        """The day that the carrier was changed: ten months before the end."""
        return max(add_months(self.end, -10), self.start)

    @property
    def price_rise_on(self) -> dt.date:
        """The day that prices rose: eighteen months before the end."""
        return max(add_months(self.end, -18), self.start)

    @property
    def open_days(self) -> Ints:
        """For each day the nearest day, going back, that the shops were open (not on Sundays)."""
        dates = self.dates
        monday_first = (dates.astype(np.int64) + 3) % 7
        text = np.datetime_as_string(dates)
        holiday = np.isin([day[5:] for day in text], ["01-01", "05-01", "12-25"])
        is_open = (monday_first != 6) & ~holiday
        days = np.arange(self.days)
        back = np.maximum.accumulate(np.where(is_open, days, -1))
        return np.where(back < 0, int(np.argmax(is_open)), back).astype(np.int64)


@dataclass(frozen=True)
class People:
    """The customers, in the order of their first purchase; each array has one entry a customer.

    Attributes:
        joined: Day of the first purchase.
        channel: Index of their own channel.
        town: Index of their town.
        rate: Purchases a day while they stay, in an average season.
        dropout: Probability of leaving after a purchase that went well.
        basket: How large their baskets are, against the average.
        left: Day of their last purchase, after which they left; -1 while they stay.
    """

    joined: Ints
    channel: Ints
    town: Ints
    rate: Floats
    dropout: Floats
    basket: Floats
    left: Ints

    @property
    def count(self) -> int:
        """How many customers there are."""
        return len(self.joined)


@dataclass(frozen=True)
class Purchases:
    """The purchases of known customers, one entry each, by day.

    Attributes:
        customer: Index of the customer.
        day: Day.
        channel: Index of the channel.
        late: Whether it arrived late.
        complained: Whether the customer complained of it.
        slow: Whether the complaint was answered after more than two days.
        leaving: The probability that the customer leaves after it.
        left: Whether the customer left after it.
    """

    customer: Ints
    day: Ints
    channel: Ints
    late: Bools
    complained: Bools
    slow: Bools
    leaving: Floats
    left: Bools


def people_and_purchases(
    world: World, calendar: Calendar, customers: int, rng: np.random.Generator
) -> tuple[People, Purchases]:
    """Draw the customers and all they buy.

    Args:
        world: The parameters.
        calendar: The days.
        customers: How many customers there are.
        rng: Where chance comes from.

    Returns:
        The customers and their purchases.
    """
    joined = _joining_days(calendar, customers, rng)
    channel = rng.choice(len(CHANNELS), customers, p=[one.share for one in CHANNELS])
    town = _towns(channel, rng)
    mean_rate = world.purchases_per_month * 12 / 365.25
    factor = np.array([one.rate_factor for one in CHANNELS])[channel]
    factor *= np.array([one.rate_factor for one in TOWNS])[town]
    rate = rng.gamma(world.rate_shape, mean_rate / world.rate_shape, customers) * factor
    dropout = rng.beta(
        np.array([one.dropout_a for one in CHANNELS])[channel],
        np.array([one.dropout_b for one in CHANNELS])[channel],
    )
    basket = rng.gamma(4.0, 1 / 4.0, customers)
    purchases = _purchases(
        world, calendar, joined=joined, channel=channel, rate=rate, dropout=dropout, rng=rng
    )
    left = np.full(customers, -1)
    left[purchases.customer[purchases.left]] = purchases.day[purchases.left]
    return People(joined, channel, town, rate, dropout, basket, left), purchases


def _joining_days(calendar: Calendar, customers: int, rng: np.random.Generator) -> Ints:
    """Days of first purchase: an opening rush, growth for two years, then a slow decline."""
    years = np.arange(calendar.days) / 365.25
    trend = np.interp(years, [0, 2, 5], [0.6, 1.0, 0.85]) + 1.2 * np.exp(-years * 8)
    weight = trend * np.array(SEASON_OF_JOINING)[calendar.months]
    days = rng.choice(calendar.days, customers, p=weight / weight.sum())
    return np.sort(calendar.open_days[days])


def _towns(channel: Ints, rng: np.random.Generator) -> Ints:
    """Buyers in the shops live near; the others live anywhere in France."""
    near, far = (np.array([getattr(one, side) for one in TOWNS]) for side in ("near", "far"))
    lives_near = rng.choice(len(TOWNS), len(channel), p=near / near.sum())
    lives_far = rng.choice(len(TOWNS), len(channel), p=far / far.sum())
    shop = np.array([one.name == "boutique" for one in CHANNELS])[channel]
    return np.where(shop, lives_near, lives_far)


def _purchases(
    world: World,
    calendar: Calendar,
    *,
    joined: Ints,
    channel: Ints,
    rate: Floats,
    dropout: Floats,
    rng: np.random.Generator,
) -> Purchases:
    """One round a purchase for all who are still there, on a clock that runs with the season."""
    clock = np.concatenate([[0.0], np.cumsum(np.array(SEASON)[calendar.months])])
    clock *= calendar.days / clock[-1]
    moment = np.interp(joined + 0.5, np.arange(calendar.days + 1), clock)
    who = np.arange(len(joined))
    rounds: list[tuple[npt.NDArray[np.generic], ...]] = []
    while who.size:
        day = np.interp(moment, clock, np.arange(calendar.days + 1)).astype(np.int64)
        where = _channels_used(world, channel[who], rng)
        in_shop = np.array([one.name == "boutique" for one in CHANNELS])[where]
        day = np.where(in_shop, np.maximum(calendar.open_days[day], joined[who]), day)
        late, complained, slow = _mishaps(world, calendar, where, day, rng)
        stays = (1 - dropout[who]) * (1 - world.late_effect * late) * (1 - world.slow_effect * slow)
        leaves = rng.random(who.size) >= stays
        rounds.append((who, day, where, late, complained, slow, 1 - stays, leaves))
        stay = ~leaves
        who = who[stay]
        moment = moment[stay] + rng.exponential(1.0, who.size) / rate[who]
        still = moment < clock[-1]
        who, moment = who[still], moment[still]
    columns = [np.concatenate(parts) for parts in zip(*rounds, strict=True)]
    order = np.lexsort((columns[0], columns[1]))
    return Purchases(*(column[order] for column in columns))


def _channels_used(world: World, own: Ints, rng: np.random.Generator) -> Ints:
    other = rng.choice(len(CHANNELS), len(own), p=[one.share for one in CHANNELS])
    return np.where(rng.random(len(own)) < world.switch_share, other, own)


def _mishaps(
    world: World, calendar: Calendar, channel: Ints, day: Ints, rng: np.random.Generator
) -> tuple[Bools, Bools, Bools]:
    """Which orders are late, complained of, and answered slowly."""
    size = len(channel)
    after = day >= calendar.day(calendar.incident_on)
    hit = after & np.array([one.name == world.incident_channel for one in CHANNELS])[channel]
    usual = np.array([one.late_share for one in CHANNELS])[channel]
    late = rng.random(size) < np.where(hit, world.incident_late_share, usual)
    complained = rng.random(size) < np.where(
        late, world.complaint_share_late, world.complaint_share
    )
    slow = complained & (
        rng.random(size) < np.where(after, world.slow_share_incident, world.slow_share)
    )
    return late, complained, slow
