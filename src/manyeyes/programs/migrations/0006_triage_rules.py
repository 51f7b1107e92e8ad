"""How a program triages, and what its people know."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import manyeyes.rules.clock


class Migration(migrations.Migration):
    dependencies = [
        ("programs", "0005_former_markers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Expertise",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("classes", models.JSONField(blank=True, default=list)),
                ("targets", models.JSONField(blank=True, default=list)),
                (
                    "membership",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="expertise", to="programs.membership"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TriageRules",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("sign_off", models.JSONField(blank=True, default=dict)),
                ("independent", models.BooleanField(default=False)),
                ("assigns", models.BooleanField(default=True)),
                ("revision", models.PositiveIntegerField(default=0)),
                ("changed_at", models.DateTimeField(default=manyeyes.rules.clock.now)),
                (
                    "changed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "program",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="triage_rules", to="programs.program"
                    ),
                ),
            ],
        ),
    ]
