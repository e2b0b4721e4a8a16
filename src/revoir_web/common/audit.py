"""The audit trail: who saw, changed or exported what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model
from django.http import HttpRequest

from revoir_web.common.models import AuditEntry
from revoir_web.common.web import client_address, current_request

Single = TypeVar("Single", bound=Model)


def record(
    action: str,
    *,
    actor: Any = None,
    object: Model | str | None = None,
    details: Mapping[str, Any] | None = None,
    request: HttpRequest | None = None,
) -> AuditEntry:
    """Add a line to the trail, in the transaction of the caller.

    Args:
        action: What was done, "app.verb", such as "customers.export".
        actor: The user (None: whoever makes the current request, else the program).
        object: What it was done to: a row, or a word.
        details: Plain values; names of fields, counts, filters, never a personal value.
        request: Where it came from (None: the current request).

    Returns:
        The line.
    """
    request = request or current_request()
    if actor is None and request is not None and request.user.is_authenticated:
        actor = request.user
    kind, key = _identity(object)
    return AuditEntry.objects.create(
        action=action,
        actor_id=actor.pk if actor is not None else None,
        actor_name=str(actor) if actor is not None else "",
        object_kind=kind,
        object_id=key,
        address=client_address(request) if request is not None else None,
        details=dict(details or {}),
    )


def changes(row: Model, fields: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What would change in a row: name → [before, after] as text, for `details`.

    Args:
        row: The row as it is.
        fields: The values that it is to have.

    Returns:
        The fields that differ.
    """
    found = {}
    for name, after in fields.items():
        before = getattr(row, name)
        if before != after:
            found[name] = [None if v is None else str(v) for v in (before, after)]
    return found


def apply(row: Model, fields: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Write fields of a row, and no other: what somebody else changed meanwhile stays.

    Args:
        row: The row as the database has it, locked where others may change the same fields.
        fields: The values that it is to have.

    Returns:
        What changed, as `changes` tells it.
    """
    changed = changes(row, fields)
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=None if row._state.adding else [*fields, "updated_at"])
    return changed


def apply_single(row: Single, fields: Mapping[str, Any]) -> tuple[Single, dict[str, list[Any]]]:
    """Write fields of the only row of its table, within a transaction.

    Args:
        row: As `current` gives it; it may not be in the database yet.
        fields: The values that it is to have; what somebody else changes meanwhile stays.

    Returns:
        The row, and what changed, as `changes` tells it.
    """
    # A form has written its values into its own copy: compare with what the database holds.
    held = type(row)._default_manager.select_for_update().filter(pk=row.pk).first() or row
    return held, apply(held, fields)


def _identity(held: Model | str | None) -> tuple[str, str]:
    if held is None:
        return "", ""
    if isinstance(held, str):
        return held[:64], ""
    return held._meta.model_name or "", str(held.pk)[:64]
