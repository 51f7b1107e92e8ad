"""Who has the word in a case for each discipline."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from manyeyes.rules import clock
from manyeyes.vault.fields import EncryptedJSON
from manyeyes.vault.models import Encrypted

PERSON = settings.AUTH_USER_MODEL


class Seat(Encrypted):
    """The person who speaks for a discipline in a case, and who stands in for them; what was before is in the log.

    `reasons` are the sentences of `rules.assignment`, or none where a person decided; under the key of the case.
    """

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="seats")
    discipline = models.CharField(max_length=8)
    person = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="seats")
    backup = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    reasons = EncryptedJSON(null=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "discipline"], name="one_seat_per_discipline")]

    def __str__(self) -> str:
        return f"{self.discipline} of {self.case_id}"
