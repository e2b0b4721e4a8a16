"""Work outside requests: asked for in the caller's transaction, done once, whatever dies.

A job is a row of `Job`, and the row is the queue. A worker takes it with a lease that a heartbeat
renews; when a worker dies the lease runs out and another worker takes the job again. Each taking
has a number (`attempts`), and whoever holds an older number can no longer write: that fence, and
handlers that may run twice, give each job its effect once.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from revoir.errors import RevoirError
from revoir.language import Message, msg
from revoir_web.common import words
from revoir_web.common.models import Job
from revoir_web.common.rights import Right, may

LEASE = dt.timedelta(seconds=20)
"""How long a job is safe from others after its worker's last sign of life."""
HEARTBEAT_SECONDS = 5.0
PROGRESS_SECONDS = 0.5
"""How often at most progress is written."""
LOSSES_MAX = 20
"""After so many dead workers it is taken that the job kills them."""
AGAIN_SECONDS = 60
"""How long it is waited, at most, for another worker that is at the same work."""
BACK_OFF_SECONDS = (10, 60, 300, 1800, 7200)


class Cancelled(Exception):
    """Someone asked that the job stop."""


class Lost(Exception):
    """The job belongs to another worker by now: whatever this one does has no effect."""


class Work(Protocol):
    """What does a job: ``def run(job: Running, **arguments) -> dict | None``."""

    def __call__(self, job: Running, /, **arguments: Any) -> Mapping[str, Any] | None:
        """Do it; what is returned is kept as the job's result."""


@dataclass(frozen=True)
class Handler:
    """How jobs of one kind are done.

    Attributes:
        kind: The name.
        work: What does them.
        retries: How many times an error is tried again.
        atomic: Whether work and result are one transaction (short work on the database alone).
        label: What people call it.
        right: What whoever starts or stops it must have the right to.
        page: The address that shows what comes of it, by its name, and the argument of the job
            that this address takes (None: it has no page but its own).
    """

    kind: str
    work: Work
    right: Right
    retries: int
    atomic: bool
    label: Message
    page: tuple[str, str] | None = None


_HANDLERS: dict[str, Handler] = {}


def handler(
    kind: str,
    *,
    right: Right,
    label: Message,
    retries: int = 3,
    atomic: bool = False,
    page: tuple[str, str] | None = None,
) -> Callable[[Work], Work]:
    """Register what does the jobs of a kind.

    Args:
        kind: The name, such as "ingest.import".
        right: What whoever starts or stops such a job must have the right to: the one that is
            asked of those who have it done.
        label: What people call it, such as “Import of files”.
        retries: How many times an error is tried again, later each time. Errors of
            `RevoirError` are the user's to mend and are not tried again.
        atomic: Run the work and keep its result in one transaction. For short work on the
            database alone: it holds the write lock of SQLite.
        page: The name of the address where people go on from it, such as that of an import, and
            the argument of the job that says which.

    Returns:
        The decorator. A handler may be run again after a death in its middle: what it does
        twice must be as if done once. `Running.id` is the same each time (use it as batch id).
    """

    def register(work: Work) -> Work:
        if kind in _HANDLERS and _HANDLERS[kind].work is not work:
            raise ValueError(f"two handlers for jobs of kind {kind!r}")
        _HANDLERS[kind] = Handler(kind, work, right, retries, atomic, label, page)
        return work

    return register


def handlers() -> Mapping[str, Handler]:
    """Every kind of job."""
    return _HANDLERS


def label(kind: str) -> Message:
    """What people call a kind of job."""
    known = _HANDLERS.get(kind)
    return known.label if known else Message(kind)


def enqueue(
    kind: str,
    *,
    arguments: Mapping[str, Any] | None = None,
    key: str | None = None,
    not_before: dt.datetime | None = None,
    by: int | None = None,
) -> Job:
    """Ask for a job, in the transaction of the caller: if that is undone, so is this.

    Args:
        kind: A registered kind.
        arguments: Plain values for the handler.
        key: With a key, the job is asked for once: a second time gives the first job.
        not_before: When it may begin (None: now).
        by: The id of the user who asks.

    Returns:
        The job.

    Raises:
        ValueError: Nothing is registered for this kind.
    """
    if kind not in _HANDLERS:
        raise ValueError(f"no handler for jobs of kind {kind!r}")
    fields = {
        "kind": kind,
        "arguments": dict(arguments or {}),
        "not_before": not_before or timezone.now(),
        "created_by": by,
    }
    if key is None:
        return Job.objects.create(**fields)
    job, _made = Job.objects.get_or_create(key=key, defaults=fields)
    return job


def cancel(job: Job) -> None:
    """Ask that a job stop: at once when it waits, at its next sign of progress when it runs."""
    stopped = Job.objects.filter(pk=job.pk, state=Job.State.WAITING).update(
        state=Job.State.CANCELLED, finished_at=timezone.now(), cancel_requested=True
    )
    if not stopped:
        Job.objects.filter(pk=job.pk, state=Job.State.RUNNING).update(cancel_requested=True)
    job.refresh_from_db()


def retry(job: Job) -> None:
    """Ask again for a job that failed or was cancelled."""
    Job.objects.filter(pk=job.pk, state__in=(Job.State.FAILED, Job.State.CANCELLED)).update(
        state=Job.State.WAITING,
        not_before=timezone.now(),
        cancel_requested=False,
        failures=0,
        losses=0,
        error=None,
        finished_at=None,
    )
    job.refresh_from_db()


def may_start(user: Any, job: Job) -> bool:
    """Whether a user may have a job done again."""
    known = _HANDLERS.get(job.kind)
    return may(user, known.right if known else Right.MANAGE_COMPANY)


def may_stop(user: Any, job: Job) -> bool:
    """Whether a user may stop a job: one of their own, or one that they might have asked for."""
    return (job.created_by is not None and job.created_by == user.pk) or may_start(user, job)


def page_of(user: Any, job: Job) -> str | None:
    """The address where a user goes on from a job (None: they stay with the job)."""
    known = _HANDLERS.get(job.kind)
    if known is None or known.page is None or not may_start(user, job):
        return None
    name, argument = known.page
    return reverse(name, args=[job.arguments[argument]]) if argument in job.arguments else None


class Running:
    """A job in the hands of a worker.

    Attributes:
        id: The job's id as 32 hexadecimal characters, the same at every attempt.
        kind: What kind of job it is.
        attempt: Which taking this is, from 1.
        by: The user who asked (None: the program).
    """

    def __init__(self, job: Job) -> None:
        self.id = job.id.hex
        self.kind = job.kind
        self.pk = job.pk
        self.attempt = job.attempts
        self.by = job.created_by
        self._cancelled = threading.Event()
        self._lost = threading.Event()
        self._written = 0.0

    def progress(self, done: int, total: int = 0, message: Message | None = None) -> None:
        """Say how far the job is; the place where it stops when asked to.

        Args:
            done: How many are done.
            total: Of how many (0: not known).
            message: What is being done.

        Raises:
            Cancelled: Someone asked that the job stop.
            Lost: Another worker has taken the job.
        """
        self.check()
        now = time.monotonic()
        if now - self._written < PROGRESS_SECONDS and done < (total or done + 1):
            return
        self._written = now
        changes: dict[str, Any] = {"progress_done": done, "progress_total": total}
        if message is not None:
            changes["progress_message"] = words.to_json(message)
        if not self._held().update(**changes):
            self._lost.set()
        elif Job.objects.filter(pk=self.pk, cancel_requested=True).exists():
            self._cancelled.set()
        self.check()

    def check(self) -> None:
        """Stop here if the job was cancelled or lost.

        Raises:
            Cancelled: Someone asked that the job stop.
            Lost: Another worker has taken the job.
        """
        if self._lost.is_set():
            raise Lost
        if self._cancelled.is_set():
            raise Cancelled

    def fence(self) -> None:
        """Inside a transaction, make sure that its writes count only while the job is held.

        Raises:
            Lost: Another worker has taken the job.
        """
        if not self._held().update(updated_at=timezone.now()):
            self._lost.set()
            raise Lost

    def renew(self) -> None:
        """Tell that the worker lives, and hear whether the job is to stop."""
        if not self._held().update(lease_until=timezone.now() + LEASE):
            self._lost.set()
        elif Job.objects.filter(pk=self.pk, cancel_requested=True).exists():
            self._cancelled.set()

    def _held(self) -> Any:
        return Job.objects.filter(pk=self.pk, attempts=self.attempt, state=Job.State.RUNNING)


def left_to_another(job: Running) -> bool:
    """Whether another worker, one that lives, is at the same kind of job.

    Both would do the same work, and leave no hand free for others: if so, the job is asked for
    once more, at the next full minute.
    """
    others = Job.objects.filter(
        kind=job.kind, state=Job.State.RUNNING, lease_until__gt=timezone.now()
    )
    if not others.exclude(pk=job.pk).exists():
        return False
    minute = int(timezone.now().timestamp()) // AGAIN_SECONDS + 1
    enqueue(
        job.kind,
        key=f"{job.kind}:again:{minute}",
        not_before=dt.datetime.fromtimestamp(minute * AGAIN_SECONDS, dt.UTC),
    )
    return True


def claim() -> Job | None:
    """Take the next job: one that waits, or one whose worker died.

    Returns:
        The job, held by this caller; None when there is nothing to do.
    """
    now = timezone.now()
    lapsed = Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=now)
    waiting = Job.objects.filter(state=Job.State.WAITING, not_before__lte=now)
    # A look without the lock: an idle worker must not stand in the way of those who write.
    if not waiting.exists() and not lapsed.exists():
        return None
    with transaction.atomic():
        job = (
            lapsed.select_for_update(skip_locked=True).order_by("lease_until").first()
            or waiting.select_for_update(skip_locked=True)
            .order_by("not_before", "created_at")
            .first()
        )
        if job is None:
            return None
        if job.state == Job.State.RUNNING:
            job.losses += 1
            if job.losses > LOSSES_MAX:
                _end(job, Job.State.FAILED, error=_error(_DEADLY, "Lost"))
                return None
        job.state = Job.State.RUNNING
        job.attempts += 1
        job.lease_until = now + LEASE
        job.started_at = job.started_at or now
        job.save()
    return job


_DEADLY = msg(
    "The program stopped each time that it did this. Look at the logs: memory may not suffice."
)


def run(job: Job, running: Running | None = None) -> Job.State:
    """Do a job that was claimed, and keep how it ended.

    Args:
        job: As `claim` gave it.
        running: The handle that a heartbeat renews (None: one is made).

    Returns:
        The state that the job is in now.
    """
    running = running or Running(job)
    known = _HANDLERS.get(job.kind)
    try:
        if known is None:
            raise RevoirError(msg("Nothing does jobs of this kind: {kind}.", kind=job.kind))
        if job.cancel_requested:
            raise Cancelled
        if known.atomic:
            with transaction.atomic():
                running.fence()
                _finish(running, dict(known.work(running, **job.arguments) or {}))
        else:
            result = dict(known.work(running, **job.arguments) or {})
            _finish(running, result)
    except Lost:
        pass
    except Cancelled:
        running._held().update(state=Job.State.CANCELLED, finished_at=timezone.now())
    except RevoirError as error:
        _fail(running, _error(_sentence(error), type(error).__name__), known, retry=False)
    except Exception as error:
        _log().exception("job_failed", kind=job.kind, job=running.id, attempt=running.attempt)
        told = msg("Something that was not foreseen went wrong ({kind}).", kind=_name(error))
        _fail(running, _error(told, _name(error)), known, retry=True)
    job.refresh_from_db()
    return Job.State(job.state)


def run_waiting() -> int:
    """Do every job that can be done now, in this process; tests and commands use it.

    Returns:
        How many were done.
    """
    count = 0
    while (job := claim()) is not None:
        run(job)
        count += 1
    return count


def _finish(running: Running, result: dict[str, Any]) -> None:
    now = timezone.now()
    if not running._held().update(
        state=Job.State.DONE, result=result, finished_at=now, lease_until=None, error=None
    ):
        raise Lost
    Job.objects.filter(pk=running.pk, progress_total__gt=0).update(
        progress_done=F("progress_total")
    )


def _fail(running: Running, error: dict[str, Any], known: Handler | None, *, retry: bool) -> None:
    job = running._held().first()
    if job is None:
        return
    failures = job.failures + 1
    again = retry and known is not None and failures <= known.retries
    changes: dict[str, Any] = {"failures": failures, "error": error, "lease_until": None}
    if again:
        wait = BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS)) - 1]
        later = timezone.now() + dt.timedelta(seconds=wait)
        changes |= {"state": Job.State.WAITING, "not_before": later}
    else:
        changes |= {"state": Job.State.FAILED, "finished_at": timezone.now()}
    running._held().update(**changes)


def _end(job: Job, state: Job.State, *, error: dict[str, Any]) -> None:
    job.state = state
    job.error = error
    job.finished_at = timezone.now()
    job.lease_until = None
    job.save()


def _error(what: Message, kind: str) -> dict[str, Any]:
    return {"what": words.to_json(what), "kind": kind}


def _sentence(error: RevoirError) -> Message:
    """The error as one message that can still be told in either language."""
    place = error.where.parts
    if place and error.remedy:
        return msg("{place}: {what} {remedy}", place=place, what=error.what, remedy=error.remedy)
    if place:
        return msg("{place}: {what}", place=place, what=error.what)
    if error.remedy:
        return Message("{what} {remedy}", {"what": error.what, "remedy": error.remedy})
    return error.what


def _name(error: Exception) -> str:
    return type(error).__name__


def _log() -> Any:
    import structlog

    return structlog.get_logger("revoir.jobs")
