"""Jobs about customers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection
from django.utils import timezone

from revoir.language import msg
from revoir_web.common import jobs, schedules
from revoir_web.common.models import Schedule
from revoir_web.common.rights import Right
from revoir_web.customers import actions, columns
from revoir_web.customers.models import ImportedProfile, ProfileChange


@jobs.handler(
    "customers.index", right=Right.EDIT_CUSTOMERS, label=msg("Search and duplicates"), retries=3
)
def index(job: jobs.Running, /, **arguments: Any) -> dict[str, int]:
    """Make imported customers searchable, and look for those that may be one."""
    made = actions.index_waiting(job)
    columns.write()
    pairs = actions.propose_merges(job) if arguments.get("duplicates", True) else 0
    _count_for_the_planner()
    return {"customers": made, "pairs": pairs}


@jobs.handler(
    "customers.columns",
    right=Right.EDIT_CUSTOMERS,
    label=msg("Order of the list of customers"),
    retries=3,
)
def write_columns(job: jobs.Running, /, **arguments: Any) -> dict[str, int]:
    """Let long lists follow what was changed by hand."""
    del job, arguments
    return {"customers": columns.write()}


def _count_for_the_planner() -> None:
    """Let SQLite know how many rows each index narrows to; PostgreSQL finds out by itself."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            # A sample of each index, and only of tables that have changed much: this follows every
            # landing, and takes seconds where a million customers are.
            cursor.execute("PRAGMA analysis_limit = 1000")
            cursor.execute("PRAGMA optimize = 0x10002")


@jobs.handler(
    "customers.tidy",
    right=Right.MANAGE_COMPANY,
    label=msg("Removal of old changes of profiles"),
    atomic=True,
)
def tidy(job: jobs.Running, /, **arguments: Any) -> dict[str, int]:
    """Forget what profiles held before a change that can no longer be undone."""
    del job, arguments
    end = timezone.now() - dt.timedelta(days=actions.UNDO_DAYS)
    gone = sum(
        kept.objects.filter(at__lt=end).delete()[0] for kept in (ProfileChange, ImportedProfile)
    )
    return {"changes": gone}


schedules.standing("customers.index", "customers.index", every=Schedule.Every.DAY, at=dt.time(2))
schedules.standing("customers.tidy", "customers.tidy", every=Schedule.Every.DAY, at=dt.time(3, 40))
