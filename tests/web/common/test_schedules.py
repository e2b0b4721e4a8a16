"""Schedules: company time, daylight saving, once each."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import pytest

from revoir_web.common import schedules
from revoir_web.common.models import Company, Job, Schedule

PARIS = zoneinfo.ZoneInfo("Europe/Paris")


def local(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    ("fields", "after", "expected"),
    [
        ({"every": "day", "at": dt.time(6)}, "2026-03-28 05:00", "2026-03-28 06:00"),
        ({"every": "day", "at": dt.time(6)}, "2026-03-28 06:00", "2026-03-29 06:00"),
        # 02:30 does not exist on 29 March 2026: an hour later.
        ({"every": "day", "at": dt.time(2, 30)}, "2026-03-28 03:00", "2026-03-29 03:30"),
        ({"every": "week", "weekday": 0, "at": dt.time(8)}, "2026-11-22 12:00", "2026-11-23 08:00"),
        ({"every": "month", "day": 31, "at": dt.time(8)}, "2026-02-10 12:00", "2026-02-28 08:00"),
        ({"every": "month", "day": 1, "at": dt.time(8)}, "2026-12-01 08:00", "2027-01-01 08:00"),
    ],
)
def test_the_next_run_is_at_company_time(fields: dict[str, Any], after: str, expected: str) -> None:
    found = schedules.next_run(Schedule(**fields), local(after), PARIS)
    assert found.astimezone(PARIS).strftime("%Y-%m-%d %H:%M") == expected


@pytest.mark.django_db
def test_a_due_job_is_asked_for_once(company: Company) -> None:
    schedule = schedules.save("tidy", kind="common.tidy", every="day", at=dt.time(3))
    late = schedule.next_run_at + dt.timedelta(days=3, minutes=1)
    assert schedules.run_due(late) == 1
    assert schedules.run_due(late) == 0
    assert Job.objects.count() == 1
    schedule.refresh_from_db()
    assert schedule.next_run_at > late


@pytest.mark.django_db
def test_standing_schedules_are_made_once(company: Company) -> None:
    schedules.ensure()
    count = Schedule.objects.count()
    schedules.ensure()
    assert Schedule.objects.count() == count > 0
