"""How people on a team work, and when they are away."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import manyeyes.rules.clock
import manyeyes.vault.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_end_readable_sessions"),
        ("vault", "0004_legal_hold"),
    ]

    operations = [
        migrations.CreateModel(
            name="Absence",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("zone", models.CharField(default="UTC", max_length=60)),
                ("noted_at", models.DateTimeField(default=manyeyes.rules.clock.now)),
                (
                    "noted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="absences",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["first_day", "last_day"],
            },
        ),
        migrations.CreateModel(
            name="AtWork",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("most_cases", models.PositiveSmallIntegerField(null=True)),
                ("hours_a_week", models.PositiveSmallIntegerField(null=True)),
                (
                    "keys",
                    models.CharField(
                        choices=[
                            ("on", "They act by themselves"),
                            ("alt", "They act together with Alt"),
                            ("off", "They do nothing"),
                        ],
                        default="on",
                        max_length=4,
                    ),
                ),
                ("declines", manyeyes.vault.fields.EncryptedJSON(null=True)),
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
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="at_work", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
    ]
