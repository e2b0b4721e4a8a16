"""Folders for what is needed for a while: gone afterwards, also where a process was killed.

All lie below one folder, and whoever uses one holds a lock in it. What nobody holds any more is
removed when the application starts, when a backup begins, and every night: copies of what people
gave us must not lie where no erasure looks.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from revoir_web.common.locks import only_one

_HELD = ".held"
_DRAFT = ".draft"
_MAKING = "temporary"


@contextmanager
def folder(name: str, *, draft: Path | None = None) -> Iterator[Path]:
    """Make a folder, and remove it at the end.

    Args:
        name: What its name begins with.
        draft: A file elsewhere that goes with it, under a name that no other file ever has.

    Yields:
        The folder.
    """
    root = _root()
    root.mkdir(parents=True, exist_ok=True)
    with only_one(_MAKING):  # or it would be removed before it is held
        path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=root))
        held = (path / _HELD).open("w")
        fcntl.flock(held, fcntl.LOCK_EX)
        if draft is not None:
            (path / _DRAFT).write_bytes(os.fsencode(draft.resolve()))
    with held:
        try:
            yield path
        finally:
            if draft is not None:
                draft.unlink(missing_ok=True)
            shutil.rmtree(path, ignore_errors=True)


def empty() -> int:
    """Remove what dead processes left.

    Returns:
        How many folders were removed.
    """
    count = 0
    _root().mkdir(parents=True, exist_ok=True)
    with only_one(_MAKING):
        # The folder of uploads stays: it has no hyphen, as `folder` gives each of its own.
        for path in [*_root().glob("*-*/"), *_earlier()]:
            # Somebody holds it, or has just ended, or it is another user's: of root's backup, say.
            with contextlib.suppress(BlockingIOError, FileNotFoundError, PermissionError):
                count += _removed(path)
    return count


def _root() -> Path:
    return Path(settings.DATA) / "tmp"


def _removed(path: Path) -> bool:
    with (path / _HELD).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _without_draft(path):
            return False
        shutil.rmtree(path, ignore_errors=True)
        return True


def _without_draft(path: Path) -> bool:
    """Remove the draft of a folder (False: its disk is not there today)."""
    note = path / _DRAFT
    if not note.is_file():
        return True
    draft = Path(os.fsdecode(note.read_bytes()))
    if not draft.parent.is_dir():
        return False
    draft.unlink(missing_ok=True)
    return True


def _earlier() -> list[Path]:
    """What versions before this one left beside."""
    data = Path(settings.DATA)
    copies = [path.parent for path in data.glob("tmp????????/copy.sqlite3")]
    return [*data.glob("fetch-*/"), *copies]
