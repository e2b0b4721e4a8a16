from __future__ import annotations

from typing import Any

from django.db import migrations, models


def follow_the_record(apps: Any, schema_editor: Any) -> None:
    """Who had a signal in use had it so by default: its record decides, unless they choose."""
    apps.get_model("alerts", "SignalSetting").objects.filter(enabled=True).update(enabled=None)


def be_in_use(apps: Any, schema_editor: Any) -> None:
    """Let every signal that nobody switched off be in use, as it was."""
    apps.get_model("alerts", "SignalSetting").objects.filter(enabled=None).update(enabled=True)


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial")]
    operations = [
        migrations.AddField(
            model_name="signalstate",
            name="showing",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="signalstate",
            name="showing_alone",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="alert",
            name="closed_by",
            field=models.CharField(
                blank=True,
                choices=[
                    ("returned", "The customer came back"),
                    ("left", "The customer counts as gone"),
                    ("over", "What raised it is over"),
                    ("expired", "Nothing came of it"),
                    ("withdrawn", "Data or settings changed"),
                    ("muted", "The signal tells no more than the silence"),
                ],
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="signalsetting",
            name="enabled",
            field=models.BooleanField(null=True, verbose_name="In use"),
        ),
        migrations.RunPython(follow_the_record, be_in_use),
    ]
