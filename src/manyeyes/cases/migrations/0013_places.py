"""Where each case stands in the lists; what cannot be told from its row alone is filled in by the worker."""

# ruff: noqa: E501
import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import manyeyes.cases.placed
import manyeyes.rules.clock
import manyeyes.vault.fields


def backfill(apps, schema_editor):
    case, place = apps.get_model("cases", "Case"), apps.get_model("cases", "Place")
    rows = []
    for row in case.objects.defer("title").iterator(chunk_size=500):
        ended = row.status in ("resolved", "closed")
        rows.append(
            place(
                case_id=row.pk, program_id=row.program_id, arrived_at=row.created_at, changed_at=row.changed_at,
                changed_by=row.changed_by_id,
                status=row.status, at_work=not ended or (row.appealed_at is not None and row.due_at is not None),
                queue_at=row.due_at or manyeyes.cases.placed.FAR, unanswered=row.acknowledged_at is None and not ended,
                deferred=row.deferred_at is not None and row.acknowledged_at is None and row.status == "new",
            )
        )  # fmt: skip
        if len(rows) == 500:
            place.objects.bulk_create(rows)
            rows = []
    place.objects.bulk_create(rows)


class Migration(migrations.Migration):
    dependencies = [("cases", "0012_judgements"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="Place",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="place",
                        serialize=False,
                        to="cases.case",
                    ),
                ),
                ("arrived_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("changed_by", models.UUIDField(null=True)),
                ("status", models.CharField(max_length=16)),
                ("at_work", models.PositiveSmallIntegerField(default=1)),
                ("queue_at", models.DateTimeField(default=manyeyes.cases.placed.FAR)),
                ("unanswered", models.BooleanField(default=False)),
                ("deferred", models.BooleanField(default=False)),
                ("looked_for", models.BooleanField(default=False)),
                ("wants_security", models.BooleanField(default=False)),
                ("wants_ml", models.BooleanField(default=False)),
                (
                    "band",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Place of the graver band in severity.BANDS."
                    ),
                ),
                (
                    "tried",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="What the rate on arrival is at least, of 1,000."
                    ),
                ),
                ("embargo_until", models.DateTimeField(null=True)),
                ("rule", models.PositiveSmallIntegerField(default=0)),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="programs.program"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["program", "at_work", "queue_at", "case"], name="place_by_clock"),
                    models.Index(fields=["program", "at_work", "arrived_at"], name="place_by_arrival"),
                    models.Index(fields=["program", "at_work", "-band", "queue_at"], name="place_by_band"),
                    models.Index(fields=["program", "at_work", "-tried", "queue_at"], name="place_by_try"),
                    models.Index(fields=["program", "at_work", "changed_at"], name="place_by_change"),
                    models.Index(fields=["program", "changed_at"], name="place_by_news"),
                    models.Index(fields=["program", "status", "queue_at"], name="place_by_status"),
                    models.Index(
                        condition=models.Q(("unanswered", True)),
                        fields=["program", "queue_at"],
                        name="place_unanswered",
                    ),
                    models.Index(
                        condition=models.Q(("deferred", True)), fields=["program", "queue_at"], name="place_deferred"
                    ),
                    models.Index(
                        condition=models.Q(("looked_for", True)),
                        fields=["program", "queue_at"],
                        name="place_looked_for",
                    ),
                    models.Index(
                        condition=models.Q(("wants_security", True)),
                        fields=["program", "queue_at"],
                        name="place_security",
                    ),
                    models.Index(
                        condition=models.Q(("wants_ml", True)), fields=["program", "queue_at"], name="place_ml"
                    ),
                    models.Index(
                        condition=models.Q(("embargo_until__isnull", False)),
                        fields=["program", "embargo_until"],
                        name="place_embargo",
                    ),
                    models.Index(fields=["rule"], name="place_by_rule"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", manyeyes.vault.fields.EncryptedText()),
                ("query", manyeyes.vault.fields.EncryptedText()),
                ("at", models.DateTimeField(default=manyeyes.rules.clock.now)),
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        migrations.RunPython(backfill, migrations.RunPython.noop, elidable=False),
    ]
