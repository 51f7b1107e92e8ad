"""Who was invited to a program that is not public."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from manyeyes.rules import clock
from manyeyes.vault.fields import EncryptedText
from manyeyes.vault.models import Encrypted


class Guest(Encrypted):
    """A researcher from outside who was invited to a program that is not public, by mail; no member of its team.

    The mail address is encrypted and goes with the end of the invitation; of the link only a keyed name is kept.
    """

    program = models.ForeignKey("programs.Program", on_delete=models.PROTECT, related_name="guests")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    email = EncryptedText(null=True)
    locator = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    invited_at = models.DateTimeField(default=clock.now)
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["invited_at"]

    def __str__(self) -> str:
        return f"guest of {self.program}"
