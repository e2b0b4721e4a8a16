from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from revoir.errors import UsageError
from revoir.language import msg
from revoir_web.common import audit
from revoir_web.customers import profiles
from revoir_web.customers.figures import write_figures
from revoir_web.customers.indexing import index, index_waiting
from revoir_web.customers.merging import dismiss, merge, propose, propose_merges, undo_merge
from revoir_web.customers.models import Customer, Identifier, Note, ProfileChange, SavedView
from revoir_web.customers.resolving import resolve_many
from revoir_web.customers.text import email_of, name_key, phone_of

__all__ = [
    "add_note",
    "change_note",
    "change_view",
    "delete_note",
    "delete_view",
    "dismiss",
    "identify",
    "index",
    "index_waiting",
    "merge",
    "propose",
    "propose_merges",
    "resolve_many",
    "save_view",
    "undo_merge",
    "undo_update",
    "update_profile",
    "write_figures",
]

EDITABLE = (
    "name", "first_name", "last_name", "email", "phone", "address", "postcode", "city", "region",
    "country", "birth_date", "gender", "company_name", "language",
)  # fmt: skip
UNDO_DAYS = 30


@transaction.atomic
def identify(
    *, identifiers: Mapping[str, str], profile: Mapping[str, Any] | None = None, source: str
) -> Customer | None:
    """Find the customer whom identifiers name, or make them; what is told of them is kept.

    Args:
        identifiers: Kind (external, email, phone, anonymous, device) → value.
        profile: Names and values as in `resolve_many`.
        source: Where it is from, such as "api".

    Returns:
        The customer; None where nothing names one, or where they were erased.
    """
    called = {"external": "customer_id", "anonymous": "anonymous_id", "device": "device_id"}
    row = {called.get(kind, kind): value for kind, value in identifiers.items()}
    id = resolve_many([{**(profile or {}), **row}], source=source)[0]
    if not id:
        return None
    index([id])
    return Customer.objects.get(pk=id)


@transaction.atomic
def update_profile(
    *, customer: Customer, fields: Mapping[str, Any], actor: Any = None
) -> ProfileChange | None:
    """Change what is known of a customer.

    Args:
        customer: Whose profile.
        fields: Names of `EDITABLE` and values.
        actor: Who changes it (None: whoever makes the request).

    Returns:
        The change, which `undo_update` takes back; None when nothing differs.

    Raises:
        UsageError: The customer was erased or merged, or a value is not what it is to be.
    """
    held = Customer.objects.select_for_update().get(pk=customer.pk)
    _must_be_there(held)
    wanted = {name: value for name, value in fields.items() if name in EDITABLE}
    if wanted.get("email"):
        wanted["email"] = _checked(email_of(wanted["email"]), msg("This is no e-mail address."))
    if wanted.get("phone"):
        wanted["phone"] = _checked(
            phone_of(wanted["phone"], wanted.get("country", held.country)),
            msg("This is no telephone number."),
        )
    parts = {"first_name", "last_name"} & set(wanted)
    if parts and wanted.get("name", held.name) == held.name:
        first = wanted.get("first_name", held.first_name)
        last = wanted.get("last_name", held.last_name)
        wanted["name"] = f"{first} {last}".strip()
    before = {name: getattr(held, name) for name in wanted if getattr(held, name) != wanted[name]}
    if not before:
        return None
    after = {name: wanted[name] for name in before}
    _apply(held, after)
    _move_keys(held, before, after)
    profiles.settle({held.pk: after.keys()})
    change = ProfileChange.objects.create(
        customer=held, before=_plain(before), after=_plain(after), by=_user(actor)
    )
    # Which fields, never what they hold: the trail outlives the person.
    audit.record("customer.change", actor=actor, object=held, details={"fields": sorted(before)})
    customer.refresh_from_db()
    return change


@transaction.atomic
def undo_update(*, change: ProfileChange, actor: Any = None) -> Customer:
    """Put back what a change of a profile replaced.

    Args:
        change: The change.
        actor: Who undoes it.

    Returns:
        The customer.

    Raises:
        UsageError: It was undone before, or the profile was changed again since.
    """
    change = ProfileChange.objects.select_for_update().get(pk=change.pk)
    customer = Customer.objects.select_for_update().get(pk=change.customer_id)
    _must_be_there(customer)
    now = _plain({name: getattr(customer, name) for name in change.after})
    if change.undone_at is not None or now != change.after:
        raise UsageError(
            msg("This change cannot be undone: the profile was changed again since."),
            remedy=msg("Correct the profile by hand."),
        )
    before = _values(change.before)
    after = _values(change.after)
    _apply(customer, before)
    _move_keys(customer, after, before)
    change.undone_at = timezone.now()
    change.save(update_fields=["undone_at"])
    audit.record(
        "customer.change_undone", actor=actor, object=customer, details={"fields": sorted(before)}
    )
    return customer


@transaction.atomic
def add_note(*, customer: Customer, text: str, actor: Any) -> Note:
    """Write something about a customer.

    Args:
        customer: About whom.
        text: At most 5,000 characters.
        actor: Who writes.

    Returns:
        The note.
    """
    _must_be_there(Customer.objects.select_for_update(no_key=True).get(pk=customer.pk))
    note = Note.objects.create(customer=customer, text=text.strip(), author=_user(actor))
    audit.record("customer.note", actor=actor, object=customer)
    return note


@transaction.atomic
def change_note(*, note: Note, text: str, actor: Any) -> Note:
    """Write other words in the place of a note's.

    Args:
        note: Which.
        text: At most 5,000 characters.
        actor: Who writes.

    Returns:
        The note.
    """
    _must_be_there(Customer.objects.select_for_update(no_key=True).get(pk=note.customer_id))
    note.text = text.strip()
    note.save(update_fields=["text", "updated_at"])
    audit.record("customer.note_changed", actor=actor, object=note.customer)
    return note


@transaction.atomic
def delete_note(*, note: Note, actor: Any) -> None:
    """Take a note away."""
    audit.record("customer.note_deleted", actor=actor, object=note.customer)
    note.delete()


@transaction.atomic
def save_view(*, owner: Any, name: str, query: str, shared: bool = False) -> SavedView:
    """Keep a list with its filters, order and columns under a name; the same name replaces it.

    Args:
        owner: Whose view; those of programs are of nobody, and for everyone.
        name: What it is called.
        query: The query string of the list.
        shared: Whether everyone sees it.

    Returns:
        The view.

    Raises:
        UsageError: Nobody would see it.
    """
    owner = _user(owner)
    _somebody_sees(owner, shared)
    view, _made = SavedView.objects.update_or_create(
        owner=owner, name=name.strip(), defaults={"query": query[:2000], "shared": shared}
    )
    return view


@transaction.atomic
def change_view(*, view: SavedView, name: str, query: str, shared: bool) -> SavedView:
    """Give a view another name or another list, or show it to others.

    Args:
        view: Which.
        name: What it is called.
        query: The query string of the list.
        shared: Whether everyone sees it.

    Returns:
        The view.

    Raises:
        UsageError: Its owner has another view of this name, or nobody would see it.
    """
    _somebody_sees(view.owner_id, shared)
    others = SavedView.objects.filter(owner=view.owner_id, name=name.strip()).exclude(pk=view.pk)
    if others.exists():
        raise UsageError(
            msg("There is another view “{name}” already.", name=name.strip()),
            remedy=msg("Choose another name, or forget the other view first."),
        )
    view.name, view.query, view.shared = name.strip(), query, shared
    view.save(update_fields=["name", "query", "shared", "updated_at"])
    return view


def _somebody_sees(owner: Any, shared: bool) -> None:
    if owner is None and not shared:
        raise UsageError(
            msg("A program has no views of its own: nobody would see them."),
            remedy=msg("Make it a view for everyone."),
        )


def delete_view(*, view: SavedView) -> None:
    """Forget a view."""
    view.delete()


def _must_be_there(customer: Customer) -> None:
    if customer.erased_at is not None:
        raise UsageError(msg("This customer was erased."))
    if customer.merged_into_id is not None:
        raise UsageError(
            msg("This customer was merged into another."),
            remedy=msg("Undo the merge first, or go to the other."),
        )


def _checked(value: str | None, wrong: Any) -> str:
    if value is None:
        raise UsageError(wrong, remedy=msg("Correct it, or leave it empty."))
    return value


def _apply(customer: Customer, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        setattr(customer, name, value)
    customer.name_key = name_key(customer.name, customer.company_name)
    customer.save()
    index([customer.pk])


def _move_keys(customer: Customer, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Let the customer be recognised by the new address, and no longer by the old one."""
    for kind in ("email", "phone"):
        if kind not in after:
            continue
        if before[kind]:
            customer.identifiers.filter(kind=kind, value=before[kind]).delete()
        if after[kind]:
            Identifier.objects.get_or_create(
                kind=kind, value=after[kind], defaults={"customer": customer, "source": "page"}
            )


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in fields.items()
    }


def _values(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: dt.date.fromisoformat(value) if name == "birth_date" and value else value
        for name, value in fields.items()
    }


def _user(actor: Any) -> Any:
    """The user, where it is one: a key or the program has no account."""
    return actor if actor is not None and getattr(actor, "pk", None) else None
