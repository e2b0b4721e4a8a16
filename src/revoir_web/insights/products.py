"""What goes with one product, as somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from revoir.errors import UsageError
from revoir.language import Money, Number, Percent, between, msg
from revoir_web.insights import drawn
from revoir_web.insights.questions import answers

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.models.companions import Companions

TOP = 10
"""Products shown beside one."""


@answers("product")
def product(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What joins a product in the basket, and what its buyers move up to."""
    from revoir.models.companions import companions

    found = companions(book, str(asked.get("product", "")), TOP)
    if found is None:
        raise UsageError(msg("No purchase of a known customer names a product."))
    words = _Words(found, book.currency)
    return drawn.in_each(
        words.in_language,
        product=found.product.product_id,
        name=found.product.label,
        together=[
            {
                "product": pair.other_id,
                "name": words.labels[pair.other_id],
                "baskets": pair.together,
                "confidence": pair.confidence,
                "lift": pair.lift,
                "lift_low": pair.lift_interval[0],
                "lift_high": pair.lift_interval[1],
            }
            for pair in found.joining
        ],
        move_up_to=[
            {
                "product": up.other_id,
                "name": words.labels[up.other_id],
                "moved": up.moved,
                "buyers": up.buyers,
                "share_low": up.interval[0],
                "share_high": up.interval[1],
                "price": up.price,
                "other_price": up.other_price,
                "days": up.days,
            }
            for up in found.upgrades
        ],
    )


@dataclass(frozen=True)
class _Words:
    """What is found, as tables of a page."""

    found: Companions
    currency: str | None

    @property
    def labels(self) -> Mapping[str, str]:
        return self.found.labels

    def in_language(self, language: str) -> dict[str, Any]:
        labels, found = self.labels, self.found
        together = [
            [
                labels[pair.other_id],
                Number(pair.together, 0),
                Percent(pair.confidence),
                Number(pair.lift),
                between(*map(Number, pair.lift_interval)),
            ]
            for pair in found.joining
        ]
        ups = [
            [
                labels[up.other_id],
                Number(up.moved, 0),
                Percent(up.share),
                between(*map(Percent, up.interval)),
                Money(up.price, self.currency),
                Money(up.other_price, self.currency),
                Number(up.days, 0),
            ]
            for up in found.upgrades
        ]
        return {
            "together": drawn.table(
                [
                    msg("Goes with"),
                    msg("Baskets with both"),
                    msg("Share of its baskets"),
                    msg("Lift"),
                    msg("90% interval"),
                ],
                together,
                language,
            ),
            "move_up_to": drawn.table(
                [
                    msg("Product"),
                    msg("Buyers who did"),
                    msg("Share"),
                    msg("95% interval"),
                    msg("Price before"),
                    msg("Price after"),
                    msg("Days (median)"),
                ],
                ups,
                language,
            ),
            "reasons": drawn.texts(found.reasons, language),
        }
