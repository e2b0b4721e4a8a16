"""Rows that say only what is new: lines under their order, sales under the name of a customer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.language import msg, nmsg
from revoir.reading.detect import Detection
from revoir.reading.mapping import ColumnMapping
from revoir.reading.part import summary
from revoir.reading.profile import Profile
from revoir.reading.raw import RawTable

if TYPE_CHECKING:
    import duckdb

_TOTAL = r"^\W*(sous|sub|grand)?[\s-]*(totaux|total)\b"
_ORDER, _PAID, _LINE_PAID = "orders.order_id", "orders.amount", "order_lines.amount"
_COLUMNS_MIN = 3


def _filled(column: str) -> str:
    return f"(trim(coalesce(CAST({identifier(column)} AS VARCHAR), '')) <> '')"


def _any(columns: list[str]) -> str:
    return f"({' OR '.join(map(_filled, columns))})" if columns else "false"


def headings(
    connection: duckdb.DuckDBPyConnection, raw: RawTable, profiles: dict[str, Profile]
) -> RawTable:
    """Carry what stands alone in the first column down to the rows under it.

    Reports of accounting write a customer on a row of its own, then the sales with nothing in that
    column, then their total.

    Args:
        connection: The connection that holds the rows.
        raw: The table.
        profiles: What its columns look like.

    Returns:
        The same table where its rows are not so; else one without headings and totals, which its
        notes say.
    """
    if len(raw.columns) < _COLUMNS_MIN or not raw.has_header:
        return raw
    first, *others = raw.columns
    if not 0 < profiles[first].filled < profiles[first].rows:
        return raw
    cell, mine, rest = identifier(first), _filled(first), _any(others)
    total = f"regexp_matches(lower(CAST({cell} AS VARCHAR)), '{_TOTAL}')"
    told = (
        f"SELECT *, {mine} AND NOT {rest} AS _heading, {mine} AND {rest} AND {total} AS _total,"
        f" {mine} AND {rest} AND NOT {total} AS _whole FROM {raw.relation}"
    )
    begins = f"_line = (SELECT min(_line) FROM {raw.relation})"
    if not connection.execute(
        f"SELECT count(*) FROM {raw.relation} WHERE {begins} AND {mine} AND NOT {rest}"
    ).fetchall()[0][0]:
        return raw
    found = summary(
        connection,
        "SELECT count(*) FILTER (_heading) AS headings, count(*) FILTER (_total) AS totals,"
        " count(*) FILTER (_heading AND coalesce(_next, true)) AS alone,"
        " bool_or(_whole) AS whole,"
        " count(*) FILTER (NOT (_heading OR _total)) AS held FROM"
        f" (SELECT *, lead(_heading OR _total) OVER (ORDER BY _line) AS _next FROM ({told}))",
    )
    if not found["held"] or found["whole"]:
        return raw
    name = identifier(f"under headings {raw.relation.strip(chr(34))}")
    above = f"last_value(CASE WHEN _heading THEN {cell} END IGNORE NULLS) OVER (ORDER BY _line)"
    connection.execute(
        f"CREATE OR REPLACE TABLE {name} AS SELECT * EXCLUDE (_heading, _total, _whole, _above)"
        f" REPLACE (_above AS {cell}) FROM (SELECT *, {above} AS _above FROM ({told}))"
        " WHERE NOT (_heading OR _total) ORDER BY _line"
    )
    notes = [
        nmsg(
            "Column {header}: {n} heading was carried down to the rows under it.",
            "Column {header}: {n} headings were carried down to the rows under them.",
            found["headings"] - found["alone"], header=raw.headers[0] or "1",
        )
    ]  # fmt: skip
    if found["alone"]:
        notes.append(
            nmsg(
                "{n} row has but one cell, and no row under it: it was left out.",
                "{n} rows have but one cell, and no row under them: they were left out.",
                found["alone"],
            )
        )
    if found["totals"]:
        notes.append(
            nmsg(
                "{n} row sums up the rows above it and was left out.",
                "{n} rows sum up the rows above them and were left out.",
                found["totals"],
            )
        )
    left_out = found["headings"] + found["totals"]
    return replace(raw, relation=name, rows_in=raw.rows_in - left_out, notes=[*raw.notes, *notes])


def continued(
    connection: duckdb.DuckDBPyConnection,
    raw: RawTable,
    detection: Detection,
    profiles: dict[str, Profile],
) -> tuple[RawTable, Detection]:
    """Read rows without number, day and customer as further lines of the order above.

    Where each order has its number once, on its first line, such rows are of no other.

    Args:
        connection: The connection that holds the rows.
        raw: The table.
        detection: What its columns mean.
        profiles: What its columns look like.

    Returns:
        The table and the meanings; the same where no row is so.
    """
    by = {mapping.target: mapping for mapping in detection.columns if mapping.target}
    key, day = by.get(_ORDER), by.get("orders.ordered_at")
    if detection.table != "orders" or detection.told_once or key is None or day is None:
        return raw, detection
    if not 0 < profiles[key.column].filled < profiles[key.column].rows:
        return raw, detection
    number, below = identifier(key.column), f"NOT {_filled(key.column)}"
    given = {
        mapping.column: f"count(*) FILTER ({below} AND {_filled(mapping.column)})"
        for mapping in detection.columns
    }
    lines = [
        mapping.column for target, mapping in by.items()
        if target == _PAID or target.startswith("order_lines.")
    ]  # fmt: skip
    row = summary(
        connection,
        f"SELECT count(*) FILTER ({below}) AS below,"
        f" count(*) FILTER ({below} AND {_any(lines)}) AS lines,"
        f" count(*) FILTER (NOT {below}) - count(DISTINCT {number}) FILTER (NOT {below}) AS again,"
        f" arg_min({below}, _line) AS begins, "
        + ", ".join(f"{sql} AS {identifier(column)}" for column, sql in given.items())
        + f" FROM {raw.relation}",
    )
    whose = [m.column for target, m in by.items() if target == "orders.customer_id"
             or target.startswith("customers.")]  # fmt: skip
    told_again = any(row[column] for column in (day.column, *whose))
    if not row["below"] or row["lines"] < row["below"] or row["again"] or row["begins"]:
        return raw, detection
    if told_again:
        return raw, detection
    own = {
        mapping.column for mapping in detection.columns
        if row[mapping.column] or "/" in mapping.header or mapping.table == "order_lines"
    } - {key.column}  # fmt: skip
    name = identifier(f"continued {raw.relation.strip(chr(34))}")
    filled = ", ".join(
        f"CASE WHEN {below} THEN first_value({identifier(column)}) OVER (PARTITION BY _order"
        f" ORDER BY _line) ELSE {identifier(column)} END AS {identifier(column)}"
        for column in raw.columns if column not in own
    )  # fmt: skip
    order = f"count(CASE WHEN {_filled(key.column)} THEN 1 END) OVER (ORDER BY _line)"
    connection.execute(
        f"CREATE OR REPLACE TABLE {name} AS SELECT * EXCLUDE (_order) REPLACE ({filled})"
        f" FROM (SELECT *, {order} AS _order FROM {raw.relation}) ORDER BY _line"
    )
    note = nmsg(
        "{n} row has neither number, day nor customer of its own: it was read as a further line of"
        " the order above it.",
        "{n} rows have neither number, day nor customer of their own: they were read as further"
        " lines of the orders above them.",
        row["below"],
    )
    raw = replace(raw, relation=name, notes=[*raw.notes, note])
    return raw, _meant(detection, by, own)


def _meant(detection: Detection, by: dict[str, ColumnMapping], own: set[str]) -> Detection:
    """What columns mean, once it is known which of them the lines have for themselves."""
    paid = by.get(_PAID)
    if paid is None or paid.confidence == 1:
        return detection
    if paid.column not in own:
        return replace(detection, total_once=True)
    if _LINE_PAID in by:
        return detection
    line = replace(
        paid, target=_LINE_PAID, name="amount", reason=msg("each line of an order has its own")
    )
    columns = tuple(line if mapping is paid else mapping for mapping in detection.columns)
    return replace(detection, columns=columns)
