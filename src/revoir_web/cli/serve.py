"""Processes: web, worker, scheduler, and the one that keeps them alive."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import structlog

from revoir.cli.common import T, language, say
from revoir.language import msg

_log = structlog.get_logger("revoir.serve")
_NAMES = ("web", "worker", "scheduler")
_MEMORY = Path("/dev/shm")  # noqa: S108 (gunicorn makes its file there safely)
_GRACE_SECONDS = 25
_NICE = 5
"""Of the worker: about a third of the weight of a process that does not step back."""
_SESSION = Path("/proc/self/autogroup")
_RESTARTS_MAX = 5
"""Deaths of one process within a minute after which everything stops."""


def prepare() -> None:
    """Bring the database and the static files up to date; safe when several do it at once."""
    from django.core.management import call_command

    from revoir_web.common import schedules, temporary
    from revoir_web.common.locks import only_one
    from revoir_web.customers import columns

    with only_one("prepare"):
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0, clear=False)
        schedules.ensure()
        columns.begin()
    temporary.empty()


def serve_all(*, host: str, port: int) -> int:
    """Start web, worker and scheduler, restart what dies, and end them together.

    Args:
        host: The address to listen on.
        port: The port to listen on.

    Returns:
        The exit code.
    """
    prepare()
    commands = {
        "web": ["web", "--host", host, "--port", str(port)],
        "worker": ["worker"],
        "scheduler": ["scheduler"],
    }
    family = Family({name: _command(*words) for name, words in commands.items()})
    return family.run()


class Family:
    """Child processes that live and end together.

    Args:
        commands: Name → words of the command.
    """

    def __init__(self, commands: dict[str, list[str]]) -> None:
        self._commands = commands
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._deaths: dict[str, list[float]] = {name: [] for name in commands}
        self._ending = False

    def run(self) -> int:
        """Run until a signal comes, or a child dies again and again.

        Returns:
            0 after a signal, 3 when a child could not be kept alive.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        for name in self._commands:
            self._start(name)
        code = 0
        while not self._ending:
            time.sleep(0.2)
            for name, child in list(self._children.items()):
                if child.poll() is None or self._ending:
                    continue
                if not self._may_restart(name):
                    code, self._ending = 3, True
                    break
                _log.warning("restart", process=name, code=child.returncode)
                self._start(name)
        self._stop()
        return code

    def _start(self, name: str) -> None:
        # A group of its own: Ctrl-C in the terminal reaches this process alone, which tells them.
        self._children[name] = subprocess.Popen(  # noqa: S603 (our own program)
            self._commands[name],
            env=os.environ | {"REVOIR_PARENT": str(os.getpid())},
            start_new_session=True,
        )

    def _may_restart(self, name: str) -> bool:
        now = time.monotonic()
        recent = [moment for moment in self._deaths[name] if now - moment < 60]
        self._deaths[name] = [*recent, now]
        if len(recent) >= _RESTARTS_MAX:
            _log.error("dies_again_and_again", process=name)
            return False
        if recent:
            time.sleep(min(len(recent), 3))
        return True

    def _end(self, number: int, frame: Any) -> None:
        del number, frame
        self._ending = True

    def _stop(self) -> None:
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()
        latest = time.monotonic() + _GRACE_SECONDS
        for child in self._children.values():
            try:
                child.wait(max(0.1, latest - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def serve_web(*, host: str, port: int) -> None:
    """Start gunicorn in this process.

    Args:
        host: The address to listen on.
        port: The port to listen on.
    """
    from django.conf import settings
    from django.db import connections
    from gunicorn.app.base import BaseApplication

    from revoir_web.wsgi import application

    _give_memory_back()
    if "REVOIR_PARENT" not in os.environ:
        prepare()

    def listening(server: Any) -> None:
        # Said before, the address would lead nowhere for the seconds that the modules take.
        del server
        invite(host, port)
        connections.close_all()

    class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
        def load_config(self) -> None:
            options = {
                "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
                "worker_class": "gthread",
                "workers": int(os.environ.get("REVOIR_WEB_PROCESSES") or 1),
                "threads": int(os.environ.get("REVOIR_WEB_THREADS") or 8),
                "timeout": 60,
                "graceful_timeout": 20,
                "keepalive": 5,
                "max_requests": 20_000,
                "max_requests_jitter": 2_000,
                "limit_request_line": 8190,
                "forwarded_allow_ips": ",".join(settings.PROXIES),
                # Its heartbeat file: in memory, where a slow disk cannot make a worker look dead.
                "worker_tmp_dir": str(_MEMORY) if _MEMORY.is_dir() else None,
                "control_socket_disable": True,
                "accesslog": None,
                "when_ready": listening,
                "post_fork": _after_fork,
            }
            for name, value in options.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            return application

    Server().run()


def _give_memory_back() -> None:
    """Let the C library return what large arrays took, and not keep some for each thread.

    A list of a million customers is found in arrays of megabytes. By itself the GNU library soon
    keeps such blocks for the next one, in each of its arenas.
    """
    import ctypes

    try:
        library = ctypes.CDLL(None)
        for option, value in ((_ARENAS, 2), (_LARGE, 256 * 1024), (_TRIM, 4 * 1024 * 1024)):
            library.mallopt(option, value)
    except (AttributeError, OSError, TypeError):
        return  # another C library, which has no such options


_ARENAS, _LARGE, _TRIM = -8, -3, -1
"""M_ARENA_MAX, M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of mallopt(3)."""


def _after_fork(server: Any, process: Any) -> None:
    del server, process
    from django.db import connections

    connections.close_all()
    # What is loaded by now stays: to look through it for what could go would hold requests up for
    # a tenth of a second, again and again.
    gc.freeze()


def work() -> None:
    """Do jobs until asked to stop."""
    # Two threads that import different parts of it at the same time get half of one of them.
    import ibis  # noqa: F401
    from django.conf import settings

    from revoir_web.common.worker import Stop, Worker

    gc.freeze()  # as in the web process
    _let_pages_go_first()
    stop = Stop()
    stop.on_signals()
    _follow_parent(stop)
    Worker(threads=settings.ENVIRONMENT.worker_threads, stop=stop).work()


def _let_pages_go_first() -> None:
    """Take processor time after whoever answers pages: a person waits for those.

    Linux may weigh sessions against one another first, and processes only within one: there the
    session steps back as well.
    """
    if not hasattr(os, "nice"):
        return
    os.nice(_NICE)
    with contextlib.suppress(OSError):
        _SESSION.write_text(str(_NICE))


def schedule() -> None:
    """Ask for scheduled jobs until asked to stop."""
    from revoir_web.common import schedules
    from revoir_web.common.worker import Stop, schedule_until

    stop = Stop()
    stop.on_signals()
    _follow_parent(stop)
    schedules.ensure()
    schedule_until(stop)


def _follow_parent(stop: Any) -> None:
    """Stop when `revoir serve` is gone, however it went."""
    parent = int(os.environ.get("REVOIR_PARENT") or 0)
    if not parent:
        return
    import threading

    def watch() -> None:
        while os.getppid() == parent and not stop.wait(1):
            pass
        stop.set()

    threading.Thread(target=watch, name="parent", daemon=True).start()


def invite(host: str, port: int) -> None:
    """Say where the application is, and how to begin when nobody has."""
    from django.conf import settings

    from revoir_web.accounts import welcome

    base = settings.BASE_URL
    if settings.ENVIRONMENT.local:
        base = f"http://{host if host not in ('0.0.0.0', '::') else '127.0.0.1'}:{port}"  # noqa: S104
    if welcome.needed():
        address = f"{base}/welcome/?token={welcome.token()}"
        say(msg("Begin here: {address}", address=address).text(language()))
    else:
        say(msg("Revoir is here: {address}", address=base).text(language()))
    if sys.stderr.isatty():
        say(T("Stop it with Ctrl-C."))


def _command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from revoir.cli import main; main()", *words]
