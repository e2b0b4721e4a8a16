"""From the inbox into the lake: in batches, each message once, whatever is killed.

Messages are bound to a landing before any of them is written; the landing's id names the batch in
the lake; and they leave the inbox, some at a time, in the transaction that remembers their
messageId. Whoever dies in between leaves a landing open, and the next worker goes through it again
with the same outcome.

Nothing of a landing is written into the lake before all of it was made. Where that fails, the
landing is left with half of its messages, until it succeeds or one message is left: that one is
set aside with its reason, for a person to look at.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import traceback
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus
from uuid import UUID

import structlog
from django.db import DataError, transaction
from django.utils import timezone

from revoir.language import Message as Reason
from revoir.language import msg, nmsg
from revoir.memory import uncollected
from revoir.tables import CUSTOMERS, plain_name
from revoir_web.common import audit, jobs, words
from revoir_web.common.bulk import give_way, in_parts
from revoir_web.common.locks import only_one
from revoir_web.common.models import Company
from revoir_web.customers.naming import is_named, names_of
from revoir_web.ingest import actions, agreeing, commerce, standing, visitors
from revoir_web.ingest.lake import INBOX, LOCK, lake
from revoir_web.ingest.models import EventOrder, InboxEvent, Landing, SeenMessage, SetAside

if TYPE_CHECKING:
    import pyarrow as pa

_log = structlog.get_logger("revoir.inbox")
LANDING_MAX = 5_000
"""Messages that land together."""
REFRESH_SECONDS = 900
"""How often at most figures are computed anew because of events."""
_PART = 500
"""Rows written in one transaction: whoever sends events meanwhile waits for 20 ms at most."""
_FAULTS = (
    ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, DataError,
)  # fmt: skip
"""What a message can be to blame for; a disk or a database that fails raises something else."""
_FIRST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_PERSONAL = frozenset(
    word
    for column in CUSTOMERS.columns
    if column.personal
    for word in (column.name, *column.synonyms)
)
_ADDRESS = re.compile(r"\S+@\S+\.\S+")


@dataclass
class Message:
    """A message, with the clock of its sender set right.

    Attributes:
        kind: identify, track, …
        digest: The hash of its messageId.
        at: When it happened (UTC).
        body: What it says.
    """

    kind: str
    digest: str
    at: dt.datetime
    body: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        """What a call says of what happened."""
        return self.body.get("properties") or {}

    @property
    def context(self) -> dict[str, Any]:
        """Where it happened."""
        return self.body.get("context") or {}


def has_any() -> bool:
    """Whether anything waits to be brought into the lake."""
    return InboxEvent.objects.exists() or Landing.objects.exists()


def drain(job: jobs.Running) -> dict[str, int]:
    """Bring all that waits into the lake.

    Args:
        job: Told how far it is.

    Returns:
        How many messages landed, and how many had before.
    """
    told = {"landed": 0, "repeated": 0}
    if not has_any():
        return told
    size = LANDING_MAX
    with only_one(INBOX):
        while (landing := _next(size)) is not None:
            job.progress(
                told["landed"],
                0,
                nmsg("{n} event is in the lake.", "{n} events are in the lake.", told["landed"]),
            )
            try:
                with uncollected():
                    landed, repeated = _land(landing, job)
            except _Unusable as fault:
                size = _narrow(landing, fault.why, job)
                continue
            size = min(2 * size, LANDING_MAX)
            told["landed"] += landed
            told["repeated"] += repeated
    if told["landed"]:
        now = int(timezone.now().timestamp())
        actions.refresh(
            reason=f"events:{now // REFRESH_SECONDS}",
            at=dt.datetime.fromtimestamp((now // REFRESH_SECONDS + 1) * REFRESH_SECONDS, dt.UTC),
        )
    return told


class _Unusable(Exception):
    """Something in the messages of a landing cannot be made into rows; nothing was written.

    Args:
        why: What came of it.
    """

    def __init__(self, why: Exception) -> None:
        super().__init__(str(why))
        self.why = why


def _next(size: int = LANDING_MAX) -> Landing | None:
    """The landing that was left open, or a new one of what waits."""
    landing = Landing.objects.order_by("begun_at").first()
    if landing is not None:
        return landing
    rows = InboxEvent.objects.order_by("pk")
    waiting = list(rows.values_list("pk", flat=True)[:size])
    return Landing.objects.create(events=waiting) if waiting else None


def _narrow(landing: Landing, why: Exception, job: jobs.Running) -> int:
    """Leave half of its messages to a landing that failed, or set its only message aside.

    Returns:
        How many messages are to land together next: where one is bad, others may be near it.
    """
    left = landing.events[: len(landing.events) // 2]
    with transaction.atomic():
        job.fence()
        if left:
            # The others wait in the inbox for the next landing.
            landing.events = left
            landing.save(update_fields=["events"])
            return len(left)
        told = msg("Something that was not foreseen went wrong ({kind}).", kind=type(why).__name__)
        for row in InboxEvent.objects.filter(pk__in=landing.events):
            _set_aside(row, told)
            row.delete()
        landing.delete()
    # The words of the error may be those of the message.
    where = traceback.format_tb(why.__traceback__)
    _log.error("message_set_aside", kind=type(why).__name__, where="".join(where))
    return 1


def _set_aside(row: InboxEvent, why: Reason) -> None:
    SetAside.objects.create(
        key_id=row.key_id, kind=row.kind, received_at=row.received_at,
        sent_at=row.sent_at, body=row.body, reason=words.to_json(why),
    )  # fmt: skip


def take_again() -> int:
    """Put the messages that were set aside back into the inbox: a later version may know better.

    Returns:
        How many there were.
    """
    with transaction.atomic():
        rows = list(SetAside.objects.select_for_update().order_by("pk"))
        InboxEvent.objects.bulk_create(
            [
                InboxEvent(
                    key_id=row.key_id, kind=row.kind, received_at=row.received_at,
                    sent_at=row.sent_at, body=row.body,
                )
                for row in rows
            ],
            batch_size=_PART,
        )  # fmt: skip
        for part in in_parts([row.pk for row in rows], _PART):
            SetAside.objects.filter(pk__in=part).delete()
        audit.record("events.take_again", details={"messages": len(rows)})
    return len(rows)


def _land(landing: Landing, job: jobs.Running) -> tuple[int, int]:
    rows = [
        row
        for part in in_parts(landing.events, _PART)
        for row in InboxEvent.objects.filter(pk__in=part).order_by("pk")
    ]
    try:
        digests, messages = _once(rows)
        numbers = {number for message in messages if (number := _order_of(message)) is not None}
    except _FAULTS as fault:
        raise _Unusable(fault) from fault
    # Who goes by the orders that are there and then writes does it alone.
    with only_one(LOCK) if numbers else nullcontext():
        there = standing.look_up(numbers)
        try:
            made = _made(messages, numbers, there)
        except _FAULTS as fault:
            raise _Unusable(fault) from fault
        # To hear the same messages again says nothing else: whoever dies may have kept it.
        _keep_told(made, job)
        _write(made, landing)
    if "events" in made.tables:
        agreeing.hear([made.tables["events"]])
    # All is in the lake under the landing's name: whoever dies from here on leaves messages that
    # land again there as if they had not.
    today = timezone.now().date()
    for some in in_parts(list(zip(rows, digests, strict=True)), _PART):
        seen = [
            SeenMessage(digest=UUID(digest), seen_on=today)
            for _row, digest in some
            if digest not in made.aside
        ]
        with transaction.atomic():
            job.fence()
            SeenMessage.objects.bulk_create(seen, ignore_conflicts=True)
            for row, digest in some:
                if digest in made.aside:
                    _set_aside(row, made.aside[digest])
            InboxEvent.objects.filter(pk__in=[row.pk for row, _digest in some]).delete()
        give_way()
    landing.delete()
    landed = len(messages) - len(made.aside)
    return landed, len(rows) - len(messages)


def _keep_told(made: _Made, job: jobs.Running) -> None:
    told = [EventOrder(order_id=number, told=order.told) for number, order in made.told.items()]
    for part in in_parts(told, _PART):
        with transaction.atomic():
            job.fence()
            EventOrder.objects.bulk_create(
                part,
                update_conflicts=True,
                unique_fields=["order_id"],
                update_fields=["told", "updated_at"],
            )
        give_way()


def _once(rows: Sequence[InboxEvent]) -> tuple[list[str], list[Message]]:
    """The hash of each row's messageId, and of each the first message of the last 90 days."""
    by_digest: dict[str, Message] = {}
    of_row: list[str] = []
    for row in rows:
        body = _sound(json.loads(row.body))
        digest = hashlib.sha256(str(body["messageId"]).encode()).hexdigest()[:32]
        of_row.append(digest)
        if digest not in by_digest:
            by_digest[digest] = Message(row.kind, digest, _moment(body, row), body)
    known: set[str] = set()
    digests = list(by_digest)
    for part in in_parts(digests, _PART):
        seen = SeenMessage.objects.filter(digest__in=[UUID(digest) for digest in part])
        known |= {found.hex for found in seen.values_list("digest", flat=True)}
    return of_row, [message for digest, message in by_digest.items() if digest not in known]


def _sound(held: Any) -> Any:
    """Take out what no database keeps: halves of characters, and NUL."""
    if isinstance(held, str):
        if "\x00" in held or any("\ud800" <= letter <= "\udfff" for letter in held):
            return held.replace("\x00", "").encode("utf-16", "surrogatepass").decode(
                "utf-16", "replace"
            )  # fmt: skip
        return held
    if isinstance(held, dict):
        return {_sound(name): _sound(value) for name, value in held.items()}
    return [_sound(value) for value in held] if isinstance(held, list) else held


def _moment(body: dict[str, Any], row: InboxEvent) -> dt.datetime:
    """When it happened by our clock: the sender's may be wrong, and says so by `sentAt`."""
    received = row.received_at
    said = _time(body.get("originalTimestamp")) or _time(body.get("timestamp"))
    if said is None:
        return received
    sent = _time(row.sent_at)
    try:
        moment = received - (sent - said) if sent is not None else said
    except OverflowError:  # beyond the year 9999
        return received
    # What is said to come later than now, or before there were such messages, came now.
    return moment if _FIRST <= moment <= received + dt.timedelta(minutes=1) else received


def _time(text: Any) -> dt.datetime | None:
    if not isinstance(text, str) or not text:
        return None
    try:
        found = dt.datetime.fromisoformat(text.strip())
        found = found if found.tzinfo else found.replace(tzinfo=dt.UTC)
        return found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


# -- What -----------------------------------------------------------------------------------------
@dataclass
class _Made:
    """What messages came to: rows by table, and what is known of the orders by their numbers.

    `filed` has the orders that files brought, `beside` the lines that are in the lake and change
    with their orders: both go when their import is undone. `aside` has the messages that say what
    cannot be, and why, by their hashes.
    """

    tables: dict[str, pa.Table] = field(default_factory=dict)
    filed: pa.Table | None = None
    beside: pa.Table | None = None
    told: dict[str, commerce.Order] = field(default_factory=dict)
    aside: dict[str, Reason] = field(default_factory=dict)


def _made(messages: Sequence[Message], wanted: set[str], there: standing.Standing) -> _Made:
    """Make rows of the lake from messages; the customers are there afterwards."""
    if not messages:
        return _Made()
    customers = visitors.customers_of(messages)
    names = names_of(
        customer
        for message, customer in zip(messages, customers, strict=True)
        if customer and _says_something(message)
    )
    company = Company.current()
    rows: dict[str, list[dict[str, Any]]] = {"events": [], "orders": [], "order_lines": []}
    orders = standing.known_of(wanted)
    for number, order in orders.items():
        order.stand(number, company.zone, there.orders.get(number), there.given_back(number))
    for message, customer in zip(messages, customers, strict=True):
        if (told := _order_of(message)) is not None:
            orders[told].hear(
                _name(message),
                message.properties,
                message=message.digest,
                at=message.at,
                customer=customer,
            )
    aside = _foreign(messages, orders)
    for message, customer in zip(messages, customers, strict=True):
        happened = message.kind in ("track", "page", "screen")
        if customer and happened and message.digest not in aside:
            rows["events"].append(_event(message, customer, names.get(customer, ())))
    for number, order in orders.items():
        made, its = order.rows(number, company.zone)
        if made is not None:
            rows["orders"].append(made)
            rows["order_lines"] += its
    filed = {number for number, order in orders.items() if order.filed}
    returns = [row for order in rows["orders"] for row in there.cancelled_with(order)]
    filed |= {row["order_id"] for row in returns}
    rows["orders"] += returns
    unlined = {number for number, order in orders.items() if not order.lined}
    lines = [line["line_id"] for line in rows["order_lines"]]
    beside = there.others(rows["orders"], unlined, lines)
    theirs = [row for row in rows["orders"] if row["order_id"] in filed]
    rows["orders"] = [row for row in rows["orders"] if row["order_id"] not in filed]
    tables = {name: _table(name, held) for name, held in rows.items() if held}
    return _Made(tables, _table("orders", theirs) if theirs else None, beside, orders, aside)


def _foreign(messages: Sequence[Message], orders: dict[str, commerce.Order]) -> dict[str, Reason]:
    """Refunds that no order is told of, since they are in another currency; and why, each."""
    aside = {}
    for message in messages:
        order = orders.get(_order_of(message) or "")
        given = None if order is None else order.foreign().get(message.digest)
        if order is None or given is None:
            continue
        order.unhear(message.digest)
        aside[message.digest] = msg(
            "The refund is in {given} and its order in {held}: it was not taken off.",
            given=given, held=order.currency,
        )  # fmt: skip
    return aside


def _write(made: _Made, landing: Landing) -> None:
    """Write what was made into the lake under the landing's name; twice is as once."""
    if not made.told and not made.tables:
        return
    store = lake()
    batch = f"events-{landing.pk.hex}"
    if "events" in made.tables:
        store.append("events", made.tables["events"], batch=batch)
    for name in ("orders", "order_lines"):
        if name in made.tables:
            store.upsert(name, made.tables[name], batch=batch)
    if made.filed is not None:
        store.upsert("orders", made.filed, batch=f"{batch}-filed", amend=True)
    if made.beside is not None:
        store.upsert("order_lines", made.beside, batch=f"{batch}-beside", amend=True)


def _name(message: Message) -> str:
    return str(message.body.get("event") or "")


def _order_of(message: Message) -> str | None:
    """The number of the order that a message tells of (None: of none)."""
    if message.kind not in ("track", "page", "screen") or not commerce.is_order(_name(message)):
        return None
    return commerce.order_of(message.properties)


def _event(message: Message, customer: str, names: Sequence[str]) -> dict[str, Any]:
    body, context = message.body, message.context
    name = body.get("event") if message.kind == "track" else message.kind
    page = context.get("page")
    path = message.properties.get("path") or (page.get("path") if isinstance(page, dict) else None)
    session = context.get("sessionId") or message.properties.get("session_id")
    return {
        "event_id": message.digest,
        "customer_id": customer,
        "occurred_at": message.at.replace(tzinfo=None),
        "event": str(name)[:300],
        "session_id": str(session)[:200] if isinstance(session, str | int) else None,
        "channel": _channel(context),
        "page": _short(path if message.kind == "track" else body.get("name") or path, names),
        "properties": discreet(message.properties, names),
    }


def _says_something(message: Message) -> bool:
    """Whether a message has words in which somebody may be named."""
    page = message.context.get("page")
    said = [message.body.get("name"), *message.properties.values()]
    said += page.values() if isinstance(page, dict) else ()
    return any(isinstance(value, str) for value in said)


def _channel(context: dict[str, Any]) -> str:
    device = context.get("device")
    library = context.get("library")
    kind = device.get("type") if isinstance(device, dict) else None
    name = library.get("name") if isinstance(library, dict) else None
    if isinstance(kind, str) and kind:
        return kind[:50]
    if isinstance(name, str) and name:
        return "web" if "js" in name.lower() or "javascript" in name.lower() else "server"
    return "web" if context.get("userAgent") or context.get("page") else "server"


def _short(value: Any, names: Sequence[str]) -> str | None:
    """A name or path, unless it tells who somebody is."""
    if not isinstance(value, str) or not value or _ADDRESS.search(value):
        return None
    if is_named(unquote_plus(value), names):
        return None
    return value.partition("?")[0][:300]


def discreet(held: dict[str, Any], names: Sequence[str]) -> str | None:
    """What the lake keeps of properties: short plain values that name nobody, as JSON."""
    kept = {}
    for name, value in held.items():
        if plain_name(name) in _PERSONAL or isinstance(value, dict | list) or value is None:
            continue
        if isinstance(value, str) and (len(value) > 500 or _ADDRESS.search(value)):
            continue
        if isinstance(value, str) and is_named(unquote_plus(value), names):
            continue
        kept[name[:100]] = value
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else None


def _table(table: str, rows: Iterable[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    kinds = {
        "events": {"occurred_at": pa.timestamp("us")},
        "orders": {
            "ordered_at": pa.timestamp("us"), "ordered_on": pa.date32(),
            "amount": pa.decimal128(18, 4), "discount": pa.decimal128(18, 4),
            "refunded": pa.decimal128(18, 4),
        },
        "order_lines": {
            "ordered_on": pa.date32(), "quantity": pa.decimal128(18, 4),
            "unit_price": pa.decimal128(18, 4), "amount": pa.decimal128(18, 4),
        },
    }[table]  # fmt: skip
    held = list(rows)
    return pa.table(
        {
            name: pa.array([row[name] for row in held], kinds.get(name, pa.string()))
            for name in held[0]
        }
    )
