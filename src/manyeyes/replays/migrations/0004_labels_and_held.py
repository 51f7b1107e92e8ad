"""When a person said what an answer was, and answers whose judge could not be reached."""

import uuid
from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import manyeyes.vault.fields

KEY = {"on_delete": django.db.models.deletion.PROTECT, "related_name": "+", "editable": False}


class Migration(migrations.Migration):
    dependencies: ClassVar = [("replays", "0003_larger_caps"), ("vault", "0001_initial")]

    operations: ClassVar = [
        migrations.AddField(model_name="trial", name="labelled_at", field=models.DateTimeField(null=True)),
        migrations.CreateModel(
            name="HeldAnswer",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("stream", models.CharField(max_length=10)),
                ("index", models.PositiveIntegerField()),
                ("record", manyeyes.vault.fields.EncryptedJSON()),
                ("key", models.ForeignKey(to="vault.datakey", **KEY)),
                (
                    "replay",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="held", to="replays.replay"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("replay", "stream", "index"), name="one_held_answer_per_index"
                    )
                ],
            },
        ),
    ]
