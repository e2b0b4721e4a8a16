"""Sources: set up, asked at their time or now, and given up."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from revoir.errors import UsageError
from revoir.language import msg
from revoir_web.common import audit, jobs, schedules
from revoir_web.common.models import Job, Schedule
from revoir_web.ingest import fetching, vault
from revoir_web.ingest.models import Source


@transaction.atomic
def save_source(*, source: Source, fields: dict[str, Any], by: Any = None) -> Source:
    """Make or change a source, and set its times.

    Args:
        source: A new one, or the one to change; it is read again, so that what a run notes
            meanwhile and what somebody else changes stay.
        fields: Names and values; `password` in clear, where it is to be changed.
        by: Who does.

    Returns:
        The source.
    """
    plain = {name: value for name, value in fields.items() if name != "password"}
    new = source.pk is None
    changed = {}
    if not new:
        source = Source.objects.select_for_update().get(pk=source.pk)
        changed = audit.changes(source, plain)
    written = {*plain, "updated_at"}
    if "location" in changed:
        source.host_key = ""
        written.add("host_key")
        if server_of(plain["location"]) != server_of(source.location):
            # The form has asked for the password, unless the place was changed since it was shown.
            source.secret = ""
            written.add("secret")
    for name, value in plain.items():
        setattr(source, name, value)
    if fields.get("password"):
        source.secret = vault.closed(fields["password"])
        written.add("secret")
        changed["password"] = ["…", "…"]
    source.save(update_fields=None if new else written)
    changed.pop("query", None)
    action = "source.create" if new else "source.change"
    audit.record(action, actor=by, object=source, details=changed)
    _plan(source)
    return source


def server_of(location: str) -> tuple[str, str]:
    """How and where a place is reached, without what is asked for there."""
    parts = urlsplit(location if "://" in location else f"sftp://{location}")
    return parts.scheme, parts.netloc


def _plan(source: Source) -> None:
    name = f"source:{source.pk}"
    if source.every == Source.Every.NEVER:
        Schedule.objects.filter(name=name).delete()
        return
    hourly = source.every == Source.Every.HOUR
    schedules.save(
        name,
        kind="ingest.fetch",
        every=Schedule.Every.SECONDS if hourly else source.every,
        seconds=3600 if hourly else None,
        arguments={"source": source.pk},
        at=source.at or dt.time(6),
        weekday=source.weekday,
        day=source.day,
    )


@transaction.atomic
def run_source(*, source: Source, by: Any = None) -> Job:
    """Ask a source now; where it is being asked, that is what is given: two would find the same."""
    Source.objects.select_for_update().filter(pk=source.pk).first()
    audit.record("source.run", actor=by, object=source)
    job = under_way(source)
    if job is not None and (job.state == Job.State.RUNNING or job.not_before <= timezone.now()):
        return job
    return jobs.enqueue("ingest.fetch", arguments={"source": source.pk}, by=by.pk if by else None)


def under_way(source: Source) -> Job | None:
    """What asks a source now, or is about to (None: nothing does)."""
    job = (
        Job.objects.filter(kind="ingest.fetch", arguments__source=source.pk)
        .order_by("-created_at")
        .first()
    )
    return None if job is None or job.ended else job


@transaction.atomic
def keep_host_key(*, source: Source, key: str, by: Any = None) -> None:
    """Believe an SFTP server by this key, and by no other.

    Raises:
        UsageError: It is no key.
    """
    if not fetching.fingerprint(key) or len(key.split()) != 2 or len(key) > 5000:
        raise UsageError(msg("This is no key of a server."), remedy=msg("Look at it again."))
    source.host_key = key
    source.save(update_fields=["host_key", "updated_at"])
    audit.record(
        "source.host_key", actor=by, object=source,
        details={"fingerprint": fetching.fingerprint(key)},
    )  # fmt: skip


@transaction.atomic
def remove_source(*, source: Source, by: Any = None) -> None:
    """Ask a source no more; what it brought stays."""
    Schedule.objects.filter(name=f"source:{source.pk}").delete()
    audit.record("source.remove", actor=by, object=source, details={"name": source.name})
    source.delete()
