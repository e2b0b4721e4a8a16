"""References in files and events → customers, many at a time.

A row is known by its customer number; without one by its e-mail address, telephone, or name and
place. Two customer numbers with one address stay two customers: that they are one is proposed to
a person (`merging`), never decided here.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from revoir.memory import uncollected
from revoir_web.common import bulk
from revoir_web.customers import blocklist, profiles
from revoir_web.customers.models import (
    Customer,
    Identifier,
    Newcomer,
    SearchToken,
    Unindexed,
    new_ids,
)
from revoir_web.customers.text import clean, email_of, external_of, fold, named, phone_of, tokens_of

if TYPE_CHECKING:
    import pyarrow as pa

PART = 4000
"""Customers a transaction: other writers wait for 200 ms at most."""
LOOK_UP = 8000
_CALLED = {"street": "address", "company": "company_name"}
_DAYS = {"birth_date": "birth_date", "joined_at": "created_on", "created_on": "created_on"}
_REFERENCES = {"customer_id": "external", "anonymous_id": "anonymous", "device_id": "device"}
_IGNORED = frozenset({"consent", "email", "phone", "batch_id"})
_COLUMNS = ("id", *profiles.FIELDS, "source", "added_at")
Key = tuple[str, str]


@dataclass(slots=True)
class Person:
    """What the rows of one person say together.

    Attributes:
        keys: Kinds and values by which the person is known, the deciding one first.
        profile: Field → value.
        blocked: Whether the person was erased.
        id: The surrogate, once known.
    """

    keys: dict[Key, None] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    blocked: bool = False
    id: str = ""


def resolve_many(
    rows: pa.Table | Sequence[Mapping[str, Any]],
    *,
    source: str,
    undoable: bool = False,
    part: int = PART,
) -> list[str]:
    """Give each row its customer, made or brought up to date by what the row says.

    Args:
        rows: Columns of the canonical table `customers` (`customer_id` is the number in the
            source; `email`, `phone`, the profile) and `anonymous_id`, `device_id`; any other
            column is kept as an attribute, a mapping as several. Only references are needed.
        source: Where they are from, such as "import" or "api".
        undoable: Whether `newcomers.take_back` of this source may take away whom it brought.
        part: How many customers are written in one transaction; of fewer, others who write to
            SQLite wait for a shorter time.

    Returns:
        One surrogate id a row; "" where a row says nothing of a person, or speaks of one who
        was erased.
    """
    if not len(rows):
        return []
    with uncollected():
        return _resolve(_columns(rows), len(rows), source, undoable, part)


def _resolve(
    columns: dict[str, Sequence[Any]], count: int, source: str, undoable: bool, part: int
) -> list[str]:
    persons, of_row = _persons(columns, count)
    taken = _find(persons)
    erasures = blocklist.mark(persons)
    known = [person for person in persons if person.id]
    _spoken_of(known, source, undoable)
    _bring_up_to_date(known, source, undoable, part)
    missing = [person for person in persons if not person.id and not person.blocked]
    # In the order of the numbers, so that indexes grow at their end.
    missing.sort(key=lambda person: next(iter(person.keys)))
    for some in bulk.in_parts(missing, part):
        _create(some, taken, source, undoable, erasures)
    return [persons[place].id if place >= 0 else "" for place in of_row]


def spellings(numbers: Iterable[str]) -> dict[str, str]:
    """How customers are called already whom a file calls by a name instead of a number.

    Args:
        numbers: What the file calls its customers.

    Returns:
        By those that differ from known ones in capitals or blanks only: the known one, the first.
    """
    wanted = {number: name for number in numbers if (name := named(number))}
    if not wanted:
        return {}
    held = Identifier.objects.filter(kind=Identifier.Kind.EXTERNAL)
    for digit in "0123456789@":
        held = held.exclude(value__contains=digit)
    first: dict[str, str] = {}
    for value in held.order_by("pk").values_list("value", flat=True).iterator():
        # Who is known as the file writes it is nobody else: programs tell “ab” from “AB”.
        wanted.pop(value, None)
        if (name := named(value)) is not None:
            first.setdefault(name, value)
    return {number: first[name] for number, name in wanted.items() if name in first}


# -- Rows → persons ----------------------------------------------------------------------------
def _columns(rows: Any) -> dict[str, Sequence[Any]]:
    if hasattr(rows, "column_names"):
        return {
            name: rows.column(place).to_pylist() for place, name in enumerate(rows.column_names)
        }
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _persons(columns: dict[str, Sequence[Any]], count: int) -> tuple[list[Person], list[int]]:
    """The persons that the rows speak of, and the place of each row's (-1: nobody)."""
    persons: list[Person] = []
    by_key: dict[Key, int] = {}
    of_row: list[int] = []
    numbers = columns.get("customer_id") or [None] * count
    emails = columns.get("email") or [None] * count
    phones = columns.get("phone") or [None] * count
    countries = columns.get("country") or [""] * count
    others = [
        (kind, columns[name])
        for name, kind in _REFERENCES.items()
        if kind != "external" and name in columns
    ]
    profile = {
        name: values
        for name, values in columns.items()
        if name not in _IGNORED and name not in _REFERENCES
    }
    prepared = _prepared(profile)
    last_number, last_place = None, -1
    plain = not profile and not others and "email" not in columns and "phone" not in columns
    for row in range(count):
        number = numbers[row]
        if plain and number == last_number and row:
            of_row.append(last_place)
            continue
        keys: list[Key] = []
        if (external := external_of(number)) is not None:
            keys.append(("external", external))
        if (email := email_of(emails[row])) is not None:
            keys.append(("email", email))
        if (phone := phone_of(phones[row], countries[row] or "")) is not None:
            keys.append(("phone", phone))
        for kind, values in others:
            if (other := external_of(values[row])) is not None:
                keys.append((kind, other))
        if not keys:
            keys = _by_name(profile, row)
        if not keys:
            of_row.append(-1)
            continue
        place = by_key.get(keys[0], -1)
        if place < 0:
            place = len(persons)
            persons.append(Person())
            by_key[keys[0]] = place
        person = persons[place]
        for key in keys:
            person.keys[key] = None
        if profile or email or phone:
            _read(person, prepared, row, email, phone)
        of_row.append(place)
        last_number, last_place = number, place
    return persons, _joined(persons, of_row)


def _joined(persons: list[Person], of_row: list[int]) -> list[int]:
    """Let rows without a number speak of whoever has their address and a number.

    Persons to whom no row points any more are taken out.
    """
    numbered: dict[Key, int] = {}
    others = []
    for place, person in enumerate(persons):
        kinds = {kind for kind, _value in person.keys}
        if "external" not in kinds:
            others.append(place)
            continue
        for key in list(person.keys)[1:]:
            numbered.setdefault(key, place)
    moved: dict[int, int] = {}
    for place in others:
        person = persons[place]
        target = next((numbered[key] for key in person.keys if key in numbered), -1)
        if target >= 0:
            moved[place] = target
            persons[target].keys |= person.keys
            # What the row with the number says comes first.
            persons[target].profile = _with(person.profile, persons[target].profile)
    if not moved:
        return of_row
    places: list[int] = []
    kept: list[Person] = []
    for place, person in enumerate(persons):
        places.append(len(kept))
        if place not in moved:
            kept.append(person)
    persons[:] = kept
    return [places[moved.get(place, place)] if place >= 0 else -1 for place in of_row]


def _by_name(profile: dict[str, Sequence[Any]], row: int) -> list[Key]:
    """Name and place, for rows that have nothing better."""

    def told(name: str) -> str:
        return clean(profile[name][row], 200) if name in profile else ""

    name = told("name") or f"{told('first_name')} {told('last_name')}".strip() or told("company")
    place = told("postcode") or told("city")
    # A name alone is shared by too many.
    return [("person", f"{fold(name)}|{fold(place)}"[:255])] if name and place else []


Prepared = list[tuple[str, str, Sequence[Any]]]
"""Field, or "" and the attribute's name, and the values as they are kept."""


def _prepared(columns: Mapping[str, Sequence[Any]]) -> Prepared:
    """Clean whole columns: most hold the same few values again and again."""
    found: Prepared = []
    for name, values in columns.items():
        target = _CALLED.get(name, name)
        if target in profiles.TEXTS:
            found.append((target, "", _mapped(values, clean)))
        elif name in _DAYS:
            found.append((_DAYS[name], "", _mapped(values, _day)))
        else:
            found.append(("", name, _mapped(values, _plain)))
    return found


def _mapped(values: Sequence[Any], read: Callable[[Any], Any]) -> list[Any]:
    seen: dict[Any, Any] = {None: None, "": None}
    made: list[Any] = []
    for value in values:
        # 1, 1.0 and True are equal, and are not the same attribute.
        key = value if isinstance(value, str) else (type(value), str(value))
        if value is None or value == "":
            made.append(None)
        elif key in seen:
            made.append(seen[key])
        else:
            kept = read(value)
            made.append(kept)
            if len(seen) < 50_000:
                seen[key] = kept
    return made


def _read(
    person: Person, prepared: Prepared, row: int, email: str | None, phone: str | None
) -> None:
    held = person.profile
    if email:
        held["email"] = email
    if phone:
        held["phone"] = phone
    for target, attribute, values in prepared:
        value = values[row]
        if value is None or value == "":
            continue
        if target:
            held[target] = value
        else:
            several = value if isinstance(value, dict) else {attribute: value}
            held.setdefault("attributes", {}).update(several)


def _day(value: Any) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: kept for name, held in value.items() if (kept := _plain(held)) != ""}
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return clean(value)


# -- Persons → customers that are there --------------------------------------------------------
def _find(persons: Sequence[Person]) -> dict[Key, str]:
    """Give the persons that are known their ids.

    Returns:
        The keys of the others that somebody has.
    """
    if not Identifier.objects.exists():
        return {}
    held = _look_up(next(iter(person.keys)) for person in persons)
    unknown = []
    for person in persons:
        person.id = held.get(next(iter(person.keys)), "")
        if not person.id:
            unknown.append(person)
    return _find_by_the_rest(unknown)


def _find_by_the_rest(persons: Sequence[Person]) -> dict[Key, str]:
    """Know persons by their other keys, where that is no claim that two numbers are one."""
    held = _look_up(key for person in persons for key in list(person.keys)[1:])
    if not held:
        return held
    numbered = set()
    for part in bulk.in_parts(sorted(set(held.values())), LOOK_UP):
        numbered |= set(
            Identifier.objects.filter(kind="external", customer_id__in=part).values_list(
                "customer_id", flat=True
            )
        )
    taken: set[str] = set()
    for person in persons:
        has_number = _has_number(person)
        for key in list(person.keys)[1:]:
            id = held.get(key, "")
            if id and (not has_number or (id not in numbered and id not in taken)):
                person.id = id
                taken.add(id)
                break
    return held


def _has_number(person: Person) -> bool:
    return any(kind == "external" for kind, _value in person.keys)


def _look_up(keys: Iterable[Key]) -> dict[Key, str]:
    """Who has these keys."""
    wanted: dict[str, set[str]] = {}
    for kind, value in keys:
        wanted.setdefault(kind, set()).add(value)
    found: dict[Key, str] = {}
    table = connection.ops.quote_name(Identifier._meta.db_table)
    with connection.cursor() as cursor:
        for kind, values in wanted.items():
            for part in bulk.in_parts(sorted(values), LOOK_UP):
                # Django looks at each of the values four times.
                places = ", ".join(["%s"] * len(part))
                cursor.execute(
                    f"SELECT value, customer_id FROM {table}"
                    f" WHERE kind = %s AND value IN ({places})",
                    [kind, *part],
                )
                found.update({(kind, value): id for value, id in cursor.fetchall()})
    return found


# -- Customers that are there: what is new of them ----------------------------------------------
def _spoken_of(persons: Sequence[Person], source: str, undoable: bool) -> None:
    """Note that those whom another import brought are no longer its own alone.

    They go with the last of the imports that speak of them; whom anything else knows stays.
    """
    if not persons or not Newcomer.objects.exclude(source=source).exists():
        return
    table = connection.ops.quote_name(Newcomer._meta.db_table)
    with connection.cursor() as cursor:
        for part in bulk.in_parts(persons, LOOK_UP):
            places = ", ".join(["%s"] * len(part))
            ids = [person.id for person in part]
            if undoable:
                cursor.execute(
                    f"INSERT INTO {table} (customer_id, source) SELECT DISTINCT customer_id, %s"
                    f" FROM {table} WHERE customer_id IN ({places}) ON CONFLICT DO NOTHING",
                    [source[:64], *ids],
                )
            else:
                cursor.execute(f"DELETE FROM {table} WHERE customer_id IN ({places})", ids)


def _bring_up_to_date(persons: Sequence[Person], source: str, undoable: bool, part: int) -> None:
    told = [person for person in persons if person.profile or len(person.keys) > 1]
    for some in bulk.in_parts(told, part):
        with transaction.atomic():
            there = _still_there(some)
            profiles.update(_told(some), there, source, undoable)
            _add_keys([person for person in some if person.id], source)


def _still_there(persons: Sequence[Person]) -> dict[str, dict[str, Any]]:
    """Lock those who are known; whoever was erased since they were looked up is nobody any more.

    Returns:
        Id → the profile that the database holds.
    """
    rows = Customer.objects.filter(pk__in={person.id for person in persons}, erased_at=None)
    # In one order, so that two who lock the same customers do not wait for each other.
    locked = rows.select_for_update(no_key=True).order_by("pk").values("id", *profiles.FIELDS)
    there = {row["id"]: row for row in locked}
    for person in persons:
        if person.id not in there:
            person.id, person.blocked = "", True
    return there


def _told(persons: Sequence[Person]) -> dict[str, dict[str, Any]]:
    """What is said of each customer: by a number here, and perhaps by an address there.

    What the row with the number says comes first.
    """
    told: dict[str, dict[str, Any]] = {}
    for person in sorted(persons, key=_has_number):
        if person.id and person.profile:
            told[person.id] = _with(told.get(person.id, {}), person.profile)
    return told


def _with(profile: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """A profile with what is said besides, which comes first; attributes of both stay."""
    attributes = profile.get("attributes", {}) | more.get("attributes", {})
    return {**profile, **more} | ({"attributes": attributes} if attributes else {})


def _add_keys(persons: Sequence[Person], source: str) -> None:
    """Keep the keys that nobody has yet."""
    held = _look_up(key for person in persons for key in person.keys)
    fresh: dict[Key, str] = {}
    for person in persons:
        for key in person.keys:
            if key not in held:
                fresh.setdefault(key, person.id)
    Identifier.objects.bulk_create(
        [
            Identifier(kind=kind, value=value, customer_id=id, source=source[:64])
            for (kind, value), id in fresh.items()
        ],
        ignore_conflicts=True,
        batch_size=1000,
    )


# -- Customers that are new --------------------------------------------------------------------
class _Erased(Exception):
    """Somebody who is being made was erased meanwhile."""


def _create(
    persons: Sequence[Person], taken: dict[Key, str], source: str, undoable: bool, erasures: int
) -> None:
    """Make customers, in one transaction; someone else may be making or erasing the same ones."""
    for _attempt in range(5):
        missing = [one for one in persons if not one.id and not one.blocked]
        try:
            with transaction.atomic():
                _insert(missing, taken, source, undoable, erasures)
            return
        except _Erased:
            continue
        except IntegrityError:
            for person in persons:
                person.id = ""
            # Those of our own parts before this one are there too.
            taken |= _find(persons)
            _spoken_of([person for person in persons if person.id], source, undoable)
    missing = [one for one in persons if not one.id and not one.blocked]
    with transaction.atomic():
        _insert(missing, taken, source, undoable, erasures)


def _insert(
    persons: Sequence[Person],
    taken: dict[Key, str],
    source: str,
    undoable: bool,
    erasures: int,
) -> None:
    ids = new_ids(len(persons))
    now: Any = timezone.now()
    as_text = connection.vendor == "sqlite"
    if as_text:
        now = str(now.replace(tzinfo=None))
    source = source[:64]
    customers, identifiers, words = [], [], []
    ours: dict[Key, str] = {}
    for person, id in zip(persons, ids, strict=True):
        profiles.name(person.profile)
        customers.append((id, *profiles.database(person.profile, as_text), source, now))
        for key in person.keys:
            if key not in taken and key not in ours:
                ours[key] = id
                identifiers.append((*key, id, source))
            elif key[0] in ("email", "phone"):
                # The address belongs to another: they are found by it all the same.
                words.append(
                    SearchToken(
                        token=key[1][:32], customer_id=id, name_key=person.profile["name_key"]
                    )
                )
    bulk.insert(Customer, _COLUMNS, customers)
    bulk.insert(Identifier, ("kind", "value", "customer_id", "source"), identifiers)
    bulk.insert(Unindexed, ("customer_id",), [(id,) for id in ids])
    if undoable:
        bulk.insert(Newcomer, ("customer_id", "source"), [(id, source) for id in ids])
    SearchToken.objects.bulk_create(words)
    # Once the keys are ours: an erasure that had one of them is over by then, and one that comes
    # later finds these customers.
    blocklist.mark(persons, seen=erasures)
    if any(person.blocked for person in persons):
        raise _Erased
    taken |= ours
    for person, id in zip(persons, ids, strict=True):
        person.id = id


def words_of(customer: Mapping[str, Any]) -> set[str]:
    """The words that find a customer, from the values of `name` and `company_name`."""
    return tokens_of(customer["name"], customer["company_name"])
