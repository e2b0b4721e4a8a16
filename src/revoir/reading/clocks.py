"""Hours that a zone's clocks skip or strike twice, and the cells of a file that stand in one.

One rule holds for both: such a time is in the offset that was in force before the change. So the
half past two that comes twice is the first one, and the one that is skipped is half past three.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from revoir.engines.sql import identifier, literal
from revoir.language import Message, msg, nmsg
from revoir.reading import values
from revoir.reading.fields import Field, Fields
from revoir.reading.part import Part, summary
from revoir.reading.profile import Profile
from revoir.tables import Type, plain_name

if TYPE_CHECKING:
    import duckdb

_DAY = dt.timedelta(days=1)
_SECOND = dt.timedelta(seconds=1)


class Shift(NamedTuple):
    """A change of a zone's clocks, in times that the wall clock shows.

    Attributes:
        start: The first time that is skipped or comes twice.
        end: The first time after those.
        skipped: Whether the times are skipped; they come twice if not.
    """

    start: dt.datetime
    end: dt.datetime
    skipped: bool

    def holds(self, local: str) -> str:
        """SQL of whether a time is one of those."""
        return f"({local} >= TIMESTAMP '{self.start}' AND {local} < TIMESTAMP '{self.end}')"


def shifts(zone: str, first: dt.date, last: dt.date) -> list[Shift]:
    """The changes of a zone's clocks between two days.

    Args:
        zone: IANA name of the zone.
        first: The first day.
        last: The last day.

    Returns:
        The changes in the order of time.

    Examples:
        >>> [shift] = shifts("Europe/Paris", dt.date(2024, 3, 1), dt.date(2024, 4, 1))
        >>> str(shift.start), str(shift.end), shift.skipped
        ('2024-03-31 02:00:00', '2024-03-31 03:00:00', True)
    """
    held = zoneinfo.ZoneInfo(zone)

    def offset(moment: dt.datetime) -> dt.timedelta:
        return held.fromutc(moment.replace(tzinfo=held)).replace(tzinfo=None) - moment

    # A day on either side, since the day in UTC is not quite the day on the wall.
    day = dt.datetime.combine(first, dt.time()) - _DAY
    end = dt.datetime.combine(last, dt.time()) + 2 * _DAY
    found = []
    before = offset(day)
    while day < end:
        after = offset(day + _DAY)
        if after != before:
            low, high = day, day + _DAY
            while high - low > _SECOND:
                middle = low + (high - low) // 2
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            moment = high.replace(microsecond=0)
            found.append(
                Shift(moment + min(before, after), moment + max(before, after), after > before)
            )
        day, before = day + _DAY, after
    return found


def tell_shifted(connection: duckdb.DuckDBPyConnection, part: Part, zone: str) -> None:
    """Say which times of a file the clocks skip, or strike twice, and keep the latter.

    Args:
        connection: The connection that holds the file.
        part: The converted file; its notes are added to, and what `utc` needs to know.
        zone: IANA name of the zone that its times are in.
    """
    for held in part.fields.values():
        kind = held.sql_type.upper()
        utc = held.mapping.format == "utc" or kind.startswith("TIMESTAMP WITH")
        # A day without a time is in no doubt; with an hour beside it, it may be.
        if held.type is Type.TIMESTAMP and (held.hour or (kind != "DATE" and not utc)):
            part.notes += _shifted(connection, part, held, zone)


def _shifted(
    connection: duckdb.DuckDBPyConnection, part: Part, held: Field, zone: str
) -> list[Message]:
    local = identifier(held.key)
    span = summary(connection, f"SELECT min({local}) AS a, max({local}) AS b FROM {part.accepted}")
    if span["a"] is None:
        return []
    changes = shifts(zone, span["a"].date(), span["b"].date())
    part.twice[held.key] = tuple(change for change in changes if not change.skipped)
    notes = []
    for skipped in (True, False):
        hours = " OR ".join(change.holds(local) for change in changes if change.skipped is skipped)
        if hours:
            notes += _told(connection, part, held, hours, skipped=skipped)
    return notes


def _told(
    connection: duckdb.DuckDBPyConnection, part: Part, held: Field, hours: str, *, skipped: bool
) -> list[Message]:
    """The note on the times in some hours, none where there are none."""
    local = identifier(held.key)
    # Midnight is mostly a day without a time, and a time with a zone is never in doubt.
    cell = f"rv_clean({values.text_of(f'r.{held.column}', held.sql_type)})"
    if held.hour:
        hour = f"r.{held.hour.column}"
        clock = since_midnight(hour, held.hour.sql_type)
        cell = (
            f"CASE WHEN CAST({local} AS TIME) = CAST(TIMESTAMP '1900-01-01' + {clock} AS TIME)"
            f" THEN regexp_replace({cell}, '[T ]00:00:00.*$', '') || ' '"
            f" || {values.text_of(hour, held.hour.sql_type)} ELSE {cell} END"
        )
    found = summary(
        connection,
        "SELECT count(*) AS n, min(_line) AS line, arg_min(cell, _line) AS value FROM"
        f" (SELECT t._line, {cell} AS cell FROM {part.accepted} AS t"
        f" JOIN {part.raw.relation} AS r ON r._line = t._line"
        f" WHERE ({hours}) AND CAST({local} AS TIME) <> TIME '00:00:00')"
        f" WHERE {values.zoned('cell')} IS NULL",
    )
    if not found["n"]:
        return []
    said = {
        "line": found["line"],
        "header": held.mapping.header or held.mapping.column,
        "value": str(found["value"]),
    }
    if skipped:
        note = nmsg(
            "Line {line}, column {header}: the clocks were put forward over “{value}”; it counts as"
            " an hour later, on the day it says.",
            "Line {line}, column {header}: the clocks were put forward over “{value}”, and over {n}"
            " times in all; they count as an hour later, on the day they say.",
            found["n"], **said,
        )  # fmt: skip
    else:
        note = nmsg(
            "Line {line}, column {header}: “{value}” came twice when the clocks were put back; it"
            " counts as the first, on the day it says.",
            "Line {line}, column {header}: “{value}” came twice when the clocks were put back, as"
            " did {n} times in all; they count as the first, on the day they say.",
            found["n"], **said,
        )  # fmt: skip
    return [note]


def utc(local: str, zone: str, twice: Sequence[Shift] = ()) -> str:
    """SQL of a local time in UTC.

    Args:
        local: SQL of the time that the wall clock shows.
        zone: IANA name of its zone.
        twice: The hours that its clocks strike twice within the data.

    Returns:
        The time in UTC; DuckDB takes the second of two, and adds to one that is skipped.
    """
    held = f"timezone('UTC', timezone({literal(zone)}, {local}))"
    cases = " ".join(
        f"WHEN {change.holds(local)} THEN to_seconds({(change.end - change.start).seconds})"
        for change in twice
    )
    return f"({held} - CASE {cases} ELSE to_seconds(0) END)" if cases else held


_DATED = ("orders.ordered_at", "events.occurred_at", "interactions.opened_at")
_TIME_WORDS = frozenset(("heure", "hour", "time"))
# Another word, as in “heure de livraison”, makes it the time of something else.
_SALE_WORDS = frozenset(
    ("d", "de", "du", "l", "la", "of", "day", "vente", "commande", "achat", "ticket",
     "transaction", "order", "sale", "purchase")
)  # fmt: skip
_OF_DAY = re.compile(r"\d{1,2}\s?[:hH]\s?\d{2}(:\d{2}(\.\d+)?)?(\s?[aApP][mM])?")
_OF_DAY_FORMS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%g", "%I:%M:%S%p", "%I:%M%p")


def join_times(fields: Fields, profiles: dict[str, Profile], notes: list[Message]) -> None:
    """Join the time of day to the date where they stand in two columns.

    Two purchases of one day are one order without it.

    Args:
        fields: The fields of a file; that of its date is given the time.
        profiles: What its columns look like.
        notes: Told which columns were joined.
    """
    day = next((fields[key] for key in _DATED if key in fields), None)
    if day is None or day.mapping.format == "utc":
        return
    for held in fields.attributes:
        words = set(plain_name(held.mapping.header).split("_"))
        if not words & _TIME_WORDS or words - _TIME_WORDS - _SALE_WORDS:
            continue
        profile = profiles[held.mapping.column]
        kind = held.sql_type.upper()
        clocks = kind.startswith("TIME") and not kind.startswith("TIMESTAMP")
        if not clocks and not (profile.cells and all(map(_OF_DAY.fullmatch, profile.cells))):
            continue
        fields[day.key] = replace(day, hour=held)
        notes.append(
            msg(
                "Column {header}: its times of day are joined to the dates of column {date}.",
                header=held.mapping.header,
                date=day.mapping.header or day.mapping.column,
            )
        )
        return


def since_midnight(hour: str, sql_type: str) -> str:
    """SQL of the time that has gone by since midnight; none where a cell says no time of day.

    Args:
        hour: SQL of the cells of a column of times of day.
        sql_type: Their type.
    """
    text = values.text_of(hour, sql_type)
    plain = f"replace(regexp_replace(lower({text}), '\\s', '', 'g'), 'h', ':')"
    forms = ", ".join(map(literal, _OF_DAY_FORMS))
    since = f"try_strptime({plain}, [{forms}]) - TIMESTAMP '1900-01-01'"
    return f"coalesce({since}, INTERVAL 0 SECOND)"
