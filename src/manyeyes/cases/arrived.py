"""What machines and logs say of a report beside its replays: the try on arrival, texts seen before, the true log."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from manyeyes.rules import clock
from manyeyes.vault.fields import EncryptedJSON, EncryptedText
from manyeyes.vault.models import Encrypted

PERSON = settings.AUTH_USER_MODEL


class Preflight(models.Model):
    """The try of one reproducer on arrival: whether it was made, why not, and what came of it. It decides nothing.

    `calls`, `tokens` and `money` are what it may take at most while it runs, and what it took afterwards: the budgets
    of the day are counted by them. `reproducer` is empty where the report brought none.
    """

    class State(models.TextChoices):
        """`waiting` for the worker to look at it; `running` while a replay is queued or under way."""

        WAITING = "waiting"
        RUNNING = "running"
        TRIED = "tried"
        STOPPED = "stopped"
        NOT_TRIED = "not_tried"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="preflights")
    reproducer = models.OneToOneField("cases.ReproducerFile", on_delete=models.PROTECT, null=True, related_name="+")
    reproduction = models.OneToOneField("cases.Reproduction", on_delete=models.PROTECT, null=True, related_name="+")
    reporter = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    kinds = models.JSONField(default=list)  # why it was not tried, each in one word; the sentences are of `reasons`
    reasons = models.JSONField(default=list)
    attempts = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    tokens = models.PositiveIntegerField(default=0)
    money = models.FloatField(default=0.0)
    k = models.PositiveIntegerField(null=True)
    n = models.PositiveIntegerField(null=True)
    low = models.FloatField(null=True)  # of the exact interval, by which the queue is sorted: 1 of 1 is not 12 of 12
    high = models.FloatField(null=True)
    at = models.DateTimeField(default=clock.now)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "at"], name="preflight_waiting"),
            models.Index(fields=["case", "at"], name="preflight_of_case"),
            models.Index(fields=["reporter", "started_at"], name="preflight_by_reporter"),
        ]

    def __str__(self) -> str:
        return f"preflight {self.pk} ({self.state})"


class TextMark(models.Model):
    """A keyed name of one paragraph of a report, by which equal ones are found within a program. No word is kept."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="marks")
    program = models.ForeignKey("programs.Program", on_delete=models.PROTECT, related_name="+")
    token = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "token"], name="one_mark_per_paragraph")]
        indexes = [models.Index(fields=["program", "token"], name="mark_by_token")]

    def __str__(self) -> str:
        return f"mark {self.pk}"


class ProductionLog(Encrypted):
    """What the logs of production say of the conversation that was reported. It stands beside, and decides nothing."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="production_logs")
    happened_at = models.DateTimeField(null=True)
    version = models.ForeignKey("programs.TargetVersion", on_delete=models.PROTECT, null=True, related_name="+")
    settings = EncryptedJSON(null=True)
    transcript = EncryptedText(null=True)
    found = EncryptedJSON()
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"production log {self.pk}"
