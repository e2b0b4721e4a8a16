"""How an export of a software is declared: its headers, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Export:
    """The headers of one kind of export, as `plain_name` writes them.

    Attributes:
        name: The software.
        table: The canonical table it is brought into.
        marks: Headers that only this export has together.
        any_of: At least one of these must be there too (empty: no matter).
        columns: What each known header is.
        ignored: Headers that are not read (a second address, the software's own numbers).
        formats: The convention of a column, where it is not the usual one.
        told_once: The header of what is told on the first of its rows alone: the order, or the
            product whose variants these are (empty: each row says all).
        kind: The header of what each row is, where not all rows are sales (see `movements`).
        payments: Whether its payments are the sales: others list payments of their invoices.
        of_refunds: Headers that say of rows given back what another column says of sales.
        unpaid: Words of its status that nobody has paid yet.
        times: The header of how many are subscribed to, where the price is that of one.
        refunds: How a refund is told, if not by its amount: ``left`` by what is left of the order,
            ``capped`` by a sum that may hold taxes beside it.
    """

    name: str
    table: str
    marks: frozenset[str]
    columns: dict[str, str]
    any_of: frozenset[str] = frozenset()
    ignored: tuple[str, ...] = ()
    formats: dict[str, str] = field(default_factory=dict)
    told_once: str = ""
    kind: str = ""
    payments: bool = False
    of_refunds: dict[str, str] = field(default_factory=dict)
    unpaid: tuple[str, ...] = ()
    times: str = ""
    refunds: Literal["", "left", "capped"] = ""


def names(text: str) -> frozenset[str]:
    """Plain headers of a text, parted by blanks."""
    return frozenset(text.split())
