"""What profiles hold: brought up to date by what is told, and put back when an import is undone.

Of each import is kept, for a while, which values it gave to customers who were there, and what
they held before. Where several imports that stand have told a value, the last one's holds.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from revoir_web.common import bulk
from revoir_web.customers import columns
from revoir_web.customers.models import Customer, ImportedProfile, Unindexed
from revoir_web.customers.text import name_key

TEXTS = (
    "name", "first_name", "last_name", "address", "postcode", "city", "region", "country",
    "gender", "company_name", "language",
)  # fmt: skip
FIELDS = (*TEXTS, "name_key", "email", "phone", "birth_date", "created_on", "attributes")
PART = 500
"""Customers a transaction when an import is undone."""
_ATTRIBUTE = "attributes."
_DAYS = ("birth_date", "created_on")
Values = dict[str, Any]


def update(
    told: Mapping[str, Mapping[str, Any]],
    there: Mapping[str, Mapping[str, Any]],
    source: str,
    undoable: bool,
) -> None:
    """Bring customers up to date, within a transaction.

    Args:
        told: Id → what is told of them: field → value.
        there: Id → the profile that the database holds, locked.
        source: Who tells it.
        undoable: Whether it is an import, of which `take_back` puts back what was there.
    """
    changed, renamed = [], []
    given: dict[str, dict[str, list[Any]]] = {}
    as_text = connection.vendor == "sqlite"
    standing = _standing(told)
    for id, said in told.items():
        held = {field: there[id][field] for field in FIELDS}
        after = {**held, **said}
        if said.get("created_on") and held["created_on"]:
            after["created_on"] = min(said["created_on"], held["created_on"])
        if "attributes" in said:
            after["attributes"] = {**(held["attributes"] or {}), **said["attributes"]}
        if "name" not in said and held["name"] == _made_of(held):
            after["name"] = ""  # It follows its parts.
        name(after)
        if after == held and id not in standing:
            continue
        if undoable or id in standing:
            given[id] = _given(held, after, said, standing.get(id, set()))
        if after != held:
            changed.append((*database(after, as_text), id))
            if _found_by(after) != _found_by(held):
                renamed.append(id)
    if changed:
        bulk.update(Customer, "id", FIELDS, changed)
    _index_again(renamed)
    if undoable:
        _keep(given, source)
    elif standing:
        settle({id: values.keys() for id, values in given.items()})


def name(profile: Values) -> None:
    """Fill the whole name from its parts, and the form that lists sort by."""
    if not profile.get("name"):
        profile["name"] = _made_of(profile)
    profile["name_key"] = name_key(profile["name"], profile.get("company_name") or "")


def _made_of(profile: Mapping[str, Any]) -> str:
    parts = (profile.get("first_name") or "", profile.get("last_name") or "")
    return " ".join(part for part in parts if part)


def database(profile: Mapping[str, Any], as_text: bool) -> list[Any]:
    """The profile as database values, in the order of `FIELDS`; days as text for SQLite."""
    values = [profile.get(field, "") for field in FIELDS if field not in (*_DAYS, "attributes")]
    for field in _DAYS:
        day = profile.get(field)
        values.append(day.isoformat() if day and as_text else day or None)
    attributes = profile.get("attributes") or {}
    values.append("{}" if not attributes else json.dumps(attributes, ensure_ascii=False))
    return values


# -- What imports gave -------------------------------------------------------------------------
def settle(told: Mapping[str, Iterable[str]]) -> None:
    """Let values stay whatever import is undone: something that is no import has told them.

    Args:
        told: Id of a customer → fields, attributes as `attributes.colour`.
    """
    for part in bulk.in_parts(sorted(told), PART):
        for row in ImportedProfile.objects.filter(customer__in=part):
            if left := {k: v for k, v in row.values.items() if k not in told[row.customer_id]}:
                ImportedProfile.objects.filter(pk=row.pk).update(values=left)
            else:
                row.delete()


def take_back(*, source: str, fence: Callable[[], None], went: Callable[[int], None]) -> None:
    """Put back what profiles held before an import, where nothing else has told it since.

    Args:
        source: The import.
        fence: Raises, within each transaction, where this attempt counts no more.
        went: Told, within each transaction, how many customers hold something else by it.
    """
    while True:
        with transaction.atomic():
            fence()
            rows = list(ImportedProfile.objects.filter(source=source).order_by("customer")[:PART])
            if not rows:
                break
            if count := _put_back(rows):
                went(count)
            ImportedProfile.objects.filter(pk__in=[row.pk for row in rows]).delete()
    columns.changed()


def _put_back(rows: Sequence[ImportedProfile]) -> int:
    ids = [row.customer_id for row in rows]
    there = Customer.objects.filter(pk__in=ids, erased_at=None).select_for_update(no_key=True)
    profiles = {row["id"]: row for row in there.order_by("pk").values("id", *FIELDS)}
    others: dict[str, list[ImportedProfile]] = {}
    for other in (
        ImportedProfile.objects.filter(customer__in=ids)
        .exclude(pk__in=[row.pk for row in rows])
        .order_by("pk")
    ):
        others.setdefault(other.customer_id, []).append(other)
    changed, renamed = [], []
    as_text = connection.vendor == "sqlite"
    for row in rows:
        if row.customer_id not in profiles:
            continue
        held = profiles[row.customer_id]
        before, after = _flat(held), {}
        for field, (was, became) in row.values.items():
            telling = [one for one in others.get(row.customer_id, ()) if field in one.values]
            if telling and row.pk < telling[0].pk:
                # Once all of them are undone, what was there before the first comes back.
                telling[0].values[field][0] = was
                telling[0].save(update_fields=["values"])
            target = telling[-1].values[field][1] if telling else was
            if before.get(field) == became != target:
                after[field] = target
        if after:
            profile = _whole(before | after)
            profile["name_key"] = name_key(profile["name"], profile["company_name"])
            changed.append((*database(profile, as_text), row.customer_id))
            if _found_by(profile) != _found_by(held):
                renamed.append(row.customer_id)
    if changed:
        bulk.update(Customer, "id", FIELDS, changed)
    _index_again(renamed)
    return len(changed)


def _standing(ids: Iterable[str]) -> dict[str, set[str]]:
    """Which values of customers the undoing of an import may change."""
    if not ImportedProfile.objects.exists():
        return {}
    found: dict[str, set[str]] = {}
    rows = ImportedProfile.objects.filter(customer__in=list(ids))
    for id, values in rows.values_list("customer", "values"):
        found.setdefault(id, set()).update(values)
    return found


def _keep(given: Mapping[str, dict[str, list[Any]]], source: str) -> None:
    """Keep what an import gave; it may give it in several parts, and be broken off between."""
    known = {
        row.customer_id: row
        for row in ImportedProfile.objects.filter(source=source, customer__in=list(given))
    }
    fresh = []
    now: Any = timezone.now()
    if connection.vendor == "sqlite":
        now = str(now.replace(tzinfo=None))
    for id, values in given.items():
        if not values:
            continue
        if (row := known.get(id)) is None:
            fresh.append((id, source, json.dumps(values, ensure_ascii=False), now))
            continue
        for field, (was, became) in values.items():
            row.values[field] = [row.values.get(field, [was])[0], became]
        row.save(update_fields=["values"])
    bulk.insert(ImportedProfile, ("customer_id", "source", "values", "at"), fresh)


def _given(
    held: Mapping[str, Any], after: Mapping[str, Any], said: Mapping[str, Any], standing: set[str]
) -> dict[str, list[Any]]:
    """What is given by what is told, and what was there: also the same, where it may be undone."""
    before, now = held["attributes"] or {}, after["attributes"] or {}
    # A name may be made of its parts.
    fields = {"name": None, **said}
    fields.pop("attributes", None)
    pairs = {field: [_plain(held[field]), _plain(after[field])] for field in fields}
    for key in said.get("attributes", ()):
        pairs[f"{_ATTRIBUTE}{key}"] = [before.get(key), now.get(key)]
    return {
        field: pair
        for field, pair in pairs.items()
        if pair[0] != pair[1] or (field in standing and (field in said or field not in fields))
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _flat(profile: Mapping[str, Any]) -> Values:
    """A profile as JSON keeps it, each attribute by itself, without what is made from the rest."""
    flat = {
        field: _plain(profile[field]) for field in FIELDS if field not in ("name_key", "attributes")
    }
    return flat | {f"{_ATTRIBUTE}{key}": v for key, v in (profile["attributes"] or {}).items()}


def _whole(flat: Mapping[str, Any]) -> Values:
    """A profile of what `_flat` has made; an attribute of nothing is none."""
    profile: Values = {"attributes": {}}
    for field, value in flat.items():
        if not field.startswith(_ATTRIBUTE):
            day = field in _DAYS and value
            profile[field] = dt.date.fromisoformat(value) if day else value
        elif value is not None:
            profile["attributes"][field.removeprefix(_ATTRIBUTE)] = value
    return profile


def _found_by(profile: Mapping[str, Any]) -> tuple[Any, ...]:
    return (profile["name_key"], profile["company_name"], profile["city"])


def _index_again(ids: Iterable[str]) -> None:
    Unindexed.objects.bulk_create([Unindexed(customer_id=id) for id in ids], ignore_conflicts=True)
