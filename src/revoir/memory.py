"""What is asked of the interpreter's memory where very many objects are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no cycles among objects while many are made that are in none.

    To go through all of them again and again takes as long as making them; and a tenth of a second
    within a transaction holds up whoever else writes to SQLite.

    Examples:
        >>> with uncollected():
        ...     gc.isenabled()
        False
        >>> gc.isenabled()
        True
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
