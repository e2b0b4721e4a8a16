"""The company's book: the lake at one version, under the company's settings, one a process.

Workers and commands call this; a web process never does, so that it stays small. One connection
answers one question at a time: `using` is what keeps two threads apart.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings

from revoir.errors import InputError
from revoir.goals import Aim
from revoir_web.common.models import Company
from revoir_web.insights.models import Goal, PredictionRun

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.store import Lake

SETTINGS = (
    "name", "currency", "timezone", "fiscal_year_start_month", "activity_window_days", "sector",
    "margin", "acquisition_cost", "not_recommended",
)  # fmt: skip
"""What of the company figures and reports depend on."""
MEMORY_SHARE = 0.5
"""How much of the machine's memory the engine takes at most; beyond it works on disk."""


@dataclass
class _Held:
    version: str
    base: Book
    books: dict[str, Book]


_lock = threading.RLock()
_held: list[_Held] = []


@cache
def _lake(url: str) -> Lake:
    from revoir.store import Lake

    return Lake(url)


def has_rows() -> bool:
    """Whether there is a row in the lake: one whose imports were all undone has none."""
    from revoir import store

    return bool(store.is_lake(settings.LAKE) and not _lake(settings.LAKE).is_empty)


def version() -> str:
    """What the figures depend on beside settings: the lake's version and the merged persons."""
    return f"{_lake(settings.LAKE).version};{_aliases_hash()}"


@cache
def _program() -> str:
    """The version of the program."""
    return metadata.version("revoir")


def settings_hash() -> str:
    """A text that changes whenever a setting that figures depend on does, or the program."""
    company = Company.current()
    said = {name: str(getattr(company, name)) for name in SETTINGS}
    goals = [
        list(map(str, row))
        for row in Goal.objects.values_list("metric", "value", "growth", "length", "start", "end")
    ]
    return _digest([said, sorted(goals), _program()])


def goals_in_force(goals: Iterable[Goal], day: dt.date) -> dict[str, list[Aim]]:
    """The goals in force on a day, by metric: of each length, that of the shorter time.

    That of the headline figure comes first.
    """
    found: dict[str, dict[str, Goal]] = {}
    for goal in goals:
        lengths = found.setdefault(goal.metric, {})
        held = lengths.get(goal.length)
        if goal.holds_on(day) and (held is None or goal.days < held.days):
            lengths[goal.length] = goal
    return {
        name: [
            Aim(goal.value, goal.growth, length or None)
            for length, goal in sorted(lengths.items(), key=lambda held: held[0])
        ]
        for name, lengths in found.items()
        if lengths
    }


def book() -> Book:
    """The company's tables as they stand, persons merged, under its settings.

    Returns:
        The book; the same one until data or settings change. Ask it inside `using` where other
        threads may.

    Raises:
        InputError: The lake is empty.
    """
    with _lock:
        # Subscriptions end with the days: tomorrow's book is another one, as is another zone's.
        company = Company.current()
        now = f"{version()};{company.timezone};{company.today}"
        if not _held or _held[0].version != now:
            _held[:] = [_Held(now, _opened(), {})]
        held = _held[0]
        run = PredictionRun.objects.first()
        key = f"{settings_hash()} {run.number if run else ''}"
        if key not in held.books:
            told = held.base.with_settings(**_said(held.base))
            held.books = {key: told if run is None else _foretold(told, run)}
        return held.books[key]


def _foretold(found: Book, run: PredictionRun) -> Book:
    """The book with the last predictions, where their file is there."""
    path = folder_of(run.number) / "customers.parquet"
    if not path.exists():
        return found
    table = found.backend.read_parquet(path, table_name=f"predictions_{run.number}")
    return found.with_predictions(table)


def folder_of(number: str) -> Path:
    """Where the files of a run of predictions lie."""
    if not number.isalnum():
        raise ValueError(number)
    return Path(settings.DATA) / "predictions" / number


@contextmanager
def using() -> Iterator[Book]:
    """The book, for this thread alone."""
    with _lock:
        yield book()


@contextmanager
def apart() -> Iterator[Book]:
    """A book of one's own for long work: others go on asking the shared one meanwhile."""
    base = _opened()
    try:
        yield base.with_settings(**_said(base))
    finally:
        base.backend.disconnect()


def forget() -> None:
    """Let the book go, and the memory that it takes."""
    with _lock:
        _held.clear()
        _lake.cache_clear()


def _opened() -> Book:
    from revoir.book import Book, Settings, open

    company = Company.current()
    said = Settings(timezone=company.timezone)
    found = open(settings.LAKE, settings=said, title=company.name)
    limit = int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * MEMORY_SHARE)
    found.backend.con.execute(f"SET memory_limit = '{limit >> 20}MiB'").fetchall()
    aliases = _aliases()
    if aliases:
        tables = {name: _merged(found, name, aliases) for name in found.tables}
        found = Book(tables, settings=said, title=company.name)
    return found.without_plans(company.today)


def _said(base: Book) -> dict[str, Any]:
    """What the company says of itself beside its time zone, as the core takes it."""
    from revoir.metrics.activity import propose

    company = Company.current()
    window_days = company.activity_window_days
    rule = propose(base, window_days) if window_days else None
    goals = list(Goal.objects.all())
    return {
        "currency": company.currency or None,
        "fiscal_year_start_month": company.fiscal_year_start_month,
        "activity": rule,
        "margin": None if company.margin is None else float(company.margin),
        "acquisition_cost": None
        if company.acquisition_cost is None
        else float(company.acquisition_cost),
        "sector": company.sector or None,
        "not_recommended": tuple(company.not_recommended),
        "goals": goals_in_force(goals, last_day(base)),
        "goals_on": partial(goals_in_force, goals),
    }


# -- Persons who were found to be one ------------------------------------------------------------
def _aliases() -> dict[str, str]:
    """Merged person → the one who stays, however long the chain."""
    if not apps.is_installed("revoir_web.customers"):
        return {}
    customer = apps.get_model("customers", "Customer")
    pairs = customer.objects.filter(merged_into__isnull=False).values_list("pk", "merged_into_id")
    into = {_plain(gone): _plain(kept) for gone, kept in pairs.iterator()}
    found = {}
    for gone, first in into.items():
        kept, seen = first, {gone}
        while kept in into and kept not in seen:
            seen.add(kept)
            kept = into[kept]
        found[gone] = kept
    return found


def _plain(key: Any) -> str:
    return str(getattr(key, "hex", key))


def _aliases_hash() -> str:
    return _digest(sorted(_aliases().items()))[:12]


def _merged(found: Book, name: str, aliases: dict[str, str]) -> Any:
    import ibis
    import pyarrow as pa

    table = found.tables[name]
    if "customer_id" not in table.columns:
        return table
    known = found.cached(
        "aliases",
        ibis.memtable(
            pa.table({"alias__gone": list(aliases), "alias__kept": list(aliases.values())})
        ),
    )
    if name == "customers":
        return table.anti_join(known, table.customer_id == known.alias__gone)
    joined = table.left_join(known, table.customer_id == known.alias__gone)
    joined = joined.mutate(customer_id=joined.alias__kept.coalesce(joined.customer_id))
    return joined.drop("alias__gone", "alias__kept")


def _digest(held: Any) -> str:
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()[:32]


def last_day(base: Book) -> dt.date:
    """The last day of the data; today where nothing in them has a day, as in lists of customers."""
    try:
        return base.as_of
    except InputError:
        return Company.current().today
