"""What happened with one customer, straight from the lake's files: the 360° page reads it."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from django.conf import settings

from revoir.sentiment import NEGATIVE
from revoir.tables import TABLES
from revoir_web.customers.facts import Owned, aware, moment_of

MEMORY = "192MiB"
"""The most that a web process spends on it."""
LOOKED_AT_SECONDS = 1.0
"""How long a version of the lake is taken for the newest."""
LIMIT_MAX = 100_000
"""As many as the file of a person's data has; a page asks for far fewer."""
DETRACTOR_MAX = 6
KINDS = {
    "orders": "order",
    "order_lines": "product",
    "subscriptions": "subscription",
    "responses": "response",
    "interactions": "interaction",
    "events": "event",
}
"""The tables whose rows happened at a time, and what one row of each is."""

_MONEY = {
    "orders": "amount",
    "order_lines": "amount",
    "subscriptions": "monthly_amount",
}
_TITLES = {
    "order_lines": "product",
    "subscriptions": "plan",
    "responses": "question",
    "interactions": "kind",
    "events": "event",
}
"""The column that says what a row is about."""
_LEFT_OUT = {"customer_id", "batch_id", "ordered_on", "currency"}
_CUSTOMER = "customer_id"
_BOUGHT_ON = "ordered_on"


@dataclass
class _Known:
    """The files of the lake as they were last looked at."""

    at: float = 0.0
    tables: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    files: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)


_known = _Known()
_lock = threading.Lock()


def facts_of(
    customer_ids: str | Sequence[str],
    *,
    limit: int = 50,
    before: dt.datetime | None = None,
    kinds: Container[str] | None = None,
) -> list[dict[str, Any]]:
    """Everything that happened with a customer, the latest first, that without a day at the end.

    Files are ordered by customer, so that this reads a few thousand rows of millions.

    Args:
        customer_ids: The customer's id, and those that were merged into it.
        limit: How many at most.
        before: Only what happened before (UTC), for the next page.
        kinds: Only facts of these kinds, of the values of `KINDS` (None: all).

    Returns:
        One mapping a fact: `at` (aware; None: the data do not say when), `kind` (a value of
        `KINDS`), `id`, `title` (a word of the data; "" where it has none), `amount` and `currency`
        (None: it has none), `details` (the other columns that are known).
    """
    ids = [customer_ids] if isinstance(customer_ids, str) else list(customer_ids)
    limit = max(1, min(limit, LIMIT_MAX))
    files = _files()
    if not ids or not files:
        return []
    found: list[dict[str, Any]] = []
    for table, (paths, columns) in files.items():
        if kinds is not None and KINDS[table] not in kinds:
            continue
        told = _rows(table, paths, columns, ids, limit, before)
        if table == "order_lines":
            _name_products(told)
        found += [_fact(table, row) for row in told]
    found.sort(key=moment_of, reverse=True)
    return found[:limit]


def owned_by(customer_ids: Sequence[str]) -> list[Owned]:
    """What a customer owns by the lines of all their orders, that bought last first.

    Args:
        customer_ids: The customer's id, and those that were merged into it.
    """
    paths, columns = _files().get("order_lines", ([], []))
    named = [f'"{name}"' for name in ("product", "product_id") if name in columns]
    if not customer_ids or not paths or not named or not {_CUSTOMER, _BOUGHT_ON} <= set(columns):
        return []
    quantity = 'coalesce("quantity", 1)' if "quantity" in columns else "1"
    counted = "true"
    if "kind" in columns:
        # What came back is less, whichever sign the file gave it; what was cancelled never came.
        quantity = f"case when \"kind\" = 'return' then -abs({quantity}) else {quantity} end"
        counted = "\"kind\" is distinct from 'cancelled'"
    due = f'arg_max("upgrade_on", "{_BOUGHT_ON}")' if "upgrade_on" in columns else "null"
    statement = (
        f"select * from (select coalesce({', '.join(named)}) as name, sum({quantity}) as held,"
        f' max("{_BOUGHT_ON}") as since, {due} as due from read_parquet(?, union_by_name=true)'
        f" where {_CUSTOMER} in ({_marks(customer_ids)}) and {counted} group by 1)"
        " where name is not null and held > 0 order by since desc, name"
    )
    held = rows(statement, [paths, *customer_ids])
    called = {} if "product" in columns else product_names([str(row["name"]) for row in held])
    return [
        Owned(
            called.get(str(row["name"]), str(row["name"])),
            float(row["held"]), row["since"], row["due"],
        )
        for row in held
    ]  # fmt: skip


def product_names(ids: Sequence[str]) -> dict[str, str]:
    """What the list of products calls some of them.

    Args:
        ids: Their codes.

    Returns:
        By code, the names of those that it has.
    """
    paths, columns = _every_file().get("products", ([], []))
    if not ids or not paths or "product" not in columns:
        return {}
    statement = (
        "select product_id, product from read_parquet(?, union_by_name=true)"
        f" where product_id in ({_marks(ids)}) and product is not null"
    )
    return {row["product_id"]: row["product"] for row in rows(statement, [paths, *ids])}


def _name_products(lines: Sequence[dict[str, Any]]) -> None:
    """Give lines that have only a product's code its name."""
    nameless = {str(row["product_id"]) for row in lines if _only_code(row)}
    called = product_names(sorted(nameless))
    for row in lines:
        if _only_code(row):
            row["product"] = called.get(str(row["product_id"]), row["product_id"])


def _only_code(row: dict[str, Any]) -> bool:
    return row.get("product") is None and row.get("product_id") is not None


def _rows(
    table: str,
    paths: list[str],
    columns: list[str],
    ids: Sequence[str],
    limit: int,
    before: dt.datetime | None,
) -> list[dict[str, Any]]:
    clock = _clock(table, columns)
    if _CUSTOMER not in columns:
        return []
    moment = "cast(null as timestamp)" if clock is None else f'"{clock}"'
    arguments: list[Any] = [paths, *ids]
    narrowed = ""
    if before is not None:
        narrowed = f" and ({moment} < ? or {moment} is null)"
        arguments.append(before.astimezone(dt.UTC).replace(tzinfo=None))
    # Facts of one moment come in the same order each time: pages are cut between them.
    rest = ", ".join(f'"{column}"' for column in columns if column != clock)
    # An equality lets the engine skip every group of rows but the customer's.
    statement = (
        f"select * from read_parquet(?, union_by_name=true) where {_CUSTOMER} in ({_marks(ids)})"
        f"{narrowed} order by {moment} desc nulls last, {rest} limit {limit}"
    )
    return [{**row, "__clock": clock} for row in rows(statement, arguments)]


def _fact(table: str, row: dict[str, Any]) -> dict[str, Any]:
    clock = row.pop("__clock")
    money = _MONEY.get(table)
    amount = row.get(money) if money else None
    key = TABLES[table].key
    about = row.get(_TITLES.get(table, ""))
    hidden = _LEFT_OUT | {clock, money, key}
    return {
        "at": aware(row.get(clock)),
        "kind": KINDS[table],
        "id": row.get(key) if key else None,
        "title": "" if about is None else str(about),
        "amount": None if amount is None else Decimal(str(amount)),
        "currency": row.get("currency"),
        "details": {
            **{n: value for n, value in row.items() if n not in hidden and value is not None},
            **({"bad": True} if _is_bad(table, row) else {}),
        },
    }


def _is_bad(table: str, row: dict[str, Any]) -> bool:
    """Whether a customer is unhappy: a complaint, a detractor's score, words that sound so."""
    sounds, score, question = (row.get(n) for n in ("text_sentiment", "score", "question"))
    sounds_bad = sounds is not None and sounds <= NEGATIVE
    if table == "interactions":
        return sounds_bad or bool(row.get("is_complaint"))
    if table == "responses" and score is not None:
        if question == "nps" and score <= DETRACTOR_MAX:
            return True
        if question in ("csat", "ces"):
            return False  # the score speaks
    return sounds_bad


def _clock(table: str, columns: Sequence[str]) -> str | None:
    declared = TABLES[table].clock
    if table == "orders" and "ordered_at" in columns:
        return "ordered_at"
    if table == "subscriptions":
        return "started_at" if "started_at" in columns else None
    return declared if declared in columns else None


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


@cache
def _connection() -> Any:
    """One small engine a process; it reads files and goes nowhere by itself."""
    import duckdb

    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY,
            "threads": 1,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    connection.execute("SET enable_progress_bar = false")
    return connection


def rows(statement: str, arguments: Sequence[Any]) -> list[dict[str, Any]]:
    """The rows of a statement about files, asked of the small engine of this process.

    Args:
        statement: In the words of DuckDB.
        arguments: Its values.
    """
    # A cursor a call: threads that share one would read each other's rows.
    with _connection().cursor() as cursor:
        cursor.execute(statement, arguments)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _files() -> dict[str, tuple[list[str], list[str]]]:
    """The files and columns of each table whose rows happened, as of a moment ago."""
    return {name: held for name, held in _every_file().items() if name in KINDS}


def _every_file() -> dict[str, tuple[list[str], list[str]]]:
    """The files and columns of each table, as of a moment ago."""
    from revoir.store import Lake, is_lake, remote

    with _lock:
        now = time.monotonic()
        if now - _known.at > LOOKED_AT_SECONDS:
            if not is_lake(settings.LAKE):
                return {}
            place = Lake(settings.LAKE).place
            for name in place.tables():
                held = _known.tables.get(name)
                if held is None:
                    held = place.open(name)
                else:
                    held.update_incremental()
                version = held.version()
                if _known.versions.get(name) == version:
                    continue
                _known.tables[name], _known.versions[name] = held, version
                files = place.files(held, name)
                if files and not place.is_local:
                    files = remote.reachable(place, files, _Engine(_connection()))
                columns = [column.name for column in held.schema().fields]
                _known.files[name] = (files, columns)
            _known.at = now
        return {name: held for name, held in _known.files.items() if held[0]}


@dataclass
class _Engine:
    """What of an Ibis backend the reading of an object store needs."""

    con: Any


def forget() -> None:
    """Look at the lake afresh; tests with a lake of their own need it."""
    with _lock:
        _known.at = 0.0
        for held in (_known.tables, _known.versions, _known.files):
            held.clear()
