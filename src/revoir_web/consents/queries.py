from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from revoir_web.consents.models import Channel, Consent, Purpose
from revoir_web.customers.models import Customer


def may_contact(customer: Customer, purpose: Purpose | str, channel: str) -> bool:
    """Whether a customer may be reached for a purpose in a way.

    Args:
        customer: Whom.
        purpose: What for, or its code.
        channel: One of `Channel`.

    Returns:
        What the customer said last; where they said nothing, only if the purpose needs no
        consent. Never for someone who was erased or merged, or without an address.
    """
    return customer.pk in contactable([customer.pk], purpose, channel)


def contactable(customer_ids: Iterable[str], purpose: Purpose | str, channel: str) -> set[str]:
    """Which of many customers may be reached for a purpose in a way (see `may_contact`)."""
    if not isinstance(purpose, Purpose):
        found = Purpose.objects.filter(code=purpose).first()
        if found is None:
            return set()
        purpose = found
    if not purpose.active or channel not in purpose.channels:
        return set()
    ids = list(customer_ids)
    allowed: set[str] = set()
    for begin in range(0, len(ids), 5000):
        part = ids[begin : begin + 5000]
        there = Customer.objects.filter(pk__in=part, merged_into=None, erased_at=None)
        address = _ADDRESS[channel]
        reachable = set(there.exclude(**{address: ""}).values_list("pk", flat=True))
        said: dict[str, bool] = {}
        rows = Consent.objects.filter(customer_id__in=part, purpose=purpose, channel=channel)
        for id, given in rows.order_by("at", "pk").values_list("customer_id", "given"):
            said[id] = given
        default = purpose.basis == Purpose.Basis.INTEREST
        allowed |= {id for id in reachable if said.get(id, default)}
    return allowed


_ADDRESS = {
    Channel.EMAIL.value: "email",
    Channel.SMS.value: "phone",
    Channel.PHONE.value: "phone",
    Channel.POST.value: "address",
}


@dataclass(frozen=True)
class Standing:
    """What a customer said of one purpose in one channel.

    Attributes:
        purpose: What for.
        channel: The way, one of `Channel`.
        last: What was said last (None: nothing).
        allowed: What follows from it.
    """

    purpose: Purpose
    channel: str
    last: Consent | None
    allowed: bool

    @property
    def channel_label(self) -> str:
        """What the channel is called."""
        return str(Channel(self.channel).label)

    @property
    def field(self) -> str:
        """Its name in a form."""
        return f"{self.purpose.code}.{self.channel}"


def standing(customer: Customer) -> list[Standing]:
    """What a customer said of every purpose and channel in use.

    Args:
        customer: Who.

    Returns:
        One line a purpose and channel.
    """
    said: dict[tuple[int, str], Consent] = {}
    for consent in Consent.objects.filter(customer=customer).order_by("at", "pk"):
        said[consent.purpose_id, consent.channel] = consent
    found = []
    for purpose in Purpose.objects.filter(active=True):
        default = purpose.basis == Purpose.Basis.INTEREST
        for channel in purpose.channels:
            if channel in Channel.values:
                last = said.get((purpose.pk, channel))
                found.append(Standing(purpose, channel, last, last.given if last else default))
    return found


def history(customer: Customer) -> list[dict[str, Any]]:
    """Everything a customer said, newest first, as plain values."""
    rows = Consent.objects.filter(customer=customer).select_related("purpose")
    return [
        {
            "purpose": row.purpose.code,
            "channel": row.channel,
            "given": row.given,
            "source": row.source,
            "proof": row.proof,
            "at": row.at.isoformat(),
        }
        for row in rows
    ]
