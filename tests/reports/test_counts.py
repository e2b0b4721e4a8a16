"""A sentence that counts says it in the singular where it counts one (in French also zero)."""

import datetime as dt

import pytest

from revoir.book import Activity
from revoir.errors import UsageError
from revoir.metrics.activity import Gaps, _from_gaps, rule_in_words
from revoir.metrics.registry import Unit
from revoir.models.departures import Definition, Kind
from revoir.models.features.declaration import Known
from revoir.models.features.orders import rhythm_in_words
from revoir.reports.answers import _mend
from revoir.reports.figures import quantity
from revoir.reports.model import Reasons


def test_a_window_of_one_day_is_the_last_day():
    rule = Activity(window_days=1, event_window_days=1)
    assert rule_in_words(rule).text("en") == (
        "Active means: a purchase within the last day or a visit within the last day."
    )


@pytest.mark.parametrize("kind", [Kind.PURCHASES, Kind.VISITS, Kind.SUBSCRIPTIONS])
def test_leaving_within_a_day_is_said_so(kind):
    assert "1 days" not in Definition(kind, 1).text.text("en")
    assert "2 days" in Definition(kind, 2).text.text("en")


def test_a_shop_whose_customers_come_back_the_next_day_says_within_1_day():
    rule = _from_gaps(Gaps({1: 1000}), (dt.date(2023, 1, 1), dt.date(2024, 12, 31)))
    assert "within 1 day:" in rule.reason.text("en")


def test_a_customer_who_buys_daily_buys_every_day():
    known = Known({"usual_gap_days": 1.0, "days_since_last": 1})
    assert rhythm_in_words(known).text("en") == ("buys every day on average, last order 1 day ago")


def test_one_departure_with_a_reason_names_it():
    why = _mend(Reasons((("too dear", 1),), 2)).why.text("en")
    assert why == "1 departure of 2 with a reason names it (50%)."


def test_a_window_of_no_day_is_refused_in_the_singular():
    with pytest.raises(UsageError) as refused:
        Activity(window_days=0)
    assert refused.value.what.n == 0


def test_french_days_below_two_are_in_the_singular():
    assert quantity(1.5, Unit.DAYS).n == 1
    assert quantity(2.5, Unit.DAYS).n == 2
