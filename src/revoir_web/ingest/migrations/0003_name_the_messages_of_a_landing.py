from typing import Any

from django.db import migrations, models


def name_them(apps: Any, schema_editor: Any) -> None:
    """Keep with a landing that was left open which messages it binds."""
    landings = apps.get_model("ingest", "Landing")
    messages = apps.get_model("ingest", "InboxEvent")
    for landing in landings.objects.all():
        bound = messages.objects.filter(landing=landing).order_by("pk")
        landing.events = list(bound.values_list("pk", flat=True))
        landing.save(update_fields=["events"])


class Migration(migrations.Migration):
    dependencies = [("ingest", "0002_say_what_undoing_left")]

    operations = [
        migrations.AddField("landing", "events", models.JSONField(default=list)),
        migrations.RunPython(name_them, migrations.RunPython.noop),
        migrations.RemoveField("inboxevent", "landing"),
    ]
