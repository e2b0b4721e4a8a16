"""Everything that is held of one person, as a file for them: JSON, and a page to read."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from revoir.language import Message, written
from revoir_web.common.models import Company
from revoir_web.common.words import language
from revoir_web.consents import queries as consents
from revoir_web.customers import facts
from revoir_web.customers import queries as customers
from revoir_web.customers.models import Customer

FACTS_MAX = 100_000
Part = Callable[[Customer], Sequence[Mapping[str, Any]]]
_PARTS: dict[str, tuple[Any, Part]] = {}


def part(name: str, label: Any) -> Callable[[Part], Part]:
    """Register what an app holds of a person, such as messages sent.

    Args:
        name: Its name in the JSON file.
        label: Its heading on the page (lazy).

    Returns:
        The decorator for a function from a customer to rows of plain values.
    """

    def keep(give: Part) -> Part:
        _PARTS[name] = (label, give)
        return give

    return keep


def archive(customer: Customer) -> bytes:
    """A zip file with `donnees.json` and `donnees.html`, in the person's language.

    Args:
        customer: Whose data.
    """
    code = customer.language if customer.language in ("fr", "en") else Company.current().language
    with translation.override(code):
        sections = _sections(customer)
        name = "donnees" if code == "fr" else "data"
        held = {
            "made_at": timezone.now().isoformat(timespec="seconds"),
            "company": Company.current().name,
            **{key: rows for key, _label, rows in sections},
        }
        page = render_to_string(
            "consents/archive.html",
            {
                "company": Company.current(),
                "language": code,
                "made_at": timezone.now(),
                "sections": [_drawn(label, rows) for _key, label, rows in sections],
            },
        )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"{name}.json", json.dumps(held, ensure_ascii=False, indent=1, default=str))
        file.writestr(f"{name}.html", page)
    return target.getvalue()


def _sections(customer: Customer) -> list[tuple[str, str, list[dict[str, Any]]]]:
    profile: dict[str, Any] = {
        str(field.verbose_name): getattr(customer, field.name)
        for field in Customer._meta.concrete_fields
        if field.name in _PROFILE and getattr(customer, field.name)
    }
    profile |= customer.attributes
    happened = facts.facts(customers.lake_ids(customer), limit=FACTS_MAX)
    sections: list[tuple[str, str, list[dict[str, Any]]]] = [
        ("profile", _("Who you are"), [profile]),
        (
            "identifiers",
            _("By what you are recognised"),
            [
                {_("Kind"): held.get_kind_display(), _("Value"): held.value}
                for held in customer.identifiers.order_by("kind", "value")
            ],
        ),
        ("consents", _("What you agreed to"), consents.history(customer)),
        ("facts", _("What happened"), [_fact(row) for row in happened]),
        (
            "notes",
            _("What was written about you"),
            [
                {_("When"): note.created_at.isoformat(), _("Note"): note.text}
                for note in customer.notes.all()
            ],
        ),
    ]
    sections += [
        (name, str(label), [dict(row) for row in give(customer)])
        for name, (label, give) in _PARTS.items()
    ]
    return sections


_PROFILE = (
    "name", "first_name", "last_name", "email", "phone", "address", "postcode", "city", "region",
    "country", "birth_date", "gender", "company_name", "language", "created_on", "source",
    "added_at",
)  # fmt: skip


def _fact(fact: Mapping[str, Any]) -> dict[str, Any]:
    title = fact.get("title") or ""
    return {
        "at": None if fact["at"] is None else fact["at"].isoformat(),
        "kind": fact["kind"],
        "title": written(title, language()) if isinstance(title, Message) else title,
        "amount": None if fact.get("amount") is None else str(fact["amount"]),
        "currency": fact.get("currency"),
        "details": {
            name: value.text(language()) if isinstance(value, Message) else value
            for name, value in (fact.get("details") or {}).items()
        },
    }


def _drawn(label: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [[_cell(row.get(name)) for name in columns] for row in rows]
    return {"label": label, "columns": columns, "lines": lines}


def _cell(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_cell(held)}" for name, held in value.items() if held)
    return str(value)
