"""One process at a time, on this machine and beyond."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zlib import crc32

from django.conf import settings
from django.db import connection


def _opened(path: Path) -> IO[str]:
    try:
        return path.open("w")
    except PermissionError:
        return path.open()  # another user made it, such as root for a backup


@contextmanager
def only_one(name: str) -> Iterator[None]:
    """Wait until no other process is inside a block of this name.

    Args:
        name: What is done inside.
    """
    folder = Path(settings.DATA)
    folder.mkdir(parents=True, exist_ok=True)
    with _opened(folder / f"{name}.lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if connection.vendor != "postgresql":
            yield
            return
        # Other machines share the database, not the folder.
        number = crc32(f"revoir:{name}".encode())
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [number])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
