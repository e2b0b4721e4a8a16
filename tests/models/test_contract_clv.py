"""Subscribers and what they will bring in, against drawn ones."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from revoir.errors import InputError, UsageError
from revoir.models.choosing import Accuracy, Backtest
from revoir.models.contract_clv import contract_clv
from revoir.models.contract_record import contract_verdict
from revoir.models.sbg import Sbg
from revoir.models.subscribers import subscribers as subscribers_of


def subscribers(world, customers, seed):
    """Subscriptions that began within two years, seen at the end of the third."""
    rng = np.random.default_rng(seed)
    months = world.draw_periods(customers, seed=seed)
    started = rng.integers(0, 24, customers)
    rows = []
    for n in range(customers):
        first, last = int(started[n]), int(started[n] + months[n])
        row = {
            "subscription_id": f"s{n}",
            "customer_id": f"c{n:04}",
            "started_at": dt.date(2021 + first // 12, first % 12 + 1, 15),
            "ended_at": dt.date(2021 + last // 12, last % 12 + 1, 15) if last < 36 else None,
            "monthly_amount": float(rng.choice([10.0, 25.0])),
        }
        rows.append(row)
    return pa.Table.from_pylist(rows), started + months


def test_subscribers_bring_in_what_is_foretold(make_book):
    world = Sbg.of(alpha=0.8, beta=8.0)
    table, leaves_at = subscribers(world, 1_500, seed=8)
    book = make_book(subscriptions=table).at(dt.date(2023, 12, 31))
    found = contract_clv(book, months=12, seed=1)
    customers = found.customers.to_pylist()
    here = {f"c{n:04}" for n in np.flatnonzero(leaves_at >= 36)}
    assert {row["customer_id"] for row in customers} == here
    assert found.lost == 1_500 - len(here)
    assert [row["clv"] for row in customers] == sorted(
        (row["clv"] for row in customers), reverse=True
    )
    # Renewals ahead: those at the end of months 36, 37, … before the customer leaves.
    stays = {f"c{n:04}": min(leaves_at[n] - 36, 12) for n in range(1_500)}
    paid = sum(stays[row["customer_id"]] * row["monthly_amount"] for row in customers)
    assert found.total.low < paid < found.total.high
    inside = [
        row["low"] - 1e-9 <= stays[row["customer_id"]] * row["monthly_amount"] <= row["high"] + 1e-9
        for row in customers
    ]
    assert sum(inside) / len(inside) > 0.88
    assert sum(row.customers - row.kept for row in found.retention) == found.lost


def month_after(day, months):
    """The same day some months later, or the first day after a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    try:
        return dt.date(year, month, day.day)
    except ValueError:
        return dt.date(year + month // 12, month % 12 + 1, 1)


def test_months_are_counted_from_the_first_day(make_book):
    """Whoever is there has stayed whole months; whoever left used the month they left in."""
    rng = np.random.default_rng(3)
    as_of, rows, periods = dt.date(2023, 11, 17), [], []
    for n in range(250):
        start = dt.date(2022, 1, 1) + dt.timedelta(days=int(rng.integers(0, 500)))
        end = start + dt.timedelta(days=int(rng.integers(1, 500)))
        left = end <= as_of
        until = end if left else as_of
        whole = max(k for k in range(40) if month_after(start, k) <= until)
        more = left and month_after(start, whole) < until
        periods.append((max(whole + more, 1) if left else whole, left))
        rows.append(
            {"customer_id": f"c{n:03}", "started_at": start, "ended_at": end if left else None,
             "monthly_amount": 8.0}
        )  # fmt: skip
    found = contract_clv(make_book(subscriptions=rows).at(as_of), model="sbg")
    assert {row["customer_id"]: row["months"] for row in found.customers.to_pylist()} == {
        f"c{n:03}": stayed for n, (stayed, left) in enumerate(periods) if not left
    }
    for row in found.retention:
        reached = [p for p in periods if p[0] >= row.month]
        assert row.customers == len(reached)
        assert row.kept == sum(not (p[1] and p[0] == row.month) for p in reached)


def test_the_total_is_as_sure_as_chance_lets_it_be(make_book):
    """With many departures the parameters are known: what is left is who stays how long."""
    table, _ = subscribers(Sbg.of(alpha=0.8, beta=4.0), 4_000, seed=12)
    found = contract_clv(make_book(subscriptions=table).at(dt.date(2023, 12, 31)), model="sbg")
    rows = found.customers.to_pylist()
    stays = found.model.stays([row["months"] for row in rows], 12)
    amounts = np.array([row["monthly_amount"] for row in rows])
    chances = np.random.default_rng(1).random((2_000, len(rows)))
    totals = [(amounts * (chance < stays.T).sum(axis=0)).sum() for chance in chances]
    half = (found.total.high - found.total.low) / 2
    by_chance = 1.645 * np.std(totals)
    assert by_chance < half < 1.6 * by_chance


def test_margin_and_discount_lessen_what_contracts_are_worth(make_book):
    table, _ = subscribers(Sbg.of(alpha=0.8, beta=8.0), 300, seed=9)
    book = make_book(subscriptions=table).at(dt.date(2023, 12, 31))
    whole = contract_clv(book, model="sbg")
    half = contract_clv(book.with_settings(margin=0.5), model="sbg")
    later = contract_clv(book, model="sbg", discount=0.2)
    assert half.total.value == pytest.approx(whole.total.value / 2)
    assert whole.total.value / 1.2 < later.total.value < whole.total.value


def test_few_departures_are_not_enough(make_book):
    table, _ = subscribers(Sbg.of(alpha=0.1, beta=40.0), 60, seed=9)
    found = contract_clv(make_book(subscriptions=table).at(dt.date(2023, 12, 31)))
    assert found.customers is None
    assert "Not enough data" in found.reason.text("en")


def test_tenure_and_departure_are_enough(make_book):
    rng = np.random.default_rng(5)
    until, seen = Sbg.of(alpha=0.8, beta=8.0).draw_periods(900, seed=5), rng.integers(1, 40, 900)
    rows = [
        {"customer_id": f"c{n}", "tenure_months": int(min(until[n], seen[n])),
         "churned": bool(until[n] <= seen[n])}
        for n in range(900)
    ]  # fmt: skip
    found = contract_clv(make_book(subscriptions=rows))
    assert found.as_of is None
    assert found.total is None
    assert {row["clv"] for row in found.customers.to_pylist()} == {None}
    assert "only months" in found.notes[-1].text("en")


def test_orders_alone_are_no_contracts(make_book):
    rows = [{"customer_id": "a", "ordered_on": dt.date(2024, 1, 1), "amount": 3.0}]
    with pytest.raises(InputError, match="no subscriptions"):
        contract_clv(make_book(orders=rows))


def test_the_past_is_held_against_the_churn_rate_of_before(make_book):
    """Those likely to leave leave first: a rate for all foretells worse than the model."""
    table, leaves_at = subscribers(Sbg.of(alpha=0.6, beta=3.0), 2_500, seed=21)
    book = make_book(subscriptions=table).at(dt.date(2023, 12, 31))
    found = contract_clv(book, model="sbg", months=9)
    tested = found.backtest
    assert tested.days == (dt.date(2023, 3, 31), dt.date(2022, 6, 30))
    assert tested.holdout_days == 275
    model, rule = tested.of("sbg"), tested.of("same_churn")
    started = np.array([day.year * 12 + day.month for day in table["started_at"].to_pylist()])
    started -= 2021 * 12 + 1
    kept = n = 0
    for day in tested.days:
        now = (day.year - 2021) * 12 + day.month  # months begun on the 15th have passed it
        there = (started < now) & (leaves_at >= now)
        n += there.sum()
        kept += np.clip(leaves_at[there] - now, 0, 9).sum()
    assert (model.customers, model.actual) == (n, kept)
    assert rule.actual == model.actual
    assert model.expected == pytest.approx(model.actual, rel=0.06)
    assert tested.gain("sbg") > 0
    assert "less than taking the churn rate" in found.notes[1].text("en")


def test_nothing_after_the_day_changes_what_was_foretold(make_book):
    """Departures that come later are not known to the fit."""
    table, _ = subscribers(Sbg.of(alpha=0.6, beta=3.0), 600, seed=5)
    known = contract_clv(make_book(subscriptions=table).at(dt.date(2022, 12, 31)), model="sbg")
    rows = table.to_pylist()
    for row in rows:
        if row["ended_at"] and row["ended_at"] > dt.date(2022, 12, 31):
            row["ended_at"] = None
    blind = contract_clv(make_book(subscriptions=rows).at(dt.date(2022, 12, 31)), model="sbg")
    assert known.model.parameters_ == blind.model.parameters_
    assert known.customers.equals(blind.customers)


def test_a_price_that_is_not_known_is_not_nothing(make_book):
    """Subscribers without a price were worth 0.00, and the total left them out in silence."""
    table, _ = subscribers(Sbg.of(alpha=0.8, beta=8.0), 300, seed=9)
    as_of = dt.date(2023, 12, 31)
    whole = contract_clv(make_book(subscriptions=table).at(as_of), model="sbg")
    first, second = whole.customers["customer_id"].to_pylist()[:2]
    rows = [
        row | {"monthly_amount": None} if row["customer_id"] in (first, second) else row
        for row in table.to_pylist()
    ]
    found = contract_clv(make_book(subscriptions=rows).at(as_of), model="sbg")
    held = {row["customer_id"]: row for row in found.customers.to_pylist()}
    for name in ("monthly_amount", "clv", "low", "high"):
        assert held[first][name] is None
    assert held[first]["expected_months"] > 0
    assert "2 subscribers without a price are not in the total." in [
        note.text("en") for note in found.notes
    ]
    known = sum(row["clv"] for row in held.values() if row["clv"] is not None)
    assert found.total.value == pytest.approx(known)
    assert found.total.low < known < found.total.high


@pytest.mark.parametrize("dated", [True, False])
def test_a_part_without_a_price_leaves_the_price_open(make_book, dated):
    """Of two running subscriptions, one of an unknown price, the other was taken for both."""
    since = {"started_at": dt.date(2022, 5, 1), "ended_at": None}
    over = {"started_at": dt.date(2021, 5, 1), "ended_at": dt.date(2022, 5, 1)}
    if not dated:
        since, over = ({"tenure_months": 3, "churned": gone} for gone in (False, True))
    rows = [
        {"customer_id": "open", **since, "monthly_amount": 10.0},
        {"customer_id": "open", **since, "monthly_amount": None},
        {"customer_id": "known", **since, "monthly_amount": 10.0},
        {"customer_id": "known", **over, "monthly_amount": None},
    ]
    book = make_book(subscriptions=rows)
    known = subscribers_of(book.at(dt.date(2022, 12, 31)) if dated else book)
    paid = dict(zip(known.table["customer_id"].to_pylist(), known.monthly_amount, strict=True))
    assert paid["known"] == 10
    assert np.isnan(paid["open"])


def test_prices_in_several_currencies_are_not_added_up(make_book):
    """Euros and yen made one sum."""
    table, _ = subscribers(Sbg.of(alpha=0.8, beta=8.0), 300, seed=9)
    codes = pa.array(["EUR", "JPY"] * 150)
    book = make_book(subscriptions=table.append_column("currency", codes))
    found = contract_clv(book.at(dt.date(2023, 12, 31)), model="sbg")
    assert found.total is None
    assert found.currency is None
    assert "several currencies (EUR, JPY)" in found.notes[-1].text("en")
    euros = make_book(subscriptions=table.append_column("currency", pa.array(["EUR"] * 300)))
    assert contract_clv(euros.at(dt.date(2023, 12, 31)), model="sbg").currency == "EUR"
    assert book.currencies == ("EUR", "JPY")


@pytest.mark.parametrize("dated", [True, False])
def test_subscriptions_of_nobody_known_are_no_subscriber(make_book, dated):
    """All rows without a customer were one subscriber, who paid for them all."""
    table, leaves_at = subscribers(Sbg.of(alpha=0.8, beta=8.0), 300, seed=9)
    as_of = dt.date(2023, 12, 31)
    nobody = {"started_at": dt.date(2022, 5, 1), "ended_at": None}
    rows = table.to_pylist()
    if not dated:
        nobody = {"tenure_months": 7, "churned": False}
        rows = [
            {"customer_id": row["customer_id"], "monthly_amount": row["monthly_amount"],
             "tenure_months": int(min(months, 36)), "churned": bool(months < 36)}
            for row, months in zip(rows, leaves_at, strict=True)
        ]  # fmt: skip
    more = [nobody | {"customer_id": None, "monthly_amount": 50.0}] * 3
    if dated:
        found, with_nobody = (
            contract_clv(make_book(subscriptions=one).at(as_of), model="sbg")
            for one in (rows, [*rows, *more])
        )
    else:
        found, with_nobody = (
            contract_clv(make_book(subscriptions=one), model="sbg")
            for one in (rows, [*rows, *more])
        )
    assert with_nobody.count == found.count
    assert with_nobody.total == found.total


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"confidence": 90}, "Bounds cannot hold"),
        ({"discount": -1}, "discount of -1"),
        ({"months": 0}, "horizon of 0 months"),
        ({"months": 121}, "horizon of 121 months"),
    ],
)
def test_figures_out_of_range_are_refused(make_book, asked, says):
    """Bounds held “with a probability of 9,000%”, as only purchases were asked properly."""
    table, _ = subscribers(Sbg.of(alpha=0.8, beta=8.0), 300, seed=9)
    with pytest.raises(UsageError, match=says):
        contract_clv(make_book(subscriptions=table), **asked)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (1.0, "50% less than"),
        (1.97, "about as much as by"),
        (2.005, "about as much as by"),
        (2.2, "10% more than"),
    ],
)
def test_a_hair_is_no_difference_to_the_rule(model, says):
    """“0% more … do not rely on the model” was said of a model as good as the rule.

    Of 1.97 months it was said that they were “no less” than 2.00.
    """
    ways = [("sbg", "sBG", False, model), ("same_churn", "rule", True, 2.0)]
    tested = Backtest(
        (dt.date(2023, 1, 1),),
        90,
        tuple(
            Accuracy(name, label, is_rule, 50, 1.0, rmse, 9.0, 9.0)
            for name, label, is_rule, rmse in ways
        ),
    )
    told = contract_verdict(tested, "sbg").text("en")
    assert f"{says} taking the churn rate" in told


def test_one_month_is_no_months(make_book):
    table, _ = subscribers(Sbg.of(alpha=0.8, beta=8.0), 100, seed=9)
    book = make_book(subscriptions=table).at(dt.date(2023, 12, 31))
    assert (
        contract_clv(book, model="sbg", months=1)
        .sentence()
        .text("en")
        .startswith("Within 1 month they will bring in")
    )


def test_where_nobody_is_left_no_price_is_missing(make_book):
    """The prices of those who left are known: “no monthly amounts” was not so."""
    table, _ = subscribers(Sbg.of(alpha=0.8, beta=8.0), 100, seed=9)
    rows = [
        row | {"ended_at": row["ended_at"] or dt.date(2023, 11, 30)} for row in table.to_pylist()
    ]
    found = contract_clv(make_book(subscriptions=rows).at(dt.date(2023, 12, 31)), model="sbg")
    notes = [note.text("en") for note in found.notes]
    assert (found.count, found.total, found.customers.num_rows) == (0, None, 0)
    assert notes[-1] == "No subscriber is left: nothing is to come."


def test_what_subscriptions_brought_in_stands_beside_what_is_to_come(make_book):
    """Each was paid on its first day and on that day of every month in which it ran."""
    table, _ = subscribers(Sbg.of(alpha=0.8, beta=8.0), 300, seed=9)
    here = [
        {"subscription_id": "a", "customer_id": "x1", "started_at": dt.date(2023, 1, 15),
         "ended_at": dt.date(2023, 4, 15), "monthly_amount": 10.0},
        {"subscription_id": "b", "customer_id": "x1", "started_at": dt.date(2023, 4, 15),
         "ended_at": None, "monthly_amount": 20.0},
        {"subscription_id": "c", "customer_id": "x2", "started_at": dt.date(2023, 12, 20),
         "ended_at": None, "monthly_amount": 7.0},
        {"subscription_id": "d", "customer_id": "x3", "started_at": dt.date(2023, 12, 20),
         "ended_at": None, "monthly_amount": None},
    ]  # fmt: skip
    book = make_book(subscriptions=[*table.to_pylist(), *here]).at(dt.date(2023, 12, 31))
    rows = contract_clv(book.with_settings(margin=0.5), model="sbg").customers.to_pylist()
    told = {row["customer_id"]: row for row in rows}
    assert told["x1"]["historic"] == pytest.approx(0.5 * (3 * 10.0 + 9 * 20.0))
    assert told["x2"]["historic"] == pytest.approx(0.5 * 7.0)
    assert told["x3"]["historic"] is None
    assert told["x3"]["total"] is None
    assert told["x1"]["total"] == pytest.approx(told["x1"]["historic"] + told["x1"]["clv"])


def test_months_of_tenure_tell_what_was_paid(make_book):
    rng = np.random.default_rng(2)
    until, seen = Sbg.of(alpha=0.8, beta=8.0).draw_periods(400, seed=2), rng.integers(1, 40, 400)
    table = pa.table(
        {
            "customer_id": [f"s{n}" for n in range(400)],
            "tenure_months": np.minimum(until, seen).astype(int),
            "churned": until <= seen,
            "monthly_amount": np.full(400, 12.5),
        }
    )
    for row in contract_clv(make_book(subscriptions=table)).customers.to_pylist():
        assert row["historic"] == pytest.approx(12.5 * row["months"])
