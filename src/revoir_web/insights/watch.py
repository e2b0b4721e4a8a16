"""Alerts: what the core raises on the book, and how often its signals were right, as plain values.

The worker looks, one signal at a time; pages read what it stored.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from revoir.language import Message
from revoir_web.common import words
from revoir_web.consents.queries import refusals

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from revoir.book import Book
    from revoir.signals.alerts import Alerts
    from revoir.signals.record import Record
    from revoir.signals.registry import Signal


DECLINING = "unsubscribed"
"""The signal that refusals raise."""


@dataclass(frozen=True)
class Seen:
    """The alerts of one signal as they stand.

    Attributes:
        as_of: The last day of the data (None: no row has a date).
        reason: Why there are none (None: there may be), a message as JSON.
        open: The open ones: `customer_id`, `raised_on`, `bought_for`, and what the signal saw.
        ended: Of those that were asked about, the closed ones: `customer_id`, `raised_on`,
            `closed_on`, `closed_by`.
        record: How often such alerts were right, plain values and messages as JSON.
    """

    as_of: dt.date | None
    reason: dict[str, Any] | None
    open: pa.Table
    ended: pa.Table
    record: dict[str, Any]
    _signal: Signal
    _values: Mapping[str, float]
    _currency: str | None

    def why(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Why an alert was raised, worded as of the day that it was.

        Args:
            row: A row of `open`.

        Returns:
            A message as JSON.
        """
        from revoir.signals.registry import Case

        case = Case(row, self._values, row["raised_on"], self._currency)
        told: dict[str, Any] = words.plain(self._signal.reason(case))
        return told


def declared() -> list[dict[str, Any]]:
    """Every signal with its parameters, in the order of the catalogue.

    Returns:
        One mapping a signal: `name`, `label`, `meaning`, `family` and `parameters`; messages as
        JSON.
    """
    from revoir.signals import signals

    return [
        {
            "name": signal.name,
            "label": words.plain(signal.label),
            "meaning": words.plain(signal.meaning),
            "family": signal.family,
            "parameters": [
                {
                    "name": one.name,
                    "meaning": words.plain(one.meaning),
                    "default": one.default,
                    "low": one.low,
                    "high": one.high,
                    "whole": one.whole,
                    "share": one.share,
                }
                for one in signal.parameters
            ],
        }
        for signal in signals()
    ]


def differing(
    name: str, parameters: Iterable[Mapping[str, Any]], given: Mapping[str, float]
) -> dict[str, float]:
    """The parameters of a signal that are not as they come; the engine is not loaded.

    Args:
        name: The signal.
        parameters: As `declared` gives them.
        given: Values by name; those of parameters that the signal has not are passed over.

    Returns:
        Those that differ from the default.

    Raises:
        UsageError: A value makes no sense.
    """
    from revoir.signals.registry import Parameter

    found = {}
    for held in parameters:
        meaning = words.from_json(held["meaning"]) or Message("")
        one = Parameter(**{**held, "meaning": meaning})
        value = one.checked(given.get(one.name, one.default), name)
        if value != one.default:
            found[one.name] = value
    return found


def look(book: Book, name: str, given: Mapping[str, float], known: pa.Table) -> Seen:
    """The alerts of a signal as they stand, and what became of those known as open.

    Args:
        book: The company's tables.
        name: The signal.
        given: Its parameters, where they differ from the defaults.
        known: `customer_id` and `raised_on` of alerts to say the end of.

    Returns:
        The alerts.

    Raises:
        UsageError: A parameter makes no sense.
    """
    from revoir.signals import alerts_of

    if name == DECLINING and (told := refusals()):
        book = _told_of(book, told)
    found = alerts_of(book, name, given)
    nothing = found.reason is not None
    return Seen(
        as_of=book.last_day,
        reason=words.to_json(found.reason),
        open=_none_open() if nothing else book.columns(_open(book, found)),
        ended=_none_ended() if nothing or not known.num_rows else _ended(book, found, known),
        record=_record(found.record),
        _signal=found.signal,
        _values=found.values,
        _currency=book.currency,
    )


def _told_of(book: Book, told: Sequence[tuple[str, dt.date]]) -> Book:
    """The book with what customers declined themselves: the lake has only what events tell of."""
    import ibis
    import pyarrow as pa

    found = book.with_settings()
    found.refusals = ibis.memtable(
        pa.table(
            {
                "customer_id": pa.array([customer for customer, _day in told], pa.string()),
                "declined_on": pa.array([day for _customer, day in told], pa.date32()),
            }
        )
    )
    return found


def _open(book: Book, found: Alerts) -> ir.Table:
    import ibis

    from revoir.signals.alerts import bought_for

    rows = found.open.drop("act", "next_act", "nth", "gone_on", "closed_on", "closed_by")
    worth = bought_for(book)
    if worth is None:
        rows = rows.mutate(bought_for=ibis.null("decimal(18, 4)"))
    else:
        rows = rows.left_join(worth, rows.customer_id == worth.whose).drop("whose")
        rows = rows.rename(bought_for="bought__for")
    return rows.mutate(customer_id=rows.customer_id.cast("string"))


def _ended(book: Book, found: Alerts, known: pa.Table) -> pa.Table:
    import ibis

    rows = found.table
    rows = rows.filter(rows.closed_on.notnull()).select(
        "raised_on", "closed_on", "closed_by", customer_id=rows.customer_id.cast("string")
    )
    asked = ibis.memtable(known)
    return book.columns(rows.semi_join(asked, ["customer_id", "raised_on"]))


def _none_open() -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            "customer_id": pa.array([], pa.string()),
            "raised_on": pa.array([], pa.date32()),
            "bought_for": pa.array([], pa.decimal128(18, 4)),
        }
    )


def _none_ended() -> pa.Table:
    import pyarrow as pa

    days = {name: pa.array([], pa.date32()) for name in ("raised_on", "closed_on")}
    texts = {name: pa.array([], pa.string()) for name in ("customer_id", "closed_by")}
    return pa.table({**days, **texts})


def _record(record: Record) -> dict[str, Any]:
    plain = record.plain()
    days = {name: day.isoformat() if (day := plain[name]) else None for name in ("from", "to")}
    return {
        **{name: value for name, value in plain.items() if name != "signal"},
        **days,
        "sentence": words.plain(record.sentence()),
        "reason": words.to_json(record.reason),
        "muted": words.to_json(record.muted),
    }
