"""Jobs about what may be kept."""

from __future__ import annotations

import datetime as dt
from typing import Any

from revoir.language import msg
from revoir_web.common import jobs, schedules
from revoir_web.common.models import Schedule
from revoir_web.consents import erasure, retention


@jobs.handler("consents.retention", label=msg("Erasure of persons whose time is over"), retries=3)
def clock(job: jobs.Running, /, **arguments: Any) -> dict[str, int]:
    """Move the clock on, after what a restored backup brought back is gone again."""
    del arguments
    again = erasure.erase_again()
    return {**retention.tick(job), "again": again}


schedules.standing(
    "consents.retention", "consents.retention", every=Schedule.Every.DAY, at=dt.time(4)
)
