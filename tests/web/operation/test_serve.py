"""`revoir serve`: three processes that live and end together."""

from __future__ import annotations

import importlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def children(pid: int) -> dict[str, int]:
    """The processes that a process started, by the command of `revoir` that they run."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            words = (path.parent / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if parent == pid and "-c" in words:
            found[words[words.index("-c") + 2]] = int(path.parent.name)
    return found


@pytest.mark.parametrize("known", [None, "https://revoir.example.com"])
def test_links_lead_to_the_port_that_is_served(
    known: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another port than 8000, the links for customers and in messages led nowhere."""
    import revoir.cli  # before the commands that it attaches
    from revoir_web import cli

    assert revoir.cli
    seen = []
    if known is None:
        monkeypatch.setenv("REVOIR_BASE_URL", "")
        monkeypatch.delenv("REVOIR_BASE_URL")
    else:
        monkeypatch.setenv("REVOIR_BASE_URL", known)
    monkeypatch.setattr(cli, "_ready", lambda data: seen.append(os.environ["REVOIR_BASE_URL"]))
    module = importlib.import_module("revoir_web.cli.serve")
    monkeypatch.setattr(module, "serve_web", lambda **asked: None)
    cli.web(port=8131)
    assert seen == [known or "http://127.0.0.1:8131"]


def niceness(pid: int = 0) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


def wait(what: str, holds: object) -> None:
    latest = time.monotonic() + 90
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < latest, what
        time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
def test_what_dies_is_started_again_and_all_end_together(tmp_path: Path) -> None:
    port = free_port()
    ours = ("REVOIR_", "DJANGO_")
    held = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    words = ["serve", "--data", str(tmp_path / "data"), "--port", str(port)]
    log = tmp_path / "log"
    with log.open("wb") as file:
        family = subprocess.Popen(
            [sys.executable, "-c", "from revoir.cli import main; main()", *words],
            env=held | {"REVOIR_LANG": "en"},
            stderr=file,
        )

    def healthy() -> bool:
        assert family.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        address = re.compile(r"http://\S+/welcome/\?token=\S+")
        wait("it says where to begin", lambda: address.search(log.read_text()))
        begin = address.search(log.read_text())
        assert begin is not None
        with urllib.request.urlopen(begin[0], timeout=90) as answer:  # at once: it listens
            assert answer.status == 200
        wait("it answers", healthy)
        first = children(family.pid)
        assert set(first) == {"web", "worker", "scheduler"}
        wait("jobs let pages go first", lambda: niceness(first["worker"]) == niceness() + 5)
        assert niceness(first["web"]) == niceness()
        for pid in first.values():
            os.kill(pid, signal.SIGKILL)
        wait(
            "all are started again",
            lambda: (
                set(now := children(family.pid)) == set(first)
                and not set(now.values()) & set(first.values())
            ),
        )
        wait("it answers again", healthy)
        last = children(family.pid)
        family.send_signal(signal.SIGTERM)
        assert family.wait(60) == 0
        assert not [pid for pid in last.values() if Path(f"/proc/{pid}").exists()]
    finally:
        if family.poll() is None:
            family.kill()
    assert (tmp_path / "data/secret.key").stat().st_mode & 0o777 == 0o600


def test_the_worker_knows_ibis_before_its_threads_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import sys, django, revoir.cli\n"
        "django.setup()\n"
        "from revoir_web.common import worker\n"
        "worker.Worker.work = lambda self: print('ibis.expr.types' in sys.modules)\n"
        "from revoir_web.cli.serve import work\n"
        "assert 'ibis' not in sys.modules\n"
        "work()\n"
    )
    monkeypatch.setenv("REVOIR_DATA", str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "revoir_web.settings")
    told = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    assert told.stdout.strip() == "True"
