"""The rhythm of customers in worlds whose truth is known, and by every edge of the data."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from revoir.errors import UsageError
from revoir.models import next_record
from revoir.models.gaps import History
from revoir.models.next_purchase import next_purchases
from revoir.models.purchase_days import history_of, purchase_days
from revoir.models.rhythm import Rhythm, reason_against

START = dt.date(2023, 1, 1)
AS_OF = dt.date(2024, 12, 31)
DAYS = (AS_OF - START).days


def drawn_days(kind, customers, seed, *, leaving=(0.8, 4.0), days=DAYS):
    """Purchase days of customers who join in the first four fifths: (customer, day) pairs."""
    draw = np.random.default_rng(seed)
    pairs = []
    for customer in range(customers):
        mean = 1 / draw.gamma(2.0, 1 / 60.0)
        spread = draw.gamma(2.3, 1 / 1.2) ** -0.5
        centre = draw.normal(3.6, spread / 1.2)
        leaves = draw.beta(*leaving)
        at = draw.random() * days * 0.8
        last = -1
        while at < days + 1:
            if int(at) != last:
                last = int(at)
                pairs.append((customer, last))
            if draw.random() < leaves:
                break
            at += {
                "random": lambda m=mean: draw.exponential(m),
                "regular": lambda m=mean: draw.gamma(3, m / 3),
                "lognormal": lambda c=centre, s=spread: draw.lognormal(c, s),
            }[kind]()
    return pairs


def orders_of(pairs):
    days = [START + dt.timedelta(days=day) for _, day in pairs]
    return pa.table(
        {
            "customer_id": [f"c{customer:05}" for customer, _ in pairs],
            "ordered_on": pa.array(days, pa.date32()),
            "amount": pa.array([Decimal(10)] * len(pairs), pa.decimal128(18, 4)),
            "kind": ["purchase"] * len(pairs),
        }
    )


@pytest.fixture
def shop(make_book):
    """Makes a book of a world."""

    def make(kind, customers, seed=1, **options):
        book = make_book(orders=orders_of(drawn_days(kind, customers, seed, **options)))
        return book.at(AS_OF)

    return make


def order(customer, day, amount, kind="purchase"):
    day = START + dt.timedelta(days=day)
    return {"customer_id": customer, "ordered_on": day, "amount": Decimal(amount), "kind": kind}


def test_purchase_days_are_those_of_a_plain_loop(make_book):
    draw = np.random.default_rng(8)
    shop_rows = [
        order(f"c{n % 60}", int(day), 10) for n, day in enumerate(draw.integers(0, 500, 400))
    ]
    shop_rows += [order(f"c{n}", 90, -10, "return") for n in range(9)]
    shop_rows += [order(None, 33, 5), order("nobody", 50, 0, "free")]
    shop_rows += [row for n, row in enumerate(shop_rows) if n % 7 == 0]  # twice on a day
    book = make_book(orders=shop_rows)
    as_of = dt.date(2023, 9, 30)
    days = {}
    for row in shop_rows:
        if row["kind"] == "purchase" and row["customer_id"] is not None:
            days.setdefault(row["customer_id"], set()).add(row["ordered_on"])
    found = book.columns(purchase_days(book, as_of)).to_pylist()
    known = {who for who, on in days.items() if min(on) <= as_of}
    assert [row["customer_id"] for row in found] == sorted(known)
    for row in found:
        theirs = sorted(days[row["customer_id"]])
        before = [day for day in theirs if day <= as_of]
        logs = np.log([(b - a).days for a, b in pairwise(before)])
        assert row["frequency"] == len(before) - 1
        assert (row["first_day"], row["last_day"]) == (before[0], before[-1])
        assert (row["log_sum"] or 0) == pytest.approx(logs.sum())
        assert (row["log_squares"] or 0) == pytest.approx((logs**2).sum())
        assert row["next_day"] == next((day for day in theirs if day > as_of), None)


def test_parameters_of_a_gamma_world_come_back():
    """k, r, α and the leaving of a world of 20,000 customers, each within a tenth."""
    draw = np.random.default_rng(3)
    k, r, alpha, a, b = 2.0, 1.5, 40.0, 0.7, 2.5
    rows = []
    for _ in range(20_000):
        rate, leaves = draw.gamma(r, 1 / alpha), draw.beta(a, b)
        left = draw.integers(200, 900)
        gaps = []
        while draw.random() >= leaves:
            gap = draw.gamma(k, 1 / rate)
            if gap > left:
                break
            gaps.append(gap)
            left -= gap
        logs = np.log(gaps)
        rows.append((len(gaps), sum(gaps), logs.sum(), (logs**2).sum(), max(left - 0.5, 0)))
    rhythm = Rhythm(sample=20_000).fit(History(*np.array(rows, dtype=float).T))
    assert rhythm.family_ == "gamma"
    expected = {"k": k, "r": r, "alpha": alpha, "a": a, "b": b}
    assert rhythm.parameters_ == {
        name: pytest.approx(value, rel=0.1) for name, value in expected.items()
    }


def test_the_family_is_that_of_the_world(shop):
    for kind, family in (("regular", "gamma"), ("lognormal", "lognormal")):
        assert next_purchases(shop(kind, 800)).rhythm.family_ == family


def test_intervals_hold_and_rules_are_beaten(shop):
    for kind in ("random", "regular", "lognormal"):
        record = next_purchases(shop(kind, 1500)).record
        for covered in record.covered:
            assert covered.level - 0.04 < covered.share < covered.level + 0.05
        assert record.beats_rules
        for one in record.awaited:
            spread = one.expected**0.5
            assert one.returned == pytest.approx(one.expected, abs=3 * spread)
        assert record.overdue_returned / record.overdue < record.on_time_returned / record.on_time


def test_a_silence_is_judged_by_ones_own_rhythm(make_book):
    """Of two customers silent for 40 days, the one who buys every week is overdue."""
    pairs = drawn_days("lognormal", 200, 5)
    weekly = [(900, DAYS - 40 - 7 * n) for n in range(12)]
    quarterly = [(901, DAYS - 40 - 90 * n) for n in range(7)]
    book = make_book(orders=orders_of([*pairs, *weekly, *quarterly])).at(AS_OF)
    rows = {row["customer_id"]: row for row in next_purchases(book).customers.to_pylist()}
    often, seldom = rows["c00900"], rows["c00901"]
    assert often["silent_days"] == seldom["silent_days"] == 40
    assert (often["overdue"], seldom["overdue"]) == (True, False)
    assert often["usual_days"] == pytest.approx(7, abs=1.5)
    assert seldom["usual_days"] == pytest.approx(90, abs=15)
    assert seldom["low_on"] < AS_OF + dt.timedelta(days=50) < seldom["high_on"]
    assert often["active"] < 0.5 < seldom["active"]


def test_one_time_buyers_have_the_rhythm_of_all(shop):
    customers = next_purchases(shop("lognormal", 400)).customers.to_pylist()
    once = [row for row in customers if row["purchase_days"] == 1]
    assert len({round(row["usual_days"], 9) for row in once}) == 1
    assert not any(row["overdue"] for row in once)
    by_silence = sorted(once, key=lambda row: row["silent_days"])
    assert by_silence[0]["active"] > by_silence[-1]["active"]


def test_every_row_is_in_order(shop):
    found = next_purchases(shop("random", 300), horizon_days=200)
    for row in found.customers.to_pylist():
        assert AS_OF < row["low_on"] <= row["next_on"] <= row["high_on"]
        assert row["high_on"] <= AS_OF + dt.timedelta(days=200)
        assert 0 <= row["returns"] <= row["active"] <= 1
        assert 0 <= row["silence"] <= 1
        assert row["silent_days"] == (AS_OF - row["last_on"]).days


@pytest.mark.parametrize("horizon", [20, 200])
def test_intervals_are_those_of_purchases_within_the_horizon(shop, horizon):
    """Each end is the first day by which enough of those who return by the horizon have done so."""
    book = shop("regular", 200)
    history = history_of(book.columns(purchase_days(book, AS_OF)), AS_OF)
    rhythm = next_purchases(book).rhythm
    found = rhythm.expect(history, horizon_days=horizon, coverage=0.8)
    whole = rhythm.returns_within(history, horizon)
    for share, day in ((0.1, found.low), (0.5, found.next), (0.9, found.high)):
        for n in range(0, len(history), 9):
            one = history.take(np.array([n]))
            by = rhythm.returns_within(one, day[n])[0] / whole[n]
            before = rhythm.returns_within(one, day[n] - 1)[0] / whole[n]
            assert before - 1e-6 <= share <= by + 1e-6


def test_the_past_does_not_know_the_future(shop):
    """What is expected from a day is the same whether later purchases are in the book or not."""
    book = shop("random", 300)
    day = dt.date(2024, 6, 30)
    assert next_purchases(book, as_of=day).customers == next_purchases(book.at(day)).customers


def test_too_few_returns_are_no_rhythm(make_book):
    few = [(customer, 30 * customer) for customer in range(20)] + [(1, 100), (2, 200)]
    found = next_purchases(make_book(orders=orders_of(few)).at(AS_OF))
    assert "2 times" in found.reason.text("en")
    assert found.rhythm is None
    assert found.customers["next_on"].null_count == found.customers.num_rows == 20
    faithful = [(customer, 7 * n) for customer in range(4) for n in range(40)]
    found = next_purchases(make_book(orders=orders_of(faithful)).at(AS_OF))
    assert "4 customers" in found.reason.text("en")
    assert found.record.sentences() == [found.record.reason]


def test_a_short_past_is_not_tested(make_book):
    pairs = [(customer, day) for customer in range(12) for day in range(customer % 5, 40, 5)]
    book = make_book(orders=orders_of(pairs))
    record = next_purchases(book).record
    assert "39 days" in record.reason.text("en")
    assert record.beats_rules is None


def test_without_any_purchase(make_book):
    book = make_book(orders=[order(None, 9, 10), order("a", 40, -5, "return")])
    found = next_purchases(book)
    assert found.customers.num_rows == 0
    assert found.reason is not None
    assert found.record.reason is not None


def test_a_silence_that_cannot_be_has_no_day(shop):
    """Ten thousand daily purchases, then nothing for years: no active customer does that."""
    rhythm = next_purchases(shop("regular", 200)).rhythm
    known = [10_000.0, 10_000.0, 0.0, 0.0]
    expected = rhythm.expect(History(*(np.array([value]) for value in (*known, 2_000.0))))
    assert expected.returns == pytest.approx(0)
    assert np.isnan([expected.next, expected.low, expected.high]).all()
    beside = rhythm.expect(History(*(np.array([value]) for value in (*known, 1.0))))
    assert (beside.next, beside.low) == (1, 1)


def test_who_has_just_bought_is_not_expected_tomorrow(make_book):
    """Who buys every hundred days had “the next purchase: tomorrow” within the coming ten.

    That any comes so soon is less probable than numbers can tell apart, so that the day was read
    from what rounding leaves.
    """
    draw = np.random.default_rng(3)
    starts = draw.integers(0, 90, 60)
    pairs = [
        (customer, int(start + 100 * place + draw.integers(-1, 2)))
        for customer, start in enumerate(starts)
        for place in range(9)
    ]
    last = max(day for _, day in pairs)
    book = make_book(orders=orders_of(pairs)).at(START + dt.timedelta(days=last))
    rows = next_purchases(book, horizon_days=10).customers.to_pylist()
    lately = [row for row in rows if row["silent_days"] < 20]
    assert lately
    for row in lately:
        assert row["returns"] < 1e-9
        assert (row["next_on"], row["low_on"], row["high_on"]) == (None, None, None)
    due = [row for row in next_purchases(book, horizon_days=90).customers.to_pylist()
           if row["silent_days"] > 60]  # fmt: skip
    assert due
    assert all(90 <= (row["next_on"] - row["last_on"]).days <= 110 for row in due)


def test_the_rules_are_what_they_say(make_book):
    """Errors by hand: gaps of 10 days for all, one customer comes 4 days late."""
    pairs = [(c, 10 * n) for c in range(15) for n in range(10)]
    pairs += [(c, 100) for c in range(14)] + [(14, 104)]
    pairs += [(c, 120) for c in range(15)]
    book = make_book(orders=orders_of(pairs))
    cutoff = START + dt.timedelta(days=90)
    history = history_of(book.columns(purchase_days(book, cutoff)), cutoff)
    assert reason_against(history) is None
    first = history_of(book.columns(purchase_days(book, START)), START)
    reason = reason_against(first)
    assert reason is not None
    assert "No customer has come back yet" in reason.text("en")
    record = next_record.back_test(book, horizon_days=30)
    assert record.cutoff == cutoff
    assert record.error_days["own_mean"] == record.error_days["shop_median"] == 0
    assert not record.beats_rules
    errors = {"model": 9.0, "own_mean": 5.0, "shop_median": 9.0}
    for one, words in ((errors, "better"), (errors | {"own_mean": 9.0}, "as well")):
        told = [line.text("en") for line in replace(record, error_days=one).sentences()]
        assert f"A simple rule says the day {words} here." in told
    assert "A simple rule" in " ".join(one.text("en") for one in record.sentences())


def test_wrong_usage_is_told(shop):
    book = shop("random", 60)
    with pytest.raises(UsageError, match="0 days"):
        next_purchases(book, horizon_days=0)
    with pytest.raises(UsageError, match=r"share of 1\.5"):
        next_purchases(book, coverage=1.5)
