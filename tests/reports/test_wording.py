import datetime as dt

import pytest

from revoir.periods import Grain, Period
from revoir.reports.wording import age, during, grain_of, length_of, named, short


def period(start: str, end: str) -> Period:
    return Period(dt.date.fromisoformat(start), dt.date.fromisoformat(end))


@pytest.mark.parametrize(
    ("start", "end", "grain", "french", "english"),
    [
        ("2024-03-01", "2024-04-01", Grain.MONTH, "mars 2024", "March 2024"),
        ("2024-04-01", "2024-07-01", Grain.QUARTER, "2e trimestre 2024", "2nd quarter 2024"),
        ("2024-01-01", "2025-01-01", Grain.YEAR, "2024", "2024"),
        ("2024-03-04", "2024-03-05", Grain.DAY, "04/03/2024", "4 Mar 2024"),
    ],
)
def test_a_calendar_period_has_its_name(start, end, grain, french, english):
    found = period(start, end)
    assert grain_of(found) is grain
    assert named(found).text("fr") == french
    assert named(found).text("en") == english


def test_twelve_months_that_are_no_calendar_year_say_so():
    found = period("2023-06-01", "2024-06-01")
    assert named(found).text("en") == "12 months to 31 May 2024"
    assert during(found).text("en") == "over the 12 months to 31 May 2024"
    assert short(found).text("en") == "12 months to 31 May 2024"
    assert length_of(found) == "year"


def test_the_last_day_is_named_not_the_day_after():
    found = period("2024-03-10", "2024-04-21")
    assert during(found).text("en") == "from 10 Mar 2024 to 20 Apr 2024"
    assert length_of(found) is None


def test_french_prepositions_follow_the_length():
    assert during(period("2024-04-01", "2024-07-01")).text("fr") == "au 2e trimestre 2024"
    assert during(period("2024-08-01", "2024-09-01")).text("fr") == "en août 2024"


def test_a_quarter_of_a_shifted_year_is_not_given_a_number_it_has_not():
    assert "quarter" not in named(period("2024-02-01", "2024-05-01")).text("en")


def test_ages_are_short():
    assert age(Grain.MONTH, 3).text("en") == "M3"
    assert age(Grain.QUARTER, 2).text("fr") == "T2"
