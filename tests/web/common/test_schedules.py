"""Schedules: company time, daylight saving, once each."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import pytest
from django.utils import timezone

from revoir_web.common import jobs, schedules
from revoir_web.common.actions import change_company
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
def test_what_another_version_did_holds_up_nothing(company: Company) -> None:
    """After a way back to the version before, nothing was done at its time any more."""
    schedules.save("new", kind="version.next", every="day", at=dt.time(3))
    schedules.save("tidy", kind="common.tidy", every="day", at=dt.time(3))
    assert schedules.run_due(timezone.now() + dt.timedelta(days=2)) == 1
    assert [job.kind for job in Job.objects.all()] == ["common.tidy"]


@pytest.mark.django_db
def test_another_zone_counts_at_once(company: Company) -> None:
    """What was to come at eight came at eight of the zone of before, once."""
    schedules.save("tidy", kind="common.tidy", every="day", at=dt.time(8))
    schedules.save("often", kind="common.tidy", every="seconds", seconds=900)
    often = Schedule.objects.get(name="often").next_run_at
    change_company(fields={"timezone": "Asia/Tokyo"})
    held = Schedule.objects.get(name="tidy").next_run_at
    assert held.astimezone(zoneinfo.ZoneInfo("Asia/Tokyo")).time() == dt.time(8)
    assert timezone.now() < held < timezone.now() + dt.timedelta(days=1)
    assert Schedule.objects.get(name="often").next_run_at == often


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


def due(name: str) -> None:
    Schedule.objects.filter(name=name).update(next_run_at=timezone.now())


@pytest.mark.django_db
def test_an_empty_inbox_costs_no_job(company: Company) -> None:
    from revoir_web.ingest.models import InboxEvent

    schedules.ensure()
    Schedule.objects.exclude(name="ingest.drain").delete()
    due("ingest.drain")
    assert schedules.run_due() == 0
    assert not Job.objects.exists()
    assert Schedule.objects.get().next_run_at > timezone.now()
    InboxEvent.objects.create(key_id=1, kind="track", received_at=timezone.now(), body="{}")
    due("ingest.drain")
    assert schedules.run_due() == 1
    # While that waits or runs, another one would find nothing to do.
    due("ingest.drain")
    assert schedules.run_due() == 0
    assert jobs.claim() is not None
    due("ingest.drain")
    assert schedules.run_due() == 0
    # One that waits for its next attempt after a failure holds nothing up.
    Job.objects.update(state=Job.State.WAITING)
    due("ingest.drain")
    assert schedules.run_due() == 1


@pytest.mark.django_db
def test_ended_jobs_go_and_failures_stay_longer(company: Company) -> None:
    def ended(state: str, days: int, by: int | None = None) -> Any:
        at = timezone.now() - dt.timedelta(days=days)
        return Job.objects.create(kind="x", state=state, finished_at=at, created_by=by).pk

    State = Job.State
    stay = {
        ended(State.DONE, 6), ended(State.DONE, 80, by=1), ended(State.CANCELLED, 80, by=1),
        ended(State.FAILED, 300), ended(State.FAILED, 300, by=1),
        Job.objects.create(kind="x", not_before=timezone.now() + dt.timedelta(days=1)).pk,
    }  # fmt: skip
    ended(State.DONE, 8)
    ended(State.CANCELLED, 8)
    ended(State.DONE, 91, by=1)
    ended(State.FAILED, 366, by=1)
    tidy = jobs.enqueue("common.tidy")
    assert jobs.run_waiting() == 1
    found = set(Job.objects.values_list("pk", flat=True))
    assert found - {tidy.pk} == stay
