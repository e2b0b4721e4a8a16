"""Temporary folders: gone at the end, and once whoever used them is dead."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import revoir.cli  # noqa: F401 (it loads the commands of the application)
from revoir_web import backup, environment
from revoir_web.common import jobs, temporary

DIES = """
import sys, time
from pathlib import Path
from django.conf import settings
settings.configure(DATA=sys.argv[1])
from revoir_web.common import temporary
draft = Path(sys.argv[2])
with temporary.folder("fetch", draft=draft) as folder:
    (folder / "clients.csv").write_text("ana@example.com")
    draft.write_text("ana@example.com")
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def data(settings: Any, tmp_path: Path) -> Path:
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    settings.LAKE = str(tmp_path / "lake")
    return Path(settings.DATA)


def start(data: Path, draft: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", DIES, str(data), str(draft)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if "ana@" in _text(path))


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() else ""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by", ["start", "night", "backup"])
def test_what_a_killed_process_left_is_removed(
    company: object, data: Path, tmp_path: Path, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies of files, and the drafts of backups, lay where no erasure looked."""
    draft = tmp_path / "copies" / "x.1.part"
    draft.parent.mkdir()
    process = start(data, draft)
    try:
        assert temporary.empty() == 0, "it lives"
        assert left(tmp_path) == ["clients.csv", "x.1.part"]
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    match by:
        case "start":
            monkeypatch.setattr("django.core.management.call_command", lambda *_, **__: None)
            importlib.import_module("revoir_web.cli.serve").prepare()
        case "night":
            jobs.enqueue("ingest.tidy")
            jobs.run_waiting()
        case "backup":
            backup.back_up(tmp_path / "copies" / "new.revoir")
    assert left(tmp_path) == []
    assert list((data / "tmp").iterdir()) == []
    assert list(draft.parent.glob("*.part")) == []


def test_a_draft_on_a_disk_that_is_away_is_removed_once_it_is_back(
    data: Path, tmp_path: Path, db: None
) -> None:
    disk, away = tmp_path / "disk", tmp_path / "away"
    disk.mkdir()
    process = start(data, disk / "x.1.part")
    process.kill()
    process.communicate()
    disk.rename(away)
    assert temporary.empty() == 0
    away.rename(disk)
    assert temporary.empty() == 1
    assert left(tmp_path) == []


def test_files_on_their_way_are_left_alone(data: Path, db: None) -> None:
    """The folder of uploads was removed every night, and the next upload or workbook failed."""
    on_its_way = environment.uploads(data) / "clients.upload"
    on_its_way.write_text("ana@example.com")
    assert temporary.empty() == 0
    assert on_its_way.is_file()


def test_a_folder_whose_owner_ends_meanwhile_is_passed_over(
    data: Path, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever ended normally at that moment made the start of the application fail."""
    monkeypatch.setattr(temporary, "_earlier", lambda: [data / "fetch-gone"])
    assert temporary.empty() == 0


def test_what_earlier_versions_left_is_removed(data: Path, db: None) -> None:
    (data / "fetch-a1b2c3d4").mkdir()
    (data / "fetch-a1b2c3d4" / "download").write_text("ana@example.com")
    (data / "tmpa1b2c3d4").mkdir()
    (data / "tmpa1b2c3d4" / "copy.sqlite3").write_text("ana@example.com")
    (data / "files").mkdir()
    (data / "files" / "logo.svg").write_text("ana@example.com")
    assert temporary.empty() == 2
    assert left(data) == ["logo.svg"]
