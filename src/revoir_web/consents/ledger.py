"""The list of erasures outside the database: whom a restored backup must not bring back.

It names nobody: surrogate numbers, and keyed hashes of identifiers. It lies in the data folder, in
every backup, and beside the backups, so that the loss of the one leaves the other.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import structlog
from django.conf import settings

from revoir.files import whole

NAME = "erasures.jsonl"
FOLDERS = "backups.json"
"""The folders that backups were written into, in the data folder."""
_log = structlog.get_logger("revoir.erasures")


def path() -> Path:
    """Where it lies."""
    return Path(settings.DATA) / NAME


def write(ids: Sequence[str], hashes: Sequence[str], at: dt.datetime) -> None:
    """Add an erasure, here and beside the backups.

    Args:
        ids: The persons' numbers.
        hashes: The keyed hashes of what they were known by.
        at: When.
    """
    line = json.dumps({"at": at.isoformat(), "customers": list(ids), "hashes": list(hashes)})
    _append(path(), [line])
    for folder in folders():
        try:
            _append(folder / NAME, [line])
        except OSError as error:
            # A disk that is not plugged in today: the next backup brings the list up to date.
            _log.warning("not_listed_beside_backups", error=type(error).__name__)


def named() -> tuple[list[str], list[str]]:
    """The persons and the hashes of every erasure, each once."""
    ids: dict[str, None] = {}
    hashes: dict[str, None] = {}
    for line in read(path()):
        held = json.loads(line)
        ids.update(dict.fromkeys(held["customers"]))
        hashes.update(dict.fromkeys(held["hashes"]))
    return list(ids), list(hashes)


def read(source: Path) -> list[str]:
    """The lines of a list; a line that was not written to its end is left out."""
    if not source.is_file():
        return []
    return list(_sound(source.read_bytes()))


def copy_beside(backup: Path) -> None:
    """Put the list beside a backup that was just written, and remember the folder.

    Args:
        backup: The backup.
    """
    folder = backup.resolve().parent
    target = folder / NAME
    missing = [line for line in read(path()) if line not in set(read(target))]
    if missing:
        _append(target, missing)
    known = folders()
    if folder not in known:
        with whole(Path(settings.DATA) / FOLDERS) as draft:
            draft.write_text(json.dumps([str(held) for held in (*known, folder)]))


def folders() -> list[Path]:
    """The folders of backups that there are."""
    held = Path(settings.DATA) / FOLDERS
    if not held.is_file():
        return []
    return [folder for name in json.loads(held.read_text()) if (folder := Path(name)).is_dir()]


def gather(backup: Path, others: Iterable[Path]) -> tuple[list[str], bool]:
    """What lists know of erasures: the one in a backup, and those made since.

    Args:
        backup: The backup; lists beside it, and in other backups of its folder, are read.
        others: Further lists.

    Returns:
        The lines, each once, and whether there was a list besides the backup's own.
    """
    lines = dict.fromkeys(_inside(backup))
    beside = [path for path in (backup.parent / NAME, *others) if path.is_file()]
    for path in beside:
        lines |= dict.fromkeys(read(path))
    for other in sorted(backup.parent.glob(f"*{backup.suffix}")):
        if other.is_file() and not other.samefile(backup):
            lines |= dict.fromkeys(_inside(other))
    return list(lines), bool(beside)


def _inside(backup: Path) -> list[str]:
    try:
        with zipfile.ZipFile(backup) as archive:
            return list(_sound(archive.read(NAME)))
    except (KeyError, OSError, zipfile.BadZipFile):
        return []  # it has none, or is none


def keep(folder: Path, lines: Sequence[str]) -> None:
    """Write lines as the list of a data folder that is being filled."""
    if lines:
        (folder / NAME).unlink(missing_ok=True)
        _append(folder / NAME, lines)


def _append(target: Path, lines: Sequence[str]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a+b") as file:
        torn = b""
        if size := file.seek(0, os.SEEK_END):
            file.seek(size - 1)
            # Who was killed in the middle of a line must not spoil the next.
            torn = b"" if file.read(1) == b"\n" else b"\n"
        file.write(torn + "".join(f"{line}\n" for line in lines).encode())
        file.flush()
        os.fsync(file.fileno())


def _sound(content: bytes) -> Iterator[str]:
    for line in content.decode("ascii", "replace").splitlines():
        try:
            held = json.loads(line)
        except ValueError:
            continue
        if isinstance(held, dict) and {"customers", "hashes"} <= set(held):
            yield line
