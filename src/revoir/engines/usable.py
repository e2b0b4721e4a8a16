"""What is done to every canonical table, wherever it comes from, before anything is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir


def usable(name: str, table: ir.Table, currency: str | None) -> ir.Table:
    """The rows of a canonical table that figures can be made of.

    The rows of a file were checked when it was read; those of a warehouse were not.

    Args:
        name: The name of the canonical table.
        table: The table.
        currency: The currency of amounts that carry none (None: it is not known).

    Returns:
        The table, without subscriptions that end before they begin, and with that currency.

    Examples:
        >>> import ibis
        >>> orders = ibis.memtable({"amount": [1, 2], "currency": ["USD", None]})
        >>> usable("orders", orders, "EUR").currency.to_pyarrow().to_pylist()
        ['USD', 'EUR']
    """
    if name not in ("orders", "subscriptions"):
        return table
    if name == "subscriptions" and {"started_at", "ended_at"} <= set(table.columns):
        begun, ended = table.started_at.cast("date"), table.ended_at.cast("date")
        table = table.filter(~(ended < begun).fill_null(False))
    if currency and "currency" in table.columns and table.currency.type().is_string():
        table = table.mutate(currency=table.currency.fill_null(currency))
    return table
