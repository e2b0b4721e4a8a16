from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ingest", "0003_name_the_messages_of_a_landing")]

    operations = [
        migrations.AlterField(
            "seenmessage", "digest", models.UUIDField(primary_key=True, serialize=False)
        ),
    ]
