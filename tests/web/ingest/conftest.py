"""Imports and events in a data folder of their own."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.conf import settings as django_settings
from django.test import Client

from revoir_web.accounts import actions as accounts
from revoir_web.accounts.rights import Right
from revoir_web.common import jobs
from revoir_web.ingest import actions, intake
from revoir_web.ingest.models import Import, InboxEvent, Landing


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    settings.LAKE = str(tmp_path / "lake")
    settings.SOURCE_FOLDERS = (str(tmp_path / "drop"),)
    settings.SOURCE_SETTLE_SECONDS = 0
    # Figures have tests of their own, and take their time.
    monkeypatch.setattr(actions, "AFTERWARDS", ())
    intake.forget_keys()


@pytest.fixture
def key(company: object) -> str:
    """A key that sends events."""
    _key, text = accounts.create_key(name="site", scopes=[Right.SEND_EVENTS], actor=None)
    return text


def send(key: str | None, call: str, body: Any, **headers: str) -> Any:
    """The answer to a call as Segment's libraries make it."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    if key is not None:
        headers["authorization"] = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
    return Client().post(f"/v1/{call}", data, content_type="application/json", headers=headers)


def drained() -> None:
    """Bring everything that waits in the inbox into the lake."""
    jobs.enqueue("ingest.drain")
    work()
    assert not InboxEvent.objects.exists()
    assert not Landing.objects.exists()


def bring_in(text: str | bytes, name: str = "orders.csv", *, land: bool = True) -> Import:
    """Import a file as the page does."""
    held = actions.begin()
    data = text.encode() if isinstance(text, str) else text
    actions.add_file(held=held, name=name, content=io.BytesIO(data))
    actions.read(held=held)
    work()
    held.refresh_from_db()
    if land and held.state == Import.State.READ:
        actions.confirm(held=held, again=True)
        work()
        held.refresh_from_db()
    return held


def work() -> None:
    """Do the jobs that wait."""
    jobs.run_waiting()


def lake(query: str) -> list[tuple[Any, ...]]:
    """What the lake answers; the tables that the query names go by their names."""
    import ibis

    from revoir.store import Lake

    with closing(duckdb.connect()) as connection:
        backend: Any = ibis.duckdb.from_connection(connection)
        for name, table in Lake(django_settings.LAKE).tables(backend).items():
            if name in query:
                connection.execute(f"CREATE TABLE {name} AS {backend.compile(table)}")
        return connection.execute(query).fetchall()


@contextmanager
def each_step(do: Callable[[jobs.Running, int, str], None]) -> Iterator[None]:
    """Do something each time a job tells a step, whose number and words are given."""
    told = jobs.Running.progress
    count = 0

    def progress(self: jobs.Running, done: int, total: int = 0, message: Any = None) -> None:
        nonlocal count
        count += 1
        do(self, count, message.text("en") if message is not None else "")
        told(self, done, total, message)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs.Running, "progress", progress)
        yield


@pytest.fixture
def imported() -> Callable[..., Import]:
    """`bring_in`."""
    return bring_in
