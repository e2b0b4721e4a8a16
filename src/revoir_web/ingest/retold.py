"""Contracts, answers and contacts without a number that come again and are told otherwise.

Their key is made of what the file calls their customer and of what tells them from the customer's
others. From one file to the next a customer is called by a number instead of an address, a column
comes, a contract goes on under another plan, a score is corrected: such a row is the one of the
lake that the file has no more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from revoir.tables import TABLES
from revoir_web.ingest import corrections, sql

if TYPE_CHECKING:
    import duckdb

SAYS: dict[str, tuple[str, ...]] = {
    "subscriptions": ("plan", "started_at"),
    "responses": ("responded_on", "question", "score"),
    "interactions": ("opened_at", "channel", "kind"),
    "events": ("occurred_at", "event"),
}
"""What tells a row from the others of a customer, where nothing numbers them."""
_STAYS = {
    "subscriptions": ("started_at",),
    "responses": ("responded_on", "question"),
    "interactions": ("opened_at",),
    "events": ("occurred_at", "event"),
}
"""What of it stays when the rest is told otherwise."""
_SHARE = 0.5
"""Share of the rows up to the lake's last day that must be there where a column comes or goes."""
_PREFIXES = corrections.ACCEPTED + corrections.CORRECTED


def know_again(connection: duckdb.DuckDBPyConnection, table: str, known: str) -> None:
    """Give rows without a number the keys that they have in the lake.

    Args:
        connection: Holds `keyed_<table>`.
        table: The canonical table, one of `SAYS`.
        known: SQL of it in the lake.
    """
    key, mine = TABLES[table].key, f"keyed_{table}"
    here = sql.columns_of(connection, mine)
    there = sql.columns_of(connection, f"{known} AS l")
    both = [name for name in SAYS[table] if name in here and name in there]
    stays = [name for name in _STAYS[table] if name in both]
    found = _Found(connection, mine, known, key)
    if not found.any:
        return
    if all((name in here) == (name in there) for name in SAYS[table]):
        # The customer is called otherwise.
        found.take(both)
        # What a file of other contracts or contacts tells has other plans, other channels.
        used = [
            f"coalesce(l.{name} IN (SELECT {name} FROM {mine}), true)"
            for name in both
            if name not in stays and name != "score"
        ]
        found.take(stays, used, lambda pairs, before: before >= pairs)
        return
    # A column came or went: all keys are others, and what it says tells no rows apart.
    clock = TABLES[table].clock or "started_at"
    due = f"WHERE {clock} <= (SELECT max({clock}) FROM {known} AS l)" if clock in both else ""
    found.take(
        stays or both,
        [f"coalesce(m.{name} = l.{name}, true)" for name in both if name not in stays],
        lambda pairs, before: pairs > max(before, _SHARE * found.count(f"retold_mine {due}") - 1),
    )


class _Found:
    """Pairs rows of an import with rows of the lake that it has no more, each with one.

    Args:
        connection: Holds the rows.
        mine: The rows of the import.
        known: SQL of those of the lake.
        key: The column of their keys.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, mine: str, known: str, key: str
    ) -> None:
        self._connection, self._mine, self._key = connection, mine, key
        loose = f"regexp_full_match({key}, '[{_PREFIXES}][0-9a-f]{{27}}')"
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE retold_mine AS SELECT * FROM {mine} WHERE {loose}"
            f" AND customer_id IS NOT NULL AND {key} NOT IN (SELECT {key} FROM {known} AS l)"
        )
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE retold_theirs AS SELECT * FROM {known} AS l"
            f" WHERE {loose} AND customer_id IN (SELECT customer_id FROM retold_mine)"
            f" AND {key} NOT IN (SELECT {key} FROM {mine})"
        )
        self.any = bool(self.count("retold_theirs"))

    def take(
        self,
        same: Sequence[str],
        alike: Sequence[str] = (),
        enough: Callable[[int, int], bool] = lambda pairs, before: True,
    ) -> None:
        """Give the keys of the lake's rows to those that are the same in some columns.

        Args:
            same: The columns, beside the customer.
            alike: What else must hold of both, as SQL of `m` and `l`.
            enough: Whether so many pairs are the same rows, where so many other rows of the import
                have come again as they were.
        """
        cells = ", ".join(["customer_id", *map(sql.name, same)])
        nth = f"row_number() OVER (PARTITION BY {cells} ORDER BY {sql.name(self._key)}) AS _nth"
        on = " AND ".join(
            [f"m.{sql.name(name)} IS NOT DISTINCT FROM l.{sql.name(name)}" for name in same]
            + [*alike]
        )
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE retold AS SELECT m.{self._key} AS mine,"
            f" l.{self._key} AS theirs FROM (SELECT *, {nth} FROM retold_mine) AS m"
            f" JOIN (SELECT *, {nth} FROM retold_theirs) AS l ON m.customer_id = l.customer_id"
            f" AND m._nth = l._nth AND {on}"
        )
        before = self.count(self._mine) - self.count("retold_mine")
        if not enough(self.count("retold"), before):
            return
        self._connection.execute(
            f"UPDATE {self._mine} SET {self._key} = r.theirs FROM retold AS r"
            f" WHERE {self._mine}.{self._key} = r.mine"
        )
        for table, own in (("retold_mine", "mine"), ("retold_theirs", "theirs")):
            self._connection.execute(
                f"DELETE FROM {table} WHERE {self._key} IN (SELECT {own} FROM retold)"
            )

    def count(self, relation: str) -> int:
        """How many rows there are."""
        return int(self._connection.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])
