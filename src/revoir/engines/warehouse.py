"""A company's own warehouse as canonical tables: columns are renamed and cast, nothing copied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from revoir.errors import EngineError, InputError, UsageError, Where
from revoir.language import msg
from revoir.tables import TABLES, Type, plain_name

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends import BaseBackend

_IBIS_TYPES = {
    Type.TEXT: "string",
    Type.INTEGER: "int64",
    Type.DECIMAL: "decimal(18, 4)",
    Type.DATE: "date",
    Type.TIMESTAMP: "timestamp",
    Type.BOOLEAN: "boolean",
}
_SECOND_DAY = dt.date(1, 1, 2)
_ZONE_FUNCTIONS = ("duckdb", "postgres", "pyspark")


@dataclass(frozen=True)
class TableMapping:
    """Where a canonical table lies in a warehouse.

    Attributes:
        table: The table or view, with its schema where it has one (``sales.orders``).
        columns: Its column for each canonical column whose name differs.
        timezone: The zone of its times that carry none (IANA name).
    """

    table: str
    columns: Mapping[str, str] = field(default_factory=dict)
    timezone: str = "UTC"


_IDENTIFIERS = ("customer_id", "order_id")
"""Columns that tables are joined by."""


def open_tables(
    backend: BaseBackend, mapping: Mapping[str, Any] | None = None, *, timezone: str = "UTC"
) -> dict[str, ir.Table]:
    """The canonical tables of a warehouse.

    A table or view whose name and columns are canonical (case ignored) is found by itself; the
    mapping names the others. Columns that are not canonical stay, under a plain name, to break
    figures down by. It does not check the rows: a cast that fails is the engine's error.

    Args:
        backend: Where the tables are.
        mapping: By canonical table: the name of a table, a mapping with `table`, `columns` and
            `timezone` (see `TableMapping`), or None to leave the table out.
        timezone: The company's time zone, in which `ordered_on` is a day.

    Returns:
        The tables by canonical name, their columns in canonical types.

    Raises:
        UsageError: The mapping names a table, column or zone that does not exist.
        InputError: There is no canonical table at all.

    Examples:
        >>> from revoir.engines import memory
        >>> backend = memory()
        >>> sales = "select 'A' as client, date '2024-01-05' as jour, 9.5 as ttc"
        >>> _ = backend.raw_sql(f"create table ventes as {sales}")
        >>> columns = {"customer_id": "client", "ordered_at": "jour", "amount": "ttc"}
        >>> tables = open_tables(backend, {"orders": {"table": "ventes", "columns": columns}})
        >>> tables["orders"].columns
        ('customer_id', 'ordered_at', 'amount', 'ordered_on')
    """
    _check_zone(timezone)
    wanted = {name: _entry(name, entry) for name, entry in (mapping or {}).items()}
    for found in backend.list_tables():
        if found.lower() in TABLES and found.lower() not in wanted:
            wanted[found.lower()] = TableMapping(found)
    tables = {
        name: _canonical(name, entry, backend, timezone)
        for name, entry in wanted.items()
        if entry is not None
    }
    if not tables:
        raise InputError(
            msg("The database holds no table with a canonical name."),
            remedy=msg(
                "Name a table or view {names}, or say with a mapping file which table it is.",
                names=list(TABLES),
            ),
        )
    tables = _same_identifiers(tables)
    if "order_lines" in tables and "orders" in tables:
        tables["order_lines"] = _with_order(tables["order_lines"], tables["orders"])
    return tables


def _entry(name: str, entry: Any) -> TableMapping | None:
    if name not in TABLES:
        raise UsageError(
            msg("There is no table “{name}”.", name=name),
            remedy=msg("It can be one of: {names}.", names=list(TABLES)),
        )
    match entry:
        case None | TableMapping():
            return entry
        case str():
            return TableMapping(entry)
        case {"table": str(table), **rest} if not rest.keys() - {"columns", "timezone"}:
            columns = rest.get("columns") or {}
            zone = rest.get("timezone") or "UTC"
            if isinstance(columns, Mapping) and all(isinstance(c, str) for c in columns.values()):
                _check_zone(str(zone))
                return TableMapping(table, dict(columns), str(zone))
    raise UsageError(
        msg("The mapping of “{name}” cannot be read.", name=name),
        remedy=msg("Write it as: {example}", example=f"{name}: {{table: sales, columns: {{…}}}}"),
    )


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise UsageError(
            msg("There is no time zone “{name}”.", name=name),
            remedy=msg("Write it like Europe/Paris."),
        ) from None


def _canonical(name: str, entry: TableMapping, backend: BaseBackend, timezone: str) -> ir.Table:
    table = _opened(entry.table, backend)
    chosen = {
        column: _cast(column, name, table[source], entry.timezone, backend)
        for column, source in _columns(name, entry, table).items()
    }
    if name == "orders" and "ordered_on" not in chosen and "ordered_at" in chosen:
        source = table[_columns(name, entry, table)["ordered_at"]]
        # A column of days has no zone: the day is the day.
        chosen["ordered_on"] = (
            chosen["ordered_at"].cast("date")
            if source.type().is_date() or source.type().is_string()
            else day_of(chosen["ordered_at"], timezone, backend)
        )
    if name == "responses" and "question" not in chosen:
        raise InputError(
            msg("The table “{name}” lacks: {columns}.", name=name, columns=["question"]),
            where=Where(file=entry.table),
            remedy=msg(
                "Add a column that says which question was answered: nps, csat, ces or enps."
            ),
        )
    return table.select(**chosen)


def _opened(name: str, backend: BaseBackend) -> ir.Table:
    """A table by its name; what stands before a dot is a schema, unless it is part of a name."""
    schema, dot, bare = name.rpartition(".")
    places: list[tuple[str, str | None]] = [(name, None)]
    if dot:
        places.append((bare, schema))
    for table, database in places:
        try:
            return backend.table(table, database=database)
        except Exception as error:  # each driver has its own "no such table"
            last = str(error).strip().splitlines()[0]
    raise UsageError(
        msg("The database has no table “{name}” ({reason}).", name=name, reason=last),
        remedy=msg("It has: {names}.", names=sorted(backend.list_tables())[:20]),
    )


def _columns(name: str, entry: TableMapping, table: ir.Table) -> dict[str, str]:
    """The warehouse's column for each canonical one: mapped, of the same name, then the others."""
    canonical = [column.name for column in TABLES[name].columns]
    for column, source in entry.columns.items():
        if column not in canonical:
            raise UsageError(
                msg("The table “{name}” has no column “{column}”.", name=name, column=column),
                remedy=msg("It can have: {names}.", names=canonical),
            )
        if source not in table.columns:
            raise UsageError(
                msg(
                    "The table “{name}” has no column “{column}”.", name=entry.table, column=source
                ),
                remedy=msg("It has: {names}.", names=list(table.columns)),
            )
    chosen = dict(entry.columns)
    left = [column for column in table.columns if column not in chosen.values()]
    for source in sorted(left, key=lambda column: column not in canonical):
        plain = plain_name(source) or "column"
        column, count = plain, 1
        while column in chosen:
            count += 1
            column = f"{plain}_{count}"
        chosen[column] = source
    order = {column: place for place, column in enumerate(canonical)}
    return dict(sorted(chosen.items(), key=lambda item: order.get(item[0], len(order))))


def _cast(
    column: str, table: str, value: ir.Value, timezone: str, backend: BaseBackend
) -> ir.Value:
    """Bring a value to its canonical type; attributes keep theirs."""
    known = TABLES[table].column(column)
    if known is None:
        return value
    kind = value.type()
    wanted = _IBIS_TYPES[known.type]
    if column in _IDENTIFIERS and kind.is_integer():
        # Numbers stay numbers: they sort twice as fast, and the engine can use its index.
        return value
    if known.type is Type.TIMESTAMP and kind.is_timestamp() and kind.timezone is None:
        return _utc(value, timezone, backend)
    if known.type is Type.DATE and kind.is_timestamp() and timezone != "UTC":
        if kind.timezone is not None:
            value = _local(value.cast("timestamp"), timezone, backend)
        return value.cast("date")
    return value if str(kind) == wanted else value.cast(wanted)


def _same_identifiers(tables: dict[str, ir.Table]) -> dict[str, ir.Table]:
    """Write identifiers as text everywhere, where some tables have them as text."""
    mixed = [
        name
        for name in _IDENTIFIERS
        if len({t[name].type().is_integer() for t in tables.values() if name in t.columns}) > 1
    ]
    if not mixed:
        return tables
    return {
        name: table.mutate(
            **{key: table[key].cast("string") for key in mixed if key in table.columns}
        )
        for name, table in tables.items()
    }


def _with_order(lines: ir.Table, orders: ir.Table) -> ir.Table:
    """Give order lines what their order says of customer, day and kind, where they lack it."""
    wanted = [
        column
        for column in ("customer_id", "ordered_on", "kind")
        if column not in lines.columns and column in orders.columns
    ]
    if not wanted or "order_id" not in lines.columns or "order_id" not in orders.columns:
        return lines
    one = orders.group_by("order_id").aggregate(**{name: orders[name].min() for name in wanted})
    return lines.left_join(one, "order_id").drop("order_id_right")


def day_of(moment: ir.Value, timezone: str, backend: BaseBackend) -> ir.DateValue:
    """The day of each moment in a time zone, on every engine; a day is that day itself.

    Args:
        moment: Moments in UTC, or days.
        timezone: IANA name of the zone whose calendar days count.
        backend: The engine that answers.

    Returns:
        The days.

    Raises:
        UsageError: There is no such zone.
        EngineError: The engine cannot move times between zones.
    """
    kind = moment.type()
    if not kind.is_timestamp():
        return moment.cast("date")
    _check_zone(timezone)
    if kind.timezone is not None:
        moment = moment.cast("timestamp")
    return _local(moment, timezone, backend).cast("date")


def is_before(
    moment: ir.Value, day: dt.date, timezone: str, backend: BaseBackend
) -> ir.BooleanValue:
    """Whether each moment lies before a day begins in a time zone, on every engine.

    One comparison with the moment that the day begins at: to find the day of each moment takes
    DuckDB a hundred times as long, and tells it nothing of which files it need not read.

    Args:
        moment: Moments in UTC, or days.
        day: The day.
        timezone: IANA name of the zone whose calendar days count.
        backend: The engine that answers.

    Returns:
        The condition, null where the moment is.

    Raises:
        UsageError: There is no such zone.
    """
    import ibis

    if not moment.type().is_timestamp():
        return day_of(moment, timezone, backend) < ibis.literal(day)
    _check_zone(timezone)
    # East of Greenwich the first day of all begins before there are any.
    local = dt.datetime.combine(max(day, _SECOND_DAY), dt.time(), ZoneInfo(timezone))
    begins = local.astimezone(dt.UTC).replace(tzinfo=None)
    return moment.cast("timestamp") < ibis.literal(begins)


def _utc(value: ir.Value, timezone: str, backend: BaseBackend) -> ir.Value:
    """A time of that zone, written in UTC."""
    return value if timezone == "UTC" else _moved(value, timezone, "UTC", backend)


def _local(value: ir.Value, timezone: str, backend: BaseBackend) -> ir.Value:
    """A UTC time, written in that zone."""
    return value if timezone == "UTC" else _moved(value, "UTC", timezone, backend)


def _moved(value: ir.Value, source: str, target: str, backend: BaseBackend) -> ir.Value:
    """A time without zone that was written in one zone, written in another.

    Ibis has no such function, so each engine's own is named.
    """
    import ibis

    if backend.name not in _ZONE_FUNCTIONS:
        raise EngineError(
            msg("Revoir cannot move times between zones on {engine}.", engine=backend.name),
            remedy=msg(
                "Ask with the time zone UTC, or give orders a column ordered_on with their day."
            ),
        )
    builtin: Any = ibis.udf.scalar.builtin
    if backend.name == "pyspark":

        @builtin(name="convert_timezone", signature=((str, str, "timestamp"), "timestamp"))
        def converted(source, target, value): ...  # type: ignore[no-untyped-def]  # the signature says

        return converted(source, target, value)

    @builtin(name="timezone", signature=((str, "timestamp"), "timestamp('UTC')"))
    def aware(zone, value): ...  # type: ignore[no-untyped-def]  # the signature says

    @builtin(name="timezone", signature=((str, "timestamp('UTC')"), "timestamp"))
    def naive(zone, value): ...  # type: ignore[no-untyped-def]  # the signature says

    @builtin(signature=(("timestamp",), "int64"))
    def epoch_us(value): ...  # type: ignore[no-untyped-def]  # the signature says

    @builtin(signature=(("int64",), "timestamp('UTC')"))
    def make_timestamptz(value): ...  # type: ignore[no-untyped-def]  # the signature says

    if backend.name == "duckdb" and source == "UTC":
        # Looking up what UTC is in UTC takes DuckDB longer than the way to the other zone.
        return naive(target, make_timestamptz(epoch_us(value)))
    return naive(target, aware(source, value))
