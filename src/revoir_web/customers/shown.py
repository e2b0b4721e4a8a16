"""What the page of a customer says, in the reader's language and no further than they may see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from revoir.language import Money, Number, written
from revoir_web.common.models import Company
from revoir_web.common.tables import MASK
from revoir_web.common.words import heading, language
from revoir_web.customers.lists import FACT_KINDS, segment_labels
from revoir_web.customers.models import Customer, Identifier
from revoir_web.customers.queries import Profile
from revoir_web.customers.text import phone_shown

FOLDED = 20
"""Products and numbers in sight; the others are folded, so that what stands below is near."""


def page(profile: Profile, *, personal: bool, company: Company) -> dict[str, Any]:
    """The parts of the page, ready to be drawn.

    Args:
        profile: What is known.
        personal: Whether the reader may know who the customer is.
        company: Whose currency figures without one are in.
    """
    customer, figures = profile.customer, profile.figures
    segments = segment_labels()
    numbers = [
        (held.get_kind_display(), held.value if personal else MASK)
        for held in profile.identifiers
        if held.kind not in (Identifier.Kind.EMAIL, Identifier.Kind.PHONE)
    ]
    others = {fact.get("currency") for fact in profile.facts} - {company.currency, None, ""}
    return {
        "title": customer.label if personal else customer.short,
        "segment": segments.get(figures.segment, figures.segment) if figures else "",
        "identity": [row for row in _identity(customer, personal) if row[1]],
        "identifiers": numbers[:FOLDED],
        "more_identifiers": numbers[FOLDED:],
        "kinds": [(name, many.text(language())) for name, (_one, many) in FACT_KINDS.items()],
        "timeline": [_entry(fact, personal, company) for fact in profile.facts],
        "older": urlencode({"before": profile.older[0].isoformat(), "given": profile.older[1]})
        if profile.older
        else None,
        "metrics": [_metric(row, company) for row in profile.metrics],
        "products": profile.products[:FOLDED],
        "more_products": profile.products[FOLDED:],
        # Amounts of several currencies are not added up.
        "not_counted": sorted(others),
    }


def _identity(customer: Customer, personal: bool) -> list[tuple[str, Any]]:
    def hidden(value: Any) -> Any:
        return value if personal or not value else MASK

    place = " ".join(part for part in (customer.postcode, customer.city) if part)
    rows: list[tuple[str, Any]] = [
        (_("E-mail address"), hidden(customer.email)),
        (_("Telephone"), hidden(customer.phone and phone_shown(customer.phone))),
        (_("Company"), customer.company_name),
        (_("Street"), hidden(customer.address)),
        (_("Town"), place),
        (_("Region"), customer.region),
        (_("Country"), customer.country),
        (
            _("Date of birth"),
            hidden(customer.birth_date and written(customer.birth_date, language())),
        ),
        (_("Gender"), customer.gender),
        (
            _("Language"),
            {"fr": "Français", "en": "English"}.get(customer.language, customer.language),
        ),
        (
            _("Customer since"),
            customer.created_on and written(customer.created_on, language()),
        ),
    ]
    # An attribute may hold anything that a file held.
    for name, value in sorted(customer.attributes.items()):
        told = written(value, language()) if isinstance(value, bool) else value
        rows.append((heading(name), hidden(told)))
    return rows


def _entry(fact: Mapping[str, Any], personal: bool, company: Company) -> dict[str, Any]:
    details = fact.get("details") or {}
    title = fact.get("title") or ""
    text = str(details.get("text") or "")
    amount = fact.get("amount")
    title = title if isinstance(title, str) else written(title, language())
    if fact["kind"] == "response" and (score := details.get("score")) is not None:
        said = written(Number(score, 0 if score == int(score) else 1), language())
        title = f"{title} – {said}" if title else said
    if amount is not None:
        money = written(Money(amount, fact.get("currency") or company.currency), language())
        title = f"{title} – {money}" if title else money
    kinds = {name: one.text(language()) for name, (one, _many) in FACT_KINDS.items()}
    return {
        "at": fact["at"],
        "day": _day_alone(fact["at"], company),
        "kind": kinds.get(fact["kind"], fact["kind"]),
        "title": title or kinds.get(fact["kind"], fact["kind"]),
        "text": (text if personal else MASK) if text else "",
        "tone": "worse" if details.get("bad") else "",
    }


def _day_alone(at: dt.datetime | None, company: Company) -> dt.date | None:
    """The day of what is known by its day alone (None: by its time, or not at all).

    Such a day comes as its midnight: in UTC, or at the company's place where it is of a file that
    has times in other rows or files.
    """
    if at is None:
        return None
    if at.timetz() == dt.time(tzinfo=dt.UTC):
        return at.date()
    local = at.astimezone(company.zone)
    return local.date() if local.time() == dt.time() else None


_COMPARED = (
    "name", "company_name", "email", "phone", "address", "postcode", "city", "country",
    "birth_date", "created_on",
)  # fmt: skip
_METRICS = {
    "orders": lambda: _("Orders"),
    "revenue": lambda: _("Bought in all"),
    "basket": lambda: _("Average basket"),
    "gap_days": lambda: _("Days between purchases"),
}


def _metric(row: Mapping[str, Any], company: Company) -> dict[str, Any]:
    def text(value: Any, digits: int) -> str:
        if value is None:
            return "—"
        if row["form"] == "money":
            return written(Money(value, company.currency, 2), language())
        return written(Number(float(value), digits), language())

    tones = {"better": _("better"), "worse": _("worse"), "": _("about the same")}
    return {
        "label": _METRICS[row["name"]](),
        "value": text(row["value"], 0),
        "mean": text(row["mean"], 1 if row["name"] == "orders" else 0),
        "tone": row["tone"],
        "word": tones[row["tone"]] if row["mean"] is not None else "",
    }


def side_by_side(left: Customer, right: Customer) -> list[dict[str, Any]]:
    """Two customers' fields beside each other, those that differ marked.

    Args:
        left: One.
        right: The other.
    """
    rows = []
    numbers = [
        ", ".join(row.identifiers.filter(kind="external").values_list("value", flat=True))
        for row in (left, right)
    ]
    pairs: list[tuple[str, Any, Any]] = [(_("Customer number"), numbers[0], numbers[1])]
    for name in _COMPARED:
        label = str(Customer._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        pairs.append((label, getattr(left, name), getattr(right, name)))
    for held in ("orders", "revenue", "last_on"):
        values = [
            getattr(figures, held, None) if figures else None
            for figures in (getattr(left, "figures", None), getattr(right, "figures", None))
        ]
        words = {
            "orders": _("Orders"),
            "revenue": _("Bought in all"),
            "last_on": _("Last purchase"),
        }
        if held == "revenue" and any(values):
            currency = Company.current().currency
            values = [value if value is None else Money(value, currency) for value in values]
        pairs.append((words[held], values[0], values[1]))
    for label, one, other in pairs:
        if one or other:
            rows.append(
                {
                    "label": label,
                    "left": _said(one),
                    "right": _said(other),
                    "differ": bool(one and other and one != other),
                }
            )
    return rows


def _said(value: Any) -> str:
    return written(value, language()) if value not in (None, "") else "—"
