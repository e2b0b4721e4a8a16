from typing import Any

from django.db import migrations


def move(apps: Any, schema_editor: Any) -> None:
    """Give what merged customers said to whom they are now, as a merge does from here on."""
    del schema_editor
    Customer, Merge = (apps.get_model("customers", name) for name in ("Customer", "Merge"))
    Consent = apps.get_model("consents", "Consent")
    losers = Consent.objects.filter(customer__merged_into__isnull=False)
    for loser in Customer.objects.filter(pk__in=losers.values("customer")):
        lines = Consent.objects.filter(customer=loser)
        keys = list(lines.values_list("pk", flat=True))
        # Each of the merges that led there takes them back when it is undone.
        id = loser.pk
        while merge := Merge.objects.filter(loser=id, reversed_at=None).order_by("-pk").first():
            merge.moved = {**merge.moved, "consents": [*merge.moved.get("consents", []), *keys]}
            merge.save(update_fields=["moved"])
            id = merge.winner_id
        lines.update(customer=loser.merged_into_id)


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0002_keep_alerts_for_a_while"),
        ("customers", "0008_foretell"),
    ]

    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
