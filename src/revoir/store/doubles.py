"""Rows that are in the lake already: what is appended again would count twice.

Sales are known by the number of their order. What is given back has the number of the order that
it is of: a return is known by that number, its day and its amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from revoir.store.commits import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

SALES = ("orders", "order_lines")
"""Tables whose rows may have the number of an order that they give back."""
_TELLING = ("ordered_on", "amount", "product_id", "product")
"""What tells what was given back of one order apart."""


def known(table: str, held: DeltaTable, rows: pa.Table, key: str) -> list[str]:
    """The keys of rows that a table has already (see `Lake.known`)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    there = arrow_schema(held).names
    if key not in rows.column_names or key not in there:
        return []
    telling = [name for name in _TELLING if name in there and name in rows.column_names]
    wanted = [key, *(["kind", *telling] if table in SALES and "kind" in there else [])]
    landed = held.to_pyarrow_dataset().to_table(columns=wanted)
    mine, theirs = _parted(table, rows), _parted(table, landed)
    sold = pc.is_in(_texts(mine[0], key), _texts(theirs[0], key))
    numbers = [_texts(mine[0], key).filter(sold)]
    if mine[1].num_rows and theirs[1].num_rows:
        again = pc.is_in(*(_texts(part[1], key, *telling) for part in (mine, theirs)))
        numbers.append(_texts(mine[1], key).filter(again))
    found = pc.drop_null(pc.unique(pa.concat_arrays(numbers)))
    texts: list[str] = found.to_pylist()
    return texts


def shared(table: str, held: DeltaTable | None, rows: pa.Table, key: str) -> list[str]:
    """Numbers of rows that are those of a sale and of a return: no row can be replaced by them.

    Args:
        table: The canonical table.
        held: The table in the lake (None: it is not there yet).
        rows: Rows that are to take the place of others.
        key: The column that numbers them.

    Returns:
        Each number once.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if table not in SALES or key not in rows.column_names:
        return []
    sides = [_parted(table, rows)]
    if held is not None and {key, "kind"} <= set(arrow_schema(held).names):
        sides.append(_parted(table, held.to_pyarrow_dataset().to_table(columns=[key, "kind"])))
    sold, back = (pa.concat_arrays([_texts(side[at], key) for side in sides]) for at in (0, 1))
    both = back.filter(pc.is_in(back, sold))
    found: list[str] = pc.unique(both.filter(pc.is_in(both, _texts(rows, key)))).to_pylist()
    return found


def crossed(table: str, there: pa.Table, rows: pa.Table, keys: Sequence[str]) -> bool:
    """Whether a row gives back what one of the same key sold, or the reverse.

    Args:
        table: The canonical table.
        there: Rows of it.
        rows: Rows that are to take their place; without a kind they keep that of those. What is
            cancelled neither sells nor gives back: it may.
        keys: The columns that identify a row.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if table not in SALES or not all("kind" in one.column_names for one in (there, rows)):
        return False

    def numbered(part: pa.Table, kind: str) -> pa.Array:
        return _texts(part.filter(pc.equal(part.column("kind").cast(pa.string()), kind)), *keys)

    return any(
        pc.any(pc.is_in(numbered(rows, kind), numbered(there, other))).as_py()
        for kind, other in (("return", "purchase"), ("purchase", "return"))
    )


def _parted(table: str, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The rows that give nothing back, and those that do: none in other tables than of sales."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if table not in SALES or "kind" not in rows.column_names:
        return rows, rows.slice(0, 0)
    back = pc.fill_null(pc.equal(rows.column("kind").cast(pa.string()), "return"), False)
    return rows.filter(pc.invert(back)), rows.filter(back)


def _texts(rows: pa.Table, key: str, *others: str) -> pa.Array:
    """What tells rows apart as one text; null without a key."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [rows.column(key).cast(pa.string()).combine_chunks()]
    for name in others:
        cells = rows.column(name)
        if pa.types.is_decimal(cells.type):  # 5 is 5.00
            cells = cells.cast(pa.float64())
        parts.append(pc.fill_null(cells.cast(pa.string()), "").combine_chunks())
    joined: pa.Array = pc.binary_join_element_wise(*parts, "\x1f") if others else parts[0]
    return joined
