"""What an installation refuses, and what it tells browsers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from revoir.errors import UsageError
from revoir_web import database, environment
from revoir_web.common import jobs

LONG = "0123456789" * 6


def run(words: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    ours = ("REVOIR_", "DJANGO_")
    held = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [sys.executable, "-c", "from revoir.cli import main; main()", *words],
        env=held | {"REVOIR_LANG": "en", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_deployment_check_finds_nothing(tmp_path: Path) -> None:
    done = run(
        ["manage", "check", "--deploy", "--fail-level", "WARNING"],
        REVOIR_DATA=str(tmp_path),
        REVOIR_BASE_URL="https://revoir.example.com",
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"REVOIR_BASE_URL": "http://revoir.example.com"}, "unencrypted"),
        ({"REVOIR_BASE_URL": "https://r.example.com", "REVOIR_DEBUG": "1"}, "REVOIR_DEBUG"),
        ({"REVOIR_BASE_URL": "https://r.example.com", "REVOIR_ALLOWED_HOSTS": "*"}, "every name"),
        ({"REVOIR_SECRET_KEY": "short"}, "too short"),
        ({"REVOIR_SECRET_KEY": "a" * 60}, "too short"),
    ],
)
def test_unsafe_settings_are_named(variables: dict[str, str], told: str, tmp_path: Path) -> None:
    env = environment.read({"REVOIR_DATA": str(tmp_path), **variables})
    assert [fault for fault in environment.faults(env) if told in fault.text("en")]


def test_sound_settings_have_no_fault(tmp_path: Path) -> None:
    for url in ("https://revoir.example.com", "http://127.0.0.1:8000"):
        env = environment.read({"REVOIR_DATA": str(tmp_path), "REVOIR_BASE_URL": url})
        assert environment.faults(env) == []


def test_revoir_does_not_start_with_unsafe_settings(tmp_path: Path) -> None:
    done = run(
        ["serve", "--port", "1"],
        REVOIR_DATA=str(tmp_path),
        REVOIR_BASE_URL="http://revoir.example.com",
    )
    assert done.returncode == 2
    assert "unencrypted" in done.stderr


def test_uploads_wait_on_the_disk_and_for_the_owner_alone(tmp_path: Path) -> None:
    """In a container whose /tmp is in memory, a large file took its size of it."""
    data = tmp_path / "data"
    done = run(["manage", "check"], REVOIR_DATA=str(data), REVOIR_SECRET_KEY=LONG)
    assert done.returncode == 0, done.stderr
    assert Path(settings.FILE_UPLOAD_TEMP_DIR) == Path(settings.MEDIA_ROOT).parent / "tmp/uploads"
    for folder in (data / "tmp", data / "tmp" / "uploads"):
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.django_db
def test_what_a_killed_process_left_of_uploads_goes_after_a_day() -> None:
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    for name, hours in (("old.upload", 25), ("new.upload", 1)):
        (folder / name).write_text("ana@example.com")
        then = time.time() - hours * 3600
        os.utime(folder / name, (then, then))
    (folder / "old-folder").mkdir()
    os.utime(folder / "old-folder", (0, 0))
    jobs.enqueue("common.tidy")
    jobs.run_waiting()
    assert [path.name for path in folder.iterdir()] == ["new.upload"]
    (folder / "new.upload").unlink()


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = environment.read({"REVOIR_DATA": str(tmp_path)}).secret_key
    assert first == environment.read({"REVOIR_DATA": str(tmp_path)}).secret_key
    assert len(first) >= environment.SECRET_MIN
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "variables",
    [
        {"REVOIR_BASE_URL": "revoir.example.com"},
        {"REVOIR_WORKER_THREADS": "many"},
        {"REVOIR_WORKER_THREADS": "0"},
    ],
)
def test_what_is_not_understood_is_refused(variables: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        environment.read({"REVOIR_DATA": str(tmp_path), "REVOIR_SECRET_KEY": LONG, **variables})


@pytest.mark.parametrize("url", ["mysql://host/name", "sqlite://", "nothing"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(UsageError):
        database.configuration(url)


def test_addresses_of_databases_are_read_whole() -> None:
    held = database.configuration(
        "postgresql://ana:p%40ss@db.example.com:5433/shop?sslmode=require"
    )
    assert (held["USER"], held["PASSWORD"], held["HOST"]) == ("ana", "p@ss", "db.example.com")
    assert (held["PORT"], held["NAME"]) == ("5433", "shop")
    assert held["OPTIONS"] == {"sslmode": "require"}
    assert database.configuration("postgresql:///shop?host=/run/pg")["HOST"] == "/run/pg"
    assert (
        database.configuration("sqlite:////data/revoir.sqlite3")["NAME"] == "/data/revoir.sqlite3"
    )


def test_sqlite_is_the_sound_one() -> None:
    code = (
        "from revoir_web.database import use_sound_sqlite; use_sound_sqlite();"
        "import sqlite3; print(sqlite3.sqlite_version_info >= (3, 51, 3))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert told.strip() == "True"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("smtp://ana:p%40ss@mail.example.com:587?tls=1", ("mail.example.com", 587, True, False)),
        ("smtps://mail.example.com", ("mail.example.com", 465, False, True)),
    ],
)
def test_ways_to_send_mail(url: str, told: tuple[str, int, bool, bool]) -> None:
    held = environment.email(url)
    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_USE_TLS", "EMAIL_USE_SSL")
    assert tuple(held[name] for name in names) == told


@pytest.mark.django_db
def test_browsers_are_told_to_run_nothing_of_others() -> None:
    answer = Client().get("/account/login/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "nonce" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
def test_health_and_counts() -> None:
    client = Client()
    assert client.get("/healthz").content == b"ok"
    assert client.get("/readyz").json() == {"database": "ready"}
    client.get("/account/login/")
    for word in ("BREW", "WHATEVER"):
        client.generic(word, "/healthz")
    told = client.get("/prometheus").content.decode()
    assert 'route="account/login/"' in told
    # A word of a stranger's is no count of its own: there would be no end of them.
    assert "BREW" not in told
    assert 'method="other"' in told
    assert "revoir_jobs_oldest_waiting_seconds 0.0" in told


@pytest.mark.django_db
def test_the_migrations_make_what_the_models_say() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
