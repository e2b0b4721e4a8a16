"""The computed figures of customers, written in bulk after each computation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Avg, Count, F, FloatField, Sum
from django.db.models.functions import Cast

from revoir.language import Message
from revoir_web.common import bulk, words
from revoir_web.customers.models import CustomerFigures, SegmentAverage

PART = 4000
COLUMNS = (
    "orders", "revenue", "first_on", "last_on", "last_contact_on", "gap_days", "segment",
    "status", "rfm",
)  # fmt: skip
_CENT = Decimal("0.01")
_DAYS = ("first_on", "last_on", "last_contact_on")


def write_figures(
    rows: Any, *, complete: bool = False, labels: Mapping[str, Message] | None = None
) -> int:
    """Write what was computed of customers; only what changed is written.

    Args:
        rows: An Arrow table or dictionaries with `customer_id` and any of `COLUMNS`: `orders`
            (count), `revenue` (the company's currency), `first_on`, `last_on`,
            `last_contact_on` (days), `gap_days` (typical days between purchases), `segment`
            (name of an RFM segment), `status` (`CustomerFigures.Status`), `rfm` ("543").
        complete: Whether customers that are not named have no figures any more.
        labels: Name of a segment → what people call it.

    Returns:
        How many customers have other figures than before.
    """
    changed = 0
    seen: set[str] = set()
    for part in _parts(rows):
        changed += _write(part)
        if complete:
            seen.update(part)
    if complete:
        changed += _empty_others(seen)
    _write_averages(labels or {})
    return changed


def _parts(rows: Any) -> Iterable[dict[str, Mapping[str, Any]]]:
    if hasattr(rows, "to_batches"):
        # In the order of the keys, so that a part is a stretch of the table.
        ordered = rows.sort_by("customer_id")
        for batch in ordered.to_batches(max_chunksize=PART):
            yield {row["customer_id"]: row for row in batch.to_pylist() if row["customer_id"]}
        return
    named = sorted(
        (row for row in rows if row["customer_id"]), key=lambda row: str(row["customer_id"])
    )
    for part in bulk.in_parts(named, PART):
        yield {row["customer_id"]: row for row in part}


def _write(rows: Mapping[str, Mapping[str, Any]]) -> int:
    if not rows:
        return 0
    with transaction.atomic():
        first, last = min(rows), max(rows)
        stretch = CustomerFigures.objects.filter(pk__gte=first, pk__lte=last)
        if len(rows) < PART:
            # A few customers may stand far apart.
            stretch = CustomerFigures.objects.filter(pk__in=list(rows))
        changes = []
        as_text = connection.vendor == "sqlite"
        # Who was merged, erased or is unknown has no row here, and gets none.
        for id, *before in stretch.values_list("customer_id", *COLUMNS).iterator(chunk_size=PART):
            told = rows.get(id)
            if told is None:
                continue
            after = [
                _value(name, told[name], was) if name in told else was
                for name, was in zip(COLUMNS, before, strict=True)
            ]
            if after != before:
                changes.append((*(_database(value, as_text) for value in after), id))
        bulk.update(CustomerFigures, "customer_id", COLUMNS, changes)
    return len(changes)


def _value(name: str, value: Any, before: Any) -> Any:
    if name in _DAYS:
        return value.date() if isinstance(value, dt.datetime) else value
    if name == "revenue":
        return Decimal(str(value or 0)).quantize(_CENT)
    if name == "gap_days":
        return None if value is None else round(float(value), 1)
    if name == "orders":
        return int(value or 0)
    if name == "status" and value not in CustomerFigures.Status.values:
        return before
    return str(value or "")


def _database(value: Any, as_text: bool) -> Any:
    if as_text and isinstance(value, dt.date | Decimal):
        return str(value)
    return value


def _empty_others(seen: set[str]) -> int:
    others = [
        id
        for id in CustomerFigures.objects.filter(orders__gt=0)
        .values_list("customer_id", flat=True)
        .iterator(chunk_size=PART)
        if id not in seen
    ]
    nothing = {
        "orders": 0,
        "revenue": 0,
        "first_on": None,
        "last_on": None,
        "gap_days": None,
        "segment": "",
        "status": CustomerFigures.Status.PROSPECT,
        "rfm": "",
    }
    return sum(_write(dict.fromkeys(part, nothing)) for part in bulk.in_parts(others, PART))


@transaction.atomic
def _write_averages(labels: Mapping[str, Message]) -> None:
    """What a customer of each segment does on average."""
    means = (
        CustomerFigures.objects.filter(orders__gt=0)
        .order_by()
        .values("segment")
        .annotate(
            customers=Count("pk"),
            mean_orders=Avg("orders"),
            mean_revenue=Avg(Cast("revenue", FloatField())),
            basket=Cast(Sum("revenue"), FloatField()) / Cast(Sum(F("orders")), FloatField()),
            mean_gap=Avg("gap_days"),
        )
    )
    kept = dict(SegmentAverage.objects.values_list("segment", "label"))
    fresh = [
        SegmentAverage(
            segment=row["segment"],
            label=words.to_json(labels.get(row["segment"])) or kept.get(row["segment"]),
            customers=row["customers"],
            orders=row["mean_orders"],
            revenue=row["mean_revenue"],
            basket=row["basket"],
            gap_days=row["mean_gap"],
        )
        for row in means
    ]
    SegmentAverage.objects.all().delete()
    SegmentAverage.objects.bulk_create(fresh)
