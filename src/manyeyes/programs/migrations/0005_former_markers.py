"""Earlier research markers are honoured for a while."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("programs", "0004_launch"),
    ]

    operations = [
        migrations.AddField(
            model_name="program",
            name="former_markers",
            field=models.JSONField(blank=True, default=list),
        ),
    ]
