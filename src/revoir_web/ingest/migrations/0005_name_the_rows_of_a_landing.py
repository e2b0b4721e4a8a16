from typing import Any

from django.db import migrations, models


def name_them(apps: Any, schema_editor: Any) -> None:
    """Until now the id of an import named its rows, also where a landing of it broke off."""
    imports = apps.get_model("ingest", "Import").objects.using(schema_editor.connection.alias)
    for pk in list(imports.exclude(state__in=("uploading", "undone")).values_list("pk", flat=True)):
        imports.filter(pk=pk).update(batch=f"import-{pk.hex}")


class Migration(migrations.Migration):
    dependencies = [("ingest", "0004_keep_hashes_as_numbers")]

    operations = [
        migrations.AddField(
            "import", "batch", models.CharField(blank=True, default="", max_length=100)
        ),
        migrations.RunPython(name_them, migrations.RunPython.noop),
    ]
