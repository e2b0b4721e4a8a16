"""The runs of predictions that are kept, and the model cards of them."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext_lazy

from revoir_web.common import words
from revoir_web.common.words import language
from revoir_web.insights import foresight, runs
from revoir_web.insights.models import ModelCard, PredictionRun

MODELS = {
    "rule": gettext_lazy("Simple rule"),
    "logistic": gettext_lazy("Logistic regression"),
    "trees": gettext_lazy("Trees"),
    "both": gettext_lazy("Regression and trees"),
}
"""What learned who may leave."""


CARDS = {"": "departures", runs.SUBSCRIBERS["of"]: f"{foresight.CONTRACT}departures"}
"""Of whom → the name, in the facts of a run and among its cards, of what learned who may leave."""


def prediction_runs() -> list[dict[str, Any]]:
    """The computations of predictions that are kept, the last first.

    Returns:
        Of each, `leaving` has a row of all or of buyers and, where they are foretold apart, one of
        subscribers.
    """
    found = []
    for run in PredictionRun.objects.prefetch_related(cards_without_content()):
        method = words.from_json(run.facts.get("products", {}).get("label"))
        found.append(
            {
                "computed_at": run.computed_at,
                "as_of": run.as_of,
                "customers": run.customers,
                "seconds": run.seconds,
                "version": hashlib.sha256(run.lake_version.encode()).hexdigest()[:8],
                "leaving": [_learned(run, of) for of in CARDS if not of or is_apart(run)],
                "worth": run.facts.get("worth", {}).get("label") or "—",
                "products": method.text(language()) if method else "—",
            }
        )
    return found


def is_apart(run: PredictionRun) -> bool:
    """Whether a run foretold subscribers apart from buyers."""
    return CARDS[runs.SUBSCRIBERS["of"]] in run.facts


def _learned(run: PredictionRun, of: str) -> dict[str, Any]:
    """How a run learned who may leave, and how good that was."""
    kept = run.facts.get(CARDS[of], {})
    reason = words.from_json(kept.get("reason"))
    return {
        "subscribers": bool(of),
        "model": reason.text(language()) if reason else MODELS.get(kept.get("model"), "—"),
        "auc": kept.get("auc"),
        "slope": kept.get("slope"),
        "card_url": card_url(run.number, of) if has_card(run, of) else None,
    }


def cards_without_content() -> Prefetch[Any]:
    """Which runs have model cards; the cards themselves are long."""
    return Prefetch("cards", ModelCard.objects.defer("card"))


def has_card(run: PredictionRun, of: str) -> bool:
    """Whether a run, read with `cards_without_content`, has a card of some."""
    return any(card.kind == CARDS[of] for card in run.cards.all())


def card_url(number: str, of: str = "") -> str:
    """The page of the model card of a run.

    Args:
        number: The run's.
        of: Of whom, as `CARDS` has it.
    """
    address = reverse("insights:card", args=[number])
    return f"{address}?of={of}" if of else address


def last_card_url(of: str = "") -> str | None:
    """The page of the last model card (None: there is none)."""
    held = model_card(of=of)
    return card_url(held.run.number, of) if held is not None else None


def model_card(number: str | None = None, of: str = "") -> ModelCard | None:
    """How a run learned who may leave.

    Args:
        number: The run's (None: the last that has a card).
        of: Of whom, as `CARDS` has it.
    """
    held = ModelCard.objects.filter(kind=CARDS[of]).select_related("run")
    if number is not None:
        held = held.filter(run__number=number)
    return held.order_by("-run__computed_at", "-run__pk").defer("run__facts").first()
