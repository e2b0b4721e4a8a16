from __future__ import annotations

from typing import Any

from django.db import transaction

from revoir_web.common import audit
from revoir_web.common.models import Company


@transaction.atomic
def change_company(*, fields: dict[str, Any], actor: Any = None) -> Company:
    """Change what the company says of itself.

    Args:
        fields: Names and values of `Company`.
        actor: Who changes it (None: whoever makes the request).

    Returns:
        The company.
    """
    company = Company.current()
    # A form has written its values into its own copy: compare with what the database holds.
    changed = audit.changes(company, fields)
    for name, value in fields.items():
        setattr(company, name, value)
    company.save()
    if changed:
        audit.record("company.change", actor=actor, object=company, details=changed)
        for follow in _FOLLOWERS:
            follow(set(changed))
    return company


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
