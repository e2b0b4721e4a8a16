"""Every way of writing a date that bad-inputs names, decided by the column."""

from __future__ import annotations

import datetime as dt

import pytest

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


def test_an_hour_that_daylight_saving_skips_is_read(read: Read, column) -> None:
    reading = read(_orders("2024-03-31 02:30:00"))
    assert column(reading, "orders", "ordered_on") == [dt.date(2024, 3, 31)]
    assert column(reading, "orders", "ordered_at")[0].date() == dt.date(2024, 3, 31)


def test_zones_become_utc_and_the_local_day(read: Read, column) -> None:
    reading = read(_orders("2024-07-01T23:30:00Z", "2024-07-01T23:30:00"))
    assert column(reading, "orders", "ordered_on") == [dt.date(2024, 7, 2), dt.date(2024, 7, 1)]
    assert column(reading, "orders", "ordered_at") == [
        dt.datetime(2024, 7, 1, 23, 30), dt.datetime(2024, 7, 1, 21, 30),
    ]  # fmt: skip
    reading = read(_orders("2024-07-01T23:30:00Z"), timezone="America/New_York")
    assert column(reading, "orders", "ordered_on") == [dt.date(2024, 7, 1)]
