"""What every call about figures tells beside them: how far the answer is."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from ninja import Schema

from revoir_web.common.api import Router
from revoir_web.common.words import language
from revoir_web.insights import runs
from revoir_web.insights.models import DataState

router = Router()

State = Literal["fresh", "stale", "computing", "failed", "no_data"]

Of = Literal["", "subscriptions"]
"""Of whom: where there are buyers and subscribers, of the latter apart."""


class Told(Schema):
    """How far an answer is."""

    state: State
    """`fresh`; `stale`: of earlier data, a new one is coming; `computing`: ask again in a second;
    `failed`: see `message`; `no_data`: nothing was imported yet."""
    message: str | None = None
    computed_at: dt.datetime | None = None


def told(asked: runs.Asked) -> dict[str, Any]:
    """How far an answer is, for `Told`."""
    message = asked.error or asked.failure
    at = asked.run.computed_at if asked.run is not None else None
    if message is not None:
        return {"state": "failed", "message": message.text(language()), "computed_at": at}
    if asked.result is not None:
        return {"state": "fresh" if asked.fresh else "stale", "computed_at": at}
    return {"state": "computing" if DataState.current().lake_version else "no_data"}
