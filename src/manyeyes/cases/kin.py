"""What is kept of cases that belong together: families with their members, and cases split off from another."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from manyeyes.programs.models import Program
from manyeyes.rules import clock
from manyeyes.rules.families import Part
from manyeyes.vault.fields import EncryptedText
from manyeyes.vault.models import Encrypted

PERSON = settings.AUTH_USER_MODEL


class Family(Encrypted):
    """Cases of one program that belong together. Name and note are the team's, under the key of the program.

    `revision` counts the changes, for two who change it at once; each event of its chain says which one it made.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="families")
    ref = models.CharField(max_length=16, unique=True)
    name = EncryptedText(null=True)
    note = EncryptedText(null=True)
    revision = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(default=clock.now)
    changed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.ref

    @property
    def subject(self) -> str:
        """The name under which the event log knows this family."""
        return f"family:{self.pk}"

    @property
    def present(self) -> models.QuerySet[Member]:
        """Its members, without cases whose key was destroyed: of those nothing is left to group."""
        return self.members.filter(case__key__destroyed_at=None)


class Member(models.Model):
    """The place of a case in its one family. Which case it follows stands in `Case.duplicate_of`.

    `received_at` and `standing` are what the log and the sharing rule say (`cases.sharing`), kept to be listed by.
    """

    case = models.OneToOneField("cases.Case", on_delete=models.PROTECT, related_name="membership")
    family = models.ForeignKey(Family, on_delete=models.PROTECT, related_name="members")
    part = models.CharField(max_length=10, help_text="One of `rules.families.Part`.")
    received_at = models.DateTimeField()
    standing = models.CharField(max_length=8, blank=True)
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    joined_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["received_at"]

    def __str__(self) -> str:
        return f"{self.part} in {self.family_id}"

    @property
    def part_words(self) -> str:
        """The part in words."""
        return Part(self.part).words


class Split(models.Model):
    """That a case was made out of one of several flaws of a report; its text was copied, the original stays whole."""

    case = models.OneToOneField("cases.Case", on_delete=models.PROTECT, related_name="split_from")
    source = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="split_into")
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.case_id} out of {self.source_id}"
