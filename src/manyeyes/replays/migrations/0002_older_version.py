"""Trials of an older version have a stream of their own."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("replays", "0001_initial")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="trial",
            name="stream",
            field=models.CharField(
                choices=[
                    ("main", "main"),
                    ("old", "old"),
                    ("control", "control"),
                    ("benign", "benign"),
                    ("positive", "positive"),
                    ("attribute", "attribute"),
                    ("score", "score"),
                ],
                max_length=10,
            ),
        ),
    ]
