"""Workers killed at random moments of an import and of events: every row is there once."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from revoir_web.common import jobs
from revoir_web.common.models import Job
from revoir_web.ingest import actions
from revoir_web.ingest.models import Import, InboxEvent, Landing

from .conftest import lake

pytestmark = pytest.mark.django_db(transaction=True)
ORDERS, EVENTS = 8_000, 3_000
State = Import.State


def start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable, str(Path(__file__).with_name("killed_worker.py")),
            str(connection.settings_dict["NAME"]), str(settings.DATA), str(settings.LAKE),
        ],
        env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def file_of(first: int, count: int, price: int) -> io.BytesIO:
    rows = ["order_id,client,date,produit,quantite,prix_unitaire"]
    for n in range(first, first + count):
        day = f"2025-{n % 12 + 1:02d}-{n % 28 + 1:02d}"
        rows += [f"A{n},C{n % 900},{day},p{line},1,{price}" for line in range(2)]
    return io.BytesIO("\n".join(rows).encode())


def events(count: int, turn: int) -> None:
    now = timezone.now()
    InboxEvent.objects.bulk_create(
        InboxEvent(
            key_id=1, kind="track", received_at=now,
            body=json.dumps(
                {"messageId": f"{turn}-{n}", "userId": f"C{n % 900}", "event": "Visite"}
            ),
        )
        for n in range(count)
    )  # fmt: skip


def kill_again_and_again(kills: int) -> None:
    chance = random.Random(5)
    worker = start()
    struck = turn = 0
    prices: dict[int, int] = {}
    try:
        while struck < kills or turn < 2:
            # Each turn brings half of the orders of the turn before again, with another price.
            first, price = turn * ORDERS // 2, turn + 1
            prices |= dict.fromkeys(range(first, first + ORDERS), price)
            events(EVENTS, turn)
            jobs.enqueue("ingest.drain")
            held = actions.begin(lands_by_itself=True)
            actions.add_file(held=held, name="o.csv", content=file_of(first, ORDERS, price))
            actions.read(held=held)
            held.refresh_from_db()
            turn += 1
            latest = time.monotonic() + 240
            while held.state != State.LANDED or InboxEvent.objects.exists():
                assert time.monotonic() < latest, held.state
                assert held.state in (State.READING, State.LANDING, State.LANDED), held.failure
                time.sleep(chance.uniform(0.05, 0.9))
                if struck < kills and Job.objects.filter(state=Job.State.RUNNING).exists():
                    worker.send_signal(signal.SIGKILL)
                    worker.wait()
                    struck += 1
                    Job.objects.filter(state=Job.State.RUNNING).update(
                        lease_until=timezone.now(), losses=0
                    )
                    worker = start()
                held.refresh_from_db()
    finally:
        worker.kill()
        worker.wait()
    assert struck >= kills
    assert not Landing.objects.exists()
    assert lake("SELECT count(*), count(DISTINCT event_id) FROM events") == [
        (EVENTS * turn, EVENTS * turn)
    ]
    expected = (len(prices), len(prices), 2 * sum(prices.values()))
    assert lake("SELECT count(*), count(DISTINCT order_id), sum(amount) FROM orders") == [expected]
    lines = (2 * len(prices), 2 * len(prices), 2 * sum(prices.values()))
    assert lake("SELECT count(*), count(DISTINCT line_id), sum(amount) FROM order_lines") == [lines]


def test_five_kills_lose_and_double_nothing(company: object) -> None:
    kill_again_and_again(5)


@pytest.mark.heavy
def test_sixty_kills_lose_and_double_nothing(company: object) -> None:
    kill_again_and_again(60)
