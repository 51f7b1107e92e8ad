"""The row of a data key: what encrypts cases and programs, itself wrapped under the master key."""

from __future__ import annotations

import uuid

from django.db import models

from manyeyes.rules import clock


class DataKey(models.Model):
    """A key that encrypts rows and files, itself encrypted under the master key. Destroying it destroys them all."""

    class Purpose(models.TextChoices):
        """What a key guards; the root key is the one that search tokens and event chains are derived from."""

        CASE = "case"
        PROGRAM = "program"
        PERSON = "person"
        PLATFORM = "platform"
        ROOT = "root"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(max_length=10, choices=Purpose)
    version = models.PositiveIntegerField(default=1, editable=False)
    wrapped = models.BinaryField(null=True, editable=False)
    wrapped_by = models.CharField(max_length=16, blank=True, editable=False)
    created_at = models.DateTimeField(default=clock.now)
    held_at = models.DateTimeField(null=True, blank=True, help_text="Legal hold: nothing under it may be destroyed.")
    destroyed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"key {self.pk}"

    @property
    def context(self) -> bytes:
        """What the wrapping is bound to, so that one key's bytes cannot be put in another's place."""
        return b"manyeyes:data-key:1\0" + f"{self.pk}\0{self.purpose}\0{self.version}".encode()
