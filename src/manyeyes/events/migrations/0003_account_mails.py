"""Mails about an account wait in the outbox too, with their words encrypted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the column."""

    dependencies = [("events", "0002_senders_and_choices")]

    operations = [migrations.AddField("delivery", "sealed", models.TextField(blank=True, default=""))]
