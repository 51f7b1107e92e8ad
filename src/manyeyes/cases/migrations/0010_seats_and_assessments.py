"""Who speaks for each discipline in a case, and what each saw when they signed a rating."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import manyeyes.rules.clock
import manyeyes.vault.fields


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0009_sleeps"),
        ("vault", "0004_legal_hold"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="signoff",
            name="assessment",
            field=manyeyes.vault.fields.EncryptedJSON(null=True),
        ),
        migrations.CreateModel(
            name="Seat",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("discipline", models.CharField(max_length=8)),
                ("reasons", manyeyes.vault.fields.EncryptedJSON(null=True)),
                ("at", models.DateTimeField(default=manyeyes.rules.clock.now)),
                (
                    "backup",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="seats", to="cases.case"
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="vault.datakey",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="seats",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("case", "discipline"), name="one_seat_per_discipline")],
            },
        ),
    ]
