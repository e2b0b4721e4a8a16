"""The company's days of moments are those of the calendar, on every engine."""

import datetime as dt
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from revoir.book import Book, Settings
from revoir.engines import day_of, is_before
from revoir.errors import UsageError
from revoir.metrics.registry import measure
from revoir.periods import Grain

EDGES = [
    dt.datetime(year, month, day, hour, minute)
    for year in (1975, 1998, 2024, 2041)
    for month, day in ((1, 1), (3, 31), (6, 30), (10, 27), (12, 31))
    for hour in (0, 4, 10, 22, 23)
    for minute in (0, 59)
]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata"])
def test_every_day_is_that_of_the_zone(engine, zone):
    table = engine.load({"moments": pa.table({"moment": EDGES})})["moments"]
    found = (
        table.select("moment", day=day_of(table.moment, zone, engine.backend))
        .to_pyarrow()
        .to_pylist()
    )
    local = {
        moment: moment.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)).date() for moment in EDGES
    }
    assert {row["moment"].replace(tzinfo=None): row["day"] for row in found} == local


# Clocks change at midnight in Havana (forward on 10 March 2024) and did in São Paulo until 2019.
@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "America/Havana",
             "America/Sao_Paulo"],
)  # fmt: skip
def test_a_day_begins_with_its_first_moment(engine, zone):
    """Which moments lie before a day is what their days say, without finding the day of each."""
    days = [dt.date(2018, 2, 18), dt.date(2018, 11, 4), dt.date(2024, 3, 10), dt.date(2024, 10, 27)]
    hours = [
        dt.datetime.combine(day, dt.time())
        + dt.timedelta(minutes=30 * n, microseconds=-1 * (n % 2))
        for day in days
        for n in range(-48, 49)
    ]
    table = engine.load({"moments": pa.table({"moment": [*hours, None]})})["moments"]
    asked = {f"before_{n}": is_before(table.moment, day, zone, engine.backend)
             for n, day in enumerate([dt.date.min, *days])}  # fmt: skip
    for row in table.select("moment", **asked).to_pyarrow().to_pylist():
        if row["moment"] is None:
            assert not any(row.values())
            continue
        moment = row["moment"].replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone))
        assert not row["before_0"]
        assert [row[f"before_{n + 1}"] for n in range(4)] == [moment.date() < day for day in days]


def test_contacts_of_a_midnight_count_in_their_own_month(engine):
    opened = [dt.datetime(2024, 1, 31, 23), dt.datetime(2024, 2, 29, 23)]
    table = pa.table({"customer_id": ["a", "b"], "opened_at": opened})
    held = Book(engine.load({"interactions": table}), settings=Settings(timezone="Europe/Paris"))
    figures = measure(held, "contacts", grain=Grain.MONTH).figures
    assert [figure.period.start for figure in figures] == [dt.date(2024, 2, 1), dt.date(2024, 3, 1)]


def test_a_zone_that_there_is_not_is_refused(engine):
    table = engine.load({"moments": pa.table({"moment": EDGES[:1]})})["moments"]
    with pytest.raises(UsageError, match="no time zone"):
        day_of(table.moment, "Europe/Nowhere", engine.backend)
