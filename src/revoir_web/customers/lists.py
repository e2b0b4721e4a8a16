"""The list of customers, and that of pairs that may be one."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from django.core.cache import caches
from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet
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
from revoir_web.customers.narrowing import Condition, Narrowed
from revoir_web.customers.text import phone_shown, town_key

Reader = Callable[[str], Condition | None]
"""What was typed → the condition that it is (None: it is none)."""
COUNT_SECONDS = 60
"""How long a count that takes long may be that of a moment ago."""
COUNT_LONG_SECONDS = 0.1


@dataclass
class CustomerTable(Table):
    """The list of customers, whose rows know their orders by themselves."""

    @cached_property
    def filtered(self) -> Any:
        """The rows that the address asks for, in order."""
        column, down = self.sort
        return self.narrow.by(column.sort if column and column.sort else "revenue", down=down)

    @property
    def looked_at(self) -> int:
        """How many that a search found are looked at, where there may be more (0: all are)."""
        found = self._found.among if self.words and self._found is not None else None
        return queries.FOUND_MAX if len(found or ()) >= queries.FOUND_MAX else 0


def customers(request: HttpRequest) -> CustomerTable:
    """Customers, those of the greatest revenue first."""
    company = getattr(request, "company", None) or Company.current()
    labels = segment_labels()
    return CustomerTable(
        request,
        Narrowed(),
        [
            Column(
                "name",
                _("Name"),
                sort="name_key",
                value=lambda row: row.customer.label,
                personal=True,
                stead=lambda row: row.customer.short,
            ),
            Column("segment", _("Segment"), value=lambda row: labels.get(row.segment, row.segment)),
            Column("status", _("Status"), value=lambda row: row.get_status_display()),
            Column("orders", _("Orders"), kind="number", sort="orders"),
            Column(
                "revenue",
                _("Bought in all"),
                kind="money",
                currency=company.currency,
                sort="revenue",
            ),
            Column("last_on", _("Last purchase"), kind="day", sort="last_on"),
            Column("first_on", _("First purchase"), kind="day", sort="first_on", shown=False),
            Column("gap_days", _("Days between purchases"), kind="number", shown=False),
            Column("rfm", _("RFM scores"), shown=False),
            Column("leaves", _("Risk of leaving"), kind="percent", sort="leaves", shown=False),
            Column(
                "stake",
                _("At stake"),
                kind="money",
                currency=company.currency,
                sort="stake",
                shown=False,
            ),
            Column(
                "clv",
                _("Will bring in"),
                kind="money",
                currency=company.currency,
                sort="clv",
                shown=False,
            ),
            Column("next_on", _("Next purchase"), kind="day", sort="next_on", shown=False),
            Column("health", _("Health"), kind="number", sort="health", shown=False),
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
        filters=_filters(labels),
        search=lambda rows, words: replace(rows, among=queries.search(words)),
        search_tells=True,
        by_number=_numbered,
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


def _numbered(rows: Narrowed, words: str) -> Narrowed | None:
    ids = queries.by_number(words)
    return None if ids is None else replace(rows, among=ids)


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


def _filters(labels: Mapping[str, str]) -> list[Filter]:
    """What the list can be narrowed by.

    Args:
        labels: Name of each segment → what people call it.
    """

    def held(name: str, label: Any, condition: Reader, **more: Any) -> Filter:
        def apply(rows: Narrowed, text: str) -> Narrowed:
            found = condition(text)
            return rows if found is None else rows.where(found)

        return Filter(name, label, apply, **more)

    segments = sorted(labels.items(), key=lambda pair: pair[1])
    return [
        held("segment", _("Segment"), _is("segment"), choices=segments),
        held("status", _("Status"), _is("status"), choices=CustomerFigures.Status.choices),
        held("city", _("Town"), lambda text: Condition("city_key", "town", town_key(text))),
        held("orders", _("Orders, at least"), _number("orders", "from"), kind="number"),
        held("revenue", _("Bought in all, at least"), _number("revenue", "from"), kind="number"),
        held("since", _("Last purchase from"), _day("last_on", "from"), kind="date"),
        held("until", _("Last purchase to"), _day("last_on", "to"), kind="date"),
        held(
            "leaves",
            _("Risk of leaving, at least (%)"),
            _number("leaves", "from", of=100),
            kind="number",
            folded=True,
        ),
        held(
            "stake", _("At stake, at least"), _number("stake", "from"), kind="number", folded=True
        ),
        held(
            "clv", _("Will bring in, at least"), _number("clv", "from"), kind="number", folded=True
        ),
        held("next", _("Next purchase by"), _day("next_on", "to"), kind="date", folded=True),
        held("health", _("Health, at most"), _number("health", "to"), kind="number", folded=True),
    ]


def _is(field: str) -> Reader:
    return lambda text: Condition(field, "is", text)


def _number(field: str, test: Literal["from", "to"], *, of: float = 1) -> Reader:
    """A bound that was typed as a number.

    Args:
        field: The column.
        test: Whether it is the lower bound.
        of: What one of the column is written as, such as 100 for a share in percent.
    """

    def condition(text: str) -> Condition | None:
        try:
            value = float(text.replace(",", ".").replace("\xa0", "")) / of
        except ValueError:
            return None
        if not abs(value) < 1e15:
            return None
        return Condition(field, test, int(value) if field == "orders" else value)

    return condition


def _day(field: str, test: Literal["from", "to"]) -> Reader:
    def condition(text: str) -> Condition | None:
        try:
            return Condition(field, test, dt.date.fromisoformat(text))
        except ValueError:
            return None

    return condition


def count_of(rows: QuerySet[Any]) -> int:
    """How many rows; of a long list, or where counting takes long, as of a minute ago at most."""
    cache = caches["process"]
    rows = rows.order_by()
    try:
        text, values = rows.query.sql_with_params()
    except EmptyResultSet:  # nobody was found
        return 0
    key = f"customers:{hash((text, tuple(map(str, values))))}"
    held = cache.get(key)
    if held is None:
        began = time.monotonic()
        held = rows.count()
        # Few rows can take long, too: pairs of customers are looked up among a million of them.
        if held > 10_000 or time.monotonic() - began > COUNT_LONG_SECONDS:
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
