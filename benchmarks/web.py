"""The application under a million customers: `python -m benchmarks.web --help`.

An installation of its own is filled through the product's own bulk paths and started by
`revoir serve`. Pages are asked for over HTTP as a browser does, first alone, then while a file of
orders is imported; events are sent by `benchmarks.events`. The client shares the cores.
"""

from __future__ import annotations

import argparse
import datetime as dt
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import data, results
from benchmarks.events import COMMAND, _free_port, _wait, start_postgres

HERE = Path(__file__).resolve().parent
SORTS = ("-revenue", "revenue", "-orders", "name", "-last_on", "last_on", "-first_on", "-name")
FILTERS: tuple[dict[str, str], ...] = (
    {"segment": "loyal"}, {"segment": "champions"}, {"status": "late"}, {"city": "Paris"},
    {"orders": "5"}, {"revenue": "500"}, {"since": "2024-10-01"},
    {"segment": "loyal", "status": "lost"},
    {"segment": "at_risk", "revenue": "200", "city": "Paris"},
)  # fmt: skip
Ask = Callable[[], str]


def main(arguments: list[str] | None = None) -> int:
    """Measure, and write the chapter of RESULTS.md."""
    asked = _arguments(arguments)
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="revoir-web-"))
    folder.mkdir(parents=True, exist_ok=True)

    def keep(found: dict[str, Any]) -> None:
        """Write what is known so far: who is stopped later has it."""
        kept = results.load(asked.results)
        kept.setdefault("application", {})[asked.database] = found
        results.save(kept, asked.results)
        print(json.dumps(found), flush=True)

    try:
        measure(asked, folder, keep)
    finally:
        if asked.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(asked.results)
    return 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--import-rows", type=int, default=1_000_000, help="rows of the import")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=100, help="times that each page is asked for")
    parser.add_argument("--seconds", type=float, default=20, help="how long events are sent")
    parser.add_argument(
        "--paced-seconds", type=float, default=60, help="the same at the rate aimed at"
    )
    parser.add_argument("--folder", type=Path, help="filled once, and used again by the next run")
    parser.add_argument("--fill-only", action="store_true", help="fill the folder, and stop")
    parser.add_argument("--results", type=Path, default=HERE / "RESULTS.md", help="where to write")
    return parser.parse_args(arguments)


def measure(
    asked: argparse.Namespace, folder: Path, keep: Callable[[dict[str, Any]], None]
) -> None:
    """Fill an installation where it is empty, start it, and measure, part after part."""
    with _database(asked.database, folder) as url:
        ours = {"REVOIR_DATA": str(folder / "data"), "REVOIR_EMAIL_URL": "memory:"}
        os.environ.update(ours | ({"REVOIR_DATABASE_URL": url} if url else {}))
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "revoir_web.settings")
        filled = folder / "filled.json"
        if not filled.is_file():
            command = [sys.executable, "-m", "benchmarks.filling", str(asked.customers)]
            told = subprocess.check_output(command, text=True, cwd=HERE.parent)
            filled.write_text(told.strip().splitlines()[-1])
        found: dict[str, Any] = json.loads(filled.read_text())
        if asked.fill_only:
            raise SystemExit(0)
        door = found.pop("door")
        found |= {"on": dt.date.today().isoformat(), "machine": results.machine()}
        with serving(folder) as server:
            found["figures_s"] = settled()
            ask = questions(door["people"], found["size"]["customers"] // 51, random.Random(7))
            found["pages"] = {
                name: times(server, door, one, asked.rounds) for name, one in ask.items()
            }
            found["web_mib"] = server.memory()
            keep(found)
            found["import"] = imported(server, door, ask, asked.import_rows)
            found["web_mib_after_import"] = server.memory()
            keep(found)
            found["import"]["figures_s"] = settled()
            keep(found)
    found["events"] = events(asked)
    keep(found)


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str | None]:
    """The address of the database (None: SQLite in the folder)."""
    if kind == "sqlite":
        yield None
        return
    server = start_postgres(folder / "postgres")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


class Server:
    """A running `revoir serve`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port

    def get(self, path: str, cookie: str) -> tuple[int, float]:
        """Ask for a page over a connection of its own; the status, and the seconds it took."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        begun = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": f"session={cookie}"})
        answer = connection.getresponse()
        answer.read()
        took = time.perf_counter() - begun
        connection.close()
        return answer.status, took

    def call(self, method: str, path: str, key: str, body: bytes, kind: str) -> Any:
        """Call the API; what it answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": kind}
        connection.request(method, f"/api{path}", body, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {told}")
        return told

    def memory(self) -> dict[str, float]:
        """The memory of the process that answers, now and at its highest, in MiB."""
        parents: dict[int, list[int]] = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(path.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(path.parent.name))
        answering = [
            child
            for pid in parents.get(self.process.pid, [])
            if "web" in Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            for child in parents.get(pid, [])
        ]
        found = {"VmRSS": 0.0, "VmHWM": 0.0}
        for pid in answering:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                name, _, rest = line.partition(":")
                if name in found:
                    found[name] = max(found[name], int(rest.split()[0]) / 1024)
        return {"now": round(found["VmRSS"]), "peak": round(found["VmHWM"])}


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Start the application on the folder, and end it."""
    port = _free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        _wait(port)
        yield Server(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def settled() -> float:
    """Seconds until no job is left to do: the figures are those of the data."""
    import django

    django.setup()
    from django.utils import timezone

    from revoir_web.common.models import Job

    begun = time.perf_counter()
    while True:
        running = Job.objects.filter(state=Job.State.RUNNING)
        due = Job.objects.filter(state=Job.State.WAITING, not_before__lte=timezone.now())
        if not running.exists() and not due.exists():
            return round(time.perf_counter() - begun, 1)
        time.sleep(0.5)


def questions(people: list[list[str]], pages: int, draw: random.Random) -> dict[str, Ask]:
    """What is asked for: each time another sort, filter, word or person."""

    def word() -> str:
        _id, first, last, email = draw.choice(people)
        text = draw.choice((last, first, f"{first} {last}", email))
        return text[: draw.randint(1, len(text))]

    def customers(**query: str) -> str:
        return f"/customers/?{urlencode(query)}"

    return {
        "Dashboard": lambda: "/",
        "Customers, filtered and sorted": lambda: customers(
            **draw.choice(FILTERS), sort=draw.choice(SORTS)
        ),
        "Customers, sorted, any page": lambda: customers(
            sort=draw.choice(SORTS), page=str(draw.randint(1, pages))
        ),
        "Search as you type": lambda: customers(q=word()),
        "360° page": lambda: f"/customers/{draw.choice(people)[0]}/",
    }


def times(server: Server, door: dict[str, Any], ask: Ask, rounds: int) -> dict[str, float]:
    """Ask again and again; the spread of the times in milliseconds."""
    for _ in range(3):
        server.get(ask(), door["session"])
    return spread([_page(server, door, ask()) for _ in range(rounds)])


def _page(server: Server, door: dict[str, Any], path: str) -> float:
    status, took = server.get(path, door["session"])
    if status != 200:
        raise RuntimeError(f"{path} answered {status}")
    return took


def spread(seconds: list[float]) -> dict[str, float]:
    """Median, 95th of 100 and largest, in milliseconds."""
    held = sorted(seconds)
    return {
        "p50": round(held[len(held) // 2] * 1000, 1),
        "p95": round(held[int(len(held) * 0.95)] * 1000, 1),
        "max": round(held[-1] * 1000, 1),
    }


def imported(
    server: Server, door: dict[str, Any], ask: dict[str, Ask], rows: int
) -> dict[str, Any]:
    """Import a CSV as a program does, from its first byte to the last row in the lake.

    Returns:
        Seconds in all and of each part, and the times of pages meanwhile.
    """
    path = data.make("csv", rows)
    over = threading.Event()
    meanwhile: dict[str, list[float]] = {name: [] for name in ask}
    wrong: list[BaseException] = []

    def look() -> None:
        try:
            while not over.is_set():
                for name, one in ask.items():
                    meanwhile[name].append(_page(server, door, one()))
                    over.wait(0.1)
        except BaseException as error:
            wrong.append(error)

    key = door["key"]
    watcher = threading.Thread(target=look)
    watcher.start()
    parts = {}
    try:
        begun = time.perf_counter()
        held = server.call("POST", "/imports", key, b"", "application/json")["id"]
        server.call("POST", f"/imports/{held}/files", key, *_form(path))
        parts["upload"] = time.perf_counter() - begun
        for what, ends in (("read", "read"), ("confirm", "landed")):
            start = time.perf_counter()
            server.call("POST", f"/imports/{held}/{what}", key, b"{}", "application/json")
            while (told := server.call("GET", f"/imports/{held}", key, b"", "application/json"))[
                "state"
            ] != ends:
                if told["state"] == "failed" or time.perf_counter() - begun > 1800:
                    raise RuntimeError(f"the import failed: {told}")
                time.sleep(0.2)
            parts[{"read": "read and check", "confirm": "land"}[what]] = time.perf_counter() - start
        took = time.perf_counter() - begun
    finally:
        over.set()
        watcher.join()
    if wrong:
        raise wrong[0]
    return {
        "rows": told["rows_in"],
        "accepted": told["rows_accepted"],
        "seconds": round(took, 1),
        "parts": {name: round(seconds, 1) for name, seconds in parts.items()},
        "pages": {name: spread(held) for name, held in meanwhile.items() if held},
    }


def _form(path: Path) -> tuple[bytes, str]:
    """The body of a form with one file, and its type."""
    mark = "----revoir-benchmark"
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="orders.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    tail = f"\r\n--{mark}--\r\n"
    body = head.encode() + path.read_bytes() + tail.encode()
    return body, f"multipart/form-data; boundary={mark}"


def events(asked: argparse.Namespace) -> list[dict[str, Any]]:
    """What `benchmarks.events` tells, on an installation of its own."""
    ours = ("REVOIR_", "DJANGO_")
    command = [
        sys.executable, "-m", "benchmarks.events",
        "--database", asked.database, "--seconds", str(asked.seconds),
        "--paced-seconds", str(asked.paced_seconds),
    ]  # fmt: skip
    told = subprocess.check_output(
        command, text=True, cwd=HERE.parent,
        env={name: text for name, text in os.environ.items() if not name.startswith(ours)},
    )  # fmt: skip
    return [json.loads(line) for line in told.splitlines() if line.startswith("{")]


if __name__ == "__main__":
    raise SystemExit(main())
