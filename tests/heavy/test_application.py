"""Web server, worker and imports killed at any moment: what was acknowledged is there, once.

The processes are those of an installation, each started by its own command. A client sends
events and orders to `/v1/batch` and repeats what was not acknowledged, as Segment's libraries do;
`revoir import` brings files in and is repeated until it says that it is done.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-c", "from revoir.cli import main; main()"]
CUSTOMERS = 300
IMPORTED_BEFORE = "was imported before"


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


class Installation:
    """Web server, worker and scheduler on a folder, each started again when it dies."""

    def __init__(self, folder: Path) -> None:
        ours = ("REVOIR_", "DJANGO_", "PYTEST_")
        held = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
        self.folder = folder
        self.port = free_port()
        self.env = held | {
            "REVOIR_DATA": str(folder / "data"), "REVOIR_EMAIL_URL": "memory:",
            "REVOIR_LANG": "en",
        }  # fmt: skip
        made = subprocess.run(
            [*COMMAND, "key", "create", "load", "--scope", "send_events"],
            env=self.env, check=True, capture_output=True, text=True,
        )  # fmt: skip
        self.key = made.stdout.split()[-1]
        # They follow this process, as the children of `revoir serve` follow it.
        self.env["REVOIR_PARENT"] = str(os.getpid())
        self.log = (folder / "log").open("ab")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("web", "worker", "scheduler"):
            self.start(name)

    def start(self, name: str) -> None:
        words = [name, "--port", str(self.port)] if name == "web" else [name]
        self.processes[name] = self.run(*words)

    def run(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*COMMAND, *words], env=self.env, stdout=subprocess.DEVNULL, stderr=self.log,
            start_new_session=True,
        )  # fmt: skip

    def kill(self, name: str) -> None:
        """Kill the process of a name, and start it again."""
        process = self.processes[name]
        process.kill()
        process.wait()
        self.start(name)

    def kill_child_of_web(self) -> None:
        """Kill the process that answers; the server starts another by itself."""
        for pid in children(self.processes["web"].pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def restart_the_dead(self) -> None:
        """Start again what ended by itself: a server whose port was still taken gives up."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                self.start(name)

    def healthy(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the application's database, or change it."""
        from revoir_web.database import use_sound_sqlite

        use_sound_sqlite()
        import sqlite3

        path = self.folder / "data/revoir.sqlite3"
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as held, held:
            return held.execute(query).fetchall()

    def forget_leases(self) -> None:
        """What waits for the lease of a dead worker is not what is tested: shorten the wait."""
        self.ask(
            "UPDATE common_job SET lease_until = '2000-01-01 00:00:00', losses = 0"
            " WHERE state = 'running'"
        )

    def busy(self) -> bool:
        (count,) = self.ask(
            "SELECT (SELECT count(*) FROM ingest_inboxevent)"
            " + (SELECT count(*) FROM ingest_landing)"
            " + (SELECT count(*) FROM ingest_import WHERE state IN ('reading', 'landing'))"
        )[0]
        return bool(count)

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.log.close()


class Sender(threading.Thread):
    """Sends events and orders in batches; a batch that was not acknowledged is sent again."""

    def __init__(self, held: Installation, ended: threading.Event) -> None:
        super().__init__(daemon=True)
        self.held, self.ended = held, ended
        self.events: set[str] = set()
        self.orders: dict[str, Decimal] = {}
        self.again = 0

    def run(self) -> None:
        chance = random.Random(1)
        number = 0
        while not self.ended.is_set():
            batch = [self.message(number + place, chance) for place in range(20)]
            number += 20
            while not self.send({"batch": batch}):
                self.again += 1
                time.sleep(0.1)
            for message in batch:
                self.events.add(message["messageId"])
                if "order_id" in message["properties"]:
                    held = message["properties"]
                    self.orders[held["order_id"]] = Decimal(held["total"])
            time.sleep(0.1)

    @staticmethod
    def message(number: int, chance: random.Random) -> dict[str, Any]:
        properties: dict[str, Any] = {"path": "/boutique"}
        event = "Produit vu"
        if number % 4 == 0:
            event = "Order Completed"
            properties = {"order_id": f"E{number}", "total": chance.randint(1, 200), "products": []}
        return {
            "type": "track", "messageId": f"m-{number}", "userId": f"C{number % CUSTOMERS}",
            "event": event, "properties": properties,
        }  # fmt: skip

    def send(self, body: dict[str, Any]) -> bool:
        token = base64.b64encode(f"{self.held.key}:".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.held.port, timeout=20)
            connection.request("POST", "/v1/batch", json.dumps(body), headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return False
        if answer.status in (429, 503):
            return False
        assert answer.status == 200, told
        assert {item["status"] for item in told["items"]} == {"accepted"}, told
        return True


class Importer(threading.Thread):
    """Imports one file after the other by the command; one that was killed is begun again."""

    def __init__(self, held: Installation, ended: threading.Event) -> None:
        super().__init__(daemon=True)
        self.held, self.ended = held, ended
        self.orders: dict[str, Decimal] = {}
        self.unnumbered: list[Decimal] = []
        self.process: subprocess.Popen[bytes] | None = None
        self.done = self.again = 0
        self.fault: str | None = None

    def run(self) -> None:
        while not self.ended.is_set() and self.fault is None:
            path = self.held.folder / f"orders-{self.done}.csv"
            numbered = self.done % 2 == 0
            told = (self.numbered if numbered else self.plain)(path)
            while not self.bring_in(path):
                self.again += 1
                if self.fault is not None:
                    return
            if numbered:
                self.orders |= told
            else:
                self.unnumbered += told.values()
            self.done += 1

    def numbered(self, path: Path) -> dict[str, Decimal]:
        """A file of lines of numbered orders; half of them were in the last such file too."""
        first = self.done // 2 * 150
        price = Decimal(self.done + 1)
        rows = ["order_id,client,date,produit,quantite,prix_unitaire"]
        for n in range(first, first + 300):
            day = f"2025-{n % 12 + 1:02d}-{n % 28 + 1:02d}"
            rows += [f"A{n},C{n % CUSTOMERS},{day},p{line},1,{price}" for line in range(2)]
        path.write_text("\n".join(rows))
        return {f"A{n}": 2 * price for n in range(first, first + 300)}

    def plain(self, path: Path) -> dict[str, Decimal]:
        """A file of orders without numbers, which no other file has."""
        day = f"2024-{self.done % 12 + 1:02d}-{self.done % 28 + 1:02d}"
        amounts = {str(n): Decimal(self.done * 1000 + n) / 100 for n in range(300)}
        rows = [f"C{n},{day},{amount}" for n, amount in amounts.items()]
        path.write_text("\n".join(["client,date,montant", *rows]))
        return amounts

    def bring_in(self, path: Path) -> bool:
        log = path.with_suffix(".log")
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [*COMMAND, "import", str(path)], env=self.held.env, stdout=file, stderr=file,
                start_new_session=True,
            )  # fmt: skip
            code = self.process.wait()
        self.process = None
        if code == 0 or IMPORTED_BEFORE in log.read_text():
            return True
        if code != -signal.SIGKILL:
            self.fault = f"revoir import ended with {code}: {log.read_text()[-3000:]}"
        return False

    def kill(self) -> bool:
        process = self.process
        if process is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        return True


def wait(what: str, holds: Callable[[], bool], seconds: float) -> None:
    latest = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < latest, what
        time.sleep(0.2)


def lake(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """What the lake answers; its tables go by their names."""
    import duckdb
    import ibis

    from revoir.store import Lake

    with contextlib.closing(duckdb.connect()) as connection:
        backend: Any = ibis.duckdb.from_connection(connection)
        for name, table in Lake(str(folder / "data/lake")).tables(backend).items():
            connection.execute(f"CREATE TABLE {name} AS {backend.compile(table)}")
        return connection.execute(query).fetchall()


def kill_again_and_again(folder: Path, kills: int, pause: float) -> None:
    """Send, import and kill; look at what the lake holds afterwards."""
    chance = random.Random(kills)
    held = Installation(folder)
    ended = threading.Event()
    sender, importer = Sender(held, ended), Importer(held, ended)
    struck: dict[str, int] = {}
    try:
        wait("the server answers", held.healthy, 120)
        sender.start()
        importer.start()
        while sum(struck.values()) < kills:
            time.sleep(chance.uniform(0.1, pause))
            assert importer.fault is None, importer.fault
            assert sender.is_alive(), "what was sent is refused"
            name = chance.choice(["web", "answering", "worker", "import"])
            match name:
                case "web" | "worker":
                    held.kill(name)
                case "answering":
                    held.kill_child_of_web()
                case "import":
                    if not importer.kill():
                        continue
            struck[name] = struck.get(name, 0) + 1
            held.forget_leases()
            held.restart_the_dead()
            wait("the server answers again", lambda: _healthy(held), 120)
        ended.set()
        wait("everything was sent", lambda: _over(held, sender), 120)
        wait("everything was imported", lambda: _over(held, importer), 900)
        assert importer.fault is None, importer.fault
        wait("everything is in the lake", lambda: not held.busy(), 900)
    finally:
        ended.set()
        importer.kill()
        held.stop()
    told = f"{struck}; {sender.again} batches and {importer.again} imports repeated"
    print(f"{len(sender.events)} events, {importer.done} files; killed {told}")
    compare(folder, sender, importer)


def _healthy(held: Installation) -> bool:
    held.restart_the_dead()
    return held.healthy()


def _over(held: Installation, thread: threading.Thread) -> bool:
    held.restart_the_dead()
    return not thread.is_alive()


def compare(folder: Path, sender: Sender, importer: Importer) -> None:
    """Find each acknowledged event and order exactly once."""
    events = [row[0] for row in lake(folder, "SELECT event_id FROM events")]
    digests = {hashlib.sha256(message.encode()).hexdigest()[:32] for message in sender.events}
    assert len(events) == len(set(events))
    assert set(events) == digests
    orders = lake(folder, "SELECT order_id, amount FROM orders")
    assert len(orders) == len({number for number, _amount in orders})
    numbered = sender.orders | importer.orders
    assert {number: amount for number, amount in orders if number in numbered} == numbered
    rest = [amount for number, amount in orders if number not in numbered]
    assert sorted(rest) == sorted(importer.unnumbered)
    lines = lake(
        folder,
        "SELECT order_id, count(*), sum(amount) FROM order_lines"
        " WHERE order_id IS NOT NULL GROUP BY 1",
    )
    told = {number: (count, amount) for number, count, amount in lines}
    for number, amount in importer.orders.items():
        assert told[number] == (2, amount), number
    people = lake(folder, "SELECT count(DISTINCT customer_id) FROM orders")
    assert people[0][0] <= CUSTOMERS, "one person became two"


needs_proc = pytest.mark.skipif(
    not Path("/proc").is_dir(), reason="processes are looked up in /proc"
)


@needs_proc
@pytest.mark.heavy
def test_two_hundred_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, 200, 5.0)
