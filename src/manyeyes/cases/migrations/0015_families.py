"""Families of cases, and cases split off another; what was closed as a duplicate so far forms families of its own."""

# ruff: noqa: E501
import django.db.models.deletion
import manyeyes.rules.clock
import manyeyes.vault.fields
import uuid
from django.conf import settings
from django.db import migrations, models

from manyeyes.rules import reference


def begin(apps, schema_editor):
    """One family for each case that others repeat; a duplicate of a duplicate follows the case at the end."""
    Case, Family, Member = (apps.get_model("cases", name) for name in ("Case", "Family", "Member"))
    rows = {
        row.pk: row
        for row in Case.objects.filter(duplicate_of__isnull=False).only(
            "duplicate_of_id", "created_at", "changed_by_id", "reporter_id"
        )
    }
    for row in rows.values():
        first, passed = row.duplicate_of_id, {row.pk}
        while first in rows and first not in passed:
            passed.add(first)
            first = rows[first].duplicate_of_id
        if first in passed:
            continue
        lead = Case.objects.select_related("program").only("created_at", "program__key_id").get(pk=first)
        by = row.changed_by_id or row.reporter_id
        member = Member.objects.filter(case=lead).first()
        if member is None:
            family = Family.objects.create(
                program=lead.program,
                key_id=lead.program.key_id,
                ref=reference.new_reference(prefix=reference.FAMILY),
                changed_by_id=by,
            )
            member = Member.objects.create(case=lead, family=family, part="lead", received_at=lead.created_at, by_id=by)
        Member.objects.create(
            case_id=row.pk, family_id=member.family_id, part="duplicate", received_at=row.created_at, by_id=by
        )
        Case.objects.filter(pk=row.pk).update(duplicate_of_id=first)


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0014_alarms"),
        ("programs", "0009_guests"),
        ("vault", "0004_legal_hold"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Family",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("ref", models.CharField(max_length=16, unique=True)),
                ("name", manyeyes.vault.fields.EncryptedText(null=True)),
                ("note", manyeyes.vault.fields.EncryptedText(null=True)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(default=manyeyes.rules.clock.now)),
                ("created_at", models.DateTimeField(default=manyeyes.rules.clock.now)),
                (
                    "changed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
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
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="families", to="programs.program"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("part", models.CharField(help_text="One of `rules.families.Part`.", max_length=10)),
                ("received_at", models.DateTimeField()),
                ("standing", models.CharField(blank=True, max_length=8)),
                ("joined_at", models.DateTimeField(default=manyeyes.rules.clock.now)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="membership", to="cases.case"
                    ),
                ),
                (
                    "family",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="members", to="cases.family"
                    ),
                ),
            ],
            options={
                "ordering": ["received_at"],
            },
        ),
        migrations.CreateModel(
            name="Split",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=manyeyes.rules.clock.now)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="split_from", to="cases.case"
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="split_into", to="cases.case"
                    ),
                ),
            ],
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
