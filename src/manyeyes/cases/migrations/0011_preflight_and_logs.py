"""Tries on arrival, paragraphs seen before, production logs; a replay that nobody asked for."""

import django.db.models.deletion
import manyeyes.rules.clock
import manyeyes.vault.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0010_seats_and_assessments'),
        ('programs', '0007_permits_and_preflight'),
        ('vault', '0004_legal_hold'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='reproduction',
            name='asked_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='reproduction',
            name='purpose',
            field=models.CharField(choices=[('reproduction', 'Reproduction'), ('verification', 'Verification'), ('preflight', 'Preflight')], max_length=12),
        ),
        migrations.CreateModel(
            name='ProductionLog',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('happened_at', models.DateTimeField(null=True)),
                ('settings', manyeyes.vault.fields.EncryptedJSON(null=True)),
                ('transcript', manyeyes.vault.fields.EncryptedText(null=True)),
                ('found', manyeyes.vault.fields.EncryptedJSON()),
                ('at', models.DateTimeField(default=manyeyes.rules.clock.now)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='production_logs', to='cases.case')),
                ('key', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='vault.datakey')),
                ('version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='programs.targetversion')),
            ],
            options={
                'ordering': ['at'],
            },
        ),
        migrations.CreateModel(
            name='Preflight',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('tried', 'Tried'), ('stopped', 'Stopped'), ('not_tried', 'Not Tried')], default='waiting', max_length=10)),
                ('kinds', models.JSONField(default=list)),
                ('reasons', models.JSONField(default=list)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('calls', models.PositiveIntegerField(default=0)),
                ('tokens', models.PositiveIntegerField(default=0)),
                ('money', models.FloatField(default=0.0)),
                ('k', models.PositiveIntegerField(null=True)),
                ('n', models.PositiveIntegerField(null=True)),
                ('low', models.FloatField(null=True)),
                ('high', models.FloatField(null=True)),
                ('at', models.DateTimeField(default=manyeyes.rules.clock.now)),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='preflights', to='cases.case')),
                ('reporter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reproducer', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.reproducerfile')),
                ('reproduction', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.reproduction')),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'at'], name='preflight_waiting'), models.Index(fields=['case', 'at'], name='preflight_of_case'), models.Index(fields=['reporter', 'started_at'], name='preflight_by_reporter')],
            },
        ),
        migrations.CreateModel(
            name='TextMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.CharField(max_length=64)),
                ('at', models.DateTimeField(default=manyeyes.rules.clock.now)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='marks', to='cases.case')),
                ('program', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='programs.program')),
            ],
            options={
                'indexes': [models.Index(fields=['program', 'token'], name='mark_by_token')],
                'constraints': [models.UniqueConstraint(fields=('case', 'token'), name='one_mark_per_paragraph')],
            },
        ),
    ]
