"""What customers said in their own words: kept beside them, since the lake holds no such text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from revoir.tables import NO_WORDS
from revoir_web.common import bulk
from revoir_web.customers.models import Customer, Verbatim

PART = 1000
"""Lines a transaction."""
TEXT_MAX = 20_000
_COLUMNS = {Verbatim.Kind.RESPONSE: "comment", Verbatim.Kind.INTERACTION: "text"}
"""The column of the lake where an ellipsis stands for the words."""


def row_of(key: object) -> str:
    """The key of a row of the lake, as it is kept here.

    Examples:
        >>> row_of("R-12"), len(row_of("x" * 300))
        ('R-12', 64)
    """
    text = str(key).replace("\x00", "")
    return text if len(text) <= 64 else hashlib.sha256(text.encode()).hexdigest()


def keep(
    rows: Iterable[tuple[str, str, str | None]],
    *,
    kind: str,
    source: str,
    fence: Callable[[], None],
) -> int:
    """Keep what customers said; the same again changes nothing.

    Args:
        rows: Customer, key of the row in the lake, words (None: none).
        kind: One of `Verbatim.Kind`.
        source: Who brings them; `forget` takes them away by it.
        fence: Raises, within each transaction, where they must not be written any more.

    Returns:
        How many lines are new.
    """
    made = 0
    for part in bulk.in_parts(list(rows), PART):
        with transaction.atomic():
            fence()
            made += _keep_part(part, kind, source)
    return made


def _keep_part(part: Sequence[tuple[str, str, str | None]], kind: str, source: str) -> int:
    # Whoever is being erased at this moment is erased first.
    there = set(
        Customer.objects.select_for_update(no_key=True)
        .filter(pk__in={row[0] for row in part}, erased_at=None)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    held = words(there, kinds=[kind])
    fresh: dict[str, Verbatim] = {}
    for customer, key, said in part:
        row, text = row_of(key), _text(said)
        if customer in there and held.get((kind, row), "") != text:
            fresh[row] = Verbatim(
                customer_id=customer, kind=kind, row=row, text=text, source=source
            )
    Verbatim.objects.bulk_create(
        fresh.values(),
        update_conflicts=True,
        unique_fields=["source", "kind", "row"],
        update_fields=["text", "customer"],
    )
    return len(fresh)


def _text(said: str | None) -> str:
    text = (said or "").replace("\x00", "").strip()
    return "" if text.lower() in NO_WORDS else text[:TEXT_MAX]


def words(
    customer_ids: Iterable[str], *, kinds: Sequence[str] = Verbatim.Kind.values
) -> dict[tuple[str, str], str]:
    """What customers said.

    Args:
        customer_ids: They, and those merged into them.
        kinds: Values of `Verbatim.Kind`.

    Returns:
        Kind and row → the words that count.
    """
    rows = Verbatim.objects.filter(customer_id__in=list(customer_ids), kind__in=kinds)
    return {
        (kind, row): text
        for kind, row, text in rows.order_by("pk").values_list("kind", "row", "text")
    }


def forget(source: str) -> int:
    """Take away what one source said; what it had replaced counts again.

    Args:
        source: As `keep` was given it.

    Returns:
        How many lines.
    """
    return Verbatim.objects.filter(source=source).delete()[0]


def hand_over(rows: Iterable[str], *, kind: str, source: str, to: str) -> int:
    """Let words of one source be those of another that said the same.

    Args:
        rows: Keys of rows in the lake.
        kind: One of `Verbatim.Kind`.
        source: Whose words they are.
        to: Whose they become; what it said of the same row itself stays.

    Returns:
        How many lines.
    """
    count = 0
    for part in bulk.in_parts(sorted({row_of(key) for key in rows}), PART):
        own = Verbatim.objects.filter(source=to, kind=kind, row__in=part).values("row")
        theirs = Verbatim.objects.filter(source=source, kind=kind, row__in=part)
        count += theirs.exclude(row__in=own).update(source=to)
    return count


def beside(
    facts: Sequence[Mapping[str, Any]], customer_ids: Sequence[str]
) -> list[Mapping[str, Any]]:
    """Facts with the words that belong to them in `details["text"]`.

    Args:
        facts: Facts of the customers.
        customer_ids: They, and those merged into them.
    """
    kinds = sorted({fact["kind"] for fact in facts} & set(Verbatim.Kind.values))
    if not kinds:
        return list(facts)
    said = words(customer_ids, kinds=kinds)
    return [_beside(fact, said) if fact["kind"] in kinds else fact for fact in facts]


def _beside(fact: Mapping[str, Any], said: Mapping[tuple[str, str], str]) -> Mapping[str, Any]:
    column = _COLUMNS[fact["kind"]]
    details = {name: held for name, held in (fact.get("details") or {}).items() if name != column}
    text = said.get((fact["kind"], row_of(fact.get("id"))))
    return {**fact, "details": {**details, "text": text} if text else details}
