"""Killed at any moment, a command leaves no half-written file under its final name."""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.heavy

MAIN = [sys.executable, "-c", "from revoir.cli import main; main()"]
OLD = "what was there before"


def started(*arguments: object) -> subprocess.Popen:
    command = [*MAIN, *map(str, arguments)]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True)


def seconds_of(*arguments: object, codes: tuple[int, ...] = (0,)) -> float:
    begun = time.monotonic()
    assert started(*arguments).wait() in codes
    return time.monotonic() - begun


def killed(after: float, *arguments: object) -> None:
    """Start a command and kill it, with all it started, after some seconds."""
    process = started(*arguments)
    time.sleep(after)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def is_whole(path: Path) -> bool:
    """Whether a file is what was there before, or has its end."""
    held = path.read_bytes()
    if held == OLD.encode():
        return True
    match path.suffix:
        case ".html":
            return held.rstrip().endswith(b"</html>")
        case ".json":
            return bool(json.loads(held))
        case ".pdf":
            return held.rstrip().endswith(b"%%EOF")
        case ".xlsx":
            with zipfile.ZipFile(path) as archive:
                return archive.testzip() is None
        case ".yml":
            return bool(yaml.safe_load(held))
    return held.endswith(b"\n")


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    assert started("demo", folder, "--customers", 300, "--lang", "en").wait() == 0
    return folder


@pytest.mark.parametrize("kind", [".html", ".json", ".xlsx", ".pdf"])
@pytest.mark.parametrize("before", [None, OLD])
def test_a_report_is_whole_or_not_there(shop, tmp_path, kind, before):
    draw = random.Random(kind)
    out = tmp_path / f"report{kind}"
    command = ("report", shop / "orders.csv", "-o", out)
    lasts = seconds_of(*command)
    for _ in range(8):
        out.unlink(missing_ok=True)
        if before is not None:
            out.write_text(before)
        killed(draw.uniform(0.4, 1.05) * lasts, *command)
        assert is_whole(out) if out.exists() else before is None
    seconds_of(*command)
    assert is_whole(out)
    assert out.read_bytes() != OLD.encode()


def test_files_of_check_are_whole_or_not_there(shop, tmp_path):
    draw = random.Random(1)
    rows, meanings = tmp_path / "rows.csv", tmp_path / "meanings.yml"
    orders = tmp_path / "orders.csv"
    text = (shop / "orders.csv").read_text().splitlines()
    # Every fifth order gets a day that no calendar has.
    orders.write_text(
        "\n".join(
            re.sub(r"\d{4}-\d\d-\d\d", "2024-02-31", line) if place % 5 == 4 else line
            for place, line in enumerate(text)
        )
    )
    command = ("check", orders, "--quarantine", rows, "--write-mapping", meanings)
    lasts = seconds_of(*command, codes=(0, 1))
    expected = rows.read_bytes()
    for _ in range(40):
        rows.unlink(missing_ok=True)
        meanings.write_text(OLD)
        killed(draw.uniform(0.3, 1.05) * lasts, *command)
        assert not rows.exists() or rows.read_bytes() == expected
        assert is_whole(meanings)
    seconds_of(*command, codes=(0, 1))
    assert rows.read_bytes() == expected
    assert meanings.read_text() != OLD


def test_files_of_the_demonstration_are_whole_or_not_there(tmp_path):
    draw = random.Random(2)
    command = ("demo", tmp_path / "whole", "--customers", 2_000)
    lasts = seconds_of(*command)
    expected = {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()}
    for attempt in range(30):
        folder = tmp_path / f"killed{attempt}"
        killed(draw.uniform(0.2, 1.05) * lasts, "demo", folder, "--customers", 2_000)
        found = folder.iterdir() if folder.exists() else ()
        for path in found:
            if not path.name.startswith("."):
                assert path.read_bytes() == expected[path.name], path.name
    # Over what a killed run left behind, drafts among it, the next one succeeds and is read.
    seconds_of("demo", folder, "--customers", 2_000)
    seconds_of("report", folder, "-o", tmp_path / "report.html")
    assert is_whole(tmp_path / "report.html")
