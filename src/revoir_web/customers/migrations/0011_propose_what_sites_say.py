from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0010_keep_who_is_to_be_kept")]

    operations = [
        migrations.AlterField(
            model_name="mergeproposal",
            name="reason",
            field=models.CharField(
                choices=[
                    ("email", "Same e-mail address"),
                    ("phone", "Same telephone number"),
                    ("name", "Same name and place"),
                    ("alias", "Said by a site or app"),
                ],
                max_length=5,
                verbose_name="Why",
            ),
        ),
    ]
