"""Who sent messages: customers by the numbers and addresses that a site knows them by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
            if isinstance(value := held.get(name), str | int | float) and value != "":
                row[column] = value
    if isinstance(company, dict) and isinstance(company.get("name"), str):
        row["company"] = company["name"]
    return row
