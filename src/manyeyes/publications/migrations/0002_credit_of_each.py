"""Each reporter of a case is thanked as they choose, and asks for a share."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("publications", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="credit",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="credits", to="cases.case"
            ),
        ),
        migrations.AddField(
            model_name="credit", name="share", field=models.PositiveSmallIntegerField(null=True)
        ),
        migrations.AddConstraint(
            model_name="credit",
            constraint=models.UniqueConstraint(fields=("case", "person"), name="one_credit_each"),
        ),
    ]
