"""Bundles wait for the worker; the numbers that researchers gave reports before these had a keyed name get one."""

from typing import Any

from django.db import migrations, models

from manyeyes.cases.ownnumbers import token_of
from manyeyes.vault.keyring import Shredded
from manyeyes.vault.sealing import Tampered


def were_scored(apps: Any, schema_editor: Any) -> None:
    """Those that are there were scored when they came."""
    apps.get_model("cases", "SentBundle").objects.update(state="done")


def name_own_numbers(apps: Any, schema_editor: Any) -> None:
    """Give each older number the name under which it is found."""
    model = apps.get_model("cases", "Report")
    # A model as migrations make it does not inherit what says which row and key a text is bound to.
    model.sealed_for = lambda row: (row.pk, row.key_id)
    rows = model.objects.filter(own_ref_token="", own_ref__isnull=False).select_related("case")
    for row in rows.only("key_id", "own_ref", "case__program_id").iterator(chunk_size=500):
        try:
            name = token_of(row.case.program_id, row.own_ref)
        except (Shredded, Tampered):
            continue  # what nobody can read any more cannot be found either
        model.objects.filter(pk=row.pk).update(own_ref_token=name)


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0005_test_reports"),
        ("vault", "0004_legal_hold"),
    ]

    operations = [
        migrations.AddField("sentbundle", "attempts", models.PositiveIntegerField(default=0)),
        migrations.AddField("sentbundle", "lease_owner", models.CharField(blank=True, max_length=80)),
        migrations.AddField("sentbundle", "lease_until", models.DateTimeField(null=True)),
        migrations.AddField(
            "sentbundle",
            "state",
            models.CharField(
                choices=[("waiting", "Waiting"), ("scoring", "Scoring"), ("done", "Done")],
                db_index=True,
                default="waiting",
                max_length=8,
            ),
        ),
        migrations.RunPython(were_scored, migrations.RunPython.noop),
        migrations.RunPython(name_own_numbers, migrations.RunPython.noop),
    ]
