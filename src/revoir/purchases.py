"""Purchases beside their neighbours in time: the one heavy table, of which figures are scans.

`beside_neighbours` defines it on any engine. On DuckDB `computed` makes the same table at half
the cost: one sort by customer and day, then one pass over the sorted columns; its results are
held against the definition by the tests.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MONTH_OF = "{}_month"
"""What the column is called that numbers the months of a column of days."""


def beside_neighbours(orders: ir.Table, by: Sequence[str] = ()) -> ir.Table:
    """Put every purchase of a known customer beside that customer's neighbouring ones.

    Args:
        orders: Orders with `customer_id`, `ordered_on`, `amount` and `kind`.
        by: Further columns; each of their values is a shop of its own.

    Returns:
        The table that `Book.purchases` describes, with the columns of `by`.
    """
    bought = _bought(orders, by)
    keys = ["customer_id", *(name for name in by if name != "customer_id")]
    window = ibis.window(group_by=keys, order_by="day")
    so_far = ibis.range_window(group_by=keys, order_by="day", preceding=None, following=0)
    placed = bought.mutate(
        previous_day=bought.day.lag().over(window),
        next_day=bought.day.lead().over(window),
        first_day=bought.day.first().over(window),
        nth=ibis.dense_rank().over(window) + 1,
        amount_so_far=bought.amount.fill_null(0).sum().over(so_far),
    )
    return placed.mutate(first_amount=placed.amount_so_far.first().over(window))


def computed(backend: Any, orders: ir.Table) -> ir.Table | None:
    """Compute `beside_neighbours` on DuckDB by a sort and one pass.

    Args:
        backend: The Ibis backend of DuckDB that holds the orders.
        orders: The orders.

    Returns:
        A temporary table with the columns of `beside_neighbours` and, for `day`, `previous_day`,
        `next_day` and `first_day`, the number of its month (years × 12 + months − 1). None where
        amounts are not exact decimals of 18 digits, which alone add up in integers.
    """
    bought = _bought(orders)
    kind = bought.amount.type()
    if not kind.is_decimal() or kind.precision is None or kind.precision > _DIGITS:
        return None
    connection = backend.con
    # Decimals of 18 digits cross over as the integers that they are.
    connection.execute("SET arrow_output_version = '1.5'")
    backend._run_pre_execute_hooks(bought)
    ordered = backend.compile(bought.order_by("customer_id", "day"))
    held = connection.sql(ordered).to_arrow_table()
    connection.execute("RESET arrow_output_version")  # others read decimals as they always were
    if not held.num_rows or held["day"].null_count:
        return None
    blocks = (_placed(block, kind.scale) for block in _customers(held))
    first = next(blocks)
    rows = (batch for block in chain([first], blocks) for batch in block.to_batches())
    name = f"revoir_{uuid.uuid4().hex}"
    connection.register(f"{name}_rows", pa.RecordBatchReader.from_batches(first.schema, rows))
    connection.execute(f"CREATE TEMPORARY TABLE {name} AS FROM {name}_rows").fetchall()
    connection.unregister(f"{name}_rows")
    table: ir.Table = backend.table(name)
    return table


def _bought(orders: ir.Table, by: Sequence[str] = ()) -> ir.Table:
    chosen = {"customer_id": orders.customer_id, "day": orders.ordered_on, "amount": orders.amount}
    if "margin" in orders.columns:
        chosen["margin"] = orders.margin
    for name in by:
        chosen[name] = orders[name]
    known = (orders.kind == "purchase") & orders.customer_id.notnull()
    return orders.filter(known).select(**chosen)


_DIGITS = 18


def _customers(held: pa.Table) -> Iterator[pa.Table]:
    """Cut sorted rows between customers, into blocks that fit the processor's cache."""
    pieces: list[pa.RecordBatch] = []
    for batch in held.to_batches():
        opens = np.flatnonzero(_differs(batch["customer_id"]))
        if len(opens):
            last = int(opens[-1]) + 1
            yield _joined([*pieces, batch.slice(0, last)])
            pieces = [batch.slice(last)]
            continue
        if pieces and pieces[0]["customer_id"][0] != batch["customer_id"][0]:
            yield _joined(pieces)
            pieces = []
        pieces.append(batch)
    yield _joined(pieces)


def _joined(pieces: Sequence[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(pieces).combine_chunks()


def _differs(values: pa.Array) -> np.ndarray:
    """Whether each value but the first differs from the one before."""
    before, after = values.slice(0, len(values) - 1), values.slice(1)
    differs: np.ndarray = pc.not_equal(after, before).to_numpy(zero_copy_only=False)
    return differs


def _placed(bought: pa.Table, scale: int) -> pa.Table:
    """Walk over purchases of whole customers, sorted by customer and day."""
    n = bought.num_rows
    whose, dates, amounts = (bought[name].chunk(0) for name in ("customer_id", "day", "amount"))
    day = dates.view(pa.int32()).to_numpy()
    amount = _integers(amounts)

    opens, closes = np.ones(n, bool), np.ones(n, bool)
    opens[1:] = _differs(whose)
    closes[:-1] = opens[1:]
    previous, following = np.roll(day, 1), np.roll(day, -1)

    start = np.flatnonzero(opens)
    rows = np.diff(start, append=n)
    opens_day = opens | (day != previous)
    closes_day = np.append(opens_day[1:], True)
    day_end = np.flatnonzero(closes_day)
    visits = np.cumsum(opens_day, dtype=np.int64)
    visits_before = visits[start] - 1

    # Integers wrap around and back: differences are right even where the sum over customers is not.
    running = np.cumsum(amount)
    running_before = running[start] - amount[start]
    shared = np.flatnonzero(~closes_day)
    running[shared] = running[day_end[visits[shared] - 1]]
    first_amount = running[day_end[visits_before]] - running_before

    month = _months(day)
    moments = {
        "day": (day, month, None),
        "previous_day": (previous, np.roll(month, 1), opens),
        "next_day": (following, np.roll(month, -1), closes),
        "first_day": (np.repeat(day[start], rows), np.repeat(month[start], rows), None),
    }
    return pa.table(
        {
            **{name: bought[name] for name in bought.column_names},
            **{
                name: pa.array(days, pa.int32(), mask=absent).view(pa.date32())
                for name, (days, _, absent) in moments.items()
            },
            **{
                MONTH_OF.format(name): pa.array(months, mask=absent)
                for name, (_, months, absent) in moments.items()
            },
            "nth": pa.array(visits - np.repeat(visits_before, rows)),
            "amount_so_far": _decimals(running - np.repeat(running_before, rows), scale),
            "first_amount": _decimals(np.repeat(first_amount, rows), scale),
        }
    )


def _months(day: np.ndarray) -> np.ndarray:
    """The number of the month of each day, looked up rather than computed."""
    first = int(day.min())
    known = np.arange(first, int(day.max()) + 1).astype("datetime64[D]")
    months: np.ndarray = (known.astype("datetime64[M]").astype(np.int32) + 1970 * 12)[day - first]
    return months


def _integers(amounts: pa.Array) -> np.ndarray:
    """The digits of decimals as integers; an amount that is missing adds nothing."""
    width = amounts.type.bit_width // 8
    digits = np.frombuffer(amounts.buffers()[1], f"i{width}")
    digits = digits[amounts.offset : amounts.offset + len(amounts)].astype(np.int64, copy=False)
    if amounts.null_count:
        digits = np.where(amounts.is_valid().to_numpy(zero_copy_only=False), digits, 0)
    return digits


def _decimals(digits: np.ndarray, scale: int) -> pa.Array:
    held = np.ascontiguousarray(digits, dtype=np.int64)
    return pa.Array.from_buffers(
        pa.decimal64(_DIGITS, scale), len(held), [None, pa.py_buffer(held)]
    )
