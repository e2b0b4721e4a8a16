"""The stored alerts brought up to what the data say now; only what changed is written.

Parts are written one by one, each for itself, so that pages are not kept waiting.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Case, Value, When
from django.utils import timezone

from revoir_web.alerts.models import Alert
from revoir_web.common import bulk
from revoir_web.common.models import Company
from revoir_web.customers.models import Customer
from revoir_web.ingest import webhooks
from revoir_web.insights.watch import Seen

if TYPE_CHECKING:
    import pyarrow as pa

PART = 2000
"""Alerts a transaction."""
Key = tuple[str, dt.date]
"""The customer, and the day that the alert was raised."""
_CENT = Decimal("0.01")
_COLUMNS = (
    "customer_id", "signal", "raised_on", "reason", "bought_for", "stake", "noticed_at", "is_open",
    "closed_by", "outcome", "note",
)  # fmt: skip


@dataclass(frozen=True)
class Stored:
    """An alert that is stored and that the data have not closed.

    Attributes:
        pk: Its key.
        bought_for: As stored.
        stake: As stored.
    """

    pk: int
    bought_for: Decimal | None
    stake: float


def stored(signal: str) -> dict[Key, Stored]:
    """The alerts of a signal that the data have not closed, whatever people did with them."""
    rows = Alert.objects.filter(signal=signal, closed_on=None).order_by()
    return {
        (customer, raised_on): Stored(pk, bought_for, stake)
        for pk, customer, raised_on, bought_for, stake in rows.values_list(
            "pk", "customer_id", "raised_on", "bought_for", "stake"
        ).iterator(chunk_size=10_000)
    }


def keys_of(held: Mapping[Key, Stored]) -> pa.Table:
    """The keys as columns: `customer_id` and `raised_on`."""
    import pyarrow as pa

    return pa.table(
        {
            "customer_id": pa.array([customer for customer, _day in held], pa.string()),
            "raised_on": pa.array([day for _customer, day in held], pa.date32()),
        }
    )


def bring_up_to_date(
    signal: str, seen: Seen, held: Mapping[Key, Stored], *, fence: Callable[[], None]
) -> Counter[str]:
    """Raise what is new, close what is over, and leave the rest as it is.

    Args:
        signal: The signal.
        seen: Its alerts as they stand.
        held: What `stored` gave before they were looked at.
        fence: Raises, within each transaction, where this attempt counts no more.

    Returns:
        How many alerts were "raised", "closed", "reopened", "moved" (the same silence, whose alert
        begins on another day by newer data) and "valued" (other amounts).
    """
    share = share_of(seen.record)
    open_ = seen.open
    keys: list[Key] = list(
        zip(open_["customer_id"].to_pylist(), open_["raised_on"].to_pylist(), strict=True)
    )
    done: Counter[str] = Counter()
    fresh = [place for place, key in enumerate(keys) if key not in held]
    ended = {
        (row["customer_id"], row["raised_on"]): (row["closed_on"], row["closed_by"])
        for row in seen.ended.to_pylist()
    }
    there = set(keys)
    gone = {key: one.pk for key, one in held.items() if key not in there}
    adrift = {key[0]: (key, pk) for key, pk in gone.items() if key not in ended}
    for places in bulk.in_parts(fresh, PART):
        rows = open_.take(places).to_pylist()
        with transaction.atomic():
            fence()
            before = done.copy()
            moved = _raise(signal, seen, rows, share, adrift, done)
            news = {name: done[name] - before[name] for name in ("raised", "reopened")}
            if any(news.values()):
                webhooks.tell("alerts.raised", {"signal": signal, **news})
        for key in moved:
            del gone[key]
        bulk.give_way()
    withdrawn = (seen.as_of or Company.current().today, Alert.End.WITHDRAWN)
    closing = [(*ended.get(key, withdrawn), pk) for key, pk in gone.items()]
    done["closed"] += close(closing, fence=fence)
    amounts = zip(keys, open_["bought_for"].to_pylist(), strict=True)
    valued = [
        (*values, one.pk)
        for key, amount in amounts
        if (one := held.get(key)) is not None
        and (values := _worth(amount, share)) != (one.bought_for, one.stake)
    ]
    for part in bulk.in_parts(valued, PART):
        with transaction.atomic():
            fence()
            told = [(_plain(amount), stake, pk) for amount, stake, pk in part]
            bulk.update(Alert, "id", ("bought_for", "stake"), told)
        bulk.give_way()
    done["valued"] += len(valued)
    return +done


def share_of(record: Mapping[str, Any] | None) -> float:
    """How often the alerts of a signal were right, to the percent (0: not known).

    To the percent, so that amounts at stake are not all written anew for a hair of a difference.
    """
    value = ((record or {}).get("precision") or {}).get("value")
    return 0.0 if value is None else round(float(value), 2)


def close(closing: Sequence[tuple[dt.date, str, int]], *, fence: Callable[[], None]) -> int:
    """Close alerts.

    Args:
        closing: Of each the day, one of `Alert.End`, and the key.
        fence: As for `bring_up_to_date`.

    Returns:
        How many.
    """
    for part in bulk.in_parts(closing, PART):
        with transaction.atomic():
            fence()
            rows = [(day.isoformat(), str(by), False, pk) for day, by, pk in part]
            bulk.update(Alert, "id", ("closed_on", "closed_by", "is_open"), rows)
        bulk.give_way()
    return len(closing)


def _raise(
    signal: str,
    seen: Seen,
    rows: Sequence[Mapping[str, Any]],
    share: float,
    adrift: dict[str, tuple[Key, int]],
    done: Counter[str],
) -> list[Key]:
    """Store alerts that are open and not stored so; the keys of those that moved are given back."""
    known = Customer.objects.select_for_update().filter(
        pk__in=[row["customer_id"] for row in rows], erased_at=None, merged_into=None
    )
    there = set(known.order_by().values_list("pk", flat=True))
    rows = [row for row in rows if row["customer_id"] in there]
    closed = {
        (customer, day): (pk, outcome)
        for pk, customer, day, outcome in Alert.objects.filter(signal=signal, customer__in=there)
        .order_by()
        .values_list("pk", "customer_id", "raised_on", "outcome")
    }
    inserts, moves, back, moved = [], [], [], []
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    for row in rows:
        amount, stake = _worth(row["bought_for"], share)
        key = (row["customer_id"], row["raised_on"])
        if key in closed:
            pk, outcome = closed[key]
            back.append((_plain(amount), stake, pk))
            # Whoever had closed one themselves is not asked again.
            done["reopened"] += not outcome
            continue
        reason = connection.ops.adapt_json_value(seen.why(row), None)
        if (drifted := adrift.pop(row["customer_id"], None)) is not None:
            old, pk = drifted
            moved.append(old)
            moves.append((key[1].isoformat(), reason, _plain(amount), stake, pk))
            continue
        inserts.append(
            (key[0], signal, key[1].isoformat(), reason, _plain(amount), stake, now, True, "", "",
             "")
        )  # fmt: skip
    bulk.insert(Alert, _COLUMNS, inserts)
    bulk.update(Alert, "id", ("raised_on", "reason", "bought_for", "stake"), moves)
    bulk.update(Alert, "id", ("bought_for", "stake"), back)
    Alert.objects.filter(pk__in=[pk for *_values, pk in back]).update(
        closed_on=None,
        closed_by="",
        is_open=Case(When(outcome="", then=Value(True)), default=Value(False)),
    )
    done.update(raised=len(inserts), moved=len(moves))
    return moved


def _worth(amount: Any, share: float) -> tuple[Decimal | None, float]:
    """What was bought for, and what of it is at stake."""
    if amount is None:
        return None, 0.0
    exact = Decimal(str(amount)).quantize(_CENT)
    return exact, round(max(0.0, float(exact)) * share, 2)


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
