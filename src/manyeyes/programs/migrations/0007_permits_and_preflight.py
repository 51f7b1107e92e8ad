"""Budget owner and approval of a permit, prices of a version, rules of the try on arrival, judges."""

import django.db.models.deletion
import manyeyes.rules.clock
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('programs', '0006_triage_rules'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='permit',
            name='approved_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='permit',
            name='approved_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='permit',
            name='budget_owner',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='targetversion',
            name='currency',
            field=models.CharField(blank=True, default='', max_length=3),
        ),
        migrations.AddField(
            model_name='targetversion',
            name='price_in',
            field=models.FloatField(blank=True, help_text='Money per million tokens sent.', null=True),
        ),
        migrations.AddField(
            model_name='targetversion',
            name='price_out',
            field=models.FloatField(blank=True, help_text='Money per million tokens answered.', null=True),
        ),
        migrations.CreateModel(
            name='JudgeAllowance',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('hazard_classes', models.JSONField(blank=True, default=list)),
                ('granted_at', models.DateTimeField(default=manyeyes.rules.clock.now)),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('granted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('program', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='judges', to='programs.program')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='judges', to='programs.targetversion')),
            ],
            options={
                'ordering': ['-granted_at'],
            },
        ),
        migrations.CreateModel(
            name='PreflightRules',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.BooleanField(default=True)),
                ('trials', models.PositiveIntegerField(default=12)),
                ('tells_researcher', models.BooleanField(default=False)),
                ('calls_per_day', models.PositiveIntegerField(default=600, null=True)),
                ('calls_per_reporter', models.PositiveIntegerField(default=60, null=True)),
                ('tokens_per_day', models.PositiveIntegerField(null=True)),
                ('tokens_per_reporter', models.PositiveIntegerField(null=True)),
                ('money_per_day', models.FloatField(null=True)),
                ('money_per_reporter', models.FloatField(null=True)),
                ('changed_at', models.DateTimeField(default=manyeyes.rules.clock.now)),
                ('changed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('program', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='preflight', to='programs.program')),
            ],
        ),
    ]
