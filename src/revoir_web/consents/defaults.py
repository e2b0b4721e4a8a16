"""What a new installation says to customers at first; the company changes it as it likes."""

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


def notice_fr() -> str:
    """The notice in French; a function, so that another wording needs no migration."""
    return _NOTICE_FR


def notice_en() -> str:
    """The notice in English."""
    return _NOTICE_EN


_NOTICE_FR = (
    "Nous gardons ce que vous nous avez dit de vous, vos achats, vos visites, vos réponses et nos"
    " échanges, pour vous servir et pour vous écrire sur ce que vous avez choisi.\n\n"
    "Nous analysons aussi ces données. Des calculs estiment si et quand vous reviendrez, pour"
    " combien, si vous risquez de nous quitter, et ce qui pourrait vous plaire. Ces estimations"
    " peuvent se tromper. Elles guident ce que nous vous proposons, jamais ce à quoi vous avez"
    " droit.\n\n"
    "Écrivez-nous pour obtenir une copie de vos données, les faire corriger ou les faire effacer."
)
_NOTICE_EN = (
    "We keep what you told us of yourself, what you bought, your visits, your answers and what we"
    " wrote to each other, to serve you and to write to you about what you chose.\n\n"
    "We also analyse this data. Calculations estimate whether and when you will come back, for how"
    " much, whether you may leave us, and what you may like. These estimates can be wrong. They"
    " guide what we propose to you, never what you are entitled to.\n\n"
    "Write to us for a copy of your data, to have it corrected or to have it erased."
)


def fill(**given: Any) -> None:
    """Make them where there is no purpose at all; called after every migration."""
    del given
    from revoir_web.consents.models import Purpose

    if not Purpose.objects.exists():
        Purpose.objects.bulk_create(
            [Purpose(position=place, **held) for place, held in enumerate(PURPOSES)]
        )
