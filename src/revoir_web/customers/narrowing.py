"""Which customers a list shows and in what order, said once for the database and for columns."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, Literal

from django.db.models import F, Lookup, Q, QuerySet, Value
from django.db.models.functions import NullIf

from revoir_web.customers import columns
from revoir_web.customers.models import CustomerFigures, with_numbers
from revoir_web.customers.text import after

AT_ONCE = 2000


@dataclass(frozen=True)
class Condition:
    """What customers of a list have to meet.

    Attributes:
        field: The column of `CustomerFigures`; "pk" for the key, which goes with "after" and
            "before" alone.
        test: "is": it has this value; "from", "to": this value or more, or less; "town": it is this
            town, or where there is none of that name, begins with it.
        value: Text, a number or a day.
    """

    field: str
    test: Literal["is", "from", "to", "town", "after", "before"]
    value: str | float | dt.date

    def q(self) -> Q:
        """The condition as the database is asked."""
        if self.test == "town":
            town = str(self.value)
            whole = Q(**{self.field: town})
            if not town or CustomerFigures.objects.filter(whole).exists():
                return whole
            return Q(**{f"{self.field}__gte": town, f"{self.field}__lt": after(town)})
        return Q(**{f"{self.field}__{_LOOKUPS[self.test]}": self.value})


_LOOKUPS = {"is": "exact", "from": "gte", "to": "lte", "after": "gt", "before": "lt"}


class Among(Lookup):
    """Whether a key is one of many, given as one value.

    Django looks at each of two thousand parameters several times, which takes longer than
    finding the rows.
    """

    lookup_name = "among"
    prepare_rhs = False

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        """The keys as a text of JSON."""
        left, values = self.process_lhs(compiler, connection)
        return f"{left} IN (SELECT value FROM json_each(%s))", [*values, json.dumps(self.rhs)]

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """The keys as an array."""
        left, values = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s)", [*values, self.rhs]


@dataclass(frozen=True)
class Narrowed:
    """Customers that meet conditions, in an order; any page of a million is found at once.

    Those without a value of the column that they are sorted by come last.

    Attributes:
        conditions: What they have to meet.
        sort: One of `columns.SORTS`, or "pk".
        down: Whether the greatest is first.
        among: Only those of these keys (None: all).
    """

    conditions: tuple[Condition, ...] = ()
    sort: str = "pk"
    down: bool = False
    among: Sequence[str] | None = None

    def where(self, condition: Condition) -> Narrowed:
        """Those who meet one more condition."""
        return replace(self, conditions=(*self.conditions, condition))

    def none(self) -> Narrowed:
        """Nobody."""
        return replace(self, among=[])

    def by(self, sort: str, *, down: bool) -> Narrowed:
        """The same in another order."""
        return replace(self, sort=sort, down=down)

    def _find(self) -> columns.Found | None:
        # Of a few that were found by their names, the rows are at hand.
        if self.among is not None:
            return None
        return columns.find(self.conditions, self.sort, down=self.down)

    @cached_property
    def _rows(self) -> QuerySet[CustomerFigures]:
        rows = CustomerFigures.objects.filter(*(held.q() for held in self.conditions))
        if self.among is not None:
            rows = rows.filter(Among(F("pk"), self.among))
        by = NullIf(F(self.sort), Value("")) if self.sort == "name_key" else F(self.sort)
        if self.down:
            return rows.order_by(by.desc(nulls_last=True), "-pk")
        return rows.order_by(by.asc(nulls_last=True), "pk")

    def count(self) -> int:
        """How many there are."""
        found = self._find()
        return len(found) if found is not None else self._rows.count()

    def __getitem__(self, part: slice) -> list[CustomerFigures]:
        found = self._find()
        if found is not None:
            return _by_keys(found[part])
        rows = list(self._rows.select_related("customer")[part])
        with_numbers(row.customer for row in rows)
        return rows

    def iterator(self, chunk_size: int = AT_ONCE) -> Iterator[CustomerFigures]:
        """Every row, in order."""
        found = self._find()
        if found is None:
            rows = self._rows.select_related("customer").iterator(chunk_size=chunk_size)
            while part := list(islice(rows, chunk_size)):
                with_numbers(row.customer for row in part)
                yield from part
            return
        for begin in range(0, len(found), chunk_size):
            yield from _by_keys(found[begin : begin + chunk_size])


def _by_keys(ids: Sequence[str]) -> list[CustomerFigures]:
    """The rows of these keys, as they are now, in this order; who is gone is left out."""
    held = list(CustomerFigures.objects.select_related("customer").filter(Among(F("pk"), ids)))
    with_numbers(row.customer for row in held)
    by_key = {row.pk: row for row in held}
    return [by_key[id] for id in ids if id in by_key]
