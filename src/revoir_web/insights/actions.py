from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from revoir.errors import UsageError
from revoir.language import msg
from revoir_web.accounts.models import User
from revoir_web.common import audit, jobs, schedules
from revoir_web.common.models import Job, Schedule
from revoir_web.insights import runs
from revoir_web.insights.models import Digest, Goal, SavedSegment, SavedView

SEGMENTS_MAX = 500
VIEWS_MAX = 200


# -- Goals -------------------------------------------------------------------------------------
@transaction.atomic
def set_goal(
    *,
    metric: str,
    value: float,
    growth: bool = False,
    length: str = "",
    start: dt.date | None = None,
    end: dt.date | None = None,
    note: str = "",
    by: User | None = None,
) -> Goal:
    """Say what a metric is to reach, always or in a period; the same period has one goal.

    Args:
        metric: Name of the metric.
        value: In its unit; 0.8 is 80 %.
        growth: Whether `value` is the share to grow by on the year before.
        length: Key of `revoir.goals.OVER`: figures of which length it is for ("": those of the
            headline figure).
        start: First day (None: always).
        end: Day after the last.
        note: Why.
        by: Who sets it.

    Raises:
        UsageError: The period ends before it begins.
    """
    if start and end and end <= start:
        raise UsageError(
            msg("The last day is not after the first."),
            remedy=msg("Choose a day after {first}.", first=start),
        )
    # Two that were set at the same moment are one from now on.
    same = Goal.objects.filter(metric=metric, length=length, start=start, end=end)
    goal = same.first()
    made = goal is None
    if goal is None:
        goal = Goal(metric=metric, length=length, start=start, end=end)
    else:
        same.exclude(pk=goal.pk).delete()
    goal.value, goal.growth, goal.note = value, growth, note
    goal.save()
    audit.record(
        "goal.set" if made else "goal.change",
        actor=by,
        object=goal,
        details={
            "metric": metric,
            "value": value,
            "growth": growth,
            "length": length,
            "from": _text(start),
            "to": _text(end),
        },
    )
    runs.refresh_soon(by=by.pk if by else None)
    return goal


@transaction.atomic
def remove_goal(*, goal: Goal, by: User | None = None) -> None:
    """Take a goal away; the metric's default holds again."""
    audit.record(
        "goal.remove", actor=by, object=goal, details={"metric": goal.metric, "value": goal.value}
    )
    goal.delete()
    runs.refresh_soon(by=by.pk if by else None)


# -- Segments ----------------------------------------------------------------------------------
@transaction.atomic
def save_segment(
    *,
    name: str,
    rule: str,
    description: str = "",
    by: User | None = None,
) -> SavedSegment:
    """Keep a segment.

    Args:
        name: What it is called; no two have the same.
        rule: Its rule, in the language of `revoir.segments.syntax`.
        description: What it is for.
        by: Who does it.

    Raises:
        UsageError: The rule cannot be read, the name is taken, or there are too many.
    """
    fields = {"name": name, "rule": rule, "description": description}
    others = SavedSegment.objects.filter(removed_at=None)
    _check_segment(fields, others)
    if others.count() >= SEGMENTS_MAX:
        raise UsageError(
            msg("There are {n} segments already.", n=SEGMENTS_MAX), remedy=msg("Remove some first.")
        )
    segment = SavedSegment.objects.create(**fields, created_by=by.pk if by else None)
    audit.record("segment.make", actor=by, object=segment, details=fields)
    return segment


@transaction.atomic
def change_segment(
    *, segment: SavedSegment, fields: Mapping[str, str], by: User | None = None
) -> SavedSegment:
    """Change a segment.

    Args:
        segment: Which; it is read again, so that what somebody else changes meanwhile stays.
        fields: Those of `save_segment` that change, with their values.
        by: Who does it.

    Raises:
        UsageError: The rule cannot be read, or the name is taken.
    """
    _check_segment(fields, SavedSegment.objects.filter(removed_at=None).exclude(pk=segment.pk))
    segment = SavedSegment.objects.select_for_update().get(pk=segment.pk)
    changed = audit.apply(segment, fields)
    if changed:
        audit.record("segment.change", actor=by, object=segment, details=changed)
    return segment


def _check_segment(fields: Mapping[str, str], others: QuerySet[SavedSegment]) -> None:
    """Refuse a rule that cannot be read, and a name that another one has."""
    from revoir.segments.syntax import parse

    if "rule" in fields:
        parse(fields["rule"])
    if "name" in fields and others.filter(name__iexact=fields["name"]).exists():
        raise UsageError(
            msg("Another segment is called “{name}”.", name=fields["name"]),
            remedy=msg("Give another name."),
        )


@transaction.atomic
def remove_segment(*, segment: SavedSegment, by: User | None = None) -> None:
    """Put a segment away; `restore_segment` brings it back."""
    segment.removed_at = timezone.now()
    segment.save(update_fields=["removed_at", "updated_at"])
    audit.record("segment.remove", actor=by, object=segment, details={"name": segment.name})


@transaction.atomic
def restore_segment(*, segment: SavedSegment, by: User | None = None) -> SavedSegment:
    """Bring back a segment that was put away, under another name where its own is taken."""
    name, number = segment.name, 2
    while SavedSegment.objects.filter(removed_at=None, name__iexact=name).exists():
        name, number = f"{segment.name[:90]} ({number})", number + 1
    segment.name, segment.removed_at = name, None
    segment.save(update_fields=["name", "removed_at", "updated_at"])
    audit.record("segment.restore", actor=by, object=segment, details={"name": name})
    return segment


# -- Views -------------------------------------------------------------------------------------
@transaction.atomic
def save_view(*, user: User, name: str, path: str, query: str, shared: bool = False) -> SavedView:
    """Keep a page with its filters under a name; a name of one's own is overwritten.

    Raises:
        UsageError: There are too many.
    """
    # Two that were kept at the same moment are one from now on.
    same = SavedView.objects.filter(user=user, name=name, path=path)
    if (held := same.first()) is not None:
        same.exclude(pk=held.pk).delete()
        held.query, held.shared = query, shared
        held.save()
        return held
    if SavedView.objects.filter(user=user).count() >= VIEWS_MAX:
        raise UsageError(
            msg("There are {n} views already.", n=VIEWS_MAX), remedy=msg("Remove some first.")
        )
    return SavedView.objects.create(user=user, name=name, path=path, query=query, shared=shared)


def remove_view(*, view: SavedView) -> None:
    """Forget a view."""
    view.delete()


# -- Digests -----------------------------------------------------------------------------------
@transaction.atomic
def make_digest(
    *,
    name: str,
    metrics: Sequence[str],
    every: str,
    at: dt.time,
    recipients: Iterable[User],
    weekday: int = 0,
    day: int = 1,
    enabled: bool = True,
    by: User | None = None,
) -> Digest:
    """Set up a digest, and its schedule.

    Args:
        name: What it is called.
        metrics: Names of the metrics, in the order of the message.
        every: "week" or "month".
        at: When, in the company's time.
        recipients: Who gets it.
        weekday: 0 is Monday.
        day: Of the month.
        enabled: Whether it is sent.
        by: Who does it.
    """
    digest = Digest.objects.create(
        name=name, metrics=list(metrics), every=every, weekday=weekday, day=day, at=at,
        enabled=enabled,
    )  # fmt: skip
    digest.recipients.set(recipients)
    audit.record("digest.make", actor=by, object=digest, details={"name": name})
    _schedule(digest)
    return digest


@transaction.atomic
def change_digest(*, digest: Digest, fields: Mapping[str, Any], by: User | None = None) -> Digest:
    """Change a digest, and its schedule.

    Args:
        digest: Which; it is read again, so that what somebody else changes meanwhile stays.
        fields: Those of `make_digest` that change, with their values.
        by: Who does it.
    """
    digest = Digest.objects.select_for_update().get(pk=digest.pk)
    plain = {name: value for name, value in fields.items() if name != "recipients"}
    changed = audit.apply(digest, plain)
    if "recipients" in fields:
        people = list(fields["recipients"])
        ids = [sorted(user.pk for user in held) for held in (digest.recipients.all(), people)]
        if ids[0] != ids[1]:
            changed["recipients"] = ids
        digest.recipients.set(people)
    if changed:
        audit.record("digest.change", actor=by, object=digest, details=changed)
    _schedule(digest)
    return digest


@transaction.atomic
def remove_digest(*, digest: Digest, by: User | None = None) -> None:
    """Put a digest away and stop sending it."""
    digest.removed_at = timezone.now()
    digest.save(update_fields=["removed_at", "updated_at"])
    _schedule(digest)
    audit.record("digest.remove", actor=by, object=digest, details={"name": digest.name})


@transaction.atomic
def restore_digest(*, digest: Digest, by: User | None = None) -> None:
    """Bring back a digest that was put away."""
    digest.removed_at = None
    digest.save(update_fields=["removed_at", "updated_at"])
    _schedule(digest)
    audit.record("digest.restore", actor=by, object=digest, details={"name": digest.name})


def _schedule(digest: Digest) -> None:
    if not digest.enabled or digest.removed_at is not None:
        Schedule.objects.filter(name=digest.schedule_name).delete()
        return
    schedules.save(
        digest.schedule_name,
        kind="insights.digest",
        every=digest.every,
        at=digest.at,
        weekday=digest.weekday,
        day=digest.day,
        arguments={"digest": digest.pk},
    )


# -- Reports -----------------------------------------------------------------------------------
@transaction.atomic
def make_report(*, form: str, language: str, grain: str = "", by: Any) -> Job:
    """Ask for the report as a file.

    Args:
        form: One of `files.KINDS`.
        language: The language it is written in.
        grain: Length of its periods ("": chosen from the data).
        by: The user or key that asks; the workbook lists customers by their surrogate alone.
    """
    audit.record("report.make", actor=by, object="report", details={"form": form})
    arguments = {"form": form, "language": language, "grain": grain}
    return jobs.enqueue("insights.report", arguments=arguments, by=by.pk)


def _text(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


@transaction.atomic
def send_digest_now(*, digest: Digest, user: User, by: Any = None) -> None:
    """Send a digest to one reader because somebody asks for it; the trail tells who did.

    Args:
        digest: The digest.
        user: The reader.
        by: Who asks (None: whoever makes the request).
    """
    send_digest_to(digest=digest, user=user)
    audit.record("digest.send", actor=by, object=digest, details={"to": user.pk})


def send_digest_to(*, digest: Digest, user: User, edition: str = "") -> None:
    """Put a digest in the outbox for one reader.

    Args:
        digest: The digest.
        user: The reader.
        edition: What makes it the same sending; "" sends it again each time.
    """
    from revoir_web.insights import digests
    from revoir_web.messaging import actions as messaging

    made = digests.letter(digest, user)
    messaging.send(
        to=user.email,
        subject=made.subject,
        text=made.text,
        html=made.html,
        images=made.pictures,
        kind="digest",
        key=f"digest:{digest.pk}:{user.pk}:{edition or timezone.now().isoformat()}",
    )
