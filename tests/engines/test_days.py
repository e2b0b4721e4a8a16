"""The company's days of moments are those of the calendar, on every engine."""

import datetime as dt
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from revoir.book import Book, Settings
from revoir.engines import day_of
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
