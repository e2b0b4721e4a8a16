from typing import Any

from django.db import migrations, models
from django.db.models import F


def sent_when_made(apps: Any, schema_editor: Any) -> None:
    """Until now the message left as the invitation was made."""
    apps.get_model("accounts", "Invitation").objects.update(sent_at=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="sent_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(sent_when_made, migrations.RunPython.noop, elidable=True),
    ]
