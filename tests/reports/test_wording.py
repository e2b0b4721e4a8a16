import datetime as dt

import pytest

from revoir.language import Number, Percent, written
from revoir.periods import Grain, Period
from revoir.reports.wording import (
    COLUMN_NAMES,
    age,
    between,
    during,
    grain_of,
    in_points,
    length_of,
    named,
    short,
)


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
    assert age(Grain.MONTH, 3).text("en") == "M+3"
    assert age(Grain.QUARTER, 2).text("fr") == "T+2"


def test_a_stretch_of_periods_opens_a_sentence():
    first, last = period("2023-07-01", "2023-10-01"), period("2024-04-01", "2024-07-01")
    text = "Entre le 3e trimestre 2023 et le 2e trimestre 2024"
    assert between(first, last).text("fr") == text
    # No “de avril”: what stands between needs no elision.
    months = between(period("2023-04-01", "2023-05-01"), period("2024-08-01", "2024-09-01"))
    assert months.text("fr") == "Entre avril 2023 et août 2024"
    odd = between(period("2024-02-01", "2024-05-01"), period("2024-05-01", "2024-08-01"))
    assert odd.text("en") == "Between 1 Feb 2024 and 31 Jul 2024"


@pytest.mark.parametrize(
    ("difference", "french", "english"),
    [
        (0.001, "+0,1 point", "+0.1 points"),
        (-0.0199, "-2,0 points", "-2.0 points"),
        (0.016, "+1,6 point", "+1.6 points"),
        (-0.0001, "0,0 point", "0.0 points"),
        (0.189, "+18,9 points", "+18.9 points"),
    ],
)
def test_french_points_are_singular_below_two(difference, french, english):
    assert in_points(0.5 + difference, 0.5, signed=True).text("fr") == french
    assert in_points(0.5 + difference, 0.5, signed=True).text("en") == english


@pytest.mark.parametrize(
    ("value", "base", "of", "points"),
    [
        # 37.0 % and 39.4 % were said to be 2.5 points apart.
        (0.369818, 0.394431, 100, "-2.4 points"),
        (0.3695, 0.3705, 100, "0.0 points"),  # both are halves, which Babel rounds to even
        (36.55, 47.68, 1, "-11.1 points"),
    ],
)
def test_a_difference_is_that_of_the_figures_beside_it(value, base, of, points):
    assert in_points(value, base, of=of, signed=True).text("en") == points
    shown = [
        written(Percent(held) if of == 100 else Number(held, 1), "en") for held in (value, base)
    ]
    now, before = (float(text.rstrip("%")) for text in shown)
    assert float(points.split()[0]) == pytest.approx(now - before)


def test_the_known_columns_have_a_name_in_french():
    assert COLUMN_NAMES["city"].text("fr") == "ville"
