"""The runs of predictions that are kept, and the model cards of them."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext_lazy

from revoir_web.common import words
from revoir_web.common.words import language
from revoir_web.insights.models import ModelCard, PredictionRun

MODELS = {
    "rule": gettext_lazy("Simple rule"),
    "logistic": gettext_lazy("Logistic regression"),
    "trees": gettext_lazy("Trees"),
    "both": gettext_lazy("Regression and trees"),
}
"""What learned who may leave."""


def prediction_runs() -> list[dict[str, Any]]:
    """The computations of predictions that are kept, the last first."""
    found = []
    for run in PredictionRun.objects.prefetch_related(cards_without_content()):
        leaving = run.facts.get("departures", {})
        reason = words.from_json(leaving.get("reason"))
        method = words.from_json(run.facts.get("products", {}).get("label"))
        found.append(
            {
                "computed_at": run.computed_at,
                "card_url": card_url(run.number) if run.cards.all() else None,
                "as_of": run.as_of,
                "customers": run.customers,
                "seconds": run.seconds,
                "version": hashlib.sha256(run.lake_version.encode()).hexdigest()[:8],
                "leaving": reason.text(language())
                if reason
                else MODELS.get(leaving.get("model"), "—"),
                "auc": leaving.get("auc"),
                "slope": leaving.get("slope"),
                "worth": run.facts.get("worth", {}).get("label") or "—",
                "products": method.text(language()) if method else "—",
            }
        )
    return found


def cards_without_content() -> Prefetch[Any]:
    """Which runs have model cards; the cards themselves are long."""
    return Prefetch("cards", ModelCard.objects.filter(kind="departures").defer("card"))


def card_url(number: str) -> str:
    """The page of the model card of a run."""
    return reverse("insights:card", args=[number])


def model_card(number: str | None = None) -> ModelCard | None:
    """How a run learned who may leave.

    Args:
        number: The run's (None: the last that has a card).
    """
    held = ModelCard.objects.filter(kind="departures").select_related("run")
    if number is not None:
        held = held.filter(run__number=number)
    return held.order_by("-run__computed_at", "-run__pk").defer("run__facts").first()
