"""What is bought together: counted as by hand, shrunk as numerical integration says."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy import integrate, stats

from revoir.models.association import Mixture, Pair
from revoir.models.baskets import BASKETS_MIN, associations

START = dt.date(2024, 1, 1)
MIXTURE = Mixture((0.4, 3.0), (0.2, 2.5), 0.3)


def lines(baskets, *, numbered=True):
    """Order lines of baskets given as lists of products."""
    rows = [(n, product) for n, basket in enumerate(baskets) for product in basket]
    columns = {
        "customer_id": [f"c{n}" if n % 4 else None for n, _ in rows],
        "ordered_on": pa.array([START + dt.timedelta(days=n % 90) for n, _ in rows], pa.date32()),
        "kind": ["purchase"] * len(rows),
        "product_id": [f"p{product:03}" for _, product in rows],
        "amount": [10.0] * len(rows),
        "order_id": [f"o{n}" for n, _ in rows],
    }
    if not numbered:
        del columns["order_id"]
        columns["customer_id"] = [f"c{n}" for n, _ in rows]
        # The lines of a warehouse may lack the number only where orders hold the product.
        columns["ordered_at"] = columns["ordered_on"]
        return {"orders": pa.table(columns)}
    return {"order_lines": pa.table(columns)}


def drawn(seed=1, baskets=3_000, products=40):
    """Baskets of independent products, but that the second joins the first in half of them."""
    draw = np.random.default_rng(seed)
    often = draw.beta(0.6, 8, products)
    held = draw.random((baskets, products)) < often
    held[:, 0] = draw.random(baskets) < 0.05
    held[:, 1] = np.where(held[:, 0], draw.random(baskets) < 0.5, draw.random(baskets) < 0.02)
    return held, [np.flatnonzero(row).tolist() for row in held]


@pytest.fixture(scope="module")
def world():
    return drawn()


def test_counts_are_those_of_a_matrix(make_book, world):
    held, baskets = world
    found = associations(make_book(**lines(baskets)))
    ids = [int(one.product_id[1:]) for one in found.sold.products]
    sold = held[held.any(axis=1)]
    assert found.baskets == len(sold)
    both = sold.astype(int).T @ sold.astype(int)
    assert found.held.tolist() == [both[n, n] for n in ids]
    for one, two, n in zip(found.first, found.second, found.together, strict=True):
        assert n == both[ids[one], ids[two]]
    (pair,) = found.joining(ids.index(0), 1)
    assert (pair.product_id, pair.other_id) == ("p000", "p001")
    assert pair.together == both[0, 1]
    assert pair.support == both[0, 1] / len(sold)
    assert pair.confidence == both[0, 1] / both[0, 0]
    assert pair.raw_lift == pytest.approx(both[0, 1] * len(sold) / both[0, 0] / both[1, 1])
    assert pair.lift_interval[0] < pair.lift < pair.lift_interval[1]
    assert pair.lift < pair.raw_lift


def test_the_pair_that_goes_together_is_first_and_chance_is_not_listed(make_book, world):
    found = associations(make_book(**lines(world[1])))
    (best, *rest) = found.strongest(10)
    assert {best.product_id, best.other_id} == {"p000", "p001"}
    assert len(rest) <= 2  # of 780 pairs that have nothing to do with each other
    assert found.held[found.first].max() <= found.baskets


def test_pairs_that_met_by_chance_do_not_top_the_list(make_book):
    """Among 300 rare products some meet: their raw lift exceeds that of the true pair."""
    draw = np.random.default_rng(6)
    held = draw.random((3_000, 302)) < 0.004
    held[:, 0] = draw.random(3_000) < 0.05
    held[:, 1] = np.where(held[:, 0], draw.random(3_000) < 0.5, draw.random(3_000) < 0.02)
    found = associations(make_book(**lines([np.flatnonzero(row).tolist() for row in held])))
    (best, *rest) = found.strongest(5)
    assert {best.product_id, best.other_id} == {"p000", "p001"}
    assert rest == []
    expected = found.held[found.first] * found.held[found.second] / found.baskets
    raw = found.together / expected
    chance = raw > 2 * best.raw_lift
    assert chance.sum() > 20
    low, _ = found.mixture.interval(found.together[chance].astype(float), expected[chance])
    assert low.max() < 1


def test_without_numbers_a_basket_is_the_day_of_a_customer(make_book, world):
    _, baskets = world
    found = associations(make_book(**lines(baskets, numbered=False)))
    assert not found.orders
    assert found.baskets == sum(bool(one) for one in baskets)


def test_few_baskets_are_told(make_book):
    baskets = [[0, 1, 2]] * (BASKETS_MIN - 1) + [[0]] * 500
    found = associations(make_book(**lines(baskets)))
    assert "99 baskets" in found.reason.text("en")
    assert found.joining(0) == found.strongest() == []
    assert (
        associations(make_book(order_lines=lines(baskets)["order_lines"].drop(["product_id"])))
        is None
    )


def test_ended_products_and_services_join_nothing(make_book, world):
    rows = lines(world[1])["order_lines"]
    names = ["Postage" if one == "p001" else one for one in rows["product_id"].to_pylist()]
    found = associations(make_book(order_lines=rows.append_column("product", [names])))
    assert all("p001" not in (one.product_id, one.other_id) for one in found.strongest(50))
    # The second product is last sold on day 40 of 90, and still joins the first in old baskets.
    day = pc.subtract(rows["ordered_on"].cast("int32"), (START - dt.date(1970, 1, 1)).days)
    kept = pc.or_(pc.not_equal(rows["product_id"], "p001"), pc.less_equal(day, 40))
    found = associations(make_book(order_lines=rows.filter(kept)))
    number = [one.product_id for one in found.sold.products].index("p000")
    assert "p001" not in [one.other_id for one in found.joining(number, 50)]
    assert "p001" not in [one.other_id for one in found.strongest(50)]
    assert found.together.max() > 20


def posterior(n, e):
    """The posterior density of the lift, up to a factor, by the definition."""

    def density(lift):
        prior = sum(
            share * stats.gamma.pdf(lift, shape, scale=1 / rate)
            for shape, rate, share in zip(
                MIXTURE.shapes, MIXTURE.rates, (MIXTURE.share, 1 - MIXTURE.share), strict=True
            )
        )
        return prior * stats.poisson.pmf(n, lift * e)

    return density


@pytest.mark.parametrize(("n", "e"), [(1, 0.01), (3, 0.5), (40, 12.0), (2, 7.0), (0, 1.5)])
def test_the_lift_is_that_of_bayes(n, e):
    density = posterior(n, e)
    points = [1e-9, 1e-4, 0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 200]

    def integral(upper, weight):
        inner = [point for point in points if point < upper] + [upper]
        return sum(
            integrate.quad(lambda x: weight(x) * density(x), a, b, epsabs=0, epsrel=1e-9)[0]
            for a, b in zip([0.0, *inner], inner, strict=False)
        )

    whole = integral(400, lambda x: 1.0)
    mean = integral(400, lambda x: x) / whole
    met, expected = np.array([float(n)]), np.array([e])
    assert MIXTURE.lift(met, expected)[0] == pytest.approx(mean, rel=1e-5)
    low, high = MIXTURE.interval(met, expected)
    for end, share in ((low[0], 0.05), (high[0], 0.95)):
        assert integral(end, lambda x: 1.0) / whole == pytest.approx(share, abs=1e-5)


def test_intervals_hold_the_lifts_of_a_drawn_world():
    draw = np.random.default_rng(9)
    expected = draw.gamma(0.5, 4, 6_000) + 0.05
    first = draw.random(6_000) < MIXTURE.share
    shapes, rates = (np.where(first, *pair) for pair in (MIXTURE.shapes, MIXTURE.rates))
    lift = draw.gamma(shapes) / rates
    met = draw.poisson(lift * expected).astype(float)
    found = Mixture.of(met, expected, np.ones(6_000))
    low, high = found.interval(met, expected)
    assert np.mean((low <= lift) & (lift <= high)) == pytest.approx(0.9, abs=0.015)
    raw = np.mean((met / expected - lift) ** 2)
    assert np.mean((found.lift(met, expected) - lift) ** 2) < raw / 2


def test_a_pair_says_its_figures():
    pair = Pair("a", "b", 30, 100, 60, 1000, 4.2, (3.0, 5.5))
    assert (pair.support, pair.confidence, pair.raw_lift) == (0.03, 0.3, 5.0)
    assert pair.confidence_interval == pytest.approx((0.2189, 0.3958), abs=1e-4)
