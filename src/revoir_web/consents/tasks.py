"""Jobs about what may be kept."""

from __future__ import annotations

import datetime as dt
from typing import Any

from revoir.language import msg
from revoir_web.common import jobs, schedules
from revoir_web.common.models import Schedule
from revoir_web.common.rights import Right
from revoir_web.consents import erasure, retention


@jobs.handler(
    "consents.retention",
    right=Right.ERASE_CUSTOMERS,
    label=msg("Erasure of persons whose time is over"),
    retries=3,
)
def clock(job: jobs.Running, /, **arguments: Any) -> dict[str, int]:
    """Move the clock on, after what a restored backup brought back is gone again."""
    del arguments
    again = erasure.erase_again()
    told = {**retention.tick(job), "again": again}
    erasure.empty_log()
    return told


@jobs.handler(
    erasure.SCRUB,
    right=Right.ERASE_CUSTOMERS,
    label=msg("Removal of what the database's log still says of erased persons"),
)
def scrub(job: jobs.Running, /, **arguments: Any) -> dict[str, bool]:
    """Empty the log; where somebody reads on, the clock does it in the night."""
    del job, arguments
    return {"emptied": erasure.empty_log()}


schedules.standing(
    "consents.retention", "consents.retention", every=Schedule.Every.DAY, at=dt.time(4)
)
