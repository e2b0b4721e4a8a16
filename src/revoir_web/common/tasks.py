"""Jobs that keep the house in order."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils import timezone

from revoir.language import msg
from revoir_web.common import jobs, schedules
from revoir_web.common.models import Job, Replay, Schedule
from revoir_web.common.rights import Right

OWN_DAYS = 7
"""How long jobs stay that the program asked for by itself and that ended well."""
KEPT_DAYS = 90
"""How long those stay that somebody asked for."""
FAILED_DAYS = 365


@jobs.handler(
    "common.tidy", right=Right.MANAGE_COMPANY, label=msg("Removal of what is old"), atomic=True
)
def tidy(job: jobs.Running, /, **arguments: Any) -> dict[str, int]:
    """Remove what has ended: sessions, jobs, answers kept for a repeated call, broken uploads."""
    del job, arguments
    now = timezone.now()
    sessions, _ = Session.objects.filter(expire_date__lt=now).delete()
    ended = Q(state__in=(Job.State.DONE, Job.State.CANCELLED))
    old, _ = Job.objects.filter(
        ended & Q(finished_at__lt=now - dt.timedelta(days=KEPT_DAYS))
        | ended & Q(created_by=None, finished_at__lt=now - dt.timedelta(days=OWN_DAYS))
        | Q(state=Job.State.FAILED, finished_at__lt=now - dt.timedelta(days=FAILED_DAYS))
    ).delete()
    answers, _ = Replay.objects.filter(at__lt=now - dt.timedelta(days=1)).delete()
    files = _remove_uploads(now - dt.timedelta(days=1))
    return {"sessions": sessions, "jobs": old, "answers": answers, "files": files}


def _remove_uploads(before: dt.datetime) -> int:
    """Remove files that were on their way when a process was killed."""
    count = 0
    for path in Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir():
        # Whoever was at it may take it away at this moment.
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before.timestamp():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                count += 1
    return count


schedules.standing("common.tidy", "common.tidy", every=Schedule.Every.DAY, at=dt.time(3, 30))
