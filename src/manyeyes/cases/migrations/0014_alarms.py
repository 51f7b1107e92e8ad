"""When somebody is to be rung about a case; for those that are there, at the end of the next promise at first."""

# ruff: noqa: E501
from django.db import migrations, models


def begin(apps, schema_editor):
    apps.get_model("cases", "Case").objects.filter(due_at__isnull=False).update(alarm_at=models.F("due_at"))


class Migration(migrations.Migration):
    dependencies = [("cases", "0013_places")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="alarm_at",
            field=models.DateTimeField(help_text="When somebody is rung if nobody acts.", null=True),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(condition=models.Q(("alarm_at__isnull", False)), fields=["alarm_at"], name="case_by_alarm"),
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
