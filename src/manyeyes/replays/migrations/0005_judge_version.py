"""The version that plays the judge of a replay."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('programs', '0007_permits_and_preflight'),
        ('replays', '0004_labels_and_held'),
    ]

    operations = [
        migrations.AddField(
            model_name='replay',
            name='judge_version',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='programs.targetversion'),
        ),
    ]
