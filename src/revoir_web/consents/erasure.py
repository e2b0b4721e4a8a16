"""Forget a person everywhere, and keep the statistics.

Each app that holds something personal registers an eraser. All of them run in one transaction:
either the person is gone everywhere, or nothing was done and the error is told.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from revoir_web.common import audit, bulk, jobs
from revoir_web.common.models import Job, Replay
from revoir_web.consents import ledger
from revoir_web.consents.models import Consent, Erasure
from revoir_web.customers import blocklist, columns
from revoir_web.customers.models import (
    Customer,
    CustomerFigures,
    ErasedIdentifier,
    Identifier,
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
TELLING = 6
"""A text of fewer characters is found in too much that is somebody else's."""


@dataclass(frozen=True)
class Erased:
    """The persons to forget, as erasers look for them.

    Attributes:
        ids: Surrogate ids, those merged into them among them.
        keys: Kind and value of every identifier.
        values: Texts that name one of them wherever they stand: addresses, numbers in every way
            of writing, whole names.
    """

    ids: list[str]
    keys: list[tuple[str, str]]
    values: list[str] = field(default_factory=list)

    def named_in(self, text: str) -> bool:
        """Whether a text names one of them."""
        low = text.casefold()
        return any(value.casefold() in low for value in self.values)

    def without(self, text: str) -> str:
        """A text of somebody else, with an ellipsis where it names one of them."""
        if not self.named_in(text):
            return text
        named = "|".join(re.escape(value) for value in sorted(self.values, key=len, reverse=True))
        return re.sub(named, "…", text, flags=re.IGNORECASE)


_TEXTS = (
    "name", "first_name", "last_name", "name_key", "email", "phone", "address", "postcode", "city",
    "region", "country", "gender", "company_name", "language", "source",
)  # fmt: skip
Eraser = Callable[[Erased], int]
_ERASERS: dict[str, Eraser] = {}


def eraser(name: str) -> Callable[[Eraser], Eraser]:
    """Register what forgets persons in one place.

    Args:
        name: The place, such as "ingest.inbox"; it stands in the record of the erasure.

    Returns:
        The decorator for a function from `Erased` to the number of rows or files it changed. It
        may be called twice for the same persons, and raises where it cannot finish.
    """

    def keep(erase: Eraser) -> Eraser:
        _ERASERS[name] = erase
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
        with transaction.atomic():
            made += _erase_part(part, reason, actor)
    return made


def _erase_part(ids: Sequence[str], reason: str, actor: Any) -> list[Erasure]:
    there = Customer.objects.select_for_update().filter(pk__in=ids, erased_at=None)
    persons = list(there.order_by("pk"))
    if not persons:
        return []
    chosen = [person.pk for person in persons]
    merged = list(Customer.objects.filter(merged_into__in=chosen))
    found = _what_names([*persons, *merged])
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


def _what_names(persons: Sequence[Customer]) -> Erased:
    ids = [person.pk for person in persons]
    keys = list(Identifier.objects.filter(customer_id__in=ids).values_list("kind", "value"))
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


def _erase_customers(found: Erased) -> dict[str, int]:
    """What the apps from here down hold of persons."""
    ids = found.ids
    rows = {
        "identifiers": Identifier.objects.filter(customer_id__in=ids).delete()[0],
        "notes": Note.objects.filter(customer_id__in=ids).delete()[0],
        "words": Verbatim.objects.filter(customer_id__in=ids).delete()[0],
        "named": sum(_mask(model, found) for model in (Note, Verbatim)),
        "changes": ProfileChange.objects.filter(customer_id__in=ids).delete()[0],
        "consents": Consent.objects.filter(customer_id__in=ids).delete()[0],
        "pairs": MergeProposal.objects.filter(Q(left_id__in=ids) | Q(right_id__in=ids)).delete()[0],
        "answers": _texts(Replay, ["body"], found).delete()[0],
        "jobs": _texts(Job, ["arguments", "result", "error", "progress_message"], found)
        .filter(state__in=(Job.State.DONE, Job.State.FAILED, Job.State.CANCELLED))
        .delete()[0],
        "views": _erase_views(found),
    }
    SearchToken.objects.filter(customer_id__in=ids).delete()
    CustomerFigures.objects.filter(customer_id__in=ids).delete()
    columns.changed()
    Unindexed.objects.filter(customer_id__in=ids).delete()
    Newcomer.objects.filter(customer_id__in=ids).delete()
    Merge.objects.filter(Q(winner_id__in=ids) | Q(loser_id__in=ids)).update(before={}, moved={})
    empty = dict.fromkeys(_TEXTS, "")
    rows["customers"] = Customer.objects.filter(pk__in=ids).update(
        **empty,
        birth_date=None,
        created_on=None,
        erase_on=None,
        attributes={},
        erased_at=timezone.now(),
    )
    return {name: count for name, count in rows.items() if count}


def _texts(model: Any, fields: Sequence[str], found: Erased) -> Any:
    """Rows in whose text one of the persons is named."""
    rows = model.objects.annotate(
        **{f"{name}_text": Cast(name, TextField()) for name in fields}
    ).order_by()
    matches = []
    for pk, *texts in rows.values_list("pk", *(f"{name}_text" for name in fields)).iterator():
        text = " ".join(filter(None, texts))
        # JSON writes letters beyond ASCII as numbers.
        plain = text.encode().decode("unicode_escape", "ignore") if "\\u" in text else text
        if found.named_in(plain) or any(id in text for id in found.ids):
            matches.append(pk)
    return model.objects.filter(pk__in=matches)


def _mask(model: Any, found: Erased) -> int:
    """Mask the persons in what is written of others."""
    rows = model.objects.order_by().values_list("pk", "text").iterator()
    masked = [(pk, left) for pk, text in rows if (left := found.without(text)) != text]
    return sum(model.objects.filter(pk=pk).update(text=text) for pk, text in masked)


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
