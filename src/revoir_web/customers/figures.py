"""The computed figures of customers, written in bulk after each computation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Avg, Count, FloatField, Q, QuerySet, Sum
from django.db.models.functions import Cast

from revoir.language import Message
from revoir_web.common import bulk, words
from revoir_web.customers import columns
from revoir_web.customers.models import CustomerFigures, SegmentAverage

PART = 2000
"""Rows written at a time."""
COLUMNS = (
    "orders", "revenue", "first_on", "last_on", "last_contact_on", "gap_days", "segment",
    "status", "rfm",
)  # fmt: skip
FORETOLD = ("leaves", "stake", "clv", "next_on", "health")
"""Columns of what is foretold; they are computed apart from the others."""
_CENT = Decimal("0.01")
_NOTHING = {
    "orders": 0,
    "revenue": 0,
    "first_on": None,
    "last_on": None,
    "gap_days": None,
    "segment": "",
    "status": CustomerFigures.Status.PROSPECT,
    "rfm": "",
}
Rows = Sequence[tuple[Any, ...]]
Told = Callable[[int, int], None]


def write_figures(
    rows: Any,
    *,
    complete: bool = False,
    labels: Mapping[str, Message] | None = None,
    tell: Told | None = None,
) -> int:
    """Write what was computed of customers; only what changed is written.

    Parts are written one by one, each for itself: pages show some new figures before others.

    Args:
        rows: An Arrow table or dictionaries with `customer_id` and any of `COLUMNS`: `orders`
            (count), `revenue` (the company's currency; None: no amount is known in it),
            `first_on`, `last_on`, `last_contact_on` (days), `gap_days` (typical days between
            purchases), `segment` (name of an RFM segment), `status` (`CustomerFigures.Status`),
            `rfm` ("543").
        complete: Whether customers that are not named have no figures any more.
        labels: Name of a segment → what people call it.
        tell: Told how many of how many were compared.

    Returns:
        How many customers have other figures than before.
    """
    changed = _write_all(rows, COLUMNS, tell)
    if complete:
        changed += _empty_others(rows)
    _write_averages(labels or {})
    if changed:
        columns.write()
    return changed


def write_foretold(table: Any, *, tell: Told | None = None) -> int:
    """Write what is foretold of customers; of all who are not named, nothing is.

    Args:
        table: An Arrow table with `customer_id` and any of `FORETOLD`: `leaves` (probability),
            `stake` and `clv` (company's currency), `next_on` (day), `health` (0 to 100).
        tell: Told how many of how many were compared.

    Returns:
        How many customers have other figures than before.
    """
    changed = _write_all(table, FORETOLD, tell)
    for name in set(FORETOLD) - set(table.column_names):
        changed += CustomerFigures.objects.exclude(**{name: None}).update(**{name: None})
    known = Q(*(Q(**{f"{name}__isnull": False}) for name in FORETOLD), _connector=Q.OR)
    nothing = (None,) * len(FORETOLD)
    for keys in bulk.in_parts(_others(table, CustomerFigures.objects.filter(known)), PART):
        changed += _write(FORETOLD, [(*nothing, key) for key in keys])
    if changed:
        columns.write()
    return changed


def _write_all(rows: Any, wanted: Sequence[str], tell: Told | None) -> int:
    """Write columns part by part; how many customers have other figures than before."""
    changed, done = 0, 0
    total = rows.num_rows if hasattr(rows, "num_rows") else len(rows)
    for names, part in _parts(rows, wanted):
        changed += _write(names, part)
        done += len(part)
        if tell is not None:
            tell(done, total)
    return changed


def _parts(rows: Any, wanted: Sequence[str]) -> Iterator[tuple[Sequence[str], Rows]]:
    """Names of columns, and rows of database values with the key last, in the order of the keys."""
    if hasattr(rows, "to_batches"):
        # In the order of the keys, so that a part is a stretch of the table.
        for batch in rows.sort_by("customer_id").to_batches(max_chunksize=PART):
            names = [name for name in wanted if name in batch.schema.names]
            yield names, _values_of({name: batch[name] for name in (*names, "customer_id")})
        return
    named = sorted(
        (row for row in rows if row["customer_id"]), key=lambda row: str(row["customer_id"])
    )
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in named:
        groups.setdefault(tuple(name for name in wanted if name in row), []).append(row)
    for told, held in groups.items():
        for part in bulk.in_parts(held, PART):
            yield told, _rows_of(told, part)


def _rows_of(names: Sequence[str], part: Sequence[Mapping[str, Any]]) -> Rows:
    as_text = connection.vendor == "sqlite"
    columns = [_column(name, [row[name] for row in part], as_text) for name in names]
    return list(zip(*columns, [row["customer_id"] for row in part], strict=True))


def _values_of(columns: Mapping[str, Any]) -> Rows:
    """The rows of a part of an Arrow table, the key last; those without a key are left out."""
    import pyarrow as pa

    as_text = connection.vendor == "sqlite"
    held = []
    for name, column in columns.items():
        # Text of a column is ten times as quick as that of an object each.
        plain = as_text and (pa.types.is_date(column.type) or pa.types.is_decimal(column.type))
        told = (column.cast(pa.string()) if plain else column).to_pylist()
        held.append(told if name == "customer_id" else _column(name, told, as_text))
    return [row for row in zip(*held, strict=True) if row[-1]]


def _column(name: str, values: Sequence[Any], as_text: bool) -> Sequence[Any]:
    """Values of one column as the database takes them."""
    match name:
        case "orders":
            return [int(value or 0) for value in values]
        case "revenue":
            amounts = (value if value is None else Decimal(str(value)) for value in values)
            cents = (amount if amount is None else amount.quantize(_CENT) for amount in amounts)
            return [cent if cent is None else str(cent) for cent in cents] if as_text else [*cents]
        case "gap_days" | "health":
            return [None if value is None else round(float(value), 1) for value in values]
        case "leaves":
            return [None if value is None else round(float(value), 3) for value in values]
        case "clv" | "stake":
            return [None if value is None else round(float(value), 2) for value in values]
        case "status":
            # One that is not known leaves what is there.
            known = {str(status) for status in CustomerFigures.Status.values}
            return [str(value) if value in known else None for value in values]
        case "segment" | "rfm":
            return [str(value or "") for value in values]
    days = (value.date() if isinstance(value, dt.datetime) else value for value in values)
    return [day and str(day) for day in days] if as_text else list(days)


def _write(names: Sequence[str], rows: Rows) -> int:
    # Who was merged, erased or is unknown has no row here, and gets none.
    changed = bulk.update_changed(CustomerFigures, "customer_id", names, rows) if names else 0
    if changed:
        bulk.give_way()
    return changed


def _empty_others(rows: Any) -> int:
    """Take the figures of all who are not named."""
    names = tuple(_NOTHING)
    return sum(
        _write(names, _rows_of(names, [{**_NOTHING, "customer_id": id} for id in part]))
        for part in bulk.in_parts(_others(rows, CustomerFigures.objects.filter(orders__gt=0)), PART)
    )


def _others(rows: Any, held: QuerySet[CustomerFigures]) -> list[str]:
    """Those of some customers who are not named."""
    import pyarrow as pa
    import pyarrow.compute as pc

    named = (
        rows["customer_id"].cast(pa.string())
        if hasattr(rows, "to_batches")
        else pa.array([row["customer_id"] for row in rows], pa.string())
    )
    there = pa.array(
        held.order_by("pk").values_list("customer_id", flat=True).iterator(chunk_size=10_000),
        pa.string(),
    )
    found: list[str] = there.filter(pc.invert(pc.is_in(there, value_set=named))).to_pylist()
    return found


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
            basket=Cast(Sum("revenue"), FloatField())
            / Cast(Sum("orders", filter=Q(revenue__isnull=False)), FloatField()),
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
    # Computed before, for it takes seconds in which nobody else could write.
    with transaction.atomic():
        SegmentAverage.objects.all().delete()
        SegmentAverage.objects.bulk_create(fresh)
