from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def copy(apps: Any, schema_editor: Any) -> None:
    """Let every customer of one import be one whom that import alone speaks of."""
    quote = schema_editor.quote_name
    before, after = (
        quote(apps.get_model("customers", name)._meta.db_table)
        for name in ("SoleNewcomer", "Newcomer")
    )
    schema_editor.execute(
        f"INSERT INTO {after} (customer_id, source) SELECT customer_id, source FROM {before}"
    )


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_let_columns_sort_long_lists")]

    operations = [
        migrations.RenameModel("Newcomer", "SoleNewcomer"),
        migrations.CreateModel(
            name="Newcomer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                ("source", models.CharField(max_length=64)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("customer", "source"), name="newcomer_once")
                ]
            },
        ),
        migrations.RunPython(copy, migrations.RunPython.noop, elidable=True),
        migrations.DeleteModel("SoleNewcomer"),
    ]
