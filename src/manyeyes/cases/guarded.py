"""What is kept of who sent a report, which goes when they do, and what keeps a case from being destroyed."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from manyeyes.rules import clock
from manyeyes.vault.fields import EncryptedText
from manyeyes.vault.models import Encrypted

PERSON = settings.AUTH_USER_MODEL


class Sender(Encrypted):
    """How the sender of a report can be reached, and their own number for it, under a key of their own."""

    report = models.OneToOneField("cases.Report", on_delete=models.PROTECT, related_name="sender")
    contact = EncryptedText(null=True)
    own_ref = EncryptedText(null=True)

    def __str__(self) -> str:
        return f"sender {self.pk}"


class LegalHold(Encrypted):
    """Nothing of a case may be destroyed: proposed by one person, placed by another, and lifted by two as well.

    One at a time stands for a case; those that ended stay on record. `ended_at` without `placed_at`: it was refused.
    """

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="holds")
    why = EncryptedText()
    proposed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(default=clock.now)
    placed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    placed_at = models.DateTimeField(null=True)
    lift_why = EncryptedText(null=True)
    lift_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    lift_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["proposed_at"]
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=models.Q(ended_at__isnull=True), name="one_hold_a_case")
        ]

    def __str__(self) -> str:
        return f"legal hold {self.pk}"

    @property
    def asker(self) -> models.Model | None:
        """Whose proposal waits for another person; None while none does."""
        if self.ended_at is not None:
            return None
        return self.proposed_by if self.placed_at is None else self.lift_by
