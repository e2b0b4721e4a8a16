"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Write a file under another name, and give it its own once it is whole.

    Whoever is stopped in between leaves what was there before, and a draft whose name begins with a
    dot. What is no ordinary file (a pipe, a terminal) is written to as it is.

    Args:
        path: Where the file is to be.

    Yields:
        Where to write it; if nothing is written there, nothing happens.

    Raises:
        PermissionError: There is a file that may not be written to.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "list.csv")
        >>> with whole(path) as draft:
        ...     _ = draft.write_text("a;b")
        >>> path.read_text()
        'a;b'
    """
    if path.exists() and not path.is_file():
        yield path
        return
    target = path.resolve()  # what a link points to, not the link
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    draft = target.with_name(f".revoir-{uuid.uuid4().hex}.part")
    try:
        yield draft
        if draft.exists():
            if target.exists():
                draft.chmod(target.stat().st_mode)
            _settle(draft)
            draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _settle(path: Path) -> None:
    """Wait until a file is on the disk, so that no loss of power leaves its name to nothing."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
