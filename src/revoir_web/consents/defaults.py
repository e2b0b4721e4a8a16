"""The purposes that a new installation begins with; the company changes them as it likes."""

from __future__ import annotations

from typing import Any

PURPOSES: tuple[dict[str, Any], ...] = (
    {
        "code": "news",
        "name_fr": "Nouveautés et offres",
        "name_en": "News and offers",
        "text_fr": "Ce qui est nouveau, et des offres choisies pour vous.",
        "text_en": "What is new, and offers chosen for you.",
        "channels": ["email", "sms", "post"],
        "basis": "consent",
    },
    {
        "code": "surveys",
        "name_fr": "Votre avis",
        "name_en": "Your opinion",
        "text_fr": "De courtes questions après un achat ou un échange.",
        "text_en": "Short questions after a purchase or a contact.",
        "channels": ["email", "sms"],
        "basis": "interest",
    },
    {
        "code": "service",
        "name_fr": "Conseils sur vos achats",
        "name_en": "Advice on what you bought",
        "text_fr": "Entretien, garantie et mise à niveau de ce que vous possédez.",
        "text_en": "Care, guarantee and upgrades of what you own.",
        "channels": ["email", "sms", "phone"],
        "basis": "interest",
    },
)


def fill(**given: Any) -> None:
    """Make them where there is no purpose at all; called after every migration."""
    del given
    from revoir_web.consents.models import Purpose

    if not Purpose.objects.exists():
        Purpose.objects.bulk_create(
            [Purpose(position=place, **held) for place, held in enumerate(PURPOSES)]
        )
