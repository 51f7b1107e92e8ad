"""What findings are held against: the severity rubric of a program in versions, and editions of public catalogues."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models

from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict
from manyeyes.rules.rubric import Rubric, read_text

PERSON = settings.AUTH_USER_MODEL


class RubricVersion(models.Model):
    """One version of a program's severity rubric. It never changes: a rating keeps the version it was made under."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    program = models.ForeignKey("programs.Program", on_delete=models.PROTECT, related_name="rubrics")
    number = models.PositiveIntegerField()
    version = models.CharField(max_length=60, unique=True)
    text = models.TextField(help_text="The rubric as JSON, in the format of rules/rubric.py.")
    why = models.CharField(max_length=400)
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["program", "number"], name="one_rubric_per_number")]
        ordering = ["-number"]

    def __str__(self) -> str:
        return self.version

    @property
    def rubric(self) -> Rubric:
        """What the version says."""
        return read_text(self.text)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the version, once. Raises Conflict for any change."""
        if not self._state.adding:
            raise Conflict("A version of the rubric never changes. Make a new version.")
        super().save(*args, **kwargs)


class TaxonomyEdition(models.Model):
    """An edition of a public catalogue that an operator read in beside the ones that come with the package."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    catalogue = models.CharField(max_length=24)
    edition = models.CharField(max_length=16)
    text = models.TextField(help_text="The catalogue as JSON, in the format of rules/catalogue.py.")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["catalogue", "edition"], name="one_text_per_edition")]
        ordering = ["catalogue", "-edition"]

    def __str__(self) -> str:
        return f"{self.catalogue} {self.edition}"
