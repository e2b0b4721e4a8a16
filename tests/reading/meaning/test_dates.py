"""Every way of writing a date that bad-inputs names, decided by the column."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from revoir.reading import read_tables
from revoir.reading.clocks import shifts

from .conftest import Read, told


def _orders(*dates: str) -> str:
    return "order_id;customer_id;date;montant\n" + "".join(
        f'{n};c{n};"{date}";{n}.50\n' for n, date in enumerate(dates, 1)
    )


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2024-02-15", "2024-02-15"),
        ("15/02/2024", "2024-02-15"),
        ("15/02/2024 14:30", "2024-02-15"),
        ("15-02-2024", "2024-02-15"),
        ("15.02.24", "2024-02-15"),
        ("15 févr. 2024", "2024-02-15"),
        ("15 février 2024 14h30", "2024-02-15"),
        ("jeudi 15 févr. 2024", "2024-02-15"),
        ("1er mars 2024", "2024-03-01"),
        ("Feb 15, 2024", "2024-02-15"),
        ("15-Feb-24", "2024-02-15"),
        ("45337", "2024-02-15"),
        ("45337.5", "2024-02-15"),
        ("20240215", "2024-02-15"),
        ("20240215103000", "2024-02-15"),
        ("1707990000", "2024-02-15"),
        ("1707990000000", "2024-02-15"),
        ("2024-02-15T10:00:00Z", "2024-02-15"),
        ("2024-02-15 10:00:00 +0200", "2024-02-15"),
        ("2024-02-15T10:00:00.123+01:00", "2024-02-15"),
        ("2024/2/5", "2024-02-05"),
    ],
)
def test_a_date(read: Read, column, written: str, day: str) -> None:
    reading = read(_orders("13/01/2024", written))
    assert column(reading, "orders", "ordered_on")[1] == dt.date.fromisoformat(day)


def test_day_or_month_is_decided_by_the_column(read: Read, column) -> None:
    reading = read(_orders("03/04/2024", "25/12/2024"))
    assert column(reading, "orders", "ordered_on")[0] == dt.date(2024, 4, 3)
    reading = read(_orders("03/04/2024", "12/25/2024"))
    assert column(reading, "orders", "ordered_on")[0] == dt.date(2024, 3, 4)
    assert "month first" in told(reading)
    reading = read(_orders("03/04/2024", "05/06/2024"))
    assert column(reading, "orders", "ordered_on")[0] == dt.date(2024, 4, 3)
    assert "no date tells day from month" in told(reading)


def test_the_user_decides_day_or_month(read: Read, column, tmp_path) -> None:
    (tmp_path / "m.yml").write_text(
        "files:\n- columns:\n    date: {is: ordered_at, format: month_first}\n"
    )
    reading = read(_orders("03/04/2024", "05/06/2024"), mapping=tmp_path / "m.yml")
    assert column(reading, "orders", "ordered_on")[0] == dt.date(2024, 3, 4)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("31/02/2024", "There is no such day."),
        ("29/02/2023", "There is no such day."),
        ("0000-00-00", "Nothing stands here."),
        ("", "Nothing stands here."),
        ("soon", "This is no date."),
        ("2027-01-01", "The date lies ahead of today."),
        ("2999-01-01", "The date lies too far ahead."),
        ("0024-01-01", "The date lies too far back."),
        ("12", "This is no date."),
    ],
)
def test_what_is_no_date_goes_to_quarantine(read: Read, written: str, reason: str) -> None:
    reading = read(_orders("13/01/2024", written, "14/01/2024"))
    (row,) = reading.files[0].quarantine
    assert (row.line, row.column, row.value or "") == (3, "date", written)
    assert row.reason.text("en") == reason


def test_a_leap_day_is_a_day(read: Read, column) -> None:
    days = column(read(_orders("29/02/2024")), "orders", "ordered_on")
    assert days == [dt.date(2024, 2, 29)]


def test_an_hour_that_daylight_saving_skips_is_read_and_said(read: Read, column) -> None:
    reading = read(_orders("2024-03-31 01:59", "2024-03-31 02:30", "31/03/2024 02:45"))
    assert column(reading, "orders", "ordered_on") == [dt.date(2024, 3, 31)] * 3
    assert column(reading, "orders", "ordered_at")[1] == dt.datetime(2024, 3, 31, 1, 30)
    assert "Line 3, column date" in told(reading)
    assert "put forward over “2024-03-31 02:30”, and over 2 times in all" in told(reading)
    assert "put back" not in told(reading)


def test_an_hour_that_comes_twice_is_said(read: Read, column) -> None:
    reading = read(_orders("2024-10-27 01:59:59", "2024-10-27 02:30", "2024-10-27 03:00"))
    assert column(reading, "orders", "ordered_on") == [dt.date(2024, 10, 27)] * 3
    assert column(reading, "orders", "ordered_at") == [
        dt.datetime(2024, 10, 26, 23, 59, 59),
        dt.datetime(2024, 10, 27, 0, 30),
        dt.datetime(2024, 10, 27, 2, 0),
    ]
    assert "Line 3, column date: “2024-10-27 02:30” came twice" in told(reading)
    assert "put forward" not in told(reading)


@pytest.mark.parametrize(
    "written", ["2024-10-27T00:30:00Z", "1729989000", "2024-10-27", "2024-10-28 02:30"]
)
def test_a_time_with_a_zone_or_a_mere_day_is_never_in_doubt(read: Read, written: str) -> None:
    assert "put back" not in told(read(_orders("2024-03-01 12:00", written)))


def test_a_skipped_hour_after_midnight_keeps_the_day_it_says(read: Read, column) -> None:
    reading = read(_orders("2024-03-10 00:30", "2024-03-11"), timezone="America/Havana")
    assert column(reading, "orders", "ordered_on") == [dt.date(2024, 3, 10), dt.date(2024, 3, 11)]
    assert "put forward over “2024-03-10 00:30”" in told(reading)
    reading = read(_orders("2024-03-31 02:30"), timezone="UTC")
    assert "put forward" not in told(reading)


@pytest.mark.parametrize(
    ("zone", "count"), [("Europe/Paris", 4), ("UTC", 0), ("Australia/Lord_Howe", 4)]
)
def test_the_changes_of_the_clocks(zone: str, count: int) -> None:
    """Every time between two changes is one that the zone's clocks show once."""
    import zoneinfo

    found = shifts(zone, dt.date(2023, 1, 1), dt.date(2024, 12, 31))
    assert len(found) == count
    held = zoneinfo.ZoneInfo(zone)
    for shift in found:
        for time, inside in (
            (shift.start, True), (shift.end - dt.timedelta(seconds=1), True),
            (shift.start - dt.timedelta(seconds=1), False), (shift.end, False),
        ):  # fmt: skip
            offsets = [time.replace(tzinfo=held, fold=fold).utcoffset() for fold in (0, 1)]
            assert (offsets[0] != offsets[1]) is inside
        first, second = (shift.start.replace(tzinfo=held, fold=fold).utcoffset() for fold in (0, 1))
        assert (second > first) is shift.skipped


def test_zones_become_utc_and_the_local_day(read: Read, column) -> None:
    reading = read(_orders("2024-07-01T23:30:00Z", "2024-07-01T23:30:00"))
    assert column(reading, "orders", "ordered_on") == [dt.date(2024, 7, 2), dt.date(2024, 7, 1)]
    assert column(reading, "orders", "ordered_at") == [
        dt.datetime(2024, 7, 1, 23, 30), dt.datetime(2024, 7, 1, 21, 30),
    ]  # fmt: skip
    reading = read(_orders("2024-07-01T23:30:00Z"), timezone="America/New_York")
    assert column(reading, "orders", "ordered_on") == [dt.date(2024, 7, 1)]


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/Havana", "Australia/Lord_Howe"])
def test_a_doubtful_hour_is_in_the_offset_before_the_change(read: Read, column, zone: str) -> None:
    """As Python has it for the first of two times, of orders, of lines and of events alike."""
    local = [dt.datetime(2024, month, day, hour, minute)
             for month, day in [(3, 10), (3, 31), (4, 7), (10, 6), (10, 27), (11, 3)]
             for hour in (0, 1, 2, 3) for minute in (15, 45)]  # fmt: skip
    told_by_python = [
        time.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=0).astimezone(dt.UTC).replace(tzinfo=None)
        for time in local
    ]
    found = read(_orders(*map(str, local)), timezone=zone)
    assert column(found, "orders", "ordered_at") == told_by_python
    lines = "".join(f"{n // 2},C,{time},{n},5\n" for n, time in enumerate(local))
    found = read(f"order_id,client,date,produit,montant\n{lines}", timezone=zone)
    assert sorted(column(found, "orders", "ordered_at")) == told_by_python[::2]
    lines = "".join(f"C,{time},visite\n" for time in local)
    found = read(f"client,date,événement\n{lines}", timezone=zone)
    assert column(found, "events", "occurred_at") == told_by_python


def test_nobody_is_born_after_today(read: Read, column) -> None:
    """Who was born in 1948 was to be born in 2048."""
    dates = ["12/05/48", "13/05/75", "14/05/01", "02/06/26", "31/05/26", "12/05/2048"]
    rows = "".join(f"{n};n{n};n{n}@x.fr;{written}\n" for n, written in enumerate(dates))
    reading = read(f"id client;nom;e-mail;date de naissance\n{rows}")
    years = [date.year for date in column(reading, "customers", "birth_date")]
    assert years == [1948, 1975, 2001, 1926, 2026, 2048]
    assert "those of the last hundred years" in told(reading)


@pytest.mark.parametrize(
    ("first", "second"),
    [("10:05", "18:05"), ("10h05", "18h05"), ("10:05:00", "18:05:00"), ("10:05 AM", "6:05 PM")],
)
def test_the_time_of_day_is_joined_to_the_date(read: Read, column, first, second) -> None:
    """A customer's two purchases of one day were one order, for the time stood beside the date."""
    reading = read(
        "date;heure;client;produit;montant\n"
        f"14/04/2025;{first};C1;Robe;10\n14/04/2025;{second};C1;Sac;20\n14/04/2025;{second};C1;Bas;5\n"
        "15/04/2025;;C2;Sac;20\n"
    )
    local = zoneinfo.ZoneInfo("Europe/Paris")
    times = [
        time.replace(tzinfo=dt.UTC).astimezone(local).strftime("%d %H:%M")
        for time in column(reading, "orders", "ordered_at")
    ]
    assert sorted(times) == ["14 10:05", "14 18:05", "15 00:00"]
    assert "Column heure: its times of day are joined to the dates of column date." in told(reading)


def test_a_joined_time_that_is_skipped_or_comes_twice_is_read_as_one_in_one_column(
    read: Read, column, tmp_path
) -> None:
    """Of days in a workbook the second of two hours was taken; the note showed the day alone."""
    days, hours = ["2024-03-31", "2024-10-27", "2024-10-27"], ["02:30", "02:30", ""]
    lines = [
        f"{day};{hour};C1;1{n}\n" for n, (day, hour) in enumerate(zip(days, hours, strict=True))
    ]
    text = read("date;heure;client;montant\n" + "".join(lines))
    cells = {
        "date": [dt.date.fromisoformat(day) for day in days],
        "heure": [dt.time(2, 30), dt.time(2, 30), None],
        "client": ["C1"] * 3, "montant": [10.0, 11.0, 12.0],
    }  # fmt: skip
    pq.write_table(pa.table(cells), tmp_path / "sales.parquet")
    typed = read_tables(tmp_path / "sales.parquet")
    for reading in (text, typed):
        assert column(reading, "orders", "ordered_at") == [
            dt.datetime(2024, 3, 31, 1, 30),
            dt.datetime(2024, 10, 27, 0, 30),
            dt.datetime(2024, 10, 26, 22),
        ]
        assert "put forward over “2024-03-31 02:30" in told(reading)
        assert "“2024-10-27 02:30" in told(reading)
        assert "came twice when the clocks were put back; it counts" in told(reading)


@pytest.mark.parametrize(
    ("header", "cells"),
    [("heure", ("matin", "soir")), ("heure de livraison", ("10:05", "18:05"))],
)
def test_other_times_are_joined_to_nothing(read: Read, column, header, cells) -> None:
    rows = "".join(f"1{n}/04/2025;{cell};C1;1{n}\n" for n, cell in enumerate(cells, 4))
    reading = read(f"date;{header};client;montant\n{rows}")
    assert {time.minute for time in column(reading, "orders", "ordered_at")} == {0}
    assert "times of day" not in told(reading)
