"""Several processes at one lake, and processes that are killed in the middle of a write."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from revoir.store import Lake

from .conftest import orders, rows_of

BATCHES = 12
SIZE = 5
WORK = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from rows import orders
from revoir.store import Lake
lake = Lake(sys.argv[1])
number = int(sys.argv[2])
print("ready", flush=True)
while True:
    rows = orders(range(number * 5, number * 5 + 5))
    if number % 3:
        lake.append("orders", rows, batch=f"b{number}")
    else:
        lake.upsert("orders", rows, batch=f"b{number}")
    print(number, flush=True)  # acknowledged
    number += 1
"""


def same_batches(folder: str, seed: int) -> int:
    """Write all batches in an order of one's own; how many landed by this process."""
    lake = Lake(folder)
    numbers = list(range(BATCHES))
    random.Random(seed).shuffle(numbers)
    return sum(not lake.append("orders", rows_of_batch(n), batch=f"b{n}").already for n in numbers)


def own_batches(folder: str, seed: int) -> int:
    lake = Lake(folder)
    for n in range(BATCHES):
        number = seed * BATCHES + n
        lake.append("orders", rows_of_batch(number), batch=f"b{number}")
    return BATCHES


def same_keys(folder: str, seed: int) -> int:
    lake = Lake(folder)
    for n in range(4):
        lake.upsert("orders", orders(range(10), amount=seed * 10 + n), batch=f"{seed}-{n}")
    return 4


def rows_of_batch(number: int):
    return orders(range(number * SIZE, number * SIZE + SIZE))


def together(function, folder: Path, count: int) -> list[int]:
    with multiprocessing.get_context("spawn").Pool(count) as pool:
        return pool.starmap(function, [(str(folder), seed) for seed in range(count)], chunksize=1)


def numbers_in(lake: Lake) -> Counter[str]:
    return Counter(row["order_id"] for row in rows_of(lake, "orders"))


def test_eight_processes_that_retry_the_same_batches(lake, tmp_path):
    landed = together(same_batches, tmp_path / "lake", 8)
    assert sum(landed) == BATCHES
    assert numbers_in(lake) == Counter(str(n) for n in range(BATCHES * SIZE))


def test_two_processes_with_batches_of_their_own(lake, tmp_path):
    together(own_batches, tmp_path / "lake", 2)
    assert numbers_in(lake) == Counter(str(n) for n in range(2 * BATCHES * SIZE))


def test_processes_that_replace_the_same_rows(lake, tmp_path):
    together(same_keys, tmp_path / "lake", 3)
    assert numbers_in(lake) == Counter(str(n) for n in range(10))
    amounts = {row["amount"] for row in rows_of(lake, "orders")}
    assert len(amounts) == 1  # all rows of one batch
    for seed in range(3):
        for n in range(4):
            lake.undo(f"{seed}-{n}")
    assert numbers_in(lake) == Counter()


def kill_at_random(lake: Lake, tmp_path: Path, kills: int, seed: int) -> None:
    """Kill a writer again and again, each successor beginning with the batch in doubt."""
    chance = random.Random(seed)
    number = 0
    source = Path(__file__).parent / "conftest.py"
    (tmp_path / "rows.py").write_text(source.read_text(encoding="utf-8"))
    for _ in range(kills):
        writer = subprocess.Popen(
            [sys.executable, "-c", WORK, lake.place.url, str(number), str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.01, 0.4))
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged = [int(line) for line in writer.stdout.read().split()]
        writer.stdout.close()
        writer.wait()
        number = acknowledged[-1] + 1 if acknowledged else number
        held = numbers_in(lake)
        assert max(held.values(), default=1) == 1
        # What was acknowledged is there, and beyond it one whole batch at most.
        assert set(held) in (
            {str(n) for n in range(count * SIZE)} for count in (number, number + 1)
        )
    lake.append("orders", rows_of_batch(number), batch=f"b{number}")
    assert numbers_in(lake) == Counter(str(n) for n in range((number + 1) * SIZE))
    assert all(finding.sound for finding in lake.verify())


def test_killed_writers_lose_and_double_nothing(lake, tmp_path):
    kill_at_random(lake, tmp_path, 10, seed=1)


@pytest.mark.heavy
def test_two_hundred_killed_writers_lose_and_double_nothing(lake, tmp_path):
    kill_at_random(lake, tmp_path, 200, seed=2)
