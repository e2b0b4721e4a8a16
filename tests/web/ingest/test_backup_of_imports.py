"""A backup is of one moment: what waits for the lake when it is made lands once after a restore."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from revoir_web import backup
from revoir_web.common.models import Company
from revoir_web.consents import ledger
from revoir_web.consents.erasure import erase_again
from revoir_web.customers.actions import resolve_many
from revoir_web.ingest import actions, inbox
from revoir_web.ingest.models import Import, InboxEvent

from .conftest import bring_in, lake, work

pytestmark = pytest.mark.django_db(transaction=True)
ORDERS = "order_id,client,date,montant,email\n" + "".join(
    f"A{n},C{n},2025-03-{n % 27 + 1:02d},{n}.00,personne{n}@example.com\n" for n in range(1, 30)
)
BAD = "A90,C1,2025-02-31,12.00,personne1@example.com\n"


def events(*numbers: int) -> None:
    now = timezone.now()
    InboxEvent.objects.bulk_create(
        InboxEvent(
            key_id=1, kind="track", received_at=now,
            body=json.dumps({"messageId": f"m{n}", "userId": f"C{n}", "event": "Visite"}),
        )
        for n in numbers
    )  # fmt: skip


def restored(copy: Path, settings: Any) -> dict[str, Any]:
    """Put the files of a backup into a new folder and go on with it; the database stays."""
    second = copy.with_name("second")
    manifest = backup.unpack(copy, second, None)
    settings.DATA, settings.LAKE = second, str(second / "lake")
    return manifest


def test_what_waits_in_the_copy_is_not_in_its_lake_too(
    company: Company, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events that were drained between the two copies were in both, and landed twice."""
    events(0)
    job: Any = SimpleNamespace(fence=lambda: None, progress=lambda *_: None)
    inbox.drain(job)
    events(1, 2, 3)
    usual = backup._write_database

    def drain() -> None:
        inbox.drain(job)
        connection.close()

    thread = threading.Thread(target=drain)

    def write(held: Any) -> dict[str, int]:
        rows = usual(held)
        thread.start()
        thread.join(2)
        events(4)  # whoever sends events does not wait
        return rows

    monkeypatch.setattr(backup, "_write_database", write)
    copy = tmp_path / "copy.revoir"
    backup.back_up(copy)
    thread.join()
    inbox.drain(job)
    assert lake("SELECT count(*) FROM events") == [(5,)]
    manifest = restored(copy, settings)
    assert manifest["rows"]["ingest_inboxevent"] == 3
    assert lake("SELECT count(*) FROM events") == [(1,)]


def test_an_import_that_waits_lands_after_a_restore(
    company: Company, tmp_path: Path, settings: Any
) -> None:
    """Its files were in no backup: once confirmed it was called landed, and nothing had."""
    held = bring_in(ORDERS + BAD, land=False)
    copy = tmp_path / "copy.revoir"
    backup.back_up(copy)
    restored(copy, settings)
    quarantine = held.folder / "quarantine" / "0.csv"
    assert quarantine.is_relative_to(settings.DATA)
    assert "A90" in quarantine.read_text()
    actions.confirm(held=held)
    work()
    held.refresh_from_db()
    assert held.state == Import.State.LANDED
    assert lake("SELECT count(*) FROM orders") == [(29,)]


def test_persons_erased_since_are_erased_from_imports_that_come_back(
    company: Company, tmp_path: Path, settings: Any
) -> None:
    waits = bring_in(ORDERS, land=False)
    landed = bring_in(ORDERS.replace("A1,", "B1,") + BAD, "autres.csv")
    copy = tmp_path / "copy.revoir"
    backup.back_up(copy)
    restored(copy, settings)
    person = resolve_many([{"customer_id": "C1"}], source="test")
    ledger.write(person, [], dt.datetime.now(dt.UTC))
    assert erase_again() == 1
    assert not waits.folder.exists()
    waits.refresh_from_db()
    assert waits.state == Import.State.CANCELLED
    assert "personne1@" not in (landed.folder / "quarantine" / "0.csv").read_text()


def test_an_import_whose_files_are_gone_says_so(company: Company) -> None:
    """It was called landed, with nothing in the lake and no error."""
    held = bring_in(ORDERS, land=False)
    shutil.rmtree(held.folder)
    actions.confirm(held=held)
    work()
    held = actions.settle(Import.objects.get(pk=held.pk))
    assert held.state == Import.State.READ
    assert held.failure is not None
    assert "no longer on the disk" in held.failure.text("en")
    assert held.landed is None
