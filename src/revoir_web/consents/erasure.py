"""Forget a person everywhere, and keep the statistics.

Each app that holds something personal registers an eraser. All of them run in one transaction:
either the person is gone everywhere, or nothing was done and the error is told.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from revoir_web.common import audit, bulk, jobs
from revoir_web.common.models import Job, Replay
from revoir_web.consents import ledger
from revoir_web.consents.models import Consent, Erasure
from revoir_web.consents.traces import TELLING, Erased, Texts, delete, plain
from revoir_web.customers import blocklist, columns
from revoir_web.customers.models import (
    Customer,
    CustomerFigures,
    ErasedIdentifier,
    Identifier,
    ImportedProfile,
    Merge,
    MergeProposal,
    Newcomer,
    Note,
    ProfileChange,
    SavedView,
    SearchToken,
    Unindexed,
    Verbatim,
)
from revoir_web.customers.text import phone_spellings

PART = 100
SCRUB = "consents.scrub"
SCRUB_SECONDS = 60
"""How often at most the log is emptied after erasures."""
_EMPTYING_MS = 200
_PAUSES = (0, 0.5, 1, 2, 4)
_EMPTY = (
    "name", "first_name", "last_name", "name_key", "email", "phone", "address", "postcode", "city",
    "region", "country", "gender", "company_name", "language", "source",
)  # fmt: skip
Eraser = Callable[[Erased], int]
Look = Callable[[Erased], None]
_ERASERS: dict[str, Eraser] = {}
_LOOKS: dict[str, Look] = {}


def eraser(name: str, *, look: Look | None = None) -> Callable[[Eraser], Eraser]:
    """Register what forgets persons in one place.

    Args:
        name: The place, such as "ingest.inbox"; it stands in the record of the erasure.
        look: Looks for them there beforehand, while others may still write (`Erased.look`).

    Returns:
        The decorator for a function from `Erased` to the number of rows or files it changed. It
        may be called twice for the same persons, and raises where it cannot finish.
    """

    def keep(erase: Eraser) -> Eraser:
        _ERASERS[name] = erase
        if look is not None:
            _LOOKS[name] = look
        return erase

    return keep


def erase_persons(
    *, customers: Iterable[Customer], reason: str, actor: Any = None
) -> list[Erasure]:
    """Forget persons: identifiers and free text go everywhere, sums stay.

    Args:
        customers: Whom; of one who was merged, the whole person goes.
        reason: One of `Erasure.Reason`.
        actor: Who does it (None: whoever makes the request, or the program).

    Returns:
        One record a person; it does not say who they were.
    """
    ids = list(dict.fromkeys(held.merged_into_id or held.pk for held in customers))
    made: list[Erasure] = []
    for part in bulk.in_parts(ids, PART):
        looked = _looked_for(part)
        with transaction.atomic():
            made += _erase_part(part, reason, actor, looked)
    return made


def _looked_for(ids: Sequence[str]) -> Erased:
    """The persons, and where they are named; only what came since is looked at once more.

    A million texts take seconds, for which nobody else could write to SQLite. PostgreSQL locks
    nobody out, and its keys do not come in the order of its commits.
    """
    found = _what_names(Customer.objects.filter(pk__in=ids, erased_at=None))
    if found.ids and connection.vendor == "sqlite":
        for look in _LOOKS.values():
            look(found)
    return found


def _erase_part(ids: Sequence[str], reason: str, actor: Any, looked: Erased) -> list[Erasure]:
    there = Customer.objects.select_for_update().filter(pk__in=ids, erased_at=None)
    persons = list(there.order_by("pk"))
    if not persons:
        return []
    chosen = [person.pk for person in persons]
    found = _what_names(persons)
    if found == looked:  # nothing has been added to what they are known by
        found = looked
    hashes = blocklist.add(found.keys)
    rows = {name: count for name, erase in _ERASERS.items() if (count := erase(found))}
    rows |= _erase_customers(found)
    now = timezone.now()
    records = Erasure.objects.bulk_create(
        [
            Erasure(
                customer_id=id,
                at=now,
                reason=reason,
                rows=rows if len(chosen) == 1 else {},
                by=actor if getattr(actor, "pk", None) else None,
            )
            for id in chosen
        ]
    )
    for person in persons:
        audit.record("customer.erase", actor=actor, object=person, details={"reason": reason})
    # Before the commit: a line too many erases nobody twice, a line too few would let a restored
    # backup bring someone back.
    ledger.write(found.ids, hashes, now)
    minute = int(now.timestamp()) // SCRUB_SECONDS
    then = dt.datetime.fromtimestamp((minute + 1) * SCRUB_SECONDS, dt.UTC)
    jobs.enqueue(SCRUB, key=f"{SCRUB}:{minute}", not_before=then)
    return records


def empty_log() -> bool:
    """Write the log of SQLite back and empty it: it holds pages as they were before an erasure.

    Returns:
        Whether nothing is left in it (False: somebody was reading all the while).
    """
    if connection.vendor != "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        usual = cursor.fetchone()[0]
        # Nobody else writes while it waits for whoever reads: better often than long.
        cursor.execute(f"PRAGMA busy_timeout = {_EMPTYING_MS}")
        try:
            for pause in _PAUSES:
                time.sleep(pause)
                with contextlib.suppress(OperationalError):
                    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    busy, *_pages = cursor.fetchone()
                    if not busy:
                        return True
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")
    return False


def _what_names(chosen: Iterable[Customer]) -> Erased:
    ids = [person.pk for person in chosen]
    rows = Customer.objects.filter(Q(pk__in=ids) | Q(merged_into__in=ids))
    persons = list(rows.order_by("pk"))
    ids = [person.pk for person in persons]
    known = Identifier.objects.filter(customer_id__in=ids).order_by("pk")
    keys = list(known.values_list("kind", "value"))
    values: dict[str, None] = {}
    for person in persons:
        for kind, value in (("email", person.email), ("phone", person.phone)):
            if value and (kind, value) not in keys:
                keys.append((kind, value))
        full = f"{person.first_name} {person.last_name}".strip()
        back = f"{person.last_name} {person.first_name}".strip()
        for name in (person.name, full, back):
            if " " in name.strip():
                values[name] = None
        if person.address:
            values[person.address] = None
    for kind, value in keys:
        if kind == "phone":
            values.update(dict.fromkeys(phone_spellings(value)))
        elif kind != "person":
            values[value] = None
    return Erased(ids, keys, [value for value in values if len(value) >= TELLING])


def _spoken_of(found: Erased, texts: Sequence[str]) -> bool:
    return any(found.speaks_of(text) or found.in_file_name(text) for text in map(plain, texts))


def _told_by_file(found: Erased, texts: Sequence[str]) -> bool:
    return any(found.in_file_name(text) for text in texts)


_WORDS = (Texts(Note, ("text",), moments=("updated_at",)), Texts(Verbatim, ("text",)))
_PROOFS = Texts(Consent, ("proof",), among=~Q(proof=""), named=_told_by_file)
_ANSWERS = Texts(Replay, ("body",), moments=("at",), named=_spoken_of)
_JOBS = Texts(
    Job,
    ("arguments", "result", "error", "progress_message"),
    moments=("created_at", "finished_at"),
    named=_spoken_of,
)
_ENDED = (Job.State.DONE, Job.State.FAILED, Job.State.CANCELLED)


def _look_through(found: Erased) -> None:
    for texts in (*_WORDS, _PROOFS, _ANSWERS, _JOBS):
        found.look(texts)


_LOOKS["customers"] = _look_through


def _erase_customers(found: Erased) -> dict[str, int]:
    """What the apps from here down hold of persons."""
    ids = found.ids
    rows = {
        "identifiers": Identifier.objects.filter(customer_id__in=ids).delete()[0],
        "notes": Note.objects.filter(customer_id__in=ids).delete()[0],
        "words": Verbatim.objects.filter(customer_id__in=ids).delete()[0],
        "named": sum(mask(texts, found) for texts in _WORDS),
        "changes": ProfileChange.objects.filter(customer_id__in=ids).delete()[0]
        + ImportedProfile.objects.filter(customer_id__in=ids).delete()[0],
        "consents": Consent.objects.filter(customer_id__in=ids).delete()[0],
        "proofs": mask(_PROOFS, found, found.without_in_file_name),
        "pairs": MergeProposal.objects.filter(Q(left_id__in=ids) | Q(right_id__in=ids)).delete()[0],
        "answers": delete(Replay.objects.all(), found.rows(_ANSWERS)),
        "jobs": delete(Job.objects.filter(state__in=_ENDED), found.rows(_JOBS)),
        "views": _erase_views(found),
    }
    SearchToken.objects.filter(customer_id__in=ids).delete()
    CustomerFigures.objects.filter(customer_id__in=ids).delete()
    columns.changed()
    Unindexed.objects.filter(customer_id__in=ids).delete()
    Newcomer.objects.filter(customer_id__in=ids).delete()
    Merge.objects.filter(Q(winner_id__in=ids) | Q(loser_id__in=ids)).update(before={}, moved={})
    empty = dict.fromkeys(_EMPTY, "")
    rows["customers"] = Customer.objects.filter(pk__in=ids).update(
        **empty,
        birth_date=None,
        created_on=None,
        erase_on=None,
        attributes={},
        erased_at=timezone.now(),
    )
    return {name: count for name, count in rows.items() if count}


def mask(texts: Texts, found: Erased, without: Callable[[str], str] | None = None) -> int:
    """Put an ellipsis where the persons are named in what is written of others.

    Args:
        texts: Where; one column of text.
        found: The persons.
        without: A text → what is left of it (None: as in a sentence).

    Returns:
        How many rows.
    """
    [name] = texts.fields
    masked = 0
    for part in bulk.in_parts(found.rows(texts), 500):
        rows = texts.model._default_manager.filter(pk__in=part)
        for pk, text in list(rows.values_list("pk", name)):
            rows.filter(pk=pk).update(**{name: (without or found.without)(text)})
            masked += 1
    return masked


def _erase_views(found: Erased) -> int:
    from urllib.parse import unquote_plus

    named = [
        view.pk for view in SavedView.objects.all() if found.named_in(unquote_plus(view.query))
    ]
    return SavedView.objects.filter(pk__in=named).delete()[0]


def erase_again() -> int:
    """Forget whomever the ledger names and the database knows: a backup brought them back.

    Returns:
        How many persons were forgotten.
    """
    ids, hashes = ledger.named()
    ErasedIdentifier.objects.bulk_create(
        [ErasedIdentifier(hash=held) for held in hashes], ignore_conflicts=True, batch_size=1000
    )
    back: list[Customer] = []
    for part in bulk.in_parts(ids, 5000):
        back += Customer.objects.filter(pk__in=part, erased_at=None)
    return len(erase_persons(customers=back, reason=Erasure.Reason.REQUEST)) if back else 0
