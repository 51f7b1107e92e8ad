"""How a program triages: what its sign-offs ask for, whether reports are assigned on arrival, what its people know."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from manyeyes.rules import clock
from manyeyes.rules.signoff import RULE_WORDS, Rule, policy_of

PERSON = settings.AUTH_USER_MODEL


class TriageRules(models.Model):
    """One row for a program that set something; one without a row goes by the defaults.

    `sign_off` maps a severity band to a rule of `rules.signoff`. `independent`: the second does not see the first
    assessment before both are filed. `revision` counts the edits, for two at once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    program = models.OneToOneField("programs.Program", on_delete=models.PROTECT, related_name="triage_rules")
    sign_off = models.JSONField(default=dict, blank=True)
    independent = models.BooleanField(default=False)
    assigns = models.BooleanField(default=True)
    revision = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(default=clock.now)
    changed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return f"how {self.program_id} triages"

    @property
    def policy(self) -> dict[str, Rule]:
        """The rule of every severity band."""
        return policy_of(self.sign_off)

    @property
    def policy_words(self) -> list[tuple[str, str]]:
        """(band, what it asks for), the gravest first."""
        return [(band, RULE_WORDS[rule]) for band, rule in self.policy.items()]


class Expertise(models.Model):
    """What a member of a team knows well: kinds of flaw by code, targets by id. It decides who is asked first."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.OneToOneField("programs.Membership", on_delete=models.CASCADE, related_name="expertise")
    classes = models.JSONField(default=list, blank=True)
    targets = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return f"expertise {self.pk}"
