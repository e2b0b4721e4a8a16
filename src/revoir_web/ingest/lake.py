"""The company's lake, as imports and events write to it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from revoir.store import Lake

_STORES = ("AWS_", "AZURE_", "GOOGLE_")
INBOX = "inbox"
"""Who brings waiting events into the lake does it alone; asked for before `LOCK`."""
LOCK = "lake"
"""Who compares rows with the lake and then writes does it alone (see `common.locks.only_one`)."""


def lake() -> Lake:
    """Open the lake; the first to come makes it."""
    from revoir.store import Lake

    options = {name: text for name, text in os.environ.items() if name.startswith(_STORES)}
    found = Lake.create(settings.LAKE, options if "://" in str(settings.LAKE) else None)
    # Of an order more may be given back than it came to; a return has `returned.MARK` in its key.
    found.returns_numbered = True
    return found
