"""Which orders nobody paid, and which were given back, by what their status says."""

from __future__ import annotations

from revoir.engines.sql import identifier, literal
from revoir.reading.part import Part

_STATUS = "orders.status"
_CANCELLED = (
    "annul", "cancel", "void", "failed", "echec", "echou", "erreur", "refus", "rejet", "impay",
    "declined", "expire", "draft", "brouillon", "trash", "abandon", "storno",
    "requires_payment_method", "requires payment method", "incomplete", "uncaptured",
    "pending payment", "pending-payment", "wc-pending", "attente de paiement",
    "attente du paiement", "attente paiement", "attente de reglement", "attente de virement",
)  # fmt: skip
"""What statuses of orders contain, without accents, that nobody paid."""
_REFUNDED = "^(wc-|fully[ _-]|(total|entiere|integrale)ment[ _-])?(refunded|rembours|retourn)"


def cancelled(part: Part) -> str | None:
    """SQL of whether the status of a converted row says that nobody paid; None without one."""
    if not part.has(_STATUS):
        return None
    said = f"lower(strip_accents({identifier(_STATUS)}))"
    declared = part.detection.declared
    unpaid = _CANCELLED + (declared.unpaid if declared else ())
    words = " OR ".join(f"contains({said}, {literal(word)})" for word in unpaid)
    # A quotation that was accepted is an order.
    quoted = (
        f"regexp_matches({said}, 'devis|quotation|quote')"
        f" AND NOT regexp_matches({said}, 'accept|sign|valid')"
    )
    return f"coalesce({words} OR ({quoted}), false)"


def refunded(part: Part) -> str | None:
    """SQL of whether a converted row says that its order was given back; None where none can."""
    # Refunds that have rows of their own are taken off there.
    if not part.has(_STATUS) or part.back:
        return part.refunded
    said = f"lower(strip_accents({identifier(_STATUS)}))"
    partly = f"contains({said}, 'partiel') OR contains({said}, 'partial')"
    said = f"coalesce(regexp_matches({said}, '{_REFUNDED}') AND NOT ({partly}), false)"
    return f"({said} OR {part.refunded})" if part.refunded else said
