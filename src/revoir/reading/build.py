"""From raw cells to converted rows: every cell checked, bad rows and repeats told apart."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.language import Message, msg, nmsg
from revoir.reading import countries, dates, identity, movements, quarantine, statuses, values
from revoir.reading.clocks import join_times, since_midnight, tell_shifted
from revoir.reading.detect import Detection
from revoir.reading.fields import Field, Fields, plan, slow_sql
from revoir.reading.mapping import ColumnMapping
from revoir.reading.part import BACKWARDS, BIG, LINE_COLUMNS, Part
from revoir.reading.profile import Profile
from revoir.reading.raw import RawTable
from revoir.reading.repeats import tell_apart
from revoir.reading.report import FileReport
from revoir.reading.returns import tell_refunded, tell_refunded_twice, tell_returns
from revoir.tables import FAR, plain_name

if TYPE_CHECKING:
    import duckdb

FIRST_DAY = dt.date(1900, 1, 1)

_OF_VARIANTS = ("products.product_id", "products.stock")
"""What each variant of a product has of its own."""
_OF_SOMEBODY = ("customers", "subscriptions", "events")
"""Tables whose rows say nothing where they do not say of whom."""


def convert(
    connection: duckdb.DuckDBPyConnection,
    raw: RawTable,
    detection: Detection,
    profiles: dict[str, Profile],
    *,
    zone: str,
    today: dt.date | None,
    number: int,
) -> Part:
    """Convert and check every row of a raw table.

    Args:
        connection: The connection that holds it.
        raw: The raw table.
        detection: What its columns mean.
        profiles: What its columns look like.
        zone: IANA zone of times without zone.
        today: Orders after the day after this are mistakes (None: only those past 2100).
        number: The place of the file among those read.

    Returns:
        The converted file, with its report.
    """
    notes: list[Message] = list(raw.notes)
    if detection.told_once:
        raw = _filled_down(connection, raw, detection, number)
    fields = plan(connection, raw, detection, profiles, zone, notes)
    countries.apply(fields, profiles, notes)
    join_times(fields, profiles, notes)
    report = FileReport(
        raw.file, raw.sheet, detection.table, detection.confidence, detection.why, raw.headers,
        raw.rows_in, mapping=_resolved(detection, fields), notes=notes,
    )  # fmt: skip
    part = Part(
        raw, detection, fields, identifier(f"typed_{number}"), report, number=number, notes=notes,
    )  # fmt: skip
    identity.identify(part, profiles)
    identity.spell(connection, part, profiles)
    _set_strictness(part)
    _make(connection, part, today, zone)
    movements.leave_out(connection, part)
    identity.leave_nobody(connection, part)
    if detection.table == "orders":
        tell_refunded(connection, part)
        tell_returns(connection, part, profiles)
        tell_refunded_twice(connection, part)
    tell_apart(connection, part)
    quarantine.count(connection, part)
    _tell_left_out(connection, part)
    if part.endless:
        part.notes.append(
            nmsg(
                "Column {header}: one end lies in the year {year} or later: this subscription"
                " counts as running.",
                "Column {header}: {n} ends lie in the year {year} or later: these subscriptions"
                " count as running.",
                part.endless,
                header=part.fields[_ENDLESS].mapping.header, year=str(FAR.year),
            )
        )  # fmt: skip
    tell_shifted(connection, part, zone)
    return part


def _resolved(detection: Detection, fields: Fields) -> tuple[ColumnMapping, ...]:
    # A currency that stands in an amount's cells comes after the amount.
    held = {field.mapping.column: field.mapping for field in reversed(fields.values())}
    return tuple(held.get(mapping.column, mapping) for mapping in detection.columns)


def _tell_left_out(connection: duckdb.DuckDBPyConnection, part: Part) -> None:
    """Say which cells were left out because they could not be read, where the row was kept."""
    for key, count in part.unread.items():
        held = part.fields[key]
        if not count or held.strict:
            continue
        cell = values.text_of(f"r.{held.column}", held.sql_type)
        found = connection.execute(
            f"SELECT t._line, {cell} FROM {part.relation} AS t JOIN {part.raw.relation} AS r"
            f" ON r._line = t._line WHERE t.{identifier('?' + key)} ORDER BY t._line LIMIT 1"
        ).fetchall()
        if not found:
            continue
        row = found[0]
        header = held.mapping.header or held.mapping.column
        value = row[1] if len(row[1]) <= 60 else row[1][:57] + "…"
        if held.name == "phone" and "E+" in value.upper():
            part.notes.append(
                nmsg(
                    "Line {line}, column {header}: “{value}” has lost digits; it was left out."
                    " Format the column as text and export it again ({n} cell).",
                    "Line {line}, column {header}: “{value}” has lost digits; it was left out."
                    " Format the column as text and export it again ({n} cells).",
                    count, line=row[0], header=header, value=value,
                )
            )  # fmt: skip
            continue
        if held.per and any(map(str.isdigit, value)):
            part.notes.append(
                nmsg(
                    "Line {line}, column {header}: “{value}” is no percentage up to 100 and was"
                    " left out; the row was kept.",
                    "Line {line}, column {header}: “{value}” is no percentage up to 100 and was"
                    " left out, as were {n} cells in all; the rows were kept.",
                    count, line=row[0], header=header, value=value,
                )
            )  # fmt: skip
            continue
        part.notes.append(
            nmsg(
                "Line {line}, column {header}: “{value}” could not be read and was left out; the"
                " row was kept.",
                "Line {line}, column {header}: “{value}” could not be read and was left out, as"
                " were {n} cells in all; the rows were kept.",
                count, line=row[0], header=header, value=value,
            )
        )  # fmt: skip


def _filled_down(
    connection: duckdb.DuckDBPyConnection, raw: RawTable, detection: Detection, number: int
) -> RawTable:
    """Repeat what stands on the first row of an order, or of a product, on its other rows."""
    key, declared = detection.told_once, detection.declared
    types = dict(zip(raw.columns, raw.types, strict=True))
    cells = ["_line"]
    for mapping in detection.columns:
        column = identifier(mapping.column)
        own = mapping.table == "order_lines" or mapping.target in _OF_VARIANTS
        own |= declared is not None and plain_name(mapping.header) == declared.kind
        if own or mapping.column == key:
            cells.append(column)
        else:
            cell = f"nullif({column}, '')" if values.is_text(types[mapping.column]) else column
            cells.append(
                f"first_value({cell} IGNORE NULLS) OVER (PARTITION BY {identifier(str(key))}"
                " ORDER BY _line ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
                f" AS {column}"
            )
    name = identifier(f"filled_{number}")
    connection.execute(
        f"CREATE OR REPLACE TABLE {name} AS SELECT {', '.join(cells)} FROM {raw.relation}"
    )
    return replace(raw, relation=name)


def _set_strictness(part: Part) -> None:
    """Say which cells a row cannot do without."""
    table, fields = part.detection.table, part.fields

    def demand(*keys: str) -> None:
        for key in keys:
            if key in fields:
                fields[key] = replace(fields[key], required=True, strict=True)

    match table:
        case "orders":
            demand("orders.ordered_at")
            if part.has("orders.amount"):
                if not part.detection.unpriced:
                    demand("orders.amount")
            elif part.has("order_lines.amount"):
                demand("order_lines.amount")
            else:
                demand("order_lines.unit_price", "order_lines.quantity")
            if part.has("orders.order_id") and any(
                f"order_lines.{name}" in fields for name in LINE_COLUMNS
            ):
                demand("orders.order_id")
        case "subscriptions":
            demand("subscriptions.customer_id")
        case "interactions":
            demand("interactions.opened_at")
        case "events":
            demand("events.occurred_at", "events.event", "events.customer_id")
        case "products":
            demand("products.product_id" if part.has("products.product_id") else "products.product")
        case "customers":
            if part.identity == "customer_id" and not part.has("customers.email"):
                demand("customers.customer_id")
    if part.identity == "email" or table == "customers":
        for key in ("customers.email",):
            if key in fields:
                fields[key] = replace(
                    fields[key], strict=True,
                    required=part.identity == "email" and table in _OF_SOMEBODY,
                )  # fmt: skip


def _faults(part: Part, today: dt.date | None) -> list[tuple[int, str]]:
    """For each strict column its place and the SQL that says a row fails there."""
    last = FAR if today is None else min(FAR, today + dt.timedelta(days=2))
    faults = []
    for place, held in enumerate(part.fields.values(), 1):
        if not held.strict:
            continue
        typed = identifier(held.key)
        fault = f"{typed} IS NULL" if held.required else f"({typed} IS NULL AND {_given(held)})"
        if nothing := _nothing_paid(part, held):
            fault = f"({fault} AND NOT {nothing})"
        if held.key == "products.product_id" and part.has("products.product"):
            # A shop without codes calls its products by name, in its order lines too.
            fault += ' AND "products.product" IS NULL'
        if held.moment:
            until = last if held.mapping.target in _HAPPENED else FAR
            fault += f" OR {typed} < DATE '{FIRST_DAY}'"
            if held.key != _ENDLESS:
                fault += f" OR {typed} >= DATE '{until}'"
        if held.key == "order_lines.unit_price" and part.has("order_lines.quantity"):
            times = values.product(typed, identifier("order_lines.quantity"))
            fault += f' OR ("order_lines.quantity" IS NOT NULL AND {times} IS NULL)'
        if held.unsure:
            lines = " OR ".join(f"_line BETWEEN {first} AND {last}" for first, last in held.unsure)
            either = dates.could_be_either(identifier("?" + held.key))
            fault += f" OR (({lines}) AND {either})"
        faults.append((place, fault))
    return faults


def _nothing_paid(part: Part, held: Field) -> str | None:
    """SQL of whether an amount is left empty on a row whose status says that nobody paid."""
    if held.key not in _MONEY or not held.required:
        return None
    unpaid = statuses.cancelled(part)
    if unpaid is None:
        return None
    given = _given(held) if held.checked else "false"
    return f"({identifier(held.key)} IS NULL AND NOT {given} AND {unpaid})"


_MONEY = ("orders.amount", "order_lines.amount", "order_lines.unit_price", "order_lines.quantity")
_HAPPENED = frozenset(
    ("orders.ordered_at", "responses.responded_on", "events.occurred_at", "interactions.opened_at")
)


_BEGUN = "subscriptions.started_at"
_ENDLESS = "subscriptions.ended_at"
"""Many systems write a day such as 9999-12-31 where there is no end."""


def _make(
    connection: duckdb.DuckDBPyConnection, part: Part, today: dt.date | None, zone: str
) -> None:
    """Convert all cells and mark the rows that fail.

    One pass suffices where plain casts read every cell. The cells they cannot read are looked
    at once more, each different one once, by the expressions that know month names and signs
    of currency.
    """
    part.is_table = any(values.is_text(kind) for kind in part.raw.types) or part.raw.rows_in < BIG
    with values.words_compared(connection):
        unread = _pass(connection, part, today, {})
    lookups = {
        key: identifier(f"read_{number}_{part.relation.strip(chr(34))}")
        for number, (key, count) in enumerate(unread.items())
        if count and part.fields[key].slow
    }
    if not lookups:
        return
    for key, name in lookups.items():
        _look_up(connection, part, part.fields[key], name, zone, today)
    with values.words_compared(connection):
        _pass(connection, part, today, lookups)


def _pass(
    connection: duckdb.DuckDBPyConnection,
    part: Part,
    today: dt.date | None,
    lookups: dict[str, str],
) -> dict[str, int]:
    """Convert all cells; tell how many of each field were given and could not be read."""
    fields = part.fields
    types = dict(zip(part.raw.columns, part.raw.types, strict=True))
    used = dict.fromkeys(held.mapping.column for held in fields.values())
    # A cast needs no cleaning, and what it cannot read is looked up clean.
    clean = {
        held.mapping.column
        for held in fields.values()
        if held.typed != held.column and (not held.slow or held.key in lookups)
    }
    cells = ["_line"] + [
        f"rv_clean({identifier(c)}) AS {identifier(c)}"
        if values.is_text(types[c]) and c in clean
        else identifier(c)
        for c in used
    ]
    inner = ["_line"]
    joins = ""
    told = [
        key for key, held in fields.items()
        if held.type is not None and (held.checked or (held.strict and not held.required))
    ]  # fmt: skip
    for key, held in fields.items():
        typed = held.typed
        if key in lookups:
            alias = identifier(f"of {key}")
            typed = f"coalesce({typed}, {alias}.result)"
            joins += f" LEFT JOIN {lookups[key]} AS {alias} ON {alias}.value = {_value(held)}"
        if held.hour:
            alone = f"CAST({typed} AS TIME) = TIME '00:00:00'"
            clock = since_midnight(held.hour.column, held.hour.sql_type)
            typed = f"({typed}) + CASE WHEN {alone} THEN {clock} ELSE INTERVAL 0 SECOND END"
        inner.append(f"{typed} AS {identifier(key)}")
        if key in told:
            inner.append(f"{held.column} AS {identifier('?' + key)}")
    keep = ["_line"]
    for key, held in fields.items():
        if nothing := _nothing_paid(part, held):
            typed = identifier(key)
            keep.append(f"CASE WHEN {nothing} THEN 0 ELSE {typed} END AS {typed}")
        elif key != _ENDLESS:
            keep.append(identifier(key))
    if _ENDLESS in fields:
        end = identifier(_ENDLESS)
        keep += [
            f"CASE WHEN {end} < DATE '{FAR}' THEN {end} END AS {end}",
            f"coalesce({end} >= DATE '{FAR}', false) AS _endless",
        ]
    endless = "_endless" if _ENDLESS in fields else "false"
    keep += [
        f"CASE WHEN {identifier(key)} IS NULL THEN {_given(fields[key])} ELSE false END"
        f" AS {identifier('?' + key)}"
        for key in told
    ]
    cases = " ".join(f"WHEN {fault} THEN {place}" for place, fault in _faults(part, today))
    if _BEGUN in fields and _ENDLESS in fields:
        begun, ended = (f"CAST({identifier(key)} AS DATE)" for key in (_BEGUN, _ENDLESS))
        cases += f" WHEN {ended} < {begun} THEN {BACKWARDS}"
    bad = f"CASE {cases} END" if cases else "NULL"
    connection.execute(
        f"CREATE OR REPLACE {'TABLE' if part.is_table else 'VIEW'} {part.relation} AS"
        f" SELECT {', '.join(keep)}, CAST({bad} AS INTEGER) AS _bad FROM"
        f" (SELECT {', '.join(inner)} FROM (SELECT {', '.join(cells)} FROM {part.raw.relation})"
        f" AS cells{joins})"
    )
    counts = "".join(f", count(*) FILTER ({identifier('?' + key)})" for key in told)
    numbered, zero = identity.counts(part)
    row = connection.execute(
        f"SELECT count(*), count(_bad), {numbered}, {zero}, count(*) FILTER ({endless}){counts}"
        f" FROM {part.relation}"
    ).fetchall()[0] or (0, 0, 0, 0, 0)
    part.rows, part.bad, part.numbered, part.zeros, part.endless = row[:5]
    part.unread = dict(zip(told, row[5:], strict=False))
    return part.unread


def _given(held: Field) -> str:
    """SQL of whether a converted row's cell says anything at all."""
    cell = identifier("?" + held.key)
    if values.is_text(held.sql_type):
        cell = f"rv_clean({cell})"
    return f"({held.given.replace(held.column, cell)}) IS NOT NULL"


def _value(held: Field) -> str:
    return (
        held.column if values.is_text(held.sql_type) else values.text_of(held.column, held.sql_type)
    )


def _look_up(
    connection: duckdb.DuckDBPyConnection,
    part: Part,
    held: Field,
    name: str,
    zone: str,
    today: dt.date | None,
) -> None:
    """Read each different cell that the plain cast could not."""
    cleaned = f"rv_clean({held.column})" if values.is_text(held.sql_type) else held.column
    source = (
        f"SELECT DISTINCT {_value(held)} AS value FROM (SELECT {cleaned} AS {held.column}"
        f" FROM {part.raw.relation}) WHERE {held.typed} IS NULL AND {held.column} IS NOT NULL"
    )
    connection.execute(f"CREATE OR REPLACE TABLE {name} AS {slow_sql(held, source, zone, today)}")
    if held.name == "birth_date" and today:
        short = connection.execute(
            f"SELECT count(*) FROM {name}"
            r" WHERE regexp_full_match(value, '\d{1,2}\D+\d{1,2}\D+\d\d') AND result IS NOT NULL"
        ).fetchall()[0][0]
        if short:
            part.notes.append(
                msg(
                    "Column {header}: years of two digits are those of the last hundred years (48"
                    " is 1948).",
                    header=held.mapping.header or held.mapping.column,
                )
            )
