"""A case says of itself that it holds hazardous content, as its report did so far."""

from typing import Any

from django.db import migrations, models


def as_reported(apps: Any, schema_editor: Any) -> None:
    """Take over what the reports said."""
    for case_id, hazard in apps.get_model("cases", "Report").objects.exclude(hazard="").values_list("case_id", "hazard"):
        apps.get_model("cases", "Case").objects.filter(pk=case_id).update(hazard=hazard)


class Migration(migrations.Migration):
    dependencies = [("cases", "0006_bundles_in_line")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="hazard",
            field=models.CharField(
                blank=True, help_text="What it holds is shown on opening only, recorded.", max_length=8
            ),
            preserve_default=True,
        ),
        migrations.RunPython(as_reported, migrations.RunPython.noop),
    ]
