"""Customers that are one person: proposed by likeness, decided by a person, reversible."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from operator import itemgetter
from typing import Any

from django.db import transaction
from django.db.models import Count, Model, Q, QuerySet
from django.utils import timezone

from revoir.errors import UsageError
from revoir.language import msg
from revoir_web.common import audit, bulk
from revoir_web.customers.indexing import index
from revoir_web.customers.models import (
    Customer,
    CustomerFigures,
    Identifier,
    Merge,
    MergeProposal,
    Note,
    SearchToken,
)

LIKE = 92
"""Likeness of two names, of 100, from which they are proposed."""
SHARED_MAX = 5
"""A telephone or address that more customers share is a shop's or a switchboard's, a name that more
bear in one place is a common one."""
BLOCK_MAX = 400
OPEN_MAX = 10_000
"""Pairs that wait to be decided; once some are, the next likely ones are proposed."""
_FILLED = (
    "name", "first_name", "last_name", "name_key", "email", "phone", "address", "postcode", "city",
    "region", "country", "birth_date", "gender", "company_name", "language",
)  # fmt: skip
Pair = tuple[str, str, str, float]


def propose_merges(job: Any = None) -> int:
    """Look for customers that may be one, by e-mail address, telephone, name and place.

    Args:
        job: Who is told how far it is.

    Returns:
        How many pairs are new; a pair that was decided is not proposed again.
    """
    before = MergeProposal.objects.count()
    steps = (
        (msg("Comparing e-mail addresses"), _same("email", MergeProposal.Reason.EMAIL)),
        (msg("Comparing telephone numbers"), _same("phone", MergeProposal.Reason.PHONE)),
        (msg("Comparing names and places"), _alike()),
    )
    for number, (words, pairs) in enumerate(steps):
        if job is not None:
            job.progress(number, len(steps), words)
        _keep(pairs)
    return MergeProposal.objects.count() - before


def _there() -> Any:
    return Customer.objects.filter(merged_into=None, erased_at=None)


def _same(field: str, reason: str) -> Iterator[Pair]:
    """Customers with one address."""
    shared = (
        _there()
        .exclude(**{field: ""})
        .order_by()
        .values(field)
        .annotate(n=Count("pk"))
        .filter(n__gt=1, n__lte=SHARED_MAX)
        .values_list(field, flat=True)
    )
    for part in bulk.in_parts(list(shared), 2000):
        rows = (
            _there().filter(**{f"{field}__in": part}).order_by(field, "pk").values_list(field, "pk")
        )
        for _value, group in groupby(rows, key=lambda row: row[0]):
            for (_l, left), (_r, right) in combinations(group, 2):
                yield left, right, reason, 1.0


def _alike() -> Iterator[Pair]:
    """Customers of one place whose names are nearly the same."""
    rows = (
        _there()
        .exclude(name_key="")
        .exclude(postcode="", city="")
        .order_by("postcode", "city", "name_key", "pk")
        .values_list("postcode", "city", "name_key", "pk", "birth_date")
    )
    for _place, group in groupby(
        rows.iterator(chunk_size=5000), key=lambda row: row[0] or row[1].casefold()
    ):
        people = list(group)
        borne = Counter(row[2] for row in people)
        people = [row for row in people if borne[row[2]] <= SHARED_MAX]
        if len(people) <= BLOCK_MAX:
            yield from _pairs(people)
            continue
        # A large town: compare those whose sorted words begin alike.
        people.sort(key=lambda row: _begin(row[2]))
        for _letters, near in groupby(people, key=lambda row: _begin(row[2])):
            for part in bulk.in_parts(list(near), BLOCK_MAX):
                yield from _pairs(part)


def _begin(name: str) -> str:
    return max(name.split(), key=len)[:3]


def _pairs(people: Any) -> Iterator[Pair]:
    from rapidfuzz import fuzz, process

    if len(people) < 2:
        return
    names = [" ".join(sorted(row[2].split())) for row in people]
    scores = process.cdist(names, names, scorer=fuzz.ratio, score_cutoff=LIKE)
    for left, right in zip(*scores.nonzero(), strict=True):
        if left >= right:
            continue
        one, other = people[left], people[right]
        if len(names[left].split()) < 2 or (one[4] and other[4] and one[4] != other[4]):
            continue  # a single word, or two dates of birth
        if _numbers(one[2]) != _numbers(other[2]):
            continue  # Shop 12 is not Shop 13
        ids = sorted((one[3], other[3]))
        score = float(scores[left, right]) / 100
        yield ids[0], ids[1], MergeProposal.Reason.NAME_PLACE, round(score * 0.95, 3)


def _numbers(name: str) -> list[str]:
    return [word for word in name.split() if any(letter.isdigit() for letter in word)]


def propose(pairs: Iterable[tuple[str, str]], *, reason: str) -> None:
    """Propose pairs of customers whom somebody says to be one; once decided, they stay so.

    Args:
        pairs: The keys of two customers each.
        reason: One of `MergeProposal.Reason`.
    """
    told = {(min(pair), max(pair), reason, 1.0) for pair in pairs}
    if told:
        _keep(told)


def _keep(pairs: Iterable[Pair]) -> None:
    """Propose the likeliest of the pairs that are new, as many as there is room for."""
    known = set(MergeProposal.objects.values_list("left_id", "right_id"))
    room = max(0, OPEN_MAX - MergeProposal.objects.filter(state=MergeProposal.State.OPEN).count())
    # Found first, written then: a cursor that reads while its connection writes holds an old
    # view of the data, over which SQLite lets nobody write.
    new = heapq.nlargest(room, (pair for pair in pairs if pair[:2] not in known), key=itemgetter(3))
    for part in bulk.in_parts(new, 1000):
        _write(part)


def _write(pairs: Sequence[Pair]) -> None:
    MergeProposal.objects.bulk_create(
        [
            MergeProposal(left_id=left, right_id=right, reason=reason, score=score)
            for left, right, reason, score in pairs
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def dismiss(*, proposal: MergeProposal, actor: Any = None) -> None:
    """Say that two customers are two persons.

    Args:
        proposal: The pair.
        actor: Who says so.
    """
    _decide(proposal, MergeProposal.State.APART, actor)
    audit.record(
        "merge.dismiss",
        actor=actor,
        object=proposal,
        details={"customers": [proposal.left_id, proposal.right_id]},
    )


@transaction.atomic
def merge(*, winner: Customer, loser: Customer, actor: Any = None) -> Merge:
    """Make two customers one; facts in the lake follow by `queries.aliases`.

    Args:
        winner: Who stays; empty fields are filled from the other.
        loser: Who is found under the winner from now on.
        actor: Who decides.

    Returns:
        The merge, which `undo_merge` takes back.

    Raises:
        UsageError: They are the same, or one was erased or merged.
    """
    keys = sorted((winner.pk, loser.pk))
    held = {row.pk: row for row in Customer.objects.select_for_update().filter(pk__in=keys)}
    winner, loser = held[winner.pk], held[loser.pk]
    if winner.pk == loser.pk:
        raise UsageError(msg("A customer cannot be merged with itself."))
    for row in (winner, loser):
        if row.erased_at is not None or row.merged_into_id is not None:
            raise UsageError(msg("One of the two was erased or merged before."))
    before: dict[str, Any] = {}
    for name in _FILLED:
        if not getattr(winner, name) and (value := getattr(loser, name)):
            before[name] = ""
            setattr(winner, name, value)
    since = [day for day in (winner.created_on, loser.created_on) if day]
    if since and min(since) != winner.created_on:
        before["created_on"] = winner.created_on.isoformat() if winner.created_on else ""
        winner.created_on = min(since)
    added = {
        name: value for name, value in loser.attributes.items() if name not in winner.attributes
    }
    if added:
        before["attributes"] = sorted(added)
        winner.attributes = {**winner.attributes, **added}
    winner.save()
    moved: dict[str, list[Any]] = {
        "identifiers": list(loser.identifiers.values_list("pk", flat=True)),
        "notes": list(loser.notes.values_list("pk", flat=True)),
        "followers": list(loser.absorbed.values_list("pk", flat=True)),
    }
    Identifier.objects.filter(pk__in=moved["identifiers"]).update(customer=winner)
    Note.objects.filter(pk__in=moved["notes"]).update(customer=winner)
    for name, along in _ALONG.items():
        moved[name] = along.move(along.rows(loser), winner)
    # Whoever was merged into the loser follows, so that an alias is always one step.
    Customer.objects.filter(pk__in=moved["followers"]).update(merged_into=winner)
    loser.merged_into = winner
    loser.save(update_fields=["merged_into"])
    SearchToken.objects.filter(customer=loser).delete()
    CustomerFigures.objects.filter(customer=loser).delete()
    index([winner.pk])
    made = Merge.objects.create(
        winner=winner, loser=loser, before=before, moved=moved, by=_user(actor)
    )
    for proposal in _proposals(winner, loser):
        _decide(proposal, MergeProposal.State.MERGED, actor)
    audit.record("customer.merge", actor=actor, object=winner, details={"merged": loser.pk})
    _followed("merge")
    return made


@transaction.atomic
def undo_merge(*, merge: Merge, actor: Any = None) -> Customer:
    """Make two customers of one again.

    Args:
        merge: What is undone.
        actor: Who undoes it.

    Returns:
        The customer that is there again.

    Raises:
        UsageError: It was undone before, someone was erased, or a later merge stands on it.
    """
    merge = Merge.objects.select_for_update().get(pk=merge.pk)
    held = Customer.objects.select_for_update().in_bulk([merge.winner_id, merge.loser_id])
    winner, loser = held[merge.winner_id], held[merge.loser_id]
    if merge.reversed_at is not None:
        raise UsageError(msg("This merge was undone before."))
    if winner.erased_at is not None or loser.erased_at is not None:
        raise UsageError(msg("This customer was erased."))
    if winner.merged_into_id is not None or loser.merged_into_id != winner.pk:
        raise UsageError(
            msg("The customer was merged into another since."),
            remedy=msg("Undo the later merge first."),
        )
    for name, value in merge.before.items():
        match name:
            case "attributes":
                winner.attributes = {
                    key: held for key, held in winner.attributes.items() if key not in value
                }
            case "created_on" | "birth_date":
                setattr(winner, name, value or None)
            case _:
                # What somebody typed since stays.
                if getattr(winner, name) == getattr(loser, name):
                    setattr(winner, name, value)
    winner.save()
    Identifier.objects.filter(pk__in=merge.moved["identifiers"]).update(customer=loser)
    Note.objects.filter(pk__in=merge.moved["notes"]).update(customer=loser)
    for name, along in _ALONG.items():
        along.move(along.rows(winner).filter(pk__in=merge.moved.get(name, [])), loser)
    Customer.objects.filter(pk__in=merge.moved["followers"]).update(merged_into=loser)
    loser.merged_into = None
    loser.save(update_fields=["merged_into"])
    merge.reversed_at = timezone.now()
    merge.save(update_fields=["reversed_at"])
    for proposal in _proposals(winner, loser):
        proposal.state, proposal.decided_at, proposal.decided_by = (
            MergeProposal.State.OPEN,
            None,
            None,
        )
        proposal.save()
    index([winner.pk, loser.pk])
    audit.record("customer.unmerge", actor=actor, object=winner, details={"merged": loser.pk})
    _followed("unmerge")
    return loser


def before(ids: Iterable[str]) -> dict[tuple[str, str | None], str]:
    """Who had the numbers and addresses of customers before others were merged into them.

    Args:
        ids: The customers.

    Returns:
        Kind and value → the id under which the lake knows whoever had it, for those that merges
        brought: facts that come under it go back with them when the merge is undone.
    """
    had: dict[int, str] = {}
    # Most companies have merged nobody, and a file may have a million customers.
    winners = set(ids) if Merge.objects.filter(reversed_at=None).exists() else set()
    while winners:
        losers = set()
        for part in bulk.in_parts(sorted(winners), 2000):
            standing = Merge.objects.filter(reversed_at=None, winner_id__in=part)
            for loser, moved in standing.values_list("loser_id", "moved"):
                had |= dict.fromkeys(moved["identifiers"], loser)
                losers.add(loser)
        # Others may have been merged into them before: those had their own, too.
        winners = losers
    found: dict[tuple[str, str | None], str] = {}
    for some in bulk.in_parts(list(had), 2000):
        rows = Identifier.objects.filter(pk__in=some).values_list("pk", "kind", "value")
        found |= {(kind, value): had[pk] for pk, kind, value in rows}
    return found


def _proposals(one: Customer, other: Customer) -> Any:
    ids = (one.pk, other.pk)
    return MergeProposal.objects.filter(
        Q(left_id=ids[0], right_id=ids[1]) | Q(left_id=ids[1], right_id=ids[0])
    )


def _decide(proposal: MergeProposal, state: str, actor: Any) -> None:
    proposal.state = state
    proposal.decided_at = timezone.now()
    proposal.decided_by = _user(actor)
    proposal.save()


def _user(actor: Any) -> Any:
    return actor if actor is not None and getattr(actor, "pk", None) else None


@dataclass(frozen=True)
class Along:
    """Rows of another app that belong to a customer and go along in a merge.

    Attributes:
        model: Their table; `customer` says whose they are.
        once: What a customer has once: where both have it, that of each stays where it is.
    """

    model: type[Model]
    once: tuple[str, ...] = ()

    def rows(self, customer: Customer) -> QuerySet[Any]:
        """The rows of a customer."""
        return self.model._default_manager.filter(customer=customer)

    def move(self, rows: QuerySet[Any], customer: Customer) -> list[Any]:
        """Give rows to a customer.

        Returns:
            The keys of those that went.
        """
        there = set(self.rows(customer).values_list(*self.once)) if self.once else set()
        keys = [
            key for key, *held in rows.values_list("pk", *self.once) if tuple(held) not in there
        ]
        self.model._default_manager.filter(pk__in=keys).update(customer=customer)
        return keys


_ALONG: dict[str, Along] = {}


def goes_along(name: str, along: Along) -> None:
    """Register rows that go along in a merge, and back when it is undone.

    Args:
        name: Names them in the record of the merge.
        along: The rows.
    """
    _ALONG[name] = along


_FOLLOWERS: list[Any] = []


def after_merge(follow: Any) -> Any:
    """Register what is to follow a merge or its undoing, such as a new computation.

    Args:
        follow: Called with "merge" or "unmerge" in the same transaction.

    Returns:
        The same function, so that this is a decorator.
    """
    _FOLLOWERS.append(follow)
    return follow


def _followed(what: str) -> None:
    for follow in _FOLLOWERS:
        follow(what)
