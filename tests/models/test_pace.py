"""The pace of a shop's year, in worlds whose calendar is known."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from revoir.models.gaps import History
from revoir.models.next_purchase import next_purchases
from revoir.models.pace import STEADY, Pace, measured
from revoir.models.rhythm import Rhythm

START = dt.date(2021, 1, 1)
YEARS = 3
DAYS = YEARS * 365
AS_OF = START + dt.timedelta(days=DAYS - 1)


def calendar(season, growth, days=DAYS + 366):
    """Usual days by each day, of a shop that sells around the new year and grows on customers."""
    day = np.arange(days)
    worth = (1 + season * np.cos(2 * np.pi * day / 365)) * np.exp(growth * (day / 365 - 1))
    return np.concatenate([[0.0], np.cumsum(worth)])


def purchase_pairs(customers, seed, usual):
    """Customers and days of purchases; gaps are regular in usual days."""
    draw = np.random.default_rng(seed)
    days = np.arange(len(usual))
    pairs = []
    for customer in range(customers):
        rate, leaves = draw.gamma(2.0, 1 / 90.0), draw.beta(0.6, 6.0)
        at, last = draw.random() * DAYS * 0.7, -1
        worth = np.interp(at, days, usual)
        while at < days[-1]:
            if int(at) != last:
                last = int(at)
                pairs.append((customer, last))
            if draw.random() < leaves:
                break
            worth += draw.gamma(2, 1 / (2 * rate))
            if worth >= usual[-1]:
                break
            at = np.interp(worth, usual, days)
    return np.array(pairs)


def seen(pairs, cutoff):
    """The histories at the end of a day, and the days until each customer came back."""
    rows, came = [], []
    for customer in np.unique(pairs[:, 0]):
        days = pairs[pairs[:, 0] == customer, 1]
        known, later = days[days <= cutoff], days[days > cutoff]
        if not len(known):
            continue
        logs = np.log(np.diff(known))
        silence = cutoff - known[-1]
        rows.append((len(logs), known[-1] - known[0], logs.sum(), (logs**2).sum(), silence))
        came.append(later[0] - cutoff if len(later) else np.nan)
    came = np.array(came)
    return History(*np.array(rows, dtype=float).T), np.where(came <= 365, came, np.nan)


def book_of(make_book, pairs):
    days = [START + dt.timedelta(days=int(day)) for _, day in pairs]
    orders = pa.table(
        {
            "customer_id": [f"c{customer:05}" for customer, _ in pairs],
            "ordered_on": pa.array(days, pa.date32()),
            "amount": pa.array([Decimal(10)] * len(pairs), pa.decimal128(18, 4)),
            "kind": ["purchase"] * len(pairs),
        }
    )
    return make_book(orders=orders)


def test_the_pace_of_the_months_comes_back():
    """While customers are waited for: later, hardly anybody is who has not come back or left."""
    usual = calendar(0.6, 0.0)
    pairs = purchase_pairs(1_500, 1, usual)
    then = DAYS - 366
    history, came = seen(pairs, then)
    found = measured(Rhythm().fit(history), history, came)
    truth = np.diff(usual[(then + found.days).astype(int)]) / np.diff(found.days)
    paces = np.diff(found.usual) / np.diff(found.days)
    assert np.corrcoef(paces[:6], truth[:6])[0, 1] > 0.9, (paces, truth)
    assert paces[0] == pytest.approx(truth[0], rel=0.15)


@pytest.mark.parametrize(("season", "growth"), [(0.6, 0.0), (0.0, 0.25), (0.5, 0.25)])
def test_returns_are_expected_by_the_calendar(season, growth):
    """As many come as are expected, at any time of the year; by gaps alone not so."""
    pairs = purchase_pairs(1_500, 2, calendar(season, growth))
    errors = {"pace": [], "gaps": []}
    for cutoff in (DAYS - 1, DAYS - 92, DAYS - 183, DAYS - 274):
        before, back = seen(pairs, cutoff - 365)
        pace = measured(Rhythm().fit(before), before, back)
        history, came = seen(pairs, cutoff)
        rhythm = Rhythm().fit(history)
        for days in (30, 91, 365):
            returned = (came <= days).sum()
            for name, allowed in (("pace", pace), ("gaps", STEADY)):
                expected = rhythm.returns_within(history, allowed.usual_days(days)).sum()
                errors[name].append(abs(np.log(returned / expected)))
    assert np.mean(errors["pace"]) < 0.08, errors
    # Gaps alone learn a part of the growth.
    better = 0.7 if season else 0.85
    assert np.mean(errors["pace"]) < better * np.mean(errors["gaps"]), errors


def test_what_is_told_allows_for_the_pace(make_book):
    pairs = purchase_pairs(500, 2, calendar(0.6, 0.0))
    found = next_purchases(book_of(make_book, pairs), as_of=AS_OF, horizon_days=91)
    history, _ = seen(pairs, DAYS - 1)
    told = np.array(found.customers["returns"].to_pylist())
    expected = found.rhythm.returns_within(history, found.pace.usual_days(91))
    assert told == pytest.approx(expected)
    assert (told <= np.array(found.customers["active"].to_pylist()) + 1e-12).all()
    assert found.pace.usual_days(91) > 100
    assert "expected back" in found.pace.sentence().text("en")


@pytest.mark.parametrize("customers", [60, 300])
def test_intervals_hold_in_small_shops_with_a_calendar_and_without(customers):
    shops = {60: 12, 300: 3}[customers]
    for season in (0.0, 0.5):
        usual = calendar(season, 0.0)
        inside, n = {0.8: 0, 0.9: 0}, 0
        for seed in range(shops):
            pairs = purchase_pairs(customers, 100 + seed, usual)
            before, back = seen(pairs, DAYS - 366)
            pace = measured(Rhythm().fit(before), before, back)
            history, came = seen(pairs, DAYS - 1)
            rhythm = Rhythm().fit(history)
            n += (~np.isnan(came)).sum()
            for level in inside:
                found = rhythm.expect(history, coverage=level, pace=pace)
                inside[level] += ((found.low <= came) & (came <= found.high)).sum()
        for level, held in inside.items():
            # Chance moves the figure by 2 points.
            assert held / n == pytest.approx(level, abs=0.06), (season, level, held / n)


def test_without_a_calendar_the_pace_is_usual():
    pairs = purchase_pairs(1_000, 3, calendar(0.0, 0.0))
    history, came = seen(pairs, DAYS - 366)
    found = measured(Rhythm().fit(history), history, came)
    assert found.usual[1:4] == pytest.approx(found.days[1:4], rel=0.15)
    assert found.expected == pytest.approx(found.returned, rel=0.08)


def test_nothing_is_allowed_for_under_two_years(make_book):
    pairs = purchase_pairs(300, 4, calendar(0.5, 0.0))
    book = book_of(make_book, pairs)
    short = next_purchases(book.at(START + dt.timedelta(days=700)))
    assert short.rhythm is not None
    assert short.pace is STEADY
    assert short.pace.sentence() is None
    assert next_purchases(book.at(START + dt.timedelta(days=740))).pace.customers > 0


def test_the_pace_does_not_know_the_future(make_book):
    book = book_of(make_book, purchase_pairs(120, 5, calendar(0.5, 0.0)))
    day = START + dt.timedelta(days=800)
    one, other = next_purchases(book, as_of=day), next_purchases(book.at(day))
    assert one.customers == other.customers
    assert one.pace.usual.tolist() == other.pace.usual.tolist()


def test_days_are_read_both_ways():
    pace = Pace(np.array([0.0, 30.0, 60.0]), np.array([0.0, 60.0, 70.0]))
    for days, usual in ((15.0, 30.0), (30.0, 60.0), (60.0, 70.0), (120.0, 140.0)):
        assert pace.usual_days(days) == pytest.approx(usual)
        assert pace.days_ahead(np.array([usual])) == pytest.approx([days])
