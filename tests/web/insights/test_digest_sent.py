"""A weekly digest leaves by itself: the scheduler's own loop and a worker, with a moved clock."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import threading
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from revoir_web.accounts.models import User
from revoir_web.common import schedules, worker
from revoir_web.common.models import Job, Schedule
from revoir_web.insights import actions

pytestmark = pytest.mark.django_db(transaction=True)
PARIS = ZoneInfo("Europe/Paris")
MONDAY = dt.datetime(2026, 3, 23, 8, 0, tzinfo=PARIS)
"""The week after it, clocks go forward: eight o'clock is another moment."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The scheduler's clock; `at` moves it."""
    held = SimpleNamespace(at=MONDAY - dt.timedelta(days=1))
    held.now = lambda: held.at.astimezone(dt.UTC)
    monkeypatch.setattr(schedules, "timezone", held)
    return held


@pytest.fixture
def running(clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The loops that `revoir serve` starts as processes, here as threads."""
    monkeypatch.setattr(worker, "SCHEDULER_SECONDS", 0.05)
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.05)
    stop = worker.Stop()
    loops = [
        threading.Thread(target=worker.schedule_until, args=(stop,), daemon=True),
        threading.Thread(target=worker.Worker(threads=1, stop=stop).work, daemon=True),
    ]
    yield from _with(loops, stop)


def _with(loops: list[threading.Thread], stop: threading.Event) -> Iterator[None]:
    for loop in loops:
        loop.start()
    yield
    stop.set()
    for loop in loops:
        loop.join(30)
        assert not loop.is_alive()


def wait(what: str, holds: Callable[[], bool]) -> None:
    latest = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < latest, what
        time.sleep(0.05)


def letters(folder: Path) -> list[EmailMessage]:
    """What left, as a mail program opens it."""
    found: list[EmailMessage] = []
    for path in sorted(folder.glob("*.log")):
        # Django's backend ends each message with a line of hyphens.
        for text in path.read_bytes().split(b"\n" + b"-" * 79 + b"\n"):
            if text.strip():
                held = email.message_from_bytes(text, policy=email.policy.default)
                assert isinstance(held, EmailMessage)
                found.append(held)
    return found


def test_a_weekly_digest_leaves_by_itself(
    filled: Path,
    users: dict[str, User],
    clock: SimpleNamespace,
    tmp_path: Path,
    settings: Any,
    request: pytest.FixtureRequest,
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    User.objects.filter(pk=users["owner"].pk).update(language="en")
    digest = actions.make_digest(
        name="Lundi", metrics=["retention_rate", "revenue"], every="week", weekday=0,
        at=dt.time(8), recipients=[users["manager"], users["owner"]],
    )  # fmt: skip
    # Nothing else is to be done meanwhile.
    Schedule.objects.exclude(name=digest.schedule_name).delete()
    held = Schedule.objects.get()
    assert held.next_run_at == MONDAY.astimezone(dt.UTC)
    request.getfixturevalue("running")

    clock.at = MONDAY - dt.timedelta(seconds=1)
    time.sleep(0.5)
    assert not Job.objects.exists(), "it waits for its time"
    clock.at = MONDAY + dt.timedelta(seconds=1)
    wait("two letters", lambda: len(letters(tmp_path / "mail")) == 2)
    clock.at = MONDAY + dt.timedelta(days=6)
    time.sleep(0.5)
    assert len(letters(tmp_path / "mail")) == 2, "once a week"
    held.refresh_from_db()
    following = MONDAY + dt.timedelta(days=7)  # the same time of day, another moment
    assert held.next_run_at == dt.datetime(2026, 3, 30, 6, tzinfo=dt.UTC)
    clock.at = following
    wait("two more", lambda: len(letters(tmp_path / "mail")) == 4)
    wait("done", lambda: not Job.objects.exclude(state=Job.State.DONE).exists())

    found = letters(tmp_path / "mail")
    assert len({letter["Message-ID"] for letter in found}) == 4
    by_reader = {letter["To"]: letter for letter in found}
    assert set(by_reader) == {"manager@example.com", "owner@example.com"}
    for reader, said in (("manager@example.com", "Taux de rétention"),
                         ("owner@example.com", "Retention rate")):  # fmt: skip
        letter = by_reader[reader]
        plain, page = letter.get_body(("plain",)), letter.get_body(("html",))
        assert plain is not None
        assert said in plain.get_content()
        assert page is not None
        assert said in page.get_content()
        pictures = [part for part in letter.walk() if part.get_content_type() == "image/png"]
        names = {part["Content-ID"].strip("<>") for part in pictures}
        assert names == {"figure-retention_rate", "figure-revenue"}
        for part in pictures:
            assert part.get_content()[:8] == b"\x89PNG\r\n\x1a\n"
            assert f'src="cid:{part["Content-ID"].strip("<>")}"' in page.get_content()
