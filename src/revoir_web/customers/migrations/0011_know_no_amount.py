from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0010_keep_who_is_to_be_kept")]

    operations = [
        migrations.AlterField(
            model_name="customerfigures",
            name="revenue",
            field=models.DecimalField(
                decimal_places=2, default=0, max_digits=18, null=True, verbose_name="Revenue"
            ),
        ),
        migrations.AlterField(
            model_name="segmentaverage",
            name="revenue",
            field=models.FloatField(null=True),
        ),
    ]
