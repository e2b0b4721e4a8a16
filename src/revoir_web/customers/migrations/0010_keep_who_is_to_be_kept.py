from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0009_let_programs_keep_views")]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="kept_on",
            field=models.DateField(null=True, verbose_name="Kept since"),
        ),
    ]
