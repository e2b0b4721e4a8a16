from typing import Any

from django.db import migrations

PURPOSES = [
    (
        "news",
        "Nouveautés et offres",
        "News and offers",
        "Ce qui est nouveau, et des offres choisies pour vous.",
        "What is new, and offers chosen for you.",
        ["email", "sms", "post"],
        "consent",
    ),
    (
        "surveys",
        "Votre avis",
        "Your opinion",
        "De courtes questions après un achat ou un échange.",
        "Short questions after a purchase or a contact.",
        ["email", "sms"],
        "interest",
    ),
    (
        "service",
        "Conseils sur vos achats",
        "Advice on what you bought",
        "Entretien, garantie et mise à niveau de ce que vous possédez.",
        "Care, guarantee and upgrades of what you own.",
        ["email", "sms", "phone"],
        "interest",
    ),
]


def make(apps: Any, schema_editor: Any) -> None:
    Purpose = apps.get_model("consents", "Purpose")
    for position, (code, fr, en, text_fr, text_en, channels, basis) in enumerate(PURPOSES):
        Purpose.objects.get_or_create(
            code=code,
            defaults={
                "name_fr": fr,
                "name_en": en,
                "text_fr": text_fr,
                "text_en": text_en,
                "channels": channels,
                "basis": basis,
                "position": position,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("consents", "0001_initial")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
