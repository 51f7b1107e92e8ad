"""What is kept of a report that is not sent yet."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from manyeyes.cases.filetypes import words_for
from manyeyes.programs.models import Program
from manyeyes.rules import clock
from manyeyes.vault.fields import EncryptedJSON
from manyeyes.vault.models import Encrypted, StoredFile

PERSON = settings.AUTH_USER_MODEL


class Draft(Encrypted):
    """A report not sent yet, under its owner's own key, else its program's. Its owner finds it, or a code they hold."""

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="drafts")
    owner = models.ForeignKey(PERSON, on_delete=models.CASCADE, null=True, related_name="drafts")
    locator = models.CharField(max_length=64, unique=True, help_text="A keyed name of the draft's code.")
    answers = EncryptedJSON()
    started_at = models.DateTimeField(default=clock.now)
    saved_at = models.DateTimeField(default=clock.now)


class DraftFile(Encrypted):
    """A file of a draft; it moves under the key of the case when the report is sent."""

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="files")
    stored = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
    inside = EncryptedJSON(null=True)
    added_at = models.DateTimeField(default=clock.now)

    @property
    def type_words(self) -> str:
        """What it is by its content, in words."""
        return words_for(self.stored.media_type)
