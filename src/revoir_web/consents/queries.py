from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from revoir.language import Message, in_days, msg, nmsg
from revoir_web.common.models import Company
from revoir_web.common.words import language
from revoir_web.consents.models import Channel, Consent, Purpose, RetentionRule
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


def how_long(rule: RetentionRule) -> list[str]:
    """How long persons are kept, as they themselves read it.

    Args:
        rule: The rule that is set.
    """
    told: list[Message] = []
    if not rule.enabled:
        told.append(msg("No time limit is set: your data is kept until you ask to be erased."))
    else:
        told.append(
            msg(
                "If you never bought anything, your data is erased {time} after your last contact.",
                time=_until_erased(rule.prospect_months, rule),
            )
        )
        told.append(
            msg(
                "If you have bought something, it is erased {time} after your last contact.",
                time=_until_erased(rule.customer_months, rule),
            )
            if rule.customer_months
            else msg("If you have bought something, it is kept until you ask to be erased.")
        )
    told.append(msg("What was bought stays in sums that name nobody."))
    return [one.text(language()) for one in told]


def _until_erased(months: int, rule: RetentionRule) -> Message:
    """The silence after which a person is announced, and the days from there to the erasure."""
    return msg(
        "{months} and {days}",
        months=nmsg("{n} month", "{n} months", months),
        days=in_days(rule.notice_days),
    )


@dataclass(frozen=True)
class Ways:
    """In which ways a customer may be reached for a purpose.

    Attributes:
        channels: The allowed ones, of `Channel`.
        reason: Why there is none (None: there is one).
    """

    channels: tuple[str, ...]
    reason: Message | None = None


def ways(customer: Customer, codes: Iterable[str]) -> dict[str, Ways]:
    """In which ways a customer may be reached for purposes, or why in none.

    Args:
        customer: Whom.
        codes: Of the purposes.

    Returns:
        Code → the channels that `may_contact` allows, found in two queries for all.
    """
    if (barred := barred_from_contact(customer)) is not None:
        return {code: Ways((), barred) for code in codes}
    purposes = {one.code: one for one in Purpose.objects.filter(code__in=list(codes), active=True)}
    said: dict[tuple[int, str], bool] = {}
    for consent in Consent.objects.filter(customer=customer).order_by("at", "pk"):
        said[consent.purpose_id, consent.channel] = consent.given
    return {
        code: _ways_of(customer, purposes[code], said)
        if code in purposes
        else Ways((), msg("No purpose “{code}” is in use.", code=code))
        for code in codes
    }


def _ways_of(customer: Customer, purpose: Purpose, said: Mapping[tuple[int, str], bool]) -> Ways:
    """The channels of one purpose; those against which something stands, with the same together."""
    default = purpose.basis == Purpose.Basis.INTEREST
    allowed: list[str] = []
    unknown: list[str] = []
    refused: list[str] = []
    silent: list[str] = []
    for channel in purpose.channels:
        if channel not in Channel.values:
            continue
        last = said.get((purpose.pk, channel))
        if not getattr(customer, _ADDRESS[channel]):
            unknown.append(channel)
        elif default if last is None else last:
            allowed.append(channel)
        else:
            (silent if last is None else refused).append(channel)
    if allowed:
        return Ways(tuple(allowed))
    parts = [
        told
        for channels, told in (
            (refused, msg("refused ({channels})", channels=_labels(refused))),
            (silent, msg("never agreed to ({channels})", channels=_labels(silent))),
            (unknown, msg("no address or number ({channels})", channels=_labels(unknown))),
        )
        if channels
    ]
    return Ways((), msg("{purpose}: {parts}.", purpose=purpose.name(language()), parts=parts))


def _labels(channels: Iterable[str]) -> list[str]:
    return [str(Channel(channel).label) for channel in channels]


def barred_from_contact(customer: Customer) -> Message | None:
    """Why a customer cannot be contacted at all (None: they may be)."""
    if customer.erased_at is not None:
        return msg("This person was erased: there is nobody to contact.")
    if customer.merged_into_id is not None:
        return msg("This entry was merged into another: see to that one.")
    return None


TOLD = ("preferences", "page", "api")
"""Sources of what a customer told the company, on a page, by a program, or somebody there."""
_ADDRESS = {
    Channel.EMAIL.value: "email",
    Channel.SMS.value: "phone",
    Channel.PHONE.value: "phone",
    Channel.POST.value: "address",
}


def is_proof(source: str) -> bool:
    """Whether a yes is known by a source, such as a file."""
    return Consent.objects.filter(source=source, given=True).exists()


def refusals() -> list[tuple[str, dt.date]]:
    """Every customer who said no, with each of the company's days that they said so on.

    Without what events tell, which the lake knows, and files, which know no day.
    """
    zone = Company.current().zone
    rows = Consent.objects.filter(given=False, source__in=TOLD).order_by()
    said = rows.values_list("customer_id", "at").iterator(chunk_size=10_000)
    return sorted({(customer, at.astimezone(zone).date()) for customer, at in said})


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
