"""What both sides of a case agreed on: the date before which neither of them publishes."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from manyeyes.rules import clock
from manyeyes.rules import embargo as law

PERSON = settings.AUTH_USER_MODEL


class Embargo(models.Model):
    """A date before which neither side publishes: proposed by one, agreed by the other, ended early by a person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="embargoes")
    until = models.DateTimeField()
    proposed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(default=clock.now)
    proposed_by_reporter = models.BooleanField()
    agreed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    agreed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")

    @property
    def term(self) -> law.Term:
        """The same as the rules read it."""
        side = law.Side.REPORTER if self.proposed_by_reporter else law.Side.TEAM
        return law.Term(
            until=self.until, side=side, proposed_at=self.proposed_at, agreed_at=self.agreed_at, ended_at=self.ended_at
        )
