"""What a program allows machines to do: attack a target, try reports on arrival, show answers to a judge model."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from manyeyes.rules import clock
from manyeyes.rules.preflight import TRIALS

PERSON = settings.AUTH_USER_MODEL


class Permit(models.Model):
    """On what basis a target may be attacked by machine: who operates it, where, and within which bounds.

    Only the approval comes later; any other change is a new permit. Without a `budget_owner` the grantor answers.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    target = models.ForeignKey("programs.Target", on_delete=models.PROTECT, related_name="permits")
    operator = models.CharField(max_length=120)
    basis = models.CharField(max_length=200)
    environment = models.CharField(max_length=12, default="staging")
    hazard_classes = models.JSONField(default=list, blank=True)
    calls_per_day = models.PositiveIntegerField(default=5000)
    granted_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField(default=clock.now)
    budget_owner = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    approved_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-granted_at"]

    def __str__(self) -> str:
        return f"{self.target}: {self.basis}"

    @property
    def answers_for_cost(self) -> models.Model:
        """Who answers for what replays under it cost."""
        return self.budget_owner or self.granted_by

    @property
    def waits_for_approval(self) -> bool:
        """Whether it speaks of production and nobody has approved it."""
        return self.environment == "production" and self.approved_by_id is None


class PreflightRules(models.Model):
    """Whether and how far reports of a program are tried on arrival. Limits are for one UTC day; empty means none."""

    program = models.OneToOneField("programs.Program", on_delete=models.PROTECT, related_name="preflight")
    on = models.BooleanField(default=True)
    trials = models.PositiveIntegerField(default=TRIALS)
    tells_researcher = models.BooleanField(default=False)
    calls_per_day = models.PositiveIntegerField(null=True, default=600)
    calls_per_reporter = models.PositiveIntegerField(null=True, default=60)
    tokens_per_day = models.PositiveIntegerField(null=True)
    tokens_per_reporter = models.PositiveIntegerField(null=True)
    money_per_day = models.FloatField(null=True)
    money_per_reporter = models.FloatField(null=True)
    changed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"preflight of {self.program_id}"


class JudgeAllowance(models.Model):
    """A registered version that may be shown answers of replays to say whether they are a success.

    A judge receives embargoed content, so it is allowed by name, and for each hazard class by name too.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    program = models.ForeignKey("programs.Program", on_delete=models.PROTECT, related_name="judges")
    version = models.ForeignKey("programs.TargetVersion", on_delete=models.PROTECT, related_name="judges")
    hazard_classes = models.JSONField(default=list, blank=True)
    granted_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField(default=clock.now)
    ended_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-granted_at"]

    def __str__(self) -> str:
        return f"judge {self.version}"
