from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0011_know_no_amount")]

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
