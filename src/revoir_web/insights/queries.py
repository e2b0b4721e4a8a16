"""What pages read: stored answers and saved things; nothing here computes a figure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db.models import Q
from django.http import Http404, QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from revoir.language import Number, clauses, msg, written
from revoir_web.common.words import heading, language
from revoir_web.insights import files, runs
from revoir_web.insights.facts import facts_of
from revoir_web.insights.models import DataState, SavedSegment, SavedView

__all__ = ["facts_of"]

BY_MAX = 3


def freshness(asked: runs.Asked, state: DataState) -> dict[str, Any]:
    """How old the figures are, and what brings new ones."""
    return {
        "state": state,
        "has_data": bool(state.lake_version),
        "computed_at": asked.run.computed_at if asked.run is not None else None,
        "stale": asked.run is not None and not asked.fresh,
        "refreshing": runs.refresh_under_way(),
        "last_day": _day(state.facts.get("last")),
    }


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


# -- Metrics -----------------------------------------------------------------------------------
def catalogue(asked: runs.Asked, words: str = "") -> list[dict[str, Any]]:
    """The families of metrics that have any, those whose name or definition holds the words."""
    wanted = words.strip().lower()
    families = []
    for family in asked.result or []:
        found = [
            metric
            for metric in family["metrics"]
            if wanted in f"{metric['name']} {metric['label']} {metric['formula']}".lower()
        ]
        if found:
            families.append({**family, "metrics": found})
    return families


def metric_choices() -> list[tuple[str, str]]:
    """Names and labels of the metrics, by family."""
    return [
        (metric["name"], metric["label"])
        for family in runs.look("catalogue").result or []
        for metric in family["metrics"]
    ]


def units() -> dict[str, str]:
    """The unit of each metric."""
    known = runs.look("catalogue").data.get("metrics", {})
    return {name: facts["unit"] for name, facts in known.items()}


def definition(name: str) -> dict[str, Any] | None:
    """What a metric is."""
    asked = runs.look("catalogue")
    for family in asked.result or []:
        for metric in family["metrics"]:
            if metric["name"] == name:
                return {**asked.data["metrics"][name], **metric, "family": family["label"]}
    return None


def label(name: str, known: dict[str, Any] | None) -> str:
    """What people call a metric, also before the catalogue; its name before anything is known.

    Args:
        name: The metric.
        known: Its `definition`.
    """
    if known is not None:
        return str(known["label"])
    labels: dict[str, str] = (DataState.current().facts or {}).get("labels", {}).get(name, {})
    return labels.get(language(), name)


def metric_question(name: str, given: QueryDict) -> dict[str, Any]:
    """What an address asks of a metric."""
    question = {
        "name": name,
        "grain": given.get("grain", ""),
        "from": given.get("from", "")[:10],
        "to": given.get("to", "")[:10],
        "by": [name for name in given.getlist("by") if name][:BY_MAX],
        "where": where_of(given),
    }
    return runs.asked_of(question)


def where_of(given: QueryDict) -> str:
    """The rule that an address narrows by: its own, and that of the saved segment it names.

    Raises:
        Http404: There is no such segment, or no more: what an address or a saved view asks of one
            is not told of everybody.
    """
    rules = [given.get("where", "").strip()[:5000]]
    if chosen := given.get("segment", ""):
        key = int(chosen[:18]) if chosen.isascii() and chosen.isdigit() else 0
        held = SavedSegment.objects.filter(pk=key, removed_at=None).first()
        if held is None:
            raise Http404
        rules.append(held.rule)
    said = [rule for rule in rules if rule]
    return said[0] if len(said) == 1 else " and ".join(f"({rule})" for rule in said)


def metric_table(name: str, asked: runs.Asked, given: QueryDict) -> dict[str, Any] | None:
    """The table of a metric's page, the latest period first, each row with the way behind it."""
    if asked.result is None:
        return None
    table = asked.result["table"]
    kept = QueryDict(mutable=True)
    for key in ("where", "segment"):
        if given.get(key):
            kept[key] = given.get(key, "")
    lines = []
    for row in reversed(table["rows"]):
        query = kept.copy()
        if row["start"]:
            query["from"], query["to"] = row["start"], row["end"]
        for column, value in row["by"].items():
            query[f"by.{column}"] = "" if value is None else str(value)
        address = f"{reverse('insights:rows', args=[name])}?{query.urlencode()}"
        lines.append({"cells": row["cells"], "url": address if row["known"] else None})
    return {**table, "lines": lines}


def made_of(asked: runs.Asked, given: QueryDict) -> list[tuple[str, str]]:
    """The figures that a figure is made of: what each is called, and the address of its rows.

    Args:
        asked: The rows behind it.
        given: What the address asks of them.
    """
    query = given.copy()
    query.pop("page", None)
    return [
        (label, f"{reverse('insights:rows', args=[name])}?{query.urlencode()}")
        for name, label in zip(
            asked.data.get("made_of", ()), (asked.result or {}).get("made_of", ()), strict=True
        )
    ]


def rows_question(name: str, given: QueryDict) -> dict[str, Any]:
    """What an address asks of the rows behind a figure."""
    group = {
        key[3:]: value or None for key, value in given.items() if key.startswith("by.") and key[3:]
    }
    question = {
        "name": name,
        "from": given.get("from", "")[:10],
        "to": given.get("to", "")[:10],
        "where": where_of(given),
        "group": dict(list(group.items())[:BY_MAX]),
    }
    return runs.asked_of(question)


def made_file(kind: str, question: Mapping[str, Any], *, by: int | None) -> runs.Asked:
    """The answer to a question that is a file; it is made again where it was swept away."""
    asked = runs.look(kind, question)
    if asked.result is not None and not files.rows_of(asked.data["file"]).is_file():
        runs.forget(kind, question)
    return runs.ask(kind, question, by=by)


def pages_of(asked: runs.Asked, page: int, given: QueryDict) -> dict[str, Any]:
    """Where a page of rows stands among all, and the addresses of its neighbours."""
    first, count = asked.data.get("first", 0), len(asked.data.get("rows", []))

    def address(number: int) -> str:
        query = given.copy()
        query.pop("file", None)
        query["page"] = str(number)
        return f"?{query.urlencode()}"

    more = first + count < asked.data.get("total", 0)
    return {
        "first": first + 1 if count else 0,
        "last": first + count,
        "previous": address(page - 1) if page > 1 else None,
        "next": address(page + 1) if more else None,
    }


def rows_told(given: QueryDict, state: DataState) -> dict[str, Any]:
    """What an address of rows asks, as people write it: first and last day, and the groups."""
    columns = dict(column_choices(state))
    return {
        "days": [_written(given.get(name, "")) for name in ("from", "to")],
        "groups": [
            (columns.get(key[3:]) or heading(key[3:]), value)
            for key, value in given.items()
            if key.startswith("by.")
        ],
    }


OUR_WORDS = {
    "kept": msg("kept"),
    "lost": msg("lost"),
    "new": msg("new"),
    "returned": msg("returned"),
    "reactivation": msg("won back"),
    "expansion": msg("pays more"),
    "contraction": msg("pays less"),
    "churned": msg("lost"),
    "purchase": msg("purchase"),
    "return": msg("return"),
    "free": msg("free of charge"),
}
"""What a cell says that was written by the program, and not by the company."""


def stay_columns(asked: runs.Asked, by: str) -> list[tuple[str, str]]:
    """The columns that customers may be parted by when it is asked how long they stay."""
    known = dict((asked.result or {}).get("columns", {}))
    if by and by not in known:  # nothing is answered yet
        known[by] = dict(column_choices(DataState.current())).get(by) or heading(by)
    return list(known.items())


def check_known(name: str) -> None:
    """Refuse a metric that there is not; before the first figures, none is known.

    Raises:
        Http404: There is no such metric.
    """
    if runs.look("catalogue").result and definition(name) is None:
        raise Http404


def headings(asked: runs.Asked) -> list[tuple[str, bool]]:
    """The headings of the rows behind a figure, and which stand above figures."""
    columns = (asked.result or {}).get("columns", [])
    return list(zip(columns, _of_figures(asked), strict=True))


def _of_figures(asked: runs.Asked) -> list[bool]:
    """Which columns of rows hold figures; what is not known is no other thing than they are."""
    names, rows = asked.data.get("names", []), asked.data.get("rows", [])
    columns = [*zip(*rows, strict=True)] or [()] * len(names)
    return [
        any(map(_is_figure, column)) and all(_is_figure(v) or v is None for v in column)
        for column in columns
    ]


def lines(asked: runs.Asked, *, named: bool) -> list[list[dict[str, Any]]]:
    """The rows behind a figure with the customers they are of."""
    names = asked.data.get("names", [])
    found = asked.data.get("rows", [])
    # The same number of decimals in a column: none where all its figures are whole.
    digits = [
        0 if all(float(value).is_integer() for value in column if _is_figure(value)) else 2
        for column in zip(*found, strict=True)
    ]
    figures = _of_figures(asked)
    place = names.index("customer_id") if "customer_id" in names else None
    people = labels({row[place] for row in found if row[place]}, named) if place is not None else {}
    shown = []
    for row in found:
        cells = []
        for number, value in enumerate(row):
            if number == place:
                cells.append({"text": people.get(value, value or "—"), "url": customer_url(value)})
            else:
                told = Number(value, digits[number]) if _is_figure(value) else value
                if names[number] in ("became", "kind"):
                    told = OUR_WORDS.get(value, value)
                cells.append({"text": _written(told), "figure": figures[number]})
        shown.append(cells)
    return shown


def labels(ids: Iterable[str], named: bool) -> dict[str, str]:
    """What customers are called: by name for those who may know, else by their short number."""
    if not apps.is_installed("revoir_web.customers"):
        return {}
    customer = apps.get_model("customers", "Customer")
    wanted, found = list(ids), {}
    for first in range(0, len(wanted), 500):
        people = customer.objects.filter(pk__in=wanted[first : first + 500])
        for held in people.prefetch_related("identifiers") if named else people:
            found[held.pk] = held.label if named else held.short
    return found


def people_of(ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Names and e-mail addresses of customers."""
    if not apps.is_installed("revoir_web.customers"):
        return {}
    customer, found = apps.get_model("customers", "Customer"), {}
    for first in range(0, len(ids), 500):
        rows = customer.objects.filter(pk__in=ids[first : first + 500])
        found.update({held.pk: (held.name, held.email) for held in rows})
    return found


def customer_url(key: Any) -> str | None:
    """The page of a customer."""
    if not key:
        return None
    try:
        return reverse("customers:customer", args=[key])
    except NoReverseMatch:
        return None


def _is_figure(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _written(value: Any) -> str:
    if isinstance(value, str) and len(value) in (10, 19) and value[4:5] == "-" == value[7:8]:
        try:
            return written(dt.date.fromisoformat(value[:10]), language())
        except ValueError:
            return value
    return written(value, language())


def grain_choices() -> list[tuple[str, str]]:
    """The lengths of periods."""
    return [
        ("day", _("Day")),
        ("week", _("Week")),
        ("month", _("Month")),
        ("quarter", _("Quarter")),
        ("twelve_months", _("12 months")),
        ("year", _("Year")),
    ]


def column_choices(state: DataState) -> list[tuple[str, str]]:
    """The columns that figures can be grouped by."""
    known = {
        "segment": _("RFM segment"),
        "first_channel": _("Channel of the first purchase"),
        "channel": _("Channel"),
        "store": _("Store"),
        "age": _("Age"),
        "age_band": _("Age band"),
        "gender": _("Gender"),
        "country": _("Country"),
        "region": _("Region"),
        "city": _("Town"),
        "category": _("Category"),
        "plan": _("Plan"),
        "currency": _("Currency"),
    }
    return [(name, known.get(name) or heading(name)) for name in state.facts.get("by", [])]


def weekday_choices() -> list[tuple[int, str]]:
    """The days of the week in the reader's language, from Monday on."""
    from babel.dates import get_day_names

    names = get_day_names("wide", "stand-alone", locale=language())
    return [(number, name.capitalize()) for number, name in sorted(names.items())]


# -- Cohorts, segments -------------------------------------------------------------------------
COHORT_OPTIONS = {
    "grain": ("month", "week", "quarter", "year"),
    "start": ("first", "recurring"),
    "presence": ("on", "on_or_after"),
    "share_of": ("first", "previous"),
    "mean": ("weighted", "simple"),
    "measure": ("customers", "revenue", "margin"),
}
"""What each option can be; the first is the default and is left out of the question."""


def cohort_question(given: QueryDict) -> dict[str, Any]:
    """What an address asks of cohorts."""
    question = {
        name: given.get(name, "") if given.get(name) in known[1:] else ""
        for name, known in COHORT_OPTIONS.items()
    }
    return runs.asked_of(
        {
            **question,
            "from": given.get("from", "")[:10],
            "to": given.get("to", "")[:10],
            "where": where_of(given),
        }
    )


def fault_of(rule: str) -> str | None:
    """What is wrong with a rule, at its place; None where it can be read (or is empty)."""
    from revoir.errors import UsageError
    from revoir.segments.syntax import parse

    if not rule:
        return None
    try:
        parse(rule)
    except UsageError as error:
        return error.text(language())
    return None


def rule_of(given: QueryDict) -> str | None:
    """The rule that an address gives; None where there is none that can be read."""
    rule = given.get("rule", "").strip()
    return None if not rule or fault_of(rule) else rule


def comparison(asked: runs.Asked, held: SavedSegment) -> list[dict[str, Any]]:
    """The figures of a segment beside everybody's, each with the way to its page."""
    if asked.result is None:
        return []
    return [
        {
            "cells": row,
            "url": f"{reverse('insights:metric', args=[name])}?segment={held.pk}",
        }
        for row, name in zip(asked.result["rows"], asked.result["names"], strict=True)
    ]


def page_of(given: QueryDict) -> int:
    """The page that an address asks for, from 1."""
    text = given.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def members_page(asked: runs.Asked, page: int, *, named: bool) -> dict[str, Any] | None:
    """One page of the customers of a segment."""
    if asked.result is None:
        return None
    rows, count = asked.data["rows"], asked.data["count"]
    people = labels([row["id"] for row in rows], named)
    first = asked.data["first"]
    return {
        "rows": [
            {
                **row,
                "label": people.get(row["id"], row["id"][-8:]),
                "url": customer_url(row["id"]),
                "last": _day(row["last"]),
            }
            for row in rows
        ],
        "count": count,
        "currency": asked.data.get("currency"),
        "mixed": asked.data.get("mixed", False),
        "first": first + 1 if rows else 0,
        "last": first + len(rows),
        "previous": page - 1 if page > 1 else None,
        "next": page + 1 if first + len(rows) < count else None,
    }


def listed_customers(asked: runs.Asked, *, named: bool) -> list[dict[str, Any]]:
    """The customers of a stored list, each with its page: words and values together.

    Args:
        asked: An answer whose `data` and words hold `customers` in one order.
        named: Whether the reader may know who they are.
    """
    if asked.result is None or "customers" not in asked.result:
        return []
    rows = asked.data["customers"]
    people = labels([row["id"] for row in rows], named)
    return [
        {
            **row,
            **words,
            "label": people.get(row["id"], row["id"][-8:]),
            "url": customer_url(row["id"]),
            "why": clauses(words.get("reasons", ()), language()),
        }
        for row, words in zip(rows, asked.result["customers"], strict=True)
    ]


def customers_url() -> str | None:
    """The list of customers."""
    try:
        return reverse("customers:list")
    except NoReverseMatch:
        return None


def departures_list(asked: runs.Asked) -> str | None:
    """The list of all customers to save, in the order of the stored one, to narrow and export."""
    address, mean = customers_url(), asked.data.get("mean")
    if address is None:
        return None
    columns = "name,segment,leaves,stake,last_on"
    if asked.data.get("order") != "stake" or mean is None:
        return f"{address}?sort=-leaves&columns={columns}"
    # As the list: of the best customers, a small risk is a large sum.
    return f"{address}?sort=-stake&leaves={100 * mean:.1f}&columns={columns}"


# -- Saved things ------------------------------------------------------------------------------
def views_of(user: Any, path: str | None = None) -> list[SavedView]:
    """The saved views of a page (None: of all pages): one's own and those for everybody."""
    # A program has no views of its own, and no number.
    found = SavedView.objects.filter(Q(user=user.pk) | Q(shared=True))
    return list(found if path is None else found.filter(path=path))


def number_of(text: str | None) -> int:
    """A key in an address; 0, which no row has, where it is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else 0


def dashboard(grain: str = "") -> runs.Asked:
    """The stored dashboard, whatever its age."""
    return runs.look("dashboard", {"grain": grain})


def what_if(data: Mapping[str, Any], given: Mapping[str, float]) -> dict[str, Any]:
    """What retention some points higher brings, with the company's numbers or others.

    Args:
        data: The numbers that scenarios start from (`groups.what_if`).
        given: `points`, `margin`, `acquisition_cost`, `keeping_cost` as given on the page.

    Returns:
        Customers kept, revenue, profit, the lifetime value of a customer, what winning as many
        would cost, how many times that is the cost of keeping them; None where a number is missing.
    """
    points = given["points"]
    margin = given.get("margin", data.get("margin"))
    winning = given.get("acquisition_cost", data.get("acquisition_cost"))
    keeping = given.get("keeping_cost")
    kept = data["at_start"] * points / 100
    revenue = kept * data["spend"]
    profit = None if margin is None else revenue * margin
    cost = None if keeping is None else kept * keeping
    instead = None if winning is None else kept * winning
    retention = min(1.0, data["retention"] + points / 100)
    clv, leaving = None, 1 - retention
    if data.get("years") and leaving > 1e-9:
        # As `revoir.reports.what_if.lifetime_value`, whose imports a web process does without.
        clv = data["spend"] * data["years"] / leaving * (1.0 if margin is None else margin)
    return {
        "points": points,
        "retention": retention,
        "customers": kept,
        "revenue": revenue,
        "revenue_share": revenue / data["revenue"] if data.get("revenue") else None,
        "profit": profit,
        "clv": clv,
        "cost": cost,
        "net": None if profit is None or cost is None else profit - cost,
        "winning": instead,
        "times": winning / keeping if winning is not None and keeping else None,
    }
