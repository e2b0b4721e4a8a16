"""Sources: set up, asked at their time or now, and given up."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

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
        source: It, made or as it stands.
        fields: Names and values; `password` in clear, where it is to be changed.
        by: Who does.

    Returns:
        The source.
    """
    plain = {name: value for name, value in fields.items() if name != "password"}
    new = source.pk is None
    changed = {} if new else audit.changes(source, plain)
    if "location" in changed:
        source.host_key = ""
    for name, value in plain.items():
        setattr(source, name, value)
    if fields.get("password"):
        source.secret = vault.closed(fields["password"])
        changed["password"] = ["…", "…"]
    source.save()
    changed.pop("query", None)
    action = "source.create" if new else "source.change"
    audit.record(action, actor=by, object=source, details=changed)
    _plan(source)
    return source


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
    """Ask a source now."""
    audit.record("source.run", actor=by, object=source)
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
