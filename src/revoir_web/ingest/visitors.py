"""Who sent messages: customers by the numbers and addresses that a site knows them by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from revoir.tables import CUSTOMERS, plain_name
from revoir_web.common.bulk import in_parts
from revoir_web.customers import blocklist
from revoir_web.customers.actions import merge, propose, resolve_many
from revoir_web.customers.models import Customer, Identifier, MergeProposal
from revoir_web.customers.text import external_of

if TYPE_CHECKING:
    from revoir_web.ingest.inbox import Message

_PART = 500
"""Customers written in one transaction: whoever sends events meanwhile waits for 20 ms at most."""
_SOURCE = "events"
_TRAITS = {
    "firstName": "first_name", "lastName": "last_name", "name": "name", "email": "email",
    "phone": "phone", "birthday": "birth_date", "gender": "gender", "age": "age",
    "createdAt": "joined_at",
}  # fmt: skip
_PLACE = {"street": "street", "city": "city", "state": "region", "postalCode": "postcode",
          "country": "country"}  # fmt: skip
_REFERENCES = frozenset(("id", "customer_id", "anonymous_id", "device_id"))
"""What a call says beside its traits: no trait makes somebody of somebody else."""
_LEFT_OUT = _REFERENCES | {"consent"}
_COLUMNS = {column.name: column.name for column in CUSTOMERS.columns}
_COLUMNS |= {"language": "language", "address": "street"}
ATTRIBUTES_MAX = 50
"""As many as one call of the API takes."""
NAME_MAX = 100


def customers_of(messages: Sequence[Message]) -> list[str]:
    """The customer of each message ("": nobody); what `identify` says of them is kept."""
    rows = [_person(message) for message in messages]
    aliases = {
        place: number
        for place, message in enumerate(messages)
        if message.kind == "alias"
        and (number := external_of(rows[place]["anonymous_id"])) is not None
    }
    # No number or address of somebody who was erased is kept as what another was called before.
    gone = blocklist.erased("external", set(aliases.values()))
    for place, number in aliases.items():
        if number in gone:
            rows[place]["anonymous_id"] = None
    found = resolve_many(rows, source=_SOURCE, part=_PART)
    _join_visitors(rows, found)
    _propose([(number, found[place]) for place, number in aliases.items()])
    return found


def _propose(aliases: Sequence[tuple[str, str]]) -> None:
    """Propose to make one of two customers with numbers whom a site says to be one.

    Its pages show its key, with which anybody could say so of any two: a person decides.
    """
    now = {number: customer for number, customer in aliases if customer}
    for part in in_parts(list(now), _PART):
        held = Identifier.objects.filter(kind="external", value__in=part)
        pairs = [
            (before, now[number])
            for number, before in held.values_list("value", "customer_id")
            if before != now[number]
        ]
        propose(pairs, reason=MergeProposal.Reason.ALIAS)


def _join_visitors(rows: Sequence[dict[str, Any]], found: Sequence[str]) -> None:
    """Make visitors one with the customers that they turn out to be; it can be undone."""
    said = {
        number: id
        for row, id in zip(rows, found, strict=True)
        if id
        and (number := external_of(row["anonymous_id"])) is not None
        and any(row.get(name) for name in ("customer_id", "email", "phone"))
    }
    for part in in_parts(list(said), _PART):
        held = Identifier.objects.filter(kind="anonymous", value__in=part)
        for visitor in held.select_related("customer"):
            loser = visitor.customer
            if said[visitor.value] == loser.pk or loser.merged_into_id or loser.erased_at:
                continue
            if loser.identifiers.filter(kind__in=("external", "email")).exists():
                continue
            winner = Customer.objects.filter(
                pk=said[visitor.value], merged_into=None, erased_at=None
            ).first()
            if winner is not None:
                merge(winner=winner, loser=loser)


def _person(message: Message) -> dict[str, Any]:
    body = message.body
    row: dict[str, Any] = {
        "customer_id": body.get("userId"),
        "anonymous_id": body.get("anonymousId") or None,
    }
    if message.kind == "alias":
        row["anonymous_id"] = body.get("previousId")
    traits = _traits(message.kind, body)
    address = traits.get("address")
    company = traits.get("company")
    for names, held in ((_TRAITS, traits), (_PLACE, address if isinstance(address, dict) else {})):
        for name, column in names.items():
            if _is_plain(value := held.get(name)) and value != "":
                row[column] = value
    if isinstance(company, dict) and _is_plain(company.get("name")):
        row["company"] = company["name"]
    columns, attributes, _unkept = _others(traits)
    for column, value in columns.items():
        row.setdefault(column, value)
    if attributes:
        row["attributes"] = attributes
    return row


def left_out(kind: str, body: dict[str, Any]) -> list[str]:
    """The traits of a message that are not kept, or not whole.

    Args:
        kind: identify, track, …
        body: The message; its traits and context are objects, where there are any.

    Returns:
        Their names as the message has them; "address.floor" is one of the object "address".
    """
    return _others(_traits(kind, body))[2]


def _traits(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a message says of whom it is about."""
    traits = body.get("traits") if kind == "identify" else None
    if not isinstance(traits, dict):
        traits = (body.get("context") or {}).get("traits")
    return traits if isinstance(traits, dict) else {}


def _others(traits: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """The other traits by column; those without one, kept as attributes, as of files; the rest."""
    columns: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    unkept: list[str] = []
    for name, path, held in _flat(traits):
        value, whole = _one(held)
        column = plain_name(name)[:NAME_MAX]
        kept = bool(column) and value not in ("", None) and column not in _LEFT_OUT
        if not kept:
            whole = held in ("", None, [])
        elif column in _COLUMNS:
            columns.setdefault(_COLUMNS[column], value)
        elif column in attributes or len(attributes) < ATTRIBUTES_MAX:
            attributes[column] = value
        else:
            whole = False
        if not whole:
            unkept.append(path)
    return columns, attributes, unkept


def _one(held: Any) -> tuple[Any, bool]:
    """The value of a trait (None: none that is plain), and whether that is all of it."""
    if not isinstance(held, list):
        return (held, True) if _is_plain(held) else (None, False)
    plain = [str(one) for one in held if _is_plain(one)]
    return ", ".join(plain), len(plain) == len(held)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _flat(traits: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """The traits that were not read yet; what lies in an object is called by both names.

    Yields:
        What the trait is called ("": its column takes no such value), where it stands, its value.
    """
    for name, value in traits.items():
        if not isinstance(value, dict):
            if name not in _TRAITS:
                yield name, name, value
            elif not _is_plain(value):
                yield "", name, value
            continue
        read = {"address": _PLACE, "company": {"name": "company"}}.get(name, {})
        for inner, held in value.items():
            if inner not in read:
                yield f"{name}_{inner}", f"{name}.{inner}", held
            elif not _is_plain(held):
                yield "", f"{name}.{inner}", held
