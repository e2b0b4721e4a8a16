"""One component for every list: sorted, filtered, searched, paged, with columns of one's choice.

The whole state is in the query string, so that an address can be kept and sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.functional import cached_property

from revoir.language import Money, Number, Percent, written
from revoir_web.common.rights import Right, may
from revoir_web.common.words import language

PAGE = 50
MASK = "•••"
SHEET_ROWS = 1_048_575
"""As many rows as a sheet of Excel has, below its heading."""


def fits_a_sheet(count: int) -> bool:
    """Whether so many rows find room in a sheet of Excel."""
    return count <= SHEET_ROWS


@dataclass(frozen=True)
class Column:
    """A column of a list.

    Attributes:
        name: Its name in the address; also the field, dots following relations.
        label: What stands above it (lazy).
        kind: "text", "number", "money", "percent", "day", "moment", "badge" or "choice".
        sort: The ORM field to sort by (None: the column is not sorted).
        value: Row → value (None: the field of that name).
        personal: Whether it tells who a customer is: masked without `Right.SEE_PERSONAL`.
        stead: Row → what stands in the place of a masked value (None: a mask).
        shown: Whether it is there before anyone chose columns.
        digits: Decimals of numbers and percentages.
        currency: ISO 4217 code of amounts.
    """

    name: str
    label: Any
    kind: str = "text"
    sort: str | None = None
    value: Callable[[Any], Any] | None = None
    personal: bool = False
    stead: Callable[[Any], Any] | None = None
    shown: bool = True
    digits: int = 0
    currency: str | None = None

    @property
    def figure(self) -> bool:
        """Whether it is aligned to the right."""
        return self.kind in ("number", "money", "percent")

    @property
    def timely(self) -> bool:
        """Whether it is a date or a time, which is not broken over two lines."""
        return self.kind in ("day", "moment")

    def plain(self, row: Any) -> Any:
        """The value of a row, as it is."""
        if self.value is not None:
            return self.value(row)
        held: Any = row
        for part in self.name.split("."):
            held = held.get(part) if isinstance(held, Mapping) else getattr(held, part, None)
        return held

    def masked(self, row: Any) -> Any:
        """What those see of a row who may not know who customers are."""
        value = self.plain(row)
        if not self.personal or not value:
            return value
        return self.stead(row) if self.stead is not None else MASK

    def text(self, value: Any) -> str:
        """A value as the reader's language writes it."""
        if value is None or value == "":
            return "—"
        if value == MASK:
            return MASK
        match self.kind:
            case "percent":
                return written(Percent(float(value), self.digits), language())
            case "money":
                return written(Money(value, self.currency, self.digits), language())
            case "number":
                return written(Number(value, self.digits), language())
            case "day" | "moment":
                from revoir_web.common.templatetags.revoir import day, moment

                return day(value) if self.kind == "day" else moment(value)
        return str(value)


@dataclass(frozen=True)
class Filter:
    """Something to narrow a list by.

    Attributes:
        name: Its name in the address.
        label: What stands beside it (lazy).
        apply: (rows, value) → fewer rows.
        choices: Value and label pairs (empty: free text).
        kind: The type of the input where there are no choices: "text", "number" or "date".
        folded: Whether it stands behind “More filters” until it is used.
    """

    name: str
    label: Any
    apply: Callable[[Any, str], Any]
    choices: Sequence[tuple[str, Any]] = ()
    kind: str = "text"
    folded: bool = False


@dataclass(frozen=True)
class Cell:
    """What stands in one place of the list."""

    column: Column
    text: str
    url: str | None = None


@dataclass
class Table:
    """A list as a page shows it; give it to ``{% include "components/table.html" %}``.

    Attributes:
        request: Whose query string says what is wanted.
        rows: All rows that may be seen: a QuerySet, or what can be narrowed and sorted like one.
        columns: What can be shown.
        caption: What the list is, for those who hear it.
        name: Distinguishes two lists on one page (prefix in the address).
        default_sort: Column name, "-" before it for the other way.
        filters: What it can be narrowed by.
        search: (rows, words) → fewer rows (None: there is no search).
        search_tells: Whether the search looks at who customers are: only those with
            `Right.SEE_PERSONAL` have it.
        by_number: What the others have: (rows, words) → fewer rows, None where the words are no
            number of ours (None: they have no search).
        url: Row → address of the thing (None: rows open nothing).
        export: Name of the registered export (None: there is none).
        total: Count of all rows, where counting is slow (None: they are counted).
        empty: What stands in place of no rows: `title`, `text`, `url`, `action`.
        per_page: How many rows a page has.
        actions: What may be done with chosen rows: value and label pairs.
        controls: Template of what stands beside them, such as a choice of colleagues ("": nothing).
    """

    request: HttpRequest
    rows: Any
    columns: Sequence[Column]
    caption: Any
    name: str = ""
    default_sort: str = ""
    filters: Sequence[Filter] = ()
    search: Callable[[Any, str], Any] | None = None
    search_tells: bool = False
    by_number: Callable[[Any, str], Any] | None = None
    url: Callable[[Any], str | None] | None = None
    export: str | None = None
    total: Callable[[QuerySet[Any]], int] | None = None
    empty: Mapping[str, Any] = field(default_factory=dict)
    per_page: int = PAGE
    actions: Sequence[tuple[str, Any]] = ()
    controls: str = ""

    # -- What the address asks for -------------------------------------------------------------
    def _key(self, name: str) -> str:
        return f"{self.name}.{name}" if self.name else name

    def asked(self, name: str) -> str:
        """One value of the query string."""
        return self.request.GET.get(self._key(name), "").strip()

    @cached_property
    def words(self) -> str:
        """What is searched for."""
        return self.asked("q")[:200]

    @cached_property
    def chosen(self) -> list[Column]:
        """The columns to show."""
        names = self.asked("columns").split(",") if self.asked("columns") else []
        picked = [column for column in self.columns if column.name in names]
        return picked or [column for column in self.columns if column.shown]

    @cached_property
    def sort(self) -> tuple[Column | None, bool]:
        """The column sorted by, and whether from the greatest to the least."""
        asked = self.asked("sort") or self.default_sort
        by_name = {column.name: column for column in self.columns if self._sorts(column)}
        column = by_name.get(asked.lstrip("-"))
        if column is None:
            asked = self.default_sort
            column = by_name.get(asked.lstrip("-"))
        return column, asked.startswith("-")

    def _sorts(self, column: Column) -> bool:
        """Whether the list can be sorted by a column: an order tells what a mask hides."""
        return bool(column.sort) and (self.named or not column.personal)

    # -- Who may search ------------------------------------------------------------------------
    @cached_property
    def named(self) -> bool:
        """Whether the reader may see who customers are."""
        return may(self.request.user, Right.SEE_PERSONAL)

    @property
    def guarded(self) -> bool:
        """Whether the reader may search by number alone."""
        return self.search_tells and not self.named

    @property
    def refused(self) -> bool:
        """Whether the address searches for what the reader may not see."""
        return self._found is None

    @cached_property
    def _found(self) -> Any:
        """The rows that the search finds (None: the reader may not search for that)."""
        if self.search is None or not self.words:
            return self.rows
        if not self.guarded:
            return self.search(self.rows, self.words)
        return self.by_number(self.rows, self.words) if self.by_number else None

    # -- Rows ----------------------------------------------------------------------------------
    @cached_property
    def narrow(self) -> Any:
        """The rows that the address asks for."""
        rows = self.rows.none() if self.refused else self._found
        for held in self.filters:
            if value := self.asked(held.name):
                rows = held.apply(rows, value)
        return rows

    @cached_property
    def filtered(self) -> Any:
        """The rows that the address asks for, sorted."""
        rows = self.narrow
        column, down = self.sort
        if column is not None and column.sort:
            order = F(column.sort)
            # NULLS LAST both ways: what is not known is never the greatest.
            rows = rows.order_by(
                order.desc(nulls_last=True) if down else order.asc(nulls_last=True), "pk"
            )
        return rows

    @property
    def narrowed(self) -> bool:
        """Whether a filter or a search is on."""
        return bool(self.words) or any(self.asked(held.name) for held in self.filters)

    @cached_property
    def count(self) -> int:
        """How many rows there are with these filters."""
        if self.total is not None:
            return self.total(self.filtered)
        count: int = self.filtered.count()
        return count

    @cached_property
    def pages(self) -> int:
        """How many pages."""
        return max(1, -(-self.count // self.per_page))

    @cached_property
    def page(self) -> int:
        """The page shown, from 1."""
        asked = self.asked("page")
        number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1
        return min(max(1, number), self.pages)

    @cached_property
    def shown(self) -> list[Any]:
        """The rows of the page."""
        first = (self.page - 1) * self.per_page
        return list(self.filtered[first : first + self.per_page])

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        """The rows of the page, their cells written."""
        found = []
        for row in self.shown:
            url = self.url(row) if self.url else None
            cells = []
            for place, column in enumerate(self.chosen):
                value = column.plain(row) if self.named else column.masked(row)
                cells.append(Cell(column, column.text(value), url if place == 0 else None))
            found.append({"row": row, "cells": cells, "url": url})
        return found

    # -- Addresses -----------------------------------------------------------------------------
    def link(self, **changes: str | None) -> str:
        """The address of this list with some values changed; None takes one away."""
        query: QueryDict = self.request.GET.copy()
        for name, value in changes.items():
            key = self._key(name)
            query.pop(key, None)
            if value:
                query[key] = value
        text = query.urlencode()
        return f"{self.request.path}?{text}" if text else self.request.path

    @property
    def headers(self) -> list[dict[str, Any]]:
        """The heads of the columns, with the address that sorts by each."""
        sorted_by, down = self.sort
        found = []
        for column in self.chosen:
            here = sorted_by is not None and column.name == sorted_by.name
            way = f"-{column.name}" if (not down if here else column.figure) else column.name
            found.append(
                {
                    "column": column,
                    "url": self.link(sort=way, page=None) if self._sorts(column) else None,
                    "aria": ("descending" if down else "ascending") if here else None,
                }
            )
        return found

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The filters that are in sight, with their present values."""
        return [self._field(held) for held in self.filters if not self._hides(held)]

    @property
    def folded_fields(self) -> list[dict[str, Any]]:
        """The filters behind “More filters”."""
        return [self._field(held) for held in self.filters if self._hides(held)]

    def _hides(self, held: Filter) -> bool:
        return held.folded and not self.asked(held.name)

    def _field(self, held: Filter) -> dict[str, Any]:
        value, choices = self.asked(held.name), list(held.choices)
        if choices and value and value not in {str(known) for known, _label in choices}:
            # A choice that is no more, or never was, is on all the same: it is not “All”.
            choices.append((value, value))
        return {"filter": held, "key": self._key(held.name), "value": value, "choices": choices}

    @property
    def choosable(self) -> list[dict[str, Any]]:
        """Every column and whether it is shown."""
        shown = {column.name for column in self.chosen}
        return [{"column": held, "shown": held.name in shown} for held in self.columns]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Values of the query string that a form of filters must carry on."""
        own = {self._key(held.name) for held in self.filters}
        own |= {self._key("q"), self._key("page"), self._key("columns")}
        return [
            (name, value)
            for name, values in self.request.GET.lists()
            if name not in own
            for value in values
        ]

    @property
    def searchable(self) -> bool:
        """Whether there is a search: a template would call the function itself."""
        return (self.by_number if self.guarded else self.search) is not None

    @property
    def search_key(self) -> str:
        """The name of the search in the address."""
        return self._key("q")

    @property
    def columns_key(self) -> str:
        """The name of the choice of columns in the address."""
        return self._key("columns")

    @property
    def columns_chosen(self) -> str:
        """The choice of columns as the address says it (empty: nobody chose)."""
        return self.asked("columns")

    @property
    def first(self) -> int:
        """The number of the first row on this page."""
        return (self.page - 1) * self.per_page + 1 if self.count else 0

    @property
    def last(self) -> int:
        """The number of the last row on this page."""
        return min(self.page * self.per_page, self.count)

    @property
    def previous_url(self) -> str | None:
        """The page before."""
        return self.link(page=str(self.page - 1)) if self.page > 1 else None

    @property
    def next_url(self) -> str | None:
        """The page after."""
        return self.link(page=str(self.page + 1)) if self.page < self.pages else None

    @property
    def clear_url(self) -> str:
        """The list without filters and search."""
        return self.link(q=None, page=None, **{held.name: None for held in self.filters})

    @property
    def for_excel(self) -> bool:
        """Whether all rows find room in a sheet."""
        return fits_a_sheet(self.count)

    @property
    def export_query(self) -> str:
        """The query string of the same rows as a file."""
        return self.request.GET.urlencode()


def part(request: HttpRequest, rows: Any, caption: Any, *, name: str, per_page: int) -> Table:
    """A list that a page draws itself: take `shown` of it, and `components/pages.html` below.

    Args:
        request: Whose address says which page.
        rows: All rows, in order.
        caption: What the list is, for those who hear it.
        name: Distinguishes it from the other lists of the page.
        per_page: How many rows a page has.
    """
    return Table(request, rows, (), caption, name=name, per_page=per_page)
