"""The sectors that a company may be of, and the names they answer to."""

from __future__ import annotations

from revoir.errors import UsageError
from revoir.language import Message, msg
from revoir.tables import plain_name

SECTORS: dict[str, tuple[Message, tuple[str, ...]]] = {
    "automotive": (msg("cars"), ("automobile", "voitures", "car")),
    "b2b": (msg("services to businesses"), ("services_aux_entreprises", "wholesale", "gros")),
    "banking": (msg("banking"), ("banque", "bank", "finance")),
    "beauty": (msg("beauty"), ("beaute", "cosmetiques", "cosmetics")),
    "ecommerce": (
        msg("online shops"),
        ("e_commerce", "commerce_en_ligne", "online", "vente_en_ligne"),
    ),
    "education": (msg("education"), ("enseignement", "formation", "ecole")),
    "energy": (msg("energy"), ("energie", "utilities")),
    "fashion": (msg("fashion"), ("mode", "habillement", "apparel", "vetements")),
    "fitness": (msg("fitness"), ("sport", "salle_de_sport", "gym")),
    "grocery": (msg("grocery"), ("alimentaire", "epicerie", "supermarche", "grande_distribution")),
    "healthcare": (msg("health care"), ("sante", "soins", "health")),
    "hospitality": (
        msg("travel and hotels"),
        ("hotellerie", "voyage", "travel", "tourisme", "hotel"),
    ),
    "insurance": (msg("insurance"), ("assurance", "assurances")),
    "manufacturing": (msg("manufacturing"), ("industrie", "industry")),
    "media": (msg("media"), ("medias", "presse", "streaming")),
    "nonprofit": (
        msg("charities"),
        ("association", "associations", "non_profit", "charity", "dons"),
    ),
    "professional": (msg("professional services"), ("services_professionnels", "conseil")),
    "restaurants": (msg("restaurants"), ("restaurant", "restauration")),
    "retail": (msg("retail"), ("commerce", "commerce_de_detail", "boutique", "magasin", "detail")),
    "saas": (msg("subscription software"), ("logiciel", "software", "abonnement", "subscription")),
    "telecom": (msg("telecommunications"), ("telecoms", "telephonie", "telecommunications")),
}
"""The sectors of the shipped figures: what people call them, and other names they answer to."""


def sector_named(name: str) -> str:
    """The key of the sector that answers to a name, in English or French.

    Raises:
        UsageError: No sector does.

    Examples:
        >>> sector_named("Assurance"), sector_named("E-commerce")
        ('insurance', 'ecommerce')
    """
    wanted = plain_name(name)
    for key, (label, others) in SECTORS.items():
        labels = (plain_name(label.text("en")), plain_name(label.text("fr")))
        if wanted in (key, *labels, *others):
            return key
    raise UsageError(
        msg("There is no sector “{name}”.", name=name),
        remedy=msg("Use one of: {names}.", names=list(SECTORS)),
    )
