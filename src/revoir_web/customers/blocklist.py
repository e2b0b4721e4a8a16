"""Persons who were erased are not taken in again: only keyed hashes say who they were."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from typing import Protocol

from django.conf import settings

from revoir_web.common.bulk import in_parts
from revoir_web.customers.models import ErasedIdentifier
from revoir_web.customers.text import email_of, named

Key = tuple[str, str]
_PART = 500
_LASTING = ("external", "email", "phone")
"""Kinds that name a person for good; a device may pass to another."""


class Known(Protocol):
    """Whatever has keys and can be blocked."""

    keys: dict[Key, None]
    blocked: bool
    id: str


def hash_of(kind: str, value: str) -> str:
    """The keyed hash of an identifier: nobody without the secret can try addresses on it."""
    secret = settings.SECRET_KEY.encode()
    return hmac.digest(secret, f"revoir.erased\0{kind}\0{value}".encode(), "sha256").hex()


def _hashes(kind: str, value: str) -> list[str]:
    """The hashes by which a person stays known; a name is one however it is written.

    Many sites number their customers by their addresses: such a number is the address, too.
    """
    found = [hash_of(kind, value)]
    if kind == "external" and (email := email_of(value)) == value.lower():
        found.append(hash_of("email", email))
    if kind == "external" and (name := named(value)) not in (None, value):
        found.append(hash_of(kind, str(name)))
    return found


def add(keys: Iterable[Key]) -> list[str]:
    """Block identifiers.

    Returns:
        Their hashes.
    """
    hashes = [held for kind, value in keys if kind in _LASTING for held in _hashes(kind, value)]
    ErasedIdentifier.objects.bulk_create(
        [ErasedIdentifier(hash=held) for held in hashes], ignore_conflicts=True
    )
    return hashes


def erased(kind: str, values: Iterable[str]) -> set[str]:
    """Those of some identifiers by which persons were known who were erased."""
    hashes = {value: _hashes(kind, value) for value in values}
    every = [held for each in hashes.values() for held in each]
    found: set[str] = set()
    for part in in_parts(every, _PART):
        rows = ErasedIdentifier.objects.filter(hash__in=part)
        found.update(rows.values_list("hash", flat=True))
    return {value for value, held in hashes.items() if not found.isdisjoint(held)}


def mark(persons: Sequence[Known], *, seen: int = 0) -> int:
    """Say of persons who are not known whether they were erased.

    Args:
        persons: Of whom.
        seen: How many hashes there were when they were marked before: where there are no more,
            nothing is looked at.

    Returns:
        How many hashes there are.
    """
    count = ErasedIdentifier.objects.count()
    if count == seen:
        return count
    blocked = set(ErasedIdentifier.objects.values_list("hash", flat=True))
    for person in persons:
        if not person.id:
            person.blocked = any(
                not blocked.isdisjoint(_hashes(kind, value))
                for kind, value in person.keys
                if kind in _LASTING
            )
    return len(blocked)
