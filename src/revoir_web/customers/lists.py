"""The list of customers, and that of pairs that may be one."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.core.cache import caches
from django.core.exceptions import EmptyResultSet
from django.db.models import F, Func, Lookup, Q, QuerySet
from django.db.models.lookups import Exact, GreaterThan, IsNull
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from revoir.language import msg
from revoir_web.common import exports
from revoir_web.common.models import Company
from revoir_web.common.rights import Right, may
from revoir_web.common.tables import Column, Filter, Table
from revoir_web.common.words import from_json, language
from revoir_web.customers import queries
from revoir_web.customers.models import CustomerFigures, MergeProposal, SegmentAverage
from revoir_web.customers.text import after, fold, phone_shown

COUNT_SECONDS = 60
"""How long the count of a long list may be that of a moment ago."""
GATHERED_MAX = 250_000
"""Of so many rows of one value (a segment, a town, …) a page is found by sorting them; of more, by
passing over others in the order wanted."""
NEAR = 10_000
"""Rows that are passed over in no time."""
READ_MAX = 5_000
"""The same where the index that narrows them does not hold what they are sorted by."""


class Aside(Func):
    """A column by which SQLite looks for no index.

    It knows little of how many rows an index narrows to, and with a million of them a wrong guess
    takes ten times as long. PostgreSQL needs nobody's advice.
    """

    arity = 1
    template = "%(expressions)s"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The column with a plus before it, which changes neither its value nor its order."""
        return self.as_sql(compiler, connection, template="+%(expressions)s", **context)


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


class Ordered:
    """Rows in an order, those without a value at the end, quick at any page of a million.

    Only keys are read in order, from an index; the rows of the page are read by their keys.
    """

    def __init__(
        self, rows: QuerySet[Any], field: str, down: bool, *, gathered: bool = False
    ) -> None:
        by = Aside(field) if gathered else F(field)
        keys = (by.desc(), F("pk").desc()) if down else (by.asc(), F("pk").asc())
        # What is not known is said as a part of an index, never as all but another part.
        known: Any = None
        unknown: Any = None
        if field == "name_key":
            known, unknown = GreaterThan(by, ""), Exact(by, "")
        elif field in ("first_on", "last_on"):
            known, unknown = IsNull(by, False), IsNull(by, True)
        self.known = (rows if known is None else rows.filter(known)).order_by(*keys)
        by_key = Aside("pk") if gathered else F("pk")
        self.unknown = None if unknown is None else rows.filter(unknown).order_by(by_key)

    @cached_property
    def ids(self) -> list[str]:
        """The keys of all rows, in order: only of a short list."""
        ids = list(self.known.values_list("pk", flat=True))
        if self.unknown is not None:
            ids += self.unknown.values_list("pk", flat=True)
        return ids

    def __getitem__(self, part: slice) -> list[Any]:
        ids = self.ids[part] if "ids" in vars(self) else self._ids(part)
        held = CustomerFigures.objects.select_related("customer").in_bulk(ids)
        return [held[id] for id in ids if id in held]

    def _ids(self, part: slice) -> list[str]:
        """The keys of one page."""
        begin, end = part.start or 0, part.stop
        ids = self._known_ids(begin, end)
        if self.unknown is not None and len(ids) < end - begin:
            first = 0 if ids or not begin else max(0, begin - count_of(self.known))
            rest = self.unknown.values_list("pk", flat=True)
            ids += list(rest[first : first + end - begin - len(ids)])
        return ids

    def _known_ids(self, begin: int, end: int) -> list[str]:
        known = self.known.values_list("pk", flat=True)
        if begin > NEAR and 2 * begin > (count := count_of(self.known)):
            # From the other end it is nearer.
            back = known.reverse()[max(0, count - end) : max(0, count - begin)]
            return list(back)[::-1]
        return list(known[begin:end])

    def iterator(self, chunk_size: int) -> Iterator[Any]:
        """Every row, in order."""
        yield from self.known.select_related("customer").iterator(chunk_size=chunk_size)
        if self.unknown is not None:
            yield from self.unknown.select_related("customer").iterator(chunk_size=chunk_size)


@dataclass
class CustomerTable(Table):
    """The list of customers: narrow tables are sorted and counted, wide ones only read."""

    @cached_property
    def count(self) -> int:
        """How many rows there are with these filters."""
        # What a search finds is short, and sorted as a whole in the time that it takes to count.
        return len(self.filtered.ids) if self.words else count_of(self.narrow)

    @cached_property
    def filtered(self) -> Any:
        """The rows that the address asks for, in order."""
        column, down = self.sort
        field = column.sort if column is not None and column.sort else "revenue"
        on = {held.name for held in self.filters if self.asked(held.name)}
        if not self.words and (not on or self._are_sorted(field, on)):
            return Ordered(self.narrow, field, down)
        most = GATHERED_MAX if on & set(_EQUAL) else READ_MAX
        if self.words or self.count <= most:
            return Ordered(self.narrow, field, down, gathered=True)
        walked = replace(self, filters=_filters({}, aside=_EQUAL)).narrow
        return Ordered(walked, field, down)

    @staticmethod
    def _are_sorted(field: str, on: set[str]) -> bool:
        """Whether an index has the rows of some filters together and in order."""
        if field == "revenue":
            return bool(on & {"revenue", *_EQUAL})
        return field in on or (field == "last_on" and bool(on & {"since", "until"}))


def customers(request: HttpRequest) -> CustomerTable:
    """Customers, those of the greatest revenue first."""
    company = getattr(request, "company", None) or Company.current()
    labels = segment_labels()
    return CustomerTable(
        request,
        CustomerFigures.objects.all(),
        [
            Column(
                "name",
                _("Name"),
                sort="name_key",
                value=lambda row: row.customer.label,
                personal=True,
            ),
            Column("segment", _("Segment"), value=lambda row: labels.get(row.segment, row.segment)),
            Column("status", _("Status"), value=lambda row: row.get_status_display()),
            Column("orders", _("Orders"), kind="number", sort="orders"),
            Column(
                "revenue", _("Revenue"), kind="money", currency=company.currency, sort="revenue"
            ),
            Column("last_on", _("Last purchase"), kind="day", sort="last_on"),
            Column("first_on", _("First purchase"), kind="day", sort="first_on", shown=False),
            Column("gap_days", _("Days between purchases"), kind="number", shown=False),
            Column("rfm", _("RFM scores"), shown=False),
            _of("city", _("Town"), shown=True),
            _of("postcode", _("Postcode")),
            _of("country", _("Country")),
            _of("email", _("E-mail address"), personal=True),
            Column(
                "phone",
                _("Telephone"),
                value=lambda row: row.customer.phone and phone_shown(row.customer.phone),
                personal=True,
                shown=False,
            ),
            _of("company_name", _("Company")),
            Column(
                "created_on",
                _("Customer since"),
                kind="day",
                value=lambda row: row.customer.created_on,
                shown=False,
            ),
        ],
        caption=_("Customers"),
        default_sort="-revenue",
        filters=_filters(labels, aside=_beside(request)),
        search=lambda rows, words: rows.filter(Among(F("pk"), queries.search(words))),
        url=lambda row: reverse("customers:customer", args=[row.pk]),
        export="customers",
        actions=[("merge", _("Merge the two chosen"))] if _may_merge(request) else [],
        empty={
            "title": _("No customer yet"),
            "text": _("Bring in a file of customers or orders: everyone in it will stand here."),
            "url": _import_url(),
            "action": _("Import a file"),
        },
    )


def _may_merge(request: HttpRequest) -> bool:
    return may(request.user, Right.EDIT_CUSTOMERS) and may(request.user, Right.SEE_PERSONAL)


@exports.register("customers", Right.SEE_CUSTOMERS)
def customers_file(request: HttpRequest) -> tuple[list[str], Any]:
    """The list as a file, with the filters, order and columns of the page."""
    return exports.of_table(customers(request))


def proposals(request: HttpRequest) -> Table:
    """Pairs that may be one person, the likeliest first."""
    return Table(
        request,
        queries.open_proposals().select_related("left", "right"),
        [
            Column("left", _("Customer"), value=lambda row: row.left.label, personal=True),
            Column(
                "right", _("May be the same as"), value=lambda row: row.right.label, personal=True
            ),
            Column("reason", _("Why"), value=lambda row: row.get_reason_display()),
            Column("score", _("Likeness"), kind="percent", sort="score"),
            Column("city", _("Town"), value=lambda row: row.left.city or row.right.city),
        ],
        caption=_("Customers that may be one person"),
        default_sort="-score",
        filters=[
            Filter(
                "reason",
                _("Why"),
                lambda rows, value: rows.filter(reason=value),
                choices=MergeProposal.Reason.choices,
            )
        ],
        url=lambda row: reverse("customers:proposal", args=[row.pk]),
        empty={
            "title": _("No pair to decide"),
            "text": _(
                "After each import, customers with the same e-mail address or telephone, or"
                " nearly the same name in one place, are proposed here."
            ),
        },
    )


def _of(name: str, label: Any, *, personal: bool = False, shown: bool = False) -> Column:
    def value(row: CustomerFigures) -> Any:
        return getattr(row.customer, name)

    return Column(name, label, value=value, personal=personal, shown=shown)


def segment_labels() -> dict[str, str]:
    """Name of each segment that customers are in → what people call it."""
    rows = SegmentAverage.objects.exclude(segment="").values_list("segment", "label")
    return {
        name: message.text(language()) if (message := from_json(label)) else name
        for name, label in rows
    }


_EQUAL = ("city", "segment", "status")
"""Filters by one value, those that leave the fewest rows first."""


def _beside(request: HttpRequest) -> Collection[str]:
    """Filters by which no rows are looked for, as another of the address leaves fewer."""
    others = any(request.GET.get(name, "").strip() for name in _EQUAL[:-1])
    return _EQUAL[-1:] if others else ()


def _filters(labels: Mapping[str, str], *, aside: Collection[str]) -> list[Filter]:
    """What the list can be narrowed by.

    Args:
        labels: Name of each segment → what people call it.
        aside: Filters by which no rows are to be looked for, only passed over.
    """
    return [
        Filter(
            "segment",
            _("Segment"),
            lambda rows, value: rows.filter(_is("segment", value, "segment" in aside)),
            choices=sorted(labels.items(), key=lambda pair: pair[1]),
        ),
        Filter(
            "status",
            _("Status"),
            lambda rows, value: rows.filter(_is("status", value, "status" in aside)),
            choices=CustomerFigures.Status.choices,
        ),
        Filter("city", _("Town"), lambda rows, text: _in_town(rows, text, "city" in aside)),
        Filter("orders", _("Orders, at least"), _at_least("orders"), kind="number"),
        Filter("revenue", _("Revenue, at least"), _at_least("revenue"), kind="number"),
        Filter("since", _("Last purchase from"), _day("last_on__gte"), kind="date"),
        Filter("until", _("Last purchase to"), _day("last_on__lte"), kind="date"),
    ]


def _is(field: str, value: str, aside: bool) -> Any:
    return Exact(Aside(field), value) if aside else Q(**{field: value})


def _in_town(rows: QuerySet[Any], text: str, aside: bool) -> QuerySet[Any]:
    town = fold(text)
    if not town:
        return rows.none()
    if CustomerFigures.objects.filter(city_key=town).exists():
        return rows.filter(_is("city_key", town, aside))
    return rows.filter(city_key__gte=town, city_key__lt=after(town))


def _at_least(field: str) -> Any:
    def apply(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        try:
            value = float(text.replace(",", ".").replace("\xa0", ""))
        except ValueError:
            return rows
        if not abs(value) < 1e15:
            return rows
        return rows.filter(**{f"{field}__gte": int(value) if field == "orders" else value})

    return apply


def _day(lookup: str) -> Any:
    def apply(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        try:
            day = dt.date.fromisoformat(text)
        except ValueError:
            return rows
        return rows.filter(**{lookup: day})

    return apply


def count_of(rows: QuerySet[Any]) -> int:
    """How many rows; of a long list, as of a minute ago at most."""
    cache = caches["process"]
    rows = rows.order_by()
    try:
        text, values = rows.query.sql_with_params()
    except EmptyResultSet:  # nobody was found
        return 0
    key = f"customers:{hash((text, tuple(map(str, values))))}"
    held = cache.get(key)
    if held is None:
        held = rows.count()
        if held > 10_000:
            cache.set(key, held, COUNT_SECONDS)
    return int(held)


def _import_url() -> str | None:
    try:
        return reverse("ingest:new")
    except NoReverseMatch:
        return None


FACT_KINDS = {
    "order": (msg("Order"), msg("Orders")),
    "subscription": (msg("Subscription"), msg("Subscriptions")),
    "event": (msg("Event"), msg("Events")),
    "response": (msg("Answer"), msg("Answers")),
    "interaction": (msg("Contact"), msg("Contacts")),
    "consent": (msg("Consent"), msg("Consents")),
}
"""Kinds of facts that a page can be narrowed to: what one is called, and what many are."""
