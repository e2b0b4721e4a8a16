"""Orders and their lines: what was bought, returned, cancelled, or sold without a name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revoir.datasets.shop.catalogue import CHANNELS, PRODUCTS, SEASON_OF_CATEGORY, TOWNS
from revoir.datasets.shop.life import Bools, Calendar, Floats, Ints, People, Purchases, World

STORES = ("Tours", "Nantes")


@dataclass(frozen=True)
class Orders:
    """Orders in the order of time; money is in cents.

    Attributes:
        customer: Index of the customer; -1 for a sale without a name.
        purchase: Index of the purchase it is; -1 for any other order.
        second: Second since the first midnight, in local time.
        channel: Index of the channel.
        store: Index of the shop, -1 outside of them.
        kind: purchase, return or cancelled.
        welcome: Whether the welcome code was used.
        line_order: For each line, the index of its order.
        product: Index of the product.
        quantity: How many; negative when returned.
        price: Price of one, in cents.
        discount: Discount on the line, in cents.
        amount: What the line came to, in cents.
        margin: Its margin, in cents.
    """

    customer: Ints
    purchase: Ints
    second: Ints
    channel: Ints
    store: Ints
    kind: npt.NDArray[np.str_]
    welcome: Bools
    line_order: Ints
    product: Ints
    quantity: Ints
    price: Ints
    discount: Ints
    amount: Ints
    margin: Ints

    @property
    def count(self) -> int:
        """How many orders there are."""
        return len(self.customer)

    def total(self, of: Ints) -> Ints:
        """Sum a column of the lines by order."""
        return (
            np.bincount(self.line_order, weights=of, minlength=self.count).round().astype(np.int64)
        )


def orders_of(
    world: World, calendar: Calendar, people: People, purchases: Purchases, rng: np.random.Generator
) -> Orders:
    """Draw the orders and their lines.

    Args:
        world: The parameters.
        calendar: The days.
        people: The customers.
        purchases: What they buy and when.
        rng: Where chance comes from.

    Returns:
        The orders, sorted by time.
    """
    delivered = np.array([one.name != "boutique" for one in CHANNELS])
    count = len(purchases.day)
    in_shop = np.flatnonzero(~delivered[purchases.channel])
    nameless = rng.choice(in_shop, int(len(in_shop) * world.anonymous_share))
    sent = np.flatnonzero(delivered[purchases.channel])
    cancelled = np.sort(rng.choice(sent, int(len(sent) * world.cancelled_share), replace=False))

    origin = np.concatenate([np.arange(count), nameless, cancelled])
    kind = np.repeat(["purchase", "purchase", "cancelled"], [count, len(nameless), len(cancelled)])
    named = np.repeat([True, False, True], [count, len(nameless), len(cancelled)])
    customer = np.where(named, purchases.customer[origin], -1)
    day, channel = purchases.day[origin], purchases.channel[origin]
    second = day * 86_400 + _second_of_day(channel, rng)
    # Whoever cancels, orders again within the hour: that order is the purchase.
    second = np.where(
        kind == "cancelled", second[origin] - rng.integers(300, 3600, len(origin)), second
    )
    store = _stores(people, purchases.customer[origin], channel, rng)
    first = (day == people.joined[purchases.customer[origin]]) & named
    welcome = first & delivered[channel] & (rng.random(len(origin)) < 0.3)

    basket = np.where(named, people.basket[purchases.customer[origin]], 0.7)
    lines = _lines(world, calendar, day=day, basket=basket, welcome=welcome, rng=rng)
    purchase = np.where((kind == "purchase") & named, origin, -1)
    made = Orders(customer, purchase, second, channel, store, kind, welcome, *lines)
    return _sorted(_with_returns(world, calendar, made, rng))


def _second_of_day(channel: Ints, rng: np.random.Generator) -> Ints:
    """Shops open from 9.30 to 19.00; elsewhere people order from 7 to 23, most in the evening."""
    shop = np.array([one.name == "boutique" for one in CHANNELS])[channel]
    size = len(channel)
    return np.where(
        shop, rng.uniform(9.5, 19, size) * 3600, rng.triangular(7, 20.5, 23, size) * 3600
    ).astype(np.int64)


def _stores(people: People, customer: Ints, channel: Ints, rng: np.random.Generator) -> Ints:
    """Each goes to the nearer shop; one in twenty to the other."""
    west = np.array([town.region in ("Pays de la Loire", "Bretagne") for town in TOWNS])
    store = west[people.town[customer]].astype(np.int64)
    store = np.where(rng.random(len(customer)) < 0.05, 1 - store, store)
    shop = np.array([one.name == "boutique" for one in CHANNELS])[channel]
    return np.where(shop, store, -1)


def _lines(
    world: World,
    calendar: Calendar,
    *,
    day: Ints,
    basket: Floats,
    welcome: Bools,
    rng: np.random.Generator,
) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints, Ints]:
    """The lines of orders: order, product, quantity, price, discount, amount, margin."""
    count = 1 + np.minimum(rng.poisson(1.25 * basket), 7)
    order = np.repeat(np.arange(len(day)), count)
    product = _products(calendar.months[day][order], rng)
    quantity = 1 + (rng.random(len(order)) < 0.16) + (rng.random(len(order)) < 0.04)
    raised = day[order] >= calendar.day(calendar.price_rise_on)
    cents = np.array([[one.price, one.price * (1 + world.price_rise)] for one in PRODUCTS])
    cents = (np.round(cents * 10) * 10).astype(np.int64)
    price = cents[product, raised.astype(np.int64)]
    share = np.where(_sales(calendar)[day[order]] & (rng.random(len(order)) < 0.5), 0.2, 0.0)
    share = np.where(welcome[order], 0.1, share)
    full = price * quantity
    discount = np.round(full * share).astype(np.int64)
    amount = full - discount
    return order, product, quantity, price, discount, amount, _margin(product, quantity, amount)


def _margin(product: Ints, quantity: Ints, amount: Ints) -> Ints:
    cost = np.array([one.cost for one in PRODUCTS])[product] * 100
    tax = np.array([one.tax for one in PRODUCTS])[product]
    return np.asarray(np.round(amount / (1 + tax) - cost * quantity), dtype=np.int64)


def _products(month: Ints, rng: np.random.Generator) -> Ints:
    even = (1.0,) * 12
    weight = np.array(
        [
            [one.weight * SEASON_OF_CATEGORY.get(one.category, even)[m] for one in PRODUCTS]
            for m in range(12)
        ]
    )
    edges = np.cumsum(weight, axis=1)
    edges /= edges[:, -1:]
    # One search for all months: each month's shares lie in an interval of its own.
    flat = (edges + np.arange(12)[:, None]).ravel()
    found = np.searchsorted(flat, rng.random(len(month)) + month, side="right")
    return np.asarray(found - month * len(PRODUCTS), dtype=np.int64)


def _sales(calendar: Calendar) -> Bools:
    """The days of the sales: four weeks from mid-January and from the end of June."""
    of_year = np.array(
        [int(day[5:7]) * 100 + int(day[8:10]) for day in np.datetime_as_string(calendar.dates)]
    )
    sales: Bools = ((of_year >= 112) & (of_year <= 208)) | ((of_year >= 626) & (of_year <= 723))
    return sales


def _with_returns(
    world: World, calendar: Calendar, made: Orders, rng: np.random.Generator
) -> Orders:
    """Add the returns: one line of some delivered orders comes back within a month."""
    delivered = np.array([one.name != "boutique" for one in CHANNELS])[made.channel]
    able = np.flatnonzero(delivered & (made.kind == "purchase") & (made.customer >= 0))
    chosen = able[rng.random(len(able)) < world.return_share]
    second = made.second[chosen] + rng.integers(4, 28, len(chosen)) * 86_400
    in_time = second < calendar.days * 86_400
    chosen, second = chosen[in_time], second[in_time]
    first_line = np.searchsorted(made.line_order, chosen)
    new = np.arange(len(chosen)) + made.count
    nothing = np.full(len(chosen), -1)

    def and_returned(column: npt.NDArray[np.generic], sign: int = 1) -> Ints:
        return np.asarray(np.concatenate([column, sign * column[first_line]]))

    return Orders(
        np.concatenate([made.customer, made.customer[chosen]]),
        np.concatenate([made.purchase, nothing]),
        np.concatenate([made.second, second]),
        np.concatenate([made.channel, made.channel[chosen]]),
        np.concatenate([made.store, made.store[chosen]]),
        np.concatenate([made.kind, np.repeat("return", len(chosen))]),
        np.concatenate([made.welcome, np.zeros(len(chosen), dtype=bool)]),
        np.concatenate([made.line_order, new]),
        and_returned(made.product),
        and_returned(made.quantity, -1),
        and_returned(made.price),
        and_returned(made.discount, -1),
        and_returned(made.amount, -1),
        and_returned(made.margin, -1),
    )


def _sorted(made: Orders) -> Orders:
    """Put the orders in the order of time, and their lines with them."""
    order = np.lexsort((np.arange(made.count), made.second))
    place = np.empty(made.count, dtype=np.int64)
    place[order] = np.arange(made.count)
    line_order = place[made.line_order]
    lines = np.argsort(line_order, kind="stable")
    return Orders(
        made.customer[order],
        made.purchase[order],
        made.second[order],
        made.channel[order],
        made.store[order],
        made.kind[order],
        made.welcome[order],
        line_order[lines],
        made.product[lines],
        made.quantity[lines],
        made.price[lines],
        made.discount[lines],
        made.amount[lines],
        made.margin[lines],
    )
