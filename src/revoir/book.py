"""Book: the canonical tables of one company, bound to one engine, with its settings."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import ibis
import ibis.expr.types as ir

from revoir import engines, products, purchases, reading, store
from revoir.errors import InputError, UsageError, Where
from revoir.goals import Aim, Given, aims_of
from revoir.language import Message, msg, nmsg
from revoir.tables import FAR, TABLES

if TYPE_CHECKING:
    import pyarrow as pa

    from revoir.periods import Period
    from revoir.reading import Reading
    from revoir.reading.mapping import Mapping as FileMapping

Answer = TypeVar("Answer")
Days = tuple[dt.date, dt.date]  # the first and the last

APART_DAYS = 31
"""Purchases that begin or end further apart from other tables than this are not all there."""

ONE_DAY = dt.timedelta(days=1)
_OF_TRADE = ("orders", "subscriptions")
_OF_SALES = ("orders", "order_lines")


@dataclass(frozen=True)
class Activity:
    """The rule that says which customers are active on a day.

    A customer is active at the start of day ``t`` when any of these holds: a purchase on one
    of the `window_days` days before ``t``; a subscription that began before ``t`` and had not
    ended; an event on one of the `event_window_days` days before ``t``.

    Attributes:
        window_days: How many days a purchase keeps a customer active (None: it does not).
        subscription: Whether a running subscription does.
        event_window_days: How many days an event does (None: it does not).
        reason: How the rule was found, for the reader.
    """

    window_days: int | None = None
    subscription: bool = False
    event_window_days: int | None = None
    reason: Message | None = None

    def __post_init__(self) -> None:
        for days in (self.window_days, self.event_window_days):
            if days is not None and days < 1:
                raise UsageError(
                    nmsg(
                        "An activity window of {n} day is too short.",
                        "An activity window of {n} days is too short.",
                        days,
                    ),
                    remedy=msg("Give one day or more."),
                )


@dataclass(frozen=True)
class Settings:
    """What the company says of itself.

    Attributes:
        currency: ISO 4217 code of amounts that carry none.
        timezone: IANA name of the zone whose calendar days count.
        fiscal_year_start_month: Month (1–12) that years and quarters begin with.
        activity: The activity rule (None: proposed from the data).
        margin: Margin as a share of revenue (None: the one that orders carry).
        acquisition_cost: What a new customer costs, in the currency.
        sector: Name of the sector in the shipped benchmarks, to compare with.
        not_recommended: Categories, and codes of products, that nobody is to be recommended.
        goals: Goals by metric name (`revoir.goals`); they replace the defaults.
        goals_on: Gives those in force on a day, where they change with time.
    """

    currency: str | None = None
    timezone: str = "Europe/Paris"
    fiscal_year_start_month: int = 1
    activity: Activity | None = None
    margin: float | None = None
    acquisition_cost: float | None = None
    sector: str | None = None
    not_recommended: tuple[str, ...] = ()
    goals: Mapping[str, Given] = field(default_factory=dict)
    goals_on: Callable[[dt.date], Mapping[str, Given]] | None = None

    def goals_of(self, metric: str, period: Period | None) -> tuple[Aim, ...]:
        """The goals that were set for a metric: those in force on the last day of the period."""
        goals = self.goals
        if self.goals_on is not None and period is not None:
            goals = self.goals_on(period.end - dt.timedelta(days=1))
        return aims_of(goals.get(metric, ()))


class Book:
    """The canonical tables of one company on one Ibis backend.

    Args:
        tables: Canonical tables (see `revoir.tables`) by name; absent ones are left out.
        settings: What the company says of itself.
        as_of: The last day that the data cover (None: the last day anything happened).
        title: What reports call the company.

    Raises:
        InputError: There is no table, or a table lacks a column it cannot do without.
    """

    def __init__(
        self,
        tables: Mapping[str, ir.Table],
        *,
        settings: Settings | None = None,
        as_of: dt.date | None = None,
        title: str | None = None,
    ) -> None:
        if not tables:
            raise InputError(msg("There is nothing to measure: no table was given."))
        self.settings = settings or Settings()
        self.title = title
        self.reading: Reading | None = None
        self.predictions: ir.Table | None = None
        # Who declined to be written to and when, beside events: `customer_id` and `declined_on`.
        self.refusals: ir.Table | None = None
        self._as_of = as_of
        self._until: dt.date | None = None  # what is later is planned
        self._whole = False  # whether the span is that of every table
        self._cached: dict[str, ir.Table] = {}
        self._once: dict[str, Any] = {}
        self._given = dict(tables)  # without what is derived
        self.tables = {name: self._complete(name, table) for name, table in tables.items()}
        for name in _OF_SALES if "products" in tables else ():
            if name in tables:
                self.tables[name] = products.described(self.tables[name], tables["products"])

    def _complete(self, name: str, table: ir.Table) -> ir.Table:
        """Add the derived columns that a table may lack, and refuse one that lacks more."""
        if name not in TABLES:
            raise InputError(
                msg("There is no table “{name}”.", name=name),
                remedy=msg("It can be one of: {names}.", names=list(TABLES)),
            )
        if name == "orders":
            if "ordered_on" not in table.columns and "ordered_at" in table.columns:
                table = table.mutate(ordered_on=self.day_of(table.ordered_at))
            if "kind" not in table.columns and "amount" in table.columns:
                table = table.mutate(kind=ibis.ifelse(table.amount < 0, "return", "purchase"))
        missing = [
            column.name
            for column in TABLES[name].columns
            if column.required
            and column.name not in table.columns
            and not (name == "orders" and column.name == "ordered_at")
        ]
        if missing:
            raise InputError(
                msg("The table “{name}” lacks: {columns}.", name=name, columns=missing),
                remedy=msg("Say which column it is with a mapping file."),
            )
        return engines.usable(name, table, self.settings.currency)

    @cached_property
    def backend(self) -> Any:
        """The Ibis backend that answers."""
        return next(iter(self._given.values()))._find_backend(use_default=True)

    def has(self, table: str, *columns: str) -> bool:
        """Whether the book holds a table (with these columns)."""
        held = self.tables.get(table)
        return held is not None and all(column in held.columns for column in columns)

    def table(self, name: str) -> ir.Table:
        """A canonical table, without what happened after `as_of`.

        Raises:
            InputError: The book does not hold it.
        """
        if name not in self.tables:
            raise InputError(
                msg("There is no table “{name}” in the data.", name=name),
                remedy=msg("It holds: {names}.", names=list(self.tables)),
            )
        table = self.tables[name]
        if name == "subscriptions" and self.has(name, "ended_at", "churned"):
            table = self._without_planned_departures(table)
        clock = TABLES[name].clock
        if clock is None or clock not in table.columns:
            return table
        last = self._as_of
        if last is None and name not in ("orders", "order_lines") and self._apart:
            last = self.as_of
        return table if last is None else table.filter(self.is_before(table[clock], last + ONE_DAY))

    def _without_planned_departures(self, table: ir.Table) -> ir.Table:
        """Take nobody for gone whose subscription ends after the last day of the book."""
        if (last := self.last_day or self._until) is None:
            return table
        over = table.ended_at.isnull() | self.is_before(table.ended_at, last + ONE_DAY)
        return table.mutate(churned=table.churned & over)

    def day_of(self, moment: ir.Value) -> ir.DateValue:
        """The company's calendar day of each moment in UTC; a day is that day itself.

        Every day of a clock comes from here: the midnight of a file's date lies on the evening
        before in UTC.
        """
        return engines.day_of(moment, self.settings.timezone, self.backend)

    def is_before(self, moment: ir.Value, day: dt.date) -> ir.BooleanValue:
        """Whether each moment in UTC, or each day, lies before one of the company's days."""
        return engines.is_before(moment, day, self.settings.timezone, self.backend)

    def at(self, as_of: dt.date) -> Book:
        """The same book as it stood at the end of a day."""
        return self._copy(self.settings, as_of)

    def with_predictions(self, table: ir.Table) -> Book:
        """The same book with what was foretold of customers, for rules to speak of.

        Args:
            table: `customer_id` once, and any of `leaves` (probability), `clv`, `next_on` (day) and
                `health`; a table of the same backend.
        """
        other = self.with_settings()
        other.predictions = table
        return other

    def with_settings(self, **changes: Any) -> Book:
        """The same book under other settings (the fields of `Settings`)."""
        other = self._copy(replace(self.settings, **changes), self._as_of)
        other._until = self._until
        other.predictions = self.predictions
        if other.settings.timezone == self.settings.timezone:
            other._cached = self._cached
            for known in ("span", "_days", "currencies"):
                if known in self.__dict__ and "currency" not in changes:
                    other.__dict__[known] = self.__dict__[known]
        elif self._as_of and self._until:  # the last of its days is another one
            other._as_of = None
            other._as_of = other.span[1]
        return other

    def _copy(self, settings: Settings, as_of: dt.date | None) -> Book:
        other = Book(self._given, settings=settings, as_of=as_of, title=self.title)
        other.reading, other.refusals = self.reading, self.refusals
        other._whole = self._whole
        return other

    @property
    def as_of(self) -> dt.date:
        """The last day that the data cover."""
        return self._as_of or self.span[1]

    @property
    def last_day(self) -> dt.date | None:
        """`as_of`, or None where no row has a date."""
        return self.as_of if self._as_of or self._days else None

    @cached_property
    def span(self) -> tuple[dt.date, dt.date]:
        """The first and the last day that the data cover: that anything happened.

        Where there are orders, and other tables go on for more than a month after them or begin
        that long before, it is the days of orders and subscriptions: nobody knows who bought on
        the others. A subscription's end that is later than all else is planned there.
        """
        first, last = self._days_of_all
        trade = [day for name in _OF_TRADE for day in self._days.get(name, ())]
        if self._whole or "orders" not in self._days:
            return first, last
        apart = dt.timedelta(days=APART_DAYS)
        begun, over = min(trade), max(trade)
        return begun if begun - first > apart else first, over if last - over > apart else last

    @property
    def entire(self) -> Book:
        """The same book up to the last day of any table, for what is not about purchases."""
        if not self._apart or (self._as_of is not None and self._until is None):
            return self
        return self.once("entire", self._entire)

    def _entire(self) -> Book:
        other = self._copy(self.settings, self._days_of_all[1])
        other._whole = True
        other.__dict__["_days"] = self._days
        other.predictions = self.predictions
        return other

    @property
    def _apart(self) -> bool:
        """Whether orders begin or end so long apart from other tables that they set the span."""
        return self.has("orders") and bool(self._days) and self.span != self._days_of_all

    @property
    def _days_of_all(self) -> tuple[dt.date, dt.date]:
        days = [day for days in self._days.values() for day in days]
        if not days:
            if not any(self.rows(table.limit(1)) for table in self.tables.values()):
                raise InputError(
                    msg("No row of the data could be used."),
                    remedy=msg("See why rows were set aside, and mend them."),
                )
            raise InputError(
                msg("No row of the data has a date."),
                remedy=msg("Add a column that says when each order was made."),
            )
        return min(days), max(days)

    @cached_property
    def _days(self) -> dict[str, Days]:
        """The first and the last day of every table that has any."""
        over = None if self._until is None else self._until + ONE_DAY
        found: dict[str, Days] = {}
        for name in self.tables:
            clock = "started_at" if name == "subscriptions" else TABLES[name].clock
            if clock and (days := self._days_of(name, clock, over)):
                found[name] = days
        if over is None and "orders" in found:
            # An end may be planned: orders, and what else happened, say how far the data go.
            over = max(last for _, last in found.values()) + ONE_DAY
        if ends := self._days_of("subscriptions", "ended_at", over):
            starts = found.get("subscriptions", ends)
            found["subscriptions"] = min(starts[0], ends[0]), max(starts[1], ends[1])
        return found

    def _days_of(self, name: str, clock: str, over: dt.date | None) -> Days | None:
        if not self.has(name, clock):
            return None
        table = self.tables[name]
        # The day of the first moment, not the first day of all: the engine keeps the former.
        moment, held = table[clock], self._before(table, clock, over)
        first, last = self.day_of(moment.min(where=held)), self.day_of(moment.max(where=held))
        row = self.rows(table.aggregate(first=first, last=last))[0]
        return None if row["first"] is None else (row["first"], row["last"])

    def _before(self, table: ir.Table, clock: str, over: dt.date | None) -> ir.BooleanValue | None:
        # Only an end can stand for none; a condition would keep engines from their statistics.
        over = over or (FAR if clock == "ended_at" else None)
        return None if over is None else self.is_before(table[clock], over)

    def without_plans(self, today: dt.date) -> Book:
        """The book up to the last day before tomorrow, where subscriptions say when they will end.

        A planned end is no departure yet, and the data do not cover the days until then.

        Args:
            today: The day that it is in the company's time zone.

        Returns:
            The book; this one where its last day was given, or nothing can be planned.
        """
        if self._as_of is not None or not self.has("subscriptions", "ended_at"):
            return self
        end = self.day_of(self.tables["subscriptions"].ended_at.max())
        last = self.rows(end.name("last").as_table())[0]["last"]
        other = self._copy(self.settings, None)
        other._until = today
        if last is not None and last > today and other._days:
            other._as_of = other.span[1]
        return other

    @cached_property
    def currencies(self) -> tuple[str, ...]:
        """The currencies that orders are in (without orders: subscriptions), most used first."""
        return self.currencies_of("orders" if self.has("orders") else "subscriptions")

    def currencies_of(self, name: str) -> tuple[str, ...]:
        """The currencies that the amounts of a table are in, the most used first."""
        if not self.has(name, "currency"):
            return (self.settings.currency,) if self.settings.currency else ()

        def count() -> tuple[str, ...]:
            rows = self.table(name).filter(lambda t: t.currency.notnull())
            counted = self.rows(rows.group_by("currency").aggregate(n=rows.count()))
            found = sorted(counted, key=lambda row: (-row["n"], row["currency"]))
            return tuple(row["currency"] for row in found)

        return self.once(f"currencies of {name}", count)

    @property
    def currency(self) -> str | None:
        """The currency of all amounts (None: there are several, or it is not known)."""
        return self.currencies[0] if len(self.currencies) == 1 else None

    @property
    def purchases(self) -> ir.Table:
        """Every purchase of a known customer beside that customer's neighbouring ones.

        The one heavy table: each behavioural figure is a scan of it.

        Returns:
            One row a purchase (`kind` purchase, customer known), with `customer_id`, `day`,
            `amount`, `margin` where orders carry it, and `previous_day`, `next_day` (null at
            the ends), `first_day`, `nth` (1 on the first day the customer bought, 2 on the second
            day, …), `amount_so_far` (the customer's amounts up to and with this day),
            `first_amount` (those of the first day).
        """
        if "purchases" not in self._cached:
            orders = self.table("orders")
            found = purchases.computed(self.backend, orders) if self._is_duckdb else None
            if found is None:
                found = self._materialised(purchases.beside_neighbours(orders))
            self._cached["purchases"] = found
        return self._cached["purchases"]

    @property
    def _is_duckdb(self) -> bool:
        return bool(self.backend.name == "duckdb")

    def cached(self, name: str, expression: ir.Table) -> ir.Table:
        """Compute a table once on the engine and answer from it ever after."""
        if name not in self._cached:
            self._cached[name] = self._materialised(expression)
        return self._cached[name]

    def once(self, name: str, compute: Callable[[], Answer]) -> Answer:
        """Compute something once for this book under these settings."""
        if name not in self._once:
            self._once[name] = compute()
        answer: Answer = self._once[name]
        return answer

    def _materialised(self, expression: ir.Table) -> ir.Table:
        if self.backend.name not in ("duckdb", "postgres"):
            return expression.cache()
        # One CREATE TABLE … AS: Ibis's create_table inserts into an empty table, at twice the cost,
        # and its cache() drops the table while the interpreter shuts down, when it no longer can.
        name = f"revoir_{uuid.uuid4().hex}"
        self.backend._run_pre_execute_hooks(expression)
        statement = f"CREATE TEMPORARY TABLE {name} AS {self.backend.compile(expression)}"
        if self._is_duckdb:
            self.backend.con.execute(statement).fetchall()
        else:
            with self.backend.begin() as cursor:
                cursor.execute(statement)
        table: ir.Table = self.backend.table(name)
        return table

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        """Run an expression and bring its rows here."""
        if not self._is_duckdb:
            return list(expression.to_pyarrow().to_pylist())
        # Straight from DuckDB: Ibis's way out imports pandas, which takes longer than the answer.
        self.backend._run_pre_execute_hooks(expression)
        cursor = self.backend.con.execute(self.backend.compile(expression))
        names = expression.columns
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def columns(self, expression: ir.Table) -> pa.Table:
        """Run an expression and bring its columns here, for what is computed on many rows."""
        if not self._is_duckdb:
            return expression.to_pyarrow()
        self.backend._run_pre_execute_hooks(expression)
        return self.backend.con.sql(self.backend.compile(expression)).to_arrow_table()


def read(
    locations: str | Path | Sequence[str | Path],
    *,
    mapping: FileMapping | None = None,
    warehouse: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
    as_of: dt.date | None = None,
    title: str | None = None,
    sheet: str | None = None,
    storage_options: Mapping[str, str] | None = None,
    today: dt.date | None = None,
    progress: Callable[[Message], None] | None = None,
) -> Book:
    r"""Open what a company has: files, a folder, a lake, or a database.

    Args:
        locations: Paths, globs, folders, the URL of a lake in a bucket (``s3://…``, ``gs://…``,
            ``az://…``), or that of a database. A URL alone is measured where
            it is, if its tables or views have canonical names or `warehouse` says which they are;
            with ``?table=`` or ``?query=`` its rows are read like those of a file.
        mapping: What columns of files mean, where that is not to be found out.
        warehouse: Which tables of a database are the canonical ones (`engines.open_tables`).
        settings: What the company says of itself.
        as_of: The last day that the data cover (None: the last day anything happened).
        title: What reports call the company.
        sheet: The one sheet of a workbook to read.
        storage_options: What a bucket asks for (see `revoir.store.Lake`).
        today: Rows of files dated later than tomorrow are mistakes, and later ends are planned.
        progress: Told what is being done.

    Returns:
        The book; its `reading` says what became of every file.

    Raises:
        InputError: Nothing can be read.
        UsageError: The mapping does not fit.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "ventes.csv")
        >>> text = "client;date;montant\nA;05/01/2024;12,50\nB;17/02/2024;8,00\n"
        >>> _ = path.write_text(text)
        >>> read(path).as_of
        datetime.date(2024, 2, 17)
    """
    places = [locations] if isinstance(locations, str | Path) else list(locations)
    settings = settings or Settings()
    if any(store.is_lake(place) or store.is_bucket(place) for place in places):
        if len(places) > 1 or mapping is not None or sheet is not None:
            raise UsageError(
                msg("A lake is measured alone, and its columns have their meaning already."),
                remedy=msg("`revoir lake append` adds files to it."),
            )
        return open(
            places[0], settings=settings, as_of=as_of, title=title, today=today,
            storage_options=storage_options,
        )  # fmt: skip
    if len(places) == 1 and is_warehouse(str(places[0])):
        backend = engines.connect(str(places[0]))
        tables = engines.open_tables(backend, warehouse, timezone=settings.timezone)
        book = Book(tables, settings=settings, as_of=as_of, title=title)
        return book.without_plans(today) if today else book
    found = reading.read_tables(
        places,
        mapping=mapping,
        timezone=settings.timezone,
        currency=settings.currency,
        sheet=sheet,
        today=today,
        progress=progress,
    )
    if found.currency and not settings.currency:
        settings = replace(settings, currency=found.currency)
    book = Book(found.tables, settings=settings, as_of=as_of, title=title)
    book.reading = found
    # Lines are numbered by now; what is computed from here on may come in any order, and sooner.
    book.backend.con.execute("SET preserve_insertion_order = false").fetchall()
    return book.without_plans(today) if today else book


def open(
    location: str | Path,
    *,
    settings: Settings | None = None,
    as_of: dt.date | None = None,
    at: str | dt.datetime | None = None,
    storage_options: Mapping[str, str] | None = None,
    title: str | None = None,
    today: dt.date | None = None,
) -> Book:
    """Open a lake: a folder or bucket of canonical Delta tables.

    The book is fixed at the version that it was opened at; what is written later is not in it.

    Args:
        location: The folder, or a URL such as ``s3://bucket/lake``.
        settings: What the company says of itself.
        as_of: The last day that the data cover (None: the last day anything happened).
        at: A text that `Lake.version` gave, or a time in UTC: the tables as they stood then.
        storage_options: What the object store asks for (see `revoir.store.Lake`).
        title: What reports call the company.
        today: Subscriptions that end after it have not ended.

    Returns:
        The book.

    Raises:
        InputError: There is no lake, or nothing is in it.
        EngineError: The store cannot be reached, or the package `deltalake` is not installed.
    """
    lake = store.Lake(location, storage_options)
    backend = engines.memory()
    tables = lake.tables(backend, at=at)
    if not tables:
        raise InputError(
            msg("The lake is empty."),
            where=Where(file=lake.place.name),
            remedy=msg("`revoir lake append` adds files to it."),
        )
    backend.con.execute("SET preserve_insertion_order = false").fetchall()
    book = Book(tables, settings=settings, as_of=as_of, title=title)
    return book.without_plans(today) if today else book


def is_warehouse(location: str) -> bool:
    """Whether a location is a database to be measured where it is, not rows to be read."""
    if location.endswith((".duckdb", ".ddb")) and "://" not in location:
        return True
    chosen = ("?table=", "&table=", "?query=", "&query=", "#")
    return engines.is_database_url(location) and not any(part in location for part in chosen)
