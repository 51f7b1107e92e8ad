"""Sessions are stored encrypted from now on; those before could be read in the database, so they end."""

from typing import Any

from django.db import migrations


def end(apps: Any, _schema: Any) -> None:
    """Sign every browser out once."""
    apps.get_model("sessions", "Session").objects.all().delete()


class Migration(migrations.Migration):
    """Deletes rows only."""

    dependencies = [("accounts", "0004_own_keys_and_ways_in"), ("sessions", "0001_initial")]

    operations = [migrations.RunPython(end, migrations.RunPython.noop)]
