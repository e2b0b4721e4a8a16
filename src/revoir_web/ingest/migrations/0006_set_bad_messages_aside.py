import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ingest", "0005_name_the_rows_of_a_landing")]

    operations = [
        migrations.CreateModel(
            "SetAside",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key_id", models.PositiveBigIntegerField()),
                ("kind", models.CharField(max_length=8)),
                ("received_at", models.DateTimeField()),
                ("sent_at", models.CharField(blank=True, max_length=64)),
                ("body", models.TextField()),
                ("at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ("reason", models.JSONField(null=True)),
            ],
        ),
    ]
