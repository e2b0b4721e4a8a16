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
    traits = body.get("traits") if message.kind == "identify" else None
    if not isinstance(traits, dict):
        traits = message.context.get("traits")
    if not isinstance(traits, dict):
        return row
    address = traits.get("address")
    company = traits.get("company")
    for names, held in ((_TRAITS, traits), (_PLACE, address if isinstance(address, dict) else {})):
        for name, column in names.items():
            if _is_plain(value := held.get(name)) and value != "":
                row[column] = value
    if isinstance(company, dict) and isinstance(company.get("name"), str):
        row["company"] = company["name"]
    _read_others(row, traits)
    return row


def _read_others(row: dict[str, Any], traits: dict[str, Any]) -> None:
    """Keep the traits that no column has as attributes, as the other columns of a file are."""
    found: dict[str, Any] = {}
    for name, held in _flat(traits):
        several = isinstance(held, list)
        value = ", ".join(str(one) for one in held if _is_plain(one)) if several else held
        column = plain_name(name)[:NAME_MAX]
        if not column or column in _REFERENCES or value == "" or not _is_plain(value):
            continue
        if column in _COLUMNS:
            row.setdefault(_COLUMNS[column], value)
        elif len(found) < ATTRIBUTES_MAX:
            found[column] = value
    if found:
        row["attributes"] = found


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _flat(traits: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The traits that were not read yet; what lies in an object is called by both names."""
    for name, value in traits.items():
        if not isinstance(value, dict):
            if name not in _TRAITS:
                yield name, value
            continue
        read = {"address": _PLACE, "company": {"name": "company"}}.get(name, {})
        for inner, held in value.items():
            if inner not in read:
                yield f"{name}_{inner}", held
