"""The process that does jobs, and the one that asks for those that come again."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any

import structlog
from django.db import DatabaseError, close_old_connections, connection

from revoir_web.common import jobs, schedules

IDLE_SECONDS = 0.5
SCHEDULER_SECONDS = 2.0
_log = structlog.get_logger("revoir.worker")


class Stop(threading.Event):
    """Set when the process is asked to end: the job at hand is finished first."""

    def on_signals(self) -> None:
        """Listen to what init, the terminal and `revoir serve` send."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._heard)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.set()


class Worker:
    """Does jobs, several at a time, one thread each.

    Args:
        threads: How many at a time.
        stop: Set it to end.
    """

    def __init__(self, *, threads: int, stop: threading.Event) -> None:
        self._threads = threads
        self._stop = stop
        self._running: dict[int, jobs.Running] = {}
        self._lock = threading.Lock()
        self._beaten = time.monotonic()

    def work(self) -> None:
        """Do jobs until asked to stop."""
        doers = [
            threading.Thread(target=self._do, name=f"job-{number}", daemon=True)
            for number in range(self._threads)
        ]
        for doer in doers:
            doer.start()
        while any(doer.is_alive() for doer in doers):
            self._beat()
            for _ in range(int(jobs.HEARTBEAT_SECONDS / 0.25)):
                if not any(doer.is_alive() for doer in doers):
                    break
                time.sleep(0.25)
        connection.close()

    def _do(self) -> None:
        while not self._stop.is_set():
            try:
                close_old_connections()
                job = self._claim()
                if job is None:
                    self._stop.wait(IDLE_SECONDS)
                    continue
                self._run(job)
            except DatabaseError as error:
                # The database is away or busy: what was claimed comes back when its lease runs out.
                _log.warning("database_away", kind=type(error).__name__)
                self._stop.wait(2)
        connection.close()

    def _claim(self) -> Any:
        """Take the next job, but none of those that this worker is at."""
        # Where the machine is so busy that the heartbeat had no turn, whoever has one now renews:
        # the leases of jobs that go on would seem those of a worker that died.
        if time.monotonic() - self._beaten > jobs.HEARTBEAT_SECONDS:
            self._beat()
        return jobs.claim()

    def _run(self, job: Any) -> None:
        running = jobs.Running(job)
        with self._lock:
            self._running[id(running)] = running
        begun = time.monotonic()
        try:
            state = jobs.run(job, running)
        finally:
            with self._lock:
                del self._running[id(running)]
        _log.info(
            "job",
            kind=job.kind,
            job=running.id,
            attempt=running.attempt,
            state=str(state),
            s=round(time.monotonic() - begun, 2),
        )

    def _beat(self) -> None:
        with self._lock:
            held = list(self._running.values())
        for running in held:
            try:
                running.renew()
            except DatabaseError as error:
                _log.warning("heartbeat_failed", kind=type(error).__name__)
                close_old_connections()
        self._beaten = time.monotonic()


def schedule_until(stop: threading.Event) -> None:
    """Ask for jobs when their time comes, until asked to stop."""
    while not stop.is_set():
        try:
            close_old_connections()
            schedules.run_due()
        except DatabaseError as error:
            _log.warning("database_away", kind=type(error).__name__)
        stop.wait(SCHEDULER_SECONDS)
    connection.close()
