from __future__ import annotations

import datetime as dt
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from revoir_web.common.rights import Right, may
from revoir_web.customers import facts
from revoir_web.customers.models import (
    Customer,
    CustomerFigures,
    Identifier,
    Merge,
    MergeProposal,
    Note,
    ProfileChange,
    SavedView,
    SearchToken,
    SegmentAverage,
)
from revoir_web.customers.text import after, fold, phone_of

FOUND_MAX = 2000
"""Customers that a search looks at; nobody reads on that far."""
FACTS = 60
FACTS_MAX = 100_000
"""How many facts of one moment are gone through page by page."""
_OURS = re.compile(r"(?:№\s*)?([0-9a-f]{8}|[0-9a-f]{32})")


def aliases() -> dict[str, str]:
    """Ids in the lake that belong to another customer now: old → new."""
    return {
        old: new
        for old, new in Customer.objects.filter(merged_into__isnull=False).values_list(
            "id", "merged_into_id"
        )
        if new is not None
    }


def lake_ids(customer: Customer) -> list[str]:
    """Every id that facts of a customer may stand under."""
    return [
        customer.pk,
        *Customer.objects.filter(merged_into=customer.pk).values_list("pk", flat=True),
    ]


def search(words: str, limit: int = FOUND_MAX) -> list[str]:
    """Customers by the beginnings of words, or of a number, e-mail address or telephone.

    Args:
        words: What was typed; customers must have all of the words.
        limit: How many at most.

    Returns:
        Ids of customers, in no order.
    """
    words = words.strip()
    found: dict[str, None] = {}
    parts = fold(words).split()
    if parts:
        found.update(dict.fromkeys(_by_words(parts, limit)))
    for kind, value in _numbers(words):
        if len(found) >= limit:
            break
        found.update(dict.fromkeys(_by_key(kind, value, limit)))
        if kind in ("email", "phone") and not value.isalpha():
            # An address that is another's identifier is a word of this customer's.
            found.update(dict.fromkeys(_by_words([value], limit)))
    return list(found)[:limit]


def by_number(words: str) -> list[str] | None:
    """Customers by the number that stands in the place of their name.

    Args:
        words: The number as lists write it, or all of it.

    Returns:
        Ids of customers; None where the words are no such number.
    """
    number = _OURS.fullmatch(words.strip().lower())
    if number is None:
        return None
    return list(Customer.objects.filter(pk__endswith=number[1]).values_list("pk", flat=True))


def _by_words(parts: Sequence[str], limit: int) -> QuerySet[Any, str]:
    # The longest word leaves the fewest; the others are looked for in what it leaves.
    parts = sorted(set(parts), key=len, reverse=True)
    first = parts[0][:32]
    rows = SearchToken.objects.filter(token__gte=first, token__lt=after(first))
    for part in parts[1:]:
        rows = rows.filter(Q(name_key__startswith=part) | Q(name_key__contains=f" {part}"))
    return rows.values_list("customer_id", flat=True)[:limit]


def _numbers(words: str) -> list[tuple[str, str]]:
    if len(words) < 2 or "\x00" in words:
        return []
    wanted = [("external", words)]
    if words.upper() != words:
        wanted.append(("external", words.upper()))
    if " " not in words:
        wanted.append(("email", words.lower()))
    digits = "".join(letter for letter in words if letter.isdigit())
    if len(digits) >= 4 and not any(letter.isalpha() for letter in words):
        whole = phone_of(words)
        local = f"+33{digits[1:]}" if digits[0] == "0" and digits[:2] != "00" else f"+{digits}"
        wanted.append(("phone", whole or local))
    return wanted


def _by_key(kind: str, value: str, limit: int) -> QuerySet[Any, str]:
    value = value[:255]
    return Identifier.objects.filter(
        kind=kind, value__gte=value, value__lt=after(value)
    ).values_list("customer_id", flat=True)[:limit]


def views_of(user: Any) -> QuerySet[SavedView]:
    """The saved lists that a user sees: their own, and those for everyone."""
    return SavedView.objects.filter(Q(owner=user.pk) | Q(shared=True)).select_related("owner")


def own_view(user: Any, pk: int) -> SavedView | None:
    """A view that somebody may change and forget: one's own, or a program's of a team to manage.

    Args:
        user: Who; programs have those of programs.
        pk: Which.

    Returns:
        The view (None: it is another's, or not there).
    """
    mine = Q(owner=user.pk)
    if may(user, Right.MANAGE_PEOPLE):
        mine |= Q(owner=None)
    return SavedView.objects.filter(mine, pk=pk).first()


def open_proposals() -> QuerySet[MergeProposal]:
    """Pairs to decide."""
    return MergeProposal.objects.filter(
        state=MergeProposal.State.OPEN,
        left__merged_into=None,
        right__merged_into=None,
        left__erased_at=None,
        right__erased_at=None,
    )


@dataclass(frozen=True)
class Profile:
    """Everything of one customer that their page shows.

    Attributes:
        customer: The customer.
        figures: Computed figures (None: not computed yet).
        identifiers: By what they are recognised.
        notes: What was written about them.
        merges: Those who were merged into them, and when.
        proposals: Who may be the same person.
        facts: What happened, newest first.
        products: What they own.
        metrics: Their figures beside the mean of their segment.
        older: Where the page of older facts begins (None: there are none).
    """

    customer: Customer
    figures: CustomerFigures | None
    identifiers: list[Identifier]
    notes: QuerySet[Note]
    merges: list[Merge]
    proposals: QuerySet[MergeProposal]
    facts: list[Mapping[str, Any]]
    products: list[dict[str, Any]]
    metrics: list[dict[str, Any]]
    older: tuple[dt.datetime, int] | None


def profile(
    customer: Customer,
    *,
    kinds: Container[str] | None = None,
    since: tuple[dt.datetime, int] | None = None,
) -> Profile:
    """What the page of a customer shows.

    Args:
        customer: Whose page.
        kinds: Only facts of these kinds (None: of all).
        since: Where the page of facts begins, as the page before gave it (None: at the newest).
    """
    figures = CustomerFigures.objects.filter(pk=customer.pk).first()
    happened, older = timeline(customer, limit=FACTS, since=since, kinds=kinds)
    return Profile(
        customer=customer,
        figures=figures,
        identifiers=list(customer.identifiers.order_by("kind", "pk")),
        notes=customer.notes.select_related("author"),
        merges=list(
            Merge.objects.filter(winner=customer.pk, reversed_at=None).select_related("loser")
        ),
        proposals=open_proposals()
        .filter(Q(left=customer.pk) | Q(right=customer.pk))
        .select_related("left", "right")
        .order_by("-score", "pk"),
        facts=happened,
        products=products(customer),
        metrics=beside_segment(figures),
        older=older,
    )


def timeline(
    customer: Customer,
    *,
    limit: int,
    since: tuple[dt.datetime, int] | None = None,
    kinds: Container[str] | None = None,
) -> tuple[list[Mapping[str, Any]], tuple[dt.datetime, int] | None]:
    """What happened with a customer, newest first, so that pages leave out nothing.

    Many facts may have one moment, such as the lines of an order: beside the moment, where a page
    begins depends on how many facts of that moment were shown.

    Args:
        customer: With whom.
        limit: How many at most.
        since: What the page before gave (None: from the newest).
        kinds: Only facts of these kinds (None: of all).

    Returns:
        The facts, and where the next page begins (None: there is none).
    """
    at, given = since or (None, 0)
    before = None if at is None else at + dt.timedelta(microseconds=1)
    asked = given + limit + 1
    found = facts.facts(lake_ids(customer), limit=asked, before=before, kinds=kinds)[given:]
    if len(found) <= limit:
        return found, None
    found = found[:limit]
    last = facts.moment_of(found[-1])
    same = sum(facts.moment_of(fact) == last for fact in found)
    return found, (last, same + (given if last == at else 0))


def may_change(user: Any, note: Note) -> bool:
    """Whether somebody may change a note or take it away: one's own, or any of a team to manage."""
    return note.author_id == user.pk or may(user, Right.MANAGE_PEOPLE)


def products(customer: Customer) -> list[dict[str, Any]]:
    """What a customer owns; what an upgrade is due of comes first, then that bought last.

    Args:
        customer: Who owns it.
    """
    today = timezone.localdate()
    found = [
        {
            "product": held.product,
            "since": held.since,
            "due": held.due,
            "quantity": held.quantity,
            "late": held.due is not None and held.due <= today,
        }
        for held in facts.owned(lake_ids(customer))
    ]
    return sorted(found, key=lambda row: not row["late"])


def beside_segment(figures: CustomerFigures | None) -> list[dict[str, Any]]:
    """A customer's figures and the mean of their segment, for those that both have."""
    if figures is None or not figures.orders:
        return []
    mean = SegmentAverage.objects.filter(pk=figures.segment).first()
    revenue = None if figures.revenue is None else float(figures.revenue)
    rows: list[tuple[str, Any, str, bool]] = [
        ("orders", figures.orders, "number", True),
        ("revenue", revenue, "money", True),
        ("basket", None if revenue is None else revenue / figures.orders, "money", True),
        ("gap_days", figures.gap_days, "number", False),
    ]
    found = []
    for name, value, form, more_is_better in rows:
        if value is None:
            continue
        other = getattr(mean, name) if mean else None
        tone = ""
        if other:
            share = value / other - 1
            # Within a tenth of the mean nothing is said.
            if abs(share) >= 0.1:
                tone = "better" if (share > 0) == more_is_better else "worse"
        found.append({"name": name, "value": value, "mean": other, "form": form, "tone": tone})
    return found


def last_change(customer: Customer, *, since: dt.datetime) -> ProfileChange | None:
    """The last change of a profile by hand, if it can still be undone."""
    return customer.changes.filter(undone_at=None, at__gte=since).order_by("-at", "-pk").first()
