"""The record against a count over every customer and day, and against worlds that are known."""

import datetime as dt
from collections import defaultdict

import pytest

from revoir.book import Activity
from revoir.experiments.intervals import poisson_interval, wilson
from revoir.signals.alerts import alerts_of
from revoir.signals.record import ALERTS_MIN

FIRST = dt.date(2023, 1, 1)
AS_OF = FIRST + dt.timedelta(days=520)
ONE = dt.timedelta(days=1)
GROUPS = (2, 4, 8, 16)


def seen_every_day(silences, start, end, horizon):
    """Customers active at the end of each day: group, days of silence, and whether they leave."""
    seen = []
    for row in silences:
        day = max(row["act"], start)
        while day < end:
            if row["next_act"] is not None and day >= row["next_act"]:
                break
            if row["gone_on"] is not None and day >= row["gone_on"]:
                break
            gone = row["gone_on"]
            group = sum(row["nth"] >= most for most in GROUPS)
            left = gone is not None and (gone - day).days <= horizon
            seen.append((group, (day - row["act"]).days, left))
            day += ONE
    return seen


def shares(seen, alerts):
    """Base rates by their definitions, from all customers on all days."""
    by_silence, by_kind = defaultdict(list), defaultdict(list)
    for group, silent, left in seen:
        by_silence[silent].append(left)
        by_kind[group, silent].append(left)
    silent = [((row["raised_on"] - row["act"]).days, row["nth"]) for row in alerts]
    as_silent = sum(sum(by_silence[s]) / len(by_silence[s]) for s, _ in silent)
    kinds = [by_kind[sum(nth >= most for most in GROUPS), s] for s, nth in silent]
    return as_silent, sum(sum(kind) / len(kind) for kind in kinds)


@pytest.mark.parametrize(
    ("rule", "horizon"),
    [
        (Activity(window_days=60), None),
        (Activity(window_days=60), 75),
        (Activity(window_days=40, subscription=True), 55),
    ],
)
def test_every_rate_is_what_counting_gives(book_of, company_of, rule, horizon):
    from revoir.signals.silences import silences

    company, _ = company_of
    book = book_of(as_of=AS_OF, rule=rule, **company(seed=9))
    quiet = book.rows(silences(book))
    # Of contacts without an answer there are several in one silence.
    for name in ("purchases_down", "overdue", "complaints", "negative_sentiment", "unanswered"):
        alerts = alerts_of(book, name, horizon=horizon)
        record, days = alerts.record, alerts.horizon_days
        assert record.period is not None
        start, end = record.period.start, record.period.end
        assert end == AS_OF - dt.timedelta(days=days) + ONE
        rows = book.rows(alerts.table)
        past = [row for row in rows if start <= row["raised_on"] < end]

        def leaves(row, days=days):
            return row["gone_on"] is not None and (row["gone_on"] - row["raised_on"]).days <= days

        right = [row for row in past if leaves(row)]
        assert (record.alerts, record.right) == (len(past), len(right))
        assert len(past) >= ALERTS_MIN
        assert record.pending == sum(row["raised_on"] >= end for row in rows)
        assert record.precision.value == len(right) / len(past)
        assert (record.precision.low, record.precision.high) == wilson(len(right), len(past))

        first = start + dt.timedelta(days=days)
        gone = [row for row in quiet if row["gone_on"] and first <= row["gone_on"] <= AS_OF]
        announced = {
            (row["customer_id"], row["gone_on"])
            for row in rows
            if leaves(row) and first <= row["gone_on"] <= AS_OF
        }
        assert record.recall.denominator == len(gone)
        assert record.recall.numerator == len(announced)

        seen = seen_every_day(quiet, start, end, days)
        assert record.everybody.denominator == len(seen)
        assert record.everybody.numerator == sum(left for *_, left in seen)
        as_silent, alike = shares(seen, past)
        assert record.as_silent.numerator == pytest.approx(as_silent)
        assert record.alike.numerator == pytest.approx(alike)

        weeks = (end - start).days / 7
        wrong = len(past) - len(right)
        assert record.false_per_week.value == pytest.approx(wrong / weeks)
        ends = poisson_interval(wrong)
        assert (record.false_per_week.low, record.false_per_week.high) == pytest.approx(
            (ends[0] / weeks, ends[1] / weeks)
        )
        leads = sorted((row["gone_on"] - row["raised_on"]).days for row in right)
        if leads:
            assert leads[(len(leads) - 1) // 2] == record.lead.median
            assert leads[-(-len(leads) // 4) - 1] == record.lead.low
            assert leads[-(-3 * len(leads) // 4) - 1] == record.lead.high


def test_a_departure_announced_twice_is_one(book_of):
    """Each of thirty customers waits for an answer twice before they are gone."""
    orders, contacts = [], []
    for number in range(30):
        day = FIRST + dt.timedelta(days=70 + 5 * number)
        customer, moment = f"c{number:02}", dt.datetime.combine(day, dt.time(9))
        orders.append((customer, day, 10, "purchase"))
        for asked, answered in ((1, 8), (12, None)):
            opened = moment + dt.timedelta(days=asked)
            answer = answered and moment + dt.timedelta(days=answered)
            contacts.append((customer, opened, answer, None, False, None))
    orders.append(("first", FIRST, 10, "purchase"))
    contacts.append(("first", dt.datetime.combine(FIRST, dt.time(9)), None, None, False, None))
    book = book_of(as_of=AS_OF, rule=Activity(window_days=60), orders=orders, interactions=contacts)
    record = alerts_of(book, "unanswered").record
    assert (record.alerts, record.right) == (60, 60)
    assert record.recall.numerator == record.recall.denominator
    assert record.recall.value == 1
