"""What is kept around the words of a case: earlier wordings of a message, prepared answers, who has read how far."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from manyeyes.programs.models import Program
from manyeyes.rules import clock
from manyeyes.vault.fields import EncryptedText
from manyeyes.vault.models import Encrypted

PERSON = settings.AUTH_USER_MODEL


class EarlierWords(Encrypted):
    """A message as it read until its author mended it, under the key of its case; both stay to be read."""

    message = models.ForeignKey("cases.Message", on_delete=models.PROTECT, related_name="earlier")
    text = EncryptedText()
    until = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["until"]

    def __str__(self) -> str:
        return f"words until {self.until}"


class PreparedAnswer(Encrypted):
    """A reply that a team writes again and again, with names in braces for what differs; under its program's key.

    `revision` counts the changes, for two who change it at once.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="prepared_answers")
    name = EncryptedText()
    text = EncryptedText()
    revision = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(default=clock.now)
    changed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"prepared answer {self.pk}"


class ReadMark(models.Model):
    """When a person last looked at a case, so that the page can say what is new."""

    case = models.ForeignKey("cases.Case", on_delete=models.CASCADE, related_name="read_marks")
    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "person"], name="one_read_mark_each")]
