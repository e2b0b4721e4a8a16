from django.db import migrations, models

_TEXTS = {
    "name": "Name",
    "first_name": "First name",
    "last_name": "Family name",
    "address": "Street",
    "postcode": "Postcode",
    "city": "Town",
    "region": "Region",
    "country": "Country",
    "gender": "Gender",
    "company_name": "Company",
    "language": "Language",
}


class Migration(migrations.Migration):
    dependencies = [("customers", "0012_propose_what_sites_say")]

    operations = [
        migrations.AlterField(
            model_name="customer",
            name=name,
            field=models.CharField(blank=True, verbose_name=label),
        )
        for name, label in _TEXTS.items()
    ]
