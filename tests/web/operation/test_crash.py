"""Workers killed at random moments: each job has its effect exactly once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from revoir_web.common import jobs
from revoir_web.common.models import AuditEntry, Job
from revoir_web.testing import killed

pytestmark = pytest.mark.django_db(transaction=True)


def start(test_database: dict[str, Any]) -> subprocess.Popen[bytes]:
    name = str(test_database["NAME"])
    return subprocess.Popen(
        [sys.executable, "-m", "revoir_web.testing.killed", name],
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_again_and_again(kills: int, count: int) -> None:
    """Ask for jobs, kill whoever does them, and look at what they left."""
    chance = random.Random(11)
    for number in range(count):
        kind = "killed.atomic" if number % 2 else "killed.steps"
        jobs.enqueue(kind, arguments={"name": f"job-{number}"})
    worker = start(connection.settings_dict)
    struck = 0
    latest = time.monotonic() + 120 + 8 * kills
    while Job.objects.exclude(state=Job.State.DONE).exists():
        assert time.monotonic() < latest, list(Job.objects.values_list("state", "attempts"))
        time.sleep(chance.uniform(0.05, 0.6))
        if struck < kills and Job.objects.filter(state=Job.State.RUNNING).exists():
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            struck += 1
            # What waits for a lease to run out is not what is tested: shorten the wait.
            Job.objects.filter(state=Job.State.RUNNING).update(lease_until=timezone.now())
            worker = start(connection.settings_dict)
    worker.terminate()
    assert worker.wait(60) == 0, "a worker ends by itself when asked"
    assert struck == kills
    effects = list(AuditEntry.objects.filter(action="effect").values_list("object_id", flat=True))
    assert sorted(effects) == sorted(f"job-{number}" for number in range(count))
    steps = AuditEntry.objects.filter(action="step")
    told = list(steps.values_list("object_id", flat=True))
    wanted = [f"job-{n}.{step}" for n in range(0, count, 2) for step in range(killed.STEPS)]
    assert sorted(told) == sorted(wanted)


def test_five_killed_workers_lose_and_double_nothing() -> None:
    kill_again_and_again(5, 12)
    assert Job.objects.filter(losses__gt=0).exists(), "no kill struck a job in its middle"


@pytest.mark.heavy
def test_a_hundred_killed_workers_lose_and_double_nothing() -> None:
    kill_again_and_again(100, 160)


def test_a_lease_runs_out_by_itself() -> None:
    job = jobs.enqueue("killed.steps", arguments={"name": "job-0"})
    assert jobs.claim() is not None
    assert jobs.LEASE.total_seconds() < 30
    job.refresh_from_db()
    assert job.lease_until is not None
    assert 0 < (job.lease_until - timezone.now()).total_seconds() <= 20


@pytest.fixture(autouse=True)
def _kinds() -> Any:
    held = dict(jobs._HANDLERS)
    killed.register()
    yield
    jobs._HANDLERS.clear()
    jobs._HANDLERS.update(held)
