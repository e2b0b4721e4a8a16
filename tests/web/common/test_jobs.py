"""Jobs: asked for in a transaction, done once, whatever fails."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from revoir.errors import UsageError
from revoir.language import msg
from revoir_web.common import jobs, worker
from revoir_web.common.models import AuditEntry, Job
from revoir_web.common.rights import Right

pytestmark = pytest.mark.django_db


@pytest.fixture
def kinds() -> Iterator[None]:
    held = dict(jobs._HANDLERS)
    yield
    jobs._HANDLERS.clear()
    jobs._HANDLERS.update(held)


@pytest.fixture
def handle(kinds: None) -> Any:
    def register(work: Any, **options: Any) -> None:
        jobs.handler("test", right=Right.MANAGE_COMPANY, label=msg("Test"), **options)(work)

    return register


def lapse() -> None:
    past = timezone.now() - dt.timedelta(seconds=1)
    Job.objects.filter(state=Job.State.RUNNING).update(lease_until=past)


def test_a_job_is_done_with_its_arguments(handle: Any) -> None:
    handle(lambda job, /, **given: {"sum": given["a"] + given["b"]})
    job = jobs.enqueue("test", arguments={"a": 2, "b": 3})
    assert jobs.run_waiting() == 1
    job.refresh_from_db()
    assert (job.state, job.result, job.attempts) == ("done", {"sum": 5}, 1)
    assert jobs.run_waiting() == 0


def test_a_worker_takes_no_job_that_it_is_at_itself(
    handle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the heartbeat had no turn for 20 s, another thread began the same job anew."""
    handle(lambda job, /: None)
    jobs.enqueue("test")
    job = jobs.claim()
    assert job is not None
    busy = worker.Worker(threads=2, stop=threading.Event())
    running = jobs.Running(job)
    busy._running[id(running)] = running
    lapse()
    monkeypatch.setattr(busy, "_beaten", time.monotonic() - jobs.HEARTBEAT_SECONDS - 1)
    assert busy._claim() is None
    job.refresh_from_db()
    assert (job.attempts, job.losses) == (1, 0)
    lapse()
    other = worker.Worker(threads=1, stop=threading.Event())
    taken = other._claim()
    assert taken is not None, "that of a worker that died is taken again"
    assert (taken.attempts, taken.losses) == (2, 1)


def test_a_job_is_gone_with_the_transaction_that_asked(handle: Any) -> None:
    handle(lambda job, /: None)

    def ask_and_fail() -> None:
        with transaction.atomic():
            jobs.enqueue("test")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        ask_and_fail()
    assert not Job.objects.exists()


def test_a_key_is_asked_for_once(handle: Any) -> None:
    handle(lambda job, /: None)
    first = jobs.enqueue("test", key="once")
    assert jobs.enqueue("test", key="once") == first
    jobs.run_waiting()
    assert jobs.enqueue("test", key="once") == first
    assert Job.objects.count() == 1


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no handler"):
        jobs.enqueue("nothing")


def test_a_job_waits_for_its_time(handle: Any) -> None:
    handle(lambda job, /: None)
    jobs.enqueue("test", not_before=timezone.now() + dt.timedelta(hours=1))
    assert jobs.run_waiting() == 0


def test_errors_are_tried_again_later_and_later_and_then_told(handle: Any) -> None:
    def fail(job: Any, /) -> None:
        raise OSError("disk")

    handle(fail, retries=2)
    job = jobs.enqueue("test")
    waits = []
    for _ in range(2):
        assert jobs.run_waiting() == 1
        job.refresh_from_db()
        assert job.state == "waiting"
        waits.append(round((job.not_before - timezone.now()).total_seconds()))
        Job.objects.update(not_before=timezone.now())
    jobs.run_waiting()
    job.refresh_from_db()
    assert waits == [10, 60]
    assert (job.state, job.failures) == ("failed", 3)
    assert job.failure is not None
    assert "OSError" in job.failure.text("en")
    jobs.retry(job)
    assert (job.state, job.failures, job.error) == ("waiting", 0, None)


def test_what_the_user_must_mend_is_not_tried_again(handle: Any) -> None:
    def refuse(job: Any, /) -> None:
        raise UsageError(msg("No."), remedy=msg("Ask."))

    handle(refuse, retries=5)
    job = jobs.enqueue("test")
    jobs.run_waiting()
    job.refresh_from_db()
    assert job.state == "failed"
    assert job.failure is not None
    assert job.failure.text("en") == "No. Ask."


def test_a_waiting_job_is_cancelled_at_once(handle: Any) -> None:
    handle(lambda job, /: None)
    job = jobs.enqueue("test")
    jobs.cancel(job)
    assert job.state == "cancelled"
    assert jobs.run_waiting() == 0


def test_a_running_job_stops_at_its_next_progress(handle: Any) -> None:
    seen = []

    def work(job: jobs.Running, /) -> None:
        job.progress(0, 2)
        jobs.cancel(Job.objects.get())
        seen.append("asked")
        job.renew()
        job.progress(1, 2)
        seen.append("went on")

    handle(work)
    job = jobs.enqueue("test")
    jobs.run_waiting()
    job.refresh_from_db()
    assert (job.state, seen) == ("cancelled", ["asked"])


def test_progress_is_kept_with_its_message(handle: Any) -> None:
    def work(job: jobs.Running, /) -> None:
        job.progress(1, 4, msg("Reading {file}", file="a.csv"))
        kept = Job.objects.get()
        assert (kept.percent, kept.progress_total) == (25, 4)
        assert kept.message is not None
        assert kept.message.text("en") == "Reading a.csv"

    handle(work)
    job = jobs.enqueue("test")
    jobs.run_waiting()
    job.refresh_from_db()
    assert (job.state, job.percent) == ("done", 100)


def test_the_job_of_a_dead_worker_is_taken_again(handle: Any) -> None:
    handle(lambda job, /: {"attempt": job.attempt})
    jobs.enqueue("test")
    assert jobs.claim() is not None
    assert jobs.claim() is None, "it is held"
    lapse()
    jobs.run_waiting()
    job = Job.objects.get()
    assert (job.state, job.result, job.losses) == ("done", {"attempt": 2}, 1)


def test_a_worker_that_lost_its_job_writes_nothing(handle: Any) -> None:
    def work(job: jobs.Running, /) -> dict[str, int]:
        if job.attempt == 1:
            lapse()
            second = jobs.claim()
            assert second is not None
            jobs.run(second)
            with transaction.atomic():
                try:
                    job.fence()
                except jobs.Lost:
                    raise
                AuditEntry.objects.create(action="late")
        return {"attempt": job.attempt}

    handle(work)
    jobs.enqueue("test")
    jobs.run_waiting()
    job = Job.objects.get()
    assert (job.state, job.result) == ("done", {"attempt": 2})
    assert not AuditEntry.objects.filter(action="late").exists()


def test_atomic_work_is_undone_when_its_end_cannot_be_kept(handle: Any) -> None:
    def work(job: jobs.Running, /) -> None:
        AuditEntry.objects.create(action="half")
        raise OSError

    handle(work, atomic=True, retries=0)
    jobs.enqueue("test")
    jobs.run_waiting()
    assert Job.objects.get().state == "failed"
    assert not AuditEntry.objects.exists()


def test_a_job_that_kills_its_worker_is_given_up(handle: Any) -> None:
    handle(lambda job, /: None)
    jobs.enqueue("test")
    for _ in range(jobs.LOSSES_MAX + 1):
        assert jobs.claim() is not None
        lapse()
    assert jobs.claim() is None
    job = Job.objects.get()
    assert job.state == "failed"
    assert job.failure is not None
    assert "memory" in job.failure.text("en")
