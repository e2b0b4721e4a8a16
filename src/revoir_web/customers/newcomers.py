"""Customers whom one import brought, taken away when it is undone; those who stay, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef

from revoir_web.customers import columns
from revoir_web.customers.models import Customer, Identifier, Merge, Newcomer, Note, ProfileChange

PART = 500
"""Customers a transaction."""
Holding = Callable[[Sequence[str], str], Iterable[str]]
"""From ids of customers, and the source that is undone, to those who must stay."""
OTHERS = "others"
"""Why those stay of whom something else has spoken since: a file, an event, a program."""

_HELD: dict[str, Holding] = {}


def held_by(name: str) -> Callable[[Holding], Holding]:
    """Register a reason for a customer to stay; the first that holds is told.

    Args:
        name: The reason, as `take_back` counts it.
    """

    def keep(holding: Holding) -> Holding:
        _HELD[name] = holding
        return holding

    return keep


@held_by("notes")
def _noted(ids: Sequence[str], source: str) -> Iterable[str]:
    del source
    return Note.objects.filter(customer_id__in=ids).values_list("customer_id", flat=True)


@held_by("changes")
def _changed(ids: Sequence[str], source: str) -> Iterable[str]:
    del source
    return ProfileChange.objects.filter(customer_id__in=ids).values_list("customer_id", flat=True)


@held_by("merges")
def _merged(ids: Sequence[str], source: str) -> Iterable[str]:
    del source
    standing = Merge.objects.filter(reversed_at=None)
    yield from standing.filter(winner_id__in=ids).values_list("winner_id", flat=True)
    yield from standing.filter(loser_id__in=ids).values_list("loser_id", flat=True)


def of(source: str) -> list[str]:
    """The customers of whom a source has spoken, and nothing but imports."""
    rows = Newcomer.objects.filter(source=source).order_by("customer")
    return list(rows.values_list("customer", flat=True))


def _alone(ids: Sequence[str], source: str) -> list[str]:
    """Those of whom no other import speaks; the others go with the last that does."""
    rows = Newcomer.objects.filter(customer__in=ids)
    shared = set(rows.exclude(source=source).values_list("customer", flat=True))
    rows.filter(source=source, customer__in=shared).delete()
    return [id for id in ids if id not in shared]


def take_back(
    *,
    source: str,
    facts: Collection[str],
    fence: Callable[[], None],
    went: Callable[[int], None],
) -> dict[str, int]:
    """Take away the customers of whom a source alone has spoken.

    Args:
        source: The import.
        facts: Those of whom the lake still knows something.
        fence: Raises, within each transaction, where this attempt counts no more.
        went: Told, within each transaction, how many are gone by it.

    Returns:
        Why customers stay that the source brought → how many: "facts", a registered reason, or
        `OTHERS`.
    """
    why: Counter[str] = Counter()
    ids = of(source)
    for begin in range(0, len(ids), PART):
        with transaction.atomic():
            fence()
            # Somebody may have spoken of them a moment ago.
            part = list(
                Newcomer.objects.select_for_update()
                .filter(customer__in=ids[begin : begin + PART], source=source)
                .values_list("customer", flat=True)
            )
            part = _alone(part, source)
            reasons = dict.fromkeys(set(part) & set(facts), "facts")
            for name, holding in _HELD.items():
                for id in holding(part, source):
                    reasons.setdefault(id, name)
            gone = [id for id in part if id not in reasons]
            Customer.objects.filter(pk__in=gone).delete()
            went(len(gone))
        why.update(reasons.values())
    columns.changed()
    left = Customer.objects.filter(source=source, erased_at=None).count() - why.total()
    return {**why, **({OTHERS: left} if left > 0 else {})}


def take_numbers_back(*, source: str, later: Collection[str], fence: Callable[[], None]) -> int:
    """Take the numbers and addresses back that a source gave to customers of others.

    A file whose columns were mixed up would otherwise have the right one find others by them. What
    came later may know customers by these, and so may whatever is no import: then they stay.

    Args:
        source: The import, once its newcomers are taken back.
        later: Other imports that may have spoken of its customers since.
        fence: Raises, within the transaction, where this attempt counts no more.

    Returns:
        How many are gone.
    """
    speak = Newcomer.objects.filter(customer=OuterRef("customer"))
    given = Identifier.objects.filter(Exists(speak), source=source[:64])
    given = given.exclude(customer__source=source[:64])
    with transaction.atomic():
        fence()
        return given.exclude(Exists(speak.filter(source__in=later))).delete()[0]
