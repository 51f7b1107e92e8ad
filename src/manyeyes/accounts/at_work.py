"""How somebody on a team works: what they can hold, what they will not view, how they use keys, when they are away."""

from __future__ import annotations

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from manyeyes.rules import clock
from manyeyes.vault.fields import EncryptedJSON
from manyeyes.vault.models import Encrypted

PERSON = settings.AUTH_USER_MODEL


class AtWork(Encrypted):
    """One row for whoever said something. What they will not view lies under their own key, and goes with it."""

    class Keys(models.TextChoices):
        """How single keys act in the console."""

        ON = "on", _("They act by themselves")
        ALT = "alt", _("They act together with Alt")
        OFF = "off", _("They do nothing")

    person = models.OneToOneField(PERSON, on_delete=models.CASCADE, related_name="at_work")
    most_cases = models.PositiveSmallIntegerField(null=True)
    hours_a_week = models.PositiveSmallIntegerField(null=True)
    keys = models.CharField(max_length=4, choices=Keys, default=Keys.ON)
    declines = EncryptedJSON(null=True)

    def __str__(self) -> str:
        return f"at work {self.pk}"


class Absence(models.Model):
    """From a day to a day, both away, as the days fall in a zone. Nothing is assigned to them meanwhile."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="absences")
    first_day = models.DateField()
    last_day = models.DateField()
    zone = models.CharField(max_length=60, default="UTC")
    noted_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    noted_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["first_day", "last_day"]

    def __str__(self) -> str:
        return f"away {self.first_day} to {self.last_day}"

    def covers(self, at: datetime) -> bool:
        """Whether the moment falls on one of the days."""
        return self.first_day <= at.astimezone(ZoneInfo(self.zone)).date() <= self.last_day
