"""Next purchases on real data: the last part hidden, expected, and held against what came."""

import datetime as dt

import numpy as np
import pytest

from revoir.book import read
from revoir.models.next_purchase import next_purchases
from revoir.models.purchase_days import days_of, history_of, number_of, purchase_days

pytestmark = pytest.mark.reference

SHOPS = {
    "cdnow/CDNOW_master.txt": 23_570,
    "online_retail/online_retail.parquet": 4_338,
    "superstore/superstore.csv": 793,
}


@pytest.mark.parametrize("name", SHOPS)
def test_the_day_is_nearer_than_by_simple_rules_and_intervals_hold(reference_data, name):
    found = next_purchases(read(reference_data / name))
    assert found.customers.num_rows == SHOPS[name]
    record = found.record
    assert record.beats_rules
    assert record.error_days["model"] < 0.8 * record.error_days["own_mean"]
    assert record.error_days["model"] < 0.8 * record.error_days["shop_median"]
    for covered in record.covered:
        # Days are whole and worlds change: a little wide rather than too narrow.
        assert covered.level - 0.03 < covered.share < covered.level + 0.06
    # The first Christmas of a shop cannot be known; the fourth can.
    off = {"superstore/superstore.csv": 0.1}.get(name, 0.2)
    assert record.awaited[-1].returned == pytest.approx(record.awaited[-1].expected, rel=off)
    assert record.overdue_returned / record.overdue < record.on_time_returned / record.on_time


def came_by_expected(book, cutoff, days, *, calendar=True):
    """Customers who came within some days, by those who were expected."""
    found = next_purchases(book, as_of=cutoff)
    history = history_of(book.columns(purchase_days(book, cutoff)), cutoff)
    usual = found.pace.usual_days(days) if calendar else days
    later = days_of(book.columns(purchase_days(book, cutoff)), "next_day") - number_of(cutoff)
    return (later <= days).sum() / found.rhythm.returns_within(history, usual).sum()


@pytest.mark.parametrize(
    ("name", "share"),
    [("cdnow/CDNOW_master.txt", 1 / 20), ("online_retail/online_retail.parquet", 1 / 20)],
)
def test_what_is_missed_within_two_years_is_the_calendar(reference_data, name, share):
    """Too few are expected at some times of the year, and too many at others."""
    book = read(reference_data / name)
    first, last = book.span
    covered = (last - first).days
    days = int(share * covered)
    found = [
        came_by_expected(book, first + dt.timedelta(days=int(part * covered)), days)
        for part in (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
    ]
    assert min(found) < 0.9
    assert max(found) > 1.15
    assert np.exp(np.mean(np.log(found))) == pytest.approx(1, abs=0.1)


def test_a_calendar_that_is_known_is_allowed_for(reference_data):
    """Superstore, from five cut-offs: as many come as are expected, a quarter to a year ahead."""
    book = read(reference_data / "superstore/superstore.csv")
    first, last = book.span
    errors = {True: [], False: []}
    for part in (0.55, 0.6, 0.65, 0.7, 0.74):
        cutoff = first + dt.timedelta(days=int(part * (last - first).days))
        for days in (91, 182, 365):
            for calendar, missed in errors.items():
                missed.append(np.log(came_by_expected(book, cutoff, days, calendar=calendar)))
    assert np.abs(errors[True]).mean() < 0.08
    assert np.abs(errors[True]).mean() < 0.5 * np.abs(errors[False]).mean()
    assert np.abs(errors[True]).max() < 0.25
