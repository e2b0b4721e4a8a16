"""All files of one reading together: one table a kind, persons linked, totals counted."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revoir.engines.sql import identifier, literal
from revoir.errors import InputError, UsageError, Where
from revoir.language import LANGUAGES, Message, msg, nmsg
from revoir.reading import countries, grouped, identity, joined, quarantine, values
from revoir.reading.apart import DATELESS, TOTALLESS, Apart, Sheet
from revoir.reading.build import convert
from revoir.reading.canonical import split
from revoir.reading.detect import Detection, detect
from revoir.reading.doubts import answers_or_people, said_of_amounts
from revoir.reading.mapping import ATTRIBUTE, IGNORE, FileMapping, Mapping, Said, load
from revoir.reading.part import BIG, Part, summary
from revoir.reading.pieces import Piece
from revoir.reading.profile import profiles
from revoir.reading.raw import RawTable
from revoir.reading.report import FileReport, Reading, Unrecognised
from revoir.reading.template import EXAMPLE_MARK, example_note, template_headers
from revoir.reading.together import Together, columns_of
from revoir.tables import TABLES, plain_name

if TYPE_CHECKING:
    import duckdb

DEFAULT_ZONE = "Europe/Paris"


def assemble(
    locations: Sequence[str | Path],
    *,
    mapping: Mapping | Path | str | None,
    connection: duckdb.DuckDBPyConnection | None,
    zone: str | None,
    currency: str | None,
    sheet: str | None,
    today: dt.date | None,
    progress: Callable[[Message], None] | None,
) -> Reading:
    """Read all locations; see `revoir.reading.read_tables`."""
    import duckdb

    from revoir.reading.sources import raw_tables

    said = load(Path(mapping)) if isinstance(mapping, str | Path) else mapping or Mapping()
    zone = _zone(zone or said.timezone or DEFAULT_ZONE)
    connection = connection or duckdb.connect()
    # It would be written to standard output, amid the answer.
    connection.execute("SET enable_progress_bar = false").fetchall()
    values.define(connection)
    countries.define(connection)
    identity.begin(connection)
    raws = raw_tables(locations, connection, sheet=sheet, progress=progress)
    _check_headers(said, raws)
    sheets: list[Sheet] = []
    reports: list[FileReport] = []
    notes: list[Message] = []
    for number, given in enumerate(raws):
        if progress:
            progress(msg("Checking {file}…", file=given.file))
        raw = quarantine.without_extra(connection, _without_examples(connection, given))
        if raw.rows_in == 0:
            reports.append(_empty(raw))
            continue
        held = profiles(connection, raw)
        raw = grouped.headings(connection, raw, held)
        entry = said.of(raw.file, raw.sheet, raw.headers)
        detection = detect(raw, held, entry)
        if detection.table is None:
            sheets.append(Sheet(number, len(reports), raw, entry, detection))
            reports.append(_unknown(raw, detection))
            continue
        columns = answers_or_people(connection, raw, detection.columns, raw.notes)
        raw, detection = grouped.continued(
            connection, raw, replace(detection, columns=columns), held
        )
        if detection.table == "orders" and detection.export is None:
            raw.notes.extend(said_of_amounts(held, detection.columns))
        part = convert(connection, raw, detection, held, zone=zone, today=today, number=number)
        sheets.append(Sheet(number, len(reports), raw, entry, detection, part))
        reports.append(part.report)
    Apart(connection, sheets, reports, zone=zone, today=today).join()
    parts = [sheet.part for sheet in sheets if sheet.part is not None]
    pieces = _pieces(connection, sheets, zone)
    if not parts:
        raise _nothing_known(raws, reports)
    _tell_same_days(connection, parts, pieces, notes)
    currency = currency or said.currency or _headed_currency(parts)
    names = Together(connection, parts, pieces, notes, today, currency).unite()
    currency = _currency(connection, names, currency, notes)
    return Reading(
        tables=_ibis_tables(connection, names),
        files=reports,
        notes=notes,
        currency=currency,
        mapping=_resolved(reports, parts, zone, currency),
        totals=_all_totals(connection, names, pieces, parts),
    )


def _pieces(
    connection: duckdb.DuckDBPyConnection, sheets: Sequence[Sheet], zone: str
) -> list[Piece]:
    """What all files give to the canonical tables; lists of orders before their lines."""
    made: dict[int, list[Piece]] = {}
    for sheet in sorted(sheets, key=lambda sheet: bool(sheet.lists)):
        part = sheet.part
        if part is None or (part.detection.unpriced and part.amount is None):
            continue
        if sheet.lists:
            joined.tell_kinds(
                connection,
                part,
                [
                    piece.relation
                    for listed in sheet.lists
                    for piece in made.get(listed.number, ())
                    if piece.table == "orders"
                ],
            )
        pieces = _split(connection, part, zone)
        part.report.table = _told_table(part, pieces)
        made[sheet.number] = [
            piece for piece in pieces if sheet.whole or piece.table == "order_lines"
        ]
    return [piece for number in sorted(made) for piece in made[number]]


def _tell_same_days(
    connection: duckdb.DuckDBPyConnection,
    parts: Sequence[Part],
    pieces: Sequence[Piece],
    notes: list[Message],
) -> None:
    """Say which sheets or files have equal sums on all days: one may sum the other up."""
    held: dict[tuple[Any, ...], Part] = {}
    for part in parts if sum(part.rows for part in parts) <= BIG else ():
        name = identifier(f"orders_{part.number}")
        if not any(piece.relation == name for piece in pieces):
            continue
        days = (
            "SELECT ordered_on AS day, sum(amount) AS paid"
            f" FROM {name} WHERE kind <> 'cancelled' GROUP BY day"
        )
        told = connection.execute(
            "SELECT count(*), sum(paid), bit_xor(hash(day || ' ' || CAST(paid AS DECIMAL(18, 2))))"
            f" FROM ({days})"
        ).fetchall()[0]
        other = held.setdefault(told, part)
        if other is not part and told[0] > 1:
            notes.append(
                msg(
                    "{first} and {second} have the same turnover on each of {n} days: if one sums"
                    " the other up, its sales count twice. Leave it out then.",
                    first=_called(other.raw), second=_called(part.raw), n=told[0],
                )
            )  # fmt: skip


def _called(raw: RawTable) -> str:
    return f"{raw.file} ({raw.sheet})" if raw.sheet else raw.file


def _check_headers(said: Mapping, raws: Sequence[RawTable]) -> None:
    """Refuse a mapping for every file that names a header which no file has."""
    held = {plain_name(h) for raw in raws for h in (*raw.headers, *raw.columns) if plain_name(h)}
    exact = {h for raw in raws for h in (*raw.headers, *raw.columns)}
    for entry in said.files:
        for header in entry.columns if entry.file is None else ():
            if header not in exact and plain_name(header) not in held:
                raise UsageError(
                    msg("No file has a column “{name}”.", name=header),
                    remedy=msg(
                        "There are: {names}.",
                        names=[h for raw in raws for h in raw.headers if h][:30],
                    ),
                )


def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            msg("There is no time zone “{name}”.", name=name),
            remedy=msg("Write one such as Europe/Paris."),
        ) from error
    return name


def _without_examples(connection: duckdb.DuckDBPyConnection, raw: RawTable) -> RawTable:
    """Leave the example rows of a template out."""
    headers = [header for header in raw.headers if header]
    if not any(set(headers) >= set(held) for lang in LANGUAGES for held in template_headers(lang)):
        return raw
    first = identifier(raw.columns[0])
    real = f"NOT starts_with(coalesce(CAST({first} AS VARCHAR), ''), {literal(EXAMPLE_MARK)})"
    row = connection.execute(
        f"SELECT count(*) - count(*) FILTER ({real}) FROM {raw.relation}"
    ).fetchall()[0]
    if not row or not row[0]:
        return raw
    name = identifier(f"real rows of {raw.relation}")
    connection.execute(
        f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {raw.relation} WHERE {real}"
    )
    return replace(
        raw, relation=name, rows_in=raw.rows_in - row[0], notes=[*raw.notes, example_note(row[0])]
    )


def _empty(raw: RawTable) -> FileReport:
    return FileReport(
        raw.file, raw.sheet, None, 0.0, msg("it has no rows"), raw.headers, notes=list(raw.notes)
    )


def _unknown(raw: RawTable, detection: Detection) -> FileReport:
    note = nmsg(
        "Its columns are not enough to know what it is: its one row was not read.",
        "Its columns are not enough to know what it is: its {n} rows were not read.",
        raw.rows_in,
    )
    return FileReport(
        raw.file, raw.sheet, None, 0.0, detection.why, raw.headers, rows_unread=raw.rows_in,
        mapping=detection.columns, notes=[*raw.notes, note],
    )  # fmt: skip


def _nothing_known(raws: Sequence[RawTable], reports: Sequence[FileReport]) -> InputError:
    if all(report.why == msg("it has no rows") for report in reports):
        return InputError(
            msg("There is a header, and no row of data under it."),
            where=Where(file=raws[0].file, sheet=raws[0].sheet),
            remedy=msg("Fill in at least one row."),
        )
    headers = [*dict.fromkeys(header for raw in raws for header in raw.headers if header)][:12]
    half = next(
        (note for note in (DATELESS, TOTALLESS)
         if any(note in report.notes for report in reports)),
        None,
    )  # fmt: skip
    return Unrecognised(
        msg("It cannot be told what this file is; its columns are: {headers}.", headers=headers)
        if headers
        else msg("It cannot be told what this file is: it has no headers."),
        list(reports),
        where=Where(file=raws[0].file, sheet=raws[0].sheet) if raws else Where(),
        remedy=half
        or msg(
            "Say which column is the date and which the amount: --map ordered_at=… --map amount=…."
        ),
    )


def _split(connection: duckdb.DuckDBPyConnection, part: Part, zone: str) -> list[Piece]:
    import duckdb

    try:
        return split(connection, part, zone)
    except (duckdb.OutOfRangeException, duckdb.ConversionException) as error:
        raise _too_large(part.raw) from error


def _too_large(raw: RawTable) -> InputError:
    return InputError(
        msg("The amounts of one order add up to more than 14 digits."),
        where=Where(file=raw.file, sheet=raw.sheet),
        remedy=msg("Look for an amount that is far too large, and correct it."),
    )


def _told_table(part: Part, made: Sequence[Piece]) -> str:
    if part.detection.table == "orders" and part.grain == "line":
        return "order_lines"
    return part.detection.table or made[0].table


def _ibis_tables(connection: duckdb.DuckDBPyConnection, names: dict[str, str]) -> dict[str, Any]:
    import ibis

    backend = ibis.duckdb.from_connection(connection)
    return {name: backend.table(name) for name in names}


def _currency(
    connection: duckdb.DuckDBPyConnection,
    names: dict[str, str],
    given: str | None,
    notes: list[Message],
) -> str | None:
    """The one currency of all amounts, or None with a note when there are several."""
    found: set[str] = set()
    lacking = 0
    for table, amount in (("orders", "amount"), ("subscriptions", "monthly_amount")):
        columns = columns_of(connection, names[table]) if table in names else set()
        if "currency" in columns:
            rows = connection.execute(
                f"SELECT DISTINCT currency FROM {names[table]} WHERE currency IS NOT NULL LIMIT 20"
            ).fetchall()
            found |= {row[0] for row in rows}
        if {"currency", amount} <= columns:
            (row,) = connection.execute(
                f"SELECT count({amount}) FROM {names[table]} WHERE currency IS NULL"
            ).fetchall()
            lacking += row[0]
    if lacking and len(found) == 1:
        notes.append(
            nmsg(
                "{n} amount carries no currency and is taken as {currency}.",
                "{n} amounts carry no currency and are taken as {currency}.",
                lacking, currency=next(iter(found)),
            )
        )  # fmt: skip
    if len(found) > 1:
        notes.append(
            msg(
                "Amounts are in several currencies ({names}): figures are given for each, never"
                " added up.",
                names=sorted(found),
            )
        )
        return None
    return next(iter(found), given)


def _headed_currency(parts: Sequence[Part]) -> str | None:
    """The currency that the headers of amounts name: “Montant (€)”, “amount_eur”."""
    found = set()
    for part in parts:
        for held in part.fields.values():
            if held.name in ("amount", "unit_price", "monthly_amount"):
                words = plain_name(held.mapping.header).split("_")
                found |= {code for code in values.CURRENCIES if code.lower() in words}
                found |= {"EUR"} if {"euro", "euros"} & set(words) else set()
                signs = values.CURRENCY_SIGNS.items()
                found |= {code for sign, code in signs if sign in held.mapping.header}
    return found.pop() if len(found) == 1 else None


def _resolved(
    reports: Sequence[FileReport], parts: Sequence[Part], zone: str, currency: str | None
) -> Mapping:
    """What every column was taken for, as a mapping that can be written out."""
    entries = []
    for report in reports:
        part = next((p for p in parts if p.report is report), None)
        if part is None:
            continue
        columns: dict[str, Said] = {}
        for mapping in report.mapping:
            if mapping.converted:
                continue
            header = mapping.header or mapping.column
            target = mapping.target or (ATTRIBUTE if mapping.name else IGNORE)
            columns[header] = Said(target, mapping.format)
        table = part.detection.table
        entries.append(FileMapping(columns, table, report.file, report.sheet))
    return Mapping(tuple(entries), zone, currency)


def _all_totals(
    connection: duckdb.DuckDBPyConnection,
    names: dict[str, str],
    pieces: Sequence[Piece],
    parts: Sequence[Part],
) -> dict[str, dict[str, Any]]:
    sales = [part for part in parts if part.detection.table == "orders"]
    alone = len(sales) == 1 and sum(piece.table == "orders" for piece in pieces) == 1
    # Each row of the orders of one file is an order, and all lines are of one of these.
    numbered = alone and (sales[0].unique_orders or sales[0].grain == "line")
    totals: dict[str, dict[str, Any]] = {}
    for name, relation in names.items():
        orders = "count(DISTINCT order_id)"
        if numbered and name == "orders":
            orders = "count(order_id)"
        elif numbered and name == "order_lines":
            orders = str(totals["orders"].get("orders", 0))
        totals[name] = _totals(connection, name, relation, orders)
    return totals


def _totals(
    connection: duckdb.DuckDBPyConnection, table: str, relation: str, orders: str
) -> dict[str, Any]:
    """What an accountant would check of a table; `orders` is SQL that counts them."""
    columns = columns_of(connection, relation)
    asked = ["count(*) AS rows"]
    if "customer_id" in columns:
        asked.append("count(DISTINCT customer_id) AS customers")
    if "order_id" in columns:
        asked.append(f"{orders} AS orders")
    for name in ("amount", "quantity", "margin"):
        if name in columns:
            asked.append(f"sum({identifier(name)}) AS {identifier(name)}")
    clock = TABLES[table].clock
    if clock and clock in columns:
        asked.append(f"CAST(min({clock}) AS DATE) AS first_day")
        asked.append(f"CAST(max({clock}) AS DATE) AS last_day")
    found = summary(connection, f"SELECT {', '.join(asked)} FROM {relation}")
    totals = {name: _plain(value) for name, value in found.items()}
    if "amount" in columns and "currency" in columns:
        rows = connection.execute(
            f"SELECT currency, sum(amount) FROM {relation} GROUP BY ALL ORDER BY currency"
        ).fetchall()
        if len([currency for currency, _ in rows if currency is not None]) > 1:
            # Euros and dollars have no sum.
            totals["amount"] = None
            totals["amount_by_currency"] = {
                currency or "": _plain(amount) for currency, amount in rows
            }
    return totals


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    if value is None or isinstance(value, int | str | float):
        return value
    return float(value)
