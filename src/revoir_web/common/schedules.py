"""Jobs that come again: every so many seconds, every day, week or month at a company time."""

from __future__ import annotations

import calendar
import datetime as dt
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from revoir_web.common import jobs
from revoir_web.common.actions import after_company_change
from revoir_web.common.models import Company, Job, Schedule


@dataclass(frozen=True)
class Standing:
    """A schedule that an app always has (made by `ensure`)."""

    name: str
    kind: str
    every: str
    seconds: int | None = None
    at: dt.time | None = None
    weekday: int | None = None
    day: int | None = None
    needed: Callable[[], bool] | None = None


_STANDING: dict[str, Standing] = {}


def standing(
    name: str,
    kind: str,
    *,
    every: str,
    needed: Callable[[], bool] | None = None,
    **when: Any,
) -> None:
    """Declare a schedule that every installation has; call it where the job's handler is.

    Args:
        name: The schedule's name.
        kind: The kind of job.
        every: One of `Schedule.Every`.
        needed: Whether there is anything to do (None: always); without it no job is asked for.
        when: `seconds`, or `at` (company time) with `weekday` or `day`.
    """
    _STANDING[name] = Standing(name, kind, str(every), needed=needed, **when)


def ensure() -> None:
    """Make the standing schedules that are not there yet."""
    known = set(Schedule.objects.values_list("name", flat=True))
    for held in _STANDING.values():
        if held.name not in known:
            save(
                held.name,
                kind=held.kind,
                every=held.every,
                seconds=held.seconds,
                at=held.at,
                weekday=held.weekday,
                day=held.day,
            )


def save(
    name: str,
    *,
    kind: str,
    every: str,
    arguments: Mapping[str, Any] | None = None,
    seconds: int | None = None,
    at: dt.time | None = None,
    weekday: int | None = None,
    day: int | None = None,
) -> Schedule:
    """Make a schedule, or change the one of this name.

    Args:
        name: The schedule's name.
        kind: The kind of job.
        every: One of `Schedule.Every`.
        arguments: Plain values for the job's handler.
        seconds: For "seconds": how many.
        at: For the others: the company's time of day.
        weekday: For "week": 0 is Monday.
        day: For "month": the day; the last one where the month is shorter.

    Returns:
        The schedule.
    """
    fields: dict[str, Any] = {
        "kind": kind,
        "every": every,
        "arguments": dict(arguments or {}),
        "seconds": seconds,
        "at": at,
        "weekday": weekday,
        "day": day,
        "enabled": True,
    }
    schedule = Schedule(name=name, **fields)
    fields["next_run_at"] = next_run(schedule, timezone.now(), Company.current().zone)
    made, _new = Schedule.objects.update_or_create(name=name, defaults=fields)
    return made


@after_company_change
def follow(names: set[str]) -> None:
    """What is done at a company time is done at that of the new zone from now on."""
    if "timezone" not in names:
        return
    now, zone = timezone.now(), Company.current().zone
    for schedule in Schedule.objects.select_for_update().exclude(every=Schedule.Every.SECONDS):
        if schedule.next_run_at > now:  # what is due already is asked for
            schedule.next_run_at = next_run(schedule, now, zone)
            schedule.save(update_fields=["next_run_at", "updated_at"])


def next_run(schedule: Schedule, after: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """When a schedule's job is next asked for.

    Args:
        schedule: The schedule.
        after: An aware time; the answer is later.
        zone: The company's zone. A time that daylight saving skips counts an hour later, one that
            it repeats counts the first time.

    Returns:
        An aware time in UTC.
    """
    if schedule.every == Schedule.Every.SECONDS:
        return after + dt.timedelta(seconds=schedule.seconds or 60)
    day = after.astimezone(zone).date()
    while True:
        if _is_day(schedule, day):
            local = dt.datetime.combine(day, schedule.at or dt.time(6), tzinfo=zone)
            found = local.astimezone(dt.UTC)
            if found > after:
                return found
        day += dt.timedelta(days=1)


def _is_day(schedule: Schedule, day: dt.date) -> bool:
    if schedule.every == Schedule.Every.WEEK:
        return day.weekday() == (schedule.weekday or 0)
    if schedule.every == Schedule.Every.MONTH:
        last = calendar.monthrange(day.year, day.month)[1]
        return day.day == min(schedule.day or 1, last)
    return True


def run_due(now: dt.datetime | None = None) -> int:
    """Ask for every job whose time has come, once each, however many schedulers there are.

    Args:
        now: The time (None: the clock's).

    Returns:
        How many were asked for.
    """
    now = now or timezone.now()
    if not Schedule.objects.filter(enabled=True, next_run_at__lte=now).exists():
        return 0
    count = 0
    zone = Company.current().zone
    with transaction.atomic():
        due = Schedule.objects.select_for_update(skip_locked=True).filter(
            enabled=True, next_run_at__lte=now
        )
        for schedule in due:
            if _is_needed(schedule):
                job = jobs.enqueue(
                    schedule.kind,
                    arguments=schedule.arguments,
                    key=f"schedule:{schedule.pk}:{schedule.next_run_at.isoformat()}",
                )
                schedule.last_job = job.pk
                count += 1
            schedule.next_run_at = next_run(schedule, now, zone)
            schedule.save(update_fields=["last_job", "next_run_at", "updated_at"])
    return count


def _is_needed(schedule: Schedule) -> bool:
    """Whether there is something to do that nobody is about to do or doing."""
    if schedule.kind not in jobs.handlers():  # of another version: the others go on
        return False
    held = _STANDING.get(schedule.name)
    if held is not None and held.needed is not None and not held.needed():
        return False
    if schedule.every != Schedule.Every.SECONDS or schedule.last_job is None:
        return True
    last = Job.objects.filter(pk=schedule.last_job).first()
    # One that failed and waits for its next attempt does not hold up the others.
    return last is None or not (
        last.state == Job.State.RUNNING or (last.state == Job.State.WAITING and not last.attempts)
    )
