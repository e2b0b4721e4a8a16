"""A worker that tests kill, and the jobs that it does."""

from __future__ import annotations

import sys
import time
from typing import Any

STEPS = 4


def register() -> None:
    """Make the jobs known: one whose work is a single transaction, one that works in steps."""
    from django.db import transaction

    from revoir.language import Message
    from revoir_web.common import jobs
    from revoir_web.common.models import AuditEntry
    from revoir_web.common.rights import Right

    def effect(name: str) -> None:
        AuditEntry.objects.create(action="effect", object_id=name)

    @jobs.handler("killed.atomic", right=Right.MANAGE_COMPANY, label=Message("atomic"), atomic=True)
    def atomic(job: jobs.Running, /, **arguments: Any) -> None:
        effect(arguments["name"])
        time.sleep(0.1)

    @jobs.handler("killed.steps", right=Right.MANAGE_COMPANY, label=Message("steps"))
    def steps(job: jobs.Running, /, **arguments: Any) -> None:
        name = arguments["name"]
        for number in range(STEPS):
            job.progress(number, STEPS)
            time.sleep(0.1)
            with transaction.atomic():
                job.fence()
                step = {"action": "step", "object_id": f"{name}.{number}"}
                if not AuditEntry.objects.filter(**step).exists():
                    AuditEntry.objects.create(**step)
        with transaction.atomic():
            job.fence()
            if not AuditEntry.objects.filter(action="effect", object_id=name).exists():
                effect(name)


def main() -> None:
    """Work on the database of the tests until asked to stop."""
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = sys.argv[1]
    django.setup()
    register()
    from revoir_web.common.worker import Stop, Worker

    stop = Stop()
    stop.on_signals()
    Worker(threads=2, stop=stop).work()


if __name__ == "__main__":
    main()
