"""A replay may go on from one that ended without an answer; the calls made before stay on the bill of that one."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("replays", "0002_older_version")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="replay", name="calls_before", field=models.PositiveIntegerField(default=0)
        ),
        migrations.AddField(
            model_name="replay",
            name="goes_on_from",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="replays.replay"
            ),
        ),
    ]
