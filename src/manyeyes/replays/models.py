"""Replays and their trials as rows: the row is the truth, whoever drives it may die at any moment."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from manyeyes.engine.plan import Stream
from manyeyes.programs.models import TargetVersion
from manyeyes.rules import clock
from manyeyes.vault.fields import EncryptedJSON, EncryptedText
from manyeyes.vault.models import Encrypted

PERSON = settings.AUTH_USER_MODEL


class Replay(Encrypted):
    """A frozen plan and where it stands. What was planned and what it came to is encrypted; counts and dates are clear.

    `calls` counts model calls before they are sent, so that no crash can hide one; `unanswered` those of them that left
    no stored answer behind, because a crash cut them off or the target gave an error.
    """

    class State(models.TextChoices):
        """Where the run stands; `running` holds only while its lease does."""

        QUEUED = "queued"
        RUNNING = "running"
        PAUSED = "paused"
        AWAITING_LABEL = "awaiting_label"
        DONE = "done"
        CANCELLED = "cancelled"

    class Mode(models.TextChoices):
        """Who makes the trials: the worker, or a person with the frozen plan in hand."""

        RUNNER = "runner"
        MANUAL = "manual"

    document = EncryptedJSON()
    plan_hash = models.CharField(max_length=64)
    question = models.CharField(max_length=12)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.RUNNER)
    main_version = models.ForeignKey(TargetVersion, on_delete=models.PROTECT, null=True, related_name="replays")
    positive_version = models.ForeignKey(TargetVersion, on_delete=models.PROTECT, null=True, related_name="+")
    judge_version = models.ForeignKey(TargetVersion, on_delete=models.PROTECT, null=True, related_name="+")
    requested_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    concurrency = models.PositiveIntegerField(default=8)

    lease_owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    wish = models.CharField(max_length=8, blank=True)  # "pause" or "cancel", asked of the worker that holds the lease
    pause_code = models.CharField(max_length=24, blank=True)
    pause_reason = EncryptedText(null=True)

    goes_on_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    calls = models.PositiveIntegerField(default=0)
    calls_before = models.PositiveIntegerField(default=0)  # of `calls`: those made under the replay it goes on from
    unanswered = models.PositiveIntegerField(default=0)
    progress = models.JSONField(default=dict)
    verdict = EncryptedJSON(null=True)
    verdict_word = models.CharField(max_length=24, blank=True)
    n = models.PositiveIntegerField(null=True)
    k = models.PositiveIntegerField(null=True)

    created_at = models.DateTimeField(default=clock.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    concluded_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "lease_until"], name="replay_to_claim")]

    def __str__(self) -> str:
        return f"{self.question} {self.pk} ({self.state})"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in (self.State.DONE, self.State.CANCELLED)


class Trial(Encrypted):
    """One trial that was made, stored once and never changed. `exchange` holds what was sent and what came back."""

    replay = models.ForeignKey(Replay, on_delete=models.CASCADE, related_name="trials")
    stream = models.CharField(max_length=10, choices=[(str(stream), str(stream)) for stream in Stream])
    index = models.PositiveIntegerField()
    cell = models.CharField(max_length=160)
    seed = models.BigIntegerField(default=0)
    origin = models.CharField(max_length=16, default="runner")
    outcome = models.CharField(max_length=10, blank=True)  # empty: a person must still say what it was
    exchange = EncryptedJSON()
    http_status = models.PositiveIntegerField(null=True)
    tokens_in = models.PositiveIntegerField(null=True)
    tokens_out = models.PositiveIntegerField(null=True)
    ms = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=1)
    overrun = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True)
    stored_at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    labelled_at = models.DateTimeField(null=True)  # when `by` said what it was, where no detector could

    class Meta:
        constraints = [models.UniqueConstraint(fields=["replay", "stream", "index"], name="one_trial_per_index")]
        ordering = ["stream", "index"]

    def __str__(self) -> str:
        return f"{self.stream} {self.index}: {self.outcome}"

    def said(self, name: str) -> Any:
        """One part of the exchange: sent, answer, digest, finish_reason, model or fingerprint."""
        return self.exchange.get(name)


class HeldAnswer(Encrypted):
    """An answer whose judge could not be reached: no trial yet, but the target need not be asked again."""

    replay = models.ForeignKey(Replay, on_delete=models.CASCADE, related_name="held")
    stream = models.CharField(max_length=10)
    index = models.PositiveIntegerField()
    record = EncryptedJSON()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["replay", "stream", "index"], name="one_held_answer_per_index")]

    def __str__(self) -> str:
        return f"{self.stream} {self.index}"
