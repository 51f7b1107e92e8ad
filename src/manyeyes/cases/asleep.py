"""What somebody put out of their own sight for a while."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from manyeyes.rules import clock


class Sleep(models.Model):
    """A case that one person does not want to see in their lists until a moment; for nobody else does it change."""

    case = models.ForeignKey("cases.Case", on_delete=models.CASCADE, related_name="sleeps")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(default=clock.now)
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "person"], name="one_sleep_each")]

    def __str__(self) -> str:
        return f"sleep until {self.until}"
