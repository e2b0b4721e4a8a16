"""The drawn shop holds together, and follows the truth that it declares."""

import datetime as dt
import itertools
import math
import zoneinfo

import duckdb
import numpy as np
import pytest

from revoir.datasets.shop import shop
from revoir.datasets.shop.catalogue import CHANNELS, PLANS
from revoir.datasets.shop.tables import local_of
from revoir.tables import TABLES


def rows(query, **tables):
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.execute(query).fetchall()


def test_tables_are_canonical(small_shop):
    # Its lines say themselves what they sold: it has no list of products.
    assert set(small_shop.tables) == set(TABLES) - {"products"}
    for name, table in small_shop.tables.items():
        canonical = TABLES[name]
        assert {one.name for one in canonical.columns if one.required} <= set(table.column_names)
        keys = table[canonical.key].to_pylist()
        assert len(set(keys)) == len(keys)


def test_lines_add_up_to_orders(small_shop):
    unequal = rows(
        """select * from (select order_id, sum(amount) amount, sum(margin) margin,
            sum(discount) discount, any_value(ordered_on) ordered_on, any_value(kind) kind
            from order_lines group by order_id) l full join orders o using (order_id)
            where l.amount is distinct from o.amount or l.margin is distinct from o.margin
            or l.discount is distinct from o.discount or l.kind is distinct from o.kind
            or l.ordered_on is distinct from o.ordered_on""",
        **small_shop.tables,
    )
    assert not unequal
    wrong = "select * from order_lines where quantity * unit_price - discount <> amount"
    assert not rows(wrong, **small_shop.tables)


def test_nobody_is_unknown_and_nothing_happens_out_of_time(small_shop):
    truth = small_shop.truth
    known = set(small_shop.tables["customers"]["customer_id"].to_pylist())
    for name, table in small_shop.tables.items():
        assert set(table["customer_id"].to_pylist()) <= known | {None}
        clock = TABLES[name].clock
        if clock:
            days = table[clock].cast("timestamp[us]").to_pylist()
            assert min(days).date() >= truth.start - dt.timedelta(days=1)
            assert max(days) < dt.datetime.combine(truth.end, dt.time())
    (early,) = rows(
        """select count(*) from (select customer_id, min(ordered_on) first from orders
            where kind = 'purchase' group by all) join customers using (customer_id)
            where first <> joined_at::date""",
        **small_shop.tables,
    )
    assert early == (0,)


def test_shops_are_closed_on_sundays(small_shop):
    sundays = "select count(*) from orders where channel = 'boutique' and isodow(ordered_on) = 7"
    assert rows(sundays, **small_shop.tables) == [(0,)]
    others = "select count(*) from orders where channel = 'site' and isodow(ordered_on) = 7"
    assert rows(others, **small_shop.tables)[0][0] > 0


def test_returns_give_back_what_was_bought(small_shop):
    kinds = dict(rows("select kind, sum(amount) from orders group by kind", **small_shop.tables))
    assert kinds["return"] < 0 < kinds["cancelled"]
    orphans = rows(
        """select * from order_lines r where kind = 'return' and not exists (
            select 1 from order_lines l where l.customer_id = r.customer_id and l.kind = 'purchase'
            and l.product_id = r.product_id and l.amount = -r.amount
            and l.ordered_on < r.ordered_on)""",
        **small_shop.tables,
    )
    assert not orphans


def test_months_follow_one_another(small_shop):
    months = small_shop.truth.months
    assert len(months) == 54
    for one, two in itertools.pairwise(months):
        assert two.present == one.present + one.joined - one.left
    left = sum(one is not None for one in small_shop.truth.customers["left_on"].to_pylist())
    assert sum(month.left for month in months) == left


def test_who_left_buys_no_more(small_shop):
    late = rows(
        """select * from truth join orders using (customer_id)
            where kind in ('purchase', 'cancelled') and ordered_on > left_on""",
        truth=small_shop.truth.customers,
        **small_shop.tables,
    )
    assert not late


def test_persons_are_nobody(small_shop):
    customers = small_shop.tables["customers"]
    fictional = ("01 99 00", "02 61 91", "03 53 01", "04 65 71", "05 36 49", "06 39 98")
    assert all(one.startswith(fictional) for one in customers["phone"].to_pylist() if one)
    domains = {one.split("@")[1] for one in customers["email"].to_pylist() if one}
    assert domains == {"example.com", "example.org", "example.net"}
    emails = [one for one in customers["email"].to_pylist() if one]
    assert all(one.isascii() for one in emails)
    assert len(set(emails)) == len(emails)


def test_times_are_utc(small_shop):
    """Against the time zone database, on both sides of each change of clocks."""
    zone = zoneinfo.ZoneInfo("Europe/Paris")
    moments = np.arange(np.datetime64("2022-01-01T00:30"), np.datetime64("2026-07-01"), 60)
    local = local_of(moments.astype("datetime64[us]"))
    for moment, here in zip(moments[::7].tolist(), local[::7].tolist(), strict=True):
        there = moment.replace(tzinfo=dt.UTC).astimezone(zone).replace(tzinfo=None)
        assert here == there
    orders = small_shop.tables["orders"]
    here = local_of(orders["ordered_at"].to_numpy().astype("datetime64[us]"))
    days = orders["ordered_on"].to_numpy()
    np.testing.assert_array_equal(here.astype("datetime64[D]"), days)


def test_same_seed_same_shop(small_shop):
    again = shop(seed=11, customers=400)
    other = shop(seed=13, customers=400)
    for name, table in small_shop.tables.items():
        assert table.equals(again.tables[name])
        assert not table.equals(other.tables[name])


@pytest.mark.parametrize(("customers", "end"), [(0, dt.date(2026, 7, 1)), (5, dt.date(2022, 6, 1))])
def test_too_small_a_shop_is_refused(customers, end):
    with pytest.raises(ValueError, match="a customer or more"):
        shop(customers=customers, end=end)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("channel", [one.name for one in CHANNELS])
def test_as_many_leave_as_expected(large_shop, channel, side):
    truth = large_shop.truth
    counts = dict(
        rows(
            f"""select ordered_on >= date '{truth.incident_on}', count(*) from orders
                where kind = 'purchase' and customer_id is not null and channel = '{channel}'
                group by 1""",
            **large_shop.tables,
        )
    )
    expected = truth.leaving[channel, side]
    error = math.sqrt(expected * (1 - expected) / counts[side == "after"])
    assert truth.left[channel, side] == pytest.approx(expected, abs=4 * error)


def test_customers_of_the_site_leave_after_the_incident(large_shop):
    leaving = large_shop.truth.leaving
    assert leaving["site", "after"] > leaving["site", "before"] + 0.1
    assert leaving["boutique", "after"] < leaving["boutique", "before"] + 0.02
    months = {month.start: month for month in large_shop.truth.months}
    churn = [
        months[day].left / months[day].present
        for day in (dt.date(2024, 12, 1), dt.date(2025, 12, 1))
    ]
    assert churn[1] > churn[0]


def test_rates_are_gamma_about_their_mean(large_shop):
    (found,) = rows(
        """select avg(purchases_per_day), var_samp(purchases_per_day), count(*) from truth
            join customers using (customer_id) where channel = 'site' and region = 'Bretagne'""",
        truth=large_shop.truth.customers,
        **large_shop.tables,
    )
    mean = large_shop.truth.world.purchases_per_month * 12 / 365.25
    shape = large_shop.truth.world.rate_shape
    assert found[0] == pytest.approx(mean, abs=4 * mean / math.sqrt(shape * found[2]))
    assert found[1] == pytest.approx(mean**2 / shape, rel=0.25)


def test_answers_follow_the_experience(large_shop):
    truth = large_shop.truth
    (found,) = rows(
        """select 100 * avg((score >= 9)::int - (score <= 6)::int),
            stddev_samp((score >= 9)::int - (score <= 6)::int), count(*)
            from responses where question = 'nps'""",
        **large_shop.tables,
    )
    error = 100 * found[1] / math.sqrt(found[2])
    assert found[0] == pytest.approx(truth.nps_expected, abs=4 * error)
    assert truth.nps_expected_by["site", "after"] < truth.nps_expected_by["site", "before"] - 30


def test_a_slow_answer_drives_customers_away(large_shop):
    """Of those who complain, more are never seen again when the answer took two days or more."""
    found = rows(
        """select first_response_at - opened_at > interval 48 hours slow, avg((not exists (
            select 1 from orders o where o.customer_id = i.customer_id and o.kind = 'purchase'
            and o.ordered_at > i.opened_at))::int) gone, count(*)
            from interactions i where is_complaint and opened_at < timestamp '2026-01-01'
            and first_response_at is not null group by all order by all""",
        **large_shop.tables,
    )
    (_, quick, _), (_, slow, count) = found
    assert count > 100
    assert slow > quick + 0.08


@pytest.mark.parametrize("plan", [name for name, *_ in PLANS])
def test_subscribers_renew_as_sbg_says(large_shop, plan):
    """Share still there after 3 and 12 renewals, among contracts old enough to tell."""
    for months in (3, 12):
        found = rows(
            f"""with contracts as (
                    select customer_id, min(started_at) started, arg_min(plan, started_at) plan,
                        case when count(*) = count(ended_at) then max(ended_at) end ended
                    from subscriptions group by customer_id)
                select avg((ended is null or ended > started + interval '{months} months')::int),
                    count(*) from contracts where plan = '{plan}'
                    and started + interval '{months} months' < date '2026-07-01'""",
            **large_shop.tables,
        )
        share, count = found[0]
        expected = large_shop.truth.subscribers_left(plan, months)
        error = math.sqrt(expected * (1 - expected) / count)
        assert share == pytest.approx(expected, abs=4 * error)
