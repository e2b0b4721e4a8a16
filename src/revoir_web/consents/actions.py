from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from revoir.errors import UsageError
from revoir.language import msg
from revoir_web.common import audit
from revoir_web.consents import queries
from revoir_web.consents.erasure import erase_persons
from revoir_web.consents.models import Channel, Consent, Notice, Purpose, RetentionRule
from revoir_web.customers import newcomers
from revoir_web.customers.models import Customer

__all__ = [
    "change_notice",
    "change_preferences",
    "change_rule",
    "erase_persons",
    "keep_longer",
    "on_refusal",
    "record",
    "record_many",
    "save_purpose",
    "take_back",
]

EVENTS = "events"
"""The source of what a customer did on a site, in an app or in a mail program."""
OWN = (*queries.TOLD, EVENTS)
"""Sources that are the customer's own word; a file never takes the place of a refusal there."""
FUTURE = dt.timedelta(days=1)
FIRST_YEAR = 1900
Listener = Callable[[Consent], None]
_LISTENERS: list[Listener] = []


def on_refusal(listener: Listener) -> Listener:
    """Register who hears of refusals that stand, in their transaction; not of those of a file."""
    _LISTENERS.append(listener)
    return listener


@transaction.atomic
def record(
    *,
    customer: Customer,
    purpose: Purpose,
    channel: str,
    given: bool,
    source: str,
    proof: str = "",
    at: dt.datetime | None = None,
    actor: Any = None,
) -> Consent:
    """Keep what a customer said.

    Args:
        customer: Who.
        purpose: What for.
        channel: One of `Channel`.
        given: Whether they agree.
        source: Where it was said.
        proof: How it is known.
        at: When it was said (None: now).
        actor: Who writes it down (None: whoever makes the request).

    Returns:
        The line.

    Raises:
        UsageError: The purpose has no such channel, the person was erased, or it is in the future
            or before anybody was asked.
    """
    if channel not in purpose.channels or channel not in Channel.values:
        raise UsageError(
            msg("This purpose does not use this channel."),
            remedy=msg("Choose one of the channels of the purpose."),
        )
    held = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if held.erased_at is not None:
        raise UsageError(msg("This customer was erased."))
    if at is not None and at > timezone.now() + FUTURE:
        raise UsageError(msg("A consent cannot be given in the future."))
    if at is not None and at.year < FIRST_YEAR:  # the first years are not the same in every zone
        raise UsageError(
            msg("A consent cannot be older than the year {year}.", year=str(FIRST_YEAR))
        )
    line = Consent.objects.create(
        # Whoever was merged into another a moment ago speaks for them.
        customer_id=held.merged_into_id or held.pk,
        purpose=purpose,
        channel=channel,
        given=given,
        source=source[:40],
        proof=proof[:500],
        at=at or timezone.now(),
        by=actor if getattr(actor, "pk", None) else None,
    )
    audit.record(
        "consent.record",
        actor=actor,
        object=customer,
        details={"purpose": purpose.code, "channel": channel, "given": given, "source": source},
    )
    later = Consent.objects.filter(
        customer_id=line.customer_id, purpose=purpose, channel=channel, at__gt=line.at
    )
    if not given and not later.exists():
        _tell(line)
    return line


def _tell(line: Consent) -> None:
    for listener in _LISTENERS:
        listener(line)


def record_many(
    rows: Iterable[tuple[str, bool, dt.datetime | None]],
    *,
    purpose: str,
    channel: str,
    source: str,
    proof: str = "",
) -> int:
    """Keep what many customers said, as a file tells it.

    A yes in a file never takes the place of a refusal that is the customer's own word, or later;
    whichever of the two was heard of first.

    Args:
        rows: Customer, whether they agree, when (None: not known).
        purpose: Code.
        channel: One of `Channel`.
        source: Where it is from, such as "import".
        proof: How it is known, such as the file and its column.

    Returns:
        How many lines are new; what was known already is not repeated.
    """
    held = Purpose.objects.filter(code=purpose).first()
    if held is None or channel not in Channel.values:
        return 0
    said = {id: (given, at) for id, given, at in rows if id}
    ids = list(said)
    made = 0
    for begin in range(0, len(ids), 2000):
        part = ids[begin : begin + 2000]
        with transaction.atomic():
            made += _record_part({id: said[id] for id in part}, held, channel, source, proof)
    if made:
        audit.record(
            "consent.import",
            object=held,
            details={"lines": made, "channel": channel, "source": source},
        )
    return made


def take_back(*, source: str) -> int:
    """Take back the yeses that one file alone told; a refusal stays, whoever told it.

    Args:
        source: As `record_many` was given it.

    Returns:
        How many lines.
    """
    return Consent.objects.filter(source=source, given=True).delete()[0]


def hand_over(
    agreed: Iterable[str], *, source: str, to: str, proof: str = "", at: dt.datetime
) -> int:
    """Have another file vouch for the yeses of one, where it told them too; ask `take_back` then.

    Only a yes that still stands is handed over, and only to who told it after the last no.

    Args:
        agreed: Customers who agreed in the other file.
        source: Of the lines that are to go.
        to: The source of the other file.
        proof: How the other file knows.
        at: When it told.

    Returns:
        How many lines are new.
    """
    wanted, made = set(agreed), 0
    lines = Consent.objects.filter(source=source, given=True).values_list("customer_id", flat=True)
    ids = sorted(set(lines)) if wanted else []
    for begin in range(0, len(ids), 2000):
        with transaction.atomic():
            fresh = [
                Consent(
                    customer_id=line.customer_id, purpose_id=line.purpose_id,
                    channel=line.channel, given=True, source=to[:40], proof=proof[:500], at=at,
                )
                for line in _standing(ids[begin : begin + 2000], wanted, source, at)
            ]  # fmt: skip
            Consent.objects.bulk_create(fresh, batch_size=1000)
        made += len(fresh)
    return made


def _standing(
    ids: Sequence[str], wanted: Container[str], source: str, at: dt.datetime
) -> list[Consent]:
    """The yeses of a source that nothing was said after, and no no after a time."""
    # Whoever is being merged or erased at this moment is so first.
    there = Customer.objects.select_for_update(no_key=True).filter(pk__in=ids, erased_at=None)
    speak = {id for id in there.order_by("pk").values_list("pk", flat=True) if id in wanted}
    # Whoever was merged into another since speaks for them.
    merged = Customer.objects.filter(merged_into__in=ids).values_list("pk", "merged_into")
    speak |= {into for id, into in merged if into is not None and id in wanted}
    last: dict[tuple[str, int, str], Consent] = {}
    refused: dict[tuple[str, int, str], dt.datetime] = {}
    for line in Consent.objects.filter(customer_id__in=speak).order_by("at", "pk"):
        key = line.customer_id, line.purpose_id, line.channel
        last[key] = line
        if not line.given:
            refused[key] = line.at
    return [
        line
        for key, line in last.items()
        if line.source == source and line.given and (key not in refused or refused[key] < at)
    ]


@newcomers.held_by("consents")
def _said(ids: Sequence[str], source: str) -> Iterable[str]:
    """Customers who said something themselves."""
    rows = Consent.objects.filter(customer_id__in=ids).exclude(source=source)
    return rows.values_list("customer_id", flat=True)


def _record_part(
    said: Mapping[str, tuple[bool, dt.datetime | None]],
    purpose: Purpose,
    channel: str,
    source: str,
    proof: str,
) -> int:
    now = timezone.now()
    # Whoever is being erased at this moment is erased first.
    locked = Customer.objects.select_for_update(no_key=True).filter(pk__in=said, erased_at=None)
    there = dict(locked.order_by("pk").values_list("pk", "merged_into"))
    # Whoever was merged into another a moment ago speaks for them; of both, a no counts.
    told = sorted(((there[id] or id, *word) for id, word in said.items() if id in there), key=_no)
    said = {id: (given, at) for id, given, at in told}
    last: dict[str, Consent] = {}
    rows = Consent.objects.filter(customer_id__in=said, purpose=purpose, channel=channel)
    for line in rows.order_by("at", "pk"):
        last[line.customer_id] = line
    fresh = []
    for id, (given, at) in said.items():
        held = last.get(id)
        if held is not None and held.given == given:
            continue
        if held is not None and not held.given:
            # They said no. A file that says yes must be dated, and later than their own word.
            if held.source in OWN and (at is None or at <= held.at):
                continue
            if at is not None and at <= held.at:
                continue
        # The yes of a file is of the day on which it came in: nobody knows that it is later.
        undated = held is not None and held.given and held.source not in OWN
        fresh.append(
            Consent(
                customer_id=id,
                purpose=purpose,
                channel=channel,
                given=given,
                source=source[:40],
                proof=proof[:500],
                at=now if at is None or undated else min(at, now),
            )
        )
    Consent.objects.bulk_create(fresh, batch_size=1000)
    for line in fresh if source in OWN else ():
        later = last.get(line.customer_id)
        if not line.given and (later is None or later.at <= line.at):
            _tell(line)
    return len(fresh)


def _no(told: tuple[str, bool, dt.datetime | None]) -> bool:
    """Puts a no last."""
    return not told[1]


@transaction.atomic
def change_preferences(
    *, customer: Customer, wanted: Mapping[str, bool], source: str, proof: str, actor: Any = None
) -> int:
    """Keep the choices of a page of preferences; only what differs is a new line.

    Args:
        customer: Whose choices.
        wanted: ``purpose.channel`` → whether they agree.
        source: Where they chose.
        proof: What was shown to them.
        actor: Who was at the page (None: the customer).

    Returns:
        How many lines are new.
    """
    made = 0
    for held in queries.standing(customer):
        chosen = wanted.get(held.field)
        if chosen is None or (held.last is not None and held.last.given == chosen):
            continue
        if held.last is None and chosen == held.allowed:
            continue  # nothing was said, and nothing is now
        record(
            customer=customer,
            purpose=held.purpose,
            channel=held.channel,
            given=chosen,
            source=source,
            proof=proof,
            actor=actor,
        )
        made += 1
    return made


@transaction.atomic
def save_purpose(*, purpose: Purpose, fields: Mapping[str, Any], actor: Any = None) -> Purpose:
    """Keep a purpose.

    Args:
        purpose: A new one, or the one to change; it is read again, so that what somebody else
            changes meanwhile stays.
        fields: Names and values.
        actor: Who does it.

    Returns:
        The purpose.
    """
    fresh = purpose.pk is None
    if fresh:
        purpose.position = Purpose.objects.count()
    else:
        purpose = Purpose.objects.select_for_update().get(pk=purpose.pk)
    for name, value in fields.items():
        setattr(purpose, name, value)
    purpose.save()
    audit.record(
        "purpose.create" if fresh else "purpose.change",
        actor=actor,
        object=purpose,
        details={"code": purpose.code, "active": purpose.active, "channels": purpose.channels},
    )
    return purpose


@transaction.atomic
def change_rule(*, fields: Mapping[str, Any], actor: Any = None) -> RetentionRule:
    """Change how long persons are kept.

    Args:
        fields: Names of `RetentionRule` that change, and values; what somebody else changes
            meanwhile stays.
        actor: Who changes it.

    Returns:
        The rule.
    """
    rule, changed = audit.apply_single(RetentionRule.current(), fields)
    if changed:
        audit.record("retention.change", actor=actor, object=rule, details=changed)
        # What was announced under the old rule is announced anew under this one.
        Customer.objects.filter(erase_on__isnull=False).update(erase_on=None)
    return rule


@transaction.atomic
def change_notice(*, fields: Mapping[str, Any], actor: Any = None) -> Notice:
    """Change what customers read of what their data is used for.

    Args:
        fields: Names of `Notice` that change, and values; what somebody else changes meanwhile
            stays.
        actor: Who changes it.

    Returns:
        The notice.
    """
    notice, changed = audit.apply_single(Notice.current(), fields)
    if changed:
        audit.record("notice.change", actor=actor, object=notice, details=changed)
    return notice


@transaction.atomic
def keep_longer(*, customer: Customer, actor: Any = None) -> None:
    """Begin the clock of a person anew, for someone has been in contact with them.

    Args:
        customer: Who is kept.
        actor: Who says so.
    """
    # Beside the figures: these are computed again from the data, which know nothing of it.
    Customer.objects.filter(pk=customer.pk).update(erase_on=None, kept_on=timezone.localdate())
    audit.record("retention.keep", actor=actor, object=customer)
