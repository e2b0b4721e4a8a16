"""The digest: chosen figures as a letter, in its reader's language, with pictures and without."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from revoir_web.accounts.models import User
from revoir_web.common.models import Company
from revoir_web.insights import runs
from revoir_web.insights.models import DataState, Digest

PROPOSED = ("retention_rate", "customers_active", "customers_lost", "revenue", "repurchase_rate")
"""What a new digest begins with."""

Say = Callable[[User], Mapping[str, Any] | None]
"""From a reader to a `question` and the `sentences` that answer it (None: nothing to say)."""
_SAYS: list[Say] = []


def says(say: Say) -> Say:
    """Register what another app has to say in every digest; usable as a decorator."""
    if say not in _SAYS:
        _SAYS.append(say)
    return say


@dataclass(frozen=True)
class Letter:
    """A digest for one reader.

    Attributes:
        subject: One line.
        html: With pictures by content id.
        text: The same without.
        pictures: PNG by content id.
        kpis: The figures as the page of the preview shows them.
    """

    subject: str
    html: str
    text: str
    pictures: dict[str, bytes] = field(default_factory=dict)
    kpis: list[dict[str, Any]] = field(default_factory=list)


def letter(digest: Digest, user: User, *, with_pictures: bool = True) -> Letter:
    """Write a digest for a reader, from the stored figures.

    Args:
        digest: The digest.
        user: The reader.
        with_pictures: Whether pictures go along.
    """
    company = Company.current()
    with translation.override(user.language):
        kpis, pictures = [], {}
        for name in digest.metrics:
            asked = runs.look("metric", {"name": name})
            if asked.result is None or asked.result["kpi"] is None:
                continue
            picture = (asked.data.get("pictures") or {}).get(user.language)
            if picture:
                pictures[f"figure-{name}"] = base64.b64decode(picture)
            address = settings.BASE_URL + reverse("insights:metric", args=[name])
            chart = asked.result["chart"]
            shown = {
                **asked.result["kpi"],
                "url": address,
                "picture": f"figure-{name}" if picture and with_pictures else None,
                "inline": f"data:image/png;base64,{picture}" if picture else None,
                "caption": chart["title"] if chart else "",
            }
            kpis.append(shown)
        overview = runs.look("dashboard").result or {}
        context = {
            "digest": digest,
            "company": company,
            "kpis": kpis,
            "answers": [*overview.get("answers", []), *filter(None, (say(user) for say in _SAYS))],
            "actions": overview.get("actions", []),
            "warnings": overview.get("warnings", []),
            "span": overview.get("span"),
            "address": settings.BASE_URL,
            "language": user.language,
            "state": DataState.current(),
        }
        subject = f"{digest.name} – {company.name}"
        html = render_to_string("insights/email/digest.html", context)
        text = render_to_string("insights/email/digest.txt", context).strip() + "\n"
    return Letter(subject, html, text, pictures if with_pictures else {}, kpis)
