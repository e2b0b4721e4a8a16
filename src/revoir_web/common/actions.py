from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from revoir_web.common import audit, jobs
from revoir_web.common.models import Company, Job


@transaction.atomic
def change_company(*, fields: dict[str, Any], actor: Any = None) -> Company:
    """Change what the company says of itself.

    Args:
        fields: Names of `Company` that change, and values; what somebody else changes meanwhile
            stays.
        actor: Who changes it (None: whoever makes the request).

    Returns:
        The company.
    """
    company, changed = audit.apply_single(Company.current(), fields)
    if changed:
        audit.record("company.change", actor=actor, object=company, details=changed)
        for follow in _FOLLOWERS:
            follow(set(changed))
    return company


def stop_job(*, job: Job, actor: Any) -> None:
    """Stop a job; a running one stops at its next sign of progress.

    Args:
        job: The job.
        actor: Who stops it.

    Raises:
        PermissionDenied: They may not.
    """
    if not jobs.may_stop(actor, job):
        raise PermissionDenied
    jobs.cancel(job)
    audit.record("job.cancel", actor=actor, object=job, details={"kind": job.kind})


def retry_job(*, job: Job, actor: Any) -> None:
    """Ask again for a job that failed or was stopped; others stay as they are.

    Args:
        job: The job.
        actor: Who asks.

    Raises:
        PermissionDenied: They may not have it done.
    """
    if not jobs.may_start(actor, job):
        raise PermissionDenied
    jobs.retry(job)
    audit.record("job.retry", actor=actor, object=job, details={"kind": job.kind})


_FOLLOWERS: list[Any] = []


def after_company_change(follow: Any) -> Any:
    """Register what is to follow a change of the company, such as a new computation.

    Args:
        follow: Called with the names of the changed fields, in the same transaction.

    Returns:
        The same function, so that this is a decorator.
    """
    _FOLLOWERS.append(follow)
    return follow
